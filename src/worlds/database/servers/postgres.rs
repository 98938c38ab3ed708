//! PostgreSQL. It tells a client itself that its statement waits: with `log_lock_waits`, after it has looked
//! for a deadlock and found none (`ProcSleep` in its `proc.c`).

use super::server::{CONNECT, Session, poll_once, runtime};
use crate::sql::{first_word, is_of_transactions, names_savepoint};
use crate::{Engine, Error, Found, Kind, Result, Row, Rows, Value};
use std::collections::HashMap;
use std::error::Error as StdError;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::yield_now;
use tokio::time::timeout;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{Format, FromSql, IsNull, ToSql, Type};
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, Statement};

/// The oldest version that can be told to plan each statement anew.
const OLDEST: i64 = 120_000;

/// What every client's session is set to. The waits are told in English, and plans do not depend on how
/// often a statement has run.
const SETTINGS: &str = "
    set lc_messages = 'C';
    set log_lock_waits = on;
    set deadlock_timeout = '1ms';
    set client_min_messages = log;
    set plan_cache_mode = force_custom_plan;
";

/// How many prepared statements a session keeps.
const STATEMENTS: usize = 64;

/// The first number of the locks on name spaces; the second is the name's own.
const LOCKS: i32 = 1_751_476_595;

type Ended = (Result<Found>, Option<Statement>);

/// A session of a PostgreSQL server.
pub struct Postgres {
    /// Runs while somebody waits for this session, and at no other time.
    runtime: Runtime,
    client: Arc<Client>,
    pid: i32,
    /// Gets a word each time that the server says that the statement waits.
    waits: UnboundedReceiver<()>,
    statements: HashMap<String, Statement>,
    running: Option<Running>,
    in_transaction: bool,
    /// The transaction has failed, and can only be rolled back.
    failed: bool,
    /// The lock that the statement was last seen to wait for.
    waits_for: Option<String>,
    /// Where it finds its tables. `None` for the session that belongs to no client.
    space: Option<String>,
}

/// A statement on its way.
struct Running {
    sql: String,
    ended: Pin<Box<dyn Future<Output = Ended> + Send>>,
}

impl Session for Postgres {
    // The first number as for name spaces. No name has the second one.
    const TURN: &'static str = "select pg_advisory_lock(1751476595, 0)";
    const END_OF_TURN: &'static str = "select pg_advisory_unlock(1751476595, 0)";

