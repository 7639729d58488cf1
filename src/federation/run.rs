//! How is federation set going and stopped?

use super::object::Known;
use super::received::{Context, Received};
use super::{delivery, inbox};
use crate::actor;
use crate::app::App;
use crate::crypto::SigningKey;
use crate::db::{Db, Pool};
use crate::domain;
use crate::error::{Error, Result};
use crate::net::address::{Rules, check_url};
use crate::net::client::{FetchError, Gate, federation_client};
use crate::net::signature::Signer;
use activitypub_federation::config::{FederationConfig, UrlVerifier};
use activitypub_federation::error::Error as Library;
use async_trait::async_trait;
use futures_util::future::BoxFuture;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;

/// The door of all activities, at the top: which feature works on what.
pub type Dispatch = for<'a> fn(&'a Context, &'a Received) -> BoxFuture<'a, Result<()>>;

/// Makes the document of an object here, for those kinds that a feature knows: tried in order.
pub type Document = fn(&mut Db, &Known) -> Result<Option<Value>>;

/// All document makers.
pub type Documents = &'static [Document];

/// The library's configuration: its traits and fetching, over our client and our rules.
///
/// Its production checks are switched off, because they would look every name up a second time and refuse ports, so
/// that a trial on loopback would run other code than what ships. Ours are in `net`, and always the same.
pub async fn config(app: &App) -> Result<FederationConfig<App>> {
    let clock = app.clock().clone();
    let client =
        federation_client(app.net().client.clone(), app.net().signer.clone(), Arc::new(move || clock.now().system()));
    sign_fetches(app).await?;
    app.net().client.gate().set(Arc::new(Rulebook(app.pool().clone())));
    FederationConfig::builder()
        .domain(app.links().host())
        .app_data(app.clone())
        .client(client)
        .http_fetch_limit(app.config().federation.fetches_per_activity)
        .debug(true)
        .allow_http_urls(app.config().is_development())
        .url_verifier(Box::new(Verifier(app.clone())))
        .build()
        .await
        .map_err(|e| Error::internal(e.to_string()))
}

/// Lets the instance actor sign all fetches (checklist 20).
pub(super) async fn sign_fetches(app: &App) -> Result<()> {
    let keys = app.read(|db| {
        let instance = actor::instance(db)?;
        actor::signing_keys_of(db, instance.id)
    });
    let keys = keys.await?;
    let former = keys.former.map(|(key, _)| signer(key)).transpose()?;
    app.net().signer.set_both(signer(keys.newest)?, former);
    Ok(())
}

/// With the key of an actor here, parsed.
pub(super) fn signer(key: actor::Key) -> Result<Signer> {
    let pem = key.private_pem.unwrap_or_default();
    let parsed = SigningKey::from_pem(&pem).map_err(|e| Error::Internal(Box::new(e)))?;
    Ok(Signer { key_id: key.uri, key: parsed })
}

/// Keeps every request away from servers that are blocked here.
struct Rulebook(Pool);

#[async_trait]
impl Gate for Rulebook {
    async fn check(&self, host: &str) -> Result<(), FetchError> {
        let name = host.to_owned();
        match self.0.look_up(move |db| domain::standing(db, &name)).await {
            Ok(standing) if standing.is_suspended() => {
                metrics::counter!("hedgeschool_blocked_requests_total").increment(1);
                Err(FetchError::Blocked(host.to_owned()))
            }
            Ok(_) => Ok(()),
            Err(error) => {
                tracing::warn!(%error, "the rules about servers cannot be read");
                Err(FetchError::Busy)
            }
        }
    }
}

/// Asked by the library before each fetch.
#[derive(Clone)]
struct Verifier(App);

#[async_trait]
impl UrlVerifier for Verifier {
    async fn verify(&self, url: &Url) -> Result<(), Library> {
        let rules: &Rules = self.0.net().client.rules();
        check_url(url, rules).map_err(|e| Library::Other(e.to_string()))?;
        let host = crate::link::host_of(url).unwrap_or_default();
        super::peer::recall_scheme(&self.0, &host).await.map_err(|e| Library::Other(e.to_string()))?;
        Ok(())
    }
}

/// The workers at work.
pub struct Running {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Running {
    /// Lets every worker finish what it has in hand, and returns when all have. What is not begun stays in the
    /// database for the next start.
    pub async fn stop(mut self) {
        self.stop.send(true).ok();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Starts the workers for what comes in and for what goes out.
pub async fn start(config: &FederationConfig<App>, dispatch: Dispatch) -> Result<Running> {
    delivery::recover(config).await?;
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    tasks.spawn(inbox::worker::run(config.clone(), dispatch, stopped.clone()));
    tasks.spawn(delivery::run(config.clone(), stopped));
    Ok(Running { stop, tasks })
}
