//! The last price of each fix, kept in the user's data folder for `show` and `check`.
//!
//! The file is replaced as a whole, under a lock, so that it is never half written and two runs at
//! once do not lose each other's prices. A damaged file is set aside, not overwritten.

use super::report::Report;
use super::table;
use anyhow::{Context, Result};
use heisenbug_files as files;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;

/// The environment variable that names another folder.
pub const FOLDER: &str = "HEISENBUG_DATA";

/// The cost of a fix when it was last measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// Nanoseconds per operation of all threads together, by number of threads.
    pub nanos: BTreeMap<usize, f64>,
    /// With one thread, as a multiple of the buggy program.
    pub ratio: Option<f64>,
    /// The number of processes that the median is over.
    pub processes: usize,
    /// Whether some of them were noisy.
    pub noisy: bool,
    /// The machine in a few words.
    pub machine: String,
    /// The day, in UTC.
    pub date: String,
}

impl Price {
    /// Whether this price is more reliable than `other`: of the same machine, undisturbed, and `other` was
    /// noisy or covers less.
    fn is_better_than(&self, other: &Price) -> bool {
        let measured_more = self.processes > other.processes
            || self
                .nanos
                .keys()
                .any(|threads| !other.nanos.contains_key(threads));
        self.machine == other.machine && !self.noisy && (other.noisy || measured_more)
    }

    /// The price in one line.
    pub fn line(&self) -> String {
        let figures = self.nanos.iter().map(|(&threads, &nanos)| {
            let ratio = self.ratio.filter(|_| threads == 1);
            let ratio = ratio.map_or(String::new(), |ratio| {
                format!(" ({} × the bug)", table::nanos(ratio))
            });
            let threads = match threads {
                1 => "alone".to_owned(),
                threads => format!("with {threads} threads"),
            };
            format!("{} ns {threads}{ratio}", table::nanos(nanos))
        });
        let figures = figures.collect::<Vec<_>>().join(", ");
        let few = match self.processes {
            1 => "; 1 process only",
            _ => "",
        };
        let noisy = if self.noisy { "; noisy" } else { "" };
        format!("{figures}; {}, {}{few}{noisy}", self.machine, self.date)
    }
}

/// Prices, by `bug/variant`.
pub type Prices = BTreeMap<String, Price>;

/// The file's contents.
#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    prices: Prices,
}

const VERSION: u32 = 1;

/// A folder for prices, which may still be empty.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

/// The result of saving prices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The file.
    pub file: PathBuf,
    /// Where the previous file was moved to, if it was damaged.
    pub set_aside: Option<PathBuf>,
    /// How many old prices were kept because they are more reliable than the new ones.
    pub kept: usize,
}

impl Store {
    /// The user's store. `None` if there is no folder for it.
    pub fn of_user() -> Option<Store> {
        folder(|name| std::env::var_os(name).map(PathBuf::from)).map(Store::at)
    }

    /// A store in this folder, which need not exist.
    pub fn at(folder: PathBuf) -> Store {
        Store { folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.join("prices.json")
    }

    /// All prices. Empty if there is no file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn load(&self) -> Result<Prices> {
        let file = self.file();
        match files::read(&file)? {
            None => Ok(Prices::new()),
            Some(text) => parse(&text).with_context(|| format!("{} is damaged", file.display())),
        }
    }

    /// Adds these prices to the stored prices of other programs.
    ///
    /// # Errors
    ///
    /// If the old file cannot be read, or the new one cannot be written. Then the old file is unchanged.
    pub fn save(&self, new: Prices) -> Result<Saved> {
        let file = self.file();
        let cannot = || format!("cannot write {}", file.display());
        fs::create_dir_all(&self.folder).with_context(cannot)?;
        let lock = File::create(self.folder.join("prices.lock")).with_context(cannot)?;
        lock.lock().with_context(cannot)?;
        let (mut prices, set_aside) = match files::read(&file)?.map(|text| parse(&text)) {
            None => (Prices::new(), None),
            Some(Ok(prices)) => (prices, None),
            Some(Err(_)) => (Prices::new(), Some(files::set_aside(&file, "damaged")?)),
        };
        let mut kept = 0;
        for (name, new) in new {
            match prices
                .get(&name)
                .is_some_and(|old| old.is_better_than(&new))
            {
                true => kept += 1,
                false => drop(prices.insert(name, new)),
            }
        }
        let version = VERSION;
        let text = serde_json::to_vec_pretty(&Stored { version, prices })?;
        files::write(&file, &text)?;
        Ok(Saved {
            file,
            set_aside,
            kept,
        })
    }
}

