//! The real dataflow, started as `cargo xtask demo` starts it.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::Mutex;

use serde_json::Value;

/// Two dataflows at once would fight for the two cores that the tests may count on.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A run that has ended.
pub(crate) struct Run {
    pub(crate) status: ExitStatus,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) log: String,
}

impl Run {
    pub(crate) fn summary(&self) -> Value {
        let path = self.folder.path().join("summary.json");
        let text = fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("no {}: {error}\n{}", path.display(), self.log));
        serde_json::from_str(&text).unwrap()
    }
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// `dora run dataflow.yml` with the given settings, at most `limit_s` of wall time.
pub(crate) fn run_dataflow(settings: &[(&str, &str)], limit_s: u32) -> Run {
    let _alone = ONE_AT_A_TIME
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
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
    let folder = tempfile::tempdir().unwrap();
    let search = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("timeout")
        .args([
            "--signal=INT",
            "--kill-after=20",
            &limit_s.to_string(),
            "dora",
            "run",
        ])
        .arg("dataflow.yml")
        .current_dir(root())
        .env("PATH", format!("{}:{search}", venv.display()))
        .env("RUST_BACKTRACE", "0")
        .env("DORA_COORDINATOR_PORT", port.to_string())
        .env("TILLER_RUN_DIR", folder.path())
        .envs(settings.iter().copied())
        .output()
        .expect("`timeout` and `dora` start");
    let mut log = String::from_utf8_lossy(&output.stdout).into_owned();
    log.push_str(&String::from_utf8_lossy(&output.stderr));
    assert_ne!(
        output.status.code(),
        Some(124),
        "the dataflow hangs:\n{log}"
    );
    Run {
        status: output.status,
        folder,
        log,
    }
}
