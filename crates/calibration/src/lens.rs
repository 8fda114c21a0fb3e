//! A camera without distortion.

use nalgebra::Point3;
use serde::{Deserialize, Serialize};
use tiller_core::Problems;

/// Depth below which a point counts as behind the camera, m.
const LEAST_DEPTH_M: f64 = 1e-6;

/// How a camera turns directions into pixels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Lens {
    /// Focal lengths `[fx, fy]`, pixels.
    pub focal: [f64; 2],
    /// Principal point `[cx, cy]`, pixels; the centre of the top left pixel lies at (0.5, 0.5).
    pub principal_point: [f64; 2],
}

impl Lens {
    /// Checks numbers that somebody gave.
    ///
    /// # Errors
    /// All numbers that are wrong: focal lengths above 0, everything finite.
    pub fn check(&self) -> Result<(), Problems> {
        let mut problems = Problems::default();
        for (name, value) in ["fx", "fy"].into_iter().zip(self.focal) {
            problems.number(name, value, 1.0..=1e6);
        }
        for (name, value) in ["cx", "cy"].into_iter().zip(self.principal_point) {
            problems.number(name, value, -1e6..=1e6);
        }
        problems.finish(())
    }

    /// Where a point of the camera's frame (m) is in the picture, pixels; none behind the camera.
    #[must_use]
    pub fn project(&self, point_m: &Point3<f64>) -> Option<[f64; 2]> {
        let direction = [point_m.x / point_m.z, point_m.y / point_m.z];
        (point_m.z > LEAST_DEPTH_M).then(|| self.pixel(direction))
    }

    /// The pixel of a direction `[x / z, y / z]`.
    pub(crate) fn pixel(&self, direction: [f64; 2]) -> [f64; 2] {
        std::array::from_fn(|i| direction[i] * self.focal[i] + self.principal_point[i])
    }

    /// The direction `[x / z, y / z]` of a pixel.
    pub(crate) fn direction(&self, pixel: [f64; 2]) -> [f64; 2] {
        std::array::from_fn(|i| (pixel[i] - self.principal_point[i]) / self.focal[i])
    }
}
