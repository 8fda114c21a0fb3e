//! Objects by a promptable segmenter of the kind of Segment Anything (Kirillov et al. 2023).
//!
//! The picture is encoded once. Named prompts, points or boxes, give named objects. Without prompts a grid
//! of points gives all masks that the segmenter is sure of; what covers much of the picture is taken for
//! the surroundings, and of masks within each other each pixel belongs to the smallest.

mod bundle;
mod masks;
mod resample;

pub use bundle::Prompt;

use crate::config::GroundingConfig;
use crate::detector::{Detector, Mask, Needs};
use crate::error::GroundingError;
use crate::frame::Scene;

use bundle::{Model, Proposal};

/// Points along each side of the grid; published: 32, for pictures with a hundred objects.
const GRID: usize = 16;
/// Least overlap that the decoder expects of itself, and least stability, as published.
const LEAST_OVERLAP: f32 = 0.88;
const LEAST_STABILITY: f32 = 0.95;
/// Boxes that overlap more are of one object, as published.
const SAME_BOX: f32 = 0.7;
/// Share of the picture from which a mask is of the surroundings.
const SURROUNDINGS: f64 = 0.25;
/// Most objects.
const MOST_OBJECTS: usize = 24;

pub(super) fn detector(config: &GroundingConfig) -> Result<Box<dyn Detector>, GroundingError> {
    let folder = config
        .model
        .as_ref()
        .ok_or_else(|| GroundingError::BadSetting {
            name: "model",
            expected: "the folder of a segmenter, as `models/export/sam.py` writes it".to_owned(),
            found: "none".to_owned(),
        })?;
    Ok(Box::new(Sam {
        model: Model::open(folder)?,
        prompts: config.prompts.clone(),
        least_pixels: config.min_pixels,
    }))
}

struct Sam {
    model: Model,
    prompts: Vec<(String, Prompt)>,
    least_pixels: usize,
}

impl Detector for Sam {
    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn detect(&mut self, scene: &Scene<'_>, masks: &mut Vec<Mask>) -> Result<(), GroundingError> {
        self.model.encode(&scene.frame)?;
        masks.clear();
        if self.prompts.is_empty() {
            let found = self.everything(scene)?;
            masks.extend(parted(found, scene.depth_mm.len(), self.least_pixels));
            return Ok(());
        }
        for (name, prompt) in &self.prompts {
            let proposals = self.model.decode(*prompt)?;
            let best = proposals
                .into_iter()
                .max_by(|a, b| a.expected_overlap.total_cmp(&b.expected_overlap));
            masks.push(Mask {
                object: name.clone(),
                pixels: best.map_or_else(Vec::new, |best| pixels(&best.logits)),
            });
        }
        Ok(())
    }
}

impl Sam {
    /// All masks that the segmenter is sure of.
    fn everything(&mut self, scene: &Scene<'_>) -> Result<Vec<Vec<u32>>, GroundingError> {
        let (width, height) = (scene.frame.width, scene.frame.height);
        let (mut found, mut boxes, mut scores) = (Vec::new(), Vec::new(), Vec::new());
        for [x, y] in masks::grid(GRID) {
            let point = Prompt::Point([x * width as f64, y * height as f64]);
            for Proposal {
                logits,
                expected_overlap,
            } in self.model.decode(point)?
            {
                let sure = expected_overlap > LEAST_OVERLAP
                    && masks::stability(&logits) >= LEAST_STABILITY;
                if sure {
                    boxes.push(masks::bounds(&logits, width));
                    scores.push(expected_overlap);
                    found.push(pixels(&logits));
                }
            }
        }
        let kept = masks::suppress(&boxes, &scores, SAME_BOX);
        Ok(kept
            .into_iter()
            .map(|index| std::mem::take(&mut found[index]))
            .collect())
    }
}

fn pixels(logits: &[f32]) -> Vec<u32> {
    let above = (0..)
        .zip(logits)
        .filter(|(_, logit)| **logit > masks::THRESHOLD);
    above.map(|(pixel, _)| pixel).collect()
}

/// Objects that share no pixel, the largest first: `object 1` and so on.
fn parted(mut found: Vec<Vec<u32>>, picture: usize, least: usize) -> Vec<Mask> {
    found.retain(|mask| (mask.len() as f64) < SURROUNDINGS * picture as f64);
    found.sort_by_key(Vec::len);
    let mut taken = vec![false; picture];
    for mask in &mut found {
        mask.retain(|pixel| !std::mem::replace(&mut taken[*pixel as usize], true));
    }
    found.retain(|mask| mask.len() >= least);
    found.sort_by_key(|mask| std::cmp::Reverse(mask.len()));
    found.truncate(MOST_OBJECTS);
    let named = found.into_iter().zip(1..);
    named
        .map(|(pixels, number)| Mask {
            object: format!("object {number}"),
            pixels,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pixel_belongs_to_the_smallest_mask_that_has_it() {
        let found = vec![
            (0..80).collect(),
            (10..20).collect(),
            (15..40).collect(),
            vec![2, 3],
        ];
        let objects = parted(found, 200, 4);
        let sizes: Vec<_> = objects.iter().map(|mask| mask.pixels.len()).collect();
        // The largest is of the surroundings, the smallest too small.
        assert_eq!(sizes, [20, 10]);
        assert_eq!(objects[0].pixels, (20..40).collect::<Vec<u32>>());
        assert_eq!(objects[0].object, "object 1");
    }
}
