//! Can people walk through a course by its pages: propose, list, plan, enroll, look at the roster, search?

use crate::account::Role;
use crate::tests::{Browser, World};

const PROPOSAL: [(&str, &str); 6] = [
    ("title", "Knots & bends"),
    ("handle", ""),
    ("tagline", "Tie them"),
    ("description", "For *everyone* <script>alert(1)</script>"),
    ("language", "en"),
    ("license", "CC0-1.0"),
];

/// Ada's course "knots_bends", listed by Chi, with an open run.
fn walk<'a>(world: &'a World, enrolling: &str) -> (Browser<'a>, Browser<'a>) {
    let (mut ada, mut chi) = (Browser::of(world, "ada"), Browser::with_role(world, "chi", Role::Moderator));
    ada.submit("/courses", &PROPOSAL).ok();
    chi.submit("/c/knots_bends/listing", &[]).ok();
    let run = [
        ("name", "Autumn"),
        ("starts_on", "2026-09-15"),
        ("ends_on", "2026-12-01"),
        ("zone", "UTC"),
        ("seats", "1"),
        ("enrolling", enrolling),
    ];
    ada.submit("/c/knots_bends/cohorts", &run).ok();
    let page = ada.get("/c/knots_bends").ok();
    let opening = page.between("action=\"/cohorts/", "/opening").unwrap().to_owned();
    ada.submit(&format!("/cohorts/{opening}/opening"), &[]).ok();
    (ada, chi)
}

fn enroll(browser: &mut Browser<'_>) -> crate::tests::Shown {
    let page = browser.get("/c/knots_bends").ok();
    let id = page.between("action=\"/cohorts/", "/enrollment").expect("a way to enroll").to_owned();
    browser.submit(&format!("/cohorts/{id}/enrollment"), &[("message", "I like rope")])
}

#[test]
fn a_course_is_proposed_wished_for_and_listed_by_pages() {
    let world = World::new();
    let (mut ada, mut chi) = (Browser::of(&world, "ada"), Browser::with_role(&world, "chi", Role::Moderator));
    ada.get("/propose").ok();
    let mut broken = PROPOSAL;
    broken[2].1 = "";
    let again = ada.submit("/courses", &broken);
    assert_eq!(again.status, 422);
    assert!(again.contains("Knots &#38; bends") && again.contains("f-tagline-problem"), "{}", again.text);
    let made = ada.submit("/courses", &PROPOSAL).ok();
    assert_eq!(made.path, "/c/knots_bends");
    assert!(!made.contains("<script>"), "{}", made.text);
    assert_eq!(Browser::new(&world).get("/c/knots_bends").status, 404);
    assert!(chi.get("/admin/proposals").ok().contains("Knots"));
    assert_eq!(ada.get("/admin/proposals").status, 403);
    assert_eq!(chi.submit("/c/knots_bends/wish", &[("wish", " ")]).status, 422);
    chi.submit("/c/knots_bends/wish", &[("wish", "Say for whom.")]).ok();
    assert!(ada.get("/c/knots_bends").ok().contains("Say for whom."));
    ada.get("/c/knots_bends/edit").ok();
    ada.submit("/c/knots_bends/edit", &PROPOSAL).ok();
    ada.submit("/c/knots_bends/organizers", &[("organizer", "chi")]).ok();
    ada.submit("/c/knots_bends/review", &[]).ok();
    ada.get("/c/knots_bends/withdrawal").ok();
    chi.submit("/c/knots_bends/listing", &[]).ok();
    let list = Browser::new(&world).get("/courses?place=here").ok();
    assert!(list.contains("/c/knots_bends"), "{}", list.text);
    assert!(Browser::new(&world).get("/search?q=knots").ok().contains("/c/knots_bends"));
    ada.get("/c/knots_bends/archive").ok();
}

#[test]
fn people_enroll_wait_and_leave_by_pages() {
    let world = World::new();
    let (mut ada, _) = walk(&world, "open");
    let stranger = Browser::new(&world).get("/c/knots_bends").ok();
    assert!(stranger.contains("Sign in to enroll") && stranger.contains("@knots_bends@us.test"), "{}", stranger.text);
    let (mut bo, mut eve) = (Browser::of(&world, "bo"), Browser::of(&world, "eve"));
    assert!(enroll(&mut bo).ok().contains("you take part"));
    assert!(enroll(&mut eve).ok().contains("waiting list"));
    assert!(bo.get("/c/knots_bends/people").ok().contains("Roster"));
    assert!(!Browser::new(&world).get("/c/knots_bends/people").ok().contains("@bo@us.test"));
    let roster = ada.get("/c/knots_bends/people").ok();
    assert!(roster.contains("Take off") && roster.contains("Waiting list"), "{}", roster.text);
    let page = bo.get("/c/knots_bends").ok();
    let place = page.between("/enrollments/", "/leaving").unwrap().to_owned();
    bo.get(&format!("/enrollments/{place}/leaving")).ok();
    assert_eq!(eve.get(&format!("/enrollments/{place}/leaving")).status, 404);
    assert_eq!(eve.submit(&format!("/enrollments/{place}/removal"), &[]).status, 404);
    bo.submit(&format!("/enrollments/{place}/leaving"), &[]).ok();
    assert!(eve.get("/c/knots_bends").ok().contains("you take part"));
    assert!(bo.submit("/c/knots_bends/follow", &[]).ok().contains("No longer follow"));
    bo.submit("/c/knots_bends/unfollow", &[]).ok();
}

