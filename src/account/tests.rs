//! Are the rules of accounts kept, and does each of their doors open?
