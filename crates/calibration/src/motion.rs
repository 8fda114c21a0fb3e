//! Whether the hand was turned enough, and about enough axes.
//!
//! A hand that turns about one axis alone says nothing of where the camera is along it (Tsai & Lenz 1989).

use nalgebra::{Matrix3, UnitQuaternion, Vector3};

use crate::error::SolveError;

/// Largest rotation between two views that is needed, degrees.
const NEEDED_DEG: f64 = 15.0;
/// Largest rotation across the main axis that is needed, degrees.
const SECOND_NEEDED_DEG: f64 = 8.0;

/// Refuses orientations of the tool that do not determine the camera.
pub(crate) fn check_turns(turns: &[UnitQuaternion<f64>]) -> Result<(), SolveError> {
    let between = rotations(turns);
    let largest = |lengths: &mut dyn Iterator<Item = f64>| lengths.fold(0.0, f64::max).to_degrees();
    let found_deg = largest(&mut between.iter().map(Vector3::norm));
    if found_deg < NEEDED_DEG {
        return Err(SolveError::TooLittleRotation {
            needed_deg: NEEDED_DEG,
            found_deg,
        });
    }
    let spread: Matrix3<f64> = between.iter().map(|turn| turn * turn.transpose()).sum();
    let eigen = spread.symmetric_eigen();
    let axis: Vector3<f64> = eigen.eigenvectors.column(eigen.eigenvalues.imax()).into();
    let across = between
        .iter()
        .map(|turn| (turn - axis * turn.dot(&axis)).norm());
    let second_deg = largest(&mut { across });
    if second_deg < SECOND_NEEDED_DEG {
        return Err(SolveError::OneAxis {
            needed_deg: SECOND_NEEDED_DEG,
            found_deg: second_deg,
            about_first_deg: largest(&mut between.iter().map(|turn| turn.dot(&axis).abs())),
        });
    }
    Ok(())
}

/// Rotation vectors between all pairs, rad, in the frame of the first of each.
fn rotations(turns: &[UnitQuaternion<f64>]) -> Vec<Vector3<f64>> {
    let pairs = turns.iter().enumerate();
    let pairs = pairs.flat_map(|(at, a)| turns[at + 1..].iter().map(move |b| (a, b)));
    pairs
        .map(|(a, b)| (a.inverse() * b).scaled_axis())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turned(vectors: &[[f64; 3]]) -> Vec<UnitQuaternion<f64>> {
        let base = UnitQuaternion::from_euler_angles(3.0, 0.2, -1.0);
        let one = |v: &[f64; 3]| {
            let vector: Vector3<f64> = Vector3::from(*v) * 1f64.to_radians();
            base * UnitQuaternion::from_scaled_axis(vector)
        };
        vectors.iter().map(one).collect()
    }

    #[test]
    fn a_hand_that_is_hardly_turned_is_refused_with_its_degrees() {
        let turns = turned(&[[0.0; 3], [4.0, 0.0, 0.0], [0.0, 5.0, 0.0]]);
        let Err(SolveError::TooLittleRotation { found_deg, .. }) = check_turns(&turns) else {
            panic!("{:?}", check_turns(&turns));
        };
        assert!((6.0..7.0).contains(&found_deg), "{found_deg}");
    }

    #[test]
    fn one_axis_is_not_enough() {
        let turns = turned(&[
            [0.0; 3],
            [0.0, 0.0, 40.0],
            [1.0, 0.0, -50.0],
            [0.0, 1.0, 80.0],
        ]);
        let Err(SolveError::OneAxis {
            found_deg,
            about_first_deg,
            ..
        }) = check_turns(&turns)
        else {
            panic!("{:?}", check_turns(&turns));
        };
        assert!(
            found_deg < 3.0 && about_first_deg > 120.0,
            "{found_deg}, {about_first_deg}"
        );
    }

    #[test]
    fn two_axes_are() {
        let turns = turned(&[[0.0; 3], [20.0, 0.0, 0.0], [0.0, 20.0, 0.0]]);
        assert_eq!(check_turns(&turns), Ok(()));
    }
}
