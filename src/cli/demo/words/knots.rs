//! What is the course on North about, and what is said in it?

use super::{LICENSE, day, unit};
use crate::assignment::rubric::{Criterion, Level, Rubric};
use crate::assignment::{self, Visibility};
use crate::cli::demo::calendar::DAY;
use crate::clock::Time;
use crate::cohort::Plan;
use crate::course;
use crate::syllabus::Outline;

/// A post: its title, empty for an answer, and its text.
pub type Words = (&'static str, &'static str);

/// What Bo writes with his wish to take part.
pub const MESSAGE: &str = "My swing came down last summer. Nobody was hurt, but I would like to know why.";

/// In the order in which they are written: Ada; Dov from South, Cleo; Ines from South; Ada.
pub const POSTS: [Words; 5] = [
    (
        "Which rope do you have at hand?",
        "Before we begin: find two metres of rope, and tell the others what it is and where it comes from. Anything \
         goes, as long as it bends. New and smooth is *harder* to work with than old and rough.",
    ),
    ("", "Guy line from a tent, 3 mm, bright orange. It has been wet more often than dry. Greetings from South!"),
    ("", "Sisal twine for beans. It holds whatever I tie, but I cannot undo anything."),
    (
        "My bowline opens when the rope is stiff",
        "I tied it ten times in a climbing rope and shook it: three of ten came loose. In string it never does. Do I \
         tie it wrongly, or is the rope wrong?",
    ),
    (
        "",
        "Neither! A bowline wants to be loaded. Without load a stiff rope straightens itself and works the knot open. \
         Leave a long tail and tie it round the loop once more, and try the ten again.",
    ),
];

/// Ada's proposal.
pub fn course() -> course::Draft {
    course::Draft {
        title: "Knots that hold".into(),
        handle: "knots".into(),
        tagline: "Five knots for garden, boat and attic, and how to explain them to somebody else.".into(),
        description: "Everybody ties knots; few can say *why* one holds and another slips. We learn five of them, use \
                      each for something real, and explain it so that others can tie it.\n\nYou need two metres of \
                      rope, a pole, and an hour or two in the week. No talent is needed: hands learn this by \
                      themselves, if you let them do it often enough."
            .into(),
        language: "en".into(),
        license: LICENSE.into(),
    }
}

/// Three units with tasks and openly licensed material.
pub fn outline() -> Outline {
    let first = unit(
        "Why a knot holds",
        "Rope on rope, and rope on wood: what friction does, and why a good knot can be undone.",
        &[
            ("Three turns", "Wind a rope once, twice and three times round a pole, pull, and note what changes."),
            ("Find a bad one", "Find a knot in your house that slips or that nobody can undo. Bring a description."),
        ],
        &[
            ("Knot (Wikipedia)", "https://en.wikipedia.org/wiki/Knot"),
            ("Capstan equation (Wikipedia)", "https://en.wikipedia.org/wiki/Capstan_equation"),
        ],
    );
    let second = unit(
        "Five knots",
        "Bowline, clove hitch, round turn and two half hitches, sheet bend, taut-line hitch: a loop, three ways to make \
         fast, and a joint.",
        &[
            ("Tie each", "Tie each of the five until you need not look, and then behind your back."),
            ("Use three", "Use three of them for something real this week."),
        ],
        &[
            ("Bowline (Wikipedia)", "https://en.wikipedia.org/wiki/Bowline"),
            ("Clove hitch (Wikipedia)", "https://en.wikipedia.org/wiki/Clove_hitch"),
            ("Taut-line hitch (Wikipedia)", "https://en.wikipedia.org/wiki/Taut-line_hitch"),
        ],
    );
    let third = unit(
        "Explaining a knot",
        "Whoever can explain it has understood it.",
        &[("Teach somebody", "Teach one knot to somebody who has never tied it, and note where they got stuck.")],
        &[("Knots (Wikibooks)", "https://en.wikibooks.org/wiki/Knots")],
    );
    Outline { units: vec![first, second, third] }
}

/// A run of six weeks that began ten days ago.
pub fn plan(today: Time) -> Plan {
    let starts = today.minus(10 * DAY);
    Plan {
        name: starts.timestamp().strftime("Six weeks from %-d %B").to_string(),
        starts_on: day(starts),
        ends_on: day(starts.plus(41 * DAY)),
        zone: "UTC".into(),
        seats: "20".into(),
        enrolling: "open".into(),
    }
}

/// The assignment, with three criteria; its times are the ends of hand-in and of reviewing.
pub fn task((due_at, review_due_at): (Time, Time)) -> assignment::Draft {
    let criteria = vec![
        criterion(
            ("clear", "Clear", "Could you tie the knot after reading this, with a rope in your hands?"),
            ["I would get stuck", "With some guessing", "At once"],
        ),
        criterion(
            ("correct", "Correct", "Is it the knot that it says it is, and is the reason why it holds right?"),
            ["The knot or the reason is wrong", "The reason is missing or thin", "Knot and reason are right"],
        ),
        criterion(
            ("useful", "Useful", "Is it the right knot for what it was used for?"),
            ["Another knot would be safer", "It does the job", "I would use it for the same"],
        ),
    ];
    assignment::Draft {
        title: "Explain one knot".into(),
        summary: "Explain in a few sentences a knot that you have used, how it is tied and why it holds.".into(),
        body_md: "Choose **one** knot that you have tied for something real. Write for somebody who has never tied \
                  it:\n\n1. what you used it for,\n2. how it is tied, step by step,\n3. why it holds.\n\nHalf a page is \
                  plenty. A drawing or a photograph helps, and nobody expects a beautiful one."
            .into(),
        rubric: Rubric { criteria },
        reviews_each: 2,
        visibility: Visibility::Private,
        due_at,
        review_due_at,
    }
}

fn criterion((id, name, prompt): (&str, &str, &str), descriptors: [&str; 3]) -> Criterion {
    let names = [(0.0, "not yet"), (1.0, "partly"), (2.0, "fully")];
    let levels = names.into_iter().zip(descriptors);
    let level = |((points, name), descriptor): ((f64, &str), &str)| Level {
        name: name.into(),
        points,
        descriptor: descriptor.into(),
    };
    Criterion { id: id.into(), name: name.into(), prompt: prompt.into(), levels: levels.map(level).collect() }
}
