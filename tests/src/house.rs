//! The usual scene: kamailio, the desk registered there, and telephones of other makers around it.

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ipc::{CallRef, CallState, CallView, Command, Registration};
use tempfile::TempDir;

use crate::authority::Authority;
use crate::baresip::{Baresip, Codec};
use crate::chromium::Chromium;
use crate::desk::{Account, Desk, Machine, NO_TIMERS, Standing};
use crate::kamailio::{Digest, Kamailio};
use crate::pjsua::Pjsua;
use crate::ports::Ports;
use crate::screen::Screen;
use crate::socket::Client;
use crate::sound::DESK_TONE;
use crate::telephone::Telephone;
use crate::telephone::{Registers, Wish};

/// How long registering may take.
const REGISTER: Duration = Duration::from_secs(15);
/// How long anything else may take that is asked for.
const SOON: Duration = Duration::from_secs(10);

/// The staff directory of the scene. 2101 and 2102 are the telephones' numbers.
pub const STAFF: &str = "lastname,firstname,title,department,phone,presence\n\
    Rivera,Tomas,Head of sales,Sales,2101,true\n\
    Solberg,Ingrid,CEO,Management,2102,true\n\
    Becker,Jonas,Facilities,House,2111,false\n";

/// The name of the authority that vouches for the exchange.
const AUTHORITY: &str = "authority";

/// Everything that stands before a test begins.
#[derive(Debug)]
pub struct House<E = Kamailio> {
    /// The desk, registered, with [`STAFF`] in its directory.
    pub desk: Desk,
    /// Follows the desk.
    pub client: Client,
    /// The exchange.
    pub exchange: E,
    ports: Ports,
    scratch: TempDir,
}

impl House<Kamailio> {
    /// Builds it.
    ///
    /// # Panics
    /// When something does not come up.
    #[must_use]
    #[track_caller]
    pub fn build(digest: Digest) -> Self {
        Self::build_with(digest, NO_TIMERS)
    }

    /// Builds it with more in the desk's settings file.
    ///
    /// # Panics
    /// When something does not come up.
    #[must_use]
    #[track_caller]
    pub fn build_with(digest: Digest, settings_more: &str) -> Self {
        Self::build_on(settings_more, |folder, port| Kamailio::start(folder, port, digest))
    }

    /// Builds it on an exchange that is started in the folder and on the port given.
    ///
    /// # Panics
    /// When something does not come up.
    #[must_use]
    #[track_caller]
    pub fn build_on(settings_more: &str, exchange: impl FnOnce(&Path, u16) -> Kamailio) -> Self {
        let scratch = scratch();
        let mut ports = Ports::take();
        let exchange = exchange(scratch.path(), ports.one());
        let account = Account::at(&exchange);
        Self::furnish(scratch, ports, exchange, &account, settings_more)
    }

    /// Builds it with an exchange that takes datagrams and connections as well, and a desk that reaches it by `transport`
    /// and trusts the authority of its certificate.
    ///
    /// # Panics
    /// When something does not come up.
    #[must_use]
    #[track_caller]
    pub fn build_by(transport: &'static str) -> Self {
        Self::build_speaking(transport, "off")
    }

    /// Likewise; `srtp` says whether the desk encrypts speech: `off`, `optional` or `mandatory`.
    ///
    /// # Panics
    /// When something does not come up.
    #[must_use]
    #[track_caller]
    pub fn build_speaking(transport: &'static str, srtp: &'static str) -> Self {
        Self::build_speaking_with(transport, srtp, "")
    }

    /// Likewise, with more in the desk's settings file.
    ///
    /// # Panics
    /// When something does not come up.
    #[must_use]
    #[track_caller]
    pub fn build_speaking_with(transport: &'static str, srtp: &'static str, settings_more: &str) -> Self {
        let scratch = scratch();
        let mut ports = Ports::take();
        let authority = Authority::new(scratch.path(), AUTHORITY);
        let identity = authority.identity("127.0.0.1");
        let exchange = Kamailio::start_with_streams(scratch.path(), ports.one(), &identity);
        let at = if transport == "tls" { exchange.tls_address() } else { exchange.address() };
        let settings = format!("{NO_TIMERS}{}{settings_more}", authority.trusted());
        let account = Account { srtp, ..Account::reaching(&at, transport) };
        Self::furnish(scratch, ports, exchange, &account, &settings)
    }

