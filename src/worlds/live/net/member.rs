//! A machine's connections to the hub.

use super::Content;
use super::stream::Stream;
use super::wire::{Answer, Letter, Said, Welcome, say};
use heisenbug_trace::keep;
use std::cell::RefCell;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How much shorter time-outs are than the program says.
pub const FASTER: u32 = 20;

/// How the name of a run's folder begins, among the temporary ones.
pub const FOLDER: &str = "heisenbug-machines-";

/// The largest message, in bytes.
const LARGEST: usize = 60_000;

/// A machine, to the hub.
pub struct Member {
    pub name: &'static str,
    life: u32,
    /// The names of all machines.
    names: Vec<&'static str>,
    control: TcpStream,
    answers: Receiver<Answer>,
    socket: UdpSocket,
    welcome: Welcome,
    received: u64,
    sent: u64,
    /// Whether it says what it does.
    aloud: bool,
}

thread_local! {
    /// The machine that this process is.
    static MEMBER: RefCell<Option<Member>> = const { RefCell::new(None) };
}

/// Calls `f` with the machine that this process is.
///
/// # Panics
///
/// Outside of a machine's function.
#[track_caller]
pub fn with<R>(f: impl FnOnce(&mut Member) -> R) -> R {
    MEMBER.with_borrow_mut(|member| f(member.as_mut().expect("only a machine can do this")))
}

/// Makes this process a machine.
pub fn enter(member: Member) {
    MEMBER.set(Some(member));
}

/// A message as it is received.
pub struct Received {
    from: &'static str,
    content: String,
}

impl Received {
    /// Sender and content.
    ///
    /// # Panics
    ///
    /// If the content is of another type.
    #[track_caller]
    pub fn opened<M: Content>(self) -> (&'static str, M) {
        let content = keep(&self.content);
        match serde_json::from_str(content) {
            Ok(message) => (self.from, message),
            Err(_) => panic!(
                "the message from {} is no {}: {content}",
                self.from,
                std::any::type_name::<M>()
            ),
        }
    }
}

impl Member {
    /// Connects to the hub.
    pub fn join(
        name: &str,
        life: u32,
        hub: SocketAddr,
        names: &[&'static str],
        aloud: bool,
    ) -> io::Result<Member> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let control = TcpStream::connect(hub)?;
        control.set_nodelay(true)?;
        let hello = Said::Hello {
            machine: name.to_owned(),
            life,
            port: socket.local_addr()?.port(),
        };
        say(&control, &hello)?;
        let mut lines = BufReader::new(control.try_clone()?);
        let welcome = match answer(&mut lines) {
            Some(Answer::Welcome(welcome)) => welcome,
            _ => return Err(io::Error::other("the hub has no place for this machine")),
        };
        let answers = listen(lines, welcome.folder.clone(), aloud);
        Ok(Member {
            name: keep(name),
            life,
            names: names.to_vec(),
            control,
            answers,
            socket,
            welcome,
            received: 0,
            sent: 0,
            aloud,
        })
    }

    pub fn folder(&self) -> &Path {
        &self.welcome.folder
    }

    fn note(&self, what: &str) {
        if self.aloud {
            print(what);
        }
    }

    fn say(&self, what: &Said) {
        if say(&self.control, what).is_err() {
            wait_for_the_end();
        }
    }

    fn ask(&self, what: &Said) -> Answer {
        self.say(what);
        self.answers.recv().unwrap_or_else(|_| wait_for_the_end())
    }

    #[track_caller]
    pub fn send(&mut self, to: &str, message: &impl Content) {
        if !self.names.contains(&to) {
            let all = self.names.join(", ");
            panic!("there is no machine {to}: there are {all}");
        }
        let shown = format!("{message:?}");
        self.note(&format!("sends {shown} to {to}"));
        let letter = Letter {
            from: self.name.to_owned(),
            life: self.life,
            to: to.to_owned(),
            content: serde_json::to_value(message).expect("a message can be serialised"),
            shown,
        };
        let bytes = serde_json::to_vec(&letter).expect("a letter can be serialised");
        assert!(
            bytes.len() <= LARGEST,
            "a message of {} bytes is too large",
            bytes.len()
        );
        let sent = self.socket.send_to(&bytes, self.welcome.post);
        sent.expect("loopback takes a datagram");
        self.sent += 1;
    }

