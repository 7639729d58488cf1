//! Can administrators see and decide about other servers, and nobody else?

use crate::account::Role;
use crate::db::Run;
use crate::db::schema::{deliveries, inbox, peers, settings};
use crate::domain::{self, EVERY, NewRule, Severity};
use crate::federation::outbox::{self, Audience};
use crate::federation::peer;
use crate::federation::peer::book::{self, Filter};
use crate::federation::peer::trouble;
use crate::federation::wire;
use crate::tests::{Browser, World};
use axum::http::StatusCode;
use diesel::{ExpressionMethods, QueryDsl};
use serde_json::json;

/// Something waits for masto.test, which failed.
fn world() -> World {
    let world = World::new();
    let (ada, bob) = (world.person("writer"), world.person_elsewhere("bob", "masto.test"));
    world.tx(move |tx| {
        peer::learn(tx, "masto.test", Some("mastodon"), Some("4.6.5"))?;
        peer::learn(tx, "lemmy.test", Some("lemmy"), Some("0.19"))?;
        let id = tx.links().activity(&tx.new_id());
        let activity = wire::activity("Create", &id, &ada.uri, &[], &[], json!("https://us.test/o/1"));
        outbox::send(tx, &ada, &activity, "https://us.test/o/1", &Audience::people([&bob]))?;
        let now = tx.now();
        diesel::update(peers::table.filter(peers::host.eq("masto.test")))
            .set((
                peers::state.eq("failing"),
                peers::due_at.eq(Some(now.plus(std::time::Duration::from_secs(4000)))),
                peers::last_failure_at.eq(Some(now)),
                peers::last_error.eq(Some("answered 503 <b>")),
            ))
            .execute(tx)?;
        Ok(())
    });
    world
}

#[test]
fn an_administrator_sees_every_server_and_what_is_wrong() {
    let world = world();
    let mut ada = Browser::with_role(&world, "ada", Role::Admin);
    assert!(!ada.get("/admin").ok().contains("not reached for seven days"));
    let page = ada.get("/admin/federation").ok();
    assert!(
        page.contains("masto.test") && page.contains("mastodon 4.6.5") && page.contains("answered 503 &#60;b&#62;")
    );
    let page = ada.get("/admin/federation?q=MASTO&state=failing&software=mastodon").ok();
    assert!(page.contains("masto.test") && !page.contains("/admin/federation/lemmy.test"));
    assert!(ada.get("/admin/federation?q=nothing").ok().contains("No server found"));
    let page = ada.get("/admin/federation/masto.test").ok();
    assert!(page.contains("https://masto.test/u/bob/inbox") && page.contains("Create"));
    let page =
        ada.submit_form("/admin/federation/masto.test", "/admin/federation/masto.test/note", &[("note", "Ask Eve")]);
    assert!(page.ok().contains("Ask Eve"));
    ada.submit_form("/admin/federation/masto.test", "/admin/federation/masto.test/retry", &[]).ok();
    let due: Option<crate::clock::Time> =
        world.read(|db| Ok(peers::table.filter(peers::host.eq("masto.test")).select(peers::due_at).first(db)?));
    assert_eq!(due, Some(world.clock.now()));
    assert_eq!(ada.get("/admin/federation/nobody.test").status, StatusCode::NOT_FOUND);
    world.tx(|tx| {
        let line = peers::table.filter(peers::host.eq("masto.test"));
        diesel::update(line).set(peers::state.eq("unreachable")).execute(tx)?;
        Ok(())
    });
    assert!(ada.get("/admin").ok().contains("1 server was not reached for seven days"));
}

#[test]
fn nobody_but_administrators_sees_or_decides_anything() {
    let world = world();
    for role in [Role::Member, Role::Moderator] {
        let mut eve = Browser::with_role(&world, &format!("eve_{role}"), role);
        for path in ["", "/masto.test", "/rules", "/rule?domain=masto.test", "/import", "/export"] {
            let path = format!("/admin/federation{path}");
            assert_eq!(eve.get(&path).status, StatusCode::FORBIDDEN, "{path}");
        }
        let token = eve.token();
        for path in
            ["/masto.test/retry", "/masto.test/test", "/masto.test/note", "/rule", "/lifting", "/others", "/imported"]
        {
            let body = format!("csrf={token}&domain=masto.test&severity=suspend&others=suspend&list=a.test");
            let path = format!("/admin/federation{path}");
            let kind = "application/x-www-form-urlencoded";
            let sent = eve.send(axum::http::Method::POST, &path, kind, body.into_bytes());
            assert!(matches!(sent.status, StatusCode::FORBIDDEN), "{path}: {}", sent.status);
        }
    }
    assert_eq!(world.read(domain::count), 0);
}

