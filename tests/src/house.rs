//! The usual scene: kamailio, the desk registered there, and telephones of other makers around it.

use std::path::Path;
use std::time::Duration;

use ipc::Registration;
use tempfile::TempDir;

use crate::baresip::{Baresip, Codec};
use crate::desk::{Account, Desk};
use crate::kamailio::{Digest, Kamailio};
use crate::ports::Ports;
use crate::screen::Screen;
use crate::socket::Client;

/// How long registering may take.
const REGISTER: Duration = Duration::from_secs(15);

/// The staff directory of the scene. 2101 and 2102 are the telephones' numbers.
pub const STAFF: &str = "lastname,firstname,title,department,phone,presence\n\
    Rivera,Tomas,Head of sales,Sales,2101,true\n\
    Solberg,Ingrid,CEO,Management,2102,true\n\
    Becker,Jonas,Facilities,House,2111,false\n";

/// Everything that stands before a test begins.
#[derive(Debug)]
pub struct House {
    /// The desk, registered, with [`STAFF`] in its directory.
    pub desk: Desk,
    /// Follows the desk.
    pub client: Client,
    /// The exchange.
    pub exchange: Kamailio,
    ports: Ports,
    scratch: TempDir,
}

impl House {
    /// Builds it.
    ///
    /// # Panics
    /// When something does not come up.
    #[must_use]
    #[track_caller]
    pub fn build(digest: Digest) -> Self {
        let scratch = scratch();
        let mut ports = Ports::take();
        let exchange = Kamailio::start(scratch.path(), ports.one(), digest);
        let desk = Desk::start(scratch.path(), &mut ports, &Account::at(&exchange));
        let mut client = desk.client();
        client.wait("Registered", REGISTER, |view| view.operator.registration == Registration::Registered);
        desk.import(STAFF);
        Self { desk, client, exchange, ports, scratch }
    }

    /// A telephone with the user `number`.
    #[must_use]
    #[track_caller]
    pub fn phone(&mut self, number: &str, tone: f64, codec: Codec) -> Baresip {
        Baresip::start(self.scratch.path(), &mut self.ports, &self.exchange, number, tone, codec)
    }

    /// A screen on the desk.
    #[must_use]
    #[track_caller]
    pub fn screen(&mut self) -> Screen {
        Screen::start(self.scratch.path(), &mut self.ports, &self.desk.socket)
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
