//! How is a server put under load by as little as possible? By requests made before the clock starts, written to a few
//! keep-alive connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a run came to.
pub struct Outcome {
    /// From the first request to the last answer.
    pub took: Duration,
    /// How long each answer took, sorted.
    pub latencies: Vec<Duration>,
    /// Answers with another status than was expected.
    pub unexpected: usize,
}

impl Outcome {
    /// Answers a second.
    pub fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }

    /// The latency below which 99 of 100 answers stay, in milliseconds.
    pub fn p99(&self) -> f64 {
        let at = (self.latencies.len() * 99 / 100).min(self.latencies.len().saturating_sub(1));
        self.latencies.get(at).map_or(0.0, |latency| latency.as_secs_f64() * 1000.0)
    }
}

/// How hard to press.
#[derive(Clone, Copy)]
pub struct Pressure {
    /// Connections open at the same time.
    pub connections: usize,
    /// Requests a second over all connections; none means as many as go.
    pub rate: Option<f64>,
    /// The status that counts as success.
    pub status: u16,
}

/// Sends each request once.
pub async fn run(address: &str, requests: Arc<Vec<Vec<u8>>>, pressure: Pressure) -> Outcome {
    let next = Arc::new(AtomicUsize::new(0));
    let begin = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..pressure.connections {
        let (address, requests, next) = (address.to_owned(), requests.clone(), next.clone());
        tasks.push(tokio::spawn(async move { connection(&address, &requests, &next, (begin, pressure)).await }));
    }
    let (mut latencies, mut unexpected) = (Vec::new(), 0);
    for task in tasks {
        let (times, wrong) = task.await.unwrap();
        latencies.extend(times);
        unexpected += wrong;
    }
    latencies.sort();
    Outcome { took: begin.elapsed(), latencies, unexpected }
}

async fn connection(
    address: &str,
    requests: &[Vec<u8>],
    next: &AtomicUsize,
    (begin, pressure): (Instant, Pressure),
) -> (Vec<Duration>, usize) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut times, mut wrong) = (Vec::new(), 0);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        let Some(request) = requests.get(at) else { return (times, wrong) };
        let due = pressure.rate.map(|rate| begin + Duration::from_secs_f64(at as f64 / rate));
        if let Some(due) = due {
            tokio::time::sleep_until(due.into()).await;
        }
        // Counted from when it was due, so that a server that stalls does not slow the clock down as well.
        let sent = due.unwrap_or_else(Instant::now);
        stream.write_all(request).await.unwrap();
        let status = answer(&mut stream, &mut buffer).await;
        times.push(sent.elapsed());
        wrong += usize::from(status != pressure.status);
    }
}

/// Reads one answer with a known length or in chunks, and gives its status.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> u16 {
    let mut filled = 0;
    loop {
        if filled == buffer.len() {
            buffer.resize(buffer.len() * 2, 0);
        }
        let read = stream.read(&mut buffer[filled..]).await.unwrap();
        assert!(read > 0, "the server closed the connection");
        filled += read;
        let text = &buffer[..filled];
        let Some(head) = find(text, b"\r\n\r\n") else { continue };
        let status = std::str::from_utf8(&text[9..12]).unwrap().parse().unwrap();
        let header = String::from_utf8_lossy(&text[..head]).to_ascii_lowercase();
        let body = &text[head + 4..];
        let whole = if header.contains("transfer-encoding: chunked") {
            body.ends_with(b"0\r\n\r\n")
        } else {
            let length = header.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
            body.len() >= length.map_or(0, |l| l.trim().parse().unwrap())
        };
        if whole {
            return status;
        }
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}
