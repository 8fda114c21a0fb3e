//! The actuator: chunks in, one safe setpoint a millisecond out.

use nalgebra::Vector3;
use thiserror::Error;

use crate::arm::{ArmReading, Setpoint};
use crate::chunk::{Admission, Chunk, MAX_STEPS, Start};
use crate::config::{ActuatorConfig, ActuatorError};
use crate::event::{EventLog, Refusal, SafetyEvent, SafetyKind};
use crate::follower::Follower;
use crate::junction::{Junction, Underway};
use crate::kinematics::{Chain, JOINTS, down_rotation};
use crate::limits::Limits;
use crate::reference::Reference;

/// Largest tilt from straight down that is straightened without asking, rad.
const MAX_START_TILT_RAD: f64 = 0.35;

/// How far outside its limits a joint may be measured before the reading is not believed, rad.
const READING_SLACK_RAD: f64 = 0.1;

/// What the actuator is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// No steps are left: standing at, or settling on, the last waypoint.
    Holding,
    /// Following a chunk.
    Executing,
    /// Braking after a stop or a lost reading.
    Stopping,
    /// At rest after a stop; chunks are refused until [`Actuator::resume`].
    Stopped,
}

/// The actuator's state as others need it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ActuatorStatus {
    /// Sequence number of the last chunk accepted; 0 before the first.
    pub chunk_seq: u64,
    /// Steps of that chunk that are over.
    pub chunk_step: u32,
    /// What the actuator is doing.
    pub mode: Mode,
    /// Where the next chunk should start, m: where the schedule is now, drawn back by as much as
    /// the measured TCP is further than [`ActuatorConfig::max_anchor_lead_m`] from the commanded
    /// one. At rest it is the commanded TCP within that distance of the measured one.
    pub anchor_position_m: [f64; 3],
}

/// Why motion was not allowed again.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum ResumeError {
    /// Only a stopped actuator can resume.
    #[error("expected to be stopped, found {0:?}")]
    NotStopped(Mode),
    /// The robot was moved meanwhile: start a new actuator from where it is.
    #[error("expected the robot within {expected_m} m of where it stopped, found {found_m:.3} m")]
    Displaced {
        /// Largest distance allowed.
        expected_m: f64,
        /// Distance found.
        found_m: f64,
    },
}

#[derive(Debug)]
struct Incoming {
    waypoints: Vec<Vector3<f64>>,
    gripper: Vec<f64>,
}

/// Executes chunks within the limits.
///
/// [`Actuator::tick`] is called once a millisecond, allocates nothing unless there is an event to
/// report, and always returns a setpoint that continues the last one within the limits. The same
/// calls give the same setpoints, bit for bit.
#[derive(Debug)]
pub struct Actuator {
    config: ActuatorConfig,
    mode: Mode,
    reference: Reference,
    follower: Follower,
    /// Measured TCP position of the last believable reading.
    measured: Vector3<f64>,
    missed_readings: u32,
    last_seq: Option<u64>,
    chunk_seq: u64,
    chunk_step: u32,
    /// Steps a second of the chunk accepted last.
    rate_hz: f64,
    /// Filled while a chunk is checked; taken over only when it is accepted.
    incoming: Incoming,
    executing_gripper: Vec<f64>,
    gripper_width_m: f64,
    last_tick_ns: u64,
    events: EventLog,
}

