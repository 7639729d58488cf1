//! Are posts written, passed on, changed and deleted as the rules say, here and between servers?

mod mirror;
mod far;
mod pages;
mod relay;
mod rules;
mod wire;

use super::*;
use crate::actor::{ActorKind, NewActor, RemoteActor};
use crate::app::App;
use crate::config::Config;
use crate::db::Run;
use crate::db::schema::{activities, course_organizers, courses, deliveries, notices};
use crate::federation::outbox::{self, Audience};
use crate::federation::{Context, Received, wire as plain_wire};
use crate::id::InboxId;
use crate::tests::World;
use activitypub_federation::config::FederationConfig;
use diesel::{ExpressionMethods, JoinOnDsl, QueryDsl};
use serde_json::{Value, json};
use std::time::Duration;

/// A course row for a Group.
fn course_of(world: &World, group: &Actor, organizer: Option<ActorId>) -> Course {
    let group = group.id;
    world.tx(move |tx| {
        let row = (
            courses::actor_id.eq(group),
            courses::state.eq("listed"),
            courses::tagline.eq(""),
            courses::description_md.eq(""),
            courses::description_html.eq(""),
            courses::language.eq("en"),
            courses::license.eq("CC-BY-4.0"),
            courses::answer.eq(""),
            courses::created_at.eq(tx.now()),
        );
        let id: CourseId = diesel::insert_into(courses::table).values(row).returning(courses::id).get_result(tx)?;
        if let Some(actor) = organizer {
            let row = (
                course_organizers::course_id.eq(id),
                course_organizers::actor_id.eq(actor),
                course_organizers::created_at.eq(tx.now()),
            );
            diesel::insert_into(course_organizers::table).values(row).execute(tx)?;
        }
        course::get(tx, id)
    })
}

struct Scene {
    world: World,
    ada: Actor,
    bo: Actor,
    dov: Actor,
    group: Actor,
    course: Course,
}

/// Ada organizes, Bo and Dov follow, Dov from elsewhere.
fn scene() -> Scene {
    scene_in(World::new())
}

fn scene_in(world: World) -> Scene {
    let (ada, bo) = (world.person("ada"), world.person("bo"));
    let dov = world.person_elsewhere("dov", "south.test");
    let keys = world.keys();
    let group = world.tx(move |tx| {
        let new = NewActor { kind: ActorKind::Course, handle: "rust_101", name: "Rust 101", summary: "", keys: &keys };
        crate::actor::create(tx, &new)
    });
    let course = course_of(&world, &group, Some(ada.id));
    let (followers, followed) = ([bo.id, dov.id], group.id);
    world.tx(move |tx| {
        for who in followers {
            let uri = format!("https://x.test/follow/{}", who.0);
            follow::put(tx, who, followed, &uri, follow::FollowState::Accepted)?;
        }
        crate::federation::peer::learn(tx, "south.test", Some("hedgeschool"), None)
    });
    Scene { world, ada, bo, dov, group, course }
}

fn new_post(course: CourseId, title: &str, body: &str, answers: Option<&Post>) -> NewPost {
    NewPost {
        course_id: course,
        uri: None,
        in_reply_to: answers.map(|post| post.uri.clone()),
        anchor: None,
        title: title.into(),
        body_md: body.into(),
        body_html: format!("<p>{body}</p>"),
        published_at: Time(i64::MAX),
    }
}

impl Scene {
    fn say(&self, by: &Actor, title: &str, body: &str, answers: Option<&Post>) -> Post {
        let (by, new) = (by.clone(), new_post(self.course.id, title, body, answers));
        self.world.tx(move |tx| write(tx, &by, new))
    }

    fn refused(&self, by: &Actor, new: NewPost) -> String {
        let by = by.clone();
        self.world.attempt(move |tx| write(tx, &by, new)).unwrap_err().to_string()
    }

    /// Every activity that was sent, with the inboxes it goes to.
    fn sent(&self) -> Vec<(Value, Vec<String>)> {
        self.world.read(|db| {
            let rows: Vec<(crate::id::ActivityId, String)> =
                activities::table.order(activities::id).select((activities::id, activities::document)).load(db)?;
            let mut all = Vec::new();
            for (id, document) in rows {
                let to = deliveries::table.filter(deliveries::activity_id.eq(id)).select(deliveries::inbox);
                all.push((serde_json::from_str(&document)?, to.order(deliveries::inbox).load::<String>(db)?));
            }
            Ok(all)
        })
    }

    fn notices_of(&self, who: &Actor) -> Vec<String> {
        let who = who.id;
        self.world.read(move |db| {
            let rows = notices::table.filter(notices::actor_id.eq(who)).order(notices::id).select(notices::text);
            Ok(rows.load(db)?)
        })
    }

    fn app(&self) -> App {
        let mut config = Config::default();
        config.server.url = url::Url::parse("https://us.test").unwrap();
        App::new(config, self.world.pool.clone()).unwrap()
    }

    /// An activity arrives from `signer`.
    async fn arrives(&self, signer: &Actor, activity: Value) -> Result<()> {
        let app = self.app();
        let built = FederationConfig::builder().domain("us.test").app_data(app).build().await.unwrap();
        let context: Context = built.to_request_data();
        let got = Received::new(InboxId(1), signer.clone(), activity, self.world.clock.now());
        crate::dispatch::dispatch(&context, &got).await
    }

    fn post(&self, uri: &str) -> Option<Post> {
        let uri = uri.to_owned();
        self.world.read(move |db| find_by_uri(db, &uri))
    }
}

fn note(author: &Actor, group: &Actor, id: &str, content: &str) -> Value {
    json!({
        "id": format!("https://{}/o/{id}", author.host), "type": "Note", "attributedTo": author.uri,
        "to": [plain_wire::PUBLIC], "cc": [group.uri], "content": content, "published": "2026-09-01T07:00:00Z",
        "tag": [{"type": "Mention", "href": group.uri, "name": "@rust_101"}],
    })
}

fn activity(kind: &str, by: &Actor, object: Value) -> Value {
    let id = format!("https://{}/a/{kind}", by.host);
    plain_wire::activity(kind, &id, &by.uri, &[plain_wire::PUBLIC.into()], &[], object)
}
