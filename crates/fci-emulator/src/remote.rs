//! An arm that lives on another thread, such as a simulator's: what it is told waits there until it is
//! done.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tiller_motion::{ArmReading, Setpoint};

use crate::arm::{Drive, EmulatedArm, Pace};

/// Milliseconds that may wait to be done; the oldest of more are dropped, as an arm that is a second
/// behind will not make up for them.
const MOST: usize = 1000;

/// How long a robot in step with its arm waits for it; less than the second after which clients give
/// a silent robot up.
const PATIENCE: Duration = Duration::from_millis(300);

struct State {
    told: VecDeque<Setpoint>,
    /// Milliseconds that were told and are not done.
    open: usize,
    reading: ArmReading,
    /// One of the two ends.
    is_gone: bool,
}

struct Link {
    state: Mutex<State>,
    changed: Condvar,
}

impl Link {
    /// A side that panicked has left numbers that are whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `is_met` or one end has gone, for `patience` at most.
    fn wait(&self, patience: Duration, is_met: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let waits = |state: &mut State| !state.is_gone && !is_met(state);
        let waited = self
            .changed
            .wait_timeout_while(self.state(), patience, waits);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// The robot's end of an arm on another thread. It follows positions only.
pub struct RemoteArm {
    link: Arc<Link>,
    step_ms: usize,
    is_in_step: bool,
}

/// The arm's end: whoever moves it takes what it is told, and tells what it measures then.
///
/// ```
/// use std::time::Duration;
/// use tiller_fci_emulator::{Config, Emulator, RemoteArm};
/// use tiller_motion::{ArmReading, kinematics::HOME_Q};
///
/// let reading = ArmReading::at_rest(HOME_Q, 0.08);
/// let (arm, mut reins) = RemoteArm::new(reading, 2, true);
/// let emulator = Emulator::start_with(&Config::default(), Box::new(arm))?;
/// // Two milliseconds of a robot that nobody commands: it holds the arm.
/// let setpoints = reins.take(Duration::from_secs(1)).expect("it lives");
/// assert_eq!(setpoints[1].q_rad, HOME_Q);
/// reins.done(reading);
/// # drop(emulator);
/// # Ok::<(), tiller_fci_emulator::StartError>(())
/// ```
pub struct Reins {
    link: Arc<Link>,
    step_ms: usize,
    taken: Vec<Setpoint>,
}

impl RemoteArm {
    /// An arm that measures `reading` and is moved by `step_ms` milliseconds at a time, at least 1. With
    /// `is_in_step` the robot waits for it: what it measures is then never older than one such step.
    #[must_use]
    pub fn new(reading: ArmReading, step_ms: usize, is_in_step: bool) -> (Self, Reins) {
        let step_ms = step_ms.max(1);
        let state = State {
            told: VecDeque::with_capacity(MOST),
            open: 0,
            reading,
            is_gone: false,
        };
        let link = Arc::new(Link {
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        let reins = Reins {
            link: Arc::clone(&link),
            step_ms,
            taken: Vec::with_capacity(step_ms),
        };
        let arm = Self {
            link,
            step_ms,
            is_in_step,
        };
        (arm, reins)
    }
}

impl EmulatedArm for RemoteArm {
    fn reading(&self) -> ArmReading {
        self.link.state().reading
    }

    fn step(&mut self, drive: &Drive, gripper_width_m: f64) {
        // Motions by torques are refused before they begin.
        let Drive::Position(q_rad) = drive else {
            return;
        };
        let mut state = self.link.state();
        if state.told.len() == MOST {
            state.told.pop_front();
            state.open -= 1;
        }
        state.open += 1;
        state.told.push_back(Setpoint {
            q_rad: *q_rad,
            gripper_width_m,
        });
        drop(state);
        self.link.changed.notify_all();
    }

    fn takes_torques(&self) -> bool {
        false
    }

    fn pace(&self) -> Option<Pace> {
        let (link, step_ms) = (Arc::clone(&self.link), self.step_ms);
        let pace = move || {
            drop(link.wait(PATIENCE, |state| state.open < step_ms));
        };
        self.is_in_step.then(|| -> Pace { Box::new(pace) })
    }
}

impl Reins {
    /// What the arm is to do in its next step, a setpoint a millisecond; none where the robot has not
    /// told it within `patience`, or has gone.
    pub fn take(&mut self, patience: Duration) -> Option<&[Setpoint]> {
        let step_ms = self.step_ms;
        let mut state = self
            .link
            .wait(patience, |state| state.told.len() >= step_ms);
        if state.told.len() < step_ms {
            return None;
        }
        self.taken.clear();
        self.taken.extend(state.told.drain(..step_ms));
        drop(state);
        Some(&self.taken)
    }

    /// What was taken last is done; the arm measures `reading` now.
    pub fn done(&mut self, reading: ArmReading) {
        let mut state = self.link.state();
        state.reading = reading;
        state.open = state.open.saturating_sub(self.taken.len());
        self.taken.clear();
        drop(state);
        self.link.changed.notify_all();
    }
}

impl Link {
    /// Nobody waits for an end that has gone.
    fn end(&self) {
        self.state().is_gone = true;
        self.changed.notify_all();
    }
}

impl Drop for Reins {
    fn drop(&mut self) {
        self.link.end();
    }
}

impl Drop for RemoteArm {
    fn drop(&mut self) {
        self.link.end();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use tiller_core::kinematics::HOME_Q;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn at(width_m: f64) -> ArmReading {
        ArmReading::at_rest(HOME_Q, width_m)
    }

    fn tell(arm: &mut RemoteArm, width_m: f64) {
        arm.step(&Drive::Position(HOME_Q), width_m);
    }

    #[test]
    fn what_is_told_is_done_step_by_step() {
        let (mut arm, mut reins) = RemoteArm::new(at(0.0), 2, true);
        tell(&mut arm, 0.01);
        assert_eq!(reins.take(Duration::ZERO), None, "half a step");
        tell(&mut arm, 0.02);
        tell(&mut arm, 0.03);
        let widths: Vec<f64> = reins
            .take(Duration::ZERO)
            .unwrap()
            .iter()
            .map(|setpoint| setpoint.gripper_width_m)
            .collect();
        assert_eq!(widths, [0.01, 0.02]);
        assert_eq!(arm.reading(), at(0.0));
        reins.done(at(0.5));
        assert_eq!(arm.reading(), at(0.5));
        assert_eq!(reins.take(Duration::ZERO), None);
    }

    #[test]
    fn a_robot_in_step_waits_and_never_runs_ahead() {
        let (mut arm, mut reins) = RemoteArm::new(at(0.0), 2, true);
        let told = Arc::new(AtomicUsize::new(0));
        let telling = Arc::clone(&told);
        let robot = thread::spawn(move || {
            let pace = arm.pace().unwrap();
            for _ in 0..200 {
                pace();
                tell(&mut arm, 0.0);
                telling.fetch_add(1, Ordering::SeqCst);
            }
        });
        for step in 1..=100 {
            reins.take(LONG).unwrap();
            let ahead = told.load(Ordering::SeqCst) as i64 - 2 * step;
            assert!(ahead <= 0, "{ahead}");
            reins.done(at(0.0));
        }
        robot.join().unwrap();
    }

    #[test]
    fn nobody_waits_for_an_arm_that_has_gone() {
        let (mut arm, reins) = RemoteArm::new(at(0.0), 1, true);
        drop(reins);
        let pace = arm.pace().unwrap();
        // With patience this would take minutes.
        for _ in 0..2000 {
            pace();
            tell(&mut arm, 0.0);
        }
        assert_eq!(arm.link.state().told.len(), MOST);
    }

    #[test]
    fn a_robot_in_its_own_time_waits_for_nothing() {
        let (arm, _reins) = RemoteArm::new(at(0.0), 2, false);
        assert!(arm.pace().is_none() && !arm.takes_torques());
    }
}