    /// Builds it with an account of the desk's whose calls are encrypted or not: `off`, `optional` or `mandatory`.
    ///
    /// # Panics
    /// When something does not come up.
    #[must_use]
    #[track_caller]
    pub fn build_encrypted(srtp: &'static str) -> Self {
        let scratch = scratch();
        let mut ports = Ports::take();
        let exchange = Kamailio::start(scratch.path(), ports.one(), Digest::Md5);
        let account = Account { srtp, ..Account::at(&exchange) };
        Self::furnish(scratch, ports, exchange, &account, NO_TIMERS)
    }

    /// Builds it with everything at `ip`, an address of this machine, and the desk somewhere in the network.
    ///
    /// # Panics
    /// When something does not come up.
    #[must_use]
    #[track_caller]
    pub fn build_at(ip: IpAddr, standing: Standing, settings_more: &str, nat: &str) -> Self {
        let scratch = scratch();
        let mut ports = Ports::take();
        let exchange = Kamailio::start_on(scratch.path(), ip, ports.one());
        let account = Account { nat: nat.to_owned(), ..Account::at(&exchange) };
        let machine = Machine { sip: ports.one(), rtp: ports.rtp(), log: "info,sip=debug" };
        let settings = format!("{NO_TIMERS}{settings_more}");
        let desk = Desk::start_standing(scratch.path(), &account, &settings, &machine, (None, standing));
        Self::furnish_desk(scratch, ports, exchange, desk)
    }
}

impl<E: Registers> House<E> {
    /// Builds it with an exchange of any make that knows the telephones of the tests, which is there already.
    ///
    /// # Panics
    /// When something does not come up.
    #[must_use]
    #[track_caller]
    pub fn furnish(
        scratch: TempDir,
        mut ports: Ports,
        exchange: E,
        account: &Account,
        settings_more: &str,
    ) -> Self {
        let desk = Desk::start_with(scratch.path(), &mut ports, account, settings_more);
        Self::furnish_desk(scratch, ports, exchange, desk)
    }

    #[track_caller]
    fn furnish_desk(scratch: TempDir, ports: Ports, exchange: E, desk: Desk) -> Self {
        let mut client = desk.client();
        client.wait("Registered", REGISTER, |view| view.operator.registration == Registration::Registered);
        desk.import(STAFF);
        // The operator has read that; the tests look at what is told after it.
        let told = client.wait("word of the import", SOON, |view| !view.notices.is_empty());
        for notice in told.notices {
            client.command(Command::DismissNotice { notice: notice.id }).expect("a notice can be dismissed");
        }
        Self { desk, client, exchange, ports, scratch }
    }

    /// `phone`, of whatever make, calls and is answered: the call, once both sides say that they talk.
    ///
    /// # Panics
    /// When that does not come about.
    #[track_caller]
    pub fn called_by(&mut self, phone: &mut impl Telephone) -> CallRef {
        phone.dial("5550100");
        let rings = |call: &CallView| call.state == CallState::Ringing;
        let call = self.client.wait_call("a ringing call", SOON, rings).call;
        self.client.command(Command::Answer { call }).expect("a ringing call can be answered");
        phone.talks();
        self.wait_state(call, CallState::Talking);
        call
    }

    /// Calls `phone`, of whatever make, by `number`: the call, once both sides say that they talk.
    ///
    /// # Panics
    /// When that does not come about.
    #[track_caller]
    pub fn calls(&mut self, phone: &mut impl Telephone, number: &str) -> CallRef {
        self.client.command(Command::Dial { number: number.into(), line: None }).expect("a line is there");
        phone.rings();
        phone.accept();
        phone.talks();
        let talks = |call: &CallView| call.state == CallState::Talking;
        self.client.wait_call("the call answered", SOON, talks).call
    }

