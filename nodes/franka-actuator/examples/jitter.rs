//! How evenly the arm's thread goes its rounds, idle and beside busy cores, with and without real time: a table.
//!
//!   cargo run --release --workspace --example jitter -- 30      # seconds a row

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "it measures: what goes wrong here ends it"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use franka_actuator::{Driven, Driver, DriverError, Machine, OfNode, RealTime};
use tiller_closed_loop::{ActuatorEffect, ActuatorEvent, Guard};
use tiller_core::ActionLayout;
use tiller_fci::{FciArm, FciConfig};
use tiller_fci_emulator::{Config, Emulator};
use tiller_messages::{ActionChunk, ExecutionState};
use tiller_motion::kinematics::HOME_Q;
use tiller_motion::{ActuatorConfig, Arm, ArmReading, Limits, Setpoint};
use tiller_node_kit::robot_clock_ns;

/// Rounds before this one are the start's.
const WARM_UP: usize = 1_000;

/// Time between two chunks.
const CHUNKS: Duration = Duration::from_millis(1_500);

/// What was measured, ns.
#[derive(Default)]
struct Measured {
    /// From round to round.
    periods: Vec<u64>,
    /// From the reading to the setpoint: checks, inverse kinematics, limits.
    costs: Vec<u64>,
    /// From a chunk's being sent to the first setpoint that is another.
    answers: Vec<u64>,
}

/// An arm whose rounds are timed, in memory that is there beforehand.
struct Timed {
    arm: Driver,
    measured: Measured,
    begun: Option<Instant>,
    last: Option<Setpoint>,
    sent: Arc<Sent>,
    done: Sender<Measured>,
}

/// When the last chunk was sent, ns since the start; 0 once it was answered.
struct Sent {
    start: Instant,
    at_ns: AtomicU64,
}

impl Sent {
    fn now_ns(&self) -> u64 {
        nanoseconds(self.start.elapsed())
    }
}

impl Arm for Timed {
    type Error = DriverError;

    fn read(&mut self) -> Result<ArmReading, DriverError> {
        let reading = self.arm.read();
        let now = Instant::now();
        if let Some(before) = self.begun.replace(now)
            && self.measured.periods.len() < self.measured.periods.capacity()
        {
            self.measured.periods.push(nanoseconds(now - before));
        }
        reading
    }

    fn command(&mut self, setpoint: &Setpoint) -> Result<(), DriverError> {
        let measured = &mut self.measured;
        if let Some(begun) = self.begun
            && measured.costs.len() < measured.costs.capacity()
        {
            measured.costs.push(nanoseconds(begun.elapsed()));
        }
        let moves = self.last.is_some_and(|last| last.q_rad != setpoint.q_rad);
        let sent_ns = self.sent.at_ns.load(Ordering::Acquire);
        if moves && sent_ns > 0 && measured.answers.len() < measured.answers.capacity() {
            measured.answers.push(self.sent.now_ns() - sent_ns);
            self.sent.at_ns.store(0, Ordering::Release);
        }
        self.last = Some(*setpoint);
        self.arm.command(setpoint)
    }

    fn elapsed_ms(&self) -> Option<u32> {
        self.arm.elapsed_ms()
    }
}

impl Drop for Timed {
    fn drop(&mut self) {
        let _ = self.done.send(std::mem::take(&mut self.measured));
    }
}

/// An arm that is where it was told to be.
struct Numbers(ArmReading);

impl Arm for Numbers {
    type Error = DriverError;

    fn read(&mut self) -> Result<ArmReading, DriverError> {
        Ok(self.0)
    }

