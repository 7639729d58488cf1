//! Which addresses of other servers may we talk to?
//!
//! Two gates: [`check_url`] for what stands in a document, before anything is looked up, and
//! [`Rules::may_connect`] for every address that a name resolves to, at the moment of connecting.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Longest address that is followed, in bytes.
const MAX_URL_BYTES: usize = 2048;

/// Endings under which no public server lives.
const PRIVATE_ENDINGS: [&str; 10] =
    ["localhost", "local", "localdomain", "internal", "intranet", "private", "lan", "home", "corp", "arpa"];

/// What is allowed beyond public servers on https. The default allows nothing more.
///
/// Both fields are for development and tests; the configuration accepts them only while the server
/// itself listens on loopback.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Loopback may be reached, also by `http`, with ports and by literal address, under the names
    /// `localhost`, `*.localhost` and `*.test`; and any name may resolve to loopback.
    pub allow_loopback_names: bool,
    /// Names that may resolve to loopback, while all else stays as in production: https, no port.
    pub loopback_names: Vec<String>,
}

impl Rules {
    /// Whether a connection for `host` may go to `ip`: public addresses always, loopback only where
    /// these rules say so, other private networks never (NET-01).
    pub fn may_connect(&self, host: &str, ip: IpAddr) -> bool {
        is_public(ip)
            || (ip.is_loopback()
                && (self.allow_loopback_names
                    || self.loopback_names.iter().any(|name| name.eq_ignore_ascii_case(host))))
    }

    /// Whether `http` and ports are allowed for this host: only towards the machine itself.
    fn is_development_host(&self, host: &Host<&str>) -> bool {
        self.allow_loopback_names
            && match host {
                Host::Ipv4(ip) => ip.is_loopback(),
                Host::Ipv6(ip) => ip.is_loopback(),
                Host::Domain(name) => {
                    matches!(ending(name), "localhost" | "test")
                        || self.loopback_names.iter().any(|n| n.eq_ignore_ascii_case(name))
                }
            }
    }
}

/// Why an address is not followed. Final: trying again later changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlRefused {
    /// Not https.
    #[error("only https addresses are followed")]
    Scheme,
    /// A name or password in the address.
    #[error("the address carries credentials")]
    Userinfo,
    /// No host at all.
    #[error("the address has no host")]
    NoHost,
    /// An IP address instead of a name.
    #[error("the host is an IP address")]
    Literal,
    /// A port other than https's own.
    #[error("the address names a port")]
    Port,
    /// A name that no public server can have.
    #[error("the host is not a public name")]
    PrivateName,
    /// Longer than any honest one.
    #[error("the address is too long")]
    TooLong,
}

/// Whether `url` may be asked at all: https on its own port, a public name of at least two labels
/// without a dot at the end, no credentials, no IP address in any spelling.
///
/// `Url` has normalised the host before: `127.1`, `0x7f.1`, `2130706433` and full-width digits are
/// IP addresses here, `US.TEST` is lower case, and `:443` is gone.
///
/// # Errors
/// The first rule that is broken.
pub fn check_url(url: &Url, rules: &Rules) -> Result<(), UrlRefused> {
    let host = url.host().ok_or(UrlRefused::NoHost)?;
    let development = rules.is_development_host(&host);
    match url.scheme() {
        "https" => {}
        "http" if development => {}
        _ => return Err(UrlRefused::Scheme),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlRefused::Userinfo);
    }
    if url.as_str().len() > MAX_URL_BYTES {
        return Err(UrlRefused::TooLong);
    }
    if development {
        return Ok(());
    }
    let Host::Domain(name) = host else {
        return Err(UrlRefused::Literal);
    };
    if url.port().is_some() {
        return Err(UrlRefused::Port);
    }
    check_name(name)
}

