//! `tiller reward`.

mod check;
mod eval;
mod field;
mod show;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use eyre::{Result, WrapErr};
use serde_json::{Value, json};
use tiller_reward::{Diagnostics, Program, Stage};

use super::{put, say, say_json};

/// Check, evaluate and look at reward programs.
///
/// A reward program is PyTorch text that a vision-language model wrote: `num_stages = N` and for
/// each stage `def stageI_guidance(keypoints, action_sequence)`. It may stand inside a Markdown
/// answer. It is parsed, checked and compiled; no Python ever runs.
///
/// Examples:
///   tiller reward check program.py                        what is wrong with it?
///   tiller reward show program.py --seed 1                what does it want, and where?
///   tiller reward eval program.py --inputs inputs.json    numbers, for tests and other programs
#[derive(Debug, Args)]
#[command(arg_required_else_help = true, verbatim_doc_comment)]
pub(super) struct RewardArgs {
    #[command(subcommand)]
    command: RewardCommand,
}

#[derive(Debug, Subcommand)]
enum RewardCommand {
    Check(check::CheckArgs),
    Eval(eval::EvalArgs),
    Show(Box<show::ShowArgs>),
}

impl RewardArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        match self.command {
            RewardCommand::Check(args) => args.run(),
            RewardCommand::Eval(args) => args.run(),
            RewardCommand::Show(args) => args.run(),
        }
    }
}

/// What is known of every stage without a scene.
pub(super) fn describe(program: &Program) -> impl Iterator<Item = Value> {
    program.stages.iter().enumerate().map(|(index, stage)| {
        let guidance = &stage.guidance;
        json!({
            "stage": index + 1,
            "description": stage.description,
            "guided": !stage.is_unguided,
            "has_done": stage.done.is_some(),
            "keypoints": guidance.used_keypoints(),
            "reads_rotations": guidance.reads().rotations,
            "reads_gripper": guidance.reads().gripper,
            "done_keypoints": stage.done.as_ref().map(|done| done.used_keypoints()),
            "operations_per_particle": guidance.operations() - guidance.operations_once(),
            "operations_once": guidance.operations_once(),
        })
    })
}

/// What the guidance of a stage reads and costs, in words.
fn guidance_in_words(stage: &Stage, name: impl Fn(usize) -> String) -> String {
    if stage.is_unguided {
        return "none: the policy works by itself".to_owned();
    }
    let guidance = &stage.guidance;
    let once = guidance.operations_once();
    let reads = guidance.reads();
    let turned = if reads.rotations {
        ", how the hand is turned"
    } else {
        ""
    };
    let open = if reads.gripper {
        ", how far it is open"
    } else {
        ""
    };
    format!(
        "reads {}{turned}{open}; {} a particle, {once} once a call",
        keypoints_in_words(&guidance.used_keypoints(), name),
        counted(guidance.operations() - once, "operation"),
    )
}

fn done_in_words(stage: &Stage, name: impl Fn(usize) -> String) -> String {
    match &stage.done {
        Some(done) => format!("reads {}", keypoints_in_words(&done.used_keypoints(), name)),
        None => "no done function: progress and gripper decide".to_owned(),
    }
}

fn keypoints_in_words(used: &[usize], name: impl Fn(usize) -> String) -> String {
    let names: Vec<String> = used.iter().map(|&keypoint| name(keypoint)).collect();
    match names.len() {
        0 => "no keypoint".to_owned(),
        1 => format!("keypoint {}", names[0]),
        _ => format!("keypoints {}", names.join(", ")),
    }
}

fn counted(count: usize, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{plural}")
}

/// The JSON of a program with errors.
fn refusal(diagnostics: &Diagnostics) -> Result<String> {
    let (warnings, errors): (Vec<Value>, Vec<Value>) = parsed(diagnostics)?
        .into_iter()
        .partition(|item| item["severity"] == "warning");
    let refused = json!({"ok": false, "stages": [], "errors": errors, "warnings": warnings});
    Ok(refused.to_string())
}

/// Mistakes and remarks as JSON.
fn parsed(diagnostics: &Diagnostics) -> Result<Vec<Value>> {
    serde_json::from_str(&diagnostics.to_json()).wrap_err("the diagnostics are not JSON")
}
