//! Zero-touch provisioning (APP-5): where the settings file of this desk is, fetching it, and taking it.
//!
//! A task of its own, so that the desk starts and telephones whatever becomes of it. The address is what an administrator
//! typed, else that of the configuration, else what DHCP offers. A file is taken wholly or not at all, and once: what an
//! administrator changes afterwards stays until the file is another one. What DHCP says is believed by a desk that has
//! no account yet, or was provisioned from that machine before: else whoever answers DHCP could take a desk over.
//!
//! Not done here: settings (`store`), words of the page (`pages/provisioning.rs`).

pub(crate) mod address;
pub(crate) mod fetch;
pub(crate) mod lease;
pub(crate) mod trouble;

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sha2::{Digest, Sha256};
use store::{NamedBy, Provisioned, Secret, StoreError, TakenFile};
use tokio::{sync::Notify, task::spawn_blocking, time::timeout};
use tracing::{info, warn};

use self::{
    fetch::{Answer, Identity, Question},
    trouble::Trouble,
};
use crate::{
    app::{App, now_ms},
    audit::{Act, Actor},
    keeper::KeeperError,
};

/// While there is no address the leases are looked at again so often: the network may come late.
const LOOK_AGAIN: Duration = Duration::from_secs(15);
/// After a failure the server is asked again; each further one doubles the wait up to the longest.
const SHORTEST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(3600);
/// A server that has answered is asked again: files change.
const AGAIN: Duration = Duration::from_secs(24 * 3600);

/// How the desk is provisioned.
#[derive(Clone, Debug, Default)]
pub struct ProvisioningConfig {
    /// The address, where it is fixed.
    pub url: Option<String>,
    /// Folders with leases, in which DHCP may offer one; none: DHCP is not looked at.
    pub leases: Vec<PathBuf>,
    /// Also by `http`, which anybody on the way can read and change.
    pub allow_http: bool,
    /// Certificates of authorities of one's own, a PEM file. None of these files need be there.
    pub authorities: Option<PathBuf>,
    /// The certificate of the device with its chain, a PEM file.
    pub certificate: Option<PathBuf>,
    /// Its key, a PEM file.
    pub key: Option<PathBuf>,
}

/// Who named the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// An administrator, on the page.
    Typed,
    /// The configuration file.
    Configured,
    /// DHCP, by this option.
    Dhcp(u8),
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nobody names an address.
    #[default]
    NoAddress,
    /// The server is being asked for the first time.
    Asking,
    /// A file was taken.
    Taken,
    /// The file is the one that was taken before.
    Unchanged,
    /// A file was taken by a one-time code, and the server wants another one before it says more.
    Spent,
    Failed(Trouble),
}

/// How provisioning stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    /// The address as it was named.
    pub(crate) named: Option<(Source, String)>,
    /// When the server was asked last, Unix milliseconds.
    pub(crate) asked_ms: Option<i64>,
    pub(crate) outcome: Outcome,
}

/// What the page and the task share.
#[derive(Debug)]
pub(crate) struct Provisioning {
    /// The name of this device.
    pub(crate) device: String,
    standing: Mutex<Standing>,
    wish: Notify,
}

impl Provisioning {
    pub(crate) fn new() -> Self {
        let machine_id = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
        Self {
            device: address::device(Path::new("/sys/class/net"), &machine_id),
            standing: Mutex::default(),
            wish: Notify::new(),
        }
    }