impl Actuator {
    /// Holds the robot where `reading` finds it.
    ///
    /// # Errors
    /// When the settings are unusable, the reading is not believable, or the gripper is tilted by
    /// more than 0.35 rad from straight down.
    pub fn new(
        config: ActuatorConfig,
        reading: &ArmReading,
        now_ns: u64,
    ) -> Result<Self, ActuatorError> {
        let problems = config.problems();
        if !problems.is_empty() {
            return Err(ActuatorError::Config(problems));
        }
        check_reading(reading, &config.limits, 0.0).map_err(ActuatorError::Reading)?;
        let chain = Chain::new(&reading.q_rad);
        let cosine = 0.5 * ((chain.rotation.transpose() * down_rotation()).trace() - 1.0);
        let tilt = cosine.clamp(-1.0, 1.0).acos();
        if tilt > MAX_START_TILT_RAD {
            return Err(ActuatorError::Tilted {
                expected_rad: MAX_START_TILT_RAD,
                found_rad: tilt,
            });
        }
        Ok(Self {
            mode: Mode::Holding,
            reference: Reference::new(chain.position, MAX_STEPS + 1),
            follower: Follower::new(&config.limits, reading.q_rad),
            measured: chain.position,
            missed_readings: 0,
            last_seq: None,
            chunk_seq: 0,
            chunk_step: 0,
            rate_hz: 0.0,
            incoming: Incoming {
                waypoints: Vec::with_capacity(MAX_STEPS + 1),
                gripper: Vec::with_capacity(MAX_STEPS),
            },
            executing_gripper: Vec::with_capacity(MAX_STEPS),
            gripper_width_m: reading.gripper_width_m.clamp(0.0, config.gripper_open_m),
            last_tick_ns: now_ns,
            events: EventLog::default(),
            config,
        })
    }

    /// Takes `chunk` over from the next tick on, in place of whatever was left of the last one.
    ///
    /// # Errors
    /// When the chunk is refused; it is then an event as well, and the motion under way goes on.
    /// Values that the settings say to clamp are clamped and become events.
    pub fn accept(&mut self, chunk: &Chunk, now_ns: u64) -> Result<(), Refusal> {
        let result = self.admit(chunk, now_ns);
        match &result {
            Ok(junction) => {
                match junction {
                    Some(junction) => self
                        .reference
                        .carry_on(&self.incoming.waypoints, junction.dropped()),
                    None => self
                        .reference
                        .follow(&self.incoming.waypoints, chunk.rate_hz),
                }
                self.rate_hz = chunk.rate_hz;
                std::mem::swap(&mut self.executing_gripper, &mut self.incoming.gripper);
                self.follower.engage();
                self.mode = Mode::Executing;
                self.last_seq = Some(chunk.seq);
                self.chunk_seq = chunk.seq;
                self.chunk_step = self.reference.steps_done() as u32;
                // Time before the chunk does not count against it.
                self.last_tick_ns = now_ns;
            }
            Err(refusal) => self.events.push(now_ns, refusal.kind, refusal.to_string()),
        }
        result.map(|_| ())
    }

    /// Fills `incoming`; where the chunk joins the one under way, if it carries that on.
    fn admit(&mut self, chunk: &Chunk, now_ns: u64) -> Result<Option<Junction>, Refusal> {
        if matches!(self.mode, Mode::Stopping | Mode::Stopped) {
            return Err(Refusal {
                seq: chunk.seq,
                kind: SafetyKind::NotAccepting,
                text: format!(
                    "expected a chunk while ready to move, found {:?}",
                    self.mode
                ),
            });
        }
        let underway = Underway {
            seq: self.chunk_seq,
            rate_hz: self.rate_hz,
            steps: self.reference.step_count(),
            done: self.reference.steps_done(),
        };
        let junction = Junction::new(chunk, &underway)?;
        let start = match &junction {
            Some(junction) => Start::Path {
                waypoints: &self.reference.waypoints()[junction.kept_waypoints()],
                gripper: &self.executing_gripper[junction.kept_steps()],
            },
            None => Start::Anchor(self.anchor()),
        };
        let events = &mut self.events;
        Admission {
            config: &self.config,
            now_ns,
            last_seq: self.last_seq,
            start,
            waypoints: &mut self.incoming.waypoints,
            gripper: &mut self.incoming.gripper,
        }
        .admit(chunk, &mut |kind, text| events.push(now_ns, kind, text))?;
        if let Some(text) = junction.as_ref().and_then(Junction::lateness) {
            let text = format!("chunk {} {text}", chunk.seq);
            events.push(now_ns, SafetyKind::JoinedLate, text);
        }
        Ok(junction)
    }

