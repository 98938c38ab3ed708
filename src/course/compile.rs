//! From a learner's file to an executable, without going through cargo.
//!
//! What a judge is linked with is built once, by cargo. After that each save costs one call of
//! rustc, which is what a one-line change costs at least.

use super::home;
use super::tokens::tokens;
use super::tool::{self, Ended};
use crate::check::isolated::Onlooker;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long rustc may take. A file of an exercise takes half a second; macros can take for ever.
const MAX_TIME: Duration = Duration::from_secs(60);

/// This library as cargo built it, and what it depends on.
#[derive(Clone, Debug)]
pub struct Library {
    package: PathBuf,
    rlib: PathBuf,
    dependencies: PathBuf,
}

/// What to compile.
#[derive(Clone, Debug)]
pub struct Source<'a> {
    /// The file with `main`.
    pub main: &'a Path,
    /// The folder of the learner's files, as `env!("EXERCISES")`.
    pub exercises: &'a Path,
    /// Whether to colour what the compiler says.
    pub colour: bool,
    /// Whether a loop in it may wait for other threads. Then it is optimised: what an unoptimised pass
    /// leaves on its stack makes it look as if it had got somewhere, so that it is explored once more.
    pub waits: bool,
}

/// Whether a loop in a file may wait: it has one, and looks at what others write.
pub fn may_wait(text: &str) -> bool {
    let tokens = tokens(text);
    let has = |words: &[&str]| tokens.iter().any(|token| words.contains(&&*token.text));
    has(&["loop", "while"])
        && has(&[
            "compare_exchange",
            "compare_exchange_weak",
            "load",
            "spin_loop",
            "swap",
            "yield_now",
        ])
}

