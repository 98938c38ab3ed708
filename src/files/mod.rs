//! The user's own files: read in bounded time, written as a whole or not at all.
//!
//! Whatever fails, such as the disk, permissions or space, leaves a file unchanged: the new contents are
//! written beside it and synced to disk before they replace the file. And a file that cannot be
//! *read* is an error, and never treated as empty, damaged or missing.

use anyhow::{Context, Result, bail};
use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// The largest file that is read, in bytes. No handwritten program is that large.
pub const MAX_BYTES: u64 = 4 << 20;

/// The contents of a file; `None` if there is no such file.
///
/// # Errors
///
/// With the file's name, if it cannot be read, is not a regular file, or has more than [`MAX_BYTES`].
pub fn read(file: &Path) -> Result<Option<Vec<u8>>> {
    let bytes = match step(Step::Read, || open(file)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        bytes => bytes.with_context(|| format!("cannot read {}", file.display()))?,
    };
    if bytes.len() as u64 > MAX_BYTES {
        bail!(
            "{} is too large: at most {} MiB are read",
            file.display(),
            MAX_BYTES >> 20
        );
    }
    Ok(Some(bytes))
}

/// The text in a file.
///
/// # Errors
///
/// As for [`read`], and if there is no such file, or it is not text.
pub fn text(file: &Path) -> Result<String> {
    let name = file.display();
    let bytes =
        read(file)?.with_context(|| format!("cannot read {name}: there is no such file"))?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = 1 + { error.as_bytes()[..at].iter() }
            .filter(|&&byte| byte == b'\n')
            .count();
        anyhow::anyhow!("cannot read {name}: line {line} is not UTF-8")
    })
}

/// Whether a file still holds what was read from it.
///
/// # Errors
///
/// With its name, if it does not: then what another program has made of it belongs to another text.
pub fn unchanged(file: &Path, text: &str) -> Result<()> {
    if read(file)?.is_some_and(|bytes| bytes == text.as_bytes()) {
        return Ok(());
    }
    bail!(
        "{} was changed while it was being compiled: try again",
        file.display()
    )
}

/// The name of a file that rustc is to read.
///
/// # Errors
///
/// With the name, if it is not UTF-8.
pub fn utf8(file: &Path) -> Result<&str> {
    file.to_str().with_context(|| {
        format!(
            "rustc reads only files whose names are UTF-8, and {} is not: rename it",
            file.display()
        )
    })
}

/// Reads at most one byte more than the limit. Other files than regular ones are refused: opening a pipe
/// waits for a writer, and a device may have no end.
fn open(file: &Path) -> io::Result<Vec<u8>> {
    plain(&fs::metadata(file)?)?;
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    let open = options.open(file)?;
    // Another file may have taken its place.
    plain(&open.metadata()?)?;
    let mut bytes = Vec::new();
    open.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn plain(metadata: &fs::Metadata) -> io::Result<()> {
    let what = match metadata.file_type() {
        kind if kind.is_file() => return Ok(()),
        kind if kind.is_dir() => "it is not a file, but a folder",
        _ => "it is not a file, but a pipe or a device",
    };
    Err(io::Error::other(what))
}

/// Replaces the contents of a file. Its permissions stay as they are; if it is a link, the file that it
/// points to is written.
///
/// # Errors
///
/// With the file's name, if it cannot be written, or must not be: then it is unchanged.
pub fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    replace(file, bytes).with_context(|| format!("cannot write {}", file.display()))
}

/// Creates a file with these contents.
///
/// # Errors
///
/// With the file's name, if it cannot be written, or exists already: that is an [`io::Error`] of the kind
/// [`ErrorKind::AlreadyExists`].
pub fn write_new(file: &Path, bytes: &[u8]) -> Result<()> {
    let write = || {
        let beside = beside(file, None, bytes)?;
        step(Step::Rename, || Ok(beside.persist_noclobber(file)?))?;
        settle(file)
    };
    write().with_context(|| format!("cannot write {}", file.display()))
}

/// Creates a file with these contents beside another one, and returns its name: the other file's name, a
/// number, and this ending.
///
/// # Errors
///
/// With the other file's name, if nothing can be written there.
pub fn keep_beside(file: &Path, ending: &str, bytes: &[u8]) -> Result<PathBuf> {
    let keep = || {
        let mut beside = beside(file, None, bytes)?;
        for name in names_beside(file, ending) {
            match step(Step::Rename, || Ok(beside.persist_noclobber(&name))) {
                Ok(Ok(_)) => return settle(&name).map(|()| name),
                Ok(Err(taken)) if taken.error.kind() == ErrorKind::AlreadyExists => {
                    beside = taken.file;
                }
                Ok(Err(failed)) => return Err(failed.error),
                Err(error) => return Err(error),
            }
        }
        unreachable!("there are more numbers than files")
    };
    keep().with_context(|| format!("cannot write beside {}", file.display()))
}