fn parse(text: &[u8]) -> Result<Prices> {
    let stored: Stored = serde_json::from_slice(text)?;
    anyhow::ensure!(stored.version == VERSION, "it is of another version");
    Ok(stored.prices)
}

/// The folder, given the environment's variables.
fn folder(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let set = |name| variable(name).filter(|path| !path.as_os_str().is_empty());
    if let Some(folder) = set(FOLDER) {
        return Some(folder);
    }
    // The specification requires that paths which are not absolute are ignored.
    let data = set("XDG_DATA_HOME").filter(|path| path.is_absolute());
    let data = data.or_else(|| {
        if cfg!(windows) {
            set("LOCALAPPDATA")
        } else if cfg!(target_os = "macos") {
            set("HOME").map(|home| home.join("Library/Application Support"))
        } else {
            set("HOME").map(|home| home.join(".local/share"))
        }
    });
    Some(data?.join("heisenbug"))
}

/// The prices of the fixes in a report on bugs. None for a debug build, whose figures are meaningless.
pub fn prices(report: &Report) -> Prices {
    let mut prices = Prices::new();
    let fixes = report.cells.iter().filter(|cell| !cell.is_baseline);
    for cell in fixes.filter(|_| !report.machine.debug_build) {
        let Some(nanos) = cell.nanos.filter(|_| cell.problem.is_none()) else {
            continue;
        };
        let name = format!("{}/{}", cell.group, cell.name);
        let price = prices.entry(name).or_insert_with(|| Price {
            nanos: BTreeMap::new(),
            ratio: None,
            processes: cell.processes,
            noisy: false,
            machine: report.machine.name(),
            date: report.machine.day().to_owned(),
        });
        price.nanos.insert(cell.point.threads, nanos.median);
        price.noisy |= cell.noisy > 0;
        price.processes = price.processes.min(cell.processes);
        if cell.point.threads == 1 && compared_with_the_bug(report, &cell.group) {
            price.ratio = cell.ratio;
        }
    }
    prices
}

