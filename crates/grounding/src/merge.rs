//! Keypoints of one object that all but coincide, as one: mean shift with a flat kernel (Comaniciu and Meer, 2002), over what k-means
//! has left of the object.

use std::cmp::Ordering;

use crate::cluster::distance2;

/// Means settle within a few rounds where points are few.
const MOST_ROUNDS: usize = 300;

/// A mean that moves by less than this share of the bandwidth has settled.
const SETTLED: f64 = 1e-3;

/// Keeps of the `chosen` points, in their order, one for each place where they crowd: the one next to its middle. Middles are
/// farther apart than the bandwidth; without one all are kept.
pub(crate) fn merge(points_m: &[[f64; 3]], chosen: &mut Vec<usize>, bandwidth_m: f64) {
    if bandwidth_m <= 0.0 || chosen.len() < 2 {
        return;
    }
    let places: Vec<[f64; 3]> = chosen.iter().map(|at| points_m[*at]).collect();
    let middles = middles(&places, bandwidth_m);
    let owners: Vec<usize> = places
        .iter()
        .map(|place| nearest(place, &middles).unwrap_or(0))
        .collect();
    let kept: Vec<usize> = (0..middles.len())
        .filter_map(|middle| {
            let members = (0..places.len()).filter(|at| owners[*at] == middle);
            members.min_by(|a, b| {
                let gap = |at: &usize| distance2(&places[*at], &middles[middle]);
                gap(a).total_cmp(&gap(b))
            })
        })
        .collect();
    let mut at = 0..;
    chosen.retain(|_| at.next().is_some_and(|at| kept.contains(&at)));
}

/// Where points crowd, the most crowded place first.
fn middles(places: &[[f64; 3]], bandwidth_m: f64) -> Vec<[f64; 3]> {
    let mut climbed: Vec<(usize, [f64; 3])> = places
        .iter()
        .map(|place| climb(*place, places, bandwidth_m))
        .collect();
    climbed.sort_by(|a, b| {
        let by_axis = b.1.iter().zip(&a.1).map(|(b, a)| b.total_cmp(a));
        by_axis.fold(b.0.cmp(&a.0), Ordering::then)
    });
    let mut middles: Vec<[f64; 3]> = Vec::new();
    for (_, place) in climbed {
        let is_new = |middle: &[f64; 3]| distance2(middle, &place) > bandwidth_m * bandwidth_m;
        if middles.iter().all(is_new) {
            middles.push(place);
        }
    }
    middles
}

/// Goes to the mean of what is around until that settles; gives how much is around it there.
fn climb(begin: [f64; 3], places: &[[f64; 3]], bandwidth_m: f64) -> (usize, [f64; 3]) {
    let mut mean = begin;
    let mut around = 0_u32;
    for _ in 0..MOST_ROUNDS {
        let mut sum = [0.0; 3];
        around = 0;
        for place in places {
            if distance2(place, &mean) <= bandwidth_m * bandwidth_m {
                around += 1;
                sum = std::array::from_fn(|axis| sum[axis] + place[axis]);
            }
        }
        let next = sum.map(|total| total / f64::from(around.max(1)));
        let moved = distance2(&next, &mean).sqrt();
        mean = next;
        if moved <= SETTLED * bandwidth_m {
            break;
        }
    }
    (around as usize, mean)
}

fn nearest(place: &[f64; 3], middles: &[[f64; 3]]) -> Option<usize> {
    (0..middles.len())
        .min_by(|a, b| distance2(place, &middles[*a]).total_cmp(&distance2(place, &middles[*b])))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Written by `models/export/points_truth.py` with scikit-learn.
    #[test]
    fn middles_are_those_of_scikit_learn() {
        for case in crate::points_truth() {
            let found = middles(&case.points_m, case.bandwidth_m);
            assert_eq!(found.len(), case.middles_m.len());
            for (ours, theirs) in found.iter().zip(&case.middles_m) {
                assert!(
                    distance2(ours, theirs).sqrt() < 1e-6,
                    "{ours:?}, {theirs:?}"
                );
            }
        }
    }

    fn merged(xs_m: &[f64], bandwidth_m: f64) -> Vec<usize> {
        let points: Vec<[f64; 3]> = xs_m.iter().map(|x| [*x, 0.0, 0.0]).collect();
        let mut chosen = (0..points.len()).collect();
        merge(&points, &mut chosen, bandwidth_m);
        chosen
    }

    #[test]
    fn what_crowds_becomes_one_in_the_middle() {
        assert_eq!(merged(&[0.0, 0.009, 0.02, 0.3], 0.02), [1, 3]);
        assert_eq!(merged(&[0.0, 0.03, 0.06], 0.02), [0, 1, 2]);
        assert_eq!(merged(&[0.0, 0.0], 0.0), [0, 1]);
        assert_eq!(merged(&[], 0.02), Vec::<usize>::new());
    }

    proptest! {
        #[test]
        fn one_is_left_near_each_and_order_stays(
            xs_m in prop::collection::vec(-0.2..0.2_f64, 1..16),
            bandwidth_m in 0.001..0.1_f64,
        ) {
            let kept = merged(&xs_m, bandwidth_m);
            prop_assert!(!kept.is_empty());
            prop_assert!(kept.is_sorted());
            // A mean is within its bandwidth of its members at the start, and climbs along them.
            for x in &xs_m {
                let is_near = |at: &usize| (xs_m[*at] - x).abs() <= 4.0 * bandwidth_m;
                prop_assert!(kept.iter().any(is_near), "{x} of {xs_m:?}: {kept:?}");
            }
        }
    }
}
