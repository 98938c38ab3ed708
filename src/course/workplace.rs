//! Where a learner works: the course, the folder of the learner's files, and the progress.

use super::editor;
use super::home;
use super::judge::Limits;
use super::manifest::{Course, Exercise};
use super::progress::{self, Progress};
use anyhow::{Context, Result, bail};
use heisenbug_files as files;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A course, and the folder in which the learner works on it.
#[derive(Clone, Debug)]
pub struct Workplace {
    /// The course: its judges, solutions and traps.
    pub course: Course,
    /// The folder of the learner's files. It may be the course's own.
    pub folder: PathBuf,
    /// The learner's progress.
    pub progress: Progress,
    /// The limits for each case of a judge.
    pub limits: Limits,
    /// A warning to show before anything else.
    pub warning: Option<String>,
}

impl Workplace {
    /// Whether a folder is a working copy or a course.
    pub fn is_at(folder: &Path) -> bool {
        folder.join(progress::FILE).exists() || folder.join("course.toml").is_file()
    }

    /// The workplace in `folder`: a working copy, or a course itself. If it is neither, it is the
    /// course that comes with the program, in its own folder.
    ///
    /// # Errors
    ///
    /// If there is no course, or it is invalid.
    pub fn open(folder: &Path, course: Option<&Path>) -> Result<Workplace> {
        // Even a damaged file shows that this is a working copy.
        let here = folder.join(progress::FILE).exists();
        let read = Progress::read(folder)?;
        let (course, folder) = match (course, &read.progress.course) {
            (Some(course), _) if here => (course.to_owned(), folder.to_owned()),
            (Some(course), _) => (course.to_owned(), course.to_owned()),
            (None, Some(course)) => (course.clone(), folder.to_owned()),
            (None, None) if folder.join("course.toml").is_file() => {
                (folder.to_owned(), folder.to_owned())
            }
            (None, None) if here => (home::course()?, folder.to_owned()),
            (None, None) => (home::course()?, home::course()?),
        };
        let absolute = |folder: &Path| {
            { folder.canonicalize() }.with_context(|| {
                let folder = folder.display();
                format!("cannot find the course {folder}: `--course DIR` says where it is now")
            })
        };
        let folder = absolute(&folder)?;
        let mut read = match here {
            true => read,
            false => Progress::read(&folder)?,
        };
        let course = Course::read(&absolute(&course)?)?;
        if folder != course.folder {
            // A damaged file does not tell the course.
            read.progress
                .course
                .get_or_insert_with(|| course.folder.clone());
        }
        if read.warning.is_some() {
            // So that the next command knows the course of this folder, too.
            read.progress.write(&folder)?;
        }
        Ok(Workplace {
            course,
            folder,
            progress: read.progress,
            limits: Limits::default(),
            warning: read.warning,
        })
    }

    /// Makes a working copy of a course, as a package that editors understand.
    ///
    /// # Errors
    ///
    /// If the folder exists and is not empty, or cannot be written, or the library's sources are
    /// [gone](home::package).
    pub fn init(course: &Course, folder: &Path) -> Result<()> {
        let is_taken = folder
            .read_dir()
            .is_ok_and(|mut entries| entries.next().is_some());
        if is_taken {
            bail!("{} is not empty: choose a new folder", folder.display());
        }
        let package = home::package()?;
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        for exercise in &course.exercises {
            let given = given(course, exercise)?;
            files::write_new(&folder.join(exercise.file()), &given)?;
        }
        editor::prepare(course, &package, folder)?;
        let progress = Progress {
            course: Some(course.folder.canonicalize()?),
            current: course
                .exercises
                .first()
                .map(|exercise| exercise.name.clone()),
            done: Vec::new(),
        };
        progress.write(folder)
    }

    /// The learner's file.
    pub fn file(&self, exercise: &Exercise) -> PathBuf {
        self.folder.join(exercise.file())
    }

    /// The exercise to continue with: the current one, or else the first that is not done.
    pub fn next(&self) -> Option<&Exercise> {
        let open = |exercise: &&Exercise| !self.progress.is_done(&exercise.name);
        let current = { self.progress.current.as_ref() }
            .and_then(|name| self.course.exercise(name))
            .filter(open);
        current.or_else(|| self.course.exercises.iter().find(open))
    }

    /// Notes which exercise is being worked on.
    ///
    /// # Errors
    ///
    /// If the progress cannot be written.
    pub fn go_to(&mut self, exercise: &str) -> Result<()> {
        self.change(|place| place.progress.current = Some(exercise.to_owned()))
    }

