//! The desk and its exchange over one transport, and telephones that come and go: each has a number of its own, so
//! that what one cell leaves behind is nothing to the next.

use std::time::Duration;

use ipc::{CallRef, CallState, CallView, Command};

use crate::authority::Authority;
use crate::house::House;
use crate::peers::Maker;
use crate::ports::Ports;
use crate::socket::{Client, calls};
use crate::telephone::{Codec, Exchange, Telephone, Transport, Wish};

const SOON: Duration = Duration::from_secs(10);
/// The number of the first telephone.
const FIRST: u32 = 3101;

/// The desk, its exchange, and how to get there.
#[derive(Debug)]
pub struct Scene {
    house: House,
    exchange: Exchange,
    next: u32,
}

/// A telephone of a scene.
pub(crate) struct Phone {
    /// Its number.
    pub(crate) number: String,
    /// What it can be asked to do.
    pub(crate) set: Box<dyn Telephone>,
    _ports: Ports,
}

impl Scene {
    /// Builds it.
    ///
    /// # Panics
    /// When something does not come up.
    #[must_use]
    #[track_caller]
    pub fn build(transport: Transport) -> Self {
        let build = |srtp| House::build_speaking(transport.word(), srtp);
        let (house, authority) = match transport {
            Transport::Udp | Transport::Tcp => (build("off"), None),
            Transport::TlsSrtp => {
                let house = build("mandatory");
                let authority = house.authority();
                (house, Some(authority))
            }
        };
        let address =
            if authority.is_some() { house.exchange.tls_address() } else { house.exchange.address() };
        let identity =
            authority.is_some().then(|| Authority::new(house.folder(), "telephones").identity("127.0.0.1"));
        Self { house, exchange: Exchange { address, transport, authority, identity }, next: FIRST }
    }

    /// Ends every call that is still up, so that the next cell finds an idle desk.
    ///
    /// # Panics
    /// When one does not end.
    #[track_caller]
    pub fn clear(&mut self) {
        let view = self.house.client.wait("any view", SOON, |_| true);
        for call in calls(&view).map(|call| call.call) {
            // It may have ended meanwhile.
            let _ = self.house.client.command(Command::HangUp { call });
        }
        self.house.client.wait("an idle desk", 4 * SOON, |view| calls(view).count() == 0);
    }

    /// A telephone that is registered.
    #[track_caller]
    pub(crate) fn phone(&mut self, maker: Maker, tone: f64, codec: Codec) -> Phone {
        let number = self.next.to_string();
        self.next += 1;
        let mut ports = Ports::take();
        let scratch = self.house.folder().to_owned();
        let wish = Wish { scratch, exchange: &self.exchange, number: &number, tone, codec };
        let set = maker.start(&mut ports, &wish);
        Phone { number, set, _ports: ports }
    }

    /// `phone` calls and is answered.
    #[track_caller]
    pub(crate) fn call_from(&mut self, phone: &mut Phone) -> CallRef {
        phone.set.dial("5550100");
        let number = Some(phone.number.clone());
        let rings = |call: &CallView| call.state == CallState::Ringing && call.party.number == number;
        let call = self.client().wait_call("a ringing call", SOON, rings).call;
        self.command(Command::Answer { call });
        phone.set.talks();
        self.wait_state(call, CallState::Talking);
        call
    }

    /// The desk calls `phone`, which answers.
    #[track_caller]
    pub(crate) fn call_to(&mut self, phone: &mut Phone) -> CallRef {
        self.command(Command::Dial { number: phone.number.clone(), line: None });
        phone.set.rings();
        phone.set.accept();
        phone.set.talks();
        let number = Some(phone.number.clone());
        let talks = |call: &CallView| call.state == CallState::Talking && call.party.number == number;
        self.client().wait_call("the call answered", SOON, talks).call
    }

    #[track_caller]
    pub(crate) fn wait_state(&mut self, call: CallRef, state: CallState) {
        self.house.wait_state(call, state);
    }

    #[track_caller]
    pub(crate) fn wait_gone(&mut self, call: CallRef) {
        self.client().wait_gone(call, SOON);
    }

    #[track_caller]
    pub(crate) fn command(&mut self, command: Command) {
        let done = self.client().command(command.clone());
        done.unwrap_or_else(|refusal| panic!("{command:?} is refused: {refusal:?}"));
    }

    /// The operator hears the tone of `hz`.
    #[track_caller]
    pub(crate) fn hears(&self, hz: f64) {
        self.house.desk.hears(hz);
    }

    /// The operator hears nothing.
    #[track_caller]
    pub(crate) fn hears_nothing(&self) {
        self.house.desk.hears_nothing();
    }

    pub(crate) fn client(&mut self) -> &mut Client {
        &mut self.house.client
    }
}
