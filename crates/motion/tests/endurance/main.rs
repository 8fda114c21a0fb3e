//! Hostile chunks in every action mode: whatever they hold, not one setpoint is outside any limit.
//!
//! A few hundred in each mode by default; `HOSTILE_CHUNKS=1000000` is the whole trial. Every mode has
//! a seed of its own, so that what fails fails again.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that panics has failed, and its figures are read by people"
)]

mod attacker;
mod checker;

use std::collections::BTreeMap;

use attacker::{Attacker, Random};
use checker::{Cell, Checker, Extremes, FR3, PANDA};
use tiller_core::{ActionMode, Frame, RotationKind, WorkspaceBox};
use tiller_motion::limits::{OperatingFraction, Workspace};
use tiller_motion::{
    Actuator, ActuatorConfig, ArmReading, Clearance, Limits, Mode, OnViolation, Orientation,
};

/// Chunks that one arm gets before another begins elsewhere.
const CHUNKS_OF_A_LIFE: u64 = 1500;

/// Chunks in each mode unless `HOSTILE_CHUNKS` says otherwise.
const CHUNKS: u64 = 600;

const MS: u64 = 1_000_000;

/// What an arm's life is like: the settings, and the same for the judge.
fn settings(random: &mut Random) -> (ActuatorConfig, Cell) {
    let is_fr3 = random.chance(0.5);
    let mut limits = if is_fr3 {
        Limits::fr3()
    } else {
        Limits::panda()
    };
    let share = if random.chance(0.5) {
        [0.8, 0.9, 0.5]
    } else {
        [0.3; 3]
    };
    limits.operating = OperatingFraction {
        velocity: share[0],
        acceleration: share[1],
        jerk: share[2],
    };
    if random.chance(0.6) {
        // All around the base, and everything that can be reached.
        limits.workspace = Workspace {
            bounds: WorkspaceBox {
                min_m: [-0.7, -0.7, -0.4],
                max_m: [0.9, 0.7, 1.1],
            },
            min_reach_m: 0.2,
            max_reach_m: 0.71,
        };
    }
    let table_m = random.chance(0.6).then(|| random.within(-0.3, 0.25));
    limits.clearance = Clearance {
        table_height_m: table_m,
        ..limits.clearance
    };
    let config = ActuatorConfig {
        limits,
        on_anchor: either(random, OnViolation::Clamp, OnViolation::Refuse),
        on_step: either(random, OnViolation::Clamp, OnViolation::Refuse),
        on_workspace: either(random, OnViolation::Clamp, OnViolation::Refuse),
        orientation: either(random, Orientation::Hold, Orientation::StraightDown),
        ..ActuatorConfig::default()
    };
    let cell = Cell {
        robot: if is_fr3 { FR3 } else { PANDA },
        share,
        min_m: limits.workspace.bounds.min_m,
        max_m: limits.workspace.bounds.max_m,
        table_m,
    };
    (config, cell)
}

/// The first three times in four.
fn either<T>(random: &mut Random, often: T, seldom: T) -> T {
    if random.chance(0.75) { often } else { seldom }
}

/// A posture with room to everything, within the limits.
fn posture(random: &mut Random, limits: &Limits, cell: &Cell) -> [f64; 7] {
    loop {
        let q = std::array::from_fn(|joint| {
            let (low, high) = (
                limits.joint.position_min_rad[joint],
                limits.joint.position_max_rad[joint],
            );
            random.within(low + 0.03, high - 0.03)
        });
        if Checker::room(cell, &q) > 0.01 {
            return q;
        }
    }
}

/// What became of the chunks and the setpoints.
#[derive(Debug)]
struct Trial {
    accepted: u64,
    refused: u64,
    kinds: BTreeMap<&'static str, u64>,
    extremes: Extremes,
}

impl Trial {
    fn new() -> Self {
        Self {
            accepted: 0,
            refused: 0,
            kinds: BTreeMap::new(),
            extremes: Extremes::NONE,
        }
    }
}

/// So many chunks, in lives one after the other.
fn endure(name: &str, mode: ActionMode, kind: Option<RotationKind>, seed: u64) {
    let chunks = std::env::var("HOSTILE_CHUNKS").map_or(CHUNKS, |text| text.parse().unwrap());
    let mut random = Random(seed);
    let mut trial = Trial::new();
    let mut left = chunks;
    while left > 0 {
        // Short lives where there are few chunks, so that there are some.
        let life = CHUNKS_OF_A_LIFE.min(chunks / 8 + 1).min(left);
        left -= life;
        live(&mut random, (mode, kind), life, &mut trial);
    }
    eprintln!("{name}: {trial:#?}");
    assert!(trial.accepted > chunks / 10, "{trial:?}");
}

