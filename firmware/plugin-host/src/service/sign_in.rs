//! Somebody signs in for a plugin by a code (RFC 8628): the host asks for one, shows it, and asks the token server
//! every few seconds whether a person has typed it in elsewhere. What comes of it is a refresh token, which goes into
//! the plugin's sign-ins; the plugin's run then begins anew. A thread of its own waits, and nobody waits for it.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ipc::{PluginAnswer, PluginCode, PluginProblem, PluginSignIn, PluginSignInState};
use tokio::runtime::Handle;

use super::changes::whole;
use super::plugin::Plugin;
use super::requests::Reply;
use super::{Service, words};
use crate::connector::Cancel;
use crate::guest::bindings::frontdesk::connector::http as wit;
use crate::manifest::{AuthKind, Manifest};
use crate::oauth::answer::{Device, Said};
use crate::oauth::client::Client;
use crate::oauth::endpoint::Endpoint;
use crate::oauth::refusal;
use crate::oauth::sign_ins::Standing;
use crate::registry::{Record, Secrets};
use crate::wire::Line;

/// What is added to the time between two questions where the server asks for it (RFC 8628 section 3.5).
const SLOWER: Duration = Duration::from_secs(5);
/// How soon a sign-in that was given up is.
const MOMENT: Duration = Duration::from_millis(100);

/// A sign-in that is under way, or came to nothing.
pub(crate) struct Attempt {
    code: PluginCode,
    until: Instant,
    cancel: Cancel,
    problem: Option<String>,
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// Everything a sign-in needs.
struct Desk {
    client: Client,
    endpoint: Endpoint,
    runtime: Handle,
}

/// What came of it.
enum End {
    SignedIn(String),
    Refused(String),
    GivenUp,
}

impl Service {
    /// How the sign-ins of a plugin stand, in the order of its manifest.
    pub(super) fn sign_ins(
        &self,
        plugin: &Plugin,
        manifest: &Manifest,
        record: &Record,
        secrets: &Secrets,
    ) -> Vec<PluginSignIn> {
        let filled = manifest.fill(&words::values(manifest, &record.settings, secrets)).ok();
        let by_code = manifest.auth.iter().filter(|auth| auth.kind == AuthKind::OauthDeviceCode);
        let sign_in = |auth: &crate::manifest::Auth| {
            let client = filled.as_ref().and_then(|filled| Client::of(manifest, auth, filled).ok());
            let standing = client
                .map_or(Standing::None, |client| plugin.sign_ins.standing(&auth.id, &client.bound_to()));
            let face = plugin.face();
            let attempt = face.sign_ins.get(&auth.id);
            let state = match (attempt, standing) {
                (Some(Attempt { problem: None, code, until, .. }), _) => {
                    let left = until.saturating_duration_since(Instant::now());
                    PluginSignInState::Waiting(PluginCode { expires_s: left.as_secs(), ..code.clone() })
                }
                (_, Standing::In) => PluginSignInState::SignedIn,
                (Some(Attempt { problem, .. }), _) => PluginSignInState::None { problem: problem.clone() },
                (None, Standing::Lost(words)) => PluginSignInState::None { problem: Some(words) },
                (None, Standing::None) => PluginSignInState::None { problem: None },
            };
            PluginSignIn { id: auth.id.clone(), state }
        };
        by_code.map(sign_in).collect()
    }

    /// Asks for a code, and waits on a thread for somebody to type it in.
    pub(super) fn sign_in_aside(self: &Arc<Self>, plugin: String, auth: String) -> Reply {
        let service = Arc::clone(self);
        Reply::Aside(Box::new(move || service.sign_in(&plugin, &auth).map(PluginAnswer::SignIn)))
    }

    /// Forgets who has signed in.
    pub(super) fn sign_out(self: &Arc<Self>, id: &str, auth: &str) -> Result<(), PluginProblem> {
        let plugin = self.plugin(id)?;
        let mut lane = plugin.lane()?;
        credential(&whole(&lane)?.1, auth)?;
        plugin.face().sign_ins.remove(auth);
        plugin.sign_ins.forget(auth);
        tracing::info!(plugin = id, auth, "signed out");
        plugin.say("info", "whoever has signed in is forgotten");
        self.restart(&plugin, &mut lane);
        Ok(())
    }

    fn sign_in(self: &Arc<Self>, id: &str, auth: &str) -> Result<PluginCode, PluginProblem> {
        let plugin = self.plugin(id)?;
        let (record, manifest) = whole(&*plugin.lane()?)?;
        let desk = self.desk(&record, &manifest, auth)?;
        let device = desk.code().map_err(failed)?;
        let code = PluginCode {
            address: device.address.clone(),
            address_with_code: device.address_with_code.clone(),
            code: device.user_code.clone(),
            expires_s: device.expires.as_secs(),
        };
        let (cancel, until) = (Cancel::default(), Instant::now() + device.expires);
        let attempt = Attempt { code: code.clone(), until, cancel: cancel.clone(), problem: None };
        plugin.face().sign_ins.insert(auth.to_owned(), attempt);
        plugin.say("info", "somebody wants to sign in: a code waits to be typed in");
        self.changed();
        let (service, name) = (Arc::clone(self), auth.to_owned());
        let wait = move || {
            let end = desk.wait(&device, until, &cancel);
            if !cancel.is_cancelled() {
                service.signed_in(&plugin, &name, &desk.client, end);
            }
        };
        let no_thread = |error: std::io::Error| PluginProblem::NotNow(error.to_string());
        thread::Builder::new().name("sign-in".to_owned()).spawn(wait).map_err(no_thread)?;
        Ok(code)
    }

