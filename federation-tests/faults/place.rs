//! How is a real server started, hurt and started again on a database that can be looked into?

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{QueryableByName, RunQueryDsl};
use hedgeschool::chance::Chance;
use hedgeschool::clock::Clock;
use hedgeschool::config::Config;
use hedgeschool::db::{Address, Bells, Db, Pool, Surroundings, migrate};
use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The program under test; long runs name a copy, so that compiling meanwhile does not change what they measure.
pub static PROGRAM: LazyLock<String> = LazyLock::new(|| {
    std::env::var("HEDGESCHOOL_FAULT_PROGRAM").unwrap_or_else(|_| env!("CARGO_BIN_EXE_hedgeschool").to_owned())
});
/// How long anything may take on a busy machine before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(240);

/// Where a server lives: folder, database, address.
pub struct Place {
    pub config: Config,
    pub address: Address,
    folder: TempDir,
    data: PathBuf,
}

/// A port of loopback that nobody has.
pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

impl Place {
    /// Migrated and empty; with `postgres` in a database of its own on that server.
    pub fn new(postgres: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        Self::at(folder, data, postgres)
    }

    /// The same with its data in this folder, which may be another file system.
    pub fn at(folder: TempDir, data: PathBuf, postgres: Option<&str>) -> Self {
        let port = free_port();
        let mut config = Config::default();
        config.server.bind = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        config.server.url = url::Url::parse(&format!("http://127.0.0.1:{port}")).unwrap();
        config.server.data = data.clone();
        if let Some(server) = postgres {
            config.database.url = new_database(server, &format!("faults_{port}"));
        }
        let address = config.address().unwrap();
        migrate::run(&address).unwrap();
        Self { config, address, folder, data }
    }

    /// The same instance at another address and database: for what was restored.
    pub fn twin(&self, data: &Path, url: Option<String>) -> Self {
        let mut config = self.config.clone();
        config.server.bind = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        config.server.data = data.to_owned();
        config.database.url = url.unwrap_or_default();
        let address = config.address().unwrap();
        Self { config, address, folder: tempfile::tempdir().unwrap(), data: data.to_owned() }
    }

    /// A way into the database beside the server, as the verbs use it.
    pub fn pool(&self) -> Pool {
        let around = Surroundings {
            clock: Clock::System,
            chance: Chance::system(),
            links: self.config.links(),
            effects: hedgeschool::effects::follow,
            limits: self.config.limits(),
            bells: Arc::new(Bells::default()),
        };
        Pool::open(&self.address, 2, around).unwrap()
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Host and port, as ids have them.
    pub fn host(&self) -> String {
        hedgeschool::link::host_of(&self.config.server.url).unwrap()
    }

    /// The clock's file: milliseconds ahead of the machine.
    pub fn set_clock(&self, millis: i64) {
        // Renamed into place, so that the server never reads half a number.
        let next = self.folder().join("clock.next");
        std::fs::write(&next, millis.to_string()).unwrap();
        std::fs::rename(next, self.folder().join("clock")).unwrap();
    }

    /// A command of the program on this place, with what is special about it.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HEDGESCHOOL_SERVER__BIND", self.config.server.bind.to_string())
            .env("HEDGESCHOOL_SERVER__URL", self.config.server.url.as_str())
            .env("HEDGESCHOOL_SERVER__DATA", &self.data)
            .env("HEDGESCHOOL_DATABASE__URL", &self.config.database.url)
            .env("HEDGESCHOOL_DEVELOPMENT__CLOCK_FILE", self.folder().join("clock"))
            // Everything comes from one address here.
            .env("HEDGESCHOOL_FEDERATION__INBOX_PER_MINUTE", "1000000")
            .env("HEDGESCHOOL_SERVER__REQUESTS_PER_MINUTE", "0")
            // Ada posts all the time; what is above these limits is not passed on, and shall not be.
            .env("HEDGESCHOOL_FEDERATION__RELAYS_PER_AUTHOR_MINUTE", "100000")
            .env("HEDGESCHOOL_FEDERATION__RELAYS_PER_COURSE_MINUTE", "100000")
            .current_dir(self.folder())
            .stdin(Stdio::null());
        command
    }

    /// Starts the program and waits until it is ready.
    pub fn start(&self) -> Server {
        self.start_by(self.command(&PROGRAM), self.config.server.bind)
    }