    /// Notes that an exercise is to be done again.
    ///
    /// # Errors
    ///
    /// If the progress cannot be written.
    pub fn reopen(&mut self, exercise: &str) -> Result<()> {
        self.change(|place| place.progress.reopen(exercise))
    }

    /// Changes the progress as it is on disk now, not as it was when this program read it: another program
    /// may have written since.
    fn change(&mut self, change: impl FnOnce(&mut Workplace)) -> Result<()> {
        // Held until the end. If the folder cannot be locked, two programs must not write at the same time.
        let _lock =
            std::fs::File::open(&self.folder).and_then(|folder| folder.lock().map(|()| folder));
        let read = Progress::read(&self.folder)?;
        if read.warning.is_none() && self.folder.join(progress::FILE).exists() {
            self.progress = read.progress;
        }
        change(self);
        self.progress.write(&self.folder)
    }

    /// Notes that an exercise was proven, and moves on to the next.
    ///
    /// # Errors
    ///
    /// If the progress cannot be written.
    pub fn finish(&mut self, exercise: &str) -> Result<()> {
        self.change(|place| {
            place.progress.finish(exercise);
            place.progress.current = place.next().map(|next| next.name.clone());
        })
    }

    /// Restores the original of an exercise, and keeps what the learner wrote in a file beside it. Returns
    /// the path of that file, or `None` if nothing had been changed.
    ///
    /// # Errors
    ///
    /// If the original cannot be found, or a file cannot be written.
    pub fn reset(&mut self, exercise: &Exercise) -> Result<Option<PathBuf>> {
        let file = self.file(exercise);
        let original = self.original(exercise)?;
        let written = files::read(&file)?.filter(|written| *written != original);
        let kept = { written }
            .map(|written| files::keep_beside(&file, "bak", &written))
            .transpose()?;
        files::write(&file, &original)?;
        self.reopen(&exercise.name)?;
        Ok(kept)
    }

    /// The original of an exercise. In the course's own folder, it comes from git.
    fn original(&self, exercise: &Exercise) -> Result<Vec<u8>> {
        if self.folder != self.course.folder {
            return given(&self.course, exercise);
        }
        let output = Command::new("git")
            .arg("show")
            .arg(format!("HEAD:./{}", exercise.file()))
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .output();
        match output {
            Ok(output) if output.status.success() => Ok(output.stdout),
            _ => bail!(
                "you work in the course's own folder, but git does not have the original of {}; \
                 `heisenbug learn init DIR` makes a copy to work in",
                exercise.file()
            ),
        }
    }
}

