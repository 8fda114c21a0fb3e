//! How a thing lies: the principal axes of what is seen of it.

use nalgebra::{Matrix3, Vector3};

/// Fewer points say nothing about a direction.
const FEWEST_POINTS: usize = 12;
/// A direction stands out from the next if points are spread along it so many times as far.
const STANDS_OUT: f64 = 1.3;

/// Which directions of a thing can be told from its shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// All three, as those of a brick.
    Brick,
    /// The longest alone, as that of a bottle.
    Rod,
    /// The thinnest alone, as that of a plate.
    Disc,
}

/// The axes of a thing: columns in the world frame, the first along its longest side, the third along its thinnest, of
/// what is seen of it. What its shape does not tell is taken from the world: a rod's third axis is as far up as it goes,
/// a disc's first as far along x. Nothing is turned over from one frame to the next.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Orientation {
    shape: Shape,
    pub(crate) axes: Matrix3<f64>,
}

impl Orientation {
    /// The principal axes of a thing's points, m; none where no direction stands out, as with a ball.
    pub(crate) fn of(points_m: &[[f64; 3]]) -> Option<Self> {
        let (spreads_m, [long, _, thin]) = spread(points_m)?;
        let stands_out = |index: usize| spreads_m[index] > STANDS_OUT * spreads_m[index + 1];
        let shape = match (stands_out(0), stands_out(1)) {
            (true, true) => Shape::Brick,
            (true, false) => Shape::Rod,
            (false, true) => Shape::Disc,
            (false, false) => return None,
        };
        let axes = complete(shape, forward(long), upward(thin));
        Some(Self { shape, axes })
    }

    /// The same thing in a later frame: the same directions are told, each the way it was before.
    pub(crate) fn follow(&mut self, points_m: &[[f64; 3]]) {
        let Some((_, [long, _, thin])) = spread(points_m) else {
            return;
        };
        let as_before = |now: Vector3<f64>, column: usize| {
            let before = self.axes.column(column);
            if now.dot(&before) < 0.0 { -now } else { now }
        };
        self.axes = complete(self.shape, as_before(long, 0), as_before(thin, 2));
    }
}

/// Deviations along the principal axes, m, and these, widest first.
fn spread(points_m: &[[f64; 3]]) -> Option<([f64; 3], [Vector3<f64>; 3])> {
    if points_m.len() < FEWEST_POINTS {
        return None;
    }
    let count = points_m.len() as f64;
    let points = || points_m.iter().map(|point| Vector3::from(*point));
    let mean = points().sum::<Vector3<f64>>() / count;
    let products = points().map(|point| (point - mean) * (point - mean).transpose());
    let eigen = (products.sum::<Matrix3<f64>>() / (count - 1.0)).symmetric_eigen();
    let mut order = [0, 1, 2];
    order.sort_by(|a, b| eigen.eigenvalues[*b].total_cmp(&eigen.eigenvalues[*a]));
    Some((
        order.map(|index| eigen.eigenvalues[index].max(0.0).sqrt()),
        order.map(|index| eigen.eigenvectors.column(index).into_owned()),
    ))
}

/// The way in which its largest part points forward, to the left or up.
fn forward(axis: Vector3<f64>) -> Vector3<f64> {
    let along = [axis.x, axis.y, axis.z];
    let largest = along.into_iter().max_by(|a, b| a.abs().total_cmp(&b.abs()));
    axis * largest.unwrap_or(1.0).signum()
}

fn upward(axis: Vector3<f64>) -> Vector3<f64> {
    if axis.z < 0.0 { -axis } else { axis }
}

/// A right-handed frame of the axes that the shape tells.
fn complete(shape: Shape, long: Vector3<f64>, thin: Vector3<f64>) -> Matrix3<f64> {
    let (first, third) = match shape {
        Shape::Brick => (long, thin),
        Shape::Rod => (long, square_to(&long, [Vector3::z(), Vector3::x()])),
        Shape::Disc => (square_to(&thin, [Vector3::x(), Vector3::y()]), thin),
    };
    Matrix3::from_columns(&[first, third.cross(&first), third])
}

