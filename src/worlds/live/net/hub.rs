//! The process in the middle: it starts the machines, hands on their messages, and lets go wrong what may.

use super::end::AtEnd;
use super::member::{FOLDER, clean_up, print};
use super::pipe::Pipe;
use super::role::HANG;
use super::system::{Faults, One, Stream};
use super::wire::{Answer, Letter, Said, Welcome, say};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A run in which nothing has happened for so long does not come to an end. Time-outs are much shorter.
const PATIENCE: Duration = Duration::from_secs(5);

/// A run with more messages does not come to an end, or not to a good one.
const MOST_LETTERS: u32 = 300;

/// How often an open hub looks whether it is to give up.
const TICK: Duration = Duration::from_millis(50);

/// Who starts the machines.
pub enum Mode {
    /// The hub, by this command.
    Starts(Vec<OsString>),
    /// Others. They also decide what crashes.
    Open {
        port: u16,
        interrupted: fn() -> bool,
    },
}

/// How a run ends.
pub enum Ended {
    /// Nothing can happen any more.
    Quiet,
    /// Who watches has ended it; or it was given up.
    Label(String),
    /// A machine has panicked.
    Panicked(String),
}

enum Event {
    /// Somebody has connected: a control connection with this number.
    Came(u64, TcpStream),
    Said(u64, Said),
    Gone(u64),
    Letter(Letter),
}

/// What is to happen later.
enum Later {
    Deliver(Letter),
    Crash(usize),
    Stop(usize),
}

#[derive(PartialEq)]
enum State {
    /// It was started, but is not there yet.
    Awaited,
    Busy,
    Waits {
        received: u64,
        sent: u64,
        timed: bool,
    },
    Returned {
        result: String,
        sent: u64,
    },
    Stopped,
}

struct Member {
    one: One,
    state: State,
    life: u32,
    child: Option<Child>,
    control: Option<(u64, TcpStream)>,
    port: u16,
    /// Messages handed on to, and taken from, this life of it.
    delivered: u64,
    taken: u64,
    skew: i64,
}

pub struct Hub {
    members: Vec<Member>,
    streams: Vec<(Stream, Pipe)>,
    faults: Faults,
    mode: Mode,
    folder: TempDir,
    address: SocketAddr,
    socket: UdpSocket,
    events: Receiver<Event>,
    /// Those who have connected, and not said yet who they are.
    strangers: BTreeMap<u64, TcpStream>,
    over: Arc<AtomicBool>,
    later: Vec<(Instant, Later)>,
    letters: u32,
}

/// The folder of a run.
pub fn new_folder() -> io::Result<TempDir> {
    let folder = tempfile::Builder::new().prefix(FOLDER).tempdir();
    folder.map_err(|error| {
        let message = format!("cannot make a temporary folder: {error}");
        io::Error::new(error.kind(), message)
    })
}

