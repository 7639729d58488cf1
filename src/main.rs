//! How does the program start?
fn main() {}
