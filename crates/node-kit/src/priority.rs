//! Nodes that hold the arm come first for the processor; those that think, and those that only watch, stand behind.

use std::fs;
use std::io;

use rustix::process::{Pid, setpriority_process};

/// How long a thread that holds the arm wants the processor at a time, ns: the least that Linux gives. Who wants it
/// for less time need not wait until others' time is over (some milliseconds).
const SLICE_NS: u64 = 100_000;

/// What a node, or a thread of one, is to the arm. Those that hold it have no standing here: they
/// [come first](come_first).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It sees or plans: what it makes lasts for many control periods.
    Thinks,
    /// It only watches: the arm would move as well without it.
    Watches,
}

impl Standing {
    /// Between 0, which those have that hold the arm, and 19.
    fn niceness(self) -> i32 {
        match self {
            Self::Thinks => 5,
            Self::Watches => 15,
        }
    }
}

/// Lets those before have the processor first: all threads of this process, and all that they start from here on.
/// Call it once the node is connected, for everybody waits until it is.
pub fn step_back(standing: Standing) {
    let niceness = standing.niceness();
    tell(of_all_threads(|thread| {
        Ok(setpriority_process(Some(thread), niceness)?)
    }));
}

/// The same of the calling thread alone, and of threads that it starts from here on.
pub fn thread_steps_back(standing: Standing) {
    let thread = rustix::thread::gettid();
    tell(setpriority_process(Some(thread), standing.niceness()).map_err(io::Error::from));
}

fn tell(done: io::Result<()>) {
    if let Err(error) = done {
        tracing::warn!("this node competes with the loop for the processor: {error}");
    }
}

/// Has this process woken at once where it has something to do, and for a short time: all its threads, and all that
/// they start from here on. It needs no rights, and Linux 6.12 or newer; elsewhere it changes nothing.
pub fn come_first() {
    if let Err(error) = of_all_threads(want_little_at_a_time) {
        tracing::debug!("this node waits for the processor like all others: {error}");
    }
}

fn want_little_at_a_time(thread: Pid) -> io::Result<()> {
    let niceness = rustix::process::getpriority_process(Some(thread))?;
    let wanted = libc::sched_attr {
        size: size_of::<libc::sched_attr>() as u32,
        sched_policy: libc::SCHED_OTHER as u32,
        sched_flags: 0,
        sched_nice: niceness,
        sched_priority: 0,
        sched_runtime: SLICE_NS,
        sched_deadline: 0,
        sched_period: 0,
    };
    let (id, flags) = (thread.as_raw_nonzero().get(), 0_u32);
    // SAFETY: the kernel reads `size` bytes of a struct of its own layout that lives until the call returns.
    let done = unsafe { libc::syscall(libc::SYS_sched_setattr, id, &raw const wanted, flags) };
    match done {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn of_all_threads(change: impl Fn(Pid) -> io::Result<()>) -> io::Result<()> {
    for task in fs::read_dir("/proc/self/task")? {
        let name = task?.file_name();
        let thread = name.to_str().and_then(|name| name.parse().ok());
        let Some(thread) = thread.and_then(Pid::from_raw) else {
            continue;
        };
        match change(thread) {
            // A thread that has ended meanwhile.
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {}
            result => result?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The slice that a thread has, ns.
    fn slice_ns(thread: Pid) -> u64 {
        // SAFETY: numbers alone, of which zeros are some.
        let mut found: libc::sched_attr = unsafe { std::mem::zeroed() };
        let size = size_of::<libc::sched_attr>() as u32;
        let id = thread.as_raw_nonzero().get();
        // SAFETY: the kernel writes at most `size` bytes into a struct of its own layout.
        let done =
            unsafe { libc::syscall(libc::SYS_sched_getattr, id, &raw mut found, size, 0_u32) };
        assert_eq!(done, 0);
        found.sched_runtime
    }

    #[test]
    fn a_thread_that_comes_first_wants_little_at_a_time_and_keeps_its_standing() {
        let here = std::thread::spawn(|| {
            thread_steps_back(Standing::Thinks);
            let thread = rustix::thread::gettid();
            let before = slice_ns(thread);
            want_little_at_a_time(thread).unwrap();
            let niceness = rustix::process::getpriority_process(Some(thread)).unwrap();
            (before, slice_ns(thread), niceness)
        });
        let (before, after, niceness) = here.join().unwrap();
        assert_eq!(niceness, Standing::Thinks.niceness());
        // Kernels before 6.12 know of no slices, and say 0.
        assert!(after == SLICE_NS || before == 0, "{before}, then {after}");
    }
}
