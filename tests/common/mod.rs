//! The real dataflow, started as `cargo xtask demo` starts it.

use std::ffi::OsStr;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

#[path = "../../xtask/src/start_up.rs"]
mod start_up;

use start_up::StartUp;

/// Two dataflows at once would fight for the two cores that the tests may count on.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A run that has ended.
pub(crate) struct Run {
    #[allow(dead_code, reason = "not every test asks how dora ended")]
    pub(crate) status: ExitStatus,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) log: String,
}

impl Run {
    pub(crate) fn summary(&self) -> Value {
        summary(self.folder.path()).unwrap_or_else(|| panic!("no summary:\n{}", self.log))
    }
}

/// The summary in a run's folder, if there is one yet.
pub(crate) fn summary(folder: &Path) -> Option<Value> {
    let text = fs::read_to_string(folder.join("summary.json")).ok()?;
    serde_json::from_str(&text).ok()
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A dataflow that is running.
#[allow(dead_code, reason = "not every test watches a run")]
pub(crate) struct Running {
    pub(crate) folder: tempfile::TempDir,
    child: Child,
    _alone: MutexGuard<'static, ()>,
}

#[allow(dead_code, reason = "not every test watches a run")]
impl Running {
    /// The process above all others of the dataflow.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops it as Ctrl-C does, and waits for its end.
    pub(crate) fn stop(self) -> Run {
        let _ = Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status();
        self.end()
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Run {
        let status = self.child.wait().expect("the dataflow ends");
        let log = log(self.folder.path());
        Run {
            status,
            folder: self.folder,
            log,
        }
    }
}

fn dora(args: &[&OsStr], settings: &[(&str, &str)], limit_s: u32, folder: &Path) -> Command {
    let venv = root().join(".venv/bin");
    assert!(
        venv.join("dora").exists(),
        "no .venv/bin/dora: run `cargo xtask test`"
    );
    let port = TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let search = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new("timeout");
    command
        .args([
            "--signal=INT",
            "--kill-after=20",
            &limit_s.to_string(),
            "dora",
        ])
        .args(args)
        .current_dir(root())
        .env("PATH", format!("{}:{search}", venv.display()))
        .env("RUST_BACKTRACE", "0")
        .env("DORA_COORDINATOR_PORT", port.to_string())
        .env("TILLER_RUN_DIR", folder)
        .env("TILLER_EVALUATION", folder.join("evaluation.jsonl"))
        .envs(settings.iter().copied());
    command
}

fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// `dora run dataflow.yml` with the given settings, at most `limit_s` of wall time.
#[allow(dead_code, reason = "not every test runs the default dataflow")]
pub(crate) fn run_dataflow(settings: &[(&str, &str)], limit_s: u32) -> Run {
    run_file(Path::new("dataflow.yml"), settings, limit_s)
}

/// The same with another file.
#[allow(dead_code, reason = "not every test runs one")]
pub(crate) fn run_file(dataflow: &Path, settings: &[(&str, &str)], limit_s: u32) -> Run {
    run_dora(&["run".as_ref(), dataflow.as_os_str()], settings, limit_s)
}

/// dora with these arguments.
pub(crate) fn run_dora(args: &[&OsStr], settings: &[(&str, &str)], limit_s: u32) -> Run {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let status = begin(args, settings, limit_s, folder.path())
        .wait()
        .expect("the dataflow ends");
    let log = log(folder.path());
    assert_ne!(status.code(), Some(124), "the dataflow hangs:\n{log}");
    Run {
        status,
        folder,
        log,
    }
}

/// Starts the default dataflow and lets it run.
#[allow(dead_code, reason = "not every test watches a run")]
pub(crate) fn start_dataflow(settings: &[(&str, &str)], limit_s: u32) -> Running {
    start_file(Path::new("dataflow.yml"), settings, limit_s)
}

/// The same with another file.
#[allow(dead_code, reason = "not every test watches a run")]
pub(crate) fn start_file(dataflow: &Path, settings: &[(&str, &str)], limit_s: u32) -> Running {
    let folder = tempfile::tempdir().unwrap();
    start(
        &["run".as_ref(), dataflow.as_os_str()],
        settings,
        limit_s,
        folder,
    )
}

/// Name of the recording in a run's folder.
#[allow(dead_code, reason = "not every test records a run")]
pub(crate) const RECORDING: &str = "run.drec";

/// The same, recorded.
#[allow(dead_code, reason = "not every test records a run")]
pub(crate) fn start_recorded(dataflow: &Path, settings: &[(&str, &str)], limit_s: u32) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join(RECORDING);
    let args = ["record".as_ref(), dataflow.as_os_str()];
    let args = [&args[..], &["-o".as_ref(), recording.as_os_str()]].concat();
    start(&args, settings, limit_s, folder)
}

/// World and arm of a recording, to everybody else as they are now: dora's own command.
#[allow(dead_code, reason = "not every test replays one")]
pub(crate) fn start_replayed(recording: &Path, settings: &[(&str, &str)], limit_s: u32) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let args = ["replay".as_ref(), recording.as_os_str()];
    let replaced = ["--replace".as_ref(), "world,franka-actuator".as_ref()];
    start(&[args, replaced].concat(), settings, limit_s, folder)
}

