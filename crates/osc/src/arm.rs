//! The arm.

use std::time::{Duration, Instant};

use nalgebra::Isometry3;
use tiller_core::Pose;
use tiller_motion::kinematics::{JointVector, forward};
use tiller_motion::{Arm, ArmFault, ArmReading, Quantity, Setpoint, StartGap, Violation};

use crate::error::OscError;
use crate::law::{Law, Step, ahead};
use crate::link::Link;
use crate::wire::{Fault, FromDriver, Hello, State, StepLine, malformed};

/// Longest gap in the robot's time that is made up for, ms, or two periods where those are longer.
const LONGEST_MS: u32 = 100;

/// How much longer than two periods a state is waited for before the wait is told, ms.
const SLACK_MS: f64 = 20.0;

/// How a controller is reached and led.
#[derive(Debug, Clone, PartialEq)]
pub struct OscConfig {
    /// Its address, `host:port`.
    pub address: String,
    /// Gain of the law, see [`Law::gain`].
    pub gain: f64,
    /// Its lead, see [`Law::lead`].
    pub lead: f64,
    /// Silence that is a fault. Default: 500 ms. At least five periods, whatever is set.
    pub silence: Duration,
}

impl OscConfig {
    /// The controller at `address`, everything else at its default.
    #[must_use]
    pub fn at(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            gain: Law::GAIN,
            lead: Law::LEAD,
            silence: Duration::from_millis(500),
        }
    }
}

/// An arm whose own controller takes steps of the tool.
///
/// Set-points of the joints come every millisecond of the controller's time; whenever it says a state,
/// the newest one becomes a step from where the tool is. The motion begins with the first set-point;
/// before it nothing is sent. What goes wrong holds until [`Arm::recover`].
#[derive(Debug)]
pub struct OscArm {
    config: OscConfig,
    link: Link,
    hello: Hello,
    law: Law,
    state: State,
    /// Whether nobody has read the state yet.
    is_new: bool,
    /// Whether it still waits for its step.
    is_open: bool,
    /// When it came.
    came: Instant,
    elapsed_ms: u32,
    /// Set-points until the newest one.
    due: u32,
    /// The set-point of the last step, and the controller's time since then, ms.
    followed: Option<JointVector>,
    /// The opening that was asked for last, m: a hand that grips goes on.
    asked_m: Option<f64>,
    passed_ms: f64,
    steps: u64,
    clamped: u64,
    /// The worst of what was shortened since somebody asked, by how much of its limit it was.
    worst: Option<Violation>,
    failure: Option<OscError>,
}

impl OscArm {
    /// Connects to the controller and waits for its first state. Nothing moves.
    ///
    /// # Errors
    /// When it cannot be reached, cannot be led, or says something that means nothing.
    pub fn connect(config: &OscConfig) -> Result<Self, OscError> {
        let (mut link, hello) = Link::connect(&config.address)?;
        let silence = silence(config, &hello);
        let silent_ms = silence.as_millis() as u64;
        let state = link.state(Instant::now() + silence)?;
        let state = state.ok_or(OscError::Silent { silent_ms })?;
        let law = Law {
            gain: config.gain,
            lead: config.lead,
            ..Law::within(hello.most_m, hello.most_rad)
        };
        Ok(Self {
            config: config.clone(),
            link,
            hello,
            law,
            state,
            is_new: true,
            is_open: false,
            came: Instant::now(),
            elapsed_ms: 1,
            due: 1,
            followed: None,
            asked_m: None,
            passed_ms: 0.0,
            steps: 0,
            clamped: 0,
            worst: None,
            failure: stopped(state.fault),
        })
    }

    /// The same with a controller that may be starting: one that cannot be reached is tried again for
    /// `patience`.
    ///
    /// # Errors
    /// As [`OscArm::connect`].
    pub fn connect_within(config: &OscConfig, patience: Duration) -> Result<Self, OscError> {
        let may_come = |error: &OscError| matches!(error, OscError::Unreachable { .. });
        tiller_motion::connect_within(patience, may_come, || Self::connect(config))
    }

    /// Who the controller said that it is.
    #[must_use]
    pub fn controller(&self) -> &Hello {
        &self.hello
    }

