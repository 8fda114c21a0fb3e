//! What cameras deliver, and where they are.

/// Which images of a camera are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Channels {
    /// Colour.
    pub colour: bool,
    /// Depth.
    pub depth: bool,
    /// Segmentation.
    pub segmentation: bool,
}

impl Channels {
    /// Colour, depth and segmentation.
    pub const ALL: Channels = Channels {
        colour: true,
        depth: true,
        segmentation: true,
    };
    /// Colour alone.
    pub const COLOUR: Channels = Channels {
        colour: true,
        depth: false,
        segmentation: false,
    };

    /// Whether all of `wanted` are among these.
    #[must_use]
    pub fn cover(self, wanted: Channels) -> bool {
        (self.colour || !wanted.colour)
            && (self.depth || !wanted.depth)
            && (self.segmentation || !wanted.segmentation)
    }
}

/// Images of one camera at one time, rows from the top; a channel that was not asked for is empty.
/// The buffers are reused from look to look.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Frame {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Colour, `height * width * 3` bytes.
    pub rgb: Vec<u8>,
    /// Depth along the optical axis, millimetres, `height * width`; 0 where nothing is in range.
    pub depth_mm: Vec<u16>,
    /// Ids of the world's [labels](crate::WorldInfo::labels), `height * width`; 0 is the background.
    pub segmentation: Vec<u8>,
    /// Where the camera was.
    pub geometry: CameraGeometry,
    /// When, ns of simulation.
    pub stamp_ns: u64,
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

impl Default for CameraGeometry {
    /// At the origin, looking along z, with a focal length of one pixel.
    fn default() -> Self {
        let mut world_from_camera = [0.0; 16];
        for axis in 0..4 {
            world_from_camera[5 * axis] = 1.0;
        }
        Self {
            focal: [1.0; 2],
            principal_point: [0.0; 2],
            world_from_camera,
        }
    }
}

impl CameraGeometry {
    /// Of a pinhole camera as MuJoCo and OpenGL describe one, for images of `[columns, rows]`: vertical
    /// field of view in degrees, position, and rotation (row-major; x right, y up, z backward).
    #[must_use]
    pub fn of_opengl(
        fov_y_deg: f64,
        [width, height]: [usize; 2],
        position_m: [f64; 3],
        rotation: [f64; 9],
    ) -> Self {
        let focal = height as f64 / 2.0 / (fov_y_deg.to_radians() / 2.0).tan();
        let mut world_from_camera = [0.0; 16];
        for row in 0..3 {
            world_from_camera[4 * row] = rotation[3 * row];
            world_from_camera[4 * row + 1] = -rotation[3 * row + 1];
            world_from_camera[4 * row + 2] = -rotation[3 * row + 2];
            world_from_camera[4 * row + 3] = position_m[row];
        }
        world_from_camera[15] = 1.0;
        Self {
            focal: [focal; 2],
            principal_point: [width as f64 / 2.0, height as f64 / 2.0],
            world_from_camera,
        }
    }

    /// World position in metres of the centre of pixel (column, row) at a depth in metres.
    #[must_use]
    pub fn unproject(&self, column: usize, row: usize, depth_m: f64) -> [f64; 3] {
        let x = (column as f64 + 0.5 - self.principal_point[0]) / self.focal[0] * depth_m;
        let y = (row as f64 + 0.5 - self.principal_point[1]) / self.focal[1] * depth_m;
        let m = &self.world_from_camera;
        [0, 1, 2].map(|r| m[4 * r] * x + m[4 * r + 1] * y + m[4 * r + 2] * depth_m + m[4 * r + 3])
    }

    /// Pixel coordinates and depth in metres of a world position; `None` behind the camera.
    #[must_use]
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
            let geometry = CameraGeometry {
                focal: [309.0; 2],
                principal_point: [128.0; 2],
                world_from_camera: [
                    c, s, 0.0, 0.3, s, -c, 0.0, -0.2, 0.0, 0.0, -1.0, 1.0, 0.0, 0.0, 0.0, 1.0,
                ],
            };
            let world = geometry.unproject(column, row, depth);
            let (pixel, z) = geometry.project(world).expect("in front");
            prop_assert!((pixel[0] - column as f64 - 0.5).abs() < 1e-6);
            prop_assert!((pixel[1] - row as f64 - 0.5).abs() < 1e-6);
            prop_assert!((z - depth).abs() < 1e-9);
        }
    }

    #[test]
    fn channels_cover_their_parts() {
        assert!(Channels::ALL.cover(Channels::COLOUR));
        assert!(!Channels::COLOUR.cover(Channels::ALL));
    }

    proptest! {
        #[test]
        fn a_described_camera_projects_as_it_unprojects(column in 0_usize..256, row in 0_usize..256, depth in 0.1_f64..3.0) {
            let (s, c) = (0.6_f64.sin(), 0.6_f64.cos());
            let rotation = [c, -s, 0.0, s, c, 0.0, 0.0, 0.0, 1.0];
            let geometry = CameraGeometry::of_opengl(45.0, [256, 256], [0.3, -0.2, 1.0], rotation);
            let world = geometry.unproject(column, row, depth);
            let (pixel, z) = geometry.project(world).expect("in front");
            prop_assert!((pixel[0] - column as f64 - 0.5).abs() < 1e-6);
            prop_assert!((pixel[1] - row as f64 - 0.5).abs() < 1e-6);
            prop_assert!((z - depth).abs() < 1e-9);
        }
    }
}
