//! The house around a box: kamailio, two colleagues with baresip, and the box told of its lines, as an administrator would.

use std::net::IpAddr;
use std::time::Duration;

use frontdesk_tests::baresip::{Baresip, Codec};
use frontdesk_tests::house::STAFF;
use frontdesk_tests::kamailio::{DOMAIN, Kamailio};
use frontdesk_tests::ports::Ports;
use frontdesk_tests::sound::{A_TONE, B_TONE};
use ipc::Registration;

use crate::guest::{BOOT, Guest, SOON};
use crate::lab::{HERE, Lab};

/// How long registering may take from then on.
const REGISTER: Duration = Duration::from_secs(90);

/// See the module.
pub(crate) struct House {
    pub(crate) exchange: Kamailio,
    /// 2101, who speaks [`A_TONE`].
    pub(crate) tomas: Baresip,
    /// 2102, who speaks [`B_TONE`].
    pub(crate) ingrid: Baresip,
    _ports: Ports,
}

impl House {
    #[track_caller]
    pub(crate) fn build(lab: &Lab) -> Self {
        let mut ports = Ports::take();
        let exchange = Kamailio::start_on(lab.folder(), IpAddr::V4(HERE), ports.one());
        let tomas = Baresip::start(lab.folder(), &mut ports, &exchange, "2101", A_TONE, Codec::Pcma);
        let ingrid = Baresip::start(lab.folder(), &mut ports, &exchange, "2102", B_TONE, Codec::Pcma);
        Self { exchange, tomas, ingrid, _ports: ports }
    }

    /// Puts lines and contacts into the box, and waits until it is registered.
    #[track_caller]
    pub(crate) fn move_in(&self, guest: &mut Guest) {
        let settings = format!(
            "[operator]\nname = \"Front desk\"\n\
             [[accounts]]\nuser = \"desk\"\ndomain = \"{DOMAIN}\"\npassword = \"{}\"\nregistrar = \"{}\"\n\
             transport = \"udp\"\n\
             [[lines]]\nnumber = \"5550100\"\nname = \"Sales\"\n\
             [[lines]]\nnumber = \"5550101\"\nname = \"Support\"\n\
             [[directories]]\nname = \"Staff\"\nlocal = true\n{}",
            Kamailio::password("desk"),
            self.exchange.address(),
            frontdesk_tests::desk::NO_TIMERS,
        );
        // Its folder is made when it starts.
        guest.wait_view("a desk", BOOT, |_| true);
        guest.put("/run/settings.toml", settings.as_bytes());
        guest.put("/run/staff.csv", STAFF.as_bytes());
        guest.succeed(
            "chmod 644 /run/settings.toml; systemctl stop frontdeskd && \
             setpriv --reuid=frontdesk --regid=frontdesk --init-groups \
             frontdeskd --config /etc/frontdesk/frontdesk.toml settings import /run/settings.toml && \
             systemctl start frontdeskd",
        );
        guest.ctl("import /run/staff.csv --directory Staff --local");
        self.registered(guest);
    }

    /// Waits until the box is registered.
    #[track_caller]
    pub(crate) fn registered(&self, guest: &mut Guest) {
        guest.wait_view("that it is registered", REGISTER, |view| {
            view.operator.registration == Registration::Registered
        });
    }

    /// Ends what calls there are.
    #[track_caller]
    pub(crate) fn hang_up(&mut self, guest: &mut Guest) {
        self.tomas.hang_up();
        self.ingrid.hang_up();
        guest.wait_view("no call", SOON, |view| view.incoming.is_empty() && view.outgoing.is_empty());
    }
}
