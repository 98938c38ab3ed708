//! Source text by file name, for object names and timelines.

use std::collections::HashMap;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

type Sources = Mutex<HashMap<String, Source>>;

struct Source {
    text: Option<Arc<str>>,
    /// Whether the text was registered, instead of read from the file.
    registered: bool,
}

impl Source {
    fn registered(text: &str) -> Source {
        Source {
            text: Some(text.into()),
            registered: true,
        }
    }

    fn found(text: Option<Arc<str>>) -> Source {
        Source {
            text,
            registered: false,
        }
    }
}

fn sources() -> &'static Sources {
    static SOURCES: OnceLock<Sources> = OnceLock::new();
    SOURCES.get_or_init(Sources::default)
}

/// Registers the text of a file, so that it is found where the file itself is missing.
pub fn register(file: &str, text: &str) {
    let mut sources = sources().lock().unwrap_or_else(PoisonError::into_inner);
    sources
        .entry(tidy(file))
        .or_insert_with(|| Source::registered(text))
        .registered = true;
}

/// Registers the current text of a file, replacing an earlier one.
pub fn replace(file: &str, text: &str) {
    let mut sources = sources().lock().unwrap_or_else(PoisonError::into_inner);
    sources.insert(tidy(file), Source::registered(text));
}

/// The text of a file, as registered or as on disk. The compiler names files relative to the
/// workspace, so the folders above the current one are tried as well.
pub fn text(file: &str) -> Option<Arc<str>> {
    let mut sources = sources().lock().unwrap_or_else(PoisonError::into_inner);
    let file = tidy(file);
    sources
        .entry(file.clone())
        .or_insert_with(|| Source::found(find(&file)))
        .text
        .clone()
}

fn find(file: &str) -> Option<Arc<str>> {
    let here = std::env::current_dir().ok()?;
    here.ancestors()
        .find_map(|folder| read(&folder.join(file)))
        .map(Arc::from)
}

/// The text of a file, unless it cannot be a program's: if it is not a regular file, or huge.
fn read(path: &Path) -> Option<String> {
    const MAX_BYTES: u64 = 4 << 20;
    let about = path.metadata().ok()?;
    let is_source = about.is_file() && about.len() <= MAX_BYTES;
    is_source.then(|| std::fs::read_to_string(path).ok())?
}

/// One line of a file, without surrounding white space and a comment at its end.
pub fn line(file: &str, line: u32) -> Option<String> {
    let text = text(file)?;
    let line = text.lines().nth((line as usize).checked_sub(1)?)?;
    Some(line.split(" // ").next().unwrap_or(line).trim().to_owned())
}

/// The path without the detours that mounting a file by `#[path]` leaves in it, and with `/`
/// between its parts on every system.
pub fn tidy(file: &str) -> String {
    let mut tidy = PathBuf::new();
    for part in Path::new(file).components() {
        match part {
            std::path::Component::ParentDir if tidy.file_name().is_some() => {
                tidy.pop();
            }
            std::path::Component::CurDir => {}
            other => tidy.push(other),
        }
    }
    tidy.to_string_lossy().replace('\\', "/")
}

/// A place as it is shown: the file, the line and the column. A place in std or in a dependency is not
/// in the program, and gets no file and a line of 0.
pub fn place(at: &Location<'_>) -> (String, u32, u32) {
    let file = tidy(at.file());
    match is_of_others(&file) {
        true => (String::new(), 0, 0),
        false => (file, at.line(), at.column()),
    }
}

/// Whether a file came with the toolchain or from a registry. This library's own bugs may, too, but
/// are recognised by their registered texts.
fn is_of_others(file: &str) -> bool {
    let folders = ["/rustlib/src/", "/registry/src/", "/git/checkouts/"];
    let comes = file.starts_with("/rustc/") || folders.iter().any(|it| file.contains(it));
    let is_known = || {
        let sources = sources().lock().unwrap_or_else(PoisonError::into_inner);
        sources.get(file).is_some_and(|source| source.registered)
    };
    comes && !is_known()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_toolchain_and_of_registries_are_nowhere_in_the_program() {
        for others in [
            "/rustc/0123/library/core/src/ops/function.rs",
            "/home/a/.rustup/toolchains/b/lib/rustlib/src/rust/library/std/src/lib.rs",
            "/home/a/.cargo/registry/src/index.crates.io-0/b-1.0.0/src/lib.rs",
            "/home/a/.cargo/git/checkouts/b-0/1/src/lib.rs",
        ] {
            assert!(is_of_others(others), "{others}");
        }
        let here = Location::caller();
        assert_eq!(place(here), (tidy(file!()), here.line(), here.column()));
        let bug = "/home/a/.cargo/registry/src/index.crates.io-0/heisenbug-1.0.0/src/bugs/b.rs";
        register(bug, "fn b() {}");
        assert!(!is_of_others(bug));
    }

    #[test]
    fn a_mounted_path_loses_its_detour() {
        assert_eq!(
            tidy("src/worlds/model/../../bugs/threads/aba.rs"),
            "src/bugs/threads/aba.rs"
        );
        assert_eq!(tidy("./tests/it.rs"), "tests/it.rs");
        assert_eq!(tidy("../outside.rs"), "../outside.rs");
    }
}
