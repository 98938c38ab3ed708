//! What is known of the clients of a database: the last statement of each, what it answered, and whether a
//! transaction is open.

use super::super::cells::{and, sql};
use super::super::statements::transaction;
use super::itf::Variable;
use heisenbug_trace::{Event, Op};
use serde_json::json;

/// The clients, in the order in which they first speak.
pub struct Clients {
    all: Vec<Client>,
}

struct Client {
    name: String,
    statement: String,
    answer: String,
    transaction: &'static str,
}

impl Clients {
    pub fn of(events: &[Event]) -> Clients {
        let mut all: Vec<Client> = Vec::new();
        for event in events.iter().filter(|event| is_statement(event.op)) {
            if !all.iter().any(|client| client.name == event.actor) {
                all.push(Client {
                    name: event.actor.clone(),
                    statement: String::new(),
                    answer: String::new(),
                    transaction: "none",
                });
            }
        }
        Clients { all }
    }

    /// Takes note of the operation at that position.
    pub fn after(&mut self, events: &[Event], nth: usize) {
        let event = &events[nth];
        let mut all = self.all.iter_mut();
        let client = all.find(|client| client.name == event.actor);
        let Some(client) = client.filter(|_| is_statement(event.op)) else {
            return;
        };
        sql(event).clone_into(&mut client.statement);
        client.answer = answer(event);
        client.transaction = match transaction(&events[..=nth], &event.actor) {
            Some(open) if open.is_empty() => "none",
            Some(_) => "open",
            None => "several open",
        };
    }

    /// A variable for each client.
    pub fn variables(&self) -> impl Iterator<Item = Variable> {
        self.all.iter().map(|client| Variable {
            name: client.name.clone(),
            kind: "{ statement: Str, answer: Str, transaction: Str }",
            value: json!({
                "statement": client.statement,
                "answer": client.answer,
                "transaction": client.transaction,
            }),
        })
    }
}

fn is_statement(op: Op) -> bool {
    matches!(op, Op::Statement | Op::StatementFails | Op::StatementWaits)
}

fn answer(event: &Event) -> String {
    let read = event.read.as_deref().unwrap_or_default();
    let holders: Vec<&str> = event.held_by.iter().map(String::as_str).collect();
    match event.op {
        Op::StatementFails => format!("fails: {read}"),
        Op::StatementWaits if holders.is_empty() => "waits for the database".to_owned(),
        Op::StatementWaits => format!("waits for {}", and(&holders)),
        _ => read.to_owned(),
    }
}
