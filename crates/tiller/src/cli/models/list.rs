//! `tiller models list`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use eyre::{Result, WrapErr, ensure};
use serde_json::json;

use super::{say, say_json};

/// List the models below `models`, here and in the folders above, with their sizes.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct ListArgs {
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
}

/// Kind, its folder below `models`, and the files that tell one.
const KINDS: [(&str, &str, &[&str]); 3] = [
    ("policy", "policies", &["policy.toml"]),
    ("control", "controls", &["policy.toml"]),
    ("detector", "detectors", &["learned.toml", "sam.toml"]),
];

/// One model.
struct Found {
    kind: &'static str,
    name: String,
    folder: PathBuf,
    bytes: u64,
}

impl ListArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        let here = std::env::current_dir().wrap_err("there is no working directory")?;
        let found = found(&here);
        if self.json {
            let each = found.iter().map(|it| {
                json!({
                    "kind": it.kind,
                    "name": it.name,
                    "folder": it.folder.to_string_lossy(),
                    "bytes": it.bytes,
                })
            });
            say_json(&json!(each.collect::<Vec<_>>()).to_string())?;
            return Ok(ExitCode::SUCCESS);
        }
        ensure!(
            !found.is_empty(),
            "no models below `models` in `{}` or a folder above it",
            here.display()
        );
        let mut text = String::new();
        for it in &found {
            let (kind, name, folder) = (it.kind, &it.name, it.folder.display());
            let megabytes = it.bytes as f64 / 1e6;
            let _ = writeln!(text, "{kind:9} {name:18} {megabytes:8.1} MB  {folder}");
        }
        say(text.trim_end())?;
        Ok(ExitCode::SUCCESS)
    }
}

/// All models; of one name and kind the nearest.
fn found(from: &Path) -> Vec<Found> {
    let mut all: Vec<Found> = Vec::new();
    for above in from.ancestors() {
        for (kind, shelf, files) in KINDS {
            let Ok(entries) = std::fs::read_dir(above.join("models").join(shelf)) else {
                continue;
            };
            for folder in entries.flatten().map(|entry| entry.path()) {
                let is_one = files.iter().any(|file| folder.join(file).is_file());
                let name = folder.file_name().unwrap_or_default().to_string_lossy();
                let known = all.iter().any(|it| it.kind == kind && it.name == name);
                if is_one && !known {
                    let (name, bytes) = (name.into_owned(), size(&folder));
                    all.push(Found {
                        kind,
                        name,
                        folder,
                        bytes,
                    });
                }
            }
        }
    }
    let order = |kind: &str| KINDS.iter().position(|(known, ..)| *known == kind);
    all.sort_by(|a, b| (order(a.kind), &a.name).cmp(&(order(b.kind), &b.name)));
    all
}

/// Of the files in a folder, bytes.
fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.filter_map(|entry| entry.metadata().ok());
    sizes.filter(|it| it.is_file()).map(|it| it.len()).sum()
}
