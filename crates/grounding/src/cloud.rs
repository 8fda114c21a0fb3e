//! The visible surface of one object: pixels turned into world points.

use crate::features::DenseFeatures;
use crate::frame::Scene;
use crate::registration::View;

/// Points kept for clustering and registration. The centroid uses every pixel.
pub(crate) const MAX_SAMPLES: usize = 160;

/// What one frame shows of one object.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cloud {
    /// Mean of all visible surface points, m.
    pub(crate) centroid_m: [f64; 3],
    /// Visible area as seen from 1 m away, square pixels: comparable across distances.
    pub(crate) area: f64,
    /// Mean depth, m.
    pub(crate) depth_m: f64,
    /// Where the object shows.
    pub(crate) view: View,
    /// Pixels with a usable depth.
    pub(crate) count: usize,
    /// Evenly picked surface points, m.
    pub(crate) samples_m: Vec<[f64; 3]>,
    /// Their features, `[samples x dim]`.
    pub(crate) features: Vec<f32>,
    scratch: Scratch,
}

#[derive(Debug, Clone, Default)]
struct Scratch {
    pixels: Vec<u32>,
    picked: Vec<u32>,
    points_m: Vec<[f64; 3]>,
    depths_mm: Vec<u16>,
}

impl Cloud {
    /// Reads the object's pixels out of the frame; buffers are reused.
    pub(crate) fn read(
        &mut self,
        scene: &Scene<'_>,
        mask: &[u32],
        features: &mut dyn DenseFeatures,
    ) {
        let Scene {
            frame,
            camera,
            depth_mm,
            ..
        } = scene;
        let scratch = &mut self.scratch;
        let limits_mm = depth_limits(depth_mm, mask, &mut scratch.depths_mm);
        scratch.pixels.clear();
        scratch.points_m.clear();
        let mut sum = [0.0; 3];
        let mut depth_sum_m = 0.0;
        for pixel in mask {
            let mm = depth_mm[*pixel as usize];
            if mm == 0 || !limits_mm.contains(&mm) {
                continue;
            }
            let column = (*pixel as usize % frame.width) as f64 + 0.5;
            let row = (*pixel as usize / frame.width) as f64 + 0.5;
            let depth_m = f64::from(mm) * 1e-3;
            let point = camera.back_project(column, row, depth_m);
            for (total, value) in sum.iter_mut().zip(point) {
                *total += value;
            }
            depth_sum_m += depth_m;
            scratch.pixels.push(*pixel);
            scratch.points_m.push(point);
        }
        self.count = scratch.pixels.len();
        let count = self.count.max(1) as f64;
        self.centroid_m = sum.map(|total| total / count);
        self.depth_m = depth_sum_m / count;
        self.area = self.count as f64 * self.depth_m.powi(2);
        self.view.set(camera, [frame.width, frame.height], mask);
        self.pick(scene, features);
    }

    /// Every n-th pixel. The step is odd so that it does not fall into step with the rows.
    fn pick(&mut self, scene: &Scene<'_>, features: &mut dyn DenseFeatures) {
        let step = self.count.div_ceil(MAX_SAMPLES).max(1) | 1;
        self.samples_m.clear();
        self.samples_m
            .extend(self.scratch.points_m.iter().step_by(step));
        self.scratch.picked.clear();
        self.scratch
            .picked
            .extend(self.scratch.pixels.iter().step_by(step));
        self.features.clear();
        features.extract(&scene.frame, &self.scratch.picked, &mut self.features);
    }
}

/// Depths that can belong to the object. At its outline a real camera mixes near and far: such
/// pixels lie far from the median, measured by the median deviation.
fn depth_limits(
    depth_mm: &[u16],
    mask: &[u32],
    depths_mm: &mut Vec<u16>,
) -> std::ops::RangeInclusive<u16> {
    depths_mm.clear();
    let known = mask
        .iter()
        .map(|pixel| depth_mm[*pixel as usize])
        .filter(|mm| *mm > 0);
    depths_mm.extend(known);
    let Some(centre) = median(depths_mm) else {
        return 0..=0;
    };
    for depth in depths_mm.iter_mut() {
        *depth = depth.abs_diff(centre);
    }
    let spread = median(depths_mm).unwrap_or(0);
    let reach = spread.saturating_mul(5).saturating_add(20);
    centre.saturating_sub(reach)..=centre.saturating_add(reach)
}

fn median(values: &mut [u16]) -> Option<u16> {
    let middle = values.len() / 2;
    (!values.is_empty()).then(|| *values.select_nth_unstable(middle).1)
}
