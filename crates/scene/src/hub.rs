//! What nodes of dora's hub send to be shown: data whose metadata says in `primitive` what it is.
//!
//! | primitive | data | metadata |
//! |---|---|---|
//! | `depth` | floats, m, row-major | `width`, `height`; for its place `focal`, `camera_position`, `camera_orientation` (x, y, z, w), `principal_point` |
//! | `points3d` | floats, x y z each, m | `color` (red, green, blue), `radii` (the first is taken) |
//! | `points2d` | floats, x y each, pixels | `color` |
//! | `lines3d` | floats, x y z each, m: the corners of one line | `color`, `radius` |
//! | `boxes2d` | floats, four each, pixels | `format`: `xyxy` (default) or `xywh` (middle and size) |
//! | `series` | floats, one of each curve | |
//! | `text` | texts, one a line | |
//! | `jointstate` | floats, 7 joints of a Franka, rad, and the hand's opening, m, if there is an eighth | |
//! | `pose` | floats: x, y, z, m, and a quaternion x, y, z, w | |
//! | `masks` | floats, bytes or booleans, one or more masks after each other | `width`, `height`, else those of the picture before |
//!
//! `image` is read as any camera's ([`tiller_messages::ImageHeader`]). Without `primitive` the input's name
//! says what it is, as in the hub's own node.

use arrow::array::{Array, AsArray, BooleanArray};
use arrow::datatypes::{
    DataType, Float32Type, Float64Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type,
};
use tiller_core::{JOINTS, Pose, visible_line};
use tiller_messages::{ArmState, HeaderValue, MAX_PIXELS};

use crate::{Camera, Colour, Gravity, What, arm};

/// Values of an input at most: one picture of the largest size.
const MOST: usize = MAX_PIXELS;

/// Characters of a text.
const LINE: usize = 2_000;

/// All that are known; where one's name contains another's, the longer comes first.
const PRIMITIVES: [&str; 11] = [
    "image",
    "depth",
    "points3d",
    "points2d",
    "lines3d",
    "boxes2d",
    "series",
    "text",
    "jointstate",
    "pose",
    "masks",
];

/// Why an input cannot be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HubError {
    /// Nobody knows what it is.
    #[error("`primitive`: expected one of {expected}, or an input with such a name, found {found}")]
    Primitive {
        /// Those that are known.
        expected: String,
        /// What the metadata, or the name, says.
        found: String,
    },
    /// The data is of another type or size.
    #[error("`{primitive}`: expected {expected}, found {found}")]
    Data {
        /// What it is to be.
        primitive: &'static str,
        /// What that takes.
        expected: String,
        /// What came.
        found: String,
    },
}

/// Metadata by key.
pub type Lookup<'m> = &'m dyn Fn(&str) -> Option<HeaderValue>;

