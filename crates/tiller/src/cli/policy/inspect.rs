//! `tiller policy inspect`.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use eyre::{Result, WrapErr};
use serde_json::{Value, json};
use tiller_policy::{Action, Bundle, Gripper, Manifest, ObservationInput, Rotation};

use super::{find_policy, say, say_json};

/// Say what a policy sees, how it is sampled and what its actions mean.
///
/// Reads the manifest and checks the fingerprints of graphs; weights in files of their own are only
/// measured: `tiller policy verify` reads them.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct InspectArgs {
    /// The bundle: a folder, or a name below models/policies.
    policy: String,
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
}

impl InspectArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        let bundle = Bundle::load(&find_policy(&self.policy)?)?;
        let manifest = bundle.manifest();
        let files = files(bundle.directory(), manifest)?;
        if self.json {
            say_json(&as_json(&bundle, &files).to_string())?;
        } else {
            say(&text(&bundle, &files))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The bundle's files and their sizes, bytes.
fn files(folder: &Path, manifest: &Manifest) -> Result<Vec<(String, u64)>> {
    let files = &manifest.files;
    let graphs = [&files.encoder, &files.denoiser];
    let of_graph = graphs.into_iter().flat_map(|graph| {
        let weights = graph.weights.iter().map(|file| &file.path);
        std::iter::once(&graph.path).chain(weights)
    });
    let tokenizer = files.tokenizer.iter().map(|file| &file.path);
    of_graph
        .chain(tokenizer)
        .map(|path| {
            let found = std::fs::metadata(folder.join(path)).wrap_err_with(|| path.clone())?;
            Ok((path.clone(), found.len()))
        })
        .collect()
}

fn as_json(bundle: &Bundle, files: &[(String, u64)]) -> Value {
    let manifest = bundle.manifest();
    let action = &manifest.action;
    json!({
        "folder": bundle.directory(),
        "fingerprint": bundle.fingerprint(),
        "name": manifest.name,
        "kind": manifest.kind,
        "prediction": manifest.prediction,
        "scheduler": { "kind": manifest.scheduler.kind, "steps": manifest.scheduler.steps },
        "observation_steps": manifest.observation_steps,
        "horizon": manifest.horizon,
        "execute_start": manifest.execute_start,
        "execute_steps": manifest.execute_steps,
        "rate_hz": manifest.rate_hz,
        "action": {
            "dim": action.dim,
            "mode": action.mode,
            "columns": columns(action),
            "guide": guided(action),
        },
        "observations": manifest.observations.iter().map(|input| json!({
            "name": input.name,
            "kind": format!("{:?}", input.kind).to_lowercase(),
            "source": input.source,
            "shape": input.shape,
            "components": input.components,
            "template": input.template,
        })).collect::<Vec<_>>(),
        "files": files.iter().map(|(path, bytes)| json!({ "path": path, "bytes": bytes }))
            .collect::<Vec<_>>(),
    })
}

/// What each column of an action means.
fn columns(action: &Action) -> Vec<String> {
    let mut columns = vec![String::new(); action.dim];
    let mut name = |column: usize, meaning: String| {
        if let Some(place) = columns.get_mut(column) {
            *place = meaning;
        }
    };
    for (column, axis) in action.position.iter().flatten().zip(["x", "y", "z"]) {
        name(*column, format!("position {axis}"));
    }
    if let Some(Rotation::Spelled(rotation)) = &action.rotation {
        for (index, column) in rotation.columns.iter().enumerate() {
            name(
                *column,
                format!("rotation {} of {}", index + 1, rotation.kind),
            );
        }
    }
    for (index, column) in action.joints.iter().flatten().enumerate() {
        name(*column, format!("joint {}", index + 1));
    }
    match action.gripper {
        Some(Gripper::Column(column)) => name(column, "gripper, 1 open, -1 closed".to_owned()),
        Some(Gripper::Values(own)) => {
            let (open, closed) = (own.open, own.closed);
            name(own.column, format!("gripper, {open} open, {closed} closed"));
        }
        None => {}
    }
    for column in &action.ignored {
        name(*column, "ignored".to_owned());
    }
    columns
}

/// What guidance may move.
fn guided(action: &Action) -> Vec<String> {
    let named = action.guide.clone();
    named.unwrap_or_else(|| vec!["position".to_owned()])
}

fn text(bundle: &Bundle, files: &[(String, u64)]) -> String {
    let manifest = bundle.manifest();
    let mut text = format!("{}  ({})", manifest.name, bundle.directory().display());
    let (kind, scheduler) = (&manifest.kind, &manifest.scheduler);
    let _ = write!(
        text,
        "\n\nsampling  {kind}, predicts {}, {} with {} steps",
        manifest.prediction, scheduler.kind, scheduler.steps
    );
    let last = manifest.execute_start + manifest.execute_steps;
    let _ = write!(
        text,
        "\nchunk     {} actions at {} Hz, of which {} to {} are executed",
        manifest.horizon,
        manifest.rate_hz,
        manifest.execute_start + 1,
        last
    );
    let _ = write!(text, "\nactions   {}", manifest.action.mode);
    if let Some(frame) = &manifest.action.frame {
        let _ = write!(text, " in the frame `{frame}`");
    }
    let mut column = 0;
    // Columns that only fill up follow each other.
    for alike in columns(&manifest.action).chunk_by(|one, next| one == next) {
        let (last, meaning) = (column + alike.len() - 1, &alike[0]);
        let _ = match last == column {
            true => write!(text, "\n  {column:>3}  {meaning}"),
            false => write!(text, "\n  {column} to {last}  {meaning}"),
        };
        column = last + 1;
    }
    let _ = write!(text, "\nguided    {}", guided(&manifest.action).join(", "));
    text.push_str("\n\nsees");
    if manifest.observation_steps > 1 {
        let _ = write!(text, " the last {} of", manifest.observation_steps);
    }
    for input in &manifest.observations {
        let _ = write!(text, "\n  {}", line(input));
    }
    text.push_str("\n\nfiles");
    for (path, bytes) in files {
        let _ = write!(text, "\n  {path:<18} {:>10.2} MB", *bytes as f64 / 1e6);
    }
    text
}

fn line(input: &ObservationInput) -> String {
    let mut line = format!("{:<14} {:?} {:?}", input.source, input.kind, input.shape);
    if let Some(components) = &input.components {
        let _ = write!(line, ": {}", components.join(", "));
    }
    if let Some(template) = &input.template {
        let _ = write!(line, ": {template:?}");
    }
    line
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_policy_that_reads_is_told_in_its_own_words() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policy/tests/data/vla/pi05");
        let bundle = Bundle::load(&folder).unwrap();
        let text = text(&bundle, &[("encoder.onnx".to_owned(), 1_250_000)]);
        for line in [
            "sampling  flow_matching, predicts velocity, flow_euler with 4 steps",
            "chunk     6 actions at 10 Hz, of which 1 to 4 are executed",
            "    2  position z\n    3  gripper, 1 open, -1 closed\n  4 to 5  ignored\nguided    position",
            "instruction    Text [100]: \"Task: {instruction}, State: {state};\\nAction: \"",
            "encoder.onnx             1.25 MB",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
