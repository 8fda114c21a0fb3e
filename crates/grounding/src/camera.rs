//! The pinhole camera, both ways.

use crate::error::GroundingError;

/// What is known of a camera; a stream or a calibration may say a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Geometry {
    /// Focal lengths, pixels.
    pub focal: Option<[f64; 2]>,
    /// Principal point, pixels.
    pub principal_point: Option<[f64; 2]>,
    /// Homogeneous transform from the camera (OpenCV axes) to the world, row-major.
    pub world_from_camera: Option<[f64; 16]>,
}

impl Geometry {
    /// What is missing, as an error.
    pub fn unknown(&self) -> GroundingError {
        let missing = [
            ("focal", self.focal.is_none()),
            ("principal_point", self.principal_point.is_none()),
            ("world_from_camera", self.world_from_camera.is_none()),
        ];
        let missing = missing.into_iter().filter(|(_, missing)| *missing);
        let missing = missing.map(|(key, _)| key).collect();
        GroundingError::UnknownCamera { missing }
    }
}

/// A checked pinhole camera in the world.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pinhole {
    focal: [f64; 2],
    principal_point: [f64; 2],
    /// Row-major; the upper left 3 x 3 block is a rotation.
    world_from_camera: [f64; 16],
}

impl Pinhole {
    /// Checks focal lengths (above 0) and pose (finite, a rotation).
    ///
    /// # Errors
    /// [`GroundingError::BadCamera`].
    pub fn new(
        focal: [f64; 2],
        principal_point: [f64; 2],
        world_from_camera: [f64; 16],
    ) -> Result<Self, GroundingError> {
        if !focal.iter().all(|f| f.is_finite() && *f > 0.0) {
            let expected = "focal lengths above 0";
            return Err(GroundingError::BadCamera {
                expected,
                found: format!("{focal:?}"),
            });
        }
        let numbers = principal_point.iter().chain(&world_from_camera);
        if !numbers.into_iter().all(|value| value.is_finite()) {
            let (expected, found) = ("finite numbers", "a number that is not".to_owned());
            return Err(GroundingError::BadCamera { expected, found });
        }
        let camera = Self {
            focal,
            principal_point,
            world_from_camera,
        };
        if let Some(found) = rotation_fault(&world_from_camera) {
            let expected = "a rotation in world_from_camera";
            return Err(GroundingError::BadCamera { expected, found });
        }
        Ok(camera)
    }

    /// Where the camera is, m.
    pub fn position_m(&self) -> [f64; 3] {
        std::array::from_fn(|row| self.world_from_camera[4 * row + 3])
    }

    /// World point of the image position (`u`, `v`), pixels, at `depth_m` along the optical axis.
    pub fn back_project(&self, u: f64, v: f64, depth_m: f64) -> [f64; 3] {
        let x = (u - self.principal_point[0]) / self.focal[0] * depth_m;
        let y = (v - self.principal_point[1]) / self.focal[1] * depth_m;
        let m = &self.world_from_camera;
        std::array::from_fn(|row| {
            m[4 * row] * x + m[4 * row + 1] * y + m[4 * row + 2] * depth_m + m[4 * row + 3]
        })
    }

    /// Image position, pixels, and depth, m, of a world point; `None` behind the camera.
    pub fn project(&self, world_m: [f64; 3]) -> Option<([f64; 2], f64)> {
        let m = &self.world_from_camera;
        let offset: [f64; 3] = std::array::from_fn(|row| world_m[row] - m[4 * row + 3]);
        let [x, y, z] = self.to_camera(offset);
        (z > 1e-6).then(|| {
            let u = x / z * self.focal[0] + self.principal_point[0];
            let v = y / z * self.focal[1] + self.principal_point[1];
            ([u, v], z)
        })
    }

    /// A world direction in the camera's axes.
    pub fn to_camera(&self, direction: [f64; 3]) -> [f64; 3] {
        std::array::from_fn(|column| {
            let axis = self.axis(column);
            axis[0] * direction[0] + axis[1] * direction[1] + axis[2] * direction[2]
        })
    }

    /// The camera's axes in the world: right, down, forward.
    pub(crate) fn axes(&self) -> [[f64; 3]; 3] {
        [self.axis(0), self.axis(1), self.axis(2)]
    }

    /// How much a pixel covers at a depth, m.
    pub(crate) fn pixel_size_m(&self, depth_m: f64) -> f64 {
        depth_m / (self.focal[0] * self.focal[1]).sqrt()
    }

    fn axis(&self, column: usize) -> [f64; 3] {
        std::array::from_fn(|row| self.world_from_camera[4 * row + column])
    }
}

