//! Does the verifier hold against RFC 9421 what it holds against the draft?

use super::knock::{CREATED, FIRST_KNOCK, GET, Knock, PLAIN};
use super::*;

#[test]
fn checklist_12_the_requests_of_real_software_are_accepted() {
    let rsa = ";alg=\"rsa-v1_5-sha256\"";
    // Fedify's first knock, and Mastodon's.
    assert_eq!(Knock { more: rsa.into(), ..Knock::post(FIRST_KNOCK) }.outcome(), Ok(()));
    assert_eq!(Knock::post(PLAIN).outcome(), Ok(()));
    for covered in [
        GET,
        r#""@method" "@target-uri" "@authority" "host" "date""#,
        r#""@method" "@authority" "@path""#,
        r#""@method" "@authority" "@request-target""#,
    ] {
        assert_eq!(Knock::get(covered).outcome(), Ok(()), "{covered}");
    }
    let more = format!(";nonce=\"n\";tag=\"t\";expires={}{rsa}", CREATED + 60);
    let target = "/users/ada?page=1";
    for covered in [GET, r#""@path" "@query" "@method" "@authority""#] {
        let knock = Knock { target: target.into(), more: more.clone(), ..Knock::get(covered) };
        assert_eq!(knock.outcome(), Ok(()), "{covered}");
    }
}

#[test]
fn sig_01_a_changed_body_is_refused() {
    let headers = Knock::post(PLAIN).headers();
    let mut body = BODY.to_vec();
    body[2] ^= 1;
    assert_eq!(post_outcome(&headers, &body), Err(SignatureError::DigestMismatch));
    let mut forged = headers.clone();
    set(&mut forged, "content-digest", &content_digest_header(&body));
    assert_eq!(post_outcome(&forged, &body), Err(SignatureError::Wrong));
    // A Digest beside it must not tell another story.
    let mut split = headers.clone();
    set(&mut split, "digest", &digest_header(&body));
    assert_eq!(post_outcome(&split, BODY), Err(SignatureError::DigestMismatch));
    set(&mut split, "digest", &digest_header(BODY));
    assert_eq!(post_outcome(&split, BODY), Ok(()));
    let sha = content_digest_header(BODY);
    for (digest, expected) in [
        (format!("sha-512=:AAAA:, {sha}"), SignatureError::Wrong),
        ("sha-512=:AAAA:".into(), SignatureError::DigestAlgorithm),
        ("sha-256=:AAAA:".into(), SignatureError::DigestMismatch),
        (format!("{sha}, sha-256=:AAAA:"), SignatureError::DigestAlgorithm),
        (digest_header(BODY), SignatureError::DigestAlgorithm),
        (String::new(), SignatureError::DigestAlgorithm),
    ] {
        let mut headers = headers.clone();
        set(&mut headers, "content-digest", &digest);
        assert_eq!(post_outcome(&headers, BODY), Err(expected), "{digest}");
    }
}

#[test]
fn sig_02_and_21_a_doubled_header_is_refused() {
    for name in ["signature-input", "signature", "content-digest", "host", "date", "content-type"] {
        let mut headers = Knock::post(PLAIN).headers();
        let value = headers[name].clone();
        headers.append(name, value);
        assert_eq!(post_outcome(&headers, BODY), Err(SignatureError::Repeated(name)));
    }
    let mut headers = Knock::post(PLAIN).headers();
    set(&mut headers, "authorization", "Signature keyId=\"x\"");
    assert_eq!(post_outcome(&headers, BODY), Err(SignatureError::Authorization));
}