fn live(
    random: &mut Random,
    (mode, kind): (ActionMode, Option<RotationKind>),
    chunks: u64,
    trial: &mut Trial,
) {
    let seed = random.0;
    let (config, cell) = settings(random);
    let mut q = posture(random, &config.limits, &cell);
    let mut reading = ArmReading::at_rest(q, 0.08);
    let mut actuator = Actuator::new(config, &reading, 0).unwrap();
    let mut checker = Checker::new(cell, q);
    let mut attacker = Attacker::new(mode, kind, config.limits);
    let mut now_ns = 0;
    for number in 0..chunks {
        let chunk = attacker.chunk(random, &actuator.status(), now_ns);
        match actuator.accept(&chunk, now_ns) {
            Ok(()) => trial.accepted += 1,
            Err(_) => trial.refused += 1,
        }
        let ticks = if random.chance(0.003) {
            random.within(200.0, 900.0)
        } else {
            random.within(1.0, 10.0)
        };
        let is_last = number + 1 == chunks;
        let ticks = if is_last { 1500 } else { ticks as u32 };
        if is_last || random.chance(0.002) {
            actuator.stop("trial", now_ns);
        }
        // Now and then the robot is held, or gives no readings.
        let (is_held, is_silent) = (random.chance(0.003), random.chance(0.003));
        for _ in 0..ticks {
            now_ns += MS;
            let setpoint = if is_silent {
                actuator.tick_without_reading(now_ns)
            } else {
                actuator.tick(&reading, now_ns)
            };
            q = setpoint.q_rad;
            if let Err(text) = checker.sample(&q, &mut trial.extremes) {
                let status = actuator.status();
                panic!(
                    "seed {seed:#x}, chunk {number} of {chunks}, {mode:?}: {text}\n{config:#?}\n{status:?}\n{chunk:?}"
                );
            }
            assert!((0.0..=0.08).contains(&setpoint.gripper_width_m));
            if !is_held {
                reading.q_rad = q;
                reading.gripper_width_m = setpoint.gripper_width_m;
            }
        }
        reading.q_rad = q;
        if actuator.status().mode == Mode::Stopped {
            let _ = actuator.tick(&reading, now_ns);
            let _ = actuator.resume(now_ns);
        }
        for event in actuator.drain_events() {
            *trial.kinds.entry(event.kind.as_str()).or_default() += 1;
            if let Some(violation) = event.violation {
                let is_number = violation.limit.is_finite() && violation.value.is_finite();
                assert!(is_number, "{event:?}");
            }
        }
    }
}

macro_rules! modes {
    ($( $name:ident: $mode:expr, $kind:expr, $seed:expr; )*) => {
        $(
            #[test]
            fn $name() {
                endure(stringify!($name), $mode, $kind, $seed);
            }
        )*
    };
}

modes! {
    displacements: ActionMode::DeltaPose(Frame::Base), None, 0x11;
    poses_by_deltas_in_the_base: ActionMode::DeltaPose(Frame::Base), Some(RotationKind::RotationVector), 0x22;
    poses_by_deltas_in_the_tool: ActionMode::DeltaPose(Frame::Tool), Some(RotationKind::EulerXyz), 0x33;
    poses_by_rotation_vectors: ActionMode::AbsolutePose, Some(RotationKind::RotationVector), 0x44;
    poses_by_euler_angles: ActionMode::AbsolutePose, Some(RotationKind::EulerXyz), 0x55;
    poses_by_quaternions_wxyz: ActionMode::AbsolutePose, Some(RotationKind::QuaternionWxyz), 0x66;
    poses_by_quaternions_xyzw: ActionMode::AbsolutePose, Some(RotationKind::QuaternionXyzw), 0x77;
    poses_by_matrices: ActionMode::AbsolutePose, Some(RotationKind::Matrix6d), 0x88;
    joint_positions: ActionMode::JointPosition, None, 0x99;
    joint_velocities: ActionMode::JointVelocity, None, 0xaa;
}

/// Lives in which the tool's turning once accelerated by 17.05 to 17.17 rad/s2 of 17: one joint was cut at
/// its end, and the others could have made up for it, but were not found to.
#[test]
fn lives_that_broke_a_limit_once() {
    let (tool, absolute) = (ActionMode::DeltaPose(Frame::Tool), ActionMode::AbsolutePose);
    for (seed, mode, kind, chunks) in [
        (0xd5eb_63b1_cfab_9e89, tool, RotationKind::EulerXyz, 400),
        (
            0x75f3_d795_eeed_1df0,
            absolute,
            RotationKind::Matrix6d,
            1420,
        ),
        (
            0x870b_1b26_b75b_baaa,
            absolute,
            RotationKind::QuaternionWxyz,
            90,
        ),
    ] {
        live(
            &mut Random(seed),
            (mode, Some(kind)),
            chunks,
            &mut Trial::new(),
        );
    }
}
