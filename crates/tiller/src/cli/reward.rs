//! `tiller reward`.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use eyre::{Result, WrapErr, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tiller_reward::{CompileOptions, EvaluateError, Evaluator, Program, compile};

use super::say;

/// Check and evaluate reward programs.
///
/// A reward program is PyTorch text that a vision-language model wrote: `num_stages = N` and for
/// each stage `def stageI_guidance(keypoints, action_sequence)`. It may stand inside a Markdown
/// answer. It is parsed, checked and compiled; no Python ever runs.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(super) struct RewardArgs {
    #[command(subcommand)]
    command: RewardCommand,
}

#[derive(Debug, Subcommand)]
enum RewardCommand {
    Check(CheckArgs),
    Eval(EvalArgs),
}

/// Say what is wrong with a program; exit code 0 if nothing is, 1 otherwise.
#[derive(Debug, Args)]
struct CheckArgs {
    /// File with the program; `-` reads standard input.
    program: PathBuf,
    /// Number of keypoints in the scene: larger indices are errors.
    #[arg(long, value_name = "K", default_value_t = 16)]
    keypoints: usize,
    /// Actions of a chunk; the trajectory that the program sees has one point more.
    #[arg(long, value_name = "T", default_value_t = 16)]
    horizon: usize,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// Print values and gradients of every stage for given keypoints and trajectories, as JSON.
///
/// Input: {"keypoints": [[x,y,z], ..K], "trajectories": [[[x,y,z], ..T], ..B]}, metres.
/// Output: {"stages": [{"stage": 1, "values": [..B], "gradients": [[[..3], ..T], ..B]}]}, in double
/// precision; a number that is not finite is printed as null.
#[derive(Debug, Args)]
struct EvalArgs {
    /// File with the program; `-` reads standard input.
    program: PathBuf,
    /// JSON file with keypoints and trajectories.
    #[arg(long, value_name = "FILE")]
    inputs: PathBuf,
    /// Accepted for symmetry: the output is always JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inputs {
    keypoints: Vec<[f64; 3]>,
    trajectories: Vec<Vec<[f64; 3]>>,
}

#[derive(Debug, Serialize)]
struct StageValues {
    stage: usize,
    values: Vec<f64>,
    gradients: Vec<Vec<[f64; 3]>>,
}

impl RewardArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        match self.command {
            RewardCommand::Check(args) => args.run(),
            RewardCommand::Eval(args) => args.run(),
        }
    }
}

impl CheckArgs {
    fn run(self) -> Result<ExitCode> {
        ensure!(self.horizon > 0, "--horizon 0: expected 1 or more");
        let source = read(&self.program)?;
        let options = CompileOptions::new(self.keypoints, self.horizon + 1);
        match compile(&source, &options) {
            Ok(program) => {
                if self.json {
                    let stages: Vec<_> = describe(&program).collect();
                    say(&json!({"ok": true, "stages": stages, "errors": []}).to_string())?;
                } else {
                    say(&accepted(&program))?;
                }
                Ok(ExitCode::SUCCESS)
            }
            Err(diagnostics) => {
                if self.json {
                    let errors: serde_json::Value = serde_json::from_str(&diagnostics.to_json())
                        .wrap_err("the diagnostics are not JSON")?;
                    say(&json!({"ok": false, "stages": [], "errors": errors}).to_string())?;
                } else {
                    say(diagnostics.render(&source).trim_end())?;
                }
                Ok(ExitCode::from(1))
            }
        }
    }
}

fn describe(program: &Program) -> impl Iterator<Item = serde_json::Value> {
    program.stages.iter().enumerate().map(|(index, stage)| {
        json!({
            "stage": index + 1,
            "description": stage.description,
            "guided": !stage.is_unguided,
            "has_done": stage.done.is_some(),
        })
    })
}

fn accepted(program: &Program) -> String {
    let mut text = format!("ok: {} stage(s)", program.stages.len());
    for (index, stage) in program.stages.iter().enumerate() {
        let guidance = if stage.is_unguided {
            ", no guidance"
        } else {
            ""
        };
        let done = if stage.done.is_some() {
            ", with a done function"
        } else {
            ""
        };
        text.push_str(&format!(
            "\n  {}: {}{guidance}{done}",
            index + 1,
            stage.description
        ));
    }
    text
}

impl EvalArgs {
    fn run(self) -> Result<ExitCode> {
        let source = read(&self.program)?;
        let text = read(&self.inputs)?;
        let inputs: Inputs = serde_json::from_str(&text)
            .wrap_err_with(|| format!("{} does not hold the inputs", self.inputs.display()))?;
        let points = points(&inputs)?;
        let program = match compile(
            &source,
            &CompileOptions::new(inputs.keypoints.len(), points),
        ) {
            Ok(program) => program,
            Err(diagnostics) => {
                eprint!("{}", diagnostics.render(&source));
                return Ok(ExitCode::from(1));
            }
        };
        let stages = evaluate(&program, &inputs, points)?;
        say(&json!({"stages": stages}).to_string())?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Points of every trajectory, which must agree.
fn points(inputs: &Inputs) -> Result<usize> {
    let Some(first) = inputs.trajectories.first() else {
        bail!("`trajectories` is empty: expected at least one");
    };
    ensure!(
        !first.is_empty(),
        "trajectory 0 is empty: expected at least one point"
    );
    for (index, trajectory) in inputs.trajectories.iter().enumerate() {
        ensure!(
            trajectory.len() == first.len(),
            "trajectory {index}: expected {} points as in trajectory 0, found {}",
            first.len(),
            trajectory.len()
        );
    }
    Ok(first.len())
}

fn evaluate(program: &Program, inputs: &Inputs, points: usize) -> Result<Vec<StageValues>> {
    let particles = inputs.trajectories.len();
    let trajectories = inputs.trajectories.concat().concat();
    let stage = |(index, stage): (usize, &tiller_reward::Stage)| {
        let mut values = vec![0.0; particles];
        let mut gradients = vec![0.0; trajectories.len()];
        let result = Evaluator::<f64>::new(&stage.guidance, particles).evaluate(
            &inputs.keypoints,
            &trajectories,
            &mut values,
            Some(&mut gradients),
        );
        match result {
            // All numbers have been written all the same: the reader sees which are not finite.
            Ok(()) | Err(EvaluateError::NotFinite { .. }) => {}
            Err(error) => return Err(error).wrap_err_with(|| format!("stage {}", index + 1)),
        }
        let (vectors, _) = gradients.as_chunks::<3>();
        let gradients = vectors
            .chunks_exact(points)
            .map(<[[f64; 3]]>::to_vec)
            .collect();
        Ok(StageValues {
            stage: index + 1,
            values,
            gradients,
        })
    };
    program.stages.iter().enumerate().map(stage).collect()
}

fn read(path: &Path) -> Result<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .wrap_err("cannot read standard input")?;
        return Ok(text);
    }
    std::fs::read_to_string(path).wrap_err_with(|| format!("cannot read {}", path.display()))
}
