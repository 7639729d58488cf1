//! Can people sign in, and only they?

use crate::account::{self, session};
use crate::tests::{Browser, PASSWORD, World};
use axum::http::{Method, StatusCode};
use std::time::Duration;

const WRONG: &str = "do not belong together";

#[test]
fn people_sign_in_by_handle_or_mail_and_out_again() {
    let world = World::new();
    let mut bo = Browser::new(&world);
    bo.sign_up("bo");
    assert!(bo.get("/about").contains("Sign out"));
    bo.submit("/sign-out", &[]).ok();
    assert!(bo.cookie("__Host-hs").is_none());
    assert!(!bo.get("/about").contains("Sign out"));
    bo.sign_in("BO@mail.test");
    bo.submit("/sign-out", &[]).ok();
    bo.sign_in("@bo");
    let settings = bo.get("/settings").ok();
    assert!(settings.contains("@bo@us.test"));
}

#[test]
fn known_and_unknown_names_get_the_same_answer() {
    let world = World::new();
    let mut bo = Browser::new(&world);
    bo.sign_up("bo");
    let mut mallory = Browser::new(&world);
    let known = mallory.submit("/sign-in", &[("name", "bo"), ("password", "not this one")]);
    let unknown = mallory.submit("/sign-in", &[("name", "xo"), ("password", "not this one")]);
    assert_eq!((known.status, unknown.status), (StatusCode::UNPROCESSABLE_ENTITY, StatusCode::UNPROCESSABLE_ENTITY));
    assert!(known.contains(WRONG));
    assert_eq!(known.replace("value=\"bo\"", "value=\"xo\""), unknown.text);
}

#[test]
fn signing_in_leads_back_to_the_page_that_was_wanted() {
    let world = World::new();
    let mut bo = Browser::new(&world);
    bo.sign_up("bo");
    bo.submit("/sign-out", &[]);
    let asked = bo.get("/settings/sessions");
    assert!(asked.path.starts_with("/sign-in?next="), "{}", asked.path);
    let page = bo.submit_form(&asked.path, "/sign-in", &[("name", "bo"), ("password", PASSWORD)]);
    assert_eq!(page.path, "/settings/sessions");
    let evil = Browser::new(&world).get("/sign-in?next=https://evil.test");
    assert_eq!(evil.between("name=\"next\" value=\"", "\""), Some("/me"));
}

#[test]
fn signing_in_makes_a_new_session_and_a_new_token() {
    let world = World::new();
    let mut bo = Browser::new(&world);
    bo.sign_up("bo");
    let (first, before) = (bo.cookie("__Host-hs").unwrap().to_owned(), bo.token());
    bo.submit("/sign-in", &[("name", "bo"), ("password", PASSWORD), ("next", "/about")]).ok();
    let second = bo.cookie("__Host-hs").unwrap().to_owned();
    assert_ne!(first, second);
    assert_ne!(before, bo.token(), "a planted token is worth nothing later");
    bo.set_cookie("__Host-hs", Some(&first));
    assert!(!bo.get("/about").contains("Sign out"), "the session before has ended");
}

#[test]
fn forms_need_the_token_of_this_browser_and_our_own_origin() {
    let world = World::new();
    let mut bo = Browser::of(&world, "bo");
    let mut chi = Browser::of(&world, "chi");
    let foreign = chi.token();
    for body in [String::new(), "csrf=".into(), format!("csrf={foreign}")] {
        let shown = bo.send(Method::POST, "/sign-out", "application/x-www-form-urlencoded", body.into_bytes());
        assert_eq!(shown.status, StatusCode::FORBIDDEN);
    }
    for (name, value) in [("origin", "https://evil.test"), ("origin", "null"), ("sec-fetch-site", "cross-site")] {
        bo.headers = vec![(name, value.to_owned())];
        assert_eq!(bo.submit("/sign-out", &[]).status, StatusCode::FORBIDDEN, "{name}");
    }
    bo.headers.clear();
    assert!(bo.get("/about").contains("Sign out"), "nothing happened");
    // What browsers send from a page with the referrer policy `no-referrer`.
    bo.headers = vec![("origin", "null".to_owned()), ("sec-fetch-site", "same-origin".to_owned())];
    assert!(bo.submit("/sign-out", &[]).contains("You are signed out."));
}