    /// Highest speeds of the tool, m/s and rad/s, at which no step is shortened: a controller of first
    /// order that keeps up with them is asked for its largest step.
    #[must_use]
    pub fn tool_speeds(&self) -> (f64, f64) {
        let share = self.hello.rate_hz / self.law.gain;
        (self.hello.most_m * share, self.hello.most_rad * share)
    }

    /// Steps that were sent, and how many of them had been shortened to the controller's largest one.
    #[must_use]
    pub fn steps(&self) -> (u64, u64) {
        (self.steps, self.clamped)
    }

    /// Waits for the next state, and takes over the newest one that is there.
    fn receive(&mut self) -> Result<(), OscError> {
        if self.is_open {
            // Nobody has led the arm on: whoever does next begins anew.
            self.followed = None;
        }
        let period_ms = self.hello.period_ms();
        let wait = Duration::from_secs_f64((2.0 * period_ms + SLACK_MS) * 1e-3);
        let until = Instant::now() + wait;
        let before_ns = self.state.clock_ns;
        loop {
            match self.link.state(until)? {
                Some(state) => self.take(&state)?,
                None => return Err(self.silent()),
            }
            if !self.link.has_line() {
                break;
            }
        }
        let ms = |clock_ns: u64| clock_ns / 1_000_000;
        let passed_ms = ms(self.state.clock_ns).saturating_sub(ms(before_ns));
        self.passed_ms += (self.state.clock_ns - before_ns) as f64 * 1e-6;
        let longest = LONGEST_MS.max((2.0 * period_ms) as u32);
        self.elapsed_ms = passed_ms.clamp(1, longest.into()) as u32;
        self.due = self.elapsed_ms;
        self.is_open = true;
        self.came = Instant::now();
        Ok(())
    }

    fn take(&mut self, state: &State) -> Result<(), OscError> {
        if state.clock_ns <= self.state.clock_ns {
            let expected = format!("a clock_ns above {}", self.state.clock_ns);
            return Err(malformed(&expected, state.clock_ns.to_string()));
        }
        self.state = *state;
        // One that the next state has no word of any more has stopped the arm all the same.
        if self.failure.is_none() {
            self.failure = stopped(state.fault);
        }
        Ok(())
    }

    fn silent(&self) -> OscError {
        let silent = self.came.elapsed();
        let waited_ms = silent.as_millis() as u64;
        if silent >= silence(&self.config, &self.hello) {
            return OscError::Silent {
                silent_ms: waited_ms,
            };
        }
        OscError::Late {
            period_ms: self.hello.period_ms().round() as u32,
            waited_ms,
        }
    }

    /// What went wrong, which holds until somebody recovers the arm where it does not pass by itself.
    fn fail(&mut self, error: OscError) -> OscError {
        self.elapsed_ms = 1;
        self.is_open = false;
        if error.fault().is_some() {
            self.failure = Some(error.clone());
        }
        if error.is_of_connection() {
            // A controller serves one driver: it takes the next once this one has gone.
            self.link.close();
        }
        error
    }

    /// The step to where a set-point leads. The point that is controlled need not be our tool: how it
    /// stands to that is known from the state.
    fn step(&self, setpoint: &Setpoint) -> Step {
        let before = self.followed.as_ref().unwrap_or(&setpoint.q_rad);
        let periods = self.passed_ms / self.hello.period_ms();
        let led = ahead(&setpoint.q_rad, before, periods, self.law.lead);
        let here = self.state.base_from_tool();
        let tool_from_controlled: Isometry3<f64> =
            forward(&self.state.q_rad).isometry().inverse() * here.isometry();
        let there = forward(&led).isometry() * tool_from_controlled;
        let there = Pose::from_parts(there.translation.vector, &there.rotation);
        self.law.step(&here, &there)
    }

    fn send(&mut self, step: &Step, gripper_width_m: f64) -> Result<(), OscError> {
        let [least_m, largest_m] = self.hello.gripper_m;
        self.link.say(&FromDriver::Step(StepLine {
            seq: self.state.seq,
            translation_m: step.translation_m,
            rotation_rad: step.rotation_rad,
            gripper_width_m: gripper_width_m.max(least_m).min(largest_m),
        }))?;
        self.asked_m = Some(gripper_width_m);
        self.steps += 1;
        self.clamped += u64::from(step.clamped.any());
        self.note(step);
        Ok(())
    }

