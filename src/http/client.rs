//! Which address does a request come from? The peer's, or what a trusted proxy says.

use axum::http::HeaderMap;
use std::net::{IpAddr, SocketAddr};

/// The address that limits and the log go by. In the extensions of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client(pub IpAddr);

impl Client {
    /// The part of the address that limits go by.
    pub fn network(&self) -> String {
        super::limit::network_of(&self.0.to_string())
    }
}

/// The other end of the connection. In the extensions of every request.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// Reads `X-Forwarded-For` from the right, as far as trusted proxies wrote it: what stands further left anyone can invent.
pub fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> Client {
    let mut client = peer.to_canonical();
    let lines: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|v| v.to_str().ok()).collect();
    let all = lines.join(",");
    for said in all.rsplit(',') {
        if !trusted.contains(&client) {
            break;
        }
        let Ok(before) = said.trim().parse::<IpAddr>() else { break };
        client = before.to_canonical();
    }
    Client(client)
}

/// Whether a trusted proxy passed this request on without saying for whom: then everybody seems to be the proxy.
pub fn is_unnamed(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> bool {
    trusted.contains(&peer.to_canonical()) && !headers.contains_key("x-forwarded-for")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn seen(peer: &str, forwarded: &[&'static str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_static(line));
        }
        let trusted = ["127.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];
        client(peer.parse().unwrap(), &headers, &trusted).0.to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(seen("203.0.113.5", &["198.51.100.1"]), "203.0.113.5");
        assert_eq!(seen("127.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(seen("127.0.0.1", &["6.6.6.6, 198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(seen("127.0.0.1", &["6.6.6.6", "198.51.100.1"]), "198.51.100.1");
        assert_eq!(seen("127.0.0.1", &["nonsense"]), "127.0.0.1");
        assert_eq!(seen("::ffff:127.0.0.1", &["2001:db8::1"]), "2001:db8::1");
    }
}
