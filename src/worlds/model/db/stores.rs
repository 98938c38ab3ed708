//! The databases of the OS thread that explores, each taken by one execution after another.

use crate::session;
use heisenbug_database::{
    Answer, Attempt, Engine, Level, Result, Store, Value, changes_rows, pool, servers,
};
use heisenbug_engine::steps::{self, ThreadId};
use heisenbug_trace::journal;
use std::cell::RefCell;

/// Which of the databases of this OS thread it is.
pub type Number = usize;

struct Used {
    store: Store,
    /// The execution that has it, or had it last.
    execution: u32,
    /// Who used each connection last.
    users: Vec<(usize, ThreadId)>,
}

/// Those of one OS thread.
struct Stores(Vec<Used>);

impl Drop for Stores {
    fn drop(&mut self) {
        for used in self.0.drain(..) {
            pool::give_back(used.store);
        }
    }
}

thread_local! {
    static STORES: RefCell<Stores> = const { RefCell::new(Stores(Vec::new())) };
}

/// What is done here is no part of the program, and what it allocates outlives the execution.
fn with<R>(f: impl FnOnce(&mut Vec<Used>) -> R) -> R {
    steps::aside(|| STORES.with_borrow_mut(|stores| f(&mut stores.0)))
}

/// A database as that schema makes it, for the current execution alone.
pub fn fresh(schema: &str, engine: Engine) -> Result<Number> {
    let execution = session::generation();
    with(|stores| {
        let is_free = |used: &Used| used.execution != execution && used.store.is(schema, engine);
        let number = match stores.iter().position(is_free) {
            Some(number) => number,
            None => {
                let store = pool::take(schema, engine)?;
                stores.push(Used {
                    store,
                    execution: 0,
                    users: Vec::new(),
                });
                stores.len() - 1
            }
        };
        let has_turn = { stores.iter() }
            .filter_map(|used| used.store.has_turn())
            .any(|server| Some(server) == servers::needs(engine));
        let used = &mut stores[number];
        if !has_turn {
            used.store.take_turn()?;
        }
        used.store.reset()?;
        used.execution = execution;
        used.users.clear();
        Ok(number)
    })
}

/// Ends the execution: other threads and processes may use the servers.
pub fn end_execution() {
    with(|stores| stores.retain_mut(|used| used.store.rest().is_ok()));
}

/// Ends a check: what is on servers is removed, and the rest kept for the next one.
pub fn end_session() {
    // An execution that was cut short has not ended.
    end_execution();
    with(|stores| {
        stores
            .drain(..)
            .for_each(|used| pool::give_back(used.store))
    });
    steps::aside(pool::close_servers);
}

/// Runs a statement, unless it has to wait. Returns, too, who need not wait any longer.
pub fn attempt(store: Number, connection: usize, sql: &str, params: &[Value]) -> Attempt {
    let me = steps::current();
    let attempt = with(|stores| {
        let used = &mut stores[store];
        used.users.retain(|&(number, _)| number != connection);
        used.users.push((connection, me));
        journal::asks_server(!used.store.is_embedded());
        let attempt = used.store.attempt(connection, sql, params);
        journal::asks_server(false);
        attempt
    });
    of_the_program(attempt)
}

/// Ends what a client that is gone has left in its session. Returns who need not wait any longer.
pub fn disconnect(store: Number, connection: usize) -> Result<Vec<usize>> {
    of_the_program(with(|stores| stores[store].store.disconnect(connection)))
}

/// Whether a client may have left anything in its session.
pub fn may_have_session_state(store: Number) -> bool {
    with(|stores| stores[store].store.may_have_session_state())
}

/// What came of a statement that has waited. `None` if it has to be tried again.
pub fn delivered(store: Number, connection: usize) -> Option<Answer> {
    of_the_program(with(|stores| stores[store].store.delivered(connection)))
}

/// The statement that begins a transaction.
pub fn begin(store: Number, level: Option<Level>) -> String {
    of_the_program(with(|stores| match level {
        Some(level) => stores[store].store.begin(level),
        None => "begin".to_owned(),
    }))
}

/// A copy that is memory of the program: what it gets has to be.
fn of_the_program<T: Clone>(ours: T) -> T {
    let own = ours.clone();
    steps::aside(|| drop(ours));
    own
}

/// The threads that used these connections last.
pub fn users(store: Number, connections: &[usize]) -> Vec<ThreadId> {
    with(|stores| {
        let users = stores[store].users.iter();
        let wanted = users.filter(|(number, _)| connections.contains(number));
        wanted.map(|&(_, thread)| thread).collect()
    })
}

/// Whether a transaction is open on that connection.
pub fn is_in_transaction(store: Number, connection: usize) -> bool {
    with(|stores| stores[store].store.is_in_transaction(connection))
}

/// Whether that statement is a transaction by itself, on a server, where others can come between what it
/// does and its commit.
pub fn commits_by_itself(store: Number, connection: usize, sql: &str) -> bool {
    with(|stores| {
        let store = &stores[store].store;
        !store.is_embedded() && !store.is_in_transaction(connection) && changes_rows(sql)
    })
}
