//! Nodes that only watch stand behind those that the robot waits for.

use std::fs;
use std::io;

use rustix::process::{Pid, setpriority_process};

/// Between 0, which every other node has, and 19.
const NICENESS: i32 = 15;

/// Lets everybody else have the processor first: all threads of this process, and all that they start from here on.
/// Call it once the node is connected, for everybody waits until it is.
pub fn step_back() {
    tell(all_threads_step_back());
}

/// The same of the calling thread alone, and of threads that it starts from here on.
pub fn thread_steps_back() {
    tell(setpriority_process(None, NICENESS).map_err(Into::into));
}

fn tell(done: io::Result<()>) {
    if let Err(error) = done {
        tracing::warn!("this node competes with the loop for the processor: {error}");
    }
}

fn all_threads_step_back() -> io::Result<()> {
    for task in fs::read_dir("/proc/self/task")? {
        let name = task?.file_name();
        let thread = name.to_str().and_then(|name| name.parse().ok());
        match setpriority_process(thread.and_then(Pid::from_raw), NICENESS) {
            // A thread that has ended meanwhile.
            Err(rustix::io::Errno::SRCH) => {}
            result => result?,
        }
    }
    Ok(())
}
