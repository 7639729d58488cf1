//! P3: how fast do people get their pages, alone and while other servers send?

use crate::Size;
use crate::inbox::{CONNECTIONS, requests};
use crate::load::{self, Pressure};
use crate::school::School;
use crate::server::{Place, Server};
use crate::table::{Limit, Reach, Table};
use std::sync::Arc;

/// One run. `inbox` is how many activities come in each second meanwhile.
pub async fn measure(table: &mut Table, size: Size, (place, school, server): (&Place, &School, &Server), inbox: f64) {
    let course = format!("/c/{}", school.learners.first().map_or("", |_| "reading"));
    let submissions = format!("{}/submissions", school.handed_in.path());
    let pages: [(&'static str, &'static str, &str, bool); 4] = [
        ("front page", "front page, p99 at 500/s beside P1", "/", false),
        ("course page, signed in", "course page, p99 at 500/s beside P1", &course, true),
        ("people of the course", "people, p99 at 500/s beside P1", &format!("{course}/people"), true),
        ("assignment with 100 submissions", "submissions, p99 at 500/s beside P1", &submissions, true),
    ];
    let full = Pressure { connections: CONNECTIONS, rate: None, status: 200 };
    let livez = load::run(&server.host, gets(server, "/livez", None, size.pages * 2), full).await;
    for (name, calm_name, path, signed_in) in pages {
        let cookie = signed_in.then_some(school.cookie.as_str());
        let fast = load::run(&server.host, gets(server, path, cookie, size.pages), full).await;
        assert_eq!(fast.unexpected, 0, "{path}");
        let limit = Limit { name: "/livez, requests/s", figure: livez.rate() };
        table.add(("P3", name, "/s"), fast.rate(), Reach::AtLeast(2500.0), Some(limit));
        let activities = requests(place, school, (inbox * size.seconds) as usize);
        let beside = Pressure { connections: CONNECTIONS, rate: Some(inbox), status: 202 };
        let at_500 = Pressure { connections: CONNECTIONS * 2, rate: Some(500.0), status: 200 };
        let asked = gets(server, path, cookie, (500.0 * size.seconds) as usize);
        let (_, calm) =
            tokio::join!(load::run(&server.host, activities, beside), load::run(&server.host, asked, at_500),);
        table.add(("P3", calm_name, "ms"), calm.p99(), Reach::AtMost(15.0), None);
        place.until_none("inbox WHERE state = 'pending'").await;
    }
}

fn gets(server: &Server, path: &str, cookie: Option<&str>, count: usize) -> Arc<Vec<Vec<u8>>> {
    let cookie = cookie.map(|cookie| format!("cookie: {cookie}\r\n")).unwrap_or_default();
    let one = format!("GET {path} HTTP/1.1\r\nhost: {}\r\naccept: text/html\r\n{cookie}\r\n", server.host);
    Arc::new(vec![one.into_bytes(); count])
}
