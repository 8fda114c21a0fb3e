//! How numbers spell rotations, and how a rotation turns when the numbers change.
//!
//! Small turns are vectors in the frame that the rotation leads to: `dR = [w]x R`, with `[w]x v` the
//! cross product `w x v` (the left tangent space of SO(3)). A function of `R` with the derivative `G`
//! (`G[i][j] = df/dR[i][j]`) changes by `w . t`, where `t` is the sum of `r_j x g_j` over the columns
//! of `R` and `G`: [`cotangent`], the torque that `G` exerts. With the Jacobian `w = J du` of
//! [`RotationKind::jacobian`] the gradient with respect to the numbers is `J' t`. Formulas: Sola,
//! Deray and Atchuthan, "A micro Lie theory for state estimation in robotics", 2018, section 4 and
//! appendix B.

use nalgebra::{Matrix3, Quaternion, Rotation3, SMatrix, SVector, UnitQuaternion, Vector3};

use crate::RotationKind;

/// Most numbers that spell a rotation.
pub const MAX_WIDTH: usize = 6;

/// Column `i` is the turn (rad) a unit of number `i`; columns beyond the kind's width are 0.
pub type SpellingJacobian = SMatrix<f64, 3, MAX_WIDTH>;

/// Below this length numbers have no direction.
const NO_LENGTH: f64 = 1e-9;

/// Below this angle (rad) series replace formulas that divide by it.
const SMALL_ANGLE: f64 = 1e-2;

/// `[v]x`, so that `[v]x u = v x u`.
#[must_use]
pub fn skew(v: &Vector3<f64>) -> Matrix3<f64> {
    v.cross_matrix()
}

/// The rotation about a vector by its length (rad), after Rodrigues.
#[must_use]
pub fn exp(vector: &Vector3<f64>) -> Matrix3<f64> {
    let [_, b, a] = series(vector.norm());
    let cross = skew(vector);
    Matrix3::identity() + cross * a + cross * cross * b
}

/// The vector of a rotation, rad, of a length up to pi; the inverse of [`exp`]. At pi, where two
/// vectors mean the same rotation, one of them.
#[must_use]
pub fn log(rotation: &Matrix3<f64>) -> Vector3<f64> {
    let quaternion = quaternion_of(rotation);
    // q and -q are the same rotation; the one with w at or above 0 is the shorter way.
    let sign = if quaternion.w < 0.0 { -1.0 } else { 1.0 };
    let (w, v) = (sign * quaternion.w, quaternion.imag() * sign);
    let sine = v.norm();
    if sine < SMALL_ANGLE / 2.0 {
        // 2 atan(s / w) / s = 2 / w (1 - x^2 / 3 + x^4 / 5 - ..), x = s / w.
        let x2 = (sine / w) * (sine / w);
        return v * (2.0 / w * (1.0 - x2 * (1.0 / 3.0 - x2 * (0.2 - x2 / 7.0))));
    }
    v * (2.0 * sine.atan2(w) / sine)
}

/// The left Jacobian of [`exp`]: `exp(v + dv) = exp(J dv) exp(v)` to first order.
#[must_use]
pub fn left_jacobian(vector: &Vector3<f64>) -> Matrix3<f64> {
    let [c, b, _] = series(vector.norm());
    let cross = skew(vector);
    Matrix3::identity() + cross * b + cross * cross * c
}

/// `(x - sin x) / x^3`, `(1 - cos x) / x^2` and `sin x / x`.
fn series(angle: f64) -> [f64; 3] {
    let x2 = angle * angle;
    if angle < SMALL_ANGLE {
        return [
            1.0 / 6.0 - x2 * (1.0 / 120.0 - x2 / 5040.0),
            0.5 - x2 * (1.0 / 24.0 - x2 / 720.0),
            1.0 - x2 * (1.0 / 6.0 - x2 / 120.0),
        ];
    }
    let sine = angle.sin();
    let half = (angle / 2.0).sin() / angle;
    [
        (angle - sine) / (x2 * angle),
        2.0 * half * half,
        sine / angle,
    ]
}

