//! Does any address that is let through lead where it must not?
#![no_main]

use hedgeschool::link::{Links, host_of, host_of_uri, same_host};
use hedgeschool::net::address::{Rules, check_url, is_public};
use libfuzzer_sys::fuzz_target;
use url::{Host, Url};

fuzz_target!(|text: &str| {
    let links = Links::new(&Url::parse("https://us.test").unwrap());
    let ours = links.is_ours(text);
    let Ok(url) = Url::parse(text) else { return };
    assert_eq!(host_of_uri(text), host_of(&url));
    assert!(same_host(text, url.as_str()) || host_of(&url).is_none(), "an address has its own host");
    if ours {
        assert_eq!(host_of(&url).as_deref(), Some("us.test"));
    }
    if check_url(&url, &Rules::default()).is_ok() {
        assert_eq!((url.scheme(), url.username(), url.password(), url.port()), ("https", "", None, None));
        match url.host() {
            Some(Host::Domain(name)) => assert!(name.contains('.') && !name.ends_with('.') && name != "localhost"),
            Some(Host::Ipv4(ip)) => assert!(is_public(ip.into())),
            Some(Host::Ipv6(ip)) => assert!(is_public(ip.into())),
            None => panic!("an address without host was let through"),
        }
        // Written out and read again it is still let through.
        assert!(check_url(&Url::parse(url.as_str()).unwrap(), &Rules::default()).is_ok());
    }
});
