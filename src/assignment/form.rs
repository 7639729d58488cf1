//! How is the form of an assignment, with its rubric, read and written?

use super::rubric::{Criterion, LEVELS, Level, MOST_CRITERIA, Rubric};
use super::{Assignment, Draft, Visibility, due};
use crate::clock::Time;
use crate::error::{Error, Problems, Result};
use crate::http::Form;

/// The form of an assignment as it is.
pub(super) fn of(assignment: &Assignment, zone: &str) -> Result<Form> {
    let rubric = assignment.rubric()?;
    let mut values = vec![
        ("title".to_owned(), assignment.title.clone()),
        ("summary".to_owned(), assignment.summary.clone()),
        ("body".to_owned(), assignment.body_md.clone()),
        ("due".to_owned(), due::write(assignment.due_at, zone)),
        ("review_due".to_owned(), due::write(assignment.review_due_at, zone)),
        ("reviews_each".to_owned(), assignment.reviews_each.to_string()),
        ("visibility".to_owned(), assignment.visibility.to_string()),
    ];
    values.extend(Fields::of(&rubric).values());
    Ok(Form::of(values.iter().map(|(name, value)| (name.as_str(), value.clone()))))
}

/// The form of a new one: three criteria to start from, three reviews, private.
pub(super) fn blank() -> Form {
    let mut fields = Fields(Vec::new());
    for _ in 0..3 {
        fields.0.push(CriterionFields::blank());
    }
    let mut values = fields.values();
    values.push(("reviews_each".into(), "3".into()));
    values.push(("visibility".into(), "private".into()));
    Form::of(values.iter().map(|(name, value)| (name.as_str(), value.clone())))
}

/// What was filled in. When a time cannot be read, everything else that is wrong is said as well.
pub(super) fn read(form: &Form, zone: &str, now: Time) -> Result<Draft> {
    let mut unread = Problems::default();
    let mut time = |name: &'static str, missing: &'static str| {
        let typed = form.text(name);
        due::read(typed, zone).unwrap_or_else(|problem| {
            unread.add(name, if typed.is_empty() { missing } else { problem });
            Time(0)
        })
    };
    let due_at = time("due", "Please say until when work can be handed in.");
    let review_due_at = time("review_due", "Please say until when it is reviewed.");
    let draft = Draft {
        title: form.text("title").to_owned(),
        summary: form.text("summary").to_owned(),
        body_md: form.value("body").to_owned(),
        rubric: Fields::read(form).rubric(),
        reviews_each: form.number("reviews_each").unwrap_or_default(),
        visibility: form.text("visibility").parse().unwrap_or(Visibility::Private),
        due_at,
        review_due_at,
    };
    if unread.is_empty() {
        return Ok(draft);
    }
    let mut problems = Problems::default();
    if let Err(Error::Invalid(found)) = draft.check(now) {
        let others = found.iter().filter(|(field, _)| unread.of_field(field).is_none());
        others.for_each(|(field, text)| problems.add(field, text));
    }
    problems.add_all(unread);
    Err(Error::Invalid(problems))
}

/// The rubric as it stands in the form: as typed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fields(pub(super) Vec<CriterionFields>);

/// One criterion as typed.
#[derive(Clone, Debug, PartialEq, Default)]
pub(super) struct CriterionFields {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) prompt: String,
    pub(super) levels: Vec<LevelFields>,
}

/// One level as typed.
#[derive(Clone, Debug, PartialEq, Default)]
pub(super) struct LevelFields {
    pub(super) name: String,
    pub(super) points: String,
    pub(super) descriptor: String,
}

impl CriterionFields {
    fn blank() -> Self {
        let level = |points: usize| LevelFields { points: points.to_string(), ..LevelFields::default() };
        Self { levels: (0..3).map(level).collect(), ..Self::default() }
    }
}

impl Fields {
    fn of(rubric: &Rubric) -> Self {
        let level = |level: &Level| LevelFields {
            name: level.name.clone(),
            points: level.points.to_string(),
            descriptor: level.descriptor.clone(),
        };
        let criterion = |criterion: &Criterion| CriterionFields {
            id: criterion.id.clone(),
            name: criterion.name.clone(),
            prompt: criterion.prompt.clone(),
            levels: criterion.levels.iter().map(level).collect(),
        };
        Self(rubric.criteria.iter().map(criterion).collect())
    }

    /// As many criteria and levels as the form has; more than allowed are not read.
    pub(super) fn read(form: &Form) -> Self {
        let text = |name: String| form.text(&name).to_owned();
        let level = |c: usize, l: usize| {
            form.find(&format!("c{c}-l{l}-name"))?;
            Some(LevelFields {
                name: text(format!("c{c}-l{l}-name")),
                points: text(format!("c{c}-l{l}-points")),
                descriptor: text(format!("c{c}-l{l}-descriptor")),
            })
        };
        let criterion = |c: usize| {
            form.find(&format!("c{c}-name"))?;
            Some(CriterionFields {
                id: text(format!("c{c}-id")),
                name: text(format!("c{c}-name")),
                prompt: text(format!("c{c}-prompt")),
                levels: (0..*LEVELS.end()).map_while(|l| level(c, l)).collect(),
            })
        };
        Self((0..MOST_CRITERIA).map_while(criterion).collect())
    }

