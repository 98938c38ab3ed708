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

integers!(bool, u8, i32, u32, i64);

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

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}

/// What stands for the question marks of a statement: nothing, an array of values of one type, or a tuple.
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

impl<A: Into<Value>, B: Into<Value>> Params for (A, B) {
    fn values(self) -> Vec<Value> {
        vec![self.0.into(), self.1.into()]
    }
}

impl<A: Into<Value>, B: Into<Value>, C: Into<Value>> Params for (A, B, C) {
    fn values(self) -> Vec<Value> {
        vec![self.0.into(), self.1.into(), self.2.into()]
    }
}

/// A type that a column can be read as.
pub trait FromValue: Sized {
    /// The value as this type, unless it is of another one.
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
