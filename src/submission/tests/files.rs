//! Do files of work from elsewhere leave memory, disk and other servers in peace?

use super::super::apub;
use crate::actor::Actor;
use crate::assignment::Assignment;
use crate::config::Config;
use crate::db::Run;
use crate::db::schema::{inbox, media as rows};
use crate::error::{Error, Result};
use crate::federation::Received;
use crate::federation::town::Town;
use crate::id::InboxId;
use crate::media::{self, QUOTA};
use crate::tests::Study;
use diesel::{ExpressionMethods, QueryDsl};
use serde_json::json;
use std::time::Duration;

/// A learner of good.test, for whom an assignment here is open.
struct Far {
    town: Town,
    dov: Actor,
    open: Assignment,
    data: tempfile::TempDir,
}

async fn far(change: impl FnOnce(&mut Config)) -> Far {
    let study = Study::new();
    let open = study.open();
    let dov = study.world.person_elsewhere("dov", "good.test");
    study.enroll(&dov);
    let data = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.server.data = data.path().to_owned();
    change(&mut config);
    let town = Town::around(config, study.world, crate::routes::routes()).await;
    Far { town, dov, open, data }
}

impl Far {
    /// A file of good.test, or of that name none.
    fn file(&self, name: &str, content: Option<&str>) -> String {
        let address = self.town.uri("good", name);
        if let Some(content) = content {
            self.town.serve_as(&address, "text/plain", &json!(content));
        }
        address
    }

    /// Hands in with these files.
    async fn hand_in(&self, number: i64, files: &[String]) -> Result<()> {
        let uri = format!("{}/work", self.dov.uri);
        let attachment: Vec<_> = files.iter().map(|url| json!({"type": "Document", "url": url})).collect();
        let note = json!({"id": uri, "type": "Note", "attributedTo": self.dov.uri, "inReplyTo": self.open.uri,
            "content": format!("<p>{number}</p>"), "to": [self.open.uri], "attachment": attachment});
        let activity =
            json!({"id": format!("{uri}/{number}"), "type": "Update", "actor": self.dov.uri, "object": note});
        let got = Received::new(InboxId(number), self.dov.clone(), activity, self.town.now());
        apub::update(&self.town.config.to_request_data(), &got).await
    }

    fn on_disk(&self) -> usize {
        std::fs::read_dir(self.data.path().join("media")).map_or(0, Iterator::count)
    }

    fn kept(&self) -> i64 {
        self.town.world.read(|db| Ok(rows::table.count().get_result(db)?))
    }

    /// Lets the learner keep so many bytes here.
    fn fill(&self, size: i64) {
        let dov = self.dov.clone();
        self.town.world.tx(move |tx| {
            let kept = media::Kept {
                public_id: format!("before{size}"),
                name: "a".into(),
                media_type: "application/octet-stream",
                size,
                sha256: String::new(),
            };
            media::keep(tx, &dov, &kept)
        });
    }
}

#[tokio::test]
async fn files_come_in_by_and_by_and_what_is_refused_leaves_nothing() {
    let far = far(|config| config.server.max_upload = 100).await;
    let (one, none) = (far.file("a.txt", Some("é".repeat(20).as_str())), far.file("none.txt", None));
    let large = far.file("large.txt", Some("x".repeat(200).as_str()));
    far.hand_in(1, std::slice::from_ref(&one)).await.unwrap();
    assert_eq!((far.on_disk(), far.kept()), (1, 1));
    let kept: Vec<(String, i64)> =
        far.town.world.read(|db| Ok(rows::table.select((rows::media_type, rows::size)).load(db)?));
    assert_eq!(kept, [("application/octet-stream".to_owned(), 42)], "nobody said that it is text");
    assert!(matches!(far.hand_in(2, &[one.clone(), none]).await, Err(Error::Denied(_))));
    assert!(matches!(far.hand_in(3, &[one.clone(), large]).await, Err(Error::Invalid(_))));
    assert_eq!((far.on_disk(), far.kept()), (1, 1), "the first file of each is gone with the second");
    // Somebody else was faster with this very activity.
    let dov = far.dov.id;
    far.town.world.tx(move |tx| {
        let row = (
            inbox::id.eq(InboxId(4)),
            inbox::activity_uri.eq("https://good.test/4"),
            inbox::signer_id.eq(dov),
            inbox::type_.eq("Update"),
            inbox::body.eq("{}"),
            inbox::received_at.eq(tx.now()),
            inbox::vouched.eq("signature"),
            inbox::state.eq("done"),
            inbox::attempts.eq(0),
            inbox::next_at.eq(tx.now()),
            inbox::leased_until.eq(tx.now()),
        );
        diesel::insert_into(inbox::table).values(row).execute(tx)?;
        Ok(())
    });
    assert!(matches!(far.hand_in(4, &[one]).await, Err(Error::Conflict(_))));
    assert_eq!((far.on_disk(), far.kept()), (1, 1));
}

#[tokio::test]
async fn who_has_no_room_left_causes_no_download() {
    let far = far(|_| {}).await;
    let file = far.file("a.txt", Some("hello"));
    far.fill(QUOTA - 3);
    let refused = far.hand_in(1, std::slice::from_ref(&file)).await.unwrap_err();
    assert!(refused.to_string().contains("100 MiB"), "{refused}");
    let asked = far.town.touched("good").len();
    far.fill(3);
    let refused = far.hand_in(2, &[file]).await.unwrap_err();
    assert!(refused.to_string().contains("100 MiB"), "{refused}");
    assert_eq!((far.town.touched("good").len(), far.on_disk()), (asked, 0), "it is not even asked for");
}

#[tokio::test]
async fn files_count_among_what_one_activity_may_cause_and_wait_for_a_place() {
    let far = far(|config| {
        config.federation.fetches_per_activity = 3;
        config.federation.parallel_downloads = 1;
    })
    .await;
    let files: Vec<String> = (0..4).map(|n| far.file(&format!("{n}.txt"), Some("hello"))).collect();
    assert!(matches!(far.hand_in(1, &files).await, Err(Error::Denied(_))));
    assert!(far.town.touched("good").is_empty());
    let place = far.town.app.net().downloads.acquire().await.unwrap();
    let mut waiting = std::pin::pin!(far.hand_in(2, &files[..3]));
    assert!(tokio::time::timeout(Duration::from_millis(300), &mut waiting).await.is_err());
    assert!(far.town.touched("good").is_empty(), "one at a time");
    drop(place);
    waiting.await.unwrap();
    assert_eq!(far.kept(), 3);
}