impl Library {
    /// Builds the library, or finds that it is up to date.
    ///
    /// # Errors
    ///
    /// If its sources are [gone](home::package), cargo fails, or the onlooker leaves.
    pub fn build(onlooker: &dyn Onlooker) -> Result<Library> {
        let package = home::package()?;
        let mut command = home::tool("cargo", &package);
        command
            .args(["build", "--lib", "--message-format=json-render-diagnostics"])
            .arg("--target-dir")
            .arg(home::target(&package))
            .env("CARGO_TERM_COLOR", "never")
            // Said, so that no file of cargo's says otherwise: the compiler that the judges are compiled
            // with, as it is, and no flags.
            .env("RUSTC", home::tool("rustc", &package).get_program())
            .env("RUSTC_WRAPPER", "")
            .env("RUSTC_WORKSPACE_WRAPPER", "")
            .env("CARGO_ENCODED_RUSTFLAGS", "");
        // Once each: cargo takes some locks several times.
        let told = RefCell::new(BTreeSet::new());
        let hear = |line: &str| {
            if let Some(what) =
                waited_for(line).filter(|&it| told.borrow_mut().insert(it.to_owned()))
            {
                onlooker.waits(&format!("Waiting for cargo, which is {what}"));
            }
        };
        // A first build takes as long as it takes.
        let heard = tool::heard(&mut command, Duration::MAX, onlooker, &hear)
            .context("cannot start cargo, which exercises are compiled with")?;
        if heard.ended.is_some() {
            bail!("interrupted");
        }
        let output = heard.output;
        if !output.status.success() {
            bail!(
                "cargo cannot build heisenbug:\n{}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        let messages = String::from_utf8_lossy(&output.stdout);
        let rlib = { messages.lines() }
            .find_map(rlib_of)
            .context("cargo built heisenbug and did not say where it put it")?;
        let dependencies = { rlib.parent() }
            .map(|folder| folder.join("deps"))
            .context("the built library lies in no folder")?;
        Ok(Library {
            package,
            rlib,
            dependencies,
        })
    }

    /// Compiles a judge and the learner's file in it.
    ///
    /// # Errors
    ///
    /// If rustc cannot be started, or the onlooker leaves.
    pub fn compile(
        &self,
        source: &Source,
        executable: &Path,
        onlooker: &dyn Onlooker,
    ) -> Result<Compiled> {
        let mut command = home::tool("rustc", &self.package);
        command
            .args(["--edition", "2024", "--crate-name", "judge"])
            .args([
                "-C",
                if source.waits {
                    "opt-level=1"
                } else {
                    "opt-level=0"
                },
            ])
            .args([
                "-C",
                "debug-assertions=on",
                "-C",
                "debuginfo=0",
                "-A",
                "warnings",
            ])
            .args(["--error-format", "json"])
            .args(source.colour.then_some("--json=diagnostic-rendered-ansi"))
            .arg("--extern")
            .arg(with_value("heisenbug=", &self.rlib))
            .arg("-L")
            .arg(with_value("dependency=", &self.dependencies))
            .arg("-o")
            .arg(executable)
            .arg(source.main)
            .env("EXERCISES", source.exercises);
        let heard = tool::output(&mut command, MAX_TIME, onlooker)
            .context("cannot start rustc, which exercises are compiled with")?;
        match heard.ended {
            Some(Ended::Left) => bail!("interrupted"),
            Some(Ended::TooLate) => Ok(Compiled::No(format!(
                "error: rustc was stopped after {} s: does a macro expand for ever?",
                MAX_TIME.as_secs()
            ))),
            None if heard.output.status.success() => Ok(Compiled::Yes),
            None => Ok(Compiled::No(rendered(&String::from_utf8_lossy(
                &heard.output.stderr,
            )))),
        }
    }
}

/// What cargo waits for, if this is where it says so.
fn waited_for(line: &str) -> Option<&str> {
    line.trim().strip_prefix("Blocking ")
}

/// What rustc says, in its own words.
#[derive(Deserialize)]
struct Message {
    message: String,
    code: Option<Code>,
    rendered: String,
    spans: Vec<Span>,
    children: Vec<Note>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct Note {
    message: String,
}

impl Message {
    /// As rustc renders it, and what to write instead where our `Arc` cannot do as std's does.
    fn told(&self) -> String {
        match self.advice() {
            Some(advice) => format!("{}\n  = help: {advice}\n\n", self.rendered.trim_end()),
            None => self.rendered.clone(),
        }
    }

    fn advice(&self) -> Option<String> {
        const ARC: &str = "heisenbug::sync::Arc<";
        let code = self.code.as_ref()?.code.as_str();
        match code {
            "E0307" | "E0658" if self.message.contains(ARC) && self.message.contains("`self`") => {
                let by = if self.message.contains(&format!("&{ARC}")) {
                    "&"
                } else {
                    ""
                };
                Some(format!(
                    "`self` cannot be heisenbug's `Arc`: write `this: {by}Arc<Self>`, and call it as \
                     `Type::function({by}pointer)`"
                ))
            }
            "E0308" | "E0605" => {
                let (_, into) = { [&self.message].into_iter() }
                    .chain(self.children.iter().map(|note| &note.message))
                    .find_map(|text| {
                        let text = text.rsplit_once("` as `").map_or(&**text, |(_, into)| into);
                        // What is expected comes first.
                        text.split_once(ARC)
                    })?;
                let into = unsized_type(into)?;
                Some(match into.starts_with('[') {
                    true => format!(
                        "heisenbug's `Arc` does not turn into `Arc<{into}>` by itself: write \
                         `Arc::from(vec![…])`"
                    ),
                    false => format!(
                        "heisenbug's `Arc` does not turn into `Arc<{into}>` by itself: write \
                         `Arc::from(Box::new(…) as Box<{into}>)` where it is made"
                    ),
                })
            }
            _ => None,
        }
    }
}

/// The type at the beginning of what follows `Arc<`, if it has no size of its own.
fn unsized_type(text: &str) -> Option<String> {
    let (mut depth, mut before) = (1, ' ');
    let end = text.find(|c| {
        match c {
            '<' | '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '>' if before != '-' => depth -= 1,
            _ => {}
        }
        before = c;
        depth == 0
    })?;
    let whole = &text[..end];
    let bare = {
        whole
            .strip_prefix('(')
            .and_then(|rest| rest.strip_suffix(')'))
    }
    .unwrap_or(whole);
    let is_slice = bare.starts_with('[') && !bare.contains(';');
    let short = ["yours::", "std::marker::", "std::ops::", " + 'static"];
    let bare = { short.iter() }.fold(bare.to_owned(), |bare, part| bare.replace(part, ""));
    (bare.starts_with("dyn ") || is_slice).then_some(bare)
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    line_start: usize,
    column_start: usize,
    is_primary: bool,
}

/// The errors, each once. The learner's file is compiled twice, for the engines and for std, and so
/// has all its errors twice.
fn rendered(messages: &str) -> String {
    let mut said = BTreeSet::new();
    let mut text = String::new();
    for line in messages.lines() {
        let Ok(message) = serde_json::from_str::<Message>(line) else {
            // Not rustc's own, such as what the linker says.
            text.push_str(line);
            text.push('\n');
            continue;
        };
        let at = { message.spans.iter() }.find(|span| span.is_primary);
        // What has no place counts the errors and says how to learn more about them.
        let Some(at) = at else {
            if said.is_empty() {
                text.push_str(&message.rendered);
            }
            continue;
        };
        let what = message.message.replace("native::", "yours::");
        if said.insert((at.file_name.clone(), at.line_start, at.column_start, what)) {
            text.push_str(&message.told());
        }
    }
    text
}

/// Whether it compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compiled {
    /// The executable is there.
    Yes,
    /// What the compiler says.
    No(String),
}

fn with_value(name: &str, value: &Path) -> std::ffi::OsString {
    let mut argument = std::ffi::OsString::from(name);
    argument.push(value);
    argument
}

/// The library's file, if that is what this message of cargo's is about.
fn rlib_of(message: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    let is_ours =
        message["reason"] == "compiler-artifact" && message["target"]["name"] == "heisenbug";
    let files = message["filenames"].as_array().filter(|_| is_ours)?;
    { files.iter().filter_map(|file| file.as_str()) }
        .find(|file| file.ends_with(".rlib"))
        .map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(code: &str, message: &str, note: &str) -> Option<String> {
        let message = Message {
            message: message.to_owned(),
            code: Some(Code {
                code: code.to_owned(),
            }),
            rendered: String::new(),
            spans: Vec::new(),
            children: vec![Note {
                message: note.to_owned(),
            }],
        };
        message.advice()
    }

    #[test]
    fn an_error_about_our_pointers_says_what_to_write_instead() {
        let receiver = "`&heisenbug::sync::Arc<Pool>` cannot be used as the type of `self` without";
        let said = advice("E0658", receiver, "").unwrap();
        assert!(said.contains("write `this: &Arc<Self>`"), "{said}");
        for (code, message, note, written) in [
            (
                "E0308",
                "mismatched types",
                "expected struct `heisenbug::sync::Arc<(dyn yours::Shape + 'static)>`\n   found \
                 struct `heisenbug::sync::Arc<Q>`",
                "Box<dyn Shape>",
            ),
            (
                "E0308",
                "mismatched types",
                "expected struct `heisenbug::sync::Arc<dyn Fn() -> u8 + std::marker::Send>`",
                "Box<dyn Fn() -> u8 + Send>",
            ),
            (
                "E0605",
                "non-primitive cast: `heisenbug::sync::Arc<Q>` as `heisenbug::sync::Arc<dyn yours::S>`",
                "",
                "Box<dyn S>",
            ),
            (
                "E0308",
                "mismatched types",
                "expected struct `heisenbug::sync::Arc<[u8]>`",
                "Arc::from(vec![…])",
            ),
        ] {
            let said = advice(code, message, note).unwrap();
            assert!(said.contains(written), "{said}");
        }
    }

    #[test]
    fn other_errors_are_the_compilers() {
        let sized = "expected struct `heisenbug::sync::Arc<u8>`";
        assert_eq!(advice("E0308", "mismatched types", sized), None);
        assert_eq!(
            advice("E0308", "mismatched types", "expected `Box<dyn T>`"),
            None
        );
        assert_eq!(advice("E0599", "no method named `f`", ""), None);
    }
}
