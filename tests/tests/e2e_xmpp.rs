//! Who is online, by XMPP (PRE-5): against prosody, and against servers that lie, flood and leave.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use frontdesk_tests::authority::{Authority, Identity};
use frontdesk_tests::desk::{Account, Desk, Machine, NO_TIMERS};
use frontdesk_tests::house::scratch;
use frontdesk_tests::jabber::Jabber;
use frontdesk_tests::liar::{Guest, Liar};
use frontdesk_tests::page::Page;
use frontdesk_tests::ports::Ports;
use frontdesk_tests::prosody::{DOMAIN, Prosody};
use frontdesk_tests::socket::Client;
use frontdesk_tests::wait;
use ipc::{OnlineState, View};
use tempfile::TempDir;

use OnlineState::{Away, Offline, Online, Unknown};

/// How long anything may take that needs no new connection.
const SOON: Duration = Duration::from_secs(10);
/// How long it may take until the desk has connected again: it waits longer each time.
const AGAIN: Duration = Duration::from_secs(40);

const STAFF: &str = "lastname,firstname,phone,xmpp\n\
    Rivera,Anna,2101, Anna@chat.test \n\
    Solberg,Ben,2102,ben@chat.test\n\
    Becker,Carla,2103,sip:carla@chat.test\n\
    Novak,Dora,2104,\n";
/// As the directory has it.
const ANNA: &str = "Anna@chat.test";
const BEN: &str = "ben@chat.test";

/// A house with an authority of its own, before anything runs.
struct Site {
    scratch: TempDir,
    ports: Ports,
    authority: Authority,
    /// Where the XMPP server is, or will be.
    port: u16,
}

impl Site {
    fn new() -> Self {
        let scratch = scratch();
        let mut ports = Ports::take();
        let authority = Authority::new(scratch.path(), "house");
        let port = ports.one();
        Self { scratch, ports, authority, port }
    }

    fn folder(&self) -> &Path {
        self.scratch.path()
    }

    fn identity(&self) -> Identity {
        self.authority.identity(DOMAIN)
    }

    fn prosody(&self, identity: &Identity) -> Prosody {
        Prosody::start(self.folder(), self.port, identity, &["desk", "anna", "ben"])
    }

    /// A desk that trusts the authority, with [`STAFF`] in its directory.
    fn desk(&mut self) -> (Desk, Client) {
        let ca = self.authority.certificate();
        self.desk_with(&ca, &Prosody::password("desk"), "info")
    }

    fn desk_with(&mut self, ca: &Path, password: &str, log: &'static str) -> (Desk, Client) {
        let settings = format!(
            "{NO_TIMERS}[xmpp]\naddress = \"desk@{DOMAIN}\"\npassword = \"{password}\"\n\
             server = \"127.0.0.1:{}\"\nca = \"{}\"\n",
            self.port,
            ca.display()
        );
        let machine = Machine { sip: self.ports.one(), rtp: self.ports.rtp(), log };
        let nobody = Account::at_port(self.ports.one());
        let desk = Desk::start_on(self.folder(), &nobody, &settings, &machine);
        desk.import(STAFF);
        let client = desk.client();
        (desk, client)
    }
}

/// What the desk shows of a person: their state, and what they say.
fn shown<'a>(view: &'a View, address: &str) -> Option<(OnlineState, &'a str)> {
    let person = view.people.iter().find(|person| person.address == address)?;
    Some((person.state, person.text.as_str()))
}

#[track_caller]
fn wait_person(client: &mut Client, address: &str, state: OnlineState, text: &str, limit: Duration) {
    let what = format!("{address} {state:?} {text:?}");
    client.wait(&what, limit, |view| shown(view, address) == Some((state, text)));
}

/// The people of whom XMPP tells; of the others SIP does.
fn by_xmpp(view: &View) -> Vec<&str> {
    let people = view.people.iter().map(|person| person.address.as_str());
    people.filter(|address| !address.starts_with("sip:")).collect()
}

