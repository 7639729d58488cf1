//! Are requests that cannot be read refused without harm?

use super::*;

#[test]
fn sig_10_times_no_clock_can_show_are_refused() {
    let good = Peer { algorithm: "hs2019", created: Some(now()), ..Peer::post() };
    let good = Peer { covered: "(request-target) (created) host digest".into(), ..good };
    assert_eq!(good.outcome(), Ok(()));
    let shown = good.headers()["signature"].to_str().unwrap().to_owned();
    for value in ["18446744073709551615", "99999999999999999999", "-1", "1e9", "", "253402300800"] {
        for quoted in [format!("created={value}"), format!("created=\"{value}\"")] {
            let mut headers = good.headers();
            set(&mut headers, "signature", &shown.replace("created=1800000000", &quoted));
            let refused = post_outcome(&headers, BODY).unwrap_err();
            assert!(matches!(refused, SignatureError::Time | SignatureError::Malformed), "{value}: {refused:?}");
            assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
        }
    }
    let mut headers = Peer::post().headers();
    set(&mut headers, "date", "yesterday");
    assert_eq!(post_outcome(&headers, BODY), Err(SignatureError::Time));
}

#[test]
fn sig_11_and_13_the_key_id_is_told_as_it_stood() {
    for key_id in [
        "https://gts.test/users/bob/main-key",
        "https://good.test/users/bob#main-key",
        "https://good.test/actor?id=1#k",
    ] {
        let peer = Peer { key_id, ..Peer::post() };
        let headers = peer.headers();
        let request = Incoming { method: &peer.method, target: TARGET, headers: &headers, origin: ORIGIN };
        let read = Unverified::read(request, BODY, now()).unwrap();
        assert_eq!((read.key_id(), read.key_url().as_str()), (key_id, key_id));
        assert_eq!(read.verify(&keys().verifying), Ok(()));
        let other = Keypair::generate().unwrap();
        let other = VerifyingKey::from_pem(&other.public_pem).unwrap();
        assert_eq!(read.verify(&other), Err(SignatureError::Wrong));
    }
    for key_id in ["acct:bob@good.test", "bob", "", "ftp://good.test/k", "data:,x", "https://"] {
        assert_eq!(Peer { key_id, ..Peer::post() }.outcome(), Err(SignatureError::KeyId), "{key_id}");
    }
}

/// Signature headers that are well formed or nearly so, and what is wrong with each.
fn spoiled_syntax(start: &str, rest: &str) -> Vec<(String, SignatureError)> {
    vec![
        (String::new(), SignatureError::Malformed),
        (format!("{start}{rest}"), SignatureError::Wrong),
        (format!("Signature {start}{rest}"), SignatureError::Malformed),
        (format!("{start}{start}{rest}"), SignatureError::Malformed),
        (format!("{start}{rest},"), SignatureError::Malformed),
        (format!("{start}{rest} x"), SignatureError::Malformed),
        (format!("{start}{}", rest.trim_end_matches('"')), SignatureError::Malformed),
        (format!("keyId=\"{KEY_ID},{rest}"), SignatureError::Malformed),
        (format!("keyId=\"{KEY_ID}\\\"\",{rest}"), SignatureError::Malformed),
        (format!("{start}algorithm=\"hmac-sha256\",{rest}"), SignatureError::Algorithm),
        (format!("{start}algorithm=\"rsa-sha1\",{rest}"), SignatureError::Algorithm),
    ]
}

/// The same for what the parameters say.
fn spoiled_values(start: &str, rest: &str, signature: &str) -> Vec<(String, SignatureError)> {
    vec![
        (format!("{start}{}", rest.replace(signature, "AAAA")), SignatureError::Malformed),
        (format!("{start}{}", rest.replace(signature, "%%%")), SignatureError::Malformed),
        (format!("{start}{}", rest.replace("host", "host host")), SignatureError::Malformed),
        (format!("{start}{}", rest.replace("host", "host x-absent")), SignatureError::CoversAbsent),
        (format!("{start}{}", rest.replace("host", "host \u{1}")), SignatureError::NotText("signature")),
        (format!("{start}{}", rest.replace("host", "host a:b")), SignatureError::Malformed),
        (format!("{start}{rest},{}", "x=1,".repeat(20)), SignatureError::Malformed),
        (format!("{start}{rest},x=\"{}\"", "y".repeat(64 * 1024)), SignatureError::Oversized("signature")),
    ]
}

#[test]
fn sig_21_malformed_headers_are_refused() {
    let signature = STANDARD.encode([7; 256]);
    let rest = format!("headers=\"(request-target) host date digest\",signature=\"{signature}\"");
    let start = format!("keyId=\"{KEY_ID}\",");
    let mut all = spoiled_syntax(&start, &rest);
    all.extend(spoiled_values(&start, &rest, &signature));
    for (header, expected) in all {
        let mut headers = Peer::post().headers();
        if let Ok(value) = HeaderValue::from_bytes(header.as_bytes()) {
            headers.insert("signature", value);
            assert_eq!(post_outcome(&headers, BODY), Err(expected), "{header}");
        }
    }
    let mut both = Peer::post().headers();
    set(&mut both, "authorization", "Signature keyId=\"x\"");
    assert_eq!(post_outcome(&both, BODY), Err(SignatureError::Authorization));
    let put = outcome(&Method::PUT, TARGET, &Peer::post().headers(), BODY, now());
    assert_eq!(put, Err(SignatureError::Method));
}

#[test]
fn the_digest_may_name_several_algorithms_if_one_is_sha_256() {
    let right = digest_header(BODY);
    let sha = right.trim_start_matches("SHA-256=");
    for (digest, expected) in [
        (format!("sha-256={sha}"), Ok(())),
        (format!("SHA-512=abc, Sha-256={sha}"), Ok(())),
        (format!("SHA-256={sha},SHA-256=AAAA"), Err(SignatureError::DigestMismatch)),
        ("SHA-256=AAAA".to_owned(), Err(SignatureError::DigestMismatch)),
        ("SHA-512=abc".to_owned(), Err(SignatureError::DigestAlgorithm)),
        (sha.trim_end_matches('=').to_owned(), Err(SignatureError::DigestAlgorithm)),
    ] {
        assert_eq!(Peer { digest: digest.clone(), ..Peer::post() }.outcome(), expected, "{digest}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]
    #[test]
    fn garbage_is_refused_without_panic(
        signature in "(keyId=|headers=|signature=|created=|expires=|algorithm=|\"|,|=|https://a[.]test/k|hs2019|\\(created\\)|\\(expires\\)|\\(request-target\\)|host| |date|digest|[0-9]{1,22}|[A-Za-z0-9+/]{344}|[ -~]){0,30}",
        date in "[ -~]{0,40}", digest in "[ -~]{0,60}", target in "[ -~]{0,20}",
    ) {
        let headers = headers(&[
            ("host", "us.test"), ("date", &date), ("digest", &digest),
            ("content-type", "x"), ("signature", &signature),
        ]);
        prop_assert!(outcome(&Method::POST, &target, &headers, BODY, now()).is_err());
    }
}
