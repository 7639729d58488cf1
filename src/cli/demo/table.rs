//! What is told to who looks at the demonstration? Where it is, who can sign in, and what to do then.

use super::people::PASSWORD;
use super::school::School;
use super::story::Played;

/// The last thing that is said before the demonstration only serves.
pub fn of(north: &School, south: &School, played: &Played) -> String {
    let (at_north, at_south) = (north.address(), south.address());
    let (home, mirror, bread) = (&played.home, &played.mirror, &played.bread);
    format!(
        "
Everything is ready. Open these in a browser:

  North  {at_north}
  South  {at_south}

  sign in at  as    and then
  North       cleo  review two works of others, without their names
  North       eli   the same
  North       bo    write the second of two reviews; see what you handed in, with a file
  North       ada   lead the course: who takes part, works, reviews; release the results when you like
  North       nora  administer North; answer a proposal for a course that waits
  South       dov   review two works for a course that lives on North
  South       ines  write the second of two reviews; lead your own course, which North sees as well
  South       sven  administer South

  Everyone's password: {PASSWORD}

  The course on North         {home}
  the same, seen from South   {mirror}
  A course of South on North  {bread}

“Reviews” in the menu shows what is to be reviewed. Letters, such as for a new password, appear here.
Ctrl-C ends it and deletes all of it."
    )
}
