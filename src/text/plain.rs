//! How does HTML become plain text, and how is text shortened?

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use ammonia::Builder;

use super::{TextError, clean_html};

/// The elements that make line breaks in plain text.
const BREAKING: [&str; 12] = ["p", "br", "li", "ul", "ol", "pre", "blockquote", "h3", "h4", "h5", "h6", "hr"];

static OUTLINE: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::empty();
    builder.tags(HashSet::from(BREAKING)).generic_attributes(HashSet::new()).tag_attributes(HashMap::new());
    builder
});

/// The words of an HTML text: `<br>` is a line break, a paragraph, heading or list item ends with
/// one or two, entities are decoded, everything else is dropped.
///
/// For reading a person's answer line by line, for excerpts, letters and search.
///
/// # Errors
/// As [`clean_html`].
pub fn plain(html: &str) -> Result<String, TextError> {
    let outline = OUTLINE.clean(&clean_html(html)?).to_string();
    let mut out = String::with_capacity(outline.len());
    let mut pieces = outline.split('<');
    decode(pieces.next().unwrap_or_default(), &mut out);
    for piece in pieces {
        // The cleaner's output has no attributes and no stray angle brackets.
        let (tag, text) = piece.split_once('>').unwrap_or((piece, ""));
        match tag {
            "br" | "/li" | "hr" => out.push('\n'),
            "/p" | "/h3" | "/h4" | "/h5" | "/h6" | "/pre" | "/blockquote" => out.push_str("\n\n"),
            "ul" | "ol" | "blockquote" | "pre" if !out.is_empty() && !out.ends_with('\n') => {
                out.push('\n');
            }
            _ => {}
        }
        decode(text, &mut out);
    }
    Ok(tidy(&out))
}

/// Whether there is anything to read in HTML that was cleaned: faster than to make plain text of it.
pub fn has_words(clean: &str) -> bool {
    let (mut inside, mut quoted) = (false, false);
    for c in clean.replace("&nbsp;", " ").chars() {
        match c {
            '"' if inside => quoted = !quoted,
            '>' if inside && !quoted => inside = false,
            '<' if !inside => inside = true,
            c if !inside && !c.is_whitespace() => return true,
            _ => {}
        }
    }
    false
}

/// The five references that the cleaner writes.
fn decode(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let known = [("amp;", '&'), ("lt;", '<'), ("gt;", '>'), ("quot;", '"'), ("nbsp;", ' ')];
        match known.iter().find_map(|(name, c)| Some((after.strip_prefix(name)?, c))) {
            Some((after, c)) => {
                out.push(*c);
                rest = after;
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
}

/// No spaces at the ends of lines, at most one empty line in a row, none at either end.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.lines().map(str::trim_end) {
        empty = if line.is_empty() { empty + 1 } else { 0 };
        if empty < 2 {
            out.push_str(line);
            out.push('\n');
        }
    }
    out.trim().to_owned()
}

/// The first `max_chars` characters of plain text in one line, cut between words and marked `…`.
pub fn excerpt(text: &str, max_chars: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some((cut, _)) = line.char_indices().nth(max_chars) else {
        return line;
    };
    let head = line.get(..cut).unwrap_or_default();
    // A word that fills most of the excerpt is cut anyway.
    let end = head.rfind(' ').filter(|&space| space * 2 > head.len()).unwrap_or(head.len());
    format!("{}…", head.get(..end).unwrap_or(head).trim_end())
}

/// The longest beginning of `text` that has at most `max_bytes` bytes and whole characters.
pub fn truncate(text: &str, max_bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(max_bytes)).unwrap_or(text)
}
