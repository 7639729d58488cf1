//! Do servers that speak only HTTP to each other keep their promises?
#[test]
fn t() {}
