//! Do reviews go where they should, and nowhere else?

mod allocation;
mod answer;
mod cast;
mod score;
mod verbs;
