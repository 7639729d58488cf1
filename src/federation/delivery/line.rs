//! How is one line worked on? In order, one after the other, until it is empty, fails or has had its time.

use super::fate::{self, Fate};
use super::record::{Note, Went};
use super::store::{Line, Waiting};
use super::{gone, keys};
use crate::app::App;
use crate::error::Error;
use crate::federation::peer::{self, LineState};
use crate::federation::synchronization;
use crate::id::ActorId;
use crate::net::client::{FetchError, Letter, PostAnswer, Schemes};
use crate::net::signature::Signer;
use activitypub_federation::config::FederationConfig;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::Instant;
use url::Url;

/// A line gives way to others after this time, well before its lease ends.
const TURN: Duration = Duration::from_secs(60);
/// A server that takes longer is slow: it waits where it holds up nobody.
const SLOW: Duration = Duration::from_millis(100);

/// What a line needs.
#[derive(Clone)]
pub(super) struct Road {
    pub(super) app: App,
    /// For fetching.
    pub(super) config: FederationConfig<App>,
    pub(super) notes: mpsc::Sender<Note>,
    /// Places for servers that let us wait.
    pub(super) slow: Arc<Semaphore>,
    /// Whether to begin nothing more.
    pub(super) stop: watch::Receiver<bool>,
}

/// Works on one line; `place` is given back when its server is slow.
pub(super) async fn work(road: Road, line: Line, place: OwnedSemaphorePermit) {
    let (mut place, mut patience) = (Some(place), None);
    let begun = Instant::now();
    let mut turn = Turn::new(&line);
    road.know(&line);
    for (waiting, is_stale) in plan(&road.app, &line) {
        if begun.elapsed() > TURN || *road.stop.borrow() {
            break;
        }
        if turn.passes_over(waiting) {
            continue;
        }
        if is_stale {
            road.note(Note::Dropped { id: waiting.id, reason: "too old after a long silence".into() }).await;
            continue;
        }
        let knows = turn.told.contains(&waiting.parcel.actor);
        let attempt = attempt(&road, (&line.host, knows), waiting, (&mut place, &mut patience)).await;
        peer::remember_schemes(&road.app).await;
        let fate = match &attempt {
            Ok(attempt) => fate::fate_of(attempt),
            Err(error) => fate::fate_of_ours(error),
        };
        tell(&line.host, &waiting.parcel.kind, &fate);
        if matches!(attempt, Ok(Ok(_))) && matches!(fate, Fate::Gone | Fate::Dropped(_)) {
            turn.went = turn.went.max(Went::Answered);
        }
        if !turn.take(&road, waiting, fate).await {
            break;
        }
    }
    turn.end(&road).await;
}

/// What came of a turn so far.
struct Turn<'a> {
    line: &'a Line,
    went: Went,
    /// Inboxes that are gone.
    closed: HashSet<&'a str>,
    /// Actors of whose new keys this server was just told; that is written down only later.
    told: HashSet<ActorId>,
    /// Things of which something did not get there: what follows about them waits (checklist 64).
    behind: HashSet<&'a str>,
    /// What the server choked on, and how often in a row.
    choked: Vec<(i64, String)>,
    in_a_row: usize,
    /// How it ended, other than well.
    end: Option<Note>,
}

impl<'a> Turn<'a> {
    fn new(line: &'a Line) -> Self {
        let (closed, told, behind) = (HashSet::new(), HashSet::new(), HashSet::new());
        Self { line, went: Went::Nowhere, closed, told, behind, choked: Vec::new(), in_a_row: 0, end: None }
    }

    fn passes_over(&self, waiting: &Waiting) -> bool {
        self.closed.contains(waiting.inbox.as_str()) || self.behind.contains(waiting.parcel.about.as_str())
    }

    /// Takes what became of a delivery. Says whether the turn goes on.
    async fn take(&mut self, road: &Road, waiting: &'a Waiting, fate: Fate) -> bool {
        let (id, host) = (waiting.id, || self.line.host.clone());
        match fate {
            Fate::Delivered => {
                (self.went, self.in_a_row) = (Went::Delivered, 0);
                self.told.extend(waiting.parcel.tells_of_keys.then_some(waiting.parcel.actor));
                road.note(Note::Delivered { id }).await;
            }
            Fate::Gone => {
                self.closed.insert(&waiting.inbox);
                match gone::ask(road, &waiting.inbox, waiting.parcel.actor).await {
                    Ok(asked) => road.note(Note::Gone { inbox: waiting.inbox.clone(), asked }).await,
                    Err(error) => {
                        tracing::warn!(%error, "who shares an inbox cannot be read");
                        self.end = Some(Note::NotNow { host: host() });
                        return false;
                    }
                }
            }
            Fate::Dropped(reason) => road.note(Note::Dropped { id, reason }).await,
            Fate::Held(reason) => {
                self.behind.insert(&waiting.parcel.about);
                road.note(Note::Held { id, reason }).await;
            }
            Fate::Choked(reason) => {
                self.behind.insert(&waiting.parcel.about);
                self.choked.push((id, reason));
                self.in_a_row += 1;
                // A dead server is asked for one thing a day.
                return self.in_a_row < fate::CHOKES && self.line.state != LineState::Unreachable;
            }
            Fate::Later(reason, asked) => {
                self.end = Some(Note::Badly { host: host(), id, reason, asked, alive: false });
                return false;
            }
            Fate::NotNow(_) => {
                self.end = Some(Note::NotNow { host: host() });
                return false;
            }
        }
        true
    }

