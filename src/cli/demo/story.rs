//! What happens in the demonstration? Three weeks of a course on North, taken from North and South, up to open reviews.
//!
//! Everything is done by the verbs that forms call, by each on their own school; what the other learns of it comes over
//! HTTP. Hand-in ends because its time has come.

use super::calendar::{Calendar, DAY, MINUTE};
use super::people::{self, Cast};
use super::school::{School, silence};
use super::words::{bread, knots, works};
use crate::actor::{self, Actor};
use crate::assignment::{self, AssignmentState};
use crate::cohort::{self, Cohort};
use crate::course::{self, BotKeys, Course};
use crate::discussion::{self, NewPost};
use crate::enrollment::{self, Ask};
use crate::error::{Error, Result};
use crate::id::{AssignmentId, CourseId};
use crate::media::{self, File};
use crate::review::{self, TaskState};
use crate::submission::{self, HomeAnswer, Work};
use crate::syllabus::{self, Edition, Outline};
use crate::text;
use std::time::Duration;

/// How long before today hand-in ends, at most an hour more.
const DUE: Duration = Duration::from_secs(20 * 60 * 60);

/// Where it is played.
pub struct Stage<'a> {
    /// The course's home.
    pub north: &'a School,
    /// Where others take it from.
    pub south: &'a School,
    /// The clock of both.
    pub calendar: &'a Calendar,
}

/// What is there when the story has been played.
pub struct Played {
    /// The course's page at its home.
    pub home: String,
    /// The same course seen from South.
    pub mirror: String,
    /// A course of South seen from North.
    pub bread: String,
}

/// A course with its Group.
type Named = (Course, Actor);

