//! What a program's stages want, as the page tells it beside the pictures.

use serde_json::{Value, json};
use tiller_core::ProgramId;

/// What the stages of a program want.
#[derive(Debug, Clone, PartialEq)]
pub struct Rewards {
    /// Which program's.
    pub program: ProgramId,
    /// By stage.
    pub stages: Vec<StageReward>,
    /// Why they are not drawn over the scene, and what to do about it; none where they are.
    pub problem: Option<String>,
}

/// What a stage wants.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct StageReward {
    /// Whether it has a reward at all.
    pub is_guided: bool,
    /// Where the reward is highest, m in the base frame; none where it is nowhere a finite number.
    pub best_m: Option<[f64; 3]>,
    /// How high.
    pub reward: Option<f64>,
    /// Whether that lies on the border of what was searched.
    pub is_at_edge: bool,
}

impl Rewards {
    /// The name under which the picture of a stage, counted from 1, is shown.
    #[must_use]
    pub fn picture(&self, stage: u32) -> String {
        format!("{}{} {stage}", Self::PICTURES, self.program.0)
    }

    /// How the names of all such pictures begin.
    pub const PICTURES: &str = "reward ";

    /// `{program, problem, stages: [{is_guided, picture, best_m, reward, is_at_edge}]}`; a stage without guidance has
    /// no picture.
    pub(crate) fn json(&self) -> Value {
        let is_drawn = |stage: &StageReward| stage.is_guided && self.problem.is_none();
        let rows = (1..).zip(&self.stages).map(|(number, stage)| {
            json!({
                "is_guided": stage.is_guided,
                "picture": is_drawn(stage).then(|| self.picture(number)),
                "best_m": stage.best_m,
                "reward": stage.reward.filter(|reward| reward.is_finite()),
                "is_at_edge": stage.is_at_edge,
            })
        });
        json!({
            "program": self.program.0.to_string(),
            "problem": self.problem,
            "stages": rows.collect::<Vec<_>>(),
        })
    }
}
