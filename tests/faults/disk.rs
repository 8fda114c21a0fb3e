//! A disk that is full.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use tiller_recording::Recording;

use crate::common::run_dora;

/// A file system of 6 MiB in memory; gone with this.
struct Small {
    folder: tempfile::TempDir,
}

impl Small {
    /// Needs root.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=6m", "tmpfs"]);
        let mounted = mount.arg(folder.path()).output().ok()?;
        mounted.status.success().then_some(Self { folder })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).status();
    }
}

/// It costs the recording and nothing else; what is there can be read up to its last whole message.
#[test]
fn a_full_disk_ends_the_recording_alone() {
    let Some(small) = Small::mount() else {
        println!("skipped: nothing can be mounted here");
        return;
    };
    let recording: PathBuf = small.path().join("run.drec");
    let args: [&OsStr; 4] = [
        "record".as_ref(),
        "dataflow.yml".as_ref(),
        "-o".as_ref(),
        recording.as_os_str(),
    ];
    let run = run_dora(&args, &[("TILLER_SEED", "1")], 200);
    assert_eq!(run.summary()["outcome"], "success", "{}", run.log);
    assert!(run.log.contains("nothing more is recorded"), "{}", run.log);
    assert!(
        !run.status.success(),
        "a recording that is not whole is told"
    );
    let mut cut = Recording::open(&recording).unwrap();
    let mut messages = 0;
    while cut.next_entry().is_some() {
        messages += 1;
    }
    assert!(messages > 50, "{messages}");
    assert!(cut.broken().is_some());
}
