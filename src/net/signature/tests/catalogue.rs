//! Are captured, forged and stale requests refused?

use super::*;

#[test]
fn sig_01_a_changed_body_is_refused() {
    let headers = Peer::post().headers();
    let mut body = BODY.to_vec();
    body[2] ^= 1;
    let refused = post_outcome(&headers, &body).unwrap_err();
    assert_eq!((refused, refused.status()), (SignatureError::DigestMismatch, StatusCode::UNAUTHORIZED));
    // Changing the digest along with the body breaks the signature instead.
    let mut forged = headers.clone();
    set(&mut forged, "digest", &digest_header(&body));
    assert_eq!(post_outcome(&forged, &body), Err(SignatureError::Wrong));
}

#[test]
fn sig_02_and_21_a_doubled_header_is_refused_before_it_is_read() {
    let forged = digest_header(b"forged");
    for (name, value) in [
        ("digest", forged.as_str()),
        ("host", "evil.test"),
        ("date", "Tue, 28 Mar 2023 21:03:44 GMT"),
        ("signature", "keyId=\"https://evil.test/k\""),
        ("content-type", "text/plain"),
    ] {
        let mut headers = headers(&[(name, value)]);
        headers.extend(Peer::post().headers().drain().filter_map(|(n, v)| Some((n?, v))));
        headers.append(name, HeaderValue::from_str(value).unwrap());
        let refused = post_outcome(&headers, b"forged").unwrap_err();
        assert_eq!(refused, SignatureError::Repeated(name));
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    }
    for name in ["content-length", "content-digest", "signature-input"] {
        let mut headers = Peer::post().headers();
        headers.append(name, HeaderValue::from_static("1"));
        let one = if name == "signature-input" { Err(SignatureError::Unsigned("content-digest")) } else { Ok(()) };
        assert_eq!(post_outcome(&headers, BODY), one, "one {name}");
        headers.append(name, HeaderValue::from_static("1"));
        assert_eq!(post_outcome(&headers, BODY), Err(SignatureError::Repeated(name)));
    }
}

#[test]
fn sig_05_to_08_what_is_not_covered_does_not_count() {
    for (covered, missing) in [
        ("(request-target) host date", "digest"),
        ("host date digest", "(request-target)"),
        ("(request-target) date digest", "host"),
        ("(request-target) host digest", "date"),
        ("digest", "(request-target)"),
        ("", "(request-target)"),
    ] {
        let refused = Peer { covered: covered.into(), ..Peer::post() }.outcome().unwrap_err();
        assert_eq!(refused, SignatureError::Uncovered(missing), "{covered}");
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    }
    let get = Peer { covered: "(request-target) date".into(), ..Peer::get() };
    assert_eq!(get.outcome(), Err(SignatureError::Uncovered("host")));
    let mut without = Peer { covered: "(request-target) host date".into(), ..Peer::post() }.headers();
    without.remove("digest");
    let refused = post_outcome(&without, BODY).unwrap_err();
    assert_eq!((refused, refused.status()), (SignatureError::Unsigned("digest"), StatusCode::UNAUTHORIZED));
    // Captured for one inbox, sent to another; signed for another host, sent to us.
    assert_eq!(
        outcome(&Method::POST, "/users/ada/inbox", &Peer::post().headers(), BODY, now()),
        Err(SignatureError::Wrong)
    );
    let mut moved = Peer { host: "evil.test", ..Peer::post() }.headers();
    set(&mut moved, "host", "us.test");
    assert_eq!(post_outcome(&moved, BODY), Err(SignatureError::Wrong));
}

#[test]
fn sig_08_a_fresh_date_does_not_revive_a_captured_signature() {
    let mut peer = Peer::post();
    peer.covered = "(request-target) (created) (expires) host digest".into();
    peer.algorithm = "hs2019";
    peer.created = Some(now() - 20 * HOUR);
    peer.expires = Some(now() + HOUR);
    peer.date = now();
    assert_eq!(peer.outcome(), Err(SignatureError::Stale));
    // Parameters that are not covered do not count either.
    let old = Peer { date: now() - 10 * HOUR, expires: Some(now() + HOUR), ..Peer::post() };
    assert_eq!(old.outcome(), Err(SignatureError::Stale));
}

#[test]
fn sig_09_the_window_is_an_hour_each_way_and_five_minutes() {
    let dated = |date: SystemTime| Peer { date, ..Peer::post() }.outcome();
    let five = Duration::from_secs(300);
    assert_eq!(dated(now() - five - HOUR - SECOND), Err(SignatureError::Stale));
    assert_eq!(dated(now() - five - HOUR + SECOND), Ok(()));
    assert_eq!(dated(now() + HOUR + SECOND), Err(SignatureError::Future));
    assert_eq!(dated(now() + HOUR), Ok(()));
    let lived = |age: Duration, life: Duration| {
        let created = now() - age;
        Peer {
            covered: "(request-target) (created) (expires) host date digest".into(),
            algorithm: "hs2019",
            date: created,
            created: Some(created),
            expires: Some(created + life),
            ..Peer::post()
        }
        .outcome()
    };
    assert_eq!(lived(13 * HOUR + SECOND, 24 * HOUR), Err(SignatureError::Stale));
    assert_eq!(lived(13 * HOUR, 24 * HOUR), Ok(()));
    assert_eq!(lived(HOUR + 10 * SECOND, 9 * SECOND), Err(SignatureError::Stale));
    assert_eq!(lived(HOUR, 10 * SECOND), Ok(()));
}
