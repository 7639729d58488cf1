//! How do reports and acts of moderation travel between servers?

mod acts;
mod farewell;
mod flag;
mod mirror;
mod standing;

pub use acts::{announce_ban, announce_restored, announce_unban, block, undo};
pub use farewell::{announce_gone, gone};
pub use flag::{flag, forward};
pub use mirror::{is_act, mirrored};
pub use standing::{announce_standing, is_about_course, stand};
