//! Objects without labels: what stands out of the table is parted by place and looks.
//!
//! The largest plane in view is taken for the surface that things lie on. Pixels in front of it
//! are joined to their neighbours where neither depth nor looks jump; each group that is large
//! enough is an object, `object 1` being the leftmost from the robot.

mod plane;

use crate::config::GroundingConfig;
use crate::detector::{Detector, Mask, Needs};
use crate::error::GroundingError;
use crate::features::{DenseFeatures, LocalFeatures};
use crate::frame::Scene;

use plane::Plane;

/// Least height above the surface, m: twice the noise of a depth camera at 1 m.
const CLEAR_M: f64 = 0.01;
/// Neighbours farther apart along the line of sight belong to different objects, mm.
const DEPTH_STEP_MM: u16 = 15;
/// Neighbours that look more different belong to different objects, in features' units.
const LOOKS_STEP: f32 = 0.35;
/// Fewest pixels of an object: less is noise at edges.
const LEAST_PIXELS: usize = 40;
/// Most objects; the largest count.
const MOST_OBJECTS: usize = 24;

pub(super) fn detector(config: &GroundingConfig) -> Result<Box<dyn Detector>, GroundingError> {
    Ok(Box::new(Clusters {
        least_pixels: config.min_pixels.max(LEAST_PIXELS),
        features: LocalFeatures,
    }))
}

struct Clusters {
    least_pixels: usize,
    features: LocalFeatures,
}

impl Detector for Clusters {
    fn needs(&self) -> Needs {
        Needs {
            depth: true,
            segmentation: false,
        }
    }

    fn detect(&mut self, scene: &Scene<'_>, masks: &mut Vec<Mask>) -> Result<(), GroundingError> {
        let surface = Plane::largest(scene);
        let stands_out = |pixel: u32| {
            let point_m = scene.point_m(pixel)?;
            let clear = surface
                .as_ref()
                .is_none_or(|s| s.height_m(point_m) > CLEAR_M);
            clear.then_some(pixel)
        };
        let pixels = scene.frame.width * scene.frame.height;
        let chosen: Vec<u32> = (0..pixels as u32).filter_map(stands_out).collect();
        let mut groups = self.groups(scene, &chosen);
        groups.retain(|group| group.len() >= self.least_pixels);
        groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
        groups.truncate(MOST_OBJECTS);
        let place = |group: &Vec<u32>| scene.point_m(group[group.len() / 2]).unwrap_or([0.0; 3]);
        groups.sort_by(|a, b| {
            let (a, b) = (place(a), place(b));
            b[1].total_cmp(&a[1]).then(b[0].total_cmp(&a[0]))
        });
        masks.clear();
        masks.extend(groups.into_iter().zip(1..).map(|(pixels, number)| Mask {
            object: format!("object {number}"),
            pixels,
        }));
        Ok(())
    }
}

impl Clusters {
    /// Groups of the chosen pixels that hang together, pixels ascending.
    fn groups(&mut self, scene: &Scene<'_>, chosen: &[u32]) -> Vec<Vec<u32>> {
        let width = scene.frame.width;
        let mut looks = Vec::new();
        self.features.extract(&scene.frame, chosen, &mut looks);
        let dim = self.features.dim();
        let mut rank = vec![usize::MAX; scene.depth_mm.len()];
        for (index, pixel) in chosen.iter().enumerate() {
            rank[*pixel as usize] = index;
        }
        let similar = |a: usize, b: usize| {
            let depth = |index: usize| scene.depth_mm[chosen[index] as usize];
            let look = |index: usize| &looks[index * dim..index * dim + 3];
            let apart: f32 = look(a)
                .iter()
                .zip(look(b))
                .map(|(x, y)| (x - y) * (x - y))
                .sum();
            depth(a).abs_diff(depth(b)) <= DEPTH_STEP_MM && apart <= LOOKS_STEP * LOOKS_STEP
        };
        let mut owner: Vec<usize> = (0..chosen.len()).collect();
        for (index, pixel) in chosen.iter().enumerate() {
            let pixel = *pixel as usize;
            let left = (!pixel.is_multiple_of(width)).then(|| rank[pixel - 1]);
            let above = pixel.checked_sub(width).map(|above| rank[above]);
            for other in [left, above]
                .into_iter()
                .flatten()
                .filter(|rank| *rank != usize::MAX)
            {
                if similar(index, other) {
                    join(&mut owner, index, other);
                }
            }
        }
        let mut groups = vec![Vec::new(); chosen.len()];
        for (index, pixel) in chosen.iter().enumerate() {
            groups[root(&mut owner, index)].push(*pixel);
        }
        groups.retain(|group| !group.is_empty());
        groups
    }
}

/// The first of a group; paths are shortened on the way.
fn root(owner: &mut [usize], mut index: usize) -> usize {
    while owner[index] != index {
        owner[index] = owner[owner[index]];
        index = owner[index];
    }
    index
}

fn join(owner: &mut [usize], a: usize, b: usize) {
    let (a, b) = (root(owner, a), root(owner, b));
    owner[a.max(b)] = a.min(b);
}