    /// Brakes to rest within the limits and stays stopped until [`Actuator::resume`].
    pub fn stop(&mut self, reason: &str, now_ns: u64) {
        self.begin_stop(SafetyKind::StopRequested, reason.to_string(), now_ns);
    }

    /// Allows motion again after a stop; chunks made before it stay refused by their age and
    /// sequence number.
    ///
    /// # Errors
    /// When the actuator is not stopped, or the robot was moved meanwhile.
    pub fn resume(&mut self, now_ns: u64) -> Result<(), ResumeError> {
        if self.mode != Mode::Stopped {
            return Err(ResumeError::NotStopped(self.mode));
        }
        let found_m = (self.follower.position() - self.measured).norm();
        let expected_m = self.config.max_tracking_error_m;
        if found_m > expected_m {
            return Err(ResumeError::Displaced {
                expected_m,
                found_m,
            });
        }
        self.mode = Mode::Holding;
        self.missed_readings = 0;
        self.events.push(
            now_ns,
            SafetyKind::Resumed,
            "motion is allowed again".into(),
        );
        Ok(())
    }

    /// Accepts any sequence number next: for a sampler that was restarted and counts anew.
    pub fn forget_sequence(&mut self) {
        self.last_seq = None;
    }

    /// The setpoint for the next millisecond. Call at 1 kHz; one call is one millisecond of motion,
    /// `now_ns` serves the checks.
    pub fn tick(&mut self, reading: &ArmReading, now_ns: u64) -> Setpoint {
        match check_reading(reading, &self.config.limits, READING_SLACK_RAD) {
            Ok(()) => {
                self.missed_readings = 0;
                self.measured = Chain::new(&reading.q_rad).position;
            }
            Err(text) => self.begin_stop(SafetyKind::ReadingLost, text, now_ns),
        }
        self.advance(now_ns)
    }

    /// In place of [`Actuator::tick`] when the robot gave no reading: motion goes on for
    /// [`ActuatorConfig::max_missed_readings`] ticks, then a controlled stop begins.
    pub fn tick_without_reading(&mut self, now_ns: u64) -> Setpoint {
        self.missed_readings = self.missed_readings.saturating_add(1);
        if self.missed_readings > self.config.max_missed_readings {
            let text = format!("no reading for {} ms", self.missed_readings);
            self.begin_stop(SafetyKind::ReadingLost, text, now_ns);
        }
        self.advance(now_ns)
    }

    /// What the actuator is doing and where the next chunk should start.
    pub fn status(&self) -> ActuatorStatus {
        ActuatorStatus {
            chunk_seq: self.chunk_seq,
            chunk_step: self.chunk_step,
            mode: self.mode,
            anchor_position_m: self.anchor().into(),
        }
    }

    /// What was refused, clamped or stopped since the last call, oldest first.
    pub fn drain_events(&mut self) -> Vec<SafetyEvent> {
        self.events.drain()
    }

    fn advance(&mut self, now_ns: u64) -> Setpoint {
        let pause_ns = now_ns.saturating_sub(self.last_tick_ns);
        self.last_tick_ns = now_ns;
        if self.mode == Mode::Executing && pause_ns > self.config.max_loop_gap_ns {
            let text = format!("the control loop paused for {} ms", pause_ns / 1_000_000);
            self.give_up(SafetyKind::LoopGap, text, now_ns);
        }
        match self.mode {
            Mode::Holding | Mode::Executing => self.follow(now_ns),
            Mode::Stopping => {
                self.follower.brake();
                if self.follower.is_at_rest() {
                    self.reference.reset(self.follower.position());
                    self.mode = Mode::Stopped;
                }
            }
            Mode::Stopped => self.follower.brake(),
        }
        Setpoint {
            q_rad: *self.follower.q_rad(),
            gripper_width_m: self.gripper_width_m,
        }
    }

