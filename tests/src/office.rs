//! What a careful administrator has before them: a box that nobody has set up, its page in a browser, a plugin host,
//! and the company's LDAP server. What they do there is done as they would, by the words on the page.

use std::path::Path;
use std::time::Duration;

use crate::authority::Authority;
use crate::chromium::Chromium;
use crate::connectors::PluginHost;
use crate::house::House;
use crate::kamailio::Digest;
use crate::slapd::{self, Slapd};

/// The ldap connector.
pub const LDAP: &str = "org.frontdesk.ldap";
/// The administrator's name.
pub const NAME: &str = "Marguerite";
/// The administrator's password.
pub const SECRET: &str = "four swans over the weir";
/// The field that asks for it again.
pub const CONFIRM: &str = "Your password, to confirm";

const SOON: Duration = Duration::from_secs(15);

/// Everything that stands before the administrator begins.
#[derive(Debug)]
pub struct Office {
    /// English.
    pub browser: Chromium,
    /// Of the desk's page, without a slash at its end.
    pub address: String,
    /// The company's people.
    pub server: Slapd,
    /// Runs what is not signed.
    pub host: PluginHost,
    /// The desk and the telephones around it.
    pub house: House,
}

impl Office {
    /// Opens it, with so many people in the company.
    ///
    /// # Panics
    /// When something does not come up.
    #[must_use]
    #[track_caller]
    pub fn open(people: usize) -> Self {
        let mut house = House::build(Digest::Md5);
        let authority = Authority::new(house.folder(), "ca");
        let port = house.free_port();
        let server = Slapd::start(house.folder(), port, &authority.identity("localhost"), people);
        let host = PluginHost::start(house.folder(), &[authority.certificate()]);
        let port = house.free_port();
        let address = house.desk.open_admin_page(port);
        house.client = house.desk.client();
        let browser = Chromium::start(house.folder());
        Self { browser, address, server, host, house }
    }

    /// The code that the touchscreen shows.
    ///
    /// # Panics
    /// When it shows none.
    #[must_use]
    #[track_caller]
    pub fn code(&mut self) -> String {
        let view = self.house.client.wait("the code on the screen", SOON, |view| view.setup.is_some());
        view.setup.map(|setup| setup.code).unwrap_or_default()
    }

    /// Fills in the first set-up with this code, and sends it.
    ///
    /// # Panics
    /// When the page is another.
    #[track_caller]
    pub fn set_up_with(&mut self, code: &str) {
        self.browser.fill("Code on the touchscreen", code);
        self.browser.fill("Name", NAME);
        self.browser.fill("Password", SECRET);
        self.browser.fill("Password once more", SECRET);
        self.browser.press("Make the first administrator");
    }

    /// Uploads a plugin, up to the page that says what it is.
    ///
    /// # Panics
    /// When that does not come about.
    #[track_caller]
    pub fn upload(&mut self, file: &Path) {
        self.browser.press("Plugins");
        self.browser.choose_file("Plugin file", file);
        self.browser.press("Upload and look at it");
    }

    /// Uploads the ldap connector and installs it without any right.
    ///
    /// # Panics
    /// When that does not come about.
    #[track_caller]
    pub fn install_ldap(&mut self) {
        let packed = self.host.packed("ldap");
        self.upload(&packed);
        self.browser.sees("Install LDAP directory?");
        self.browser.sees("Not signed.");
        self.browser.sees("Connect to the address in its setting “Server");
        self.browser.fill(CONFIRM, SECRET);
        self.browser.press("Install");
        self.browser.sees("LDAP directory was installed. It does not run yet");
    }

    /// Types the company's server into the settings.
    ///
    /// # Panics
    /// When they are not saved.
    #[track_caller]
    pub fn configure_ldap(&mut self) {
        let server = format!("ldaps://localhost:{}", self.server.port);
        self.browser.fill("Server, such as", &server);
        self.browser.fill("Where people are", slapd::BASE);
        self.browser.fill("User: a distinguished name", slapd::READER);
        self.browser.fill("Password", slapd::PASSWORD);
        self.browser.press("Save");
        self.browser.sees("The settings were saved.");
    }

    /// Grants the ldap connector what it asks for.
    ///
    /// # Panics
    /// When that is not saved.
    #[track_caller]
    pub fn grant(&mut self) {
        self.browser.tick("allow");
        self.browser.tick("also in your own network");
        self.browser.tick("also on this box itself");
        self.browser.fill(CONFIRM, SECRET);
        self.browser.press("Save what it may reach");
        self.browser.sees("What it may reach was saved.");
    }

    /// Makes a token that may do everything, on the page of the accounts.
    ///
    /// # Panics
    /// When none is shown.
    #[must_use]
    #[track_caller]
    pub fn make_token(&mut self) -> String {
        self.browser.press("Accounts");
        self.browser.click("Make a token");
        self.browser.fill("What it is for", "Reports");
        self.browser.choose("It may", "read and change everything");
        self.browser.fill(CONFIRM, SECRET);
        self.browser.press("Make a token");
        self.browser.sees("Copy the token now.");
        let token = self.browser.evaluate("document.querySelector('#token').textContent");
        token.as_str().unwrap_or_default().to_owned()
    }
}
