//! Networks beside the test's own, each a machine or a router of its own: network namespaces, and the wires between
//! them. Only for a test that is alone in a network ([`crate::apart::is_alone`]).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::apart;
use crate::program::Program;
use crate::wait;

/// How long the system may take to make one.
const SOON: Duration = Duration::from_secs(10);

/// A network namespace. It is gone, with its ends of wires, when this is dropped.
#[derive(Debug)]
pub struct Network {
    /// It does nothing but hold it.
    holder: Program,
}

impl Network {
    /// Makes one, with its loopback interface on.
    ///
    /// # Panics
    /// When the system does not permit it.
    #[must_use]
    #[track_caller]
    pub fn new(name: &str, scratch: &Path) -> Self {
        let ours = fs::read_link("/proc/self/ns/net").expect("the system has network namespaces");
        let mut command = Command::new("unshare");
        command.args(["--net", "sleep", "infinity"]);
        let mut holder = Program::start(&format!("network-{name}"), command, scratch);
        wait::until("a network of its own", SOON, || {
            assert!(holder.exit_status().is_none(), "no network: {}", holder.log());
            let path = format!("/proc/{}/ns/net", holder.id());
            fs::read_link(path).ok().filter(|theirs| *theirs != ours)
        });
        let network = Self { holder };
        network.run("ip", "iproute2", &["link", "set", "lo", "up"]);
        network
    }

    /// What stands for it in the file system.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        format!("/proc/{}/ns/net", self.holder.id()).into()
    }

    /// Lays a wire from here, where its end is called `name` and has `address` (with `/24`), to the test's own network.
    ///
    /// # Panics
    /// When the system refuses.
    #[track_caller]
    pub fn wire(&self, (name, address): (&str, &str), (name_there, address_there): (&str, &str)) {
        let holder = self.holder.id().to_string();
        let link = ["link", "add", name_there, "type", "veth", "peer", "name", name, "netns", &holder];
        here("ip", "iproute2", &link);
        self.address(name, address);
        here("ip", "iproute2", &["address", "add", address_there, "dev", name_there]);
        here("ip", "iproute2", &["link", "set", name_there, "up"]);
    }

    /// Likewise, to another network.
    ///
    /// # Panics
    /// When the system refuses.
    #[track_caller]
    pub fn wire_to(
        &self,
        other: &Self,
        (name, address): (&str, &str),
        (name_there, address_there): (&str, &str),
    ) {
        let (holder, other_holder) = (self.holder.id().to_string(), other.holder.id().to_string());
        let ends = ["link", "add", name, "netns", &holder, "type", "veth"];
        here("ip", "iproute2", &[&ends[..], &["peer", "name", name_there, "netns", &other_holder]].concat());
        self.address(name, address);
        other.address(name_there, address_there);
    }

    /// Gives the end of a wire here this address (with `/24`) in place of every one that it had.
    ///
    /// # Panics
    /// When the system refuses.
    #[track_caller]
    pub fn address(&self, name: &str, address: &str) {
        self.run("ip", "iproute2", &["address", "flush", "dev", name]);
        self.run("ip", "iproute2", &["address", "add", address, "dev", name]);
        self.run("ip", "iproute2", &["link", "set", name, "up"]);
    }

    /// Everything that is not here is reached by `gateway`.
    ///
    /// # Panics
    /// When the system refuses.
    #[track_caller]
    pub fn route(&self, gateway: &str) {
        self.run("ip", "iproute2", &["route", "add", "default", "via", gateway]);
    }

    /// Makes a router of it as houses have it: what comes from elsewhere goes out at `outside` under its address, at the
    /// same port if that is free, and what comes to it there unasked for is dropped.
    ///
    /// # Panics
    /// When the system refuses.
    #[track_caller]
    pub fn masquerade(&self, outside: &str) {
        let rules = format!(
            "add table ip house; \
             add chain ip house out {{ type nat hook postrouting priority 100 ; }}; \
             add rule ip house out oifname {outside} masquerade; \
             add chain ip house in {{ type filter hook input priority 0 ; }}; \
             add rule ip house in iifname {outside} meta l4proto udp drop"
        );
        self.run("nft", "nftables", &[&rules]);
        self.run("sh", "dash", &["-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]);
    }

    #[track_caller]
    fn run(&self, program: &str, package: &str, arguments: &[&str]) {
        let output = within(&self.path(), apart::place(program)).args(arguments).output();
        let output = output.unwrap_or_else(|error| panic!("nsenter: {error}: package util-linux"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {arguments:?} (package {package}): {}", said.trim());
    }
}

/// A command for `program` that runs in another network.
#[must_use]
pub fn within(network: &Path, program: PathBuf) -> Command {
    let mut command = Command::new("nsenter");
    command.arg(format!("--net={}", network.display())).arg("--").arg(program);
    command
}

#[track_caller]
fn here(program: &str, package: &str, arguments: &[&str]) {
    if let Err(error) = apart::run(program, package, arguments) {
        panic!("{error}");
    }
}
