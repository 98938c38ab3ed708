//! What goes into a statement, and the rows that come out.

use std::fmt;

/// A value of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Real(f64),
    /// A text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// As in SQL.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Integer(value) => value.fmt(f),
            Value::Real(value) => write!(f, "{value:?}"),
            Value::Text(text) => write!(f, "'{}'", text.replace('\'', "''")),
            Value::Blob(bytes) => {
                f.write_str("x'")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                f.write_str("'")
            }
        }
    }
}

/// Whole numbers that SQLite has, too.
macro_rules! integers {
    ($($type:ty),*) => {
        $(
            impl From<$type> for Value {
                fn from(value: $type) -> Value {
                    Value::Integer(value.into())
                }
            }
        )*
    };
}

integers!(bool, i8, i16, i32, i64, u8, u16, u32);

/// Whole numbers of which the largest are too large for SQLite.
macro_rules! large_integers {
    ($($type:ty),*) => {
        $(
            impl From<$type> for Value {
                /// # Panics
                ///
                /// If it is too large for SQLite, whose numbers are those of `i64`.
                #[track_caller]
                fn from(value: $type) -> Value {
                    match value.try_into() {
                        Ok(value) => Value::Integer(value),
                        Err(_) => panic!("{value} is too large for SQLite"),
                    }
                }
            }
        )*
    };
}

large_integers!(isize, u64, usize);

impl From<f64> for Value {
    fn from(value: f64) -> Value {
        Value::Real(value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Value {
        Value::Text(text.clone())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Value {
        Value::Blob(bytes)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Value {
        Value::Blob(bytes.to_owned())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}

/// What stands for the question marks of a statement: nothing, an array or a vector of values of one type, or
/// a tuple of up to eight.
pub trait Params {
    /// The values, in the order of the question marks.
    fn values(self) -> Vec<Value>;
}

impl Params for () {
    fn values(self) -> Vec<Value> {
        Vec::new()
    }
}

impl<T: Into<Value>, const N: usize> Params for [T; N] {
    fn values(self) -> Vec<Value> {
        self.map(Into::into).into()
    }
}

impl<T: Into<Value>> Params for Vec<T> {
    fn values(self) -> Vec<Value> {
        self.into_iter().map(Into::into).collect()
    }
}

macro_rules! tuples {
    ($(($($type:ident $number:tt),*))*) => {
        $(
            impl<$($type: Into<Value>),*> Params for ($($type,)*) {
                fn values(self) -> Vec<Value> {
                    vec![$(self.$number.into()),*]
                }
            }
        )*
    };
}

tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
}

/// A type that a column can be read as.
pub trait FromValue: Sized {
    /// The value as this type, unless it is of another one, or too large for it.
    fn from_value(value: &Value) -> Option<Self>;
}

impl FromValue for i64 {
    fn from_value(value: &Value) -> Option<i64> {
        match value {
            Value::Integer(value) => Some(*value),
            _ => None,
        }
    }
}

macro_rules! from_integers {
    ($($type:ty),*) => {
        $(
            impl FromValue for $type {
                fn from_value(value: &Value) -> Option<$type> {
                    i64::from_value(value)?.try_into().ok()
                }
            }
        )*
    };
}

from_integers!(i8, i16, i32, isize, u8, u16, u32, u64, usize);

impl FromValue for bool {
    fn from_value(value: &Value) -> Option<bool> {
        i64::from_value(value).map(|value| value != 0)
    }
}

impl FromValue for f64 {
    fn from_value(value: &Value) -> Option<f64> {
        match value {
            Value::Real(value) => Some(*value),
            _ => None,
        }
    }
}

impl FromValue for String {
    fn from_value(value: &Value) -> Option<String> {
        match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: &Value) -> Option<Vec<u8>> {
        match value {
            Value::Blob(bytes) => Some(bytes.clone()),
            _ => None,
        }
    }
}

/// Whatever it is.
impl FromValue for Value {
    fn from_value(value: &Value) -> Option<Value> {
        Some(value.clone())
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> Option<Option<T>> {
        match value {
            Value::Null => Some(None),
            value => T::from_value(value).map(Some),
        }
    }
}

/// One row of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Row(pub(crate) Vec<Value>);

impl Row {
    /// The value of a column, counted from 0.
    ///
    /// # Panics
    ///
    /// If there is no such column, or its value is of another type.
    #[track_caller]
    pub fn get<T: FromValue>(&self, column: usize) -> T {
        let Some(value) = self.0.get(column) else {
            panic!("no column {column} in a row of {}", self.0.len());
        };
        match T::from_value(value) {
            Some(value) => value,
            None => panic!(
                "column {column} is {value}, which is no {}",
                std::any::type_name::<T>()
            ),
        }
    }
}

/// `10`, or `(1, 'ann')`.
impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [value] => value.fmt(f),
            values => {
                let values: Vec<String> = values.iter().map(Value::to_string).collect();
                write!(f, "({})", values.join(", "))
            }
        }
    }
}

/// The rows that a query found, in the order in which the engine returned them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows(pub(crate) Vec<Row>);

impl Rows {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first one.
    pub fn first(&self) -> Option<&Row> {
        self.0.first()
    }

    /// The one value that was asked for: the first column of the first row.
    ///
    /// # Panics
    ///
    /// If there is no row, or the value is of another type.
    #[track_caller]
    pub fn value<T: FromValue>(&self) -> T {
        match self.first() {
            Some(row) => row.get(0),
            None => panic!("the query found no row"),
        }
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Row> {
        self.0.iter()
    }
}

impl IntoIterator for Rows {
    type Item = Row;
    type IntoIter = std::vec::IntoIter<Row>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// `10`, or `10, 20`, or `no row`.
impl fmt::Display for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("no row");
        }
        let rows: Vec<String> = self.0.iter().map(Row::to_string).collect();
        f.write_str(&rows.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_takes_one_value_or_several_of_different_types() {
        let text = |values: Vec<Value>| Row(values).to_string();
        assert_eq!(text((7_usize,).values()), "7");
        assert_eq!(text(vec!["ann", "bob"].values()), "('ann', 'bob')");
        let six = (1_u64, "ann", true, 0.5, None::<i64>, vec![1_u8, 255]);
        assert_eq!(text(six.values()), "(1, 'ann', 1, 0.5, null, x'01ff')");
    }

    #[test]
    fn what_was_written_can_be_read_as_what_it_was() {
        let row = Row((3_usize, -4_i8, 5_u64, vec![6_u8], "seven").values());
        assert_eq!((row.get::<usize>(0), row.get::<i8>(1)), (3, -4));
        assert_eq!((row.get::<u64>(2), row.get::<Vec<u8>>(3)), (5, vec![6]));
        assert_eq!(row.get::<Value>(4), Value::Text("seven".to_owned()));
    }

    #[test]
    fn a_number_that_is_too_large_for_its_type_is_not_cut() {
        let row = Row((300, -1).values());
        assert_eq!(u8::from_value(&row.0[0]), None);
        assert_eq!(usize::from_value(&row.0[1]), None);
    }

    #[test]
    #[should_panic(expected = "18446744073709551615 is too large for SQLite")]
    fn a_number_that_is_too_large_for_sqlite_is_refused() {
        let _ = Value::from(u64::MAX);
    }
}
