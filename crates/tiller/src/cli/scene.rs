//! Where keypoints and hand are when a program is looked at.

use std::path::Path;

use eyre::{Result, WrapErr, bail, ensure};
use serde_json::Value;

use super::input::{list, object, point, points, read_json};
use tiller_bench::episode::SeededScene;
use tiller_bench::task_of;
use tiller_core::{MAX_NAME, visible};
use tiller_world::WorldKind;

/// The hand where nothing else is known, m: above the middle of the table.
const HAND_M: [f64; 3] = [0.45, 0.0, 0.25];
/// Keypoints where nothing else is known stand on a grid over this part of the table, m.
const GRID_FROM_M: [f64; 2] = [0.35, -0.3];
const GRID_TO_M: [f64; 2] = [0.65, 0.3];
const GRID_HEIGHT_M: f64 = 0.05;

/// Keypoints and hand, metres in the robot base frame.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scene {
    pub(super) keypoints: Vec<[f64; 3]>,
    /// One for each keypoint; may be empty.
    pub(super) names: Vec<String>,
    pub(super) end_effector_m: [f64; 3],
    /// Where the scene is from, in words.
    pub(super) origin: String,
}

impl Scene {
    /// `count` keypoints, row by row on a regular grid.
    pub(super) fn grid(count: usize) -> Self {
        let rows = ((count as f64 / 2.0).sqrt().ceil() as usize).max(1);
        let columns = count.div_ceil(rows).max(1);
        let place = |axis: usize, index: usize, of: usize| {
            let share = (index as f64 + 0.5) / of as f64;
            GRID_FROM_M[axis] + share * (GRID_TO_M[axis] - GRID_FROM_M[axis])
        };
        let keypoint = |index: usize| {
            let (row, column) = (index / columns, index % columns);
            [
                place(0, row, rows),
                place(1, column, columns),
                GRID_HEIGHT_M,
            ]
        };
        Self {
            keypoints: (0..count).map(keypoint).collect(),
            names: vec![String::new(); count],
            end_effector_m: HAND_M,
            origin: "on a made-up grid (give --seed or --scene for a real scene)".to_owned(),
        }
    }

    /// A world's scene of a seed, seen through its first camera.
    pub(super) fn seeded(kind: &dyn WorldKind, seed: u64, task: Option<&str>) -> Result<Self> {
        if let Some(id) = task {
            task_of(kind, id)?;
        }
        let seen = SeededScene::look(kind, seed, task)?;
        let purpose = task.map_or(String::new(), |task| format!(" for {task}"));
        Ok(Self {
            keypoints: seen
                .keypoints
                .iter()
                .map(|point| point.position_m)
                .collect(),
            names: seen.keypoints.into_iter().map(|point| point.name).collect(),
            end_effector_m: seen.end_effector_m,
            origin: format!("as seen in {} of seed {seed}{purpose}", kind.info().name),
        })
    }

    /// A scene that a person or another program wrote down.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let value = read_json(path)?;
        Self::from_json(&value, path)
            .wrap_err_with(|| format!("{} does not hold a scene", path.display()))
    }

    fn from_json(value: &Value, path: &Path) -> Result<Self> {
        let members = object(value, &["keypoints", "names", "end_effector"])?;
        let keypoints = points(members.get("keypoints"), "keypoints")?;
        let names = match members.get("names") {
            None => vec![String::new(); keypoints.len()],
            Some(names) => strings(names)?,
        };
        ensure!(
            names.len() == keypoints.len(),
            "`names`: expected one for each of the {} keypoints, found {}",
            keypoints.len(),
            names.len()
        );
        let end_effector_m = match members.get("end_effector") {
            None => HAND_M,
            Some(value) => point(value, || "end_effector".to_owned())?,
        };
        Ok(Self {
            keypoints,
            names,
            end_effector_m,
            origin: format!("from {}", path.display()),
        })
    }

    /// A keypoint as text names it, with everything in the name visible: `3 (door handle)`.
    pub(super) fn name(&self, keypoint: usize) -> String {
        match self.names.get(keypoint).filter(|name| !name.is_empty()) {
            Some(name) => format!("{keypoint} ({})", visible(name)),
            None => keypoint.to_string(),
        }
    }
}

fn strings(value: &Value) -> Result<Vec<String>> {
    let items = list(Some(value), "names")?.iter().enumerate();
    items
        .map(|(index, item)| match item {
            Value::String(name) => {
                let length = name.chars().count();
                ensure!(
                    length <= MAX_NAME,
                    "`names[{index}]`: expected at most {MAX_NAME} characters, found {length}"
                );
                Ok(name.clone())
            }
            _ => bail!("`names[{index}]`: expected a string"),
        })
        .collect()
}