    fn connect(address: &str, _: Engine, space: Option<&str>) -> Result<Postgres> {
        let mut config: Config = address.parse().map_err(|error| unreachable(&error))?;
        config.connect_timeout(CONNECT);
        let runtime = runtime();
        let runtime = runtime.map_err(|error| unreachable(&error))?;
        let connected = runtime.block_on(async { timeout(CONNECT, config.connect(NoTls)).await });
        let connected = connected.map_err(|error| unreachable(&error))?;
        let (client, mut connection) = connected.map_err(|error| unreachable(&error))?;
        let (waiting, waits) = unbounded_channel();
        runtime.spawn(async move {
            while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
                if says_that_it_waits(&message) {
                    let _ = waiting.send(());
                }
            }
        });
        let mut session = Postgres {
            runtime,
            client: Arc::new(client),
            pid: 0,
            waits,
            statements: HashMap::new(),
            running: None,
            in_transaction: false,
            failed: false,
            waits_for: None,
            space: space.map(str::to_owned),
        };
        session.set_up()?;
        Ok(session)
    }

    fn start(&mut self, sql: &str, params: &[Value]) {
        // What an earlier statement was told after its answer is not for this one.
        while self.waits.try_recv().is_ok() {}
        self.waits_for = None;
        let client = Arc::clone(&self.client);
        let text = sql.to_owned();
        let ended: Pin<Box<dyn Future<Output = Ended> + Send>> = match is_of_transactions(sql) {
            true => Box::pin(async move { (command(&client, &text).await, None) }),
            false => {
                let known = self.statements.get(sql).cloned();
                let params = params.to_vec();
                Box::pin(async move { statement(&client, &text, known, &params).await })
            }
        };
        self.running = Some(Running {
            sql: sql.to_owned(),
            ended,
        });
    }

    fn finish(&mut self) -> Result<Found> {
        loop {
            if let Some(answer) = self.look() {
                return answer;
            }
        }
    }

    fn is_in_transaction(&self) -> bool {
        self.in_transaction
    }

    fn settle(
        &mut self,
        mut running: Vec<(usize, &mut Postgres)>,
        moved: Option<usize>,
    ) -> Result<Vec<(usize, Result<Found>)>> {
        let mut answers = Vec::new();
        let mut looks_at: Vec<usize> = moved.into_iter().collect();
        loop {
            running.retain_mut(|(number, session)| {
                let answer = looks_at.contains(number).then(|| session.look()).flatten();
                let is_running = answer.is_none();
                answers.extend(answer.map(|answer| (*number, answer)));
                is_running
            });
            // Locks are given on before the answer that ends a transaction. Who still waits for the same
            // lock stays where he is. Who waits for another one may be in a deadlock, and has to say.
            let awaited = self.awaited(&running)?;
            let mut moves = Vec::new();
            for (number, session) in &mut running {
                let lock = awaited
                    .iter()
                    .find(|(pid, _)| *pid == i64::from(session.pid));
                let lock = lock.map(|(_, lock)| lock.clone());
                let has_said_so = looks_at.contains(number) || session.waits_for == lock;
                if lock.is_none() || !has_said_so {
                    moves.push(*number);
                }
                session.waits_for = lock;
            }
            looks_at = moves;
            if looks_at.is_empty() {
                return Ok(answers);
            }
        }
    }

    fn may_look(&mut self) -> Result<()> {
        self.run("select pg_blocking_pids(0)::text", &[]).map(drop)
    }

    fn holders(&mut self, waits: &Postgres, others: Vec<(usize, &Postgres)>) -> Vec<usize> {
        let sql = format!("select unnest(pg_blocking_pids({}))", waits.pid);
        let found = self.run(&sql, &[]).unwrap_or_default();
        let pids: Vec<i64> = found.rows.iter().map(|row| row.get(0)).collect();
        let holds = others
            .iter()
            .filter(|(_, other)| pids.contains(&other.pid.into()));
        holds.map(|(number, _)| *number).collect()
    }

    fn renew(&mut self) -> Result<()> {
        self.statements.clear();
        self.run_all("discard all")?;
        self.settings()
    }

    fn run_all(&mut self, sql: &str) -> Result<()> {
        let sent = self.runtime.block_on(self.client.batch_execute(sql));
        sent.map_err(Error::from)
    }

    fn send_off(&mut self) -> Option<Result<Found>> {
        let running = self.running.as_mut()?;
        let ended = self.runtime.block_on(async {
            let ended = poll_once(&mut running.ended).await;
            // The task of the connection, which does the sending, has its turn now.
            yield_now().await;
            ended
        });
        self.answer(ended?)
    }

    fn make_space(&mut self, space: &str) -> Result<()> {
        let number = |space: &str| space.rsplit('_').next().unwrap_or_default().to_owned();
        let locked = |space: &str| format!("({LOCKS}, {})", number(space));
        let left = self.run(
            "select nspname from pg_namespace where nspname ~ '^heisenbug_[0-9]+$'",
            &[],
        )?;
        for left in left.rows.iter().map(|row| row.get::<String>(0)) {
            let lock = locked(&left);
            let lock_it = format!("select pg_try_advisory_lock{lock}");
            if self.run(&lock_it, &[])?.rows.value() {
                self.remove_space(&left)?;
                self.run(&format!("select pg_advisory_unlock{lock}"), &[])?;
            }
        }
        self.run(&format!("select pg_advisory_lock{}", locked(space)), &[])?;
        self.run_all(&format!(
            "create schema {space}; create schema {space}_first; set search_path to {space}"
        ))
    }

    fn remove_space(&mut self, space: &str) -> Result<()> {
        self.run_all(&format!(
            "drop schema if exists {space} cascade; drop schema if exists {space}_first cascade"
        ))
    }

    fn keep_first_rows(&mut self, space: &str) -> Result<Option<String>> {
        let tables = self.run(
            "select c.relname::text, string_agg(quote_ident(a.attname), ', ' order by a.attnum)
             from pg_class c join pg_namespace n on n.oid = c.relnamespace
             join pg_attribute a on a.attrelid = c.oid
             where n.nspname = $1::text and c.relkind = 'r' and a.attnum > 0
             and not a.attisdropped and a.attgenerated = '' group by c.oid, c.relname order by c.oid",
            &[space.into()],
        )?;
        // What brings the rows back fires no triggers, and checks nothing. Not everybody may say so.
        let _ = self.run_all("set session_replication_role = replica");
        let (mut empty, mut fill) = (Vec::new(), Vec::new());
        for row in tables.rows.iter() {
            let (table, columns): (String, String) = (row.get(0), row.get(1));
            self.run_all(&format!(
                "create table {space}_first.\"{table}\" as select * from only {space}.\"{table}\""
            ))?;
            empty.insert(0, format!("delete from only {space}.\"{table}\""));
            fill.push(format!(
                "insert into {space}.\"{table}\" ({columns}) overriding system value
                 select {columns} from {space}_first.\"{table}\""
            ));
        }
        empty.append(&mut fill);
        empty.append(&mut self.sequences(space)?);
        Ok(Some(format!("begin; {}; commit", empty.join("; "))))
    }
}

