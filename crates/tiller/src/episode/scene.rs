//! The scene of a seed as the grounding sees it.

use eyre::{Result, WrapErr};
use tiller_grounding::{Grounder, GroundingConfig, Keypoint};
use tiller_playtable::{Channels, Task};

use super::eyes::Eyes;
use crate::rig::Rig;

/// The keypoints of a scene on the play table, and where the hand begins.
#[derive(Clone, Debug, PartialEq)]
pub struct SeededScene {
    /// Keypoints as the static camera shows them, in the order that reward programs count them.
    pub keypoints: Vec<Keypoint>,
    /// Position of the tool centre point in the robot base frame, m.
    pub end_effector_m: [f64; 3],
}

impl SeededScene {
    /// Sets up the scene of `seed`, with a task one in which it is feasible, and looks at it.
    ///
    /// # Errors
    /// When MuJoCo or the renderer does not start, or no keypoint is found.
    pub fn look(seed: u64, task: Option<Task>) -> Result<Self> {
        let mut rig = Rig::new().wrap_err("cannot load the play table")?;
        rig.reset(seed, task)?;
        let mut eyes = Eyes::new(&rig.table).wrap_err("cannot start the renderer")?;
        eyes.look(&mut rig.table, Channels::ALL)?;
        let mut grounder = Grounder::new(GroundingConfig::default())?;
        let keypoints = grounder.ground(&eyes.scene(&rig.table))?.to_vec();
        Ok(Self {
            keypoints,
            end_effector_m: rig.table.tcp_position_m(),
        })
    }
}
