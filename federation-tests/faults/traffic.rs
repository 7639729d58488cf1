//! How do the learners' servers send? Signed, each activity until it is answered, and some of them twice.

use crate::ledger::Ledger;
use crate::place::Place;
use crate::school::{School, keys};
use hedgeschool::clock::Clock;
use hedgeschool::crypto::SigningKey;
use hedgeschool::net::signature::{Scheme, Signer, sign_post};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use url::Url;

static NEXT: AtomicUsize = AtomicUsize::new(0);

/// Everything that a sender needs to know of a school.
#[derive(Clone)]
pub struct Senders {
    learners: Vec<(String, String)>,
    assignment: String,
    ada: (String, String),
    inbox: Url,
    key: SigningKey,
}

impl Senders {
    pub fn new(place: &Place, school: &School) -> Self {
        Self {
            learners: school.learners.iter().map(|one| (one.uri.clone(), one.host.clone())).collect(),
            assignment: school.assignment.uri.clone(),
            ada: (school.ada.uri.clone(), school.ada.acct()),
            inbox: Url::parse(&place.config.links().shared_inbox()).unwrap(),
            key: SigningKey::from_pem(&keys().private_pem).unwrap(),
        }
    }

    /// The next answer to the assignment: by whom, its number and itself.
    pub fn next(&self) -> Value {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let (by, _) = &self.learners[n % self.learners.len()];
        let note = json!({
            "id": format!("{by}/statuses/{n}"), "type": "Note", "attributedTo": by,
            "inReplyTo": self.assignment, "published": Clock::System.now().rfc3339(),
            "to": [self.ada.0], "content": format!("<p>counted-{n}-</p>"),
            "tag": [{"type": "Mention", "href": self.ada.0, "name": self.ada.1}],
        });
        json!({
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": format!("{by}/statuses/{n}/activity"), "type": "Create", "actor": by,
            "published": Clock::System.now().rfc3339(), "to": [self.ada.0], "object": note,
        })
    }

    /// A request with this activity, signed by its actor at the machine's time, `ahead` of it.
    pub fn request(&self, activity: &Value, ahead: i64) -> Vec<u8> {
        let body = activity.to_string();
        let signer =
            Signer { key_id: format!("{}#main-key", activity["actor"].as_str().unwrap()), key: self.key.clone() };
        let now = hedgeschool::clock::Time(Clock::System.now().0 + ahead).system();
        let headers = sign_post(&signer, Scheme::Cavage, &self.inbox, body.as_bytes(), now).unwrap();
        let host = format!("{}:{}", self.inbox.host_str().unwrap(), self.inbox.port().unwrap());
        let mut text = format!("POST /inbox HTTP/1.1\r\nhost: {host}\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in &headers {
            if name != "host" {
                text += &format!("{name}: {}\r\n", value.to_str().unwrap());
            }
        }
        (text + "\r\n" + &body).into_bytes()
    }
}

/// The status, and whether the answer says when to come back; none when the connection broke.
pub async fn send(to: SocketAddr, request: &[u8]) -> Option<(u16, bool)> {
    let mut stream = TcpStream::connect(to).await.ok()?;
    stream.set_nodelay(true).ok();
    stream.write_all(request).await.ok()?;
    let mut answer = Vec::new();
    loop {
        if answer.windows(4).any(|window| window == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&answer).to_ascii_lowercase();
            return Some((text.get(9..12)?.parse().ok()?, text.contains("retry-after:")));
        }
        if stream.read_buf(&mut answer).await.ok()? == 0 {
            return None;
        }
    }
}

/// Servers that send all the time, until told to stop.
pub struct Traffic {
    stop: Arc<AtomicBool>,
    tasks: JoinSet<()>,
}

impl Traffic {
    /// So many servers at once, to these addresses in turn.
    pub fn begin(senders: &Senders, ledger: &Ledger, to: &[SocketAddr], servers: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        for n in 0..servers {
            let (senders, ledger, stop, to) = (senders.clone(), ledger.clone(), stop.clone(), to[n % to.len()]);
            tasks.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let activity = senders.next();
                    ledger.sending(&activity);
                    let answer = send(to, &senders.request(&activity, 0)).await;
                    ledger.answered(&activity, answer);
                    match answer {
                        // As if the answer had been lost on the way.
                        Some((202, _)) if NEXT.load(Ordering::Relaxed).is_multiple_of(7) => {
                            let again = send(to, &senders.request(&activity, 0)).await;
                            ledger.answered(&activity, again);
                        }
                        Some((202, _)) => {}
                        // While nobody listens each try is one more activity that has to be sent again afterwards.
                        None => tokio::time::sleep(Duration::from_millis(50)).await,
                        Some(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                    }
                }
            });
        }
        Self { stop, tasks }
    }

    pub async fn end(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
    }
}

/// Sends so many, all at once over a few connections.
pub async fn some(senders: &Senders, ledger: &Ledger, to: SocketAddr, count: usize) {
    for _ in 0..count {
        let activity = senders.next();
        ledger.sending(&activity);
        ledger.answered(&activity, send(to, &senders.request(&activity, 0)).await);
    }
}

/// Sends again whatever was not acknowledged, as servers do, until all is.
pub async fn send_again(senders: &Senders, ledger: &Ledger, to: SocketAddr, ahead: i64) {
    let begin = std::time::Instant::now();
    loop {
        let open = ledger.unacknowledged();
        if open.is_empty() {
            return;
        }
        assert!(begin.elapsed() < crate::place::PATIENCE, "{} are never taken: {:?}", open.len(), ledger.answers());
        for activity in open {
            ledger.answered(&activity, send(to, &senders.request(&activity, ahead)).await);
        }
    }
}
