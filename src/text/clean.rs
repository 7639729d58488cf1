//! Which HTML of strangers do we show, and what becomes of the rest?

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use ammonia::{Builder, UrlRelative};

use super::{MAX_TEXT_BYTES, TextError};

/// What stays, as microblog servers agree on it; everything else loses its tags and keeps its text.
const TAGS: [&str; 24] = [
    "p",
    "br",
    "a",
    "span",
    "del",
    "s",
    "pre",
    "code",
    "em",
    "strong",
    "b",
    "i",
    "u",
    "ul",
    "ol",
    "li",
    "blockquote",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
];
/// What goes with all that is inside.
const GONE: [&str; 9] = ["script", "style", "iframe", "object", "template", "title", "noscript", "svg", "math"];
/// Classes that carry meaning between servers: mentions, hashtags, shortened links.
const CLASSES: [&str; 6] = ["mention", "hashtag", "ellipsis", "invisible", "u-url", "h-card"];
/// Elements that need no closing tag and hold nothing, or close themselves at the next of a kind.
const FLAT: [&str; 6] = ["br", "hr", "img", "wbr", "p", "li"];
/// Harmless elements beside [`TAGS`] whose closing tags count when nesting is measured.
const PLAIN: [&str; 6] = ["div", "section", "article", "figure", "small", "img"];
/// More open elements than this at once, or more work than [`MAX_COST`], is refused.
const MAX_DEPTH: usize = 100;
/// Most elements that the parser may have to create (it reopens formatting in each block).
const MAX_COST: usize = 50_000;
/// Most bytes that the serialiser may have to look through.
const MAX_SCAN: usize = 1 << 29;

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::empty();
    builder
        .tags(HashSet::from(TAGS))
        .clean_content_tags(HashSet::from(GONE))
        .generic_attributes(HashSet::new())
        .tag_attributes(HashMap::from([
            ("a", HashSet::from(["href"])),
            ("ol", HashSet::from(["start", "reversed"])),
            ("li", HashSet::from(["value"])),
        ]))
        .allowed_classes(HashMap::from([("a", HashSet::from(CLASSES)), ("span", HashSet::from(CLASSES))]))
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("nofollow noopener noreferrer"))
        .strip_comments(true);
    builder
});

/// Strangers' HTML reduced to an allow-list: no images, styles, scripts or event handlers, links
/// only to `http`, `https` and `mailto` and without endorsement. Headings start at `h3`, below
/// those of the page that shows them.
///
/// # Errors
/// [`TextError::TooLong`], and [`TextError::TooComplex`] for what would keep the parser busy.
pub fn clean_html(html: &str) -> Result<String, TextError> {
    if html.len() > MAX_TEXT_BYTES {
        return Err(TextError::TooLong);
    }
    clean_rendered(html)
}

/// [`clean_html`] for what our own renderer made: escaping makes a text longer than it was typed, so
/// its length was checked before.
pub(super) fn clean_rendered(html: &str) -> Result<String, TextError> {
    if is_costly(html) {
        return Err(TextError::TooComplex);
    }
    Ok(lower_headings(&CLEANER.clean(html).to_string()))
}

/// Cleans stored HTML once more before it is shown, so that a mistake of yesterday's rules does not
/// live on in the database. Never fails: what would be refused today is shown as its source text.
pub fn clean_again(stored: &str) -> String {
    clean_rendered(stored).unwrap_or_else(|_| ammonia::clean_text(stored))
}

/// `h1` and `h2` become `h3`. The input is the cleaner's own output, where these tags have no
/// attributes, so that plain replacement is exact.
fn lower_headings(clean: &str) -> String {
    let mut out = clean.to_owned();
    for level in ["h1", "h2"] {
        out = out.replace(&format!("<{level}>"), "<h3>").replace(&format!("</{level}>"), "</h3>");
    }
    out
}

/// Whether parsing would take disproportionate time.
///
/// HTML parsers reopen every unclosed formatting element in each new block, so n of the former and
/// m of the latter make n*m elements. This walks over the tags once and counts them from above:
/// a closing tag counts only while nothing has been seen that could make the parser ignore it.
fn is_costly(html: &str) -> bool {
    if slow_letters(html).saturating_mul(html.len()) > MAX_SCAN {
        return true;
    }
    let (mut open, mut depth, mut cost) = (HashMap::<&str, usize>::new(), 0usize, 0usize);
    let mut trust_closing = true;
    for piece in html.split('<').skip(1) {
        trust_closing &= piece.contains('>');
        let (closing, rest) = match piece.strip_prefix('/') {
            Some(rest) => (true, rest),
            None => (false, piece),
        };
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let tag = rest.get(..end).unwrap_or_default();
        let Some(name) = known(tag) else {
            trust_closing = false;
            // `<!`, `<?` and a lone `<` open nothing; unknown elements may nest.
            depth += usize::from(!tag.is_empty() && !closing);
            cost += 1 + depth;
            continue;
        };
        if closing {
            let count = open.entry(name).or_default();
            if trust_closing && *count > 0 {
                *count -= 1;
                depth = depth.saturating_sub(1);
            }
        } else if !FLAT.contains(&name) {
            *open.entry(name).or_default() += 1;
            depth += 1;
        }
        cost += 1 + depth;
        if depth > MAX_DEPTH || cost > MAX_COST {
            return true;
        }
    }
    depth > MAX_DEPTH || cost > MAX_COST
}

/// How many characters there are at which the parser's serialiser looks through the whole rest of
/// the text: ampersands that stay ampersands, and all that begins with the byte 0xC2.
fn slow_letters(html: &str) -> usize {
    let ampersands = html.split('&').skip(1);
    let escapes = |rest: &&str| ["lt;", "gt;", "quot;"].iter().any(|name| rest.starts_with(name));
    ampersands.filter(|rest| !escapes(rest)).count() + html.bytes().filter(|&byte| byte == 0xC2).count()
}

fn known(tag: &str) -> Option<&'static str> {
    TAGS.iter().chain(&PLAIN).copied().find(|name| name.eq_ignore_ascii_case(tag))
}
