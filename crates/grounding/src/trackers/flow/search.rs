//! An object that was lost, found again by its looks.

use nalgebra::{Isometry3, Translation3, Vector3};

use crate::cloud::Cloud;
use crate::features::{DenseFeatures, LocalFeatures};
use crate::frame::Scene;
use crate::registration::register;
use crate::trackers::looks::{Looks, noted, surroundings};

/// Neighbours farther apart along the line of sight are not of one object, mm a pixel.
const DEPTH_STEP_MM: u16 = 15;
/// Share of the object's visible area at the start that what is found must have.
const SHARE: std::ops::Range<f64> = 0.3..1.6;
/// Every so many pixels is looked at, in pictures of more than so many.
const COARSE: (usize, usize) = (2, 40_000);
/// How well an object that is found by its looks counts as known.
pub(super) const AGREEMENT: f64 = 0.5;

/// What an object looks like, to find it again.
#[derive(Debug, Clone, Default)]
pub(super) struct Portrait {
    looks: Looks,
    model: Cloud,
}

/// Buffers of a search.
#[derive(Default)]
pub(super) struct Search {
    features: LocalFeatures,
    rows: Vec<f32>,
    grid: Vec<u32>,
    alike: Vec<bool>,
    stack: Vec<u32>,
    group: Vec<u32>,
    best: Vec<u32>,
    cloud: Cloud,
}

impl Search {
    /// Notes an object's looks.
    pub(super) fn note(&mut self, scene: &Scene<'_>, mask: &[u32]) -> Portrait {
        let mut model = Cloud::default();
        model.read(scene, mask, &mut self.features);
        let like = noted(scene, &mut self.features, mask);
        let unlike = noted(scene, &mut self.features, &surroundings(scene, mask));
        Portrait {
            looks: Looks { like, unlike },
            model,
        }
    }

    /// How the object has moved, without a turn, if something of its looks and size is in view.
    pub(super) fn find(
        &mut self,
        scene: &Scene<'_>,
        portrait: &Portrait,
        expected: &Isometry3<f64>,
    ) -> Option<Isometry3<f64>> {
        self.look_around(scene, &portrait.looks);
        let start_m = expected * nalgebra::Point3::from(portrait.model.centroid_m)
            - nalgebra::Point3::from(portrait.model.centroid_m);
        let mut nearest = f64::INFINITY;
        self.best.clear();
        for seed in 0..self.grid.len() {
            if !self.alike[seed] {
                continue;
            }
            self.gather(scene, seed);
            self.cloud.read(scene, &self.group, &mut self.features);
            let share = self.cloud.area * self.stride(scene).pow(2) as f64 / portrait.model.area;
            if !SHARE.contains(&share) || self.group.len() < 4 {
                continue;
            }
            // Of several alike the one that has moved least.
            let moved: f64 = (0..3)
                .map(|i| self.cloud.centroid_m[i] - portrait.model.centroid_m[i] - start_m[i])
                .map(|d| d * d)
                .sum();
            if moved < nearest {
                nearest = moved;
                std::mem::swap(&mut self.best, &mut self.group);
            }
        }
        if self.best.is_empty() {
            return None;
        }
        self.refine(scene, &portrait.looks);
        self.cloud.read(scene, &self.best, &mut self.features);
        let by_centroid: [f64; 3] =
            std::array::from_fn(|i| self.cloud.centroid_m[i] - portrait.model.centroid_m[i]);
        let shift = register(&portrait.model, &self.cloud, scene.depth_mm, by_centroid);
        Some(Isometry3::from_parts(
            Translation3::from(Vector3::from(shift)),
            nalgebra::UnitQuaternion::identity(),
        ))
    }

    fn stride(&self, scene: &Scene<'_>) -> usize {
        if scene.depth_mm.len() > COARSE.1 {
            COARSE.0
        } else {
            1
        }
    }

    /// Marks on a grid over the picture what looks like the object.
    fn look_around(&mut self, scene: &Scene<'_>, looks: &Looks) {
        let (width, height) = (scene.frame.width, scene.frame.height);
        let stride = self.stride(scene);
        for buffer in [&mut self.stack, &mut self.group, &mut self.best] {
            // At once, for they change places: else each would grow by and by.
            buffer.clear();
            buffer.reserve(width * height);
        }
        self.grid.clear();
        for row in (0..height).step_by(stride) {
            let pixels = (0..width)
                .step_by(stride)
                .map(|column| (row * width + column) as u32);
            self.grid.extend(pixels);
        }
        self.rows.clear();
        self.features
            .extract(&scene.frame, &self.grid, &mut self.rows);
        self.alike.clear();
        let rows = self.rows.chunks_exact(self.features.dim());
        self.alike.extend(rows.map(|row| looks.resemble(row)));
    }

    /// Takes what hangs together with a grid's pixel.
    fn gather(&mut self, scene: &Scene<'_>, seed: usize) {
        let stride = self.stride(scene);
        let columns = scene.frame.width.div_ceil(stride);
        self.group.clear();
        self.stack.clear();
        self.stack.push(seed as u32);
        self.alike[seed] = false;
        while let Some(at) = self.stack.pop() {
            let at = at as usize;
            self.group.push(self.grid[at]);
            let depth = |cell: usize| scene.depth_mm[self.grid[cell] as usize];
            let sides = [
                (!at.is_multiple_of(columns)).then(|| at - 1),
                (!(at + 1).is_multiple_of(columns)).then_some(at + 1),
                at.checked_sub(columns),
                Some(at + columns),
            ];
            for side in sides.into_iter().flatten() {
                let joins = self.alike.get(side).is_some_and(|alike| *alike)
                    && depth(at).abs_diff(depth(side)) <= DEPTH_STEP_MM * stride as u16;
                if joins {
                    self.alike[side] = false;
                    self.stack.push(side as u32);
                }
            }
        }
        self.group.sort_unstable();
    }

    /// Takes every pixel of the best group and of its edge.
    fn refine(&mut self, scene: &Scene<'_>, looks: &Looks) {
        let stride = self.stride(scene);
        if stride == 1 {
            return;
        }
        let (width, height) = (scene.frame.width, scene.frame.height);
        self.grid.clear();
        for pixel in &self.best {
            let (x, y) = (*pixel as usize % width, *pixel as usize / width);
            for row in y.saturating_sub(1)..(y + stride).min(height) {
                for column in x.saturating_sub(1)..(x + stride).min(width) {
                    self.grid.push((row * width + column) as u32);
                }
            }
        }
        self.grid.sort_unstable();
        self.grid.dedup();
        self.rows.clear();
        self.features
            .extract(&scene.frame, &self.grid, &mut self.rows);
        self.best.clear();
        let rows = self.rows.chunks_exact(self.features.dim());
        let alike = self
            .grid
            .iter()
            .zip(rows)
            .filter(|(_, row)| looks.resemble(row));
        self.best.extend(alike.map(|(pixel, _)| *pixel));
    }
}
