//! The robot in front of the world's arm, where a client of its control interface moves it.

use std::thread;
use std::time::{Duration, Instant};

use eyre::Result;
use tiller_fci_emulator::{Clock, Emulator, Event, Reins, RemoteArm};
use tiller_messages::Level;
use tiller_motion::kinematics::{JointVector, forward};
use tiller_node_kit::Outbox;
use tiller_world::ArmMeasurement;

use super::Node;
use crate::episode::Over;
use crate::robot::FciSettings;

/// How long the world goes on before inputs are looked at again.
const SLICE: Duration = Duration::from_millis(5);

/// Wall time after which a client that does not come is named.
const CLIENT_LIMIT: Duration = Duration::from_millis(900);

/// How often everybody is shown the scene again while the client is waited for.
const SHOW_AGAIN: Duration = Duration::from_millis(500);

/// How long a client may take to bring the arm to rest and to go.
const LEAVE_LIMIT: Duration = Duration::from_secs(5);

/// Joints slower than this rest, rad/s.
const REST_RAD_S: f64 = 0.01;

/// For how long they must, ns of the world.
const REST_NS: u64 = 100_000_000;

/// The robot, and what is known of its client.
pub(super) struct Franka {
    settings: FciSettings,
    running: Option<Running>,
    client: Client,
    /// Since when the client has been waited for, whether that was told, and when the scene was shown.
    awaited_since: Instant,
    is_told: bool,
    shown_at: Instant,
    /// Entries of the emulator's log that were looked at.
    known: usize,
    reflexes: u64,
    /// The stop whose end is awaited.
    stop: Option<Stopping>,
    error: TrackingError,
}

/// How far the arm was from where it was told to be.
#[derive(Debug, Default)]
struct TrackingError {
    /// The worst joint, rad.
    joint_rad: f64,
    /// The tool at the worst, m, and its squares, m2, of so many.
    tool_m: f64,
    squares_m2: f64,
    count: u32,
}

impl TrackingError {
    fn take(&mut self, told_rad: &JointVector, arm: &ArmMeasurement) {
        let apart = told_rad.iter().zip(&arm.reading.q_rad);
        let joint_rad = apart.map(|(told, is)| (told - is).abs());
        let told_m = forward(told_rad).position_m;
        let tool_m = distance_m(&told_m, &arm.base_from_tool.position_m);
        self.joint_rad = joint_rad.fold(self.joint_rad, f64::max);
        self.tool_m = self.tool_m.max(tool_m);
        self.squares_m2 += tool_m * tool_m;
        self.count += 1;
    }

    fn rms_m(&self) -> f64 {
        (self.squares_m2 / f64::from(self.count.max(1))).sqrt()
    }
}

/// In this order they are dropped: nobody waits for an arm that has gone.
struct Running {
    reins: Reins,
    emulator: Emulator,
}

/// Who commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Client {
    /// Nobody yet: the world stands still, as it does in lockstep.
    Awaited,
    There,
    Gone,
}

/// An arm that was stopped and is still on its way to rest.
struct Stopping {
    what: String,
    begun_ns: u64,
    from_m: [f64; 3],
    /// Since when it rests, ns, and where.
    rests: Option<(u64, [f64; 3])>,
}

impl Franka {
    pub(super) fn new(settings: &FciSettings) -> Self {
        Self {
            settings: settings.clone(),
            running: None,
            client: Client::Awaited,
            awaited_since: Instant::now(),
            is_told: false,
            shown_at: Instant::now(),
            known: 0,
            reflexes: 0,
            stop: None,
            error: TrackingError::default(),
        }
    }

    fn is_lockstep(&self) -> bool {
        self.settings.config.clock == Clock::Lockstep
    }

    /// What happened to the robot, in words; numbers of it in one line.
    fn sum(&self) -> Option<String> {
        let counters = self.running.as_ref()?.emulator.counters();
        let peaks = counters.peaks;
        Some(format!(
            "{} commands, {} missed, {} reflexes; of the limits of velocity {:.2}, acceleration \
             {:.2}, jerk {:.2}; from where it was told at most {:.1} mrad in a joint, {:.1} mm at \
             the tool, {:.2} mm rms",
            counters.commands,
            counters.missed,
            self.reflexes,
            peaks.velocity,
            peaks.acceleration,
            peaks.jerk,
            1e3 * self.error.joint_rad,
            1e3 * self.error.tool_m,
            1e3 * self.error.rms_m()
        ))
    }
}

