//! Are the requests of honest peers accepted, and ours by an independent implementation?

use super::*;

// Checklist 11: rsa-sha256 and hs2019.
#[test]
fn checklist_11_honest_requests_of_an_independent_signer_are_accepted() {
    assert_eq!(Peer::post().outcome(), Ok(()));
    assert_eq!(Peer::get().outcome(), Ok(()));
    let mut plain = Peer::post();
    plain.covered = "(request-target) host date digest".into();
    plain.algorithm = "hs2019";
    assert_eq!(plain.outcome(), Ok(()));
    let mut headers = plain.headers();
    let signature = headers["signature"].to_str().unwrap().replace("algorithm=\"hs2019\",", "");
    set(&mut headers, "signature", &signature.replace(",", " , "));
    assert_eq!(post_outcome(&headers, BODY), Ok(()), "no algorithm, spaces between parameters");
}

#[test]
fn created_and_expires_stand_in_for_the_date() {
    let mut peer = Peer::post();
    peer.covered = "(request-target) (created) (expires) host digest".into();
    peer.algorithm = "hs2019";
    peer.created = Some(now() - SECOND);
    peer.expires = Some(now() + HOUR);
    assert_eq!(peer.outcome(), Ok(()));
    let mut undated = peer.headers();
    undated.remove("date");
    assert_eq!(post_outcome(&undated, BODY), Ok(()));
    peer.algorithm = "rsa-sha256";
    assert_eq!(peer.outcome(), Err(SignatureError::Algorithm));
}

// Checklist 16.
#[test]
fn checklist_16_the_request_target_is_tried_with_and_without_its_query() {
    for (target, signed, good) in [
        ("/inbox?page=1", "/inbox?page=1", true),
        ("/inbox?page=1", "/inbox", true),
        ("/inbox", "/inbox?page=1", false),
        ("/inbox?page=1", "/inbox?page=2", false),
    ] {
        let peer = Peer { target: target.into(), signed_target: signed.into(), ..Peer::get() };
        assert_eq!(peer.outcome().is_ok(), good, "{target} signed as {signed}");
    }
}

#[test]
fn what_we_sign_the_oracle_and_we_accept() {
    let signer = Signer { key_id: KEY_ID.into(), key: keys().signing.clone() };
    let url = Url::parse("https://us.test/inbox?a=b").unwrap();
    let mut headers = sign_post(&signer, Scheme::Cavage, &url, BODY, now()).unwrap();
    set(&mut headers, "host", "us.test");
    assert_eq!(outcome(&Method::POST, "/inbox?a=b", &headers, BODY, now()), Ok(()));
    let shown = headers["signature"].to_str().unwrap();
    assert!(shown.contains("algorithm=\"rsa-sha256\""));
    assert!(shown.contains("headers=\"(request-target) host date digest content-type\""));
    let date = headers["date"].to_str().unwrap();
    let digest = headers["digest"].to_str().unwrap();
    let message = format!(
        "(request-target): post /inbox?a=b\nhost: us.test\ndate: {date}\ndigest: {digest}\n\
         content-type: application/activity+json"
    );
    let signature = shown.rsplit("signature=\"").next().unwrap().trim_end_matches('"');
    let signature = STANDARD.decode(signature).unwrap();
    let public = RsaPublicKey::from(&keys().oracle);
    public.verify(scheme(), &sha256(message.as_bytes()), &signature).unwrap();
    let mut get = sign_get(&signer, Scheme::Cavage, &Url::parse("http://localhost:81/x").unwrap(), now()).unwrap();
    set(&mut get, "host", "localhost:81");
    assert_eq!(outcome(&Method::GET, "/x", &get, b"", now()), Ok(()));
    let broken = Signer { key_id: "https://a\"b".into(), ..signer };
    assert!(sign_get(&broken, Scheme::Cavage, &url, now()).is_err());
    assert!(keys().pair.public_pem.starts_with("-----BEGIN PUBLIC KEY-----"));
}
