//! Whether people are online, as an XMPP server says it (PRE-5; RFC 6120, RFC 6121).
//!
//! A thread of its own with a runtime of its own: what a server makes us do – key stretching at login, XML,
//! certificates – holds up neither the engine nor the clients. The engine says whom to watch and goes on;
//! what comes of it are [`Event::Person`]s. This file starts it; `task` is the loop, `connection` opens,
//! `login` logs in, `session` talks, `roll` keeps who is what, `stanza` and `bounded` read.

mod bounded;
mod connection;
mod login;
mod roll;
mod session;
mod stanza;
mod task;

use std::{path::PathBuf, thread};

use anyhow::{Context, Result, anyhow};
use tokio::sync::{mpsc, watch};
use tokio_xmpp::jid::BareJid;
use tracing::warn;

use self::connection::Access;
use crate::{engine::Event, vital::Vital};

/// Where clients are served (RFC 6120 section 14.7).
const PORT: u16 = 5222;

/// The way to the thread. It ends when this is gone, or when the engine is.
pub(crate) struct Xmpp {
    wanted: watch::Sender<Vec<String>>,
    /// The account, as the settings have it.
    address: String,
    trouble: watch::Receiver<Option<String>>,
}

/// Starts the thread where the settings ask for it. Telephony does not fail with it: what is wrong is said in the log, and
/// to whom [`Xmpp::trouble`] is shown.
pub(crate) fn start(settings: Option<&store::Xmpp>, inbox: mpsc::Sender<Event>) -> Option<Xmpp> {
    let settings = settings?;
    let (wanted, followed) = watch::channel(Vec::new());
    let (told, trouble) = watch::channel(None);
    if let Err(error) = begin(settings, followed, inbox, told.clone()) {
        warn!("nobody is shown as online: {error:#}");
        told.send_replace(Some(format!("{error:#}")));
    }
    Some(Xmpp { wanted, address: settings.address.clone(), trouble })
}

/// # Errors
/// What of the settings cannot be.
fn begin(
    settings: &store::Xmpp,
    wanted: watch::Receiver<Vec<String>>,
    inbox: mpsc::Sender<Event>,
    trouble: watch::Sender<Option<String>>,
) -> Result<()> {
    let access = access(settings)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let vital = Vital::new("XMPP", &inbox);
    let work = move || {
        let _vital = vital;
        runtime.block_on(task::run(access, wanted, inbox, trouble));
        // A name that is being looked up does not hold up the end.
        runtime.shutdown_background();
    };
    thread::Builder::new().name("xmpp".into()).spawn(work).context("XMPP thread")?;
    Ok(())
}

impl Xmpp {
    /// Watches exactly these people. Does not wait.
    pub(crate) fn watch(&self, addresses: Vec<String>) {
        self.wanted.send_replace(addresses);
    }

    /// The account and why there is no connection, while there is none and that is known.
    pub(crate) fn trouble(&self) -> Option<(String, String)> {
        self.trouble.borrow().clone().map(|trouble| (self.address.clone(), trouble))
    }
}

/// Whether an address of a directory is one for XMPP; the others are SIP's.
pub(crate) fn is_ours(address: &str) -> bool {
    let is =
        |scheme: &str| address.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    !is("sip:") && !is("sips:")
}

/// Checks what the store cannot: addresses as XMPP has them, and the file of trust anchors.
///
/// # Errors
/// The field and what is wrong with it.
pub(crate) fn check(settings: &store::Xmpp) -> Result<()> {
    access(settings)?;
    if let Some(file) = &settings.ca {
        connection::certificates(&PathBuf::from(file)).map_err(|why| anyhow!("xmpp ca: {why}"))?;
    }
    Ok(())
}

fn access(settings: &store::Xmpp) -> Result<Access> {
    let address =
        BareJid::new(&settings.address).with_context(|| format!("xmpp address: {:?}", settings.address))?;
    let server = settings.server.as_deref().unwrap_or(address.domain().as_str());
    Ok(Access {
        server: with_port(server),
        address,
        password: settings.password.clone(),
        ca: settings.ca.as_ref().map(PathBuf::from),
    })
}

fn with_port(server: &str) -> String {
    let has_port =
        server.rsplit_once(':').is_some_and(|(host, _)| !host.contains(':') || host.ends_with(']'));
    if has_port { server.to_owned() } else { format!("{server}:{PORT}") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_server_has_a_port_of_its_own_or_the_usual_one() {
        for (server, with) in [
            ("chat.example.com", "chat.example.com:5222"),
            ("chat.example.com:443", "chat.example.com:443"),
            ("[2001:db8::1]", "[2001:db8::1]:5222"),
            ("[2001:db8::1]:443", "[2001:db8::1]:443"),
        ] {
            assert_eq!(with_port(server), with);
        }
    }

    #[test]
    fn pre_5_settings_that_cannot_work_are_refused_before_they_are_taken_over() {
        const OTHER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let settings = |address: &str, ca: Option<&str>| store::Xmpp {
            address: address.into(),
            ca: ca.map(Into::into),
            ..store::Xmpp::default()
        };
        assert!(check(&settings("desk@example.com", None)).is_ok());
        for (address, ca, says) in [
            ("desk@example.com", Some("/no/such/file.pem"), "xmpp ca: cannot read /no/such/file.pem"),
            ("desk@example.com", Some("/dev/null"), "xmpp ca: cannot read /dev/null: it is no file"),
            (
                "desk@example.com",
                Some(OTHER),
                concat!("xmpp ca: ", env!("CARGO_MANIFEST_DIR"), "/Cargo.toml has no"),
            ),
            ("@example.com", None, "xmpp address: \"@example.com\""),
        ] {
            let why = check(&settings(address, ca)).map_err(|error| format!("{error:#}"));
            assert!(why.as_ref().is_err_and(|why| why.starts_with(says)), "{why:?}");
        }
    }

    #[test]
    fn pre_5_settings_that_cannot_work_are_a_trouble_of_the_account() {
        let (inbox, _) = mpsc::channel(1);
        let settings = store::Xmpp { address: "@example.com".into(), ..store::Xmpp::default() };
        let (address, trouble) = start(Some(&settings), inbox.clone()).unwrap().trouble().unwrap();
        assert_eq!(address, "@example.com");
        assert!(trouble.starts_with("xmpp address: \"@example.com\""), "{trouble}");
        assert!(start(None, inbox).is_none());
    }

    #[test]
    fn pre_5_addresses_of_sip_are_not_ours() {
        for (address, ours) in [
            ("anna@example.com", true),
            ("xmpp:anna@example.com", true),
            ("sip:anna@example.com", false),
            ("SIPS:anna@example.com", false),
            ("sip", true),
        ] {
            assert_eq!(is_ours(address), ours, "{address}");
        }
    }
}
