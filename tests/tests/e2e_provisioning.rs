//! Zero-touch provisioning (APP-5): a new box comes to its lines by what DHCP says. lighttpd is the provisioning server,
//! with certificates of openssl, kamailio the exchange, dnsmasq the DHCP server.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use frontdesk_tests::apart;
use frontdesk_tests::authority::{Authority, Identity};
use frontdesk_tests::chromium::Chromium;
use frontdesk_tests::house::{House, scratch};
use frontdesk_tests::kamailio::{DOMAIN, Digest, Kamailio};
use frontdesk_tests::network::{self, Network};
use frontdesk_tests::office::{NAME, SECRET};
use frontdesk_tests::program::Program;
use frontdesk_tests::repository;
use frontdesk_tests::wait;
use ipc::{Registration, View};

/// Real time of the exchange, and of the desk's start.
const SOON: Duration = Duration::from_secs(20);

/// Who the provisioning server lets in.
enum LetsIn<'a> {
    /// Devices with a certificate of this authority.
    Certified(&'a Authority),
    /// Devices with a code of this list, `name:code` a line.
    Known(&'a Path),
}

/// lighttpd with what is in this folder, over TLS.
fn server(scratch: &Path, root: &Path, port: u16, identity: &Identity, lets_in: &LetsIn<'_>) -> Program {
    fs::create_dir_all(root).unwrap();
    let guard = match lets_in {
        LetsIn::Certified(authority) => format!(
            "ssl.verifyclient.activate = \"enable\"\nssl.verifyclient.enforce = \"enable\"\nssl.ca-file = {:?}\n",
            authority.certificate()
        ),
        LetsIn::Known(list) => format!(
            "auth.backend = \"plain\"\nauth.backend.plain.userfile = {list:?}\n\
             auth.require = ( \"/\" => ( \"method\" => \"basic\", \"realm\" => \"desks\", \"require\" => \"valid-user\" ) )\n"
        ),
    };
    let config = scratch.join("provisioning.conf");
    // A file that is replaced is another one at once: lighttpd remembers files for seconds.
    let text = format!(
        "server.modules = ( \"mod_auth\", \"mod_authn_file\", \"mod_openssl\" )\nserver.document-root = {root:?}\n\
         server.stat-cache-engine = \"disable\"\n\
         server.bind = \"127.0.0.1\"\nserver.port = {port}\nssl.engine = \"enable\"\nssl.pemfile = {:?}\n\
         ssl.privkey = {:?}\nmimetype.assign = ( \".toml\" => \"application/toml\" )\n{guard}",
        identity.certificate, identity.key
    );
    fs::write(&config, text).unwrap();
    let mut command = Command::new("/usr/sbin/lighttpd");
    command.arg("-D").arg("-f").arg(config);
    let mut program = Program::start("lighttpd", command, scratch);
    wait::until("lighttpd", SOON, || {
        assert!(program.exit_status().is_none(), "lighttpd ended:\n{}", program.log());
        TcpStream::connect(("127.0.0.1", port)).ok()
    });
    program
}

/// The settings of a desk of this house, with a line of that name.
fn settings(exchange: &Kamailio, line: &str) -> String {
    format!(
        "[[accounts]]\nuser = \"desk\"\ndomain = \"{DOMAIN}\"\npassword = {:?}\nregistrar = {:?}\n\
         [[lines]]\nnumber = \"5550100\"\nname = {line:?}\n",
        Kamailio::password("desk"),
        exchange.address()
    )
}

/// Ends the desk and starts it anew, as a new box where its records are to be forgotten. What it says from then on is
/// given by [`wait_said`].
fn start_again(house: &mut House, forget: bool) -> usize {
    // One that does not work yet does not end well either.
    house.client = house.desk.client();
    house.client.wait("a desk that works", SOON, |_| true);
    assert!(house.desk.program.terminate(SOON).success());
    if forget {
        let folder = house.desk.store.parent().unwrap().to_owned();
        for name in ["desk.db", "desk.db-wal", "desk.db-shm"] {
            let _ = fs::remove_file(folder.join(name));
        }
        let _ = fs::remove_dir_all(folder.join("admin"));
    }
    let said = house.desk.program.log().len();
    house.desk.start_again();
    house.client = house.desk.client();
    said
}

/// Waits until the log says that after so many bytes, and gives back what it says from there.
fn wait_said(house: &House, after: usize, words: &str) -> String {
    let mut said = String::new();
    let found = wait::within(SOON, || {
        house.desk.program.log().get(after..).unwrap_or_default().clone_into(&mut said);
        said.contains(words).then_some(())
    });
    assert!(found.is_some(), "the desk never said {words:?}:\n{said}");
    said
}

fn device(said: &str) -> String {
    let (_, rest) = said.split_once("this desk can be provisioned device=").unwrap();
    rest.trim_start_matches('"').chars().take_while(char::is_ascii_hexdigit).collect()
}

fn names(view: &View) -> Vec<&str> {
    view.lines.iter().map(|line| line.name.as_str()).collect()
}

fn is_registered(view: &View) -> bool {
    view.operator.registration == Registration::Registered
}

fn put(file: &Path, text: &str) {
    // As a whole, and readable: the server is its own user.
    let part = file.with_extension("part");
    fs::write(&part, text).unwrap();
    fs::set_permissions(&part, fs::Permissions::from_mode(0o644)).unwrap();
    fs::rename(part, file).unwrap();
}

/// A provisioning server that lets in whoever has a one-time code, which nobody has yet; and a box that asks it.
struct Codes {
    _server: Program,
    list: PathBuf,
    /// What it has for the box.
    file: PathBuf,
    /// The administrator's page of the box.
    address: String,
}

impl Codes {
    fn start(house: &mut House, settings: &str) -> Self {
        let folder = house.folder().to_owned();
        let ours = Authority::new(&folder, "ours");
        let (port, root, list) = (house.free_port(), folder.join("files"), folder.join("codes"));
        fs::write(&list, "nobody:nothing\n").unwrap();
        let identity = ours.identity("127.0.0.1");
        let _server = server(&folder, &root, port, &identity, &LetsIn::Known(&list));
        let file = root.join("desk.toml");
        put(&file, settings);
        let asks = format!(
            "[provisioning]\nurl = \"https://127.0.0.1:{port}/desk.toml\"\nca = {:?}\ndhcp = false\n",
            ours.certificate()
        );
        let page = house.free_port();
        let address = house.desk.open_admin_page_with(page, &asks);
        Self { _server, list, file, address }
    }

    fn know(&self, device: &str) {
        fs::write(&self.list, format!("{device}:4711-0815\n")).unwrap();
    }

    /// Whoever sets the box up types the code, too.
    fn set_up(&self, house: &House, shown: &View) -> Chromium {
        let mut browser = Chromium::start(house.folder());
        browser.open(&self.address);
        browser.fill("Code on the touchscreen", &shown.setup.as_ref().unwrap().code);
        browser.fill("Name", NAME);
        browser.fill("Password", SECRET);
        browser.fill("Password once more", SECRET);
        browser.fill("Provisioning code", "4711-0815");
        browser.press("Make the first administrator");
        browser
    }
}

#[test]
fn app_5_a_new_box_comes_to_its_lines_by_dhcp_and_its_device_certificate() {
    let mut house = House::build(Digest::Md5);
    let folder = house.folder().to_owned();
    let [ours, stranger] = ["ours", "stranger"].map(|name| Authority::new(&folder, name));
    let (port, root) = (house.free_port(), folder.join("files"));
    let server_identity = ours.identity("127.0.0.1");
    let _server = server(&folder, &root, port, &server_identity, &LetsIn::Certified(&ours));

    // As networkd writes it: option 43 with the address as its first sub-option.
    let url = format!("https://127.0.0.1:{port}/desks/");
    let information = [&[1, u8::try_from(url.len()).unwrap()], url.as_bytes()].concat();
    let hex: String = information.iter().map(|byte| format!("{byte:02x}")).collect();
    fs::create_dir(folder.join("leases")).unwrap();
    let lease = format!("# This is private data. Do not parse.\nADDRESS=127.0.0.1\nVENDOR_SPECIFIC={hex}\n");
    fs::write(folder.join("leases/2"), lease).unwrap();
    let [certificate, key, ca] =
        ["device.pem", "device.key", "provisioning-ca.pem"].map(|name| folder.join(name));
    let provisioning = format!(
        "[provisioning]\nleases = [{:?}]\nca = {ca:?}\ncertificate = {certificate:?}\nkey = {key:?}\n",
        folder.join("leases")
    );
    let page = house.free_port();
    house.desk.open_admin_page_with(page, &provisioning);

    // A desk that works is not taken over by whoever answers DHCP.
    let said = wait_said(&house, 0, "but this desk was not set up from there");
    let device = device(&said);
    let file = root.join(format!("desks/{device}.toml"));
    fs::create_dir_all(root.join("desks")).unwrap();
    put(&file, &settings(&house.exchange, "Provisioned"));

    // A new one is careful as well. The server's certificate is nobody's that it knows.
    let said = start_again(&mut house, true);
    wait_said(&house, said, "not trusted: it comes from an authority that is not known here");
    fs::copy(ours.certificate(), &ca).unwrap();
    let said = start_again(&mut house, false);
    wait_said(&house, said, "wants a device certificate, and this desk has none");
    let show = |identity: &Identity| {
        fs::copy(&identity.certificate, &certificate).unwrap();
        fs::copy(&identity.key, &key).unwrap();
    };
    show(&stranger.identity("device"));
    let said = start_again(&mut house, false);
    wait_said(&house, said, "refuses the device certificate");
    show(&ours.identity("device"));

    // A broken file changes nothing and says where it is broken.
    put(&file, &settings(&house.exchange, "Provisioned").replace("registrar", "registar"));
    let said = start_again(&mut house, false);
    let words = format!("nothing was changed: {device}.toml:5: unknown field `registar`");
    wait_said(&house, said, &words);
    let view = house.client.wait("a box that nobody has set up", SOON, |view| view.setup.is_some());
    assert!(view.lines.is_empty(), "{view:?}");

    put(&file, &settings(&house.exchange, "Provisioned"));
    let said = start_again(&mut house, false);
    let view = house.client.wait("Registered", SOON, is_registered);
    assert_eq!(names(&view), ["Provisioned"]);
    wait_said(&house, said, "provisioned url=");

    // The same file is not taken again; another one is.
    let said = start_again(&mut house, false);
    house.client.wait("Registered", SOON, is_registered);
    let said = wait_said(&house, said, "the provisioning server has the file that was taken before");
    assert!(!said.contains("provisioned url="), "{said}");
    put(&file, &settings(&house.exchange, "Moved"));
    start_again(&mut house, false);
    let view = house.client.wait("the new line", SOON, |view| names(view) == ["Moved"]);
    assert_eq!(view.lines.len(), 1);
}

#[test]
fn app_5_whoever_sets_the_box_up_types_the_one_time_code_and_what_is_changed_later_stays() {
    let mut house = House::build(Digest::Md5);
    let reception = settings(&house.exchange, "Reception");
    let codes = Codes::start(&mut house, &reception);
    let said = start_again(&mut house, true);
    let said = wait_said(&house, said, "refuses (HTTP 401): type the one-time code");
    codes.know(&device(&said));

    let shown = house.client.wait("the code on the screen", SOON, |view| view.setup.is_some());
    assert!(shown.lines.is_empty());
    let mut browser = codes.set_up(&house, &shown);
    let view = house.client.wait("Registered", SOON, is_registered);
    assert_eq!(names(&view), ["Reception"]);
    let kept = house.desk.database("SELECT body FROM document WHERE name = 'provisioned'");
    assert!(!kept.contains("4711") && kept.contains("/desk.toml"), "a code is for once: {kept}");
    assert!(!house.desk.program.log().contains("4711"));

    // The administrator changes something, by a settings file of their own.
    let change = house.folder().join("change.toml");
    fs::write(&change, "[[lines]]\nnumber = \"5550100\"\nname = \"Front of house\"\n").unwrap();
    let here = format!("{}/provisioning", codes.address);
    browser.open(&here);
    browser.choose_file("Settings file to take", &change);
    browser.press("Take the settings file");
    browser.sees("The settings file was taken; accounts: 1, lines: 1.");
    house.client.wait("the new name", SOON, |view| names(view) == ["Front of house"]);

    // With a new code and the same file nothing changes.
    let say = |browser: &mut Chromium, words: &str| {
        browser.fill("One-time code", "4711-0815");
        browser.press("Save");
        wait::until(words, SOON, || {
            browser.open(&here);
            browser.text().contains(words).then_some(())
        });
    };
    say(&mut browser, "as on the server");
    assert_eq!(names(&house.client.wait("a view", SOON, |_| true)), ["Front of house"]);
    assert!(is_registered(&house.client.wait("a view", SOON, |_| true)));

    // Another file is taken, a broken one is not; both are said on the page.
    put(&codes.file, &settings(&house.exchange, "Main desk"));
    say(&mut browser, "taken");
    house.client.wait("the file's name", SOON, |view| names(view) == ["Main desk"]);
    put(&codes.file, "[[lines]]\nnumber = \"5550100\"\nname = \"\"\n");
    say(&mut browser, "line 3: lines (1.) name");
    assert_eq!(names(&house.client.wait("a view", SOON, |_| true)), ["Main desk"]);
}

/// dnsmasq as the DHCP server of a network, with these options.
fn dhcp_server(network: &Network, scratch: &Path, options: &[&str]) -> Program {
    let mut command = network::within(&network.path(), PathBuf::from("/usr/sbin/dnsmasq"));
    command.args(["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--port=0"]);
    command.args([
        "--pid-file=",
        "--user=",
        "--log-facility=-",
        "--log-dhcp",
        "--interface=office0",
        "--bind-interfaces",
    ]);
    command.args(["--dhcp-range=10.77.0.10,10.77.0.20,1h", "--leasefile-ro"]);
    command.args(options.iter().map(|option| format!("--dhcp-option={option}")));
    let mut program = Program::start("dnsmasq", command, scratch);
    program.wait_log("DHCP, IP range", SOON);
    program
}

#[test]
fn app_5_option_66_that_networkd_drops_is_asked_for_again_and_no_lease_is_taken() {
    if !apart::is_alone("app_5_option_66_that_networkd_drops_is_asked_for_again_and_no_lease_is_taken") {
        return;
    }
    let folder = scratch();
    let [office, machine] = ["office", "desk"].map(|name| Network::new(name, folder.path()));
    office.wire_to(&machine, ("office0", "10.77.0.1/24"), ("desk0", "10.77.0.10/24"));
    let options = ["66,https://pbx.example/desks/", "vendor:frontdesk,1,https://other.example/"];
    let server = dhcp_server(&office, folder.path(), &options);
    let mut index = network::within(&machine.path(), PathBuf::from("cat"));
    // The file system shows the interfaces of the network that it was mounted in.
    let index = index.args(["/proc/net/dev_mcast"]).output().unwrap();
    let index = String::from_utf8(index.stdout).unwrap();
    let index = index
        .lines()
        .find(|line| line.contains("desk0"))
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap()
        .to_owned();
    let [leases, into] = ["leases", "options"].map(|name| folder.path().join(name));
    fs::create_dir(&leases).unwrap();
    fs::write(leases.join(&index), "ADDRESS=10.77.0.10\nSERVER_ADDRESS=10.77.0.1\n").unwrap();
    // With the machine's own /sys, as it is on a box.
    let script = format!(
        "mount -t sysfs sysfs /sys && exec {:?} dhcp-options --leases {leases:?} --into {into:?}",
        repository::program("frontdeskd")
    );
    let mut asks = Command::new("nsenter");
    asks.arg(format!("--net={}", machine.path().display()))
        .args(["--", "unshare", "--mount", "sh", "-c", &script]);
    let output = asks.output().unwrap();
    assert!(
        output.status.success(),
        "{}In a chroot, the folder has to be a mount: mount --bind FOLDER FOLDER before it is entered.",
        String::from_utf8_lossy(&output.stderr)
    );
    let hex = |text: &str| -> String { text.bytes().map(|byte| format!("{byte:02x}")).collect() };
    let said =
        fs::read_to_string(into.join(&index)).unwrap_or_else(|error| panic!("{error}\n{}", server.log()));
    // dnsmasq ends it with a zero.
    assert!(said.contains(&format!("OPTION_66={}00\n", hex("https://pbx.example/desks/"))), "{said}");
    assert!(said.contains(&hex("https://other.example/")) && said.contains("OPTION_43="), "{said}");
    let log = server.log();
    assert!(log.contains("DHCPINFORM") && !log.contains("DHCPREQUEST"), "{log}");
}

#[test]
fn app_5_a_code_outlives_a_file_that_was_refused_until_an_administrator_has_it_forgotten() {
    let mut house = House::build(Digest::Md5);
    let codes = Codes::start(&mut house, "[[lines]]\nnumber = \"5550100\"\nname = \"\"\n");
    house.client = house.desk.client();
    let said = wait_said(&house, 0, "refuses (HTTP 401): type the one-time code");
    codes.know(&device(&said));

    let shown = house.client.wait("the code on the screen", SOON, |view| view.setup.is_some());
    let before: Vec<String> = names(&shown).into_iter().map(str::to_owned).collect();
    let mut browser = codes.set_up(&house, &shown);
    let here = format!("{}/provisioning", codes.address);
    wait::until("what is wrong in the file", SOON, || {
        browser.open(&here);
        browser.text().contains("line 3: lines (1.) name").then_some(())
    });

    // Nothing was taken with it, so it is still there, and can be taken back.
    let kept = |house: &House| house.desk.database("SELECT body FROM document WHERE name = 'provisioned'");
    let body = kept(&house);
    assert!(body.contains("4711-0815"), "{body}\n{}", house.desk.program.log());
    browser.sees("A code was typed and waits to be used.");
    browser.press("Forget the one-time code");
    browser.sees("The one-time code was forgotten.");
    let forgotten = || (!kept(&house).contains("4711")).then_some(());
    wait::until("a database without the code", SOON, forgotten);

    // The server does not get it any more: a file that is right now is not fetched with it.
    put(&codes.file, &settings(&house.exchange, "Reception"));
    let said = house.desk.program.log().len();
    browser.press("Ask the server now");
    let said = wait_said(&house, said, "refuses (HTTP 401): type the one-time code");
    assert!(!said.contains("provisioned url="), "{said}");
    assert_eq!(names(&house.client.wait("a view", SOON, |_| true)), before);
    assert!(!house.desk.program.log().contains("4711"));
}
