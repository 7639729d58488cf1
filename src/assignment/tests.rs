//! Are assignments asked, opened, changed and mirrored by the rules?
