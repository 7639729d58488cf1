//! Is a course on one instance enrolled in, worked on and peer-reviewed by people of that instance, of a second one, and
//! of an account on a microblog?

mod cast;
mod leave;
mod moving;
mod outage;
mod pages;
mod private;
mod review;
mod steps;

use cast::{Cast, World};

/// The main job of the whole program, in the order in which it happens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_course_is_taken_across_servers() {
    let cast = play(Cast::gather().await).await;
    assert!(matches!(cast.world, World::Double(..)));
}

/// The same with Mia on snac and on Fedify, over TLS: `peers/run`; on those of `LAB_PEERS` alone, such as cattle_grid:
/// `peers/grid/run`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs programs that are not ours: federation-tests/peers/run"]
async fn a_course_is_taken_from_programs_that_are_not_ours() {
    let cast = play(Cast::gather_among_peers().await).await;
    let peers = std::env::var("LAB_PEERS").map_or(2, |names| names.split(',').count());
    assert_eq!(cast.mias.len(), peers);
    assert!(matches!(cast.world, World::Peers(_)));
}

async fn play(mut cast: Cast) -> Cast {
    cast.propose_list_and_plan().await;
    cast.check_the_group().await;

    cast.bo_enrolls_by_the_form().await;
    cast.dov_finds_the_course_and_joins().await;
    cast.mia_follows_and_enrolls().await;

    cast.open_the_assignment().await;
    cast.check_what_is_featured().await;
    cast.bo_hands_in_with_a_file().await;
    cast.dov_hands_in_and_revises().await;
    let works = cast.mia_hands_in_by_a_reply_and_edits().await;
    cast.fill_what_is_empty().await;
    cast.every_page_opens().await;
    cast.north_loses_power(&works).await;
    cast.everyone_gets_new_keys();

    cast.deadline_passes().await;
    cast.reviews_are_asked_for().await;
    cast.every_page_opens().await;
    cast.everyone_reviews().await;
    cast.refusals_are_clear().await;
    cast.release_comes().await;
    cast.results_are_released_to_each_where_they_are().await;
    cast.ada_overrides_a_result().await;
    cast.every_page_opens().await;

    cast.ada_posts_edits_and_deletes().await;
    cast.people_move().await;
    cast.people_leave().await;
    cast.nothing_was_refused().await;
    cast
}
