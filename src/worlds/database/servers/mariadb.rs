//! MariaDB with InnoDB. It does not tell a client that its statement waits, and most of what it shows of
//! transactions is as old as a tenth of a second. Two things are not: its counters, and its monitor.
//!
//! A wait is counted after InnoDB has looked for a deadlock (`lock_wait` in its `lock0lock.cc`), and it is
//! gone from the monitor before the statement that ends it has its answer. So when all statements that run
//! wait by the monitor, and the counters say that as many waits have begun, nobody can move.

use super::server::{CONNECT, Session, poll_once, runtime};
use crate::sql::{first_word, is_of_transactions, names_savepoint};
use crate::{Engine, Error, Found, Kind, Result, Row, Rows, Value};
use mysql_async::consts::ColumnType;
use mysql_async::prelude::Queryable;
use mysql_async::{Column, Conn, Opts, OptsBuilder, Params};
use std::pin::Pin;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::time::timeout;

/// How long a look at a statement lasts before the server is asked whether it waits.
const LOOK: Duration = Duration::from_millis(1);

/// How often the server is asked before nobody can know who waits. Its counters count the waits of others, too.
const LOOKS: u32 = 5_000;

type Ended = (Conn, Result<Found>);

/// A session of a MariaDB server.
pub struct Mariadb {
    /// Runs while somebody waits for this session, and at no other time.
    runtime: Runtime,
    /// Not there while a statement runs.
    conn: Option<Conn>,
    id: i64,
    running: Option<Running>,
    in_transaction: bool,
    engine: Engine,
    /// Where it finds its tables. `None` for the session that belongs to no client.
    space: Option<String>,
}

/// A statement on its way.
struct Running {
    sql: String,
    ended: Pin<Box<dyn Future<Output = Ended> + Send>>,
}

impl Session for Mariadb {
    // It wants a time, in seconds: this is for ever.
    const TURN: &'static str = "select get_lock('heisenbug', 1000000)";
    const END_OF_TURN: &'static str = "select release_lock('heisenbug')";

    fn connect(address: &str, engine: Engine, space: Option<&str>) -> Result<Mariadb> {
        let mut session = Mariadb::dial(address)?;
        session.engine = engine;
        session.space = space.map(str::to_owned);
        session.set_up()?;
        Ok(session)
    }

    fn start(&mut self, sql: &str, params: &[Value]) {
        let text = sql.to_owned();
        let params = params.to_vec();
        let Some(mut conn) = self.conn.take() else {
            return;
        };
        let ended = async move {
            let result = match is_of_transactions(&text) {
                true => conn.query_drop(&text).await.map(|()| Found::default()),
                false => statement(&mut conn, &text, &params).await,
            };
            (conn, result.map_err(Error::from))
        };
        self.running = Some(Running {
            sql: sql.to_owned(),
            ended: Box::pin(ended),
        });
    }

    fn finish(&mut self) -> Result<Found> {
        let Some(Running { sql, ended }) = self.running.take() else {
            return Err(unreachable("the connection was lost"));
        };
        let ended = self.runtime.block_on(ended);
        self.ended(&sql, ended)
    }

    fn is_in_transaction(&self) -> bool {
        self.in_transaction
    }

    fn settle(
        &mut self,
        mut running: Vec<(usize, &mut Mariadb)>,
        _: Option<usize>,
    ) -> Result<Vec<(usize, Result<Found>)>> {
        let mut answers = Vec::new();
        // A victim's answer may be on its way while the others wait: so all have to wait twice, with a look
        // in between.
        let mut all_waited = false;
        for _ in 0..LOOKS {
            running.retain_mut(|(number, session)| {
                let answer = session.look();
                let is_running = answer.is_none();
                answers.extend(answer.map(|answer| (*number, answer)));
                is_running
            });
            let all_wait = running.is_empty() || self.all_wait(&running)?;
            if running.is_empty() || all_wait && all_waited {
                return Ok(answers);
            }
            all_waited = all_wait;
        }
        let message = "it cannot be told whether a statement waits: perhaps others use this server";
        Err(Error::new(Kind::Machine, "WAITS", message))
    }

    fn may_look(&mut self) -> Result<()> {
        self.counters()?;
        self.waiting().map(drop).map_err(|error| {
            let message = format!("{}: the user needs the privilege `process`", error.message);
            Error::new(Kind::Machine, &error.code, message)
        })
    }