impl Stage<'_> {
    /// Plays everything; `say` is told each step.
    pub async fn play(&self, say: &(dyn Fn(&str) + Sync)) -> Result<Played> {
        self.later(21 * DAY).await?;
        let cast = self.arrive().await?;
        say("eight people have come, five to North and three to South");
        let (course, group) = self.found(&cast).await?;
        let run = self.open(&cast, &course).await?;
        say("Ada's course is listed on North, with a syllabus and a run of 20 seats");
        let there = self.visit(&cast, &run, &group).await?;
        say("Bo, Cleo and Eli have enrolled on North; Dov and Ines have found the course and enrolled from South");
        let task = self.set_task(&cast, &run).await?;
        self.talk(&cast, (course.id, there)).await?;
        let copy = self.arrived(there).await?;
        say("the run has begun: an assignment is open on both, and people talk");
        self.hand_in(&cast, (task, copy)).await?;
        say("five works are handed in, two of them from South");
        let bread = self.elsewhere(&cast).await?;
        self.review(&cast, task).await?;
        say("hand-in has ended, each work is with two others for review, and two reviews are written");
        self.later(Duration::ZERO).await?;
        let seen = |school: &School, group: &Actor| school.app.links().absolute(&group.path());
        Ok(Played {
            home: seen(self.north, &group),
            mirror: self.south.app.links().absolute(&format!("/c/{}@{}", group.handle, group.host)),
            bread: self.north.app.links().absolute(&format!("/c/{}@{}", bread.handle, bread.host)),
        })
    }

    /// Goes on to a later day, once nothing is under way any more: a message of another day would be refused as stale.
    async fn later(&self, before_today: Duration) -> Result<()> {
        silence(self.north, self.south).await?;
        self.calendar.turn_back(before_today)
    }

    async fn arrive(&self) -> Result<Cast> {
        self.north.name("North", "The school of the northern allotments: what one of us knows, all can learn.").await?;
        self.south.name("South", "Neighbours south of the river, who learn with whoever teaches.").await?;
        people::arrive(self.north, self.south).await
    }

    /// Ada proposes, Nora lists, Ada writes the syllabus. Later Eli proposes something too, which waits.
    async fn found(&self, cast: &Cast) -> Result<Named> {
        let found = establish(self.north, (&cast.ada, &cast.nora), (knots::course(), knots::outline())).await?;
        let (keys, eli) = (keys().await?, cast.eli.clone());
        self.later(19 * DAY - 83 * MINUTE).await?;
        self.north.app.write(move |tx| course::propose(tx, &eli, &bread::proposal(), &keys)).await?;
        Ok(found)
    }

    async fn open(&self, cast: &Cast, course: &Course) -> Result<Cohort> {
        self.later(18 * DAY - 291 * MINUTE).await?;
        let (ada, course) = (cast.ada.clone(), course.clone());
        let plan = knots::plan(self.calendar.today());
        let write = self.north.app.write(move |tx| {
            let run = cohort::plan(tx, &ada, &course, &plan)?;
            cohort::open(tx, &ada, run.id)
        });
        write.await
    }

    /// People of North enroll there. Dov finds the course by its handle on South; he and Ines ask for a place there.
    async fn visit(&self, cast: &Cast, run: &Cohort, group: &Actor) -> Result<CourseId> {
        self.later(15 * DAY - 47 * MINUTE).await?;
        for (learner, message) in [(&cast.bo, knots::MESSAGE), (&cast.cleo, ""), (&cast.eli, "")] {
            let (learner, run, message) = (learner.clone(), run.id, message.to_owned());
            let ask = Ask { message, ..Ask::default() };
            self.north.app.write(move |tx| enrollment::enroll(tx, &learner, run, &ask)).await?;
        }
        self.later(14 * DAY - 214 * MINUTE).await?;
        let course = self.south.find_course(&group.acct()).await?.id;
        for learner in [&cast.dov, &cast.ines] {
            let by = learner.clone();
            let ask = self.south.app.write(move |tx| {
                let run = cohort::current(tx, course)?.ok_or(Error::NotFound)?;
                enrollment::ask(tx, &by, run.id, "")?;
                Ok(run.id)
            });
            let (run, learner) = (ask.await?, learner.id);
            let is_in = move |db: &mut _| Ok(enrollment::is_active(db, run, learner)?.then_some(()));
            self.south.wait("North did not accept somebody", is_in).await?;
        }
        Ok(course)
    }

    /// The run begins; Ada opens the assignment.
    async fn set_task(&self, cast: &Cast, run: &Cohort) -> Result<AssignmentId> {
        self.later(10 * DAY - 31 * MINUTE).await?;
        let (ada, run) = (cast.ada.clone(), run.id);
        let today = self.calendar.today();
        let times = (Calendar::full_hour(today.minus(DUE)), Calendar::full_hour(today.plus(3 * DAY)));
        let write = self.north.app.write(move |tx| {
            cohort::start(tx, &ada, run)?;
            let id = assignment::draft(tx, &ada, run, &knots::task(times))?;
            assignment::open(tx, &ada, id)?;
            Ok(id)
        });
        write.await
    }

    /// Ada begins a thread, Dov answers from South and Cleo on North; Ines asks something from South.
    async fn talk(&self, cast: &Cast, (course, there): (CourseId, CourseId)) -> Result<()> {
        let [welcome, from_dov, from_cleo, question, answer] = knots::POSTS;
        let first = post(self.north, &cast.ada, course, (welcome, None)).await?;
        self.later(9 * DAY - 118 * MINUTE).await?;
        post(self.south, &cast.dov, there, (from_dov, Some(first.clone()))).await?;
        self.later(9 * DAY - 407 * MINUTE).await?;
        post(self.north, &cast.cleo, course, (from_cleo, Some(first))).await?;
        self.later(5 * DAY - 66 * MINUTE).await?;
        let asked = post(self.south, &cast.ines, there, (question, None)).await?;
        self.later(5 * DAY - 175 * MINUTE).await?;
        post(self.north, &cast.ada, course, (answer, Some(asked))).await.map(drop)
    }

    /// The assignment as South has it.
    async fn arrived(&self, course: CourseId) -> Result<AssignmentId> {
        let find = move |db: &mut _| Ok(assignment::list_of_course(db, course, false)?.pop().map(|one| one.id));
        self.south.wait("the assignment did not reach it", find).await
    }

    /// Three hand in on North, two on South; Dov has a second, better version.
    async fn hand_in(&self, cast: &Cast, (task, copy): (AssignmentId, AssignmentId)) -> Result<()> {
        self.later(4 * DAY - 202 * MINUTE).await?;
        let drawing = File {
            name: "swing.txt".into(),
            media_type: "text/plain".into(),
            bytes: bytes::Bytes::from_static(works::SWING.as_bytes()),
        };
        hand_in(self.north, &cast.bo, task, (works::BO, vec![drawing])).await?;
        self.send_in(&cast.dov, copy, works::DOV_FIRST).await?;
        self.later(3 * DAY - 349 * MINUTE).await?;
        hand_in(self.north, &cast.cleo, task, (works::CLEO, Vec::new())).await?;
        self.send_in(&cast.ines, copy, works::INES).await?;
        self.later(2 * DAY - 94 * MINUTE).await?;
        self.send_in(&cast.dov, copy, works::DOV).await?;
        hand_in(self.north, &cast.eli, task, (works::ELI, Vec::new())).await
    }

    async fn send_in(&self, by: &Actor, copy: AssignmentId, text: &'static str) -> Result<()> {
        let (author, by) = (by.id, by.clone());
        let send = self.south.app.write(move |tx| {
            let work = Work::written(text, true, Vec::new(), tx.now())?;
            submission::send_in(tx, &by, copy, work)
        });
        send.await?;
        let receipt = move |db: &mut _| {
            let mine = submission::find(db, copy, author)?;
            Ok(mine.filter(|work| work.answer == HomeAnswer::Received).map(drop))
        };
        self.south.wait("North sent no receipt for a work", receipt).await
    }

    /// Meanwhile Ines has a course of her own on South, which Cleo takes from North.
    async fn elsewhere(&self, cast: &Cast) -> Result<Actor> {
        let drafts = (bread::course(), bread::outline());
        let (course, group) = establish(self.south, (&cast.ines, &cast.sven), drafts).await?;
        let (ines, plan) = (cast.ines.clone(), bread::plan(self.calendar.today()));
        let open = self.south.app.write(move |tx| {
            let run = cohort::plan(tx, &ines, &course, &plan)?;
            cohort::open(tx, &ines, run.id)
        });
        open.await?;
        let course = self.north.find_course(&group.acct()).await?;
        let by = cast.cleo.clone();
        let ask = self.north.app.write(move |tx| {
            let run = cohort::current(tx, course.id)?.ok_or(Error::NotFound)?;
            enrollment::ask(tx, &by, run.id, bread::MESSAGE)
        });
        ask.await?;
        Ok(group)
    }

    /// The deadline passes, and work is given out by the job that was planned for it. Bo and Ines write a review each.
    async fn review(&self, cast: &Cast, task: AssignmentId) -> Result<()> {
        self.later(DUE - MINUTE).await?;
        let begun = move |db: &mut _| Ok((assignment::get(db, task)?.state == AssignmentState::Review).then_some(()));
        self.north.wait("reviewing did not begin", begun).await?;
        self.later(437 * MINUTE).await?;
        let bo = cast.bo.clone();
        let give = self.north.app.write(move |tx| {
            let first = review::open_of(tx, bo.id)?.into_iter().next().ok_or(Error::NotFound)?;
            review::give(tx, &bo, first.id, &works::review_of_bo())
        });
        give.await?;
        self.later(156 * MINUTE).await?;
        let ines = cast.ines.clone();
        let give = self.south.app.write(move |tx| {
            let first = review::desk::items(tx, &ines)?.into_iter().find(|item| item.is_open);
            let wanted = first.ok_or(Error::NotFound)?.public_id;
            let task = review::find_task_public(tx, &wanted)?.ok_or(Error::NotFound)?;
            review::give_task(tx, &ines, task.id, &works::review_of_ines())?;
            Ok(task.id)
        });
        let given = give.await?;
        let taken = move |db: &mut _| Ok((review::task(db, given)?.state == TaskState::Received).then_some(()));
        self.south.wait("North did not take a review", taken).await
    }
}

