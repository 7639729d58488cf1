//! Do the pages about the instance say what is set?

mod peers;

use crate::account::Role;
use crate::tests::{Browser, World};
use axum::http::StatusCode;

#[test]
fn the_pages_for_everyone_are_there_also_when_nothing_is_set() {
    let world = World::new();
    let mut nobody = Browser::new(&world);
    for (path, says) in [("/", "Three ways in"), ("/about", "us.test"), ("/rules", "Be kind"), ("/privacy", "Cookies")]
    {
        assert!(nobody.get(path).ok().contains(says), "{path}");
    }
    assert_eq!(nobody.get("/nothing").status, StatusCode::NOT_FOUND);
}

#[test]
fn an_administrator_is_told_what_to_do_first() {
    let world = World::new();
    let mut ada = Browser::with_role(&world, "ada", Role::Admin);
    assert!(ada.get("/").ok().contains("What now?"));
    assert!(ada.get("/admin").ok().contains("No mail server is set"));
}

#[test]
fn an_administrator_hears_of_a_proxy_that_does_not_say_who_asks() {
    let world = World::new();
    let mut ada = Browser::with_role(&world, "ada", Role::Admin);
    const WARNING: &str = "Your proxy does not say who asks";
    assert!(!ada.get("/admin").ok().contains(WARNING), "without a proxy");
    ada.address = "127.0.0.1".parse().unwrap();
    assert!(ada.get("/admin").ok().contains(WARNING));
    ada.headers = vec![("x-forwarded-for", "203.0.113.5".into())];
    assert!(!ada.get("/admin").ok().contains(WARNING));
}

#[test]
fn settings_are_in_force_at_once() {
    let world = World::new();
    let mut ada = Browser::with_role(&world, "ada", Role::Admin);
    let page = ada.get("/admin/settings").ok();
    assert!(page.contains("Be kind"));
    let wrong = ada.submit("/admin/settings", &[("site_name", ""), ("sign_up", "open"), ("rules", "My rules")]);
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.contains("My rules"), "what was typed stays");
    let fields = [
        ("site_name", "North"),
        ("sign_up", "invitation"),
        ("rules", "# *One*\n\n<img src=x>"),
        ("contact", "us@north.test"),
    ];
    ada.submit("/admin/settings", &fields).ok();
    let mut nobody = Browser::new(&world);
    let page = nobody.get("/rules").ok();
    assert!(page.contains("<em>One</em>") && !page.contains("<img") && page.contains("North"));
    assert!(nobody.get("/about").contains("us@north.test"));
    assert!(nobody.get("/sign-up").contains("Invitation"));
}

#[test]
fn an_invitation_can_be_taken_back() {
    let world = World::new();
    let mut ada = Browser::with_role(&world, "ada", Role::Admin);
    let wrong = ada.submit("/admin/invitations", &[("note", "Choir"), ("uses", "many"), ("days", "7")]);
    assert!(wrong.contains("f-uses-problem") && wrong.contains("Choir"));
    let page = ada.submit("/admin/invitations", &[("note", "Choir"), ("uses", "3"), ("days", "7")]).ok();
    let action = page.between("action=\"/admin/invitations/", "\"").unwrap().to_owned();
    let page = ada.submit(&format!("/admin/invitations/{action}"), &[]).ok();
    assert!(page.contains("data-state=\"revoked\""));
}
