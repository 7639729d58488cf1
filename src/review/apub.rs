//! How do review tasks, reviews and results travel between servers?

mod incoming;
mod outgoing;

pub use incoming::{answered, concerns, create, feedback, receive, reply, task};
pub use outgoing::{
    announce_allocation, announce_end, announce_feedback, announce_given, announce_override, send_review,
};