async fn keys() -> Result<BotKeys> {
    tokio::task::spawn_blocking(BotKeys::generate).await?
}

/// Somebody proposes a course, a moderator lists it, and it gets its syllabus.
async fn establish(
    school: &School,
    (by, moderator): (&Actor, &Actor),
    (draft, outline): (course::Draft, Outline),
) -> Result<Named> {
    let (keys, by, moderator) = (keys().await?, by.clone(), moderator.clone());
    let write = school.app.write(move |tx| {
        let course = course::propose(tx, &by, &draft, &keys)?;
        let course = course::list_it(tx, &moderator, course.id)?;
        syllabus::save(tx, &by, &course, Edition { base: 0, note: "The first version".into(), outline })?;
        let group = actor::get(tx, course.actor_id)?;
        Ok((course, group))
    });
    write.await
}

async fn hand_in(school: &School, by: &Actor, task: AssignmentId, work: (&'static str, Vec<File>)) -> Result<()> {
    let (text, files) = work;
    let files = media::web::write(&school.app, files).await?;
    let by = by.clone();
    let write = school.app.write(move |tx| {
        let kept = files.iter().map(|file| media::keep(tx, &by, file)).collect::<Result<_>>()?;
        let work = Work::written(text, true, kept, tx.now())?;
        submission::hand_in(tx, &by, task, work).map(drop)
    });
    write.await
}

/// Writes a post, once what it answers has arrived; gives its id.
async fn post(
    school: &School,
    by: &Actor,
    course_id: CourseId,
    (words, in_reply_to): (knots::Words, Option<String>),
) -> Result<String> {
    let body_html = text::render(words.1).map_err(|e| Error::invalid("body", e.to_string()))?;
    let by = by.clone();
    let write = school.app.write(move |tx| {
        let (title, body_md) = (words.0.to_owned(), words.1.to_owned());
        let published_at = tx.now();
        let new = NewPost { course_id, uri: None, in_reply_to, anchor: None, title, body_md, body_html, published_at };
        discussion::write(tx, &by, new)
    });
    Ok(write.await?.uri)
}
