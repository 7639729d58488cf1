//! What is asked of learners, by when, and how is it judged?

pub mod rubric;
mod store;

use crate::clock::Time;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::id::{ActorId, AssignmentId, CohortId};
use crate::words;
use diesel::{Queryable, Selectable};

words! {
    /// How far an assignment is.
    pub enum AssignmentState {
        /// Only organizers see it.
        Draft = "draft",
        /// Can be worked on.
        Open = "open",
        /// Work is out for review.
        Review = "review",
        /// Reviews and results are out.
        Released = "released",
        /// Over.
        Closed = "closed",
    }
}

words! {
    /// Who may see what is handed in.
    pub enum Visibility {
        /// The course and allocated reviewers.
        Private = "private",
        /// Everyone, when the author hands in publicly.
        Public = "public",
    }
}

/// What is asked.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = crate::db::schema::assignments)]
pub struct Assignment {
    /// Key inside.
    pub id: AssignmentId,
    /// In URLs.
    pub public_id: String,
    /// The id of its Page.
    pub uri: String,
    /// In which cohort.
    pub cohort_id: CohortId,
    /// Who wrote it.
    pub author_id: ActorId,
    /// What it is called.
    pub title: String,
    /// One plain sentence.
    pub summary: String,
    /// Markdown; empty when mirrored.
    pub body_md: String,
    /// Cleaned HTML.
    pub body_html: String,
    /// [`rubric::Rubric`] as JSON.
    pub rubric: String,
    /// Its content hash.
    pub rubric_hash: String,
    /// How many reviews each submission gets.
    pub reviews_each: i64,
    /// Who may see what is handed in.
    pub visibility: Visibility,
    /// When hand-in ends.
    pub due_at: Time,
    /// When reviewing ends.
    pub review_due_at: Time,
    /// How far it is.
    pub state: AssignmentState,
    /// When it was drafted.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
    /// When it was opened.
    pub opened_at: Option<Time>,
    /// When reviews were released.
    pub released_at: Option<Time>,
}

impl Assignment {
    /// Its page on this instance.
    pub fn path(&self) -> String {
        format!("/assignments/{}", self.public_id)
    }

    /// How it is judged.
    pub fn rubric(&self) -> Result<rubric::Rubric> {
        Ok(serde_json::from_str(&self.rubric)?)
    }
}

/// By key.
pub fn get(db: &mut Db, id: AssignmentId) -> Result<Assignment> {
    store::find(db, id)?.ok_or(Error::NotFound)
}

/// By the id in URLs.
pub fn get_public(db: &mut Db, public_id: &str) -> Result<Assignment> {
    store::find_public(db, public_id)?.ok_or(Error::NotFound)
}

/// By the id of its Page.
pub fn find_by_uri(db: &mut Db, uri: &str) -> Result<Option<Assignment>> {
    store::find_by_uri(db, uri)
}
