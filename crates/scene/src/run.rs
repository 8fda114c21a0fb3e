//! A run's messages as things to be seen.

use tiller_core::{ProgramId, visible_line};
use tiller_messages::{
    ArmState, Candidates, Episode, ExecutionState, ImageHeader, Keypoints, Level, ProgramContract,
    Progress, RewardProgram, SafetyEvent, StageCommand, Status, TaskStatus,
};

use crate::colour::{CHOSEN, HIDDEN, PLAIN, SEEN, by_share, shares};
use crate::{Camera, FieldRequest, Gravity, Shown, What, arm};

/// Characters of a line in a log.
const LINE: usize = 400;

/// Points of the scene that are drawn of a depth picture at most.
const CLOUD: usize = 16_384;

/// What is further away than this from the robot's base is no part of the scene, m: walls and floors would
/// have a viewer look from afar.
const FAR_M: f32 = 1.0;

/// Nor is what lies lower than this below it, m.
const LOW_M: f32 = 0.15;

/// Follows a run and says what is to be seen of it.
///
/// ```
/// use tiller_messages::{Keypoints, Progress};
/// use tiller_scene::{Run, What};
///
/// let mut run = Run::default();
/// run.on_progress(&Progress { stamp_ns: 5, achieved: 0.25, planned: 0.5, ..Default::default() });
/// let shown = run.drain().next().unwrap();
/// assert_eq!(shown.path, "plots/progress");
/// assert_eq!(shown.what, What::Series(vec![0.25, 0.5]));
/// ```
#[derive(Debug, Default)]
pub struct Run {
    shown: Vec<Shown>,
    /// The arm's clock.
    now_ns: Option<u64>,
    episode: Option<Episode>,
    outcome: String,
    program: Option<RewardProgram>,
    contract: Option<ProgramContract>,
    stage: Option<StageCommand>,
    keypoints: Option<Keypoints>,
    arm: Option<ArmState>,
    mode: &'static str,
    cameras: Vec<Looking>,
}

/// A camera whose place is known.
#[derive(Debug)]
struct Looking {
    /// Of its pictures.
    path: String,
    camera: Camera,
    /// Its newest picture, for the colours of what depth shows.
    rgb: Vec<u8>,
}

