//! Pixels of one class to the things that they belong to.

use image::{ImageBuffer, Luma};
use imageproc::region_labelling::{Connectivity, connected_components};

use super::bundle::{Class, Named};
use crate::frame::Scene;

/// Pixels of which the network is less sure are nobody's.
const LEAST_CONFIDENCE: f32 = 0.8;
/// Share of a thing's largest patch that a further patch needs to be a part of it, or another thing.
const SPECK: f64 = 0.08;
const ANOTHER: f64 = 0.3;
/// Share of what a thing typically shows, below which it is none.
const LEAST_SHOWN: f64 = 0.1;

/// One thing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    /// Number of its class, from 0.
    pub(super) class: usize,
    /// Ascending.
    pub(super) pixels: Vec<u32>,
    /// Sum of the confidence of its pixels.
    pub(super) weight: f64,
    /// Middle of its visible surface, m.
    pub(super) middle_m: [f64; 3],
}

/// The things of a picture, by class; of one class the weightiest first, and no more than there may be. `enlarged`: how many times as
/// many pixels they have as the classes say.
pub(super) fn groups(
    scene: &Scene<'_>,
    named: &Named,
    classes: &[Class],
    enlarged: f64,
) -> Vec<Group> {
    let size = [scene.frame.width, scene.frame.height].map(|n| n as u32);
    let sure = named.class.iter().zip(&named.confidence);
    let kinds = sure
        .map(|(class, sure)| if *sure >= LEAST_CONFIDENCE { *class } else { 0 })
        .collect();
    let Some(kinds) = ImageBuffer::<Luma<u8>, Vec<u8>>::from_raw(size[0], size[1], kinds) else {
        return Vec::new();
    };
    let regions = connected_components(&kinds, Connectivity::Eight, Luma([0]));
    let count = regions.iter().max().map_or(0, |last| *last as usize);
    let mut patches: Vec<Option<Group>> = vec![None; count];
    for (pixel, region) in (0u32..).zip(regions.iter()) {
        let Some(index) = (*region as usize).checked_sub(1) else {
            continue;
        };
        let patch = patches[index].get_or_insert_with(|| Group {
            class: usize::from(kinds.as_raw()[pixel as usize]) - 1,
            pixels: Vec::new(),
            weight: 0.0,
            middle_m: [0.0; 3],
        });
        patch.pixels.push(pixel);
        patch.weight += f64::from(named.confidence[pixel as usize]);
    }
    let mut patches: Vec<Group> = patches.into_iter().flatten().collect();
    patches.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    let mut found: Vec<Group> = Vec::new();
    for mut patch in patches {
        let class = &classes[patch.class];
        patch.middle_m = middle_m(scene, &patch.pixels);
        let first = found.iter().find(|group| group.class == patch.class);
        let largest = first.map_or(patch.weight, |group| group.weight);
        if patch.weight < SPECK * largest {
            continue;
        }
        let near = found
            .iter_mut()
            .filter(|group| group.class == patch.class)
            .find(|group| distance(group.middle_m, patch.middle_m) < class.apart_m);
        if let Some(group) = near {
            group.join(patch, scene);
            continue;
        }
        let others = found.iter().filter(|group| group.class == patch.class);
        if others.count() < class.most && patch.weight >= ANOTHER * largest {
            found.push(patch);
        }
    }
    let least = |group: &Group| LEAST_SHOWN * enlarged * classes[group.class].pixels as f64;
    found.retain(|group| group.weight >= least(group));
    found.sort_by(|a, b| a.class.cmp(&b.class).then(b.weight.total_cmp(&a.weight)));
    found
}

impl Group {
    fn join(&mut self, other: Group, scene: &Scene<'_>) {
        self.pixels.extend(other.pixels);
        self.pixels.sort_unstable();
        self.weight += other.weight;
        self.middle_m = middle_m(scene, &self.pixels);
    }
}

fn middle_m(scene: &Scene<'_>, pixels: &[u32]) -> [f64; 3] {
    let points = pixels.iter().filter_map(|pixel| scene.point_m(*pixel));
    let (sum, count) = points.fold(([0.0; 3], 0.0), |(sum, count), point| {
        (std::array::from_fn(|axis| sum[axis] + point[axis]), count + 1.0)
    });
    sum.map(|total: f64| total / f64::max(count, 1.0))
}

pub(super) fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}
