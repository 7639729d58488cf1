//! How does what people write become HTML that is safe to show, plain text, or a name?
//!
//! Text is cleaned on the way in and on the way out, so every function here gives the same result
//! when it is applied to its own output.

mod clean;
mod markdown;
mod name;
mod plain;
#[cfg(test)]
mod tests;

pub use clean::{clean_again, clean_html};
pub use markdown::render;
pub use name::{HANDLE_BYTES, is_handle, slug};
pub use plain::{excerpt, has_words, plain, truncate};

/// Longest text that is looked at, in bytes; longer ones are refused whole (DOS-10).
pub const MAX_TEXT_BYTES: usize = 64 * 1024;

/// Why a text was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// More than [`MAX_TEXT_BYTES`].
    #[error("the text is longer than {MAX_TEXT_BYTES} bytes")]
    TooLong,
    /// Nested so deeply, or so full of markup, that only a machine can have made it.
    #[error("the text is nested too deeply or has too much markup")]
    TooComplex,
}
