//! The arm's controller: `robosuite`'s OSC_POSE as LIBERO configures it, to its quirks.
//!
//! Operational space control (Khatib 1987): with the Jacobians `J_p`, `J_r` of the grip site and the arm's joint
//! space inertia `M`, `tau = J^T [L_p f; L_r t] + bias + N^T M (k_n (q_0 - q) - d_n dq)`, where
//! `L_p = (J_p M^-1 J_p^T)^+` and `L_r` alike (position and orientation decoupled), `f` and `t` are those of a
//! spring and a damper between the hand and its goal, and `N = 1 - M^-1 J^T L J` projects onto the null space.

use nalgebra::{Matrix3, SMatrix, SVector, SymmetricEigen, Vector3};

/// Joints of the arm.
pub(crate) const ARM: usize = tiller_core::JOINTS;
/// Numbers of an action: displacement, rotation vector, gripper.
pub const ACTION: usize = 7;

/// A vector over the arm's joints.
pub(crate) type Joints = SVector<f64, ARM>;
/// The arm's inertia.
pub(crate) type Inertia = SMatrix<f64, ARM, ARM>;
/// Half a Jacobian.
pub(crate) type HalfJacobian = SMatrix<f64, 3, ARM>;

/// Displacement of the goal at an action of 1, m.
const STEP_M: f64 = 0.05;
/// Rotation of the goal at an action of 1, rad.
const STEP_RAD: f64 = 0.5;
/// Stiffness, 1/s^2; damping is critical.
const STIFFNESS: f64 = 150.0;
/// Stiffness of the null space, 1/s^2; damping is critical.
const REST_STIFFNESS: f64 = 10.0;
/// Torques of the arm's motors, Nm.
const MAX_TORQUE_NM: [f64; ARM] = [80.0, 80.0, 80.0, 80.0, 80.0, 12.0, 12.0];
/// How far the fingers' command moves in a physics step, of half its range.
const GRIP_STEP: f64 = 0.01;
/// Singular values below this share of the largest count as 0, as in NumPy's pseudo-inverse.
const RELATIVE_CUT: f64 = 1e-15;

/// What the controller knows of the arm at a physics step.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Seen {
    /// Of the grip site, m, world frame.
    pub(crate) position_m: Vector3<f64>,
    /// Of the grip site, world from site.
    pub(crate) rotation: Matrix3<f64>,
    /// Translational part of the site's Jacobian.
    pub(crate) jacobian_p: HalfJacobian,
    /// Rotational part.
    pub(crate) jacobian_r: HalfJacobian,
    /// The arm's inertia.
    pub(crate) inertia: Inertia,
    /// Joint positions, rad.
    pub(crate) q_rad: Joints,
    /// Joint velocities, rad/s.
    pub(crate) dq_rad_s: Joints,
}

/// Goal of the hand and state of the fingers' command.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Controller {
    rest_q_rad: Joints,
    goal_m: Vector3<f64>,
    goal_rotation: Matrix3<f64>,
    /// Of each finger, from -1 to 1 over the actuator's range.
    grip: [f64; 2],
}

impl Controller {
    /// At the beginning of an episode; the hand is to keep the orientation that is seen.
    pub(crate) fn new(rest_q_rad: [f64; ARM], seen: &Seen) -> Self {
        Self {
            rest_q_rad: Joints::from(rest_q_rad),
            goal_m: seen.position_m,
            goal_rotation: seen.rotation,
            grip: [0.0; 2],
        }
    }

    /// Sets the goal relative to the pose that is seen. Without any rotation in the action the goal's
    /// orientation stays what it was, however far the hand is from it.
    pub(crate) fn aim(&mut self, action: &[f64; ACTION], seen: &Seen) {
        let [x, y, z, a, b, c, _] = action.map(|it| it.clamp(-1.0, 1.0));
        self.goal_m = seen.position_m + Vector3::new(x, y, z) * STEP_M;
        let turn = Vector3::new(a, b, c) * STEP_RAD;
        if turn.iter().any(|angle| *angle != 0.0) {
            self.goal_rotation = rotation_in_f32(turn) * seen.rotation;
        }
    }

    /// The first six numbers of the action whose goal is `gain` times this way and turn away, clipped.
    pub(crate) fn action_for(
        way_m: Vector3<f64>,
        turn: &Matrix3<f64>,
        gain: f64,
    ) -> [f64; ACTION - 1] {
        let way = way_m * (gain / STEP_M);
        let turn = tiller_core::rotation::log(turn) * (gain / STEP_RAD);
        [way.x, way.y, way.z, turn.x, turn.y, turn.z].map(|it| it.clamp(-1.0, 1.0))
    }

