//! What else is there to learn: on South, and in a proposal that waits on North?

use super::{LICENSE, day, unit};
use crate::cli::demo::calendar::DAY;
use crate::clock::Time;
use crate::cohort::Plan;
use crate::course;
use crate::syllabus::Outline;

/// What Cleo writes with her wish to take part.
pub const MESSAGE: &str = "My kitchen has 15 degrees. Is that too cold?";

/// Ines's course on South.
pub fn course() -> course::Draft {
    course::Draft {
        title: "Sourdough in a cold kitchen".into(),
        handle: "sourdough".into(),
        tagline: "A starter, a dough and a loaf, without a warm room and without a machine.".into(),
        description: "Flour, water, salt and patience. We begin a starter together, keep it alive for three weeks and \
                      bake once a week. What goes wrong is shown as well: that is where we learn most."
            .into(),
        language: "en".into(),
        license: LICENSE.into(),
    }
}

/// Two units.
pub fn outline() -> Outline {
    let first = unit(
        "A starter",
        "What lives in it, and what it wants to eat.",
        &[("Begin one", "Mix 50 g of rye flour with 50 g of water, feed it daily, and note how it smells.")],
        &[("Sourdough (Wikipedia)", "https://en.wikipedia.org/wiki/Sourdough")],
    );
    let second = unit(
        "The first loaf",
        "Time instead of warmth.",
        &[("Bake it", "Bake one loaf with a dough that stood for a night, cut it, and describe the crumb.")],
        &[("Bread (Wikibooks Cookbook)", "https://en.wikibooks.org/wiki/Cookbook:Bread")],
    );
    Outline { units: vec![first, second] }
}

/// A run that begins in five days.
pub fn plan(today: Time) -> Plan {
    let starts = today.plus(5 * DAY);
    Plan {
        name: "First loaves".into(),
        starts_on: day(starts),
        ends_on: day(starts.plus(21 * DAY)),
        zone: "UTC".into(),
        seats: "12".into(),
        enrolling: "open".into(),
    }
}

/// What Eli proposes on North.
pub fn proposal() -> course::Draft {
    course::Draft {
        title: "Mend a bicycle together".into(),
        handle: "bicycles".into(),
        tagline: "Brakes, chain and tyres in six evenings, with the tools of the shed.".into(),
        description:
            "Bring a bicycle that needs it. Each evening has one part: we look at it, take it apart and put it \
                      together again. At the end you ride home on it."
                .into(),
        language: "en".into(),
        license: LICENSE.into(),
    }
}
