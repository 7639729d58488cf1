//! Do reviews go where they should, and nowhere else?

mod allocation;
mod answer;
mod cast;
mod home;
mod mirror;
mod pages;
mod score;
mod verbs;
mod votes;
mod wire;
