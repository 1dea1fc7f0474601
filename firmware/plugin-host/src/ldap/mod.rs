//! Directories that plugins search (RFC 4511). The address goes the way of every request: grants, one look at the
//! name server, vetted addresses. Then `session` encrypts, signs in and asks; between it and the server stands
//! `guard`. A password is known here and nowhere nearer to the plugin. Referrals are counted and never followed.

mod ber;
mod guard;
pub(crate) mod names;
mod session;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};
use url::Url;

use crate::grants::{Grant, Target, permit};
use crate::guest::Cancel;
use crate::guest::bindings::frontdesk::connector::ldap as wit;
use crate::limits::Limits;
use crate::manifest::{AuthKind, Filled, Manifest};
use crate::rate::Rate;
use crate::resolve::Resolver;
use session::{Question, Session};

/// The longest that a page takes.
const REQUEST: Duration = Duration::from_secs(20);
/// What the guest keeps of its time, to say that there was no answer.
const MOMENT: Duration = Duration::from_millis(200);
/// Pages that continue a search, for each request a minute that may begin one.
const PAGES: u32 = 10;
/// Connections that wait for the next page.
const KEPT: usize = 4;
/// Entries of a page.
const LARGEST_LIMIT: u32 = 1000;
const ATTRIBUTES: usize = 64;

/// A name and a password, and where they may be sent.
struct Login {
    name: String,
    secret: Option<String>,
    net: Vec<String>,
}

/// A connection that waits for the next page of its search.
struct Kept {
    cookie: Vec<u8>,
    /// The request without its cookie: another one is another search.
    request: String,
    session: Session,
    theirs: Vec<u8>,
}

/// The directories of one plugin.
pub(crate) struct Directories {
    grants: Vec<Grant>,
    logins: BTreeMap<String, Login>,
    resolver: Arc<Resolver>,
    tls: Arc<ClientConfig>,
    runtime: Handle,
    room: usize,
    searches: Mutex<Rate>,
    pages: Mutex<Rate>,
    kept: Mutex<Vec<Kept>>,
}

impl Directories {
    pub(crate) fn new(
        manifest: &Manifest,
        filled: &Filled,
        grants: Vec<Grant>,
        limits: &Limits,
        way: (Arc<Resolver>, Arc<ClientConfig>, Handle),
    ) -> Self {
        let (resolver, tls, runtime) = way;
        Self {
            grants,
            logins: logins(manifest, filled),
            resolver,
            tls,
            runtime,
            room: limits.page,
            searches: Mutex::new(Rate::new(limits.requests)),
            pages: Mutex::new(Rate::new(limits.requests.saturating_mul(PAGES))),
            kept: Mutex::new(Vec::new()),
        }
    }

