//! What the journal of an actuator with a driver says of its arm: how soon a chunk moves it, how it comes to
//! rest when it is stopped, how regular its milliseconds were.
//!
//!     TILLER_JOURNAL=on dora record dataflows/emulated-franka.yml -o x.drec
//!     target/release/tiller replay x.drec --extract journals
//!     cargo build --release --workspace --example motion
//!     target/release/examples/motion journals/franka-actuator-*.journal

#![allow(clippy::print_stdout, reason = "it is what this example is for")]

use std::fs::File;
use std::io::BufReader;

use tiller_closed_loop::ActuatorEvent;
use tiller_closed_loop::journal::read;
use tiller_messages::ArmState;

/// Joints slower than this rest, rad/s; one that has turned this far moves, rad.
const REST_RAD_S: f64 = 5e-3;
const MOVED_RAD: f64 = 1e-4;

/// For how many of the robot's milliseconds an arm must rest.
const REST_TICKS: usize = 100;

/// Where the arm was, and when, ns of the caller's clock.
struct Sample {
    now_ns: u64,
    state: ArmState,
}

impl Sample {
    fn is_at_rest(&self) -> bool {
        self.state
            .dq_rad_s
            .iter()
            .all(|rate| rate.abs() < REST_RAD_S)
    }

    fn has_moved_from(&self, other: &Self) -> bool {
        let joints = self.state.q_rad.iter().zip(&other.state.q_rad);
        joints
            .into_iter()
            .any(|(now, then)| (now - then).abs() > MOVED_RAD)
    }

    fn distance_mm(&self, other: &Self) -> f64 {
        let axes = self
            .state
            .tcp
            .position_m
            .iter()
            .zip(&other.state.tcp.position_m);
        1e3 * axes.map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    }
}

/// What the caller said, and how many samples there were before.
enum Word {
    Chunk(u64),
    Stop(String),
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("expected a journal's path")?;
    let (mut samples, mut words) = (Vec::new(), Vec::new());
    for entry in read::<ActuatorEvent>(BufReader::new(File::open(path)?))? {
        let now_ns = entry.now_ns;
        match entry.event {
            ActuatorEvent::Tick(Some(state)) => samples.push(Sample { now_ns, state }),
            ActuatorEvent::Chunk(chunk) => {
                words.push((samples.len(), now_ns, Word::Chunk(chunk.seq)))
            }
            ActuatorEvent::Stop { reason } | ActuatorEvent::Finish { reason } => {
                words.push((samples.len(), now_ns, Word::Stop(reason)));
            }
            _ => {}
        }
    }
    for (at, now_ns, word) in &words {
        match word {
            Word::Chunk(seq) => first_motion(*seq, *now_ns, &samples, *at),
            Word::Stop(reason) => to_rest(reason, *now_ns, &samples, *at),
        }
    }
    rhythm(&samples);
    Ok(())
}

/// From a chunk that finds the arm at rest to the first sign of motion.
fn first_motion(seq: u64, now_ns: u64, samples: &[Sample], at: usize) {
    let Some(before) = at.checked_sub(1).map(|last| &samples[last]) else {
        return;
    };
    if !before.is_at_rest() {
        return;
    }
    let first = samples[at..]
        .iter()
        .position(|it| it.has_moved_from(before));
    if let Some(index) = first {
        let wall_ms = (samples[at + index].now_ns - now_ns) as f64 * 1e-6;
        println!(
            "chunk {seq}: the arm has moved after {wall_ms:.1} ms, {} ticks",
            index + 1
        );
    }
}

/// From a stop to rest.
fn to_rest(reason: &str, now_ns: u64, samples: &[Sample], at: usize) {
    let after = &samples[at.saturating_sub(1)..];
    let Some(begin) = after.first() else {
        return;
    };
    let mut since: Option<(usize, &Sample)> = None;
    for (ticks, sample) in after.iter().enumerate() {
        if !sample.is_at_rest() {
            since = None;
            continue;
        }
        let (first, _) = *since.get_or_insert((ticks, sample));
        if ticks - first >= REST_TICKS {
            break;
        }
    }
    match since {
        Some((ticks, rest)) => println!(
            "stop ({reason}): at rest after {:.0} ms, {ticks} ticks and {:.1} mm",
            rest.now_ns.saturating_sub(now_ns) as f64 * 1e-6,
            rest.distance_mm(begin)
        ),
        None => println!("stop ({reason}): not seen at rest"),
    }
}

/// Wall time from one of the robot's states to the next.
fn rhythm(samples: &[Sample]) {
    let mut gaps_us: Vec<u64> = samples
        .windows(2)
        .map(|pair| (pair[1].now_ns - pair[0].now_ns) / 1000)
        .collect();
    gaps_us.sort_unstable();
    let at = |share: f64| gaps_us.get((share * (gaps_us.len() - 1) as f64) as usize);
    if let (Some(half), Some(most), Some(longest)) = (at(0.5), at(0.99), gaps_us.last()) {
        println!(
            "{} states, one every {half} us (half of them), {most} us (99 of 100), {longest} us \
             (the longest)",
            samples.len()
        );
    }
}