    /// Opens the administrator's page and makes the first administrator: the browser, and the page's address.
    ///
    /// # Panics
    /// When that does not come about.
    #[track_caller]
    pub fn administered(&mut self, name: &str, password: &str) -> (Chromium, String) {
        let port = self.free_port();
        let address = self.desk.open_admin_page(port);
        self.client = self.desk.client();
        let shown = self.client.wait("the code on the screen", SOON, |view| view.setup.is_some());
        let mut browser = Chromium::start(self.folder());
        browser.open(&address);
        browser.fill("Code on the touchscreen", &shown.setup.expect("it was waited for").code);
        browser.fill("Name", name);
        browser.fill("Password", password);
        browser.fill("Password once more", password);
        browser.press("Make the first administrator");
        (browser, address)
    }

    /// Answers the call that `phone` has placed, and gives it back once both sides say that they talk.
    ///
    /// # Panics
    /// When that does not come about.
    #[track_caller]
    pub fn answer_next(&mut self, phone: &mut Baresip) -> CallRef {
        let number = Some(phone.number.clone());
        let rings = |call: &CallView| call.state == CallState::Ringing && call.party.number == number;
        let call = self.client.wait_call("a ringing call", SOON, rings).call;
        self.client.command(Command::Answer { call }).expect("a ringing call can be answered");
        phone.expect("CALL_ESTABLISHED", SOON);
        self.wait_state(call, CallState::Talking);
        call
    }

    /// A call that `phone`, which speaks `tone`, has placed: both hear each other, before a hold and after it, and the desk
    /// hangs up. How it looked while it was talked in, on hold, and talked in again.
    ///
    /// # Panics
    /// When that does not come about.
    #[track_caller]
    pub fn held_once(&mut self, phone: &mut Baresip, tone: f64) -> [CallView; 3] {
        phone.dial("5550100");
        let call = self.answer_next(phone);
        self.desk.hears(tone);
        phone.hears(DESK_TONE);
        let talking = self.wait_state(call, CallState::Talking);
        self.client.command(Command::Hold { call }).expect("a call that talks can be held");
        let held = self.wait_state(call, CallState::Held);
        self.client.command(Command::Retrieve { call }).expect("a call on hold can be taken back");
        let again = self.wait_state(call, CallState::Talking);
        self.desk.hears(tone);
        self.client.command(Command::HangUp { call }).expect("a call that talks can be ended");
        phone.expect("CALL_CLOSED", SOON);
        self.client.wait_gone(call, SOON);
        [talking, held, again]
    }

    /// Calls `phone` and gives the call back once both sides say that they talk.
    ///
    /// # Panics
    /// When that does not come about.
    #[track_caller]
    pub fn call_to(&mut self, phone: &mut Baresip) -> CallRef {
        self.client
            .command(Command::Dial { number: phone.number.clone(), line: None })
            .expect("a line is there");
        phone.expect("CALL_INCOMING", SOON);
        phone.accept();
        phone.expect("CALL_ESTABLISHED", SOON);
        let number = Some(phone.number.clone());
        let talks = |call: &CallView| call.state == CallState::Talking && call.party.number == number;
        self.client.wait_call("the call answered", SOON, talks).call
    }

    /// `phone` calls, and is refused once it rings here: how long it took from its keypad to the view, and the name on
    /// the card.
    ///
    /// # Panics
    /// When it does not ring, or nobody knows a name.
    #[track_caller]
    pub fn ring(&mut self, phone: &mut Baresip) -> (Duration, Option<String>) {
        let began = Instant::now();
        phone.dial("5550100");
        let number = Some(phone.number.clone());
        let rings = |call: &CallView| call.state == CallState::Ringing && call.party.number == number;
        let call = self.client.wait_call("a ringing call", SOON, rings).call;
        let took = began.elapsed();
        let is_named = |now: &CallView| now.call == call && now.party.name.is_some();
        let named = self.client.wait_call("its name", SOON, is_named);
        self.client.command(Command::Reject { call }).expect("a ringing call can be refused");
        self.client.wait("the call gone", SOON, |view| view.incoming.is_empty());
        phone.expect("CALL_CLOSED", SOON);
        (took, named.party.name)
    }

    /// Waits until `call` is in `state`.
    ///
    /// # Panics
    /// When it is not within 10 s.
    #[track_caller]
    pub fn wait_state(&mut self, call: CallRef, state: CallState) -> CallView {
        let there = |now: &CallView| now.call == call && now.state == state;
        self.client.wait_call(&format!("{call:?} {state:?}"), SOON, there)
    }

