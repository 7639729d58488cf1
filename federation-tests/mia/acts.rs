//! What does Mia do? She follows, replies, edits, deletes, likes and unfollows, in the JSON that Mastodon sends.

use super::Mia;
use crate::microblog::Seen;
use serde_json::{Value, json};
use url::Url;

/// Everyone.
pub const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";

impl Mia {
    /// The id behind a handle.
    pub async fn find(&self, handle: &str) -> String {
        let (name, host) = handle.trim_start_matches('@').split_once('@').unwrap();
        self.finger(name, host).await.unwrap()
    }

    /// Follows, as Mastodon does: signed, without `to`. Gives the Follow's id.
    pub async fn send_follow(&self, uri: &str) -> String {
        let id = self.new_id("follows");
        let follow = json!({"@context": "https://www.w3.org/ns/activitystreams", "id": id, "type": "Follow", "actor": self.uri(), "object": uri});
        self.deliver(&follow, &[uri]).await;
        id
    }

    /// Unfollows.
    pub(super) async fn send_undo(&self, uri: &str, follow: &str) {
        let undo = json!({
            "@context": "https://www.w3.org/ns/activitystreams", "id": format!("{follow}/undo"), "type": "Undo", "actor": self.uri(),
            "object": {"id": follow, "type": "Follow", "actor": self.uri(), "object": uri},
        });
        self.deliver(&undo, &[uri]).await;
    }

    /// Answers a post: the author and everyone mentioned there are mentioned again, as Mastodon's composer does.
    pub(super) async fn send_reply(&self, to: &Value, text: &str, seen: Seen) -> Value {
        let mut people = vec![to["attributedTo"].as_str().unwrap().to_owned()];
        for tag in to["tag"].as_array().unwrap_or(&Vec::new()) {
            let href = tag["href"].as_str().unwrap_or_default().to_owned();
            if tag["type"] == "Mention" && href != self.uri() && !people.contains(&href) {
                people.push(href);
            }
        }
        let published =
            jiff::Timestamp::try_from(self.0.clock.now()).unwrap().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let id = self.new_id("statuses");
        let (to_list, cc) = match seen {
            Seen::Directly => (people.clone(), vec![]),
            Seen::Publicly => {
                (vec![PUBLIC.to_owned()], [vec![format!("{}/followers", self.uri())], people.clone()].concat())
            }
        };
        let tags: Vec<Value> =
            people.iter().map(|uri| json!({"type": "Mention", "href": uri, "name": self.name_of(uri)})).collect();
        let note = json!({
            "id": id, "type": "Note", "summary": null, "inReplyTo": to["id"], "published": published,
            "url": id, "attributedTo": self.uri(), "to": to_list, "cc": cc, "sensitive": false,
            "content": self.paragraphs(&people, text), "contentMap": {"en": self.paragraphs(&people, text)},
            "attachment": [], "tag": tags,
        });
        self.0.state.lock().unwrap().own.insert(id.clone(), note.clone());
        self.send_note("Create", &note, &people).await;
        note
    }

    /// Changes the text of a post of hers.
    pub(super) async fn send_edit(&self, note: &Value, text: &str) -> Value {
        let people = self.mentioned(note);
        let mut note = note.clone();
        note["content"] = self.paragraphs(&people, text).into();
        note["contentMap"] = json!({"en": note["content"]});
        note["updated"] = jiff::Timestamp::try_from(self.0.clock.now()).unwrap().to_string().into();
        self.0.state.lock().unwrap().own.insert(note["id"].as_str().unwrap().into(), note.clone());
        self.send_note("Update", &note, &people).await;
        note
    }

    /// Deletes a post of hers.
    pub(super) async fn send_delete(&self, note: &Value) {
        let people = self.mentioned(note);
        let id = note["id"].as_str().unwrap();
        self.0.state.lock().unwrap().own.remove(id);
        let delete = json!({
            "@context": "https://www.w3.org/ns/activitystreams", "id": format!("{id}/delete"), "type": "Delete", "actor": self.uri(),
            "to": [PUBLIC], "object": {"id": id, "type": "Tombstone", "atomUri": id},
        });
        self.deliver(&delete, &people.iter().map(String::as_str).collect::<Vec<_>>()).await;
    }

    /// Marks a post as liked.
    pub(super) async fn send_like(&self, post: &Value) {
        let author = post["attributedTo"].as_str().unwrap();
        let like = json!({"@context": "https://www.w3.org/ns/activitystreams", "id": self.new_id("likes"), "type": "Like", "actor": self.uri(), "object": post["id"]});
        self.deliver(&like, &[author]).await;
    }

    /// Sends the same bytes of an activity once more, as servers do that missed the answer.
    pub async fn send_again(&self, activity: &Value, to: &[&str]) {
        self.deliver(activity, to).await;
    }

    /// The Create of a post, as it was sent.
    pub fn create_of(&self, note: &Value) -> Value {
        json!({
            "@context": ["https://www.w3.org/ns/activitystreams", {"sensitive": "as:sensitive"}],
            "id": format!("{}/activity", note["id"].as_str().unwrap()), "type": "Create", "actor": self.uri(),
            "published": note["published"], "to": note["to"], "cc": note["cc"], "object": note,
        })
    }

