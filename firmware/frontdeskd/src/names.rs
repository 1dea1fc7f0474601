//! Names of exchanges: the targets behind them, in the order to try them (RFC 3263 section 4).
//!
//! A name with a port is an address and nothing else. Without one, NAPTR records say by what the exchange wants to be
//! reached, SRV records (RFC 2782) on which machines, and their addresses follow. What stands in `/etc/hosts` is
//! believed before any name server. Not done here: which of the targets is alive (`sip`).

mod order;

use std::{
    fs,
    hash::{BuildHasher, RandomState},
    net::{IpAddr, SocketAddr},
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use hickory_resolver::{
    Hosts, TokioResolver,
    config::{ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig},
    lookup::Lookup,
    net::{NetError, runtime::TokioRuntimeProvider},
    proto::rr::{RData, RecordType},
    system_conf::parse_resolv_conf,
};
use sip::{ResolveId, Target, Transport};
use tokio::sync::mpsc;
use tracing::{debug, info, warn};

use self::order::{Pointer, Service};
use crate::engine::Event;

/// Where the system says which name servers there are.
const SYSTEM: &str = "/etc/resolv.conf";
/// Targets kept of one name.
const MAX_TARGETS: usize = 16;
/// How long a name server may take to answer one question; it is asked twice.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a look-up may take as a whole, with all its questions.
const LOOK_UP: Duration = Duration::from_secs(20);
/// How long an answer is believed that says nothing about it.
const LIFETIME: Duration = Duration::from_secs(300);
/// The longest that any answer is believed: an exchange that has moved is found again by itself.
const LONGEST: Duration = Duration::from_secs(3600);
/// The longest that it is believed that there is no such name or record.
const LONGEST_NO: Duration = Duration::from_secs(30);

/// What is behind a name.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// In the order to try them, at most [`MAX_TARGETS`]; the first is the preferred one.
    pub(crate) targets: Vec<Target>,
    /// How long that may be believed.
    pub(crate) lifetime: Duration,
}

/// What the desk can do itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Abilities {
    pub(crate) ipv4: bool,
    pub(crate) ipv6: bool,
    /// TCP and TLS, besides UDP.
    pub(crate) streams: bool,
}

impl Abilities {
    fn strategy(self) -> LookupIpStrategy {
        match (self.ipv4, self.ipv6) {
            (true, true) => LookupIpStrategy::Ipv4AndIpv6,
            (false, true) => LookupIpStrategy::Ipv6Only,
            (_, false) => LookupIpStrategy::Ipv4Only,
        }
    }

    fn takes(self, ip: IpAddr) -> bool {
        if ip.is_ipv4() { self.ipv4 } else { self.ipv6 }
    }
}

/// The way to the name servers. Clones share it.
#[derive(Clone)]
pub(crate) struct Names {
    /// A server of the desk's own, in place of the system's.
    dns: Option<SocketAddr>,
    abilities: Abilities,
    /// The file with the system's settings.
    system: Arc<Path>,
    servers: Arc<Mutex<Servers>>,
    /// A question had no answer, neither yes nor no, since the system's settings were read last.
    is_doubted: Arc<AtomicBool>,
    /// Draws the lots among records of equal priority: others at each start, the same all the while, so that the
    /// preferred target stays the same as long as the records do.
    lots: RandomState,
}

/// The name servers, and the settings by which they are known.
#[derive(Default)]
struct Servers {
    resolver: Option<TokioResolver>,
    settings: Vec<u8>,
}

impl Names {
    /// Asks the system's name servers, or only `dns` where one is given.
    pub(crate) fn new(dns: Option<SocketAddr>, abilities: Abilities) -> Names {
        Names::by(Path::new(SYSTEM), dns, abilities)
    }

    fn by(system: &Path, dns: Option<SocketAddr>, abilities: Abilities) -> Names {
        let (servers, is_doubted, lots) = (Arc::default(), Arc::default(), RandomState::new());
        let names = Names { dns, abilities, system: system.into(), servers, is_doubted, lots };
        names.reload();
        names
    }

    /// Reads the system's settings anew: in another network there are other name servers.
    pub(crate) fn reload(&self) {
        self.take(self.settings());
    }

    /// Whether the system has others than those that did not answer; these are asked from now on. A router that is
    /// replaced may leave us our address and take the name server's.
    async fn has_others(&self) -> bool {
        if self.dns.is_some() || !self.is_doubted.swap(false, Ordering::Relaxed) {
            return false;
        }
        let names = self.clone();
        let look = move || {
            let settings = names.settings();
            let differs = names.servers().settings != settings;
            if differs {
                info!("the name servers are others");
                names.take(settings);
            }
            differs
        };
        tokio::task::spawn_blocking(look).await.unwrap_or(false)
    }

