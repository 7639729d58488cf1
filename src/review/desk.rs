//! What lies on a reviewer's desk: which tasks, and the work without its author's name?

use super::{Allocation, AllocationState, Place, Task, TaskState, place, store};
use crate::actor::{self, Actor};
use crate::assignment::AssignmentState;
use crate::clock::Time;
use crate::db::Db;
use crate::error::Result;
use crate::id::AssignmentId;
use crate::media::{self, Media};
use crate::submission;
use crate::text;

/// One task of somebody here, for a course here or elsewhere.
#[derive(Clone, Debug)]
pub struct Item {
    /// In URLs.
    pub public_id: String,
    /// The assignment.
    pub title: String,
    /// The course.
    pub course: String,
    /// Its page on this instance.
    pub course_path: String,
    /// Its server; empty when it is here.
    pub host: String,
    /// Until when.
    pub due_at: Time,
    /// The state's word.
    pub state: &'static str,
    /// What the state means to the reviewer.
    pub meaning: &'static str,
    /// Whether there is something to do.
    pub is_open: bool,
}

/// All tasks of somebody here: first what is to be done, by due time, then the rest, newest first.
pub fn items(db: &mut Db, by: &Actor) -> Result<Vec<Item>> {
    let mut places = Places(Vec::new());
    let mut all = Vec::new();
    for allocation in store::of_reviewer(db, by.id)? {
        let work = submission::get(db, allocation.submission_id)?;
        let place = places.find(db, work.assignment_id)?;
        let (meaning, is_open) = of_allocation(&allocation, &place);
        let state = allocation.state.as_str();
        all.push(item(&allocation.public_id, &place, allocation.due_at, (state, meaning, is_open)));
    }
    for task in store::tasks_of(db, by.id)? {
        let place = places.find(db, task.assignment_id)?;
        let (meaning, is_open) = of_task(&task);
        all.push(item(&task.public_id, &place, task.due_at, (task.state.as_str(), meaning, is_open)));
    }
    all.sort_by_key(|item| (!item.is_open, if item.is_open { item.due_at.0 } else { -item.due_at.0 }));
    Ok(all)
}

struct Places(Vec<Place>);

impl Places {
    fn find(&mut self, db: &mut Db, assignment: AssignmentId) -> Result<Place> {
        if let Some(known) = self.0.iter().find(|place| place.assignment.id == assignment) {
            return Ok(known.clone());
        }
        let found = place(db, assignment)?;
        self.0.push(found.clone());
        Ok(found)
    }
}

fn item(public_id: &str, place: &Place, due_at: Time, how: (&'static str, &'static str, bool)) -> Item {
    let (state, meaning, is_open) = how;
    Item {
        public_id: public_id.to_owned(),
        title: place.assignment.title.clone(),
        course: place.group.name.clone(),
        course_path: place.group.path(),
        host: if place.group.here { String::new() } else { place.group.host.clone() },
        due_at,
        state,
        meaning,
        is_open,
    }
}

fn of_allocation(allocation: &Allocation, place: &Place) -> (&'static str, bool) {
    let out = place.assignment.state != AssignmentState::Review;
    match allocation.state {
        AllocationState::Offered | AllocationState::Accepted if !out => ("to do", true),
        AllocationState::Submitted => ("sent", false),
        AllocationState::Declined => ("declined", false),
        AllocationState::Voided => ("no longer needed", false),
        AllocationState::Offered | AllocationState::Accepted | AllocationState::Expired => ("missed", false),
    }
}

/// The state's word, and why no review can be sent now; empty when one can.
pub(super) fn standing(allocation: &Allocation, place: &Place) -> (&'static str, &'static str) {
    let over = "The time for reviews of this assignment is over.";
    let why = match allocation.state {
        _ if of_allocation(allocation, place).1 => "",
        AllocationState::Declined => "You have declined this review.",
        AllocationState::Voided => "This review is no longer needed.",
        _ => over,
    };
    (allocation.state.as_str(), why)
}

fn of_task(task: &Task) -> (&'static str, bool) {
    match task.state {
        TaskState::Offered => ("to do", true),
        TaskState::Refused => ("refused", true),
        TaskState::Sent => ("sent, not confirmed", false),
        TaskState::Received => ("sent", false),
        TaskState::Voided => ("no longer needed", false),
    }
}

/// The anonymised copy of a work.
#[derive(Clone, Debug)]
pub struct Copy {
    /// Cleaned HTML.
    pub html: String,
    /// Its files.
    pub files: Vec<CopiedFile>,
}

/// A file of a work under a name that tells nothing.
#[derive(Clone, Debug)]
pub struct CopiedFile {
    /// From 1: the last part of its address.
    pub number: usize,
    /// The file, named such as `file-1.pdf`.
    pub media: Media,
}

