//! How fast is it, and beside which limit?
//!
//! `cargo bench -- [--only P1,P3] [--runs 3] [--quick] [--json] [--builds]`; see the README of `federation-tests`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a tool that stops at what is wrong"
)]

mod fanout;
mod footprint;
mod inbox;
mod limits;
mod load;
mod pages;
mod process;
mod school;
mod server;
mod sink;
mod table;
mod texts;

use clap::Parser;
use school::School;
use server::Place;
use sink::Sink;
use table::{Reach, Table};

#[derive(Parser)]
struct Arguments {
    /// P1, P2, P3, P4, P9; all without it
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// How often each is measured; medians are shown
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Small numbers, to see that everything works
    #[arg(long)]
    quick: bool,
    /// For machines
    #[arg(long)]
    json: bool,
    /// Also P8: tests and builds
    #[arg(long)]
    builds: bool,
    /// What cargo itself hands over
    #[arg(long, hide = true)]
    bench: bool,
}

/// How much of everything.
#[derive(Clone, Copy)]
pub struct Size {
    activities: usize,
    hosts: u32,
    pages: usize,
    seconds: f64,
}

const FULL: Size = Size { activities: 5000, hosts: 1000, pages: 5000, seconds: 3.0 };
const QUICK: Size = Size { activities: 300, hosts: 50, pages: 100, seconds: 0.5 };

fn main() {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut table = Table::default();
    runtime.block_on(measure(&mut table, &arguments));
    if arguments.builds {
        footprint::builds(&mut table);
    }
    if arguments.json {
        println!("{:#}", table.json());
    } else {
        table.print();
    }
}

async fn measure(table: &mut Table, arguments: &Arguments) {
    let wanted = |id: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| only == id);
    let size = if arguments.quick { QUICK } else { FULL };
    if wanted("P9") {
        (0..arguments.runs).for_each(|_| texts::measure(table));
    }
    if wanted("P4") {
        for _ in 0..arguments.runs {
            footprint::measure(table, size).await;
        }
    }
    if ["P1", "P2", "P3"].iter().any(|id| wanted(id)) {
        let sink = Sink::start().await;
        let place = Place::new(None);
        let school = tokio::task::block_in_place(|| School::found(&place, &sink, size.hosts));
        let server = place.start();
        let all = (&place, &school, &server, &sink);
        inbox::warm_up(all).await;
        let mut half = 500.0;
        for run in 1..=arguments.runs {
            eprintln!("run {run} of {}", arguments.runs);
            if wanted("P1") {
                half = inbox::measure(table, size, all, "P1").await;
            }
            if wanted("P3") {
                pages::measure(table, size, (&place, &school, &server), half).await;
            }
            if wanted("P2") {
                fanout::measure(table, size, all).await;
            }
        }
        if wanted("P1") && wanted("P2") {
            table.add(("P4", "resident after P1 to P3", "MiB"), server.resident(), Reach::AtMost(150.0), None);
        }
        keep_log(&place);
    }
    if let Ok(postgres) = std::env::var("TEST_DATABASE_URL")
        && wanted("P1")
    {
        on_postgres(table, size, (&postgres, arguments.runs)).await;
    }
}

async fn on_postgres(table: &mut Table, size: Size, (url, runs): (&str, usize)) {
    let sink = Sink::start().await;
    let place = Place::new(Some(url));
    let school = tokio::task::block_in_place(|| School::found(&place, &sink, 0));
    let server = place.start();
    let all = (&place, &school, &server, &sink);
    inbox::warm_up(all).await;
    for _ in 0..runs {
        inbox::measure(table, size, all, "P1pg").await;
    }
}

/// Where `HEDGESCHOOL_BENCH_LOG` names a file, the server's log is put there.
fn keep_log(place: &Place) {
    if let Some(path) = std::env::var_os("HEDGESCHOOL_BENCH_LOG") {
        std::fs::copy(place.folder().join("log"), path).unwrap();
    }
}
