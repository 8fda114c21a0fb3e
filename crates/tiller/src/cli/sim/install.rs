//! Installing a simulator: the same result however often it is asked for.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use eyre::{Result, WrapErr, bail, ensure};
use serde::{Deserialize, Serialize};
use tiller_core::file::write_whole;

use super::python;
use super::simulator::Simulator;

/// Says what an environment was made of; written when all is there.
const STAMP: &str = "tiller.json";

/// What is to be installed, where and with what.
pub(super) struct Request {
    pub(super) simulator: Simulator,
    /// Tiller's folder.
    pub(super) root: PathBuf,
    /// The folder of all simulators.
    pub(super) into: PathBuf,
    pub(super) checkout: Option<PathBuf>,
    pub(super) python: PathBuf,
    /// Disk space that must be free before anything is made, bytes.
    pub(super) needs_bytes: u64,
}

/// What is there now.
pub(super) struct Outcome {
    /// The environment.
    pub(super) folder: PathBuf,
    /// Its interpreter.
    pub(super) python: PathBuf,
    /// Something had to be done.
    pub(super) made: bool,
    pub(super) seconds: f64,
    /// Size of the environment; 0 where nothing had to be done.
    pub(super) megabytes: u64,
}

/// What an environment was made of.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    requirements: String,
    paths: Vec<PathBuf>,
}

/// Installs a simulator; `tell` hears of licences and progress, line by line.
///
/// # Errors
/// A wrong Python, a checkout that is none, too little disk space, packages that cannot be fetched; each with
/// what to do about it.
pub(super) fn install(request: &Request, tell: &mut dyn FnMut(&str)) -> Result<Outcome> {
    let started = Instant::now();
    let simulator = request.simulator;
    let name = simulator.name();
    let checkout = checked_out(simulator, request.checkout.as_deref())?;
    let requirements = simulator.requirements(&request.root);
    let wanted = Stamp {
        requirements: fs::read_to_string(&requirements)
            .wrap_err_with(|| format!("could not read {}", requirements.display()))?,
        paths: [Some(simulator.node(&request.root)), checkout]
            .into_iter()
            .flatten()
            .collect(),
    };
    let venv = request.into.join(name);
    let stamp = venv.join(STAMP);
    let mut outcome = Outcome {
        python: python::interpreter(&venv),
        folder: venv.clone(),
        made: false,
        seconds: 0.0,
        megabytes: 0,
    };
    if outcome.python.exists() && read(&stamp).is_some_and(|found| found == wanted) {
        return Ok(outcome);
    }

    tell(&format!("{name} comes from others, under their terms:"));
    for licence in simulator.licences() {
        tell(&format!("  {licence}"));
    }
    python::check_version(&request.python)?;
    fs::create_dir_all(&request.into)
        .wrap_err_with(|| format!("could not create {}", request.into.display()))?;
    check_space(&request.into, request.needs_bytes)?;
    tell(&format!("making {}", venv.display()));
    python::make_venv(&request.python, &venv)?;
    // From here on it is incomplete until the end.
    if stamp.exists() {
        fs::remove_file(&stamp)
            .wrap_err_with(|| format!("could not replace {}", stamp.display()))?;
    }
    python::install(&venv, &requirements, tell)?;
    python::add_paths(&venv, &format!("tiller_{name}"), &wanted.paths)?;
    tell("checking");
    python::run(&venv, simulator.check())?;
    write_whole(&stamp, serde_json::to_string(&wanted)?.as_bytes())?;
    outcome.made = true;
    outcome.megabytes = size_bytes(&venv) / 1_000_000;
    outcome.seconds = started.elapsed().as_secs_f64();
    Ok(outcome)
}

/// The checkout that a simulator runs from, as an absolute path; none for one that needs none.
fn checked_out(simulator: Simulator, checkout: Option<&Path>) -> Result<Option<PathBuf>> {
    let checkout = match (simulator, checkout) {
        (Simulator::Libero, None) => return Ok(None),
        (Simulator::Libero, Some(_)) => {
            bail!("--checkout: libero comes as a package and takes none")
        }
        (Simulator::Calvin, None) => bail!(
            "--checkout: calvin is no package; expected the folder of a clone of mees/calvin_env \
             (`git clone --recursive`)"
        ),
        (Simulator::Calvin, Some(checkout)) => checkout,
    };
    let path = fs::canonicalize(checkout)
        .wrap_err_with(|| format!("--checkout: there is no {}", checkout.display()))?;
    ensure!(
        path.join("calvin_env/envs/play_table_env.py").is_file(),
        "--checkout: expected a clone of mees/calvin_env, found no calvin_env/envs/play_table_env.py in {}",
        path.display()
    );
    ensure!(
        path.join(".git").exists(),
        "--checkout: {} is no git checkout, and CALVIN asks git for its version: clone it, or run `git init` \
         and commit there",
        path.display()
    );
    Ok(Some(path))
}

fn read(stamp: &Path) -> Option<Stamp> {
    serde_json::from_str(&fs::read_to_string(stamp).ok()?).ok()
}

fn check_space(folder: &Path, needed: u64) -> Result<()> {
    let space = rustix::fs::statvfs(folder)
        .wrap_err_with(|| format!("could not ask for the disk space of {}", folder.display()))?;
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    let gigabytes = |bytes: u64| bytes as f64 / 1e9;
    ensure!(
        free >= needed,
        "disk space in {}: expected {:.1} GB, found {:.1} GB; --into names another folder",
        folder.display(),
        gigabytes(needed),
        gigabytes(free)
    );
    Ok(())
}

/// Bytes of all files below a folder; links count for nothing.
fn size_bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => size_bytes(&entry.path()),
            Ok(kind) if kind.is_file() => entry.metadata().map_or(0, |data| data.len()),
            _ => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests;
