//! The viewer: a build of its own, and a dataflow with it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use eyre::{Result, WrapErr, bail};
use tempfile::NamedTempFile;

use crate::lint;
use crate::process::{run_visible, say};
use crate::setup::{self, Environment};

/// The node as it stands in a dataflow.
const NODE: &str = include_str!("../../nodes/viewer/node.yml");

/// Where its build goes, from the project's folder: beside the default one, with which it shares nothing.
const TARGET: &str = "target/viewer";

/// The program, as the node names it.
const PROGRAM: &str = "target/viewer/release/viewer";

#[derive(Args)]
pub(crate) struct ViewerArgs {
    /// Check formatting, lints and run the viewer's own tests, too.
    #[arg(long)]
    test: bool,
}

/// Builds it.
pub(crate) fn run(args: &ViewerArgs) -> Result<()> {
    let environment = setup::prepare()?;
    build(&environment)?;
    if args.test {
        run_visible(&mut cargo(&environment, &["fmt", "--check"]))?;
        let mut lints = cargo(&environment, &["build", "--release", "--all-targets"]);
        lint::instead_of_compiling(&mut lints, &std::env::current_exe()?);
        run_visible(&mut lints)?;
        run_visible(&mut cargo(&environment, &["test", "--release"]))?;
    }
    say(&format!(
        "the viewer is {PROGRAM}; `cargo xtask demo --viewer` uses it"
    ));
    Ok(())
}

/// The same for a dataflow that wants it.
pub(crate) fn build(environment: &Environment) -> Result<()> {
    say("building the viewer (the first time some ten minutes more)");
    run_visible(&mut cargo(environment, &["build", "--release"]))
}

fn cargo(environment: &Environment, arguments: &[&str]) -> Command {
    let mut command = environment.command("cargo");
    command
        .args(&arguments[..1])
        .args(["--manifest-path", "nodes/viewer/Cargo.toml"])
        .args(&arguments[1..])
        .env("CARGO_TARGET_DIR", environment.root.join(TARGET));
    command
}

/// A copy of a dataflow that has the viewer, beside it, because it names programs from there; gone with what is
/// returned.
pub(crate) fn dataflow_with_viewer(root: &Path, dataflow: &Path) -> Result<NamedTempFile> {
    let path = root.join(dataflow);
    let text = fs::read_to_string(&path)
        .wrap_err_with(|| format!("cannot read {}", dataflow.display()))?;
    let text = with_viewer(&text, &root.join(PROGRAM))
        .wrap_err_with(|| format!("cannot add the viewer to {}", dataflow.display()))?;
    let folder = path.parent().unwrap_or(root);
    let mut file = tempfile::Builder::new()
        .prefix(".viewer-")
        .suffix(".yml")
        .tempfile_in(folder)
        .wrap_err_with(|| format!("cannot write to {}", folder.display()))?;
    file.write_all(text.as_bytes())?;
    Ok(file)
}

/// The text with the viewer as its last node.
fn with_viewer(dataflow: &str, program: &Path) -> Result<String> {
    let has_nodes = dataflow.lines().any(|line| line.trim_end() == "nodes:");
    // A key after the nodes would be taken for one of the viewer's.
    let last = dataflow.lines().rfind(|line| !line.trim().is_empty());
    if !has_nodes || last.is_none_or(|line| !line.starts_with(' ')) {
        bail!("expected a dataflow that ends with its `nodes`");
    }
    let node = NODE.replace(PROGRAM, plain(program)?);
    Ok(format!("{}\n\n{node}", dataflow.trim_end()))
}

/// A path that YAML takes as it is.
fn plain(path: &Path) -> Result<&str> {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+ ".contains(c);
    match path.to_str() {
        Some(text) if text.chars().all(is_plain) && !text.ends_with(' ') => Ok(text),
        _ => bail!("the project's path has characters that a dataflow cannot hold"),
    }
}

/// What a view was written to.
pub(crate) fn recording(folder: &Path) -> Option<PathBuf> {
    let file = folder.join("viewer.rrd");
    file.is_file().then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::workspace_root;

    /// Outputs that a dataflow's text declares, each with its node.
    fn outputs(dataflow: &str) -> Vec<String> {
        let mut node = "";
        let mut found = Vec::new();
        for line in dataflow.lines() {
            if let Some(id) = line.strip_prefix("  - id: ") {
                node = id.trim();
            }
            if let Some(list) = line.trim().strip_prefix("outputs: [") {
                let names = list.trim_end_matches(']').split(", ");
                found.extend(names.map(|name| format!("{node}/{name}")));
            }
        }
        found
    }

    #[test]
    fn every_dataflow_has_what_the_viewer_listens_to() {
        let root = workspace_root();
        let others = fs::read_dir(root.join("dataflows")).unwrap();
        let others = others.map(|entry| entry.unwrap().path());
        let is_ours = |path: &PathBuf| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.ends_with(".yml") && !name.starts_with('.')
        };
        let mut files: Vec<_> = others.filter(is_ours).collect();
        files.push(root.join("dataflow.yml"));
        assert!(files.len() >= 6);
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            let known = outputs(&text);
            let sources: Vec<_> = NODE
                .lines()
                .filter_map(|line| line.split("source: ").nth(1)?.split(',').next())
                .collect();
            assert!(sources.len() > 20);
            for source in sources {
                assert!(
                    known.iter().any(|k| k == source),
                    "{}: {source}",
                    file.display()
                );
            }
            let whole = with_viewer(&text, Path::new("/a/b c/viewer")).unwrap();
            assert!(whole.starts_with(text.trim_end()));
            assert!(whole.contains("\n    path: /a/b c/viewer\n"));
        }
    }

    #[test]
    fn inputs_and_their_types_are_the_same() {
        let part = |from: &str, to: &str| -> Vec<&str> {
            let lines = NODE.lines().skip_while(|line| line.trim() != from).skip(1);
            let lines = lines.take_while(|line| !line.trim().starts_with(to));
            lines
                .filter_map(|line| line.trim().split(':').next())
                .collect()
        };
        let inputs = part("inputs:", "input_types:");
        assert_eq!(inputs[0], "heartbeat");
        assert_eq!(inputs[1..], part("input_types:", "outputs:"));
    }

    #[test]
    fn its_variables_are_known() {
        let known = tiller_core::known_variables();
        for name in tiller_core::variables_of(NODE) {
            assert!(known.contains(name), "{name}");
        }
    }

    #[test]
    fn what_is_no_dataflow_is_refused() {
        let program = Path::new("/a/viewer");
        assert!(with_viewer("a: 1\n", program).is_err());
        assert!(with_viewer("nodes:\n  - id: a\nb: 1\n", program).is_err());
        let odd = Path::new("/a/\"b\"/viewer");
        assert!(with_viewer("nodes:\n  - id: a\n", odd).is_err());
    }
}