/// Whether the buggy program was measured, so that ratios refer to it.
fn compared_with_the_bug(report: &Report, bug: &str) -> bool {
    let mut cells = report.cells.iter();
    cells.any(|cell| cell.group == bug && cell.is_baseline && cell.nanos.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(nanos: f64) -> Price {
        Price {
            nanos: BTreeMap::from([(1, nanos), (2, 27.3)]),
            ratio: Some(2.0),
            processes: 5,
            noisy: false,
            machine: "a machine, 2 cores".to_owned(),
            date: "2026-01-31".to_owned(),
        }
    }

    fn one(name: &str, nanos: f64) -> Prices {
        Prices::from([(name.to_owned(), price(nanos))])
    }

    #[test]
    fn prices_come_back_and_a_newer_one_replaces_the_older() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path().join("not/yet/there"));
        assert_eq!(store.load().unwrap(), Prices::new());
        store.save(one("a/x", 1.0)).unwrap();
        store.save(one("b/y", 2.0)).unwrap();
        let saved = store.save(one("a/x", 3.0)).unwrap();
        assert_eq!(saved.set_aside, None);
        let all = store.load().unwrap();
        assert_eq!((all["a/x"].nanos[&1], all["b/y"].nanos[&1]), (3.0, 2.0));
    }

    #[test]
    fn a_worse_price_does_not_replace_a_better_one_of_the_same_machine() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path().to_owned());
        store.save(one("a/x", 1.0)).unwrap();
        let noisy = Price {
            noisy: true,
            ..price(2.0)
        };
        let fewer = Price {
            processes: 1,
            ..price(2.0)
        };
        let alone = Price {
            nanos: BTreeMap::from([(1, 2.0)]),
            ..price(2.0)
        };
        for worse in [noisy, fewer, alone] {
            let saved = store.save(Prices::from([("a/x".to_owned(), worse.clone())]));
            assert_eq!(saved.unwrap().kept, 1);
            let elsewhere = Price {
                machine: "another one".to_owned(),
                ..worse
            };
            store.save(one("b/y", 3.0)).unwrap();
            let saved = store.save(Prices::from([("b/y".to_owned(), elsewhere)]));
            assert_eq!(saved.unwrap().kept, 0);
            fs::remove_file(store.file()).unwrap();
            store.save(one("a/x", 1.0)).unwrap();
        }
        assert_eq!(store.load().unwrap()["a/x"], price(1.0));
    }

    #[test]
    fn a_damaged_file_is_an_error_to_load_and_is_set_aside_by_saving() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path().to_owned());
        for damage in ["{\"version\":1,", "{\"version\":99,\"prices\":{}}"] {
            fs::write(store.file(), damage).unwrap();
            assert!(store.load().is_err());
            let saved = store.save(one("a/x", 1.0)).unwrap();
            let kept = saved.set_aside.expect("it was set aside");
            assert_eq!(fs::read_to_string(kept).unwrap(), damage);
            assert_eq!(store.load().unwrap(), one("a/x", 1.0));
        }
    }

    #[test]
    fn no_step_that_fails_loses_a_price() {
        let begin = |text: &'static str| {
            move || {
                let folder = tempfile::tempdir().unwrap();
                let store = Store::at(folder.path().to_owned());
                store.save(one("a/x", 1.0)).unwrap();
                if !text.is_empty() {
                    fs::write(store.file(), text).unwrap();
                }
                (folder, store)
            }
        };
        let save = |(_, store): &(_, Store)| store.save(one("b/y", 2.0));
        files::faults::each(begin(""), save, |(_, store), failed, done| {
            let why = format!("{:#}", done.unwrap_err());
            assert!(why.contains("prices.json"), "{why}");
            let prices = store.load().unwrap();
            assert_eq!(prices.get("a/x"), Some(&price(1.0)), "{failed:?}");
        });
        files::faults::each(begin("damaged"), save, |(folder, _), failed, done| {
            assert!(done.is_err(), "{failed:?}");
            let mut entries = fs::read_dir(folder.path()).unwrap();
            let kept = entries.any(|entry| {
                let text = fs::read(entry.unwrap().path()).unwrap();
                text == b"damaged"
            });
            assert!(kept, "{failed:?}");
        });
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let store = Store::at(file.path().join("below a file"));
        assert!(store.save(one("a/x", 1.0)).is_err());
    }

    #[test]
    fn the_environment_says_where() {
        let with = |set: &[(&str, &str)]| {
            folder(|name| {
                let found = set.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| PathBuf::from(value))
            })
        };
        let own = with(&[
            (FOLDER, "here"),
            ("XDG_DATA_HOME", "/data"),
            ("HOME", "/me"),
        ]);
        assert_eq!(own, Some(PathBuf::from("here")));
        let home = with(&[
            ("XDG_DATA_HOME", "relative"),
            ("HOME", "/me"),
            ("LOCALAPPDATA", "/me"),
        ]);
        assert!(home.unwrap().starts_with("/me"));
        assert_eq!(with(&[]), None);
        assert_eq!(with(&[("HOME", "")]), None);
    }

    #[test]
    fn only_what_was_optimised_and_went_well_has_a_price() {
        use crate::report::tests::report;
        let mut report = report();
        report.cells[2].problem = Some("wrong sum".to_owned());
        let all = prices(&report);
        let names: Vec<&String> = all.keys().collect();
        assert_eq!(names, ["exclusive/bad", "exclusive/good"]);
        let good = &all["exclusive/good"];
        assert_eq!(good.nanos.keys().collect::<Vec<_>>(), [&2]);
        assert_eq!((good.ratio, good.noisy, good.processes), (None, false, 3));
        let where_and_when = (&*good.machine, &*good.date);
        assert_eq!(where_and_when, ("Abacus, 2 cores", "2026-01-31"));
        assert_eq!(all["exclusive/bad"].ratio, Some(32.0 / 12.0));
        report.machine.debug_build = true;
        assert!(prices(&report).is_empty());
    }

    #[test]
    fn a_price_is_a_line_with_machine_and_date() {
        let line = "4.41 ns alone (2.00 × the bug), 27.3 ns with 2 threads; a machine, 2 cores, \
                    2026-01-31";
        assert_eq!(price(4.41).line(), line);
    }
}
