//! The two cameras and their geometry.

use tiller_world::CameraGeometry;

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

/// From MuJoCo's camera: vertical field of view in degrees, position, and rotation matrix (row-major,
/// OpenGL axes: x right, y up, z backward).
pub(crate) fn geometry(
    fov_y_deg: f64,
    [width, height]: [usize; 2],
    position: [f64; 3],
    rotation: [f64; 9],
) -> CameraGeometry {
    let focal = height as f64 / 2.0 / (fov_y_deg.to_radians() / 2.0).tan();
    let mut world_from_camera = [0.0; 16];
    for row in 0..3 {
        world_from_camera[4 * row] = rotation[3 * row];
        world_from_camera[4 * row + 1] = -rotation[3 * row + 1];
        world_from_camera[4 * row + 2] = -rotation[3 * row + 2];
        world_from_camera[4 * row + 3] = position[row];
    }
    world_from_camera[15] = 1.0;
    CameraGeometry {
        focal: [focal, focal],
        principal_point: [width as f64 / 2.0, height as f64 / 2.0],
        world_from_camera,
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
            let geometry = geometry(45.0, [256, 256], [0.3, -0.2, 1.0], rotation);
            let world = geometry.unproject(column, row, depth);
            let (pixel, z) = geometry.project(world).expect("in front");
            prop_assert!((pixel[0] - column as f64 - 0.5).abs() < 1e-6);
            prop_assert!((pixel[1] - row as f64 - 0.5).abs() < 1e-6);
            prop_assert!((z - depth).abs() < 1e-9);
        }
    }
}