#[test]
fn the_26th_attempt_waits_whoever_it_is_for() {
    let world = World::new();
    let mut mallory = Browser::new(&world);
    let mut status = StatusCode::OK;
    for turn in 0..26 {
        let shown = mallory.submit("/sign-in", &[("name", &format!("x{turn}")), ("password", "guess")]);
        status = shown.status;
        if turn == 25 {
            assert!(shown.header("retry-after").parse::<u64>().unwrap() > 0);
        }
    }
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    world.pass(Duration::from_secs(12));
    let later = mallory.submit("/sign-in", &[("name", "y"), ("password", "guess")]);
    assert_eq!(later.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[test]
fn one_account_is_not_guessed_from_many_addresses() {
    let world = World::new();
    let mut bo = Browser::new(&world);
    bo.sign_up("bo");
    bo.submit("/sign-out", &[]);
    let mut last = StatusCode::OK;
    for _ in 0..25 {
        let mut other = Browser::new(&world);
        last = other.submit("/sign-in", &[("name", "bo"), ("password", "guess")]).status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    world.pass(Duration::from_secs(150));
    bo.sign_in("bo");
}

#[test]
fn a_session_slides_and_ends_after_a_month_without_use() {
    let world = World::new();
    let mut bo = Browser::of(&world, "bo");
    world.pass(Duration::from_secs(29 * 24 * 3600));
    assert!(bo.get("/about").contains("Sign out"));
    world.pass(Duration::from_secs(29 * 24 * 3600));
    assert!(bo.get("/about").contains("Sign out"), "use made it last");
    world.pass(Duration::from_secs(31 * 24 * 3600));
    assert!(!bo.get("/about").contains("Sign out"));
}

#[test]
fn sessions_are_listed_and_ended_one_by_one_or_all_others() {
    let world = World::new();
    let mut bo = Browser::new(&world);
    bo.sign_up("bo");
    let mut second = Browser::new(&world);
    second.sign_in("bo");
    let page = bo.get("/settings/sessions").ok();
    assert!(page.contains("this browser") && page.contains("/end\""));
    let id = page.between("action=\"/settings/sessions/", "/end").unwrap().to_owned();
    let mut mallory = Browser::of(&world, "mallory");
    mallory.submit(&format!("/settings/sessions/{id}/end"), &[]);
    assert!(second.get("/about").contains("Sign out"), "nobody ends the sessions of others");
    bo.submit(&format!("/settings/sessions/{id}/end"), &[]).ok();
    assert!(!second.get("/about").contains("Sign out"));
    second.sign_in("bo");
    bo.submit("/settings/sessions/others/end", &[]).ok();
    assert!(!second.get("/about").contains("Sign out"));
    assert!(bo.get("/about").contains("Sign out"));
}

#[test]
fn colours_are_kept_in_the_browser_and_in_the_account() {
    let world = World::new();
    let mut nobody = Browser::new(&world);
    let page = nobody.submit("/theme", &[("theme", "dark"), ("back", "/about")]);
    assert_eq!(page.path, "/about");
    assert!(page.contains("data-theme=\"dark\""));
    let page = nobody.submit("/theme", &[("theme", "light"), ("back", "//evil.test")]);
    assert_eq!(page.path, "/");
    let mut bo = Browser::of(&world, "bo");
    bo.submit("/theme", &[("theme", "dark"), ("back", "/about")]);
    bo.set_cookie("hs_theme", None);
    assert!(bo.get("/about").contains("data-theme=\"dark\""));
}

#[test]
fn the_address_behind_a_proxy_is_believed_only_from_proxies_we_trust() {
    let world = World::new();
    let mut bo = Browser::new(&world);
    bo.sign_up("bo");
    let address_of = |world: &World| {
        let now = world.clock.now();
        let account = world.read(|db| account::find_by_name(db, "bo")).unwrap();
        world.read(|db| session::list(db, account.id, now)).into_iter().map(|s| s.address).collect::<Vec<_>>()
    };
    let mut trusted = Browser::new(&world);
    trusted.address = "127.0.0.1".parse().unwrap();
    trusted.headers = vec![("x-forwarded-for", "198.51.100.9, 203.0.113.5, 127.0.0.1".into())];
    trusted.sign_in("bo");
    assert!(address_of(&world).contains(&"203.0.113.5".to_owned()));
    let mut liar = Browser::new(&world);
    liar.headers = vec![("x-forwarded-for", "198.51.100.77".into())];
    liar.sign_in("bo");
    assert!(!address_of(&world).contains(&"198.51.100.77".to_owned()));
}

#[test]
fn documents_are_served_without_cookies() {
    let world = World::new();
    let mut program = Browser::new(&world);
    program.headers = vec![("accept", "application/activity+json".into())];
    let shown = program.get("/nothing");
    assert_eq!(shown.status, StatusCode::NOT_FOUND);
    assert!(shown.headers.get("set-cookie").is_none());
}
