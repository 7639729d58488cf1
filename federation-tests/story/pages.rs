//! Can everybody open what they are shown, on both instances, and does looking change nothing?

use super::cast::{Cast, World};
use crate::browser::Browser;
use crate::crawl::{Reader, crawl, delivered};

impl Cast {
    /// What the pages shall also show: a thread, an invitation, a proposal that waits.
    pub async fn fill_what_is_empty(&mut self) {
        let form = self.bo.get("/c/rust_101/discussion").await;
        let fields = [("title", "Where to begin"), ("body", "Which chapter is *first*?")];
        self.bo.submit(&form, "/discussion", &fields).await.must_say("Where to begin");
        let form = self.nora.get("/admin/invitations").await;
        let fields = [("note", "for the library"), ("uses", "3"), ("days", "7")];
        self.nora.submit(&form, "/admin/invitations", &fields).await.must_say("for the library");
        self.somebody_waits_and_somebody_is_stopped().await;
        let form = self.bo.get("/propose").await;
        let fields = [("title", "Hedges"), ("handle", "hedges"), ("tagline", "Know them."), ("description", "All.")];
        assert_eq!(self.bo.submit(&form, "/courses", &fields).await.path, "/c/hedges");
        let there = format!("/c/rust_101@{}/discussion", self.north.host);
        self.dov.wait_for(&there, "Where to begin").await;
    }

    /// An account that is suspended, and one that waits for approval.
    async fn somebody_waits_and_somebody_is_stopped(&mut self) {
        for (mode, handle) in [("open", "eve"), ("approval", "pia")] {
            let form = self.nora.get("/admin/settings").await;
            self.nora.submit(&form, "/admin/settings", &[("sign_up", mode)]).await.must_say("in force");
            let mut browser = Browser::new(&self.north);
            let form = browser.get("/sign-up").await;
            let email = format!("{handle}@example.test");
            let fields = [("handle", handle), ("email", email.as_str()), ("password", "a long word or two")];
            browser.submit(&form, "/sign-up", &[&fields[..], &[("application", "I bake.")]].concat()).await;
        }
        let account = self.nora.get("/admin/accounts?q=eve").await.link("/admin/accounts/");
        let question = self.nora.get(&format!("{account}/suspension")).await;
        self.nora.submit(&question, "/suspension", &[]).await.must_say("suspended");
        self.nora.get("/admin/accounts?state=pending").await.must_say("I bake.");
    }

    /// Everybody follows everything. Once, with the double: pages are the same whatever Mia uses.
    pub async fn every_page_opens(&mut self) {
        if matches!(self.world, World::Peers(_)) {
            return;
        }
        delivered(&self.north, &self.south).await;
        delivered(&self.south, &self.north).await;
        let (mut strange, mut strange_there) = (Browser::new(&self.north), Browser::new(&self.south));
        let mut here = [
            Reader { name: "a stranger", browser: &mut strange, is_known: false },
            Reader { name: "a learner", browser: &mut self.bo, is_known: true },
            Reader { name: "an organizer", browser: &mut self.ada, is_known: true },
            Reader { name: "an administrator", browser: &mut self.nora, is_known: true },
        ];
        let north = crawl(&self.north, &mut here).await;
        let mut there = [
            Reader { name: "a stranger in the south", browser: &mut strange_there, is_known: false },
            Reader { name: "a learner in the south", browser: &mut self.dov, is_known: true },
            Reader { name: "an administrator in the south", browser: &mut self.sven, is_known: true },
        ];
        let south = crawl(&self.south, &mut there).await;
        let mut problems: Vec<String> = [north.problems, south.problems].concat();
        for (links, base, browser) in
            [(&north.away, &self.south.url, &mut strange_there), (&south.away, &self.north.url, &mut strange)]
        {
            for link in links.iter().filter(|link| link.starts_with(base.as_str())) {
                let page = browser.get(link).await;
                if page.status != 200 {
                    problems.push(format!("the other instance answers {link}: {}", page.status));
                }
            }
        }
        assert!(north.read > 100 && south.read > 60, "{} and {} pages were read", north.read, south.read);
        assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
    }
}
