//! Which NAPTR record counts (RFC 3263 section 4.1) and in which order SRV records are tried (RFC 2782). Pure.

use sip::Transport;

/// What little weight a record of weight 0 has beside others (RFC 2782: "a very small chance").
const NEARLY_NOTHING: f64 = 0.01;

/// A NAPTR record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pointer {
    pub(super) order: u16,
    pub(super) preference: u16,
    pub(super) flags: String,
    pub(super) service: String,
    /// The name of the SRV records.
    pub(super) name: String,
}

/// An SRV record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) priority: u16,
    pub(super) weight: u16,
    pub(super) port: u16,
    pub(super) target: String,
}

/// The names of the SRV records that NAPTR records point to, by what we have, in their order.
pub(super) fn chosen(mut pointers: Vec<Pointer>, streams: bool) -> Vec<(Transport, String)> {
    pointers.sort_by_key(|pointer| (pointer.order, pointer.preference));
    let of_use = pointers.into_iter().filter(|pointer| pointer.flags.eq_ignore_ascii_case("s"));
    let named = of_use.filter_map(|pointer| {
        let transport = transport_of(&pointer.service)?;
        (streams || !transport.is_stream()).then_some((transport, pointer.name))
    });
    named.collect()
}

/// The names that SRV records have where no NAPTR record says so. TLS is only what was asked for.
pub(super) fn guessed(host: &str, transport: Option<Transport>, streams: bool) -> Vec<(Transport, String)> {
    let all: &[Transport] = match transport {
        Some(Transport::Udp) => &[Transport::Udp],
        Some(Transport::Tcp) => &[Transport::Tcp],
        Some(Transport::Tls) => &[Transport::Tls],
        None if streams => &[Transport::Udp, Transport::Tcp],
        None => &[Transport::Udp],
    };
    let prefix = |transport| match transport {
        Transport::Udp => "_sip._udp",
        Transport::Tcp => "_sip._tcp",
        Transport::Tls => "_sips._tcp",
    };
    all.iter().map(|&transport| (transport, format!("{}.{host}", prefix(transport)))).collect()
}

/// By priority, and among equals by lot: the chance to be first is a record's share of the weight of all. `lot` gives
/// each record a number above 0, up to 1. A lone `.` says that nothing is offered, and so nothing is left of it.
pub(super) fn in_order(services: Vec<Service>, lot: impl Fn(&Service) -> f64) -> Vec<Service> {
    let offered = services.into_iter().filter(|service| !matches!(service.target.as_str(), "." | ""));
    // Whose exponentially distributed waiting time is over first: the same as drawing one after the other, but a
    // record's own number decides, so that the order stays when the records do.
    let waits = |service: &Service| -lot(service).ln() / f64::from(service.weight).max(NEARLY_NOTHING);
    let mut ranked: Vec<(f64, Service)> = offered.map(|service| (waits(&service), service)).collect();
    ranked.sort_by(|(a, left), (b, right)| left.priority.cmp(&right.priority).then(a.total_cmp(b)));
    ranked.into_iter().map(|(_, service)| service).collect()
}

fn transport_of(service: &str) -> Option<Transport> {
    let known = [("SIPS+D2T", Transport::Tls), ("SIP+D2T", Transport::Tcp), ("SIP+D2U", Transport::Udp)];
    known.into_iter().find(|(name, _)| service.eq_ignore_ascii_case(name)).map(|(_, transport)| transport)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pointer(order: u16, preference: u16, service: &str, name: &str) -> Pointer {
        let (flags, service, name) = ("S".into(), service.into(), name.into());
        Pointer { order, preference, flags, service, name }
    }

    fn service(priority: u16, weight: u16, target: &str) -> Service {
        Service { priority, weight, port: 5060, target: target.into() }
    }

    #[test]
    fn the_records_of_rfc_3263_are_chosen_by_order_preference_and_what_we_have() {
        let records = vec![
            pointer(90, 50, "SIP+D2T", "_sip._tcp.example.com."),
            pointer(100, 50, "SIP+D2U", "_sip._udp.example.com."),
            pointer(50, 50, "sips+d2t", "_sips._tcp.example.com."),
            pointer(10, 50, "SIP+D2S", "_sip._sctp.example.com."),
            pointer(10, 10, "SIP+D2W", "_sip._ws.example.com."),
            Pointer { flags: "u".into(), ..pointer(1, 1, "SIP+D2U", "elsewhere.") },
            pointer(100, 20, "SIP+D2U", "_sip._udp.first.example.com."),
        ];
        let transports = |streams| chosen(records.clone(), streams).into_iter().map(|(by, _)| by);
        let all = [Transport::Tls, Transport::Tcp, Transport::Udp, Transport::Udp];
        assert!(transports(true).eq(all));
        assert!(transports(false).eq([Transport::Udp; 2]));
        assert_eq!(chosen(records.clone(), false)[0].1, "_sip._udp.first.example.com.");
    }

    #[test]
    fn without_a_pointer_the_names_are_those_of_the_transport_asked_for() {
        let name = |transport, streams| guessed("x.example", transport, streams);
        assert_eq!(name(Some(Transport::Tls), false), [(Transport::Tls, "_sips._tcp.x.example".into())]);
        assert_eq!(name(None, false), [(Transport::Udp, "_sip._udp.x.example".into())]);
        assert_eq!(name(None, true).len(), 2);
    }

    #[test]
    fn a_priority_comes_before_every_weight_and_a_dot_offers_nothing() {
        let records = vec![service(2, 60_000, "b."), service(1, 0, "a."), service(1, 0, ".")];
        let order: Vec<String> = in_order(records, |_| 0.5).into_iter().map(|s| s.target).collect();
        assert_eq!(order, ["a.", "b."]);
    }

    #[test]
    fn a_weight_is_a_share_of_all_starts() {
        let records = || vec![service(1, 30, "heavy."), service(1, 10, "light."), service(1, 0, "none.")];
        let (mut heavy, mut none) = (0, 0);
        // Every pair of evenly spread lots stands for one start.
        for n in 0..10_000_u32 {
            let spread = |step: f64| (f64::from(n) * step).fract().max(1e-9);
            let first = in_order(records(), |service| match service.weight {
                30 => spread(0.754_877_666),
                10 => spread(0.569_840_290),
                _ => spread(0.618_033_988),
            });
            heavy += u32::from(first[0].target == "heavy.");
            none += u32::from(first[0].target == "none.");
        }
        assert!((7_300..=7_700).contains(&heavy), "{heavy}");
        assert!(none < 50, "{none}");
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_priorities_never_fall(
            records in proptest::collection::vec((0_u16..4, 0_u16..100, 0_u16..1000), 0..20),
            lots in proptest::collection::vec(0.001_f64..=1.0, 1000),
        ) {
            let records: Vec<Service> =
                records.into_iter().map(|(p, w, n)| Service { port: n, ..service(p, w, "x.") }).collect();
            let sorted = in_order(records.clone(), |service| lots[usize::from(service.port)]);
            prop_assert!(sorted.is_sorted_by_key(|service| service.priority));
            let key = |service: &Service| (service.priority, service.weight, service.port);
            let mut before: Vec<_> = records.iter().map(key).collect();
            let mut after: Vec<_> = sorted.iter().map(key).collect();
            before.sort_unstable();
            after.sort_unstable();
            prop_assert_eq!(before, after);
        }
    }
}