#[test]
fn a_block_is_previewed_decided_shown_and_taken_back() {
    let world = world();
    let mut ada = Browser::with_role(&world, "ada", Role::Admin);
    assert!(ada.get("/admin/federation/rule?domain=nonsense").ok().contains("Please give the name of a server"));
    let page = ada.get("/admin/federation/rule?domain=https://masto.test/about").ok();
    assert!(page.contains("<dt>waiting deliveries</dt><dd>1</dd>") && page.contains("There is no rule"));
    let fields =
        [("severity", "suspend"), ("public_comment", "Spam <i>"), ("obfuscate", "on"), ("private_comment", "x")];
    let path = "/admin/federation/rule?domain=masto.test";
    let page = ada.submit_form(path, "/admin/federation/rule", &fields).ok();
    assert!(page.contains("The rule for masto.test holds") && page.contains("masto.test"));
    let dropped: i64 =
        world.read(|db| Ok(deliveries::table.filter(deliveries::state.eq("dropped")).count().get_result(db)?));
    assert_eq!(dropped, 1);
    let mut nobody = Browser::new(&world);
    let page = nobody.get("/blocked").ok();
    assert!(page.contains("ma***.**st") && page.contains("Spam &#60;i&#62;") && !page.contains("masto.test"));
    let page = ada.submit_form("/admin/federation/masto.test", "/admin/federation/masto.test/retry", &[]).ok();
    assert!(page.contains("blocked here"));
    let page = ada.submit_form("/admin/federation/masto.test", "/admin/federation/masto.test/test", &[]).ok();
    assert!(page.contains("nothing was sent"));
    let page = ada.submit_form(path, "/admin/federation/lifting", &[]).ok();
    assert!(page.contains("There is no rule for masto.test any more"));
    assert!(nobody.get("/blocked").ok().contains("No server is listed"));
    assert_eq!(ada.submit("/admin/federation/rules", &[("others", "nonsense")]).status, StatusCode::METHOD_NOT_ALLOWED);
}

#[test]
fn an_allow_list_is_switched_on_and_said_to_everyone() {
    let world = world();
    let mut ada = Browser::with_role(&world, "ada", Role::Admin);
    for (severity, said) in
        [("suspend", "talks only to servers"), ("limit", "need approval"), ("admit", "No server is listed")]
    {
        ada.submit_form("/admin/federation/rules", "/admin/federation/others", &[("others", severity)]).ok();
        assert!(Browser::new(&world).get("/blocked").ok().contains(said), "{severity}");
    }
    assert!(world.read(|db| domain::find(db, EVERY)).is_none());
}