#[test]
fn pre_5_people_come_online_are_away_with_a_word_and_leave() {
    let mut site = Site::new();
    let prosody = site.prosody(&site.identity());
    let (_desk, mut client) = site.desk();
    wait_person(&mut client, ANNA, Unknown, "", SOON);
    let mut anna = Jabber::log_in(&prosody, "anna", "pc");
    anna.is("", 0, "At my desk");
    anna.lets_the_desk_see();
    wait_person(&mut client, ANNA, Online, "At my desk", SOON);
    anna.is("away", 0, "Lunch &amp; a walk");
    wait_person(&mut client, ANNA, Away, "Lunch & a walk", SOON);
    anna.is("dnd", 0, "In a meeting");
    wait_person(&mut client, ANNA, Away, "In a meeting", SOON);
    // Her telephone speaks for her while it has the higher priority.
    let mut phone = Jabber::log_in(&prosody, "anna", "phone");
    phone.is("chat", 5, "On the road");
    wait_person(&mut client, ANNA, Online, "On the road", SOON);
    drop(phone);
    wait_person(&mut client, ANNA, Away, "In a meeting", SOON);
    anna.leaves("Good night");
    wait_person(&mut client, ANNA, Offline, "Good night", SOON);
    anna.is("", 0, "");
    wait_person(&mut client, ANNA, Online, "", SOON);
    // Ben was asked, which prosody acknowledges with "unavailable", and has allowed nothing; Carla is SIP's,
    // Dora has no address.
    let mut ben = Jabber::log_in(&prosody, "ben", "pc");
    ben.is("", 0, "");
    ben.is_asked();
    let view = client.wait("Ben", SOON, |view| shown(view, BEN) == Some((Unknown, "")));
    assert_eq!(by_xmpp(&view), [ANNA, BEN]);
    anna.hides();
    wait_person(&mut client, ANNA, Unknown, "", SOON);
}

#[test]
fn pre_5_without_the_server_nobody_is_known_and_all_is_true_again_when_it_is_back() {
    let mut site = Site::new();
    let identity = site.identity();
    let mut prosody = site.prosody(&identity);
    let (mut desk, mut client) = site.desk();
    let mut anna = Jabber::log_in(&prosody, "anna", "pc");
    anna.is("", 0, "Here");
    anna.lets_the_desk_see();
    let mut ben = Jabber::log_in(&prosody, "ben", "pc");
    ben.is("", 0, "");
    ben.lets_the_desk_see();
    ben.leaves("");
    wait_person(&mut client, ANNA, Online, "Here", SOON);
    wait_person(&mut client, BEN, Offline, "", SOON);
    prosody.program.kill();
    client.wait("nobody known", SOON, |view| {
        by_xmpp(view).len() == 2 && view.people.iter().all(|person| person.state == Unknown)
    });
    prosody.start_again();
    let mut anna = Jabber::log_in(&prosody, "anna", "pc");
    anna.is("xa", 0, "At the dentist");
    wait_person(&mut client, ANNA, Away, "At the dentist", AGAIN);
    // Asked once and on the roster since: known though he has not come back.
    wait_person(&mut client, BEN, Offline, "", SOON);
    // And so it is for a desk that starts anew.
    assert!(desk.program.terminate(SOON).success());
    desk.start_again();
    let mut client = desk.client();
    wait_person(&mut client, ANNA, Away, "At the dentist", SOON);
    wait_person(&mut client, BEN, Offline, "", SOON);
}

#[test]
fn pre_5_a_server_with_a_stranger_s_certificate_is_refused_and_the_log_says_why() {
    let mut site = Site::new();
    let stranger = Authority::new(site.folder(), "stranger");
    let liar = Liar::start(site.port, &stranger.identity(DOMAIN), Arc::new(|_, _| {}));
    let (mut desk, mut client) = site.desk();
    desk.program.wait_log("certificate refused", AGAIN);
    desk.program.wait_log("UnknownIssuer", SOON);
    wait_person(&mut client, ANNA, Unknown, "", SOON);
    assert!(!liar.heard().contains("<auth"), "{}", liar.heard());
}

