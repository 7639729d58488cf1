//! How are connections taken, bounded and ended?
//!
//! Not `axum::serve`: that sets no timer, so a client that sends one byte now and then would hold a connection for ever.

use super::client::Peer;
use crate::measure;
use crate::stop::Stop;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt;

/// After an error of `accept`, such as too many open files, so that it does not spin.
const PAUSE: Duration = Duration::from_millis(100);

/// What bounds the connections of one listener.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Open at once; more wait in the operating system.
    pub connections: usize,
    /// How long requests may take to end once the listener is to stop.
    pub drain: Duration,
    /// How long a client may take for the head of a request, and be idle between two.
    pub head: Duration,
}

/// Takes connections until asked to stop, then lets requests that have begun finish. Says whether all did.
pub async fn serve(listener: TcpListener, router: Router, bounds: Bounds, stop: Stop) -> bool {
    let seats = Arc::new(Semaphore::new(bounds.connections));
    loop {
        if seats.available_permits() == 0 {
            measure::connections_full();
        }
        let seat = seats.clone().acquire_owned();
        let (seat, accepted) = tokio::select! {
            () = stop.asked() => break,
            taken = async { (seat.await, listener.accept().await) } => taken,
        };
        match (seat, accepted) {
            (Ok(seat), Ok((stream, peer))) => {
                let service = (router.clone(), bounds.head);
                tokio::spawn(connection((stream, peer), service, stop.clone(), seat));
            }
            (_, Err(error)) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(PAUSE).await;
            }
            (Err(_), _) => break,
        }
    }
    // New connections are refused at once, so that a proxy turns to another process.
    drop(listener);
    let seats_in_all = u32::try_from(bounds.connections).unwrap_or(u32::MAX);
    tokio::time::timeout(bounds.drain, seats.acquire_many(seats_in_all)).await.is_ok()
}

async fn connection(
    (stream, peer): (TcpStream, SocketAddr),
    (router, head): (Router, Duration),
    stop: Stop,
    seat: OwnedSemaphorePermit,
) {
    drop(stream.set_nodelay(true));
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        router.clone().oneshot(request)
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .serve_connection(TokioIo::new(stream), service);
    let mut serving = std::pin::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.asked() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        if error.is_timeout() {
            metrics::counter!("hedgeschool_slow_requests_total", "part" => "head").increment(1);
        }
        tracing::debug!(%error, %peer, "connection ended");
    }
    drop(seat);
}
