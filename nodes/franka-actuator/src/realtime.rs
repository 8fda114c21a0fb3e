//! Real time for the arm's thread, as far as the machine gives it: a priority of its own, and memory
//! that is never paged out.

use std::fs;

use eyre::{Result, bail};
use tiller_node_kit::Environment;

/// Above the threads that serve interrupts (50), below the kernel's own (99).
const PRIORITY: libc::c_int = 80;

/// What is asked of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RealTime {
    /// A real-time kernel, priority and memory, or the node does not start.
    Require,
    /// Whatever is granted.
    Try,
    /// Nothing.
    Without,
}

impl RealTime {
    /// Reads the setting `REAL_TIME`, of which `default` is the default.
    pub(crate) fn read(env: &mut Environment, default: &str) -> Self {
        let words = [
            ("require", Self::Require),
            ("try", Self::Try),
            ("without", Self::Without),
        ];
        env.choice("REAL_TIME", default, &words)
    }

    /// Judges what was granted: `None` where nothing was asked for.
    ///
    /// # Errors
    /// With what was refused, where all of it is required.
    pub(crate) fn judge(self, granted: &Granted) -> Result<Option<String>> {
        match self {
            Self::Without => Ok(None),
            Self::Require if !granted.is_all() => bail!(
                "REAL_TIME: expected {granted}: see docs/hardware.md, chapter 6, or go without what is \
                 missing by `REAL_TIME=try`"
            ),
            _ => Ok(Some(granted.to_string())),
        }
    }
}

/// What the machine grants, or why not.
#[derive(Debug, Clone)]
pub(crate) struct Granted {
    pub(crate) kernel: Result<(), String>,
    pub(crate) memory: Result<(), String>,
    pub(crate) priority: Result<(), String>,
}

impl Granted {
    pub(crate) fn is_all(&self) -> bool {
        self.kernel.is_ok() && self.memory.is_ok() && self.priority.is_ok()
    }
}

impl std::fmt::Display for Granted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = [
            ("a real-time kernel", &self.kernel),
            ("locked memory", &self.memory),
            ("a real-time priority", &self.priority),
        ];
        for (index, (what, granted)) in parts.into_iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            match granted {
                Ok(()) => write!(f, "{comma}{what} (granted)")?,
                Err(why) => write!(f, "{comma}{what} (refused: {why})")?,
            }
        }
        Ok(())
    }
}

/// Asks for all of it, for the thread that calls and for the memory of the process.
pub(crate) fn ask() -> Granted {
    Granted {
        kernel: kernel(),
        memory: memory(),
        priority: priority(),
    }
}

fn kernel() -> Result<(), String> {
    let is_real_time = fs::read_to_string("/sys/kernel/realtime").is_ok_and(|t| t.trim() == "1");
    if is_real_time {
        return Ok(());
    }
    Err("the kernel is none with PREEMPT_RT".to_owned())
}

/// Whatever the process has and will have stays in memory.
fn memory() -> Result<(), String> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the pointer is to a local.
    unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &raw mut limit) };
    // SAFETY: it has neither arguments nor conditions.
    let is_root = unsafe { libc::geteuid() } == 0;
    if !is_root && limit.rlim_cur != libc::RLIM_INFINITY {
        // Under a limit, memory that is wanted later would be refused to a process that counts on it.
        return Err(format!("only {} bytes may be locked", limit.rlim_cur));
    }
    // SAFETY: it has no conditions.
    match unsafe { libc::mlockall(libc::MCL_CURRENT | libc::MCL_FUTURE) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error().to_string()),
    }
}

fn priority() -> Result<(), String> {
    // SAFETY: all zeros are a value of this struct of numbers.
    let mut wanted: libc::sched_param = unsafe { std::mem::zeroed() };
    wanted.sched_priority = PRIORITY;
    // SAFETY: the pointer is to a local; 0 is the thread that calls.
    // Threads that this one starts, for a hand that is connected anew, are ordinary ones.
    let policy = libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK;
    match unsafe { libc::sched_setscheduler(0, policy, &raw const wanted) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error().to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(kernel: Result<(), String>) -> Granted {
        Granted {
            kernel,
            memory: Ok(()),
            priority: Ok(()),
        }
    }

    #[test]
    fn what_is_required_and_refused_is_an_error_that_says_what() {
        let refused = granted(Err("the kernel is none".to_owned()));
        let error = RealTime::Require.judge(&refused).unwrap_err().to_string();
        assert!(
            error.contains("real-time kernel (refused: the kernel is none)"),
            "{error}"
        );
        assert!(error.contains("locked memory (granted)"), "{error}");
        assert!(RealTime::Require.judge(&granted(Ok(()))).is_ok());
    }

    #[test]
    fn what_is_tried_is_told_and_what_is_not_wanted_is_not() {
        let refused = granted(Err("no".to_owned()));
        let told = RealTime::Try.judge(&refused).unwrap().unwrap();
        assert!(told.contains("refused: no"), "{told}");
        assert_eq!(RealTime::Without.judge(&refused).unwrap(), None);
    }

    #[test]
    fn whatever_the_machine_says_is_said() {
        // On a thread of its own, which keeps no priority for others.
        let granted = std::thread::spawn(ask).join().unwrap();
        let text = granted.to_string();
        assert_eq!(
            text.matches("granted").count() + text.matches("refused").count(),
            3
        );
    }
}