    /// What the system's file says; nothing where there is none.
    fn settings(&self) -> Vec<u8> {
        let read = fs::read(&self.system);
        read.inspect_err(|error| debug!(%error, path = %self.system.display(), "no settings"))
            .unwrap_or_default()
    }

    fn take(&self, settings: Vec<u8>) {
        let resolver = build(self.dns, &settings, self.abilities)
            .inspect_err(|error| warn!(%error, "no name servers: only the system's own look-up is left"))
            .ok();
        *self.servers() = Servers { resolver, settings };
    }

    /// Looks a name up and puts the answer into the inbox.
    pub(crate) fn resolve(
        &self,
        id: ResolveId,
        host: String,
        port: Option<u16>,
        transport: Option<Transport>,
        inbox: mpsc::Sender<Event>,
    ) {
        let names = self.clone();
        tokio::spawn(async move {
            let mut result = names.look_up_in_time(&host, port, transport).await;
            if names.has_others().await {
                result = names.look_up_in_time(&host, port, transport).await;
            }
            debug!(host, ?result, "name looked up");
            let _ = inbox.send(Event::Resolved { id, result }).await;
        });
    }

    async fn look_up_in_time(
        &self,
        host: &str,
        port: Option<u16>,
        transport: Option<Transport>,
    ) -> Result<Found, String> {
        let look_up = tokio::time::timeout(LOOK_UP, self.look_up(host, port, transport)).await;
        look_up.unwrap_or_else(|_| Err(format!("no name server answers for {host}")))
    }

