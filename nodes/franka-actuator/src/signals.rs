//! A stop by signal: `kill -USR1`, which needs neither the dataflow nor a network.

use std::sync::atomic::{AtomicBool, Ordering};

use eyre::{Result, bail};
use tiller_closed_loop::ActuatorEvent;

/// Whether a signal came that nobody has heeded.
static IS_ASKED: AtomicBool = AtomicBool::new(false);

extern "C" fn on_signal(_: libc::c_int) {
    IS_ASKED.store(true, Ordering::Release);
}

/// From now on SIGUSR1 asks for a stop; before, it ends the process.
pub(crate) fn listen() -> Result<()> {
    let handler: extern "C" fn(libc::c_int) = on_signal;
    // SAFETY: the handler does nothing but store to an atomic, which a signal may do at any moment.
    let before = unsafe { libc::signal(libc::SIGUSR1, handler as libc::sighandler_t) };
    if before == libc::SIG_ERR {
        bail!(
            "cannot listen to SIGUSR1: {}",
            std::io::Error::last_os_error()
        );
    }
    Ok(())
}

/// Whether a stop was asked for since the last call.
pub(crate) fn is_stop_asked() -> bool {
    IS_ASKED.load(Ordering::Acquire) && IS_ASKED.swap(false, Ordering::AcqRel)
}

/// The stop.
pub(crate) fn stop() -> ActuatorEvent {
    ActuatorEvent::Stop {
        reason: "requested by signal SIGUSR1".to_owned(),
    }
}
