//! Devices and the desk's socket: one thread that waits for all of them, and carries bytes to the pure parts and back.
//!
//! It never stops for a device: what cannot be opened, breaks off or says rubbish has a line in the log and is left out,
//! and comes back by itself. A hidraw device is written to by a thread of its own, because a write waits for the device.
//! While the desk cannot be reached nothing is sent, and nothing is sent later: an answer must not come a minute after
//! the handset was lifted.

mod hotplug;
mod input;
mod link;
mod nodes;
mod telephone;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use tracing::{debug, info, warn};

use self::hotplug::Hotplug;
use self::input::{Input, Screen};
use self::link::{Heard, Link};
use self::nodes::{Node, Nodes};
use self::telephone::Wired;
use crate::desk::{Act, Glance};
use crate::keys::Out;
use crate::reset::ResetKey;
use crate::table::DeviceTable;

const LINK: Token = Token(0);
const HOTPLUG: Token = Token(1);
/// Events of one look.
const LOOK: usize = 64;
/// Devices at once; a desk has a handful.
const MOST: usize = 64;
/// What could not be opened is tried again after this time, even if nobody says that it has changed.
const RETRY: Duration = Duration::from_secs(5);

/// Where things are.
#[derive(Clone, Debug)]
pub struct Config {
    /// The desk's socket.
    pub socket: PathBuf,
    /// `/dev`.
    pub dev: PathBuf,
    /// `/sys`.
    pub sys: PathBuf,
    /// Is made when the key of the factory reset was held ([`crate::reset`]), for who has the right to do it.
    pub reset_wish: Option<PathBuf>,
}

/// Why nothing can be done at all.
#[derive(Debug, thiserror::Error)]
pub enum ShellError {
    /// The system gives no way to wait for devices.
    #[error("cannot wait for devices: {0}")]
    Wait(#[source] io::Error),
    /// Devices that come and go cannot be heard of.
    #[error("cannot watch {path}: {error}", path = path.display())]
    Watch {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: io::Error,
    },
}

/// A device that is open.
enum Device {
    Input(Box<Input>),
    Telephone(Box<Wired>),
}

struct Shell {
    poll: Poll,
    started: Instant,
    table: DeviceTable,
    nodes: Nodes,
    hotplug: Hotplug,
    link: Link,
    devices: BTreeMap<usize, (Node, Device)>,
    next: usize,
    screen: Screen,
    desk: Glance,
    reset_wish: Option<PathBuf>,
    /// Where there is somebody to tell.
    reset: Option<ResetKey>,
    /// When to look for devices again.
    scan: Option<Duration>,
}

/// Runs for ever.
///
/// # Errors
/// [`ShellError`], at the start only.
pub fn run(config: &Config, table: DeviceTable) -> Result<(), ShellError> {
    let poll = Poll::new().map_err(ShellError::Wait)?;
    let watch = |error| ShellError::Watch { path: config.dev.clone(), error };
    let hotplug = Hotplug::new(&config.dev).map_err(watch)?;
    let registry = poll.registry();
    registry
        .register(&mut SourceFd(&hotplug.raw_fd()), HOTPLUG, Interest::READABLE)
        .map_err(ShellError::Wait)?;
    let mut shell = Shell {
        poll,
        started: Instant::now(),
        reset: config
            .reset_wish
            .as_ref()
            .and(table.reset_key())
            .map(|code| ResetKey::new(code, since_start())),
        reset_wish: config.reset_wish.clone(),
        table,
        nodes: Nodes::new(&config.dev, &config.sys),
        hotplug,
        link: Link::new(&config.socket),
        devices: BTreeMap::new(),
        next: HOTPLUG.0 + 1,
        screen: Screen::default(),
        desk: Glance::default(),
        scan: Some(Duration::ZERO),
    };
    let mut events = Events::with_capacity(LOOK);
    loop {
        shell.turn(&mut events).map_err(ShellError::Wait)?;
    }
}

impl Shell {
    fn turn(&mut self, events: &mut Events) -> io::Result<()> {
        let due = self.due().map(|due| due.saturating_sub(self.now()));
        match self.poll.poll(events, due) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            done => done?,
        }
        for event in events.iter() {
            match event.token() {
                LINK => self.listen(),
                HOTPLUG => {
                    if self.hotplug.changed() {
                        self.scan = Some(Duration::ZERO);
                    }
                }
                Token(device) => self.read(device),
            }
        }
        let now = self.now();
        if self.link.connect_if_due(now, self.poll.registry(), LINK) {
            self.listen();
        }
        if self.scan.is_some_and(|scan| scan <= now) {
            self.look_for_devices();
        }
        self.tick();
        Ok(())
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn due(&self) -> Option<Duration> {
        let devices = self.devices.values().filter_map(|(_, device)| match device {
            Device::Input(input) => input.keys.due(),
            Device::Telephone(wired) => wired.telephone.due(),
        });
        let reset = self.reset.as_ref().and_then(ResetKey::due);
        devices.chain(self.link.due()).chain(self.scan).chain(reset).min()
    }