/// The exercise's file in the course.
fn given(course: &Course, exercise: &Exercise) -> Result<Vec<u8>> {
    let path = course.folder.join(exercise.file());
    files::read(&path)?.with_context(|| format!("the course lacks {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use heisenbug_files::faults;

    fn course(folder: &Path) -> Course {
        let text = "title = \"A course\"\n[[exercise]]\nname = \"one\"\ntitle = \"\"\nconcept = \"\"\n\
                    fails = \"assertion\"\nhints = [\"\", \"\", \"\", \"\"]\n";
        std::fs::write(folder.join("course.toml"), text).unwrap();
        std::fs::write(folder.join("one.rs"), "// TODO").unwrap();
        Course::read(&folder.canonicalize().unwrap()).unwrap()
    }

    #[test]
    fn a_copy_stays_the_place_to_work_in_when_its_progress_is_damaged() {
        let (given, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let course = course(given.path());
        Workplace::init(&course, copy.path()).unwrap();
        std::fs::write(copy.path().join(progress::FILE), "done = [").unwrap();
        let mut place = Workplace::open(copy.path(), Some(given.path())).unwrap();
        assert!(place.warning.is_some());
        assert_eq!(place.folder, copy.path().canonicalize().unwrap());
        place.reopen("one").unwrap();
        let place = Workplace::open(copy.path(), None).unwrap();
        assert_eq!(place.folder, copy.path().canonicalize().unwrap());
        assert_eq!(place.course.folder, course.folder);
    }

    #[test]
    fn a_reset_keeps_what_was_written() {
        let (given, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let course = course(given.path());
        Workplace::init(&course, copy.path()).unwrap();
        let mut place = Workplace::open(copy.path(), None).unwrap();
        let exercise = course.exercises[0].clone();
        assert_eq!(place.reset(&exercise).unwrap(), None);
        std::fs::write(place.file(&exercise), "mine").unwrap();
        let kept = place.reset(&exercise).unwrap().unwrap();
        assert_eq!(std::fs::read(kept).unwrap(), b"mine");
        assert_eq!(std::fs::read(place.file(&exercise)).unwrap(), b"// TODO");
    }

    /// A course with one exercise, and a working copy in which it was changed and proven.
    struct Copy {
        _given: tempfile::TempDir,
        folder: tempfile::TempDir,
        course: Course,
    }

    impl Copy {
        fn begun() -> Copy {
            let (given, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let course = course(given.path());
            Workplace::init(&course, folder.path()).unwrap();
            std::fs::write(folder.path().join("one.rs"), "mine").unwrap();
            let copy = Copy {
                _given: given,
                folder,
                course,
            };
            copy.open().unwrap().finish("one").unwrap();
            copy
        }

        fn open(&self) -> Result<Workplace> {
            Workplace::open(self.folder.path(), None)
        }

        /// The texts of all files whose names begin with `name`, sorted by name.
        fn texts(&self, name: &str) -> Vec<String> {
            let entries = std::fs::read_dir(self.folder.path()).unwrap();
            let paths = entries.map(|entry| entry.unwrap().path());
            let is_of = |path: &PathBuf| {
                let file = path.file_name().unwrap().to_str().unwrap();
                file.starts_with(name)
            };
            let mut paths: Vec<PathBuf> = paths.filter(is_of).collect();
            paths.sort();
            { paths.iter() }
                .map(|path| std::fs::read_to_string(path).unwrap())
                .collect()
        }
    }

    #[test]
    fn no_step_of_a_reset_that_fails_loses_what_was_written() {
        faults::each(
            Copy::begun,
            |copy| {
                let mut place = copy.open()?;
                place.reset(&copy.course.exercises[0])
            },
            |copy, failed, done| {
                assert!(done.is_err(), "{failed:?}");
                let texts = copy.texts("one.rs");
                assert!(texts.iter().any(|text| text == "mine"), "{failed:?}");
                assert!(!texts[0].is_empty(), "{failed:?}");
                // The exercise counts as proven or as reset, but the folder is still a working copy.
                let place = copy.open().unwrap();
                assert!(place.warning.is_none(), "{failed:?}");
                assert_eq!(place.course.folder, copy.course.folder);
            },
        );
    }

    #[test]
    fn no_step_that_fails_loses_the_progress() {
        faults::each(
            Copy::begun,
            |copy| copy.open()?.go_to("one"),
            |copy, failed, done| {
                let why = format!("{:#}", done.unwrap_err());
                let is_named = why.contains(progress::FILE) || why.contains("course.toml");
                assert!(is_named, "{failed:?}: {why}");
                assert_eq!(copy.texts(progress::FILE).len(), 1, "{failed:?}");
                assert!(copy.open().unwrap().progress.is_done("one"), "{failed:?}");
            },
        );
    }

    #[test]
    fn a_damaged_progress_is_kept_whatever_fails() {
        let damaged = || {
            let copy = Copy::begun();
            std::fs::write(copy.folder.path().join(progress::FILE), "done = [").unwrap();
            copy
        };
        faults::each(
            damaged,
            |copy| copy.open(),
            |copy, failed, _| {
                let kept = copy.texts(progress::FILE);
                assert!(kept.iter().any(|text| text == "done = ["), "{failed:?}");
            },
        );
    }

    #[test]
    fn a_copy_that_cannot_be_made_says_which_file_and_takes_none_away() {
        let begin = || {
            let (given, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let course = course(given.path());
            (given, folder, course)
        };
        faults::each(
            begin,
            |(_, folder, course)| Workplace::init(course, folder.path()),
            |(given, folder, _), failed, done| {
                let names = [
                    "one.rs",
                    "Cargo.toml",
                    "lib.rs",
                    "Cargo.lock",
                    progress::FILE,
                ];
                match done {
                    Err(error) => {
                        let why = format!("{error:#}");
                        let is_named = names.iter().any(|name| why.contains(name));
                        assert!(is_named, "{failed:?}: {why}");
                    }
                    // The failed step was only a look around this program, and is not needed.
                    Ok(()) => assert!(folder.path().join(progress::FILE).exists(), "{failed:?}"),
                }
                let text = std::fs::read_to_string(given.path().join("one.rs")).unwrap();
                assert_eq!(text, "// TODO");
            },
        );
    }
}
