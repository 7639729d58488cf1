//! How are figures shown? Medians beside their limit and their target, as a table or for machines.

use serde_json::{Value, json};

/// Higher or lower is better.
#[derive(Clone, Copy)]
pub enum Reach {
    AtLeast(f64),
    AtMost(f64),
    /// Shown to explain the others.
    Nothing,
}

/// What the machine could do at most, in the same run.
pub struct Limit {
    pub name: &'static str,
    pub figure: f64,
}

struct Row {
    id: &'static str,
    what: String,
    unit: &'static str,
    runs: Vec<f64>,
    limits: Vec<f64>,
    limit_name: &'static str,
    reach: Reach,
}

/// All figures, in the order in which they first came.
#[derive(Default)]
pub struct Table {
    rows: Vec<Row>,
}

/// What a figure is about.
pub type Head = (&'static str, &'static str, &'static str);

impl Table {
    /// Adds what one run measured.
    pub fn add(&mut self, (id, what, unit): Head, figure: f64, reach: Reach, limit: Option<Limit>) {
        let known = self.rows.iter().position(|row| row.id == id && row.what == what);
        let at = known.unwrap_or_else(|| {
            let limit_name = limit.as_ref().map_or("", |limit| limit.name);
            let (runs, limits) = (Vec::new(), Vec::new());
            self.rows.push(Row { id, what: what.into(), unit, runs, limits, limit_name, reach });
            self.rows.len() - 1
        });
        self.rows[at].runs.push(figure);
        self.rows[at].limits.extend(limit.map(|limit| limit.figure));
    }

    /// How many times worse each figure is here than in another table, by their medians.
    pub fn times_worse_than(&self, other: &Self) -> Vec<(String, f64)> {
        let pairs = self.rows.iter().filter_map(|row| {
            let same = other.rows.iter().find(|known| known.id == row.id && known.what == row.what)?;
            let (here, there) = (median(&row.runs), median(&same.runs));
            let times = match row.reach {
                Reach::AtLeast(_) => there / here,
                Reach::AtMost(_) => here / there,
                Reach::Nothing => return None,
            };
            Some((format!("{} {}", row.id, row.what), times))
        });
        pairs.collect()
    }

    /// A row that is a factor between two others, and how high it may be.
    pub fn add_factor(&mut self, id: &'static str, what: String, times: f64, most: f64) {
        let (runs, limits) = (vec![times], Vec::new());
        self.rows.push(Row { id, what, unit: "x", runs, limits, limit_name: "", reach: Reach::AtMost(most) });
    }

    /// For eyes.
    pub fn print(&self) {
        println!(
            "{:<5} {:<60} {:>9} {:<5} {:>9} {:<4} {:>9} {:>6}  limit",
            "", "median", "figure", "", "target", "", "limit", "ratio"
        );
        for row in &self.rows {
            let (sign, target, verdict) = row.held();
            let limit = (!row.limits.is_empty()).then(|| median(&row.limits));
            println!(
                "{:<5} {:<60} {:>9} {:<5} {:>9} {:<4} {:>9} {:>6}  {}",
                row.id,
                row.what,
                short(median(&row.runs)),
                row.unit,
                target.map(|t| format!("{sign}{}", short(t))).unwrap_or_default(),
                verdict,
                limit.map(short).unwrap_or_default(),
                limit.map(|l| format!("{:.2}", median(&row.runs) / l)).unwrap_or_default(),
                row.limit_name,
            );
        }
    }

    /// For machines.
    pub fn json(&self) -> Value {
        let row = |row: &Row| {
            let (_, target, verdict) = row.held();
            let limit = (!row.limits.is_empty()).then(|| median(&row.limits));
            json!({"id": row.id, "what": row.what, "unit": row.unit, "median": median(&row.runs), "runs": row.runs,
                "limit": limit, "limit_name": row.limit_name, "target": target, "reached": verdict})
        };
        self.rows.iter().map(row).collect()
    }
}

impl Row {
    fn held(&self) -> (&'static str, Option<f64>, &'static str) {
        let figure = median(&self.runs);
        let verdict = |reached: bool| if reached { "yes" } else { "NO" };
        match self.reach {
            Reach::AtLeast(target) => (">=", Some(target), verdict(figure >= target)),
            Reach::AtMost(target) => ("<=", Some(target), verdict(figure <= target)),
            Reach::Nothing => ("", None, ""),
        }
    }
}

/// The middle one; of an even number the lower.
pub fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[(sorted.len() - 1) / 2]
}

fn short(figure: f64) -> String {
    match figure {
        f if f >= 100.0 => format!("{f:.0}"),
        f if f >= 10.0 => format!("{f:.1}"),
        f => format!("{f:.2}"),
    }
}
