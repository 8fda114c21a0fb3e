//! The arm, drawn from its joints.

use nalgebra::Vector3;
use tiller_core::kinematics::{Chain, FLANGE_M, HAND_TCP_M};
use tiller_messages::ArmState;

use crate::What;
use crate::colour::{ARM, JOINT};

/// How far the fingers reach back from the tool point, m.
const FINGER_M: f64 = 0.045;

/// Path and shape of each part of the arm.
pub(crate) fn parts(state: &ArmState) -> Vec<(&'static str, What)> {
    let chain = Chain::new(&state.q_rad);
    let axis = chain.rotation.column(2).into_owned();
    let hand = chain.position - axis * HAND_TCP_M;
    let flange = hand - axis * FLANGE_M;
    let mut corners = vec![Vector3::zeros()];
    corners.extend(chain.origins);
    // The last joint's frame lies in the wrist; the hand hangs below it.
    corners.extend([flange, hand]);
    let joints = corners.iter().map(point).collect();
    // Fingers open along the tool's y axis.
    let side = chain.rotation.column(1) * (state.gripper_width_m / 2.0);
    let finger = |side: Vector3<f64>| {
        let tip = chain.position + side;
        vec![point(&(tip - axis * FINGER_M)), point(&tip)]
    };
    let palm = vec![point(&hand), point(&(chain.position - axis * FINGER_M))];
    let bridge = vec![
        point(&(chain.position - side - axis * FINGER_M)),
        point(&(chain.position + side - axis * FINGER_M)),
    ];
    vec![
        (
            "world/arm/links",
            What::Lines3 {
                strips: vec![corners.iter().map(point).collect()],
                colours: vec![ARM],
                radius_m: 0.025,
            },
        ),
        (
            "world/arm/joints",
            What::Points3 {
                at: joints,
                colours: vec![JOINT],
                radius_m: 0.04,
                names: Vec::new(),
            },
        ),
        (
            "world/arm/hand",
            What::Lines3 {
                strips: vec![palm, bridge, finger(side), finger(-side)],
                colours: vec![JOINT],
                radius_m: 0.008,
            },
        ),
        ("world/arm/tool", What::Axes(state.tcp)),
    ]
}

fn point(p: &Vector3<f64>) -> [f32; 3] {
    [p.x as f32, p.y as f32, p.z as f32]
}

#[cfg(test)]
mod tests {
    use tiller_core::kinematics::HOME_Q;

    use super::*;

    #[test]
    fn an_arm_at_home_stands_on_its_base_and_its_fingers_are_as_far_apart_as_measured() {
        let state = ArmState {
            q_rad: HOME_Q,
            gripper_width_m: 0.06,
            ..Default::default()
        };
        let parts = parts(&state);
        let What::Lines3 { strips, .. } = &parts[0].1 else {
            panic!("the links are lines");
        };
        assert_eq!(strips[0][0], [0.0; 3]);
        assert_eq!(strips[0].len(), 10);
        // At home the tool is above (0.56, 0), and the hand straight above it.
        let hand = strips[0][9];
        assert!((hand[0] - 0.560_551).abs() < 1e-4 && hand[1].abs() < 1e-6);
        assert!((hand[2] - (0.392_527 + 0.103_4)).abs() < 1e-4);
        let What::Lines3 { strips, .. } = &parts[2].1 else {
            panic!("the hand is lines");
        };
        let (left, right) = (strips[2][1], strips[3][1]);
        let apart = (0..3)
            .map(|k| (left[k] - right[k]).powi(2))
            .sum::<f32>()
            .sqrt();
        assert!((apart - 0.06).abs() < 1e-6);
        assert!((left[2] - 0.392_527).abs() < 1e-4, "tips are at the tool");
    }
}
