//! How far a learner has come: a plain file in the folder of the learner's files.
//!
//! ```toml
//! # How far you have come. Written by `heisenbug learn`; you may edit it.
//! course = "/where/the/course/is"
//! current = "overdraft"
//! done = ["whose_turn", "lost_update"]
//! ```

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The name of the file.
pub const FILE: &str = "progress.toml";

const HEADING: &str = "# How far you have come. Written by `heisenbug learn`; you may edit it.\n";

/// What the file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// The folder of the course, if it is another than this one.
    pub course: Option<PathBuf>,
    /// The exercise to go on with.
    pub current: Option<String>,
    /// The exercises that were proven, in the order in which they were.
    #[serde(default)]
    pub done: Vec<String>,
}

/// What was read, and what must be said about it.
#[derive(Clone, Debug, Default)]
pub struct Read {
    /// The progress; none at all if there was no file that could be read.
    pub progress: Progress,
    /// What became of a file that could not be read.
    pub warning: Option<String>,
}

impl Progress {
    /// Reads the file in a folder. A damaged one is set aside, never overwritten.
    ///
    /// # Errors
    ///
    /// If there is one that can be neither read nor set aside.
    pub fn read(folder: &Path) -> Result<Read> {
        let path = folder.join(FILE);
        let text = match std::fs::read(&path) {
            Ok(bytes) => String::from_utf8(bytes).map_err(|error| error.to_string()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Read::default());
            }
            Err(error) => Err(error.to_string()),
        };
        let parsed =
            text.and_then(|text| toml::from_str(&text).map_err(|error| error.message().to_owned()));
        match parsed {
            Ok(progress) => Ok(Read {
                progress,
                warning: None,
            }),
            Err(why) => {
                let aside = free_name(&path);
                std::fs::rename(&path, &aside)
                    .with_context(|| format!("cannot set {} aside", path.display()))?;
                Ok(Read {
                    progress: Progress::default(),
                    warning: Some(format!(
                        "{} is damaged ({why}). It is now {}, and the course begins anew",
                        path.display(),
                        aside.display()
                    )),
                })
            }
        }
    }

    /// Writes the file, as a whole or not at all.
    ///
    /// # Errors
    ///
    /// If the folder cannot be written to.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(FILE);
        let write = || -> Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(HEADING.as_bytes())?;
            file.write_all(toml::to_string(self)?.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            Ok(())
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }

    /// Whether an exercise was proven.
    pub fn is_done(&self, exercise: &str) -> bool {
        self.done.iter().any(|done| done == exercise)
    }

    /// Notes that an exercise was proven.
    pub fn finish(&mut self, exercise: &str) {
        if !self.is_done(exercise) {
            self.done.push(exercise.to_owned());
        }
    }

    /// Notes that an exercise is to be done again.
    pub fn reopen(&mut self, exercise: &str) {
        self.done.retain(|done| done != exercise);
    }
}

/// A name beside `path` that no file has.
pub fn free_name(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let free = (1_u32..).map(|nth| path.with_file_name(format!("{name}.{nth}.bak")));
    { free }
        .find(|path| !path.exists())
        .expect("there are more numbers than files")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let mut progress = Progress {
            course: Some("/a/course".into()),
            current: Some("aba".to_owned()),
            done: Vec::new(),
        };
        progress.finish("lost_update");
        progress.finish("lost_update");
        progress.write(folder.path()).unwrap();
        let read = Progress::read(folder.path()).unwrap();
        assert_eq!(read.progress, progress);
        assert_eq!(read.progress.done, ["lost_update"]);
        assert!(read.warning.is_none());
    }

    #[test]
    fn a_damaged_file_is_set_aside_and_said_to_be() {
        let folder = tempfile::tempdir().unwrap();
        for (nth, damage) in [b"done = [\"a\"".as_slice(), b"\xff\xfe"]
            .iter()
            .enumerate()
        {
            std::fs::write(folder.path().join(FILE), damage).unwrap();
            let read = Progress::read(folder.path()).unwrap();
            assert_eq!(read.progress, Progress::default());
            let aside = format!("{FILE}.{}.bak", nth + 1);
            assert!(read.warning.unwrap().contains(&aside));
            assert_eq!(std::fs::read(folder.path().join(aside)).unwrap(), *damage);
        }
    }
}
