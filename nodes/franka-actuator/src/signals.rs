//! Signals, which need neither the dataflow nor a network: `kill -USR1` stops the arm, `kill` and Ctrl-C end the
//! node once the arm is at rest.

use std::sync::atomic::{AtomicBool, Ordering};

use eyre::{Result, bail};
use tiller_closed_loop::ActuatorEvent;

/// Whether a signal came that nobody has heeded.
static IS_STOP_ASKED: AtomicBool = AtomicBool::new(false);
static IS_END_ASKED: AtomicBool = AtomicBool::new(false);

extern "C" fn on_signal(signal: libc::c_int) {
    let asked = match signal {
        libc::SIGUSR1 => &IS_STOP_ASKED,
        _ => &IS_END_ASKED,
    };
    asked.store(true, Ordering::Release);
}

/// From now on signals are heeded; before, they end the process.
pub(crate) fn listen() -> Result<()> {
    let handler: extern "C" fn(libc::c_int) = on_signal;
    for signal in [libc::SIGUSR1, libc::SIGTERM, libc::SIGINT] {
        // SAFETY: the handler does nothing but store to an atomic, which a signal may do at any moment.
        let before = unsafe { libc::signal(signal, handler as libc::sighandler_t) };
        if before == libc::SIG_ERR {
            let error = std::io::Error::last_os_error();
            bail!("cannot listen to signal {signal}: {error}");
        }
    }
    Ok(())
}

/// Whether a stop was asked for since the last call.
pub(crate) fn is_stop_asked() -> bool {
    is_asked(&IS_STOP_ASKED)
}

/// Whether an end was asked for since the last call.
pub(crate) fn is_end_asked() -> bool {
    is_asked(&IS_END_ASKED)
}

fn is_asked(asked: &AtomicBool) -> bool {
    asked.load(Ordering::Acquire) && asked.swap(false, Ordering::AcqRel)
}

/// The stop.
pub(crate) fn stop() -> ActuatorEvent {
    ActuatorEvent::Stop {
        reason: "requested by signal SIGUSR1".to_owned(),
    }
}