impl Postgres {
    fn set_up(&mut self) -> Result<()> {
        let version = self.run("select current_setting('server_version_num')::int", &[])?;
        let version: i64 = version.rows.value();
        if version < OLDEST {
            let message = format!(
                "this PostgreSQL is version {}, and 12 is the oldest that will do",
                version / 10_000
            );
            return Err(Error::new(Kind::Machine, "TOO_OLD", message));
        }
        self.pid = self
            .run("select pg_backend_pid()", &[])?
            .rows
            .value::<i64>() as i32;
        match self.space {
            Some(_) => self.settings(),
            None => self.run_all("set client_min_messages = error"),
        }
    }

    /// What a client's session is set to.
    fn settings(&mut self) -> Result<()> {
        self.run_all(SETTINGS).map_err(|error| {
            let message = format!(
                "{}: the user must be a superuser, or be granted `set on parameter` for lc_messages, \
                 log_lock_waits, deadlock_timeout and client_min_messages",
                error.message
            );
            Error::new(Kind::Machine, &error.code, message)
        })?;
        let space = self.space.clone().unwrap_or_default();
        self.run_all(&format!("set search_path to {space}"))
    }

    /// Waits until the statement is done, or the server says that it waits: then there is no answer yet.
    fn look(&mut self) -> Option<Result<Found>> {
        let running = self.running.as_mut()?;
        let waits = &mut self.waits;
        let ended = self.runtime.block_on(poll_fn(|cx| {
            if let Poll::Ready(ended) = running.ended.as_mut().poll(cx) {
                return Poll::Ready(Some(ended));
            }
            match waits.poll_recv(cx) {
                Poll::Ready(Some(())) => Poll::Ready(None),
                // The connection is gone, and so will the statement be.
                Poll::Ready(None) | Poll::Pending => Poll::Pending,
            }
        }));
        self.answer(ended?)
    }

    /// The answer to the statement that runs, now that it has come.
    fn answer(&mut self, (result, statement): Ended) -> Option<Result<Found>> {
        let Running { sql, .. } = self.running.take()?;
        Some(self.ended(sql, result, statement))
    }

    /// Keeps track of the transaction.
    fn ended(
        &mut self,
        sql: String,
        result: Result<Found>,
        statement: Option<Statement>,
    ) -> Result<Found> {
        let had_failed = self.failed;
        let first = first_word(&sql);
        match &result {
            // A commit ends the transaction in any case.
            Err(_) if matches!(&*first, "commit" | "end") => {
                self.in_transaction = false;
                self.failed = false;
            }
            Err(_) => self.failed = self.in_transaction,
            Ok(_) if is_of_transactions(&sql) => {
                let to_savepoint = names_savepoint(&sql);
                match &*first {
                    "begin" | "start" => self.in_transaction = true,
                    "commit" | "end" | "rollback" | "abort" if !to_savepoint => {
                        self.in_transaction = false;
                        self.failed = false;
                    }
                    "rollback" => self.failed = false,
                    _ => {}
                }
            }
            Ok(_) => {}
        }
        if let Some(statement) = statement {
            if self.statements.len() == STATEMENTS {
                self.statements.clear();
            }
            self.statements.insert(sql.clone(), statement);
        }
        match &*first {
            // The server says nothing, and rolls back.
            "commit" | "end" if had_failed && result.is_ok() => {
                let message = "a statement of the transaction had failed, so it was rolled back";
                Err(Error::new(Kind::Other, "25P02", message))
            }
            _ => result,
        }
    }