#[test]
fn applications_are_answered_by_pages() {
    let world = World::new();
    let (mut ada, _) = walk(&world, "moderated");
    let mut bo = Browser::of(&world, "bo");
    assert!(enroll(&mut bo).ok().contains("applied"));
    let roster = ada.get("/c/knots_bends/people?list=applications").ok();
    assert!(roster.contains("I like rope"), "{}", roster.text);
    let place = roster.between("/enrollments/", "/acceptance").unwrap().to_owned();
    ada.submit(&format!("/enrollments/{place}/acceptance"), &[]).ok();
    assert!(bo.get("/c/knots_bends").ok().contains("you take part"));
    ada.get(&format!("/enrollments/{place}/removal")).ok();
    ada.submit(&format!("/enrollments/{place}/removal"), &[]).ok();
    assert!(bo.get("/c/knots_bends").ok().contains("removed"));
    let edit = ada.get("/c/knots_bends").ok().between("href=\"/cohorts/", "/edit").unwrap().to_owned();
    ada.get(&format!("/cohorts/{edit}/edit")).ok();
    ada.get(&format!("/cohorts/{edit}/end")).ok();
    assert_eq!(ada.get(&format!("/cohorts/{edit}")).ok().path, "/c/knots_bends");
}

#[test]
fn a_syllabus_is_written_without_script_and_a_second_editor_is_told() {
    let world = World::new();
    let (mut ada, _) = walk(&world, "open");
    let at = "/c/knots_bends/syllabus/edit";
    ada.get(at).ok();
    let added = ada.submit(at, &[("base", "0"), ("do", "add-unit")]).ok();
    assert!(added.contains("name=\"unit-0-title\""), "{}", added.text);
    let unit =
        [("base", "0"), ("unit-0-title", "Bowline"), ("unit-0-summary", "The *king*"), ("unit-0-task-0-title", "Tie")];
    let moved = ada.submit(at, &[unit[0], unit[1], unit[2], unit[3], ("do", "add-resource-0")]).ok();
    assert!(moved.contains("Bowline") && moved.contains("unit-0-resource-0-url"), "{}", moved.text);
    let refused = ada.submit(at, &[unit[0], unit[1], ("unit-0-task-0-title", ""), ("do", "save")]);
    assert_eq!(refused.status, 422);
    let saved = ada.submit(at, &[unit[0], unit[1], unit[2], unit[3], ("do", "save")]).ok();
    assert!(saved.contains("<em>king</em>") && saved.path.ends_with("/syllabus"), "{}", saved.text);
    let late = ada.submit(at, &[unit[0], ("unit-0-title", "Clove"), ("do", "save")]);
    assert_eq!(late.status, 409);
    assert!(late.contains("Clove") && late.contains("name=\"base\" value=\"1\""), "{}", late.text);
    assert!(ada.get("/c/knots_bends/syllabus/versions").ok().contains("Version 1"));
    assert!(Browser::new(&world).get("/c/knots_bends/syllabus/versions/1").ok().contains("Bowline"));
    assert_eq!(Browser::new(&world).get("/c/knots_bends/syllabus/versions/9").status, 404);
}

#[test]
fn other_servers_get_documents_at_the_same_address() {
    let world = World::new();
    let _ = walk(&world, "open");
    let mut server = Browser::new(&world);
    server.headers.push(("accept", "application/activity+json".into()));
    let group = server.get("/c/knots_bends").ok();
    assert_eq!(group.header("content-type"), "application/activity+json");
    assert!(group.contains("\"preferredUsername\":\"knots_bends\""), "{}", group.text);
    assert!(server.get("/c/knots_bends/moderators").ok().contains("/u/ada"));
    assert!(server.get("/c/knots_bends/featured").ok().contains("\"totalItems\":0"));
}

#[test]
fn only_people_who_are_signed_in_make_us_ask_other_servers() {
    let world = World::new();
    let mut stranger = Browser::new(&world);
    stranger.follows = false;
    let answer = stranger.get("/search?q=@knots@north.test");
    assert_eq!((answer.status.as_u16(), answer.header("location").split('?').next()), (303, Some("/sign-in")));
    let mut bo = Browser::of(&world, "bo");
    assert!(bo.get("/search?q=nothing+like+it").ok().contains("Nothing found"));
    assert!(bo.get("/courses").ok().contains("No course yet"));
}
