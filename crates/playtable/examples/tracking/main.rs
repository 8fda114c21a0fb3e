//! How far tracked keypoints are off while the experts work, with every tracker:
//! `cargo run --release -p tiller-playtable --example tracking [SEEDS] [FRAMES] [clean|noise] [SIDE]`.
//!
//! Objects are found once by the simulator's masks and then followed for FRAMES frames in each 0.1 s (1).
//! The truth is where the same points of the objects have gone. `noise` adds what a stereo depth camera
//! and a plain colour camera add. Times are of one frame with all objects. With `TRACE=flow`, every keypoint that `flow`
//! has more than 10 mm off is printed as it happens; so for the others. `back, found`: keypoints whose thing was hidden and half of it
//! showed again, and how many of them were within 20 mm again in a second.

mod away;
mod camera;
mod quantile;
mod truth;

use std::error::Error;
use std::time::Instant;

use away::{Returns, Watch};
use camera::Noise;
use quantile::quantile;
use tiller_author_testing::view;
use tiller_core::Pose;
use tiller_grounding::{Grounder, GroundingConfig, Hand, Keypoint};
use tiller_motion::Chunk;
use tiller_playtable::{
    Block, Camera, Channels, Driver, Expert, Frame, PlayTable, Renderer, Task, WITHOUT_KEYPOINTS,
    keypoint_counts, labels,
};
use truth::Truth;

/// Tasks that move each kind of thing, in the hand and with it.
const TASKS: [Task; 6] = [
    Task::DrawerOpen,
    Task::DoorLeft,
    Task::SwitchOn,
    Task::Push(Block::Red),
    Task::Lift(Block::Blue),
    Task::Lift(Block::Pink),
];
/// How they are found and followed: name, detector, tracker.
const TRACKERS: [(&str, &str, &str); 5] = [
    ("labels", "labels", "detector"),
    ("looks", "labels", "looks"),
    ("flow", "labels", "flow"),
    ("learned", "learned", "detector"),
    ("l. flow", "learned", "flow"),
];
/// A manipulation, steps of 100 ms.
const STEPS: usize = 50;
/// Farther off than this a keypoint counts as lost whatever it says, m.
const LOST_M: f64 = 0.03;

/// What was measured of one tracker.
#[derive(Default)]
struct Tally {
    /// Of all keypoints in all frames; of those of the thing that is moved; of all in the last frame, m.
    all_m: Vec<f64>,
    moved_m: Vec<f64>,
    last_m: Vec<f64>,
    last_moved_m: Vec<f64>,
    /// Keypoints that are off and say that they are seen.
    wrong: usize,
    times_ms: Vec<f64>,
    returns: Returns,
}

#[allow(clippy::print_stdout, reason = "the table is this program's output")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let seeds: u64 = arguments.next().map_or(Ok(4), |text| text.parse())?;
    let frames: u64 = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let noisy = arguments.next().is_some_and(|text| text == "noise");
    let side: usize = arguments.next().map_or(Ok(256), |text| text.parse())?;
    println!(
        "{:8} {:>24} {:>24} {:>24} {:>24} {:>9} {:>8} {:>14}",
        "",
        "all, p50 p95 max mm",
        "moved thing",
        "last frame",
        "moved thing, last frame",
        "wrong",
        "ms p50",
        "back, found"
    );
    let mut tallies: Vec<Tally> = TRACKERS.iter().map(|_| Tally::default()).collect();
    let mut table = PlayTable::new()?;
    let mut renderer = Renderer::new(&table, side, side)?;
    for task in TASKS {
        for seed in 0..seeds {
            episode(
                &mut table,
                &mut renderer,
                task,
                seed,
                frames,
                noisy,
                &mut tallies,
            )?;
        }
    }
    for ((name, ..), tally) in TRACKERS.iter().zip(&mut tallies) {
        let wrong = 100.0 * tally.wrong as f64 / tally.all_m.len().max(1) as f64;
        println!(
            "{name:8} {} {} {} {} {wrong:7.2} % {:8.2} {:6} {:7}",
            spread(&mut tally.all_m),
            spread(&mut tally.moved_m),
            spread(&mut tally.last_m),
            spread(&mut tally.last_moved_m),
            quantile(&mut tally.times_ms, 0.5),
            tally.returns.back,
            tally.returns.found,
        );
    }
    Ok(())
}

