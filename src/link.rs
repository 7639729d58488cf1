//! Where is everything? Every path and every ActivityPub id of this instance, one function each.

use url::Url;

/// Makes the addresses of one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    base: String,
    host: String,
    is_https: bool,
}

impl Links {
    /// For an instance whose front page is at `base`. Path, query and fragment of `base` are ignored.
    pub fn new(base: &Url) -> Self {
        let host = host_of(base).unwrap_or_default();
        Self { base: format!("{}://{host}", base.scheme()), host, is_https: base.scheme() == "https" }
    }

    /// Host, with port where it is not the default one: what stands after the second @ of a handle.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The front page without its slash: `https://north.test`.
    pub fn origin(&self) -> &str {
        &self.base
    }

    /// Whether people reach the instance by https, so that cookies can insist on it.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// The absolute address of a path that begins with a slash.
    pub fn absolute(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Whether this id is ours, in whatever spelling (ORI-08).
    pub fn is_ours(&self, uri: &str) -> bool {
        let Ok(url) = Url::parse(uri) else { return false };
        host_of(&url).is_some_and(|host| host.trim_end_matches('.') == self.host)
    }

    /// The instance actor.
    pub fn instance(&self) -> String {
        self.absolute("/actor")
    }

    /// The inbox that all actors share.
    pub fn shared_inbox(&self) -> String {
        self.absolute("/inbox")
    }

    /// A person's or bot's actor id.
    pub fn person(&self, handle: &str) -> String {
        self.absolute(&format!("/u/{handle}"))
    }

    /// A course's actor id.
    pub fn course(&self, handle: &str) -> String {
        self.absolute(&format!("/c/{handle}"))
    }

    /// An object's id.
    pub fn object(&self, public_id: &str) -> String {
        self.absolute(&format!("/o/{public_id}"))
    }

    /// An activity's id.
    pub fn activity(&self, public_id: &str) -> String {
        self.absolute(&format!("/a/{public_id}"))
    }

    /// A file's address.
    pub fn media(&self, public_id: &str) -> String {
        self.absolute(&format!("/media/{public_id}"))
    }
}

/// Host of a web address, lower case, with port where it is not the scheme's default. Other schemes mean no server: what
/// comes after `file:` is not even the same when it is written out and read again.
pub fn host_of(url: &Url) -> Option<String> {
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// Host of an id, or nothing when it is no URL with a host.
pub fn host_of_uri(uri: &str) -> Option<String> {
    host_of(&Url::parse(uri).ok()?)
}

/// Whether two ids live on the same server: the unit of trust (FEP-fe34).
pub fn same_host(one: &str, other: &str) -> bool {
    host_of_uri(one).is_some_and(|host| Some(host) == host_of_uri(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    // ORI-08
    #[test]
    fn our_ids_are_ours_in_any_spelling() {
        let links = Links::new(&Url::parse("https://us.test/").unwrap());
        assert_eq!(links.course("rust"), "https://us.test/c/rust");
        for ours in [
            "https://us.test/c/rust",
            "https://US.test/x",
            "https://us.test:443/x",
            "https://us.test./x",
            "https://us%2etest/x",
        ] {
            assert!(links.is_ours(ours), "{ours}");
        }
        for foreign in
            ["https://us.test@evil.test/x", "https://us.test.evil.test/", "https://us.test:444/", "us.test", ""]
        {
            assert!(!links.is_ours(foreign), "{foreign}");
        }
    }

    // ORI-08; found by feeding `address` with anything: this names another host when it is written out and read again.
    #[test]
    fn only_web_addresses_have_a_host() {
        for other in ["file://b//b|", "ftp://us.test/x", "acct:ada@us.test", "data:text/plain,x"] {
            assert_eq!(host_of_uri(other), None, "{other}");
            assert!(!same_host(other, other), "{other}");
        }
        assert_eq!(host_of_uri("HTTPS://Us.Test:443/x").as_deref(), Some("us.test"));
    }

    #[test]
    fn a_port_belongs_to_the_host() {
        let links = Links::new(&Url::parse("http://127.0.0.1:8080").unwrap());
        assert_eq!(links.host(), "127.0.0.1:8080");
        assert!(!links.is_https());
        assert!(same_host("http://127.0.0.1:8080/a", "http://127.0.0.1:8080/b"));
        assert!(!same_host("http://127.0.0.1:8080/a", "http://127.0.0.1:8081/a"));
    }
}
