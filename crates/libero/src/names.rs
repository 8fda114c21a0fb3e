//! Where things of a scene are, by their names.

use mujoco_rs::prelude::{MjModel, MjtJoint, MjtObjBase};
use tiller_core::{Problem, Problems};

/// Finds what it is asked for and notes what the scene has not. What is missing becomes 0: nothing is
/// to be read before [`Problems`] has said that nothing is.
pub(crate) struct Names<'a> {
    pub(crate) model: &'a MjModel,
    pub(crate) problems: &'a mut Problems,
}

impl Names<'_> {
    fn find(&mut self, at: &str, kind: MjtObjBase, word: &str, name: &str) -> usize {
        let found = self.model.name_to_id(kind, name);
        if found.is_none() {
            let (expected, found) = (format!("a {word} of the scene"), format!("`{name}`"));
            let problem = Problem::new(at, expected, found);
            // Several parts ask for the same thing.
            if !self.problems.found.contains(&problem) {
                self.problems.found.push(problem);
            }
        }
        found.unwrap_or_default()
    }

    pub(crate) fn body(&mut self, at: &str, name: &str) -> usize {
        self.find(at, MjtObjBase::mjOBJ_BODY, "body", name)
    }

    pub(crate) fn geom(&mut self, at: &str, name: &str) -> usize {
        self.find(at, MjtObjBase::mjOBJ_GEOM, "geom", name)
    }

    pub(crate) fn site(&mut self, at: &str, name: &str) -> usize {
        self.find(at, MjtObjBase::mjOBJ_SITE, "site", name)
    }

    pub(crate) fn camera(&mut self, at: &str, name: &str) -> usize {
        self.find(at, MjtObjBase::mjOBJ_CAMERA, "camera", name)
    }

    pub(crate) fn actuator(&mut self, at: &str, name: &str) -> usize {
        self.find(at, MjtObjBase::mjOBJ_ACTUATOR, "actuator", name)
    }

    /// A joint with one degree of freedom: its places among positions and velocities.
    pub(crate) fn scalar_joint(&mut self, at: &str, name: &str) -> [usize; 2] {
        let id = self.find(at, MjtObjBase::mjOBJ_JOINT, "joint", name);
        let Some(kind) = self.model.jnt_type().get(id) else {
            return [0; 2];
        };
        if !matches!(kind, MjtJoint::mjJNT_SLIDE | MjtJoint::mjJNT_HINGE) {
            let found = format!("`{name}`, which has more");
            self.problems
                .push(at, "a joint with one degree of freedom", found);
        }
        let place = |address: i32| usize::try_from(address).unwrap_or_default();
        [
            place(self.model.jnt_qposadr()[id]),
            place(self.model.jnt_dofadr()[id]),
        ]
    }

    /// The body that a joint moves.
    pub(crate) fn joint_body(&mut self, at: &str, name: &str) -> usize {
        let id = self.find(at, MjtObjBase::mjOBJ_JOINT, "joint", name);
        let body = self.model.jnt_bodyid().get(id);
        body.and_then(|body| usize::try_from(*body).ok())
            .unwrap_or_default()
    }
}
