//! What cameras do not say of themselves: a file with a table for each camera.
//!
//! ```toml
//! [static]                             # the frames' `frame_id`, or the name of the input
//! size = [640, 480]                    # pixels at which the next two lines hold
//! focal = [615.2, 614.8]               # pixels
//! principal_point = [319.5, 240.2]     # pixels
//! position_m = [1.26, 0.0, 1.04]       # of the camera in the base frame
//! quaternion_wxyz = [0.24, -0.67, -0.66, 0.25]  # of its OpenCV axes: x right, y down, z forward
//! clock_offset_ns = -3_000_000         # added to its stamps
//!
//! [wrist]
//! hand_position_m = [0.05, 0.0, -0.03] # of a camera on the hand, in the frame of the tool
//! hand_quaternion_wxyz = [0.7, 0.0, 0.0, 0.7]
//! ```
//!
//! `world_from_camera`, or for a camera on the hand `hand_from_camera`, 16 numbers or 4 rows of 4, may stand for position and
//! quaternion. Every line may be missing.

use std::collections::BTreeMap;
use std::fmt;

use nalgebra::Matrix4;
use toml::{Table, Value};

use crate::camera::{Geometry, quaternion_to_rotation, rotation_fault};
use crate::hand::Hand;

/// Largest file that is read, bytes.
const MAX_FILE_BYTES: usize = 1 << 20;
/// How far from 1 the length of a quaternion typed by hand may be.
const QUATERNION_SLACK: f64 = 1e-2;
/// How far apart two ratios of image sides may be and still be the same lens, relative.
const ASPECT_SLACK: f64 = 1e-2;

/// Cameras by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Calibration {
    cameras: BTreeMap<String, CameraCalibration>,
}

/// What is known of one camera.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CameraCalibration {
    /// Width and height at which the geometry holds, pixels.
    pub size: Option<[usize; 2]>,
    /// Focal lengths, principal point and pose.
    pub geometry: Geometry,
    /// Of a camera on the hand: homogeneous transform from it (OpenCV axes) to the tool, row-major.
    pub hand_from_camera: Option<[f64; 16]>,
    /// What to add to the camera's stamps, ns.
    pub clock_offset_ns: i64,
}

/// All that is wrong with a calibration file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct CalibrationError {
    /// What was expected and what was found, with the camera and the key, in the file's order.
    pub problems: Vec<String>,
}

impl fmt::Display for CalibrationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.as_slice() {
            [one] => write!(f, "wrong calibration: {one}"),
            all => {
                write!(f, "{} lines of the calibration are wrong:", all.len())?;
                all.iter()
                    .try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}

impl Calibration {
    /// Reads a file's text.
    ///
    /// # Errors
    /// All problems at once.
    pub fn parse(text: &str) -> Result<Self, CalibrationError> {
        let refuse = |problem: String| CalibrationError {
            problems: vec![problem],
        };
        if text.len() > MAX_FILE_BYTES {
            let found = text.len();
            return Err(refuse(format!(
                "expected at most {MAX_FILE_BYTES} bytes, found {found}"
            )));
        }
        let table: Table = text
            .parse()
            .map_err(|e: toml::de::Error| refuse(e.to_string()))?;
        let mut problems = Vec::new();
        let mut cameras = BTreeMap::new();
        for (name, value) in table {
            let Value::Table(mut lines) = value else {
                problems.push(format!(
                    "`{name}`: expected a table `[{name}]`, found {}",
                    kind(&value)
                ));
                continue;
            };
            let mut lines = Lines {
                camera: &name,
                table: &mut lines,
                problems: &mut problems,
            };
            let camera = lines.camera();
            lines.refuse_the_rest();
            cameras.insert(name, camera);
        }
        if problems.is_empty() {
            Ok(Self { cameras })
        } else {
            Err(CalibrationError { problems })
        }
    }

    /// The camera that goes by one of these names, the first that is known.
    pub fn camera(&self, names: &[&str]) -> Option<&CameraCalibration> {
        names.iter().find_map(|name| self.cameras.get(*name))
    }

    /// Names of the cameras.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.cameras.keys().map(String::as_str)
    }
}