#[test]
fn pre_5_a_certificate_for_another_domain_is_refused() {
    let mut site = Site::new();
    let other = site.authority.identity("other.test");
    let liar = Liar::start(site.port, &other, Arc::new(|_, _| {}));
    let (mut desk, mut client) = site.desk();
    desk.program.wait_log("certificate refused", AGAIN);
    desk.program.wait_log("chat.test", SOON);
    wait_person(&mut client, ANNA, Unknown, "", SOON);
    assert!(!liar.heard().contains("<auth"), "{}", liar.heard());
}

#[test]
fn pre_5_a_server_that_does_not_encrypt_never_sees_the_password() {
    let mut site = Site::new();
    let login =
        "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>";
    let liar = Liar::start_without_tls(site.port, login, String::new());
    let (mut desk, mut client) = site.desk();
    desk.program.wait_log("does not encrypt", AGAIN);
    wait_person(&mut client, ANNA, Unknown, "", SOON);
    let heard = liar.heard();
    assert!(heard.contains("<stream:stream") && !heard.contains("<auth"), "{heard}");
}

#[test]
fn pre_5_elements_without_end_from_somebody_between_before_tls_do_no_harm() {
    let mut site = Site::new();
    let tls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
    let deep = format!("<message xmlns='jabber:client'>{}", "<a>".repeat(20_000));
    let liar = Liar::start_without_tls(site.port, tls, deep);
    let (mut desk, mut client) = site.desk();
    desk.program.wait_log("elements within each other", AGAIN);
    wait_person(&mut client, ANNA, Unknown, "", SOON);
    assert!(!liar.heard().contains("<auth"));
}

#[test]
fn pre_5_a_wrong_password_is_said_in_the_log_and_not_tried_again_at_once() {
    let mut site = Site::new();
    let prosody = site.prosody(&site.identity());
    let ca = site.authority.certificate();
    let (mut desk, mut client) = site.desk_with(&ca, "wrong-secret", "info");
    desk.program.wait_log("login refused", AGAIN);
    desk.program.wait_log("NotAuthorized", SOON);
    wait_person(&mut client, ANNA, Unknown, "", SOON);
    assert!(!desk.program.log().contains("wrong-secret"));
    drop(prosody);
}

#[test]
fn pre_5_app_2_the_page_says_why_nobody_is_shown_as_online_as_long_as_it_is_so() {
    let mut site = Site::new();
    let prosody = site.prosody(&site.identity());
    let ca = site.authority.certificate();
    let (mut desk, _) = site.desk_with(&ca, "wrong-secret", "info");
    let address = desk.open_admin_page(site.ports.one());
    let mut client = desk.client();
    let setup = client.wait("the code on the screen", SOON, |view| view.setup.is_some()).setup;
    let page = Page::set_up(&address, &setup.unwrap().code, site.folder());
    let sees = |words: &str| {
        wait::until(words, AGAIN, || page.get("/directories").body.contains(words).then_some(()));
    };
    sees("Nobody is shown as online now. Reason: “login refused: NotAuthorized");
    let (server, ca) = (format!("127.0.0.1:{}", site.port), ca.display().to_string());
    let right = Prosody::password("desk");
    let account =
        [("address", format!("desk@{DOMAIN}")), ("password", right), ("server", server), ("ca", ca)];
    let account: Vec<(&str, &str)> = account.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let saved = page.submit("/directories/online", "/directories/online", &account);
    assert_eq!(saved.status, 303, "{}", saved.body);
    desk.program.wait_log("XMPP: connected", AGAIN);
    wait::until("no trouble any more", SOON, || {
        (!page.get("/directories").body.contains("Nobody is shown as online")).then_some(())
    });
    drop(prosody);
    sees("Nobody is shown as online now. Reason: “the server cannot be reached");
}

const ROSTER: &str = "<iq type='result' id='roster'><query xmlns='jabber:iq:roster'>\
    <item jid='anna@chat.test' subscription='both'/></query></iq>";