/// What an input is: what its metadata says, else what its name contains.
///
/// # Errors
/// When that is nothing known.
pub fn primitive(input: &str, metadata: Lookup<'_>) -> Result<&'static str, HubError> {
    let refused = |found: &str| HubError::Primitive {
        expected: PRIMITIVES.join(", "),
        found: format!("`{}`", visible_line(found, 60)),
    };
    match metadata("primitive") {
        Some(HeaderValue::Text(said)) => {
            let found = PRIMITIVES.into_iter().find(|known| *known == said);
            found.ok_or_else(|| refused(&said))
        }
        _ => {
            let found = PRIMITIVES.into_iter().find(|known| input.contains(known));
            found.ok_or_else(|| refused(input))
        }
    }
}

/// Everything but pictures, as things at paths below that of the input. `picture_size` is that of the newest
/// picture, for masks that do not say their own.
///
/// # Errors
/// When the data or its size does not fit.
pub fn read(
    primitive: &'static str,
    array: &dyn Array,
    metadata: Lookup<'_>,
    picture_size: Option<[u32; 2]>,
) -> Result<Vec<(String, What)>, HubError> {
    let input = Input {
        primitive,
        array,
        metadata,
    };
    let here = |what| Ok(vec![(String::new(), what)]);
    match primitive {
        "depth" => input.depth(),
        "points3d" => here(What::Points3 {
            at: input.groups::<3>()?,
            colours: vec![input.colour([128; 3])],
            radius_m: input.number("radii").unwrap_or(0.01) as f32,
            names: Vec::new(),
        }),
        "points2d" => {
            let at = input.groups::<2>()?;
            here(What::Points2 {
                colours: vec![input.colour([80, 230, 120]); at.len()],
                at,
                names: Vec::new(),
            })
        }
        "lines3d" => here(What::Lines3 {
            strips: vec![input.groups::<3>()?],
            colours: vec![input.colour([0, 255, 0])],
            radius_m: input.number("radius").unwrap_or(0.01) as f32,
        }),
        "boxes2d" => here(What::Boxes2 {
            at: input.boxes()?,
            names: Vec::new(),
        }),
        "series" => here(What::Series(input.numbers()?)),
        "text" => input.texts(),
        "jointstate" => input.joints(),
        "pose" => {
            let values = input.exactly::<7>()?;
            let [x, y, z, qx, qy, qz, qw] = values;
            here(What::Axes(Pose {
                position_m: [x, y, z],
                quaternion_wxyz: [qw, qx, qy, qz],
            }))
        }
        "masks" => here(input.masks(picture_size)?),
        other => Err(HubError::Primitive {
            expected: PRIMITIVES.join(", "),
            found: format!("`{other}`"),
        }),
    }
}

struct Input<'a> {
    primitive: &'static str,
    array: &'a dyn Array,
    metadata: Lookup<'a>,
}

