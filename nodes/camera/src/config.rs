//! Settings.

use tiller_core::Problems;
use tiller_node_kit::Environment;

use crate::health::Limits;
use crate::sources::{Kind, Options};

/// Most cameras of a node.
const MAX_CAMERAS: usize = 8;
/// In the place of the main camera: its pictures come from another node.
const NONE: &str = "none";
/// Within so many periods of a recording nothing is late or frozen.
const PERIODS: f64 = 2.5;

/// Settings of the node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    /// The cameras; none where other nodes send all pictures.
    pub(crate) cameras: Vec<Camera>,
    /// How their sources are read.
    pub(crate) options: Options,
    /// When a camera is not well.
    pub(crate) limits: Limits,
}

/// A camera and where its frames come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Camera {
    /// Its name, as in the calibration.
    pub(crate) name: String,
    /// Whether its pictures go out on `image` and `depth`; else on a port of its own.
    pub(crate) is_main: bool,
    /// Where its frames come from.
    pub(crate) kind: Kind,
}

impl Settings {
    /// Reads and checks everything; folders, videos and programs must be there.
    pub(crate) fn read(mut env: Environment) -> Result<Self, Problems> {
        let size = env.optional("SIZE");
        let options = Options {
            rate_hz: env.number("RATE_HZ", 10.0, 0.1..=120.0),
            size: size.as_deref().and_then(parse_size),
            repeats: env.choice("AT_END", "repeat", &[("repeat", true), ("end", false)]),
            ffmpeg: env.path("FFMPEG", "ffmpeg"),
        };
        if size.is_some() && options.size.is_none() {
            let expected = "width and height from 16 to 8192 pixels, such as `640x480`";
            env.refuse("SIZE", expected, size);
        }
        let mut milliseconds =
            |name, default| env.number(name, default, 10..=600_000_u64) * 1_000_000;
        // A recording that is slow on purpose is in time.
        let slow_ns = (PERIODS / options.rate_hz * 1e9) as u64;
        let limits = Limits {
            frozen_ns: milliseconds("FROZEN_MS", 1000).max(slow_ns),
            late_ns: milliseconds("LATE_MS", 500).max(slow_ns),
            black_level: env.number("BLACK_LEVEL", 6.0, 0.0..=255.0),
        };
        let cameras = cameras(&mut env, &options);
        env.finish(Self {
            cameras,
            options,
            limits,
        })
    }
}

/// The cameras of `NAME=KIND:PLACE, ..`. The first one is the main one; `none` leaves its place to another node.
fn cameras(env: &mut Environment, options: &Options) -> Vec<Camera> {
    let expected = "cameras with commas between, such as `static=v4l2:/dev/video0, \
                    wrist=folder:/recordings/wrist`";
    let text = env.required("CAMERAS", expected);
    let mut cameras: Vec<Camera> = Vec::new();
    let items = text
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty());
    for (index, item) in items.enumerate() {
        if (index, item) == (0, NONE) {
            continue;
        }
        let mut refuse = |expected: &str| env.refuse("CAMERAS", expected, Some(item.to_owned()));
        let Some((name, source)) = item.split_once('=') else {
            refuse("a name and a source, such as `static=folder:/recordings/static`");
            continue;
        };
        let name = name.trim();
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || !name.chars().all(is_name) {
            refuse("a name of ASCII letters, digits, `_` and `-`");
        } else if cameras.iter().any(|camera| camera.name == name) {
            refuse("every name once");
        }
        let kind = Kind::parse(source).and_then(|kind| kind.check(options).map(|()| kind));
        match kind {
            Ok(kind) => cameras.push(Camera {
                name: name.to_owned(),
                is_main: index == 0,
                kind,
            }),
            Err(expected) => refuse(&expected),
        }
    }
    if cameras.len() > MAX_CAMERAS {
        env.refuse(
            "CAMERAS",
            &format!("at most {MAX_CAMERAS} cameras"),
            Some(text),
        );
    }
    cameras
}

fn parse_size(text: &str) -> Option<[usize; 2]> {
    let (width, height) = text.split_once(['x', 'X'])?;
    let side = |text: &str| {
        let side = text.trim().parse().ok()?;
        (16..=8192).contains(&side).then_some(side)
    };
    Some([side(width)?, side(height)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::path::Path;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, Problems> {
        Settings::read(Environment::from_pairs(pairs.iter().copied()))
    }

    fn recording(folder: &Path) -> String {
        let picture = image::RgbImage::from_pixel(4, 2, image::Rgb([1, 2, 3]));
        picture.save(folder.join("a.png")).unwrap();
        folder.to_str().unwrap().to_owned()
    }

    #[test]
    fn cameras_have_names_and_sources() {
        let folder = tempfile::tempdir().unwrap();
        let place = recording(folder.path());
        let text = format!("static = folder:{place}, wrist=folder:{place},");
        let settings = read(&[("CAMERAS", &text), ("SIZE", "640x480")]).unwrap();
        let names: Vec<_> = settings.cameras.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["static", "wrist"]);
        assert_eq!(settings.cameras[0].kind, Kind::Folder(place.into()));
        let main: Vec<_> = settings.cameras.iter().map(|c| c.is_main).collect();
        assert_eq!(main, [true, false]);
        assert_eq!(settings.options.size, Some([640, 480]));
        assert!(settings.options.repeats);
    }

    #[test]
    fn the_main_camera_may_be_another_node() {
        assert_eq!(read(&[("CAMERAS", "none")]).unwrap().cameras, []);
        let folder = tempfile::tempdir().unwrap();
        let text = format!("none, wrist=folder:{}", recording(folder.path()));
        let cameras = read(&[("CAMERAS", &text)]).unwrap().cameras;
        assert_eq!((cameras.len(), cameras[0].is_main), (1, false));
        assert!(read(&[("CAMERAS", &format!("{text}, none"))]).is_err());
    }

    #[test]
    fn every_problem_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let place = recording(folder.path());
        let cameras = format!(
            "static=folder:/nowhere, side, b:c=folder:{place}, eye=usb:0, \
             wrist=folder:{place}, wrist=folder:{place}, top=video:/nowhere/clip.mp4"
        );
        let error = read(&[
            ("CAMERAS", &cameras),
            ("RATE_HZ", "0"),
            ("SIZE", "large"),
            ("AT_END", "rewind"),
            ("FROZEN_MS", "soon"),
            ("LATE_MS", "0"),
            ("BLACK_LEVEL", "300"),
            ("FFMPEG", "no-such-ffmpeg"),
        ])
        .unwrap_err();
        assert_eq!(error.found.len(), 12, "{error}");
        let told = error.to_string();
        for part in [
            "/nowhere",
            "`side`",
            "b:c",
            "usb:0",
            "every name once",
            "no-such-ffmpeg",
        ] {
            assert!(told.contains(part), "{part}: {told}");
        }
    }

    #[test]
    fn without_a_camera_there_is_nothing_to_do() {
        let error = read(&[]).unwrap_err().to_string();
        assert!(error.contains("CAMERAS: expected cameras"), "{error}");
    }
}