#[test]
fn sig_03_and_06_for_another_host_target_or_method_it_is_worth_nothing() {
    for origin in ["https://evil.test", "http://us.test", "https://us.test:8443"] {
        assert_eq!(Knock { origin, ..Knock::post(PLAIN) }.outcome(), Err(SignatureError::Wrong), "{origin}");
    }
    let headers = Knock::post(PLAIN).headers();
    for target in ["/users/ada/inbox", "/inbox?a=b", "/Inbox", "/inbox/"] {
        let got = outcome(&Method::POST, target, &headers, BODY, now());
        assert_eq!(got, Err(SignatureError::Wrong), "{target}");
    }
    let get = Knock::get(GET).headers();
    assert_eq!(outcome(&Method::GET, "/other", &get, b"", now()), Err(SignatureError::Wrong));
    // With a query, the path alone is not enough.
    let knock = Knock { target: "/inbox?a=b".into(), ..Knock::get(r#""@method" "@authority" "@path""#) };
    assert_eq!(knock.outcome(), Err(SignatureError::Uncovered("@target-uri")));
    let mut claimed = Knock { origin: "https://evil.test", ..Knock::post(PLAIN) }.headers();
    set(&mut claimed, "host", "evil.test");
    set(&mut claimed, "x-forwarded-host", "evil.test");
    assert_eq!(
        post_outcome(&claimed, BODY),
        Err(SignatureError::Wrong),
        "what a request says of its target is nothing"
    );
}

#[test]
fn sig_20_what_must_be_covered() {
    for (covered, missing) in [
        (r#""@target-uri" "content-digest""#, "@method"),
        (r#""@method" "content-digest""#, "@target-uri"),
        (r#""@method" "@authority" "content-digest""#, "@target-uri"),
        (r#""@method" "@path" "host" "content-digest""#, "@target-uri"),
        (r#""@method" "@request-target" "content-digest""#, "@target-uri"),
        (r#""@method" "@target-uri""#, "content-digest"),
        ("", "@method"),
    ] {
        let refused = Knock::post(covered).outcome().unwrap_err();
        assert_eq!((refused, refused.status().as_u16()), (SignatureError::Uncovered(missing), 401), "{covered}");
    }
    let undated = Knock { created: String::new(), ..Knock::post(FIRST_KNOCK) };
    assert_eq!(undated.outcome(), Err(SignatureError::Uncovered("created")));
    for name in ["content-digest", "signature"] {
        let mut without = Knock::post(PLAIN).headers();
        without.remove(name);
        assert_eq!(post_outcome(&without, BODY), Err(SignatureError::Unsigned(name)));
    }
    let absent = Knock::post(r#""@method" "@target-uri" "content-digest" "x-absent""#);
    assert_eq!(absent.outcome(), Err(SignatureError::CoversAbsent));
}

#[test]
fn sig_20_both_schemes_at_once_are_read_by_the_rfc_alone() {
    let (good, bad) = (Peer::post().headers(), Knock { origin: "https://evil.test", ..Knock::post(PLAIN) });
    // The draft's signature is right, the other is wrong or cannot be read: there is no falling back.
    let mut both = bad.headers();
    both.insert("digest", good["digest"].clone());
    assert_eq!(post_outcome(&both, BODY), Err(SignatureError::Wrong));
    both.insert("signature", good["signature"].clone());
    assert_eq!(post_outcome(&both, BODY), Err(SignatureError::Malformed));
    let (input, signature) = Knock::post(PLAIN).signed();
    let merged = format!("{},sig1=:{signature}:", good["signature"].to_str().unwrap());
    let mut headers = Knock::post(PLAIN).headers_with(&format!("sig1={input}"), &merged);
    headers.insert("digest", good["digest"].clone());
    assert_eq!(post_outcome(&headers, BODY), Err(SignatureError::Malformed));
}

#[test]
fn sig_09_and_10_the_window_is_that_of_the_draft() {
    let (hour, five) = (3600, 300);
    assert_eq!(Knock::at(CREATED - hour - five - 1).outcome(), Err(SignatureError::Stale));
    assert_eq!(Knock::at(CREATED - hour - five + 1).outcome(), Ok(()));
    assert_eq!(Knock::at(CREATED + hour).outcome(), Ok(()));
    assert_eq!(Knock::at(CREATED + hour + 1).outcome(), Err(SignatureError::Future));
    let lived = |age: u64, life: u64| {
        let created = CREATED - age;
        Knock { more: format!(";expires={}", created + life), ..Knock::at(created) }.outcome()
    };
    assert_eq!(lived(13 * hour + 1, 24 * hour), Err(SignatureError::Stale));
    assert_eq!(lived(13 * hour, 24 * hour), Ok(()));
    assert_eq!(lived(hour + 10, 9), Err(SignatureError::Stale));
    // A Date that is covered must hold as well; one that is not does not matter.
    let old = now() - 10 * HOUR;
    assert_eq!(Knock { date: old, ..Knock::post(FIRST_KNOCK) }.outcome(), Err(SignatureError::Stale));
    assert_eq!(Knock { date: old, ..Knock::post(PLAIN) }.outcome(), Ok(()));
    for time in ["-1", "253402300800", "999999999999999", "\"1800000000\"", "1800000000.5", "?1", "@1800000000"] {
        let refused = Knock { created: format!(";created={time}"), ..Knock::post(PLAIN) }.outcome().unwrap_err();
        assert_eq!((refused, refused.status().as_u16()), (SignatureError::Time, 400), "{time}");
        let refused = Knock { more: format!(";expires={time}"), ..Knock::post(PLAIN) }.outcome().unwrap_err();
        assert_eq!(refused, SignatureError::Time, "{time}");
    }
    let endless = Knock { created: ";created=1800000000000000".into(), ..Knock::post(PLAIN) };
    assert_eq!(endless.outcome(), Err(SignatureError::Malformed));
}

#[test]
fn sig_11_another_key_is_another_key() {
    let headers = Knock::post(PLAIN).headers();
    let request = Incoming { method: &Method::POST, target: TARGET, headers: &headers, origin: ORIGIN };
    let read = Unverified::read(request, BODY, now()).unwrap();
    assert_eq!((read.scheme(), read.key_id(), read.key_url().as_str()), (Scheme::Rfc9421, KEY_ID, KEY_ID));
    let other = VerifyingKey::from_pem(&Keypair::generate().unwrap().public_pem).unwrap();
    assert_eq!(read.verify(&other), Err(SignatureError::Wrong));
    for (key_id, expected) in [("acct:bob@good.test", SignatureError::KeyId), ("", SignatureError::KeyId)] {
        let (input, signature) = Knock::post(PLAIN).signed();
        let input = format!("sig1={}", input.replace(KEY_ID, key_id));
        let headers = Knock::post(PLAIN).headers_with(&input, &format!("sig1=:{signature}:"));
        assert_eq!(post_outcome(&headers, BODY), Err(expected), "{key_id}");
    }
}

#[test]
fn what_the_rfc_allows_and_we_do_not_is_refused_as_such() {
    for (more, expected) in [
        (";alg=\"rsa-pss-sha512\"", SignatureError::Algorithm),
        (";alg=\"hmac-sha256\"", SignatureError::Algorithm),
        (";alg=\"ed25519\"", SignatureError::Malformed),
        (";alg=rsa-v1_5-sha256", SignatureError::Malformed),
        (";context=\"x\"", SignatureError::Unsupported),
        (";nonce=1", SignatureError::Malformed),
        (";keyid=\"https://evil.test/k\"", SignatureError::Malformed),
        (";created=1800000000", SignatureError::Malformed),
    ] {
        assert_eq!(Knock { more: more.into(), ..Knock::post(PLAIN) }.outcome(), Err(expected), "{more}");
    }
    for component in [
        r#""@method";req"#,
        r#""content-digest";sf"#,
        r#""content-type";bs"#,
        r#""content-digest";key="sha-256""#,
        r#""content-digest";tr"#,
        r#""@query-param";name="a""#,
        r#""@status""#,
        r#""@target-url""#,
    ] {
        let refused = Knock::post(&format!("{PLAIN} {component}")).outcome().unwrap_err();
        assert_eq!((refused, refused.status().as_u16()), (SignatureError::Unsupported, 401), "{component}");
    }
    for component in [r#""@method""#, r#""Content-Type""#, r#""a:b""#, r#""""#] {
        let refused = Knock::post(&format!("{PLAIN} {component}")).outcome().unwrap_err();
        assert_eq!(refused, SignatureError::Malformed, "{component}");
    }
}

#[test]
fn sig_21_fields_that_cannot_be_read_are_malformed() {
    let knock = Knock::post(PLAIN);
    let (input, signature) = knock.signed();
    let (input, signature) = (format!("sig1={input}"), format!("sig1=:{signature}:"));
    let many = |part: &str, count: usize| vec![part; count].join("");
    for (input, signature) in [
        ("", signature.as_str()),
        (&input, ""),
        (&input, "sig1"),
        (&input, "sig1=abc"),
        (&input, "sig1=(:AAAA:)"),
        (&input, "sig1=:%%%:"),
        (&input, "sig1=:AAAA:;alg=\"rsa-v1_5-sha256\", sig2=:AAAA:"),
        (&input, &signature.replace("sig1", "sig2")),
        (&input, &format!("{signature}, {signature}")),
        (&format!("{input}, {input}"), &signature),
        (&format!("{input}, sig2=()"), &signature),
        ("sig1=:AAAA:", &signature),
        ("sig1=(method);created=1", &signature),
        ("sig1=(\"@method\"", &signature),
        (&format!("{input};"), &signature),
        (&format!("{input},"), &signature),
        (&format!("{input}{}", (0..9).map(|n| format!(";p{n}")).collect::<String>()), &signature),
        (&format!("sig1=({})", many("\"a\" ", 33).trim_end()), &signature),
        (&format!("{input}{}", (0..4).map(|n| format!(", x{n}=()")).collect::<String>()), &signature),
    ] {
        let refused = post_outcome(&knock.headers_with(input, signature), BODY).unwrap_err();
        assert_eq!((refused, refused.status().as_u16()), (SignatureError::Malformed, 400), "{input} {signature}");
    }
    let long = format!("{input};nonce=\"{}\"", "n".repeat(9000));
    let refused = post_outcome(&knock.headers_with(&long, &signature), BODY);
    assert_eq!(refused, Err(SignatureError::Oversized("signature-input")));
}

#[test]
fn of_several_signatures_one_must_be_complete_and_right() {
    let knock = Knock::post(PLAIN);
    let (input, signature) = knock.signed();
    let wrong = STANDARD.encode([7; 256]);
    let both = |first: &str, first_signature: &str, second: &str, second_signature: &str| {
        let input = format!("a={first}, b={second}");
        knock.headers_with(&input, &format!("a=:{first_signature}:, b=:{second_signature}:"))
    };
    let proxy = "(\"@authority\");created=1;keyid=\"https://proxy.test/k\";alg=\"hmac-sha256\"";
    assert_eq!(post_outcome(&both(proxy, "AAAA", &input, &signature), BODY), Ok(()));
    assert_eq!(post_outcome(&both(&input, &wrong, &input, &signature), BODY), Ok(()));
    assert_eq!(post_outcome(&both(&input, &wrong, &input, &wrong), BODY), Err(SignatureError::Wrong));
    assert_eq!(post_outcome(&both(proxy, "AAAA", proxy, "AAAA"), BODY), Err(SignatureError::Algorithm));
    // Two complete ones by different keys: the caller says whose it wants.
    let foreign = input.replace("good.test", "proxy.test");
    let headers = both(&foreign, &wrong, &input, &signature);
    let request = Incoming { method: &Method::POST, target: TARGET, headers: &headers, origin: ORIGIN };
    let mut read = Unverified::read(request, BODY, now()).unwrap();
    assert_eq!(read.verify(&keys().verifying), Err(SignatureError::Wrong));
    read.prefer(|key| key.host_str() == Some("good.test"));
    assert_eq!((read.key_id(), read.verify(&keys().verifying)), (KEY_ID, Ok(())));
    read.prefer(|key| key.host_str() == Some("nobody.test"));
    assert_eq!(read.key_id(), KEY_ID);
}

#[test]
fn what_we_sign_the_oracle_and_we_accept() {
    let signer = Signer { key_id: KEY_ID.into(), key: keys().signing.clone() };
    let url = Url::parse("https://us.test/inbox?a=b#c").unwrap();
    let mut headers = sign_post(&signer, Scheme::Rfc9421, &url, BODY, now()).unwrap();
    let input = format!(
        "(\"@method\" \"@target-uri\" \"content-digest\");created={CREATED};keyid=\"{KEY_ID}\";alg=\"rsa-v1_5-sha256\""
    );
    assert_eq!(headers["signature-input"], format!("sig1={input}"));
    assert!(!headers.contains_key("digest"));
    let message = format!(
        "\"@method\": POST\n\"@target-uri\": https://us.test/inbox?a=b\n\"content-digest\": {}\n\
         \"@signature-params\": {input}",
        content_digest_header(BODY)
    );
    let signature = headers["signature"].to_str().unwrap().trim_start_matches("sig1=:").trim_end_matches(':');
    let signature = STANDARD.decode(signature).unwrap();
    RsaPublicKey::from(&keys().oracle).verify(scheme(), &sha256(message.as_bytes()), &signature).unwrap();
    set(&mut headers, "host", "us.test");
    assert_eq!(outcome(&Method::POST, "/inbox?a=b", &headers, BODY, now()), Ok(()));
    let mut get = sign_get(&signer, Scheme::Rfc9421, &url, now()).unwrap();
    assert!(get["signature-input"].to_str().unwrap().starts_with("sig1=(\"@method\" \"@target-uri\");created="));
    set(&mut get, "host", "us.test");
    assert_eq!(outcome(&Method::GET, "/inbox?a=b", &get, b"", now()), Ok(()));
    let broken = Signer { key_id: "https://a/\u{1}".into(), ..signer };
    assert!(sign_get(&broken, Scheme::Rfc9421, &url, now()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_changed_byte_of_what_is_covered_is_noticed(place in any::<usize>(), by in 1_u8..=255, which in 0_usize..6) {
        let knock = Knock { target: "/inbox?a=b".into(), ..Knock::post(FIRST_KNOCK) };
        let mut headers = knock.headers();
        let (mut target, mut body) = (knock.target.clone().into_bytes(), BODY.to_vec());
        let change = |bytes: &mut [u8]| {
            let at = place % bytes.len();
            bytes[at] ^= by;
        };
        match which {
            0 => change(&mut target),
            1 => change(&mut body),
            n => {
                let name = ["signature-input", "date", "host", "content-digest"][n - 2];
                let mut bytes = headers[name].as_bytes().to_vec();
                change(&mut bytes);
                // The label is a name for the reader and not signed.
                prop_assume!(name != "signature-input" || place % bytes.len() >= "sig1=".len());
                // What no header can be does not arrive.
                let Ok(value) = HeaderValue::from_bytes(&bytes) else { return Ok(()) };
                headers.insert(name, value);
            }
        }
        let Ok(target) = String::from_utf8(target) else { return Ok(()) };
        prop_assert!(outcome(&Method::POST, &target, &headers, &body, now()).is_err());
    }

    #[test]
    fn garbage_is_refused_without_panic(
        input in "(sig1|a|=|\\(|\\)|\"@method\"|\"@target-uri\"|\"content-digest\"|;created=|;keyid=|;alg=|;req|\"|,|;|:| |[0-9]{1,20}|https://a[.]test/k|[ -~]){0,30}",
        signature in "(sig1|a|=|:|;|,| |[A-Za-z0-9+/]{344}|[ -~]){0,12}",
        digest in "(sha-256|=|:|,|[A-Za-z0-9+/]{43}=|[ -~]){0,6}", target in "[ -~]{0,20}",
    ) {
        let headers = headers(&[
            ("host", "us.test"), ("content-type", "x"), ("content-digest", &digest),
            ("signature-input", &input), ("signature", &signature),
        ]);
        prop_assert!(outcome(&Method::POST, &target, &headers, BODY, now()).is_err());
    }
}
