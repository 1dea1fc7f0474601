//! What the end-to-end tests, the tidy checks and the report programs share: real peers as child
//! processes, eyes and fingers for the screen, ears for the recordings, and the requirement list.
//!
//! A test drives the appliance only as a person or a peer would: touches and keys at the screen,
//! SIP and RTP on the wire, words on the socket. Nothing here reaches into a program.
//!
//! Everything binds to 127.0.0.1 or a network of the test's own, writes below a scratch folder of its own, and ends only the
//! processes it started. A failing helper panics with what it waited for and the tail of the logs
//! concerned: the panic is the test's failure.
//!
//! Not here: the simulated exchange (`tests/pbx`), and the tests themselves (`tests/tests`).

pub mod apart;
pub mod asterisk;
pub mod audio_report;
pub mod authority;
pub mod baresip;
pub mod book;
pub mod census;
pub mod chromium;
pub mod connectors;
pub mod customers;
pub mod dependencies;
pub mod desk;
mod devtools;
pub mod dice;
pub mod dnsmasq;
pub mod echo_report;
pub mod failover;
pub mod hours;
pub mod house;
pub mod http;
pub mod jabber;
pub mod kamailio;
pub mod keeping;
pub mod liar;
pub mod linphone;
pub mod load;
pub mod looks;
pub mod network;
pub mod office;
pub mod page;
pub mod peers;
pub mod picture;
pub mod pjsua;
pub mod ports;
pub mod program;
pub mod prosody;
pub mod publisher;
pub mod pulled;
pub mod radicale;
pub mod rauc;
pub mod registrar;
pub mod report;
pub mod repository;
pub mod requirements;
pub mod rtp;
pub mod screen;
pub mod sipp;
pub mod slapd;
pub mod socket;
pub mod sound;
pub mod standin;
pub mod stun;
pub mod talker;
pub mod telephone;
pub mod traps;
pub mod wait;
