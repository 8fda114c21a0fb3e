//! The two cameras and their geometry.

/// A camera of the play table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Camera {
    /// Fixed, on the far side of the table, looking at the robot from above.
    Static,
    /// On the hand, looking along the fingers.
    Wrist,
}

impl Camera {
    /// Both cameras.
    pub const ALL: [Camera; 2] = [Camera::Static, Camera::Wrist];

    /// Identifier: `static` or `wrist`.
    pub fn name(self) -> &'static str {
        match self {
            Camera::Static => "static",
            Camera::Wrist => "wrist",
        }
    }
}

/// Pinhole geometry of a camera: a point at depth z metres in pixel (u, v), counted from the top left
/// corner of the top left pixel, lies at z * [(u - cx) / fx, (v - cy) / fy, 1] in the camera frame
/// (OpenCV: x right, y down, z forward).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CameraGeometry {
    /// Focal lengths in pixels: fx, fy.
    pub focal: [f64; 2],
    /// Principal point in pixels: cx, cy.
    pub principal_point: [f64; 2],
    /// Homogeneous transform, row-major: world point = world_from_camera * camera point.
    pub world_from_camera: [f64; 16],
}

impl CameraGeometry {
    /// From MuJoCo's camera: vertical field of view in degrees, position, and rotation matrix (row-major,
    /// OpenGL axes: x right, y up, z backward).
    pub(crate) fn new(
        fov_y_deg: f64,
        [width, height]: [usize; 2],
        position: [f64; 3],
        rotation: [f64; 9],
    ) -> Self {
        let focal = height as f64 / 2.0 / (fov_y_deg.to_radians() / 2.0).tan();
        let mut world_from_camera = [0.0; 16];
        for row in 0..3 {
            world_from_camera[4 * row] = rotation[3 * row];
            world_from_camera[4 * row + 1] = -rotation[3 * row + 1];
            world_from_camera[4 * row + 2] = -rotation[3 * row + 2];
            world_from_camera[4 * row + 3] = position[row];
        }
        world_from_camera[15] = 1.0;
        Self {
            focal: [focal, focal],
            principal_point: [width as f64 / 2.0, height as f64 / 2.0],
            world_from_camera,
        }
    }

    /// World position in metres of the centre of pixel (column, row) at a depth in metres.
    pub fn unproject(&self, column: usize, row: usize, depth_m: f64) -> [f64; 3] {
        let x = (column as f64 + 0.5 - self.principal_point[0]) / self.focal[0] * depth_m;
        let y = (row as f64 + 0.5 - self.principal_point[1]) / self.focal[1] * depth_m;
        let m = &self.world_from_camera;
        [0, 1, 2].map(|r| m[4 * r] * x + m[4 * r + 1] * y + m[4 * r + 2] * depth_m + m[4 * r + 3])
    }

    /// Pixel coordinates and depth in metres of a world position; `None` behind the camera.
    pub fn project(&self, world: [f64; 3]) -> Option<([f64; 2], f64)> {
        let m = &self.world_from_camera;
        let d = [world[0] - m[3], world[1] - m[7], world[2] - m[11]];
        let [x, y, z] = [0, 1, 2].map(|c| m[c] * d[0] + m[4 + c] * d[1] + m[8 + c] * d[2]);
        (z > 0.0).then(|| {
            let u = self.focal[0] * x / z + self.principal_point[0];
            let v = self.focal[1] * y / z + self.principal_point[1];
            ([u, v], z)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn projection_inverts_unprojection(column in 0_usize..256, row in 0_usize..256, depth in 0.1_f64..3.0) {
            let (s, c) = (0.6_f64.sin(), 0.6_f64.cos());
            let rotation = [c, -s, 0.0, s, c, 0.0, 0.0, 0.0, 1.0];
            let geometry = CameraGeometry::new(45.0, [256, 256], [0.3, -0.2, 1.0], rotation);
            let world = geometry.unproject(column, row, depth);
            let (pixel, z) = geometry.project(world).expect("in front");
            prop_assert!((pixel[0] - column as f64 - 0.5).abs() < 1e-6);
            prop_assert!((pixel[1] - row as f64 - 0.5).abs() < 1e-6);
            prop_assert!((z - depth).abs() < 1e-9);
        }
    }
}