    /// The next message. `None` after the time-out.
    pub fn receive(&mut self, timeout: Option<Duration>) -> Option<Received> {
        self.waits(timeout.is_some());
        let deadline = timeout.map(|timeout| Instant::now() + timeout / FASTER);
        let mut bytes = vec![0; LARGEST];
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                self.note("its timer fires");
                return None;
            }
            self.socket
                .set_read_timeout(left)
                .expect("a time-out can be set");
            let Ok((size, from)) = self.socket.recv_from(&mut bytes) else {
                continue;
            };
            let letter = serde_json::from_slice::<Letter>(&bytes[..size]);
            if let (Ok(letter), true) = (letter, from == self.welcome.post) {
                self.received += 1;
                self.note(&format!("receives {} from {}", letter.shown, letter.from));
                return Some(Received {
                    from: keep(&letter.from),
                    content: letter.content.to_string(),
                });
            }
        }
    }

    pub fn sleep(&mut self, duration: Duration) {
        self.waits(true);
        thread::sleep(duration / FASTER);
    }

    fn waits(&self, timed: bool) {
        self.say(&Said::Waits {
            received: self.received,
            sent: self.sent,
            timed,
        });
    }

    pub fn now(&self) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let millis = now.unwrap_or_default().as_millis() as u64;
        millis.saturating_add_signed(self.welcome.skew)
    }

    pub fn tell(&self, what: &impl Content) {
        self.note(&format!("says {what:?}"));
        let what = serde_json::to_value(what).expect("what is told can be serialised");
        self.ask(&Said::Tells(what));
    }

    pub fn may_sync(&self) -> bool {
        matches!(self.ask(&Said::Syncs), Answer::Syncs(true))
    }

    #[track_caller]
    pub fn stream(&self, name: &str) -> Stream {
        let known = self
            .welcome
            .writes
            .get(name)
            .or(self.welcome.reads.get(name));
        let Some(address) = known else {
            panic!("{} has no stream {name}", self.name);
        };
        let connection = TcpStream::connect(address).expect("the hub takes the connection");
        connection
            .set_nodelay(true)
            .expect("a connection can be set up");
        Stream::new(connection)
    }

    /// The last word. The process stays until the hub is gone, so that somebody is there to clean up.
    pub fn ended(&self, result: Result<String, String>) -> ! {
        let said = match result {
            Ok(result) => Said::Returned {
                result,
                sent: self.sent,
            },
            Err(message) => Said::Panicked(message),
        };
        self.say(&said);
        wait_for_the_end()
    }
}

/// Waits until [`listen`] ends this process.
fn wait_for_the_end() -> ! {
    loop {
        thread::park();
    }
}

fn answer(lines: &mut impl BufRead) -> Option<Answer> {
    let mut line = String::new();
    lines.read_line(&mut line).ok()?;
    serde_json::from_str(&line).ok()
}

/// Listens to the hub. When that is gone, so is this process, and what the run has left.
fn listen(mut lines: BufReader<TcpStream>, folder: PathBuf, aloud: bool) -> Receiver<Answer> {
    let (to, answers) = mpsc::channel();
    thread::spawn(move || {
        while let Some(answer) = answer(&mut lines) {
            let _ = to.send(answer);
        }
        if aloud {
            print("the hub is gone");
        }
        if let Some(folder) = folder.parent() {
            clean_up(folder);
        }
        process::exit(0)
    });
    answers
}

/// Prints a line, if anybody listens.
pub fn print(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Removes what a run has left, and nothing else, whatever the hub says. Others may do so at the same time, and one of them may still write.
pub fn clean_up(folder: &Path) {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let is_ours = name.starts_with(FOLDER) && folder.parent() == Some(&std::env::temp_dir());
    if !is_ours {
        return;
    }
    for _ in 0..1_000 {
        let _ = fs::remove_dir_all(folder);
        if !folder.exists() {
            return;
        }
        thread::yield_now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_folder_of_a_run_is_removed_whatever_the_hub_says() {
        let run = tempfile::Builder::new().prefix(FOLDER).tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        let below = run.path().join(FOLDER);
        fs::create_dir(&below).unwrap();
        for kept in [other.path(), &below] {
            clean_up(kept);
            assert!(kept.exists(), "{}", kept.display());
        }
        clean_up(run.path());
        assert!(!run.path().exists());
    }
}
