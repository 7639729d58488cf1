//! Is a course on one instance enrolled in, worked on and peer-reviewed by people of that instance, of a second one, and
//! of an account on a microblog?

mod cast;
mod leave;
mod review;
mod steps;

use cast::Cast;
use std::time::Duration;

/// The main job of the whole program, in the order in which it happens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_course_is_taken_across_servers() {
    let mut cast = Cast::gather().await;
    cast.propose_list_and_plan().await;
    cast.check_the_group().await;

    cast.bo_enrolls_by_the_form().await;
    cast.dov_finds_the_course_and_joins().await;
    let follow = cast.mia_follows_and_enrolls().await;

    cast.open_the_assignment().await;
    cast.bo_hands_in_with_a_file().await;
    cast.dov_hands_in_and_revises().await;
    let work = cast.mia_hands_in_by_a_reply_and_edits().await;

    // Nothing is lost when the power goes, and nothing happens twice.
    cast.north.kill();
    cast.north.spawn();
    cast.mia.send_again(&cast.mia.create_of(&work), &[&cast.course]).await;

    cast.clock.advance(Duration::from_secs(3 * 24 * 3600 + 60));
    cast.everyone_reviews().await;
    cast.refusals_are_clear().await;
    cast.clock.advance(Duration::from_secs(3 * 24 * 3600));
    cast.results_are_released_to_each_where_they_are().await;
    cast.ada_overrides_a_result().await;

    cast.ada_posts_edits_and_deletes().await;
    cast.people_leave(&follow).await;
    assert_eq!(cast.mia.refused(), Vec::<String>::new(), "Mastodon would have refused something");
}
