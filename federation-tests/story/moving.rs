//! Do people who move from one instance to the other keep their places?

use super::cast::{Cast, PASSWORD};
use crate::browser::Browser;

impl Cast {
    /// Eve of south takes part and moves to an account on north; that one moves to another on south. Each time the place
    /// in the course goes along, in both directions.
    pub async fn people_move(&mut self) {
        let [eve, eva, eli] = &mut self.movers;
        let (north, south) = (self.north.host.clone(), self.south.host.clone());
        let (there, people) = (format!("/c/rust_101@{north}"), "/c/rust_101/people");
        let course = eve.get(&there).await;
        eve.submit(&course, "/enrollment", &[]).await;
        self.ada.wait_for(people, &format!("@eve@{south}")).await;
        eve.wait_for(&there, "you take part").await;

        let unasked = moves(eve, &format!("@eva@{north}")).await;
        unasked.must_say("does not name");
        names(eva, &format!("@eve@{south}")).await;
        moves(eve, &format!("@eva@{north}")).await.must_say("The move is under way");
        self.ada.wait_for(people, &format!("before: @eve@{south}")).await;
        eva.get("/c/rust_101").await.must_say("you take part");
        assert!(!eve.get(&there).await.says("you take part"), "the old account is out");
        eve.get("/u/eve").await.must_say("moved to");

        names(eli, &format!("@eva@{north}")).await;
        moves(eva, &format!("@eli@{south}")).await.must_say("The move is under way");
        self.ada.wait_for(people, &format!("before: @eva@{north}")).await;
        eli.wait_for(&there, "you take part").await;
    }
}

async fn names(who: &mut Browser, other: &str) {
    let form = who.get("/settings/moving").await;
    let named = who.submit(&form, "/moving/aliases", &[("alias", other)]).await;
    named.must_say("Named.");
}

async fn moves(who: &mut Browser, to: &str) -> crate::browser::Page {
    let form = who.get("/settings/moving").await;
    who.submit(&form, "/moving/departure", &[("target", to), ("password", PASSWORD)]).await
}
