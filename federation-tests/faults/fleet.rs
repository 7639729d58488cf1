//! Who takes in what goes out, and how does it behave? One listener for all of 127.0.0.0/8, where each address is a host.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How a host behaves.
#[derive(Clone, Debug, Default)]
pub enum Manner {
    /// Takes everything at once.
    #[default]
    Well,
    /// Takes everything after a while.
    Slow(Duration),
    /// Answers this, whole, and takes nothing.
    Says(&'static str),
    /// Answers this to activities of this type alone.
    SaysTo(&'static str, &'static str),
    /// Takes it, but answers like a web site.
    TakesAndSays(&'static str),
    /// Closes the connection in the middle.
    Resets,
    /// Refuses to be reached, as far as one can tell.
    Away,
}

/// What arrived.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// Which host.
    pub host: u32,
    /// The activity.
    pub activity: Value,
}

impl Receipt {
    pub fn id(&self) -> &str {
        self.activity["id"].as_str().unwrap()
    }

    /// What it is about, for telling the same thing under two ids: type, and what it answers or passes on.
    pub fn about(&self) -> Option<String> {
        let kind = self.activity["type"].as_str()?;
        let object = &self.activity["object"];
        let thing = object.as_str().or_else(|| object["inReplyTo"].as_str()).or_else(|| object["id"].as_str())?;
        Some(format!("{kind} {thing}"))
    }
}

/// All other servers.
#[derive(Clone)]
pub struct Fleet {
    port: u16,
    receipts: Arc<Mutex<Vec<Receipt>>>,
    refused: Arc<Mutex<BTreeMap<u32, usize>>>,
    manners: Arc<Mutex<BTreeMap<u32, Manner>>>,
    others: Arc<Mutex<BTreeSet<String>>>,
}

impl Fleet {
    /// Listens; every host is well.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let fleet = Self {
            port,
            receipts: Arc::default(),
            refused: Arc::default(),
            manners: Arc::default(),
            others: Arc::default(),
        };
        let this = fleet.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let this = this.clone();
                tokio::spawn(async move { this.serve(stream).await });
            }
        });
        fleet
    }

    /// Host number `n`, with port.
    pub fn host(&self, n: u32) -> SocketAddr {
        let n = n + 1;
        SocketAddr::from((Ipv4Addr::new(127, 1, (n / 250) as u8, (n % 250) as u8 + 1), self.port))
    }

    /// How host number `n` behaves from now on.
    pub fn behave(&self, n: u32, manner: Manner) {
        self.manners.lock().unwrap().insert(n, manner);
    }

    /// All that was taken in so far.
    pub fn receipts(&self) -> Vec<Receipt> {
        self.receipts.lock().unwrap().clone()
    }

    /// How many arrived at a host.
    pub fn arrived(&self, n: u32) -> usize {
        self.receipts.lock().unwrap().iter().filter(|receipt| receipt.host == n).count()
    }

    /// How often a host was asked and did not take it.
    pub fn refused(&self, n: u32) -> usize {
        self.refused.lock().unwrap().get(&n).copied().unwrap_or(0)
    }

    /// What was asked for besides deliveries to inboxes.
    pub fn others(&self) -> BTreeSet<String> {
        self.others.lock().unwrap().clone()
    }

    fn number(host: IpAddr) -> u32 {
        let IpAddr::V4(v4) = host else { return 0 };
        let [_, _, high, low] = v4.octets();
        (u32::from(high) * 250 + u32::from(low)).saturating_sub(2)
    }

    async fn serve(&self, mut stream: TcpStream) {
        let host = Self::number(stream.local_addr().unwrap().ip());
        let mut buffer = Vec::with_capacity(16 * 1024);
        loop {
            buffer.clear();
            let body = loop {
                if stream.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
                    return;
                }
                if let Some(body) = body_of(&buffer) {
                    break body;
                }
            };
            let Some(answer) = self.answer(host, &buffer, body).await else { return };
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    /// What the host says to a whole request; nothing when it hangs up.
    async fn answer(&self, host: u32, request: &[u8], body: usize) -> Option<String> {
        if !request.starts_with(b"POST ") {
            let line = String::from_utf8_lossy(request).lines().next().unwrap_or_default().to_owned();
            self.others.lock().unwrap().insert(line);
            return Some("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".into());
        }
        let activity: Value = serde_json::from_slice(&request[body..]).unwrap();
        let manner = self.manners.lock().unwrap().get(&host).cloned().unwrap_or_default();
        let taken = "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n";
        let answer = match manner {
            Manner::Well => Some(taken),
            Manner::Slow(time) => {
                tokio::time::sleep(time).await;
                Some(taken)
            }
            Manner::SaysTo(kind, _) if activity["type"] != kind => Some(taken),
            Manner::TakesAndSays(words) => Some(words),
            Manner::Says(words) | Manner::SaysTo(_, words) => {
                *self.refused.lock().unwrap().entry(host).or_default() += 1;
                return Some(words.into());
            }
            Manner::Resets | Manner::Away => {
                *self.refused.lock().unwrap().entry(host).or_default() += 1;
                return None;
            }
        };
        self.receipts.lock().unwrap().push(Receipt { host, activity });
        answer.map(str::to_owned)
    }
}

/// Where the body of a request begins, once all of it is there.
fn body_of(request: &[u8]) -> Option<usize> {
    let head = request.windows(4).position(|window| window == b"\r\n\r\n")?;
    let header = String::from_utf8_lossy(&request[..head]).to_ascii_lowercase();
    let length = header.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
    let length: usize = length.map_or(0, |l| l.trim().parse().unwrap());
    (request.len() >= head + 4 + length).then_some(head + 4)
}
