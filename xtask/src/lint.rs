//! Lints on what the build made.
//!
//! `cargo clippy` checks every dependency once more, because cargo keeps checked and built
//! artefacts apart; that is most of its time. Here cargo *builds* the workspace, so that it finds
//! the dependencies done, and calls this program in place of the compiler for our own crates alone:
//! it hands them to clippy, which stops after the lints. Cargo does not mind that the objects and
//! executables are missing, and the real ones stay as they are.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use eyre::{Result, WrapErr, eyre};
use tiller_core::file::write_whole;

/// Tells this program that cargo calls it as a compiler.
const MARK: &str = "TILLER_LINT";

/// Clippy's settings.
const CLIPPY_SETTINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../clippy.toml");

/// Arguments to clippy; a warning fails the run.
const CLIPPY_ARGS: &str = "-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__";

/// Makes a `cargo build` lint the workspace's crates instead of compiling them. `xtask` is this
/// program's path.
pub(crate) fn instead_of_compiling(cargo: &mut Command, xtask: &Path) {
    cargo.env("RUSTC_WORKSPACE_WRAPPER", xtask).env(MARK, "1");
}

/// The command that cargo wants run, if this process stands in for the compiler: the compiler's
/// path and its arguments.
pub(crate) fn compiler_call() -> Option<Vec<OsString>> {
    std::env::var_os(MARK)?;
    Some(std::env::args_os().skip(1).collect())
}

/// Lints one crate, and compiles it only if cargo must run it. Whether it succeeded; what is wrong
/// has been printed.
pub(crate) fn lint(call: &[OsString]) -> Result<bool> {
    let (compiler, arguments) = call
        .split_first()
        .ok_or_else(|| eyre!("cargo named no compiler"))?;
    let Some(unit) = Unit::new(arguments) else {
        // Cargo asks what the compiler can do.
        return succeeds(Command::new(compiler).args(arguments));
    };
    if !unit.is_fresh() {
        let begun = SystemTime::now();
        let mut clippy = Command::new("clippy-driver");
        clippy.arg(compiler).args(&unit.arguments);
        let passed = succeeds(clippy.env("CLIPPY_ARGS", CLIPPY_ARGS))
            .wrap_err("`rustup component add clippy` brings clippy")?;
        if !passed {
            return Ok(false);
        }
        unit.remember(begun)?;
    }
    Ok(!unit.is_program || succeeds(Command::new(compiler).args(arguments))?)
}

/// One crate, as library, executable or test.
struct Unit {
    /// The compiler's arguments, changed so that only metadata is written and read.
    arguments: Vec<OsString>,
    /// A build script or procedural macro: cargo runs it.
    is_program: bool,
    /// Metadata of the crates that it uses.
    used: Vec<PathBuf>,
    /// The crate's files without their endings.
    stem: PathBuf,
}

impl Unit {
    fn new(arguments: &[OsString]) -> Option<Self> {
        let texts: Vec<&str> = arguments.iter().filter_map(|a| a.to_str()).collect();
        let after = |name: &str| {
            let at = texts.iter().position(|text| *text == name)?;
            texts.get(at + 1).copied()
        };
        let crate_name = after("--crate-name").filter(|name| *name != "___")?;
        let folder = after("--out-dir")?;
        let suffix = texts
            .iter()
            .find_map(|text| text.strip_prefix("extra-filename="));
        let mut used = Vec::new();
        let mut is_extern = false;
        let arguments = arguments
            .iter()
            .map(|argument| {
                let text = argument.to_str().unwrap_or_default();
                if text.starts_with("--emit=") {
                    return "--emit=dep-info,metadata".into();
                }
                let follows_extern = std::mem::replace(&mut is_extern, text == "--extern");
                match text.split_once('=') {
                    Some((name, library)) if follows_extern => {
                        let metadata = Path::new(library).with_extension("rmeta");
                        let library = match metadata.exists() {
                            true => metadata,
                            false => library.into(),
                        };
                        let argument = format!("{name}={}", library.display());
                        used.push(library);
                        argument.into()
                    }
                    _ => argument.clone(),
                }
            })
            .collect();
        Some(Self {
            arguments,
            is_program: crate_name == "build_script_build"
                || after("--crate-type") == Some("proc-macro"),
            used,
            stem: Path::new(folder).join(format!("{crate_name}{}", suffix.unwrap_or_default())),
        })
    }

