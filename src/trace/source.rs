//! Source text by file name, for object names and timelines.

use crate::files;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

type Sources = Mutex<HashMap<String, Option<Arc<str>>>>;

fn sources() -> &'static Sources {
    static SOURCES: OnceLock<Sources> = OnceLock::new();
    SOURCES.get_or_init(Sources::default)
}

/// Makes the text of a file known, so that it is found where the file itself is not.
pub fn register(file: &str, text: &str) {
    let mut sources = sources().lock().unwrap_or_else(PoisonError::into_inner);
    sources
        .entry(tidy(file))
        .or_insert_with(|| Some(text.into()));
}

/// Makes the present text of a file known, whatever it was before.
pub fn replace(file: &str, text: &str) {
    let mut sources = sources().lock().unwrap_or_else(PoisonError::into_inner);
    sources.insert(tidy(file), Some(text.into()));
}

/// The text of a file, as registered or as on disk. The compiler names files relative to the
/// workspace, so the folders above the current one are tried as well.
pub fn text(file: &str) -> Option<Arc<str>> {
    let mut sources = sources().lock().unwrap_or_else(PoisonError::into_inner);
    let file = tidy(file);
    sources
        .entry(file.clone())
        .or_insert_with(|| find(&file))
        .clone()
}

fn find(file: &str) -> Option<Arc<str>> {
    let here = std::env::current_dir().ok()?;
    here.ancestors()
        .find_map(|folder| files::text(&folder.join(file)).ok())
        .map(Arc::from)
}

/// One line of a file, without the white space around it and the comment at its end.
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

#[cfg(test)]
mod tests {
    use super::*;

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
