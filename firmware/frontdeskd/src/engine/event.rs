//! What reaches the engine.

use std::net::SocketAddr;

use ipc::{
    CallFigures, Census, Command, CommandError, OnlineState, RemindersView, ServiceMode, SetupView,
    UpdateNotice, WatchView,
};
use sip::{HostPort, ResolveId};
use switchboard::Input;
use tokio::sync::oneshot;

use crate::{
    administer::Change,
    contacts::News,
    names::Found,
    net, records, sign_in, sound_check,
    trace::{Entry, Wanted},
};

/// Whatever reaches the engine, in one order.
pub(crate) enum Event {
    /// From the SIP socket.
    Datagram {
        /// Sender.
        from: SocketAddr,
        /// As it came.
        bytes: Box<[u8]>,
    },
    /// From a connection.
    Stream(net::News),
    /// From a client of the Unix socket.
    Command {
        /// The wish.
        command: Command,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<(), CommandError>>,
    },
    /// How much of everything is held; for diagnostics.
    Census {
        /// Where the answer goes.
        reply: oneshot::Sender<Census>,
    },
    /// The SIP messages that are kept.
    Trace {
        /// Which.
        wanted: Wanted,
        /// Where the answer goes: a page, and whether more follow.
        reply: oneshot::Sender<(Vec<Entry>, bool)>,
    },
    /// What was counted of the newest calls.
    CallFigures {
        /// Where the answer goes.
        reply: oneshot::Sender<Vec<CallFigures>>,
    },
    /// A name was looked up.
    Resolved {
        /// The question.
        id: ResolveId,
        /// The targets behind it, or why there are none.
        result: Result<Found, String>,
    },
    /// The XMPP server is reached, or not any more: [`crate::xmpp::Xmpp::trouble`] says why.
    XmppTrouble,
    /// The name of a STUN server was looked up.
    StunServer {
        /// As the settings have it.
        name: HostPort,
        /// Where it is, or why that is not known.
        found: Result<SocketAddr, String>,
    },
    /// From the sound.
    Media(media::Event),
    /// What a client wants to know of the sound, or to try.
    Sound(sound_check::Wish),
    /// Something is to be said aloud in place of what is being said; `None` ends that.
    Say(Option<media::Said>),
    /// From the contacts.
    Contacts(News),
    /// Somebody has signed in or tried to, or others may.
    SignIn(sign_in::News),
    /// From the records.
    Records(records::Event),
    /// The timetable's mode changed.
    Timetable(ServiceMode),
    /// From the XMPP server: whether a person is online.
    Person {
        /// As the directory has it.
        address: String,
        /// What they are.
        state: OnlineState,
        /// What they say about it.
        text: String,
    },
    /// A person is no longer watched there.
    PersonGone {
        /// As the directory has it.
        address: String,
    },
    /// From the connectors, for the switchboard as it is: who calls, and what they offer.
    Connectors(Box<Input>),
    /// An administrator has changed the settings.
    Settings(Box<Change>),
    /// How to open the administrator's page for the first time; `None` when somebody has.
    Setup(Option<SetupView>),
    /// Who wants to see the screen, or sees it, and whether there is one.
    Watch(Option<WatchView>, bool),
    /// Other reminders are due, or something else has changed about them.
    Reminders {
        /// What is shown of them.
        view: Box<RemindersView>,
        /// Some the operator was not told of before.
        chime: bool,
    },
    /// How it stands with an update of the box; `None` when one that was to come does not.
    Update(Option<UpdateNotice>),
    /// Look whether this machine's address is still the same.
    Look,
    /// End every call, unregister, stop.
    Stop,
    /// Stop to be started anew, unless a call is up.
    Restart {
        /// Whether it does.
        reply: oneshot::Sender<bool>,
    },
}