#[test]
fn a_list_is_reviewed_before_it_is_applied_and_comes_out_again() {
    let world = world();
    world.tx(|tx| domain::put(tx, None, &NewRule::of("slow.test", Severity::Limit)));
    let mut ada = Browser::with_role(&world, "ada", Role::Admin);
    let list = b"#domain,#severity,#public_comment\nevil.test,suspend,\"Spam, much\"\nslow.test,suspend,\nev*l.test,suspend,\n";
    let files: [(&str, &str, &str, &[u8]); 1] = [("file", "blocks.csv", "text/csv", list)];
    let page = ada.submit_files("/admin/federation/import", &[], &files).ok();
    assert!(page.contains("Line 4") && page.contains("hidden by asterisks") && page.contains("Spam, much"));
    assert_eq!(world.read(domain::count), 1, "nothing is applied yet");
    let text = String::from_utf8(list.to_vec()).unwrap();
    let fields = [("list", text.as_str()), ("csrf", "")];
    let token = ada.token();
    let fields = [fields[0], ("csrf", token.as_str())];
    let body = serde_urlencoded::to_string(fields).unwrap();
    let kind = "application/x-www-form-urlencoded";
    ada.send(axum::http::Method::POST, "/admin/federation/imported", kind, body.into_bytes());
    assert!(world.read(|db| domain::standing(db, "evil.test")).is_suspended());
    assert!(world.read(|db| domain::standing(db, "slow.test")).is_limited(), "kept");
    let page = ada.get("/admin/federation/export").ok();
    assert!(page.contains("evil.test,suspend,false,false,\"Spam, much\",false"));
    assert!(page.header("content-disposition").contains("domain_blocks.csv"));
    let page = ada.submit_files("/admin/federation/import", &[], &[("file", "x", "text/csv", b"\xff\xfe")]);
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[test]
fn ten_thousand_servers_are_listed_by_index() {
    let world = World::new();
    world.tx(|tx| (0..120).try_for_each(|n| peer::learn(tx, &format!("h{n:05}.test"), Some("mastodon"), None)));
    let (rows, more) = world.read(|db| book::list(db, &Filter::default(), 2));
    assert_eq!((rows.len(), more, rows[0].peer.host.as_str()), (20, false, "h00100.test"));
    let (rows, more) = world.read(|db| book::list(db, &Filter { letters: "h0011".into(), ..Filter::default() }, 0));
    assert_eq!((rows.len(), more), (10, false));
}

#[test]
fn what_was_given_up_and_what_came_in_without_effect_is_shown_and_tried_again() {
    let world = world();
    let bob = world.person_elsewhere("bob", "masto.test");
    world.tx(move |tx| {
        let refused = (deliveries::state.eq("dropped"), deliveries::last_error.eq(Some("answered 403 <i>")));
        diesel::update(deliveries::table).set(refused).execute(tx)?;
        for (number, state) in ["failed", "refused"].into_iter().enumerate() {
            let row = (
                inbox::activity_uri.eq(format!("{}/a/{number}", bob.uri)),
                inbox::signer_id.eq(bob.id),
                inbox::vouched.eq("signature"),
                inbox::type_.eq("Create"),
                inbox::body.eq("{}"),
                inbox::received_at.eq(tx.now()),
                inbox::state.eq(state),
                inbox::attempts.eq(10),
                inbox::next_at.eq(tx.now()),
                inbox::leased_until.eq(crate::clock::Time(0)),
                inbox::reason.eq(Some(format!("{state} <u>"))),
            );
            diesel::insert_into(inbox::table).values(row).execute(tx)?;
        }
        Ok(())
    });
    let mut ada = Browser::with_role(&world, "ada", Role::Admin);
    assert!(ada.get("/admin").ok().contains("1 activity from other servers could not be worked on"));
    assert!(ada.get("/admin/federation").ok().contains("<td data-label=\"Given up\">1</td>"));
    let path = "/admin/federation/masto.test";
    let page = ada.get(path).ok();
    for text in ["answered 403 &#60;i&#62;", "failed &#60;u&#62;", "refused &#60;u&#62;"] {
        assert!(page.contains(text), "{text}");
    }
    let states = |world: &World| -> Vec<String> {
        world.read(|db| Ok(inbox::table.order(inbox::id).select(inbox::state).load(db)?))
    };
    ada.submit_form(path, &format!("{path}/received/1"), &[]).ok();
    assert_eq!(states(&world), ["pending", "refused"]);
    assert!(ada.get(path).ok().contains("<dt>Came in and waits</dt><dd>1</dd>"));
    // What was refused stays so.
    let (token, kind) = (ada.token(), "application/x-www-form-urlencoded");
    let body = format!("csrf={token}").into_bytes();
    let sent = ada.send(axum::http::Method::POST, &format!("{path}/received/2"), kind, body);
    assert_eq!((sent.status, states(&world)[1].as_str()), (StatusCode::NOT_FOUND, "refused"));
    let now = world.clock.now();
    assert_eq!(world.read(move |db| trouble::troubles(db, now)).failed, 0);
}

#[test]
fn trouble_comes_first_rules_are_shown_beside_the_line_and_a_pause_is_said() {
    let world = world();
    world.tx(|tx| {
        peer::learn(tx, "a.test", None, None)?;
        domain::put(tx, None, &NewRule::of("masto.test", Severity::Limit))
    });
    let mut ada = Browser::with_role(&world, "ada", Role::Admin);
    let page = ada.get("/admin/federation").ok();
    let at = |name: &str| page.text.find(&format!("/admin/federation/{name}\"")).unwrap();
    assert!(at("masto.test") < at("a.test"), "trouble first, then by name");
    assert!(page.contains("data-state=\"failing\"") && page.contains("limited</span>"));
    let page = ada.get("/admin/federation?rule=limit").ok();
    assert!(page.contains("/admin/federation/masto.test") && !page.contains("/admin/federation/a.test"));
    assert!(ada.get("/admin/federation?rule=suspend").ok().contains("No server found"));
    let page = ada.get("/admin").ok();
    assert!(page.contains("The last delivery to 1 server failed") && !page.contains("Nothing goes out"));
    world.tx(|tx| {
        let row = (settings::key.eq("deliveries_paused"), settings::value.eq("true"));
        diesel::insert_into(settings::table).values(row).execute(tx)?;
        Ok(())
    });
    world.pass(std::time::Duration::from_secs(25 * 3600));
    let page = ada.get("/admin").ok();
    assert!(page.contains("Nothing goes out") && page.contains("1 delivery waits for more than a day"));
    assert!(ada.get("/admin/federation").ok().contains("hedgeschool resume"));
    assert!(ada.get("/admin/federation/masto.test").ok().contains("hedgeschool resume"));
}

#[test]
fn a_list_of_names_alone_blocks_nobody_unless_that_is_chosen() {
    let world = world();
    let mut ada = Browser::with_role(&world, "ada", Role::Admin);
    let files: [(&str, &str, &str, &[u8]); 1] = [("file", "allows.csv", "text/csv", b"#domain\nfriend.test\n")];
    let page = ada.submit_files("/admin/federation/import", &[], &files);
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("The list has names alone"));
    let page = ada.submit_files("/admin/federation/import", &[("names", "admit")], &files).ok();
    assert!(page.contains("friend.test") && page.contains("name=\"names\" value=\"admit\""));
    let token = ada.token();
    let fields = [("list", "#domain\nfriend.test\n"), ("names", "admit"), ("csrf", token.as_str())];
    let body = serde_urlencoded::to_string(fields).unwrap();
    let kind = "application/x-www-form-urlencoded";
    ada.send(axum::http::Method::POST, "/admin/federation/imported", kind, body.into_bytes());
    assert_eq!(world.read(|db| domain::find(db, "friend.test")).unwrap().severity, Severity::Admit);
    let page = ada.get("/admin/federation/export?severity=admit").ok();
    assert!(
        page.contains("#domain\nfriend.test\n") && page.header("content-disposition").contains("domain_allows.csv")
    );
}