    /// The locks that they wait for: each as the process that waits, and the name of the lock.
    fn awaited(&mut self, running: &[(usize, &mut Postgres)]) -> Result<Vec<(i64, String)>> {
        if running.is_empty() {
            return Ok(Vec::new());
        }
        let pids = running.iter().map(|(_, session)| session.pid.to_string());
        let pids: Vec<String> = pids.collect();
        let sql = format!(
            "select pid, concat_ws(':', locktype, relation, page, tuple, transactionid, virtualxid,
                                   classid, objid, objsubid, mode)
             from pg_locks where not granted and pid = any(array[{}])",
            pids.join(", ")
        );
        let found = self.run(&sql, &[])?;
        Ok(found
            .rows
            .iter()
            .map(|row| (row.get(0), row.get(1)))
            .collect())
    }

    /// What brings the sequences of a name space back.
    fn sequences(&mut self, space: &str) -> Result<Vec<String>> {
        let found = self.run(
            "select sequencename::text, start_value, last_value from pg_sequences
             where schemaname = $1::text",
            &[space.into()],
        )?;
        let back = found.rows.iter().map(|row| {
            let (name, start): (String, i64) = (row.get(0), row.get(1));
            let (value, is_used) = match row.get::<Option<i64>>(2) {
                Some(last) => (last, true),
                None => (start, false),
            };
            format!("select setval('{space}.\"{name}\"', {value}, {is_used})")
        });
        Ok(back.collect())
    }
}

/// Whether it is a notice that the statement waits for a lock, and is in no deadlock.
fn says_that_it_waits(message: &AsyncMessage) -> bool {
    match message {
        AsyncMessage::Notice(notice) => {
            notice.routine() == Some("ProcSleep") && notice.message().contains("still waiting")
        }
        _ => false,
    }
}

/// A statement about transactions, or several statements.
async fn command(client: &Client, sql: &str) -> Result<Found> {
    match client.batch_execute(sql).await {
        Ok(()) => Ok(Found::default()),
        Err(error) => Err(failed(client, error).await),
    }
}

async fn statement(
    client: &Client,
    sql: &str,
    known: Option<Statement>,
    params: &[Value],
) -> Ended {
    let prepared = match known {
        Some(statement) => Ok(statement),
        None => client.prepare(&numbered(sql)).await,
    };
    let statement = match prepared {
        Ok(statement) => statement,
        Err(error) => return (Err(failed(client, error).await), None),
    };
    let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|value| value as _).collect();
    match found(client, &statement, &params).await {
        Ok(found) => (Ok(found), Some(statement)),
        Err(error) => (Err(failed(client, error).await), Some(statement)),
    }
}

async fn found(
    client: &Client,
    statement: &Statement,
    params: &[&(dyn ToSql + Sync)],
) -> std::result::Result<Found, tokio_postgres::Error> {
    if statement.columns().is_empty() {
        let changed = client.execute(statement, params).await?;
        return Ok(Found {
            rows: Rows::default(),
            changed,
        });
    }
    let mut rows = Vec::new();
    for row in client.query(statement, params).await? {
        let values: std::result::Result<_, _> =
            (0..row.len()).map(|column| row.try_get(column)).collect();
        rows.push(Row(values?));
    }
    Ok(Found {
        changed: rows.len() as u64,
        rows: Rows(rows),
    })
}

/// The error, when the server has undone what it undoes: it sends the message first, and gives up the locks
/// of the transaction afterwards.
async fn failed(client: &Client, error: tokio_postgres::Error) -> Error {
    let _ = client.batch_execute("").await;
    error.into()
}

/// The statement with its question marks numbered, as PostgreSQL wants them.
fn numbered(sql: &str) -> String {
    let mut text = String::new();
    let mut number = 0;
    // What ends the text, the name or the comment that it is in.
    let mut until = None;
    for (at, c) in sql.char_indices() {
        let rest = &sql[at..];
        match until {
            Some(end) if rest.starts_with(end) => until = None,
            Some(_) => {}
            None => {
                const INSIDE: [(&str, &str); 4] =
                    [("'", "'"), ("\"", "\""), ("--", "\n"), ("/*", "*/")];
                let begins = INSIDE.iter().find(|(begin, _)| rest.starts_with(begin));
                until = begins.map(|(_, end)| *end);
            }
        }
        match c {
            '?' if until.is_none() => {
                number += 1;
                text.push_str(&format!("${number}"));
            }
            _ => text.push(c),
        }
    }
    text
}