/// The part of the first of these that is square to an axis; of the second where the first lies along it.
fn square_to(axis: &Vector3<f64>, wanted: [Vector3<f64>; 2]) -> Vector3<f64> {
    let [first, second] = wanted.map(|wanted| wanted - axis * axis.dot(&wanted));
    let is_clear = first.norm() > 0.1;
    if is_clear { first } else { second }.normalize()
}

#[cfg(test)]
mod tests {
    use nalgebra::Rotation3;
    use proptest::prelude::*;

    use super::*;

    /// Points of a box of that size, m, turned and moved.
    fn points(size_m: [f64; 3], turn: &Rotation3<f64>) -> Vec<[f64; 3]> {
        let grid = |index: usize, side: usize| size_m[side] * (index as f64 / 5.0 - 0.5);
        let mut points = Vec::new();
        for x in 0..6 {
            for y in 0..6 {
                for z in 0..6 {
                    let point = Vector3::new(grid(x, 0), grid(y, 1), grid(z, 2));
                    points.push((turn * point + Vector3::new(0.4, -0.2, 0.1)).into());
                }
            }
        }
        points
    }

    fn angle_rad(a: impl Into<Vector3<f64>>, b: Vector3<f64>) -> f64 {
        a.into().dot(&b).abs().min(1.0).acos()
    }

    #[test]
    fn a_rod_has_its_length_and_up_a_disc_its_face_and_forward_a_cube_nothing() {
        let turn = Rotation3::from_euler_angles(0.0, 0.0, 0.5);
        let rod = Orientation::of(&points([0.02, 0.12, 0.02], &turn)).unwrap();
        assert!(angle_rad(rod.axes.column(0), turn * Vector3::y()) < 1e-6);
        assert!((rod.axes.column(2) - Vector3::z()).norm() < 1e-6);
        let upright = Rotation3::from_euler_angles(std::f64::consts::FRAC_PI_2, 0.0, 0.0);
        let upright = Orientation::of(&points([0.02, 0.12, 0.02], &upright)).unwrap();
        assert!((upright.axes.column(0) - Vector3::z()).norm() < 1e-3);
        assert!((upright.axes.column(2) - Vector3::x()).norm() < 1e-3);
        let disc = Orientation::of(&points([0.1, 0.1, 0.01], &turn)).unwrap();
        assert!((disc.axes - Matrix3::identity()).norm() < 1e-6);
        assert_eq!(
            Orientation::of(&points([0.04, 0.04, 0.04], &turn)),
            None,
            "every way of turning it is as good"
        );
        assert_eq!(Orientation::of(&[[0.0; 3]; 11]), None);
    }

    /// Written by `models/export/points_truth.py` with scikit-learn.
    #[test]
    fn axes_are_those_of_scikit_learn() {
        for case in crate::points_truth() {
            let (deviations_m, axes) = spread(&case.points_m).unwrap();
            for index in 0..3 {
                assert!((deviations_m[index] - case.deviations_m[index]).abs() < 1e-8);
                let theirs = Vector3::from(case.axes[index]);
                assert!((axes[index].dot(&theirs).abs() - 1.0).abs() < 1e-8);
            }
        }
    }

    proptest! {
        #[test]
        fn a_brick_is_followed_however_it_turns(
            roll in -3.0..3.0_f64, pitch in -1.5..1.5_f64, yaw in -3.0..3.0_f64,
        ) {
            let size_m = [0.16, 0.08, 0.03];
            let mut seen = Orientation::of(&points(size_m, &Rotation3::identity())).unwrap();
            prop_assert!((seen.axes - Matrix3::identity()).norm() < 1e-6);
            let steps = 40;
            for step in 1..=steps {
                let share = f64::from(step) / f64::from(steps);
                let turn = Rotation3::from_euler_angles(roll * share, pitch * share, yaw * share);
                seen.follow(&points(size_m, &turn));
                prop_assert!((seen.axes - turn.matrix()).norm() < 1e-6, "{}", seen.axes);
                prop_assert!((seen.axes.determinant() - 1.0).abs() < 1e-9);
            }
        }
    }
}
