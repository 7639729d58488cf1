//! Do we build the same signature base as RFC 9421, appendix B.2?

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::super::{message::base, structured::inputs};
use super::*;

/// Builds the base of `test-request` (B.2) for this `Signature-Input`.
fn base_of(input: &str) -> String {
    let headers = headers(&[
        ("host", "example.com"),
        ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        ("content-type", "application/json"),
        (
            "content-digest",
            "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
        ),
        ("content-length", "18"),
    ]);
    let request = Incoming {
        method: &Method::POST,
        target: "/foo?param=Value&Pet=dog",
        headers: &headers,
        origin: "https://example.com",
    };
    base(request, &inputs(input).unwrap()[0]).unwrap()
}

#[test]
fn b_2_1_minimal() {
    let parameters = r#"();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd""#;
    assert_eq!(base_of(&format!("sig-b21={parameters}")), format!("\"@signature-params\": {parameters}"));
}

#[test]
fn b_2_3_full_coverage() {
    let input = "sig-b23=(\"date\" \"@method\" \"@path\" \"@query\" \"@authority\" \"content-type\" \
                 \"content-digest\" \"content-length\");created=1618884473;keyid=\"test-key-rsa-pss\"";
    let expected = [
        r#""date": Tue, 20 Apr 2021 02:07:55 GMT"#,
        r#""@method": POST"#,
        r#""@path": /foo"#,
        r#""@query": ?param=Value&Pet=dog"#,
        r#""@authority": example.com"#,
        r#""content-type": application/json"#,
        r#""content-digest": sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"#,
        r#""content-length": 18"#,
        &format!("\"@signature-params\": {}", input.trim_start_matches("sig-b23=")),
    ];
    assert_eq!(base_of(input), expected.join("\n"));
    // However it is spaced, what is signed is written as the standard writes it (RFC 9651 4.1).
    let spaced = input.replace("=(", "=(  ").replace(" \"@query\"", "   \"@query\"").replace(";k", "; k");
    assert_eq!(base_of(&spaced), expected.join("\n"));
}

#[test]
fn b_2_6_the_signature_of_the_standard_holds_over_our_base() {
    let base = base_of(
        "sig-b26=(\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" \"content-length\")\
         ;created=1618884473;keyid=\"test-key-ed25519\"",
    );
    let key = URL_SAFE_NO_PAD.decode("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs").unwrap();
    let signature = "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==";
    let signature = STANDARD.decode(signature).unwrap();
    UnparsedPublicKey::new(&ED25519, key).verify(base.as_bytes(), &signature).unwrap();
}

#[test]
fn derived_components_are_those_of_section_2_2() {
    let of = |name: &str| {
        let base = base_of(&format!("s=(\"{name}\")"));
        base.split_once('\n').unwrap().0.strip_prefix(&format!("\"{name}\": ")).unwrap().to_owned()
    };
    assert_eq!(of("@target-uri"), "https://example.com/foo?param=Value&Pet=dog");
    assert_eq!(of("@request-target"), "/foo?param=Value&Pet=dog");
    assert_eq!(of("@scheme"), "https");
    let headers = headers(&[("x-twice", " a "), ("x-twice", "b, c"), ("x-empty", "")]);
    let request = Incoming { method: &Method::GET, target: "/", headers: &headers, origin: ORIGIN };
    let input = &inputs(r#"s=("@query" "x-twice" "x-empty");nonce="a\"b\\c""#).unwrap()[0];
    let expected = "\"@query\": ?\n\"x-twice\": a, b, c\n\"x-empty\": \n\
                    \"@signature-params\": (\"@query\" \"x-twice\" \"x-empty\");nonce=\"a\\\"b\\\\c\"";
    assert_eq!(base(request, input).unwrap(), expected);
}

#[test]
fn the_content_digest_is_that_of_rfc_9530() {
    let header = content_digest_header(br#"{"hello": "world"}"#);
    assert_eq!(header, "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:");
}