fn unreachable(error: &dyn StdError) -> Error {
    let mut message = format!("cannot connect to PostgreSQL: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        message.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    Error::new(Kind::Machine, "UNREACHABLE", message)
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Error {
        let Some(told) = error.as_db_error() else {
            return match error.is_closed()
                || error
                    .source()
                    .is_some_and(|source| source.is::<std::io::Error>())
            {
                true => unreachable(&error),
                false => Error::new(Kind::Other, "CLIENT", with_source(&error)),
            };
        };
        let code = told.code().code();
        let kind = match code {
            "40001" => Kind::Conflict,
            "40P01" => Kind::Deadlock,
            "55P03" => Kind::Busy,
            // Out of resources, ended by somebody, or an error of the system.
            _ if ["53", "57", "58"]
                .iter()
                .any(|class| code.starts_with(class)) =>
            {
                Kind::Machine
            }
            _ if code.starts_with("23") => Kind::Constraint,
            _ => Kind::Other,
        };
        Error::new(kind, code, told.message())
    }
}

/// What a client says, and why.
fn with_source(error: &dyn StdError) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// Values go to the server as texts, which it reads as what it needs.
impl ToSql for Value {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn StdError + Sync + Send>> {
        let text = match self {
            Value::Null => return Ok(IsNull::Yes),
            Value::Integer(value) => value.to_string(),
            Value::Real(value) => value.to_string(),
            Value::Text(text) => text.clone(),
            Value::Blob(bytes) => {
                let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("\\x{digits}")
            }
        };
        out.extend_from_slice(text.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    tokio_postgres::types::to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(
        of: &Type,
        raw: &'a [u8],
    ) -> std::result::Result<Value, Box<dyn StdError + Sync + Send>> {
        Ok(match *of {
            Type::BOOL => Value::Integer(bool::from_sql(of, raw)?.into()),
            Type::INT2 => Value::Integer(i16::from_sql(of, raw)?.into()),
            Type::INT4 => Value::Integer(i32::from_sql(of, raw)?.into()),
            Type::INT8 => Value::Integer(i64::from_sql(of, raw)?),
            Type::OID => Value::Integer(u32::from_sql(of, raw)?.into()),
            Type::FLOAT4 => Value::Real(f32::from_sql(of, raw)?.into()),
            Type::FLOAT8 => Value::Real(f64::from_sql(of, raw)?),
            Type::BYTEA => Value::Blob(raw.to_owned()),
            Type::NUMERIC => {
                numeric(raw).ok_or("a number that is no whole number: add `::float8`")?
            }
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN => {
                Value::Text(String::from_sql(&Type::TEXT, raw)?)
            }
            // Such as a procedure's.
            Type::VOID => Value::Null,
            _ => return Err(format!("a value of type {of} cannot be read: add `::text`").into()),
        })
    }

    fn from_sql_null(_: &Type) -> std::result::Result<Value, Box<dyn StdError + Sync + Send>> {
        Ok(Value::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A whole number of type `numeric`, such as a sum: four words, then digits to the base of 10,000.
fn numeric(raw: &[u8]) -> Option<Value> {
    let words: Vec<i16> = { raw.chunks_exact(2) }
        .map(|pair| i16::from_be_bytes([pair[0], pair[1]]))
        .collect();
    let [_, weight, sign, _, digits @ ..] = words.as_slice() else {
        return None;
    };
    if digits.len() > usize::try_from(weight + 1).unwrap_or(0) && !digits.is_empty() {
        return None;
    }
    let mut value: i64 = 0;
    for place in 0..=usize::try_from(*weight).unwrap_or(0) {
        let digit = digits.get(place).copied().unwrap_or(0);
        value = value.checked_mul(10_000)?.checked_add(digit.into())?;
    }
    Some(Value::Integer(match sign {
        0 => value,
        0x4000 => -value,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::{numbered, numeric};
    use crate::Value;

    #[test]
    fn question_marks_are_numbered_and_those_in_texts_are_not() {
        let sql = "update t set a = ?, b = '?' where \"c?\" = ?";
        assert_eq!(
            numbered(sql),
            "update t set a = $1, b = '?' where \"c?\" = $2"
        );
        let commented = "select -- what's this?\n ?, /* and ? */ ?";
        assert_eq!(
            numbered(commented),
            "select -- what's this?\n $1, /* and ? */ $2"
        );
    }

    #[test]
    fn whole_numbers_of_any_size_are_read_and_others_refused() {
        let raw = |words: &[i16]| -> Vec<u8> {
            words.iter().flat_map(|word| word.to_be_bytes()).collect()
        };
        let integer = |value| Some(Value::Integer(value));
        assert_eq!(numeric(&raw(&[0, 0, 0, 0])), integer(0));
        assert_eq!(numeric(&raw(&[1, 0, 0, 0, 30])), integer(30));
        assert_eq!(numeric(&raw(&[1, 1, 0x4000, 0, 3])), integer(-30_000));
        assert_eq!(numeric(&raw(&[2, 1, 0, 0, 3, 7])), integer(30_007));
        assert_eq!(numeric(&raw(&[2, 0, 0, 1, 3, 5_000])), None);
        assert_eq!(numeric(&raw(&[1, -1, 0, 1, 5_000])), None);
    }
}
