//! Follows objects by what they look like, for detectors that cannot be asked in every frame.
//!
//! At the start each object's looks and those of its surroundings are noted, a few of each. In a
//! later frame the pixels around where the object was last seen belong to it that look more like
//! it than like its surroundings and lie near it in space.

use crate::cluster::cluster;
use crate::detector::Mask;
use crate::error::GroundingError;
use crate::features::{DenseFeatures, LocalFeatures};
use crate::frame::Scene;
use crate::tracker::Tracker;

/// Looks noted of an object and of its surroundings.
const LOOKS: usize = 4;
/// Pixels from which they are chosen.
const SAMPLES: usize = 200;
/// How far something may look from all that was noted and still be the object.
const UNLIKE: f32 = 0.6;
/// How far an object moves between two frames at most, m.
const STEP_M: f64 = 0.05;
/// Width of the surroundings that are searched, as a share of the object's size, and at least, pixels.
const MARGIN: (f64, usize) = (0.6, 6);

/// Follows by looks.
#[derive(Default)]
pub(crate) struct LooksTracker {
    objects: Vec<Object>,
    features: LocalFeatures,
    pixels: Vec<u32>,
    looks: Vec<f32>,
}

/// What an object looks like, and what its surroundings do: rows of features.
#[derive(Debug, Clone, Default)]
pub(super) struct Looks {
    pub(super) like: Vec<f32>,
    pub(super) unlike: Vec<f32>,
}

impl Looks {
    /// Whether a pixel looks like the object rather than like what is around it.
    pub(super) fn resemble(&self, look: &[f32]) -> bool {
        let like = nearest(look, &self.like);
        like < UNLIKE && like < nearest(look, &self.unlike)
    }
}

#[derive(Default)]
struct Object {
    looks: Looks,
    /// Where it was last seen: left, top, right, bottom, pixels.
    bounds: [usize; 4],
    centre_m: [f64; 3],
    /// As it was detected: what hides a part of it makes it no smaller.
    radius_m: f64,
}

impl Tracker for LooksTracker {
    fn start(&mut self, scene: &Scene<'_>, masks: &[Mask]) {
        let features = &mut self.features;
        self.objects.clear();
        for mask in masks {
            let mut object = Object::default();
            if object.locate(scene, &mask.pixels) {
                let around = surroundings_of(scene, object.bounds, &mask.pixels);
                object.looks.like = noted(scene, features, &mask.pixels);
                object.looks.unlike = noted(scene, features, &around);
            }
            self.objects.push(object);
        }
    }

    fn follow(&mut self, scene: &Scene<'_>, masks: &mut Vec<Mask>) -> Result<(), GroundingError> {
        let dim = self.features.dim();
        for (object, mask) in self.objects.iter_mut().zip(masks) {
            mask.pixels.clear();
            self.pixels.clear();
            let near = window(object.bounds, scene.frame.width, scene.frame.height)
                .filter(|pixel| scene.point_m(*pixel).is_some_and(|p| object.reaches(p)));
            self.pixels.extend(near);
            self.looks.clear();
            self.features
                .extract(&scene.frame, &self.pixels, &mut self.looks);
            for (pixel, look) in self.pixels.iter().zip(self.looks.chunks_exact(dim)) {
                if object.looks.resemble(look) {
                    mask.pixels.push(*pixel);
                }
            }
            object.locate(scene, &mask.pixels);
        }
        Ok(())
    }
}

impl Object {
    /// Notes where the pixels lie; leaves everything as it was where none has depth.
    fn locate(&mut self, scene: &Scene<'_>, pixels: &[u32]) -> bool {
        let width = scene.frame.width;
        let mut bounds = [usize::MAX, usize::MAX, 0, 0];
        let (mut sum, mut count) = ([0.0; 3], 0.0);
        let points = || {
            pixels
                .iter()
                .filter_map(|pixel| Some((*pixel, scene.point_m(*pixel)?)))
        };
        for (pixel, point_m) in points() {
            let (column, row) = (pixel as usize % width, pixel as usize / width);
            bounds = [
                bounds[0].min(column),
                bounds[1].min(row),
                bounds[2].max(column),
                bounds[3].max(row),
            ];
            sum.iter_mut()
                .zip(point_m)
                .for_each(|(total, value)| *total += value);
            count += 1.0;
        }
        if count == 0.0 {
            return false;
        }
        self.bounds = bounds;
        self.centre_m = sum.map(|total| total / count);
        if self.radius_m == 0.0 {
            let centre_m = self.centre_m;
            let radii = points().map(|(_, p)| distance(p, centre_m));
            self.radius_m = radii.fold(0.0, f64::max);
        }
        true
    }

    fn reaches(&self, point_m: [f64; 3]) -> bool {
        distance(point_m, self.centre_m) <= self.radius_m + STEP_M
    }
}

/// The pixels of a rectangle and its surroundings, ascending.
fn window(
    [left, top, right, bottom]: [usize; 4],
    width: usize,
    height: usize,
) -> impl Iterator<Item = u32> {
    let margin = |from: usize, to: usize| {
        ((to.saturating_sub(from) as f64 * MARGIN.0) as usize).max(MARGIN.1)
    };
    let (x, y) = (margin(left, right), margin(top, bottom));
    let columns = left.saturating_sub(x)..(right + x + 1).min(width);
    let rows = top.saturating_sub(y)..(bottom + y + 1).min(height);
    rows.flat_map(move |row| {
        columns
            .clone()
            .map(move |column| (row * width + column) as u32)
    })
}

/// The pixels around a mask.
pub(super) fn surroundings(scene: &Scene<'_>, mask: &[u32]) -> Vec<u32> {
    let mut object = Object::default();
    match object.locate(scene, mask) {
        true => surroundings_of(scene, object.bounds, mask),
        false => Vec::new(),
    }
}

fn surroundings_of(scene: &Scene<'_>, bounds: [usize; 4], mask: &[u32]) -> Vec<u32> {
    window(bounds, scene.frame.width, scene.frame.height)
        .filter(|pixel| mask.binary_search(pixel).is_err())
        .collect()
}

/// A few feature rows that stand for the pixels' looks.
pub(super) fn noted(scene: &Scene<'_>, features: &mut LocalFeatures, pixels: &[u32]) -> Vec<f32> {
    let step = pixels.len().div_ceil(SAMPLES).max(1);
    let picked: Vec<u32> = pixels.iter().copied().step_by(step).collect();
    let mut looks = Vec::new();
    features.extract(&scene.frame, &picked, &mut looks);
    let dim = features.dim();
    // By looks alone: all in one place.
    let places = vec![[0.0; 3]; picked.len()];
    let chosen = cluster(&places, &looks, LOOKS);
    chosen
        .iter()
        .flat_map(|at| looks[at * dim..(at + 1) * dim].to_vec())
        .collect()
}

/// Distance from the nearest of some feature rows; infinite if there is none.
fn nearest(look: &[f32], rows: &[f32]) -> f32 {
    let apart = |row: &[f32]| {
        row.iter()
            .zip(look)
            .map(|(a, b)| (a - b) * (a - b))
            .sum::<f32>()
    };
    rows.chunks_exact(look.len())
        .map(apart)
        .fold(f32::INFINITY, f32::min)
        .sqrt()
}

fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b) * (a - b))
        .sum::<f64>()
        .sqrt()
}
