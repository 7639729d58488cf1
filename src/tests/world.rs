//! What is a fresh instance for one test?

use crate::actor::{self, Actor, ActorKind, NewActor, RemoteActor};
use crate::app::App;
use crate::chance::Chance;
use crate::clock::{Clock, Time};
use crate::config::Config;
use crate::crypto::Keypair;
use crate::db::{Address, Bells, Db, Effects, Limits, Pool, Surroundings, Tx, migrate};
use crate::error::Result;
use crate::link::Links;
use diesel::connection::SimpleConnection;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tempfile::TempDir;
use url::Url;

/// A migrated database with clock and chance of its own. Gone when dropped.
pub struct World {
    /// Reads and writes.
    pub pool: Pool,
    /// Where the database is.
    pub address: Address,
    /// Stands at 2026-09-01 08:00 UTC until moved.
    pub clock: Clock,
    folder: Option<TempDir>,
    admin: Option<(String, String)>,
    app: OnceLock<App>,
}

/// When a world begins.
pub const BEGIN: Time = Time(1_788_249_600_000);

impl World {
    /// With the effects of the real program.
    pub fn new() -> Self {
        Self::with_effects(crate::effects::follow)
    }

    /// With other effects.
    pub fn with_effects(effects: Effects) -> Self {
        let (address, folder, admin) = fresh_database();
        let clock = Clock::at(BEGIN);
        let around = Surroundings {
            clock: clock.clone(),
            chance: Chance::seeded(7),
            links: Links::new(&Url::parse("https://us.test").unwrap()),
            limits: Limits::default(),
            effects,
            bells: Arc::new(Bells::default()),
        };
        let pool = Pool::open(&address, 2, around).unwrap();
        let world = Self { pool, address, clock, folder, admin, app: OnceLock::new() };
        let keys = world.keys();
        world.tx(move |tx| {
            let new = NewActor { kind: ActorKind::Instance, handle: "us.test", name: "Us", summary: "", keys: &keys };
            actor::create(tx, &new)
        });
        world
    }

    /// The instance around the database, as doors are handed it; always the same one.
    pub fn app(&self) -> App {
        let make = || {
            let mut config = Config::default();
            config.server.url = Url::parse("https://us.test").unwrap();
            let other =
                || std::env::temp_dir().join(format!("hedgeschool-{}", crate::id::public_id(&Chance::system())));
            config.server.data = self.folder.as_ref().map_or_else(other, |folder| folder.path().to_owned());
            App::new(config, self.pool.clone()).unwrap()
        };
        self.app.get_or_init(make).clone()
    }

    /// Asks; fails the test on an error.
    pub fn read<T>(&self, question: impl FnOnce(&mut Db) -> Result<T>) -> T
    where
        T: Answer,
    {
        self.pool.read_blocking(question).unwrap()
    }

    /// Changes; fails the test on an error.
    pub fn tx<T: Send + 'static>(&self, verb: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static) -> T {
        self.pool.write_blocking(verb).unwrap()
    }

    /// Changes, or is refused.
    pub fn attempt<T: Send + 'static>(
        &self,
        verb: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.pool.write_blocking(verb)
    }

    /// Lets time pass.
    pub fn pass(&self, span: Duration) {
        self.clock.advance(span);
    }

    /// A key pair, made once for all tests because making one takes long.
    pub fn keys(&self) -> Keypair {
        static KEYS: OnceLock<Keypair> = OnceLock::new();
        KEYS.get_or_init(|| Keypair::generate().unwrap()).clone()
    }

    /// A person here.
    pub fn person(&self, handle: &str) -> Actor {
        let (keys, handle) = (self.keys(), handle.to_owned());
        self.tx(move |tx| {
            let new = NewActor { kind: ActorKind::Person, handle: &handle, name: &handle, summary: "", keys: &keys };
            actor::create(tx, &new)
        })
    }

    /// Somebody elsewhere.
    pub fn put(&self, remote: RemoteActor) -> Actor {
        self.tx(move |tx| actor::put(tx, &remote))
    }

    /// A person on another server, with the key that all tests share.
    pub fn person_elsewhere(&self, handle: &str, host: &str) -> Actor {
        let uri = format!("https://{host}/u/{handle}");
        self.put(RemoteActor {
            kind: ActorKind::Person,
            url: uri.clone(),
            handle: handle.into(),
            host: host.into(),
            name: handle.into(),
            summary: String::new(),
            inbox: format!("{uri}/inbox"),
            shared_inbox: Some(format!("https://{host}/inbox")),
            outbox: None,
            followers: Some(format!("{uri}/followers")),
            keys: vec![(format!("{uri}#main-key"), self.keys().public_pem)],
            uri,
        })
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.folder.take();
        if let Some((server, name)) = self.admin.take() {
            // Connections of the pool may still be open; PostgreSQL 13 and later can end them.
            if let Ok(mut db) = Address::Postgres(server).open(true) {
                let _ = db.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
            }
        }
    }
}

/// Anything that a question answers.
pub trait Answer {}
impl<T> Answer for T {}

type Fresh = (Address, Option<TempDir>, Option<(String, String)>);

/// A copy of a database that was migrated once: a file, or on `TEST_DATABASE_URL` a database of its own.
fn fresh_database() -> Fresh {
    match std::env::var("TEST_DATABASE_URL") {
        Ok(server) => fresh_postgres(server),
        Err(_) => fresh_sqlite(),
    }
}

fn fresh_sqlite() -> Fresh {
    static MIGRATED: OnceLock<TempDir> = OnceLock::new();
    let template = MIGRATED.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let address = Address::Sqlite(folder.path().join("template.db"));
        migrate::run(&address).unwrap();
        address.open(true).unwrap().batch_execute("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        folder
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    std::fs::copy(template.path().join("template.db"), &path).unwrap();
    (Address::Sqlite(path), Some(folder), None)
}

fn fresh_postgres(server: String) -> Fresh {
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    let on = |name: &str| {
        let mut url = Url::parse(&server).unwrap();
        url.set_path(name);
        Address::Postgres(url.to_string())
    };
    let mut db = Address::Postgres(server.clone()).open(true).unwrap();
    let template = TEMPLATE.get_or_init(|| {
        let name = format!("template_{}", crate::id::public_id(&Chance::system()));
        db.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
        migrate::run(&on(&name)).unwrap();
        name
    });
    let name = format!("test_{}", crate::id::public_id(&Chance::system()));
    db.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {template}")).unwrap();
    (on(&name), None, Some((server.clone(), name)))
}