    /// Known without a look at what is a tenth of a second old, if there is only one who can be it.
    fn holders(&mut self, _: &Mariadb, others: Vec<(usize, &Mariadb)>) -> Vec<usize> {
        let open = others.into_iter().filter(|(_, other)| other.in_transaction);
        let open: Vec<usize> = open.map(|(number, _)| number).collect();
        match open.len() {
            1 => open,
            _ => Vec::new(),
        }
    }

    fn renew(&mut self) -> Result<()> {
        if let Some(conn) = self.conn.as_mut() {
            self.runtime.block_on(conn.reset()).map_err(Error::from)?;
        }
        self.set_up()
    }

    fn run_all(&mut self, sql: &str) -> Result<()> {
        let Some(conn) = self.conn.as_mut() else {
            return Err(unreachable("the connection was lost"));
        };
        let made = self.runtime.block_on(conn.query_drop(sql));
        made.map_err(Error::from)
    }

    fn send_off(&mut self) -> Option<Result<Found>> {
        let running = self.running.as_mut()?;
        let ended = self.runtime.block_on(poll_once(&mut running.ended));
        self.answer(ended?)
    }

    fn make_space(&mut self, space: &str) -> Result<()> {
        let left = self.run(
            "select schema_name from information_schema.schemata
             where schema_name regexp '^heisenbug_[0-9]+$' and is_free_lock(schema_name) = 1",
            &[],
        )?;
        for left in left.rows.iter().map(|row| row.get::<String>(0)) {
            self.remove_space(&left)?;
        }
        self.run("select get_lock(?, 0)", &[space.into()])?;
        for sql in [
            format!("create database {space}"),
            format!("create database {space}_first"),
            format!("use {space}"),
            "set foreign_key_checks = 0".to_owned(),
        ] {
            self.run(&sql, &[])?;
        }
        Ok(())
    }

    fn remove_space(&mut self, space: &str) -> Result<()> {
        // What is left if this is cut short is found by the name of the second.
        self.run(&format!("drop database if exists {space}_first"), &[])?;
        self.run(&format!("drop database if exists {space}"), &[])?;
        Ok(())
    }

    fn keep_first_rows(&mut self, space: &str) -> Result<Option<String>> {
        let special = self.run(
            "select count(*) from information_schema.tables t left join information_schema.triggers g
             on g.trigger_schema = t.table_schema where t.table_schema = ?
             and (g.trigger_name is not null or t.table_type = 'SEQUENCE')",
            &[space.into()],
        )?;
        // Triggers would see the rows come back, and sequences go on.
        if special.rows.value::<i64>() > 0 {
            return Ok(None);
        }
        let tables = self.run(
            "select t.table_name, t.auto_increment,
                    group_concat('`', c.column_name, '`' order by c.ordinal_position)
             from information_schema.tables t join information_schema.columns c
             on c.table_schema = t.table_schema and c.table_name = t.table_name
             where t.table_schema = ? and t.table_type = 'BASE TABLE' and c.is_generated = 'NEVER'
             group by t.table_name, t.auto_increment",
            &[space.into()],
        )?;
        let mut reset = vec!["begin".to_owned()];
        for row in tables.rows.iter() {
            let (table, next): (String, Option<i64>) = (row.get(0), row.get(1));
            let columns: String = row.get(2);
            self.run(
                &format!("create table {space}_first.`{table}` as select * from {space}.`{table}`"),
                &[],
            )?;
            // A table that numbers its rows begins to count anew only when it is truncated.
            let empty = match next {
                Some(_) => "truncate",
                None => "delete from",
            };
            reset.push(format!("{empty} {space}.`{table}`"));
            reset.push(format!(
                "insert into {space}.`{table}` ({columns}) select {columns} from {space}_first.`{table}`"
            ));
            if let Some(next) = next {
                reset.push(format!(
                    "alter table {space}.`{table}` auto_increment = {next}"
                ));
            }
        }
        reset.push("commit".to_owned());
        Ok(Some(reset.join("; ")))
    }
}