/// Renames a file to an unused name, of the same form as in [`keep_beside`].
///
/// # Errors
///
/// With the file's name, if it cannot be renamed: then it keeps its name.
pub fn set_aside(file: &Path, ending: &str) -> Result<PathBuf> {
    let free = { names_beside(file, ending).find(|name| fs::symlink_metadata(name).is_err()) }
        .expect("there are more numbers than files");
    step(Step::Rename, || fs::rename(file, &free))
        .and_then(|()| settle(&free))
        .with_context(|| format!("cannot set {} aside", file.display()))?;
    Ok(free)
}

fn names_beside(file: &Path, ending: &str) -> impl Iterator<Item = PathBuf> {
    let name = file.file_name().unwrap_or_default();
    (1_u32..).map(move |nth| {
        let mut name = name.to_owned();
        name.push(format!(".{nth}.{ending}"));
        file.with_file_name(name)
    })
}

fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let (file, rights) = match file.canonicalize() {
        Ok(file) => {
            let there = fs::metadata(&file)?;
            plain(&there)?;
            if there.permissions().readonly() {
                let why = "it is read-only";
                return Err(io::Error::new(ErrorKind::PermissionDenied, why));
            }
            (file, Some(there.permissions()))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => (file.to_owned(), None),
        Err(error) => return Err(error),
    };
    let beside = beside(&file, rights, bytes)?;
    step(Step::Rename, || Ok(beside.persist(&file)?))?;
    settle(&file)
}

/// A new file in the same folder, completely synced to disk, with these permissions or those of new files.
fn beside(
    file: &Path,
    rights: Option<Permissions>,
    bytes: &[u8],
) -> io::Result<tempfile::NamedTempFile> {
    let mut beside = step(Step::Make, || {
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        builder.prefix(".heisenbug-").tempfile_in(folder_of(file))
    })?;
    step(Step::Write, || beside.write_all(bytes))?;
    if let Some(rights) = rights {
        step(Step::Rights, || beside.as_file().set_permissions(rights))?;
    }
    step(Step::Sync, || beside.as_file().sync_all())?;
    Ok(beside)
}

/// Makes sure that a new name is on disk as well, before a later step removes what it replaces.
fn settle(file: &Path) -> io::Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    step(Step::Settle, || {
        // Some folders may not be readable, and some file systems sync names by themselves.
        let Ok(folder) = File::open(folder_of(file)) else {
            return Ok(());
        };
        match folder.sync_all() {
            Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(()),
            synced => synced,
        }
    })
}

fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A system operation that may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Reading a file.
    Read,
    /// Creating a new file.
    Make,
    /// Writing to it.
    Write,
    /// Giving it the permissions of the file that it replaces.
    Rights,
    /// Syncing it to disk.
    Sync,
    /// Giving a file its name.
    Rename,
    /// Syncing the name to disk.
    Settle,
}

/// Performs a step, which a test may have ordered to fail.
fn step<T>(step: Step, take: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    faults::around(step, take)
}

/// Injected failures of steps, for the tests of every room that writes files.
#[doc(hidden)]
pub mod faults {
    use super::{ErrorKind, Result, Step, io};
    use std::cell::RefCell;

