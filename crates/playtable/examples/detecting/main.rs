//! How well a detector finds the table's things in scenes that nobody trained on, as a depth camera sees them:
//! `cargo run --release -p tiller-playtable --example detecting -- [DETECTOR] [SCENES] [FIRST_SEED] [SIDE] [GALLERY]`.
//!
//! The first picture of each scene counts, and the three later ones for themselves. A keypoint's error is the way to the nearest point
//! of the true visible surface of the thing that it names; its name is right if no other thing's surface is nearer. GALLERY gets
//! annotated pictures of the first sixteen scenes.

#[path = "../tracking/camera.rs"]
mod camera;
#[path = "../tracking/quantile.rs"]
mod quantile;

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use camera::Noise;
use image::RgbImage;
use quantile::quantile;
use tiller_author_testing::view;
use tiller_grounding::{Grounder, GroundingConfig, annotate};
use tiller_playtable::{Frame, Scenery, WITHOUT_KEYPOINTS, keypoint_counts, labels};

/// Pixels that a thing must show to be missed.
const LEAST_PIXELS: usize = 20;
/// Share of the pictures that are out of focus, and by how much, pixels.
const BLURRED: u64 = 3;
const BLUR: f32 = 0.8;

#[derive(Default)]
struct Tally {
    off_m: Vec<f64>,
    named: usize,
    misnamed: usize,
    shown: usize,
    found: usize,
    times_ms: Vec<f64>,
}

#[allow(clippy::print_stdout, reason = "the table is this program's output")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let detector = arguments.next().unwrap_or_else(|| "learned".to_owned());
    let scenes: u64 = arguments.next().map_or(Ok(200), |text| text.parse())?;
    let first: u64 = arguments
        .next()
        .map_or(Ok(4_000_000), |text| text.parse())?;
    let side: usize = arguments.next().map_or(Ok(256), |text| text.parse())?;
    let gallery = arguments.next().map(PathBuf::from);
    let names: Vec<(u8, String)> = labels()
        .iter()
        .map(|(id, name)| (*id, (*name).to_owned()))
        .collect();
    let mut grounder = Grounder::new(GroundingConfig {
        model: (detector == "learned").then(|| PathBuf::from("playtable")),
        detector,
        ignored: WITHOUT_KEYPOINTS.map(str::to_owned).to_vec(),
        counts: keypoint_counts()
            .into_iter()
            .map(|(name, n)| (name.to_owned(), n))
            .collect(),
        ..GroundingConfig::default()
    })?;
    if let Some(folder) = &gallery {
        std::fs::create_dir_all(folder)?;
    }
    let mut scenery = Scenery::new([side, side])?;
    let mut tallies = [Tally::default(), Tally::default()];
    for seed in first..first + scenes {
        let mut noise = Noise::new(seed);
        let mut picture = 0;
        scenery.scene::<Box<dyn Error>>(seed, |clean| {
            let mut frame = clean.clone();
            noise.disturb(&mut frame);
            if seed % BLURRED == 0 {
                blur(&mut frame);
            }
            let tally = &mut tallies[usize::from(picture > 0)];
            let view = view(&frame, &names);
            let begun = Instant::now();
            let keypoints = grounder.ground(&view)?.to_vec();
            tally.times_ms.push(begun.elapsed().as_secs_f64() * 1e3);
            let truth = Truth::new(clean, &names);
            for keypoint in &keypoints {
                truth.judge(&keypoint.object, keypoint.position_m, tally);
            }
            for name in truth.shown() {
                tally.shown += 1;
                tally.found +=
                    usize::from(keypoints.iter().any(|it| kind(&it.object) == kind(name)));
            }
            if let (Some(folder), 0, true) = (&gallery, picture, seed < first + 16) {
                annotate(&view, &keypoints)?.save(folder.join(format!("{seed}.png")))?;
            }
            picture += 1;
            Ok(())
        })?;
    }
    println!(
        "{:8} {:>9} {:>28} {:>12} {:>12} {:>8}",
        "", "keypoints", "off the surface, p50 p95 mm", "right name", "found", "ms p50"
    );
    for (name, tally) in ["start", "later"].iter().zip(&mut tallies) {
        let share = |part: usize, whole: usize| 100.0 * part as f64 / whole.max(1) as f64;
        println!(
            "{name:8} {:9} {:14.1} {:13.1} {:10.2} % {:10.2} % {:8.1}",
            tally.named,
            quantile(&mut tally.off_m, 0.5) * 1e3,
            quantile(&mut tally.off_m, 0.95) * 1e3,
            share(tally.named - tally.misnamed, tally.named),
            share(tally.found, tally.shown),
            quantile(&mut tally.times_ms, 0.5),
        );
    }
    Ok(())
}