impl CameraCalibration {
    /// Fills what a camera with images of this size does not say of itself.
    ///
    /// # Errors
    /// What was expected and found, where the size is not in proportion to the calibration's.
    pub fn complete(
        &self,
        known: Geometry,
        [width, height]: [usize; 2],
    ) -> Result<Geometry, String> {
        let mut ours = self.geometry;
        if let Some([w, h]) = self.size {
            let scale = [width as f64 / w as f64, height as f64 / h as f64];
            if (scale[0] / scale[1] - 1.0).abs() > ASPECT_SLACK {
                return Err(format!(
                    "expected images in proportion to the calibration's {w} x {h}, \
                     found {width} x {height}"
                ));
            }
            let scaled = |v: [f64; 2]| [v[0] * scale[0], v[1] * scale[1]];
            ours.focal = ours.focal.map(scaled);
            ours.principal_point = ours.principal_point.map(scaled);
        }
        Ok(Geometry {
            focal: known.focal.or(ours.focal),
            principal_point: known.principal_point.or(ours.principal_point),
            world_from_camera: known.world_from_camera.or(ours.world_from_camera),
        })
    }

    /// Where a camera on the hand was when the hand was there; any other stays where it is.
    ///
    /// # Errors
    /// What was expected and found, where nobody says where the hand was.
    pub fn carried(&self, known: Geometry, hand: Option<&Hand>) -> Result<Geometry, String> {
        let Some(hand_from_camera) = self.hand_from_camera else {
            return Ok(known);
        };
        if known.world_from_camera.is_some() {
            return Ok(known);
        }
        let hand = hand.ok_or(
            "expected where the hand was when a camera on it took its picture, found no state of the arm near its stamp",
        )?;
        let world_from_tool = hand.world_from_tool.isometry().to_homogeneous();
        let pose = world_from_tool * Matrix4::from_row_slice(&hand_from_camera);
        let mut rows = [0.0; 16];
        rows.copy_from_slice(pose.transpose().as_slice());
        Ok(Geometry {
            world_from_camera: Some(rows),
            ..known
        })
    }

    /// A stamp of the camera in the robot's clock, ns.
    pub fn robot_ns(&self, stamp_ns: u64) -> u64 {
        stamp_ns.saturating_add_signed(self.clock_offset_ns)
    }
}

/// The lines that say where something is.
struct PoseKeys {
    matrix: &'static str,
    position: &'static str,
    quaternion: &'static str,
}

const STANDING: PoseKeys = PoseKeys {
    matrix: "world_from_camera",
    position: "position_m",
    quaternion: "quaternion_wxyz",
};
const CARRIED: PoseKeys = PoseKeys {
    matrix: "hand_from_camera",
    position: "hand_position_m",
    quaternion: "hand_quaternion_wxyz",
};

/// One camera's lines; what is read is taken out.
struct Lines<'a> {
    camera: &'a str,
    table: &'a mut Table,
    problems: &'a mut Vec<String>,
}

