//! Two machines on one: a network namespace each, clocks that stand apart, no shared memory, a cable between them;
//! and dora on both, as docs/distributed.md says.

use std::fs::{self, File};
use std::io;
use std::net::Ipv4Addr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::root;
use crate::link::{self, Link};

/// How far the second machine's monotonic clock is ahead, s: as if it had been started so much earlier.
const AHEAD_S: u32 = 5_000;

/// Nobody else is in these namespaces, so addresses and ports are always free.
const ADDRESSES: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 83, 0, 1), Ipv4Addr::new(10, 83, 0, 2)];
const COORDINATOR_PORT: u16 = 6013;
const ZENOH_PORT: u16 = 5456;

/// How long after its results a run ends at most, where nothing is lost.
const END: Duration = Duration::from_secs(10);

/// Names must not meet those of other tests in this process.
static MADE: AtomicU32 = AtomicU32::new(0);

/// One of them: everything in its namespace dies with it.
struct Machine {
    namespace: String,
    /// Where its daemon is started: what a checkout would hold of what nodes look for.
    folder: PathBuf,
    ahead_s: u32,
}

impl Machine {
    fn new(role: &str, folder: &Path, ahead_s: u32) -> Result<Self, String> {
        let made = MADE.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("tiller-{}-{made}-{role}", std::process::id());
        ip(&["netns", "add", &namespace])?;
        let machine = Self {
            namespace,
            folder: folder.join(role),
            ahead_s,
        };
        ip(&["-n", &machine.namespace, "link", "set", "lo", "up"])?;
        // As docs/distributed.md has it; Linux before 6.15 has no such setting.
        let tries = "echo 1000 > /proc/sys/net/ipv4/tcp_rto_max_ms";
        let _ = ip(&["netns", "exec", &machine.namespace, "sh", "-c", tries]);
        fs::create_dir(&machine.folder).map_err(|error| error.to_string())?;
        for name in ["target", "models"] {
            symlink(root().join(name), machine.folder.join(name))
                .map_err(|error| error.to_string())?;
        }
        Ok(machine)
    }

    /// A device of a cable's end, moved into this machine.
    fn plug(&self, address: Ipv4Addr) -> Result<File, String> {
        let made = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("tl{}-{made}", std::process::id());
        let end = link::tun(&name).map_err(|error| format!("/dev/net/tun: {error}"))?;
        let namespace = self.namespace.as_str();
        ip(&["link", "set", &name, "netns", namespace])?;
        let address = format!("{address}/24");
        ip(&["-n", namespace, "address", "add", &address, "dev", &name])?;
        let (mtu, up) = (link::MTU.to_string(), "up");
        ip(&["-n", namespace, "link", "set", &name, "mtu", &mtu, up])?;
        Ok(end)
    }

    /// A command within this machine: its network, its clock, and a `/dev/shm` of its own, for no memory is shared
    /// with another.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace]);
        if self.ahead_s > 0 {
            let ahead = self.ahead_s.to_string();
            command.args(["unshare", "--time", "--fork", "--monotonic", &ahead]);
            command.args(["--boottime", &ahead]);
        }
        let apart = "mount -t tmpfs tmpfs /dev/shm && exec \"$0\" \"$@\"";
        let venv = root().join(".venv/bin");
        let search = std::env::var("PATH").unwrap_or_default();
        command
            .args(["sh", "-c", apart, program])
            .current_dir(&self.folder)
            .env("PATH", format!("{}:{search}", venv.display()))
            .env("RUST_BACKTRACE", "0")
            .env("DORA_COORDINATOR_ADDR", ADDRESSES[0].to_string())
            .env("DORA_COORDINATOR_PORT", COORDINATOR_PORT.to_string())
            // A connection takes three round trips, dora's default is a second.
            .env("DORA_ZENOH_OPEN_TIMEOUT_MS", "5000")
            .env(
                "DORA_ZENOH_CONFIG_OVERLAY",
                root().join("dataflows/far.json5"),
            )
            .stdin(Stdio::null());
        command
    }

    fn log(&self, name: &str) -> io::Result<File> {
        File::create(self.folder.join(name))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Nodes are leaders of groups of their own: only the namespace knows all of them.
        let found = Command::new("ip")
            .args(["netns", "pids", &self.namespace])
            .output();
        let pids = found.map(|output| output.stdout).unwrap_or_default();
        for pid in String::from_utf8_lossy(&pids).split_whitespace() {
            let _ = Command::new("kill").args(["-KILL", pid]).status();
        }
        let _ = ip(&["netns", "delete", &self.namespace]);
    }
}

/// Both, with a coordinator on the robot's and a daemon on each.
pub(crate) struct Machines {
    pub(crate) link: Link,
    robot: Machine,
    _gpu: Machine,
    children: Vec<Child>,
    folder: tempfile::TempDir,
}

/// A dataflow that has ended.
pub(crate) struct Done {
    pub(crate) status: ExitStatus,
    pub(crate) log: String,
}

