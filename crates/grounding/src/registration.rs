//! How far a partly hidden object has moved: what its best view predicts against what is seen.
//!
//! The centroid of what is left of an occluded object lies elsewhere on the object, so it cannot
//! be compared. Outlines can, once true edges are told from edges that something in front cuts: a
//! surface point of the best view, moved by the right translation, is either seen on the object or
//! hidden by something nearer; and each pixel seen on the object, moved back, lies on the object in
//! the best view. The translation with the fewest contradictions is found by search around the
//! last known one; its part along the line of sight is read off the depth.

use crate::camera::Pinhole;
use crate::cloud::{Cloud, MAX_SAMPLES};

/// Something must be this much nearer to count as in front, mm.
const FRONT_MM: f64 = 12.0;
/// Search grids across the line of sight: half width in steps, step in pixels.
const GRIDS: [(i32, f64); 3] = [(4, 2.0), (2, 1.0), (3, 0.25)];
/// Pulls towards the last translation where contradictions do not decide, cost a pixel.
const INERTIA: f64 = 0.05;

/// An object's pixels in one camera, and the depth there.
#[derive(Debug, Clone, Default)]
pub(crate) struct View {
    camera: Option<Pinhole>,
    width: usize,
    height: usize,
    on_object: Vec<bool>,
}

impl View {
    /// Notes the object's pixels; buffers are reused.
    pub(crate) fn set(&mut self, camera: &Pinhole, [width, height]: [usize; 2], mask: &[u32]) {
        (self.camera, self.width, self.height) = (Some(*camera), width, height);
        self.on_object.clear();
        self.on_object.resize(width * height, false);
        for pixel in mask {
            self.on_object[*pixel as usize] = true;
        }
    }

    /// The pixel where a world point would show, and its depth, m.
    fn look_up(&self, point_m: [f64; 3]) -> Option<(usize, f64)> {
        let ([u, v], depth_m) = self.camera.as_ref()?.project(point_m)?;
        let inside = u >= 0.0 && v >= 0.0 && u < self.width as f64 && v < self.height as f64;
        inside.then(|| (v as usize * self.width + u as usize, depth_m))
    }
}

/// The translation, m, that lays the model onto what is seen, searched from `start_m`.
/// `depth_mm` is the depth image in which `seen` was found.
pub(crate) fn register(
    model: &Cloud,
    seen: &Cloud,
    depth_mm: &[u16],
    start_m: [f64; 3],
) -> [f64; 3] {
    let Some(camera) = seen.view.camera else {
        return start_m;
    };
    let pixel_m = camera.pixel_size_m(seen.depth_m);
    let [right, down, forward] = camera.axes();
    let mut shift = along_sight(model, seen, depth_mm, start_m, forward);
    for (half_width, step) in GRIDS {
        let centre = shift;
        let mut best = f64::INFINITY;
        for row in -half_width..=half_width {
            for column in -half_width..=half_width {
                let (x, y) = (f64::from(column) * step, f64::from(row) * step);
                let candidate: [f64; 3] = std::array::from_fn(|axis| {
                    centre[axis] + pixel_m * (x * right[axis] + y * down[axis])
                });
                let cost = contradictions(model, seen, depth_mm, candidate) + INERTIA * x.hypot(y);
                if cost < best {
                    (best, shift) = (cost, candidate);
                }
            }
        }
    }
    along_sight(model, seen, depth_mm, shift, forward)
}

/// How many points speak against a translation.
fn contradictions(model: &Cloud, seen: &Cloud, depth_mm: &[u16], shift_m: [f64; 3]) -> f64 {
    let moved = |point: &[f64; 3], sign: f64| -> [f64; 3] {
        std::array::from_fn(|axis| point[axis] + sign * shift_m[axis])
    };
    let predicted = model.samples_m.iter().filter(|point| {
        let Some((pixel, depth_m)) = seen.view.look_up(moved(point, 1.0)) else {
            return false;
        };
        let found_mm = depth_mm[pixel];
        let in_front = found_mm > 0 && f64::from(found_mm) < depth_m * 1e3 - FRONT_MM;
        !(seen.view.on_object[pixel] || in_front)
    });
    let unexplained = seen.samples_m.iter().filter(|point| {
        let found = model.view.look_up(moved(point, -1.0));
        found.is_some_and(|(pixel, _)| !model.view.on_object[pixel])
    });
    (predicted.count() + unexplained.count()) as f64
}

/// Corrects a translation along the line of sight by the median depth difference.
fn along_sight(
    model: &Cloud,
    seen: &Cloud,
    depth_mm: &[u16],
    shift_m: [f64; 3],
    forward: [f64; 3],
) -> [f64; 3] {
    let difference = |point: &[f64; 3]| {
        let (pixel, depth_m) = seen
            .view
            .look_up(std::array::from_fn(|axis| point[axis] + shift_m[axis]))?;
        let found_mm = depth_mm[pixel];
        (seen.view.on_object[pixel] && found_mm > 0).then(|| f64::from(found_mm) * 1e-3 - depth_m)
    };
    let mut room = [0.0; MAX_SAMPLES];
    let mut count = 0;
    for (place, found) in room
        .iter_mut()
        .zip(model.samples_m.iter().filter_map(difference))
    {
        *place = found;
        count += 1;
    }
    if count == 0 {
        return shift_m;
    }
    let differences = &mut room[..count];
    let median = *differences
        .select_nth_unstable_by(count / 2, f64::total_cmp)
        .1;
    std::array::from_fn(|axis| shift_m[axis] + median * forward[axis])
}
