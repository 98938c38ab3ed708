//! What Hermitage has published of these levels, beside what ours are declared to show. That they do show
//! it, `tests/variants.rs` checks.

use super::always;
use heisenbug::catalogue::Bug;
use heisenbug_worlds as worlds;
use libtest_mimic::Trial;

/// Hermitage, README of commit 000346f: PostgreSQL 9.3.5 and MySQL 5.6.21. A letter for each level, from
/// the lowest: `p` if the anomaly is prevented, `s` if it is seen.
///
/// MySQL's *repeatable read* prevents PMP and G-single for read-only transactions only ("R/O"). Ours ask
/// about reads (`pmp`, `g-single`) and about writes (`pmp-write`).
const PUBLISHED: [(&str, &str, &str); 10] = [
    // name, PostgreSQL: committed, repeatable, serializable
    // MySQL: uncommitted, committed, repeatable, serializable
    ("g0", "ppp", "pppp"),
    ("g1a", "ppp", "sppp"),
    ("g1b", "ppp", "sppp"),
    ("g1c", "ppp", "sppp"),
    ("otv", "ppp", "sppp"),
    ("pmp", "spp", "sspp"),
    ("p4", "spp", "sssp"),
    ("g-single", "spp", "sspp"),
    ("g2-item", "ssp", "sssp"),
    ("g2", "ssp", "sssp"),
];

const POSTGRES: [&str; 3] = [
    "postgres_read_committed",
    "postgres_repeatable_read",
    "postgres_serializable",
];

const MARIADB: [&str; 4] = [
    "mariadb_read_uncommitted",
    "mariadb_read_committed",
    "mariadb_repeatable_read",
    "mariadb_serializable",
];

pub fn trials() -> Vec<Trial> {
    vec![
        always(
            "all_cells_of_postgresql_are_as_hermitage_published_them",
            || {
                for (anomaly, postgres, _) in PUBLISHED {
                    assert_eq!(row(anomaly, &POSTGRES), postgres, "{anomaly}");
                }
            },
        ),
        always(
            "all_cells_of_mariadb_are_as_hermitage_published_them_of_mysql",
            || {
                for (anomaly, _, mysql) in PUBLISHED {
                    assert_eq!(row(anomaly, &MARIADB), mysql, "{anomaly}");
                }
            },
        ),
        always("mysqls_writes_are_not_kept_apart_as_its_reads_are", || {
            // "R/O" in Hermitage. At *read committed* its evidence is a row that is read again after the
            // delete has waited; ours is a row that is left, which is not seen there.
            assert_eq!(row("pmp-write", &MARIADB), "spsp");
        }),
        always(
            "snapshot_isolation_of_mariadb_prevents_all_but_write_skew",
            || {
                // Not in Hermitage: the variable is of 2024. Two anomalies of writes that are seen without it
                // are not seen with it.
                let seen: Vec<&str> = worlds::anomalies()
                    .filter(|bug| row(bug.name, &["mariadb_repeatable_read_snapshot"]) == "s")
                    .map(|bug| bug.name)
                    .collect();
                assert_eq!(seen, ["g2-item", "g2", "g2-fekete"]);
            },
        ),
    ]
}

/// The letters of an anomaly at these levels.
fn row(anomaly: &str, levels: &[&str]) -> String {
    let bug: &Bug = worlds::anomalies()
        .find(|bug| bug.name == anomaly)
        .expect("it is one of ours");
    let letter = |level: &&str| match bug.variant(level).expect(level).role.expected() {
        Some(_) => 's',
        None => 'p',
    };
    levels.iter().map(letter).collect()
}
