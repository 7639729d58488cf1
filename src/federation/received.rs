//! What does a door get when an activity comes in?

use super::{fetch, wire};
use crate::actor::Actor;
use crate::app::App;
use crate::clock::Time;
use crate::db::{Bell, Db, Kept, Run, Tx, schema::inbox};
use crate::error::{Error, Result};
use crate::id::{ActorId, InboxId};
use crate::link::same_host;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What doors of the federation are handed: the app, and how many fetches this activity may still cause.
pub type Context = activitypub_federation::config::Data<App>;

/// Things that one activity may be about.
const MOST_AT_ONCE: usize = 100;

/// Id, signer, how that is known, who brought it, and type of a row.
type Came = (String, ActorId, String, Option<ActorId>, String);

/// An activity whose signature, author and ids were checked, and which is on disk.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its row.
    pub id: InboxId,
    /// Whose it is: its `actor`. Who else brought it is of no account to doors.
    pub signer: Actor,
    /// The whole of it.
    pub activity: Value,
    /// When it arrived: what deadlines go by.
    pub received_at: Time,
    writing: Arc<AtomicBool>,
    settled: Arc<AtomicBool>,
}

impl Received {
    /// One that waits to be worked on.
    pub fn new(id: InboxId, signer: Actor, activity: Value, received_at: Time) -> Self {
        Self { id, signer, activity, received_at, writing: Arc::default(), settled: Arc::default() }
    }

    /// Becomes true when its effect is handed to the database: then it waits for nobody elsewhere any more.
    pub(super) fn writing(&self) -> Arc<AtomicBool> {
        self.writing.clone()
    }

    /// Whether a door settled it.
    pub fn is_settled(&self) -> bool {
        self.settled.load(Ordering::Acquire)
    }

    /// The object, when it is embedded; an empty document otherwise. The only one of a list is that one.
    pub fn object(&self) -> &Value {
        wire::only(self.activity.get("object").unwrap_or(&Value::Null))
    }

    /// The same with its object in it, as doors read it: what is named by its id alone is fetched from the signer's
    /// server, but never an id with a fragment (checklist 30), and a forum's private message is a Note. Nothing when it
    /// was as it should be.
    pub async fn unfolded(&self, context: &Context) -> Result<Option<Self>> {
        let mut object = match self.object() {
            Value::String(uri) if same_host(uri, &self.signer.uri) && !uri.contains('#') => {
                fetch::document(context, uri).await?
            }
            embedded if wire::kind(embedded) == Some("ChatMessage") => embedded.clone(),
            _ => return Ok(None),
        };
        if wire::kind(&object) == Some("ChatMessage")
            && let Some(fields) = object.as_object_mut()
        {
            fields.insert("type".into(), "Note".into());
        }
        let mut unfolded = self.clone();
        if let Some(fields) = unfolded.activity.as_object_mut() {
            fields.insert("object".into(), object);
        }
        Ok(Some(unfolded))
    }

    /// The body as it came in, byte for byte, for passing it on: what was signed inside it must stay as it is.
    pub fn as_it_came(&self, db: &mut Db) -> Result<String> {
        let row = inbox::table.find(self.id).select((inbox::activity_uri, inbox::body));
        let found: Option<(String, String)> = row.first(db).optional()?;
        let same = found.filter(|(uri, _)| wire::text(&self.activity, "id") == Some(uri));
        Ok(same.map_or_else(|| self.activity.to_string(), |(_, body)| body))
    }

    /// Puts an activity about several things in as many about one each, which follow it in its lane.
    pub async fn unpack(&self, context: &Context) -> Result<()> {
        let all = self.activity.get("object").and_then(Value::as_array).cloned().unwrap_or_default();
        if all.len() > MOST_AT_ONCE {
            return Err(Error::denied("That is too much at once."));
        }
        let (id, whole, received_at) = (self.id, self.activity.clone(), self.received_at);
        self.settle(context, move |tx| {
            let columns = (inbox::activity_uri, inbox::signer_id, inbox::vouched, inbox::forwarder_id, inbox::type_);
            let came: Came = inbox::table.find(id).select(columns).first(tx)?;
            let (uri, signer, vouched, forwarder, kind) = came;
            let now = tx.now();
            for (number, object) in all.into_iter().enumerate() {
                let (mut one, uri) = (whole.clone(), format!("{uri}#{number}"));
                if let Some(fields) = one.as_object_mut() {
                    fields.insert("id".into(), uri.clone().into());
                    fields.insert("object".into(), object);
                }
                let row = (
                    inbox::activity_uri.eq(uri),
                    inbox::signer_id.eq(signer),
                    inbox::vouched.eq(&vouched),
                    inbox::forwarder_id.eq(forwarder),
                    inbox::type_.eq(&kind),
                    inbox::body.eq(one.to_string()),
                    inbox::received_at.eq(received_at),
                    inbox::state.eq("pending"),
                    inbox::attempts.eq(0),
                    inbox::next_at.eq(now),
                    inbox::leased_until.eq(Time(0)),
                );
                let new = diesel::insert_into(inbox::table).values(row);
                new.on_conflict(inbox::activity_uri).do_nothing().execute(tx)?;
            }
            tx.ring(Bell::Inbox);
            Ok(())
        })
        .await
    }

    /// Runs the verb and marks the activity as done in one transaction, so that it takes effect exactly once: also when
    /// another process took it over because our lease ran out.
    pub async fn settle<T: Send + 'static>(
        &self,
        context: &Context,
        verb: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let id = self.id;
        let app: &App = context.app_data();
        self.writing.store(true, Ordering::Release);
        let done = app
            .write_behind(move |tx| {
                claim(tx, id)?;
                verb(tx)
            })
            .await?;
        self.settled.store(true, Ordering::Release);
        Ok(done)
    }
}

/// Marks it as done, first of all: whoever else is at it waits here for our commit, and goes no further.
fn claim(tx: &mut Tx<'_>, id: InboxId) -> Result<()> {
    let mine = inbox::table.find(id).filter(inbox::state.eq("pending"));
    if Kept(diesel::update(mine).set(inbox::state.eq("done"))).execute(tx)? == 1 {
        return Ok(());
    }
    let others: i64 = inbox::table.find(id).count().get_result(tx)?;
    if others > 0 { Err(Error::Conflict("This was worked off already.".into())) } else { Ok(()) }
}
