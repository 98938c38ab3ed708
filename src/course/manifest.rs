//! The description of a course: `course.toml`, and the files beside it.

use anyhow::{Context, Result, bail};
use heisenbug_catalogue::Class;
use heisenbug_files as files;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A course: a folder with a `course.toml`.
#[derive(Clone, Debug)]
pub struct Course {
    /// The folder.
    pub folder: PathBuf,
    /// Its title.
    pub title: String,
    /// The exercises, in order.
    pub exercises: Vec<Exercise>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: String,
    #[serde(default, rename = "exercise")]
    exercises: Vec<Exercise>,
}

/// One exercise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exercise {
    /// The name of its file, without `.rs`.
    pub name: String,
    /// Its title, a few words for lists.
    pub title: String,
    /// What the exercise teaches, in one sentence.
    pub concept: String,
    /// The bug of the catalogue it belongs to, if there is one.
    pub bug: Option<String>,
    /// How the exercise fails in its original state.
    pub fails: Failure,
    /// The outcome that it fails with, if that tells more than `fails`.
    pub outcome: Option<String>,
    /// Four hints, from a nudge to the failing schedule in words.
    pub hints: Vec<String>,
    /// Whether the exercise asks for the weakest orderings that hold: stronger ones pass with a note.
    #[serde(default)]
    pub weakest_orderings: bool,
    /// Plausible changes that do not fix the bug.
    #[serde(default, rename = "trap")]
    pub traps: Vec<Trap>,
    /// Mutants of the solution that may pass.
    #[serde(default, rename = "survivor")]
    pub survivors: Vec<Survivor>,
}

/// A [mutant](super::mutants) of the solution that is allowed to pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Survivor {
    /// The mutant's name.
    pub mutant: String,
    /// Why it may pass, in one sentence.
    pub why: String,
}

/// A plausible change that does not fix the bug: `traps/NAME/EXERCISE.rs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trap {
    /// The name of its folder.
    pub name: String,
    /// How it fails.
    pub fails: Failure,
    /// Why it does not fix the bug, in one sentence.
    pub why: String,
}

/// How a learner's program can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", untagged)]
pub enum Failure {
    /// The program fails.
    Class(Class),
    /// The program does not fail, but it is refused for another reason.
    Other(Refusal),
}

/// Why a program that does not fail is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// An outcome that must stay possible is not: the concurrency is gone.
    NotConcurrent,
    /// Even without concurrency, it does not do what the exercise says.
    BrokenPromise,
    /// A scenario that must show a bug does not.
    NotExposed,
    /// It does not compile, or does what the exercise forbids.
    NotCompiled,
    /// A limit was reached first.
    Unknown,
}

impl Course {
    /// Reads `course.toml` in a folder.
    ///
    /// # Errors
    ///
    /// If it is missing or invalid.
    pub fn read(folder: &Path) -> Result<Course> {
        let path = folder.join("course.toml");
        let text = files::text(&path).context("cannot read a course")?;
        files::utf8(folder)?;
        let file: File =
            toml::from_str(&text).with_context(|| format!("{} is not a course", path.display()))?;
        for (nth, exercise) in file.exercises.iter().enumerate() {
            exercise
                .check()
                .with_context(|| format!("{}: exercise {}", path.display(), exercise.name))?;
            if file.exercises[..nth]
                .iter()
                .any(|other| other.name == exercise.name)
            {
                bail!(
                    "{}: two exercises are called {}",
                    path.display(),
                    exercise.name
                );
            }
        }
        let course = Course {
            folder: folder.to_owned(),
            title: file.title,
            exercises: file.exercises,
        };
        course.stays_in_its_folder()?;
        Ok(course)
    }

    /// Checks that every file of the course that exists is a regular file inside its folder, with links
    /// resolved.
    fn stays_in_its_folder(&self) -> Result<()> {
        let whole = { self.folder.canonicalize() }
            .with_context(|| format!("cannot find {}", self.folder.display()))?;
        for file in self
            .files()
            .filter(|file| file.is_symlink() || file.exists())
        {
            let real = { file.canonicalize() }
                .with_context(|| format!("the course's {} is a broken link", file.display()))?;
            if !real.starts_with(&whole) {
                bail!(
                    "the course's {} is outside of its folder: {}",
                    file.display(),
                    real.display()
                );
            }
            if !real.is_file() {
                bail!("the course's {} is not a file", file.display());
            }
        }
        Ok(())
    }

    /// Every Rust file a course must have: exercises, judges, solutions and traps.
    pub fn files(&self) -> impl Iterator<Item = PathBuf> {
        self.exercises.iter().flat_map(|exercise| {
            let own = [
                self.folder.join(exercise.file()),
                self.judge(exercise),
                self.solutions().join(exercise.file()),
            ];
            let traps = { exercise.traps.iter() }.map(|trap| self.trap(trap).join(exercise.file()));
            own.into_iter().chain(traps)
        })
    }

    /// The exercise with that name.
    pub fn exercise(&self, name: &str) -> Option<&Exercise> {
        self.exercises.iter().find(|exercise| exercise.name == name)
    }

    /// The judge of an exercise.
    pub fn judge(&self, exercise: &Exercise) -> PathBuf {
        self.folder.join("tests").join(exercise.file())
    }

    /// The folder of the solutions.
    pub fn solutions(&self) -> PathBuf {
        self.folder.join("solutions")
    }

    /// The folder of a trap.
    pub fn trap(&self, trap: &Trap) -> PathBuf {
        self.folder.join("traps").join(&trap.name)
    }
}

impl Exercise {
    /// The name of the learner's file.
    pub fn file(&self) -> String {
        format!("{}.rs", self.name)
    }

    fn check(&self) -> Result<()> {
        let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let is_name = |name: &str| !name.is_empty() && name.chars().all(is_part);
        let stranger = { self.traps.iter() }.find(|trap| !is_name(&trap.name));
        if !is_name(&self.name) || stranger.is_some() {
            let whose = stranger.map_or(String::new(), |trap| format!("trap {:?}: ", trap.name));
            bail!("{whose}a name may contain only a-z, 0-9 and _");
        }
        if self.hints.len() != 4 {
            bail!("it has {} hints, but must have 4", self.hints.len());
        }
        Ok(())
    }
}
