//! Python environments: making one, filling it, looking into it.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use eyre::{Result, WrapErr, bail, eyre};
use tiller_core::file::write_whole;

/// The version that the pinned packages are for.
const VERSION: &str = "3.11";
/// Lines of what a program said that an error quotes.
const QUOTED_LINES: usize = 12;

/// Makes sure that `python` is the version that is needed.
pub(super) fn check_version(python: &Path) -> Result<()> {
    let name = python.display();
    let program = "import sys; print('%d.%d' % sys.version_info[:2])";
    let found = match Command::new(python).args(["-c", program]).output() {
        Err(error) if error.kind() == ErrorKind::NotFound => bail!(
            "`{name}` was not found: the simulator's packages need CPython {VERSION} (on Debian \
             `apt-get install python3.11 python3.11-venv`, elsewhere `uv python install 3.11` or pyenv); \
             --python or PYTHON names another one"
        ),
        Err(error) => return Err(eyre!(error).wrap_err(format!("could not start `{name}`"))),
        Ok(output) => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    };
    if found == VERSION {
        return Ok(());
    }
    bail!(
        "`{name}`: expected Python {VERSION}, found `{found}`; --python or PYTHON names another one"
    )
}

/// Makes the environment unless it is there.
pub(super) fn make_venv(python: &Path, venv: &Path) -> Result<()> {
    if interpreter(venv).exists() {
        return Ok(());
    }
    let output = Command::new(python)
        .args(["-m", "venv"])
        .arg(venv)
        .output()
        .wrap_err_with(|| format!("could not start `{}`", python.display()))?;
    if output.status.success() {
        return Ok(());
    }
    bail!(
        "`{} -m venv {}` failed (on Debian the module is in the package python3.11-venv). It said:\n{}",
        python.display(),
        venv.display(),
        said(&output)
    )
}

/// The environment's interpreter.
pub(super) fn interpreter(venv: &Path) -> PathBuf {
    venv.join("bin/python")
}

/// Installs pinned packages; `tell` hears of each as it comes.
pub(super) fn install(venv: &Path, requirements: &Path, tell: &mut dyn FnMut(&str)) -> Result<()> {
    let mut child = Command::new(interpreter(venv))
        .args(["-m", "pip", "install", "--disable-pip-version-check"])
        .args(["--no-input", "--progress-bar", "off", "-r"])
        .arg(requirements)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .wrap_err("could not start pip")?;
    let errors = child.stderr.take().map(|stderr| {
        std::thread::spawn(move || {
            let mut text = String::new();
            // What pip says is quoted only; a broken pipe ends with what came.
            let _ = BufReader::new(stderr).read_to_string(&mut text);
            text
        })
    });
    let mut last = VecDeque::new();
    let mut count = 0;
    for line in child
        .stdout
        .take()
        .map(BufReader::new)
        .into_iter()
        .flat_map(BufRead::lines)
    {
        let line = line.wrap_err("pip's output broke off")?;
        if let Some(package) = line.trim().strip_prefix("Collecting ") {
            count += 1;
            let package = package.split(' ').next().unwrap_or(package);
            tell(&format!("  {count}: {package}"));
        } else if line.starts_with("Installing") {
            tell("  unpacking, a minute or so ..");
        }
        last.push_back(line);
        if last.len() > QUOTED_LINES {
            last.pop_front();
        }
    }
    let status = child.wait().wrap_err("pip was lost")?;
    let errors = errors
        .and_then(|thread| thread.join().ok())
        .unwrap_or_default();
    if status.success() {
        return Ok(());
    }
    let quoted = if errors.trim().is_empty() {
        last.into_iter().collect::<Vec<_>>().join("\n")
    } else {
        tail(&errors)
    };
    bail!(
        "the packages could not be installed: {}. Run the same command again to go on. pip said:\n{quoted}",
        diagnose(&errors),
    )
}

/// What went wrong, from pip's words; it words a missing network and a missing package alike at the end.
fn diagnose(said: &str) -> &'static str {
    const OFFLINE: [&str; 5] = [
        "NewConnectionError",
        "Temporary failure in name resolution",
        "ProxyError",
        "ConnectTimeout",
        "Connection",
    ];
    if said.contains("No space left") {
        "the disk is full"
    } else if OFFLINE.iter().any(|sign| said.contains(sign)) {
        "the package index could not be reached (check the network and the proxy, or let PIP_INDEX_URL \
         point to a mirror)"
    } else if said.contains("No matching distribution") {
        "there is no such package for this platform (tested: CPython 3.11 on Linux x86-64)"
    } else {
        "see below"
    }
}

/// Puts folders on the environment's module path, so that what they hold can be run by name.
pub(super) fn add_paths(venv: &Path, name: &str, folders: &[PathBuf]) -> Result<()> {
    let lines: Vec<String> = folders
        .iter()
        .map(|folder| folder.display().to_string())
        .collect();
    let lib = venv.join(format!("lib/python{VERSION}/site-packages"));
    let path = lib.join(format!("{name}.pth"));
    let text = lines.join("\n") + "\n";
    Ok(write_whole(&path, text.as_bytes())?)
}

/// Runs a program in the environment that fails when something is missing.
pub(super) fn run(venv: &Path, program: &str) -> Result<()> {
    let output = Command::new(interpreter(venv))
        .args(["-c", program])
        .output()
        .wrap_err("the environment's Python does not start")?;
    if output.status.success() {
        return Ok(());
    }
    bail!(
        "the packages are there but do not work; remove {} and try again. Python said:\n{}",
        venv.display(),
        said(&output)
    )
}

fn said(output: &Output) -> String {
    let both =
        [&output.stdout, &output.stderr].map(|part| String::from_utf8_lossy(part).into_owned());
    tail(&both.concat())
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.trim().lines().collect();
    lines[lines.len().saturating_sub(QUOTED_LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::diagnose;

    #[test]
    fn pip_failures_are_told_apart() {
        let offline = "WARNING: Retrying after connection broken by 'NewConnectionError('...\n\
                       ERROR: No matching distribution found for mujoco==3.17.0";
        assert!(diagnose(offline).contains("network"));
        let unsupported = "ERROR: No matching distribution found for mujoco==3.17.0";
        assert!(diagnose(unsupported).contains("platform"));
        assert!(diagnose("OSError: [Errno 28] No space left on device").contains("full"));
    }
}