    fn values(&self) -> Vec<(String, String)> {
        let mut values = Vec::new();
        for (c, criterion) in self.0.iter().enumerate() {
            values.push((format!("c{c}-id"), criterion.id.clone()));
            values.push((format!("c{c}-name"), criterion.name.clone()));
            values.push((format!("c{c}-prompt"), criterion.prompt.clone()));
            for (l, level) in criterion.levels.iter().enumerate() {
                values.push((format!("c{c}-l{l}-name"), level.name.clone()));
                values.push((format!("c{c}-l{l}-points"), level.points.clone()));
                values.push((format!("c{c}-l{l}-descriptor"), level.descriptor.clone()));
            }
        }
        values
    }

    /// What was typed as a rubric; points that are no number become none, which the rubric's own check names.
    fn rubric(&self) -> Rubric {
        let level = |level: &LevelFields| Level {
            name: level.name.clone(),
            points: level.points.replace(',', ".").parse().unwrap_or(f64::NAN),
            descriptor: level.descriptor.clone(),
        };
        let criterion = |criterion: &CriterionFields| Criterion {
            id: criterion.id.clone(),
            name: criterion.name.clone(),
            prompt: criterion.prompt.clone(),
            levels: criterion.levels.iter().map(level).collect(),
        };
        Rubric { criteria: self.0.iter().map(criterion).collect() }
    }

    /// Does what a button of the editor says (`add`, `remove-2`, `up-2`, `down-2`, `add-2`, `remove-2-1`); what is not
    /// possible changes nothing.
    fn press(&mut self, button: &str) {
        let parts: Vec<&str> = button.split('-').collect();
        let at = |index: usize| parts.get(index).and_then(|n| n.parse::<usize>().ok());
        let criteria = &mut self.0;
        match (parts.first().copied(), at(1), at(2)) {
            (Some("add"), None, _) if criteria.len() < MOST_CRITERIA => criteria.push(CriterionFields::blank()),
            (Some("add"), Some(c), _) => {
                if let Some(criterion) = criteria.get_mut(c).filter(|c| c.levels.len() < *LEVELS.end()) {
                    criterion.levels.push(LevelFields::default());
                }
            }
            (Some("remove"), Some(c), None) if criteria.len() > 1 && c < criteria.len() => {
                criteria.remove(c);
            }
            (Some("remove"), Some(c), Some(l)) => {
                if let Some(criterion) = criteria.get_mut(c)
                    && criterion.levels.len() > *LEVELS.start()
                    && l < criterion.levels.len()
                {
                    criterion.levels.remove(l);
                }
            }
            (Some("up"), Some(c), _) if c > 0 && c < criteria.len() => criteria.swap(c, c - 1),
            (Some("down"), Some(c), _) if c + 1 < criteria.len() => criteria.swap(c, c + 1),
            _ => {}
        }
    }
}

/// The form after a button of its rubric editor was pressed: nothing is saved, everything typed is kept.
pub(super) fn pressed(form: &Form, button: &str) -> Form {
    let mut fields = Fields::read(form);
    fields.press(button);
    let rest = ["title", "summary", "body", "due", "review_due", "reviews_each", "visibility", "cohort"];
    let mut values: Vec<(String, String)> =
        rest.iter().map(|name| ((*name).to_owned(), form.value(name).to_owned())).collect();
    values.extend(fields.values());
    Form::of(values.iter().map(|(name, value)| (name.as_str(), value.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let Err(Error::Invalid(problems)) = read(&blank(), "UTC", Time(0)) else { panic!("nothing was filled in") };
        let fields: Vec<&str> = problems.iter().map(|(field, _)| field).collect();
        for field in ["title", "summary", "body", "criteria", "due", "review_due"] {
            assert!(fields.contains(&field), "{field} is missing in {fields:?}");
        }
        assert_eq!(fields.iter().filter(|field| **field == "due").count(), 1);
    }

    #[test]
    fn the_editor_adds_removes_and_moves_without_losing_what_was_typed() {
        let form = Form::of([
            ("title", "T".to_owned()),
            ("c0-id", "clear".to_owned()),
            ("c0-name", "Clear".to_owned()),
            ("c0-l0-name", "no".to_owned()),
            ("c0-l0-points", "0".to_owned()),
            ("c0-l1-name", "yes".to_owned()),
            ("c0-l1-points", "1".to_owned()),
        ]);
        let more = pressed(&form, "add");
        assert_eq!((Fields::read(&more).0.len(), more.value("title")), (2, "T"));
        let moved = pressed(&more, "down-0");
        assert_eq!(moved.value("c1-name"), "Clear");
        let levels = pressed(&moved, "add-1");
        assert_eq!(Fields::read(&levels).0[1].levels.len(), 3);
        let fewer = pressed(&pressed(&levels, "remove-1-0"), "remove-0");
        assert_eq!((fewer.value("c0-name"), fewer.value("c0-l0-name")), ("Clear", "yes"));
        for odd in ["remove-0", "remove-9-9", "up-0", "down-0", "up-99", "nonsense", "", "remove-0-0"] {
            assert_eq!(Fields::read(&pressed(&fewer, odd)).0.len(), 1, "{odd}");
        }
    }
}