/// What the derivative `g` of a function of `rotation` means for turns of it, see the module.
#[must_use]
pub fn cotangent(rotation: &Matrix3<f64>, g: &Matrix3<f64>) -> Vector3<f64> {
    let mut torque = Vector3::zeros();
    for column in 0..3 {
        torque += rotation.column(column).cross(&g.column(column));
    }
    torque
}

fn quaternion_of(rotation: &Matrix3<f64>) -> Quaternion<f64> {
    let rotation = Rotation3::from_matrix_unchecked(*rotation);
    UnitQuaternion::from_rotation_matrix(&rotation).into_inner()
}

impl RotationKind {
    /// The rotation that numbers spell. Those that spell none, a quaternion of no length or parallel
    /// columns, are the identity.
    ///
    /// # Panics
    /// When there are fewer numbers than [`Self::width`].
    ///
    /// ```
    /// use tiller_core::RotationKind;
    ///
    /// let turned = RotationKind::EulerXyz.matrix(&[0.0, 0.0, std::f64::consts::FRAC_PI_2]);
    /// assert!((turned[(1, 0)] - 1.0).abs() < 1e-15, "a quarter turn about z takes x to y");
    /// let mut numbers = [0.0; 4];
    /// RotationKind::QuaternionXyzw.spell(&turned, &mut numbers);
    /// assert!((numbers[3] - 0.5_f64.sqrt()).abs() < 1e-15);
    /// ```
    #[must_use]
    pub fn matrix(self, numbers: &[f64]) -> Matrix3<f64> {
        match self {
            Self::RotationVector => exp(&vector(numbers)),
            Self::EulerXyz => {
                let [x, y, z] = euler_axes(numbers);
                z * y * x
            }
            Self::QuaternionWxyz | Self::QuaternionXyzw => {
                UnitQuaternion::try_new(self.quaternion(numbers), NO_LENGTH)
                    .unwrap_or_else(UnitQuaternion::identity)
                    .to_rotation_matrix()
                    .into_inner()
            }
            Self::Matrix6d => Columns::read(numbers).map_or_else(Matrix3::identity, |c| c.basis),
        }
    }

    /// How the rotation turns a unit of each number: `w = J du`, see the module. 0 where numbers
    /// spell no rotation.
    ///
    /// # Panics
    /// When there are fewer numbers than [`Self::width`].
    #[must_use]
    pub fn jacobian(self, numbers: &[f64]) -> SpellingJacobian {
        let mut jacobian = SpellingJacobian::zeros();
        match self {
            Self::RotationVector => jacobian
                .fixed_view_mut::<3, 3>(0, 0)
                .copy_from(&left_jacobian(&vector(numbers))),
            Self::EulerXyz => {
                // Each angle turns about its own axis, which the later ones carry along.
                let [_, y, z] = euler_axes(numbers);
                jacobian.set_column(0, &(z * y).column(0));
                jacobian.set_column(1, &z.column(1));
                jacobian.set_column(2, &Vector3::z());
            }
            Self::QuaternionWxyz | Self::QuaternionXyzw => {
                // Of a unit quaternion w = 2 Im(dq q*); a change along q changes only its length.
                let quaternion = self.quaternion(numbers);
                let length = quaternion.norm();
                if length > NO_LENGTH {
                    let unit = quaternion / length;
                    let (w, v) = (unit.w, unit.imag());
                    let of_w = v * (-2.0 / length);
                    let of_v = (Matrix3::identity() * w + skew(&v)) * (2.0 / length);
                    let (w_at, v_at) = self.quaternion_columns();
                    jacobian.set_column(w_at, &of_w);
                    jacobian.fixed_view_mut::<3, 3>(0, v_at).copy_from(&of_v);
                }
            }
            Self::Matrix6d => {
                if let Some(columns) = Columns::read(numbers) {
                    jacobian = columns.jacobian();
                }
            }
        }
        jacobian
    }

