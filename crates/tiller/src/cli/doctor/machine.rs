//! The machine itself: kernel, permissions, clocks, disk.

use std::fs;
use std::path::Path;

use super::{Finding, Settings, State};

/// Less memory than this that may be locked is too little for the arm's process, bytes.
const LOCKED: u64 = 1 << 30;

/// Less space than this for runs is soon used up, and than this nearly, bytes.
const SPACE: (u64, u64) = (10 << 30, 1 << 30);

pub(super) fn examine(settings: &Settings) -> Vec<Finding> {
    let bad = if settings.needs_real_time {
        State::Problem
    } else {
        State::Warning
    };
    vec![kernel(bad), priority(bad), memory(bad), clock(), governor()]
}

fn kernel(bad: State) -> Finding {
    let version = read("/proc/version");
    let version = version.split(" (").next().unwrap_or_default();
    let is_real_time =
        read("/sys/kernel/realtime") == "1" || read("/proc/version").contains("PREEMPT_RT");
    if is_real_time {
        return Finding::ok("kernel", format!("{version}, with PREEMPT_RT"));
    }
    Finding::new(
        "kernel",
        bad,
        format!("{version}, without PREEMPT_RT"),
        "install a kernel with PREEMPT_RT for a real arm (docs/hardware.md, chapter 6); TILLER_REAL_TIME=try goes \
         without, and the robot may stop by itself",
    )
}

/// Whether a thread really gets a real-time priority; it is one that ends at once.
fn priority(bad: State) -> Finding {
    let tried = std::thread::spawn(|| {
        let mut wanted: libc::sched_param = {
            // SAFETY: all zeros are a value of this struct of numbers.
            unsafe { std::mem::zeroed() }
        };
        wanted.sched_priority = 80;
        // SAFETY: the pointer is to a local; 0 is this thread.
        match unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const wanted) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        }
    })
    .join();
    let limit = limit(libc::RLIMIT_RTPRIO);
    match tried {
        Ok(Ok(())) => Finding::ok(
            "rtprio",
            format!("threads may be given SCHED_FIFO (limit {limit})"),
        ),
        Ok(Err(error)) => Finding::new(
            "rtprio",
            bad,
            format!("SCHED_FIFO is refused: {error} (limit {limit})"),
            "`@realtime - rtprio 99` in /etc/security/limits.conf, be in that group, log in anew",
        ),
        Err(_) => Finding::new("rtprio", bad, "it could not be tried", "try again"),
    }
}

fn memory(bad: State) -> Finding {
    // SAFETY: it has neither arguments nor conditions.
    let is_root = unsafe { libc::geteuid() } == 0;
    let limit = limit(libc::RLIMIT_MEMLOCK);
    if is_root || limit.0.is_none_or(|bytes| bytes >= LOCKED) {
        return Finding::ok("memlock", format!("memory may be locked (limit {limit})"));
    }
    Finding::new(
        "memlock",
        bad,
        format!("only {limit} of memory may be locked"),
        "`@realtime - memlock unlimited` in /etc/security/limits.conf, log in anew",
    )
}

/// A limit of this process; none is unlimited.
struct Limit(Option<u64>);

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            None => f.write_str("unlimited"),
            Some(value) => write!(f, "{value}"),
        }
    }
}

fn limit(which: libc::__rlimit_resource_t) -> Limit {
    let mut found = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the pointer is to a local.
    unsafe { libc::getrlimit(which, &raw mut found) };
    Limit((found.rlim_cur != libc::RLIM_INFINITY).then_some(found.rlim_cur))
}

/// What the machine's clock is made of: all stamps come from it.
fn clock() -> Finding {
    let source = read("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    match source.as_str() {
        "" => Finding::warning(
            "clock",
            "its source is not told",
            "look that stamps of cameras and arm agree",
        ),
        "tsc" | "arch_sys_counter" | "kvm-clock" => Finding::ok("clock", source),
        _ => Finding::warning(
            "clock",
            format!("{source}, which is slow to read"),
            "have the kernel use `tsc` (`clocksource=tsc`), if the machine has a steady one",
        ),
    }
}

/// A processor that sleeps wakes late.
fn governor() -> Finding {
    let name = "processor";
    let governor = read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let found = match governor.as_str() {
        "" => format!("{cores} cores"),
        governor => format!("{cores} cores, governor {governor}"),
    };
    if !["", "performance"].contains(&governor.as_str()) {
        let todo = "`cpupower frequency-set -g performance` for a real arm";
        return Finding::warning(name, found, todo);
    }
    if cores < 4 {
        let todo =
            "a real arm wants one for itself: four or more, or the policy on another machine";
        return Finding::warning(name, found, todo);
    }
    Finding::ok(name, found)
}

/// Space where runs are written.
pub(super) fn disk(runs: &Path) -> Finding {
    let there = runs.ancestors().find(|folder| folder.is_dir());
    let folder = there.unwrap_or(Path::new("."));
    let todo = "make room, or let TILLER_RUN_DIR name another disk";
    match rustix::fs::statvfs(folder) {
        Err(error) => Finding::problem("disk", format!("{}: {error}", folder.display()), todo),
        Ok(found) => {
            let free = found.f_bavail * found.f_frsize;
            let text = format!("{:.1} GB free for `{}`", free as f64 * 1e-9, runs.display());
            match free {
                free if free < SPACE.1 => Finding::problem("disk", text, todo),
                free if free < SPACE.0 => Finding::warning("disk", text, todo),
                _ => Finding::ok("disk", text),
            }
        }
    }
}

/// A small file of the kernel's, or nothing.
fn read(path: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.trim().to_owned()
}