/// A presence of Anna's.
fn anna(show: &str, status: &str) -> String {
    format!("<presence from='anna@chat.test/pc'><show>{show}</show><status>{status}</status></presence>")
}

/// Keeps the connection until the desk ends it.
fn stay(guest: &mut Guest) {
    guest.hear("never said");
}

#[test]
fn pre_5_the_password_is_in_no_log_whatever_level_is_asked_for() {
    let mut site = Site::new();
    let deed = |_, guest: &mut Guest| {
        guest.tell(ROSTER);
        guest.tell(&anna("away", "seen"));
        stay(guest);
    };
    let liar = Liar::start(site.port, &site.identity(), Arc::new(deed));
    let ca = site.authority.certificate();
    let password = Prosody::password("desk");
    let (desk, mut client) = site.desk_with(&ca, &password, "trace");
    wait_person(&mut client, ANNA, Away, "seen", AGAIN);
    let on_the_wire = STANDARD.encode(format!("\0desk\0{password}"));
    assert!(liar.heard().contains(&on_the_wire), "the server got it: {}", liar.heard());
    let log = desk.program.log();
    assert!(log.contains("DEBUG") && log.contains("XMPP: connected"), "the log is as asked for");
    assert!(!log.contains(&password) && !log.contains(&on_the_wire));
    let recording = wait::until("the recording to have it", SOON, || {
        std::fs::read_to_string(desk.recording()).ok().filter(|recording| recording.contains("seen"))
    });
    assert!(!recording.contains(&password));
}

#[test]
fn pre_5_a_flood_of_presence_is_told_in_few_words_and_the_last_one_holds() {
    const ROUNDS: usize = 10_000;
    let mut site = Site::new();
    let half_way = Arc::new(Barrier::new(2));
    let measured = Arc::clone(&half_way);
    let deed = move |_, guest: &mut Guest| {
        guest.tell(ROSTER);
        flood(guest, ROUNDS);
        guest.tell(&anna("", "half way"));
        measured.wait();
        flood(guest, ROUNDS);
        guest.tell(&anna("away", "the last word"));
        stay(guest);
    };
    let liar = Liar::start(site.port, &site.identity(), Arc::new(deed));
    let (desk, mut client) = site.desk();
    let patience = Duration::from_secs(120);
    wait_person(&mut client, ANNA, Online, "half way", patience);
    let before = desk.program.resident_kib();
    half_way.wait();
    wait_person(&mut client, ANNA, Away, "the last word", patience);
    assert_eq!(shown(&client.wait("Ben", SOON, |view| by_xmpp(view).len() == 2), BEN), Some((Unknown, "")));
    let grown = desk.program.resident_kib().saturating_sub(before);
    assert!(grown <= 4 * 1024, "memory grew by {grown} KiB");
    // Every question was answered, with a refusal.
    let refused = liar.heard().matches("<service-unavailable").count();
    assert_eq!(refused, 2 * ROUNDS / 100);
    let recording = wait::until("the recording to have the last word", SOON, || {
        let recording = std::fs::read_to_string(desk.recording()).ok();
        recording.filter(|recording| recording.contains("the last word"))
    });
    let told = recording.lines().filter(|line| line.contains(ANNA)).count();
    assert!((1..ROUNDS / 2).contains(&told), "{told} of {} changes", 6 * ROUNDS);
}

/// Anna changes three times a round, strangers come, and now and then there is a question.
fn flood(guest: &mut Guest, rounds: usize) {
    for round in 0..rounds {
        let stranger = format!("<presence from='stranger{round}@chat.test/x'/>");
        let all = [anna("", &format!("round {round}")), anna("away", ""), stranger, anna("dnd", "?")];
        guest.tell(&all.concat());
        if round % 100 == 0 {
            guest.tell(&format!("<iq type='get' id='{round}' from='chat.test'><x xmlns='whatever'/></iq>"));
        }
    }
}

