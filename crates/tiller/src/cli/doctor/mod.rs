//! `tiller doctor`.

mod cameras;
mod libraries;
mod machine;
mod robot;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use eyre::Result;
use serde_json::json;
use tiller_core::{Environment, unknown_variables_here, visible_under};

use super::{say, say_json};

/// Look at everything that a dataflow on a real arm stands on.
///
/// Kernel and permissions for real time, the robot and its hand, cameras, calibration, clocks, GPU, libraries and disk
/// space. Only looks: nothing is set, commanded or moved. The settings are those of the dataflow, from the same
/// variables (TILLER_FRANKA_ADDRESS, TILLER_CAMERAS, ..), and what is not set is not looked at. Exit code 0: no
/// problems; 1: some, and what to do about each is said.
///
///   TILLER_FRANKA_ADDRESS=172.16.0.2 TILLER_CAMERAS="static=v4l2:/dev/video0" tiller doctor
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct DoctorArgs {
    /// One line of JSON
    #[arg(long)]
    json: bool,
}

/// How well something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ok,
    /// It works, less well than it could, or not on a real arm.
    Warning,
    Problem,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    name: String,
    state: State,
    found: String,
    /// What to do about it; empty where nothing is to be done.
    todo: String,
}

impl Finding {
    fn ok(name: &str, found: impl Into<String>) -> Self {
        Self::new(name, State::Ok, found, "")
    }

    fn warning(name: &str, found: impl Into<String>, todo: &str) -> Self {
        Self::new(name, State::Warning, found, todo)
    }

    fn problem(name: &str, found: impl Into<String>, todo: &str) -> Self {
        Self::new(name, State::Problem, found, todo)
    }

    fn new(name: &str, state: State, found: impl Into<String>, todo: &str) -> Self {
        Self {
            name: name.to_owned(),
            state,
            found: found.into(),
            todo: todo.to_owned(),
        }
    }
}

/// The dataflow's settings, as far as they are looked at.
#[derive(Debug)]
struct Settings {
    robot: Option<String>,
    hand: Option<String>,
    needs_real_time: bool,
    cameras: Option<String>,
    rate_hz: f64,
    ffmpeg: PathBuf,
    calibration: Option<PathBuf>,
    runs: PathBuf,
}

impl Settings {
    fn read(mut env: Environment) -> Result<Self> {
        let robot = env.optional("TILLER_FRANKA_ADDRESS");
        let yes_or_no = [("yes", true), ("no", false)];
        let has_hand = env.choice("TILLER_FRANKA_HAND", "yes", &yes_or_no);
        let hand = env.optional("TILLER_FRANKA_HAND_ADDRESS").or(robot.clone());
        let real_time = [("require", true), ("try", false), ("without", false)];
        let settings = Self {
            needs_real_time: robot.is_some()
                && env.choice("TILLER_REAL_TIME", "require", &real_time),
            robot,
            hand: hand.filter(|_| has_hand),
            cameras: env.optional("TILLER_CAMERAS"),
            rate_hz: env.number("TILLER_CAMERA_RATE_HZ", 10.0, 0.1..=120.0),
            ffmpeg: env.path("TILLER_FFMPEG", "ffmpeg"),
            calibration: env.optional("TILLER_CALIBRATION").map(PathBuf::from),
            runs: env.path("TILLER_RUN_DIR", "runs/latest"),
        };
        let settings = env.finish(settings)?;
        unknown_variables_here().finish(())?;
        Ok(settings)
    }
}

impl DoctorArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        let findings = match Settings::read(Environment::process()) {
            Ok(settings) => examine(&settings),
            Err(error) => vec![Finding::problem(
                "settings",
                format!("{error:#}"),
                "set the variables as it says",
            )],
        };
        let is_well = findings.iter().all(|one| one.state != State::Problem);
        if self.json {
            let list: Vec<_> = findings
                .iter()
                .map(|one| {
                    json!({"check": one.name, "state": one.state.as_str(), "found": one.found,
                           "todo": one.todo})
                })
                .collect();
            say_json(&json!({"ok": is_well, "checks": list}).to_string())?;
        } else {
            findings.iter().try_for_each(print)?;
        }
        Ok(ExitCode::from(if is_well { 0 } else { 1 }))
    }
}

fn print(one: &Finding) -> Result<()> {
    let word = match one.state {
        State::Problem => "PROBLEM",
        state => state.as_str(),
    };
    let found = visible_under(&one.found, &" ".repeat(24));
    say(&format!("{word:<9}{:<15}{found}", one.name))?;
    if !one.todo.is_empty() {
        say(&format!("{:<24}-> {}", "", one.todo))?;
    }
    Ok(())
}

fn examine(settings: &Settings) -> Vec<Finding> {
    let mut findings = machine::examine(settings);
    findings.extend(robot::examine(settings));
    findings.extend(cameras::examine(settings));
    findings.extend(libraries::examine());
    findings.push(machine::disk(&settings.runs));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dataflows_variables_are_read_and_all_mistakes_told() {
        let env = Environment::from_pairs([
            ("TILLER_FRANKA_ADDRESS", "172.16.0.2"),
            ("TILLER_CAMERAS", "static=v4l2:/dev/video0"),
        ]);
        let settings = Settings::read(env).unwrap();
        assert_eq!(settings.hand.as_deref(), Some("172.16.0.2"));
        assert!(settings.needs_real_time);
        let env = Environment::from_pairs([
            ("TILLER_FRANKA_HAND", "maybe"),
            ("TILLER_CAMERA_RATE_HZ", "0"),
        ]);
        let error = Settings::read(env).unwrap_err().to_string();
        assert!(error.contains("TILLER_FRANKA_HAND") && error.contains("TILLER_CAMERA_RATE_HZ"));
    }

    #[test]
    fn without_a_robot_real_time_is_not_asked_for() {
        let settings = Settings::read(Environment::from_pairs([])).unwrap();
        assert!(!settings.needs_real_time && settings.hand.is_none());
    }
}