impl Machines {
    /// Both, ready to be given a dataflow.
    ///
    /// # Errors
    /// What this machine does not allow, or has not got, for people.
    pub(crate) fn start() -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let robot = Machine::new("robot", folder.path(), 0)?;
        let gpu = Machine::new("gpu", folder.path(), AHEAD_S)?;
        let ends = [robot.plug(ADDRESSES[0])?, gpu.plug(ADDRESSES[1])?];
        let link = Link::between(ends).map_err(|error| error.to_string())?;
        let mut machines = Self {
            link,
            robot,
            _gpu: gpu,
            children: Vec::new(),
            folder,
        };
        machines.check_clocks()?;
        machines.start_dora().map_err(|error| error.to_string())?;
        Ok(machines)
    }

    /// A folder for what a run leaves.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Without clocks that stand apart the test would see less than it says.
    fn check_clocks(&self) -> Result<(), String> {
        let uptime_s = |machine: &Machine| -> Result<f64, String> {
            let output = machine.command("cat").arg("/proc/uptime").output();
            let output = output.map_err(|error| error.to_string())?;
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let first = text.split_whitespace().next().and_then(|s| s.parse().ok());
            let said = String::from_utf8_lossy(&output.stderr);
            first.ok_or_else(|| format!("no clock of its own: {said}"))
        };
        let ahead_s = uptime_s(&self._gpu)? - uptime_s(&self.robot)?;
        if (ahead_s - f64::from(AHEAD_S)).abs() > 60.0 {
            return Err(format!(
                "expected a clock {AHEAD_S} s ahead, found {ahead_s}"
            ));
        }
        Ok(())
    }

    fn start_dora(&mut self) -> io::Result<()> {
        let [robot, gpu] = ADDRESSES.map(|address| address.to_string());
        let port = COORDINATOR_PORT.to_string();
        let log = self.robot.log("coordinator.log")?;
        let coordinator = self
            .robot
            .command("dora")
            .args(["coordinator", "--store", "memory"])
            .args(["--interface", &robot, "--port", &port])
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        self.children.push(coordinator);
        self.wait_for("no coordinator", |machines| {
            let mut dora = machines.robot.command("dora");
            dora.args(["list"])
                .output()
                .is_ok_and(|out| out.status.success())
        });
        let ways = [
            (&self.robot, "robot", &robot, &gpu),
            (&self._gpu, "gpu", &gpu, &robot),
        ];
        for (machine, role, own, other) in ways {
            let log = machine.log("daemon.log")?;
            let daemon = machine
                .command("dora")
                .args(["daemon", "--machine-id", role])
                .args(["--labels", &format!("{role}=true")])
                .args(["--zenoh-listen", &format!("{own}:{ZENOH_PORT}")])
                .args(["--zenoh-connect", &format!("tcp/{other}:{ZENOH_PORT}")])
                .stdout(log.try_clone()?)
                .stderr(log)
                .spawn()?;
            self.children.push(daemon);
        }
        self.wait_for("no daemons", |machines| {
            let mut dora = machines.robot.command("dora");
            let said = dora
                .args(["cluster", "status"])
                .output()
                .map(|out| out.stdout);
            let said = said.unwrap_or_default();
            let said = String::from_utf8_lossy(&said);
            said.contains("robot") && said.contains("gpu")
        });
        Ok(())
    }

    fn wait_for(&self, what: &str, is_there: impl Fn(&Self) -> bool) {
        let begin = Instant::now();
        while !is_there(self) {
            assert!(
                begin.elapsed() < Duration::from_secs(60),
                "{what} within a minute"
            );
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// Gives a dataflow to dora, in the robot's terminal.
    pub(crate) fn give(&self, dataflow: &Path, settings: &[(&str, &str)], run: &Path) -> Given {
        let log = run.join("dora.log");
        let file = File::create(&log).unwrap();
        let child = self
            .robot
            .command("timeout")
            .args(["--signal=INT", "--kill-after=20", "240", "dora", "start"])
            .arg(dataflow)
            .arg("--attach")
            .env("TILLER_RUN_DIR", run)
            .envs(settings.iter().copied())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .expect("`ip` and `dora` start");
        Given { child, log }
    }
}

impl Drop for Machines {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A dataflow that runs.
pub(crate) struct Given {
    child: Child,
    log: PathBuf,
}

impl Given {
    /// Waits for its end.
    pub(crate) fn end(mut self) -> Done {
        let status = self.child.wait().expect("`dora start` ends");
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        assert_ne!(status.code(), Some(124), "the dataflow hangs:\n{log}");
        Done { status, log }
    }
}

impl Given {
    /// The same over a bad link, on which dora's word that an input has ended can be lost like any other: what still runs
    /// ten seconds after the results are there is stopped, as a person would.
    pub(crate) fn end_with_results(mut self) -> Done {
        let mut since = None;
        while self.child.try_wait().is_ok_and(|status| status.is_none()) {
            thread::sleep(Duration::from_millis(200));
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            let are_there = log.contains("daemon run-log finished");
            if are_there && since.get_or_insert_with(Instant::now).elapsed() > END {
                eprintln!("stopped by hand: a node has not heard that its inputs have ended");
                let pid = self.child.id().to_string();
                let _ = Command::new("kill").args(["-INT", &pid]).status();
                break;
            }
        }
        self.end()
    }
}

/// `ip` with these arguments.
fn ip(args: &[&str]) -> Result<(), String> {
    let output = Command::new("ip").args(args).output();
    let output = output.map_err(|error| format!("ip: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("ip {}: {}", args.join(" "), said.trim()))
}
