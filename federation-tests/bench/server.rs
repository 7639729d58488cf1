//! How is a real server started on prepared data, and how is it asked whether it is ready?

use crate::process;
use diesel::QueryableByName;
use diesel::RunQueryDsl;
use diesel::sql_types::BigInt;
use hedgeschool::chance::Chance;
use hedgeschool::clock::Clock;
use hedgeschool::config::Config;
use hedgeschool::db::{Address, Bells, Db, Pool, Surroundings, migrate};
use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The program that is measured, built in the same profile as this harness.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_hedgeschool");

/// A place for a server: folder, database, address; and a way into its database beside it.
pub struct Place {
    pub config: Config,
    pub pool: Pool,
    pub database: Address,
    folder: TempDir,
}

impl Place {
    /// Migrated and empty; on PostgreSQL in a database of its own on that server.
    pub fn new(postgres: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let mut config = Config::default();
        config.server.bind = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        config.server.url = url::Url::parse(&format!("http://127.0.0.1:{port}")).unwrap();
        config.server.data = folder.path().to_owned();
        if let Some(server) = postgres {
            config.database.url = new_database(server, port);
        }
        let database = config.address().unwrap();
        migrate::run(&database).unwrap();
        let around = Surroundings {
            clock: Clock::System,
            chance: Chance::system(),
            links: config.links(),
            limits: config.limits(),
            effects: hedgeschool::effects::follow,
            bells: Arc::new(Bells::default()),
        };
        let pool = Pool::open(&database, 2, around).unwrap();
        Self { config, pool, database, folder }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Host and port.
    pub fn host(&self) -> String {
        self.config.server.bind.to_string()
    }

    /// Starts the program and waits until it is ready. Says how long that took.
    pub fn start(&self) -> Server {
        self.start_at(self.config.server.bind)
    }

    /// One process more, behind the same name and on the same database.
    pub fn start_another(&self) -> Server {
        self.start_at(SocketAddr::from((Ipv4Addr::LOCALHOST, free_port())))
    }

    fn start_at(&self, bind: SocketAddr) -> Server {
        let log = File::create(self.folder.path().join("log")).unwrap();
        let begin = Instant::now();
        let child = Command::new(PROGRAM)
            .env_clear()
            .env("HEDGESCHOOL_SERVER__BIND", bind.to_string())
            .env("HEDGESCHOOL_SERVER__URL", self.config.server.url.as_str())
            .env("HEDGESCHOOL_SERVER__DATA", self.folder.path())
            .env("HEDGESCHOOL_DATABASE__URL", &self.config.database.url)
            // Everything comes from one address here.
            .env("HEDGESCHOOL_FEDERATION__INBOX_PER_MINUTE", "4000000000")
            .env("HEDGESCHOOL_SERVER__REQUESTS_PER_MINUTE", "0")
            .env("HEDGESCHOOL_FEDERATION__HOST_PER_MINUTE", "4000000000")
            .env("HEDGESCHOOL_FEDERATION__BACKLOG_PER_HOST", "10000000")
            .current_dir(self.folder.path())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut server = Server { child, host: bind.to_string(), ready: Duration::ZERO };
        while !server.is_ready() {
            assert!(begin.elapsed() < Duration::from_secs(60), "the server does not start");
            std::thread::sleep(Duration::from_millis(1));
        }
        server.ready = begin.elapsed();
        server
    }

    /// How many rows a condition finds.
    pub fn count(&self, what: &str) -> i64 {
        count(&mut self.database.open(false).unwrap(), what)
    }

    /// Waits until a condition finds no row, looking often.
    pub async fn until_none(&self, what: &str) {
        let mut db = self.database.open(false).unwrap();
        let begin = Instant::now();
        while count(&mut db, what) > 0 {
            assert!(begin.elapsed() < Duration::from_secs(300), "still there: {what}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

fn count(db: &mut Db, what: &str) -> i64 {
    diesel::sql_query(format!("SELECT count(*) AS n FROM {what}")).get_result::<Count>(db).unwrap().n
}

fn new_database(server: &str, port: u16) -> String {
    let name = format!("bench_{port}");
    let mut db = Address::parse(server).unwrap().open(true).unwrap();
    diesel::sql_query(format!("DROP DATABASE IF EXISTS {name}")).execute(&mut db).unwrap();
    diesel::sql_query(format!("CREATE DATABASE {name}")).execute(&mut db).unwrap();
    let mut url = url::Url::parse(server).unwrap();
    url.set_path(&name);
    url.to_string()
}

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    pub host: String,
    /// From its start to its first yes at `/readyz`.
    pub ready: Duration,
}

impl Server {
    fn is_ready(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(&self.host) else { return false };
        let mut answer = String::new();
        let asked = write!(stream, "GET /readyz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.host);
        asked.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 200")
    }

    pub fn cpu(&self) -> Duration {
        process::cpu(self.child.id())
    }

    /// In MiB.
    pub fn resident(&self) -> f64 {
        process::resident(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