    /// What the desk says.
    fn listen(&mut self) {
        let now = self.now();
        for heard in self.link.hear(now, self.poll.registry()) {
            match heard {
                Heard::View(view) => {
                    self.desk = Glance::of(&view);
                    if self.screen.num_lock.screen(self.desk.has_screen) {
                        self.tell_num_lock();
                    }
                }
                Heard::Done(Ok(())) => {}
                // An empty desk: a handset that is lifted to look whether it works.
                Heard::Done(Err(ipc::CommandError::NothingToDo)) => debug!("there was no call to act on"),
                Heard::Done(Err(error)) => info!("the desk did not do it: {error}"),
                // Its calls are gone with it.
                Heard::Gone => {
                    self.desk = Glance::default();
                    self.screen.num_lock.desk_gone();
                }
            }
        }
    }

    /// Keypads are what the screen takes them for.
    fn tell_num_lock(&mut self) {
        let on = self.screen.num_lock.is_on();
        for (_, device) in self.devices.values_mut() {
            if let Device::Input(input) = device {
                input.follow_num_lock(on);
            }
        }
    }

    fn read(&mut self, number: usize) {
        let now = self.now();
        let Some((_, device)) = self.devices.get_mut(&number) else { return };
        let reset = &mut self.reset;
        let (done, out) = match device {
            Device::Input(input) => input.read(now, &self.desk, |code, value| {
                if let Some(reset) = reset {
                    reset.key(now, code, value);
                }
            }),
            Device::Telephone(wired) => {
                let (done, acts) = wired.read(now);
                (done, acts.into_iter().map(Out::Act).collect())
            }
        };
        self.carry_out(number, out);
        if let Err(error) = done {
            self.close(number, &error);
        }
    }

    /// The reset itself is done by who may, before the next start opens a database.
    fn wish_reset(&self) {
        let Some(path) = &self.reset_wish else { return };
        match fs::write(path, "") {
            Ok(()) => warn!("the key of the factory reset was held and let go: the box is to be reset"),
            Err(error) => warn!(path = %path.display(), "the factory reset cannot be asked for: {error}"),
        }
    }

    /// Everything that comes of time, and every lamp.
    fn tick(&mut self) {
        let now = self.now();
        if self.reset.as_mut().is_some_and(|reset| reset.tick(now)) {
            self.wish_reset();
        }
        for number in self.devices.keys().copied().collect::<Vec<_>>() {
            let out = match self.devices.get_mut(&number) {
                Some((_, Device::Input(input))) => input.keys.tick(now),
                Some((_, Device::Telephone(wired))) => {
                    wired.telephone.tick(now).into_iter().map(Out::Act).collect()
                }
                None => continue,
            };
            self.carry_out(number, out);
        }
        let lamps = self.desk.lamps;
        for (_, device) in self.devices.values_mut() {
            match device {
                Device::Input(input) => input.show(lamps),
                Device::Telephone(wired) => wired.show(now, lamps),
            }
        }
    }

    fn carry_out(&mut self, number: usize, out: Vec<Out>) {
        for out in out {
            match out {
                Out::Act(act) => self.act(number, act),
                Out::Key { code, down } => self.screen.key(code, down),
                Out::NumLock(on) => {
                    self.screen.num_lock.switched(on);
                    self.tell_num_lock();
                }
                Out::Stuck { code } => {
                    let device = self.devices.get(&number).map(|(node, _)| node.path.display().to_string());
                    warn!(device, code, "a key is stuck, and counts as released");
                }
            }
        }
    }

