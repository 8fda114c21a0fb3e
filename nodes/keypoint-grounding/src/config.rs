//! Settings.

use std::path::{Path, PathBuf};

use tiller_core::Problems;
use tiller_core::file::read_regular_text;
use tiller_grounding::{Calibration, GroundingConfig, Prompt, detector_names, tracker_names};
use tiller_node_kit::Environment;

/// Largest calibration file that is read, bytes.
const MAX_CALIBRATION_BYTES: u64 = 1 << 20;

/// Settings of the node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    /// How objects turn into keypoints.
    pub(crate) grounding: GroundingConfig,
    /// What cameras do not say of themselves.
    pub(crate) calibration: Calibration,
    /// The camera's name in the calibration, before those that it says itself.
    pub(crate) camera: Option<String>,
    /// How far apart the images of one moment may be, ns.
    pub(crate) tolerance_ns: u64,
}

impl Settings {
    /// Reads and checks everything.
    pub(crate) fn read(mut env: Environment) -> Result<Self, Problems> {
        let defaults = GroundingConfig::default();
        let detectors: Vec<(&str, &str)> = detector_names().map(|name| (name, name)).collect();
        let detector = env
            .choice("DETECTOR", &defaults.detector, &detectors)
            .to_owned();
        let trackers: Vec<(&str, &str)> = tracker_names().map(|name| (name, name)).collect();
        let tracker = env
            .choice("TRACKER", &defaults.tracker, &trackers)
            .to_owned();
        let prompts = prompts(&mut env);
        let ignored = list(&env.text("IGNORED", "")).map(str::to_owned).collect();
        let counts = counts(&mut env);
        let merge_m = env.number("MERGE_M", defaults.merge_m, 0.0..=1.0);
        let min_pixels = env.number("MIN_PIXELS", defaults.min_pixels, 1..=10_000);
        let has_plane = env.optional("PLANE_HEIGHT_M").is_some();
        let height_m = env.number("PLANE_HEIGHT_M", 0.0, -10.0..=10.0);
        let tolerance_ms = env.number("FRAME_TOLERANCE_MS", 20, 0..=1000_u64);
        let settings = Self {
            grounding: GroundingConfig {
                detector,
                tracker,
                model: env.optional("DETECTOR_MODEL").map(PathBuf::from),
                prompts,
                ignored,
                counts,
                merge_m,
                plane_height_m: has_plane.then_some(height_m),
                min_pixels,
                ..defaults
            },
            calibration: calibration(&mut env),
            camera: env.optional("CAMERA"),
            tolerance_ns: tolerance_ms * 1_000_000,
        };
        env.finish(settings)
    }
}

/// Texts between commas.
fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

/// Keypoints of objects, such as `shelf=2, rack=3`.
fn counts(env: &mut Environment) -> Vec<(String, usize)> {
    let text = env.text("COUNTS", "");
    let count = |item: &str| {
        let (name, count) = item.split_once('=')?;
        let count = count
            .trim()
            .parse()
            .ok()
            .filter(|count| (1..=16).contains(count))?;
        Some((name.trim().to_owned(), count))
    };
    let mut counts = Vec::new();
    for item in list(&text) {
        match count(item) {
            Some(count) => counts.push(count),
            None => {
                let expected = "objects with 1 to 16 keypoints, such as `shelf=2, rack=3`";
                env.refuse("COUNTS", expected, Some(item.to_owned()));
            }
        }
    }
    counts
}

/// Where objects are, such as `red mug=12 40 60 96, bowl=130 88`.
fn prompts(env: &mut Environment) -> Vec<(String, Prompt)> {
    let text = env.text("PROMPTS", "");
    let number = |text: &str| text.parse().ok().filter(|n: &f64| n.is_finite());
    let prompt = |item: &str| {
        let (name, place) = item.split_once('=')?;
        let numbers: Option<Vec<f64>> = place.split_whitespace().map(number).collect();
        let prompt = match numbers?[..] {
            [x, y] => Prompt::Point([x, y]),
            [left, top, right, bottom] if left < right && top < bottom => {
                Prompt::Box([left, top, right, bottom])
            }
            _ => return None,
        };
        Some((name.trim().to_owned(), prompt))
    };
    let mut prompts: Vec<(String, Prompt)> = Vec::new();
    for item in list(&text) {
        match prompt(item).filter(|(name, _)| !prompts.iter().any(|(known, _)| known == name)) {
            Some(prompt) => prompts.push(prompt),
            None => {
                let expected = "objects of different names with a point or a box, pixels, such as \
                    `red mug=12 40 60 96, bowl=130 88`";
                env.refuse("PROMPTS", expected, Some(item.to_owned()));
            }
        }
    }
    prompts
}

