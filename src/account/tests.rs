//! Are the rules of accounts kept, and does each of their doors open?

use super::*;
use crate::tests::{Browser, PASSWORD, Shown, World, new_account};
use axum::http::StatusCode;

fn open_to(world: &World, mode: SignUp) {
    world.tx(move |tx| {
        let new = setting::Settings { sign_up: mode, ..setting::load(tx)? };
        setting::change(tx, None, &new)
    });
}

fn account_of(world: &World, name: &str) -> Account {
    world.read(|db| find_by_name(db, name)).expect("no such account")
}

fn fields<'a>(handle: &'a str, email: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("handle", handle), ("email", email), ("password", PASSWORD), ("application", "I bake bread.")]
}

/// The path in the last letter to this address.
fn link_in_letter(world: &World, to: &str) -> String {
    let letters = world.read(mail::list);
    let letter = letters.iter().rfind(|letter| letter.recipient == to).expect("no letter");
    let start = letter.body.find("https://us.test").expect("no link") + "https://us.test".len();
    letter.body[start..].split_whitespace().next().unwrap().to_owned()
}

#[test]
fn errors_of_a_sign_up_stand_at_their_fields_and_what_was_typed_stays() {
    let world = World::new();
    open_to(&world, SignUp::Open);
    let mut bo = Browser::new(&world);
    let page = bo.submit("/sign-up", &[("handle", "Bo Baker"), ("email", "nobody"), ("password", PASSWORD)]);
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("f-handle-problem") && page.contains("f-email-problem") && page.contains("Bo Baker"));
    assert!(!page.contains(PASSWORD));
    for (mode, field) in [(SignUp::Approval, "application"), (SignUp::Invitation, "code")] {
        open_to(&world, mode);
        let page = bo.submit("/sign-up", &[]);
        for name in ["handle", "email", "password", field] {
            assert!(page.contains(&format!("f-{name}-problem")), "{name} under {mode}");
        }
    }
    open_to(&world, SignUp::Open);
    let page = bo.submit("/sign-up", &[("handle", "bo"), ("email", "bo@mail.test"), ("password", "short")]);
    assert!(page.contains("f-password-problem"));
}

#[test]
fn a_known_mail_address_is_not_told_and_its_owner_gets_a_letter() {
    let world = World::new();
    let mut bo = Browser::new(&world);
    bo.sign_up("bo");
    let mut mallory = Browser::new(&world);
    let new = mallory.submit("/sign-up", &fields("mallory", "mallory@mail.test"));
    let known = mallory.submit("/sign-up", &fields("mallory2", "BO@mail.test"));
    assert_eq!((new.status, &new.path[..8]), (known.status, &known.path[..8]));
    assert!(world.read(|db| actor::find_here(db, "mallory2")).is_none());
    assert!(world.read(mail::list).iter().any(|letter| letter.recipient == "bo@mail.test"));
}

#[test]
fn who_waits_for_approval_cannot_act_until_let_in() {
    let world = World::new();
    let mut ada = Browser::with_role(&world, "ada", Role::Admin);
    let mut emeka = Browser::new(&world);
    let page = emeka.submit("/sign-up", &fields("emeka", "emeka@mail.test"));
    assert!(page.contains("An administrator will look at it"));
    let waiting = account_of(&world, "emeka");
    assert_eq!(waiting.state, AccountState::Pending);
    let refused = emeka.submit("/sign-in", &[("name", "emeka"), ("password", PASSWORD)]);
    assert!(refused.contains("still waits for approval"));
    let person = world.read(|db| actor::get(db, waiting.actor_id));
    assert!(person.may_act().is_err());
    assert_eq!(emeka.get("/u/emeka").status, StatusCode::NOT_FOUND);
    let page = ada.get("/admin/accounts?state=pending").ok();
    assert!(page.contains("I bake bread."));
    assert!(ada.get("/notices").contains("asks for an account"));
    ada.submit_form("/admin/accounts?state=pending", &format!("/admin/accounts/{}/approval", waiting.id.0), &[]).ok();
    emeka.sign_in("emeka");
    assert_eq!(emeka.get("/u/emeka").status, StatusCode::OK);
}