    pub(crate) fn standing(&self) -> Standing {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has the server asked at once.
    pub(crate) fn ask_now(&self) {
        self.wish.notify_one();
    }

    /// The new standing, which is told to the log when it is another one than before.
    fn set(&self, standing: Standing) {
        let mut known = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        match &standing.outcome {
            same if *same == known.outcome => {}
            Outcome::Failed(trouble @ Trouble::NotFollowed(_)) => info!("not provisioned: {trouble}"),
            Outcome::Failed(trouble) => warn!("not provisioned: {trouble}"),
            Outcome::Unchanged => info!("the provisioning server has the file that was taken before"),
            Outcome::NoAddress | Outcome::Asking | Outcome::Taken | Outcome::Spent => {}
        }
        *known = standing;
    }
}

/// Follows the provisioning server, until the task is dropped.
pub(crate) async fn follow(app: Arc<App>) {
    let Some(config) = app.config.provisioning.clone() else { return };
    info!(device = app.provisioning.device, "this desk can be provisioned");
    let mut failures = 0;
    loop {
        let wait = match look(&app, &config).await {
            Outcome::NoAddress | Outcome::Asking => LOOK_AGAIN,
            // A lease that is renewed may say something else.
            Outcome::Failed(Trouble::NotFollowed(_)) => LOOK_AGAIN,
            Outcome::Taken | Outcome::Unchanged | Outcome::Spent => {
                failures = 0;
                AGAIN
            }
            Outcome::Failed(_) => {
                failures += 1;
                wait_after(failures)
            }
        };
        // Whether the time is over or somebody wishes it: the same.
        if timeout(wait, app.provisioning.wish.notified()).await.is_ok() {
            // Who wishes it has perhaps mended something: the waits begin anew.
            failures = 0;
        }
    }
}

fn wait_after(failures: u32) -> Duration {
    SHORTEST.saturating_mul(1 << (failures - 1).min(10)).min(LONGEST)
}

/// Looks once, and says how it stands.
async fn look(app: &App, config: &ProvisioningConfig) -> Outcome {
    let mut standing = Standing { asked_ms: Some(now_ms()), ..Standing::default() };
    standing.outcome = match named(app, config).await {
        Ok((_, None)) => {
            standing.asked_ms = None;
            Outcome::NoAddress
        }
        Ok((known, Some((source, said)))) => {
            standing.named = Some((source, said.clone()));
            if app.provisioning.standing().named != standing.named {
                let outcome = Outcome::Asking;
                app.provisioning.set(Standing { outcome, ..standing.clone() });
            }
            ask(app, config, known, source, &said).await.unwrap_or_else(Outcome::Failed)
        }
        Err(trouble) => Outcome::Failed(trouble),
    };
    if let Outcome::Failed(trouble) = &standing.outcome
        && has_asked_nobody(trouble)
    {
        standing.asked_ms = None;
    }
    let outcome = standing.outcome.clone();
    app.provisioning.set(standing);
    outcome
}

/// Whether no server was asked: the trouble came before.
fn has_asked_nobody(trouble: &Trouble) -> bool {
    matches!(
        trouble,
        Trouble::NotFollowed(_) | Trouble::NotHttps(_) | Trouble::NoAddress(_) | Trouble::Files { .. }
    )
}

/// What is known, and the address that counts.
async fn named(
    app: &App,
    config: &ProvisioningConfig,
) -> Result<(Provisioned, Option<(Source, String)>), Trouble> {
    let known =
        app.keeper.ask(|store| store.load_provisioned()).await.map_err(|problem| of_records(&problem))?;
    let typed = known.url.clone().map(|url| (Source::Typed, url));
    let fixed = typed.or_else(|| config.url.clone().map(|url| (Source::Configured, url)));
    if fixed.is_some() {
        return Ok((known, fixed));
    }
    let folders = config.leases.clone();
    let offers = spawn_blocking(move || lease::offers(folders.iter().map(PathBuf::as_path))).await;
    let first = offers.unwrap_or_default().into_iter().next();
    Ok((known, first.map(|offer| (Source::Dhcp(offer.option), offer.text))))
}

async fn ask(
    app: &App,
    config: &ProvisioningConfig,
    known: Provisioned,
    source: Source,
    said: &str,
) -> Result<Outcome, Trouble> {
    let device = &app.provisioning.device;
    let url = address::file_of(said, device, config.allow_http)?;
    if let Source::Dhcp(_) = source {
        let settings = app.settings().await.map_err(|problem| of_records(&problem))?;
        if !known.follows_dhcp(&settings, url.as_str()) {
            return Err(Trouble::NotFollowed(address::shown(said)));
        }
    }
    let config = config.clone();
    let identity = spawn_blocking(move || Identity::read(&config)).await;
    let identity = identity.map_err(|error| Trouble::Records(error.to_string()))??;
    // The version of a file counts for its own address only.
    let before = known.taken.filter(|taken| taken.url == url.as_str());
    let etag = before.as_ref().and_then(|taken| taken.etag.as_deref());
    let version = &app.config.version;
    let question = Question { url: &url, device, version, code: &known.code, etag };
    let answer = fetch::fetch(&question, &identity).await;
    let (text, etag, from) = match answer {
        Ok(Answer::File { text, etag, from }) => (text, etag, from),
        Ok(Answer::Same) => return same(app, before, None, known.code).await,
        Err(Trouble::Refused { .. }) if before.is_some() && known.code.is_empty() => {
            return Ok(Outcome::Spent);
        }
        Err(trouble) => {
            let before = app.provisioning.standing();
            let is_same = before.named.is_some_and(|named| named == (source, said.to_owned()));
            let has_code = is_same && !known.code.is_empty();
            return Err(if has_code { spent(before.outcome, trouble) } else { trouble });
        }
    };
    let taken = TakenFile { url: url.to_string(), etag, digest: digest(&text), at_ms: now_ms() };
    if before.as_ref().is_some_and(|before| before.digest == taken.digest) {
        return same(app, before, taken.etag, known.code).await;
    }
    let named = if let Source::Dhcp(_) = source { NamedBy::Dhcp } else { NamedBy::Administrator };
    take(app, text, taken, from, named, known.code).await.map_err(|problem| match problem {
        // Somebody has set the desk up while the server was asked.
        KeeperError::Store(StoreError::NotFollowed) => Trouble::NotFollowed(address::shown(said)),
        other => of_records(&other),
    })
}

/// A code that the server refuses after it gave a file that was not taken was spent on that file: what was wrong with the
/// file is what has to be put right first.
fn spent(before: Outcome, trouble: Trouble) -> Trouble {
    match (before, trouble) {
        (
            Outcome::Failed(Trouble::Invalid(error) | Trouble::InvalidAndSpent(error)),
            Trouble::Refused { .. },
        ) => Trouble::InvalidAndSpent(error),
        (_, trouble) => trouble,
    }
}

/// The server has the file that was taken before, perhaps by another version.
async fn same(
    app: &App,
    before: Option<TakenFile>,
    etag: Option<String>,
    sent: Secret,
) -> Result<Outcome, Trouble> {
    if let Some(before) = before {
        let etag = etag.or_else(|| before.etag.clone());
        // The disk is written when there is something to write.
        if !sent.is_empty() || etag != before.etag {
            let noted = TakenFile { etag, ..before };
            let noted = app.keeper.ask(move |store| store.note_provisioned(noted, &sent)).await;
            noted.map_err(|problem| of_records(&problem))?;
        }
    }
    Ok(Outcome::Unchanged)
}

/// Takes a file that is another one than before, got with the code that was `sent`.
async fn take(
    app: &App,
    text: String,
    taken: TakenFile,
    from: IpAddr,
    named: NamedBy,
    sent: Secret,
) -> Result<Outcome, KeeperError> {
    let saved = app.saved.clone();
    let url = taken.url.clone();
    let file = url.rsplit('/').next().unwrap_or_default().split('?').next().unwrap_or_default().to_owned();
    let done = app.keeper.ask(move |store| {
        let before = store.load_settings()?;
        let settings = store.provision(&text, &file, taken, named, &sent)?;
        let bare = settings.without_their_passwords(&before).join(", ");
        let told = (settings.accounts.len(), settings.lines.len(), bare);
        saved.send_replace(Arc::new(settings));
        Ok(told)
    });
    let (accounts, lines, bare) = done.await?;
    let mut detail = address::shown(&url);
    info!(url = detail, accounts, lines, "provisioned");
    if !bare.is_empty() {
        warn!(
            accounts = bare,
            "the file gives no password, and the one there was is for another server or user"
        );
        detail.push_str(&format!("; without their password now: {bare}"));
    }
    let actor = Actor { who: "provisioning".into(), from };
    app.audit(&actor, Act::Provisioned, detail).await;
    Ok(Outcome::Taken)
}

fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn of_records(problem: &KeeperError) -> Trouble {
    match problem {
        KeeperError::Store(StoreError::Settings(error)) => Trouble::Invalid(Box::new(error.clone())),
        other => Trouble::Records(other.to_string()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn app_5_a_server_that_does_not_answer_is_asked_less_and_less_often() {
        let waits: Vec<u64> = (1..9).map(|failures| wait_after(failures).as_secs()).collect();
        assert_eq!(waits, [30, 60, 120, 240, 480, 960, 1920, 3600]);
        assert_eq!(wait_after(u32::MAX), LONGEST);
    }

    #[test]
    fn app_5_what_is_wrong_in_a_file_is_said_until_there_is_another_answer() {
        let error = store::SettingsError {
            file: String::new(),
            line: None,
            message: "no lines".into(),
            refusal: None,
        };
        let invalid = || Outcome::Failed(Trouble::Invalid(Box::new(error.clone())));
        let kept = Trouble::InvalidAndSpent(Box::new(error.clone()));
        let refused = Trouble::Refused { host: "pbx.example".into(), status: 401, device: "a".into() };
        assert_eq!(spent(invalid(), refused.clone()), kept);
        assert_eq!(spent(Outcome::Failed(kept.clone()), refused.clone()), kept, "also at the next look");
        assert_eq!(spent(Outcome::Asking, refused.clone()), refused);
        let missing = Trouble::NotFound { url: "https://pbx.example/a.toml".into() };
        assert_eq!(spent(invalid(), missing.clone()), missing);
    }

    #[test]
    fn app_5_a_server_is_the_same_by_scheme_name_and_port() {
        let taken = TakenFile { url: "https://pbx.example/a.toml".into(), ..TakenFile::default() };
        let known = Provisioned { taken: Some(taken), ..Provisioned::default() };
        let account = "[[accounts]]\nuser = \"1000\"\ndomain = \"pbx.example\"\n";
        let set_up = store::Settings::from_toml(account, "").unwrap();
        let follows = |url: &str| known.follows_dhcp(&set_up, url::Url::parse(url).unwrap().as_str());
        assert!(follows("https://pbx.example/b/c.toml") && follows("https://pbx.example:443/"));
        assert!(!follows("https://pbx.example:8443/") && !follows("http://pbx.example/"));
        assert!(!follows("https://pbx.example.evil/"));
        assert!(known.follows_dhcp(&store::Settings::default(), "https://pbx.example.evil/"), "a new desk");
        assert!(!Provisioned::default().follows_dhcp(&set_up, "https://pbx.example/a.toml"));
    }
}
