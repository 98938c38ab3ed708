//! The disk of a machine: a folder.

use super::member::with;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

/// The disk of a machine: real files by name, in one folder.
#[derive(Debug)]
pub struct Disk(());

impl Disk {
    pub(super) fn new() -> Disk {
        Disk(())
    }

    /// Replaces the contents of a file. Creates it if there is none.
    ///
    /// # Panics
    ///
    /// If the system cannot.
    #[track_caller]
    pub fn write(&self, file: &str, contents: impl AsRef<[u8]>) {
        fs::write(path(file), contents).expect("a file can be written");
    }

    /// Appends to a file. Creates it if there is none.
    ///
    /// # Panics
    ///
    /// If the system cannot.
    #[track_caller]
    pub fn append(&self, file: &str, contents: impl AsRef<[u8]>) {
        let opened = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path(file));
        let written = opened.and_then(|mut opened| opened.write_all(contents.as_ref()));
        written.expect("a file can be written");
    }

    /// The contents of a file as text, if there is such a file. What is no text is shown by `�`.
    pub fn read(&self, file: &str) -> Option<String> {
        let bytes = fs::read(path(file)).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Syncs the contents of a file (`fsync`).
    ///
    /// # Errors
    ///
    /// If the system cannot, or if the hub stages that. What was not written can still be read.
    #[track_caller]
    pub fn sync(&self, file: &str) -> io::Result<()> {
        match with(|member| member.may_sync()) {
            true => File::open(path(file)).and_then(|file| file.sync_all()),
            false => Err(io::Error::other("the disk could not write it")),
        }
    }

    /// Gives a file another name. A file that has it already is replaced.
    ///
    /// # Errors
    ///
    /// If there is no such file.
    pub fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(path(from), path(to))
    }

    /// Removes a file.
    ///
    /// # Errors
    ///
    /// If there is no such file.
    pub fn remove(&self, file: &str) -> io::Result<()> {
        fs::remove_file(path(file))
    }

    /// Syncs the folder, and so the names of all files.
    pub fn sync_dir(&self) {
        // Not every system can open a folder.
        let _ = File::open(path("")).and_then(|folder| folder.sync_all());
    }
}

fn path(file: &str) -> PathBuf {
    with(|member| member.folder().join(file))
}