impl Hub {
    pub fn open(
        machines: Vec<One>,
        streams: Vec<Stream>,
        faults: Faults,
        mode: Mode,
    ) -> io::Result<Hub> {
        let port = match mode {
            Mode::Starts(_) => 0,
            Mode::Open { port, .. } => port,
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("cannot listen on port {port} of 127.0.0.1: {error}"),
            )
        })?;
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let folder = new_folder()?;
        let (to, events) = mpsc::channel();
        let over = Arc::new(AtomicBool::new(false));
        let address = listener.local_addr()?;
        take_letters(socket.try_clone()?, to.clone());
        take_members(listener, to, Arc::clone(&over));
        let streams = streams.into_iter().map(|stream| {
            let pipe = Pipe::open(stream.from.len())?;
            Ok((stream, pipe))
        });
        let streams = streams.collect::<io::Result<_>>()?;
        let mut members = Vec::new();
        for one in machines {
            let own = folder.path().join(one.name);
            fs::create_dir(&own)?;
            for (name, contents) in &one.files {
                fs::write(own.join(name), contents)?;
            }
            members.push(Member::new(one));
        }
        Ok(Hub {
            members,
            streams,
            faults,
            mode,
            folder,
            address,
            socket,
            events,
            strangers: BTreeMap::new(),
            over,
            later: Vec::new(),
            letters: 0,
        })
    }

    /// Runs the machines until nothing can happen any more.
    pub fn run(&mut self, watch: &mut dyn FnMut(&str, &Value) -> Result<(), String>) -> Ended {
        for machine in 0..self.members.len() {
            if let Err(error) = self.start(machine) {
                return Ended::Panicked(format!("cannot start a machine: {error}"));
            }
        }
        self.note(|hub| {
            let missing = hub.missing().join(", ");
            format!(
                "listening on port {}; waiting for {missing}",
                hub.address.port()
            )
        });
        let mut idle_since = Instant::now();
        loop {
            if let Err(error) = self.do_what_is_due() {
                return Ended::Panicked(format!("a machine is out of reach: {error}"));
            }
            if self.is_quiet() {
                return Ended::Quiet;
            }
            match self.events.recv_timeout(self.next_due()) {
                Ok(event) => {
                    idle_since = Instant::now();
                    if let Some(ended) = self.take(event, watch) {
                        return ended;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ended::Label(HANG.to_owned()),
            }
            let gives_up = match self.mode {
                Mode::Starts(_) => idle_since.elapsed() >= PATIENCE || self.letters > MOST_LETTERS,
                Mode::Open { interrupted, .. } => interrupted(),
            };
            if gives_up {
                return Ended::Label(HANG.to_owned());
            }
        }
    }

    /// The machines at the end.
    pub fn at_end(&self) -> Vec<AtEnd> {
        let members = self.members.iter().map(|member| AtEnd {
            name: member.one.name.to_owned(),
            returned: match &member.state {
                State::Returned { result, .. } => Some(result.clone()),
                _ => None,
            },
            stopped: member.state == State::Stopped,
            folder: self.folder.path().join(member.one.name),
        });
        members.collect()
    }

    fn note(&self, text: impl FnOnce(&Hub) -> String) {
        if let Mode::Open { .. } = self.mode {
            print(&text(self));
        }
    }

    /// The machines that nobody has started yet.
    fn missing(&self) -> Vec<&'static str> {
        let members = self.members.iter();
        let missing = members.filter(|member| member.state == State::Awaited);
        missing.map(|member| member.one.name).collect()
    }

    /// Starts a machine, if that is this process's business.
    fn start(&mut self, machine: usize) -> io::Result<()> {
        let Mode::Starts(command) = &self.mode else {
            return Ok(());
        };
        let member = &mut self.members[machine];
        let child = Command::new(&command[0])
            .args(&command[1..])
            .args(["--machine", member.one.name])
            .args(["--life", &member.life.to_string()])
            .args(["--hub", &self.address.to_string()])
            .arg("--folder")
            .arg(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        member.child = Some(child);
        Ok(())
    }

    /// Whether nothing can happen any more.
    fn is_quiet(&self) -> bool {
        let settled = |member: &Member| match member.state {
            State::Stopped => true,
            State::Returned { sent, .. } => sent == member.taken,
            State::Awaited | State::Busy => false,
            State::Waits {
                received,
                sent,
                timed,
            } => !timed && received == member.delivered && sent == member.taken,
        };
        self.later.is_empty() && self.members.iter().all(settled)
    }

    fn next_due(&self) -> Duration {
        let due = self.later.iter().map(|(due, _)| *due).min();
        let left = due.map(|due| due.saturating_duration_since(Instant::now()));
        left.unwrap_or(TICK).min(TICK)
    }

    fn do_what_is_due(&mut self) -> io::Result<()> {
        let now = Instant::now();
        let (due, later) = std::mem::take(&mut self.later)
            .into_iter()
            .partition(|(due, _)| *due <= now);
        self.later = later;
        for (_, what) in due {
            match what {
                Later::Deliver(letter) => self.deliver(letter)?,
                Later::Crash(machine) => self.crash(machine)?,
                Later::Stop(machine) => self.stop(machine),
            }
        }
        Ok(())
    }

    fn after(&mut self, delay: Duration, what: Later) {
        self.later.push((Instant::now() + delay, what));
    }

    fn take(
        &mut self,
        event: Event,
        watch: &mut dyn FnMut(&str, &Value) -> Result<(), String>,
    ) -> Option<Ended> {
        match event {
            Event::Letter(letter) => self.post(letter),
            Event::Came(number, control) => drop(self.strangers.insert(number, control)),
            Event::Gone(number) => return self.gone(number),
            Event::Said(number, said) => return self.hear(number, said, watch),
        }
        None
    }

    /// Takes a message, and decides what becomes of it.
    fn post(&mut self, letter: Letter) {
        self.letters += 1;
        let Some(sender) = self.number(&letter.from) else {
            return;
        };
        self.note(|_| format!("{} sends {} to {}", letter.from, letter.shown, letter.to));
        if self.members[sender].life == letter.life {
            self.members[sender].taken += 1;
        }
        self.may_break_off(sender);
        if self.faults.loses() {
            self.note(|_| "  which is lost".to_owned());
            return;
        }
        if self.faults.doubles() {
            self.note(|_| "  which will come twice".to_owned());
            let travel = self.faults.travel();
            self.after(travel, Later::Deliver(letter.clone()));
        }
        let travel = self.faults.travel();
        self.after(travel, Later::Deliver(letter));
    }

    fn deliver(&mut self, letter: Letter) -> io::Result<()> {
        let Some(machine) = self.number(&letter.to) else {
            return Ok(());
        };
        let member = &mut self.members[machine];
        match member.state {
            State::Returned { .. } | State::Stopped => return Ok(()),
            // Until it is there, the message is under way.
            State::Awaited => {
                self.after(TICK / 10, Later::Deliver(letter));
                return Ok(());
            }
            State::Busy | State::Waits { .. } => {}
        }
        let bytes = serde_json::to_vec(&letter)?;
        self.socket
            .send_to(&bytes, (Ipv4Addr::LOCALHOST, member.port))?;
        member.delivered += 1;
        self.may_break_off(machine);
        Ok(())
    }

    /// Perhaps lets a machine crash or stop, shortly.
    fn may_break_off(&mut self, machine: usize) {
        if let Mode::Open { .. } = self.mode {
            return;
        }
        let (crashes, stops) = {
            let one = &self.members[machine].one;
            (one.crashes, one.stops)
        };
        if crashes && self.faults.crashes() {
            self.after(Faults::shortly(), Later::Crash(machine));
        } else if stops && self.faults.stops() {
            self.after(Faults::shortly(), Later::Stop(machine));
        }
    }

    fn crash(&mut self, machine: usize) -> io::Result<()> {
        if let State::Returned { .. } | State::Stopped = self.members[machine].state {
            return Ok(());
        }
        self.members[machine].end();
        self.members[machine].next_life();
        self.start(machine)
    }

    fn stop(&mut self, machine: usize) {
        if let State::Returned { .. } = self.members[machine].state {
            return;
        }
        self.members[machine].end();
        self.members[machine].state = State::Stopped;
    }

    /// A control connection has ended.
    fn gone(&mut self, number: u64) -> Option<Ended> {
        self.strangers.remove(&number);
        let machine = self.connected(number)?;
        let member = &mut self.members[machine];
        let name = member.one.name;
        if let State::Returned { .. } | State::Stopped = member.state {
            return None;
        }
        if let Mode::Starts(_) = self.mode {
            let message = format!("the process of {name} has ended in the middle");
            return Some(Ended::Panicked(message));
        }
        member.end();
        member.next_life();
        let mut streams = self.streams.iter();
        if streams.any(|(stream, _)| stream.from.contains(&machine) || stream.to == machine) {
            let message = format!("{name} has crashed, and no stream outlives that");
            return Some(Ended::Panicked(message));
        }
        self.note(|_| format!("{name} has crashed: start it again"));
        None
    }

    fn hear(
        &mut self,
        number: u64,
        said: Said,
        watch: &mut dyn FnMut(&str, &Value) -> Result<(), String>,
    ) -> Option<Ended> {
        if let Said::Hello {
            machine,
            life,
            port,
        } = said
        {
            self.welcome(&machine, life, port, number);
            return None;
        }
        let machine = self.connected(number)?;
        let name = self.members[machine].one.name;
        match said {
            Said::Hello { .. } => {}
            Said::Waits {
                received,
                sent,
                timed,
            } => {
                self.members[machine].state = State::Waits {
                    received,
                    sent,
                    timed,
                };
            }
            Said::Tells(what) => {
                self.note(|_| format!("{name} says {what}"));
                if let Err(label) = watch(name, &what) {
                    return Some(Ended::Label(label));
                }
                self.members[machine].tell(&Answer::Heard);
            }
            Said::Syncs => {
                let ok = !self.faults.fails_to_sync();
                self.members[machine].tell(&Answer::Syncs(ok));
            }
            Said::Returned { result, sent } => {
                self.note(|_| format!("{name} returns {result}"));
                self.members[machine].state = State::Returned { result, sent };
            }
            Said::Panicked(message) => return Some(Ended::Panicked(message)),
        }
        None
    }

    /// Takes a machine in. The connection of one that nobody waits for ends here.
    fn welcome(&mut self, name: &str, life: u32, port: u16, number: u64) {
        let Some(control) = self.strangers.remove(&number) else {
            return;
        };
        let Some(machine) = self.number(name) else {
            let _ = control.shutdown(Shutdown::Both);
            return;
        };
        let welcome = self.welcome_of(machine);
        let member = &mut self.members[machine];
        if member.state != State::Awaited || !member.is_life(life, &self.mode) {
            let _ = control.shutdown(Shutdown::Both);
            return;
        }
        (member.state, member.port) = (State::Busy, port);
        member.control = Some((number, control));
        member.tell(&Answer::Welcome(welcome));
        self.note(|hub| match hub.missing().as_slice() {
            [] => format!("{name} is there"),
            missing => format!("{name} is there; waiting for {}", missing.join(", ")),
        });
    }

    fn welcome_of(&self, machine: usize) -> Welcome {
        let mut welcome = Welcome {
            post: self
                .socket
                .local_addr()
                .expect("a bound socket has an address"),
            writes: BTreeMap::new(),
            reads: BTreeMap::new(),
            folder: self.folder.path().join(self.members[machine].one.name),
            skew: self.members[machine].skew,
        };
        for (stream, pipe) in &self.streams {
            let name = stream.name.to_owned();
            if stream.to == machine {
                welcome.reads.insert(name.clone(), pipe.reads);
            }
            if stream.from.contains(&machine) {
                welcome.writes.insert(name, pipe.writes);
            }
        }
        welcome
    }

    /// The machine with this control connection.
    fn connected(&self, number: u64) -> Option<usize> {
        let is_it = |member: &Member| matches!(&member.control, Some((own, _)) if *own == number);
        self.members.iter().position(is_it)
    }

    fn number(&self, name: &str) -> Option<usize> {
        self.members
            .iter()
            .position(|member| member.one.name == name)
    }
}

impl Member {
    fn new(one: One) -> Member {
        let most = one.skew as i64;
        Member {
            skew: [0, most, -most][fastrand::usize(..3)],
            one,
            state: State::Awaited,
            life: 0,
            child: None,
            control: None,
            port: 0,
            delivered: 0,
            taken: 0,
        }
    }

    /// Whether that is the life that is awaited. Those started by others do not count.
    fn is_life(&self, life: u32, mode: &Mode) -> bool {
        matches!(mode, Mode::Open { .. }) || self.life == life
    }

    fn tell(&self, what: &Answer) {
        if let Some((_, control)) = &self.control {
            // If it is gone, the end of its connection says so.
            let _ = say(control, what);
        }
    }

    fn next_life(&mut self) {
        self.life += 1;
        (self.delivered, self.taken) = (0, 0);
        self.state = State::Awaited;
    }

    /// Kills its process, if it is ours.
    fn end(&mut self) {
        self.control = None;
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        // While there are machines, one of them would clean up after a kill of this process.
        clean_up(self.folder.path());
        self.members.iter_mut().for_each(Member::end);
        self.over.store(true, Relaxed);
        // Those who listen look again, and find that nobody takes what they bring.
        let _ = TcpStream::connect(self.address);
        if let Ok(own) = self.socket.local_addr() {
            let _ = self.socket.send_to(b"", own);
        }
    }
}

/// Takes messages off the network, until nobody wants them any more.
fn take_letters(socket: UdpSocket, to: Sender<Event>) {
    thread::spawn(move || {
        let mut bytes = vec![0; 1 << 16];
        while let Ok(size) = socket.recv(&mut bytes) {
            let letter = serde_json::from_slice(&bytes[..size]);
            let taken = letter.map(|letter| to.send(Event::Letter(letter)));
            if size == 0 || matches!(taken, Ok(Err(_))) {
                return;
            }
        }
    });
}

/// Takes machines in, until nobody wants them any more.
fn take_members(listener: TcpListener, to: Sender<Event>, over: Arc<AtomicBool>) {
    thread::spawn(move || {
        let connections = listener.incoming().map_while(Result::ok);
        for (number, control) in (0..).zip(connections) {
            if over.load(Relaxed) {
                return;
            }
            let _ = control.set_nodelay(true);
            let to = to.clone();
            thread::spawn(move || listen(number, control, &to));
        }
    });
}

/// Listens to one machine, to its end.
fn listen(number: u64, control: TcpStream, to: &Sender<Event>) {
    let Ok(lines) = control.try_clone() else {
        return;
    };
    let _ = to.send(Event::Came(number, control));
    for line in BufReader::new(lines).lines().map_while(Result::ok) {
        let Ok(said) = serde_json::from_str(&line) else {
            break;
        };
        if to.send(Event::Said(number, said)).is_err() {
            return;
        }
    }
    let _ = to.send(Event::Gone(number));
}
