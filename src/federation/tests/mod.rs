//! Do the parts of federation hold together?

mod blocked;
mod fields;
mod limits;
