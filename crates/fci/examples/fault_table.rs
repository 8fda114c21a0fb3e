//! What becomes of a moving arm when things go wrong, against the emulator in virtual time: a table.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "it measures: what goes wrong here ends it"
)]

#[path = "../tests/common/mod.rs"]
mod common;

use common::Rig;
use tiller_core::kinematics::forward;
use tiller_fci::{FciConfig, FciError};
use tiller_fci_emulator::{Clock, Config, Emulator, ErrorFlag, Event, Fault};
use tiller_motion::{Arm, Mode};

/// Runs a row.
const RUNS: u64 = 20;

/// Milliseconds of each run.
const RUN_MS: u64 = 5_000;

/// What one row came to.
#[derive(Default)]
struct Row {
    reflexes: usize,
    missed: u64,
    to_rest_ms: u64,
    to_rest_m: f64,
    error: Option<FciError>,
}

impl Row {
    fn print(&self, name: &str) {
        let error = self
            .error
            .as_ref()
            .map_or(String::new(), ToString::to_string);
        let missed = self.missed as f64 / RUNS as f64;
        let (ms, mm) = (self.to_rest_ms, 1e3 * self.to_rest_m);
        let reflexes = self.reflexes;
        println!("| {name} | {reflexes} of {RUNS} | {missed:.0} | {ms} | {mm:.1} | {error} |");
    }
}

fn emulator(seed: u64) -> Emulator {
    Emulator::start(&Config {
        clock: Clock::Lockstep,
        seed,
        ..Config::default()
    })
    .unwrap()
}

fn rig(emulator: &Emulator) -> Rig {
    Rig::new(&FciConfig {
        hand: None,
        ..FciConfig::at(&emulator.address())
    })
}

fn count(emulator: &Emulator, row: &mut Row) {
    let is_reflex = |event: &Event| matches!(event, Event::Reflex(_));
    let entries = emulator.log();
    let mut reflexes = entries.iter().filter(|entry| is_reflex(&entry.event));
    row.reflexes += usize::from(reflexes.next().is_some());
    row.missed += emulator.counters().missed;
}

/// A moment of a run, another one for each seed, ms.
fn moment(seed: u64) -> u64 {
    500 + seed * 7_919 % 4_000
}

/// Something goes wrong at a moment; the robot rests in the end.
fn robot_side(name: &str, fault: impl Fn(u64) -> Fault) {
    let mut row = Row::default();
    for seed in 0..RUNS {
        let emulator = emulator(seed);
        emulator.fault_at(moment(seed), fault(seed));
        let mut rig = rig(&emulator);
        let outcome = rig.wander(RUN_MS);
        if let Err(error) = outcome {
            let at = forward(&emulator.reading().q_rad);
            let since = emulator.counters().cycles;
            while emulator
                .reading()
                .dq_rad_s
                .iter()
                .any(|rate| rate.abs() > 1e-9)
            {
                // The robot brakes by itself; readings say why.
                let _ = rig.arm.read();
            }
            row.to_rest_ms = row.to_rest_ms.max(emulator.counters().cycles - since);
            let (moved_m, _) = forward(&emulator.reading().q_rad).distance_to(&at);
            row.to_rest_m = row.to_rest_m.max(moved_m);
            row.error = Some(error);
        }
        count(&emulator, &mut row);
    }
    row.print(name);
}

/// A stop that somebody asks the machine for, at a moment.
fn asked_to_stop() {
    let mut row = Row::default();
    for seed in 0..RUNS {
        let emulator = emulator(seed);
        let mut rig = rig(&emulator);
        rig.wander(moment(seed)).unwrap();
        let actuator = rig.actuator.as_mut().unwrap();
        actuator.stop("asked to", rig.now_ns);
        let at = forward(&emulator.reading().q_rad);
        let mut ms = 0;
        while rig.actuator.as_ref().unwrap().status().mode != Mode::Stopped {
            rig.tick().unwrap();
            ms += 1;
        }
        row.to_rest_ms = row.to_rest_ms.max(ms);
        let (moved_m, _) = forward(&emulator.reading().q_rad).distance_to(&at);
        row.to_rest_m = row.to_rest_m.max(moved_m);
        count(&emulator, &mut row);
    }
    row.print("stop by message");
}

/// Chunks that no policy should send.
fn provoked() {
    let mut row = Row::default();
    for seed in 0..RUNS {
        let emulator = emulator(seed);
        row.error = rig(&emulator).provoke(RUN_MS, seed).err().or(row.error);
        count(&emulator, &mut row);
    }
    row.print("chunks that no policy should send");
}

fn main() {
    println!("| fault | reflexes | missed a run | longest way to rest, ms | mm | told |");
    println!("|---|---|---|---|---|---|");
    robot_side("none", |_| Fault::Stall { ms: 0 });
    for percent in [1.0, 5.0] {
        robot_side(&format!("{percent} % of states and commands lost"), |_| {
            Fault::Loss {
                states: 0.01 * percent,
                commands: 0.01 * percent,
            }
        });
    }
    for ms in [10, 19, 20] {
        robot_side(&format!("nothing passes for {ms} ms"), |_| Fault::Stall {
            ms,
        });
    }
    robot_side("reflex", |_| Fault::Reflex(ErrorFlag::CARTESIAN_REFLEX));
    robot_side("user stop", |_| Fault::UserStop(true));
    robot_side("connection cut", |_| Fault::Drop);
    asked_to_stop();
    provoked();
}
