//! `tiller policy pull`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use clap::Args;
use eyre::{Result, WrapErr, bail, ensure, eyre};
use serde::{Deserialize, Serialize};
use tiller_core::file::write_whole;
use tiller_core::sha256_of;

use super::{say, say_json};

/// The script that runs the official client, in Tiller's folder.
const SCRIPT: &str = "models/export/pull.py";
/// The client's version, which the script was tried with.
const CLIENT: &str = "huggingface_hub==0.35.3";
/// Says what a folder holds; written when all is there.
const STAMP: &str = "pulled.json";
/// What an export reads, and what one may do with it.
const INCLUDED: [&str; 5] = [
    "*.json",
    "*.safetensors",
    "*.model",
    "LICENSE*",
    "README.md",
];
/// Environments that may have the client, in Tiller's folder: that of the exports first.
const PYTHONS: [&str; 2] = [".venv-train/bin/python", ".venv/bin/python"];

/// Fetch a checkpoint from the Hugging Face Hub, at one commit and with a fingerprint of every file.
///
/// The first time a branch or a tag (or `main`) becomes a commit, which `pulled.json` in the folder keeps: run again it
/// does nothing where every file is as it was, goes on where it was interrupted, and stays at that commit
/// until --revision names another. The official Python client does it, with its settings: HF_TOKEN or `hf auth login` for
/// repositories that are not open, HF_ENDPOINT for a mirror.
///
///   tiller policy pull lerobot/smolvla_base
///   tiller policy pull me/pusher --revision v2 --out models/checkpoints/pusher
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct PullArgs {
    /// The repository: OWNER/NAME.
    repo: String,
    /// Branch, tag or commit [default: the commit of before, else main].
    #[arg(long)]
    revision: Option<String>,
    /// Folder of the files [default: models/checkpoints/OWNER--NAME].
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Files to fetch, in place of *.json, *.safetensors, *.model, LICENSE* and README.md; can be repeated.
    #[arg(long, value_name = "PATTERN")]
    include: Vec<String>,
    /// A Python that has the client [default: that of .venv-train, else of .venv].
    #[arg(long, value_name = "PROGRAM")]
    python: Option<PathBuf>,
    /// Print what was fetched as JSON.
    #[arg(long)]
    json: bool,
}

/// What a folder holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Pulled {
    repo: String,
    /// The commit.
    revision: String,
    /// What was asked for.
    include: Vec<String>,
    files: Vec<PulledFile>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct PulledFile {
    path: String,
    bytes: u64,
    sha256: String,
}

/// What the script says.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Answer {
    Files {
        revision: String,
        files: Vec<HubFile>,
    },
    Missing {
        missing: String,
    },
    Error {
        error: String,
    },
}

/// A file as the hub knows it; the fingerprint of large ones alone.
#[derive(Debug, Deserialize)]
struct HubFile {
    path: String,
    bytes: Option<u64>,
    sha256: Option<String>,
}

