//! The dataflow's messages as the page's state.

use std::collections::BTreeMap;
use std::time::Duration;

use tiller_core::EpisodeId;
use tiller_messages::{
    Candidates, DryPlan, Episode, ExecutionState, ImageHeader, Keypoints, ProgramContract,
    Progress, Proposal, SafetyEvent, StageCommand, Status, TaskStatus,
};
use tiller_node_kit::{ImageReader, Input, Refused, Stream};
use tiller_page::{Page, Rewards};
use tiller_scene::Camera;

use crate::pictures::Packer;
use crate::rewards::{Artist, Photograph};

/// The camera over whose picture rewards are drawn: the one in which keypoints are found.
const SCENE: &str = "image";

/// What is shown, and how it is read.
pub(crate) struct View {
    pub(crate) page: Page,
    /// Where there is a page.
    painters: Option<(Packer, Artist)>,
    reader: ImageReader,
    /// Episode and stamp, ns, of the annotated picture that is shown: it is sent again and again for who joins late.
    annotated: Option<(Option<EpisodeId>, u64)>,
    /// What that picture says of its camera: the grounding knows the calibration.
    calibrated: Option<ImageHeader>,
    streams: Streams,
}

#[derive(Default)]
struct Streams {
    candidates: Stream<Candidates>,
    dry_plans: Stream<DryPlan>,
    contracts: Stream<ProgramContract>,
    episodes: Stream<Episode>,
    keypoints: Stream<Keypoints>,
    progress: Stream<Progress>,
    proposals: Stream<Proposal>,
    stages: Stream<StageCommand>,
    statuses: BTreeMap<String, Stream<Status>>,
}

impl View {
    /// Pictures go to `painters`, where there is a page to show them.
    pub(crate) fn new(page: Page, painters: Option<(Packer, Artist)>) -> Self {
        Self {
            page,
            painters,
            reader: ImageReader::new(),
            annotated: None,
            calibrated: None,
            streams: Streams::default(),
        }
    }

    /// What the actuator does; the node reads it, for its orders wait for it.
    pub(crate) fn on_execution(&mut self, state: ExecutionState, now: Duration) {
        self.page.mark("execution_state", None, now);
        self.page.on_execution(state, now);
    }

    /// What the world says of the tasks.
    pub(crate) fn on_task(&mut self, status: TaskStatus, now: Duration) {
        self.page.mark("task_status", Some(status.stamp_ns), now);
        self.page.on_task(status);
    }

    /// Something that the actuator refused, clamped or stopped.
    pub(crate) fn on_safety(&mut self, event: &SafetyEvent, now: Duration) {
        self.page.on_safety(event, now);
    }

    /// Takes an input that is only shown. Pictures are read while somebody looks, the annotated one always:
    /// it comes once a grounding.
    pub(crate) fn take(
        &mut self,
        input: &Input,
        is_watched: bool,
        now: Duration,
    ) -> Result<(), Refused> {
        let (page, streams) = (&mut self.page, &mut self.streams);
        let id = input.id.as_str();
        match id {
            "episode" => {
                if let Some(episode) = streams.episodes.read(input)? {
                    page.on_episode(episode, now);
                }
            }
            "proposal" => {
                if let Some(proposal) = streams.proposals.read(input)? {
                    page.on_proposal(proposal);
                }
            }
            "stage" => {
                if let Some(stage) = streams.stages.read(input)? {
                    page.mark(id, Some(stage.stamp_ns), now);
                    page.on_stage(stage);
                }
            }
            "progress" => {
                if let Some(progress) = streams.progress.read(input)? {
                    page.mark(id, Some(progress.stamp_ns), now);
                    page.on_progress(progress, now);
                }
            }
            "candidates" => {
                if let Some(candidates) = streams.candidates.read(input)? {
                    page.mark(id, Some(candidates.stamp_ns), now);
                    page.on_candidates(candidates);
                }
            }
            "dry_plan" => {
                if let Some(plan) = streams.dry_plans.read(input)? {
                    page.on_dry_plan(plan);
                }
            }
            "program_contract" => {
                if let Some(contract) = streams.contracts.read(input)?
                    && let Some((_, artist)) = &mut self.painters
                {
                    artist.on_contract(contract);
                }
            }
            "keypoints" => {
                if let Some(keypoints) = streams.keypoints.read(input)? {
                    page.mark(id, Some(keypoints.stamp_ns), now);
                    page.on_keypoints(keypoints);
                }
            }
            _ if id.ends_with("_status") => {
                let stream = streams.statuses.entry(id.to_owned()).or_default();
                if let Some(status) = stream.read(input)? {
                    page.on_status(&status, now);
                }
            }
            _ => self.picture(input, is_watched, now)?,
        }
        Ok(())
    }

