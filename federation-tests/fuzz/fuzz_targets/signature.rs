//! Can any header of a signed request make us stumble? The first line is the target, the last the body, all between are
//! headers.
#![no_main]

use hedgeschool::net::signature::{Incoming, Unverified, check_headers};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use libfuzzer_sys::fuzz_target;
use std::time::{Duration, SystemTime};

fuzz_target!(|bytes: &[u8]| {
    let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let body = lines.pop().unwrap_or_default();
    let mut headers = HeaderMap::new();
    let mut lines = lines.into_iter();
    let target = lines.next().and_then(|line| std::str::from_utf8(line).ok()).unwrap_or("/inbox");
    for line in lines.take(64) {
        let Some(at) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (HeaderName::from_bytes(&line[..at]), HeaderValue::from_bytes(line[at + 1..].trim_ascii()));
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_788_249_600);
    for method in [Method::POST, Method::GET] {
        drop(check_headers(&headers, &method));
        let incoming = Incoming { method: &method, target, headers: &headers, origin: "https://us.test" };
        if let Ok(read) = Unverified::read(incoming, body, now) {
            assert!(!read.key_id().is_empty());
            assert!(read.key_url().host_str().is_some());
        }
    }
});
