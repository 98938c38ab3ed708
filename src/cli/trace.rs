//! `--trace`: the counterexample of one program, written to a file for a viewer of traces.

use super::output;
use anyhow::Result;
use heisenbug_check::Report;
use heisenbug_explain::traces::{self, Format};
use heisenbug_files as files;
use std::path::{Path, PathBuf};

/// A file for a trace. Its name says in which format.
#[derive(Clone, Debug)]
pub struct TraceFile {
    file: PathBuf,
    format: Format,
}

impl TraceFile {
    /// The file of that name.
    ///
    /// # Errors
    ///
    /// If the name asks for none of the formats.
    pub fn named(file: PathBuf) -> Result<TraceFile, String> {
        match Format::of(&file) {
            Some(format) => Ok(TraceFile { file, format }),
            None => Err("the name must end in .itf.json or .json".to_owned()),
        }
    }

    /// Writes the counterexample, and says what opens it. An existing file is replaced as a whole. If there is
    /// no counterexample, none is written: an empty trace would look like one of a program that does nothing.
    ///
    /// # Errors
    ///
    /// With the file's name, if it cannot be written.
    pub fn write(&self, report: &Report) -> Result<()> {
        let name = Path::display(&self.file);
        match traces::render(self.format, report) {
            Some(trace) => {
                files::write(&self.file, trace.as_bytes())?;
                output::remark(&format!("Wrote {name}: open it {}.", self.format.opened()));
            }
            None => output::remark(&format!(
                "{name} was not written: there is no counterexample."
            )),
        }
        Ok(())
    }
}
