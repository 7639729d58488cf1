//! Is the answer of somebody on a microblog read as it was meant?

use super::cast::{levels, rubric};
use crate::review::answer::{Reading, read};
use crate::text;

fn of(plain: &str) -> Reading {
    read(&rubric(), plain)
}

#[test]
fn levels_are_named_in_many_ways() {
    for text in [
        "clear 2\ncorrect 1\ncurious 0",
        "Clear: 2\nCORRECT = 1\ncurious 0",
        "clear:2\ncorrect=1\ncurious   0.",
        "  clear fully\n* correct: Partly\n- curious = not yet",
        "@rust_bot clear 2\ncorrect 1\n@rust_bot@north.example @ada curious 0",
        "curious 0\n\ncorrect 1\n\nclear 2!",
        "clear 2\nclear 2\ncorrect 1\ncurious not yet",
    ] {
        let reading = of(text);
        assert_eq!(reading.levels, levels(2, 1, 0), "{text:?}");
        assert!(reading.unclear.is_empty(), "{text:?}");
        assert_eq!(reading.comment, "", "{text:?}");
    }
}

#[test]
fn the_rest_is_the_comment() {
    let reading = of(
        "@rust_bot Thank you!\nclear 2\ncorrect 1\ncurious 2\nClear as water, correct me if I am wrong.\n\nNice 3 pages.",
    );
    assert_eq!(reading.levels, levels(2, 1, 2));
    assert_eq!(reading.comment, "Thank you!\nClear as water, correct me if I am wrong.\n\nNice 3 pages.");
}

#[test]
fn words_that_only_begin_alike_are_no_criteria() {
    let reading = of("clearly 2\ncorrection 1\nclear2");
    assert!(reading.levels.is_empty() && reading.unclear.is_empty());
}

#[test]
fn levels_that_do_not_exist_are_said_to_be_unclear() {
    for text in
        ["clear 3", "clear -1", "clear 1.5", "clear 99999999999999999999", "clear", "clear:", "clear 2\nclear 1"]
    {
        let reading = of(text);
        assert_eq!(reading.unclear.len(), 1, "{text:?}: {reading:?}");
        assert!(reading.levels().is_err());
    }
}

#[test]
fn html_of_microblogs_reads_like_lines() {
    let mastodon = "<p><span class=\"h-card\" translate=\"no\"><a href=\"https://north.example/u/rust_bot\" class=\"u-url mention\">@<span>rust_bot</span></a></span> clear 2<br>correct: partly<br />curious=0</p><p>Well done &amp; brief</p>";
    let snac = "<p><a href=\"https://north.example/u/rust_bot\" class=\"mention\">@rust_bot@north.example</a></p><p>Clear 2</p><p>Correct 1</p><p>Curious not yet</p><p>Well done &amp; brief</p>";
    let plain = "@rust_bot@north.example clear 2\ncorrect 1\ncurious 0\n\nWell done & brief";
    for html in [mastodon, snac, plain] {
        let reading = of(&text::plain(html).unwrap());
        assert_eq!(reading.levels, levels(2, 1, 0), "{html}");
        assert_eq!(reading.comment, "Well done & brief", "{html}");
    }
}

#[test]
fn ids_with_other_letters_are_read_too() {
    let mut rubric = rubric();
    rubric.criteria[0].id = "klärung".into();
    rubric.criteria[0].name = "Klärung des Ganzen".into();
    for line in ["KLÄRUNG 2", "klärung des ganzen: 2", "Klärung des Ganzen fully"] {
        assert_eq!(read(&rubric, line).levels.get("klärung"), Some(&2), "{line}");
    }
}