    /// What a server chokes on while it takes others waits by itself; where it takes none, all of it waits.
    async fn end(self, road: &Road) {
        let host = self.line.host.clone();
        if self.went == Went::Delivered {
            for (id, reason) in self.choked {
                road.note(Note::Held { id, reason }).await;
            }
        } else if self.end.is_none()
            && let Some((id, reason)) = self.choked.into_iter().next()
        {
            return road.note(Note::Badly { host, id, reason, asked: None, alive: true }).await;
        }
        road.note(self.end.unwrap_or(Note::Well { host, went: self.went })).await;
    }
}

impl Road {
    /// How this server took our signatures before.
    fn know(&self, line: &Line) {
        if let Some(scheme) = line.scheme {
            self.app.net().client.schemes().keep(&line.host, scheme);
        }
    }

    async fn note(&self, note: Note) {
        // The recorder ends only after the last sender; should it be gone, the lease runs out and all is tried again.
        self.notes.send(note).await.ok();
    }
}

fn tell(host: &str, kind: &str, fate: &Fate) {
    let (result, reason) = match fate {
        Fate::Delivered => ("delivered", ""),
        Fate::Gone => ("gone", ""),
        Fate::Dropped(reason) => ("dropped", reason.as_str()),
        Fate::Choked(reason) | Fate::Later(reason, _) | Fate::Held(reason) | Fate::NotNow(reason) => {
            ("later", reason.as_str())
        }
    };
    metrics::counter!("hedgeschool_deliveries_total", "result" => result).increment(1);
    if reason.is_empty() {
        tracing::info!(host, kind, result, "delivery");
    } else {
        tracing::info!(host, kind, result, reason, "delivery");
    }
}

/// What is tried in which order, and what is too old for that. On a dead line one delivery goes first as a probe, so that
/// nothing is dropped before the server is there again: one that is worth sending where there is such a one.
fn plan<'a>(app: &App, line: &'a Line) -> Vec<(&'a Waiting, bool)> {
    if line.state != LineState::Unreachable {
        return line.waiting.iter().map(|waiting| (waiting, false)).collect();
    }
    let is_stale = |waiting: &Waiting| app.now().since(waiting.created_at) > waiting.parcel.lifetime();
    let mut plan: Vec<_> = line.waiting.iter().map(|waiting| (waiting, is_stale(waiting))).collect();
    let probe = plan.iter().position(|(_, stale)| !stale).or(plan.len().checked_sub(1));
    if let Some(at) = probe {
        let (waiting, _) = plan.remove(at);
        plan.insert(0, (waiting, false));
    }
    plan
}

type Places<'a> = (&'a mut Option<OwnedSemaphorePermit>, &'a mut Option<OwnedSemaphorePermit>);

/// One delivery. While keys change, it may take one more request, signed by the other key. The outer error is ours.
async fn attempt(
    road: &Road,
    host: (&str, bool),
    waiting: &Waiting,
    places: Places<'_>,
) -> Result<Result<PostAnswer, FetchError>, Error> {
    let app = &road.app;
    let keys = keys::in_order(app, host, &waiting.parcel).await?;
    let Ok(url) = Url::parse(&waiting.inbox) else { return Ok(Err(FetchError::Location)) };
    let letter = letter(app, waiting).await?;
    let answer = request(road, (&url, &letter, &keys.first), places).await;
    let Ok(PostAnswer { status, .. }) = answer else { return Ok(answer) };
    let second = if Schemes::may_help(status) {
        keys::another(app, &waiting.parcel, &keys.first, keys.second).await?
    } else {
        keys.second.filter(|_| keys.each && status.is_success())
    };
    let Some(second) = second else { return Ok(answer) };
    let again = app.net().client.post(&url, letter, &second, app.now().system()).await;
    Ok(if again.as_ref().is_ok_and(|answer| Schemes::may_help(answer.status)) { answer } else { again })
}

/// What is posted: with what a private course says to its followers, how many of them it counts there.
async fn letter(app: &App, waiting: &Waiting) -> Result<Letter, Error> {
    let Waiting { inbox, parcel, .. } = waiting;
    let synchronization = match parcel.public {
        true => None,
        false => synchronization::header_for(app, parcel.actor, &parcel.body, inbox).await?,
    };
    Ok(Letter { body: parcel.body.clone(), synchronization })
}

/// One request. After a while of waiting the place goes to another server.
async fn request(
    road: &Road,
    (url, letter, signer): (&Url, &Letter, &Signer),
    (place, patience): Places<'_>,
) -> Result<PostAnswer, FetchError> {
    let post = road.app.net().client.post(url, letter.clone(), signer, road.app.now().system());
    tokio::pin!(post);
    if place.is_some() {
        if let Ok(answer) = tokio::time::timeout(SLOW, &mut post).await {
            return answer;
        }
        if let Ok(permit) = Arc::clone(&road.slow).try_acquire_owned() {
            *patience = Some(permit);
            place.take();
        }
    }
    post.await
}
