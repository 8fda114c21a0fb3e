//! What a program's stages want, drawn over the picture of the scene: on a thread that everybody else goes before.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use eyre::{Result, WrapErr};
use tiller_closed_loop::compile_options;
use tiller_core::ProgramId;
use tiller_messages::{ExecutionState, Keypoints, ProgramContract, Proposal};
use tiller_node_kit::thread_steps_back;
use tiller_page::{Rewards, StageReward};
use tiller_reward::{Scene, compile};
use tiller_scene::{Camera, RewardPlane};

/// How long a picture of the scene is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// Why nothing can be drawn over the scene, and what to do.
const UNPLACED: &str = "The camera `image` does not say where it stands, so nothing can be drawn over its picture. Give its \
                        place in the file that `TILLER_CALIBRATION` names (docs/hardware.md, chapter 3), or have its node send \
                        `focal`, `resolution` and `world_from_camera`.";

/// The same where there is no picture.
const UNSEEN: &str = "No picture of the camera `image` comes, over which rewards are drawn. Wire the camera in which keypoints \
                      are found to this node's input `image`.";

/// A picture of the scene and the camera that took it.
#[derive(Debug)]
pub(crate) struct Photograph {
    pub(crate) camera: Camera,
    /// Three bytes a pixel.
    pub(crate) rgb: Vec<u8>,
}

/// Everything that rewards are drawn from.
struct Wish {
    program: ProgramId,
    text: String,
    contract: ProgramContract,
    keypoints: Keypoints,
    hand_m: [f64; 3],
    /// None where nobody knows where the camera stands, or it sends nothing.
    photograph: Result<Photograph, &'static str>,
}

/// What was drawn.
pub(crate) struct Drawn {
    pub(crate) rewards: Rewards,
    /// A picture by stage, counted from 1; three bytes a pixel.
    pub(crate) pictures: Vec<(u32, Vec<u8>)>,
    /// Pixels across and down.
    pub(crate) size: [u32; 2],
}

/// Draws, and keeps in mind what there is to draw from.
pub(crate) struct Artist {
    wishes: Sender<Wish>,
    drawn: Receiver<Drawn>,
    contract: Option<ProgramContract>,
    photograph: Option<Result<Photograph, &'static str>>,
    /// Since when a photograph is all that is missing.
    waiting: Option<Instant>,
    /// The program that was wished for last.
    wished: Option<ProgramId>,
}

impl Artist {
    /// Starts the thread.
    pub(crate) fn start() -> Result<Self> {
        let (wishes, wished) = channel();
        let (done, drawn) = channel();
        thread::Builder::new()
            .name("rewards".to_owned())
            .spawn(move || draw_all(&wished, &done))
            .wrap_err("no thread for rewards")?;
        Ok(Self {
            wishes,
            drawn,
            contract: None,
            photograph: None,
            waiting: None,
            wished: None,
        })
    }

    /// What programs are compiled for.
    pub(crate) fn on_contract(&mut self, contract: ProgramContract) {
        self.contract = Some(contract);
    }

    /// Whether a picture of the scene is wanted.
    pub(crate) fn wants_photograph(&self) -> bool {
        self.waiting.is_some()
    }

    /// The scene as it is now; none where its picture does not say where it was taken.
    pub(crate) fn on_photograph(&mut self, photograph: Option<Photograph>) {
        self.photograph = Some(photograph.ok_or(UNPLACED));
    }

    /// Has a sound program drawn once all is there for it.
    pub(crate) fn look(
        &mut self,
        proposal: Option<&Proposal>,
        keypoints: Option<&Keypoints>,
        execution: Option<&ExecutionState>,
    ) {
        let (Some(proposal), Some(keypoints), Some(execution), Some(contract)) =
            (proposal, keypoints, execution, &self.contract)
        else {
            return;
        };
        let is_of_this =
            (keypoints.episode, keypoints.generation) == (proposal.episode, proposal.generation);
        let is_sound = !proposal.descriptions.is_empty();
        let is_wanted = self.wished != Some(proposal.id) && is_of_this && is_sound;
        self.waiting = match self.waiting {
            _ if !is_wanted => None,
            None => Some(Instant::now()),
            since => since,
        };
        let photograph = self.photograph.take().filter(|_| is_wanted);
        let is_late = |since: Instant| since.elapsed() > PATIENCE;
        let unseen = self.waiting.filter(|since| is_late(*since));
        let Some(photograph) = photograph.or(unseen.map(|_| Err(UNSEEN))) else {
            return;
        };
        self.waiting = None;
        self.wished = Some(proposal.id);
        let wish = Wish {
            program: proposal.id,
            text: proposal.text.clone(),
            contract: contract.clone(),
            keypoints: keypoints.clone(),
            hand_m: execution.anchor.position_m,
            photograph,
        };
        if self.wishes.send(wish).is_err() {
            tracing::warn!("rewards are drawn no longer");
        }
    }

    /// What has been drawn since.
    pub(crate) fn take(&self) -> Option<Drawn> {
        self.drawn.try_recv().ok()
    }
}

fn draw_all(wishes: &Receiver<Wish>, done: &Sender<Drawn>) {
    thread_steps_back();
    while let Ok(first) = wishes.recv() {
        // Those before the newest are wanted no more.
        let wish = wishes.try_iter().last().unwrap_or(first);
        match draw(&wish) {
            Ok(drawn) => {
                if done.send(drawn).is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!("the rewards of {} are not drawn: {error:#}", wish.program)
            }
        }
    }
}

fn draw(wish: &Wish) -> Result<Drawn> {
    let keypoints: Vec<_> = wish.keypoints.points().collect();
    let axes: Vec<_> = wish.keypoints.axes().collect();
    let options = compile_options(&wish.contract, keypoints.len());
    let program = compile(&wish.text, &options)?;
    let scene = Scene {
        keypoints: &keypoints,
        keypoint_axes: &axes,
    };
    let photograph = wish.photograph.as_ref().ok();
    let (mut stages, mut pictures) = (Vec::new(), Vec::new());
    let mut hand_m = wish.hand_m;
    for (number, stage) in (1..).zip(&program.stages) {
        let plane = RewardPlane::of(stage, scene, hand_m)?;
        let best = plane.as_ref().and_then(|plane| plane.best);
        stages.push(StageReward {
            is_guided: plane.is_some(),
            best_m: best.map(|best| best.at_m),
            reward: best.map(|best| best.reward),
            is_at_edge: best.is_some_and(|best| best.is_at_edge),
        });
        if let (Some(plane), Some(photograph)) = (plane, photograph) {
            let mut rgb = photograph.rgb.clone();
            plane.paint(&photograph.camera, &mut rgb);
            pictures.push((number, rgb));
        }
        // The next stage begins where this one wanted the hand to be.
        let goal = best.filter(|best| !best.is_at_edge);
        hand_m = goal.map_or(hand_m, |best| best.at_m);
    }
    Ok(Drawn {
        rewards: Rewards {
            program: wish.program,
            stages,
            problem: wish.photograph.as_ref().err().map(|why| (*why).to_owned()),
        },
        pictures,
        size: photograph.map_or([0; 2], |photograph| photograph.camera.size),
    })
}
