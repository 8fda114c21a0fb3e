//! What a policy is told of the robot's own state.

use crate::rotation::MAX_WIDTH;
use crate::{Pose, RotationKind};

/// A part of the robot's state, as numbers in the robot base frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateComponent {
    /// TCP x, y and z, m.
    Position,
    /// The first two columns of the hand's rotation matrix, one after the other, 6 numbers (Zhou et
    /// al., "On the Continuity of Rotation Representations in Neural Networks", 2019).
    Rotation6d,
    /// The hand's rotation as axis times angle, rad, up to pi. It leaps there: of a hand that points
    /// straight down the sign of all three numbers is a matter of rounding.
    RotationVector,
    /// Width between the fingers, m.
    GripperWidth,
    /// The two fingers' joints, half the width and its opposite, m, as robosuite has them.
    Fingers,
}

impl StateComponent {
    /// All components.
    pub const ALL: [Self; 5] = [
        Self::Position,
        Self::Rotation6d,
        Self::RotationVector,
        Self::GripperWidth,
        Self::Fingers,
    ];

    /// What a policy is told that does not say what it wants: TCP x, y, z and gripper width.
    pub const DEFAULT: &'static [Self] = &[Self::Position, Self::GripperWidth];

    /// The word in manifests and messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Position => "position",
            Self::Rotation6d => "rotation_6d",
            Self::RotationVector => "rotation_vector",
            Self::GripperWidth => "gripper_width",
            Self::Fingers => "fingers",
        }
    }

    /// Numbers of the component.
    #[must_use]
    pub fn width(self) -> usize {
        match self {
            Self::Position | Self::RotationVector => 3,
            Self::Rotation6d => 6,
            Self::GripperWidth => 1,
            Self::Fingers => 2,
        }
    }

    /// Numbers of several components together.
    #[must_use]
    pub fn width_of(components: &[Self]) -> usize {
        components.iter().map(|component| component.width()).sum()
    }

    /// Writes the components one after the other in place of what was in `out`, from the TCP's pose in
    /// the base frame and the width between the fingers (m).
    ///
    /// ```
    /// use tiller_core::{Pose, StateComponent};
    ///
    /// let mut state = Vec::new();
    /// StateComponent::write(StateComponent::DEFAULT, &Pose::down([0.5, 0.0, 0.25]), 0.04, &mut state);
    /// assert_eq!(state, [0.5, 0.0, 0.25, 0.04]);
    /// ```
    pub fn write(components: &[Self], tcp: &Pose, gripper_width_m: f64, out: &mut Vec<f32>) {
        out.clear();
        for component in components {
            let rotation = |kind: RotationKind| {
                let mut numbers = [0.0; MAX_WIDTH];
                kind.spell(&tcp.matrix(), &mut numbers);
                numbers
            };
            let numbers = match component {
                Self::Position => padded(&tcp.position_m),
                Self::Rotation6d => rotation(RotationKind::Matrix6d),
                Self::RotationVector => rotation(RotationKind::RotationVector),
                Self::GripperWidth => padded(&[gripper_width_m]),
                Self::Fingers => padded(&[gripper_width_m / 2.0, -gripper_width_m / 2.0]),
            };
            let numbers = numbers[..component.width()].iter();
            out.extend(numbers.map(|number| *number as f32));
        }
    }
}

fn padded(numbers: &[f64]) -> [f64; MAX_WIDTH] {
    std::array::from_fn(|index| numbers.get(index).copied().unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use nalgebra::Vector3;
    use proptest::prelude::*;

    use super::*;
    use crate::GRIPPER_OPEN_M;
    use crate::rotation::exp;

    fn written(components: &[StateComponent], tcp: &Pose, gripper_width_m: f64) -> Vec<f32> {
        let mut out = vec![7.0; 3];
        StateComponent::write(components, tcp, gripper_width_m, &mut out);
        out
    }

    #[test]
    fn a_hand_straight_down_in_every_component() {
        let tcp = Pose::down([0.4, -0.1, 0.2]);
        let state = written(&StateComponent::ALL, &tcp, GRIPPER_OPEN_M);
        assert_eq!(state.len(), StateComponent::width_of(&StateComponent::ALL));
        let columns = [1.0, 0.0, 0.0, 0.0, -1.0, 0.0];
        assert_eq!(state[..3], [0.4, -0.1, 0.2]);
        for (found, expected) in state[3..9].iter().zip(columns) {
            assert!((found - expected).abs() < 1e-6, "{state:?}");
        }
        assert!(
            (state[9].abs() - std::f32::consts::PI).abs() < 1e-6,
            "{state:?}"
        );
        assert_eq!(state[12..], [0.08, 0.04, -0.04]);
    }

    #[test]
    fn components_come_in_the_order_in_which_they_are_named() {
        let tcp = Pose::down([0.4, -0.1, 0.2]);
        let wanted = [StateComponent::GripperWidth, StateComponent::Position];
        assert_eq!(written(&wanted, &tcp, 0.03), [0.03, 0.4, -0.1, 0.2]);
        assert_eq!(
            written(StateComponent::DEFAULT, &tcp, 0.03),
            [0.4, -0.1, 0.2, 0.03]
        );
    }

    proptest! {
        #[test]
        fn rotations_are_read_back_as_they_were(vector in prop::array::uniform3(-1.7..1.7f64)) {
            let rotation = exp(&Vector3::from(vector));
            let tcp = Pose::new(Vector3::zeros(), &rotation);
            for (component, kind) in [
                (StateComponent::Rotation6d, RotationKind::Matrix6d),
                (StateComponent::RotationVector, RotationKind::RotationVector),
            ] {
                let numbers: Vec<f64> =
                    written(&[component], &tcp, 0.0).iter().map(|n| f64::from(*n)).collect();
                prop_assert!((kind.matrix(&numbers) - rotation).amax() < 1e-6);
            }
        }
    }
}