impl Lines<'_> {
    fn camera(&mut self) -> CameraCalibration {
        let size = self.numbers::<2>("size", "2 whole numbers above 0", |v| {
            v.iter()
                .all(|n| *n >= 1.0 && *n <= 16384.0 && n.fract() == 0.0)
        });
        let above_0 = |v: &[f64]| v.iter().all(|n| *n > 0.0);
        let focal = self.numbers("focal", "2 numbers above 0, pixels", above_0);
        let principal_point = self.numbers("principal_point", "2 numbers, pixels", |_| true);
        let world_from_camera = self.pose(&STANDING);
        let hand_from_camera = self.pose(&CARRIED);
        if world_from_camera.is_some() && hand_from_camera.is_some() {
            let expected = "a place in the base frame or one on the hand";
            self.problem(CARRIED.matrix, expected, "both");
        }
        CameraCalibration {
            hand_from_camera,
            size: size.map(|v| v.map(|n| n as usize)),
            geometry: Geometry {
                focal,
                principal_point,
                world_from_camera,
            },
            clock_offset_ns: self.clock_offset_ns(),
        }
    }

    fn pose(&mut self, keys: &PoseKeys) -> Option<[f64; 16]> {
        let matrix = self.numbers::<16>(keys.matrix, "16 numbers, row by row", |_| true);
        let position = self.numbers::<3>(keys.position, "3 numbers, m", |_| true);
        let unit = |v: &[f64]| {
            (v.iter().map(|n| n * n).sum::<f64>().sqrt() - 1.0).abs() < QUATERNION_SLACK
        };
        let quaternion = self.numbers::<4>(keys.quaternion, "4 numbers of length 1", unit);
        match (matrix, position, quaternion) {
            (Some(pose), None, None) => {
                let whole = pose[12..] == [0.0, 0.0, 0.0, 1.0];
                let fault = (!whole).then(|| "another last row than 0 0 0 1".to_owned());
                if let Some(fault) = fault.or_else(|| rotation_fault(&pose)) {
                    self.problem(keys.matrix, "a rotation and a position", &fault);
                }
                Some(pose)
            }
            (None, Some(position), Some(quaternion)) => {
                let rotation = quaternion_to_rotation(quaternion);
                let mut pose = [0.0; 16];
                for row in 0..3 {
                    pose[4 * row..4 * row + 3].copy_from_slice(&rotation[row]);
                    pose[4 * row + 3] = position[row];
                }
                pose[15] = 1.0;
                Some(pose)
            }
            (None, None, None) => None,
            (Some(_), _, _) => {
                let (position, quaternion) = (keys.position, keys.quaternion);
                let expected = format!("either it, or `{position}` and `{quaternion}`");
                self.problem(keys.matrix, &expected, "both");
                None
            }
            (None, Some(_), None) => {
                let expected = format!("4 numbers beside `{}`", keys.position);
                self.problem(keys.quaternion, &expected, "none that is right");
                None
            }
            (None, None, Some(_)) => {
                let expected = format!("3 numbers beside `{}`", keys.quaternion);
                self.problem(keys.position, &expected, "none that is right");
                None
            }
        }
    }

    fn clock_offset_ns(&mut self) -> i64 {
        match self.table.remove("clock_offset_ns") {
            None => 0,
            Some(Value::Integer(ns)) => ns,
            Some(other) => {
                self.problem("clock_offset_ns", "a whole number, ns", kind(&other));
                0
            }
        }
    }

    /// So many finite numbers, in one row or several.
    fn numbers<const N: usize>(
        &mut self,
        key: &'static str,
        expected: &str,
        allowed: impl Fn(&[f64]) -> bool,
    ) -> Option<[f64; N]> {
        let value = self.table.remove(key)?;
        let mut numbers = Vec::new();
        flatten(&value, &mut numbers);
        let finite = numbers.iter().all(|n| n.is_finite());
        match <[f64; N]>::try_from(numbers.as_slice()) {
            Ok(found) if finite && allowed(&found) => Some(found),
            _ => {
                let found: String = value.to_string().chars().take(80).collect();
                self.problem(key, expected, &found);
                None
            }
        }
    }

    fn refuse_the_rest(&mut self) {
        let unknown: Vec<String> = self.table.keys().cloned().collect();
        for key in unknown {
            let expected = "`size`, `focal`, `principal_point`, `world_from_camera`, \
                            `position_m`, `quaternion_wxyz` or `clock_offset_ns`";
            self.problem(&key, expected, "a key that nothing reads");
        }
    }

    fn problem(&mut self, key: &str, expected: &str, found: &str) {
        let camera = self.camera;
        self.problems.push(format!(
            "`{camera}.{key}`: expected {expected}, found {found}"
        ));
    }
}

fn flatten(value: &Value, numbers: &mut Vec<f64>) {
    match value {
        Value::Integer(n) => numbers.push(*n as f64),
        Value::Float(n) => numbers.push(*n),
        Value::Array(items) => items.iter().for_each(|item| flatten(item, numbers)),
        _ => numbers.push(f64::NAN),
    }
}

fn kind(value: &Value) -> &'static str {
    value.type_str()
}

#[cfg(test)]
mod tests {
    use tiller_core::Pose;

    use super::*;

    const WHOLE: &str = "
        [static]
        size = [640, 480]
        focal = [600, 610.5]
        principal_point = [320, 240]
        position_m = [1.0, 0.0, 0.5]
        quaternion_wxyz = [0.0, 1.0, 0.0, 0.0]
        clock_offset_ns = -3_000_000
        [wrist]
        focal = [400.0, 400.0]
    ";

    fn known(focal: Option<[f64; 2]>) -> Geometry {
        Geometry {
            focal,
            ..Default::default()
        }
    }

    #[test]
    fn a_file_fills_what_a_camera_does_not_say() {
        let calibration = Calibration::parse(WHOLE).unwrap();
        let camera = calibration.camera(&["", "static"]).unwrap();
        let geometry = camera.complete(known(Some([7.0; 2])), [640, 480]).unwrap();
        assert_eq!(
            geometry.focal,
            Some([7.0; 2]),
            "what the camera says counts"
        );
        assert_eq!(geometry.principal_point, Some([320.0, 240.0]));
        // Half a turn about x: y and z are reversed.
        let pose = [
            1., 0., 0., 1., 0., -1., 0., 0., 0., 0., -1., 0.5, 0., 0., 0., 1.,
        ];
        assert_eq!(geometry.world_from_camera, Some(pose));
        assert_eq!(
            (camera.robot_ns(5_000_000), camera.robot_ns(1)),
            (2_000_000, 0)
        );
        assert!(calibration.camera(&["elsewhere"]).is_none());
    }

