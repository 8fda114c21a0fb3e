//! The rigid motion that brings one set of points onto another.
//!
//! The rotation that fits best in the least-squares sense follows from the singular values of the
//! points' covariance (Kabsch 1976). Points that went elsewhere are left out by random samples
//! (RANSAC, Fischler and Bolles 1981) with the truncated cost of MSAC (Torr and Zisserman 2000).

use nalgebra::{Isometry3, Matrix3, Point3, Rotation3, Translation3, UnitQuaternion, Vector3};

/// Samples of three points that are tried; with half of the points right, all are wrong once in 200.
const TRIES: usize = 40;
/// Three points span a plane from this area on, m2.
const LEAST_AREA_M2: f64 = 1e-5;
/// How much the expected rotation weighs, m2: like a few points 1 cm off the middle. It decides where
/// the points do not, on things that are seen with a handful of pixels.
const PRIOR_M2: f64 = 4e-4;

/// A point as it was and as it is seen, m.
pub(super) type Pair = (Point3<f64>, Point3<f64>);

/// A motion and the pairs that it explains.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fit {
    pub(super) motion: Isometry3<f64>,
    pub(super) inliers: usize,
}

/// The motion that explains most pairs to `tolerance_m`, near `expected` where they leave it open; none
/// where they explain nothing. `explained` says for each pair whether it goes along.
pub(super) fn fit(
    pairs: &[Pair],
    expected: &Isometry3<f64>,
    tolerance_m: f64,
    explained: &mut Vec<bool>,
) -> Option<Fit> {
    explained.clear();
    explained.resize(pairs.len(), false);
    if pairs.is_empty() {
        return None;
    }
    let mut best = (cost(pairs, expected, tolerance_m), *expected);
    let mut consider = |motion: Isometry3<f64>| {
        let cost = cost(pairs, &motion, tolerance_m);
        if cost < best.0 {
            best = (cost, motion);
        }
    };
    let mut state = 1u64;
    let mut pick = || {
        // The generator of Knuth's MMIX: the same picks in every run.
        state = state.wrapping_mul(6_364_136_223_846_793_005);
        state = state.wrapping_add(1_442_695_040_888_963_407);
        pairs[(state >> 33) as usize % pairs.len()]
    };
    for _ in 0..TRIES {
        let sample = [pick(), pick(), pick()];
        consider(shift(&sample[..1], expected));
        let [a, b, c] = sample.map(|(then, _)| then);
        if (b - a).cross(&(c - a)).norm() > 2.0 * LEAST_AREA_M2 {
            consider(kabsch(sample.iter().copied(), expected, 0.0));
        }
    }
    let mut motion = best.1;
    let mut inliers = 0;
    for _ in 0..3 {
        inliers = 0;
        for (explained, pair) in explained.iter_mut().zip(pairs) {
            *explained = residual2(pair, &motion) < tolerance_m * tolerance_m;
            inliers += usize::from(*explained);
        }
        if inliers == 0 {
            return None;
        }
        let kept = pairs.iter().zip(explained.iter());
        let kept = kept.filter(|(_, explained)| **explained);
        motion = kabsch(kept.map(|(pair, _)| *pair), expected, PRIOR_M2);
    }
    Some(Fit { motion, inliers })
}

/// The least-squares motion of pairs; `prior_m2` says how much it should turn as expected.
fn kabsch(
    pairs: impl Iterator<Item = Pair> + Clone,
    expected: &Isometry3<f64>,
    prior_m2: f64,
) -> Isometry3<f64> {
    let (then, now) = centroids(pairs.clone());
    let turned = expected.rotation.to_rotation_matrix();
    let mut covariance: Matrix3<f64> = turned.matrix() * prior_m2;
    for (a, b) in pairs {
        covariance += (b.coords - now) * (a.coords - then).transpose();
    }
    let svd = covariance.svd_unordered(true, true);
    let (Some(u), Some(v_t)) = (svd.u, svd.v_t) else {
        return about(then, now, expected.rotation);
    };
    let mut signs = Vector3::repeat(1.0);
    // Of the two ways to keep it a rotation the one that costs least: the smallest axis turns over.
    signs[svd.singular_values.imin()] = (u * v_t).determinant().signum();
    let rotation = u * Matrix3::from_diagonal(&signs) * v_t;
    let rotation = Rotation3::from_matrix_unchecked(rotation);
    about(then, now, UnitQuaternion::from_rotation_matrix(&rotation))
}