    /// Writes numbers that spell a rotation: of several, those of the shortest rotation vector, of the
    /// quaternion with w at or above 0, of Euler angles with the middle one within a quarter turn.
    /// `rotation` must be orthonormal.
    ///
    /// # Panics
    /// When there is room for fewer numbers than [`Self::width`].
    pub fn spell(self, rotation: &Matrix3<f64>, numbers: &mut [f64]) {
        match self {
            Self::RotationVector => numbers[..3].copy_from_slice(log(rotation).as_slice()),
            Self::EulerXyz => numbers[..3].copy_from_slice(&euler_of(rotation)),
            Self::QuaternionWxyz | Self::QuaternionXyzw => {
                let quaternion = quaternion_of(rotation);
                let sign = if quaternion.w < 0.0 { -1.0 } else { 1.0 };
                let (w_at, v_at) = self.quaternion_columns();
                numbers[w_at] = sign * quaternion.w;
                for axis in 0..3 {
                    numbers[v_at + axis] = sign * quaternion.imag()[axis];
                }
            }
            Self::Matrix6d => numbers[..MAX_WIDTH].copy_from_slice(&rotation.as_slice()[..6]),
        }
    }

    /// Gradient with respect to the numbers of a function whose [`cotangent`] at them is `torque`;
    /// entries beyond the kind's width are 0.
    ///
    /// # Panics
    /// When there are fewer numbers than [`Self::width`].
    #[must_use]
    pub fn pull_back(self, numbers: &[f64], torque: &Vector3<f64>) -> SVector<f64, MAX_WIDTH> {
        self.jacobian(numbers).tr_mul(torque)
    }

    /// Whether the numbers are angles, so that a factor scales the rotation.
    #[must_use]
    pub fn is_angles(self) -> bool {
        matches!(self, Self::RotationVector | Self::EulerXyz)
    }

    /// Where w is and where x, y and z begin.
    fn quaternion_columns(self) -> (usize, usize) {
        match self {
            Self::QuaternionXyzw => (3, 0),
            _ => (0, 1),
        }
    }

    fn quaternion(self, numbers: &[f64]) -> Quaternion<f64> {
        let (w, v) = self.quaternion_columns();
        Quaternion::new(numbers[w], numbers[v], numbers[v + 1], numbers[v + 2])
    }
}

fn vector(numbers: &[f64]) -> Vector3<f64> {
    Vector3::new(numbers[0], numbers[1], numbers[2])
}

/// The rotations about x, y and z by the three angles.
fn euler_axes(numbers: &[f64]) -> [Matrix3<f64>; 3] {
    let [(sa, ca), (sb, cb), (sc, cc)] = [0, 1, 2].map(|axis| numbers[axis].sin_cos());
    [
        Matrix3::new(1.0, 0.0, 0.0, 0.0, ca, -sa, 0.0, sa, ca),
        Matrix3::new(cb, 0.0, sb, 0.0, 1.0, 0.0, -sb, 0.0, cb),
        Matrix3::new(cc, -sc, 0.0, sc, cc, 0.0, 0.0, 0.0, 1.0),
    ]
}

/// The angles about the fixed axes x, y, z. Where the middle one is a quarter turn, only a sum or a
/// difference of the others is known: the last one is then 0.
fn euler_of(r: &Matrix3<f64>) -> [f64; 3] {
    let level = r[(0, 0)].hypot(r[(1, 0)]);
    let middle = (-r[(2, 0)]).atan2(level);
    if level < NO_LENGTH {
        return [(-r[(1, 2)]).atan2(r[(1, 1)]), middle, 0.0];
    }
    [
        r[(2, 1)].atan2(r[(2, 2)]),
        middle,
        r[(1, 0)].atan2(r[(0, 0)]),
    ]
}

/// Two columns made orthonormal, after Gram and Schmidt: `b1 = a1 / |a1|`, `b2` along what of `a2` is
/// across `b1`, `b3 = b1 x b2`.
struct Columns {
    basis: Matrix3<f64>,
    /// `|a1|`.
    length: f64,
    /// `b1 . a2`.
    along: f64,
    /// `|a2 - (b1 . a2) b1|`.
    across: f64,
}

