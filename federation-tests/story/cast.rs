//! Who takes part in the story, and where?

use crate::browser::Browser;
use crate::mia::Mia;
use crate::server::{Clock, Server};

/// Two instances, a microblog, and everyone's browser.
pub struct Cast {
    /// One clock for all.
    pub clock: Clock,
    /// The home of the course.
    pub north: Server,
    /// Where Dov is.
    pub south: Server,
    /// On a microblog.
    pub mia: Mia,
    /// Organizes, on north.
    pub ada: Browser,
    /// Learns, on north.
    pub bo: Browser,
    /// Learns, on south.
    pub dov: Browser,
    /// Administrates north.
    pub nora: Browser,
    /// The course's id, once there is one.
    pub course: String,
    /// The assignment's page on north and on south.
    pub assignment: (String, String),
    /// The assignment as Mia sees it.
    pub post: serde_json::Value,
}

const PASSWORD: &str = "correct horse battery staple";

impl Cast {
    /// Starts everything and signs everyone up.
    pub async fn gather() -> Self {
        let clock = Clock::new();
        let starts = (clock.clone(), clock.clone());
        let north = tokio::task::spawn_blocking(move || Server::start("north", &starts.0));
        let south = tokio::task::spawn_blocking(move || Server::start("south", &starts.1));
        let (north, south) = (north.await.unwrap(), south.await.unwrap());
        let mia = Mia::start(&clock).await;
        let nora = set_up(&north, "nora").await;
        set_up(&south, "sven").await;
        let ada = sign_up(&north, "ada").await;
        let bo = sign_up(&north, "bo").await;
        let dov = sign_up(&south, "dov").await;
        let (course, assignment, post) = (String::new(), Default::default(), serde_json::Value::Null);
        Self { clock, north, south, mia, ada, bo, dov, nora, course, assignment, post }
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
