//! `frontdesk.toml`: where things are. Paths, ports, devices, the log level, nothing else.
//!
//! Accounts, lines, operators and rules are not here: they live in the store and travel as one
//! settings file (`frontdeskd settings import|export`).

use std::{
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// The whole file. Every key has a default, so an empty file is a valid one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Unix socket for the screen and `frontdesk-ctl`.
    pub(crate) socket: PathBuf,
    /// The database.
    pub(crate) store: PathBuf,
    pub(crate) sip: SipConfig,
    pub(crate) media: MediaConfig,
    pub(crate) contacts: ContactsConfig,
    pub(crate) plugins: PluginsConfig,
    pub(crate) speech: SpeechConfig,
    pub(crate) log: LogConfig,
    /// Without it there is no administrator's page.
    pub(crate) admin: Option<AdminConfig>,
    /// Without it the program is updated in another way than by bundles.
    pub(crate) update: Option<UpdateConfig>,
    /// Without it the desk asks no server for its settings.
    pub(crate) provisioning: Option<ProvisioningConfig>,
}

/// `[provisioning]`: settings from a server (APP-5). What an administrator types on the page goes before `url`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ProvisioningConfig {
    /// Where from; without it DHCP may say so.
    pub(crate) url: Option<String>,
    /// Whether DHCP is looked at.
    pub(crate) dhcp: bool,
    /// Folders with the leases: those of systemd-networkd, and what `frontdeskd dhcp-options` writes.
    pub(crate) leases: Vec<PathBuf>,
    /// Also by `http`, which anybody on the way can read and change.
    pub(crate) allow_http: bool,
    /// Authorities of one's own, beside those of the system: a PEM file, which need not be there.
    pub(crate) ca: Option<PathBuf>,
    /// The certificate of the device with its chain, and its key: PEM files, which need not be there.
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
}

/// `[update]`: a box with two roots.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct UpdateConfig {
    /// RAUC, by its path or by its name in `PATH`.
    pub(crate) rauc: PathBuf,
    /// A folder of its own for bundles and their history.
    pub(crate) folder: PathBuf,
    /// A file whose coming restarts the machine; whoever waits for it may do so.
    pub(crate) restart: PathBuf,
    /// A stick with a newer bundle updates the box. The administrator's page can turn that off, and on again only where
    /// this allows it.
    pub(crate) stick: bool,
}

/// `[admin]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AdminConfig {
    /// Address and TCP port of the administrator's page, which is HTTPS only; port 0 takes any free one.
    pub(crate) listen: SocketAddr,
    /// A folder of its own for the certificate and uploads on their way.
    pub(crate) state: PathBuf,
}

/// `[contacts]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ContactsConfig {
    /// Folders in which the operator finds files of contacts, for example where a stick is mounted. Exports
    /// go to the first, which is made when it is not there.
    pub(crate) folders: Vec<PathBuf>,
}

/// `[sip]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SipConfig {
    /// Address and port to listen on, UDP and TCP; port 0 takes any free one. With an unspecified address
    /// (`0.0.0.0`, `[::]`) the desk tells its peers the address that reaches the first registrar.
    pub(crate) listen: SocketAddr,
    /// The same in the other address family, where both are wanted.
    pub(crate) listen_other: Option<SocketAddr>,
    /// Address and port for connections with TLS that peers open; none is needed for those that the desk opens.
    pub(crate) listen_tls: Option<SocketAddr>,
    /// For `listen_tls`: the certificate with its chain and its key, PEM files.
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    /// Address and port of a name server of one's own, for the names of exchanges only; the system's without it.
    pub(crate) dns: Option<SocketAddr>,
}

/// `[media]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MediaConfig {
    /// First and last UDP port for RTP and RTCP.
    rtp_ports: (u16, u16),
    /// Earpiece: an ALSA device, best named by its card's id (`plughw:CARD=Headset,DEV=0`), `wav:FILE`, or `none`; or a
    /// list of them, best first.
    pub(crate) speaker: Names,
    /// Microphone, likewise.
    pub(crate) microphone: Names,
    /// Where it rings, likewise.
    pub(crate) ringer: Names,
    /// Where messages, reminders and alerts chime, likewise; where it rings, without it.
    pub(crate) notifier: Option<Names>,
    /// Ask for real-time scheduling of the audio thread.
    pub(crate) realtime: bool,
    /// A WAV or Opus file that callers on hold hear; soft pips without it.
    pub(crate) hold_music: Option<PathBuf>,
    /// A WAV or Opus file played once to callers who were answered by a rule and wait.
    pub(crate) announcement: Option<PathBuf>,
}

/// One name, or a list of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Names {
    One(String),
    List(Vec<String>),
}

