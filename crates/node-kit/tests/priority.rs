//! A process of its own, for what steps back does not come forward again.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::mpsc::channel;
use std::thread;

use rustix::process::getpriority_process;
use rustix::thread::gettid;
use tiller_node_kit::{step_back, thread_steps_back};

#[test]
fn one_thread_steps_back_or_all_that_are_there_and_those_to_come() {
    let niceness = || getpriority_process(Some(gettid())).unwrap();
    let (say, ids) = channel();
    let (wake, sleep) = channel::<()>();
    let early = thread::spawn(move || {
        say.send(gettid()).unwrap();
        let _ = sleep.recv();
    });
    let early_id = ids.recv().unwrap();
    let before = niceness();
    let alone = thread::spawn(move || {
        thread_steps_back();
        niceness()
    });
    let alone = alone.join().unwrap();
    assert!(alone > before && niceness() == before);
    step_back();
    let late = thread::spawn(niceness).join().unwrap();
    assert_eq!(late, alone);
    assert_eq!(getpriority_process(Some(early_id)).unwrap(), late);
    drop(wake);
    early.join().unwrap();
}
