//! A database on a server: a name space of its own, the sessions of its clients, and who waits for whom.
//!
//! In a check a statement is sent, and looked at until the server says that it is done or that it waits for
//! a lock. One that waits is left to the server. Whenever a statement has ended, those that wait are looked
//! at again: some have their answer now. So what each client sees, and who is the victim of a deadlock, is
//! for the server to say, and is the same every time.

use super::address;
use crate::sql::{first_word, is_undone_by_reset};
use crate::store::Database;
use crate::{Answer, Attempt, Engine, Error, Found, Kind, MAX_CONNECTIONS, Result, Value};
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// How long a server may take to accept a connection.
pub(super) const CONNECT: Duration = Duration::from_secs(10);

/// What a session runs on while somebody waits for it, and at no other time.
pub(super) fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// What a future comes to at once, if it does.
pub(super) async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    poll_fn(|cx| match Pin::new(&mut *future).poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// A session of a server: what differs from one to the other.
pub trait Session: Sized + Send {
    /// Connects. With a name space, it is where the session finds its tables.
    fn connect(address: &str, engine: Engine, space: Option<&str>) -> Result<Self>;

    /// Sends a statement.
    fn start(&mut self, sql: &str, params: &[Value]);

    /// Waits for the answer.
    fn finish(&mut self) -> Result<Found>;

    /// Whether a transaction is open.
    fn is_in_transaction(&self) -> bool;

    /// Looks at sessions whose statements run, until each has its answer, or is said to wait. `moved` is the
    /// one whose statement was sent just now. Returns the answers.
    fn settle(
        &mut self,
        running: Vec<(usize, &mut Self)>,
        moved: Option<usize>,
    ) -> Result<Vec<(usize, Result<Found>)>>;

    /// Whether it may see who waits.
    fn may_look(&mut self) -> Result<()>;

    /// Which of the others the first one waits for, as far as that is known.
    fn holders(&mut self, waits: &Self, others: Vec<(usize, &Self)>) -> Vec<usize>;

    /// The statement that waits until no other execution uses the server. One that does would change which
    /// transactions are refused for the sake of others, and how many waits the server counts.
    const TURN: &'static str;

    /// The statement that lets others use it.
    const END_OF_TURN: &'static str;

    /// A name space of that name, for its schema, and another one, for its first rows. Holds a lock of that
    /// name until the session ends, and removes those whose locks nobody holds any longer.
    fn make_space(&mut self, space: &str) -> Result<()>;

    /// Removes it.
    fn remove_space(&mut self, space: &str) -> Result<()>;

    /// Runs several statements whose rows nobody wants, sent at once.
    fn run_all(&mut self, sql: &str) -> Result<()>;

    /// Sends off the statement that was started, and waits for no answer. Returns one if there is one already.
    fn send_off(&mut self) -> Option<Result<Found>>;

    /// Keeps the rows that the schema has filled the tables with. Returns what brings them back: several
    /// statements, sent at once. `None` if nothing does, so that the tables have to be made anew.
    fn keep_first_rows(&mut self, space: &str) -> Result<Option<String>>;

    /// Makes the session as it was when it had just connected.
    fn renew(&mut self) -> Result<()>;

    /// Runs a statement to its end.
    fn run(&mut self, sql: &str, params: &[Value]) -> Result<Found> {
        self.start(sql, params);
        self.finish()
    }
}

/// A database on a server, and the connections to it.
pub struct Server<S: Session> {
    engine: Engine,
    address: String,
    space: String,
    /// Each is opened when it is first used.
    sessions: Vec<Mutex<Option<S>>>,
    /// Nobody's: it sets up, brings back, and asks who waits.
    control: Mutex<S>,
    /// What brings the tables back to their first rows, if anything does.
    reset: Option<String>,
    /// Whether a statement was run that `reset` does not undo.
    changed_schema: AtomicBool,
    /// Whether a statement was run that changes a session beyond its transaction.
    has_session_state: AtomicBool,
    /// The connections whose statements wait.
    waiting: Vec<usize>,
    /// The answers of those that have waited.
    answers: Vec<(usize, Answer)>,
    turn: Turn,
    /// Whether no statement of a client has run.
    is_fresh: bool,
}

/// Whether no other execution uses the server. It costs no way to it: a turn is taken by what brings the tables
/// back, and nobody waits for its end.
#[derive(Clone, Copy, PartialEq)]
enum Turn {
    Others,
    /// It is taken with the next reset.
    Wanted,
    Ours,
    /// The server was told that it is over, and has not answered.
    Ending,
}

impl<S: Session> fmt::Debug for Server<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

impl<S: Session> Server<S> {
    /// A new database, with that schema and what it inserts.
    pub fn open(schema: &str, engine: Engine) -> Result<Server<S>> {
        let server = super::needs(engine).expect("an engine on a server");
        Server::open_at(address(server)?, schema, engine)
    }

    /// Makes a database there, connects to it, and leaves nothing.
    pub fn try_out(address: &str, engine: Engine) -> Result<()> {
        let mut server = Server::<S>::open_at(address.to_owned(), "", engine)?;
        let session = server.session(0)?;
        drop(session);
        own(&mut server.control).may_look().map_err(machine)
    }

    fn open_at(address: String, schema: &str, engine: Engine) -> Result<Server<S>> {
        let mut control = S::connect(&address, engine, None)?;
        let space = new_name();
        control.make_space(&space).map_err(machine)?;
        let mut made = Server {
            engine,
            address,
            space,
            sessions: (0..MAX_CONNECTIONS).map(|_| Mutex::new(None)).collect(),
            control: Mutex::new(control),
            reset: None,
            changed_schema: AtomicBool::new(false),
            has_session_state: AtomicBool::new(false),
            waiting: Vec::new(),
            answers: Vec::new(),
            turn: Turn::Others,
            is_fresh: true,
        };
        // From here on it is dropped, and leaves nothing, whatever happens.
        let control = own(&mut made.control);
        if !schema.trim().is_empty() {
            control.run_all(schema)?;
        }
        made.reset = control.keep_first_rows(&made.space).map_err(machine)?;
        Ok(made)
    }

    /// Ends what an execution has left: its transactions, and the statements that wait for them.
    fn end_all(&mut self) -> Result<()> {
        self.await_end_of_turn()?;
        loop {
            for (number, session) in self.sessions.iter_mut().enumerate() {
                let session = own(session);
                let Some(session) = session.as_mut() else {
                    continue;
                };
                if !self.waiting.contains(&number) && session.is_in_transaction() {
                    session.run("rollback", &[]).map_err(machine)?;
                }
            }
            if self.waiting.is_empty() {
                self.answers.clear();
                return Ok(());
            }
            if self.settle(None)?.is_empty() {
                let message = "a statement waits for somebody else on the server";
                return Err(Error::new(Kind::Machine, "WAITS", message));
            }
        }
    }

    /// Brings the tables back by those statements, when no other execution uses the server.
    fn bring_back(&mut self, reset: &str) -> Result<()> {
        let takes_turn = self.turn == Turn::Wanted;
        let turn = takes_turn.then_some(S::TURN);
        let all: Vec<&str> = turn
            .into_iter()
            .chain((!reset.is_empty()).then_some(reset))
            .collect();
        if all.is_empty() {
            return Ok(());
        }
        own(&mut self.control)
            .run_all(&all.join("; "))
            .map_err(machine)?;
        if takes_turn {
            self.turn = Turn::Ours;
        }
        Ok(())
    }

    /// Waits for the server's answer to the end of a turn, if it is due.
    fn await_end_of_turn(&mut self) -> Result<()> {
        if self.turn == Turn::Ending {
            self.turn = Turn::Others;
            own(&mut self.control).finish().map_err(machine)?;
        }
        Ok(())
    }

    fn send(&mut self, connection: usize, sql: &str, params: &[Value]) -> Result<()> {
        self.note(sql);
        self.is_fresh = false;
        let begins = matches!(first_word(sql).as_str(), "begin" | "start");
        if begins && self.is_in_transaction(connection) {
            let message = "there is a transaction already";
            return Err(Error::new(Kind::Other, "25001", message));
        }
        self.session(connection)?
            .as_mut()
            .expect("it was opened")
            .start(sql, params);
        self.waiting.push(connection);
        Ok(())
    }

    /// The answer of that connection, and who else has one now.
    fn of(&mut self, connection: usize, mut answered: Vec<usize>) -> (Answer, Vec<usize>) {
        let answer = match answered.iter().position(|number| *number == connection) {
            Some(at) => {
                answered.remove(at);
                self.delivered(connection).expect("it is among the answers")
            }
            None => Answer::Waits {
                held_by: self.holders(connection),
            },
        };
        (answer, answered)
    }

    /// Looks at all statements that run. Returns the connections that have their answers.
    fn settle(&mut self, moved: Option<usize>) -> Result<Vec<usize>> {
        let waiting = &self.waiting;
        let sessions = self.sessions.iter_mut().enumerate();
        let running = sessions
            .filter(|(number, _)| waiting.contains(number))
            .filter_map(|(number, session)| {
                let session = own(session);
                Some((number, session.as_mut()?))
            });
        let running = running.collect();
        let control = own(&mut self.control);
        let answers = control.settle(running, moved)?;
        let answered: Vec<usize> = answers.iter().map(|(number, _)| *number).collect();
        self.waiting.retain(|number| !answered.contains(number));
        let answers = answers.into_iter();
        self.answers
            .extend(answers.map(|(number, result)| (number, result.into())));
        Ok(answered)
    }

    /// Takes note of what the next execution must not find.
    fn note(&self, sql: &str) {
        if leaves_session_state(sql) {
            self.has_session_state.store(true, Relaxed);
        }
        if first_word(sql) != "set" && !is_undone_by_reset(&first_word(sql)) {
            self.changed_schema.store(true, Relaxed);
        }
    }

    /// The session of that connection, opened if it is the first time.
    fn session(&self, connection: usize) -> Result<MutexGuard<'_, Option<S>>> {
        let mut session = locked(&self.sessions[connection]);
        if session.is_none() {
            *session = Some(S::connect(&self.address, self.engine, Some(&self.space))?);
        }
        Ok(session)
    }

    fn holders(&mut self, connection: usize) -> Vec<usize> {
        let sessions = self.sessions.iter_mut().enumerate();
        let open = sessions.filter_map(|(number, session)| {
            let session = own(session);
            Some((number, &*session.as_mut()?))
        });
        let (me, others): (Vec<_>, Vec<_>) = open.partition(|(number, _)| *number == connection);
        let control = own(&mut self.control);
        me.first()
            .map(|(_, me)| control.holders(me, others))
            .unwrap_or_default()
    }
}