impl PullArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        let here = std::env::current_dir().wrap_err("there is no working directory")?;
        let root = here
            .ancestors()
            .find(|folder| folder.join(SCRIPT).is_file())
            .ok_or_else(|| {
                eyre!(
                    "expected to be in Tiller's folder, which holds {SCRIPT}, found {}",
                    here.display()
                )
            })?;
        let out = match &self.out {
            Some(out) => here.join(out),
            None => root
                .join("models/checkpoints")
                .join(self.repo.replace('/', "--")),
        };
        let include = match self.include.is_empty() {
            true => INCLUDED.map(ToOwned::to_owned).to_vec(),
            false => self.include.clone(),
        };
        let before = read(&out)?;
        if let Some(before) = &before {
            ensure!(
                before.repo == self.repo,
                "{} holds {}: --out names another folder for {}",
                out.display(),
                before.repo,
                self.repo
            );
            let is_wanted = self
                .revision
                .as_ref()
                .is_none_or(|wanted| *wanted == before.revision);
            if is_whole(&out, before)? && is_wanted && before.include == include {
                return self.report(&out, before, false);
            }
        }
        let kept = before.map(|before| before.revision);
        let revision = self.revision.clone().or(kept);
        let revision = revision.as_deref().unwrap_or("main");
        let (commit, files) = self.fetch(root, &out, revision, &include)?;
        let pulled = Pulled {
            repo: self.repo.clone(),
            revision: commit,
            include,
            files: files
                .into_iter()
                .map(|file| fingerprinted(&out, file))
                .collect::<Result<_>>()?,
        };
        let text = serde_json::to_string_pretty(&pulled)? + "\n";
        write_whole(&out.join(STAMP), text.as_bytes())?;
        self.report(&out, &pulled, true)
    }

    /// Has the client fetch the files; gives the commit.
    fn fetch(
        &self,
        root: &Path,
        out: &Path,
        revision: &str,
        include: &[String],
    ) -> Result<(String, Vec<HubFile>)> {
        fs::create_dir_all(out).wrap_err_with(|| format!("could not create {}", out.display()))?;
        let python = self.python.clone().or_else(|| {
            let mut known = PYTHONS.iter().map(|path| root.join(path));
            known.find(|path| path.exists())
        });
        let python = python.unwrap_or_else(|| PathBuf::from("python3"));
        let output = Command::new(&python)
            .arg(root.join(SCRIPT))
            .arg(&self.repo)
            .args(["--revision", revision, "--out"])
            .arg(out)
            .args(include.iter().flat_map(|pattern| ["--include", pattern]))
            .stdin(Stdio::null())
            // The client's own progress bars.
            .stderr(Stdio::inherit())
            .output()
            .wrap_err_with(|| format!("could not start `{}`", python.display()))?;
        let said = String::from_utf8_lossy(&output.stdout);
        let last = said.trim().lines().last().unwrap_or_default();
        match serde_json::from_str(last) {
            Ok(Answer::Files { revision, files }) => Ok((revision, files)),
            Ok(Answer::Error { error }) => bail!("{}", tiller_core::visible(&error)),
            Ok(Answer::Missing { missing }) => bail!(
                "`{python}` has not the client ({missing}): `{python} -m pip install {CLIENT}`, or --python names another",
                python = python.display(),
            ),
            Err(_) => bail!("`{}` broke off ({})", python.display(), output.status),
        }
    }

    fn report(&self, out: &Path, pulled: &Pulled, made: bool) -> Result<ExitCode> {
        if self.json {
            let mut told = serde_json::to_value(pulled)?;
            told["folder"] = serde_json::json!(out);
            told["made"] = serde_json::json!(made);
            say_json(&told.to_string())?;
            return Ok(ExitCode::SUCCESS);
        }
        let bytes: u64 = pulled.files.iter().map(|file| file.bytes).sum();
        let held = format!(
            "{} at {} in {}: {} files, {:.1} MB",
            pulled.repo,
            pulled.revision,
            out.display(),
            pulled.files.len(),
            bytes as f64 / 1e6
        );
        if made {
            say(&format!(
                "{held}\nNext: models/export/lerobot.py --checkpoint {} (docs/checkpoints.md)",
                out.display()
            ))?;
        } else {
            say(&format!("there already, every file as it was: {held}"))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What a folder says that it holds; none where nothing was fetched to its end.
fn read(out: &Path) -> Result<Option<Pulled>> {
    let path = out.join(STAMP);
    match fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text)
            .map(Some)
            .wrap_err_with(|| format!("{} is not as it was written: remove it", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).wrap_err_with(|| format!("could not read {}", path.display())),
    }
}

/// Whether every file is there, as it was fetched. One that was changed since is an error: it is the user's.
fn is_whole(out: &Path, pulled: &Pulled) -> Result<bool> {
    let mut is_whole = true;
    for file in &pulled.files {
        let path = out.join(&file.path);
        if !path.exists() {
            is_whole = false;
            continue;
        }
        let found = sha256(&path)?;
        ensure!(
            found == file.sha256,
            "{}: expected {}, as it was fetched, found {found}; move it away to fetch it anew",
            path.display(),
            file.sha256
        );
    }
    Ok(is_whole)
}

/// A fetched file with its size and fingerprint, held against what the hub knows.
fn fingerprinted(out: &Path, file: HubFile) -> Result<PulledFile> {
    let path = out.join(&file.path);
    let bytes = fs::metadata(&path)
        .wrap_err_with(|| format!("{} has not come", path.display()))?
        .len();
    let found = sha256(&path)?;
    ensure!(
        file.bytes.is_none_or(|expected| expected == bytes),
        "{}: expected {} bytes, found {bytes}",
        path.display(),
        file.bytes.unwrap_or_default()
    );
    if let Some(expected) = file.sha256.filter(|expected| *expected != found) {
        bail!(
            "{}: expected {expected}, found {found}; move it away and pull again",
            path.display()
        );
    }
    Ok(PulledFile {
        path: file.path,
        bytes,
        sha256: found,
    })
}

fn sha256(path: &Path) -> Result<String> {
    let hashed = fs::File::open(path).and_then(sha256_of);
    hashed.wrap_err_with(|| format!("could not read {}", path.display()))
}
