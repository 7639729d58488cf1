//! What does an organizer fill in for an assignment, and what must be right about it?

use super::rubric::Rubric;
use super::{Assignment, Visibility};
use crate::clock::Time;
use crate::error::{Problems, Result};
use crate::text;
use std::time::Duration;

/// What an organizer filled in.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What it is called.
    pub title: String,
    /// One plain sentence that says what to do.
    pub summary: String,
    /// The whole task, in Markdown.
    pub body_md: String,
    /// How it is judged.
    pub rubric: Rubric,
    /// How many reviews each submission gets.
    pub reviews_each: i64,
    /// Who may see what is handed in.
    pub visibility: Visibility,
    /// When hand-in ends.
    pub due_at: Time,
    /// When reviewing ends.
    pub review_due_at: Time,
}

/// How far ahead a date may be.
const FURTHEST: Duration = Duration::from_secs(5 * 366 * 24 * 60 * 60);

impl Draft {
    /// Everything that is wrong with a draft at once; the cleaned HTML of the task when nothing is.
    pub(super) fn check(&self, now: Time) -> Result<String> {
        let mut problems = Problems::default();
        let mut html = String::new();
        problems.gather(self.check_words().map(|cleaned| html = cleaned))?;
        problems.gather(Self::check_times(self.due_at, self.review_due_at, now))?;
        problems.gather(self.check_review())?;
        problems.check()?;
        Ok(html)
    }

    /// What is wrong with the words; the cleaned HTML of the task when nothing is.
    pub(super) fn check_words(&self) -> Result<String> {
        let mut problems = Problems::default();
        let title = self.title.chars().count();
        problems.add_if(!(3..=120).contains(&title), "title", "Please give it a title of 3 to 120 characters.");
        let summary = self.summary.chars().count();
        problems.add_if(!(10..=300).contains(&summary), "summary", "Please say in 10 to 300 characters what to do.");
        let html = text::render(&self.body_md);
        match &html {
            Err(error) => problems.add("body", format!("This text cannot be used: {error}.")),
            Ok(html) => problems.add_if(html.trim().is_empty(), "body", "Please describe the task."),
        }
        problems.check()?;
        Ok(html.unwrap_or_default())
    }

    /// What is wrong with how it is reviewed.
    pub(super) fn check_review(&self) -> Result<()> {
        let mut problems = Problems::default();
        let each = self.reviews_each;
        problems.add_if(!(1..=10).contains(&each), "reviews_each", "Please choose 1 to 10 reviews.");
        for problem in self.rubric.problems() {
            problems.add("criteria", problem);
        }
        problems.check()
    }

    /// What is wrong with the times.
    pub(super) fn check_times(due_at: Time, review_due_at: Time, now: Time) -> Result<()> {
        let mut problems = Problems::default();
        let last = now.plus(FURTHEST);
        problems.add_if(due_at <= now, "due", "Please choose a time to come.");
        problems.add_if(due_at > last, "due", "Please choose a time within five years.");
        problems.add_if(review_due_at <= due_at, "review_due", "Reviewing must end after hand-in ends.");
        problems.add_if(review_due_at > last, "review_due", "Please choose a time within five years.");
        problems.check()
    }

    /// What can be changed of one that is open: not how it is judged.
    pub(super) fn keeps_review_of(&self, open: &Assignment) -> Result<()> {
        let same = self.rubric == open.rubric()?
            && self.reviews_each == open.reviews_each
            && self.visibility == open.visibility;
        let mut problems = Problems::default();
        problems.add_if(!same, "criteria", "How work is judged cannot be changed once the assignment is open.");
        problems.check()
    }
}