    /// A telephone with the user `number`.
    #[must_use]
    #[track_caller]
    pub fn phone(&mut self, number: &str, tone: f64, codec: Codec) -> Baresip {
        Baresip::start(self.scratch.path(), &mut self.ports, &self.exchange, number, tone, codec)
    }

    /// A telephone with the user `number` that answers by itself, and over which the operator speaks from now on
    /// (ACC-3). The desk is started again for it.
    ///
    /// # Panics
    /// When something does not come up.
    #[must_use]
    #[track_caller]
    pub fn tether(&mut self, number: &str, tone: f64, codec: Codec) -> Baresip {
        let phone = Baresip::start_answering(
            self.scratch.path(),
            &mut self.ports,
            &self.exchange,
            number,
            tone,
            codec,
        );
        self.speak_over(number);
        phone
    }

    /// Has the operator speak over the telephone `number`, whether it is there or not.
    ///
    /// # Panics
    /// When the desk does not come up again.
    #[track_caller]
    pub fn speak_over(&mut self, number: &str) {
        let name = "name = \"Front desk\"\n";
        self.desk.change_settings(name, &format!("{name}phone = \"{number}\"\n"));
        self.client = self.desk.client();
        self.client
            .wait("Registered", REGISTER, |view| view.operator.registration == Registration::Registered);
    }

    /// Has the desk's microphone hear nothing but its loudspeaker, so much later and quieter.
    ///
    /// # Panics
    /// When the desk does not end, come up again, or register.
    #[track_caller]
    pub fn hear_itself(&mut self, later_ms: u32, loss_db: u32) {
        self.desk.hear_itself(later_ms, loss_db);
        self.client = self.desk.client();
        self.client
            .wait("Registered", REGISTER, |view| view.operator.registration == Registration::Registered);
    }

    /// A telephone of PJSUA2 with the user `number`.
    #[must_use]
    #[track_caller]
    pub fn pjsua(&mut self, number: &str, tone: f64, codec: Codec) -> Pjsua {
        let exchange = self.exchange.exchange();
        let scratch = self.scratch.path().to_owned();
        Pjsua::start(&mut self.ports, &Wish { scratch, exchange: &exchange, number, tone, codec })
    }

    /// A screen on the desk.
    #[must_use]
    #[track_caller]
    pub fn screen(&mut self) -> Screen {
        Screen::start(self.scratch.path(), &mut self.ports, &self.desk.socket)
    }

    /// A screen with Debian's Chromium as its browser.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    #[track_caller]
    pub fn browsing_screen(&mut self) -> Screen {
        let program = self.scratch.path().join("chromium");
        // As root Chromium insists on having no sandbox; on the appliance it has one.
        let script = "#!/bin/sh\nexec /usr/bin/chromium --no-sandbox \"$@\"\n";
        fs::write(&program, script).expect("the scratch folder is writable");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).expect("the file is ours");
        let more = ["--browser".as_ref(), program.as_os_str()];
        Screen::start_with(self.scratch.path(), &mut self.ports, &self.desk.socket, &more)
    }

    /// A port that nobody else of the test uses.
    #[must_use]
    pub fn free_port(&mut self) -> u16 {
        self.ports.one()
    }

    /// The certificate of who vouches for the exchange, where it has an encrypted side.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder().join(AUTHORITY).with_extension("pem")
    }

    /// The scratch folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.scratch.path()
    }
}

/// A scratch folder of one test; with `FRONTDESK_KEEP` set in the environment it stays for a look.
///
/// # Panics
/// When there is no room for one.
#[must_use]
#[track_caller]
pub fn scratch() -> TempDir {
    let mut folder = tempfile::tempdir().expect("the system has a folder for scratch files");
    folder.disable_cleanup(std::env::var_os("FRONTDESK_KEEP").is_some());
    folder
}

/// Likewise in memory, where the system has such a place: who writes there never waits for a disk.
///
/// # Panics
/// When there is no room for one.
#[must_use]
#[track_caller]
pub fn scratch_in_memory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| scratch())
}