    fn note(&mut self, step: &Step) {
        let of = |quantity, most: f64, found: Option<f64>| {
            found.map(|found| Violation::new(quantity, most, found))
        };
        let found = [
            of(Quantity::Step, self.law.most_m, step.clamped.translation_m),
            of(
                Quantity::StepTurn,
                self.law.most_rad,
                step.clamped.rotation_rad,
            ),
        ];
        let share = |violation: &Violation| violation.value / violation.limit;
        let found = found.into_iter().flatten().chain(self.worst);
        self.worst = found.max_by(|a, b| share(a).total_cmp(&share(b)));
    }
}

impl Arm for OscArm {
    type Error = OscError;

    /// Waits for the controller's next state, two periods at most.
    fn read(&mut self) -> Result<ArmReading, OscError> {
        if let Some(failure) = &self.failure
            && failure.is_of_connection()
        {
            return Err(failure.clone());
        }
        if !self.is_new
            && let Err(error) = self.receive()
        {
            return Err(self.fail(error));
        }
        self.is_new = false;
        if let Some(failure) = self.failure.clone() {
            return Err(self.fail(failure));
        }
        Ok(ArmReading {
            q_rad: self.state.q_rad,
            dq_rad_s: self.state.dq_rad_s,
            gripper_width_m: self.state.gripper_width_m,
        })
    }

    /// Takes a set-point; the newest one that is due answers the state.
    fn command(&mut self, setpoint: &Setpoint) -> Result<(), OscError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        self.due = self.due.saturating_sub(1);
        if self.due > 0 || !self.is_open {
            return Ok(());
        }
        if self.followed.is_none() {
            StartGap::check(&setpoint.q_rad, &self.state.q_rad)?;
        }
        let step = self.step(setpoint);
        self.followed = Some(setpoint.q_rad);
        self.passed_ms = 0.0;
        self.is_open = false;
        self.send(&step, setpoint.gripper_width_m)
            .map_err(|error| self.fail(error))
    }

    fn elapsed_ms(&self) -> Option<u32> {
        Some(self.elapsed_ms)
    }

    fn period_ms(&self) -> u32 {
        self.hello.period_ms().round().max(1.0) as u32
    }

    fn clamped(&mut self) -> Option<Violation> {
        self.worst.take()
    }

    fn fault(&self) -> Option<ArmFault> {
        self.failure.as_ref().and_then(OscError::fault)
    }

    /// Connects anew where the connection is lost; else the arm must be ready again by its controller's
    /// own word, for there is none by which it could be told to be.
    fn recover(&mut self) -> Result<bool, OscError> {
        let Some(failure) = self.failure.clone() else {
            return Ok(false);
        };
        if failure.is_of_connection() {
            *self = Self::connect(&self.config)?;
        } else {
            self.receive().map_err(|error| self.fail(error))?;
            self.failure = stopped(self.state.fault);
            self.followed = None;
            self.is_new = true;
            self.elapsed_ms = 1;
        }
        match &self.failure {
            None => Ok(true),
            Some(failure) => Err(failure.clone()),
        }
    }
}

impl Drop for OscArm {
    /// Stops the arm; where that is not heard, the end of the connection does.
    fn drop(&mut self) {
        if self.followed.is_some() && self.failure.is_none() {
            let width_m = self.asked_m.unwrap_or(self.state.gripper_width_m);
            let _ends_anyway = self.send(&Step::default(), width_m);
        }
    }
}

fn silence(config: &OscConfig, hello: &Hello) -> Duration {
    let least = Duration::from_secs_f64(5.0 * hello.period_ms() * 1e-3);
    config.silence.max(least)
}

fn stopped(fault: Fault) -> Option<OscError> {
    match fault {
        Fault::None => None,
        Fault::Reflex => Some(OscError::Reflex),
        Fault::UserStop => Some(OscError::UserStop),
        Fault::NotReady => Some(OscError::NotReady),
    }
}
