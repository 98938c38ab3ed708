//! The commands of the snapshot engine, which has no SQL.

use crate::sql::beginning;
use crate::{Error, Kind, Level, Result, Value};

/// What a command is to be like.
const ACCEPTED: &str = "the snapshot engine accepts `get KEY`, `set KEY VALUE`, `delete KEY`, `scan PREFIX`, \
                        `begin`, `begin serializable`, `commit` and `rollback`";

/// A command with its values in it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Command {
    /// Begins a transaction: at *serializable*, or with a snapshot only.
    Begin(Level),
    Commit,
    Rollback,
    /// One that reads or writes.
    Of(Access),
}

/// What reads or writes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Access {
    /// Finds the value of a key, in a row of one column, or no row.
    Get(String),
    /// Gives a key a value, whether it had one or not.
    Set(String, Value),
    /// Takes away a key, if it is there.
    Delete(String),
    /// Finds all keys that begin so, and their values, in the order of the keys.
    Scan(String),
}

impl Command {
    /// Reads a command. Question marks stand for the values, in their order, or numbered: `?1`.
    pub fn read(text: &str, values: &[Value]) -> Result<Command> {
        let mut words = Words {
            rest: beginning(text).trim(),
            values,
            used: 0,
        };
        let command = words.command().and_then(|command| match words {
            Words { rest: "", used, .. } if used == values.len() => Ok(command),
            Words { rest: "", used, .. } => Err(format!(
                "it has {} values, and uses {used} of them",
                values.len()
            )),
            Words { rest, .. } => Err(format!("`{rest}` is too much")),
        });
        command.map_err(|why| {
            let message = format!("`{}`: {why}: {ACCEPTED}", text.trim());
            Error::new(Kind::Other, "NO_COMMAND", message)
        })
    }
}

/// Why a text is no command, in words.
type Read<T> = std::result::Result<T, String>;

/// What is not yet read.
struct Words<'a> {
    rest: &'a str,
    values: &'a [Value],
    /// How many of the values have been used.
    used: usize,
}

impl<'a> Words<'a> {
    fn command(&mut self) -> Read<Command> {
        let first = self.next().to_ascii_lowercase();
        Ok(match first.as_str() {
            "get" => Command::Of(Access::Get(self.key("a key")?)),
            "set" => Command::Of(Access::Set(self.key("a key")?, self.value()?)),
            "delete" => Command::Of(Access::Delete(self.key("a key")?)),
            "scan" => Command::Of(Access::Scan(self.key("a prefix")?)),
            "begin" => Command::Begin(self.level()?),
            "commit" => Command::Commit,
            "rollback" => Command::Rollback,
            "" => return Err("it is empty".to_owned()),
            _ => return Err(format!("`{first}` is no command")),
        })
    }

