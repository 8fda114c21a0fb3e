use nalgebra::{Rotation3, Unit, UnitQuaternion, Vector3};
use proptest::prelude::*;

use super::*;

/// An arm at rest whose Jacobian and inertia have full rank, drawn from some numbers.
fn seen(numbers: &[f64]) -> Seen {
    let at = |index: usize| numbers[index % numbers.len()];
    let jacobian = |shift: usize| {
        HalfJacobian::from_fn(|row, joint| {
            at(row * ARM + joint + shift) + if row == joint % 3 { 2.0 } else { 0.0 }
        })
    };
    let root = Inertia::from_fn(|row, column| at(3 * row + 5 * column));
    let turn = Vector3::new(at(1), at(2), at(3));
    Seen {
        position_m: Vector3::new(at(0), at(1), at(2)),
        rotation: *Rotation3::new(turn).matrix(),
        jacobian_p: jacobian(0),
        jacobian_r: HalfJacobian::from_fn(|row, joint| {
            at(row * ARM + joint + 11) + if row + 3 == joint { 2.0 } else { 0.0 }
        }),
        inertia: root * root.transpose() * 0.1 + Inertia::identity(),
        q_rad: Joints::zeros(),
        dq_rad_s: Joints::zeros(),
    }
}

fn numbers() -> impl Strategy<Value = Vec<f64>> {
    proptest::collection::vec(-0.5..0.5_f64, 23)
}

proptest! {
    #[test]
    fn the_null_space_does_not_move_the_hand(numbers in numbers(), rest in proptest::array::uniform7(-1.0..1.0_f64)) {
        let seen = seen(&numbers);
        let still = Controller::new([0.0; ARM], &seen);
        let pulled = Controller::new(rest.map(|q| q * 0.1), &seen);
        let torque = |controller: &Controller| controller.torque_nm(&seen, &Joints::zeros());
        let by = seen.inertia.try_inverse().expect("an inertia") * (torque(&pulled) - torque(&still));
        prop_assert!((seen.jacobian_p * by).amax() < 1e-6);
        prop_assert!((seen.jacobian_r * by).amax() < 1e-6);
    }

    #[test]
    fn torques_are_those_of_the_bias_at_the_goal(numbers in numbers(), bias in proptest::array::uniform7(-11.0..11.0_f64)) {
        let seen = seen(&numbers);
        let controller = Controller::new([0.0; ARM], &seen);
        let torque = controller.torque_nm(&seen, &Joints::from(bias));
        prop_assert!((torque - Joints::from(bias)).amax() < 1e-9);
    }

    #[test]
    fn torques_stay_within_the_motors_limits(numbers in numbers(), bias in proptest::array::uniform7(-1e3..1e3_f64)) {
        let seen = seen(&numbers);
        let controller = Controller::new([0.0; ARM], &seen);
        let torque = controller.torque_nm(&seen, &Joints::from(bias));
        for (torque, limit) in torque.iter().zip(MAX_TORQUE_NM) {
            prop_assert!(torque.abs() <= limit);
        }
    }

    #[test]
    fn single_precision_turns_almost_as_double_does(turn in proptest::array::uniform3(-0.5..0.5_f64)) {
        let turn = Vector3::from(turn);
        prop_assume!(turn.norm() > 0.0);
        let exact = *Rotation3::new(turn).matrix();
        prop_assert!((rotation_in_f32(turn) - exact).amax() < 5e-7);
    }

    #[test]
    fn the_pseudo_inverse_of_a_regular_matrix_is_its_inverse(numbers in proptest::collection::vec(-1.0..1.0_f64, 36)) {
        let root = SMatrix::<f64, 6, 6>::from_row_slice(&numbers);
        let matrix = root * root.transpose() + SMatrix::identity();
        let product = pseudo_inverse(&matrix) * matrix;
        prop_assert!((product - SMatrix::identity()).amax() < 1e-9);
    }
}

#[test]
fn rotations_have_robosuite_s_digits() {
    // robosuite 1.4.0: quat2mat(axisangle2quat(v)), whose diagonal is double and whose rest is single precision.
    let rotation = rotation_in_f32(Vector3::new(0.1, -0.2, 0.3));
    #[rustfmt::skip]
    let expected = Matrix3::new(
        0.9357548039406538, -0.3029327392578125, -0.180540069937706,
        0.28316497802734375, 0.950580617878586, -0.1273345798254013,
        0.21019171178340912, 0.06803131848573685, 0.9752903101034462,
    );
    assert_eq!(rotation, expected);
}

#[test]
fn the_pseudo_inverse_leaves_out_what_has_no_inverse() {
    let matrix = Matrix3::from_diagonal(&Vector3::new(2.0, 4.0, 0.0));
    let expected = Matrix3::from_diagonal(&Vector3::new(0.5, 0.25, 0.0));
    assert!((pseudo_inverse3(&matrix) - expected).amax() < 1e-12);
}

#[test]
fn a_goal_without_rotation_keeps_the_orientation_of_before() {
    let mut seen = seen(&[0.1, -0.2, 0.3, 0.25, -0.15]);
    let mut controller = Controller::new([0.0; ARM], &seen);
    let first = controller.goal_rotation;
    seen.rotation = Matrix3::identity();
    seen.position_m.x += 1.0;
    controller.aim(&[1.0, 0.0, -7.0, 0.0, 0.0, 0.0, 1.0], &seen);
    assert_eq!(controller.goal_rotation, first);
    let by = controller.goal_m - seen.position_m;
    assert!((by - Vector3::new(0.05, 0.0, -0.05)).amax() < 1e-12);
    controller.aim(&[0.0, 0.0, 0.0, 0.0, 0.0, 0.4, 1.0], &seen);
    let expected = Rotation3::new(Vector3::new(0.0, 0.0, 0.2));
    assert!((controller.goal_rotation - expected.matrix()).amax() < 1e-6);
}

#[test]
fn the_orientation_error_is_the_sine_along_the_axis() {
    let axis = Unit::new_normalize(Vector3::new(1.0, 2.0, -1.0));
    let mut seen = seen(&[0.1, -0.2, 0.3]);
    seen.rotation = Matrix3::identity();
    let mut controller = Controller::new([0.0; ARM], &seen);
    let wanted = UnitQuaternion::from_axis_angle(&axis, 0.3);
    controller.goal_rotation = *wanted.to_rotation_matrix().matrix();
    let error = controller.orientation_error(&seen.rotation);
    assert!((error - axis.into_inner() * 0.3_f64.sin()).amax() < 1e-12);
}

#[test]
fn the_grip_moves_by_a_hundredth_of_half_its_range_and_stops_at_its_end() {
    let seen = seen(&[0.1, -0.2, 0.3]);
    let mut controller = Controller::new([0.0; ARM], &seen);
    assert_eq!(controller.grip(0.0), [0.0, 0.0]);
    assert_eq!(controller.grip(0.3), [-0.01, 0.01]);
    for _ in 0..200 {
        controller.grip(1.0);
    }
    assert_eq!(controller.grip(1.0), [-1.0, 1.0]);
    let [left, right] = controller.grip(-1.0);
    assert!((left + 0.99).abs() < 1e-12 && (right - 0.99).abs() < 1e-12);
}
