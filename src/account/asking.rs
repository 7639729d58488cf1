//! What is wrong with what somebody says when asking for an account?

use super::{NewAccount, RESERVED, email_of, handle_of, invitation, is_zone};
use crate::clock::Time;
use crate::db::Db;
use crate::error::{Problems, Result};
use crate::setting::SignUp;
use crate::{actor, mail, text};

/// What somebody says about themselves, as typed.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The handle.
    pub handle: String,
    /// What they want to be called.
    pub name: String,
    /// Mail address.
    pub email: String,
    /// IANA zone; empty when they did not say.
    pub zone: String,
    /// What they say to who approves.
    pub application: String,
    /// The invitation.
    pub code: String,
}

impl Asked {
    pub(super) fn of(new: &NewAccount, code: &str) -> Self {
        Self {
            handle: new.handle.clone(),
            name: new.name.clone(),
            email: new.email.clone(),
            zone: new.zone.clone(),
            application: new.application.clone(),
            code: code.to_owned(),
        }
    }
}

/// Everything that is wrong with it under this way of signing up; without one, as the machine's owner asks. Says
/// nothing about whether the mail address has an account already (ACC-01).
pub fn problems(db: &mut Db, asked: &Asked, mode: Option<SignUp>, now: Time) -> Result<Problems> {
    let mut problems = Problems::default();
    if mode == Some(SignUp::Invitation) && invitation::find_open(db, &asked.code, now)?.is_none() {
        let said = "This invitation is not known, is used up or has ended. Please ask for a new one.";
        problems.add("code", if asked.code.trim().is_empty() { "Please enter the code you were given." } else { said });
    }
    let handle = handle_of(&asked.handle);
    if handle.is_empty() {
        problems.add("handle", "Please choose a name for your address.");
    } else if !text::is_handle(&handle) {
        problems.add("handle", "Please use 2 to 30 small letters, digits or _.");
    } else if RESERVED.contains(&handle.as_str()) || actor::find_here(db, &handle)?.is_some() {
        problems.add("handle", "This name is taken; please choose another.");
    }
    problems.add_if(asked.name.trim().chars().count() > 60, "name", "Please use at most 60 letters.");
    let email = email_of(&asked.email);
    problems.add_if(!mail::is_address(&email), "email", "Please enter your mail address, such as bo@example.org.");
    problems.add_if(!is_zone(&asked.zone), "zone", "Please choose a zone from the list.");
    if mode == Some(SignUp::Approval) {
        let said = asked.application.trim();
        problems.add_if(said.is_empty(), "application", "Please say in a sentence who you are and what brings you.");
        problems.add_if(said.chars().count() > 1000, "application", "Please use at most 1000 letters.");
    }
    Ok(problems)
}