/// A server that says that Anna is there, then does what is wrong; the next time it only says the first.
#[track_caller]
fn survives(wrong: impl Fn(&mut Guest) + Send + Sync + 'static, log: &str) {
    let mut site = Site::new();
    // Nothing goes wrong before the memory has been read: the start's own is not counted.
    let read = Arc::new(AtomicBool::new(false));
    let is_read = Arc::clone(&read);
    let deed = move |number, guest: &mut Guest| {
        guest.tell(ROSTER);
        guest.tell(&anna("", &format!("connection {number}")));
        if number > 0 {
            return stay(guest);
        }
        // Only once the desk has come so far as to ask the others.
        guest.hear("ben@chat.test");
        guest.tell("<iq type='get' id='there' from='chat.test'><ping xmlns='urn:xmpp:ping'/></iq>");
        guest.hear("'there'");
        wait::until("the memory to be read", AGAIN, || is_read.load(Ordering::Acquire).then_some(()));
        wrong(guest);
    };
    let _liar = Liar::start(site.port, &site.identity(), Arc::new(deed));
    let (mut desk, mut client) = site.desk();
    wait_person(&mut client, ANNA, Online, "connection 0", AGAIN);
    let before = desk.program.resident_kib();
    read.store(true, Ordering::Release);
    wait_person(&mut client, ANNA, Unknown, "", AGAIN);
    desk.program.wait_log("XMPP: connection lost", AGAIN);
    desk.program.wait_log(log, SOON);
    wait_person(&mut client, ANNA, Online, "connection 1", AGAIN);
    let grown = desk.program.resident_kib().saturating_sub(before);
    assert!(grown <= 16 * 1024, "memory grew by {grown} KiB");
}

#[test]
fn pre_5_a_stanza_of_a_megabyte_ends_the_connection_and_nothing_else() {
    let wrong = |guest: &mut Guest| {
        guest.tell(&anna("", &"long ".repeat(210_000)));
        stay(guest);
    };
    survives(wrong, "too long");
}

#[test]
fn pre_5_elements_without_end_within_each_other_end_the_connection_and_nothing_else() {
    let wrong = |guest: &mut Guest| {
        guest.tell(&format!("<message>{}", "<a>".repeat(20_000)));
        stay(guest);
    };
    survives(wrong, "elements within each other");
}

#[test]
fn pre_5_a_server_that_leaves_in_the_middle_of_a_word_is_found_again() {
    let wrong = |guest: &mut Guest| {
        guest.tell("<presence from='anna@chat.test/pc'><sta");
    };
    survives(wrong, "connection lost");
}

#[test]
fn pre_5_what_is_no_xml_and_what_ends_the_stream_is_found_again() {
    let garbage = |guest: &mut Guest| {
        guest.tell("\u{1}\u{2}<<<&&&]]>");
    };
    survives(garbage, "does not keep to the protocol");
    let ends = "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>";
    let conflict = move |guest: &mut Guest| {
        guest.tell(ends);
    };
    survives(conflict, "conflict");
}

#[test]
fn pre_5_a_server_that_falls_silent_is_asked_and_given_up_when_it_does_not_answer() {
    let mut site = Site::new();
    let deed = |number, guest: &mut Guest| {
        guest.tell(ROSTER);
        guest.tell(&anna("", &format!("connection {number}")));
        // Half a minute later.
        guest.hear("urn:xmpp:ping");
        guest.tell("<iq type='result' id='ping' from='chat.test'/>");
        guest.tell(&anna("away", &format!("answer {number}")));
        stay(guest);
    };
    let _liar = Liar::start(site.port, &site.identity(), Arc::new(deed));
    let (mut desk, mut client) = site.desk();
    let silence = Duration::from_secs(90);
    wait_person(&mut client, ANNA, Online, "connection 0", AGAIN);
    wait_person(&mut client, ANNA, Away, "answer 0", silence);
    wait_person(&mut client, ANNA, Unknown, "", silence);
    desk.program.wait_log("the server does not answer", SOON);
    wait_person(&mut client, ANNA, Online, "connection 1", AGAIN);
}