    /// How a step fails: before or after it has done its work.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Fault {
        /// It does nothing, and reports a failure.
        Before,
        /// It does its work, and reports a failure.
        After,
    }

    #[derive(Default)]
    struct Ordered {
        fault: Option<(usize, Fault)>,
        taken: Vec<Step>,
    }

    thread_local!(static ORDERED: RefCell<Option<Ordered>> = const { RefCell::new(None) });

    /// Performs a step, which may be the one that fails.
    pub fn around<T>(step: Step, take: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let fault = ORDERED.with_borrow_mut(|ordered| {
            let ordered = ordered.as_mut()?;
            let nth = ordered.taken.len();
            ordered.taken.push(step);
            { ordered.fault }.and_then(|(failing, fault)| (failing == nth).then_some(fault))
        });
        match fault {
            None => take(),
            Some(Fault::Before) => Err(full()),
            Some(Fault::After) => take().and_then(|_| Err(full())),
        }
    }

    fn full() -> io::Error {
        io::Error::new(ErrorKind::StorageFull, "no space left")
    }

    /// Runs something once for each of its steps and each way in which the step can fail: `begin` prepares
    /// the place, `act` runs in it, and `look` gets the place, the step that failed and how, and the result.
    /// Returns the steps that were taken.
    pub fn each<P, T>(
        begin: impl Fn() -> P,
        act: impl Fn(&P) -> Result<T>,
        look: impl Fn(&P, (Step, Fault), Result<T>),
    ) -> Vec<Step> {
        let with = |fault, place: &P| {
            ORDERED.set(Some(Ordered {
                fault,
                taken: Vec::new(),
            }));
            let done = act(place);
            let ordered = ORDERED.take().unwrap_or_default();
            (done, ordered.taken)
        };
        let (done, steps) = with(None, &begin());
        assert!(done.is_ok(), "nothing fails");
        for (nth, &step) in steps.iter().enumerate() {
            for fault in [Fault::Before, Fault::After] {
                let place = begin();
                let (done, _) = with(Some((nth, fault)), &place);
                look(&place, (step, fault), done);
            }
        }
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::faults::{Fault, each};
    use super::*;
    use tempfile::TempDir;

    /// A folder with the file `mine`, which contains "old".
    fn folder() -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mine");
        fs::write(&file, "old").unwrap();
        (folder, file)
    }

    fn names(folder: &TempDir) -> Vec<String> {
        let entries = fs::read_dir(folder.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn a_write_that_fails_leaves_the_old_text_and_nothing_else() {
        let steps = each(
            folder,
            |(_, file)| write(file, b"new"),
            |(folder, file), (step, fault), done| {
                let why = format!("{:#}", done.unwrap_err());
                assert!(
                    why.contains("mine") && why.contains("no space left"),
                    "{why}"
                );
                let renamed = step == Step::Settle || (step, fault) == (Step::Rename, Fault::After);
                let there = if renamed { "new" } else { "old" };
                assert_eq!(fs::read_to_string(file).unwrap(), there, "{step:?}");
                assert_eq!(names(folder), ["mine"]);
            },
        );
        use Step::{Make, Rename, Rights, Settle, Sync, Write};
        assert_eq!(steps, [Make, Write, Rights, Sync, Rename, Settle]);
    }

    #[test]
    fn what_is_kept_beside_a_file_takes_no_name_that_is_taken() {
        let (folder, file) = folder();
        for nth in 1..=2 {
            let kept = keep_beside(&file, "bak", b"kept").unwrap();
            assert_eq!(kept, folder.path().join(format!("mine.{nth}.bak")));
        }
        assert_eq!(
            set_aside(&file, "bak").unwrap(),
            folder.path().join("mine.3.bak")
        );
        assert_eq!(names(&folder), ["mine.1.bak", "mine.2.bak", "mine.3.bak"]);
        assert_eq!(read(&file).unwrap(), None);
    }

    #[test]
    fn a_new_file_replaces_none() {
        let (_folder, file) = folder();
        let error = write_new(&file, b"new").unwrap_err();
        let kind = error.downcast_ref::<io::Error>().unwrap().kind();
        assert_eq!(kind, ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(file).unwrap(), "old");
    }

    #[test]
    fn what_is_no_plain_file_of_a_bounded_size_is_an_error() {
        let (folder, file) = folder();
        let why = |file: &Path| format!("{:#}", read(file).unwrap_err());
        assert!(why(folder.path()).contains("but a folder"));
        let huge = File::create(&file).unwrap();
        huge.set_len(MAX_BYTES).unwrap();
        assert_eq!(read(&file).unwrap().unwrap().len() as u64, MAX_BYTES);
        huge.set_len(1 << 40).unwrap();
        assert!(why(&file).contains("at most 4 MiB"), "{}", why(&file));
        assert!(write(folder.path(), b"new").is_err());
    }

    #[test]
    fn what_is_no_text_says_in_which_line() {
        let (_folder, file) = folder();
        fs::write(&file, b"one\ntwo \xff\n").unwrap();
        let why = text(&file).unwrap_err().to_string();
        assert!(why.ends_with("mine: line 2 is not UTF-8"), "{why}");
    }

    #[test]
    fn what_was_changed_since_it_was_read_is_said_to_be() {
        let (_folder, file) = folder();
        assert!(unchanged(&file, "old").is_ok());
        fs::write(&file, "new").unwrap();
        let why = unchanged(&file, "old").unwrap_err().to_string();
        assert!(why.contains("mine was changed"), "{why}");
        fs::remove_file(&file).unwrap();
        assert!(unchanged(&file, "old").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn rights_and_links_stay_as_they_are() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let (folder, file) = folder();
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        let link = folder.path().join("link");
        symlink(&file, &link).unwrap();
        write(&link, b"new").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o640
        );
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        fs::set_permissions(&file, Permissions::from_mode(0o440)).unwrap();
        let why = format!("{:#}", write(&link, b"newer").unwrap_err());
        assert!(why.contains("read-only"), "{why}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_has_the_rights_that_new_files_have() {
        use std::os::unix::fs::PermissionsExt;
        let (folder, file) = folder();
        let new = folder.path().join("new");
        write(&new, b"new").unwrap();
        let rights = |file: &Path| fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(rights(&new), rights(&file));
    }
}