    /// The targets behind `host`.
    ///
    /// # Errors
    /// In words: there is no such name, it has no address, nobody answers.
    pub(crate) async fn look_up(
        &self,
        host: &str,
        port: Option<u16>,
        transport: Option<Transport>,
    ) -> Result<Found, String> {
        let bare = transport.unwrap_or(Transport::Udp);
        let port_or = |transport: Transport| port.unwrap_or(transport.default_port());
        if let Ok(ip) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Ok(Found::at(&[ip], bare, port_or(bare), LONGEST));
        }
        if let Some(found) = self.pinned(host).await {
            return Ok(Found::at(&found, bare, port_or(bare), LIFETIME));
        }
        if port.is_none()
            && let Some(found) = self.services(host, transport).await
        {
            return Ok(found);
        }
        let (ips, lifetime) = self.addresses(host).await?;
        Ok(Found::at(&ips, bare, port_or(bare), lifetime))
    }

    /// By NAPTR and SRV records; `None` where there are none with an address.
    async fn services(&self, host: &str, transport: Option<Transport>) -> Option<Found> {
        let mut names = Vec::new();
        let mut lifetime = LONGEST;
        if transport.is_none()
            && let Some(answer) = self.ask(host, RecordType::NAPTR).await
        {
            lifetime = lifetime.min(age(&answer));
            names = order::chosen(pointers(&answer), self.abilities.streams);
        }
        if names.is_empty() {
            names = order::guessed(host, transport, self.abilities.streams);
        }
        // One transport is chosen (RFC 3263 section 4.1): an exchange that asks for TLS is not tried without.
        for (transport, name) in names {
            let Some(answer) = self.ask(&name, RecordType::SRV).await else { continue };
            let mut found = Found { targets: Vec::new(), lifetime: lifetime.min(age(&answer)) };
            for service in order::in_order(services(&answer), |service| self.lot(service)) {
                match self.addresses(&service.target).await {
                    Ok((ips, lifetime)) => {
                        found.join(Found::at(&ips, transport, service.port, lifetime));
                    }
                    Err(reason) => {
                        warn!(host, target = service.target, reason, "a target without an address")
                    }
                }
            }
            if !found.targets.is_empty() {
                return Some(found);
            }
        }
        None
    }

    /// The addresses of a name, of the families that we have.
    async fn addresses(&self, host: &str) -> Result<(Vec<IpAddr>, Duration), String> {
        let Some(resolver) = self.resolver() else { return self.by_the_system(host).await };
        match resolver.lookup_ip(host).await.inspect_err(|error| self.doubt(error)) {
            Ok(answer) => {
                let mut ips: Vec<IpAddr> = answer.iter().filter(|ip| self.abilities.takes(*ip)).collect();
                // Name servers turn the addresses round with each answer; the preferred one shall stay.
                ips.sort_by_key(|ip| (ip.is_ipv6(), self.lots.hash_one(ip)));
                let lifetime = answer.valid_until().saturating_duration_since(Instant::now());
                if ips.is_empty() { Err(format!("{host} has no address")) } else { Ok((ips, lifetime)) }
            }
            // The system may know names from elsewhere: mDNS, a company's own module.
            Err(error) if self.dns.is_none() => {
                self.by_the_system(host).await.map_err(|_| in_words(host, &error))
            }
            Err(error) => Err(in_words(host, &error)),
        }
    }

    async fn by_the_system(&self, host: &str) -> Result<(Vec<IpAddr>, Duration), String> {
        let found = tokio::net::lookup_host((host, 0)).await.map_err(|error| format!("{host}: {error}"))?;
        let mut ips = Vec::new();
        for ip in found.map(|address| address.ip()).filter(|ip| self.abilities.takes(*ip)) {
            if !ips.contains(&ip) {
                ips.push(ip);
            }
        }
        if ips.is_empty() { Err(format!("{host} has no address")) } else { Ok((ips, LIFETIME)) }
    }

    /// What `/etc/hosts` says, as it is now; `None` where it says nothing.
    async fn pinned(&self, host: &str) -> Option<Vec<IpAddr>> {
        let hosts = tokio::task::spawn_blocking(|| Hosts::from_system().unwrap_or_default()).await.ok()?;
        let mut ips = Vec::new();
        for kind in [RecordType::A, RecordType::AAAA] {
            let name = hickory_resolver::proto::rr::Name::from_utf8(host).ok()?;
            let query = hickory_resolver::proto::op::Query::query(name, kind);
            if let Some(answer) = hosts.lookup_static_host(&query) {
                ips.extend(answer.answers().iter().filter_map(|record| record.data.ip_addr()));
            }
        }
        ips.retain(|ip| self.abilities.takes(*ip));
        Some(ips).filter(|ips| !ips.is_empty())
    }

    async fn ask(&self, name: &str, kind: RecordType) -> Option<Lookup> {
        let answer = self.resolver()?.lookup(name, kind).await.inspect_err(|error| self.doubt(error));
        answer.inspect_err(|error| debug!(name, %kind, %error, "no such record")).ok()
    }

    /// That there is no such name or record is an answer; everything else makes one wonder whom one has asked.
    fn doubt(&self, error: &NetError) {
        if !error.is_no_records_found() {
            self.is_doubted.store(true, Ordering::Relaxed);
        }
    }

    fn resolver(&self) -> Option<TokioResolver> {
        let resolver = self.servers().resolver.clone();
        if resolver.is_none() {
            self.is_doubted.store(true, Ordering::Relaxed);
        }
        resolver
    }

    fn servers(&self) -> MutexGuard<'_, Servers> {
        // It is replaced in one step: what a thread that failed left is whole.
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number above 0, up to 1, for a record: always the same one.
    fn lot(&self, service: &Service) -> f64 {
        let bits = self.lots.hash_one((&service.target, service.port)) >> 12;
        #[allow(clippy::cast_precision_loss, reason = "52 bits fit")]
        let lot = (bits + 1) as f64 / (1_u64 << 52) as f64;
        lot
    }
}

impl Found {
    fn at(ips: &[IpAddr], transport: Transport, port: u16, lifetime: Duration) -> Found {
        let targets = ips.iter().map(|&ip| Target::new(transport, SocketAddr::new(ip, port)));
        Found { targets: targets.take(MAX_TARGETS).collect(), lifetime }
    }

    fn join(&mut self, more: Found) {
        self.lifetime = self.lifetime.min(more.lifetime);
        for target in more.targets {
            if self.targets.len() < MAX_TARGETS && !self.targets.contains(&target) {
                self.targets.push(target);
            }
        }
    }
}

