//! What does Mia's server do with what comes in? What Mastodon does: check strictly, fetch what is announced, show it.

use super::acts::PUBLIC;
use super::{Mia, keys, proof};
use axum::http::HeaderMap;
use serde_json::Value;

/// Checks a delivery and takes it in.
pub async fn take_in(mia: &Mia, path: &str, headers: &HeaderMap, body: &str) -> Result<(), String> {
    let kind = headers.get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default();
    if kind != "application/activity+json" {
        return Err(format!("content type {kind}"));
    }
    let claim = keys::read(&mia.0.host, path, headers, body, mia.0.clock.now())?;
    let activity: Value = serde_json::from_str(body).map_err(|e| e.to_string())?;
    check_shape(&activity)?;
    let author = activity["actor"].as_str().unwrap_or_default();
    let sender = claim.key_id.split('#').next().unwrap_or_default();
    let document = look_up(mia, sender).await?;
    let key = &document["publicKey"];
    if key["id"] != claim.key_id.as_str() || key["owner"] != sender {
        return Err(format!("key {} is not of {sender}", claim.key_id));
    }
    if !claim.holds(key["publicKeyPem"].as_str().unwrap_or_default()) {
        return Err("signature does not hold".into());
    }
    // What somebody else passes on needs a proof of its author (FEP-8b32), as with Mastodon from 4.7.
    if sender != author && !proof::holds(&activity, &look_up(mia, author).await?) {
        return Err(format!("{} is not of {author} and nothing proves that it is: {activity}", claim.key_id));
    }
    act_on(mia, &activity).await?;
    mia.0.state.lock().unwrap().received.push(activity);
    Ok(())
}

/// What every activity must have, and what an object of ours must (rules 7 and 8 of the federation page).
fn check_shape(activity: &Value) -> Result<(), String> {
    let id = activity["id"].as_str().ok_or("no id")?;
    let actor = activity["actor"].as_str().ok_or("actor is not one id")?;
    if !activity["type"].is_string() {
        return Err("type is not one string".into());
    }
    if host(id) != host(actor) {
        return Err("id and actor on different hosts".into());
    }
    if id.contains(['#', '?']) {
        return Err("id with fragment or query".into());
    }
    for address in ["to", "cc"] {
        if !activity[address].is_array() {
            return Err(format!("{address} is no list"));
        }
    }
    let object = &activity["object"];
    if object["type"] == "Note" || object["type"] == "Page" {
        if object["attributedTo"] != actor && activity["type"] != "Announce" {
            return Err("attributedTo is not the actor".into());
        }
        if object["published"].as_str().is_none_or(|p| p.parse::<jiff::Timestamp>().is_err()) {
            return Err("no published".into());
        }
        if object["type"] == "Note" && object["inReplyTo"].is_string() && object["name"].is_string() {
            return Err("a reply with a name is a vote".into());
        }
    }
    Ok(())
}

fn host(uri: &str) -> Option<String> {
    let url = url::Url::parse(uri).ok()?;
    Some(format!("{}:{:?}", url.host_str()?, url.port()))
}

/// An actor, with the loop that Mastodon goes: actor, WebFinger of its handle, back to the actor.
async fn look_up(mia: &Mia, uri: &str) -> Result<Value, String> {
    if let Some(known) = mia.0.state.lock().unwrap().actors.get(uri) {
        return Ok(known.clone());
    }
    let document = mia.fetch(uri).await?;
    if document["id"] != uri {
        return Err(format!("{uri} says that it is {}", document["id"]));
    }
    let parsed = url::Url::parse(uri).map_err(|e| e.to_string())?;
    let name = document["preferredUsername"].as_str().ok_or("no preferredUsername")?;
    let at = format!("{}:{}", parsed.host_str().unwrap(), parsed.port().unwrap_or(80));
    let finger = mia.finger(name, &at).await?;
    if finger != uri {
        return Err(format!("@{name}@{at} is {finger}, not {uri}"));
    }
    let url = document["url"].as_str().unwrap_or_default();
    if host(url) != host(uri) {
        return Err("url on another host".into());
    }
    mia.0.state.lock().unwrap().actors.insert(uri.to_owned(), document.clone());
    Ok(document)
}

async fn act_on(mia: &Mia, activity: &Value) -> Result<(), String> {
    let object = &activity["object"];
    match activity["type"].as_str().unwrap_or_default() {
        "Announce" => {
            let Some(id) = object.as_str().or(object["id"].as_str()) else { return Err("Announce of nothing".into()) };
            let mut post = mia.fetch(id).await?;
            if post["type"] == "Create" {
                let inner = post["object"]["id"].as_str().or(post["object"].as_str()).unwrap_or_default().to_owned();
                post = mia.fetch(&inner).await?;
            }
            keep_post(mia, post).await
        }
        "Create" => keep_post(mia, object.clone()).await,
        "Update" if object["type"] == "Note" || object["type"] == "Page" => {
            let known = mia.0.state.lock().unwrap().posts.contains_key(object["id"].as_str().unwrap_or_default());
            if known { keep_post(mia, object.clone()).await } else { Ok(()) }
        }
        "Update" => {
            let id = object["id"].as_str().unwrap_or_default();
            mia.0.state.lock().unwrap().actors.remove(id);
            Ok(())
        }
        "Delete" => {
            let id = object["id"].as_str().or(object.as_str()).unwrap_or_default();
            let mut memory = mia.0.state.lock().unwrap();
            let by_author = memory.posts.get(id).is_none_or(|post| post["attributedTo"] == activity["actor"]);
            if by_author {
                memory.posts.remove(id);
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

async fn keep_post(mia: &Mia, post: Value) -> Result<(), String> {
    if !matches!(post["type"].as_str(), Some("Note" | "Page" | "Article" | "Question")) {
        return Err(format!("{} is no post", post["type"]));
    }
    let author = post["attributedTo"].as_str().ok_or("attributedTo is not one id")?.to_owned();
    let by = look_up(mia, &author).await?;
    if by["type"] == "Group" {
        return Err("a Group cannot write".into());
    }
    let id = post["id"].as_str().ok_or("no id")?.to_owned();
    if host(&id) != host(&author) {
        return Err("post and author on different hosts".into());
    }
    let me = mia.uri();
    let to_me = ["to", "cc"].iter().any(|key| post[*key].as_array().is_some_and(|list| list.iter().any(|a| a == &me)));
    let public =
        ["to", "cc"].iter().any(|key| post[*key].as_array().is_some_and(|list| list.iter().any(|a| a == PUBLIC)));
    if !to_me && !public {
        return Err(format!("{id} is not for Mia"));
    }
    mia.0.state.lock().unwrap().posts.insert(id, post);
    Ok(())
}
