//! The databases of the OS thread that explores, each taken by one execution after another.

use crate::session;
use heisenbug_database::{Answer, Journal, Result, Store, Value, pool};
use heisenbug_engine::steps::{self, ThreadId};
use std::cell::RefCell;

/// Which of the databases of this OS thread it is.
pub type Number = usize;

struct Used {
    store: Store,
    /// The execution that has it, or had it last.
    execution: u32,
    /// The connections whose statements wait.
    waiting: Vec<usize>,
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
pub fn fresh(schema: &str, journal: Journal) -> Result<Number> {
    let execution = session::generation();
    with(|stores| {
        let is_free = |used: &Used| used.execution != execution && used.store.is(schema, journal);
        if let Some(number) = stores.iter().position(is_free) {
            let used = &mut stores[number];
            used.store.reset()?;
            used.execution = execution;
            used.waiting.clear();
            used.users.clear();
            return Ok(number);
        }
        stores.push(Used {
            store: pool::take(schema, journal)?,
            execution,
            waiting: Vec::new(),
            users: Vec::new(),
        });
        Ok(stores.len() - 1)
    })
}

/// Runs a statement, unless it would have to wait. Returns, too, whom it lets look again.
pub fn attempt(
    store: Number,
    connection: usize,
    sql: &str,
    params: &[Value],
) -> (Answer, Vec<usize>) {
    let me = steps::current();
    let (answer, woken) = with(|stores| {
        let used = &mut stores[store];
        used.users.retain(|&(number, _)| number != connection);
        used.users.push((connection, me));
        let answer = used.store.attempt(connection, sql, params);
        let woken = match answer {
            Answer::Waits { .. } => {
                used.waiting.push(connection);
                Vec::new()
            }
            Answer::Done { freed: true, .. } | Answer::Failed { freed: true, .. } => {
                std::mem::take(&mut used.waiting)
            }
            _ => Vec::new(),
        };
        (answer, woken)
    });
    // What the program gets is memory of the program.
    let own = (answer.clone(), woken.clone());
    steps::aside(|| drop((answer, woken)));
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
