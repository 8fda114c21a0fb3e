//! One action read by its layout.

use nalgebra::{Matrix3, Rotation3, UnitQuaternion, Vector3};
use tiller_core::{ActionLayout, ActionMode, ArmColumns, Frame, RotationColumns, RotationKind};

use crate::space::{self, Numbers, Space};

/// Numbers below this length have no direction.
const NO_LENGTH: f64 = 1e-9;

/// One action of a chunk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Action<'a> {
    pub(crate) layout: &'a ActionLayout,
    pub(crate) numbers: &'a [f64],
}

/// What is wrong with an action's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Numbers that spell no rotation: a quaternion of no length or parallel columns.
    NoRotation,
    /// A number left the range of numbers when it was scaled.
    NotFinite,
}

impl Action<'_> {
    /// The way that the action asks for from `from`, before any limit.
    pub(crate) fn way(&self, from: &Numbers) -> Result<Numbers, Flaw> {
        let way = match &self.layout.arm {
            ArmColumns::Pose { position, rotation } => {
                let position = position.map(|column| self.scaled(column, self.metres()));
                self.tool_way(from, position.into(), rotation.as_ref())?
            }
            ArmColumns::Joints(columns) => {
                let values =
                    Numbers::from(columns.map(|column| self.scaled(column, self.radians())));
                match self.layout.mode {
                    ActionMode::JointVelocity => values / self.layout.rate_hz,
                    _ => values - from,
                }
            }
        };
        if way.iter().all(|value| value.is_finite()) {
            Ok(way)
        } else {
            Err(Flaw::NotFinite)
        }
    }

    fn tool_way(
        &self,
        from: &Numbers,
        position: Vector3<f64>,
        rotation: Option<&RotationColumns>,
    ) -> Result<Numbers, Flaw> {
        let ActionMode::DeltaPose(frame) = self.layout.mode else {
            let to = match rotation {
                Some(columns) => self.rotation(columns)?,
                None => space::rotation(from),
            };
            return Ok(Space::Pose.between(from, &space::place(&position, &to)));
        };
        let turn = match rotation {
            // Read as it stands: more than half a turn is too much, not a turn the other way.
            Some(columns) if columns.kind == RotationKind::RotationVector => {
                let [x, y, z, ..] = self.rotation_numbers(columns);
                Vector3::new(x, y, z)
            }
            Some(columns) => self.rotation(columns)?.scaled_axis(),
            None => Vector3::zeros(),
        };
        Ok(match frame {
            Frame::Base => space::way(&position, &turn),
            Frame::Tool => {
                let tool = space::rotation(from);
                space::way(&(tool * position), &(tool * turn))
            }
        })
    }

    /// Opening of the gripper, 0 closed to 1 open, perhaps beyond; none leaves it as it is.
    pub(crate) fn opening(&self) -> Option<f64> {
        let gripper = self.layout.gripper?;
        Some(gripper.opening(self.numbers[gripper.column]))
    }

    fn rotation(&self, columns: &RotationColumns) -> Result<UnitQuaternion<f64>, Flaw> {
        let numbers = self.rotation_numbers(columns);
        let matrix: Matrix3<f64> = columns.kind.matrix(&numbers);
        if matrix.iter().any(|value| !value.is_finite()) {
            return Err(Flaw::NotFinite);
        }
        if !spells_rotation(columns.kind, &numbers) {
            return Err(Flaw::NoRotation);
        }
        let matrix = Rotation3::from_matrix_unchecked(matrix);
        Ok(UnitQuaternion::from_rotation_matrix(&matrix))
    }

    /// The rotation's numbers, scaled where they are angles; the rest is 0.
    fn rotation_numbers(&self, columns: &RotationColumns) -> [f64; 6] {
        let unit = if columns.kind.is_angles() {
            self.radians()
        } else {
            1.0
        };
        let mut numbers = [0.0; 6];
        for (number, column) in numbers.iter_mut().zip(&columns.columns) {
            *number = self.scaled(*column, unit);
        }
        numbers
    }

    fn metres(&self) -> f64 {
        self.layout.position_m_per_unit
    }

    fn radians(&self) -> f64 {
        self.layout.rotation_rad_per_unit
    }

    /// A column of the arm as the policy's own controller has it.
    fn scaled(&self, column: usize, unit: f64) -> f64 {
        let value = self.numbers[column];
        let clip = self.layout.clip.unwrap_or(f64::INFINITY);
        value.clamp(-clip, clip) * unit
    }
}

