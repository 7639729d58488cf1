//! What does a verb hold while it changes something?

use super::{Db, Run, schema::events};
use crate::chance::Chance;
use crate::clock::{Clock, Time};
use crate::error::{Error, Result};
use crate::event::{Event, Happened};
use crate::id::{ActorId, public_id};
use crate::link::Links;
use diesel::ExpressionMethods;
use std::collections::{HashSet, VecDeque};
use std::ops::{Deref, DerefMut};
use tokio::sync::Notify;

/// What follows each event, in the same transaction.
pub type Effects = fn(&mut Tx<'_>, &Event) -> Result<()>;

/// Bounds that verbs keep to; from the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Posts and changes of one author that a course passes on in a minute (DOS-07).
    pub relays_per_author: u32,
    /// The same of everyone together, for one course.
    pub relays_per_course: u32,
    /// Posts by strangers that wait for the organizers of one course.
    pub held_per_course: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { relays_per_author: 30, relays_per_course: 600, held_per_course: 200 }
    }
}

/// What every transaction is surrounded by: time, chance, addresses, bounds, what follows, and whom to wake.
#[derive(Clone)]
pub struct Surroundings {
    /// Tells the time.
    pub clock: Clock,
    /// Draws lots.
    pub chance: Chance,
    /// Makes addresses.
    pub links: Links,
    /// Bounds.
    pub limits: Limits,
    /// What follows each event.
    pub effects: Effects,
    /// Wakes workers after the commit.
    pub bells: std::sync::Arc<Bells>,
}

/// Which worker has something new to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bell {
    /// Activities came in.
    Inbox,
    /// Activities are to go out.
    Deliveries,
    /// A job was planned or moved.
    Jobs,
    /// A letter is to be sent.
    Letters,
    /// The disk failed under the database: the process shall end.
    Broken,
}

/// The bells of all workers.
#[derive(Debug, Default)]
pub struct Bells([Notify; 5]);

impl Bells {
    /// Wakes the worker, now or when it next waits.
    pub fn ring(&self, bell: Bell) {
        self.of(bell).notify_one();
    }

    /// Returns when the bell was rung.
    pub async fn wait(&self, bell: Bell) {
        self.of(bell).notified().await;
    }

    fn of(&self, bell: Bell) -> &Notify {
        let [inbox, deliveries, jobs, letters, broken] = &self.0;
        match bell {
            Bell::Inbox => inbox,
            Bell::Deliveries => deliveries,
            Bell::Jobs => jobs,
            Bell::Letters => letters,
            Bell::Broken => broken,
        }
    }
}

/// A transaction: the only way to change something. Reads like a [`Db`].
pub struct Tx<'a> {
    db: &'a mut Db,
    around: &'a Surroundings,
    now: Time,
    happened: VecDeque<Event>,
    pub(super) rung: Vec<Bell>,
    due: HashSet<String>,
}

impl Deref for Tx<'_> {
    type Target = Db;
    fn deref(&self) -> &Db {
        self.db
    }
}

impl DerefMut for Tx<'_> {
    fn deref_mut(&mut self) -> &mut Db {
        self.db
    }
}

/// An event may cause others, but not without end.
const MOST_EVENTS: usize = 100_000;

impl<'a> Tx<'a> {
    pub(super) fn new(db: &'a mut Db, around: &'a Surroundings) -> Self {
        Self { db, around, now: around.clock.now(), happened: VecDeque::new(), rung: Vec::new(), due: HashSet::new() }
    }

    /// When this transaction happens; the same moment throughout.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Chance, for ids and lots.
    pub fn chance(&self) -> Chance {
        self.around.chance.clone()
    }

    /// A new random identifier.
    pub fn new_id(&self) -> String {
        public_id(&self.around.chance)
    }

    /// The addresses of this instance.
    pub fn links(&self) -> &'a Links {
        &self.around.links
    }

    /// The bounds that verbs keep to.
    pub fn limits(&self) -> Limits {
        self.around.limits
    }

    /// Says what happened. What follows from it is done before the commit.
    pub fn record(&mut self, by: Option<ActorId>, what: Happened) -> Result<()> {
        let text = serde_json::to_value(&what)?;
        let data = text.get("data").unwrap_or(&serde_json::Value::Null).to_string();
        diesel::insert_into(events::table)
            .values((
                events::at.eq(self.now),
                events::by_actor_id.eq(by),
                events::kind.eq(what.kind()),
                events::data.eq(data),
            ))
            .execute(self.db)?;
        self.happened.push_back(Event { at: self.now, by, what });
        Ok(())
    }

    /// Wakes a worker after the commit.
    pub fn ring(&mut self, bell: Bell) {
        if !self.rung.contains(&bell) {
            self.rung.push(bell);
        }
    }

    /// Whether this is the first time in this transaction that something is queued for this server.
    pub fn is_first_for(&mut self, host: &str) -> bool {
        !self.due.contains(host) && self.due.insert(host.to_owned())
    }

    /// Does what follows from all that was recorded, and from what that records.
    pub(super) fn follow_up(&mut self) -> Result<()> {
        for _ in 0..MOST_EVENTS {
            let Some(event) = self.happened.pop_front() else { return Ok(()) };
            (self.around.effects)(self, &event)?;
        }
        Err(Error::internal("events cause each other without end"))
    }
}
