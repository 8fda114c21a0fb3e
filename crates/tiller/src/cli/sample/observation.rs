//! The observation file: what a policy saw, as a person or a program wrote it down.

use std::path::{Path, PathBuf};

use eyre::{Result, WrapErr, bail, ensure};
use image::RgbImage;
use serde_json::{Map, Value};
use tiller_core::file::read_regular;
use tiller_core::shown;
use tiller_grounding::Pinhole;

use crate::cli::input::{finite, kind, list, numbers, object, point, read_json};
use crate::sample::Shown;

/// The camera whose image trajectories are drawn on.
const CAMERA: &str = "static";
/// Bytes of an image's file.
const MAX_IMAGE_BYTES: u64 = 64 << 20;

/// What an observation file holds.
#[derive(Clone, Debug)]
pub(super) struct ObservationFile {
    /// Oldest first; the last is now.
    pub(super) history: Vec<Shown>,
    pub(super) anchor_m: [f64; 3],
    pub(super) end_effector_m: [f64; 3],
    /// The newest view of the static camera, if its geometry is known.
    pub(super) view: Option<View>,
}

/// An image and where points of the world lie on it.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) image: RgbImage,
    pub(super) camera: Pinhole,
    /// Pixels of `image` for one of the camera's.
    pub(super) scale: f64,
}

impl ObservationFile {
    /// Reads a file: one observation, or a list of them with the oldest first.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let value = read_json(path)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        Self::from_json(&value, folder)
            .wrap_err_with(|| format!("{} does not hold an observation", path.display()))
    }

    fn from_json(value: &Value, folder: &Path) -> Result<Self> {
        let Value::Array(items) = value else {
            return Self::moment(value, "", folder);
        };
        let mut history = Vec::new();
        let mut newest = None;
        for (index, item) in items.iter().enumerate() {
            let mut moment = Self::moment(item, &format!("[{index}]."), folder)?;
            history.append(&mut moment.history);
            newest = Some(moment);
        }
        match newest {
            Some(newest) => Ok(Self { history, ..newest }),
            None => bail!("the list is empty: expected at least one observation, the newest last"),
        }
    }

    /// One observation; `at` precedes the keys in messages.
    fn moment(value: &Value, at: &str, folder: &Path) -> Result<Self> {
        let known = [
            "images",
            "state",
            "environment",
            "anchor",
            "end_effector",
            "cameras",
        ];
        let members = object(value, &known)?;
        let images = images(members.get("images"), &format!("{at}images"), folder)?;
        let state = numbers_of(members.get("state"), &format!("{at}state"))?;
        let environment = match members.get("environment") {
            Some(value) => numbers_of(Some(value), &format!("{at}environment"))?,
            None => Vec::new(),
        };
        let position = |key: &str| {
            let place = || format!("{at}{key}");
            members
                .get(key)
                .map(|value| point(value, place))
                .transpose()
        };
        let end_effector_m = match (position("end_effector")?, state.as_slice()) {
            (Some(given), _) => given,
            (None, &[x, y, z, _]) => [x, y, z],
            (None, other) => bail!(
                "`{at}end_effector` is missing: it can only be left out when `{at}state` is \
                 [x, y, z, gripper width], found {} numbers",
                other.len()
            ),
        };
        let view = view(
            members.get("cameras"),
            &format!("{at}cameras"),
            &images,
            folder,
        )?;
        Ok(Self {
            anchor_m: position("anchor")?.unwrap_or(end_effector_m),
            end_effector_m,
            view,
            history: vec![Shown {
                images,
                state: single(&state),
                environment: single(&environment),
            }],
        })
    }
}

fn numbers_of(value: Option<&Value>, at: &str) -> Result<Vec<f64>> {
    let items = list(value, at)?.iter().enumerate();
    items
        .map(|(index, item)| finite(item, || format!("{at}[{index}]")))
        .collect()
}

fn single(numbers: &[f64]) -> Vec<f32> {
    numbers.iter().map(|number| *number as f32).collect()
}

fn images(value: Option<&Value>, at: &str, folder: &Path) -> Result<Vec<(String, RgbImage)>> {
    let files = match value {
        Some(Value::Object(files)) => files,
        Some(other) => bail!(
            "`{at}`: expected an object of camera names and image files, found {}",
            kind(other)
        ),
        None => bail!("`{at}` is missing: expected {{\"static\": \"static.png\", ..}}"),
    };
    let read = |(name, file): (&String, &Value)| {
        Ok((
            name.clone(),
            read_image(file, &format!("{at}.{name}"), folder)?,
        ))
    };
    files.iter().map(read).collect()
}

fn read_image(file: &Value, at: &str, folder: &Path) -> Result<RgbImage> {
    let Value::String(file) = file else {
        bail!(
            "`{at}`: expected the name of an image file, found {}",
            kind(file)
        );
    };
    let path: PathBuf = folder.join(file);
    let cannot = || {
        let path = shown(&path.to_string_lossy());
        format!("`{at}`: cannot read the image {path}")
    };
    let bytes = read_regular(&path, MAX_IMAGE_BYTES).wrap_err_with(cannot)?;
    let image = image::load_from_memory(&bytes).wrap_err_with(cannot)?;
    Ok(image.to_rgb8())
}

fn view(
    value: Option<&Value>,
    at: &str,
    images: &[(String, RgbImage)],
    folder: &Path,
) -> Result<Option<View>> {
    let cameras = match value {
        Some(Value::Object(cameras)) => cameras,
        Some(other) => bail!(
            "`{at}`: expected an object of cameras, found {}",
            kind(other)
        ),
        None => return Ok(None),
    };
    for name in cameras.keys() {
        ensure!(
            images.iter().any(|(image, _)| image == name),
            "`{at}.{name}`: there is no image of that camera in `images`"
        );
    }
    let Some(camera) = cameras.get(CAMERA) else {
        return Ok(None);
    };
    let at = format!("{at}.{CAMERA}");
    let keys = ["focal", "resolution", "world_from_camera", "picture"];
    let members: &Map<String, Value> =
        object(camera, &keys).wrap_err_with(|| format!("`{at}` is no camera"))?;
    let get = |key: &str| (members.get(key), format!("{at}.{key}"));
    let (value, path) = get("focal");
    let focal = numbers(value, &path, "[fx, fy] in pixels")?;
    let (value, path) = get("resolution");
    let centre = numbers(value, &path, "[cx, cy] in pixels")?;
    let (value, path) = get("world_from_camera");
    let pose = numbers(value, &path, "16 numbers, row by row")?;
    let camera =
        Pinhole::new(focal, centre, pose).wrap_err_with(|| format!("`{at}` is no camera"))?;
    let (value, path) = get("picture");
    let own = images.iter().find(|(name, _)| name == CAMERA);
    let Some((_, own)) = own else {
        return Ok(None);
    };
    let image = match value {
        Some(file) => read_image(file, &path, folder)?,
        None => own.clone(),
    };
    let [[w, h], [large_w, large_h]] =
        [own, &image].map(|image| [image.width(), image.height()].map(u64::from));
    ensure!(
        w * large_h == h * large_w,
        "`{path}`: expected the same shape as the camera's image of {w} x {h} pixels, found \
         {large_w} x {large_h}"
    );
    let scale = large_w as f64 / w as f64;
    Ok(Some(View {
        image,
        camera,
        scale,
    }))
}
