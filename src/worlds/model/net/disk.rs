//! The disk of a machine.

use heisenbug_engine::machines::steps;
use std::io;
use std::panic::Location;

/// The disk of a machine: files by name, in one folder.
///
/// What is written can be read at once, and survives a crash only once it was synced: the contents of a file by
/// [`sync`](Disk::sync), its name by [`sync_dir`](Disk::sync_dir). Without that a crash may leave all of it,
/// nothing, or, of the last write, the first half.
#[derive(Debug)]
pub struct Disk(());

impl Disk {
    pub(super) fn new() -> Disk {
        Disk(())
    }

    /// Replaces the contents of a file. Creates it if there is none.
    #[track_caller]
    pub fn write(&self, file: &str, contents: impl AsRef<[u8]>) {
        steps::write(file, contents.as_ref(), Location::caller());
    }

    /// Appends to a file. Creates it if there is none. A crash can leave the first half of what was not synced, and
    /// what is appended later then follows that half.
    #[track_caller]
    pub fn append(&self, file: &str, contents: impl AsRef<[u8]>) {
        steps::append(file, contents.as_ref(), Location::caller());
    }

    /// The contents of a file as text, if there is such a file. What is no text is shown by `�`.
    pub fn read(&self, file: &str) -> Option<String> {
        steps::read(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Makes the contents of a file survive crashes, but not its name.
    ///
    /// # Errors
    ///
    /// If that fails. What was not written then is lost, and no later sync writes it, though it can still be
    /// read: so do the common file systems of Linux.
    #[track_caller]
    pub fn sync(&self, file: &str) -> io::Result<()> {
        let synced = steps::sync(file, Location::caller());
        synced.map_err(|_| io::Error::other("the disk could not write it"))
    }

    /// Gives a file another name. A file that has it already is replaced.
    ///
    /// # Errors
    ///
    /// If there is no such file.
    #[track_caller]
    pub fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        there_is(from, steps::rename(from, to, Location::caller()))
    }

    /// Removes a file.
    ///
    /// # Errors
    ///
    /// If there is no such file.
    #[track_caller]
    pub fn remove(&self, file: &str) -> io::Result<()> {
        there_is(file, steps::remove(file, Location::caller()))
    }

    /// Makes the names of all files survive crashes: those created, renamed and removed so far. Without it a crash keeps a
    /// first part of these changes, in their order. (Some file systems do not even promise the order.)
    #[track_caller]
    pub fn sync_dir(&self) {
        steps::sync_dir(Location::caller());
    }
}

fn there_is(file: &str, done: bool) -> io::Result<()> {
    match done {
        true => Ok(()),
        false => Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("there is no file {file}"),
        )),
    }
}
