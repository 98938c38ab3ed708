//! Where this library's own sources are, and the cargo and rustc that they are compiled with.
//!
//! All of that is settled when this program is built, and nothing that stands in somebody's folder or
//! environment changes it. But sources may be moved, copied or replaced afterwards: that is noticed here.

use anyhow::{Context, Result, bail};
use heisenbug_files as files;
use serde::Deserialize;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of this room when this program was built.
const ROOM: &str = env!("CARGO_MANIFEST_DIR");

/// Where this room is in the package.
const PLACE: &str = "src/course";

const NAME: &str = "heisenbug";

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The folder of this library's own package.
///
/// # Errors
///
/// If it is not there any more, is one of another version, or this program lies in a copy of it.
pub fn package() -> Result<PathBuf> {
    let room = Path::new(ROOM);
    let up = Path::new(PLACE).components().count();
    let package = room.ancestors().nth(up).unwrap_or(room).to_owned();
    is_home(&package, VERSION)?;
    if let Ok(executable) = std::env::current_exe() {
        is_no_copy(&package, &executable)?;
    }
    Ok(package)
}

/// The course that comes with this program.
///
/// # Errors
///
/// As for [`package`].
pub fn course() -> Result<PathBuf> {
    Ok(package()?.join("exercises"))
}

/// A command of the toolchain that has built this program, if it is still there. It runs in the
/// library's folder, and knows of no wish that somebody has of other builds.
pub fn tool(name: &str, package: &Path) -> Command {
    let beside =
        Path::new(env!("CARGO")).with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let mut command = Command::new(match beside.is_file() {
        true => beside,
        false => name.into(),
    });
    for (variable, _) in std::env::vars_os().filter(|(name, _)| is_wish(name)) {
        command.env_remove(variable);
    }
    command.current_dir(package);
    command
}

/// Where this program was built, so that what is built already is found there.
pub fn target(package: &Path) -> PathBuf {
    let is_target = |folder: &&Path| folder.join("CACHEDIR.TAG").is_file();
    let executable = std::env::current_exe().unwrap_or_default();
    let found = executable.ancestors().skip(1).find(is_target);
    found.map_or_else(|| package.join("target"), Path::to_owned)
}

/// Whether an environment variable changes what cargo or rustc makes of a program. Where packages come
/// from, and by which way, is another matter.
fn is_wish(variable: &OsString) -> bool {
    const OF_CARGO: [&str; 6] = ["HOME", "HTTP_", "NET_", "REGISTR", "SOURCE_", "CACHE_"];
    const OF_RUST: [&str; 3] = ["RUSTUP_HOME", "RUSTUP_DIST_", "RUST_BACKTRACE"];
    let Some(name) = variable.to_str() else {
        return false;
    };
    match name.strip_prefix("CARGO_") {
        Some(rest) => !OF_CARGO.iter().any(|kept| rest.starts_with(kept)),
        None => name.starts_with("RUST") && !OF_RUST.iter().any(|kept| name.starts_with(kept)),
    }
}

/// What is asked of a manifest.
#[derive(Deserialize)]
struct Manifest {
    package: Option<Package>,
    workspace: Option<Workspace>,
}

/// The rooms are packages of one version, which stands here.
#[derive(Deserialize)]
struct Workspace {
    package: Option<Common>,
}

#[derive(Deserialize)]
struct Common {
    version: Option<String>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: toml::Value,
}

/// The version of this library of which there is a package in a folder.
fn version_in(folder: &Path) -> Result<Option<String>> {
    let manifest = folder.join("Cargo.toml");
    let Some(text) = files::read(&manifest)? else {
        return Ok(None);
    };
    let parsed: Manifest = toml::from_str(&String::from_utf8_lossy(&text))
        .with_context(|| format!("{} is damaged", manifest.display()))?;
    let Some(package) = parsed.package.filter(|package| package.name == NAME) else {
        return Ok(None);
    };
    let of_its_own = package.version.as_str().map(str::to_owned);
    let common = parsed.workspace.and_then(|workspace| workspace.package);
    let version = of_its_own.or_else(|| common.and_then(|common| common.version));
    Ok(Some(version.unwrap_or_default()))
}

