//! The scene of a seed as grounding and policy see it.

use eyre::{Result, WrapErr};
use tiller_grounding::{Grounder, Keypoint};
use tiller_playtable::{Camera, CameraGeometry, Channels, Frame, Renderer, Task};

use super::eyes::{Eyes, IMAGE_SIZE};
use crate::rig::Rig;

/// Edge of the picture for people, pixels.
const PICTURE_SIZE: usize = 768;

/// The keypoints of a scene on the play table, and where the hand begins.
#[derive(Clone, Debug, PartialEq)]
pub struct SeededScene {
    /// Keypoints as the static camera shows them, in the order that reward programs count them.
    pub keypoints: Vec<Keypoint>,
    /// Position of the tool centre point in the robot base frame, m.
    pub end_effector_m: [f64; 3],
}

/// What a policy is shown of a scene, and what people need to look at it; no object poses.
#[derive(Clone, Debug, PartialEq)]
pub struct SeededObservation {
    /// Keypoints and hand.
    pub scene: SeededScene,
    /// Where the first chunk's displacements start, m.
    pub anchor_m: [f64; 3],
    /// Distance between the fingers, m.
    pub gripper_width_m: f64,
    /// Columns and rows of the policy's images, pixels.
    pub image_size: usize,
    /// The static camera's image, RGB.
    pub static_rgb: Vec<u8>,
    /// The wrist camera's image, RGB.
    pub wrist_rgb: Vec<u8>,
    /// Geometry of the static camera's image.
    pub camera: CameraGeometry,
    /// Columns and rows of `picture_rgb`, pixels.
    pub picture_size: usize,
    /// The static camera's view in more pixels, for people.
    pub picture_rgb: Vec<u8>,
}

impl SeededScene {
    /// Sets up the scene of `seed`, with a task one in which it is feasible, and looks at it.
    ///
    /// # Errors
    /// When MuJoCo or the renderer does not start, or no keypoint is found.
    pub fn look(seed: u64, task: Option<Task>) -> Result<Self> {
        Ok(look(seed, task)?.0)
    }
}

impl SeededObservation {
    /// Sets up the scene of `seed`, with a task one in which it is feasible, and looks at it through
    /// both cameras.
    ///
    /// # Errors
    /// As [`SeededScene::look`].
    pub fn look(seed: u64, task: Option<Task>) -> Result<Self> {
        let (scene, mut rig, mut eyes) = look(seed, task)?;
        eyes.look_at_hand(&mut rig.table)?;
        let [fixed, wrist] = eyes.policy_images().map(|image| image.rgb.to_vec());
        let mut renderer = Renderer::new(&rig.table, PICTURE_SIZE, PICTURE_SIZE)?;
        let mut picture = Frame::default();
        renderer.render(
            &mut rig.table,
            Camera::Static,
            Channels::COLOUR,
            &mut picture,
        )?;
        Ok(Self {
            scene,
            anchor_m: rig.anchor_m(),
            gripper_width_m: rig.table.reading().gripper_width_m,
            image_size: IMAGE_SIZE,
            static_rgb: fixed,
            wrist_rgb: wrist,
            camera: rig
                .table
                .camera_geometry(Camera::Static, IMAGE_SIZE, IMAGE_SIZE),
            picture_size: PICTURE_SIZE,
            picture_rgb: picture.rgb,
        })
    }
}

fn look(seed: u64, task: Option<Task>) -> Result<(SeededScene, Rig, Eyes)> {
    let mut rig = Rig::new().wrap_err("cannot load the play table")?;
    rig.reset(seed, task.as_slice(), None)?;
    let mut eyes = Eyes::new(&rig.table).wrap_err("cannot start the renderer")?;
    eyes.look(&mut rig.table, Channels::ALL)?;
    let mut grounder = Grounder::new(super::grounding())?;
    let keypoints = grounder.ground(&eyes.scene(&rig.table))?.to_vec();
    let scene = SeededScene {
        keypoints,
        end_effector_m: rig.table.tcp_position_m(),
    };
    Ok((scene, rig, eyes))
}
