//! What does a short message to a course ask for? Pure.

/// What somebody wants who writes to a course.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// A place.
    Enroll,
    /// To give it up.
    Leave,
}

/// Longest message that is read as a wish, in characters: a longer one is a text of its own that happens to say "join".
const LONGEST: usize = 280;

/// The first word that asks for something. Names such as `@rust_bot@school.example` and addresses are passed over, and
/// "not" or "don't" before the word means that nothing is asked.
pub fn read(plain: &str) -> Option<Wish> {
    if plain.chars().count() > LONGEST {
        return None;
    }
    let mut negated = false;
    for word in plain.split_whitespace().filter(|word| !word.contains('@') && !word.contains("://")) {
        let bare: String = word.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
        match bare.as_str() {
            "enroll" | "enrol" | "join" | "joining" | "enrolling" if !negated => return Some(Wish::Enroll),
            "leave" | "unenroll" | "unenrol" | "leaving" if !negated => return Some(Wish::Leave),
            "not" | "dont" | "never" => negated = true,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_ask_in_their_own_words() {
        for (said, wish) in [
            ("enroll", Some(Wish::Enroll)),
            ("@rust_bot@us.test Enroll!", Some(Wish::Enroll)),
            ("I would like to join, please", Some(Wish::Enroll)),
            ("@rust@us.test @rust_bot@us.test unenroll", Some(Wish::Leave)),
            ("Leave.", Some(Wish::Leave)),
            ("I do not want to join", None),
            ("Thanks for the welcome", None),
            ("see https://a.test/join", None),
            ("@join@a.test hello", None),
        ] {
            assert_eq!(read(said), wish, "{said}");
        }
        assert_eq!(read(&format!("join {}", "x".repeat(300))), None);
    }
}