    /// Remembers that lints which began at `begun` have passed: a file that was changed while they
    /// ran may not be what they read.
    fn remember(&self, begun: SystemTime) -> Result<()> {
        let stamp = self.stem.with_extension("lint");
        write_whole(&stamp, &self.words())?;
        Ok(fs::File::open(&stamp)?.set_modified(begun)?)
    }

    /// Whether the lints have passed with these arguments and nothing has changed since.
    fn is_fresh(&self) -> bool {
        let stamp = self.stem.with_extension("lint");
        if !fs::read(&stamp).is_ok_and(|words| words == self.words()) {
            return false;
        }
        let (Some(passed), Ok(files)) = (
            changed(&stamp),
            fs::read_to_string(self.stem.with_extension("d")),
        ) else {
            return false;
        };
        // The file reads `target: source source ...`, once for each file that was written.
        let sources = files
            .lines()
            .filter_map(|line| line.split_once(": "))
            .flat_map(|(_, sources)| sources.split_whitespace())
            .map(Path::new);
        sources
            .chain(self.used.iter().map(PathBuf::as_path))
            .chain([Path::new(CLIPPY_SETTINGS)])
            .all(|file| changed(file).is_some_and(|time| time < passed))
    }

    fn words(&self) -> Vec<u8> {
        let words: Vec<&OsStr> = self.arguments.iter().map(OsString::as_os_str).collect();
        words.join(OsStr::new("\n")).into_encoded_bytes()
    }
}

fn changed(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).ok()?.modified().ok()
}

fn succeeds(command: &mut Command) -> Result<bool> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command
        .status()
        .wrap_err_with(|| format!("could not start `{name}`"))?;
    Ok(status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What cargo passes for a test that uses one crate of ours, `a`, and one of others, `b`.
    fn call(folder: &Path) -> Vec<OsString> {
        let folder = folder.display();
        [
            "--crate-name".to_owned(),
            "it".to_owned(),
            "--emit=dep-info,link".to_owned(),
            "--test".to_owned(),
            "-C".to_owned(),
            "extra-filename=-01".to_owned(),
            "--out-dir".to_owned(),
            folder.to_string(),
            "--extern".to_owned(),
            format!("a={folder}/liba-02.rlib"),
            "--extern".to_owned(),
            format!("b={folder}/libb-03.so"),
        ]
        .map(OsString::from)
        .to_vec()
    }

    #[test]
    fn only_metadata_is_written_and_read() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("liba-02.rmeta"), "").unwrap();
        let unit = Unit::new(&call(folder.path())).unwrap();
        let arguments = unit.words();
        let arguments = String::from_utf8(arguments).unwrap();
        assert!(arguments.contains("--emit=dep-info,metadata"));
        assert!(!arguments.contains("rlib"), "{arguments}");
        assert!(arguments.contains("liba-02.rmeta") && arguments.contains("libb-03.so"));
        assert!(!unit.is_program);
        assert!(Unit::new(&["-vV".into()]).is_none());
    }

    #[test]
    fn lints_run_again_when_a_file_or_an_argument_changes() {
        let folder = tempfile::tempdir().unwrap();
        let old = SystemTime::now() - std::time::Duration::from_secs(60);
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            fs::File::open(&path).unwrap().set_modified(old).unwrap();
            path
        };
        let source = write("it.rs", "");
        write("libb-03.so", "");
        let used = write("liba-02.rmeta", "");
        write(
            "it-01.d",
            &format!(
                "it-01.rmeta: {}\n\n{}:\n",
                source.display(),
                source.display()
            ),
        );
        let mut call = call(folder.path());
        let unit = Unit::new(&call).unwrap();
        assert!(!unit.is_fresh(), "never linted");
        let before = SystemTime::now() - std::time::Duration::from_secs(120);
        unit.remember(before).unwrap();
        assert!(!unit.is_fresh(), "changed while the lints ran");
        unit.remember(SystemTime::now()).unwrap();
        assert!(unit.is_fresh());
        for file in [&source, &used] {
            let touched = fs::File::open(file).unwrap();
            let later = SystemTime::now() + std::time::Duration::from_secs(60);
            touched.set_modified(later).unwrap();
            assert!(!unit.is_fresh(), "{}", file.display());
            touched.set_modified(old).unwrap();
            assert!(unit.is_fresh());
        }
        call.push("--warn=missing_docs".into());
        assert!(!Unit::new(&call).unwrap().is_fresh());
    }
}