impl Columns {
    /// `None` when there is no plane: a column of no length, or two that are parallel.
    fn read(numbers: &[f64]) -> Option<Self> {
        let (first, second) = (vector(numbers), vector(&numbers[3..]));
        let length = first.norm();
        if length <= NO_LENGTH {
            return None;
        }
        let first = first / length;
        let along = first.dot(&second);
        let rest = second - first * along;
        let across = rest.norm();
        if across <= NO_LENGTH {
            return None;
        }
        let second = rest / across;
        let basis = Matrix3::from_columns(&[first, second, first.cross(&second)]);
        Some(Self {
            basis,
            length,
            along,
            across,
        })
    }

    /// In the basis, `db1 = w x b1` has the parts `(0, w3, -w2)` and `db2` the third part `w1`. So
    /// `w2 = -b3 . da1 / |a1|`, `w3 = b2 . da1 / |a1|` and
    /// `w1 = b3 . (da2 - (b1 . a2) db1) / |a2 across|`.
    fn jacobian(&self) -> SpellingJacobian {
        let [b2, b3] = [1, 2].map(|column| self.basis.column(column).transpose());
        let mut of_numbers = SpellingJacobian::zeros();
        let mut rows = of_numbers.fixed_columns_mut::<3>(0);
        rows.set_row(0, &(b3 * (-self.along / (self.length * self.across))));
        rows.set_row(1, &(b3 * (-1.0 / self.length)));
        rows.set_row(2, &(b2 * (1.0 / self.length)));
        let mut rows = of_numbers.fixed_columns_mut::<3>(3);
        rows.set_row(0, &(b3 * (1.0 / self.across)));
        self.basis * of_numbers
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::{FRAC_PI_2, PI};

    use proptest::prelude::*;

    use super::*;

    fn rotation() -> impl Strategy<Value = Matrix3<f64>> {
        let direction = prop::array::uniform3(-1.0..1.0f64).prop_filter("no direction", |v| {
            (0.01..1.0).contains(&Vector3::from(*v).norm_squared())
        });
        let edges = prop::sample::select(vec![0.0, 1e-12, 1e-7, 1e-3, FRAC_PI_2, PI - 1e-7, PI]);
        let angle = prop_oneof![0.0..PI, edges, Just(PI - 1e-3)];
        (direction, angle).prop_map(|(v, angle)| exp(&(Vector3::from(v).normalize() * angle)))
    }

    fn numbers() -> impl Strategy<Value = [f64; MAX_WIDTH]> {
        let scale = prop::sample::select(vec![1e-9, 1e-4, 0.03, 1.0, 4.0]);
        (prop::array::uniform6(-1.0..1.0f64), scale)
            .prop_map(|(numbers, scale)| numbers.map(|number| number * scale))
    }

    fn is_rotation(r: &Matrix3<f64>) -> bool {
        (r.tr_mul(r) - Matrix3::identity()).norm() < 1e-12 && (r.determinant() - 1.0).abs() < 1e-12
    }

    proptest! {
        #[test]
        fn a_rotation_survives_every_spelling(rotation in rotation()) {
            for kind in RotationKind::ALL {
                let mut spelled = [0.0; MAX_WIDTH];
                kind.spell(&rotation, &mut spelled);
                let again = kind.matrix(&spelled);
                prop_assert!((again - rotation).norm() < 1e-7, "{kind:?}: {spelled:?}");
                prop_assert!(is_rotation(&again));
            }
        }

        /// Exactly so away from the ends, where a rotation has one vector only.
        #[test]
        fn a_vector_survives_the_way_through_its_rotation(
            direction in prop::array::uniform3(-1.0..1.0f64), angle in 1e-6..3.1f64,
        ) {
            let direction = Vector3::from(direction);
            prop_assume!(direction.norm() > 0.1);
            let vector = direction.normalize() * angle;
            prop_assert!((log(&exp(&vector)) - vector).norm() < 1e-9, "{}", angle);
        }

        /// Against central differences, relative to how far the numbers can turn the rotation.
        #[test]
        fn the_jacobian_is_the_derivative(numbers in numbers()) {
            for kind in RotationKind::ALL {
                let own = &numbers[..kind.width()];
                // How far the numbers are from those that spell no rotation.
                let far = match kind {
                    RotationKind::RotationVector | RotationKind::EulerXyz => 1.0,
                    RotationKind::Matrix6d => {
                        Columns::read(own).map_or(0.0, |c| c.length.min(c.across))
                    }
                    _ => own.iter().map(|n| n * n).sum::<f64>().sqrt(),
                };
                if far < 1e-2 {
                    continue;
                }
                let (jacobian, rotation) = (kind.jacobian(own), kind.matrix(own));
                for at in 0..kind.width() {
                    let step = 1e-5 * far.min(1.0);
                    let turned = |by: f64| {
                        let mut moved = own.to_vec();
                        moved[at] += by;
                        kind.matrix(&moved)
                    };
                    let of_matrix = (turned(step) - turned(-step)) / (2.0 * step);
                    let found = skew(&jacobian.column(at).into_owned()) * rotation;
                    let off = (found - of_matrix).norm() / (1.0 + of_matrix.norm());
                    prop_assert!(off < 1e-6, "{kind:?} at {numbers:?}, {at}: {off}");
                }
            }
        }

        /// `<G, dR>` is `t . w` for every turn.
        #[test]
        fn a_cotangent_is_the_torque_of_a_derivative(
            rotation in rotation(), turn in prop::array::uniform3(-1.0..1.0f64),
            g in prop::array::uniform9(-1.0..1.0f64),
        ) {
            let (g, turn) = (Matrix3::from_column_slice(&g), Vector3::from(turn));
            let change = (skew(&turn) * rotation).dot(&g);
            prop_assert!((cotangent(&rotation, &g).dot(&turn) - change).abs() < 1e-12);
        }

        #[test]
        fn numbers_of_any_length_spell_a_rotation(numbers in numbers()) {
            for kind in RotationKind::ALL {
                prop_assert!(is_rotation(&kind.matrix(&numbers[..kind.width()])), "{kind:?}");
            }
        }
    }

    #[test]
    fn euler_angles_turn_about_x_then_y_then_z() {
        let turned = RotationKind::EulerXyz.matrix(&[FRAC_PI_2, 0.0, FRAC_PI_2]);
        // About x: y goes to z, which the turn about z leaves.
        assert!((turned * Vector3::y() - Vector3::z()).norm() < 1e-15);
        assert!((turned * Vector3::x() - Vector3::y()).norm() < 1e-15);
    }

    #[test]
    fn euler_angles_survive_a_middle_of_a_quarter_turn() {
        for middle in [FRAC_PI_2, -FRAC_PI_2] {
            let rotation = RotationKind::EulerXyz.matrix(&[0.4, middle, -0.7]);
            let mut angles = [0.0; 3];
            RotationKind::EulerXyz.spell(&rotation, &mut angles);
            assert!((RotationKind::EulerXyz.matrix(&angles) - rotation).norm() < 1e-8);
        }
    }

    #[test]
    fn what_spells_no_rotation_is_the_identity_and_has_no_slope() {
        let parallel = [1.0, 0.0, 0.0, 2.0, 0.0, 0.0];
        for (kind, numbers) in [
            (RotationKind::QuaternionWxyz, &[0.0; 4][..]),
            (RotationKind::QuaternionXyzw, &[0.0; 4]),
            (RotationKind::Matrix6d, &[0.0; 6]),
            (RotationKind::Matrix6d, &parallel),
        ] {
            assert_eq!(kind.matrix(numbers), Matrix3::identity(), "{kind:?}");
            assert_eq!(kind.jacobian(numbers), SpellingJacobian::zeros());
        }
    }

    #[test]
    fn spelled_quaternions_have_their_real_part_where_the_kind_says() {
        let still = Matrix3::identity();
        let mut numbers = [9.0; 4];
        RotationKind::QuaternionWxyz.spell(&still, &mut numbers);
        assert_eq!(numbers, [1.0, 0.0, 0.0, 0.0]);
        RotationKind::QuaternionXyzw.spell(&still, &mut numbers);
        assert_eq!(numbers, [0.0, 0.0, 0.0, 1.0]);
    }
}
