//! The actuator: chunks in, one safe setpoint a millisecond out.

mod places;

use tiller_core::ActionLayout;

use crate::admission::{Admission, Start};
use crate::arm::{ArmReading, Setpoint};
use crate::chunk::{Chunk, MAX_STEPS};
use crate::config::{ActuatorConfig, ActuatorError, Resume};
use crate::event::{EventLog, Reason, Refusal, SafetyEvent, SafetyKind};
use crate::follower::Follower;
use crate::junction::{Junction, Underway};
use crate::lead::{Lead, place_of};
use crate::reading::Readings;
use crate::reference::Reference;
use crate::space::{self, Numbers, Space};
use crate::status::{Mode, ResumeError};
use crate::violation::{Quantity, Violation};

/// Ticks without being held back after which it is told again.
const FREE_TICKS: u32 = 200;

#[derive(Debug)]
struct Incoming {
    waypoints: Vec<Numbers>,
    gripper: Vec<Option<f64>>,
}

/// Executes chunks within the limits.
///
/// [`Actuator::tick`] is called once a millisecond, allocates nothing unless there is an event to
/// report, and always returns a setpoint that continues the last one within the limits. The same
/// calls give the same setpoints, bit for bit. Of the clock it believes what its caller says: a time
/// that leaps ends the chunk under way at most.
#[derive(Debug)]
pub struct Actuator {
    config: ActuatorConfig,
    mode: Mode,
    /// What the last stop was for.
    stopped_for: SafetyKind,
    reference: Reference,
    follower: Follower,
    readings: Readings,
    last_seq: Option<u64>,
    chunk_seq: u64,
    chunk_step: u32,
    /// The layout of the chunk accepted last; it is sound.
    layout: Option<ActionLayout>,
    /// Filled while a chunk is checked; taken over only when it is accepted.
    incoming: Incoming,
    executing_gripper: Vec<Option<f64>>,
    gripper_width_m: f64,
    last_tick_ns: u64,
    /// Ticks since the arm was last held back so as not to come too near to something.
    free_ticks: u32,
    events: EventLog,
}

impl Actuator {
    /// Holds the robot where `reading` finds it.
    ///
    /// # Errors
    /// When the settings are unusable or the reading is not believable.
    pub fn new(
        config: ActuatorConfig,
        reading: &ArmReading,
        now_ns: u64,
    ) -> Result<Self, ActuatorError> {
        config
            .problems()
            .finish(())
            .map_err(ActuatorError::Config)?;
        let readings = Readings::new(reading, &config.limits, now_ns)
            .map_err(|reason| ActuatorError::Reading(reason.text))?;
        let at = place_of(readings.chain());
        Ok(Self {
            mode: Mode::Holding,
            stopped_for: SafetyKind::StopRequested,
            reference: Reference::new(Space::Pose, at, MAX_STEPS + 1),
            follower: Follower::new(&config.limits, reading.q_rad),
            readings,
            last_seq: None,
            chunk_seq: 0,
            chunk_step: 0,
            layout: None,
            incoming: Incoming {
                waypoints: Vec::with_capacity(MAX_STEPS + 1),
                gripper: Vec::with_capacity(MAX_STEPS),
            },
            executing_gripper: Vec::with_capacity(MAX_STEPS),
            gripper_width_m: reading.gripper_width_m.clamp(0.0, config.gripper_open_m),
            last_tick_ns: now_ns,
            free_ticks: FREE_TICKS,
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
                self.take_over(chunk, junction.as_ref());
                // Time before the chunk does not count against it.
                self.last_tick_ns = now_ns;
            }
            Err(refusal) => self.tell_of(refusal, now_ns),
        }
        result.map(|_| ())
    }

    /// Whether [`Actuator::accept`] would take `chunk` over; nothing moves. Violations are events all the same.
    ///
    /// # Errors
    /// As [`Actuator::accept`].
    pub fn check(&mut self, chunk: &Chunk, now_ns: u64) -> Result<(), Refusal> {
        let result = self.admit(chunk, now_ns).map(|_| ());
        if let Err(refusal) = &result {
            self.tell_of(refusal, now_ns);
        }
        result
    }

    fn tell_of(&mut self, refusal: &Refusal, now_ns: u64) {
        let reason = Reason {
            violation: refusal.violation,
            text: refusal.to_string(),
        };
        self.events
            .push(now_ns, refusal.kind, Some(refusal.seq), reason);
    }

