//! The reward of the stage under way, on a plane through the tool.

use tiller_closed_loop::compile_options;
use tiller_core::{Pose, ProgramId, Trajectories};
use tiller_messages::ProgramContract;
use tiller_reward::{EvaluateError, Evaluator, Program, Scene, compile};

use crate::colour::{by_share, shares};
use crate::{Shown, What};

/// Points of the plane along each direction.
const SIDE: usize = 41;

/// From one to the next, m: a plane of 40 x 40 cm around the tool.
const SPACING_M: f64 = 0.01;

/// Everything that a field is drawn from.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldRequest {
    /// Robot time, ns.
    pub stamp_ns: Option<u64>,
    /// The program's number.
    pub program: ProgramId,
    /// Its text.
    pub text: String,
    /// What it was written for.
    pub contract: ProgramContract,
    /// The stage, from 1.
    pub stage: u32,
    /// `[K]`, m in the base frame.
    pub keypoints: Vec<[f64; 3]>,
    /// `[K]` rotation matrices, or none.
    pub axes: Vec<[[f64; 3]; 3]>,
    /// Where the tool is.
    pub tool: Pose,
}

/// Why there is no field.
#[derive(Debug, thiserror::Error)]
pub enum FieldError {
    /// The program does not compile for these keypoints and this contract.
    #[error("the program cannot be shown: {0}")]
    Program(String),
    /// Its reward cannot be evaluated.
    #[error("the reward cannot be shown")]
    Evaluate(#[from] EvaluateError),
}

/// Evaluates rewards; the program is compiled when another one comes.
#[derive(Default)]
pub struct RewardField {
    compiled: Option<(ProgramId, usize, Program)>,
    /// Of a stage of it.
    evaluator: Option<(u32, Evaluator<f32>)>,
}

impl RewardField {
    /// The reward at each point of a horizontal plane through the tool, of a hand that goes there with the
    /// next step and stays, turned as it is and open; bright is high. Nothing where the stage leaves the
    /// policy unguided.
    ///
    /// # Errors
    /// When the program cannot be compiled or evaluated.
    pub fn draw(&mut self, request: &FieldRequest) -> Result<Option<Shown>, FieldError> {
        let count = request.keypoints.len();
        let is_known =
            matches!(&self.compiled, Some((id, k, _)) if (*id, *k) == (request.program, count));
        if !is_known {
            let options = compile_options(&request.contract, count);
            let program = compile(&request.text, &options)
                .map_err(|wrong| FieldError::Program(wrong.to_string()))?;
            self.compiled = Some((request.program, count, program));
            self.evaluator = None;
        }
        let Some((_, _, program)) = &self.compiled else {
            return Ok(None);
        };
        let index = (request.stage as usize).checked_sub(1);
        let stage = index.and_then(|index| program.stages.get(index));
        let Some(stage) = stage.filter(|stage| !stage.is_unguided) else {
            return Ok(None);
        };
        let evaluator = match &mut self.evaluator {
            Some((of, evaluator)) if *of == request.stage => evaluator,
            other => {
                let new = Evaluator::new(&stage.guidance, SIDE);
                &mut other.insert((request.stage, new)).1
            }
        };
        let (points, reads) = (stage.guidance.points(), stage.guidance.reads());
        let tool = request.tool.position_m;
        let matrix = request.tool.matrix();
        let rotation = [0, 1, 2].map(|row| [0, 1, 2].map(|column| matrix[(row, column)] as f32));
        let all = SIDE * points;
        let rotations = rotation
            .as_flattened()
            .repeat(if reads.rotations { all } else { 0 });
        let gripper = vec![1.0; if reads.gripper { all } else { 0 }];
        let scene = Scene {
            keypoints: &request.keypoints,
            keypoint_axes: &request.axes,
        };
        let mut at = Vec::with_capacity(SIDE * SIDE);
        let mut rewards = Vec::with_capacity(SIDE * SIDE);
        let mut positions = Vec::with_capacity(3 * all);
        for row in 0..SIDE {
            positions.clear();
            for column in 0..SIDE {
                let offset = |k: usize| (k as f64 - (SIDE / 2) as f64) * SPACING_M;
                let point = [tool[0] + offset(row), tool[1] + offset(column), tool[2]];
                let point = point.map(|x| x as f32);
                at.push(point);
                positions.extend(tool.map(|x| x as f32));
                (1..points).for_each(|_| positions.extend(point));
            }
            let mut values = [0.0; SIDE];
            let trajectories = Trajectories {
                positions: &positions,
                rotations: &rotations,
                gripper: &gripper,
            };
            match evaluator.evaluate_whole(&scene, &trajectories, &mut values, None) {
                // Grey where it is not a number.
                Ok(()) | Err(EvaluateError::NotFinite { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            rewards.extend(values.map(f64::from));
        }
        let colours = shares(rewards.iter().copied()).map(|share| by_share(share, 255));
        Ok(Some(Shown {
            path: "world/reward_field".to_owned(),
            stamp_ns: request.stamp_ns,
            what: What::Points3 {
                colours: colours.collect(),
                at,
                radius_m: 0.0018,
                names: Vec::new(),
            },
        }))
    }
}

#[cfg(test)]
mod tests {
    use tiller_core::ActionLayout;

    use super::*;

    const PROGRAM: &str = "num_stages = 2\n\
        def stage1_guidance(keypoints, action_sequence):\n    \
            return -torch.norm(action_sequence - keypoints[0], dim=-1).mean()\n\
        def stage2_guidance(keypoints, action_sequence):\n    return 0\n";

    fn request(text: &str, stage: u32) -> FieldRequest {
        FieldRequest {
            stamp_ns: Some(5),
            program: ProgramId(u64::from(stage)),
            text: text.to_owned(),
            contract: ProgramContract {
                points: 9,
                layout: ActionLayout::position_deltas(3, [0, 1, 2], None, 10.0),
                ..Default::default()
            },
            stage,
            keypoints: vec![[0.6, 0.1, 0.0]],
            axes: Vec::new(),
            tool: Pose::down([0.5, 0.0, 0.2]),
        }
    }

    #[test]
    fn the_field_is_brightest_next_to_what_the_reward_wants() {
        let mut field = RewardField::default();
        let shown = field.draw(&request(PROGRAM, 1)).unwrap().unwrap();
        let What::Points3 { at, colours, .. } = shown.what else {
            panic!("points");
        };
        assert_eq!((at.len(), shown.stamp_ns), (SIDE * SIDE, Some(5)));
        assert!(
            at.iter().all(|p| (p[2] - 0.2).abs() < 1e-6),
            "level with the tool"
        );
        let brightest: Vec<_> = (0..at.len())
            .filter(|k| colours[*k] == by_share(1.0, 255))
            .collect();
        let nearest = brightest.iter().map(|k| {
            let p = at[*k];
            (p[0] - 0.6).hypot(p[1] - 0.1)
        });
        assert!(nearest.fold(f32::INFINITY, f32::min) < 1e-5);
        assert!(brightest.len() < 20, "{}", brightest.len());
    }

    #[test]
    fn an_unguided_stage_has_none_and_a_broken_program_says_so() {
        let mut field = RewardField::default();
        assert!(field.draw(&request(PROGRAM, 2)).unwrap().is_none());
        assert!(field.draw(&request(PROGRAM, 7)).unwrap().is_none());
        let broken = field.draw(&FieldRequest {
            program: ProgramId(99),
            ..request("num_stages = 1", 1)
        });
        assert!(matches!(broken, Err(FieldError::Program(_))));
    }
}