    /// Torques of the arm's motors, Nm. `bias` are the Coriolis, centrifugal and gravitational ones.
    pub(crate) fn torque_nm(&self, seen: &Seen, bias: &Joints) -> Joints {
        let Seen {
            jacobian_p: jp,
            jacobian_r: jr,
            inertia,
            ..
        } = seen;
        let damping = 2.0 * STIFFNESS.sqrt();
        let (velocity, spin) = (jp * seen.dq_rad_s, jr * seen.dq_rad_s);
        let force = (self.goal_m - seen.position_m) * STIFFNESS - velocity * damping;
        let moment = self.orientation_error(&seen.rotation) * STIFFNESS - spin * damping;

        let mobility = inertia.try_inverse().unwrap_or_default();
        let mut jacobian = SMatrix::<f64, 6, ARM>::zeros();
        jacobian.fixed_rows_mut::<3>(0).copy_from(jp);
        jacobian.fixed_rows_mut::<3>(3).copy_from(jr);
        let both = pseudo_inverse(&(jacobian * mobility * jacobian.transpose()));
        let linear = pseudo_inverse3(&(jp * mobility * jp.transpose()));
        let angular = pseudo_inverse3(&(jr * mobility * jr.transpose()));

        let rest = (self.rest_q_rad - seen.q_rad) * REST_STIFFNESS
            - seen.dq_rad_s * (2.0 * REST_STIFFNESS.sqrt());
        let null = Inertia::identity() - mobility * jacobian.transpose() * both * jacobian;
        let torque = jp.transpose() * (linear * force)
            + jr.transpose() * (angular * moment)
            + bias
            + null.transpose() * (inertia * rest);
        let limit = Joints::from(MAX_TORQUE_NM);
        torque.zip_map(&limit, |torque, limit| torque.clamp(-limit, limit))
    }

    /// Half the sum of the cross products of the axes: the sine of the angle between, along its axis.
    fn orientation_error(&self, rotation: &Matrix3<f64>) -> Vector3<f64> {
        (0..3)
            .map(|axis| {
                let (is, wanted) = (rotation.column(axis), self.goal_rotation.column(axis));
                is.cross(&wanted)
            })
            .sum::<Vector3<f64>>()
            * 0.5
    }

    /// Moves the fingers' command by one physics step towards closed (above 0) or open (below), and returns
    /// it for each finger, from -1 to 1 over its actuator's range.
    pub(crate) fn grip(&mut self, action: f64) -> [f64; 2] {
        let step = if action == 0.0 {
            0.0
        } else {
            GRIP_STEP.copysign(action)
        };
        for (grip, direction) in self.grip.iter_mut().zip([-1.0, 1.0]) {
            *grip = (*grip + direction * step).clamp(-1.0, 1.0);
        }
        self.grip
    }
}

/// Rotation by an angle around an axis, through a quaternion of single precision: `robosuite`'s `quat2mat` as
/// Numba compiles it, to the bit. The vector is not zero.
fn rotation_in_f32(turn: Vector3<f64>) -> Matrix3<f64> {
    let angle = turn.norm();
    let axis = turn / angle * (angle / 2.0).sin();
    let q = [(angle / 2.0).cos(), axis.x, axis.y, axis.z].map(|part| part as f32);
    // Products in single precision, summed in double: BLAS does so.
    let squared = q.iter().map(|part| f64::from(part * part)).sum::<f64>() as f32;
    let scale = (2.0 / f64::from(squared)).sqrt();
    let [w, x, y, z] = q.map(|part| (f64::from(part) * scale) as f32);
    // On the diagonal there is a 1 of double precision.
    let diagonal = |a: f32, b: f32| 1.0 - f64::from(a * a) - f64::from(b * b);
    let sum = |a: f32, b: f32| f64::from(a + b);
    #[rustfmt::skip]
    let rotation = Matrix3::new(
        diagonal(y, z), sum(x * y, -(z * w)), sum(x * z, y * w),
        sum(x * y, z * w), diagonal(x, z), sum(y * z, -(x * w)),
        sum(x * z, -(y * w)), sum(y * z, x * w), diagonal(x, y),
    );
    rotation
}

/// Of a symmetric matrix.
fn pseudo_inverse(matrix: &SMatrix<f64, 6, 6>) -> SMatrix<f64, 6, 6> {
    let eigen = SymmetricEigen::new(*matrix);
    let cut = RELATIVE_CUT * eigen.eigenvalues.amax();
    let inverse = eigen.eigenvalues.map(|value| reciprocal(value, cut));
    eigen.eigenvectors * SMatrix::from_diagonal(&inverse) * eigen.eigenvectors.transpose()
}

/// Of a symmetric matrix.
fn pseudo_inverse3(matrix: &Matrix3<f64>) -> Matrix3<f64> {
    let eigen = SymmetricEigen::new(*matrix);
    let cut = RELATIVE_CUT * eigen.eigenvalues.amax();
    let inverse = eigen.eigenvalues.map(|value| reciprocal(value, cut));
    eigen.eigenvectors * SMatrix::from_diagonal(&inverse) * eigen.eigenvectors.transpose()
}

fn reciprocal(value: f64, cut: f64) -> f64 {
    if value.abs() > cut { 1.0 / value } else { 0.0 }
}

#[cfg(test)]
mod tests;
