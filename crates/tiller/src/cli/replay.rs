//! `tiller replay`.

use std::fmt::Write as _;
use std::fs;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use eyre::{Result, WrapErr, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tiller_replay::{Changes, Means, Plans, Report, Stories, Verdict, replay, what_if};

use super::{find_policy, say, say_json};
use crate::worlds::authors;

/// Decide again what was decided in a recorded run, and compare it bit for bit.
///
/// A recording of `cargo xtask demo --record` or `dora record` holds what author, sampler, switcher and actuator were
/// told, how they were set and what they answered. The same machines are told the same again, in this process:
/// plans are made anew by the policy from the recorded pictures, programs are written and compiled anew. Where
/// the author of a world wrote one, it writes it again; where a model did, its recorded answers are played back,
/// or those of a folder of exchanges (--exchanges). The exit code is 0 only if everything came out the same to the
/// last bit and nothing is missing, else 1; what could not be compared is named, and counts as missing.
///
/// With --set, --policy or --program each plan is made anew under the change, from the same moment, beside the
/// one that was made; --page draws both. What the robot did stays as it was: this says what would have been
/// planned otherwise, not how the episode would have ended.
///
/// Examples:
///   cargo xtask demo --record
///   tiller replay runs-drawer.drec
///   tiller replay runs-drawer.drec --set guide_scale=0.3 --page replay.html
///   tiller replay runs-drawer.drec --policy diffusion --json
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct ReplayArgs {
    /// The recording, x.drec.
    #[arg(value_name = "FILE")]
    recording: PathBuf,
    /// A setting of the sampler under which to plan: guide_scale, gripper_scale, particles or guide.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// Another policy: a bundle's name or folder.
    #[arg(long, value_name = "POLICY")]
    policy: Option<String>,
    /// A file with a reward program in the place of the recorded ones.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Take models' answers from this folder of exchanges, as a run folder has one, in the place of those in the
    /// recording.
    #[arg(long, value_name = "FOLDER")]
    exchanges: Option<PathBuf>,
    /// Write a page that shows both plans of every moment; needs a change.
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
    /// Write the journals into a folder, `NODE-SESSION.journal`, and replay nothing.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["set", "policy", "program", "page", "exchanges"])]
    extract: Option<PathBuf>,
    /// Print what was compared as JSON.
    #[arg(long)]
    json: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let known = Changes::SETTINGS;
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    if known.contains(&name) && !value.is_empty() {
        Ok((name.to_owned(), value.to_owned()))
    } else {
        let known = known.join("`, `");
        Err(format!(
            "expected NAME=VALUE with one of `{known}`, found `{text}`"
        ))
    }
}

impl ReplayArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        let changes = self.changes()?;
        if self.page.is_some() && changes.is_none() {
            bail!("--page: expected a change to draw (--set, --policy or --program), found none");
        }
        let progress = bar(fs::metadata(&self.recording).map_or(0, |file| file.len()));
        let stories = Stories::read(&self.recording, |done| progress.set_position(done));
        progress.finish_and_clear();
        let stories = stories.wrap_err_with(|| self.recording.display().to_string())?;
        if let Some(folder) = &self.extract {
            return extract(&stories, folder);
        }
        let here = std::env::current_dir().wrap_err("there is no working directory")?;
        let authors = authors();
        let means = Means {
            here: &here,
            authors: &authors,
            exchanges: self.exchanges.as_deref(),
        };
        if !changes.is_none() {
            let plans = what_if(&stories, &changes, &means)?;
            return self.tell_plans(&plans, &changes);
        }
        let bytes = stories.stories.iter().map(|story| story.bytes.len() as u64);
        let progress = bar(bytes.sum());
        let report = replay(&stories, &means, |done| progress.set_position(done));
        progress.finish_and_clear();
        let report = report?;
        if self.json {
            say_json(&serde_json::to_string_pretty(&report)?)?;
        } else {
            say(&table(&report))?;
        }
        Ok(if report.identical {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(1)
        })
    }

    fn changes(&self) -> Result<Changes> {
        let policy = self
            .policy
            .as_deref()
            .map(find_policy)
            .transpose()
            .wrap_err("--policy")?;
        let program = match &self.program {
            None => None,
            Some(path) => Some(
                fs::read_to_string(path)
                    .wrap_err_with(|| format!("--program {}", path.display()))?,
            ),
        };
        Ok(Changes {
            policy,
            program,
            set: self.set.clone(),
        })
    }

    fn tell_plans(&self, plans: &Plans, changes: &Changes) -> Result<ExitCode> {
        if let Some(path) = &self.page {
            let title = self.recording.display().to_string();
            let page = tiller_replay::page(&title, changes, plans);
            fs::write(path, page).wrap_err_with(|| format!("--page {}", path.display()))?;
        }
        if self.json {
            let changes = json!({
                "set": changes.set,
                "policy": changes.policy,
                "program": changes.program,
            });
            let all = json!({ "changes": changes, "plans": plans.plans, "programs": plans.programs, "missing": plans.missing });
            say_json(&serde_json::to_string_pretty(&all)?)?;
        } else {
            say(&plans.table())?;
            if let Some(path) = &self.page {
                say(&format!("page: {}", path.display()))?;
            }
        }
        let differs = |verdict| verdict == Verdict::Differs;
        let is_other = plans.programs.iter().any(|one| differs(one.verdict));
        Ok(
            if plans.missing.is_empty() && !plans.plans.is_empty() && !is_other {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(1)
            },
        )
    }
}

fn extract(stories: &Stories, folder: &std::path::Path) -> Result<ExitCode> {
    fs::create_dir_all(folder).wrap_err_with(|| folder.display().to_string())?;
    for story in &stories.stories {
        let path = folder.join(format!("{}-{}.journal", story.node, story.session));
        fs::write(&path, &story.bytes).wrap_err_with(|| path.display().to_string())?;
        say(&path.display().to_string())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn table(report: &Report) -> String {
    let mut text = String::new();
    for (kind, compared) in &report.compared {
        let (same, recorded) = (compared.same, compared.recorded);
        let kind = kind.replace('_', " ");
        let mut others = String::new();
        for (count, what) in [
            (compared.differing, "not the same"),
            (compared.not_compared, "not compared"),
        ] {
            if count > 0 {
                others += &format!(", {count} {what}");
            }
        }
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{kind:<18} {same:>7} of {recorded:>7} the same to the last bit{others}"
        );
    }
    for machine in &report.machines {
        if let Some(first) = &machine.first_difference {
            let _ = writeln!(
                text,
                "{} (session {}): {} of {} events answered otherwise, first event {}: {}",
                machine.node,
                machine.session,
                machine.differing,
                machine.events,
                first.event,
                first.what
            );
        }
    }
    let of_programs = report.programs.iter();
    // Those that could not be compared are among what is missing.
    for program in of_programs.filter(|one| one.verdict == Verdict::Differs) {
        let _ = writeln!(text, "{program}");
    }
    for missing in &report.missing {
        let _ = writeln!(text, "missing: {missing}");
    }
    for note in &report.notes {
        let _ = writeln!(text, "note: {note}");
    }
    text += if report.identical {
        "the same in everything"
    } else {
        "NOT the same in everything"
    };
    text
}

fn bar(bytes: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {eta}");
    ProgressBar::new(bytes).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