    fn act(&mut self, number: usize, act: Act) {
        let Some(command) = self.desk.command(act) else {
            debug!(?act, "means nothing now");
            return;
        };
        let device = self.devices.get(&number).map(|(node, _)| node.path.display().to_string());
        if self.link.command(command.clone()) {
            // Digits are what a caller or the operator keys in, which may be a PIN.
            let digits = matches!(command, ipc::Command::Digits { .. });
            debug!(device, command = (!digits).then(|| format!("{command:?}")), "the desk was told");
        } else {
            warn!(device, "a key or the hook was of no use: the desk cannot be reached");
        }
    }

    fn look_for_devices(&mut self) {
        self.scan = None;
        let is_open = |path: &Path, devices: &BTreeMap<usize, (Node, Device)>| {
            devices.values().any(|(node, _)| node.path == path)
        };
        for node in self.nodes.list() {
            if is_open(&node.path, &self.devices) || self.nodes.is_passed_over(&node) {
                continue;
            }
            if self.devices.len() >= MOST {
                warn!(MOST, "a device is left out: there are too many");
                return;
            }
            match self.open(&node) {
                Ok(Some(device)) => self.add(node, device),
                Ok(None) => self.nodes.pass_over(&node),
                Err(reason) => {
                    // Its owner may be about to change.
                    self.scan = Some(self.now() + RETRY);
                    if self.nodes.is_news(&node, &reason) {
                        warn!(device = %node.path.display(), "a device cannot be used: {reason}");
                    }
                }
            }
        }
    }

    /// `None`: it is of no use here.
    fn open(&mut self, node: &Node) -> Result<Option<Device>, String> {
        if node.is_hidraw {
            let wired = Wired::open(node, &self.nodes, &self.table)?;
            return Ok(wired.map(|wired| Device::Telephone(Box::new(wired))));
        }
        let reset_key = self.reset.as_ref().map(ResetKey::code);
        let input = Input::open(node, &self.table, &mut self.screen, reset_key)?;
        let now = self.now();
        if let (Some(input), Some(reset)) = (&input, &mut self.reset) {
            reset.found(now, &input.down);
        }
        Ok(input.map(|input| Device::Input(Box::new(input))))
    }

    fn add(&mut self, node: Node, device: Device) {
        let (fd, name, what) = match &device {
            Device::Input(input) => (input.raw_fd(), &input.name, input.keys.what()),
            Device::Telephone(wired) => (wired.raw_fd(), &wired.name, wired.telephone.what()),
        };
        let number = self.next;
        self.next += 1;
        if let Err(error) =
            self.poll.registry().register(&mut SourceFd(&fd), Token(number), Interest::READABLE)
        {
            warn!(device = %node.path.display(), "a device cannot be waited for: {error}");
            return;
        }
        info!(device = %node.path.display(), name, what, "a device came");
        self.devices.insert(number, (node, device));
        self.tell_siblings();
        // What it said before it was waited for.
        self.read(number);
    }

    fn close(&mut self, number: usize, error: &io::Error) {
        let Some((node, mut device)) = self.devices.remove(&number) else { return };
        let (fd, out) = match &mut device {
            Device::Input(input) => (input.raw_fd(), input.keys.gone()),
            Device::Telephone(wired) => (wired.raw_fd(), Vec::new()),
        };
        // Closing it does the same.
        let _ = self.poll.registry().deregister(&mut SourceFd(&fd));
        drop(device);
        if let Some(reset) = &mut self.reset {
            reset.gone();
        }
        info!(device = %node.path.display(), "a device went: {error}");
        self.carry_out(number, out);
        self.tell_siblings();
        // Another may have taken its name already.
        self.scan = Some(Duration::ZERO);
    }

    /// Lets the keys of a device know which of them are heard by its telephone.
    fn tell_siblings(&mut self) {
        let telephones: Vec<(PathBuf, [bool; 3])> = self
            .devices
            .values()
            .filter_map(|(node, device)| match device {
                Device::Telephone(wired) => {
                    Some((node.sys.clone()?, input::SHARED.map(|code| wired.telephone.covers(code))))
                }
                Device::Input(_) => None,
            })
            .collect();
        for (node, device) in self.devices.values_mut() {
            if let (Device::Input(input), Some(sys)) = (device, &node.sys) {
                let sibling = telephones.iter().find(|(telephone, _)| sys.starts_with(telephone));
                input.covered = sibling.map(|(_, covered)| *covered).unwrap_or_default();
            }
        }
    }
}

/// Since the kernel started, however often this program did.
fn since_start() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs().try_into().unwrap_or_default())
}