fn check_name(name: &str) -> Result<(), UrlRefused> {
    let labels_sound = name.split('.').all(|label| {
        (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    });
    let sound = labels_sound && name.len() <= 253 && name.contains('.') && !PRIVATE_ENDINGS.contains(&ending(name));
    sound.then_some(()).ok_or(UrlRefused::PrivateName)
}

fn ending(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// Whether `ip` belongs to a host on the public internet, by the IANA special-purpose registries.
///
/// An address that carries another one inside (mapped, NAT64) is judged by the one it carries;
/// tunnels that could lead anywhere (6to4, Teredo) are not public.
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127, ..)              // this network, private, loopback
            | (100, 64..=127, _)        // shared by carriers (RFC 6598)
            | (169, 254, _)             // link local, cloud metadata
            | (172, 16..=31, _)         // private
            | (192, 0, 0)               // protocol assignments (RFC 6890)
            | (192, 0, 2)               // documentation
            | (192, 31, 196)            // AS112
            | (192, 52, 193)            // automatic multicast tunnels
            | (192, 88, 99)             // 6to4 relays
            | (192, 168, _)             // private
            | (192, 175, 48)            // AS112
            | (198, 18..=19, _)         // benchmarks
            | (198, 51, 100)            // documentation
            | (203, 0, 113)             // documentation
            | (224..=255, ..) // multicast, reserved, broadcast
    )
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = ip.segments();
    let inner = || {
        let [[w, x], [y, z]] = [g.to_be_bytes(), h.to_be_bytes()];
        is_public_v4(Ipv4Addr::new(w, x, y, z))
    };
    match (a, b, c, d, e, f) {
        // ::ffff:0:0/96, an IPv4 address in other clothes.
        (0, 0, 0, 0, 0, 0xffff) => inner(),
        // 64:ff9b::/96, what NAT64 makes of a public IPv4 host.
        (0x64, 0xff9b, 0, 0, 0, 0) => inner(),
        // 2001::/23 holds Teredo, benchmarks, ORCHID and the like.
        (0x2001, 0..=0x1ff, ..) => false,
        // 2001:db8::/32 and 3fff::/20 are for documentation, 2002::/16 is 6to4, 2620:4f:8000::/48 AS112.
        (0x2001, 0xdb8, ..) | (0x3fff, 0..=0x0fff, ..) | (0x2002, ..) => false,
        (0x2620, 0x4f, 0x8000, ..) => false,
        // Only 2000::/3 is handed out; this leaves out ::/96, ULA, link local, multicast and the rest.
        (0x2000..=0x3fff, ..) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRIVATE: &str = "0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.254 \
        127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.171 \
        192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 \
        224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 \
        :: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:7f00:1 \
        fc00::1 fd12:3456::1 fe80::1 fec0::1 ff02::1 ff0e::1 64:ff9b::7f00:1 64:ff9b::10.0.0.1 \
        64:ff9b:1::1 64:ff9b:1::8.8.8.8 100::1 2001::1 2001:0:4136:e378::1 2001:2::1 2001:10::1 \
        2001:20::1 2001:db8::1 2002:7f00:1:: 2002:808:808::1 3fff::1 3fff:fff::1 5f00::1 2620:4f:8000::1 \
        4000::1";
    const PUBLIC: &str = "1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 \
        126.255.255.255 128.0.0.1 169.253.0.1 169.255.0.1 172.15.0.1 172.32.0.1 192.0.1.1 192.0.3.1 \
        192.167.0.1 192.169.0.1 198.17.0.1 198.20.0.1 203.0.112.1 203.0.114.1 223.255.255.255 \
        2606:4700::1111 2a00:1450::1 2001:4860:4860::8888 2001:200::1 2003::1 3ffe::1 \
        ::ffff:8.8.8.8 64:ff9b::8.8.8.8";

    #[test]
    fn net_01_every_address_is_told_public_or_not() {
        for (list, public) in [(PRIVATE, false), (PUBLIC, true)] {
            for text in list.split_whitespace() {
                assert_eq!(is_public(text.parse().unwrap()), public, "{text}");
            }
        }
    }

    fn check(url: &str, rules: &Rules) -> Result<(), UrlRefused> {
        check_url(&Url::parse(url).unwrap(), rules)
    }

    #[test]
    fn production_follows_https_to_public_names_only() {
        let rules = Rules::default();
        for good in ["https://good.test/a?b#c", "https://sub.good.test:443", "https://bücher.example/"] {
            assert_eq!(check(good, &rules), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("http://good.test/", UrlRefused::Scheme),
            ("ftp://good.test/", UrlRefused::Scheme),
            ("file:///etc/passwd", UrlRefused::NoHost),
            ("data:text/plain,x", UrlRefused::NoHost),
            ("javascript:alert(1)", UrlRefused::NoHost),
            ("https://us.test@evil.test/", UrlRefused::Userinfo),
            ("https://:x@evil.test/", UrlRefused::Userinfo),
            ("https://good.test:8443/", UrlRefused::Port),
            ("https://good.test:80/", UrlRefused::Port),
            ("https://127.0.0.1/", UrlRefused::Literal),
            ("https://127.1/", UrlRefused::Literal),
            ("https://2130706433/", UrlRefused::Literal),
            ("https://0x7f.1/", UrlRefused::Literal),
            ("https://0177.0.0.1/", UrlRefused::Literal),
            ("https://１２７.0.0.1/", UrlRefused::Literal),
            ("https://8.8.8.8/", UrlRefused::Literal),
            ("https://[::1]/", UrlRefused::Literal),
            ("https://[::ffff:7f00:1]/", UrlRefused::Literal),
            ("https://localhost/", UrlRefused::PrivateName),
            ("https://LOCALHOST/", UrlRefused::PrivateName),
            ("https://localhost./", UrlRefused::PrivateName),
            ("https://good.test./", UrlRefused::PrivateName),
            ("https://a.localhost/", UrlRefused::PrivateName),
            ("https://printer.local/", UrlRefused::PrivateName),
            ("https://metadata.google.internal/", UrlRefused::PrivateName),
            ("https://router/", UrlRefused::PrivateName),
            ("https://a..test/", UrlRefused::PrivateName),
        ] {
            assert_eq!(check(bad, &rules), Err(why), "{bad}");
        }
        let long = format!("https://good.test/{}", "a".repeat(MAX_URL_BYTES));
        assert_eq!(check(&long, &rules), Err(UrlRefused::TooLong));
    }

    #[test]
    fn development_opens_the_machine_itself_and_nothing_else() {
        let rules = Rules { allow_loopback_names: true, ..Rules::default() };
        for good in [
            "http://localhost:8080/",
            "http://north.localhost:1/",
            "http://127.0.0.1:8080/",
            "http://[::1]:8080/",
            "http://evil.test:99/",
            "https://good.example/",
        ] {
            assert_eq!(check(good, &rules), Ok(()), "{good}");
        }
        for bad in [
            "http://good.example/",
            "https://good.example:444/",
            "http://10.0.0.1/",
            "http://[fc00::1]/",
            "http://169.254.169.254/",
            "http://a@localhost/",
            "ftp://localhost/",
        ] {
            assert!(check(bad, &rules).is_err(), "{bad}");
        }
        let loopback = IpAddr::from([127, 0, 0, 1]);
        assert!(rules.may_connect("anything.test", loopback));
        assert!(!rules.may_connect("anything.test", IpAddr::from([10, 0, 0, 1])));
        assert!(!Rules::default().may_connect("localhost", loopback));
    }

    #[test]
    fn named_loopback_hosts_keep_the_rules_of_production() {
        let rules = Rules { loopback_names: vec!["north.test".into()], ..Rules::default() };
        assert_eq!(check("https://north.test/", &rules), Ok(()));
        assert_eq!(check("http://north.test/", &rules), Err(UrlRefused::Scheme));
        assert_eq!(check("https://north.test:8443/", &rules), Err(UrlRefused::Port));
        assert_eq!(check("https://localhost/", &rules), Err(UrlRefused::PrivateName));
        let loopback = IpAddr::from([127, 0, 0, 1]);
        assert!(rules.may_connect("North.test", loopback));
        assert!(!rules.may_connect("south.test", loopback));
        assert!(!rules.may_connect("north.test", IpAddr::from([192, 168, 0, 1])));
        assert!(rules.may_connect("south.test", IpAddr::from([8, 8, 8, 8])));
    }
}