#[test]
fn declining_leaves_nothing_and_frees_the_name() {
    let world = World::new();
    let mut ada = Browser::with_role(&world, "ada", Role::Admin);
    Browser::new(&world).submit("/sign-up", &fields("emeka", "emeka@mail.test"));
    let id = account_of(&world, "emeka").id.0;
    let page = ada.get(&format!("/admin/accounts/{id}/decline")).ok();
    assert!(page.contains("Decline the account of emeka?"));
    let page = ada.submit(&format!("/admin/accounts/{id}/decline"), &[]).ok();
    assert!(page.contains("Nobody is waiting"));
    assert!(world.read(|db| actor::find_here(db, "emeka")).is_none());
}

#[test]
fn pending_accounts_are_forgotten_after_a_week() {
    let world = World::new();
    let new = NewAccount { application: "x".into(), ..new_account(&world, "emeka") };
    world.tx(move |tx| sign_up(tx, &new, ""));
    assert_eq!(world.tx(purge), 0);
    world.pass(PENDING + Duration::from_secs(1));
    assert_eq!(world.tx(purge), 1);
    assert!(world.read(|db| find_by_name(db, "emeka")).is_none());
}

#[test]
fn an_invitation_lets_in_as_many_as_it_says() {
    let world = World::new();
    open_to(&world, SignUp::Invitation);
    let mut ada = Browser::with_role(&world, "ada", Role::Admin);
    let page = ada.submit("/admin/invitations", &[("note", "Choir"), ("uses", "1"), ("days", "7")]).ok();
    let path = page.between("https://us.test", "</p>").unwrap().to_owned();
    let mut bo = Browser::new(&world);
    let code = bo.get(&path).between("name=\"code\" type=\"text\" value=\"", "\"").unwrap().to_owned();
    let with = |handle: &'static str, email: &'static str, code: &str| {
        let mut all: Vec<(String, String)> =
            fields(handle, email).iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        all.push(("code".into(), code.into()));
        all
    };
    let send = |who: &mut Browser<'_>, all: Vec<(String, String)>| {
        let all: Vec<(&str, &str)> = all.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        who.submit("/sign-up", &all).status
    };
    assert_eq!(send(&mut bo, with("bo", "bo@mail.test", "guess")), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(send(&mut bo, with("bo", "bo@mail.test", &code)), StatusCode::OK);
    assert_eq!(send(&mut bo, with("chi", "chi@mail.test", &code)), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(ada.get("/admin/invitations").contains("1 of 1 used"));
}

#[test]
fn a_closed_school_takes_nobody() {
    let world = World::new();
    open_to(&world, SignUp::Closed);
    let mut bo = Browser::new(&world);
    assert!(bo.get("/sign-up").contains("The gate is closed"));
    for path in ["/", "/sign-in", "/about"] {
        assert!(!bo.get(path).ok().contains("/sign-up"), "{path} asks nobody to join");
    }
    assert_eq!(bo.submit("/sign-up", &fields("bo", "bo@mail.test")).status, StatusCode::FORBIDDEN);
}

#[test]
fn wherever_one_can_join_every_page_says_so() {
    for mode in [SignUp::Open, SignUp::Approval, SignUp::Invitation] {
        let world = World::new();
        open_to(&world, mode);
        let mut bo = Browser::new(&world);
        assert!(bo.get("/about").ok().contains("class=\"join\" href=\"/sign-up\""), "{mode}");
        assert_eq!(bo.get("/sign-up").ok().contains("name=\"code\""), mode == SignUp::Invitation);
    }
}

#[test]
fn the_sixth_sign_up_from_one_network_waits() {
    let world = World::new();
    open_to(&world, SignUp::Open);
    let mut mallory = Browser::new(&world);
    let mut last = StatusCode::OK;
    for turn in 0..6 {
        mallory.address = format!("2001:db8:7:7::{turn}").parse().unwrap();
        last = mallory.submit("/sign-up", &fields(&format!("m{turn}x"), &format!("m{turn}@mail.test"))).status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}

#[test]
fn the_set_up_link_makes_one_administrator_and_then_nothing() {
    let world = World::new();
    let first = world.tx(start_set_up).unwrap();
    let token = world.tx(start_set_up).unwrap();
    let mut ada = Browser::new(&world);
    assert!(ada.get("/").contains("not set up yet"));
    let replaced = ada.get(&format!("/set-up/{}", first.reveal()));
    assert_eq!(replaced.status, StatusCode::NOT_FOUND, "a new start, a new link");
    assert!(replaced.contains("This link is not valid") && replaced.contains("href=\"/sign-in\""));
    let path = format!("/set-up/{}", token.reveal());
    ada.get(&path).ok();
    let wrong = ada.submit(
        &path,
        &[("site_name", ""), ("sign_up", "open"), ("handle", "a"), ("email", "x"), ("password", PASSWORD)],
    );
    assert!(
        wrong.contains("f-site_name-problem")
            && wrong.contains("f-handle-problem")
            && wrong.contains("f-email-problem")
    );
    let mut all = fields("ada", "ada@mail.test");
    all.extend([("site_name", "North"), ("sign_up", "open")]);
    let page = ada.submit(&path, &all).ok();
    assert!(page.path.starts_with("/sign-in?name=ada") && page.contains("North"));
    ada.sign_in("ada");
    assert!(ada.get("/admin").ok().contains("Administration"));
    let mut nobody = Browser::new(&world);
    let main = |page: Shown| page.between("<main", "</main>").unwrap().to_owned();
    let never = nobody.get("/set-up/nonsense");
    assert_eq!(never.status, StatusCode::NOT_FOUND);
    let used = nobody.get(&path);
    assert_eq!(used.status, StatusCode::NOT_FOUND);
    assert_eq!(main(used), main(never), "a stranger is not told which links there were");
    assert_eq!(nobody.submit(&path, &all).status, StatusCode::NOT_FOUND);
    assert!(world.tx(start_set_up).is_none());
}

#[test]
fn a_reset_link_works_once_and_for_an_hour_and_ends_sessions() {
    let world = World::new();
    let mut bo = Browser::new(&world);
    bo.sign_up("bo");
    let mut other = Browser::new(&world);
    let known = other.submit("/reset", &[("email", "bo@mail.test")]);
    let unknown = other.submit("/reset", &[("email", "xo@mail.test")]);
    assert_eq!((known.status, &known.path, known.contains("on its way")), (unknown.status, &unknown.path, true));
    assert_eq!(world.read(mail::list).len(), 1);
    let path = link_in_letter(&world, "bo@mail.test");
    other.get(&path).ok();
    let page = other.submit(&path, &[("password", "eight other words behind it")]);
    assert!(page.path.starts_with("/sign-in?name=bo"));
    assert!(!bo.get("/about").contains("Sign out"), "sessions before are over");
    let used = other.get(&path);
    assert!(used.contains("used already") && used.contains("flash warn") && !used.contains("#circle-check"));
    other.submit("/reset", &[("email", "bo@mail.test")]);
    let late = link_in_letter(&world, "bo@mail.test");
    world.pass(Duration::from_secs(3601));
    assert!(other.submit(&late, &[("password", "eight other words behind it")]).contains("used already"));
    let signed =
        other.submit("/sign-in", &[("name", "bo"), ("password", "eight other words behind it"), ("next", "/about")]);
    assert_eq!(signed.path, "/about");
}

#[test]
fn letters_for_a_new_password_are_limited_per_mail_address() {
    let world = World::new();
    let mut last = StatusCode::OK;
    for _ in 0..6 {
        last = Browser::new(&world).submit("/reset", &[("email", "bo@mail.test")]).status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}

#[test]
fn a_new_password_needs_the_old_one_and_ends_other_sessions() {
    let world = World::new();
    let mut bo = Browser::new(&world);
    bo.sign_up("bo");
    let mut second = Browser::new(&world);
    second.sign_in("bo");
    let wrong = bo.submit("/settings/password", &[("old", "guess"), ("password", "eight other words behind it")]);
    assert!(wrong.contains("This is not your password"));
    let path = bo.submit("/settings/password", &[("old", PASSWORD), ("password", "eight other words behind it")]).path;
    assert_eq!(path, "/settings");
    assert!(bo.get("/about").contains("Sign out"));
    assert!(!second.get("/about").contains("Sign out"));
    let mut last = StatusCode::OK;
    for _ in 0..9 {
        last = bo.submit("/settings/password", &[("old", "guess"), ("password", "x")]).status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}

#[test]
fn a_profile_is_shown_to_everyone_and_harms_nobody() {
    let world = World::new();
    let mut bo = Browser::of(&world, "bo");
    let bio = "I **bake**. <script>alert(1)</script>";
    let fields = [("name", "Bo <Baker>"), ("bio", bio), ("zone", "Africa/Lagos"), ("theme", "dark")];
    let page = bo.submit("/settings", &fields).ok();
    assert!(page.contains("data-theme=\"dark\"") && page.contains("I **bake**"));
    let page = Browser::new(&world).get("/u/bo").ok();
    assert!(page.contains("<strong>bake</strong>") && !page.contains("<script") && page.contains("Bo &#60;Baker&#62;"));
    assert_eq!(bo.get("/u/bo@us.test").status, StatusCode::OK);
    let wrong = bo.submit("/settings", &[("name", ""), ("zone", "Mars/Base"), ("theme", "dark")]);
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    world.person_elsewhere("dov", "south.test");
    assert!(bo.get("/u/dov@south.test").ok().contains("@dov@south.test"));
    assert_eq!(bo.get("/u/nobody").status, StatusCode::NOT_FOUND);
}

#[test]
fn suspension_ends_everything_at_once_and_can_be_undone() {
    let world = World::new();
    let mut ada = Browser::with_role(&world, "ada", Role::Admin);
    let mut bo = Browser::new(&world);
    bo.sign_up("bo");
    let id = account_of(&world, "bo").id.0;
    assert!(ada.get(&format!("/admin/accounts/{id}/suspension")).contains("Suspend bo?"));
    ada.submit(&format!("/admin/accounts/{id}/suspension"), &[]).ok();
    assert!(!bo.get("/about").contains("Sign out"));
    let refused = bo.submit("/sign-in", &[("name", "bo"), ("password", PASSWORD)]);
    assert!(refused.contains("is suspended"));
    assert!(bo.actor().may_act().is_err());
    ada.submit(&format!("/admin/accounts/{id}/restoration"), &[]).ok();
    bo.sign_in("bo");
}

#[test]
fn moderators_stop_members_only_and_nobody_stops_themselves() {
    let world = World::new();
    let ada = Browser::with_role(&world, "ada", Role::Admin).actor();
    let chi = Browser::with_role(&world, "chi", Role::Moderator).actor();
    let bo = Browser::of(&world, "bo").actor();
    let id = |name: &str| account_of(&world, name).id;
    let (a, b, c) = (id("ada"), id("bo"), id("chi"));
    let denied = |by: &Actor, whom| {
        let by = by.clone();
        matches!(world.attempt(move |tx| suspend(tx, &by, whom)), Err(Error::Denied(_)))
    };
    assert!(denied(&bo, c) && denied(&chi, a) && denied(&ada, a));
    world.tx(move |tx| suspend(tx, &chi, b));
    assert!(world.attempt(move |tx| set_role(tx, &ada, a, Role::Member)).is_err(), "the only administrator stays");
}

#[test]
fn administration_is_for_administrators() {
    let world = World::new();
    let mut bo = Browser::of(&world, "bo");
    Browser::with_role(&world, "ada", Role::Admin);
    let id = account_of(&world, "ada").id.0;
    for path in ["/admin", "/admin/accounts", "/admin/invitations", "/admin/settings"] {
        assert_eq!(bo.get(path).status, StatusCode::FORBIDDEN, "{path}");
        assert!(Browser::new(&world).get(path).path.starts_with("/sign-in"), "{path}");
    }
    for path in ["suspension", "role", "reset", "approval", "decline", "restoration"] {
        let shown = bo.submit(&format!("/admin/accounts/{id}/{path}"), &[("role", "admin")]);
        assert_eq!(shown.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(
        bo.submit("/admin/settings", &[("site_name", "Mine"), ("sign_up", "open")]).status,
        StatusCode::FORBIDDEN
    );
}

#[test]
fn an_administrator_hands_over_a_link_for_a_new_password() {
    let world = World::new();
    let mut ada = Browser::with_role(&world, "ada", Role::Admin);
    Browser::of(&world, "bo");
    let id = account_of(&world, "bo").id.0;
    let page = ada.submit(&format!("/admin/accounts/{id}/reset"), &[]).ok();
    let path = page.between("https://us.test/reset", "</p>").unwrap().to_owned();
    Browser::new(&world).get(&format!("/reset{path}")).ok();
    let role = ada.submit(&format!("/admin/accounts/{id}/role"), &[("role", "moderator")]).ok();
    assert!(role.contains("moderator"));
}

#[test]
fn accounts_are_found_by_parts_of_their_names() {
    let world = World::new();
    for handle in ["ada", "bo_1", "box1"] {
        let new = new_account(&world, handle);
        world.tx(move |tx| create_by_admin(tx, &new, Role::Member));
    }
    let found = |text: &str| {
        let filter = Filter { text: text.into(), state: None };
        world.read(move |db| list(db, &filter, 0)).0.len()
    };
    assert_eq!((found(""), found("bo"), found("bo_"), found("%")), (3, 2, 1, 0));
}
