//! `tiller reward check`.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use eyre::{Result, ensure};
use serde_json::{Value, json};
use tiller_core::visible_block;
use tiller_reward::{CompileOptions, Diagnostics, Program, compile};

use super::{describe, done_in_words, guidance_in_words, parsed, put, refusal, say, say_json};
use crate::cli::hand::HandArgs;
use crate::cli::input::read_program;

/// Say what is wrong with a program; exit code 0 if nothing is, 1 otherwise.
///
/// A sound program is described stage by stage: what its guidance and its done function read, and
/// how much there is to compute. What is probably not meant is remarked below, and changes no exit
/// code. A program with mistakes is shown with the places and the mends.
///
/// Examples:
///   tiller reward check program.py --keypoints 11
///   cat answer.md | tiller reward check -            an answer as it came, prose and all
///   tiller reward check program.py --compact         one line a mistake, as repair prompts want it
///
/// --json prints one object:
///   ok        whether the program is sound
///   stages    [{stage, description, guided, has_done, keypoints, reads_rotations, reads_gripper,
///              done_keypoints, operations_per_particle, operations_once}]; `keypoints` are the rows that the
///              guidance reads, `done_keypoints` those that the done function reads, or null
///   errors    [{kind, severity, start, end, line, column, message, expected, found, help}];
///              `start` and `end` are byte offsets, the last three may be null
///   warnings  the same for what is accepted and yet probably not meant
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct CheckArgs {
    /// File with the program; `-` reads standard input.
    program: PathBuf,
    /// Number of keypoints in the scene: larger indices are errors.
    #[arg(long, value_name = "K", default_value_t = 16)]
    keypoints: usize,
    /// Actions of a chunk; the trajectory that the program sees has one point more.
    #[arg(long, value_name = "T", default_value_t = 16)]
    horizon: usize,
    #[command(flatten)]
    hand: HandArgs,
    /// Print the result as JSON.
    #[arg(long, conflicts_with = "compact")]
    json: bool,
    /// Print one line a mistake, as in repair prompts.
    #[arg(long)]
    compact: bool,
}

impl CheckArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        ensure!(self.horizon > 0, "--horizon 0: expected 1 or more");
        let source = read_program(&self.program)?;
        let options = CompileOptions {
            hand: self.hand.access(),
            ..CompileOptions::new(self.keypoints, self.horizon + 1)
        };
        match compile(&source, &options) {
            Ok(mut program) => {
                let remarks = Diagnostics {
                    items: std::mem::take(&mut program.remarks),
                };
                let has_remarks = !remarks.items.is_empty();
                if self.json {
                    let stages: Vec<Value> = describe(&program).collect();
                    let warnings = parsed(&remarks)?;
                    let result =
                        json!({"ok": true, "stages": stages, "errors": [], "warnings": warnings});
                    say_json(&result.to_string())?;
                } else if self.compact {
                    say("ok")?;
                    if has_remarks {
                        say(&remarks.to_string())?;
                    }
                } else {
                    say(&accepted(&program))?;
                    if has_remarks {
                        say("")?;
                        show(&remarks.render(&source))?;
                    }
                }
                Ok(ExitCode::SUCCESS)
            }
            Err(diagnostics) => {
                if self.json {
                    say_json(&refusal(&diagnostics)?)?;
                } else if self.compact {
                    say(&diagnostics.to_string())?;
                } else {
                    show(&diagnostics.render(&source))?;
                }
                Ok(ExitCode::from(1))
            }
        }
    }
}

/// Shows mistakes and remarks with their source lines.
fn show(text: &str) -> Result<()> {
    if has_colour(std::io::stdout().is_terminal()) {
        put(coloured(&visible_block(text)).trim_end())
    } else {
        say(text.trim_end())
    }
}

fn accepted(program: &Program) -> String {
    let mut text = format!("ok: {} stage(s)", program.stages.len());
    for (index, stage) in program.stages.iter().enumerate() {
        let guidance = guidance_in_words(stage, |keypoint| keypoint.to_string());
        let done = done_in_words(stage, |keypoint| keypoint.to_string());
        text.push_str(&format!(
            "\n  {}: {}\n     guidance: {guidance}\n     done: {done}",
            index + 1,
            stage.description
        ));
    }
    text
}

/// Colours are for terminals, and only where nobody has asked for none (no-color.org).
fn has_colour(is_terminal: bool) -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    is_terminal && !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// The head of every mistake in bold red, of every remark in bold yellow, the carets in red, what would mend it in green.
fn coloured(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 256);
    for line in text.split_inclusive('\n') {
        let (body, end) = line
            .strip_suffix('\n')
            .map_or((line, ""), |body| (body, "\n"));
        let start = body.trim_start();
        let colour = if body.starts_with("error[") {
            "\x1b[1;31m"
        } else if body.starts_with("warning[") {
            "\x1b[1;33m"
        } else if start.starts_with('|') && start.ends_with('^') {
            "\x1b[31m"
        } else if start.starts_with("= help:") {
            "\x1b[32m"
        } else {
            out.push_str(line);
            continue;
        };
        out.push_str(&format!("{colour}{body}\x1b[0m{end}"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_stand_around_lines_and_change_no_letter() {
        let text =
            "error[shape]: no\n --> line 1, column 1\n  |\n1 | x ^ y\n  | ^\n  = help: yes\n";
        let shown = coloured(text);
        assert!(shown.starts_with("\x1b[1;31merror[shape]: no\x1b[0m\n"));
        assert!(
            shown.contains("\n1 | x ^ y\n\x1b[31m  | ^\x1b[0m\n\x1b[32m  = help: yes\x1b[0m\n")
        );
        let plain = ["\x1b[1;31m", "\x1b[31m", "\x1b[32m", "\x1b[0m"]
            .iter()
            .fold(shown, |shown, code| shown.replace(code, ""));
        assert_eq!(plain, text);
        assert!(!has_colour(false));
    }
}
