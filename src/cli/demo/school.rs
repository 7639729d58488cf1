//! What is a whole instance inside the demonstration, with its own data, address and workers?

use super::people::Person;
use crate::account::{self, NewAccount};
use crate::actor::{self, Actor};
use crate::app::App;
use crate::catalogue;
use crate::cli::{serve, start};
use crate::config::Config;
use crate::course::Course;
use crate::crypto::Keypair;
use crate::db::{Db, upkeep};
use crate::error::{Error, Result};
use crate::federation::run::Running;
use crate::federation::{self, fetch};
use crate::http::password;
use crate::http::serve::{Bounds, serve as take_connections};
use crate::setting::{self, Cache, Settings, SignUp};
use crate::stop::{Stop, Stopper};
use crate::{dispatch, routes, schedule};
use activitypub_federation::config::FederationConfig;
use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use url::Url;

/// How long one step may take before the demonstration gives up.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it looks whether a step has happened.
const PAUSE: Duration = Duration::from_millis(25);

/// An instance that runs until it is dropped.
pub struct School {
    /// Its database and settings.
    pub app: App,
    federation: FederationConfig<App>,
    // All that works for it; ends with it.
    _running: Running,
    _workers: JoinSet<()>,
    _stopper: Stopper,
    _alone: Option<File>,
}

impl School {
    /// Starts the school `name` on this port of loopback, with a folder beside its clock. Refused when the port is
    /// taken; 0 takes any.
    pub async fn open(name: &str, port: u16, clock: &Path) -> Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await;
        let listener = listener.map_err(|e| {
            let free = if port < 60_000 { port + 1000 } else { 0 };
            Error::Conflict(format!(
                "port {port} of 127.0.0.1 cannot be listened on: {e}; choose another for {name}: \
                 hedgeschool demo --{name}-port {free}"
            ))
        })?;
        let bind = listener.local_addr().map_err(|e| Error::Internal(Box::new(e)))?;
        let config = config(name, bind, clock)?;
        let address = config.address()?;
        let prepare = move || -> Result<_> { Ok((start::alone(&address)?, start::open(config)?)) };
        let prepared = tokio::task::spawn_blocking(prepare).await;
        let (alone, app) = prepared??;
        start::put_right(&app).await?;
        schedule::plan_recurring(&app).await?;
        let (stopper, stop) = Stop::pair();
        let federation = federation::run::config(&app).await?;
        let running = federation::start(&federation, dispatch::dispatch).await?;
        let mut workers = serve::workers(&app, &federation, &stop);
        let router = routes::router(&app, &federation, stop.clone());
        let bounds = Bounds { connections: 256, drain: Duration::ZERO, head: Duration::from_secs(10) };
        workers.spawn(async move {
            take_connections(listener, router, bounds, stop).await;
        });
        Ok(Self { app, federation, _running: running, _workers: workers, _stopper: stopper, _alone: alone })
    }

    /// Its front page.
    pub fn address(&self) -> String {
        self.app.links().absolute("")
    }

    /// Names it and lets everyone sign up.
    pub async fn name(&self, name: &str, description: &str) -> Result<()> {
        let (name, description) = (name.to_owned(), description.to_owned());
        self.app
            .write(move |tx| {
                let had = setting::load(tx)?;
                setting::change(tx, None, &Settings { name, description, sign_up: SignUp::Open, ..had })
            })
            .await?;
        Cache::forget(&self.app);
        Ok(())
    }

    /// Makes an account. Times are shown in the zone of this machine.
    pub async fn person(&self, (handle, name, bio, role): &Person, password: &str) -> Result<Actor> {
        let password_hash = password::hash(&self.app, password).await?;
        let keys = tokio::task::spawn_blocking(Keypair::generate).await?;
        let system = jiff::tz::TimeZone::system();
        let zone = system.iana_name().filter(|zone| account::is_zone(zone) && *zone != "Etc/UTC");
        let new = NewAccount {
            handle: (*handle).to_owned(),
            name: (*name).to_owned(),
            email: format!("{handle}@example.org"),
            password_hash,
            zone: zone.unwrap_or("UTC").to_owned(),
            application: String::new(),
            keys: keys.map_err(|e| Error::Internal(Box::new(e)))?,
        };
        let (name, bio, role) = (*name, *bio, *role);
        self.app
            .write(move |tx| {
                let account = account::create_by_admin(tx, &new, role)?;
                let person = actor::get(tx, account.actor_id)?;
                account::edit_profile(tx, &person, name, bio)
            })
            .await
    }

    /// Finds a course of another school by its handle, as the search of the pages does.
    pub async fn find_course(&self, acct: &str) -> Result<Course> {
        let context = self.federation.to_request_data();
        let group = fetch::acct(&context, acct).await?;
        catalogue::apub::mirror(&context, &group.uri).await
    }

    /// Asks until there is an answer; an error that says `what` when there is none in time.
    pub async fn wait<T: Send + 'static>(
        &self,
        what: &str,
        question: impl Fn(&mut Db) -> Result<Option<T>> + Clone + Send + 'static,
    ) -> Result<T> {
        let asking = async {
            loop {
                if let Some(answer) = self.app.read(question.clone()).await? {
                    return Ok(answer);
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        let late = |_| {
            let (host, seconds) = (self.app.links().host(), PATIENCE.as_secs());
            Error::Unavailable(format!("{host} waited {seconds} seconds in vain: {what}"))
        };
        tokio::time::timeout(PATIENCE, asking).await.map_err(late)?
    }

    /// How much of what schools say to each other is still under way here.
    pub async fn under_way(&self) -> Result<i64> {
        let waiting = self.app.read(upkeep::waiting).await?;
        Ok(waiting.inbox + waiting.deliveries)
    }
}

/// Returns when all that schools had to say to each other has arrived and was worked off.
pub async fn silence(north: &School, south: &School) -> Result<()> {
    let asking = async {
        loop {
            let mut under_way = 0;
            // Twice, because an answer may pass from one to the other while we look away.
            for school in [north, south, north, south] {
                under_way += school.under_way().await?;
            }
            if under_way == 0 {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    let late = |_| Error::Unavailable(format!("the schools did not come to rest in {} seconds", PATIENCE.as_secs()));
    tokio::time::timeout(PATIENCE, asking).await.map_err(late)?
}

fn config(name: &str, bind: SocketAddr, clock: &Path) -> Result<Config> {
    let mut config = Config::default();
    config.server.bind = bind;
    config.server.url =
        Url::parse(&format!("http://{name}.localhost:{}", bind.port())).map_err(|e| Error::internal(e.to_string()))?;
    config.server.data = clock.with_file_name(name);
    config.development.clock_file = Some(clock.to_owned());
    config.check()?;
    Ok(config)
}