    fn take_over(&mut self, chunk: &Chunk, junction: Option<&Junction>) {
        let waypoints = &self.incoming.waypoints;
        match junction {
            Some(junction) => self.reference.carry_on(waypoints, junction.dropped()),
            None => {
                let space = Space::of(&chunk.layout);
                if space != self.reference.space() {
                    let at = match space {
                        Space::Pose => place_of(self.follower.chain()),
                        Space::Joints => Numbers::from(*self.follower.q_rad()),
                    };
                    self.reference.reset(space, at);
                    self.follower.take_up();
                }
                self.reference.follow(waypoints, chunk.layout.rate_hz);
            }
        }
        std::mem::swap(&mut self.executing_gripper, &mut self.incoming.gripper);
        if self.layout.as_ref() != Some(&chunk.layout) {
            self.layout = Some(chunk.layout.clone());
        }
        self.follower.engage();
        self.mode = Mode::Executing;
        self.last_seq = Some(chunk.seq);
        self.chunk_seq = chunk.seq;
        self.chunk_step = self.reference.steps_done() as u32;
    }

    /// Fills `incoming`; where the chunk joins the one under way, if it carries that on.
    fn admit(&mut self, chunk: &Chunk, now_ns: u64) -> Result<Option<Junction>, Refusal> {
        if matches!(self.mode, Mode::Stopping | Mode::Stopped) {
            return Err(Refusal::new(
                chunk.seq,
                SafetyKind::NotAccepting,
                format!("expected a chunk while ready to move, found {}", self.mode),
            ));
        }
        let underway = Underway {
            seq: self.chunk_seq,
            space: self.reference.space(),
            rate_hz: self.layout.as_ref().map_or(0.0, |layout| layout.rate_hz),
            steps: self.reference.step_count(),
            done: self.reference.steps_done(),
        };
        let junction = Junction::new(chunk, &underway)?;
        let start = match &junction {
            Some(junction) => Start::Path {
                waypoints: &self.reference.waypoints()[junction.kept_waypoints()],
                gripper: &self.executing_gripper[junction.kept_steps()],
            },
            None => Start::Anchor {
                pose: self.anchor(),
                q_rad: self.anchor_q_rad(),
            },
        };
        let events = &mut self.events;
        Admission {
            config: &self.config,
            now_ns,
            last_seq: self.last_seq,
            sound: self.layout.as_ref(),
            start,
            q_rad: self.follower.q_rad(),
            waypoints: &mut self.incoming.waypoints,
            gripper: &mut self.incoming.gripper,
        }
        .admit(chunk, &mut |kind, violation| {
            let reason = of_chunk(chunk.seq, "clamped", violation.into());
            events.push(now_ns, kind, Some(chunk.seq), reason);
        })?;
        if let Some(late) = junction.as_ref().and_then(Junction::lateness) {
            let reason = of_chunk(chunk.seq, "joined late", late.into());
            events.push(now_ns, SafetyKind::JoinedLate, Some(chunk.seq), reason);
        }
        Ok(junction)
    }

    /// Brakes to rest within the limits and stays stopped until [`Actuator::resume`].
    pub fn stop(&mut self, reason: &str, now_ns: u64) {
        // Whoever asks for a stop while readings are lost wants more than that.
        self.stopped_for = SafetyKind::StopRequested;
        self.begin_stop(
            SafetyKind::StopRequested,
            format!("{reason}; motion goes on after `resume`").into(),
            now_ns,
        );
    }

    /// Brakes to rest as [`Actuator::stop`] does; told apart from it, for whoever asks means to go on.
    pub fn pause(&mut self, reason: &str, now_ns: u64) {
        self.stopped_for = SafetyKind::PauseRequested;
        self.begin_stop(
            SafetyKind::PauseRequested,
            format!("{reason}; motion goes on with `resume`").into(),
            now_ns,
        );
    }

    /// Allows motion again after a stop; chunks made before it stay refused by their age and
    /// sequence number.
    ///
    /// # Errors
    /// When the actuator is not stopped, gets no readings, or the robot was moved meanwhile.
    pub fn resume(&mut self, now_ns: u64) -> Result<(), ResumeError> {
        if self.mode != Mode::Stopped {
            return Err(ResumeError::NotStopped(self.mode));
        }
        if self.readings.missed() > 0 {
            return Err(ResumeError::NoReading(self.readings.missed()));
        }
        let found_m = (self.follower.chain().position - self.readings.chain().position).norm();
        let expected_m = self.config.max_tracking_error_m;
        if found_m > expected_m {
            return Err(ResumeError::Displaced {
                expected_m,
                found_m,
            });
        }
        let expected_rad = self.config.max_tracking_error_rad;
        let measured = self.readings.q_rad();
        for (joint, commanded) in self.follower.q_rad().iter().enumerate() {
            let found_rad = (commanded - measured[joint]).abs();
            if found_rad > expected_rad {
                return Err(ResumeError::JointMoved {
                    joint: joint + 1,
                    expected_rad,
                    found_rad,
                });
            }
        }
        self.mode = Mode::Holding;
        self.events
            .push(now_ns, SafetyKind::Resumed, None, "motion is allowed again");
        Ok(())
    }

