//! How fast is it, and beside which limit?
fn main() {}