impl Mariadb {
    /// Connects, and does nothing else.
    pub(super) fn dial(address: &str) -> Result<Mariadb> {
        // The crate knows the scheme of the older name.
        let address = address.replacen("mariadb://", "mysql://", 1);
        let opts = Opts::from_url(&address).map_err(|error| unreachable(&error.to_string()))?;
        // As other engines count: the rows that a statement found to change, whether they differ or not.
        let opts = OptsBuilder::from_opts(opts).client_found_rows(true);
        let runtime = runtime();
        let runtime = runtime.map_err(|error| unreachable(&error.to_string()))?;
        let conn = runtime.block_on(async { timeout(CONNECT, Conn::new(opts)).await });
        let conn = conn.map_err(|error| unreachable(&error.to_string()))?;
        let conn = conn.map_err(|error| unreachable(&error.to_string()))?;
        Ok(Mariadb {
            id: conn.id().into(),
            runtime,
            conn: Some(conn),
            running: None,
            in_transaction: false,
            engine: Engine::Mariadb,
            space: None,
        })
    }

    fn set_up(&mut self) -> Result<()> {
        let version: String = self.run("select version()", &[])?.rows.value();
        if !version.contains("MariaDB") {
            let message = format!("this is MySQL {version}, which shows waits in another way");
            return Err(Error::new(Kind::Machine, "NOT_MARIADB", message));
        }
        let Some(space) = self.space.clone() else {
            return Ok(());
        };
        let is_on = i64::from(self.engine == Engine::MariadbSnapshot);
        let set = format!("set innodb_snapshot_isolation = {is_on}");
        match self.run(&set, &[]) {
            // Older versions have no such variable, and are as if it were off.
            Err(error) if is_on == 1 => {
                let message = format!("this MariaDB is {version}: {}", error.message);
                return Err(Error::new(Kind::Machine, "TOO_OLD", message));
            }
            _ => {}
        }
        self.run("set innodb_lock_wait_timeout = 1000000", &[])?;
        self.run(&format!("use {space}"), &[])?;
        Ok(())
    }

    /// The answer, if it comes within a moment.
    fn look(&mut self) -> Option<Result<Found>> {
        let Some(running) = self.running.as_mut() else {
            return Some(Err(unreachable("the connection was lost")));
        };
        let ended = &mut running.ended;
        let ended = self.runtime.block_on(async { timeout(LOOK, ended).await });
        self.answer(ended.ok()?)
    }

    /// The answer to the statement that runs, now that it has come.
    fn answer(&mut self, ended: Ended) -> Option<Result<Found>> {
        let Running { sql, .. } = self.running.take()?;
        Some(self.ended(&sql, ended))
    }

    /// Keeps track of the transaction.
    fn ended(&mut self, sql: &str, (conn, result): Ended) -> Result<Found> {
        self.conn = Some(conn);
        let lower = sql.to_ascii_lowercase();
        let to_savepoint = names_savepoint(sql);
        match (&result, first_word(sql).as_str()) {
            (Ok(_), "begin" | "start") => self.in_transaction = true,
            // What is sent with it.
            (Ok(_), "set") if lower.ends_with("begin") => self.in_transaction = true,
            (Ok(_), "commit" | "rollback") if !to_savepoint => self.in_transaction = false,
            // The whole transaction is undone, and over.
            (Err(error), _) if matches!(error.kind, Kind::Deadlock | Kind::Conflict) => {
                self.in_transaction = false;
            }
            _ => {}
        }
        result
    }

    /// Whether all of them wait, and will until one is moved.
    fn all_wait(&mut self, running: &[(usize, &mut Mariadb)]) -> Result<bool> {
        let before = self.counters()?;
        let waiting = self.waiting()?;
        let all = running
            .iter()
            .all(|(_, session)| waiting.contains(&session.id));
        Ok(all && before.0 == waiting.len() as i64 && before == self.counters()?)
    }

    /// How many waits there are, and how many have begun so far.
    fn counters(&mut self) -> Result<(i64, i64)> {
        let found = self.run(
            "show global status where variable_name in
             ('Innodb_row_lock_current_waits', 'Innodb_row_lock_waits')",
            &[],
        )?;
        let counts: Vec<i64> = { found.rows.iter() }
            .map(|row| row.get::<String>(1).parse().unwrap_or(0))
            .collect();
        match counts.as_slice() {
            // In the order of their names.
            [current, all] => Ok((*current, *all)),
            _ => Err(Error::new(
                Kind::Machine,
                "WAITS",
                "it does not count its waits",
            )),
        }
    }

    /// The sessions that the monitor shows waiting.
    fn waiting(&mut self) -> Result<Vec<i64>> {
        let found = self.run("show engine innodb status", &[])?;
        let text: String = found.rows.first().map(|row| row.get(2)).unwrap_or_default();
        let mut waiting = Vec::new();
        let mut session = 0;
        for line in text.lines() {
            if line.starts_with("---TRANSACTION") {
                session = 0;
            } else if let Some(rest) = line.strip_prefix("MariaDB thread id ") {
                let number = rest.split(',').next().unwrap_or_default();
                session = number.parse().unwrap_or(0);
            } else if line.starts_with("------- TRX HAS BEEN WAITING") {
                waiting.push(session);
            }
        }
        Ok(waiting)
    }
}