    #[test]
    fn intrinsics_follow_the_size_of_the_image() {
        let calibration = Calibration::parse(WHOLE).unwrap();
        let camera = calibration.camera(&["static"]).unwrap();
        let half = camera.complete(known(None), [320, 240]).unwrap();
        assert_eq!(half.focal, Some([300.0, 305.25]));
        assert_eq!(half.principal_point, Some([160.0, 120.0]));
        let error = camera.complete(known(None), [640, 640]).unwrap_err();
        assert!(error.contains("640 x 480, found 640 x 640"), "{error}");
        let wrist = calibration.camera(&["wrist"]).unwrap();
        assert_eq!(
            wrist.complete(known(None), [9, 9]).unwrap().focal,
            Some([400.0; 2])
        );
    }

    #[test]
    fn a_matrix_may_stand_in_rows() {
        let text = "[a]\nworld_from_camera = [[1,0,0,2],[0,1,0,3],[0,0,1,4],[0,0,0,1]]";
        let calibration = Calibration::parse(text).unwrap();
        let pose = calibration
            .camera(&["a"])
            .unwrap()
            .geometry
            .world_from_camera
            .unwrap();
        assert_eq!([pose[3], pose[7], pose[11]], [2.0, 3.0, 4.0]);
    }

    #[test]
    fn a_camera_on_the_hand_is_where_the_hand_was() {
        let text = "[wrist]\nhand_position_m = [0.1, 0, 0]\nhand_quaternion_wxyz = [1, 0, 0, 0]";
        let calibration = Calibration::parse(text).unwrap();
        let camera = calibration.camera(&["wrist"]).unwrap();
        // A quarter turn about z.
        let half = std::f64::consts::FRAC_1_SQRT_2;
        let hand = Hand {
            stamp_ns: 0,
            world_from_tool: Pose {
                position_m: [0.4, 0.0, 0.3],
                quaternion_wxyz: [half, 0.0, 0.0, half],
            },
            gripper_width_m: 0.0,
        };
        let carried = camera.carried(known(None), Some(&hand)).unwrap();
        let pose = carried.world_from_camera.unwrap();
        let wanted = [
            0., -1., 0., 0.4, 1., 0., 0., 0.1, 0., 0., 1., 0.3, 0., 0., 0., 1.,
        ];
        assert!(
            pose.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-12),
            "{pose:?}"
        );
        let error = camera.carried(known(None), None).unwrap_err();
        assert!(error.contains("state of the arm"), "{error}");
        let said = Geometry {
            world_from_camera: Some(wanted),
            ..Geometry::default()
        };
        assert_eq!(
            camera.carried(said, None).unwrap(),
            said,
            "what the camera says counts"
        );
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let text = "
            loose = 3
            [a]
            size = [640.5, 0]
            focal = [nan, 1]
            principal_point = [1, 2, 3]
            position_m = [0, 0, 0]
            quaternion_wxyz = [1, 1, 0, 0]
            clock_offset_ns = 0.5
            fov = 60
            [b]
            world_from_camera = [1,0,0,0, 0,2,0,0, 0,0,1,0, 0,0,0,1]
            [c]
            world_from_camera = [1,0,0,0, 0,1,0,0, 0,0,1,0, 0,0,0,1]
            position_m = [0, 0, 0]
            [d]
            quaternion_wxyz = [1, 0, 0, 0]
            [e]
            world_from_camera = [1,0,0,0, 0,1,0,0, 0,0,-1,0, 0,0,0,1]
            [f]
            hand_position_m = [0, 0, 0]
            [g]
            hand_from_camera = [1,0,0,0, 0,1,0,0, 0,0,1,0, 0,0,0,1]
            position_m = [0, 0, 0]
            quaternion_wxyz = [1, 0, 0, 0]
        ";
        let error = Calibration::parse(text).unwrap_err();
        let told = error.to_string();
        for key in [
            "`loose`",
            "`a.size`",
            "`a.focal`",
            "`a.principal_point`",
            "`a.quaternion_wxyz`",
            "`a.clock_offset_ns`",
            "`a.fov`",
            "`b.world_from_camera`",
            "`c.world_from_camera`",
            "`d.position_m`",
            "`e.world_from_camera`",
            "`f.hand_quaternion_wxyz`",
            "`g.hand_from_camera`",
        ] {
            assert!(told.contains(key), "{key} in {told}");
        }
    }

    #[test]
    fn what_is_no_toml_is_refused_with_its_place() {
        let error = Calibration::parse("[static\nfocal = 3")
            .unwrap_err()
            .to_string();
        assert!(error.contains("line 1"), "{error}");
        assert_eq!(Calibration::parse("").unwrap(), Calibration::default());
        assert!(Calibration::parse(&"#".repeat(MAX_FILE_BYTES + 1)).is_err());
    }
}