fn spells_rotation(kind: RotationKind, numbers: &[f64; 6]) -> bool {
    let [a, b, c, d, e, f] = *numbers;
    match kind {
        RotationKind::RotationVector | RotationKind::EulerXyz => true,
        RotationKind::QuaternionWxyz | RotationKind::QuaternionXyzw => {
            nalgebra::Vector4::new(a, b, c, d).norm() > NO_LENGTH
        }
        RotationKind::Matrix6d => {
            Vector3::new(a, b, c).cross(&Vector3::new(d, e, f)).norm() > NO_LENGTH
        }
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::FRAC_PI_2;

    use super::*;
    use crate::kinematics::JOINTS;

    fn here() -> Numbers {
        // Turned by a quarter about z: the tool's x is the base's y.
        let rotation = UnitQuaternion::from_scaled_axis(Vector3::z() * FRAC_PI_2);
        space::place(&Vector3::new(0.5, 0.0, 0.2), &rotation)
    }

    fn layout(mode: ActionMode, kind: RotationKind) -> ActionLayout {
        ActionLayout {
            dim: 3 + kind.width(),
            arm: ArmColumns::Pose {
                position: [0, 1, 2],
                rotation: Some(RotationColumns {
                    columns: (3..3 + kind.width()).collect(),
                    kind,
                }),
            },
            mode,
            ..ActionLayout::position_deltas(3, [0, 1, 2], None, 10.0)
        }
    }

    fn way(layout: &ActionLayout, numbers: &[f64]) -> Result<Numbers, Flaw> {
        Action { layout, numbers }.way(&here())
    }

    fn assert_way(found: Result<Numbers, Flaw>, displacement: [f64; 3], turn: [f64; 3]) {
        let expected = space::way(&displacement.into(), &turn.into());
        let found = found.unwrap();
        assert!((found - expected).norm() < 1e-12, "{found} != {expected}");
    }

    #[test]
    fn displacements_are_taken_in_their_frame() {
        let numbers = [0.01, 0.0, 0.0, 0.1, 0.0, 0.0];
        let base = layout(
            ActionMode::DeltaPose(Frame::Base),
            RotationKind::RotationVector,
        );
        assert_way(way(&base, &numbers), [0.01, 0.0, 0.0], [0.1, 0.0, 0.0]);
        let tool = layout(
            ActionMode::DeltaPose(Frame::Tool),
            RotationKind::RotationVector,
        );
        assert_way(way(&tool, &numbers), [0.0, 0.01, 0.0], [0.0, 0.1, 0.0]);
    }

    #[test]
    fn every_spelling_of_an_absolute_rotation_leads_there() {
        let target = UnitQuaternion::from_scaled_axis(Vector3::z() * (FRAC_PI_2 + 0.2));
        for kind in RotationKind::ALL {
            let mut spelled = [0.0; 6];
            kind.spell(
                target.to_rotation_matrix().matrix(),
                &mut spelled[..kind.width()],
            );
            let mut numbers = vec![0.6, 0.0, 0.2];
            numbers.extend(&spelled[..kind.width()]);
            let found = way(&layout(ActionMode::AbsolutePose, kind), &numbers);
            assert_way(found, [0.1, 0.0, 0.0], [0.0, 0.0, 0.2]);
        }
    }

    #[test]
    fn scale_and_clip_are_those_of_the_policys_controller() {
        let osc = ActionLayout {
            position_m_per_unit: 0.05,
            rotation_rad_per_unit: 0.5,
            clip: Some(1.0),
            ..layout(
                ActionMode::DeltaPose(Frame::Base),
                RotationKind::RotationVector,
            )
        };
        let found = way(&osc, &[-3.0, 0.5, 0.0, 0.2, 0.0, 7.0]);
        assert_way(found, [-0.05, 0.025, 0.0], [0.1, 0.0, 0.5]);
    }

    #[test]
    fn joints_are_positions_or_speeds() {
        let mut layout = ActionLayout {
            dim: JOINTS,
            arm: ArmColumns::Joints([0, 1, 2, 3, 4, 5, 6]),
            mode: ActionMode::JointPosition,
            ..ActionLayout::position_deltas(3, [0, 1, 2], None, 10.0)
        };
        let from = Numbers::repeat(0.5);
        let numbers = [0.7; JOINTS];
        let way = |layout: &ActionLayout| {
            let action = Action {
                layout,
                numbers: &numbers,
            };
            action.way(&from).unwrap()
        };
        assert!((way(&layout) - Numbers::repeat(0.2)).norm() < 1e-12);
        layout.mode = ActionMode::JointVelocity;
        assert!((way(&layout) - Numbers::repeat(0.07)).norm() < 1e-12);
    }

    #[test]
    fn numbers_that_spell_no_rotation_are_told() {
        for (kind, numbers) in [
            (RotationKind::QuaternionWxyz, &[0.0; 4][..]),
            (RotationKind::Matrix6d, &[1.0, 0.0, 0.0, 2.0, 0.0, 0.0]),
        ] {
            for mode in [ActionMode::AbsolutePose, ActionMode::DeltaPose(Frame::Tool)] {
                let all: Vec<f64> = [0.0; 3].iter().chain(numbers).copied().collect();
                assert_eq!(way(&layout(mode, kind), &all), Err(Flaw::NoRotation));
            }
        }
        let base = layout(ActionMode::DeltaPose(Frame::Base), RotationKind::EulerXyz);
        let huge = ActionLayout {
            position_m_per_unit: 1e300,
            ..base
        };
        assert_eq!(way(&huge, &[1e300; 6]), Err(Flaw::NotFinite));
    }
}
