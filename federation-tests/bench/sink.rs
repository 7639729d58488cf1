//! Who takes in deliveries to a thousand hosts? One listener for all of 127.0.0.0/8, where each address is a host.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Deliveries as they came in.
#[derive(Clone)]
pub struct Sink {
    port: u16,
    arrivals: Arc<Mutex<BTreeMap<IpAddr, Vec<Instant>>>>,
    /// Every how many-th host is slow, and how slow.
    slowness: Arc<Mutex<(u32, Duration)>>,
}

impl Sink {
    /// Listens; every host answers at once.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await.unwrap();
        let sink =
            Self { port: listener.local_addr().unwrap().port(), arrivals: Arc::default(), slowness: Arc::default() };
        let this = sink.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let this = this.clone();
                tokio::spawn(async move { this.serve(stream).await });
            }
        });
        sink
    }

    /// Host number `n` (from 0), with port.
    pub fn host(&self, n: u32) -> SocketAddr {
        let n = n + 1;
        SocketAddr::from((Ipv4Addr::new(127, 1, (n / 250) as u8, (n % 250) as u8 + 1), self.port))
    }

    /// From now on hosts whose number is a multiple of `every` answer after `delay`.
    pub fn slow_down(&self, every: u32, delay: Duration) {
        *self.slowness.lock().unwrap() = (every, delay);
    }

    /// Whether this host is slow when every so many-th is.
    pub fn is_slow(&self, host: IpAddr, every: u32) -> bool {
        let IpAddr::V4(v4) = host else { return false };
        let [_, _, high, low] = v4.octets();
        (u32::from(high) * 250 + u32::from(low)).wrapping_sub(2).is_multiple_of(every)
    }

    /// When each host got its first delivery.
    pub fn firsts(&self) -> BTreeMap<IpAddr, Instant> {
        self.arrivals.lock().unwrap().iter().map(|(host, times)| (*host, times[0])).collect()
    }

    /// Forgets what came so far.
    pub fn forget(&self) {
        self.arrivals.lock().unwrap().clear();
    }

    async fn serve(&self, mut stream: TcpStream) {
        let local = stream.local_addr().unwrap().ip();
        let mut buffer = Vec::with_capacity(16 * 1024);
        loop {
            buffer.clear();
            loop {
                if stream.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
                    return;
                }
                if is_whole(&buffer) {
                    break;
                }
            }
            let (every, delay) = *self.slowness.lock().unwrap();
            if !delay.is_zero() && self.is_slow(local, every) {
                tokio::time::sleep(delay).await;
            }
            self.arrivals.lock().unwrap().entry(local).or_default().push(Instant::now());
            if stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").await.is_err() {
                return;
            }
        }
    }
}

fn is_whole(request: &[u8]) -> bool {
    let Some(head) = request.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let header = String::from_utf8_lossy(&request[..head]).to_ascii_lowercase();
    let length = header.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
    request.len() >= head + 4 + length.map_or(0, |l| l.trim().parse().unwrap())
}