impl<S: Session> Database for Server<S> {
    fn reset(&mut self) -> Result<bool> {
        self.end_all()?;
        let Some(reset) = self
            .reset
            .clone()
            .filter(|_| !self.changed_schema.load(Relaxed))
        else {
            self.bring_back("")?;
            return Ok(self.is_fresh);
        };
        if self.has_session_state.load(Relaxed) {
            for session in self.sessions.iter_mut() {
                let session = own(session);
                session.iter_mut().try_for_each(S::renew).map_err(machine)?;
            }
        }
        self.bring_back(&reset)?;
        Ok(true)
    }

    fn attempt(&mut self, connection: usize, sql: &str, params: &[Value]) -> Attempt {
        if let Some(instead) = not_sent(sql) {
            let (answer, woken) = (instead.into(), Vec::new());
            return Attempt { answer, woken };
        }
        let answer = self.send(connection, sql, params);
        let (answer, woken) = match answer.and_then(|()| self.settle(Some(connection))) {
            Ok(answered) => self.of(connection, answered),
            Err(error) => (Answer::Failed(error), Vec::new()),
        };
        Attempt { answer, woken }
    }

    fn run_waiting(&self, connection: usize, sql: &str, params: &[Value]) -> Result<Found> {
        if let Some(instead) = not_sent(sql) {
            return instead;
        }
        self.note(sql);
        let mut session = self.session(connection)?;
        session.as_mut().expect("it was opened").run(sql, params)
    }

