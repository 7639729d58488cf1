//! What is the one spelling of a domain, and which domains cover a host? Pure.

use super::EVERY;
use url::Url;

/// The one spelling of a domain: lower case, punycode, no port, no dot at the end. Takes it as people type it, also as
/// an address, a handle's host or with `*.` before it. Nothing for what is no name with a dot.
pub fn canonical(text: &str) -> Option<String> {
    let text = text.trim();
    let bare = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
    let bare = bare.split(['/', '?', '#']).next().unwrap_or_default();
    let bare = bare.rsplit('@').next().unwrap_or_default();
    let bare = bare.strip_prefix("*.").unwrap_or(bare);
    let url = Url::parse(&format!("https://{bare}/")).ok()?;
    let host = url.domain()?.trim_end_matches('.');
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let label = |label: &str| !label.is_empty() && label.len() <= 63 && label.chars().all(letter);
    let sound = host.contains('.') && host.len() <= 253 && host.split('.').all(label);
    sound.then(|| host.to_owned())
}

/// Which domains cover a host, most specific first: itself, what is above it, and last everything. A port is part of a
/// host only on a trial machine, and no rule knows it.
pub fn covering(host: &str) -> Vec<String> {
    let bare = host.split(':').next().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
    let mut names = vec![bare.clone()];
    let mut rest = bare.as_str();
    while let Some((_, above)) = rest.split_once('.') {
        names.push(above.to_owned());
        rest = above;
    }
    names.push(EVERY.to_owned());
    names
}

/// Whether a rule for this domain covers this host.
pub fn covers(domain: &str, host: &str) -> bool {
    covering(host).iter().any(|name| name == domain)
}

/// The part of a host that somebody pays for, near enough for counting: two labels, or three below such as `co.uk`.
pub fn registrable(host: &str) -> &str {
    let bare = host.split(':').next().unwrap_or_default();
    let dots: Vec<usize> = bare.rmatch_indices('.').map(|(at, _)| at).collect();
    let from = |number: usize| dots.get(number).map_or(bare, |at| bare.get(at + 1..).unwrap_or(bare));
    let two = from(1);
    let short = two.split_once('.').is_some_and(|(above, top)| top.len() == 2 && above.len() <= 3);
    if short { from(2) } else { two }
}

/// The name with its middle hidden, so that it can be recognised but not searched for.
pub fn obfuscated(domain: &str) -> String {
    let count = domain.chars().count();
    let shown = (count / 4).max(1);
    let hide = |(at, letter): (usize, char)| {
        let inside = at >= shown && at < count - shown;
        if inside && letter != '.' { '*' } else { letter }
    };
    domain.chars().enumerate().map(hide).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_has_one_spelling() {
        for text in
            ["evil.example", " EVIL.example. ", "https://evil.example/about?x", "@bob@evil.example", "*.evil.example"]
        {
            assert_eq!(canonical(text).as_deref(), Some("evil.example"), "{text}");
        }
        assert_eq!(canonical("bücher.example").as_deref(), Some("xn--bcher-kva.example"));
        assert_eq!(canonical("north.localhost:8081").as_deref(), Some("north.localhost"));
        for text in ["", "com", "ev*l.example", "a b.example", "127.0.0.1", "[::1]", "-", "a..b", "x.test\u{0}"] {
            assert_eq!(canonical(text), None, "{text}");
        }
        assert_eq!(canonical(&format!("{}.example", "a".repeat(64))), None);
    }

    #[test]
    fn a_rule_covers_what_is_below_it() {
        assert_eq!(covering("a.b.test:81"), ["a.b.test", "b.test", "test", "*"]);
        assert!(covers("b.test", "A.b.test") && covers("b.test", "b.test.") && covers("*", "x"));
        assert!(!covers("b.test", "ab.test") && !covers("a.b.test", "b.test"));
    }

    #[test]
    fn names_below_a_domain_count_as_one() {
        for (host, counted) in [
            ("a.b.evil.test:80", "evil.test"),
            ("evil.test", "evil.test"),
            ("x.evil.co.uk", "evil.co.uk"),
            ("x.evil.de", "evil.de"),
            ("localhost", "localhost"),
            ("", ""),
        ] {
            assert_eq!(registrable(host), counted, "{host}");
        }
    }

    #[test]
    fn a_name_can_be_shown_in_part() {
        assert_eq!(obfuscated("evil.example"), "evi*.****ple");
        assert_eq!(obfuscated("a.bc"), "a.*c");
    }
}
