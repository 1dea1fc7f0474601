//! How the whole agent answers each torture message of RFC 4475: the right code, a ringing call, or silence.
//!
//! The corpus is third-party data and not part of this repository: see `tests/rfc4475.rs`, which reads it and has our
//! own messages for the same cases.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sip::Config;

use crate::net::{FAIR, Net, account, address};

/// What the agent does.
#[derive(Debug, PartialEq, Eq)]
enum Does {
    /// Says 100 and hands the call to the program.
    Rings,
    /// Answers finally.
    Answers(u16),
    /// Says nothing.
    Nothing,
}

use Does::{Answers, Nothing, Rings};

const CORPUS: [(&str, Does); 50] = [
    ("TC_BADASPEC_I", Answers(200)),
    ("TC_BADBRANCH_V", Answers(200)),
    ("TC_BADDATE_V", Rings),
    ("TC_BADDN_I", Answers(400)),
    ("TC_BADINV01_I", Rings),
    ("TC_BADVERS_V", Answers(505)),
    ("TC_BCAST_V", Nothing),
    ("TC_BEXT01_V", Answers(420)),
    ("TC_BIGCODE_V", Nothing),
    ("TC_CLERR_I", Answers(400)),
    ("TC_CPARAM01_V", Answers(405)),
    ("TC_CPARAM02_V", Answers(405)),
    ("TC_DBLREQ", Answers(405)),
    ("TC_ESC01_V", Rings),
    ("TC_ESC02_V", Answers(405)),
    ("TC_ESCNULL_V", Answers(405)),
    ("TC_ESCRURI_V", Rings),
    ("TC_INSUF_I", Nothing),
    ("TC_INTMETH", Answers(405)),
    ("TC_INV2543_I", Rings),
    ("TC_INVUT_V", Answers(415)),
    ("TC_LONGREQ_V", Rings),
    ("TC_LTGTRURI_I", Answers(400)),
    ("TC_LWSDISP_V", Answers(200)),
    ("TC_LWSRURI_I", Answers(400)),
    ("TC_LWSSTART_V", Rings),
    ("TC_MCL01_I", Answers(400)),
    ("TC_MISMATCH01_V", Answers(400)),
    ("TC_MISMATCH02_V", Answers(400)),
    ("TC_MPART01", Answers(405)),
    ("TC_MULTI01_I", Answers(400)),
    ("TC_NCL_I", Answers(400)),
    ("TC_NOREASON_V", Nothing),
    ("TC_NOVELSC_V", Answers(416)),
    ("TC_QUOTBAL_I", Answers(400)),
    ("TC_REGAUT01_V", Answers(405)),
    ("TC_REGBADCT_I", Answers(405)),
    ("TC_REGESCRT_V", Answers(405)),
    ("TC_SCALAR02_V", Answers(400)),
    ("TC_SCALARLG_V", Nothing),
    ("TC_SDP01_V", Answers(406)),
    ("TC_SEMIURI_V", Answers(200)),
    ("TC_TEST_I", Nothing),
    ("TC_TRANSPORTS_V", Answers(200)),
    ("TC_TRWS_I", Answers(400)),
    ("TC_UNKSCM_V", Answers(416)),
    ("TC_UNKSM2_V", Answers(405)),
    ("TC_UNREASON_V", Nothing),
    // Its To has a tag, behind much white space: it is for a dialog that is not here (RFC 3261 section 12.2.2).
    ("TC_WSINV", Answers(481)),
    ("TC_ZEROMF_V", Answers(200)),
];

#[test]
fn every_torture_message_gets_its_right_answer() {
    let named = std::env::var_os("FRONTDESK_RFC4475").map(PathBuf::from);
    assert!(named.as_ref().is_none_or(|path| path.is_dir()), "FRONTDESK_RFC4475 is no folder: {named:?}");
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/rfc4475");
    let Some(corpus) = named.into_iter().chain([beside]).find(|path| path.is_dir()) else {
        eprintln!("RFC 4475 corpus NOT TESTED: set FRONTDESK_RFC4475 to the folder with its .dat files");
        return;
    };
    let wrong = CORPUS.into_iter().filter_map(|(name, expected)| {
        let does = behaviour(&std::fs::read(corpus.join(format!("{name}.dat"))).unwrap());
        (does != expected).then(|| format!("{name}: {expected:?} was due, but it {does:?}"))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What a fresh desk does with a datagram from its exchange.
fn behaviour(bytes: &[u8]) -> Does {
    let exchange = address("198.51.100.9:5060");
    let mut net = Net::new(3, FAIR);
    let us = net.agent_with(Config::new(address("192.0.2.1:5060")));
    net.act(us, |agent, now| agent.add_account(now, account(exchange)));
    let agent = &mut net.stations[us].agent;
    agent.handle_datagram(net.now, exchange, bytes);
    // Where an answer goes is another test's business: without rport to the port in Via.
    let sent: Vec<Vec<u8>> =
        std::iter::from_fn(|| agent.poll_transmit()).map(|transmit| transmit.bytes).collect();
    let rings =
        std::iter::from_fn(|| agent.poll_event()).any(|event| matches!(event, sip::Event::Incoming { .. }));
    let codes: Vec<u16> = sent
        .iter()
        .map(|bytes| std::str::from_utf8(&bytes[8..11]).unwrap().parse().expect("a response"))
        .collect();
    match codes.as_slice() {
        [] => Nothing,
        [100] if rings => Rings,
        [code] | [100, code] => Answers(*code),
        more => panic!("it answers {more:?}"),
    }
}

#[test]
fn nothing_of_them_is_left_after_a_minute() {
    let mut net = Net::new(3, FAIR);
    let pbx = net.peer("198.51.100.9:5060");
    let us = net.phone("192.0.2.1:5060", pbx);
    let at = net.stations[us].at;
    for start in [
        "OPTIONS sip:a@b SIP/7.0",
        "OPTIONS <sip:a@b> SIP/2.0",
        "DANCE sip:a@b SIP/2.0",
        "OPTIONS soap.beep://x SIP/2.0",
    ] {
        let method = start.split(' ').next().unwrap();
        let message = format!(
            "{start}\r\nVia: SIP/2.0/UDP {pbx};branch=z9hG4bK-{};rport\r\nFrom: <sip:x@y>;tag=1\r\nTo: <sip:a@b>\r\n\
             Call-ID: {}\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\nl: 0\r\n\r\n",
            start.len(),
            start.len()
        );
        net.send_bytes(pbx, at, message.into_bytes());
    }
    net.pass(Duration::from_secs(1));
    assert_eq!(
        [net.count(pbx, "505"), net.count(pbx, "400"), net.count(pbx, "405"), net.count(pbx, "416")],
        [1; 4]
    );
    net.pass(Duration::from_secs(60));
    assert_eq!(net.stations[us].agent.transactions(), 0);
}
