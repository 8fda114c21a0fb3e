//! From a decoder's logits to a set of masks: what the published generator does with them.
//!
//! A mask's stability is the overlap of what lies above a raised and above a lowered threshold. Masks
//! that the decoder itself thinks little of, and unstable ones, are dropped; of those whose boxes overlap
//! the one with the highest predicted overlap stays (Kirillov et al. 2023, section 4 and appendix B).

/// Logits above this are the object's.
pub(super) const THRESHOLD: f32 = 0.0;
/// How far the threshold is raised and lowered.
const OFFSET: f32 = 1.0;

/// Share of what the lowered threshold keeps that the raised one keeps, too; not a number where it keeps
/// nothing.
pub(super) fn stability(logits: &[f32]) -> f32 {
    let above = |threshold: f32| logits.iter().filter(|logit| **logit > threshold).count();
    above(THRESHOLD + OFFSET) as f32 / above(THRESHOLD - OFFSET) as f32
}

/// The outermost columns and rows of a mask: left, top, right, bottom, all inclusive; zeros if it is empty.
pub(super) fn bounds(logits: &[f32], width: usize) -> [f32; 4] {
    let mut bounds = [usize::MAX, usize::MAX, 0, 0];
    for (at, _) in logits
        .iter()
        .enumerate()
        .filter(|(_, logit)| **logit > THRESHOLD)
    {
        let (column, row) = (at % width, at / width);
        bounds[0] = bounds[0].min(column);
        bounds[1] = bounds[1].min(row);
        bounds[2] = bounds[2].max(column);
        bounds[3] = bounds[3].max(row);
    }
    if bounds[0] == usize::MAX {
        return [0.0; 4];
    }
    bounds.map(|edge| edge as f32)
}

/// Of boxes that overlap by more than `most` of their union the one with the highest score; gives the
/// numbers of those that stay, the best first.
pub(super) fn suppress(boxes: &[[f32; 4]], scores: &[f32], most: f32) -> Vec<usize> {
    let mut order: Vec<usize> = (0..boxes.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    let mut kept: Vec<usize> = Vec::new();
    for index in order {
        if kept
            .iter()
            .all(|other| overlap(&boxes[*other], &boxes[index]) <= most)
        {
            kept.push(index);
        }
    }
    kept
}

/// Intersection over union of two boxes.
fn overlap(a: &[f32; 4], b: &[f32; 4]) -> f32 {
    let area = |b: &[f32; 4]| (b[2] - b[0]) * (b[3] - b[1]);
    let width = (a[2].min(b[2]) - a[0].max(b[0])).max(0.0);
    let height = (a[3].min(b[3]) - a[1].max(b[1])).max(0.0);
    let shared = width * height;
    shared / (area(a) + area(b) - shared)
}

/// Points spread evenly over the unit square, row by row.
pub(super) fn grid(side: usize) -> impl Iterator<Item = [f64; 2]> {
    let place = move |n: usize| (n as f64 + 0.5) / side as f64;
    (0..side * side).map(move |n| [place(n % side), place(n / side)])
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Written by `models/export/sam_truth.py` with the published functions.
    fn truth() -> Value {
        serde_json::from_str(include_str!("../../../tests/data/sam.json")).unwrap()
    }

    fn numbers(value: &Value) -> Vec<f32> {
        let numbers = value.as_array().unwrap().iter();
        numbers
            .map(|number| number.as_f64().unwrap() as f32)
            .collect()
    }

    #[test]
    fn stability_and_bounds_are_the_published_ones() {
        let truth = truth();
        let cases = truth["masks"].as_array().unwrap();
        assert!(cases.len() >= 6);
        for case in cases {
            let logits = numbers(&case["logits"]);
            let width = case["width"].as_u64().unwrap() as usize;
            assert_eq!(bounds(&logits, width).to_vec(), numbers(&case["box"]));
            let found = stability(&logits);
            match case["stability"].as_f64() {
                Some(expected) => assert!((f64::from(found) - expected).abs() < 1e-6),
                None => assert!(found.is_nan()),
            }
        }
    }

    #[test]
    fn what_stays_of_overlapping_boxes_is_what_the_published_code_keeps() {
        let truth = truth();
        for case in truth["suppression"].as_array().unwrap() {
            let boxes: Vec<[f32; 4]> = case["boxes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|b| numbers(b).try_into().unwrap())
                .collect();
            let kept = suppress(
                &boxes,
                &numbers(&case["scores"]),
                case["most"].as_f64().unwrap() as f32,
            );
            let expected: Vec<usize> = numbers(&case["kept"])
                .into_iter()
                .map(|index| index as usize)
                .collect();
            assert_eq!(kept, expected);
        }
    }

    #[test]
    fn the_grid_is_the_published_one() {
        let truth = truth();
        let expected = numbers(&truth["grid"]);
        let found: Vec<f32> = grid(5).flatten().map(|n| n as f32).collect();
        assert_eq!(found.len(), expected.len());
        assert!(
            found
                .iter()
                .zip(&expected)
                .all(|(a, b)| (a - b).abs() < 1e-6)
        );
    }
}
