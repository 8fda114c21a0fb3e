//! A panic on demand: whether a dataflow bears it should be found out before there is one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::SIGUSR2;

/// Whether somebody asked for a panic.
pub(crate) struct Drill(Arc<AtomicBool>);

impl Drill {
    /// Listens for SIGUSR2, which ends a process that does not.
    pub(crate) fn listen() -> Self {
        let is_asked = Arc::new(AtomicBool::new(false));
        if let Err(error) = signal_hook::flag::register(SIGUSR2, Arc::clone(&is_asked)) {
            tracing::warn!("SIGUSR2 is not heard: {error}");
        }
        Self(is_asked)
    }

    /// Panics if it was asked for.
    #[allow(clippy::panic, reason = "a drill of what no node should ever do")]
    pub(crate) fn panic_if_asked(&self) {
        if self.0.load(Ordering::Relaxed) {
            panic!("a drill: SIGUSR2 asked for a panic");
        }
    }
}
