//! How this program is called, so that a command it prints works as it is printed.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

const NAME: &str = "heisenbug";

/// What a command line begins with, from where this program was called.
pub fn name() -> &'static str {
    static CALLED: OnceLock<String> = OnceLock::new();
    CALLED.get_or_init(|| by_cargo().unwrap_or_else(by_itself))
}

/// What `cargo run` is to be called with, if that has started this program. It may have been called from
/// a folder in which cargo finds another package.
fn by_cargo() -> Option<String> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    variable("CARGO")?;
    // Any other package's tests and tools may start this program as well.
    variable("CARGO_PKG_NAME").filter(|package| package == NAME)?;
    let package = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let here = std::env::current_dir().ok()?;
    let is_package = |folder: &&Path| folder.join("Cargo.toml").is_file();
    let nearest = here.ancestors().find(is_package);
    let is_found = nearest.is_some_and(|nearest| is_same(nearest, &package));
    Some(match is_found {
        true => "cargo run --".to_owned(),
        false => {
            let manifest = quoted(&package.join("Cargo.toml"));
            format!("cargo run --manifest-path {manifest} --")
        }
    })
}

/// The name, where that means this program and no other one; else where it is.
fn by_itself() -> String {
    let Ok(executable) = std::env::current_exe() else {
        return NAME.to_owned();
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    match on_path(&path).is_some_and(|found| is_same(&found, &executable)) {
        true => NAME.to_owned(),
        false => quoted(&executable),
    }
}

/// What a shell takes for this name, from whatever folder.
fn on_path(path: &OsStr) -> Option<PathBuf> {
    let file = format!("{NAME}{}", std::env::consts::EXE_SUFFIX);
    { std::env::split_paths(path) }
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(&file))
        .find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    let Ok(metadata) = file.metadata() else {
        return false;
    };
    #[cfg(unix)]
    let may_run = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 != 0;
    #[cfg(not(unix))]
    let may_run = true;
    metadata.is_file() && may_run
}

fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    real(one).is_some() && real(one) == real(other)
}

/// A path as a shell takes it for one word, and a program for no option.
pub fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let text = match text.starts_with('-') {
        true => format!("./{text}"),
        false => text,
    };
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+=:,@%".contains(c);
    match () {
        () if !text.is_empty() && text.chars().all(is_plain) => text,
        () if cfg!(windows) => match text.chars().all(|c| is_plain(c) || c == '\\') {
            true => text,
            false => format!("\"{text}\""),
        },
        () => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_path_is_one_word_of_a_command_line() {
        for (path, word) in [
            ("races/one.rs", "races/one.rs"),
            ("my races", "'my races'"),
            ("it's", r"'it'\''s'"),
            ("-races", "./-races"),
            ("~races", "'~races'"),
            ("a;b", "'a;b'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(Path::new(path)), word);
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_cannot_be_run_is_not_found() {
        use std::os::unix::fs::PermissionsExt;
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for (folder, mode) in [(&first, 0o644), (&second, 0o755)] {
            let file = folder.path().join(NAME);
            std::fs::write(&file, "").unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let path = std::env::join_paths([first.path(), second.path()]).unwrap();
        assert_eq!(on_path(&path), Some(second.path().join(NAME)));
        assert_eq!(on_path(first.path().as_os_str()), None);
        assert_eq!(on_path(OsStr::new("")), None);
    }
}
