//! One expert, one episode.

use eyre::{Result, WrapErr};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use tiller_world::{CameraInfo, Channels, EpisodeSpec, Frame as CameraFrame, TaskInfo, WorldKind};

use super::columns;
use crate::rig::{POLICY_STEP_NS, Rig};
use tiller_lerobot::{Episode, Frame, ImageStats};

/// An expert that has not finished by then has failed: 40 s.
const MAX_STEPS: usize = 400;
/// The scene comes to rest for this long before success is judged, ns.
const SETTLE_NS: u64 = 300_000_000;

/// A world with its cameras.
pub(super) struct Recorder {
    rig: Rig,
    cameras: Vec<CameraInfo>,
    turns_hand: bool,
    frame: CameraFrame,
}

impl Recorder {
    pub(super) fn new(kind: &dyn WorldKind) -> Result<Self> {
        Ok(Self {
            rig: Rig::new(kind).wrap_err("cannot make the world")?,
            cameras: kind.info().cameras.clone(),
            turns_hand: kind.info().robot.turns_hand,
            frame: CameraFrame::default(),
        })
    }

    /// Lets the expert try; `None` when the world does not see the task achieved at the end.
    pub(super) fn record(&mut self, task: &TaskInfo, seed: u64) -> Result<Option<Episode>> {
        self.rig.reset(&EpisodeSpec {
            tasks: vec![task.id.clone()],
            seed,
            ..EpisodeSpec::default()
        })?;
        self.rig.world.call_expert(&task.id, seed)?;
        let mut episode = Episode {
            task: task.instruction.clone(),
            seed,
            frames: Vec::new(),
            image_stats: vec![ImageStats::default(); self.cameras.len()],
            success: None,
        };
        loop {
            let anchor = self.rig.status().anchor;
            let Some(step) = self.rig.world.expert_step(anchor) else {
                break;
            };
            if episode.frames.len() == MAX_STEPS {
                return Ok(None);
            }
            let pngs = self.look(&mut episode.image_stats)?;
            let width_m = self.rig.reading().gripper_width_m;
            episode.frames.push(Frame {
                state: columns::state(&self.rig.tool(), width_m, self.turns_hand),
                action: columns::action(&step.learned, self.turns_hand),
                pngs,
            });
            let chunk = columns::chunk(anchor, &step.executed, self.turns_hand);
            if self.rig.accept(chunk).is_err() {
                // The expert asked for what the limits forbid: not an example to learn from.
                return Ok(None);
            }
            self.rig.advance(POLICY_STEP_NS)?;
        }
        self.rig.advance(SETTLE_NS)?;
        let completed = &self.rig.world.verdict().completed;
        Ok(completed.contains(&task.id).then_some(episode))
    }

    /// What every camera sees, as PNG.
    fn look(&mut self, stats: &mut [ImageStats]) -> Result<Vec<Vec<u8>>> {
        let mut pngs = Vec::with_capacity(self.cameras.len());
        for (camera, stats) in self.cameras.iter().zip(stats) {
            let (world, frame) = (&mut self.rig.world, &mut self.frame);
            world.look(camera.name, camera.size, Channels::COLOUR, frame)?;
            stats.push(&frame.rgb, camera.size[0]);
            pngs.push(png(&frame.rgb, camera.size)?);
        }
        Ok(pngs)
    }
}

/// PNG at its fastest: rendered scenes are smooth, so a cheap filter already does most of the work.
fn png(rgb: &[u8], size: [usize; 2]) -> Result<Vec<u8>> {
    let [width, height] = size.map(|edge| edge as u32);
    let mut bytes = Vec::with_capacity(64 << 10);
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive)
        .write_image(rgb, width, height, ExtendedColorType::Rgb8)
        .wrap_err("cannot encode an image")?;
    Ok(bytes)
}