/// What keeps a row-major pose of finite numbers from being a rotation and a position.
pub(crate) fn rotation_fault(pose: &[f64; 16]) -> Option<String> {
    let column = |c: usize| [pose[c], pose[4 + c], pose[8 + c]];
    for a in 0..3 {
        for b in 0..3 {
            let dot: f64 = column(a).iter().zip(column(b)).map(|(x, y)| x * y).sum();
            let wanted = if a == b { 1.0 } else { 0.0 };
            if (dot - wanted).abs() > 1e-3 {
                return Some(format!("axes {a} and {b} with product {dot:.4}"));
            }
        }
    }
    let ([x, y, z], [u, v, w], third) = (column(0), column(1), column(2));
    let cross = [y * w - z * v, z * u - x * w, x * v - y * u];
    let handedness: f64 = cross.iter().zip(third).map(|(a, b)| a * b).sum();
    (handedness < 0.0).then(|| "a reflection".to_owned())
}

/// The rotation matrix of a quaternion of length about 1, row by row.
pub(crate) fn quaternion_to_rotation(wxyz: [f64; 4]) -> [[f64; 3]; 3] {
    let norm = wxyz.iter().map(|n| n * n).sum::<f64>().sqrt();
    let [w, x, y, z] = wxyz.map(|n| n / norm);
    [
        [
            1.0 - 2.0 * (y * y + z * z),
            2.0 * (x * y - w * z),
            2.0 * (x * z + w * y),
        ],
        [
            2.0 * (x * y + w * z),
            1.0 - 2.0 * (x * x + z * z),
            2.0 * (y * z - w * x),
        ],
        [
            2.0 * (x * z - w * y),
            2.0 * (y * z + w * x),
            1.0 - 2.0 * (x * x + y * y),
        ],
    ]
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A camera at `eye` that looks at `target` with the image's up along the world's z.
    pub(crate) fn look_at(eye: [f64; 3], target: [f64; 3]) -> [f64; 16] {
        let unit = |v: [f64; 3]| {
            let norm = v.iter().map(|c| c * c).sum::<f64>().sqrt();
            v.map(|c| c / norm)
        };
        let cross = |a: [f64; 3], b: [f64; 3]| {
            [
                a[1] * b[2] - a[2] * b[1],
                a[2] * b[0] - a[0] * b[2],
                a[0] * b[1] - a[1] * b[0],
            ]
        };
        let forward = unit(std::array::from_fn(|i| target[i] - eye[i]));
        let right = unit(cross(forward, [0.0, 0.0, 1.0]));
        let down = cross(forward, right);
        let mut pose = [0.0; 16];
        for row in 0..3 {
            pose[4 * row] = right[row];
            pose[4 * row + 1] = down[row];
            pose[4 * row + 2] = forward[row];
            pose[4 * row + 3] = eye[row];
        }
        pose[15] = 1.0;
        pose
    }

    proptest! {
        #[test]
        fn projection_and_back_projection_are_inverse(
            eye in prop::array::uniform3(0.8f64..2.0),
            target in prop::array::uniform3(-0.5f64..0.5),
            focal in 100.0f64..900.0,
            pixel in prop::array::uniform2(0.0f64..256.0),
            depth_m in 0.05f64..5.0,
        ) {
            let camera = Pinhole::new([focal, focal * 1.1], [128.0, 120.0], look_at(eye, target));
            let camera = camera.unwrap();
            let world = camera.back_project(pixel[0], pixel[1], depth_m);
            let (found, depth) = camera.project(world).unwrap();
            prop_assert!((depth - depth_m).abs() < 1e-9);
            prop_assert!((found[0] - pixel[0]).abs() < 1e-6);
            prop_assert!((found[1] - pixel[1]).abs() < 1e-6);
        }
    }

    #[test]
    fn the_optical_axis_goes_through_the_principal_point() {
        let pose = look_at([1.0, 0.0, 1.0], [0.0, 0.0, 0.0]);
        let camera = Pinhole::new([300.0; 2], [128.0; 2], pose).unwrap();
        let (pixel, depth) = camera.project([0.0; 3]).unwrap();
        assert!((depth - 2.0f64.sqrt()).abs() < 1e-12 && (pixel[0] - 128.0).abs() < 1e-9);
        let (higher, _) = camera.project([0.0, 0.0, 0.1]).unwrap();
        assert!(higher[1] < pixel[1], "up in the world is up in the image");
        assert!(camera.project([2.0, 0.0, 2.0]).is_none());
    }

    #[test]
    fn bad_cameras_are_refused() {
        let pose = look_at([1.0, 0.0, 1.0], [0.0, 0.0, 0.0]);
        assert!(Pinhole::new([0.0, 300.0], [128.0; 2], pose).is_err());
        assert!(Pinhole::new([300.0; 2], [f64::NAN, 1.0], pose).is_err());
        let error = Pinhole::new([300.0; 2], [128.0; 2], [0.0; 16]).unwrap_err();
        assert!(error.to_string().contains("a rotation"), "{error}");
    }
}
