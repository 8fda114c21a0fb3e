//! Columns of state and action.

use serde::Serialize;

use super::plan::Planned;
use super::survey::Hand;

/// What the columns of state and action are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Columns {
    /// The tool's position (m) and orientation (unit quaternion) in the base frame, and the opening (m).
    #[default]
    Tool,
    /// The joints (rad) and the opening (m).
    Joints,
}

const TOOL: [&str; 8] = ["x_m", "y_m", "z_m", "qx", "qy", "qz", "qw", "opening_m"];
const JOINTS: [&str; 8] = [
    "q1_rad",
    "q2_rad",
    "q3_rad",
    "q4_rad",
    "q5_rad",
    "q6_rad",
    "q7_rad",
    "opening_m",
];

impl Columns {
    /// Their names, the same for state and action.
    pub(crate) fn names(self) -> Vec<String> {
        let names = match self {
            Self::Tool => TOOL,
            Self::Joints => JOINTS,
        };
        names.map(str::to_owned).to_vec()
    }

    fn values(self, hand: &Hand, opening_m: f64) -> [f64; 8] {
        match self {
            Self::Tool => {
                let [x, y, z] = hand.tool.position_m;
                let [qw, qx, qy, qz] = hand.tool.quaternion_wxyz;
                [x, y, z, qx, qy, qz, qw, opening_m]
            }
            Self::Joints => {
                let [a, b, c, d, e, f, g] = hand.q_rad;
                [a, b, c, d, e, f, g, opening_m]
            }
        }
    }

    /// State and action of the frames of one episode.
    pub(crate) fn rows(self, frames: &[Planned]) -> Vec<[Vec<f32>; 2]> {
        let mut before: Option<[f64; 8]> = None;
        let mut rows = Vec::with_capacity(frames.len());
        for frame in frames {
            let mut state = self.values(&frame.measured, frame.opening_m);
            let mut action = self.values(&frame.commanded, frame.commanded_opening_m);
            if self == Self::Tool {
                continue_turn(before.as_ref(), &mut state);
                continue_turn(Some(&state), &mut action);
                before = Some(state);
            }
            rows.push([state, action].map(|row| row.map(|value| value as f32).to_vec()));
        }
        rows
    }
}

/// Of the two quaternions of an orientation takes the one that is near the one before: what a policy is
/// trained on does not jump.
fn continue_turn(before: Option<&[f64; 8]>, row: &mut [f64; 8]) {
    let turned = match before {
        Some(before) => (3..7).map(|i| before[i] * row[i]).sum::<f64>() < 0.0,
        // A hand that points down has a w near 0, whose sign says little.
        None => {
            let largest = (3..7).max_by(|a, b| row[*a].abs().total_cmp(&row[*b].abs()));
            largest.is_some_and(|i| row[i] < 0.0)
        }
    };
    if turned {
        for value in &mut row[3..7] {
            *value = -*value;
        }
    }
}

#[cfg(test)]
mod tests {
    use tiller_core::Pose;

    use super::*;

    fn frame(measured: [f64; 4], commanded: [f64; 4]) -> Planned {
        let hand = |quaternion_wxyz| Hand {
            tool: Pose {
                position_m: [0.1, 0.2, 0.3],
                quaternion_wxyz,
            },
            q_rad: [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0],
        };
        Planned {
            measured: hand(measured),
            opening_m: 0.04,
            commanded: hand(commanded),
            commanded_opening_m: 0.08,
            pictures: vec![0],
        }
    }

    #[test]
    fn quaternions_do_not_jump() {
        let down = [0.0, 1.0, 0.0, 0.0];
        let same = down.map(|value: f64| -value);
        let rows = Columns::Tool.rows(&[frame(same, down), frame(down, same), frame(same, same)]);
        for [state, action] in rows {
            assert_eq!(state, [0.1, 0.2, 0.3, 1.0, 0.0, 0.0, 0.0, 0.04]);
            assert_eq!(action[3], 1.0);
            assert_eq!(action[7], 0.08);
        }
    }

    #[test]
    fn every_column_has_a_name() {
        for columns in [Columns::Tool, Columns::Joints] {
            let rows = columns.rows(&[frame([1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0])]);
            assert_eq!(rows[0].each_ref().map(Vec::len), [columns.names().len(); 2]);
        }
        let rows = Columns::Joints.rows(&[frame([1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0])]);
        assert_eq!(rows[0][0], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 0.04]);
    }
}
