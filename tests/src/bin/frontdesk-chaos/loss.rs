//! Datagrams that never arrive: rules of nftables at the receiving end of the loopback interface. Speech
//! is told from signalling by its first bits (RTP and RTCP begin with version 2, SIP with a letter). Only
//! UDP is touched: the control connections of telephones and desk stay whole.

use serde_json::Value;

use crate::apart;

const TABLE: &str = "frontdesk_chaos";
/// How much of a kind is lost, out of a hundred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Loss {
    pub(crate) signalling: u32,
    pub(crate) speech: u32,
}

/// Datagrams that came to the rules, and those that were dropped there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) signalling: (u64, u64),
    pub(crate) speech: (u64, u64),
}

impl Tally {
    /// What was counted since `earlier`.
    pub(crate) fn since(self, earlier: Self) -> Self {
        let less = |now: (u64, u64), then: (u64, u64)| (now.0 - then.0, now.1 - then.1);
        Self {
            signalling: less(self.signalling, earlier.signalling),
            speech: less(self.speech, earlier.speech),
        }
    }
}

/// Makes the rules, without any loss.
///
/// # Errors
/// What `nft` says, or that it is missing.
pub(crate) fn prepare() -> Result<(), String> {
    let counters = ["signalling", "signalling_lost", "speech", "speech_lost"];
    let counters: String = counters.iter().map(|name| format!("add counter ip {TABLE} {name}; ")).collect();
    nft(&format!(
        "add table ip {TABLE}; {counters}\
         add chain ip {TABLE} input {{ type filter hook input priority 0 ; }}"
    ))?;
    set(Loss::default())
}

/// From now on so much is lost.
///
/// # Errors
/// What `nft` says.
pub(crate) fn set(loss: Loss) -> Result<(), String> {
    let rule = |is: &str, name: &str, share: u32| {
        let rule = format!("add rule ip {TABLE} input meta l4proto udp {is} counter name {name}");
        let lost = format!("counter name {name}_lost drop");
        match share {
            0 => format!("{rule}; "),
            1..100 => format!("{rule} numgen random mod 100 < {share} {lost}; "),
            _ => format!("{rule} {lost}; "),
        }
    };
    let signalling = rule("@th,64,1 0", "signalling", loss.signalling);
    let speech = rule("@th,64,2 2", "speech", loss.speech);
    nft(&format!("flush chain ip {TABLE} input; {signalling}{speech}"))
}

/// What was counted so far.
///
/// # Errors
/// What `nft` says.
pub(crate) fn tally() -> Result<Tally, String> {
    let text = apart::run("nft", "nftables", &["-j", "list", "counters"])?;
    read(&text).ok_or_else(|| format!("nft lists no counters: {}", String::from_utf8_lossy(&text)))
}

fn read(text: &[u8]) -> Option<Tally> {
    let list: Value = serde_json::from_slice(text).ok()?;
    let entries = list["nftables"].as_array()?;
    let packets = |name: &str| {
        let counter = entries.iter().map(|entry| &entry["counter"]).find(|counter| counter["name"] == name);
        counter?["packets"].as_u64()
    };
    Some(Tally {
        signalling: (packets("signalling")?, packets("signalling_lost")?),
        speech: (packets("speech")?, packets("speech_lost")?),
    })
}

fn nft(commands: &str) -> Result<(), String> {
    apart::run("nft", "nftables", &[commands]).map(drop)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_counters_are_read_by_name() {
        let counter = |name: &str, packets: u64| {
            format!(r#"{{"counter": {{"family": "ip", "name": "{name}", "packets": {packets}}}}}"#)
        };
        let four = [("speech_lost", 1), ("speech", 9), ("signalling", 40), ("signalling_lost", 2)];
        let list = four.map(|(name, packets)| counter(name, packets)).join(", ");
        let text = format!(r#"{{"nftables": [{{"metainfo": {{}}}}, {list}]}}"#);
        let tally = Tally { signalling: (40, 2), speech: (9, 1) };
        assert_eq!(read(text.as_bytes()), Some(tally));
        assert_eq!(read(b"{}"), None);
        let later = Tally { signalling: (50, 3), speech: (9, 1) };
        assert_eq!(later.since(tally), Tally { signalling: (10, 1), speech: (0, 0) });
    }
}
