//! The calibration file, see `tiller_grounding`'s `Calibration` for who reads it.

use std::path::Path;

use tiller_core::file::{FileError, read_regular_text, write_whole};
use toml::{Table, Value};

use crate::solution::Solution;
use crate::view::Mount;

/// Largest file that is read, bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// What a calibration of place and lens says nothing of.
const KEPT_KEYS: [&str; 1] = ["clock_offset_ns"];

/// Why no calibration file was written.
#[derive(Debug, thiserror::Error)]
pub enum CameraFileError {
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file that is there is something else; it stays as it is.
    #[error("{path}: expected a calibration file of tables or none, found {found}")]
    NotACalibration {
        /// The file.
        path: String,
        /// What is wrong with it.
        found: String,
    },
    /// A name that no table can have.
    #[error("expected a camera's name of 1 to 100 letters, digits, `_` and `-`, found `{found}`")]
    Name {
        /// The name.
        found: String,
    },
    /// The tables cannot be spelled.
    #[error("cannot spell the calibration: {0}")]
    Spelling(#[from] toml::ser::Error),
}

/// Writes the table `[camera]` of a calibration file, whole or not at all. Tables of other cameras stay, and so
/// does this camera's `clock_offset_ns`; comments are lost. The table has `size`, `focal` and
/// `principal_point`, and where the camera is: `position_m` and `quaternion_wxyz` in the base frame, or
/// `hand_position_m` and `hand_quaternion_wxyz` in the tool's frame for a camera on the hand.
///
/// # Errors
/// [`CameraFileError`]; what is there and no calibration file is not touched.
pub fn write_camera(path: &Path, camera: &str, solution: &Solution) -> Result<(), CameraFileError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if camera.is_empty() || camera.len() > 100 || !camera.chars().all(plain) {
        return Err(CameraFileError::Name {
            found: camera.to_owned(),
        });
    }
    let refused = |found: String| CameraFileError::NotACalibration {
        path: path.display().to_string(),
        found,
    };
    let mut tables: Table = match read_regular_text(path, MAX_FILE_BYTES) {
        Ok(text) => text
            .parse()
            .map_err(|e: toml::de::Error| refused(e.to_string()))?,
        Err(error) if error.is_not_found() => Table::new(),
        Err(error) => return Err(error.into()),
    };
    let mut table = table(solution);
    match tables.get(camera) {
        None => {}
        Some(Value::Table(before)) => {
            let kept = KEPT_KEYS
                .iter()
                .filter_map(|key| before.get_key_value(*key));
            table.extend(kept.map(|(key, value)| (key.clone(), value.clone())));
        }
        Some(other) => {
            let kind = other.type_str();
            return Err(refused(format!("`{camera}` as a value of type {kind}")));
        }
    }
    tables.insert(camera.to_owned(), Value::Table(table));
    let text = toml::to_string(&tables)?;
    Ok(write_whole(path, text.as_bytes())?)
}

fn table(solution: &Solution) -> Table {
    let [position, quaternion] = match solution.mount {
        Mount::Base => ["position_m", "quaternion_wxyz"],
        Mount::Hand => ["hand_position_m", "hand_quaternion_wxyz"],
    };
    let size = solution.size.map(|side| Value::Integer(side.into()));
    Table::from_iter([
        ("size".to_owned(), Value::Array(size.to_vec())),
        ("focal".to_owned(), numbers(&solution.lens.focal, 3)),
        (
            "principal_point".to_owned(),
            numbers(&solution.lens.principal_point, 3),
        ),
        (position.to_owned(), numbers(&solution.camera.position_m, 6)),
        (
            quaternion.to_owned(),
            numbers(&solution.camera.quaternion_wxyz, 9),
        ),
    ])
}

/// Numbers with so many digits behind the point: more is noise.
fn numbers(values: &[f64], digits: i32) -> Value {
    let unit = 10f64.powi(digits);
    let round = |value: &f64| Value::Float((value * unit).round() / unit);
    Value::Array(values.iter().map(round).collect())
}