    /// One more process on the same database, on a port of its own.
    pub fn start_another(&self) -> Server {
        let bind = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let mut command = self.command(&PROGRAM);
        command.env("HEDGESCHOOL_SERVER__BIND", bind.to_string());
        self.start_by(command, bind)
    }

    /// Starts it by another command, which ends up running the program.
    pub fn start_by(&self, mut command: Command, bind: SocketAddr) -> Server {
        let log = self.folder().join(format!("log.{}", bind.port()));
        let file = File::options().create(true).append(true).open(&log).unwrap();
        let begin = Instant::now();
        let child = command.stdout(Stdio::null()).stderr(file).spawn().unwrap();
        let mut server = Server { child: Some(child), bind, host: self.host(), log, ready: Duration::ZERO };
        while !server.is_ready() {
            let gone = server.child.as_mut().unwrap().try_wait().unwrap();
            assert!(gone.is_none(), "the server ended: {gone:?}\n{}", server.log());
            assert!(begin.elapsed() < PATIENCE, "the server does not start:\n{}", server.log());
            std::thread::sleep(Duration::from_millis(2));
        }
        server.ready = begin.elapsed();
        server
    }

    /// The database, to be asked.
    pub fn db(&self) -> Db {
        self.address.open(false).unwrap()
    }

    /// How many rows a condition finds.
    pub fn count(&self, what: &str) -> i64 {
        diesel::sql_query(format!("SELECT count(*) AS n FROM {what}")).get_result::<Count>(&mut self.db()).unwrap().n
    }

    /// The texts that a query gives as `said`.
    pub fn texts(&self, sql: &str) -> Vec<String> {
        let rows: Vec<Said> = diesel::sql_query(sql).load(&mut self.db()).unwrap();
        rows.into_iter().map(|row| row.said).collect()
    }

    /// Waits until a condition finds no row.
    pub async fn until_none(&self, what: &str) {
        let begin = Instant::now();
        while self.count(what) > 0 {
            if begin.elapsed() > PATIENCE {
                let rows =
                    self.texts("SELECT host || ' ' || state || ' ' || coalesce(last_error, '') AS said FROM peers");
                panic!("still there: {what}; lines: {rows:#?}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Whether SQLite finds nothing wrong with its file; PostgreSQL looks after itself.
    pub fn is_whole(&self) -> bool {
        matches!(self.address, Address::Postgres(_))
            || self.texts("SELECT integrity_check AS said FROM pragma_integrity_check") == ["ok"]
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for entry in std::fs::read_dir(self.folder()).unwrap().flatten() {
                if entry.file_name().to_string_lossy().starts_with("log.") {
                    let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
                    let tail: Vec<&str> = text.lines().rev().take(60).collect();
                    eprintln!("--- end of {:?} ---", entry.path());
                    tail.iter().rev().for_each(|line| eprintln!("{line}"));
                }
            }
        }
    }
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

#[derive(QueryableByName)]
struct Said {
    #[diesel(sql_type = Text)]
    said: String,
}

/// An empty database on this server of PostgreSQL.
pub fn new_database(server: &str, name: &str) -> String {
    let mut db = Address::parse(server).unwrap().open(true).unwrap();
    db.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).unwrap();
    db.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
    let mut url = url::Url::parse(server).unwrap();
    url.set_path(name);
    url.to_string()
}

/// A running process; killed when dropped.
pub struct Server {
    child: Option<Child>,
    /// Where it listens.
    pub bind: SocketAddr,
    host: String,
    log: PathBuf,
    /// From its start to its first yes at `/readyz`.
    pub ready: Duration,
}

impl Server {
    pub fn is_ready(&self) -> bool {
        self.get("/readyz").starts_with("HTTP/1.1 200")
    }

    /// The whole answer to a GET; empty when there is none.
    pub fn get(&self, path: &str) -> String {
        let Ok(mut stream) = TcpStream::connect(self.bind) else { return String::new() };
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut answer = String::new();
        let host = &self.host;
        let asked =
            write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\nConnection: close\r\n\r\n");
        if asked.is_ok() {
            stream.read_to_string(&mut answer).ok();
        }
        answer
    }

    /// Ends the process as a power cut would (SIGKILL).
    pub fn kill(mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Asks it to end (SIGTERM) and says how it did.
    pub fn stop(mut self) -> ExitStatus {
        let mut child = self.child.take().unwrap();
        assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
        child.wait().unwrap()
    }

    /// How it ended by itself.
    pub fn ended(mut self) -> ExitStatus {
        self.child.take().unwrap().wait().unwrap()
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    pub fn is_running(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}