    fn command(&mut self, setpoint: &Setpoint) -> Result<(), DriverError> {
        self.0.q_rad = setpoint.q_rad;
        Ok(())
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Keeps every core busy until it is dropped.
struct Load(Arc<AtomicBool>);

impl Load {
    fn new(is_on: bool) -> Self {
        let goes_on = Arc::new(AtomicBool::new(is_on));
        let cores = thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..if is_on { cores } else { 0 } {
            let goes_on = Arc::clone(&goes_on);
            thread::spawn(move || {
                while goes_on.load(Ordering::Relaxed) {
                    std::hint::black_box((0..1_000_u64).fold(0, u64::wrapping_add));
                }
            });
        }
        Self(goes_on)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

fn chunk(state: &ExecutionState, seq: u64) -> ActionChunk {
    let way = if seq.is_multiple_of(2) { 0.01 } else { -0.01 };
    ActionChunk {
        session: 1,
        seq,
        stamp_ns: robot_clock_ns(),
        anchor: state.anchor,
        anchor_q_rad: state.anchor_q_rad,
        execute_steps: 8,
        horizon: 8,
        actions: [0.0, way, 0.0, 1.0].repeat(8),
        layout: ActionLayout::position_deltas(4, [0, 1, 2], Some(3), 10.0),
        ..Default::default()
    }
}

/// Runs an arm for so long, with chunks that lead it to and fro; the messages' kinds of what went wrong too.
fn run(arm: Driver, real_time: RealTime, time: Duration) -> (Measured, Vec<String>) {
    let rounds = usize::try_from(time.as_millis()).unwrap() + 10_000;
    let sent = Arc::new(Sent {
        start: Instant::now(),
        at_ns: AtomicU64::new(0),
    });
    let (done, measured) = channel();
    let timed = Timed {
        arm,
        measured: Measured {
            periods: Vec::with_capacity(rounds),
            costs: Vec::with_capacity(rounds),
            answers: Vec::with_capacity(1_000),
        },
        begun: None,
        last: None,
        sent: Arc::clone(&sent),
        done,
    };
    let config = ActuatorConfig {
        limits: Limits::panda(),
        ..ActuatorConfig::default()
    };
    let guard = Guard::default();
    let mut driven = Driven::new(Box::new(timed), config, &guard, real_time, None).unwrap();
    let (mut effects, mut state, mut wrong) = (Vec::new(), None, Vec::new());
    let (begin, mut chunked, mut seq) = (Instant::now(), Instant::now(), 0);
    while begin.elapsed() < time {
        thread::sleep(Duration::from_millis(5));
        driven.on(ActuatorEvent::Time, 0, &mut effects).unwrap();
        for effect in effects.drain(..) {
            match effect {
                ActuatorEffect::Execution(told) => state = Some(told),
                ActuatorEffect::Safety(event) => wrong.push(event.kind),
                _ => {}
            }
        }
        if let Some(state) = state.as_ref().filter(|_| chunked.elapsed() > CHUNKS) {
            (chunked, seq) = (Instant::now(), seq + 1);
            sent.at_ns.store(sent.now_ns(), Ordering::Release);
            let event = ActuatorEvent::Chunk(chunk(state, seq));
            driven.on(event, 0, &mut effects).unwrap();
        }
    }
    driven.finish(None, 0, &mut effects).unwrap();
    drop(driven);
    (measured.recv().unwrap(), wrong)
}

/// Microseconds below which this share lies.
fn at(sorted: &[u64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    let index = (share * last as f64).round() as usize;
    sorted.get(index).map_or(f64::NAN, |ns| *ns as f64 * 1e-3)
}

fn row(name: &str, is_loaded: bool, real_time: RealTime, time: Duration) {
    let _load = Load::new(is_loaded);
    let emulator = (name == "fci").then(|| Emulator::start(&Config::default()).unwrap());
    let arm: Driver = match &emulator {
        None => Box::new(Numbers(ArmReading::at_rest(HOME_Q, 0.08))),
        Some(emulator) => Box::new(OfNode(
            FciArm::connect(&FciConfig {
                hand: None,
                ..FciConfig::at(&emulator.address())
            })
            .unwrap(),
        )),
    };
    let (mut measured, mut wrong) = run(arm, real_time, time);
    let mut periods = measured
        .periods
        .split_off(WARM_UP.min(measured.periods.len()));
    periods.sort_unstable();
    measured.costs.sort_unstable();
    measured.answers.sort_unstable();
    let missed = emulator.map_or("-".to_owned(), |emulator| {
        emulator.counters().missed.to_string()
    });
    wrong.sort();
    wrong.dedup();
    println!(
        "| {name} | {} | {} | {:.0} | {:.0} | {:.0} | {:.0} | {:.1} | {:.1} | {:.1} | {:.1} | {missed} | {} |",
        if is_loaded { "loaded" } else { "idle" },
        if real_time == RealTime::Without {
            "no"
        } else {
            "FIFO"
        },
        at(&periods, 0.5),
        at(&periods, 0.99),
        at(&periods, 0.999),
        at(&periods, 1.0),
        at(&measured.costs, 0.5),
        at(&measured.costs, 0.999),
        at(&measured.answers, 0.5) * 1e-3,
        at(&measured.answers, 1.0) * 1e-3,
        wrong.join(" ")
    );
}

fn main() {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let time = Duration::from_secs(seconds.unwrap_or(30));
    println!(
        "| arm | cores | real time | period p50, us | p99 | p99.9 | max | reading to setpoint p50, us | p99.9 | \
         chunk to motion p50, ms | max | commands missed | told |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for name in ["numbers", "fci"] {
        for is_loaded in [false, true] {
            for real_time in [RealTime::Without, RealTime::Try] {
                row(name, is_loaded, real_time, time);
            }
        }
    }
}
