//! What a recording holds of a data set's parts: everything but pixels.

use std::collections::{BTreeMap, BTreeSet};

use tiller_core::{EpisodeId, JOINTS, Pose};
use tiller_messages::{ActionChunk, AnyMessage, Episode, ExecutionState, TaskStatus};
use tiller_recording::{Clock, Entry};

use super::series::Series;
use tiller_recording::pixels::is_colour;

/// A camera's pictures.
#[derive(Debug)]
pub(crate) struct Camera {
    /// `node/output`.
    pub(crate) topic: String,
    /// Columns and rows, pixels.
    pub(crate) size: [usize; 2],
    /// Which of its pictures was taken when: counts from 0 over all that it sent.
    pub(crate) frames: Series<usize>,
    /// Pictures so far.
    count: usize,
}

/// Where a hand is, measured or commanded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Hand {
    /// The tool in the base frame.
    pub(crate) tool: Pose,
    /// Joints, rad.
    pub(crate) q_rad: [f64; JOINTS],
}

/// An episode and how it ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Span {
    pub(crate) id: EpisodeId,
    pub(crate) instruction: String,
    pub(crate) seed: u64,
    pub(crate) start_ns: u64,
    /// When it was over, where somebody said so.
    pub(crate) over_ns: Option<u64>,
    /// Whether the task was done, where somebody judged that.
    pub(crate) success: Option<bool>,
}

/// Everything but pixels.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    cameras: BTreeMap<String, Camera>,
    measured: BTreeMap<String, Series<(Hand, f64)>>,
    /// Who sends execution states: the actuator.
    actuators: BTreeSet<String>,
    pub(crate) commanded: Series<Hand>,
    opening_m: Series<f64>,
    chunks: BTreeMap<(u64, u64), ActionChunk>,
    chunk_opening: Series<f64>,
    episodes: BTreeMap<String, Vec<Episode>>,
    statuses: Vec<TaskStatus>,
    /// Who sends keypoints: no camera, whatever it draws.
    seers: BTreeSet<String>,
    pub(crate) clock: Clock,
    pub(crate) unreadable: u64,
}

impl Survey {
    /// Takes note of a message.
    pub(crate) fn add(&mut self, entry: &Entry) {
        let Ok(sent) = entry.open() else {
            self.unreadable += 1;
            return;
        };
        match sent.image_header(&self.clock) {
            Ok(None) => {}
            Ok(Some(header)) => {
                if is_colour(header.encoding) {
                    let size = [header.width, header.height];
                    let camera = self.cameras.entry(entry.topic()).or_insert_with(|| Camera {
                        topic: entry.topic(),
                        size,
                        frames: Series::default(),
                        count: 0,
                    });
                    if camera.size == size {
                        camera.frames.push(header.stamp_ns, camera.count);
                    } else {
                        self.unreadable += 1;
                    }
                    camera.count += 1;
                }
                return;
            }
            Err(_) => {
                self.unreadable += 1;
                return;
            }
        }
        match sent.any() {
            Ok(Some(message)) => self.message(entry, sent.sent_ns(), message),
            Ok(None) => {}
            Err(_) => self.unreadable += 1,
        }
    }

    fn message(&mut self, entry: &Entry, sent_ns: u64, message: AnyMessage) {
        match message {
            AnyMessage::ArmState(state) => {
                self.clock.observe(state.stamp_ns, sent_ns);
                let hand = Hand {
                    tool: state.tcp,
                    q_rad: state.q_rad,
                };
                let series = self.measured.entry(entry.node.clone()).or_default();
                series.push(state.stamp_ns, (hand, state.gripper_width_m));
            }
            AnyMessage::ExecutionState(state) => {
                self.actuators.insert(entry.node.clone());
                self.execution(&state);
            }
            AnyMessage::ArmCommand(command) => {
                self.opening_m
                    .push(command.stamp_ns, command.gripper_width_m);
            }
            AnyMessage::ActionChunk(chunk) => {
                self.chunks.insert((chunk.session, chunk.seq), *chunk);
            }
            AnyMessage::Keypoints(_) => {
                self.seers.insert(entry.node.clone());
            }
            AnyMessage::Episode(episode) => {
                let episodes = self.episodes.entry(entry.node.clone()).or_default();
                // Latched: whoever joins is told again.
                if episodes.last().is_none_or(|last| last.id < episode.id) {
                    episodes.push(*episode);
                }
            }
            AnyMessage::TaskStatus(status) => self.statuses.push(*status),
            _ => {}
        }
    }

    fn execution(&mut self, state: &ExecutionState) {
        let hand = Hand {
            tool: state.anchor,
            q_rad: state.anchor_q_rad,
        };
        self.commanded.push(state.stamp_ns, hand);
        let chunk = self.chunks.get(&(state.chunk_session, state.chunk_seq));
        let opening = chunk.and_then(|chunk| {
            let gripper = chunk.layout.gripper?;
            let last = chunk.execute_steps.saturating_sub(1);
            let row = chunk.rows().nth(state.chunk_step.min(last) as usize)?;
            Some(gripper.opening(f64::from(*row.get(gripper.column)?)))
        });
        if let Some(opening) = opening {
            self.chunk_opening
                .push(state.stamp_ns, opening.clamp(0.0, 1.0));
        }
    }

    /// The cameras: colour pictures of everybody but those who find keypoints in them.
    pub(crate) fn cameras(&self) -> Vec<&Camera> {
        let cameras = self.cameras.values();
        let is_camera = |camera: &&Camera| {
            let node = camera.topic.split('/').next().unwrap_or_default();
            !self.seers.contains(node)
        };
        cameras.filter(is_camera).collect()
    }

    /// What the arm measured, as the actuator tells everybody; else what there is.
    pub(crate) fn measured(&self) -> Option<&Series<(Hand, f64)>> {
        let of_actuator = self
            .actuators
            .iter()
            .find_map(|node| self.measured.get(node));
        of_actuator.or_else(|| self.measured.values().next())
    }

    /// The opening that was commanded by then, m: by the arm's commands, else by the chunk that was under
    /// way; none where neither was recorded.
    pub(crate) fn commanded_opening_m(&self, at_ns: u64) -> Option<f64> {
        let by_command = self.opening_m.newest(at_ns).copied();
        by_command.or_else(|| Some(self.chunk_opening.newest(at_ns)? * OPEN_M))
    }

    /// The episodes, in order, as the world announces them and not as somebody asks for them.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let cameras = self.cameras();
        let shows = |node: &&String| {
            let own = |camera: &&Camera| camera.topic.split('/').next() == Some(node.as_str());
            cameras.iter().any(own)
        };
        let world = self.episodes.keys().find(shows);
        let announced = match world {
            Some(node) => self.episodes.get(node),
            None => self.episodes.values().next(),
        };
        let episodes = announced.map(Vec::as_slice).unwrap_or_default();
        episodes.iter().map(|episode| self.span(episode)).collect()
    }

    fn span(&self, episode: &Episode) -> Span {
        let statuses = || {
            self.statuses
                .iter()
                .filter(|status| status.episode == episode.id)
        };
        let judged = statuses().any(|status| !status.tasks.is_empty());
        let over = statuses().find(|status| status.episode_over);
        Span {
            id: episode.id,
            instruction: episode.instruction.clone(),
            seed: episode.seed,
            start_ns: episode.stamp_ns,
            over_ns: over.map(|status| status.stamp_ns),
            success: judged.then(|| statuses().any(|status| status.success)),
        }
    }
}

/// The widest opening between the fingers, m.
const OPEN_M: f64 = 0.08;
