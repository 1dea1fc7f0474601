//! A network of our own: a run, or one test, executes itself again in a fresh network namespace, where 127.0.0.1 is
//! nobody else's and datagrams can be dropped, and addresses changed, without harm to the machine. Not a sandbox: files
//! and processes are shared with the world outside. Other namespaces beside it are in [`crate::network`].

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};

/// The network namespace of the process that started us; set for the inner run only.
const OUTSIDE: &str = "FRONTDESK_CHAOS_OUTSIDE";
/// The namespace we are in.
const HERE: &str = "/proc/self/ns/net";

/// Whether this is the inner run.
///
/// # Errors
/// The mark of the inner run is set, and yet the network is the one outside: rules of ours would drop
/// datagrams of the whole machine.
pub fn is_inside() -> Result<bool, String> {
    let Some(outside) = env::var_os(OUTSIDE) else { return Ok(false) };
    if here()? == outside {
        return Err(format!("{OUTSIDE} is set by hand: this is no network of our own"));
    }
    Ok(true)
}

/// Whether this is the test `name` inside a network of its own, with its loopback interface on; else runs it there.
///
/// # Panics
/// When the test fails there, or there can be no such network: what is missing or not permitted, and what to do about
/// it.
#[must_use]
#[track_caller]
pub fn is_alone(name: &str) -> bool {
    if is_inside().unwrap_or_else(|error| panic!("{error}")) {
        loopback_up().unwrap_or_else(|error| panic!("{error}"));
        return true;
    }
    let status = run_inside(&[name, "--exact", "--nocapture"]).unwrap_or_else(|error| panic!("{error}"));
    assert!(status.success(), "{name} failed in a network of its own: {status}");
    false
}

/// Runs this program again with these arguments in a network of its own, and gives back how that ended.
///
/// # Errors
/// What is missing or not permitted, and what to do about it.
pub fn run_inside(arguments: &[&str]) -> Result<ExitStatus, String> {
    let unshare = |program: PathBuf| {
        let mut command = Command::new("unshare");
        // SAFETY: geteuid has no preconditions.
        if unsafe { libc::geteuid() } != 0 {
            command.args(["--user", "--map-root-user"]);
        }
        command.arg("--net").arg(program);
        command
    };
    let probe = unshare(PathBuf::from("true")).output();
    let probe = probe.map_err(|error| format!("unshare cannot be started ({error}): package util-linux"))?;
    if !probe.status.success() {
        return Err(format!(
            "no network of our own: {}\nRun this as root, or let users make namespaces \
             (sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0); \
             in a container, allow CAP_SYS_ADMIN and CAP_NET_ADMIN.",
            String::from_utf8_lossy(&probe.stderr).trim()
        ));
    }
    let program = env::current_exe().map_err(|error| format!("our own path: {error}"))?;
    let mut command = unshare(program);
    command.args(arguments).env(OUTSIDE, here()?);
    command.status().map_err(|error| format!("unshare: {error}"))
}

/// Switches the loopback interface on, which is down in a new namespace.
///
/// # Errors
/// What `ip` says, or that it is missing.
pub fn loopback_up() -> Result<(), String> {
    run("ip", "iproute2", &["link", "set", "lo", "up"]).map(drop)
}

/// Runs a program of the system to its end and gives back what it printed.
///
/// # Errors
/// That it is missing and in which package it is, or what it says.
pub fn run(program: &str, package: &str, arguments: &[&str]) -> Result<Vec<u8>, String> {
    let output = Command::new(place(program)).args(arguments).output();
    let output =
        output.map_err(|error| format!("{program} cannot be started ({error}): package {package}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{program} {}: {}", arguments.join(" "), said.trim()))
}

/// Where a program of the system is: Debian keeps those of networks outside the path of users.
pub(crate) fn place(program: &str) -> PathBuf {
    let path = ["/usr/sbin", "/sbin"].map(|folder| PathBuf::from(folder).join(program));
    path.into_iter().find(|path| path.is_file()).unwrap_or_else(|| PathBuf::from(program))
}

fn here() -> Result<PathBuf, String> {
    fs::read_link(HERE).map_err(|error| format!("{HERE}: {error}"))
}
