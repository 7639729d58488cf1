//! Can administrators see and decide about other servers, and nobody else?

use crate::account::Role;
use crate::db::Run;
use crate::db::schema::{deliveries, peers};
use crate::domain::{self, EVERY, NewRule, Severity};
use crate::federation::outbox::{self, Audience};
use crate::federation::peer;
use crate::federation::peer::book::{self, Filter};
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
