//! Who takes part in the story, and where?

use crate::browser::Browser;
use crate::lab::Lab;
use crate::mia::Mia;
use crate::microblog::{Microblog, Post};
use crate::server::{Clock, Server};
use std::time::Duration;

/// Two instances, who is on microblogs, and everyone's browser.
pub struct Cast {
    /// The home of the course.
    pub north: Server,
    /// Where Dov is.
    pub south: Server,
    /// On microblogs: each time Mia.
    pub mias: Vec<Box<dyn Microblog>>,
    /// Organizes, on north.
    pub ada: Browser,
    /// Learns, on north.
    pub bo: Browser,
    /// Learns, on south.
    pub dov: Browser,
    /// Eve of south, Eva of north and Eli of south: one person who moves twice.
    pub movers: [Browser; 3],
    /// Administrates north.
    pub nora: Browser,
    /// Administrates south.
    pub sven: Browser,
    /// The course's id, once there is one.
    pub course: String,
    /// The assignment's page on north and on south.
    pub assignment: (String, String),
    /// The assignment as each Mia sees it.
    pub posts: Vec<Post>,
    /// What the world around is.
    pub world: World,
}

/// Where the story is played.
pub enum World {
    /// With our double of a microblog, and one clock for all that can be moved.
    Double(Mia, Clock),
    /// With programs that we did not write, by the machine's clock.
    Peers(Lab),
}

/// Of everyone.
pub const PASSWORD: &str = "correct horse battery staple";

impl Cast {
    /// Everyone, with Mia on the double.
    pub async fn gather() -> Self {
        let clock = Clock::new();
        let starts = (clock.clone(), clock.clone());
        let north = tokio::task::spawn_blocking(move || Server::start("north", &starts.0));
        let south = tokio::task::spawn_blocking(move || Server::start("south", &starts.1));
        let (north, south) = (north.await.unwrap(), south.await.unwrap());
        let mia = Mia::start(&clock).await;
        Self::sign_everyone_up(north, south, vec![Box::new(mia.clone())], World::Double(mia, clock)).await
    }

    /// Everyone, with a Mia on each program of the lab.
    pub async fn gather_among_peers() -> Self {
        let (lab, peers) = Lab::start();
        let north = Server::start_behind_proxy("north", &lab.authority);
        let south = Server::start_behind_proxy("south", &lab.authority);
        lab.route(north.port, south.port).await;
        let mias = peers.into_iter().map(|peer| Box::new(peer) as Box<dyn Microblog>).collect();
        Self::sign_everyone_up(north, south, mias, World::Peers(lab)).await
    }

    async fn sign_everyone_up(north: Server, south: Server, mias: Vec<Box<dyn Microblog>>, world: World) -> Self {
        let nora = set_up(&north, "nora").await;
        let sven = set_up(&south, "sven").await;
        let ada = sign_up(&north, "ada").await;
        let bo = sign_up(&north, "bo").await;
        let dov = sign_up(&south, "dov").await;
        let movers = [sign_up(&south, "eve").await, sign_up(&north, "eva").await, sign_up(&south, "eli").await];
        let (course, assignment, posts) = (String::new(), Default::default(), Vec::new());
        Self { north, south, mias, ada, bo, dov, movers, nora, sven, course, assignment, posts, world }
    }

    /// The time as everybody's clock shows it.
    pub fn now(&self) -> jiff::Timestamp {
        let time = match &self.world {
            World::Double(_, clock) => clock.now(),
            World::Peers(_) => Clock::new().now(),
        };
        jiff::Timestamp::try_from(time).unwrap()
    }

    /// The deadline passes: the clock is moved, or Ada moves the deadline to the next minute.
    pub async fn deadline_passes(&mut self) {
        if let World::Double(_, clock) = &self.world {
            return clock.advance(Duration::from_secs(3 * 24 * 3600 + 60));
        }
        // Some seconds are left to send the form before the minute begins.
        let soon = self.now() + jiff::SignedDuration::from_secs(10);
        let minute = jiff::Timestamp::from_second((soon.as_second() / 60 + 1) * 60).unwrap();
        let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
        let due = minute.to_zoned(zone).strftime("%Y-%m-%dT%H:%M").to_string();
        let form = self.ada.get(&format!("{}/deadline", self.assignment.0)).await;
        self.ada.submit(&form, "/deadline", &[("due", &due)]).await.must_say("The times are changed");
        tokio::time::sleep(minute.duration_since(self.now()).unsigned_abs()).await;
    }

    /// The reviews are released: by the clock, or by Ada.
    pub async fn release_comes(&mut self) {
        if let World::Double(_, clock) = &self.world {
            return clock.advance(Duration::from_secs(3 * 24 * 3600));
        }
        let question = self.ada.get(&format!("{}/release", self.assignment.0)).await;
        self.ada.submit(&question, "/release", &[]).await;
    }
}

/// The first administrator, by the link that the server printed.
async fn set_up(server: &Server, handle: &str) -> Browser {
    let mut browser = Browser::new(server);
    let page = browser.get(&server.set_up_path()).await;
    let email = format!("{handle}@example.test");
    let done = browser
        .submit(
            &page,
            "/set-up/",
            &[
                ("site_name", server.name),
                ("sign_up", "open"),
                ("handle", handle),
                ("name", handle),
                ("email", &email),
                ("password", PASSWORD),
            ],
        )
        .await;
    assert_eq!(done.status, 200, "{}", done.text());
    let again = browser.get(&server.set_up_path()).await;
    assert_ne!(again.status, 200, "the set-up link works once");
    sign_in(&mut browser, handle).await;
    browser
}

/// Somebody who signs up by the form.
async fn sign_up(server: &Server, handle: &str) -> Browser {
    let mut browser = Browser::new(server);
    let page = browser.get("/sign-up").await;
    let (email, name) = (format!("{handle}@example.test"), capital(handle));
    let fields = [("handle", handle), ("name", &name), ("email", &email), ("password", PASSWORD)];
    let done = browser.submit(&page, "/sign-up", &fields).await;
    assert_eq!(done.status, 200, "{}", done.text());
    // Signing up does not sign in, so that nobody learns whether an address is known.
    sign_in(&mut browser, handle).await;
    browser.get("/me").await.must_say(&name);
    browser
}

async fn sign_in(browser: &mut Browser, handle: &str) {
    let page = browser.get("/sign-in").await;
    if page.has_form("/sign-in") {
        browser.submit(&page, "/sign-in", &[("name", handle), ("password", PASSWORD)]).await;
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
