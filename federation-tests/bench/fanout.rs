//! P2: how fast does one post reach a thousand servers, and does a slow one hold up the others?

use crate::school::School;
use crate::server::{Place, Server};
use crate::sink::Sink;
use crate::table::{Limit, Reach, Table};
use crate::{Size, limits};
use hedgeschool::discussion::{self, NewPost};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// One run with everyone well, one with every tenth server answering after ten seconds.
pub async fn measure(table: &mut Table, size: Size, (place, school, server, sink): (&Place, &School, &Server, &Sink)) {
    let signatures = limits::signatures(&school.keys[0]);
    sink.slow_down(1, Duration::ZERO);
    sink.forget();
    let cpu = server.cpu();
    let enqueued = post(place, school).await;
    table.add(("P2", "one post enqueued, one transaction", "ms"), enqueued, Reach::AtMost(100.0), None);
    let firsts = arrivals(sink, size.hosts as usize).await;
    place.until_none("deliveries WHERE state = 'pending'").await;
    let used = (server.cpu() - cpu).as_secs_f64() * 1000.0 / f64::from(size.hosts);
    let well = span(&firsts, |_| true);
    let rate = firsts.len() as f64 / well;
    let limit = Limit { name: "RSA signatures/s of one core", figure: signatures };
    table.add(("P2", "delivered", "/s"), rate, Reach::AtLeast(signatures * 0.45), Some(limit));
    let limit = Limit { name: "one signature, ms", figure: 1000.0 / signatures };
    table.add(("P2", "CPU each delivery", "ms"), used, Reach::Nothing, Some(limit));

    sink.slow_down(10, Duration::from_secs(10));
    sink.forget();
    post(place, school).await;
    let healthy = |ip: &IpAddr| !sink.is_slow(*ip, 10);
    let count = (0..size.hosts).filter(|n| healthy(&sink.host(10 + n).ip())).count();
    let firsts = arrivals_of(sink, count, healthy).await;
    let slow = span(&firsts, healthy);
    let limit = Limit { name: "last delivery with all well, s", figure: well };
    table.add(("P2", "last healthy delivery, a tenth slow (10 s)", "s"), slow, Reach::AtMost(well * 1.2), Some(limit));
    sink.slow_down(1, Duration::ZERO);
    // The slow ones are tried again later; they are not waited for.
    tokio::time::sleep(Duration::from_secs(if size.hosts > 100 { 12 } else { 1 })).await;
}

/// Writes a post beside the server, in one transaction. Says how many milliseconds that took.
async fn post(place: &Place, school: &School) -> f64 {
    let (by, course) = (school.ada.clone(), school.course.id);
    let begin = Instant::now();
    let write = place.pool.write(move |tx| {
        let now = tx.now();
        let text = "Tomorrow at six we meet and read together. Bring the twenty lines that you chose.";
        let new = NewPost {
            course_id: course,
            uri: None,
            in_reply_to: None,
            anchor: None,
            title: "Tomorrow at six".into(),
            body_md: text.into(),
            body_html: format!("<p>{text}</p>"),
            published_at: now,
        };
        discussion::write(tx, &by, new)
    });
    write.await.unwrap();
    begin.elapsed().as_secs_f64() * 1000.0
}

async fn arrivals(sink: &Sink, count: usize) -> BTreeMap<IpAddr, Instant> {
    arrivals_of(sink, count, |_| true).await
}

async fn arrivals_of(sink: &Sink, count: usize, of: impl Fn(&IpAddr) -> bool) -> BTreeMap<IpAddr, Instant> {
    let begin = Instant::now();
    loop {
        let firsts: BTreeMap<_, _> = sink.firsts().into_iter().filter(|(ip, _)| of(ip)).collect();
        if firsts.len() >= count {
            return firsts;
        }
        assert!(begin.elapsed() < Duration::from_secs(120), "only {} of {count} servers were reached", firsts.len());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Seconds between the first and the last.
fn span(firsts: &BTreeMap<IpAddr, Instant>, of: impl Fn(&IpAddr) -> bool) -> f64 {
    let times: Vec<&Instant> = firsts.iter().filter(|(ip, _)| of(ip)).map(|(_, at)| at).collect();
    match (times.iter().min(), times.iter().max()) {
        (Some(first), Some(last)) => (**last - **first).as_secs_f64(),
        _ => f64::NAN,
    }
}
