//! Nodes that think, and nodes that only watch, stand behind those that hold the arm.

use std::fs;
use std::io;

use rustix::process::{Pid, setpriority_process};

/// What a node, or a thread of one, is to the arm. Those that hold it have no standing here: they come first.
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
    tell(process_steps_back(standing.niceness()));
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

fn process_steps_back(niceness: i32) -> io::Result<()> {
    for task in fs::read_dir("/proc/self/task")? {
        let name = task?.file_name();
        let thread = name.to_str().and_then(|name| name.parse().ok());
        match setpriority_process(thread.and_then(Pid::from_raw), niceness) {
            // A thread that has ended meanwhile.
            Err(rustix::io::Errno::SRCH) => {}
            result => result?,
        }
    }
    Ok(())
}
