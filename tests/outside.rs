//! A crate outside of this workspace checks its own code, and its report shows its own lines.

use std::path::Path;
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn copy(from: &str, to: &Path, edit: impl Fn(String) -> String) {
    let text = std::fs::read_to_string(Path::new(ROOT).join(from)).expect("the file is there");
    std::fs::create_dir_all(to.parent().expect("a folder")).expect("the folder can be made");
    std::fs::write(to, edit(text)).expect("the file can be written");
}

/// The profiles of this workspace: with the same ones, what is already built is reused.
fn profiles() -> String {
    let manifest = std::fs::read_to_string(Path::new(ROOT).join("Cargo.toml")).expect("a manifest");
    let sections = manifest
        .split("\n[")
        .filter(|section| section.starts_with("profile."));
    sections.map(|section| format!("[{section}\n")).collect()
}

#[test]
fn a_crate_outside_of_the_workspace_checks_its_own_code() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let manifest = |text: String| text.replace("HEISENBUG", ROOT) + &profiles();
    copy(
        "tests/outside/Cargo.toml",
        &folder.path().join("Cargo.toml"),
        manifest,
    );
    copy(
        "tests/outside/src/lib.rs",
        &folder.path().join("src/lib.rs"),
        |text| text,
    );
    copy("Cargo.lock", &folder.path().join("Cargo.lock"), |text| text);
    let output = Command::new(env!("CARGO"))
        .args(["test", "--offline", "--lib", "--", "--test-threads=1"])
        .current_dir(folder.path())
        .env(
            "CARGO_TARGET_DIR",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("outside"),
        )
        .env_remove("RUSTFLAGS")
        .output()
        .expect("cargo runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let report = format!("{text}\n{}", String::from_utf8_lossy(&output.stderr));
    // Two hold as claimed, and the third fails so that its message can be checked here.
    assert!(text.contains("2 passed; 1 failed"), "{report}");
    for part in [
        "FAILS: an interleaving bug, 1 preemption",
        "two guests share a seat",
        "if self.guests.load(Relaxed)",
        "guests ➜ 0",
    ] {
        assert!(text.contains(part), "{part}\n{report}");
    }
}