/// What a clean picture shows: points of each thing's surface, m.
struct Truth<'a> {
    things: Vec<(&'a str, Vec<[f64; 3]>)>,
}

impl<'a> Truth<'a> {
    fn new(frame: &Frame, names: &'a [(u8, String)]) -> Self {
        let camera = frame.geometry;
        let points = |id: u8| {
            let pixels = frame.segmentation.iter().enumerate();
            let its = pixels.filter(|(_, label)| **label == id);
            its.map(|(at, _)| {
                let depth_m = f64::from(frame.depth_mm[at]) * 1e-3;
                let pixel = [at % frame.width, at / frame.width].map(|n| n as f64 + 0.5);
                let ray = [0, 1].map(|axis| {
                    (pixel[axis] - camera.principal_point[axis]) / camera.focal[axis] * depth_m
                });
                let seen = [ray[0], ray[1], depth_m, 1.0];
                let m = camera.world_from_camera;
                [0, 1, 2].map(|row| {
                    (0..4)
                        .map(|column| m[4 * row + column] * seen[column])
                        .sum()
                })
            })
            .collect()
        };
        let known = names
            .iter()
            .filter(|(_, name)| !WITHOUT_KEYPOINTS.contains(&name.as_str()));
        Self {
            things: known
                .map(|(id, name)| (name.as_str(), points(*id)))
                .collect(),
        }
    }

    fn shown(&self) -> impl Iterator<Item = &str> {
        let shown = self
            .things
            .iter()
            .filter(|(_, points)| points.len() >= LEAST_PIXELS);
        shown.map(|(name, _)| *name)
    }

    fn judge(&self, object: &str, at_m: [f64; 3], tally: &mut Tally) {
        let (mut own_m, mut other_m) = (f64::INFINITY, f64::INFINITY);
        for (name, points) in &self.things {
            let least = points.iter().map(|point| apart_m(*point, at_m));
            let off_m = least.fold(f64::INFINITY, f64::min);
            if kind(name) == kind(object) {
                own_m = own_m.min(off_m);
            } else {
                other_m = other_m.min(off_m);
            }
        }
        tally.named += 1;
        tally.misnamed += usize::from(other_m < own_m);
        tally.off_m.push(own_m.min(1.0));
    }
}

/// Twins have one name and a number each: which of the two is first is up to whoever finds them.
fn kind(name: &str) -> &str {
    name.trim_end_matches(|c: char| c.is_ascii_digit())
        .trim_end()
}

fn blur(frame: &mut Frame) {
    let (width, height) = (frame.width as u32, frame.height as u32);
    if let Some(picture) = RgbImage::from_raw(width, height, std::mem::take(&mut frame.rgb)) {
        frame.rgb = image::imageops::blur(&picture, BLUR).into_raw();
    }
}

fn apart_m(a: [f64; 3], b: [f64; 3]) -> f64 {
    let squares = (0..3).map(|axis| (a[axis] - b[axis]).powi(2));
    squares.sum::<f64>().sqrt()
}
