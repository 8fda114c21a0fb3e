//! `cargo xtask demo`: one instruction, from a fresh clone to pictures of the result.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use eyre::{Result, WrapErr, bail, eyre};
use serde_json::Value;
use tempfile::NamedTempFile;
use tiller_core::file::{Line, Lines, create_in_place, open_regular, read_regular_text};
use tiller_core::{MAX_STATUS, visible_json, visible_line};

use crate::group::{Group, interrupted};
use crate::process::{run_visible, say};
use crate::setup::{self, Environment};
use crate::viewer;

/// How often a dataflow is started that does not begin.
const TRIES: u32 = 3;

/// Wall time that starting and stopping may add to an episode on a busy machine.
const OVERHEAD: Duration = Duration::from_secs(120);
/// On a slow machine simulated time may pass this much slower than wall time.
const SLOWEST: f64 = 4.0;

/// Bytes of a summary.
const MAX_FILE_BYTES: u64 = 64 << 20;
/// Bytes of a line of dora's log.
const MAX_LINE_BYTES: usize = 64 << 10;
/// Lines of the log that are shown.
const SCREENFUL: usize = 20;

/// Who answers, and the variable that may hold the key.
const KEYS: [(&str, &str); 5] = [
    ("openai", "OPENAI_API_KEY"),
    ("openai-responses", "OPENAI_API_KEY"),
    ("azure", "AZURE_OPENAI_API_KEY"),
    ("anthropic", "ANTHROPIC_API_KEY"),
    ("gemini", "GEMINI_API_KEY"),
];

#[derive(Args)]
pub(crate) struct DemoArgs {
    /// What the robot is to do, in plain English.
    #[arg(long, default_value = "open the drawer")]
    instruction: String,
    /// Seed of the scene and of the sampler; the same seed gives the same scene.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// A policy bundle: a name under models/policies, or a path.
    #[arg(long, default_value = "flow")]
    policy: String,
    /// Simulated seconds after which the episode counts as failed.
    #[arg(long, default_value_t = 60.0)]
    episode_s: f64,
    /// Let the policy do what it likes instead of steering it.
    #[arg(long)]
    unsteered: bool,
    /// Where pictures, program and summary go [default: runs/<time>-<instruction>-<seed>].
    #[arg(long)]
    out: Option<PathBuf>,
    /// The dataflow, a path from the project's folder; dataflows/emulated-franka.yml moves the simulated
    /// arm through a Franka's control interface, on ports that are free.
    #[arg(long, default_value = "dataflow.yml")]
    dataflow: PathBuf,
    /// Record every message beside the dataflow, for `dora replay`; what is missing in the recording is
    /// told, and fails the run where TILLER_RECORD_ON_LOSS=fail.
    #[arg(long)]
    record: bool,
    /// Show the run in Rerun as well: `viewer.rrd` beside the pictures, or live where TILLER_VIEW says so
    /// (nodes/viewer/README.md). Builds the viewer, which takes its time once.
    #[arg(long)]
    viewer: bool,
    /// Print the summary as JSON on standard output.
    #[arg(long)]
    json: bool,
}

/// Runs the demo. `Ok(true)` only if the task oracle reported success.
pub(crate) fn run(args: &DemoArgs) -> Result<bool> {
    tiller_core::unknown_variables_here().finish(())?;
    let environment = setup::prepare()?;
    if !environment.root.join(&args.dataflow).is_file() {
        bail!("no dataflow {}", args.dataflow.display());
    }
    say("building (the first build takes several minutes)");
    run_visible(
        environment
            .command("cargo")
            .args(["build", "--release", "--workspace"]),
    )?;

    if args.viewer {
        viewer::build(&environment)?;
    }

    let folder = run_folder(&environment.root, args)?;
    say(&format!(
        "running {}: \"{}\", seed {}",
        args.dataflow.display(),
        args.instruction,
        args.seed
    ));
    let log_path = folder.join("dora.log");
    let begin = Instant::now();
    let status = run_dataflow(&environment, args, &folder, &log_path)?;
    let seconds = begin.elapsed().as_secs_f64();

    let summary_path = folder.join("summary.json");
    let Ok(text) = read_regular_text(&summary_path, MAX_FILE_BYTES) else {
        show_errors(&log_path);
        bail!(
            "the dataflow ended ({status}) without a summary; see {}",
            log_path.display()
        );
    };
    let summary: Value = serde_json::from_str(&text)
        .wrap_err_with(|| format!("{} is not JSON", summary_path.display()))?;
    if args.json {
        print_json(&text);
    }
    let outcome = summary["outcome"].as_str().unwrap_or("unknown");
    let reason = summary["reason"].as_str().unwrap_or_default();
    say(&format!("{outcome} after {seconds:.0} s: {reason}"));
    let waits = summary["waited"].as_array().into_iter().flatten();
    for wait in waits.filter_map(Value::as_str) {
        say(&format!("waited {wait}"));
    }
    if let Some(robot) = summary["robot"].as_str() {
        say(&format!("the robot: {robot}"));
    }
    say(&format!(
        "pictures, program, summary and dora.log: {}",
        folder.display()
    ));
    if let Some(file) = viewer::recording(&folder).filter(|_| args.viewer) {
        say(&format!("the view, for Rerun 0.36: {}", file.display()));
    }
    if let Some(file) = recording(&environment.root, args, &folder) {
        say_recorded(&environment.root, &file);
    }
    Ok(outcome == "success" && status.success())
}

