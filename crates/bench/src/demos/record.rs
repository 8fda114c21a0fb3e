//! One expert, one episode.

use eyre::{Result, WrapErr};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use tiller_motion::Chunk;
use tiller_playtable::{
    Camera, Channels, Expert, ExpertConfig, Frame as CameraFrame, Renderer, Task,
};

use super::IMAGE_SIZE;
use crate::rig::{POLICY_RATE_HZ, POLICY_STEP_NS, Rig};
use tiller_lerobot::{Episode, Frame, ImageStats};

/// An expert that has not finished by then has failed: 40 s.
const MAX_STEPS: usize = 400;
/// The scene comes to rest for this long before success is judged, ns.
const SETTLE_NS: u64 = 300_000_000;

/// A world with its cameras.
pub(super) struct Recorder {
    rig: Rig,
    renderer: Renderer,
    frame: CameraFrame,
}

impl Recorder {
    pub(super) fn new() -> Result<Self> {
        let rig = Rig::new().wrap_err("cannot load the play table")?;
        let size = IMAGE_SIZE as usize;
        let renderer =
            Renderer::new(&rig.table, size, size).wrap_err("cannot start the renderer")?;
        Ok(Self {
            rig,
            renderer,
            frame: CameraFrame::default(),
        })
    }

    /// Lets the expert try; `None` when the oracle does not see the task achieved at the end.
    pub(super) fn record(&mut self, task: Task, seed: u64) -> Result<Option<Episode>> {
        self.rig.reset(seed, &[task], None)?;
        let mut expert = Expert::with_config(task, &self.rig.table, seed, manner(seed));
        let mut episode = Episode {
            task: task.instruction().to_owned(),
            seed,
            frames: Vec::new(),
            image_stats: vec![ImageStats::default(); 2],
        };
        loop {
            let anchor = self.rig.anchor_m();
            let Some(step) = expert.act(&self.rig.table, anchor) else {
                break;
            };
            if episode.frames.len() == MAX_STEPS {
                return Ok(None);
            }
            let pngs = [Camera::Static, Camera::Wrist]
                .into_iter()
                .zip(&mut episode.image_stats)
                .map(|(camera, stats)| {
                    let table = &mut self.rig.table;
                    self.renderer
                        .render(table, camera, Channels::COLOUR, &mut self.frame)?;
                    stats.push(&self.frame.rgb, IMAGE_SIZE as usize);
                    png(&self.frame.rgb)
                })
                .collect::<Result<Vec<_>>>()?;
            let [x, y, z] = self.rig.table.tcp_position_m();
            let width = self.rig.table.reading().gripper_width_m;
            let [dx, dy, dz] = step.delta_position_m;
            episode.frames.push(Frame {
                state: [x, y, z, width].map(|value| value as f32).to_vec(),
                action: [dx, dy, dz, step.gripper]
                    .map(|value| value as f32)
                    .to_vec(),
                pngs,
            });
            let mut executed = step;
            if expert.fumbles() {
                executed.gripper = -executed.gripper;
            }
            let anchor = self.rig.status().anchor;
            let chunk = Chunk::of_displacements(anchor, POLICY_RATE_HZ, &[executed]);
            if self.rig.accept(chunk).is_err() {
                // The expert asked for what the limits forbid: not an example to learn from.
                return Ok(None);
            }
            self.rig.advance(POLICY_STEP_NS);
        }
        self.rig.advance(SETTLE_NS);
        Ok(self.rig.table.succeeded(task).then_some(episode))
    }
}

/// How an expert varies its ways. Most wander first, so that the policy sees every task begin from
/// anywhere; most are pushed off their course by noise and correct it, so that it learns to recover.
fn manner(seed: u64) -> ExpertConfig {
    let hash = mix(seed);
    let noise_m = [0.0, 0.004, 0.006, 0.008][(hash >> 32) as usize % 4];
    ExpertConfig {
        wander: !hash.is_multiple_of(5),
        noise_m,
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014): neighbouring seeds become unrelated.
fn mix(seed: u64) -> u64 {
    let mut hash = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// PNG at its fastest: rendered scenes are smooth, so a cheap filter already does most of the work.
fn png(rgb: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(64 << 10);
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive)
        .write_image(rgb, IMAGE_SIZE, IMAGE_SIZE, ExtendedColorType::Rgb8)
        .wrap_err("cannot encode an image")?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn experts_differ() {
        let manners: Vec<ExpertConfig> = (0..1000).map(manner).collect();
        let wandering = manners.iter().filter(|manner| manner.wander).count();
        let noisy = manners.iter().filter(|manner| manner.noise_m > 0.0).count();
        assert!((700..900).contains(&wandering), "{wandering}");
        assert!((650..850).contains(&noisy), "{noisy}");
    }
}
