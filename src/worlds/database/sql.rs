//! What a statement is, as far as it matters to who runs it: told by its first word.

/// The first word of a statement, in lower case. Comments before it are skipped.
pub(crate) fn first_word(sql: &str) -> String {
    let begins = beginning(sql);
    let word = begins.split(|c: char| !c.is_ascii_alphabetic()).next();
    word.unwrap_or_default().to_ascii_lowercase()
}

/// The statement without the comments before it.
pub(crate) fn beginning(sql: &str) -> &str {
    let mut rest = sql.trim_start();
    loop {
        let end = match rest {
            _ if rest.starts_with("--") => rest.find('\n'),
            _ if rest.starts_with("/*") => rest.find("*/").map(|end| end + 1),
            _ => return rest,
        };
        rest = end.map_or("", |end| rest[end + 1..].trim_start());
    }
}

/// Whether a statement changes rows, if it finds any.
pub fn changes_rows(sql: &str) -> bool {
    const THEY: [&str; 6] = ["insert", "update", "delete", "replace", "with", "merge"];
    THEY.contains(&first_word(sql).as_str())
}

/// Whether a statement that begins with this word changes nothing but rows, and transactions.
pub(crate) fn is_undone_by_reset(first: &str) -> bool {
    const OF_ROWS: [&str; 14] = [
        "select",
        "insert",
        "update",
        "delete",
        "replace",
        "with",
        "merge",
        "begin",
        "start",
        "commit",
        "end",
        "rollback",
        "savepoint",
        "release",
    ];
    OF_ROWS.contains(&first)
}

/// Whether a statement is about transactions or the session. It finds no rows, and a server need not prepare it.
#[cfg(feature = "servers")]
pub(crate) fn is_of_transactions(sql: &str) -> bool {
    const THEY: [&str; 10] = [
        "begin",
        "start",
        "commit",
        "end",
        "rollback",
        "abort",
        "savepoint",
        "release",
        "set",
        "use",
    ];
    THEY.contains(&first_word(sql).as_str())
}

/// Whether a `rollback` goes back to a savepoint only.
#[cfg(feature = "servers")]
pub(crate) fn names_savepoint(sql: &str) -> bool {
    { sql.split_whitespace() }.any(|word| word.eq_ignore_ascii_case("to"))
}