/// Where the recording goes. It names programs from the dataflow's folder, so it must lie there.
fn recording(root: &Path, args: &DemoArgs, run: &Path) -> Option<PathBuf> {
    let name = run.file_name()?.to_string_lossy();
    let folder = root.join(args.dataflow.parent().unwrap_or(Path::new("")));
    args.record.then(|| folder.join(format!("{name}.drec")))
}

/// What the recorder said of its work, and what can be done with it.
fn say_recorded(root: &Path, file: &Path) {
    let mut name = file.as_os_str().to_owned();
    name.push(".json");
    let report = read_regular_text(Path::new(&name), MAX_FILE_BYTES).ok();
    let report: Option<Value> = report.and_then(|text| serde_json::from_str(&text).ok());
    let shown = file.strip_prefix(root).unwrap_or(file).display();
    match report.as_ref().map(|report| &report["complete"]) {
        Some(Value::Bool(true)) => say(&format!("recorded, complete: {shown}")),
        Some(_) => say(&format!(
            "recorded, NOT complete: {shown}; {} says what is missing",
            Path::new(&name).display()
        )),
        None => return say(&format!("nothing was recorded to {shown}")),
    }
    say(&format!(
        "again: `dora replay {shown} --replace world,franka-actuator` (with .venv/bin in PATH)"
    ));
}

fn run_folder(root: &Path, args: &DemoArgs) -> Result<PathBuf> {
    let folder = match &args.out {
        Some(path) => std::path::absolute(path)?,
        None => {
            let since = std::time::UNIX_EPOCH
                .elapsed()
                .map_or(0, |elapsed| elapsed.as_secs());
            root.join("runs")
                .join(format!("{since}-{}-{}", slug(&args.instruction), args.seed))
        }
    };
    fs::create_dir_all(&folder)
        .wrap_err_with(|| format!("could not create the run folder {}", folder.display()))?;
    Ok(folder)
}

/// Letters and digits of an instruction, joined by dashes.
fn slug(instruction: &str) -> String {
    let words: Vec<String> = instruction
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let mut text = words.join("-");
    text.truncate(40);
    text
}

fn run_dataflow(
    environment: &Environment,
    args: &DemoArgs,
    folder: &Path,
    log_path: &Path,
) -> Result<ExitStatus> {
    let log = create_in_place(log_path)?;
    let mut command = environment.command("dora");
    let with_viewer = match args.viewer {
        true => Some(viewer::dataflow_with_viewer(
            &environment.root,
            &args.dataflow,
        )?),
        false => None,
    };
    let dataflow = with_viewer
        .as_ref()
        .map_or(args.dataflow.as_path(), NamedTempFile::path);
    match recording(&environment.root, args, folder) {
        Some(file) => command.arg("record").arg(dataflow).arg("-o").arg(file),
        None => command.arg("run").arg(dataflow),
    };
    command
        .env("TILLER_INSTRUCTION", &args.instruction)
        .env("TILLER_SEED", args.seed.to_string())
        .env("TILLER_POLICY", &args.policy)
        .env("TILLER_EPISODE_S", args.episode_s.to_string())
        .env("TILLER_STEER", if args.unsteered { "off" } else { "on" })
        .env("TILLER_RUN_DIR", folder)
        .env("DORA_COORDINATOR_PORT", free_port()?.to_string())
        .envs(robot_ports(|name| std::env::var_os(name).is_some())?)
        // An operator that hangs is not waited for longer than this when all else has ended, s.
        .env("DORA_FINISH_DRAIN_GRACE_SECS", "10")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    let key = match environment.root.join("vlm.key").exists() {
        // The node reads it first.
        true => None,
        false => private_key(|name| std::env::var(name).ok())?,
    };
    if let Some(key) = &key {
        command.env("TILLER_VLM_KEY_FILE", key.path());
    }
    for (_, variable) in KEYS {
        command.env_remove(variable);
    }
    let limit = OVERHEAD + Duration::from_secs_f64(args.episode_s.clamp(0.0, 3600.0) * SLOWEST);
    let interrupted = interrupted();
    for _ in 0..TRIES {
        if let Some(status) = Group::spawn(&mut command)?.wait(limit, folder, &interrupted)? {
            return Ok(status);
        }
    }
    bail!(
        "{TRIES} times the process that hosts the operator did not come up; see {}",
        log_path.display()
    )
}