impl Input<'_> {
    fn refused(&self, expected: impl Into<String>, found: impl Into<String>) -> HubError {
        HubError::Data {
            primitive: self.primitive,
            expected: expected.into(),
            found: found.into(),
        }
    }

    /// Numbers of whatever width.
    fn numbers(&self) -> Result<Vec<f64>, HubError> {
        let array = self.array;
        if array.len() > MOST || array.null_count() > 0 {
            let found = format!("{} with {} nulls", array.len(), array.null_count());
            return Err(self.refused(format!("at most {MOST} values, none of them null"), found));
        }
        macro_rules! of {
            ($kind:ty) => {
                array
                    .as_primitive::<$kind>()
                    .values()
                    .iter()
                    .map(|value| *value as f64)
                    .collect()
            };
        }
        Ok(match array.data_type() {
            DataType::Float32 => of!(Float32Type),
            DataType::Float64 => of!(Float64Type),
            DataType::UInt8 => of!(UInt8Type),
            DataType::UInt16 => of!(UInt16Type),
            DataType::UInt32 => of!(UInt32Type),
            DataType::Int32 => of!(Int32Type),
            DataType::Int64 => of!(Int64Type),
            other => return Err(self.refused("numbers", other.to_string())),
        })
    }

    fn exactly<const N: usize>(&self) -> Result<[f64; N], HubError> {
        let values = self.numbers()?;
        let found = values.len().to_string();
        values
            .try_into()
            .map_err(|_| self.refused(format!("{N} numbers"), found))
    }

    /// As many numbers each.
    fn groups<const N: usize>(&self) -> Result<Vec<[f32; N]>, HubError> {
        let values = self.numbers()?;
        let (groups, rest) = values.as_chunks::<N>();
        if !rest.is_empty() {
            let found = values.len().to_string();
            return Err(self.refused(format!("groups of {N} numbers"), found));
        }
        Ok(groups.iter().map(|group| group.map(|x| x as f32)).collect())
    }

    fn number(&self, key: &str) -> Option<f64> {
        match (self.metadata)(key)? {
            HeaderValue::Integer(n) => Some(n as f64),
            HeaderValue::Number(n) => Some(n),
            HeaderValue::Numbers(all) => all.first().copied(),
            _ => None,
        }
    }

    fn list<const N: usize>(&self, key: &str) -> Option<[f64; N]> {
        match (self.metadata)(key)? {
            HeaderValue::Numbers(all) => all.get(..N)?.try_into().ok(),
            _ => None,
        }
    }

    fn colour(&self, default: [u8; 3]) -> Colour {
        let said = self.list::<3>("color");
        let [r, g, b] = said.map_or(default, |rgb| rgb.map(|x| x.clamp(0.0, 255.0) as u8));
        [r, g, b, 255]
    }

    /// Width and height in the metadata.
    fn size(&self) -> Option<[u32; 2]> {
        let side = |key| {
            let side = self.number(key)?;
            (1.0..=MOST as f64).contains(&side).then_some(side as u32)
        };
        Some([side("width")?, side("height")?])
    }

    fn depth(&self) -> Result<Vec<(String, What)>, HubError> {
        let metres: Vec<f32> = self.numbers()?.into_iter().map(|m| m as f32).collect();
        let Some(size) = self.size() else {
            return Err(self.refused("`width` and `height` in the metadata", "none"));
        };
        let [width, height] = size;
        if metres.len() as u64 != u64::from(width) * u64::from(height) {
            let found = metres.len().to_string();
            return Err(self.refused(format!("{width} x {height} values"), found));
        }
        let depth = What::Depth {
            width,
            height,
            metres,
        };
        let place = || {
            let [x, y, z, w] = self.list::<4>("camera_orientation")?;
            Some(Camera {
                size,
                focal: self.list::<2>("focal")?,
                principal: self
                    .list::<2>("principal_point")
                    .unwrap_or(size.map(|side| f64::from(side) / 2.0)),
                world_from_camera: Pose {
                    position_m: self.list::<3>("camera_position")?,
                    quaternion_wxyz: [w, x, y, z],
                },
            })
        };
        Ok(match place() {
            Some(camera) => vec![
                (String::new(), What::Camera(camera)),
                ("/raw".to_owned(), depth),
            ],
            None => vec![(String::new(), depth)],
        })
    }

    /// `[x, y, width, height]` with the upper left corner.
    fn boxes(&self) -> Result<Vec<[f32; 4]>, HubError> {
        let said = match (self.metadata)("format") {
            Some(HeaderValue::Text(format)) => format,
            _ => "xyxy".to_owned(),
        };
        let to_corner: fn([f32; 4]) -> [f32; 4] = match said.as_str() {
            "xyxy" => |[x0, y0, x1, y1]| [x0, y0, x1 - x0, y1 - y0],
            "xywh" => |[x, y, w, h]| [x - w / 2.0, y - h / 2.0, w, h],
            other => {
                let found = format!("`{}`", visible_line(other, 20));
                return Err(self.refused("`format` to be `xyxy` or `xywh`", found));
            }
        };
        Ok(self.groups::<4>()?.into_iter().map(to_corner).collect())
    }

    fn texts(&self) -> Result<Vec<(String, What)>, HubError> {
        let texts: Vec<Option<&str>> = match self.array.data_type() {
            DataType::Utf8 => self.array.as_string::<i32>().iter().collect(),
            DataType::LargeUtf8 => self.array.as_string::<i64>().iter().collect(),
            other => return Err(self.refused("texts", other.to_string())),
        };
        let line = |text: &str| What::Line {
            gravity: Gravity::Info,
            text: visible_line(text, LINE),
        };
        let lines = texts.into_iter().flatten().map(line);
        Ok(lines.map(|line| (String::new(), line)).collect())
    }

    fn joints(&self) -> Result<Vec<(String, What)>, HubError> {
        let values = self.numbers()?;
        let Some(joints) = values.first_chunk::<JOINTS>() else {
            let found = values.len().to_string();
            return Err(self.refused(format!("{JOINTS} joints or more"), found));
        };
        let state = ArmState {
            q_rad: *joints,
            tcp: tiller_core::kinematics::forward(joints),
            gripper_width_m: values.get(JOINTS).copied().unwrap_or(0.0),
            ..Default::default()
        };
        let below = |path: &str| path.replace("world/arm", "");
        let parts = arm::parts(&state).into_iter();
        Ok(parts.map(|(path, what)| (below(path), what)).collect())
    }

    /// One number a pixel: 0 for none, else that of the last mask that has it, from 1.
    fn masks(&self, picture_size: Option<[u32; 2]>) -> Result<What, HubError> {
        let is_set: Vec<bool> = match self.array.as_any().downcast_ref::<BooleanArray>() {
            Some(set) if set.len() <= MOST => set.iter().map(|set| set == Some(true)).collect(),
            Some(set) => {
                return Err(self.refused(format!("at most {MOST} values"), set.len().to_string()));
            }
            None => self
                .numbers()?
                .into_iter()
                .map(|value| value > 0.0)
                .collect(),
        };
        let Some([width, height]) = self.size().or(picture_size) else {
            return Err(self.refused("`width` and `height`, or a picture before", "neither"));
        };
        let pixels = width as usize * height as usize;
        if pixels == 0 || !is_set.len().is_multiple_of(pixels) {
            let found = is_set.len().to_string();
            return Err(self.refused(format!("masks of {width} x {height} values"), found));
        }
        let mut ids = vec![0; pixels];
        for (mask, id) in is_set.chunks_exact(pixels).zip(1_u8..) {
            let here = ids.iter_mut().zip(mask).filter(|(_, is_set)| **is_set);
            here.for_each(|(pixel, _)| *pixel = id);
        }
        Ok(What::Labels {
            width,
            height,
            ids,
            names: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Float32Array, Float64Array, StringArray, UInt8Array};
    use proptest::prelude::*;

    use super::*;

    fn none(_: &str) -> Option<HeaderValue> {
        None
    }

    fn one(primitive: &'static str, array: &dyn Array, metadata: Lookup<'_>) -> What {
        let mut all = read(primitive, array, metadata, None).unwrap();
        assert_eq!(all.len(), 1);
        all.remove(0).1
    }

    #[test]
    fn the_metadata_says_what_it_is_and_else_the_name() {
        let said = |key: &str| (key == "primitive").then(|| HeaderValue::Text("series".into()));
        assert_eq!(primitive("image_of_x", &said), Ok("series"));
        assert_eq!(primitive("my_points3d", &none), Ok("points3d"));
        let wrong = |_: &str| Some(HeaderValue::Text("hologram".into()));
        let refused = primitive("image", &wrong).unwrap_err().to_string();
        assert!(refused.ends_with("found `hologram`"), "{refused}");
        assert!(primitive("whatever", &none).is_err());
    }

    #[test]
    fn points_and_lines_have_the_colours_that_are_asked_for() {
        let red = |key: &str| match key {
            "color" => Some(HeaderValue::Numbers(vec![255.0, 0.0, 900.0])),
            "radius" => Some(HeaderValue::Number(0.5)),
            "radii" => Some(HeaderValue::Numbers(vec![0.25, 0.5])),
            _ => None,
        };
        let six = Float32Array::from_iter_values([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let What::Points3 {
            at,
            colours,
            radius_m,
            ..
        } = one("points3d", &six, &red)
        else {
            panic!("points");
        };
        assert_eq!(at, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        assert_eq!((colours, radius_m), (vec![[255, 0, 255, 255]], 0.25));
        let What::Lines3 {
            strips, radius_m, ..
        } = one("lines3d", &six, &red)
        else {
            panic!("lines");
        };
        assert_eq!((strips.len(), strips[0].len(), radius_m), (1, 2, 0.5));
        let four = Float64Array::from_iter_values([1.0, 2.0, 3.0, 4.0]);
        let refused = read("points3d", &four, &none, None).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "`points3d`: expected groups of 3 numbers, found 4"
        );
    }

    #[test]
    fn boxes_are_read_in_both_forms() {
        let array = Float32Array::from_iter_values([10.0, 20.0, 30.0, 60.0]);
        let format = |word: &'static str| {
            move |key: &str| (key == "format").then(|| HeaderValue::Text(word.into()))
        };
        let of = |word| match one("boxes2d", &array, &format(word)) {
            What::Boxes2 { at, .. } => at[0],
            other => panic!("{other:?}"),
        };
        assert_eq!(of("xyxy"), [10.0, 20.0, 20.0, 40.0]);
        assert_eq!(of("xywh"), [-5.0, -10.0, 30.0, 60.0]);
        assert!(read("boxes2d", &array, &format("polar"), None).is_err());
    }

    #[test]
    fn depth_stands_where_its_camera_does() {
        let sized = |key: &str| match key {
            "width" => Some(HeaderValue::Integer(2)),
            "height" => Some(HeaderValue::Integer(1)),
            _ => None,
        };
        let array = Float32Array::from_iter_values([0.5, 1.5]);
        assert!(matches!(one("depth", &array, &sized), What::Depth { .. }));
        let placed = |key: &str| match key {
            "focal" => Some(HeaderValue::Numbers(vec![9.0, 9.0])),
            "camera_position" => Some(HeaderValue::Numbers(vec![1.0, 2.0, 3.0])),
            "camera_orientation" => Some(HeaderValue::Numbers(vec![0.0, 0.0, 1.0, 0.0])),
            key => sized(key),
        };
        let all = read("depth", &array, &placed, None).unwrap();
        let What::Camera(camera) = &all[0].1 else {
            panic!("a camera");
        };
        assert_eq!(
            camera.world_from_camera.quaternion_wxyz,
            [0.0, 0.0, 0.0, 1.0]
        );
        assert_eq!(camera.principal, [1.0, 0.5]);
        assert_eq!(all[1].0, "/raw");
        assert!(read("depth", &array, &none, None).is_err());
    }

    #[test]
    fn masks_are_numbered_and_sized_by_the_picture() {
        let array = BooleanArray::from(vec![true, false, false, true, true, false]);
        let all = read("masks", &array, &none, Some([3, 1])).unwrap();
        let What::Labels { ids, .. } = &all[0].1 else {
            panic!("labels");
        };
        assert_eq!(ids.as_slice(), [2, 2, 0]);
        assert!(read("masks", &array, &none, Some([4, 1])).is_err());
        assert!(read("masks", &array, &none, None).is_err());
        let bytes = UInt8Array::from(vec![0, 255, 0]);
        let all = read("masks", &bytes, &none, Some([3, 1])).unwrap();
        assert!(matches!(&all[0].1, What::Labels { ids, .. } if ids == &[0, 1, 0]));
    }

    #[test]
    fn texts_series_joints_and_poses() {
        let texts = StringArray::from(vec![Some("a\u{1b}[2J"), None, Some("b")]);
        let lines = read("text", &texts, &none, None).unwrap();
        assert_eq!(lines.len(), 2);
        assert!(matches!(&lines[0].1, What::Line { text, .. } if !text.contains('\u{1b}')));
        let eight = Float32Array::from_iter_values((0..8).map(|k| k as f32 * 0.01));
        assert_eq!(read("jointstate", &eight, &none, None).unwrap().len(), 4);
        assert!(read("pose", &eight, &none, None).is_err());
        assert!(matches!(one("series", &eight, &none), What::Series(all) if all.len() == 8));
        assert!(read("series", &texts, &none, None).is_err());
    }

    proptest! {
        /// Whatever the numbers, nothing breaks.
        #[test]
        fn any_numbers_are_shown_or_refused(
            values in prop::collection::vec(any::<f32>(), 0..40),
            kind in 0..PRIMITIVES.len(),
            width in any::<i64>(),
        ) {
            let array = Float32Array::from(values);
            let metadata = move |_: &str| Some(HeaderValue::Integer(width));
            let _ = read(PRIMITIVES[kind], &array, &metadata, Some([2, 2]));
            let _ = read(PRIMITIVES[kind], &array, &none, None);
        }
    }
}
