//! How does the ActivityPub library fetch through our client instead of its own?

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::SystemTime,
};

use async_trait::async_trait;
use http::{
    Extensions, Method,
    header::{ACCEPT as ACCEPT_HEADER, CONTENT_TYPE},
};
use reqwest::{Request, Response, ResponseBuilderExt};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error, Middleware, Next};
use url::Url;

use super::{Answer, SafeClient, Schemes};
use crate::net::{
    media,
    signature::{ACTIVITY_JSON, Signer},
};

/// Where the time comes from.
pub type Now = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// A place for the key that signs fetches, filled once the instance actor exists, and again when
/// its key changes. Clones share it.
#[derive(Clone, Default)]
pub struct SignerSlot(Arc<RwLock<(Option<Signer>, Option<Signer>)>>);

impl SignerSlot {
    /// Signs with `signer` from now on.
    pub fn set(&self, signer: Signer) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = (Some(signer), None);
    }

    /// Signs with `newest` from now on, and with `former` for those who refuse that.
    pub fn set_both(&self, newest: Signer, former: Option<Signer>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = (Some(newest), former);
    }

    /// The signer, if there is one yet.
    pub fn get(&self) -> Option<Signer> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    /// The signer before it, while its key still signs.
    pub fn former(&self) -> Option<Signer> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).1.clone()
    }
}

/// Answers the library's GETs from [`SafeClient`], so that none of the library's own network code
/// runs: addresses, redirects, sizes and signatures are ours.
///
/// The library compares media types letter by letter; types that mean ActivityPub arrive there as
/// `application/activity+json`, all others unchanged, to be refused by it.
#[derive(Clone)]
pub struct Guard {
    client: SafeClient,
    signer: SignerSlot,
    now: Now,
}

/// The client for `FederationConfig::builder().client(…)`.
pub fn federation_client(client: SafeClient, signer: SignerSlot, now: Now) -> ClientWithMiddleware {
    let http = client.http.clone();
    ClientBuilder::new(http).with(Guard { client, signer, now }).build()
}

/// The library tried to send something itself.
#[derive(Debug, thiserror::Error)]
#[error("only GET goes through the library; deliveries have their own queue")]
struct NotGet;

impl Guard {
    async fn ask(&self, url: &Url, accept: &str, signer: Option<Signer>) -> reqwest_middleware::Result<Answer> {
        self.client.get(url, accept, signer.as_ref(), (self.now)()).await.map_err(Error::middleware)
    }
}

#[async_trait]
impl Middleware for Guard {
    async fn handle(&self, request: Request, _: &mut Extensions, _: Next<'_>) -> reqwest_middleware::Result<Response> {
        if request.method() != Method::GET {
            return Err(Error::middleware(NotGet));
        }
        // The library asks for one spelling; some servers know only the other.
        let asked = request.headers().get(ACCEPT_HEADER).and_then(|value| value.to_str().ok());
        let accept = match asked {
            Some(ACTIVITY_JSON) | None => media::ACCEPT,
            Some(other) => other,
        };
        let signer = self.signer.get();
        let mut answer = self.ask(request.url(), accept, signer).await?;
        // Our key is new, and that server keeps the old one.
        if let Some(former) = self.signer.former().filter(|_| Schemes::may_help(answer.status)) {
            answer = self.ask(request.url(), accept, Some(former)).await?;
        }
        // The library would read any answer but 410 as a document, and call a bare 404 one of the wrong type.
        if !answer.status.is_success() && answer.status != http::StatusCode::GONE {
            return Err(Error::middleware(super::FetchError::Status(answer.status.as_u16())));
        }
        response(answer).map_err(Error::middleware)
    }
}

fn response(answer: Answer) -> Result<Response, http::Error> {
    let mut builder = http::Response::builder().status(answer.status).url(answer.url);
    if let Some(given) = &answer.content_type {
        let known = media::is_activity(given);
        builder = builder.header(CONTENT_TYPE, if known { ACTIVITY_JSON } else { given });
    }
    Ok(builder.body(answer.body)?.into())
}