    /// Accepts any sequence number next: for a sampler that was restarted and counts anew.
    pub fn forget_sequence(&mut self) {
        self.last_seq = None;
    }

    /// The setpoint for the next millisecond. Call at 1 kHz; one call is one millisecond of motion,
    /// `now_ns` serves the checks. A reading that cannot be right counts as none, see
    /// [`Actuator::tick_without_reading`].
    pub fn tick(&mut self, reading: &ArmReading, now_ns: u64) -> Setpoint {
        let standing = self.mode == Mode::Stopped;
        let taken = self
            .readings
            .take(reading, &self.config.limits, standing, now_ns);
        match taken {
            Ok(()) => self.resume_by_itself(now_ns),
            Err(reason) => {
                if let Some(Reason { violation, text }) = reason {
                    let text = format!(
                        "reading {} refused, the last good one serves meanwhile: {text}",
                        self.readings.refused()
                    );
                    let reason = Reason { violation, text };
                    self.events
                        .push(now_ns, SafetyKind::ReadingRefused, None, reason);
                }
                self.check_missed(now_ns);
            }
        }
        self.advance(now_ns)
    }

    /// In place of [`Actuator::tick`] when the robot gave no reading: motion goes on for
    /// [`ActuatorConfig::max_missed_readings`] ticks, then a controlled stop begins.
    pub fn tick_without_reading(&mut self, now_ns: u64) -> Setpoint {
        self.readings.miss();
        self.check_missed(now_ns);
        self.advance(now_ns)
    }

    /// What the actuator is doing, without what else its status says.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Readings that were not believed since the start.
    pub fn refused_readings(&self) -> u64 {
        self.readings.refused()
    }

    /// What was refused, clamped or stopped since the last call, oldest first.
    pub fn drain_events(&mut self) -> Vec<SafetyEvent> {
        self.events.drain()
    }

    fn check_missed(&mut self, now_ns: u64) {
        let missed = self.readings.missed();
        if missed <= self.config.max_missed_readings || self.is_stopping() {
            return;
        }
        let how = match self.config.resume {
            Resume::Manual => "motion goes on after `resume`, once there are readings".to_owned(),
            Resume::Automatic { after_ns } => format!(
                "motion is allowed again after {} ms of good readings, or by `resume`",
                after_ns / 1_000_000
            ),
        };
        self.stopped_for = SafetyKind::ReadingLost;
        let most = f64::from(self.config.max_missed_readings);
        let violation = Violation::new(Quantity::Missed, most, f64::from(missed));
        let reason = Reason {
            violation: Some(violation),
            text: format!("{violation}; {how}"),
        };
        self.begin_stop(SafetyKind::ReadingLost, reason, now_ns);
    }

    fn resume_by_itself(&mut self, now_ns: u64) {
        let Resume::Automatic { after_ns } = self.config.resume else {
            return;
        };
        if self.mode != Mode::Stopped
            || self.stopped_for != SafetyKind::ReadingLost
            || self.readings.good_for_ns(now_ns) < after_ns
        {
            return;
        }
        if let Err(error) = self.resume(now_ns) {
            // Once: from here on somebody must look.
            self.stopped_for = SafetyKind::ResumeRefused;
            let reason = Reason {
                violation: error.violation(),
                text: error.to_string(),
            };
            self.events
                .push(now_ns, SafetyKind::ResumeRefused, None, reason);
        }
    }

