//! How this program is called, so that the commands that it prints can be copied and run.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

const NAME: &str = "heisenbug";

/// The first words of a command line that runs this program from the current folder.
pub fn name() -> &'static str {
    static CALLED: OnceLock<String> = OnceLock::new();
    CALLED.get_or_init(|| by_cargo().unwrap_or_else(by_itself))
}

/// The `cargo run` command, if that has started this program. It names the manifest if cargo would find
/// another package in the current folder.
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

/// The bare name, if a shell finds this very program by it; otherwise this program's path.
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

/// The program that a shell finds by this name, from any folder.
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

/// A path, quoted so that a shell reads it as one word and no program reads it as an option.
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
