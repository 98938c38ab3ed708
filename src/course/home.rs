//! Where this library's own sources are, and the cargo and rustc that they are compiled with.
//!
//! All of that is fixed when this program is built: no configuration in the user's folder or environment
//! changes it. But sources may be moved, copied or replaced afterwards: that is detected here.

use anyhow::{Context, Result, bail};
use heisenbug_files as files;
use serde::Deserialize;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of this crate when this program was built.
const ROOM: &str = env!("CARGO_MANIFEST_DIR");

/// The path of this crate in the package.
const PLACE: &str = "src/course";

const NAME: &str = "heisenbug";

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The folder of this library's own package.
///
/// # Errors
///
/// If it is no longer there, has another version, or this program is in a copy of it.
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

/// A command of the toolchain that built this program, if it is still there. It runs in the library's
/// folder, without the environment variables that the user has set for other builds.
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

/// The target folder of this program, so that what is already built can be reused.
pub fn target(package: &Path) -> PathBuf {
    let is_target = |folder: &&Path| folder.join("CACHEDIR.TAG").is_file();
    let executable = std::env::current_exe().unwrap_or_default();
    let found = executable.ancestors().skip(1).find(is_target);
    found.map_or_else(|| package.join("target"), Path::to_owned)
}

/// Whether an environment variable changes what cargo or rustc builds. Variables that only tell where
/// to get packages are kept.
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

/// The parts of a manifest that are read.
#[derive(Deserialize)]
struct Manifest {
    package: Option<Package>,
    workspace: Option<Workspace>,
}

/// All crates share one version, which is given here.
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

/// The version of this library's package in a folder, if there is one.
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
             program was built, but are no longer there: rebuild it with `cargo build` where they are \
             now"
        ),
        Some(there) if there != version => bail!(
            "this program is heisenbug {version}, and the sources in {folder} that your files are \
             compiled against are now {there}: rebuild it there with `cargo build`"
        ),
        Some(_) => Ok(()),
    }
}

/// A copied checkout contains a copied executable, which still belongs to the original.
fn is_no_copy(package: &Path, executable: &Path) -> Result<()> {
    let is_package = |folder: &&Path| version_in(folder).is_ok_and(|version| version.is_some());
    let Some(around) = executable.ancestors().skip(1).find(is_package) else {
        return Ok(());
    };
    if around.canonicalize().ok() == package.canonicalize().ok() {
        return Ok(());
    }
    bail!(
        "this program is in {copy}, but was built from {original}: your files would be compiled \
         against the sources there; rebuild it in {copy} with `cargo build`",
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
        assert!(why().contains("no longer there"), "{}", why());
        manifest(&folder, "[workspace]\n");
        assert!(why().contains("no longer there"), "{}", why());
        manifest(&folder, &OURS.replace("1.2.3", "1.3.0"));
        assert!(why().contains("are now 1.3.0"), "{}", why());
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
        assert!(why.contains("copy, but was built from"), "{why}");
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