/// What the file that `CALIBRATION` names says; nothing without one.
fn calibration(env: &mut Environment) -> Calibration {
    let Some(path) = env.optional("CALIBRATION") else {
        return Calibration::default();
    };
    let refused = |env: &mut Environment, expected: &str| {
        env.refuse("CALIBRATION", expected, Some(path.clone()));
        Calibration::default()
    };
    let text = match read_regular_text(Path::new(&path), MAX_CALIBRATION_BYTES) {
        Ok(text) => text,
        Err(error) => {
            let reason = error.reason();
            return refused(env, &format!("a file that can be read ({reason})"));
        }
    };
    match Calibration::parse(&text) {
        Ok(calibration) => calibration,
        Err(error) => {
            for problem in error.problems {
                env.refuse("CALIBRATION", &problem, Some(path.clone()));
            }
            Calibration::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, Problems> {
        Settings::read(Environment::from_pairs(pairs.iter().copied()))
    }

    #[test]
    fn defaults_know_no_scene() {
        let settings = read(&[]).unwrap();
        assert_eq!(settings.grounding, GroundingConfig::default());
        assert_eq!((settings.tolerance_ns, settings.camera), (20_000_000, None));
    }

    #[test]
    fn objects_are_named_with_commas_between() {
        let pairs = [
            ("IGNORED", "table, robot arm,"),
            ("COUNTS", "long shelf = 2,rack=16"),
        ];
        let grounding = read(&pairs).unwrap().grounding;
        assert_eq!(grounding.ignored, ["table", "robot arm"]);
        let count = |name| grounding.count_of(name);
        assert_eq!(
            [count("long shelf"), count("rack"), count("table")],
            [2, 16, 0]
        );
    }

    #[test]
    fn objects_are_pointed_at_or_boxed() {
        let pairs = [("PROMPTS", "red mug = 12 40 60 96, bowl=130.5 88")];
        let expected = [
            ("red mug".to_owned(), Prompt::Box([12.0, 40.0, 60.0, 96.0])),
            ("bowl".to_owned(), Prompt::Point([130.5, 88.0])),
        ];
        assert_eq!(read(&pairs).unwrap().grounding.prompts, expected);
        let error =
            read(&[("PROMPTS", "cup, mug=1, a=9 9 4 4, b=1 2, b=3 4, c=1 NaNs")]).unwrap_err();
        assert_eq!(error.found.len(), 5, "{error}");
    }

    #[test]
    fn every_problem_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cameras.toml");
        fs::write(&file, "[image]\nfocal = [0, 1]\nsize = 3\n").unwrap();
        let pairs = [
            ("MERGE_M", "2"),
            ("MIN_PIXELS", "0"),
            ("DETECTOR", "eyes"),
            ("TRACKER", "hands"),
            ("COUNTS", "shelf, rack=17, box=1"),
            ("PLANE_HEIGHT_M", "low"),
            ("FRAME_TOLERANCE_MS", "-1"),
            ("CALIBRATION", file.to_str().unwrap()),
        ];
        let error = read(&pairs).unwrap_err();
        assert_eq!(error.found.len(), 10, "{error}");
        let told = error.to_string();
        for key in [
            "`image.focal`",
            "`image.size`",
            "`labels`, `clusters`",
            "`detector`, `looks`, `flow`",
            "PLANE_HEIGHT_M",
        ] {
            assert!(told.contains(key), "{told}");
        }
    }

    #[test]
    fn only_regular_files_are_read() {
        for path in ["/dev/zero", "/", "/nowhere/cameras.toml"] {
            let error = read(&[("CALIBRATION", path)]).unwrap_err();
            assert_eq!(error.found.len(), 1, "{error}");
        }
    }
}