    fn picture(&mut self, input: &Input, is_watched: bool, now: Duration) -> Result<(), Refused> {
        let id = input.id.as_str();
        let is_drawing = id == "annotated_image";
        let is_shown = match &mut self.painters {
            None => false,
            Some((packer, _)) => is_drawing || (is_watched && packer.is_due(id)),
        };
        let painters = self.painters.as_mut().filter(|_| is_shown);
        let Some((packer, artist)) = painters else {
            if !is_drawing {
                self.page.mark(id, None, now);
            }
            return Ok(());
        };
        let refused = |error| Refused::new(id, error);
        let image = self
            .reader
            .read(&input.metadata, &input.data)
            .map_err(refused)?;
        let header = image.header();
        if is_drawing {
            let episode = self.page.episode(now).map(|(episode, _)| episode.id);
            self.calibrated = Some(header.clone());
            let annotated = Some((episode, header.stamp_ns));
            if std::mem::replace(&mut self.annotated, annotated) == annotated {
                return Ok(());
            }
        }
        let rgb = image.rgb().map_err(refused)?;
        let size = [header.width, header.height].map(|side| u32::try_from(side).unwrap_or(0));
        packer.put(id, size[0], size[1], rgb);
        if is_drawing {
            return Ok(());
        }
        let calibrated = self.calibrated.as_ref().filter(|_| id == SCENE);
        let camera = Camera::of(header).or_else(|| calibrated.and_then(|it| camera_of(header, it)));
        if id == SCENE && artist.wants_photograph() {
            artist.on_photograph(camera.map(|camera| Photograph {
                camera,
                rgb: rgb.to_vec(),
            }));
        }
        self.page.mark(id, Some(header.stamp_ns), now);
        self.page.on_picture(id, camera);
        Ok(())
    }

    /// Has the rewards of the newest program drawn, and shows what has been.
    pub(crate) fn draw_rewards(&mut self) {
        let Some((packer, artist)) = &mut self.painters else {
            return;
        };
        let page = &mut self.page;
        artist.look(page.proposal(), page.keypoints(), page.execution());
        while let Some(drawn) = artist.take() {
            packer.forget(Rewards::PICTURES);
            let [width, height] = drawn.size;
            for (stage, rgb) in &drawn.pictures {
                packer.put(&drawn.rewards.picture(*stage), width, height, rgb);
            }
            page.on_rewards(drawn.rewards);
        }
    }
}

/// The camera of a picture that does not say where it stands, from the annotated picture of the same camera: the
/// scene stands there enlarged by a whole number.
fn camera_of(header: &ImageHeader, annotated: &ImageHeader) -> Option<Camera> {
    let zoom = (annotated.height / header.height.max(1)).max(1) as f64;
    let reduced = |numbers: [f64; 2]| numbers.map(|number| number / zoom);
    Camera::of(&ImageHeader {
        focal: annotated.focal.map(reduced),
        principal_point: annotated.principal_point.map(reduced),
        world_from_camera: annotated.world_from_camera,
        ..header.clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_that_says_nothing_stands_where_the_grounding_knows_it_to() {
        #[rustfmt::skip]
        let pose = [
            0.0, -1.0, 0.0, 0.5,
            -1.0, 0.0, 0.0, 0.1,
            0.0, 0.0, -1.0, 1.0,
            0.0, 0.0, 0.0, 1.0,
        ];
        let header = |width, height| ImageHeader {
            width,
            height,
            ..Default::default()
        };
        let plain = header(200, 100);
        assert_eq!(Camera::of(&plain), None);
        // Three times as large, with names beside it.
        let annotated = ImageHeader {
            focal: Some([300.0, 300.0]),
            principal_point: Some([300.0, 150.0]),
            world_from_camera: Some(pose),
            ..header(900, 300)
        };
        let camera = camera_of(&plain, &annotated).unwrap();
        assert_eq!((camera.size, camera.focal), ([200, 100], [100.0; 2]));
        assert_eq!(camera.project([0.5, 0.1, 0.0]), Some([100.0, 50.0]));
        assert_eq!(camera_of(&plain, &plain), None);
    }
}