impl Run {
    /// What has come about since the last call, in order.
    pub fn drain(&mut self) -> impl Iterator<Item = Shown> + '_ {
        self.shown.drain(..)
    }

    /// Something else that is to be seen among the rest.
    pub fn push(&mut self, shown: Shown) {
        self.shown.push(shown);
    }

    /// The robot's clock, ns; none before the arm has spoken.
    #[must_use]
    pub fn now_ns(&self) -> Option<u64> {
        self.now_ns
    }

    /// What the reward under way can be drawn from; none while there is none.
    #[must_use]
    pub fn field_request(&self) -> Option<FieldRequest> {
        let (program, stage) = (self.program.as_ref()?, self.stage.as_ref()?);
        if stage.program != program.id || stage.stage == 0 || stage.is_over() {
            return None;
        }
        let keypoints = self.keypoints.as_ref()?;
        if keypoints.generation != program.generation {
            return None;
        }
        Some(FieldRequest {
            stamp_ns: self.now_ns,
            program: program.id,
            text: program.text.clone(),
            contract: self.contract.clone()?,
            stage: stage.stage,
            keypoints: keypoints.points().collect(),
            axes: keypoints.axes().collect(),
            tool: self.arm.as_ref()?.tcp,
        })
    }

    /// Pictures of an input, three bytes a pixel; the camera is drawn where it stands if it says so.
    pub fn on_picture(&mut self, input: &str, header: &ImageHeader, rgb: &[u8]) {
        let path = format!("world/cameras/{input}");
        let stamp_ns = Some(header.stamp_ns);
        let camera = Camera::of(header);
        let known = self.cameras.iter().position(|known| known.path == path);
        let before = known.map(|index| self.cameras.swap_remove(index).camera);
        if let Some(camera) = camera {
            if before != Some(camera) {
                self.show_at(path.clone(), stamp_ns, What::Camera(camera));
            }
            self.cameras.push(Looking {
                path: path.clone(),
                camera,
                rgb: rgb.to_vec(),
            });
        }
        let (width, height) = (header.width as u32, header.height as u32);
        let rgb = rgb.to_vec();
        let picture = What::Picture { width, height, rgb };
        self.show_at(path, stamp_ns, picture);
    }

    /// A picture that a node has drawn for people, which no camera sees so.
    pub fn on_drawing(&mut self, input: &str, header: &ImageHeader, rgb: &[u8]) {
        let picture = What::Picture {
            width: header.width as u32,
            height: header.height as u32,
            rgb: rgb.to_vec(),
        };
        self.show(format!("drawings/{input}"), picture);
    }

    /// Labels of an input, one byte a pixel, over the pictures of `camera`.
    pub fn on_labels(&mut self, camera: &str, header: &ImageHeader, ids: &[u8]) {
        let names = header.labels.iter();
        let labels = What::Labels {
            width: header.width as u32,
            height: header.height as u32,
            ids: ids.to_vec(),
            names: names.map(|label| (label.id, label.name.clone())).collect(),
        };
        let path = format!("world/cameras/{camera}/labels");
        self.show_at(path, Some(header.stamp_ns), labels);
    }

    /// Depth in millimetres, 0 where it is unknown: as coloured points in space.
    pub fn on_depth(&mut self, header: &ImageHeader, millimetres: &[u16]) {
        let Some(camera) = Camera::of(header) else {
            return;
        };
        // An even grid of pixels.
        let pixels = header.width * header.height;
        let stride = (1..).find(|n| pixels / (n * n) <= CLOUD).unwrap_or(1);
        // Pixel by pixel where both come from one camera.
        let picture = self.cameras.iter().find(|seen| seen.camera == camera);
        let (mut at, mut colours) = (Vec::new(), Vec::new());
        for row in (0..header.height).step_by(stride) {
            for column in (0..header.width).step_by(stride) {
                let pixel = row * header.width + column;
                let depth_m = f64::from(millimetres.get(pixel).copied().unwrap_or(0)) * 1e-3;
                let point = camera.lift(column, row, depth_m);
                let distance_m = point.iter().map(|x| x * x).sum::<f32>().sqrt();
                if depth_m <= 0.0 || distance_m > FAR_M || point[2] < -LOW_M {
                    continue;
                }
                at.push(point);
                let rgb = picture.and_then(|seen| seen.rgb.get(3 * pixel..3 * pixel + 3));
                let [r, g, b] = match rgb {
                    Some(rgb) => [rgb[0], rgb[1], rgb[2]],
                    None => [160; 3],
                };
                colours.push([r, g, b, 255]);
            }
        }
        let cloud = What::Points3 {
            at,
            colours,
            radius_m: 0.003,
            names: Vec::new(),
        };
        self.show_at("world/scene".to_owned(), Some(header.stamp_ns), cloud);
    }

    /// Keypoints, in space and in every picture whose camera is known.
    pub fn on_keypoints(&mut self, keypoints: Keypoints) {
        let stamp_ns = Some(keypoints.stamp_ns);
        let named = |k: usize| match keypoints.names.get(k) {
            Some(name) => format!("{k} {}", visible_line(name, 40)),
            None => k.to_string(),
        };
        let colour = |k: usize| match keypoints.visible.get(k) {
            Some(true) => SEEN,
            _ => HIDDEN,
        };
        let points: Vec<_> = keypoints.points().collect();
        let count = points.len();
        let in_space = What::Points3 {
            at: points.iter().map(|p| p.map(|x| x as f32)).collect(),
            colours: (0..count).map(colour).collect(),
            radius_m: 0.008,
            names: (0..count).map(named).collect(),
        };
        let mut all = vec![("world/keypoints".to_owned(), in_space)];
        for Looking { path, camera, .. } in &self.cameras {
            let seen = (0..count).filter_map(|k| Some((k, camera.project(points[k])?)));
            let seen: Vec<_> = seen.collect();
            let in_picture = What::Points2 {
                at: seen.iter().map(|(_, at)| *at).collect(),
                colours: seen.iter().map(|(k, _)| colour(*k)).collect(),
                names: seen.iter().map(|(k, _)| k.to_string()).collect(),
            };
            all.push((format!("{path}/keypoints"), in_picture));
        }
        for (path, what) in all {
            self.show_at(path, stamp_ns, what);
        }
        self.keypoints = Some(keypoints);
    }

    /// The arm, and how far its hand is open.
    pub fn on_arm(&mut self, state: ArmState) {
        self.now_ns = Some(state.stamp_ns);
        for (path, what) in arm::parts(&state) {
            self.show(path.to_owned(), what);
        }
        let opening = What::Series(vec![state.gripper_width_m * 1e3]);
        self.show("plots/gripper_mm".to_owned(), opening);
        self.arm = Some(state);
    }

    /// What the actuator does: a new mode is a line in the log.
    pub fn on_execution(&mut self, state: &ExecutionState) {
        let mode = state.mode.as_str();
        if mode != self.mode {
            self.mode = mode;
            self.line(Gravity::Info, &format!("the arm is {mode}"));
        }
    }

    /// What the sampler chose from: candidates coloured by their reward, the chosen one apart.
    pub fn on_candidates(&mut self, candidates: &Candidates) {
        let points = (candidates.points as usize).max(1);
        let (xyz, _) = candidates.xyz_m.as_chunks::<3>();
        let strips: Vec<Vec<[f32; 3]>> = xyz.chunks_exact(points).map(<[_]>::to_vec).collect();
        let rewards = candidates.rewards.iter().map(|reward| f64::from(*reward));
        let colours: Vec<_> = shares(rewards).map(|share| by_share(share, 170)).collect();
        let colours = match colours.is_empty() {
            true => vec![PLAIN],
            false => colours,
        };
        let chosen = strips.get(candidates.selected as usize).cloned();
        let spread_m = spread(strips.iter().filter_map(|strip| strip.last()));
        // Robot time is when it was planned from; it is seen when it is there.
        self.show(
            "world/candidates".to_owned(),
            What::Lines3 {
                strips,
                colours,
                radius_m: 0.0015,
            },
        );
        let chosen = What::Lines3 {
            strips: chosen.into_iter().collect(),
            colours: vec![CHOSEN],
            radius_m: 0.004,
        };
        self.show("world/chunk".to_owned(), chosen);
        let width = What::Series(vec![spread_m * 1e3]);
        self.show("plots/candidates_mm".to_owned(), width);
    }

    /// How far the stage is, and how hard it is pushed for.
    pub fn on_progress(&mut self, progress: &Progress) {
        let series = [
            ("plots/progress", vec![progress.achieved, progress.planned]),
            ("plots/reward", vec![progress.reward]),
            ("plots/guidance", vec![progress.guidance_strength]),
            ("plots/ess", vec![progress.ess]),
        ];
        for (path, values) in series {
            let stamp_ns = Some(progress.stamp_ns);
            self.show_at(path.to_owned(), stamp_ns, What::Series(values));
        }
    }

    /// Another episode begins: what was drawn for the one before goes.
    pub fn on_episode(&mut self, episode: Episode) {
        if self
            .episode
            .as_ref()
            .is_some_and(|known| known.id == episode.id)
        {
            return;
        }
        self.line(Gravity::Info, &format!("episode: {}", episode.instruction));
        for path in ["world/candidates", "world/chunk", "world/reward_field"] {
            self.show(path.to_owned(), What::Gone);
        }
        self.episode = Some(episode);
        self.stage = None;
        self.outcome.clear();
        self.page();
    }

    /// What the sampler's policy demands of programs.
    pub fn on_contract(&mut self, contract: ProgramContract) {
        self.contract = Some(contract);
    }

    /// The reward program, as a page.
    pub fn on_program(&mut self, program: RewardProgram) {
        if self
            .program
            .as_ref()
            .is_some_and(|known| known.id == program.id)
        {
            return;
        }
        let source = visible_line(&program.source, LINE);
        // A fence of its own length, so that no line of the program ends it.
        let text = tiller_core::visible_block(&program.text).replace("~~~~", "~ ~ ~ ~");
        let page = format!("By {source}\n\n~~~~python\n{text}\n~~~~\n");
        self.show("texts/program".to_owned(), What::Page(page));
        let stages = program.num_stages;
        self.line(
            Gravity::Info,
            &format!("a program of {stages} stages by {source}"),
        );
        self.program = Some(program);
        self.page();
    }

    /// A decision of the switcher.
    pub fn on_stage(&mut self, stage: StageCommand) {
        let is_same = self.stage.as_ref().is_some_and(|known| {
            known.visit() == stage.visit()
                && known.kind == stage.kind
                && known.guidance == stage.guidance
        });
        let number = f64::from(stage.stage);
        self.show("plots/stage".to_owned(), What::Series(vec![number]));
        if !is_same {
            let line = format!("stage {}: {}: {}", stage.stage, stage.kind, stage.reason);
            self.line(Gravity::Info, &line);
        }
        if stage.is_over() {
            self.show("world/reward_field".to_owned(), What::Gone);
        }
        self.stage = Some(stage);
        if !is_same {
            self.page();
        }
    }

    /// Something that the actuator refused, clamped or stopped.
    pub fn on_safety(&mut self, event: &SafetyEvent) {
        self.line(
            Gravity::Warning,
            &format!("safety: {}: {}", event.kind, event.text),
        );
    }

    /// A node's word.
    pub fn on_status(&mut self, status: &Status) {
        let gravity = match status.level {
            Level::Info => Gravity::Info,
            Level::Warning => Gravity::Warning,
            Level::Error => Gravity::Error,
        };
        self.line(
            gravity,
            &format!("{}: {}: {}", status.node, status.code, status.text),
        );
    }

    /// The oracle's word: told when it is the last.
    pub fn on_task(&mut self, task: &TaskStatus) {
        let outcome = match (task.success, task.episode_over) {
            (true, _) => format!("success: {}", task.reason),
            (false, true) => format!("no success: {}", task.reason),
            (false, false) => String::new(),
        };
        if outcome != self.outcome {
            self.outcome = outcome;
            if !self.outcome.is_empty() {
                let line = self.outcome.clone();
                self.line(Gravity::Info, &line);
            }
            self.page();
        }
    }

    /// Task, stages and outcome on a page.
    fn page(&mut self) {
        let mut page = String::new();
        if let Some(episode) = &self.episode {
            page = format!("## {}\n\n", visible_line(&episode.instruction, LINE));
        }
        let stage = self.stage.as_ref();
        let under_way = |id: ProgramId| stage.filter(|s| s.program == id).map_or(0, |s| s.stage);
        if let Some(program) = &self.program {
            let under_way = under_way(program.id);
            for (number, name) in (1..).zip(&program.descriptions) {
                let name = visible_line(name, LINE);
                page += &match number == under_way {
                    true => format!("{number}. **{name}**\n"),
                    false => format!("{number}. {name}\n"),
                };
            }
        }
        if let Some(stage) = stage {
            let guidance = if stage.guidance { "on" } else { "off" };
            let reason = visible_line(&stage.reason, LINE);
            page += &format!("\nguidance {guidance}, visit {}; {reason}\n", stage.visit);
        }
        if !self.outcome.is_empty() {
            page += &format!("\n**{}**\n", visible_line(&self.outcome, LINE));
        }
        self.show("texts/task".to_owned(), What::Page(page));
    }

    fn line(&mut self, gravity: Gravity, text: &str) {
        let text = visible_line(text, LINE);
        self.show("texts/log".to_owned(), What::Line { gravity, text });
    }

    fn show(&mut self, path: String, what: What) {
        self.show_at(path, self.now_ns, what);
    }

    fn show_at(&mut self, path: String, stamp_ns: Option<u64>, what: What) {
        self.shown.push(Shown {
            path,
            stamp_ns,
            what,
        });
    }
}

/// How far points lie from their mean, root of the mean square, m.
fn spread<'p>(points: impl Iterator<Item = &'p [f32; 3]> + Clone) -> f64 {
    let count = points.clone().count().max(1) as f64;
    let mut mean = [0.0; 3];
    for point in points.clone() {
        (0..3).for_each(|k| mean[k] += f64::from(point[k]) / count);
    }
    let square = |point: &[f32; 3]| -> f64 {
        (0..3)
            .map(|k| (f64::from(point[k]) - mean[k]).powi(2))
            .sum()
    };
    (points.map(square).sum::<f64>() / count).sqrt()
}

#[cfg(test)]
mod tests;
