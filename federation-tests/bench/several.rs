//! P6: do several processes on one PostgreSQL share the work, and is what a killed one had in hand taken over?

use crate::inbox::{CONNECTIONS, requests};
use crate::load::{self, Pressure};
use crate::server::Server;
use crate::table::{Limit, Reach, Table};
use crate::{Size, Stage};
use std::time::{Duration, Instant};

const PENDING: &str = "inbox WHERE state = 'pending'";
const PROCESSES: usize = 3;

/// By turns one process and three on the same database; at the end one of the three is killed in the middle of it.
pub async fn measure(table: &mut Table, size: Size, (url, runs): (&str, usize)) {
    let stage = Stage::new(Some(url), 0, None).await;
    stage.sink.slow_down(1, Duration::from_secs(4));
    for _ in 0..runs {
        let one = worked_off(&stage, size, &[]).await;
        let more: Vec<Server> = (1..PROCESSES).map(|_| stage.place.start_another()).collect();
        let three = worked_off(&stage, size, &more).await;
        drop(more);
        let limit = Limit { name: "one process", figure: one };
        table.add(("P6", "worked off by three processes", "/s"), three, Reach::AtLeast(one * 0.9), Some(limit));
    }
    let more: Vec<Server> = (1..PROCESSES).map(|_| stage.place.start_another()).collect();
    press(&stage, size, &more).await;
    let mut more = more.into_iter();
    // Killed while it has work in hand.
    drop(more.next());
    let begin = Instant::now();
    stage.place.until_none(PENDING).await;
    let took = begin.elapsed().as_secs_f64();
    table.add(("P6", "all done after one of three was killed", "s"), took, Reach::AtMost(120.0), None);
    assert_eq!(stage.place.count("inbox WHERE state <> 'done'"), 0, "nothing is refused");
    let twice = "(SELECT 1 FROM notes WHERE about = 'receipt' GROUP BY once_key HAVING count(*) > 1) AS twice";
    assert_eq!(stage.place.count(twice), 0, "nothing takes effect twice");
    drop(more);
}

/// How many a second, with so many processes more.
async fn worked_off(stage: &Stage, size: Size, more: &[Server]) -> f64 {
    let begin = Instant::now();
    press(stage, size, more).await;
    stage.place.until_none(PENDING).await;
    size.activities as f64 / begin.elapsed().as_secs_f64()
}

/// Sends to all of them, each its share, as a proxy in front of them does.
async fn press(stage: &Stage, size: Size, more: &[Server]) {
    let hosts: Vec<&str> = std::iter::once(&stage.server).chain(more).map(|server| server.host.as_str()).collect();
    let each = size.activities / hosts.len();
    let connections = CONNECTIONS.div_ceil(hosts.len());
    let runs = hosts.iter().map(|host| {
        let pressure = Pressure { connections, rate: None, status: 202 };
        load::run(host, requests(&stage.place, &stage.school, each), pressure)
    });
    for taken in futures_util::future::join_all(runs).await {
        assert_eq!(taken.unexpected, 0, "all are taken");
    }
}