impl Node<'_> {
    /// Puts the robot in front of the arm, where one is wanted. The scene has been shown before: a
    /// renderer takes its time to start, and the robot would wait for it.
    pub(super) fn start_robot(&mut self, outbox: &mut Outbox) -> Result<()> {
        let Some(franka) = &mut self.franka else {
            return Ok(());
        };
        let reading = self.world.arm().reading;
        let (arm, reins) = RemoteArm::new(reading, self.world.step_ms(), franka.is_lockstep());
        let emulator = Emulator::start_with(&franka.settings.config, Box::new(arm))?;
        for fault in &franka.settings.faults {
            emulator.plan(fault);
        }
        let text = format!(
            "a robot at {}, its hand at {}",
            emulator.address(),
            emulator.gripper_address()
        );
        franka.running = Some(Running { reins, emulator });
        franka.awaited_since = Instant::now();
        outbox.tell(Level::Info, "robot_ready", text)
    }

    /// Some milliseconds of the robot and its world.
    pub(super) fn live(&mut self, outbox: &mut Outbox) -> Result<Option<Over>> {
        let end = Instant::now() + SLICE;
        loop {
            self.watch(outbox)?;
            let Some(franka) = &mut self.franka else {
                return Ok(None);
            };
            let (is_awaited, is_lockstep) =
                (franka.client == Client::Awaited, franka.is_lockstep());
            let Some(running) = &mut franka.running else {
                return Ok(None);
            };
            let now = Instant::now();
            if is_lockstep && !is_awaited {
                let pause = self.pacer.time_left(self.world.time_ns(), now);
                let left = end.saturating_duration_since(now);
                thread::sleep(pause.min(left));
                if pause > left {
                    return Ok(None);
                }
            }
            let left = end.saturating_duration_since(Instant::now());
            let Some(setpoints) = running.reins.take(left) else {
                return Ok(None);
            };
            if is_awaited {
                running.reins.done(self.world.arm().reading);
                continue;
            }
            let told_rad = setpoints.last().map(|last| last.q_rad);
            self.world.follow(setpoints)?;
            let arm = self.world.arm();
            running.reins.done(arm.reading);
            if let Some(told_rad) = told_rad {
                franka.error.take(&told_rad, &arm);
            }
            self.watch_rest(outbox)?;
            let over = self.judge(outbox)?;
            if over.is_some() || Instant::now() >= end {
                return Ok(over);
            }
        }
    }

    /// Tells what happened to the robot meanwhile.
    fn watch(&mut self, outbox: &mut Outbox) -> Result<()> {
        let Some(franka) = &mut self.franka else {
            return Ok(());
        };
        let Some(running) = &franka.running else {
            return Ok(());
        };
        let entries = running.emulator.log_since(franka.known);
        franka.known += entries.len();
        for entry in entries {
            let (level, code, text) = match entry.event {
                Event::Connected => {
                    if std::mem::take(&mut franka.is_told) {
                        let text = "a client has come: it goes on".to_owned();
                        outbox.tell(Level::Info, "waiting_over", text)?;
                    }
                    franka.client = Client::There;
                    let text = "a client is connected to the robot";
                    (Level::Info, "robot_connected", text.to_owned())
                }
                Event::Disconnected => {
                    franka.client = Client::Gone;
                    let text = "the robot's client has gone: it holds the arm";
                    (Level::Info, "robot_disconnected", text.to_owned())
                }
                Event::TurnedAway { version } => {
                    // Clients find out which one it is by asking.
                    let text = format!("the robot turned a client of version {version} away");
                    (Level::Info, "robot_refused", text)
                }
                Event::Reflex(flag) => {
                    franka.reflexes += 1;
                    let text = format!("the robot stopped by itself: {flag}");
                    franka.stop = Some(Stopping::new(&self.world, format!("reflex ({flag})")));
                    (Level::Warning, "robot_reflex", text)
                }
                Event::UserStop(true) => {
                    franka.stop = Some(Stopping::new(&self.world, "user stop".to_owned()));
                    let text = "the robot's user stop is pressed";
                    (Level::Warning, "robot_user_stop", text.to_owned())
                }
                Event::UserStop(false) => {
                    let text = "the robot's user stop is released";
                    (Level::Info, "robot_released", text.to_owned())
                }
                Event::Recovered => {
                    let text = "the robot's errors are cleared";
                    (Level::Info, "robot_recovered", text.to_owned())
                }
                other => {
                    tracing::debug!("robot, {} ms: {other:?}", entry.cycle);
                    continue;
                }
            };
            outbox.tell(level, code, text)?;
        }
        self.watch_client(outbox)
    }

    /// Names a client that does not come, and shows the scene to those who were not there yet.
    fn watch_client(&mut self, outbox: &mut Outbox) -> Result<()> {
        let Some(franka) = &mut self.franka else {
            return Ok(());
        };
        if franka.client != Client::Awaited {
            return Ok(());
        }
        if franka.awaited_since.elapsed() >= CLIENT_LIMIT && !franka.is_told {
            franka.is_told = true;
            let address = franka.running.as_ref().map(|it| it.emulator.address());
            let text = format!(
                "waiting for a client of the robot at {}: none has come",
                address.unwrap_or_default()
            );
            outbox.tell(Level::Warning, "waiting", text)?;
        }
        if franka.shown_at.elapsed() >= SHOW_AGAIN {
            franka.shown_at = Instant::now();
            self.publish(outbox)?;
        }
        Ok(())
    }

    /// Tells how long an arm that was stopped took to rest, and how far it went.
    fn watch_rest(&mut self, outbox: &mut Outbox) -> Result<()> {
        let Some(stop) = self.franka.as_mut().and_then(|it| it.stop.as_mut()) else {
            return Ok(());
        };
        let (arm, now_ns) = (self.world.arm(), self.world.time_ns());
        let is_slow = |rate: &f64| rate.abs() < REST_RAD_S;
        if !arm.reading.dq_rad_s.iter().all(is_slow) {
            stop.rests = None;
            return Ok(());
        }
        let at_m = arm.base_from_tool.position_m;
        let (since_ns, at_m) = *stop.rests.get_or_insert((now_ns, at_m));
        if now_ns - since_ns < REST_NS {
            return Ok(());
        }
        let text = format!(
            "the arm rests {} ms and {:.1} mm after the {}",
            (since_ns - stop.begun_ns) / 1_000_000,
            1e3 * distance_m(&at_m, &stop.from_m),
            stop.what
        );
        if let Some(franka) = &mut self.franka {
            franka.stop = None;
        }
        outbox.tell(Level::Info, "robot_at_rest", text)
    }

    /// What the robot went through, for the summary of the run.
    pub(super) fn sum_up(&mut self, outbox: &mut Outbox) -> Result<()> {
        match self.franka.as_ref().and_then(Franka::sum) {
            Some(text) => outbox.tell(Level::Info, "robot", text),
            None => Ok(()),
        }
    }

    /// The node's end. A robot's client is not dropped in motion: others are let go, whereupon it brings
    /// the arm to rest.
    pub(super) fn leave(&mut self, outbox: &mut Outbox) -> Result<()> {
        if self.franka.is_some() {
            outbox.close();
        }
        self.let_go(outbox)
    }

    /// The same once others have been told.
    pub(super) fn let_go(&mut self, outbox: &mut Outbox) -> Result<()> {
        self.is_over = true;
        self.images.finish(outbox)?;
        let begin = Instant::now();
        while begin.elapsed() < LEAVE_LIMIT && self.franka.as_ref().is_some_and(Franka::is_moved) {
            self.live(outbox)?;
        }
        if let Some(text) = self.franka.as_ref().and_then(Franka::sum) {
            tracing::info!("{text}");
        }
        Ok(())
    }
}

impl Franka {
    /// Whether a client is there, or the arm still on its way to rest after one.
    fn is_moved(&self) -> bool {
        self.client == Client::There || self.stop.is_some()
    }
}

fn distance_m(from_m: &[f64; 3], to_m: &[f64; 3]) -> f64 {
    let squares = from_m
        .iter()
        .zip(to_m)
        .map(|(from, to)| (to - from).powi(2));
    squares.sum::<f64>().sqrt()
}

impl Stopping {
    fn new(world: &crate::lockstep::Lockstep, what: String) -> Self {
        Self {
            what,
            begun_ns: world.time_ns(),
            from_m: world.arm().base_from_tool.position_m,
            rests: None,
        }
    }
}