/// Turned as expected, moved so that the middles meet.
fn shift(pairs: &[Pair], expected: &Isometry3<f64>) -> Isometry3<f64> {
    let (then, now) = centroids(pairs.iter().copied());
    about(then, now, expected.rotation)
}

fn about(then: Vector3<f64>, now: Vector3<f64>, rotation: UnitQuaternion<f64>) -> Isometry3<f64> {
    Isometry3::from_parts(Translation3::from(now - rotation * then), rotation)
}

fn centroids(pairs: impl Iterator<Item = Pair>) -> (Vector3<f64>, Vector3<f64>) {
    let (mut then, mut now, mut count) = (Vector3::zeros(), Vector3::zeros(), 0.0);
    for (a, b) in pairs {
        then += a.coords;
        now += b.coords;
        count += 1.0;
    }
    (then / count, now / count)
}

/// How far off the pairs are, m2; each counts at most the tolerance.
fn cost(pairs: &[Pair], motion: &Isometry3<f64>, tolerance_m: f64) -> f64 {
    let most = tolerance_m * tolerance_m;
    let off = pairs.iter().map(|pair| residual2(pair, motion).min(most));
    off.sum()
}

fn residual2((then, now): &Pair, motion: &Isometry3<f64>) -> f64 {
    (motion * then - now).norm_squared()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn motion() -> impl Strategy<Value = Isometry3<f64>> {
        let numbers = prop::array::uniform6(-0.5f64..0.5);
        numbers.prop_map(|[x, y, z, a, b, c]| {
            Isometry3::new(Vector3::new(x, y, z), Vector3::new(a, b, c))
        })
    }

    fn points() -> impl Strategy<Value = Vec<Point3<f64>>> {
        let point = prop::array::uniform3(-0.03f64..0.03).prop_map(Point3::from);
        prop::collection::vec(point, 12..24)
    }

    proptest! {
        #[test]
        fn a_motion_is_found_exactly(points in points(), motion in motion()) {
            let pairs: Vec<Pair> = points.iter().map(|p| (*p, motion * p)).collect();
            let found = kabsch(pairs.iter().copied(), &Isometry3::identity(), 0.0);
            prop_assert!((found.to_homogeneous() - motion.to_homogeneous()).norm() < 1e-6);
        }

        #[test]
        fn a_third_of_wrong_points_does_no_harm(
            points in points(),
            motion in motion(),
            wrong in prop::collection::vec(prop::array::uniform3(0.05f64..0.2), 4),
        ) {
            let mut pairs: Vec<Pair> = points.iter().map(|p| (*p, motion * p)).collect();
            for (pair, off) in pairs.iter_mut().zip(&wrong) {
                pair.1 += Vector3::from(*off);
            }
            let mut explained = Vec::new();
            let found = fit(&pairs, &motion, 0.006, &mut explained).unwrap();
            prop_assert_eq!(found.inliers, pairs.len() - wrong.len());
            prop_assert!(explained[..wrong.len()].iter().all(|good| !good));
            for point in &points {
                prop_assert!((found.motion * point - motion * point).norm() < 1e-6);
            }
        }

        #[test]
        fn where_points_say_nothing_of_a_turn_it_is_the_expected_one(motion in motion()) {
            let at = Point3::new(0.4, 0.1, 0.02);
            let pairs = [(at, motion * at); 4];
            let found = fit(&pairs, &motion, 0.006, &mut Vec::new()).unwrap();
            prop_assert!((found.motion.to_homogeneous() - motion.to_homogeneous()).norm() < 1e-9);
        }
    }

    #[test]
    fn a_mirror_image_is_not_taken_for_a_turn() {
        let points = [
            [0.0, 0.0, 0.0],
            [0.03, 0.0, 0.0],
            [0.0, 0.03, 0.0],
            [0.0, 0.0, 0.03],
        ];
        let pairs = points.map(|p| (Point3::from(p), Point3::new(-p[0], p[1], p[2])));
        let found = kabsch(pairs.into_iter(), &Isometry3::identity(), 0.0);
        let determinant = found.rotation.to_rotation_matrix().matrix().determinant();
        assert!((determinant - 1.0).abs() < 1e-9, "{determinant}");
    }

    #[test]
    fn nothing_is_explained_by_nothing() {
        assert_eq!(
            fit(&[], &Isometry3::identity(), 0.006, &mut Vec::new()),
            None
        );
    }
}
