//! Depth where nobody measures it: everything is taken to lie on a level plane.

use crate::camera::Pinhole;

/// The depth image of a level plane; made once for a camera that does not move.
#[derive(Debug, Default)]
pub(crate) struct PlaneDepth {
    of: Option<(Pinhole, [usize; 2], f64)>,
    depth_mm: Vec<u16>,
}

impl PlaneDepth {
    /// Depth, mm, `[height x width]`, at which each pixel's ray meets the plane `z = height_m` of
    /// the world; 0 where it does not, or farther off than a `u16` holds.
    pub(crate) fn of(&mut self, camera: &Pinhole, size: [usize; 2], height_m: f64) -> &[u16] {
        let wanted = Some((*camera, size, height_m));
        if self.of != wanted {
            let [width, height] = size;
            self.depth_mm.clear();
            self.depth_mm.extend((0..width * height).map(|pixel| {
                let column = (pixel % width) as f64 + 0.5;
                let row = (pixel / width) as f64 + 0.5;
                // At depth 1 the point is camera + ray, so that depth scales the ray.
                let rise_m = camera.back_project(column, row, 1.0)[2] - camera.position_m()[2];
                let mm = ((height_m - camera.position_m()[2]) / rise_m * 1e3).round();
                if mm > 0.0 && mm <= f64::from(u16::MAX) {
                    mm as u16
                } else {
                    0
                }
            }));
            self.of = wanted;
        }
        &self.depth_mm
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::tests::look_at;

    #[test]
    fn every_ray_ends_on_the_plane() {
        let pose = look_at([1.0, 0.2, 0.9], [0.4, 0.0, 0.0]);
        let camera = Pinhole::new([60.0; 2], [32.0, 24.0], pose).unwrap();
        let mut plane = PlaneDepth::default();
        let depth = plane.of(&camera, [64, 48], 0.1).to_vec();
        assert!(depth.iter().all(|mm| *mm > 0));
        for pixel in [0, 63, 1000, 64 * 48 - 1] {
            let (column, row) = ((pixel % 64) as f64 + 0.5, (pixel / 64) as f64 + 0.5);
            let point = camera.back_project(column, row, f64::from(depth[pixel]) * 1e-3);
            assert!((point[2] - 0.1).abs() < 1e-3, "{point:?}");
        }
        // Above the camera nothing can be met by looking down.
        assert!(plane.of(&camera, [64, 48], 2.0).iter().all(|mm| *mm == 0));
    }
}