    /// The next word, or nothing.
    fn next(&mut self) -> &'a str {
        let end = self.rest.find(char::is_whitespace);
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest.trim_start();
        word
    }

    fn level(&mut self) -> Read<Level> {
        match std::mem::take(&mut self.rest) {
            "" | "repeatable read" => Ok(Level::RepeatableRead),
            "serializable" => Ok(Level::Serializable),
            other => Err(format!("it has no level `{other}`")),
        }
    }

    /// A plain word: it is a key, and stands between others without quotes.
    fn key(&mut self, what: &str) -> Read<String> {
        let word = self.next();
        let key = match self.bound(word)? {
            Some(Value::Text(text)) => text,
            Some(Value::Integer(number)) => number.to_string(),
            Some(other) => return Err(format!("{other} is no key")),
            None => word.to_owned(),
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:".contains(c);
        match key.as_str() {
            "" => Err(format!("{what} is missing")),
            key if key.chars().all(is_plain) => Ok(key.to_owned()),
            key => Err(format!(
                "`{key}` is no key: a key has letters, digits, and `_-./:`"
            )),
        }
    }

    /// A number, `null`, a plain word, or anything between single quotes, as SQL has it.
    fn value(&mut self) -> Read<Value> {
        if self.rest.starts_with('\'') {
            return self.quoted();
        }
        let word = self.next();
        if let Some(value) = self.bound(word)? {
            return Ok(value);
        }
        let real = || word.parse().ok().filter(|real: &f64| real.is_finite());
        Ok(match word {
            "" => return Err("a value is missing".to_owned()),
            "null" => Value::Null,
            _ if word.parse::<i64>().is_ok() => Value::Integer(word.parse().unwrap_or_default()),
            _ => real().map_or_else(|| Value::Text(word.to_owned()), Value::Real),
        })
    }

    /// All that is left, as a text between quotes.
    fn quoted(&mut self) -> Read<Value> {
        let text = std::mem::take(&mut self.rest);
        let inner = text[1..]
            .strip_suffix('\'')
            .map(|it| it.replace("''", "\0"));
        match inner {
            Some(inner) if !inner.contains('\'') => Ok(Value::Text(inner.replace('\0', "'"))),
            _ => Err(format!("{text} is no text: a quote in it is doubled")),
        }
    }

    /// The value that a word stands for, if it is a question mark.
    fn bound(&mut self, word: &str) -> Read<Option<Value>> {
        let Some(number) = word.strip_prefix('?') else {
            return Ok(None);
        };
        let at = match number {
            "" => self.used + 1,
            _ => number
                .parse()
                .map_err(|_| format!("`{word}` is no value"))?,
        };
        let value = at.checked_sub(1).and_then(|at| self.values.get(at));
        let value = value.ok_or_else(|| format!("there is no value for `{word}`"))?;
        self.used = self.used.max(at);
        Ok(Some(value.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(value: Value) -> Command {
        Command::Of(Access::Set("a".to_owned(), value))
    }

    fn why_not(text: &str, values: &[Value]) -> String {
        Command::read(text, values).unwrap_err().message
    }

    #[test]
    fn a_command_is_read_with_its_values() {
        let read = |text: &str| Command::read(text, &[]).unwrap();
        assert_eq!(read(" get a "), Command::Of(Access::Get("a".to_owned())));
        assert_eq!(read("set a -1"), set(Value::Integer(-1)));
        assert_eq!(read("set a 0.5"), set(Value::Real(0.5)));
        assert_eq!(read("set a free"), set(Value::Text("free".to_owned())));
        assert_eq!(
            read("set a 'it''s me'"),
            set(Value::Text("it's me".to_owned()))
        );
        assert_eq!(
            read("begin serializable"),
            Command::Begin(Level::Serializable)
        );
        let values = ["a".into(), 7.into()];
        assert_eq!(Command::read("set ? ?", &values), Ok(set(7.into())));
        assert_eq!(Command::read("set ?1 ?2", &values), Ok(set(7.into())));
    }

    #[test]
    fn a_wrong_command_is_named_with_what_is_accepted() {
        let why = why_not("select 1", &[]);
        assert!(
            why.starts_with("`select 1`: `select` is no command: "),
            "{why}"
        );
        assert!(
            why.ends_with("`begin serializable`, `commit` and `rollback`"),
            "{why}"
        );
        for (text, says) in [
            ("", "it is empty"),
            ("get", "a key is missing"),
            ("get a b", "`b` is too much"),
            ("set a", "a value is missing"),
            ("set a ?", "there is no value for `?`"),
            ("set a ?0", "there is no value for `?0`"),
            ("set a 'b' c'", "a quote in it is doubled"),
            ("get it's", "`it's` is no key"),
            ("begin immediate", "it has no level `immediate`"),
        ] {
            assert!(why_not(text, &[]).contains(says), "{}", why_not(text, &[]));
        }
        assert!(why_not("get a", &[1.into()]).contains("it has 1 values, and uses 0 of them"));
    }
}