    fn is_in_transaction(&self, connection: usize) -> bool {
        let session = locked(&self.sessions[connection]);
        session.as_ref().is_some_and(S::is_in_transaction)
    }

    fn delivered(&mut self, connection: usize) -> Option<Answer> {
        let at = self
            .answers
            .iter()
            .position(|(number, _)| *number == connection);
        at.map(|at| self.answers.remove(at).1)
    }

    fn take_turn(&mut self) -> Result<()> {
        self.await_end_of_turn()?;
        self.turn = Turn::Wanted;
        Ok(())
    }

    fn has_turn(&self) -> bool {
        matches!(self.turn, Turn::Wanted | Turn::Ours)
    }

    fn rest(&mut self) -> Result<()> {
        self.end_all()?;
        self.turn = match self.turn {
            Turn::Ours => {
                let control = own(&mut self.control);
                control.start(S::END_OF_TURN, &[]);
                match control.send_off() {
                    Some(answer) => answer.map(|_| Turn::Others).map_err(machine)?,
                    None => Turn::Ending,
                }
            }
            Turn::Wanted => Turn::Others,
            turn => turn,
        };
        Ok(())
    }

    fn may_have_session_state(&self) -> bool {
        self.has_session_state.load(Relaxed)
    }

    fn disconnect(&mut self, connection: usize) -> Result<Vec<usize>> {
        let session = own(&mut self.sessions[connection]);
        session.iter_mut().try_for_each(S::renew).map_err(machine)?;
        self.settle(None)
    }
}

