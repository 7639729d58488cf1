//! What is a valid handle, and how does a title become one?

use std::ops::RangeInclusive;

/// How many bytes a handle has.
pub const HANDLE_BYTES: RangeInclusive<usize> = 2..=30;

/// Whether `text` may be a local handle: `[a-z0-9_]`, 2 to 30 of them. Some microblog software (snac among them) ends a
/// mention at a hyphen, so that nobody there could write to such a name.
pub fn is_handle(text: &str) -> bool {
    HANDLE_BYTES.contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// A handle made from a title: `Über Café & Go!` becomes `uber_cafe_go`.
///
/// `None` when the title has too few letters that have a Latin spelling.
pub fn slug(title: &str) -> Option<String> {
    let mut out = String::new();
    for c in title.chars().flat_map(char::to_lowercase) {
        let spelled = if c.is_ascii_alphanumeric() { Some(None) } else { latin(c).map(Some) };
        match spelled {
            Some(None) => out.push(c),
            Some(Some(letters)) => out.push_str(letters),
            // Apostrophes and combining accents sit inside a word.
            None if matches!(c, '\'' | '’' | '\u{300}'..='\u{36f}') => {}
            None if !out.is_empty() && !out.ends_with('_') => out.push('_'),
            None => {}
        }
        if out.len() >= *HANDLE_BYTES.end() {
            break;
        }
    }
    out.truncate(*HANDLE_BYTES.end());
    out.truncate(out.trim_end_matches('_').len());
    is_handle(&out).then_some(out)
}

/// The plain spelling of an accented Latin letter in lower case.
fn latin(c: char) -> Option<&'static str> {
    Some(match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ĥ' | 'ħ' => "h",
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
        'ĵ' => "j",
        'ķ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => "o",
        'œ' => "oe",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'ß' => "ss",
        'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
        'þ' => "th",
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => "u",
        'ŵ' => "w",
        'ý' | 'ÿ' | 'ŷ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => return None,
    })
}