/// The key of the provider that is configured, in a new file that only its owner reads: dora hands its
/// environment to every process that it starts. `None`: there is none, or it is in a file already.
fn private_key(lookup: impl Fn(&str) -> Option<String>) -> Result<Option<NamedTempFile>> {
    let given = |name: &str| lookup(name).filter(|text| !text.trim().is_empty());
    let provider = given("TILLER_VLM_PROVIDER").unwrap_or_default();
    let variable = KEYS.iter().find(|(word, _)| *word == provider.trim());
    let key = variable.and_then(|(_, variable)| given(variable));
    let (Some(key), None) = (key, given("TILLER_VLM_KEY_FILE")) else {
        return Ok(None);
    };
    let write = || {
        let mut file = match given("XDG_RUNTIME_DIR") {
            Some(folder) if Path::new(&folder).is_dir() => NamedTempFile::new_in(folder),
            _ => NamedTempFile::new(),
        }?;
        file.write_all(key.as_bytes())?;
        Ok::<_, std::io::Error>(file)
    };
    write()
        .map(Some)
        .wrap_err("the key could not be put into a file of its own")
}

/// Ports of an emulated robot and its hand, where none are set: two demos must not meet there either. They
/// are taken seconds later, so they are none that the system gives to others meanwhile.
fn robot_ports(is_set: impl Fn(&str) -> bool) -> Result<Vec<(&'static str, String)>> {
    let names = ["TILLER_FCI_PORT", "TILLER_FCI_GRIPPER_PORT"];
    let first = 20_000 + (std::process::id() % 5_000) as u16 * 2;
    let mut free = (first..32_000).filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    let unset = names.into_iter().filter(|name| !is_set(name));
    unset
        .map(|name| {
            let port = free.next();
            let port = port.ok_or_else(|| eyre!("no free TCP port from {first} to 31999"))?;
            Ok((name, port.to_string()))
        })
        .collect()
}

/// dora's default port belongs to the whole machine; two demos must not meet there.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).wrap_err("no free TCP port on loopback")?;
    Ok(listener.local_addr()?.port())
}

/// The lines of the log that say what went wrong, at most a screenful.
fn show_errors(log_path: &Path) {
    for line in errors(log_path).unwrap_or_default() {
        say(&format!("  log: {line}"));
    }
}

fn errors(log_path: &Path) -> Result<Vec<String>> {
    const SIGNS: [&str; 4] = ["ERROR", "error", "Error", "panicked"];
    let log = open_regular(log_path)?;
    let mut lines = Lines::new(log, log_path, MAX_LINE_BYTES, u64::MAX)?;
    let mut wrong = Vec::new();
    while let Some(line) = lines.next_line()? {
        let (Line::Whole(line) | Line::Torn(line)) = line else {
            continue;
        };
        let line = String::from_utf8_lossy(line);
        if SIGNS.iter().any(|sign| line.contains(sign)) {
            wrong.push(visible_line(&without_colours(&line), MAX_STATUS));
        }
        if wrong.len() == SCREENFUL {
            break;
        }
    }
    Ok(wrong)
}

/// A line without the colours in which dora writes; all other escapes stay, to be shown.
fn without_colours(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        match rest.strip_prefix('m') {
            Some(rest) => text.push_str(rest),
            None => text.extend(["\u{1b}[", part]),
        }
    }
    text
}

#[expect(clippy::print_stdout, reason = "the machine-readable result of --json")]
fn print_json(text: &str) {
    println!("{}", visible_json(text));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_key_goes_into_a_file_that_only_its_owner_reads() {
        let file_of = |pairs: &[(&str, &str)]| {
            let found = |name: &str| pairs.iter().find(|(other, _)| *other == name);
            private_key(|name| found(name).map(|(_, value)| (*value).to_owned())).unwrap()
        };
        let azure = ("TILLER_VLM_PROVIDER", "azure");
        let key = ("AZURE_OPENAI_API_KEY", "sk-0123456789");
        let file = file_of(&[azure, key]).unwrap();
        assert_eq!(fs::read_to_string(file.path()).unwrap(), "sk-0123456789");
        let mode = fs::metadata(file.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let path = file.path().to_owned();
        drop(file);
        assert!(!path.exists());
        assert!(file_of(&[azure, ("OPENAI_API_KEY", "sk-0123456789")]).is_none());
        assert!(file_of(&[azure, key, ("TILLER_VLM_KEY_FILE", "/a/key")]).is_none());
        assert!(file_of(&[key]).is_none(), "the embedded author needs none");
    }

    #[test]
    fn slugs_are_safe_folder_names() {
        assert_eq!(slug("Open the drawer!"), "open-the-drawer");
        assert_eq!(slug("../../etc/passwd"), "etc-passwd");
        assert!(slug(&"word ".repeat(50)).len() <= 40);
    }

    #[test]
    fn colours_go_and_other_escapes_stay() {
        let line = "\u{1b}[1;31mERROR\u{1b}[0m no\u{1b}[2J \u{1b}[31";
        assert_eq!(without_colours(line), "ERROR no\u{1b}[2J \u{1b}[31");
    }

    #[test]
    fn a_robot_gets_two_ports_of_its_own_unless_they_are_set() {
        let ports = robot_ports(|_| false).unwrap();
        assert_eq!(ports.len(), 2);
        assert_ne!(ports[0].1, ports[1].1);
        let left = robot_ports(|name| name == "TILLER_FCI_PORT").unwrap();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].0, "TILLER_FCI_GRIPPER_PORT");
    }
}
