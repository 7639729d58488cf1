//! How does a test run a real server? As a process of its own with a database of its own, reached only over HTTP.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A running instance. Killed and forgotten when dropped.
pub struct Server {
    /// What the test calls it.
    pub name: &'static str,
    /// Its front page.
    pub url: String,
    /// Its host as others name it.
    pub host: String,
    /// The authority whose certificate its proxy has, where it has one.
    pub authority: Option<PathBuf>,
    /// The port of 127.0.0.1 on which it listens.
    pub port: u16,
    /// What it takes for the time.
    pub clock: Clock,
    child: Option<Child>,
    folder: TempDir,
    database: Option<Postgres>,
}

/// The hand of all clocks of one test: servers read the file, doubles ask.
#[derive(Clone)]
pub struct Clock(std::sync::Arc<(TempDir, PathBuf)>);

impl Clock {
    /// Stands at the machine's time.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clock");
        fs::write(&path, "0").unwrap();
        Self(std::sync::Arc::new((folder, path)))
    }

    /// The file that servers read.
    pub fn path(&self) -> &Path {
        &self.0.1
    }

    /// How far ahead of the machine it is.
    pub fn shift(&self) -> Duration {
        Duration::from_millis(fs::read_to_string(&self.0.1).unwrap().trim().parse().unwrap())
    }

    /// Moves everybody into the future.
    pub fn advance(&self, span: Duration) {
        let millis = (self.shift() + span).as_millis();
        // Renamed into place, so that no server reads half a number.
        let next = self.0.1.with_extension("next");
        fs::write(&next, millis.to_string()).unwrap();
        fs::rename(&next, &self.0.1).unwrap();
    }

    /// What it shows.
    pub fn now(&self) -> std::time::SystemTime {
        #[expect(clippy::disallowed_methods, reason = "a test process has no other clock")]
        let machine = std::time::SystemTime::now();
        machine + self.shift()
    }
}

/// How long anything may take on a busy machine before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(60);

impl Server {
    /// Starts an empty instance on a free port of 127.0.0.1, where everybody else is too.
    pub fn start(name: &'static str, clock: &Clock) -> Self {
        Self::start_with(name, clock, "")
    }

    /// The same with further sections of the configuration.
    pub fn start_with(name: &'static str, clock: &Clock, settings: &str) -> Self {
        let port = free_port();
        // A name, because the federation library takes no literal addresses for hosts.
        let host = format!("localhost:{port}");
        let more = format!("[development]\nclock_file = \"{}\"\n{settings}", clock.path().display());
        Self::start_as((name, clock.clone()), (format!("http://{host}"), port), None, &more)
    }

    /// Starts an empty instance that is known as `https://NAME.test` by a proxy with a certificate of `authority`. Its
    /// clock is that of the machine, as that of the others there is.
    pub fn start_behind_proxy(name: &'static str, authority: &Path) -> Self {
        let federation = format!(
            "[federation]\nextra_ca = \"{}\"\n\
             loopback_names = [\"north.test\", \"south.test\", \"snac.test\", \"fedify.test\", \"grid.test\"]\n",
            authority.display()
        );
        let address = (format!("https://{name}.test"), free_port());
        Self::start_as((name, Clock::new()), address, Some(authority), &federation)
    }

    fn start_as(
        (name, clock): (&'static str, Clock),
        (url, port): (String, u16),
        authority: Option<&Path>,
        more: &str,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Postgres::when_asked(name);
        let address = database.as_ref().map_or(String::new(), |database| database.url.clone());
        let config = format!(
            "[server]\nrequests_per_minute = 0\nbind = \"127.0.0.1:{port}\"\nurl = \"{url}\"\ndata = \"{data}\"\n\
             [database]\nurl = \"{address}\"\n\
             [log]\nfilter = \"info,hedgeschool=debug\"\n{more}",
            data = folder.path().join("data").display(),
        );
        fs::write(folder.path().join("hedgeschool.toml"), config).unwrap();
        let host = url.split_once("://").unwrap().1.to_owned();
        let authority = authority.map(Path::to_owned);
        let mut server = Self { name, url, host, authority, port, clock, child: None, folder, database };
        server.spawn();
        server
    }

    /// Starts the process (again) and waits until it is ready.
    pub fn spawn(&mut self) {
        let log = File::options().create(true).append(true).open(self.log_path()).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_hedgeschool"))
            .current_dir(self.folder.path())
            .args(["--config", "hedgeschool.toml", "serve"])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        let begin = Instant::now();
        while !self.is_ready() {
            assert!(begin.elapsed() < PATIENCE, "{} does not start:\n{}", self.name, self.log());
            let gone = self.child.as_mut().and_then(|child| child.try_wait().unwrap());
            assert!(gone.is_none(), "{} ended: {gone:?}\n{}", self.name, self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn is_ready(&self) -> bool {
        use std::io::{Read, Write};
        let Ok(mut stream) = std::net::TcpStream::connect(("127.0.0.1", self.port)) else { return false };
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let request = format!("GET /readyz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.host);
        let mut answer = String::new();
        let sent = stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_string(&mut answer));
        sent.is_ok() && answer.starts_with("HTTP/1.1 200")
    }

    /// Ends the process as a power cut would.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Asks the process to end (SIGTERM) and says with which status it did.
    pub fn stop(&mut self) -> std::process::ExitStatus {
        let mut child = self.child.take().unwrap();
        let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        assert!(told.success());
        child.wait().unwrap()
    }

    /// What a command prints that runs beside the server, with this on its standard input.
    pub fn command(&self, arguments: &[&str], input: &str) -> String {
        use std::io::Write;
        let mut command = Command::new(env!("CARGO_BIN_EXE_hedgeschool"));
        command.current_dir(self.folder.path()).args(["--config", "hedgeschool.toml"]).args(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{arguments:?} ended with {}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    /// All that it logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// The address of its PostgreSQL database, when it has one.
    pub fn database(&self) -> Option<String> {
        self.database.as_ref().map(|database| database.url.clone())
    }

    /// The file of its embedded database.
    pub fn sqlite(&self) -> PathBuf {
        self.folder.path().join("data/hedgeschool.db")
    }

    /// The one-time link that makes the first administrator.
    pub fn set_up_path(&self) -> String {
        let log = self.log();
        let at = log.find("/set-up/").unwrap_or_else(|| panic!("{} printed no set-up link:\n{log}", self.name));
        log[at..].chars().take_while(|c| !c.is_whitespace()).collect()
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            eprintln!("--- log of {} ---\n{}", self.name, self.log());
        }
        drop(self.database.take());
    }
}

/// A database on the server of `TEST_DATABASE_URL`, dropped with its owner.
struct Postgres {
    admin: String,
    name: String,
    url: String,
}

impl Postgres {
    fn when_asked(name: &str) -> Option<Self> {
        let admin = std::env::var("TEST_DATABASE_URL").ok()?;
        let name = format!("story_{name}_{}_{}", std::process::id(), free_port());
        let mut url = url::Url::parse(&admin).unwrap();
        url.set_path(&name);
        let database = Self { admin, name, url: url.into() };
        database.run(&format!("CREATE DATABASE {}", database.name));
        Some(database)
    }

    fn run(&self, statement: &str) {
        use diesel::connection::SimpleConnection;
        use diesel::{Connection, PgConnection};
        PgConnection::establish(&self.admin).unwrap().batch_execute(statement).unwrap();
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.run(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}