    async fn send_note(&self, kind: &str, note: &Value, people: &[String]) {
        let mut activity = self.create_of(note);
        if kind == "Update" {
            activity["type"] = "Update".into();
            activity["id"] = format!("{}#updates/{}", note["id"].as_str().unwrap(), self.count()).into();
        }
        self.deliver(&activity, &people.iter().map(String::as_str).collect::<Vec<_>>()).await;
    }

    fn mentioned(&self, note: &Value) -> Vec<String> {
        let tags = note["tag"].as_array().unwrap();
        tags.iter().map(|tag| tag["href"].as_str().unwrap().to_owned()).collect()
    }

    /// Text as Mastodon renders it: mentions as links, then paragraphs with line breaks.
    fn paragraphs(&self, people: &[String], text: &str) -> String {
        let mentions: String = people
            .iter()
            .map(|uri| {
                let name = self.name_of(uri);
                let short = name.trim_start_matches('@').split('@').next().unwrap_or_default().to_owned();
                format!("<span class=\"h-card\" translate=\"no\"><a href=\"{uri}\" class=\"u-url mention\">@<span>{short}</span></a></span> ")
            })
            .collect();
        let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let paragraphs: Vec<String> = escaped.split("\n\n").map(|p| p.replace('\n', "<br />")).collect();
        format!("<p>{mentions}{}</p>", paragraphs.join("</p><p>"))
    }

    fn name_of(&self, uri: &str) -> String {
        let memory = self.0.state.lock().unwrap();
        let host = Url::parse(uri).unwrap();
        let host = format!("{}:{}", host.host_str().unwrap(), host.port().unwrap_or(80));
        let name = memory.actors.get(uri).and_then(|actor| actor["preferredUsername"].as_str()).unwrap_or("somebody");
        format!("@{name}@{host}")
    }

    fn count(&self) -> u64 {
        let mut memory = self.0.state.lock().unwrap();
        memory.count += 1;
        memory.count
    }

    fn new_id(&self, what: &str) -> String {
        format!("{}/{what}/{}", self.uri(), 110_000_000 + self.count())
    }

    async fn deliver(&self, activity: &Value, to: &[&str]) {
        let body = activity.to_string();
        let mut inboxes = Vec::new();
        for uri in to {
            let actor = self.fetch(uri).await.unwrap();
            let inbox = actor["endpoints"]["sharedInbox"].as_str().or(actor["inbox"].as_str()).unwrap().to_owned();
            if !inboxes.contains(&inbox) {
                inboxes.push(inbox);
            }
        }
        for inbox in inboxes {
            let url = Url::parse(&inbox).unwrap();
            let key = format!("{}#main-key", self.uri());
            let mut request = self.0.client.post(url.clone()).body(body.clone());
            let now = self.0.clock.now();
            // Both ways of signing are in use elsewhere, so the story goes both ways.
            let headers = match activity["type"].as_str() {
                Some("Follow") => self.0.keys.sign_message(&url, &key, now, &body),
                _ => self.0.keys.sign(("post", &url), &key, now, Some(&body)),
            };
            for (name, value) in headers {
                request = request.header(name, value);
            }
            let answer = request.send().await.unwrap();
            let status = answer.status().as_u16();
            assert_eq!(status, 202, "{inbox} answered to {body}: {}", answer.text().await.unwrap_or_default());
        }
    }

    /// A document of another server, by a signed GET.
    pub async fn fetch(&self, uri: &str) -> Result<Value, String> {
        let url = Url::parse(uri).map_err(|e| e.to_string())?;
        let key = format!("{}#main-key", self.uri());
        let accept =
            "application/activity+json, application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"";
        let begin = std::time::Instant::now();
        // A server that is just away is asked again, as Mastodon's workers do.
        let answer = loop {
            let mut request = self.0.client.get(url.clone()).header("accept", accept);
            for (name, value) in self.0.keys.sign(("get", &url), &key, self.0.clock.now(), None) {
                request = request.header(name, value);
            }
            match request.send().await {
                Ok(answer) => break answer,
                Err(error) if begin.elapsed() > crate::server::PATIENCE => return Err(error.to_string()),
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
            }
        };
        let status = answer.status().as_u16();
        let kind = answer.headers().get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        let text = answer.text().await.map_err(|e| e.to_string())?;
        if status != 200 || kind != "application/activity+json" {
            return Err(format!("{uri} answered {status} {kind}"));
        }
        serde_json::from_str(&text).map_err(|e| e.to_string())
    }

    /// The `self` link of a handle.
    pub(super) async fn finger(&self, name: &str, host: &str) -> Result<String, String> {
        let address = format!("http://{host}/.well-known/webfinger?resource=acct:{name}@{host}");
        let answer = self.0.client.get(address).send().await.map_err(|e| e.to_string())?;
        let text = answer.text().await.map_err(|e| e.to_string())?;
        let document: Value = serde_json::from_str(&text).map_err(|e| format!("WebFinger of {name}@{host}: {e}"))?;
        if document["subject"] != format!("acct:{name}@{host}") {
            return Err(format!("WebFinger subject is {}", document["subject"]));
        }
        let links = document["links"].as_array().ok_or("no links")?;
        let link = links.iter().find(|link| link["rel"] == "self" && link["type"] == "application/activity+json");
        link.and_then(|link| link["href"].as_str()).map(str::to_owned).ok_or("no self link".into())
    }
}