fn episode(
    table: &mut PlayTable,
    renderer: &mut Renderer,
    task: Task,
    seed: u64,
    frames: u64,
    noisy: bool,
    tallies: &mut [Tally],
) -> Result<(), Box<dyn Error>> {
    table.reset(seed, Some(task));
    let mut driver = Driver::new(table)?;
    let mut expert = Expert::new(task, table, seed);
    let mut noise = Noise::new(seed);
    let mut frame = Frame::default();
    let names: Vec<(u8, String)> = labels()
        .iter()
        .map(|(id, name)| (*id, (*name).to_owned()))
        .collect();
    let mut grounders = Vec::new();
    for (_, detector, tracker) in TRACKERS {
        grounders.push(Grounder::new(GroundingConfig {
            detector: detector.to_owned(),
            model: Some("playtable".into()),
            tracker: tracker.to_owned(),
            ignored: WITHOUT_KEYPOINTS.map(str::to_owned).to_vec(),
            counts: keypoint_counts()
                .into_iter()
                .map(|(name, n)| (name.to_owned(), n))
                .collect(),
            ..GroundingConfig::default()
        })?);
    }
    let mut truths: Vec<Truth> = Vec::new();
    let mut watches: Vec<Watch> = Vec::new();
    for step in 0..=STEPS {
        for part in 0..frames {
            renderer.render(table, Camera::Static, Channels::ALL, &mut frame)?;
            if noisy {
                noise.disturb(&mut frame);
            }
            let hand = Hand {
                stamp_ns: table.time_ns(),
                world_from_tool: Pose {
                    position_m: table.tcp_position_m(),
                    quaternion_wxyz: table.tcp_quaternion_wxyz(),
                },
                gripper_width_m: table.reading().gripper_width_m,
            };
            let last = step == STEPS && part + 1 == frames;
            for (index, grounder) in grounders.iter_mut().enumerate() {
                grounder.hear(hand);
                let view = view(&frame, &names);
                if step == 0 && part == 0 {
                    let keypoints = grounder.ground(&view)?;
                    truths.push(Truth::new(table.objects(), keypoints));
                    watches.push(Watch::new(&frame.segmentation, keypoints));
                    continue;
                }
                let begun = Instant::now();
                let keypoints = grounder.track(&view)?;
                tallies[index]
                    .times_ms
                    .push(begun.elapsed().as_secs_f64() * 1e3);
                tallies[index].add(&truths[index], table, keypoints, last);
                let objects = table.objects();
                for keypoint in keypoints {
                    let named = names.iter().find(|(_, name)| *name == keypoint.object);
                    let label = named.map_or(0, |(label, _)| *label);
                    let (off_m, _) = truths[index].off_m(&objects, keypoint);
                    let (seen, now_ns) = (&frame.segmentation, table.time_ns());
                    let returns = &mut tallies[index].returns;
                    watches[index].observe(seen, label, keypoint, off_m, now_ns, returns);
                }
                if std::env::var("TRACE").is_ok_and(|name| name == TRACKERS[index].0) {
                    trace(&truths[index], table, keypoints, task, seed, step);
                }
            }
            let action = (part == 0)
                .then(|| expert.act(table, driver.anchor_m()))
                .flatten();
            if let Some(action) = action {
                let anchor = driver.actuator().status().anchor;
                let chunk = Chunk {
                    seq: step as u64 + 1,
                    stamp_ns: table.time_ns(),
                    ..Chunk::of_displacements(anchor, 10.0, &[action])
                };
                let now_ns = table.time_ns();
                driver.actuator().accept(&chunk, now_ns)?;
            }
            driver.wait(table, 100_000_000 / frames);
        }
    }
    Ok(())
}

impl Tally {
    fn add(&mut self, truth: &Truth, table: &PlayTable, keypoints: &[Keypoint], last: bool) {
        let objects = table.objects();
        for keypoint in keypoints {
            let (off_m, moved) = truth.off_m(&objects, keypoint);
            self.all_m.push(off_m);
            self.wrong += usize::from(off_m > LOST_M && keypoint.visible);
            if moved {
                self.moved_m.push(off_m);
            }
            if last {
                self.last_m.push(off_m);
                if moved {
                    self.last_moved_m.push(off_m);
                }
            }
        }
    }
}

#[allow(clippy::print_stdout, reason = "asked for")]
fn trace(
    truth: &Truth,
    table: &PlayTable,
    keypoints: &[Keypoint],
    task: Task,
    seed: u64,
    step: usize,
) {
    let objects = table.objects();
    for keypoint in keypoints {
        let (off_m, moved) = truth.off_m(&objects, keypoint);
        if off_m > 0.01 || (moved && !keypoint.visible) {
            println!(
                "{task} {seed} {step} {} {:.1} mm visible {} confidence {:.2}",
                keypoint.name,
                off_m * 1e3,
                keypoint.visible,
                keypoint.confidence
            );
        }
    }
}

fn spread(values: &mut [f64]) -> String {
    let [p50, p95, most] = [0.5, 0.95, 1.0].map(|share| quantile(values, share) * 1e3);
    format!("{p50:8.1} {p95:7.1} {most:7.1}")
}
