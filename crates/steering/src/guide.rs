//! What guidance may move.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use tiller_core::{ActionLayout, ArmColumns, Problems};

/// Which columns guidance may move beside those of the position, or the joints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Guide {
    /// The columns of the rotation; of joint-space policies whether rewards on the hand's orientation
    /// move the joints.
    pub rotation: bool,
    /// The column of the gripper.
    pub gripper: bool,
}

impl Guide {
    /// Names the blocks that the actions lack.
    pub(crate) fn problems(self, layout: &ActionLayout) -> Problems {
        let turns = match &layout.arm {
            ArmColumns::Pose { rotation, .. } => rotation.is_some(),
            ArmColumns::Joints(_) => true,
        };
        let grips = layout.gripper.is_some();
        let mut problems = Problems::default();
        let expected = "blocks that the action has";
        problems.require("guide", turns || !self.rotation, expected, "`rotation`");
        problems.require("guide", grips || !self.gripper, expected, "`gripper`");
        problems
    }
}

impl fmt::Display for Guide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("position")?;
        if self.rotation {
            f.write_str(",rotation")?;
        }
        if self.gripper {
            f.write_str(",gripper")?;
        }
        Ok(())
    }
}

impl FromStr for Guide {
    type Err = UnknownBlock;

    /// `position`, and `rotation` or `gripper` or both, with commas between.
    fn from_str(text: &str) -> Result<Self, UnknownBlock> {
        let (mut guide, mut has_position) = (Self::default(), false);
        for word in text.split(',').map(str::trim) {
            match word {
                "position" => has_position = true,
                "rotation" => guide.rotation = true,
                "gripper" => guide.gripper = true,
                _ => return Err(UnknownBlock(text.to_owned())),
            }
        }
        if has_position {
            Ok(guide)
        } else {
            Err(UnknownBlock(text.to_owned()))
        }
    }
}

/// What guidance is to move was not said as [`Guide`] is.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected `position`, and `,rotation` or `,gripper` or both after it, found `{0}`")]
pub struct UnknownBlock(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_guidance_moves_is_written_as_it_is_read() {
        for rotation in [false, true] {
            for gripper in [false, true] {
                let guide = Guide { rotation, gripper };
                assert_eq!(guide.to_string().parse(), Ok(guide));
            }
        }
        let spaced: Guide = "position, gripper".parse().unwrap();
        assert_eq!(spaced.to_string(), "position,gripper");
        for wrong in ["", "gripper", "position,wrist", "position;gripper"] {
            assert!(wrong.parse::<Guide>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn blocks_that_the_action_lacks_are_named() {
        let all = Guide {
            rotation: true,
            gripper: true,
        };
        let layout = ActionLayout::position_deltas(3, [0, 1, 2], None, 10.0);
        let problems = all.problems(&layout).found;
        let found: Vec<_> = problems.iter().map(|problem| &problem.found).collect();
        assert_eq!(problems.len(), 2, "{found:?}");
        assert!(Guide::default().problems(&layout).is_empty());
    }
}
