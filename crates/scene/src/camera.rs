//! A camera as its pictures say that it is.

use nalgebra::{Isometry3, Matrix3, Point3, Rotation3, Translation3, UnitQuaternion, Vector3};
use tiller_core::Pose;
use tiller_messages::ImageHeader;

/// A pinhole camera.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    /// Pixels across and down.
    pub size: [u32; 2],
    /// Focal lengths `[fx, fy]`, pixels.
    pub focal: [f64; 2],
    /// Principal point `[cx, cy]`, pixels.
    pub principal: [f64; 2],
    /// Pose in the base frame; the camera's frame is OpenCV's (x right, y down, z forward).
    pub world_from_camera: Pose,
}

impl Camera {
    /// The camera of a picture; none where the picture does not say where it was taken, and with what lens.
    #[must_use]
    pub fn of(header: &ImageHeader) -> Option<Self> {
        let [fx, fy] = header.focal?;
        let matrix = header.world_from_camera?;
        let (width, height) = (header.width as f64, header.height as f64);
        let rotation = Matrix3::from_fn(|row, column| matrix[4 * row + column]);
        // All zeros are a camera that does not know.
        let is_rotation = (rotation.determinant() - 1.0).abs() < 0.01;
        if !is_rotation || fx <= 0.0 || fy <= 0.0 {
            return None;
        }
        let rotation = Rotation3::from_matrix_unchecked(rotation);
        Some(Self {
            size: [header.width as u32, header.height as u32],
            focal: [fx, fy],
            principal: header
                .principal_point
                .unwrap_or([width / 2.0, height / 2.0]),
            world_from_camera: Pose::from_parts(
                Vector3::new(matrix[3], matrix[7], matrix[11]),
                &UnitQuaternion::from_rotation_matrix(&rotation),
            ),
        })
    }

    /// Where a point in the base frame, m, is seen, pixels; none where it is not.
    #[must_use]
    pub fn project(&self, point_m: [f64; 3]) -> Option<[f32; 2]> {
        let p = self
            .isometry()
            .inverse_transform_point(&Point3::from(point_m));
        if p.z <= 1e-6 {
            return None;
        }
        let x = self.focal[0] * p.x / p.z + self.principal[0];
        let y = self.focal[1] * p.y / p.z + self.principal[1];
        let [width, height] = self.size.map(f64::from);
        let is_seen = (0.0..width).contains(&x) && (0.0..height).contains(&y);
        is_seen.then_some([x as f32, y as f32])
    }

    /// The point in the base frame, m, that is seen at the middle of a pixel at this depth, m.
    #[must_use]
    pub fn lift(&self, column: usize, row: usize, depth_m: f64) -> [f32; 3] {
        let x = (column as f64 + 0.5 - self.principal[0]) / self.focal[0] * depth_m;
        let y = (row as f64 + 0.5 - self.principal[1]) / self.focal[1] * depth_m;
        let point = self.isometry() * Point3::new(x, y, depth_m);
        [point.x as f32, point.y as f32, point.z as f32]
    }

    fn isometry(&self) -> Isometry3<f64> {
        let pose = &self.world_from_camera;
        Isometry3::from_parts(Translation3::from(pose.position()), pose.rotation())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// From 1 m above, looking straight down.
    fn header() -> ImageHeader {
        #[rustfmt::skip]
        let matrix = [
            0.0, -1.0, 0.0, 0.5,
            -1.0, 0.0, 0.0, 0.1,
            0.0, 0.0, -1.0, 1.0,
            0.0, 0.0, 0.0, 1.0,
        ];
        ImageHeader {
            width: 200,
            height: 100,
            focal: Some([100.0, 100.0]),
            world_from_camera: Some(matrix),
            ..Default::default()
        }
    }

    #[test]
    fn what_is_below_is_in_the_middle_and_what_is_behind_is_not_seen() {
        let camera = Camera::of(&header()).unwrap();
        assert_eq!(camera.project([0.5, 0.1, 0.0]), Some([100.0, 50.0]));
        // The picture's x points to -y.
        let right = camera.project([0.5, 0.0, 0.0]).unwrap();
        assert!((right[0] - 110.0).abs() < 1e-4 && (right[1] - 50.0).abs() < 1e-4);
        assert_eq!(camera.project([0.5, 0.1, 2.0]), None);
        assert_eq!(
            camera.project([0.5, 5.0, 0.0]),
            None,
            "outside of the picture"
        );
    }

    #[test]
    fn a_camera_that_does_not_say_where_it_is_is_none() {
        let without = |change: fn(&mut ImageHeader)| {
            let mut header = header();
            change(&mut header);
            Camera::of(&header)
        };
        assert!(without(|h| h.focal = None).is_none());
        assert!(without(|h| h.world_from_camera = None).is_none());
        assert!(without(|h| h.world_from_camera = Some([0.0; 16])).is_none());
        assert!(without(|h| h.focal = Some([0.0; 2])).is_none());
    }

    proptest! {
        #[test]
        fn a_pixel_lifted_is_seen_there(column in 0_usize..200, row in 0_usize..100, depth in 0.1..5.0) {
            let camera = Camera::of(&header()).unwrap();
            let point = camera.lift(column, row, depth).map(f64::from);
            let [x, y] = camera.project(point).unwrap();
            prop_assert!((x - column as f32 - 0.5).abs() < 1e-2);
            prop_assert!((y - row as f32 - 0.5).abs() < 1e-2);
        }
    }
}
