//! How does the Markdown that members write become HTML?

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use super::{MAX_TEXT_BYTES, TextError, clean::clean_rendered};

/// Most lists, quotes and so on inside one another.
const MAX_DEPTH: usize = 40;

/// Markdown (CommonMark and `~~strikethrough~~`) as HTML that went through [`clean_html`].
///
/// Raw HTML is shown as it was typed; an image becomes a link to it with its description, because
/// pictures of strangers are not shown; headings start at `h3`.
///
/// # Errors
/// [`TextError::TooLong`] and [`TextError::TooComplex`].
pub fn render(markdown: &str) -> Result<String, TextError> {
    if markdown.len() > MAX_TEXT_BYTES {
        return Err(TextError::TooLong);
    }
    let mut depth = 0usize;
    let mut events = Vec::new();
    for event in Parser::new_ext(markdown, Options::ENABLE_STRIKETHROUGH) {
        match &event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(TextError::TooComplex);
        }
        events.push(adapt(event));
    }
    let mut out = String::with_capacity(markdown.len() * 3 / 2);
    html::push_html(&mut out, events.into_iter());
    clean_rendered(&out)
}

fn adapt(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Html(raw) | Event::InlineHtml(raw) => Event::Text(raw),
        Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
        Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
        Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
            Event::Start(Tag::Link { link_type, dest_url, title, id })
        }
        Event::End(TagEnd::Image) => Event::End(TagEnd::Link),
        Event::Start(Tag::Heading { level, .. }) => {
            Event::Start(Tag::Heading { level: lower(level), id: None, classes: Vec::new(), attrs: Vec::new() })
        }
        Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(lower(level))),
        other => other,
    }
}

fn lower(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 => HeadingLevel::H3,
        HeadingLevel::H2 => HeadingLevel::H4,
        HeadingLevel::H3 => HeadingLevel::H5,
        _ => HeadingLevel::H6,
    }
}
