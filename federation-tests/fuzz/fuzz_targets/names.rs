//! Is any handle or name of a file read as more than it is?
#![no_main]

use hedgeschool::federation::webfinger::{Sought, parse_handle};
use hedgeschool::media::file::{harmless_name, harmless_type};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Some(Sought::Handle(handle)) = parse_handle(text) {
        assert!(!handle.host.contains(['/', '@', '?', '#', ' ']), "{handle:?}");
        assert!(!handle.user.contains(['/', '@', ' ']), "{handle:?}");
    }
    let name = harmless_name(text);
    assert!(!name.is_empty() && !name.contains(['/', '\\', '"', '\r', '\n']) && !name.starts_with('.'), "{name:?}");
    assert!(name.chars().count() <= 100, "{name:?}");
    let kind = harmless_type(text, text.as_bytes());
    assert!(!kind.contains("html") && !kind.contains("activity") && !kind.contains("svg"), "{kind}");
});
