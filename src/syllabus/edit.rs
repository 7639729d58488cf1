//! How does a form become a syllabus again, and what do its buttons do to it? Pure.
//!
//! Fields are named `unit-0-title`, `unit-0-summary`, `unit-0-task-1-title`, `unit-0-resource-2-url` and so on. A button
//! sends `do` with what it does and where: `add-unit`, `up-unit-2`, `remove-task-2-0`.

use super::outline::{MOST_PARTS, MOST_UNITS, Outline, Resource, Task, Unit};

/// Reads what was typed. `value` gives a field's content, or nothing when the form has no such field.
pub(super) fn read<'a>(value: impl Fn(&str) -> Option<&'a str>) -> Outline {
    let text = |name: String| value(&name).unwrap_or_default().trim().to_owned();
    let there = |name: &str| value(name).is_some();
    let mut outline = Outline::default();
    // One more than may be saved, so that saving too many is refused instead of cut.
    for u in (0..=MOST_UNITS).take_while(|u| there(&format!("unit-{u}-title"))) {
        let mut unit = Unit {
            title: text(format!("unit-{u}-title")),
            summary_md: text(format!("unit-{u}-summary")),
            ..Unit::default()
        };
        for t in (0..=MOST_PARTS).take_while(|t| there(&format!("unit-{u}-task-{t}-title"))) {
            let at = format!("unit-{u}-task-{t}");
            let (title, body_md) = (text(format!("{at}-title")), text(format!("{at}-body")));
            unit.tasks.push(Task { title, body_md, body: String::new() });
        }
        for r in (0..=MOST_PARTS).take_while(|r| there(&format!("unit-{u}-resource-{r}-title"))) {
            let at = format!("unit-{u}-resource-{r}");
            unit.resources.push(Resource {
                title: text(format!("{at}-title")),
                url: text(format!("{at}-url")),
                license: text(format!("{at}-license")),
            });
        }
        outline.units.push(unit);
    }
    outline
}

/// Does what the button says; unknown buttons and places change nothing.
pub(super) fn press(outline: &mut Outline, button: &str) {
    let mut words = button.split('-');
    let (what, kind) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut number = || words.next().and_then(|n| n.parse::<usize>().ok());
    let (first, second) = (number(), number());
    if kind == "unit" {
        return shift(&mut outline.units, what, first, MOST_UNITS);
    }
    let Some(unit) = first.and_then(|u| outline.units.get_mut(u)) else { return };
    match kind {
        "task" => shift(&mut unit.tasks, what, second, MOST_PARTS),
        "resource" => shift(&mut unit.resources, what, second, MOST_PARTS),
        _ => {}
    }
}

fn shift<T: Default>(list: &mut Vec<T>, what: &str, at: Option<usize>, most: usize) {
    match (what, at) {
        ("add", _) if list.len() < most => list.push(T::default()),
        ("remove", Some(at)) if at < list.len() => drop(list.remove(at)),
        ("up", Some(at)) if at > 0 && at < list.len() => list.swap(at, at - 1),
        ("down", Some(at)) if at + 1 < list.len() => list.swap(at, at + 1),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn typed() -> HashMap<&'static str, &'static str> {
        HashMap::from([
            ("unit-0-title", "One"),
            ("unit-0-summary", "*hi*"),
            ("unit-0-task-0-title", "Read"),
            ("unit-0-resource-0-title", "Book"),
            ("unit-0-resource-0-url", "https://a.test/"),
            ("unit-0-resource-0-license", "CC0-1.0"),
            ("unit-1-title", "Two"),
        ])
    }

    #[test]
    fn what_was_typed_is_read_and_buttons_move_it() {
        let typed = typed();
        let mut outline = read(|name| typed.get(name).copied());
        assert_eq!(outline.units.len(), 2);
        assert_eq!(outline.units[0].resources[0].license, "CC0-1.0");
        for (button, titles) in [
            ("down-unit-0", "Two One"),
            ("down-unit-1", "Two One"),
            ("up-unit-1", "One Two"),
            ("remove-unit-1", "One"),
            ("remove-unit-7", "One"),
            ("nonsense", "One"),
        ] {
            press(&mut outline, button);
            let now: Vec<_> = outline.units.iter().map(|u| u.title.as_str()).collect();
            assert_eq!(now.join(" "), titles, "{button}");
        }
        press(&mut outline, "add-task-0");
        assert_eq!(outline.units[0].tasks.len(), 2);
        press(&mut outline, "remove-task-0-0");
        assert_eq!(outline.units[0].tasks, [Task::default()]);
    }
}
