//! What an editor needs to understand a working copy: a package whose library includes the exercises.
//!
//! Judges do not use it, as they are linked with what this program was built from. rust-analyzer knows
//! a file only as part of a package: without one, nothing is completed, and every `use` is an error.

use super::manifest::Course;
use anyhow::{Context, Result};
use heisenbug_files as files;
use std::path::Path;

/// Makes the folder of a working copy a package that uses the library's own `package`. No file is replaced.
///
/// # Errors
///
/// If a file is there already or cannot be written.
pub fn prepare(course: &Course, package: &Path, folder: &Path) -> Result<()> {
    // An exercise may have any name. In its own folder, the library's file conflicts with none of them.
    let sources = folder.join("src");
    std::fs::create_dir_all(&sources)
        .with_context(|| format!("cannot make {}", sources.display()))?;
    files::write_new(&folder.join("Cargo.toml"), manifest(package)?.as_bytes())?;
    files::write_new(&sources.join("lib.rs"), library(course).as_bytes())?;
    // The same versions as for this library: they are on this machine, so no network is needed.
    match files::read(&package.join("Cargo.lock"))? {
        Some(lock) => files::write_new(&folder.join("Cargo.lock"), &lock),
        None => Ok(()),
    }
}

/// The table `[workspace]` keeps the package out of any workspace around it.
fn manifest(package: &Path) -> Result<String> {
    let path = toml::Value::from(files::utf8(package)?);
    Ok(format!(
        "# Only for your editor: this makes rust-analyzer know the exercises. Judges do not use it.\n\
         [package]\n\
         name = \"my-exercises\"\n\
         version = \"0.0.0\"\n\
         edition = \"2024\"\n\
         publish = false\n\
         \n\
         [dependencies.heisenbug]\n\
         path = {path}\n\
         default-features = false\n\
         features = [\"crossbeam\", \"parking_lot\", \"sqlite\"]\n\
         \n\
         [workspace]\n"
    ))
}

/// Exercises may be called like keywords, or begin with a digit: modules may not.
fn library(course: &Course) -> String {
    let modules = { course.exercises.iter() }.map(|exercise| {
        format!(
            "\n#[path = \"../{}\"]\npub mod exercise_{};\n",
            exercise.file(),
            exercise.name
        )
    });
    format!(
        "//! Only for your editor: rust-analyzer does not know files that are in no package.\n\
         #![allow(dead_code, unused_imports)]\n{}",
        modules.collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::super::home;
    use super::*;

    #[test]
    fn a_path_of_any_letters_can_be_read_again() {
        let path = "C:\\ra\"ces\\it's";
        let text = manifest(Path::new(path)).unwrap();
        let read: toml::Table = toml::from_str(&text).unwrap();
        let dependency = &read["dependencies"]["heisenbug"];
        assert_eq!(dependency["path"].as_str(), Some(path));
        assert!(read.contains_key("workspace"));
    }

    #[test]
    fn a_file_of_the_learners_is_never_replaced() {
        let course = Course {
            folder: "/course".into(),
            title: String::new(),
            exercises: Vec::new(),
        };
        let package = home::package().unwrap();
        for name in ["Cargo.toml", "src/lib.rs", "Cargo.lock"] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, "mine").unwrap();
            let why = format!(
                "{:#}",
                prepare(&course, &package, folder.path()).unwrap_err()
            );
            assert!(why.contains(name), "{why}");
            assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
        }
    }
}