    fn follow(&mut self, now_ns: u64) {
        if self.mode == Mode::Executing {
            self.command_gripper();
        }
        let from = self.reference.smoothed();
        let pace = self.follower.pace(&self.reference.upcoming());
        let velocity = self.reference.advance(pace);
        self.follower.follow(from, velocity);
        if self.mode != Mode::Executing {
            return;
        }
        self.chunk_step = self.reference.steps_done() as u32;
        if self.reference.is_finished() {
            self.mode = Mode::Holding;
        }
        let most = self.config.max_tracking_error_m;
        let commanded = self.follower.position();
        let behind = (commanded - self.measured).norm();
        let short = (self.reference.smoothed() - commanded).norm();
        if behind > most {
            let text =
                format!("expected the robot within {most} m of its setpoint, found {behind:.3}");
            self.give_up(SafetyKind::TrackingLost, text, now_ns);
        } else if short > most {
            let text = format!(
                "expected setpoints within {most} m of the plan, found {short:.3}: out of reach"
            );
            self.give_up(SafetyKind::TrackingLost, text, now_ns);
        }
    }

    /// The action of the step that begins decides; between the thresholds the fingers stay.
    fn command_gripper(&mut self) {
        let threshold = self.config.gripper_threshold;
        match self.executing_gripper.get(self.reference.steps_done()) {
            Some(&action) if action > threshold => {
                self.gripper_width_m = self.config.gripper_open_m;
            }
            Some(&action) if action < -threshold => self.gripper_width_m = 0.0,
            _ => {}
        }
    }

    fn begin_stop(&mut self, kind: SafetyKind, text: String, now_ns: u64) {
        if !matches!(self.mode, Mode::Stopping | Mode::Stopped) {
            self.mode = Mode::Stopping;
            self.events.push(now_ns, kind, text);
        }
    }

    /// Drops the rest of the chunk and settles where a new one would start.
    fn give_up(&mut self, kind: SafetyKind, text: String, now_ns: u64) {
        let at = self.clamped_to_measured(self.follower.position());
        self.reference.settle_at(at);
        self.mode = Mode::Holding;
        self.events.push(
            now_ns,
            kind,
            format!("chunk {} given up: {text}", self.chunk_seq),
        );
    }

    fn anchor(&self) -> Vector3<f64> {
        let commanded = self.follower.position();
        let scheduled = match self.mode {
            Mode::Holding | Mode::Executing => self.reference.scheduled(),
            Mode::Stopping | Mode::Stopped => commanded,
        };
        scheduled + (self.clamped_to_measured(commanded) - commanded)
    }

    fn clamped_to_measured(&self, commanded: Vector3<f64>) -> Vector3<f64> {
        let lead = commanded - self.measured;
        let most = self.config.max_anchor_lead_m;
        self.measured + lead * (most / lead.norm().max(most))
    }
}

/// Says what is wrong with a reading, if anything.
fn check_reading(reading: &ArmReading, limits: &Limits, slack_rad: f64) -> Result<(), String> {
    let finite = reading
        .q_rad
        .iter()
        .chain(&reading.dq_rad_s)
        .all(|value| value.is_finite());
    if !finite || !reading.gripper_width_m.is_finite() {
        return Err(format!("expected finite numbers, found {reading:?}"));
    }
    for joint in 0..JOINTS {
        let (q, low, high) = (
            reading.q_rad[joint],
            limits.joint.position_min_rad[joint] - slack_rad,
            limits.joint.position_max_rad[joint] + slack_rad,
        );
        if q < low || q > high {
            return Err(format!(
                "expected joint {} within {low:.4} to {high:.4} rad, found {q:.4}",
                joint + 1
            ));
        }
    }
    Ok(())
}