impl Names {
    pub(crate) fn list(&self) -> Vec<String> {
        match self {
            Names::One(name) => vec![name.clone()],
            Names::List(names) => names.clone(),
        }
    }
}

/// `[plugins]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PluginsConfig {
    /// Unix socket of `frontdesk-plugind`, which runs the connectors.
    pub(crate) socket: PathBuf,
}

/// `[speech]`: the talking desk.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SpeechConfig {
    /// The synthesiser: espeak-ng, or a program that takes its arguments.
    pub(crate) program: PathBuf,
    /// How fast it speaks, 80 to 450.
    pub(crate) words_a_minute: u16,
}

/// `[log]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LogConfig {
    /// `error`, `warn`, `info`, `debug`, `trace`, or a filter such as `info,sip=debug`.
    pub(crate) level: String,
    /// A file to which everything is written that is said to the desk, for `frontdeskd replay`: a fresh
    /// one at each start. It has names and numbers in it; none is written without this.
    pub(crate) record: Option<PathBuf>,
    /// The most memory that the trace of SIP messages takes, in KiB, 64 to 65,536.
    pub(crate) trace_kib: usize,
    /// A file that is there once the clock is synchronised: before, no call is removed as too old.
    pub(crate) clock: PathBuf,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            socket: "/run/frontdesk/desk.sock".into(),
            store: "/var/lib/frontdesk/desk.db".into(),
            sip: SipConfig::default(),
            media: MediaConfig::default(),
            contacts: ContactsConfig::default(),
            plugins: PluginsConfig::default(),
            speech: SpeechConfig::default(),
            log: LogConfig::default(),
            admin: None,
            update: None,
            provisioning: None,
        }
    }
}

impl Default for ProvisioningConfig {
    fn default() -> Self {
        Self {
            url: None,
            dhcp: true,
            leases: vec!["/run/systemd/netif/leases".into(), "/run/frontdesk-dhcp".into()],
            allow_http: false,
            ca: None,
            certificate: None,
            key: None,
        }
    }
}

impl Default for AdminConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([0, 0, 0, 0], 443)), state: "/var/lib/frontdesk/admin".into() }
    }
}

impl Default for UpdateConfig {
    fn default() -> Self {
        Self {
            rauc: "rauc".into(),
            folder: "/data/updates".into(),
            restart: "/run/frontdesk/restart".into(),
            stick: true,
        }
    }
}

impl Default for SipConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([0, 0, 0, 0], 5060)),
            listen_other: None,
            listen_tls: None,
            certificate: None,
            key: None,
            dns: None,
        }
    }
}

impl Default for MediaConfig {
    fn default() -> Self {
        Self {
            rtp_ports: (20_000, 20_999),
            speaker: Names::One("default".into()),
            microphone: Names::One("default".into()),
            ringer: Names::One("default".into()),
            notifier: None,
            realtime: true,
            hold_music: None,
            announcement: None,
        }
    }
}

impl Default for ContactsConfig {
    fn default() -> Self {
        Self { folders: vec!["/var/lib/frontdesk/contacts".into(), "/media".into()] }
    }
}

impl Default for PluginsConfig {
    fn default() -> Self {
        Self { socket: "/run/frontdesk-plugind/socket".into() }
    }
}

impl Default for SpeechConfig {
    fn default() -> Self {
        // Who listens all day listens fast.
        Self { program: "espeak-ng".into(), words_a_minute: 190 }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        let clock = "/run/systemd/timesync/synchronized".into();
        Self { level: "info".into(), record: None, trace_kib: 8192, clock }
    }
}

impl Config {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// File, line and what is allowed there.
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let config: Self = toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            anyhow::anyhow!("{}, line {line}: {}", path.display(), error.message())
        })?;
        config.check().with_context(|| path.display().to_string())?;
        Ok(config)
    }

    fn check(&self) -> Result<()> {
        let (first, last) = self.media.rtp_ports;
        if first < 1024 || last <= first {
            bail!(
                "media.rtp_ports = [{first}, {last}]: give first and last port, 1024 to 65535, first below last"
            );
        }
        let sip = &self.sip;
        if sip.listen_other.is_some_and(|other| other.is_ipv4() == sip.listen.is_ipv4()) {
            bail!("sip.listen_other is for the other address family: give one IPv4 and one IPv6 address");
        }
        if sip.listen_tls.is_some() && (sip.certificate.is_none() || sip.key.is_none()) {
            bail!("sip.listen_tls needs sip.certificate and sip.key, PEM files");
        }
        if let Some(provisioning) = &self.provisioning {
            if self.admin.is_none() {
                bail!("[provisioning] needs the table [admin]: what became of it is said on that page");
            }
            if provisioning.certificate.is_some() != provisioning.key.is_some() {
                bail!("provisioning.certificate and provisioning.key go together, PEM files");
            }
        }
        if !crate::aloud::WORDS_A_MINUTE.contains(&self.speech.words_a_minute) {
            bail!("speech.words_a_minute = {}: give 80 to 450", self.speech.words_a_minute);
        }
        if !(64..=65_536).contains(&self.log.trace_kib) {
            bail!("log.trace_kib = {}: give 64 to 65536", self.log.trace_kib);
        }
        self.log.level.parse::<tracing_subscriber::EnvFilter>().map_err(|error| {
            anyhow::anyhow!(
                "log.level = {:?}: {error}; give error, warn, info, debug or trace",
                self.log.level
            )
        })?;
        Ok(())
    }

    /// Ports for RTP and RTCP.
    pub(crate) fn rtp_ports(&self) -> RangeInclusive<u16> {
        self.media.rtp_ports.0..=self.media.rtp_ports.1
    }
}

