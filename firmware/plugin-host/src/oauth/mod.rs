//! Tokens of OAuth 2.0 that the host fetches, holds and renews for a plugin, which never sees one: by a client's own
//! credentials (RFC 6749 section 4.4), or by a sign-in that a person has given once (RFC 8628) and that is refreshed
//! (RFC 6749 section 6). A token server is reached the way of every request: grants, one look at the name server,
//! vetted addresses, TLS. Where tokens are sent is `http`; how somebody signs in is `service/sign_in`.

pub(crate) mod answer;
pub(crate) mod client;
pub(crate) mod endpoint;
pub(crate) mod sign_ins;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::header::HeaderValue;
use tokio::runtime::Handle;

use crate::guest::bindings::frontdesk::connector::http as wit;
use crate::manifest::{AuthKind, Filled, Manifest};
use crate::strike::Told;
use answer::{Said, Token};
use client::Client;
use endpoint::Endpoint;
use sign_ins::SignIns;

/// A token is not used in its last moments, which the way to the server may take.
const MARGIN: Duration = Duration::from_secs(60);

/// The tokens of one plugin.
pub(crate) struct Tokens {
    plugin: String,
    /// By `id` of `[[auth]]`; or why its settings make none.
    clients: BTreeMap<String, Result<Client, String>>,
    held: BTreeMap<String, Arc<tokio::sync::Mutex<Option<Held>>>>,
    endpoint: Endpoint,
    sign_ins: Mutex<Arc<SignIns>>,
    runtime: Handle,
    told: Told,
}

/// A token that is good for a while.
#[derive(Clone)]
struct Held {
    value: HeaderValue,
    until: Instant,
}

impl Tokens {
    /// None is fetched before it is needed. Whoever has signed in is handed in later.
    pub(crate) fn new(manifest: &Manifest, filled: &Filled, endpoint: Endpoint, runtime: Handle) -> Self {
        let oauth = || manifest.auth.iter().filter(|auth| auth.kind.is_oauth());
        Self {
            plugin: manifest.plugin.id.clone(),
            clients: oauth().map(|auth| (auth.id.clone(), Client::of(manifest, auth, filled))).collect(),
            held: oauth().map(|auth| (auth.id.clone(), Arc::default())).collect(),
            endpoint,
            sign_ins: Mutex::default(),
            runtime,
            told: Told::default(),
        }
    }

    /// Who has signed in.
    pub(crate) fn keep_sign_ins(&self, sign_ins: Arc<SignIns>) {
        *self.sign_ins.lock().unwrap_or_else(PoisonError::into_inner) = sign_ins;
    }

    /// Everything that must not be read by anybody, as it comes to be known.
    pub(crate) fn told(&self) -> Told {
        self.told.clone()
    }

    /// The value of `Authorization` for this `[[auth]]` entry: the token that is there, unless it is the one that was
    /// `refused`, or a new one. One is fetched at a time.
    pub(crate) async fn bearer(
        self: &Arc<Self>,
        id: &str,
        refused: Option<&HeaderValue>,
    ) -> Result<HeaderValue, wit::Error> {
        let unknown = || wit::Error::Auth(format!("the manifest has no [[auth]] {id}"));
        let mut held = Arc::clone(self.held.get(id).ok_or_else(unknown)?).lock_owned().await;
        if let Some(there) = &*held
            && Instant::now() < there.until
            && refused != Some(&there.value)
        {
            return Ok(there.value.clone());
        }
        *held = None;
        // A task of its own: a call that ends before the token server has answered loses neither the token, which is for the
        // next one, nor a refresh token that was just replaced.
        let (tokens, id) = (Arc::clone(self), id.to_owned());
        let fetched = self.runtime.spawn(async move {
            let fresh = tokens.fetch(&id).await?;
            let value = fresh.value.clone();
            *held = Some(fresh);
            Ok::<_, wit::Error>(value)
        });
        fetched.await.map_err(|error| wit::Error::Unreachable(error.to_string()))?
    }

    async fn fetch(&self, id: &str) -> Result<Held, wit::Error> {
        let unknown = || wit::Error::Auth(format!("the manifest has no [[auth]] {id}"));
        let client = self.clients.get(id).ok_or_else(unknown)?.as_ref();
        let client = client.map_err(|words| wit::Error::Auth(words.clone()))?;
        let token = match client.kind() {
            AuthKind::OauthDeviceCode => self.refresh(id, client).await,
            _ => self.by_credentials(client).await,
        };
        let token = token.inspect_err(|error| {
            let words = self.told.strike(&format!("{error:?}"));
            tracing::warn!(plugin = %self.plugin, auth = id, error = %words, "no token");
        })?;
        self.told.add(&token.access);
        let unreadable = |_| wit::Error::Unreachable("the token cannot be sent".to_owned());
        let mut value = HeaderValue::try_from(format!("Bearer {}", token.access)).map_err(unreadable)?;
        value.set_sensitive(true);
        let lifetime = token.lifetime;
        tracing::info!(plugin = %self.plugin, auth = id, lifetime_s = lifetime.as_secs(), "a new token");
        let good_for = lifetime.saturating_sub(MARGIN.min(lifetime / 4));
        Ok(Held { value, until: Instant::now() + good_for })
    }

    async fn by_credentials(&self, client: &Client) -> Result<Token, wit::Error> {
        let form = client.credentials().map_err(wit::Error::Auth)?;
        match self.endpoint.ask_token(client, &form).await? {
            Said::Token(token) => Ok(token),
            other => Err(refusal(other)),
        }
    }

    async fn refresh(&self, id: &str, client: &Client) -> Result<Token, wit::Error> {
        let sign_ins = Arc::clone(&self.sign_ins.lock().unwrap_or_else(PoisonError::into_inner));
        // One at a time, also of a test beside a run: a server may take a refresh token only once.
        let _turn = sign_ins.turn.lock().await;
        let refresh = sign_ins.refresh_token(id, &client.bound_to()).map_err(wit::Error::Auth)?;
        self.told.add(&refresh);
        let form = client.refresh(&refresh).map_err(wit::Error::Auth)?;
        match self.endpoint.ask_token(client, &form).await? {
            Said::Token(token) => {
                if let Some(next) = token.refresh.as_ref().filter(|next| **next != refresh) {
                    self.told.add(next);
                    sign_ins.keep(id, next, &client.bound_to());
                }
                Ok(token)
            }
            Said::Refused { code, words } if code == "invalid_grant" => {
                let words = self.told.strike(&words);
                sign_ins.lose(id, &words);
                Err(wit::Error::Auth(format!("somebody has to sign in again: {words}")))
            }
            other => Err(refusal(other)),
        }
    }
}

/// What a token server's no means for the request that needed the token.
pub(crate) fn refusal(said: Said) -> wit::Error {
    match said {
        Said::Refused { words, .. } => wit::Error::Auth(words),
        Said::Busy(seconds) => wit::Error::TooMany(seconds),
        Said::Unclear(words) => wit::Error::Unreachable(format!("the token server: {words}")),
        Said::Token(_) => wit::Error::Unreachable("the token server: a token out of place".to_owned()),
    }
}