fn is_home(package: &Path, version: &str) -> Result<()> {
    let folder = package.display();
    match version_in(package)? {
        None => bail!(
            "your files are compiled against heisenbug's own sources, which were in {folder} when this \
             program was built, and are not there any more: where they are now, build it once more with \
             `cargo build`"
        ),
        Some(there) if there != version => bail!(
            "this program is heisenbug {version}, and the sources in {folder} that your files are \
             compiled against are of {there} by now: build it once more there with `cargo build`"
        ),
        Some(_) => Ok(()),
    }
}

/// A copy takes what was built along, and that still belongs to the original.
fn is_no_copy(package: &Path, executable: &Path) -> Result<()> {
    let is_package = |folder: &&Path| version_in(folder).is_ok_and(|version| version.is_some());
    let Some(around) = executable.ancestors().skip(1).find(is_package) else {
        return Ok(());
    };
    if around.canonicalize().ok() == package.canonicalize().ok() {
        return Ok(());
    }
    bail!(
        "this program lies in {copy}, and was built from {original}: your files would be compiled \
         against the sources there; build it once more in {copy} with `cargo build`",
        copy = around.display(),
        original = package.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(folder: &Path, text: &str) {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join("Cargo.toml"), text).unwrap();
    }

    const OURS: &str = "[package]\nname = \"heisenbug\"\nversion = \"1.2.3\"\n";

    #[test]
    fn sources_that_were_moved_or_replaced_are_named() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("sources");
        let why = || format!("{:#}", is_home(&folder, "1.2.3").unwrap_err());
        assert!(
            why().contains("sources when this program was built"),
            "{}",
            why()
        );
        manifest(
            &folder,
            "[package]\nname = \"other\"\nversion = \"1.2.3\"\n",
        );
        assert!(why().contains("not there any more"), "{}", why());
        manifest(&folder, "[workspace]\n");
        assert!(why().contains("not there any more"), "{}", why());
        manifest(&folder, &OURS.replace("1.2.3", "1.3.0"));
        assert!(why().contains("of 1.3.0 by now"), "{}", why());
        manifest(&folder, OURS);
        assert!(is_home(&folder, "1.2.3").is_ok());
    }

    #[test]
    fn a_program_that_was_copied_with_its_sources_is_told_from_the_original() {
        let place = tempfile::tempdir().unwrap();
        let (original, copy) = (place.path().join("original"), place.path().join("copy"));
        manifest(&original, OURS);
        manifest(&copy, OURS);
        let of = |folder: &Path| folder.join("target/debug/heisenbug");
        assert!(is_no_copy(&original, &of(&original)).is_ok());
        assert!(
            is_no_copy(&original, &of(place.path())).is_ok(),
            "it was installed"
        );
        let why = format!("{:#}", is_no_copy(&original, &of(&copy)).unwrap_err());
        assert!(why.contains("copy, and was built from"), "{why}");
    }

    #[test]
    fn wishes_for_other_builds_are_none_for_ours() {
        for (variable, is) in [
            ("CARGO_TARGET_DIR", true),
            ("CARGO_BUILD_TARGET", true),
            ("CARGO_PROFILE_DEV_PANIC", true),
            ("RUSTFLAGS", true),
            ("RUSTUP_TOOLCHAIN", true),
            ("RUSTC_WRAPPER", true),
            ("RUSTC", true),
            ("CARGO_HOME", false),
            ("CARGO_HTTP_PROXY", false),
            ("RUSTUP_HOME", false),
            ("PATH", false),
        ] {
            assert_eq!(is_wish(&variable.into()), is, "{variable}");
        }
    }
}
