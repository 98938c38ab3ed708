//! Watches for saved files: each save is reported once, however many events the editor causes.

use anyhow::{Context, Result};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// How long a file must be unchanged before it counts as saved. Editors write, rename and set
/// attributes within a millisecond or two; a longer wait would be noticeable.
const QUIET: Duration = Duration::from_millis(30);

/// Watches the folder of some files, for as long as it exists.
pub struct Watch {
    events: Receiver<PathBuf>,
    _watcher: RecommendedWatcher,
}

impl Watch {
    /// Watches a folder, but not its subfolders: many editors save by renaming another file into
    /// place, so that watching the file itself would lose it.
    ///
    /// # Errors
    ///
    /// If the system cannot watch it.
    pub fn on(folder: &Path) -> Result<Watch> {
        let (sender, events) = channel();
        let mut watcher =
            notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
                let Ok(event) = event else { return };
                if matches!(event.kind, EventKind::Create(_) | EventKind::Modify(_)) {
                    for path in event.paths {
                        // An error means that the receiver is gone, so the event is not needed.
                        let _ = sender.send(path);
                    }
                }
            })
            .context("cannot watch files")?;
        { watcher.watch(folder, RecursiveMode::NonRecursive) }
            .with_context(|| format!("cannot watch {}", folder.display()))?;
        Ok(Watch {
            events,
            _watcher: watcher,
        })
    }

    /// The names of the files saved within `timeout`, or none.
    pub fn saved(&self, timeout: Duration) -> Vec<String> {
        let mut names = Vec::new();
        let mut patience = timeout;
        loop {
            match self.events.recv_timeout(patience) {
                Ok(path) => {
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    if !names.iter().any(|known| *known == name) {
                        names.push(name.into_owned());
                    }
                    patience = QUIET;
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return names,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_save_is_told_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let watch = Watch::on(folder.path()).unwrap();
        let written = folder.path().join("part");
        std::fs::write(&written, "1").unwrap();
        std::fs::rename(&written, folder.path().join("exercise.rs")).unwrap();
        let mut saved = Vec::new();
        while !saved.contains(&"exercise.rs".to_owned()) {
            saved.extend(watch.saved(Duration::from_secs(60)));
        }
    }
}