fn build(dns: Option<SocketAddr>, settings: &[u8], abilities: Abilities) -> Result<TokioResolver, NetError> {
    let mut builder = match dns {
        None => {
            let (config, options) = parse_resolv_conf(settings)?;
            let builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
            builder.with_options(options)
        }
        Some(server) => {
            let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
            for connection in &mut connections {
                connection.port = server.port();
            }
            let server = NameServerConfig::new(server.ip(), true, connections);
            let config = ResolverConfig::from_name_servers(vec![server]);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
    };
    let options = builder.options_mut();
    options.timeout = PATIENCE;
    options.attempts = 1; // besides the first
    options.ip_strategy = abilities.strategy();
    options.use_hosts_file = ResolveHosts::Always;
    options.positive_max_ttl = Some(LONGEST);
    options.negative_max_ttl = Some(LONGEST_NO);
    builder.build()
}

fn age(answer: &Lookup) -> Duration {
    answer.valid_until().saturating_duration_since(Instant::now())
}

fn pointers(answer: &Lookup) -> Vec<Pointer> {
    let read = |data: &RData| match data {
        RData::NAPTR(record) => Some(Pointer {
            order: record.order,
            preference: record.preference,
            flags: String::from_utf8_lossy(&record.flags).into_owned(),
            service: String::from_utf8_lossy(&record.services).into_owned(),
            name: record.replacement.to_ascii(),
        }),
        _ => None,
    };
    answer.answers().iter().filter_map(|record| read(&record.data)).collect()
}

fn services(answer: &Lookup) -> Vec<Service> {
    let read = |data: &RData| match data {
        RData::SRV(record) => Some(Service {
            priority: record.priority,
            weight: record.weight,
            port: record.port,
            target: record.target.to_ascii(),
        }),
        _ => None,
    };
    answer.answers().iter().filter_map(|record| read(&record.data)).collect()
}

fn in_words(host: &str, error: &NetError) -> String {
    match error {
        error if error.is_nx_domain() => format!("there is no name {host}"),
        error if error.is_no_records_found() => format!("{host} has no address"),
        NetError::Timeout | NetError::NoConnections | NetError::Io(_) => {
            format!("no name server answers for {host} ({error})")
        }
        error => format!("{host}: {error}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const BOTH: Abilities = Abilities { ipv4: true, ipv6: true, streams: false };

    fn nobody() -> Names {
        // Nobody answers there: port 9 is closed.
        Names::new(Some("127.0.0.1:9".parse().unwrap()), BOTH)
    }

    #[tokio::test]
    async fn an_address_needs_no_name_server_and_has_the_port_of_its_transport() {
        let found = nobody().look_up("192.0.2.7", None, Some(Transport::Tls)).await.unwrap();
        assert_eq!(found.targets, [Target::new(Transport::Tls, "192.0.2.7:5061".parse().unwrap())]);
        let found = nobody().look_up("[2001:db8::7]", Some(5070), None).await.unwrap();
        assert_eq!(found.targets, [Target::from("[2001:db8::7]:5070".parse::<SocketAddr>().unwrap())]);
    }

    #[tokio::test]
    async fn the_file_of_hosts_is_believed_without_a_name_server() {
        let found = nobody().look_up("localhost", Some(5062), None).await.unwrap();
        assert!(found.targets.iter().all(|target| target.ip().is_loopback()), "{found:?}");
        assert_eq!(found.targets[0].address.port(), 5062);
    }

    #[tokio::test]
    async fn a_name_server_that_does_not_answer_is_said_so() {
        let names = nobody();
        let error = names.look_up("pbx.example", Some(5060), None).await.unwrap_err();
        assert!(error.contains("pbx.example"), "{error}");
        assert!(names.is_doubted.load(Ordering::Relaxed));
        assert!(!names.has_others().await, "it is the only one that shall be asked");
    }

    #[tokio::test]
    async fn other_name_servers_of_the_system_are_found_when_those_before_do_not_answer() {
        let folder = tempfile::tempdir().unwrap();
        let system = folder.path().join("resolv.conf");
        // At the start there is no network yet.
        let names = Names::by(&system, None, BOTH);
        let set = |server: &str| fs::write(&system, format!("nameserver {server}\n")).unwrap();
        set("192.0.2.1");
        assert!(names.ask("pbx.example", RecordType::SRV).await.is_none());
        assert!(names.has_others().await && names.resolver().is_some());
        assert!(!names.has_others().await, "nothing has failed since");
        set("192.0.2.2");
        assert!(!names.has_others().await, "those before answer");
        names.is_doubted.store(true, Ordering::Relaxed);
        assert!(names.has_others().await);
        names.is_doubted.store(true, Ordering::Relaxed);
        assert!(!names.has_others().await, "they are the same");
    }

    #[test]
    fn a_list_of_targets_has_an_end_and_nothing_twice() {
        let ips: Vec<IpAddr> = (0..40_u8).map(|n| [10, 0, 0, n].into()).collect();
        let mut found = Found::at(&ips, Transport::Udp, 5060, LIFETIME);
        assert_eq!(found.targets.len(), MAX_TARGETS);
        let mut few = Found::at(&ips[..2], Transport::Udp, 5060, LIFETIME);
        few.join(Found::at(&ips[1..3], Transport::Udp, 5060, Duration::from_secs(7)));
        assert_eq!((few.targets.len(), few.lifetime), (3, Duration::from_secs(7)));
        found.join(few);
        assert_eq!(found.targets.len(), MAX_TARGETS);
    }
}
