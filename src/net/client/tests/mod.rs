//! Does the client get what honest servers give, and survive what hostile ones do?

mod addresses;
mod answers;
mod library;

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime},
};

use async_trait::async_trait;
use axum::Router;
use bytes::Bytes;
use tokio::net::TcpListener;
use url::Url;

use super::*;
use crate::{
    crypto::{Keypair, SigningKey},
    net::signature::Signer,
};

/// A name server under the test's control: a list of answers for each name, the last one stays.
#[derive(Default)]
pub(crate) struct Names {
    answers: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    pub(crate) asked: Mutex<Vec<String>>,
}

impl Names {
    pub(crate) fn set(&self, host: &str, answers: &[&str]) {
        let answers =
            answers.iter().map(|set| set.split_whitespace().map(|ip| ip.parse().unwrap()).collect()).collect();
        self.answers.lock().unwrap().insert(host.to_owned(), answers);
    }

    fn count(&self, host: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == host).count()
    }
}

#[async_trait]
impl Lookup for Names {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.lock().unwrap().push(host.to_owned());
        let found = {
            let mut answers = self.answers.lock().unwrap();
            let answers = answers.get_mut(host).ok_or_else(|| io::Error::other("no such name"))?;
            match answers.len() {
                0 => None,
                1 => Some(answers[0].clone()),
                _ => Some(answers.remove(0)),
            }
        };
        match found {
            Some(found) => Ok(found),
            None => std::future::pending().await,
        }
    }
}

pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// A client that may reach loopback by the names in `names`, with short deadlines.
pub(crate) fn client(rules: Rules, names: &Arc<Names>) -> SafeClient {
    let short = Duration::from_millis(600);
    SafeClient::new(Settings {
        rules,
        lookup: Arc::clone(names) as Arc<dyn Lookup>,
        deadlines: Deadlines { lookup: short / 2, connect: short, total: short },
        ..Settings::new("https://us.test")
    })
    .unwrap()
}

pub(crate) fn development() -> Rules {
    Rules { allow_loopback_names: true, ..Rules::default() }
}

/// Serves `router` on a free port of loopback and returns where.
pub(crate) async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// A server, a client and names that lead from `good.test` to it.
async fn world(router: Router) -> (SafeClient, Arc<Names>, String) {
    let names = Arc::new(Names::default());
    names.set("good.test", &["127.0.0.1"]);
    let port = serve(router).await.port();
    (client(development(), &names), names, format!("http://good.test:{port}"))
}

/// Answers every connection with `head`, then with `piece` every `pause` for ever; counts connections.
async fn drip(head: &'static [u8], piece: Vec<u8>, pause: Duration) -> (SocketAddr, Arc<Mutex<usize>>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&connections);
    let piece = Arc::new(piece);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            *counted.lock().unwrap() += 1;
            let piece = Arc::clone(&piece);
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let mut sent = stream.write_all(head).await;
                while sent.is_ok() && !piece.is_empty() {
                    tokio::time::sleep(pause).await;
                    sent = stream.write_all(&piece).await;
                }
            });
        }
    });
    (address, connections)
}

fn signer() -> Signer {
    static PAIR: std::sync::OnceLock<Keypair> = std::sync::OnceLock::new();
    let pair = PAIR.get_or_init(|| Keypair::generate().unwrap());
    Signer { key_id: "https://us.test/actor#main-key".into(), key: SigningKey::from_pem(&pair.private_pem).unwrap() }
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

async fn get(client: &SafeClient, address: &str) -> Result<Answer, FetchError> {
    client.get(&url(address), "*/*", None, now()).await
}