    /// One page of one search, at most until the deadline or the cancellation.
    pub(crate) fn search(
        self: &Arc<Self>,
        request: wit::Request,
        deadline: Instant,
        cancel: &Cancel,
        now: Duration,
    ) -> Result<wit::Page, wit::Error> {
        let left = deadline.saturating_duration_since(Instant::now()).saturating_sub(MOMENT).min(REQUEST);
        let cancelled = async {
            while !cancel.is_cancelled() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        // A task of its own: should a reader of answers panic after all, it is the search that ends.
        let mut task = self.runtime.spawn(Arc::clone(self).page(request, left, now));
        let answer = self.runtime.block_on(async {
            tokio::select! {
                answer = timeout(left, &mut task) => answer.ok(),
                () = cancelled => None,
            }
        });
        task.abort();
        match answer {
            Some(Ok(answer)) => answer,
            Some(Err(_)) => Err(wit::Error::Protocol("the answer could not be read".to_owned())),
            None => Err(wit::Error::TimedOut),
        }
    }

    async fn page(
        self: Arc<Self>,
        mut request: wit::Request,
        patience: Duration,
        now: Duration,
    ) -> Result<wit::Page, wit::Error> {
        let cookie = request.cookie.take();
        let which = format!("{request:?}");
        let (mut session, theirs) = match cookie {
            Some(cookie) => {
                take(&self.pages, now)?;
                let kept =
                    self.kept().extract_if(.., |kept| kept.cookie == cookie && kept.request == which).next();
                let kept = kept.ok_or(wit::Error::CookieLost)?;
                (kept.session, kept.theirs)
            }
            None => {
                check(&request)?;
                take(&self.searches, now)?;
                (self.open(&request).await?, Vec::new())
            }
        };
        let resumed = !theirs.is_empty();
        let question = Question {
            base: request.base,
            scope: request.scope,
            filter: request.filter,
            attributes: request.attributes,
            limit: request.limit,
            room: self.room,
            patience,
        };
        let mut found = match session.search(&question, theirs).await {
            // Servers close connections that rest, and forget cookies: not a fault of theirs.
            Err(wit::Error::Unreachable(_)) if resumed => return Err(wit::Error::CookieLost),
            other => other?,
        };
        if !found.cookie.is_empty() {
            let cookie = random()?;
            found.page.cookie = Some(cookie.clone());
            let mut kept = self.kept();
            if kept.len() == KEPT {
                kept.remove(0);
            }
            kept.push(Kept { cookie, request: which, session, theirs: found.cookie });
        }
        Ok(found.page)
    }

    async fn open(&self, request: &wit::Request) -> Result<Session, wit::Error> {
        let denied = |words: String| wit::Error::Denied(words);
        let url = Url::parse(&request.server).map_err(|error| wit::Error::BadRequest(error.to_string()))?;
        let target = Target::of_directory(&url).map_err(|refusal| denied(refusal.to_string()))?;
        let grant = permit(&self.grants, &target).map_err(|refusal| denied(refusal.to_string()))?;
        let login = request.auth.as_ref().map(|name| self.login(name, &target)).transpose()?;
        let mut session = Session::open(&self.resolver, &self.tls, &target, grant, request.plain).await?;
        if let Some((name, secret)) = login {
            session.bind(name, secret).await?;
        }
        let (encrypted, signed_in) = (!request.plain || target.scheme.is_tls(), login.is_some());
        tracing::info!(server = target.place(), encrypted, signed_in, "connected to a directory");
        Ok(session)
    }

    /// Name and password. An empty one would be a bind that every server takes and that proves nothing (RFC
    /// 4513 section 5.1.2).
    fn login(&self, name: &str, target: &Target) -> Result<(&str, &str), wit::Error> {
        let auth = |words: String| wit::Error::Auth(words);
        let login = self
            .logins
            .get(name)
            .ok_or_else(|| auth(format!("the manifest has no [[auth]] {name} for LDAP")))?;
        // A place may be granted under several names.
        if !self.grants.iter().any(|grant| grant.covers(target) && login.net.contains(&grant.id)) {
            return Err(wit::Error::Denied(format!("{name} is not for {}", target.place())));
        }
        let secret = login.secret.as_deref().filter(|secret| !secret.is_empty());
        let secret = secret.ok_or_else(|| auth(format!("the secret of {name} is not filled in")))?;
        if login.name.is_empty() {
            return Err(auth(format!("the name of {name} is not filled in")));
        }
        Ok((&login.name, secret))
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn take(rate: &Mutex<Rate>, now: Duration) -> Result<(), wit::Error> {
    let taken = rate.lock().unwrap_or_else(PoisonError::into_inner).take(now);
    taken.map_err(|wait| wit::Error::TooMany(u32::try_from(wait.as_secs() + 1).unwrap_or(60)))
}

/// Whether a request can be sent; its address is looked at on the way.
fn check(request: &wit::Request) -> Result<(), wit::Error> {
    let bad = |words: &str| Err(wit::Error::BadRequest(words.to_owned()));
    if request.base.len() > names::NAME || request.base.contains('\0') {
        return bad("the base is no name");
    }
    if let Err(problem) = names::check_filter(&request.filter) {
        return bad(&format!("the filter {problem}"));
    }
    if !(1..=LARGEST_LIMIT).contains(&request.limit) {
        return bad("the limit is not 1 to 1,000");
    }
    let is_special = |name: &String| matches!(name.as_str(), "*" | "+" | "1.1");
    if request.attributes.len() > ATTRIBUTES
        || !request.attributes.iter().all(|name| is_special(name) || names::is_attribute(name))
    {
        return bad("the attributes cannot be asked for");
    }
    Ok(())
}

fn logins(manifest: &Manifest, filled: &Filled) -> BTreeMap<String, Login> {
    let of_ldap = manifest.auth.iter().filter(|auth| auth.kind == AuthKind::LdapSimple);
    let login = |auth: &crate::manifest::Auth| {
        let name = auth.user_setting.as_ref().and_then(|key| filled.open.get(key)?.as_str());
        Login {
            name: name.unwrap_or_default().to_owned(),
            secret: auth.secret_setting.as_ref().and_then(|key| filled.secrets.get(key)).cloned(),
            net: auth.net.clone(),
        }
    };
    of_ldap.map(|auth| (auth.id.clone(), login(auth))).collect()
}

/// A cookie of ours: it names one page of one search and cannot be guessed by another one's plugin.
fn random() -> Result<Vec<u8>, wit::Error> {
    let mut bytes = vec![0; 16];
    let source = rustls::crypto::ring::default_provider().secure_random;
    source.fill(&mut bytes).map_err(|_| wit::Error::Unreachable("no random numbers".to_owned()))?;
    Ok(bytes)
}