/// The address a peer at `registrar` sees, for a socket that listens on every address: the one the
/// kernel would send from. No packet is sent.
pub(crate) fn address_towards(registrar: SocketAddr) -> Result<IpAddr> {
    let any: SocketAddr = if registrar.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
    let socket = std::net::UdpSocket::bind(any)?;
    socket.connect(registrar).with_context(|| format!("no route to {registrar}"))?;
    Ok(socket.local_addr()?.ip())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Config> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("frontdesk.toml");
        std::fs::write(&path, text).unwrap();
        Config::load(&path)
    }

    fn complaint(text: &str) -> String {
        format!("{:#}", load(text).unwrap_err())
    }

    #[test]
    fn an_empty_file_is_the_default() {
        let config = load("").unwrap();
        assert_eq!(config.sip.listen.port(), 5060);
        assert_eq!(config.rtp_ports(), 20_000..=20_999);
    }

    #[test]
    fn the_admin_page_is_there_when_its_table_is() {
        assert!(load("").unwrap().admin.is_none());
        assert_eq!(load("[admin]\n").unwrap().admin.unwrap().listen.port(), 443);
        assert!(load("").unwrap().update.is_none(), "and it updates itself when it is told to");
        let usual = load("[update]\n").unwrap().update.unwrap();
        assert_eq!((usual.rauc, usual.stick), (PathBuf::from("rauc"), true));
        assert!(!load("[update]\nstick = false\n").unwrap().update.unwrap().stick);
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_what_is_allowed() {
        let text = complaint("[sip]\nlisten = \"127.0.0.1:0\"\nport = 5\n");
        assert!(text.contains("line 3") && text.contains("`port`") && text.contains("`listen`"), "{text}");
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_named_with_its_line() {
        let text = complaint("\n[sip]\nlisten = \"here\"\n");
        assert!(text.contains("line 3"), "{text}");
    }

    #[test]
    fn ports_the_wrong_way_round_say_what_is_allowed() {
        let text = complaint("[media]\nrtp_ports = [3000, 2000]\n");
        assert!(text.contains("first below last"), "{text}");
    }

    #[test]
    fn acc_5_two_addresses_are_of_two_families_and_tls_has_a_certificate() {
        let text = complaint("[sip]\nlisten = \"127.0.0.1:0\"\nlisten_other = \"127.0.0.2:0\"\n");
        assert!(text.contains("one IPv4 and one IPv6"), "{text}");
        let text = complaint("[sip]\nlisten_tls = \"127.0.0.1:0\"\n");
        assert!(text.contains("sip.certificate"), "{text}");
    }

    #[test]
    fn app_5_provisioning_is_there_when_its_table_is_and_needs_the_page() {
        assert!(load("[admin]\n").unwrap().provisioning.is_none());
        let config = load("[admin]\n[provisioning]\n").unwrap().provisioning.unwrap();
        assert!(config.dhcp && !config.allow_http && config.url.is_none());
        let text = complaint("[provisioning]\n");
        assert!(text.contains("needs the table [admin]"), "{text}");
        let text = complaint("[admin]\n[provisioning]\ncertificate = \"/a.pem\"\n");
        assert!(text.contains("go together"), "{text}");
    }

    #[test]
    fn a_trace_of_no_size_says_what_is_allowed() {
        let text = complaint("[log]\ntrace_kib = 5\n");
        assert!(text.contains("64 to 65536"), "{text}");
    }

    #[test]
    fn a_log_level_that_does_not_exist_says_what_is_allowed() {
        let text = complaint("[log]\nlevel = \"=/=\"\n");
        assert!(text.contains("error, warn, info"), "{text}");
    }

    #[test]
    fn the_address_towards_loopback_is_loopback() {
        assert!(address_towards("127.0.0.1:5060".parse().unwrap()).unwrap().is_loopback());
    }
}
