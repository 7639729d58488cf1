//! Are files kept safely?
