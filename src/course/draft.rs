//! Is what somebody wrote about a course complete and usable? Pure.

use crate::error::{Error, Problems, Result};
use crate::text;

/// Open licences that a syllabus may have: SPDX identifier, name, address of its text.
pub const LICENSES: &[(&str, &str, &str)] = &[
    ("CC-BY-4.0", "Creative Commons Attribution 4.0", "https://creativecommons.org/licenses/by/4.0/"),
    ("CC-BY-SA-4.0", "Creative Commons Attribution-ShareAlike 4.0", "https://creativecommons.org/licenses/by-sa/4.0/"),
    ("CC0-1.0", "Creative Commons Zero 1.0 (public domain)", "https://creativecommons.org/publicdomain/zero/1.0/"),
    ("GFDL-1.3-or-later", "GNU Free Documentation License 1.3", "https://www.gnu.org/licenses/fdl-1.3.html"),
    ("MIT", "MIT License", "https://opensource.org/license/mit"),
    ("Apache-2.0", "Apache License 2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
];

/// Languages offered in the form; others may come from elsewhere.
pub const LANGUAGES: &[(&str, &str)] = &[
    ("en", "English"),
    ("ar", "العربية"),
    ("bn", "বাংলা"),
    ("cs", "Čeština"),
    ("de", "Deutsch"),
    ("es", "Español"),
    ("fr", "Français"),
    ("hi", "हिन्दी"),
    ("it", "Italiano"),
    ("ja", "日本語"),
    ("ko", "한국어"),
    ("nl", "Nederlands"),
    ("pl", "Polski"),
    ("pt", "Português"),
    ("ru", "Русский"),
    ("sw", "Kiswahili"),
    ("tr", "Türkçe"),
    ("uk", "Українська"),
    ("zh", "中文"),
];

/// The longest handle of a course: its bot's is four letters longer.
pub const LONGEST_HANDLE: usize = 26;

/// What an organizer says about a course.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// What it is called.
    pub title: String,
    /// Its handle; empty means: made from the title. Cannot be changed later.
    pub handle: String,
    /// One sentence.
    pub tagline: String,
    /// Markdown.
    pub description: String,
    /// BCP 47 tag out of [`LANGUAGES`].
    pub language: String,
    /// SPDX identifier out of [`LICENSES`].
    pub license: String,
}

impl Draft {
    /// The handle that is asked for, or one made from the title.
    pub fn handle(&self) -> String {
        if !self.handle.is_empty() {
            return self.handle.trim_start_matches('@').to_ascii_lowercase();
        }
        let made = text::slug(&self.title).unwrap_or_default();
        text::truncate(&made, LONGEST_HANDLE).trim_end_matches('_').to_owned()
    }

    /// Refuses what cannot be used, field by field.
    pub fn check(&self) -> Result<()> {
        let mut wrong = Problems::default();
        let title = self.title.chars().count();
        wrong.add_if(!(3..=120).contains(&title), "title", "Please give the course a title of 3 to 120 letters.");
        let tagline = self.tagline.chars().count();
        wrong.add_if(!(1..=200).contains(&tagline), "tagline", "Please say in one sentence what it is about.");
        wrong.add_if(self.description.trim().is_empty(), "description", "Please describe what people will learn.");
        wrong.add_if(self.description.len() > 20_000, "description", "Please keep it below 20,000 letters.");
        let known = LANGUAGES.iter().any(|(tag, _)| *tag == self.language);
        wrong.add_if(!known, "language", "Please choose a language of the list.");
        let open = LICENSES.iter().any(|(id, _, _)| *id == self.license);
        wrong.add_if(!open, "license", "Please choose one of the open licences.");
        wrong.check()
    }

    /// Refuses a handle that cannot be used.
    pub fn check_handle(&self) -> Result<()> {
        let handle = self.handle();
        let usable = text::is_handle(&handle) && handle.len() <= LONGEST_HANDLE && !handle.ends_with("_bot");
        if usable {
            return Ok(());
        }
        Err(Error::invalid(
            "handle",
            format!("Please choose 2 to {LONGEST_HANDLE} small letters, digits or underscores, not ending in _bot."),
        ))
    }

    /// The description as cleaned HTML.
    pub fn html(&self) -> Result<String> {
        text::render(&self.description).map_err(|e| Error::invalid("description", e.to_string()))
    }
}

/// What microblogs show beside the course's name: cleaned HTML.
pub(super) fn summary(tagline: &str, private: bool) -> Result<String> {
    let tagline = tagline.replace('&', "&amp;").replace('<', "&lt;");
    let how = match private {
        true => "<p>Follow to ask for a place; an organizer answers.</p>",
        false => "<p>Follow to watch; answer the welcome note with “enroll” to take part.</p>",
    };
    text::clean_html(&format!("<p>{tagline}</p>{how}")).map_err(|e| Error::invalid("tagline", e.to_string()))
}

/// The address of a licence's text, or of the SPDX page about it.
pub fn license_url(id: &str) -> String {
    let known = LICENSES.iter().find(|(known, _, _)| *known == id);
    known.map_or_else(|| format!("https://spdx.org/licenses/{id}.html"), |(_, _, url)| (*url).to_owned())
}

/// A language's own name, or its tag.
pub fn language_name(tag: &str) -> String {
    let known = LANGUAGES.iter().find(|(known, _)| *known == tag);
    known.map_or_else(|| tag.to_owned(), |(_, name)| (*name).to_owned())
}
