//! How is history served to others, and pulled from them?

mod course;
mod serve;
mod standing;
mod thread;
mod walk;

pub use course::pull as pull_course;
pub use serve::routes;
pub use thread::pull as pull_thread;