impl<S: Session> Drop for Server<S> {
    fn drop(&mut self) {
        // If the server is gone, so is what was on it, or the next one to come removes it.
        let _ = self.end_all();
        self.sessions.clear();
        let control = own(&mut self.control);
        let _ = control.remove_space(&self.space);
    }
}

/// Whether a statement leaves something in its session that the end of a transaction does not undo: a
/// setting, a variable, a lock of its own, a number that was given.
fn leaves_session_state(sql: &str) -> bool {
    const THEY: [&str; 9] = [
        "set_config",
        "pg_advisory",
        "pg_try_advisory",
        "currval",
        "lastval",
        "get_lock",
        "release_lock",
        "last_insert_id",
        "@",
    ];
    let lower = sql.to_ascii_lowercase();
    match first_word(sql).as_str() {
        // For the next transaction alone.
        "set" => !lower.contains("transaction"),
        "listen" | "unlisten" | "prepare" | "declare" | "discard" | "reset" => true,
        "create" if lower.contains(" temp") => true,
        _ => THEY.iter().any(|it| lower.contains(it)),
    }
}

/// What comes of a statement that a program cannot have, if it is one.
fn not_sent(sql: &str) -> Option<Result<Found>> {
    let lower = sql.to_ascii_lowercase();
    let refused = |why: &str| Some(Err(Error::new(Kind::Other, "REFUSED", why)));
    let words: Vec<&str> = lower.split_whitespace().collect();
    match first_word(sql).as_str() {
        // How long a statement waits is not for a check to say.
        "set" if lower.contains("timeout") => Some(Ok(Found::default())),
        "set" if lower.contains("autocommit") => {
            refused("`autocommit` stays on: begin a transaction instead")
        }
        "commit" | "rollback" | "end" if words.contains(&"chain") => {
            refused("a transaction is begun by itself: without `and chain`")
        }
        _ => None,
    }
}

/// What nobody else can have at the moment.
fn own<T>(of: &mut Mutex<T>) -> &mut T {
    of.get_mut().unwrap_or_else(PoisonError::into_inner)
}

/// Each session has one user at a time.
fn locked<S>(session: &Mutex<Option<S>>) -> MutexGuard<'_, Option<S>> {
    session.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An error that is not the program's.
fn machine(error: Error) -> Error {
    Error {
        kind: Kind::Machine,
        ..error
    }
}

/// A name that nobody else has.
fn new_name() -> String {
    use std::hash::{BuildHasher, RandomState};
    // A random number without another crate.
    let number = RandomState::new().hash_one(()) >> 33;
    format!("heisenbug_{}", number.max(1))
}
