//! The arm's thread asks for no memory while it does nothing but its rounds.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use tiller_core::ActionLayout;
use tiller_fci_emulator::{Clock, Config, Emulator};
use tiller_messages::ActionChunk;
use tiller_motion::kinematics::{HOME_Q, forward};
use tiller_motion::{Arm, ArmFault, ArmReading, Setpoint};

use super::*;
use crate::arms::{Body, DriverError, Opening};
use crate::config::Settings;
use tiller_node_kit::Environment;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is passed on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that ends may have no count any more.
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's contract is ours.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract is ours.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a round of the thread allocated, from reading to reading.
#[derive(Default)]
struct Tally {
    rounds: AtomicUsize,
    /// Rounds that did, and how often.
    guilty: AtomicUsize,
    allocations: AtomicUsize,
    /// Whether rounds are counted now.
    counts: std::sync::atomic::AtomicBool,
}

/// A driver that looks at its thread's allocations whenever it is read.
struct Watched {
    driver: Driver,
    tally: Arc<Tally>,
    last: Option<usize>,
}

impl Arm for Watched {
    type Error = DriverError;

    fn read(&mut self) -> Result<ArmReading, DriverError> {
        let reading = self.driver.read();
        let count = ALLOCATIONS.with(Cell::get);
        if let Some(last) = self.last
            && self.tally.counts.load(Ordering::Acquire)
        {
            self.tally.rounds.fetch_add(1, Ordering::AcqRel);
            if count > last {
                self.tally.guilty.fetch_add(1, Ordering::AcqRel);
                self.tally
                    .allocations
                    .fetch_add(count - last, Ordering::AcqRel);
            }
        }
        self.last = Some(count);
        reading
    }

    fn command(&mut self, setpoint: &Setpoint) -> Result<(), DriverError> {
        self.driver.command(setpoint)
    }

    fn elapsed_ms(&self) -> Option<u32> {
        self.driver.elapsed_ms()
    }

    fn period_ms(&self) -> u32 {
        self.driver.period_ms()
    }

    fn fault(&self) -> Option<ArmFault> {
        self.driver.fault()
    }
}

fn opened(pairs: &[(&str, &str)]) -> (Driver, ActuatorConfig) {
    let settings = Settings::read(Environment::from_pairs(pairs.iter().copied())).unwrap();
    let opening: Opening = settings.arm;
    match opening.open(false).unwrap() {
        Body::Driven(body) => (
            body.driver,
            ActuatorConfig {
                limits: body.limits,
                ..settings.actuator
            },
        ),
        Body::Simulated => panic!("an arm with a driver"),
    }
}

/// Runs the arm for so many rounds after its start, and then in the midst of a chunk.
fn allocated(driver: Driver, config: ActuatorConfig, rounds: usize) -> (usize, usize) {
    let tally = Arc::<Tally>::default();
    let watched = Watched {
        driver,
        tally: Arc::clone(&tally),
        last: None,
    };
    let guard = Guard::default();
    let mut driven =
        Driven::new(Box::new(watched), config, &guard, RealTime::Without, None).unwrap();
    let mut effects = Vec::new();
    let mut wait_for = |driven: &mut Driven, rounds: usize| {
        let goal = tally.rounds.load(Ordering::Acquire) + rounds;
        while tally.rounds.load(Ordering::Acquire) < goal {
            driven.on(ActuatorEvent::Time, 0, &mut effects).unwrap();
            effects.clear();
            thread::sleep(Duration::from_millis(2));
        }
    };
    // It begins with its first reading, which is no ordinary round.
    thread::sleep(Duration::from_millis(300));
    tally.counts.store(true, Ordering::Release);
    wait_for(&mut driven, rounds);
    tally.counts.store(false, Ordering::Release);
    let chunk = ActionChunk {
        seq: 1,
        stamp_ns: robot_clock_ns(),
        anchor: forward(&HOME_Q),
        anchor_q_rad: HOME_Q,
        execute_steps: 16,
        horizon: 16,
        actions: [0.0, 0.01, 0.0, 1.0].repeat(16),
        layout: ActionLayout::position_deltas(4, [0, 1, 2], Some(3), 2.0),
        ..Default::default()
    };
    let mut told = Vec::new();
    driven
        .on(ActuatorEvent::Chunk(chunk), 0, &mut told)
        .unwrap();
    thread::sleep(Duration::from_millis(200));
    tally.counts.store(true, Ordering::Release);
    wait_for(&mut driven, rounds);
    let found = (
        tally.guilty.load(Ordering::Acquire),
        tally.allocations.load(Ordering::Acquire),
    );
    driven.finish(None, 0, &mut told).unwrap();
    found
}

#[test]
fn the_counter_counts() {
    let before = ALLOCATIONS.with(Cell::get);
    drop(vec![0_u8; 10]);
    assert_eq!(ALLOCATIONS.with(Cell::get), before + 1);
}

#[test]
fn rounds_of_an_arm_of_numbers_allocate_nothing() {
    let (driver, config) = opened(&[("ARM", "dry-run")]);
    assert_eq!(allocated(driver, config, 1_000), (0, 0));
}

#[test]
fn rounds_of_a_franka_allocate_nothing() {
    let emulator = Emulator::start(&Config {
        clock: Clock::Lockstep,
        ..Config::default()
    })
    .unwrap();
    let (robot, hand) = (emulator.address(), emulator.gripper_address());
    let (driver, config) = opened(&[
        ("ARM", "fci"),
        ("FRANKA_ADDRESS", robot.as_str()),
        ("FRANKA_HAND_ADDRESS", hand.as_str()),
        ("REAL_TIME", "without"),
    ]);
    assert_eq!(allocated(driver, config, 1_000), (0, 0));
}
