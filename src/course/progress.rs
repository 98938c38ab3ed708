//! A learner's progress: a plain file in the folder of the learner's files.
//!
//! ```toml
//! # How far you have come. Written by `heisenbug learn`; you may edit it.
//! course = "/where/the/course/is"
//! current = "overdraft"
//! done = ["whose_turn", "lost_update"]
//! ```

use anyhow::Result;
use heisenbug_files as files;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The name of the file.
pub const FILE: &str = "progress.toml";

const HEADING: &str = "# How far you have come. Written by `heisenbug learn`; you may edit it.\n";

/// What the file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// The folder of the course, if it is not this one.
    pub course: Option<PathBuf>,
    /// The exercise to continue with.
    pub current: Option<String>,
    /// The exercises that were proven, in the order in which they were proven.
    #[serde(default)]
    pub done: Vec<String>,
}

/// What was read, and a warning to show.
#[derive(Clone, Debug, Default)]
pub struct Read {
    /// The progress: empty if there was no file, or a damaged one.
    pub progress: Progress,
    /// What happened to a damaged file.
    pub warning: Option<String>,
}

impl Progress {
    /// Reads the file in a folder. A damaged one is set aside, never overwritten.
    ///
    /// # Errors
    ///
    /// If there is one and it cannot be read, or it is damaged and cannot be set aside. Then it stays
    /// where it is.
    pub fn read(folder: &Path) -> Result<Read> {
        let path = folder.join(FILE);
        let Some(bytes) = files::read(&path)? else {
            return Ok(Read::default());
        };
        let why = match Progress::parse(bytes) {
            Ok(progress) => {
                let warning = None;
                return Ok(Read { progress, warning });
            }
            Err(why) => why,
        };
        let aside = files::set_aside(&path, "bak")?;
        Ok(Read {
            progress: Progress::default(),
            warning: Some(format!(
                "{} is damaged ({why}). It is now {}, and the course starts again",
                path.display(),
                aside.display()
            )),
        })
    }

    fn parse(bytes: Vec<u8>) -> Result<Progress, String> {
        let text = String::from_utf8(bytes).map_err(|error| error.to_string())?;
        toml::from_str(&text).map_err(|error| error.message().to_owned())
    }

    /// Writes the file, as a whole or not at all.
    ///
    /// # Errors
    ///
    /// If it cannot be written. Then it is as it was.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let text = format!("{HEADING}{}", toml::to_string(self)?);
        files::write(&folder.join(FILE), text.as_bytes())
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
