//! Clusters of surface points: k-means with farthest-point seeds, hence without randomness.

/// Point sets of our size have settled long before.
const MOST_ROUNDS: usize = 100;
/// One unit of feature distance weighs like so many metres.
const FEATURE_M: f64 = 0.03;

/// Splits points into `k` clusters by place and looks; returns for each cluster the index of the
/// point next to its centre, so that a keypoint always lies on the surface. Fewer clusters come
/// back when there are fewer points. Clusters are ordered by descending y, then x: from the
/// robot's left to its right.
pub(crate) fn cluster(points_m: &[[f64; 3]], features: &[f32], k: usize) -> Vec<usize> {
    let dim = features.len() / points_m.len().max(1);
    let rows: Vec<Vec<f64>> = points_m
        .iter()
        .enumerate()
        .map(|(index, point)| {
            let looks = features[index * dim..(index + 1) * dim].iter();
            point
                .iter()
                .copied()
                .chain(looks.map(|f| f64::from(*f) * FEATURE_M))
                .collect()
        })
        .collect();
    let centres = means(&rows, k.min(rows.len()));
    let mut medoids: Vec<usize> = centres
        .iter()
        .map(|centre| nearest(centre, &rows))
        .collect();
    medoids.sort_by(|a, b| {
        let (a, b) = (points_m[*a], points_m[*b]);
        b[1].total_cmp(&a[1]).then(b[0].total_cmp(&a[0]))
    });
    medoids.dedup();
    medoids
}

/// k-means: centres of `k` clusters, once no point changes its cluster any more.
fn means(rows: &[Vec<f64>], k: usize) -> Vec<Vec<f64>> {
    let mut centres = seeds(rows, k);
    let mut owners = vec![usize::MAX; rows.len()];
    for _ in 0..MOST_ROUNDS {
        let now: Vec<usize> = rows.iter().map(|row| nearest(row, &centres)).collect();
        if now == owners {
            break;
        }
        owners = now;
        for (index, centre) in centres.iter_mut().enumerate() {
            let members = rows
                .iter()
                .zip(&owners)
                .filter(|(_, owner)| **owner == index)
                .map(|(row, _)| row);
            if let Some(mean) = mean(members) {
                *centre = mean;
            }
        }
    }
    centres
}

/// The point farthest from the mean, then always the one farthest from all seeds so far.
fn seeds(rows: &[Vec<f64>], k: usize) -> Vec<Vec<f64>> {
    let Some(middle) = mean(rows.iter()) else {
        return Vec::new();
    };
    let mut seeds: Vec<Vec<f64>> = Vec::with_capacity(k);
    let mut gaps: Vec<f64> = rows.iter().map(|row| distance2(row, &middle)).collect();
    for _ in 0..k {
        let farthest = (0..rows.len()).max_by(|a, b| gaps[*a].total_cmp(&gaps[*b]).then(b.cmp(a)));
        let Some(farthest) = farthest else { break };
        let first = seeds.is_empty();
        seeds.push(rows[farthest].clone());
        for (gap, row) in gaps.iter_mut().zip(rows) {
            let to_seed = distance2(row, &rows[farthest]);
            *gap = if first { to_seed } else { gap.min(to_seed) };
        }
    }
    seeds
}

fn nearest(row: &[f64], candidates: &[Vec<f64>]) -> usize {
    let mut best = (0, f64::INFINITY);
    for (index, candidate) in candidates.iter().enumerate() {
        let distance = distance2(row, candidate);
        if distance < best.1 {
            best = (index, distance);
        }
    }
    best.0
}

fn mean<'a>(rows: impl Iterator<Item = &'a Vec<f64>>) -> Option<Vec<f64>> {
    let mut sum: Vec<f64> = Vec::new();
    let mut count = 0.0;
    for row in rows {
        sum.resize(row.len(), 0.0);
        sum.iter_mut()
            .zip(row)
            .for_each(|(total, value)| *total += value);
        count += 1.0;
    }
    (count > 0.0).then(|| sum.iter().map(|total| total / count).collect())
}

/// Square of the distance.
pub(crate) fn distance2(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by `models/export/points_truth.py` with scikit-learn.
    #[test]
    fn clusters_are_those_of_scikit_learn() {
        for case in crate::points_truth() {
            let rows: Vec<Vec<f64>> = case.points_m.iter().map(|point| point.to_vec()).collect();
            let centres = means(&rows, case.clusters);
            assert_eq!(centres.len(), case.centres_m.len());
            for (ours, theirs) in centres.iter().zip(&case.centres_m) {
                assert!(
                    distance2(ours, theirs).sqrt() < 1e-6,
                    "{ours:?}, {theirs:?}"
                );
            }
        }
    }

    fn strip(count: usize) -> Vec<[f64; 3]> {
        (0..count)
            .map(|i| [0.5, i as f64 / (count - 1) as f64, 0.0])
            .collect()
    }

    #[test]
    fn a_strip_splits_into_halves() {
        let points = strip(101);
        let found: Vec<f64> = cluster(&points, &[], 2)
            .iter()
            .map(|i| points[*i][1])
            .collect();
        assert!(
            (found[0] - 0.75).abs() < 0.02 && (found[1] - 0.25).abs() < 0.02,
            "{found:?}"
        );
    }

    #[test]
    fn looks_part_what_lies_together() {
        let points: Vec<[f64; 3]> = (0..40).map(|i| [0.0, f64::from(i) * 1e-4, 0.0]).collect();
        let features: Vec<f32> = (0..40)
            .map(|i| if i % 2 == 0 { 0.0 } else { 2.0 })
            .collect();
        let found = cluster(&points, &features, 2);
        assert_eq!(found.len(), 2);
        assert_ne!(found[0] % 2, found[1] % 2);
    }

    #[test]
    fn there_are_never_more_clusters_than_points() {
        assert_eq!(cluster(&strip(2), &[], 5).len(), 2);
        assert_eq!(cluster(&[], &[], 2), Vec::<usize>::new());
    }
}