    fn advance(&mut self, now_ns: u64) -> Setpoint {
        let pause_ns = now_ns.saturating_sub(self.last_tick_ns);
        self.last_tick_ns = now_ns;
        if self.mode == Mode::Executing && pause_ns > self.config.max_loop_gap_ns {
            let (most_ms, found_ms) = (
                self.config.max_loop_gap_ns as f64 * 1e-6,
                pause_ns as f64 * 1e-6,
            );
            let pause = Violation::new(Quantity::Pause, most_ms, found_ms);
            self.give_up(SafetyKind::LoopGap, pause, now_ns);
        }
        match self.mode {
            Mode::Holding | Mode::Executing => self.follow(now_ns),
            Mode::Stopping => {
                self.follower.brake();
                if self.follower.is_at_rest() {
                    let at = place_of(self.follower.chain());
                    self.reference.reset(Space::Pose, at);
                    self.mode = Mode::Stopped;
                }
            }
            Mode::Stopped => self.follower.brake(),
        }
        self.tell_held_back(now_ns);
        Setpoint {
            q_rad: *self.follower.q_rad(),
            gripper_width_m: self.gripper_width_m,
        }
    }

    fn follow(&mut self, now_ns: u64) {
        if self.mode == Mode::Executing {
            self.command_gripper();
        }
        let space = self.reference.space();
        let from = *self.reference.smoothed();
        let pace = self.follower.pace(space, &self.reference.upcoming());
        let velocity = self.reference.advance(pace);
        self.follower.follow(space, &from, &velocity);
        if self.mode != Mode::Executing {
            return;
        }
        self.chunk_step = self.reference.steps_done() as u32;
        if self.reference.is_finished() {
            self.mode = Mode::Holding;
        }
        if let Some(distance) = self.lost() {
            self.give_up(SafetyKind::TrackingLost, distance, now_ns);
        }
    }

    /// Tells once of what the arm is held back for.
    fn tell_held_back(&mut self, now_ns: u64) {
        let Some(nearest) = self.follower.held_back() else {
            self.free_ticks = self.free_ticks.saturating_add(1);
            return;
        };
        if std::mem::take(&mut self.free_ticks) >= FREE_TICKS {
            let (kind, violation) = nearest.violation();
            let reason = of_chunk(self.chunk_seq, "held back", violation.into());
            self.events.push(now_ns, kind, Some(self.chunk_seq), reason);
        }
    }

    /// Whether robot, setpoints and plan are too far apart.
    fn lost(&self) -> Option<Violation> {
        let most = (
            self.config.max_tracking_error_m,
            self.config.max_tracking_error_rad,
        );
        let lead = self.lead();
        lead.lost(most)
            .or_else(|| lead.out_of_reach(self.reference.space(), self.reference.smoothed(), most))
    }

    /// The action of the step that begins decides; between the thresholds the fingers stay.
    fn command_gripper(&mut self) {
        let margin = 0.5 * self.config.gripper_threshold;
        match self.executing_gripper.get(self.reference.steps_done()) {
            Some(&Some(opening)) if opening > 0.5 + margin => {
                self.gripper_width_m = self.config.gripper_open_m;
            }
            Some(&Some(opening)) if opening < 0.5 - margin => self.gripper_width_m = 0.0,
            _ => {}
        }
    }

    fn is_stopping(&self) -> bool {
        matches!(self.mode, Mode::Stopping | Mode::Stopped)
    }

    fn begin_stop(&mut self, kind: SafetyKind, reason: Reason, now_ns: u64) {
        if !self.is_stopping() {
            self.mode = Mode::Stopping;
            self.events.push(now_ns, kind, None, reason);
        }
    }

    /// Drops the rest of the chunk and settles where a new one would start.
    fn give_up(&mut self, kind: SafetyKind, violation: Violation, now_ns: u64) {
        let (lead, most_rad) = (self.lead(), self.max_anchor_lead_rad());
        let at = match self.reference.space() {
            Space::Pose => {
                let commanded = space::pose(&place_of(self.follower.chain()));
                let pose = lead.drawn_back(&commanded, self.config.max_anchor_lead_m, most_rad);
                space::place(&pose.position(), &pose.rotation())
            }
            Space::Joints => Numbers::from(lead.joints_drawn_back(self.follower.q_rad(), most_rad)),
        };
        self.reference.settle_at(at);
        self.mode = Mode::Holding;
        let reason = of_chunk(self.chunk_seq, "given up", violation.into());
        self.events.push(now_ns, kind, Some(self.chunk_seq), reason);
    }

    fn lead(&self) -> Lead<'_> {
        Lead {
            commanded: self.follower.chain(),
            commanded_q_rad: self.follower.q_rad(),
            measured: self.readings.chain(),
            measured_q_rad: self.readings.q_rad(),
        }
    }
}

/// What became of a chunk, and why.
fn of_chunk(seq: u64, what: &str, reason: Reason) -> Reason {
    Reason {
        violation: reason.violation,
        text: format!("chunk {seq} {what}: {}", reason.text),
    }
}