/// The version that is reviewed, without what names its author. Not for allocations that ended without a review.
pub fn copy_of(db: &mut Db, allocation: &Allocation) -> Result<Copy> {
    let work = submission::get(db, allocation.submission_id)?;
    let author = actor::get(db, work.author_id)?;
    let html = submission::revision(db, allocation.revision_id)?.body_html;
    let files = media::list_of(db, allocation.revision_id)?.into_iter().enumerate().map(|(at, media)| {
        let name = format!("file-{}{}", at + 1, ending(&media.name));
        CopiedFile { number: at + 1, media: Media { name, ..media } }
    });
    Ok(Copy { html: text::clean_again(&without_names(&html, &author)), files: files.collect() })
}

/// The ending of a file's name, when it looks like one.
fn ending(name: &str) -> String {
    let plain = |ending: &&str| (1..=5).contains(&ending.len()) && ending.bytes().all(|b| b.is_ascii_alphanumeric());
    let ending = name.rsplit_once('.').map(|(_, ending)| ending).filter(plain);
    ending.map(|ending| format!(".{}", ending.to_ascii_lowercase())).unwrap_or_default()
}

/// A comment as its reader may see it: written anew from its words, so that markup does not tell which software it came
/// from, and without the writer's names and addresses.
pub fn anonymous(html: &str, writer: &Actor) -> String {
    let words = text::plain(html).unwrap_or_default();
    paragraphs(&without_names(&words, writer))
}

/// Plain text as HTML paragraphs.
pub fn paragraphs(words: &str) -> String {
    let escaped = words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let blocks = escaped.split("\n\n").map(str::trim).filter(|block| !block.is_empty());
    blocks.map(|block| format!("<p>{}</p>", block.replace('\n', "<br>"))).collect()
}

/// What stands in the place of a name.
const SOMEBODY: &str = "[name]";

fn without_names(text: &str, who: &Actor) -> String {
    let mut out = text.to_owned();
    for address in [&who.uri, &who.url] {
        out = replace(&out, address, SOMEBODY, false);
    }
    for name in [who.acct(), format!("{}@{}", who.handle, who.host), format!("@{}", who.handle)] {
        out = replace(&out, &name, SOMEBODY, true);
    }
    if !who.here {
        out = replace(&out, &who.host, "elsewhere.invalid", false);
    }
    if who.name.chars().count() >= 3 { outside_tags(&out, &who.name) } else { out }
}

/// Replaces without regard to upper and lower case; `whole` only where no letter or digit follows.
fn replace(text: &str, what: &str, by: &str, whole: bool) -> String {
    let (lower, what) = (text.to_ascii_lowercase(), what.to_ascii_lowercase());
    if what.is_empty() {
        return text.to_owned();
    }
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    while let Some(at) = lower.get(from..).and_then(|rest| rest.find(&what)).map(|at| at + from) {
        let end = at + what.len();
        let goes_on = lower.get(end..).and_then(|rest| rest.chars().next()).is_some_and(char::is_alphanumeric);
        out.push_str(text.get(from..at).unwrap_or_default());
        out.push_str(if whole && goes_on { text.get(at..end).unwrap_or_default() } else { by });
        from = end;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

/// Replaces a display name where it stands as whole words, exactly so written, and not inside a tag.
fn outside_tags(html: &str, name: &str) -> String {
    let mut out = String::with_capacity(html.len());
    for (at, piece) in html.split('<').enumerate() {
        let (tag, text) = if at == 0 { ("", piece) } else { piece.split_once('>').unwrap_or(("", piece)) };
        if at > 0 {
            out.push('<');
            out.push_str(tag);
            if piece.contains('>') {
                out.push('>');
            }
        }
        let mut last = None;
        for (nth, part) in text.split(name).enumerate() {
            if nth > 0 {
                let is_whole =
                    !last.is_some_and(char::is_alphanumeric) && !part.chars().next().is_some_and(char::is_alphanumeric);
                out.push_str(if is_whole { SOMEBODY } else { name });
            }
            out.push_str(part);
            last = part.chars().next_back();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::World;

    #[test]
    fn a_copy_holds_no_name_of_its_author() {
        let world = World::new();
        let mut dov = world.person_elsewhere("dov", "south.example");
        dov.name = "Dov Reader".into();
        let html = "<p>I am Dov Reader, @dov@south.example, <a href=\"https://south.example/u/dov\">me</a> (dov@South.Example). \
                    Not @dovecote. @DOV signs. My blog: https://blog.south.example/x</p>";
        let out = without_names(html, &dov);
        for leak in ["Dov Reader", "@dov@", "south.example", "@DOV "] {
            assert!(!out.contains(leak), "{leak} in {out}");
        }
        assert!(out.contains("@dovecote"));
    }

    #[test]
    fn file_names_tell_nothing_but_their_ending() {
        for (name, wanted) in
            [("dov-essay.PDF", ".pdf"), ("a.tar.gz", ".gz"), ("none", ""), ("x.dov essay", ""), ("x.", "")]
        {
            assert_eq!(ending(name), wanted, "{name}");
        }
    }
}