#[allow(dead_code, reason = "not every test watches a run")]
fn start(
    args: &[&OsStr],
    settings: &[(&str, &str)],
    limit_s: u32,
    folder: tempfile::TempDir,
) -> Running {
    let alone = alone();
    let child = begin(args, settings, limit_s, folder.path());
    Running {
        folder,
        child,
        _alone: alone,
    }
}

fn log(folder: &Path) -> String {
    let bytes = fs::read(folder.join("dora.log")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Starts dora, anew where an operator's host hangs before the dataflow begins: that is dora's own, and says
/// nothing of what is tested.
fn begin(args: &[&OsStr], settings: &[(&str, &str)], limit_s: u32, folder: &Path) -> Child {
    for _ in 0..3 {
        let to = fs::File::create(folder.join("dora.log")).unwrap();
        let mut child = dora(args, settings, limit_s, folder)
            .stdin(Stdio::null())
            .stdout(to.try_clone().unwrap())
            .stderr(to)
            .spawn()
            .expect("`timeout` and `dora` start");
        if has_begun(&mut child, folder) {
            return child;
        }
        eprintln!("an operator's host hangs: once more\n{}", log(folder));
        kill_all(folder);
        child.wait().unwrap();
    }
    panic!("an operator's host hung three times:\n{}", log(folder));
}

/// Waits until the dataflow has begun, or will not and need not be started again.
fn has_begun(child: &mut Child, folder: &Path) -> bool {
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        let is_late = started.elapsed() > Duration::from_secs(start_up::LIMIT_S);
        match StartUp::read(&log(folder)) {
            StartUp::Begun => return true,
            StartUp::HostsMissing(_) if is_late => return false,
            StartUp::Waiting if is_late => return true,
            _ => thread::sleep(Duration::from_millis(50)),
        }
    }
    true
}

/// Kills every process of the run in this folder.
fn kill_all(folder: &Path) {
    while let Some(process) = process(folder, "") {
        // It may have ended by itself meanwhile.
        let _ = Command::new("kill").args(["-KILL", &process]).status();
        thread::sleep(Duration::from_millis(10));
    }
}

/// The process of the run in this folder whose command line contains `what`.
#[allow(dead_code, reason = "not every test looks for processes")]
pub(crate) fn process(folder: &Path, what: &str) -> Option<String> {
    let folder = folder.to_str()?;
    let holds = |path: &Path, text: &str| {
        let bytes = fs::read(path).unwrap_or_default();
        String::from_utf8_lossy(&bytes).contains(text)
    };
    fs::read_dir("/proc").unwrap().flatten().find_map(|entry| {
        let path = entry.path();
        let is_it = holds(&path.join("cmdline"), what) && holds(&path.join("environ"), folder);
        is_it.then(|| entry.file_name().to_string_lossy().into_owned())
    })
}

#[allow(dead_code, reason = "not every test sends signals")]
pub(crate) fn signal(signal: &str, pid: &str) {
    let status = Command::new("kill").args([signal, pid]).status().unwrap();
    assert!(status.success(), "kill {signal} {pid}");
}
