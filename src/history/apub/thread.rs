//! Which answers to posts of other servers did the home of a course miss? Those servers are asked (missing replies).

use super::walk::Trip;
use crate::app::App;
use crate::course;
use crate::discussion::{self, Post};
use crate::error::{Error, Result};
use crate::federation::{fetch, wire};
use crate::history;
use crate::id::PostId;
use crate::link::{host_of_uri, same_host};
use activitypub_federation::config::FederationConfig;
use std::collections::HashMap;
use std::time::Duration;

/// Posts that are asked about in one pull of a thread.
const POSTS: i64 = 20;
/// Of them, those on one host.
const OF_ONE_HOST: usize = 5;
/// New answers that one pull takes.
const NEW: usize = 50;

/// Asks the servers of the newest posts of a thread that live elsewhere for answers to them. Says after how long it is to be
/// done again, if at all.
pub async fn pull(config: &FederationConfig<App>, root: PostId) -> Result<Option<Duration>> {
    let mut trip = Trip::begin(config);
    let app = trip.app();
    let found = app
        .read(move |db| match discussion::get(db, root) {
            Ok(post) => Ok(Some((history::posts_elsewhere(db, root, POSTS)?, post))),
            Err(Error::NotFound) => Ok(None),
            Err(other) => Err(other),
        })
        .await?;
    let Some((posts, root)) = found else { return Ok(None) };
    let mut asked: HashMap<String, usize> = HashMap::new();
    let mut left = NEW;
    for post in &posts {
        let times = asked.entry(host_of_uri(&post.uri).unwrap_or_default()).or_default();
        *times += 1;
        if *times > OF_ONE_HOST || left == 0 || !trip.may_go_on() {
            continue;
        }
        match answers(&mut trip, post, &mut left).await {
            Ok(()) => {}
            Err(Error::Internal(error)) => return Err(Error::Internal(error)),
            Err(error) => {
                trip.note_failure();
                tracing::debug!(uri = post.uri, %error, "answers could not be asked for");
            }
        }
    }
    metrics::counter!("hedgeschool_pulls_total", "of" => "thread").increment(1);
    let id = root.id;
    let root = app
        .write(move |tx| {
            history::thread_pulled(tx, id)?;
            discussion::get(tx, id)
        })
        .await?;
    let now = app.now();
    Ok(history::next_thread_pull(&root, now).map(|at| at.since(now)))
}

/// Takes in the answers that a post's own server lists, of people who belong to the course.
async fn answers(trip: &mut Trip, post: &Post, left: &mut usize) -> Result<()> {
    let document = fetch::document(&trip.context(), &post.uri).await?;
    let Some(list) = wire::id(&document, "replies").filter(|list| same_host(list, &post.uri)) else { return Ok(()) };
    let app = trip.app();
    let course_id = post.course_id;
    let course = app.read(move |db| course::get(db, course_id)).await?;
    for item in trip.walk(list, |_| true).await?.items {
        let uri = wire::id_of(&item).unwrap_or_default().to_owned();
        let asked = uri.clone();
        if app.links().is_ours(&uri) || app.read(move |db| discussion::find_by_uri(db, &asked)).await?.is_some() {
            continue;
        }
        if *left == 0 || !trip.may_go_on() {
            return Ok(());
        }
        *left -= 1;
        match discussion::apub::pull(&trip.context(), &course, &uri).await {
            Err(error) if error.is_transient() => trip.note_failure(),
            _ => {}
        }
    }
    Ok(())
}
