//! The Franka hand: commands that take their time, on a thread of their own.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use franka::{FrankaError, Gripper};

use crate::config::HandConfig;
use crate::error::FciError;

/// How often a thread without anything to do looks whether there is.
const LOOK: Duration = Duration::from_millis(5);

/// How long a hand that refused or was interrupted is left alone.
const RETRY: Duration = Duration::from_millis(20);

/// Openings nearer than this are the same, m.
const SAME_M: f64 = 1e-3;

/// What the hand measures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HandState {
    /// Opening between the fingers, m.
    pub width_m: f64,
    /// Whether it holds something.
    pub is_holding: bool,
}

/// What is being done, or was done last.
#[derive(Debug)]
struct Doing {
    /// NaN where it did not come about.
    width_m: f64,
    is_busy: bool,
}

/// Numbers that both threads and the arm's, which must not wait, share.
#[derive(Debug)]
struct Shared {
    width_m: AtomicU64,
    is_holding: AtomicBool,
    wanted_m: AtomicU64,
    /// Held while a stop is under way, so that no stop meets the command after the one it is meant for.
    doing: Mutex<Doing>,
    /// From when it is asked for until it is done.
    is_homing: AtomicBool,
    is_lost: AtomicBool,
    is_ending: AtomicBool,
    /// Why it is lost; written once, before `is_lost`.
    why: Mutex<String>,
}

impl Shared {
    fn lose(&self, error: &(impl Display + ?Sized)) {
        *self.why.lock().unwrap_or_else(PoisonError::into_inner) = error.to_string();
        self.is_homing.store(false, Ordering::Release);
        self.is_lost.store(true, Ordering::Release);
    }

    fn wanted(&self) -> f64 {
        load(&self.wanted_m)
    }

    fn doing(&self) -> MutexGuard<'_, Doing> {
        self.doing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_over(&self) -> bool {
        self.is_ending.load(Ordering::Acquire) || self.is_lost.load(Ordering::Acquire)
    }
}

fn load(cell: &AtomicU64) -> f64 {
    f64::from_bits(cell.load(Ordering::Acquire))
}

fn store(cell: &AtomicU64, value: f64) {
    cell.store(value.to_bits(), Ordering::Release);
}

/// A hand that goes where it was last told, whatever it is doing.
#[derive(Debug)]
pub(crate) struct Hand {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Hand {
    /// Connects, homes it if that is wished, and starts to listen.
    pub(crate) fn connect(config: &HandConfig) -> Result<Self, FciError> {
        let connecting = |error| FciError::on_connecting(error, &config.address);
        let gripper = Arc::new(Gripper::new(&config.address).map_err(connecting)?);
        if config.homes && !gripper.homing().map_err(connecting)? {
            return Err(FciError::Refused("the hand could not be homed".to_owned()));
        }
        let state = gripper.read_once().map_err(connecting)?;
        let cell = |value: f64| AtomicU64::new(value.to_bits());
        let shared = Arc::new(Shared {
            width_m: cell(state.width),
            is_holding: AtomicBool::new(state.is_grasped),
            wanted_m: cell(state.width),
            doing: Mutex::new(Doing {
                width_m: state.width,
                is_busy: false,
            }),
            is_homing: AtomicBool::new(false),
            is_lost: AtomicBool::new(false),
            is_ending: AtomicBool::new(false),
            why: Mutex::new(String::new()),
        });
        let mut hand = Self {
            shared: Arc::clone(&shared),
            threads: Vec::new(),
        };
        let (listened, listening) = (Arc::clone(&gripper), Arc::clone(&shared));
        hand.spawn("hand-state", move || listen(&listened, &listening))?;
        let config = config.clone();
        hand.spawn("hand", move || work(&gripper, &shared, &config))?;
        Ok(hand)
    }

    fn spawn(&mut self, name: &str, task: impl FnOnce() + Send + 'static) -> Result<(), FciError> {
        let builder = thread::Builder::new().name(name.to_owned());
        let thread = builder
            .spawn(task)
            .map_err(|error| FciError::HandLost(error.to_string()))?;
        self.threads.push(thread);
        Ok(())
    }

    /// The fingers are to be so far apart; where they close, they grasp what is between them.
    pub(crate) fn want(&self, width_m: f64) {
        store(&self.shared.wanted_m, width_m);
    }

    /// The fingers are to find out where they are; whatever is wanted comes after it.
    pub(crate) fn home(&self) {
        self.shared.is_homing.store(true, Ordering::Release);
    }

    /// Whether they do.
    pub(crate) fn is_homing(&self) -> bool {
        self.shared.is_homing.load(Ordering::Acquire)
    }

    /// What the hand measures.
    ///
    /// # Errors
    /// When its connection is lost.
    pub(crate) fn state(&self) -> Result<HandState, FciError> {
        if self.shared.is_lost.load(Ordering::Acquire) {
            let why = self
                .shared
                .why
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            return Err(FciError::HandLost(why.clone()));
        }
        Ok(HandState {
            width_m: load(&self.shared.width_m),
            is_holding: self.shared.is_holding.load(Ordering::Acquire),
        })
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        self.shared.is_ending.store(true, Ordering::Release);
        for thread in self.threads.drain(..) {
            // One that panicked has said so.
            let _ = thread.join();
        }
    }
}

/// Reads the hand, and interrupts what it does once something else is wanted.
fn listen(gripper: &Gripper, shared: &Shared) {
    while !shared.is_over() {
        match gripper.read_once() {
            Ok(state) => {
                store(&shared.width_m, state.width);
                shared.is_holding.store(state.is_grasped, Ordering::Release);
            }
            Err(error) => return shared.lose(&error),
        }
        let doing = shared.doing();
        let is_other = (shared.wanted() - doing.width_m).abs() > SAME_M;
        let is_ending = shared.is_ending.load(Ordering::Acquire);
        if doing.is_busy && (is_other || is_ending) {
            // Where there is nothing to stop any more the hand says so; that is no matter.
            if let Err(error @ FrankaError::Network(_)) = gripper.stop() {
                return shared.lose(&error);
            }
        }
    }
}

/// Does what is wanted.
fn work(gripper: &Gripper, shared: &Shared, config: &HandConfig) {
    while !shared.is_over() {
        if shared.is_homing.load(Ordering::Acquire) {
            match gripper.homing() {
                Ok(true) => {}
                Ok(false) => return shared.lose("the hand could not be homed"),
                Err(error) => return shared.lose(&error),
            }
            // It is elsewhere now than where it was told to be.
            shared.doing().width_m = f64::NAN;
            shared.is_homing.store(false, Ordering::Release);
        }
        let (wanted_m, done_m) = (shared.wanted(), shared.doing().width_m);
        if (wanted_m - done_m).abs() <= SAME_M || !wanted_m.is_finite() {
            thread::sleep(LOOK);
            continue;
        }
        let is_closing = wanted_m < load(&shared.width_m);
        *shared.doing() = Doing {
            width_m: wanted_m,
            is_busy: true,
        };
        let done = if is_closing {
            // Whatever stops the fingers on their way is held.
            gripper.grasp(wanted_m, config.speed_m_s, config.force_n, 0.0, 1.0)
        } else {
            gripper.move_gripper(wanted_m, config.speed_m_s)
        };
        shared.doing().is_busy = false;
        match done {
            // One that does not get there shows it in what it measures.
            Ok(_) => {}
            Err(error @ FrankaError::Network(_)) => return shared.lose(&error),
            // Refused, or interrupted because something else is wanted.
            Err(_) => {
                shared.doing().width_m = f64::NAN;
                thread::sleep(RETRY);
            }
        }
    }
}