    fn desk(&self, record: &Record, manifest: &Manifest, auth: &str) -> Result<Desk, PluginProblem> {
        let auth = credential(manifest, auth)?;
        let secrets = self.registry.secrets(record).unwrap_or_default();
        let filled = manifest.fill(&words::values(manifest, &record.settings, &secrets));
        let filled = filled.map_err(|error| words::manifest_problem(&error))?;
        let grants = manifest.grants(&words::granted(&record.granted), &filled);
        let grants = grants.map_err(|error| words::manifest_problem(&error))?;
        let misconfigured = |words| PluginProblem::Failed { case: "misconfigured".to_owned(), words };
        let client = Client::of(manifest, auth, &filled).map_err(misconfigured)?;
        let line = Line { resolver: Arc::clone(&self.host.resolver), tls: Arc::clone(&self.host.tls) };
        let runtime = self.host.runtime.handle().clone();
        Ok(Desk { client, endpoint: Endpoint::new(line, grants), runtime })
    }

    /// Keeps what came of it.
    fn signed_in(self: &Arc<Self>, plugin: &Arc<Plugin>, auth: &str, client: &Client, end: End) {
        // It may be on its way out.
        let Ok(mut lane) = plugin.lane() else { return };
        match end {
            End::SignedIn(refresh) => {
                plugin.sign_ins.keep(auth, &refresh, &client.bound_to());
                plugin.face().sign_ins.remove(auth);
                tracing::info!(plugin = %plugin.id, auth, "somebody has signed in");
                plugin.say("info", "somebody has signed in");
                self.restart(plugin, &mut lane);
            }
            End::Refused(words) => {
                tracing::warn!(plugin = %plugin.id, auth, %words, "nobody has signed in");
                plugin.say("warn", &format!("nobody has signed in: {words}"));
                if let Some(attempt) = plugin.face().sign_ins.get_mut(auth) {
                    attempt.problem = Some(words);
                }
                self.changed();
            }
            End::GivenUp => {}
        }
    }
}

impl Desk {
    fn code(&self) -> Result<Device, wit::Error> {
        let form = self.client.device().map_err(wit::Error::Auth)?;
        self.runtime.block_on(self.endpoint.ask_device(&self.client, &form))?.map_err(refusal)
    }

    /// Until somebody has typed the code in, or nobody can any more.
    fn wait(&self, device: &Device, until: Instant, cancel: &Cancel) -> End {
        let Ok(form) = self.client.poll(&device.device_code) else { return End::GivenUp };
        let mut interval = device.interval;
        loop {
            let next = Instant::now() + interval;
            while Instant::now() < next {
                if cancel.is_cancelled() {
                    return End::GivenUp;
                }
                thread::sleep(MOMENT.min(next.saturating_duration_since(Instant::now())));
            }
            if Instant::now() >= until {
                return End::Refused("the code was not typed in in time".to_owned());
            }
            match self.runtime.block_on(self.endpoint.ask_token(&self.client, &form)) {
                Ok(Said::Token(token)) => {
                    let none = "the server gives nothing that lasts (a refresh token)";
                    return token.refresh.map_or_else(|| End::Refused(none.to_owned()), End::SignedIn);
                }
                Ok(Said::Refused { code, .. }) if code == "authorization_pending" => {}
                Ok(Said::Refused { code, .. }) if code == "slow_down" => interval += SLOWER,
                Ok(Said::Refused { code, .. }) if code == "expired_token" => {
                    return End::Refused("the code was not typed in in time".to_owned());
                }
                Ok(Said::Refused { words, .. }) => return End::Refused(words),
                Ok(Said::Busy(seconds)) => interval = interval.max(Duration::from_secs(seconds.into())),
                // A server that is away for a while has not said no.
                Ok(Said::Unclear(_)) | Err(_) => interval = (interval * 2).min(Duration::from_secs(60)),
            }
        }
    }
}

fn credential<'manifest>(
    manifest: &'manifest Manifest,
    id: &str,
) -> Result<&'manifest crate::manifest::Auth, PluginProblem> {
    let by_code = manifest.auth.iter().filter(|auth| auth.kind == AuthKind::OauthDeviceCode);
    let none = || PluginProblem::NotNow("nobody signs in for that".to_owned());
    by_code.into_iter().find(|auth| auth.id == id).ok_or_else(none)
}

/// In the words of a plugin that failed at the same.
fn failed(error: wit::Error) -> PluginProblem {
    let (case, words) = match error {
        wit::Error::Denied(words) => ("forbidden", words),
        wit::Error::Auth(words) => ("auth-failed", words),
        wit::Error::Unreachable(words) | wit::Error::Tls(words) => ("unavailable", words),
        wit::Error::TooMany(_) => ("retry-later", String::new()),
        wit::Error::BadRequest(words) => ("misconfigured", words),
        wit::Error::TimedOut => ("unavailable", "no answer in time".to_owned()),
        wit::Error::TooLarge(most) => ("protocol", format!("an answer of more than {most} bytes")),
    };
    PluginProblem::Failed { case: case.to_owned(), words }
}
