//! How long can a text be worked on that was made to waste time?

use crate::table::{Reach, Table};
use hedgeschool::text::{MAX_TEXT_BYTES, clean_html, render};
use std::hint::black_box;
use std::time::Instant;

/// Repeated until a text is as long as any may be.
const HTML: [&str; 17] = [
    "<div>",
    "<b>",
    "<x>",
    "<a href=x>",
    "<p>",
    "<table><tr><td>",
    "<blockquote><p>",
    "</p>",
    "<",
    "&",
    "&amp;",
    "&#38;",
    "±",
    "<!--",
    "<b><i></b>",
    "<svg><b>",
    "<p>one <b>two</b> & three</p>",
];
const MARKDOWN: [&str; 20] = [
    "> ", "[", "![", "*a **", "`", "- ", "_", "[a]: x\n", "<!--", "a**b", "\\", "[a](<b", "~~a ", "* * ", "1. ", "<a ",
    "&", "# a\n", "[][]", "<b>",
];

/// Adds the slowest of each kind.
pub fn measure(table: &mut Table) {
    table.add(("P9", "slowest hostile HTML of 64 KiB", "ms"), slowest(&HTML, clean_html), Reach::AtMost(100.0), None);
    table.add(
        ("P9", "slowest hostile Markdown of 64 KiB", "ms"),
        slowest(&MARKDOWN, render),
        Reach::AtMost(100.0),
        None,
    );
}

fn slowest<T>(units: &[&str], work: impl Fn(&str) -> T) -> f64 {
    let one = |unit: &&str| {
        let text = unit.repeat(MAX_TEXT_BYTES / unit.len());
        let begin = Instant::now();
        drop(black_box(work(&text)));
        begin.elapsed().as_secs_f64() * 1000.0
    };
    units.iter().map(one).fold(0.0, f64::max)
}
