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
mod growth;
mod inbox;
mod limits;
mod load;
mod pages;
mod process;
mod school;
mod server;
mod several;
mod sink;
mod table;
mod texts;

use clap::Parser;
use growth::Plenty;
use school::School;
use server::{Place, Server};
use sink::Sink;
use table::{Reach, Table};

#[derive(Parser)]
struct Arguments {
    /// P1, P2, P3, P4, P5, P6, P9; all without it. P6, and P1 once more, need TEST_DATABASE_URL
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
    let wanted = |id: &str| arguments.want(id);
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
        on_sqlite(table, arguments, size).await;
    }
    if wanted("P5") {
        grown(table, arguments, size).await;
    }
    if let Ok(postgres) = std::env::var("TEST_DATABASE_URL") {
        if wanted("P1") {
            on_postgres(table, size, (&postgres, arguments.runs)).await;
        }
        if wanted("P6") {
            several::measure(table, size, (&postgres, arguments.runs)).await;
        }
    }
}

impl Arguments {
    fn want(&self, id: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == id)
    }
}

/// A server on prepared data, warm.
struct Stage {
    place: Place,
    school: School,
    server: Server,
    sink: Sink,
}

impl Stage {
    async fn new(postgres: Option<&str>, hosts: u32, plenty: Option<Plenty>) -> Self {
        let sink = Sink::start().await;
        let place = Place::new(postgres);
        let school = tokio::task::block_in_place(|| School::found(&place, &sink, hosts));
        if let Some(plenty) = plenty {
            tokio::task::block_in_place(|| growth::fill(&place, plenty));
        }
        let server = place.start();
        inbox::warm_up((&place, &school, &server, &sink)).await;
        Self { place, school, server, sink }
    }

    fn all(&self) -> (&Place, &School, &Server, &Sink) {
        (&self.place, &self.school, &self.server, &self.sink)
    }

    /// What is wanted of P1 to P3, once.
    async fn run(&self, table: &mut Table, size: Size, wanted: impl Fn(&str) -> bool) {
        let mut half = 500.0;
        if wanted("P1") {
            half = inbox::measure(table, size, self.all(), "P1").await;
        }
        if wanted("P3") {
            pages::measure(table, size, (&self.place, &self.school, &self.server), half).await;
        }
        if wanted("P2") {
            fanout::measure(table, size, self.all()).await;
        }
    }
}

async fn on_sqlite(table: &mut Table, arguments: &Arguments, size: Size) {
    let stage = Stage::new(None, size.hosts, None).await;
    for run in 1..=arguments.runs {
        eprintln!("run {run} of {}", arguments.runs);
        stage.run(table, size, |id| arguments.want(id)).await;
    }
    if arguments.want("P1") && arguments.want("P2") {
        table.add(("P4", "resident after P1 to P3", "MiB"), stage.server.resident(), Reach::AtMost(150.0), None);
    }
    keep_log(&stage.place);
}

/// P1 to P3 by turns on a small and on a grown database, so that both meet the same machine. Lists fill their page in
/// both: a longer page is no growth.
async fn grown(table: &mut Table, arguments: &Arguments, size: Size) {
    let plenty = if arguments.quick { growth::QUICK } else { growth::FULL };
    let (small, large) =
        (Stage::new(None, size.hosts, Some(growth::SMALL)).await, Stage::new(None, size.hosts, Some(plenty)).await);
    let (mut beside, mut grown) = (Table::default(), Table::default());
    for run in 1..=arguments.runs {
        eprintln!("run {run} of {}, small and grown", arguments.runs);
        small.run(&mut beside, size, |_| true).await;
        large.run(&mut grown, size, |_| true).await;
    }
    growth::compare(table, &beside, &grown);
}

async fn on_postgres(table: &mut Table, size: Size, (url, runs): (&str, usize)) {
    let stage = Stage::new(Some(url), 0, None).await;
    for _ in 0..runs {
        inbox::measure(table, size, stage.all(), "P1pg").await;
    }
}

/// Where `HEDGESCHOOL_BENCH_LOG` names a file, the server's log is put there.
fn keep_log(place: &Place) {
    if let Some(path) = std::env::var_os("HEDGESCHOOL_BENCH_LOG") {
        std::fs::copy(place.folder().join("log"), path).unwrap();
    }
}