async fn statement(
    conn: &mut Conn,
    sql: &str,
    params: &[Value],
) -> std::result::Result<Found, mysql_async::Error> {
    let params: Vec<mysql_async::Value> = params.iter().map(mysql_async::Value::from).collect();
    let params = match params.is_empty() {
        true => Params::Empty,
        false => Params::Positional(params),
    };
    let mut result = conn.exec_iter(sql, params).await?;
    let columns = result.columns();
    let rows: Vec<mysql_async::Row> = result.collect().await?;
    let changed = result.affected_rows();
    result.drop_result().await?;
    let columns = columns.as_deref().unwrap_or_default();
    let rows: Vec<Row> = rows.into_iter().map(|row| read(columns, row)).collect();
    Ok(Found {
        rows: Rows(rows),
        changed,
    })
}

fn read(columns: &[Column], row: mysql_async::Row) -> Row {
    let values = row.unwrap_raw().into_iter().zip(columns);
    Row(values
        .map(|(value, column)| value_of(column, value))
        .collect())
}

/// The number of the character set of bytes that are no text.
const BINARY: u16 = 63;

fn value_of(column: &Column, value: Option<mysql_async::Value>) -> Value {
    match value.unwrap_or(mysql_async::Value::NULL) {
        mysql_async::Value::NULL => Value::Null,
        mysql_async::Value::Int(value) => Value::Integer(value),
        mysql_async::Value::UInt(value) => match i64::try_from(value) {
            Ok(value) => Value::Integer(value),
            Err(_) => Value::Text(value.to_string()),
        },
        mysql_async::Value::Float(value) => Value::Real(value.into()),
        mysql_async::Value::Double(value) => Value::Real(value),
        mysql_async::Value::Bytes(bytes) => match column.column_type() {
            // Such as a sum.
            ColumnType::MYSQL_TYPE_NEWDECIMAL | ColumnType::MYSQL_TYPE_DECIMAL => decimal(&bytes),
            _ if column.character_set() == BINARY => Value::Blob(bytes),
            _ => Value::Text(String::from_utf8_lossy(&bytes).into_owned()),
        },
        // Dates and times, as texts.
        other => Value::Text(other.as_sql(true).trim_matches('\'').to_owned()),
    }
}

fn decimal(bytes: &[u8]) -> Value {
    let text = String::from_utf8_lossy(bytes);
    match text.parse() {
        Ok(value) => Value::Integer(value),
        Err(_) => text
            .parse()
            .map_or_else(|_| Value::Text(text.into_owned()), Value::Real),
    }
}

impl From<&Value> for mysql_async::Value {
    fn from(value: &Value) -> mysql_async::Value {
        match value {
            Value::Null => mysql_async::Value::NULL,
            Value::Integer(value) => mysql_async::Value::Int(*value),
            Value::Real(value) => mysql_async::Value::Double(*value),
            Value::Text(text) => mysql_async::Value::Bytes(text.clone().into_bytes()),
            Value::Blob(bytes) => mysql_async::Value::Bytes(bytes.clone()),
        }
    }
}

fn unreachable(why: &str) -> Error {
    let message = format!("cannot connect to MariaDB: {why}");
    Error::new(Kind::Machine, "UNREACHABLE", message)
}

impl From<mysql_async::Error> for Error {
    fn from(error: mysql_async::Error) -> Error {
        let mysql_async::Error::Server(told) = &error else {
            return match error.is_fatal() {
                true => unreachable(&error.to_string()),
                false => Error::new(Kind::Other, "CLIENT", error.to_string()),
            };
        };
        let kind = match told.code {
            1213 => Kind::Deadlock,
            1205 => Kind::Busy,
            1020 => Kind::Conflict,
            1048 | 1062 | 1451 | 1452 | 4025 => Kind::Constraint,
            // No room, a server that is ended or read only, a disk that fails.
            1021 | 1037 | 1040 | 1041 | 1053 | 1114 | 1290 | 1030 => Kind::Machine,
            _ => Kind::Other,
        };
        Error::new(kind, &told.code.to_string(), told.message.clone())
    }
}
