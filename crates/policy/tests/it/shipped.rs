//! The bundles that are shipped: they must load, run, stay small and be what `models/manifest.toml` says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tiller_core::{ArmColumns, Pose, StateComponent};
use tiller_policy::{Bundle, ImageView, Observation, Policy, RuntimeOptions};
use tiller_steering::Denoiser;

/// Megabytes that the graphs of one bundle may take.
const LARGEST_MB: u64 = 10;
/// About where hands are at the start: TCP x, y, z, metres.
const NEUTRAL_M: [f64; 3] = [0.45, 0.0, 0.20];

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models")
}

/// Folders of the shipped bundles, in the order of their names.
fn bundles() -> Vec<PathBuf> {
    folders("policies")
}

/// What policies are compared with.
fn controls() -> Vec<PathBuf> {
    folders("controls")
}

fn folders(kind: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(models().join(kind)).unwrap();
    let mut folders: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders
}

#[test]
fn the_shipped_policies_predict_finite_bounded_motion() {
    let bundles = bundles();
    assert!(bundles.iter().any(|folder| folder.ends_with("flow")));
    for folder in bundles {
        predicts_finite_bounded_motion(&Bundle::load(&folder).unwrap());
    }
}

fn predicts_finite_bounded_motion(bundle: &Bundle) {
    let mut policy = Policy::open(bundle, &RuntimeOptions::default()).unwrap();
    let space = policy.action_space();
    space.validate().unwrap();
    let ArmColumns::Pose { position, rotation } = &space.layout.arm else {
        panic!("{:?}", space.layout);
    };
    for &column in position {
        assert_eq!(space.offset[column], 0.0, "standing still must be zero");
        assert!(space.scale[column] <= 0.03 + 1e-6, "{:?}", space.scale);
    }
    for &column in rotation.iter().flat_map(|rotation| &rotation.columns) {
        assert_eq!(space.offset[column], 0.0, "standing still must be zero");
        assert!(space.scale[column] <= 0.5, "{:?}", space.scale);
    }

    let images = bundle.manifest().observations.iter();
    let images: Vec<_> = images
        .filter(|observation| observation.shape.len() == 3)
        .map(|image| {
            let [height, width] = [image.shape[1], image.shape[2]];
            (&*image.source, width, height, vec![128; height * width * 3])
        })
        .collect();
    let images: Vec<_> = images
        .iter()
        .map(|(name, width, height, rgb)| ImageView {
            name,
            width: *width,
            height: *height,
            rgb,
        })
        .collect();
    assert_eq!(images.len(), 2);
    let mut state = Vec::new();
    let told = bundle.manifest().robot_state();
    StateComponent::write(&told, &Pose::down(NEUTRAL_M), 0.0, &mut state);
    let condition = policy
        .encode(&Observation {
            images: &images,
            state: &state,
            environment: &[],
            instruction: "",
        })
        .unwrap();
    let condition = condition[0].floats().unwrap();
    assert!(condition.iter().any(|number| number.abs() > 1e-3));

    if bundle.manifest().kind != "flow_matching" {
        return;
    }
    // Ten Euler steps from a fixed, uneven start must end near the range of the actions.
    let (particles, steps) = (20, bundle.manifest().scheduler.steps);
    let count = particles * policy.horizon() * policy.action_dim();
    let mut sample: Vec<f32> = (0..count).map(|i| (i as f32 * 1.7).sin() * 1.4).collect();
    let mut velocity = vec![0.0; count];
    for step in 0..steps {
        let time = 1.0 - step as f32 / steps as f32;
        policy
            .predict(&sample, particles, time, &mut velocity)
            .unwrap();
        for (x, v) in sample.iter_mut().zip(&velocity) {
            *x -= v / steps as f32;
        }
    }
    assert!(sample.iter().all(|x| x.is_finite() && x.abs() < 3.0));
}

#[test]
fn the_manifest_of_models_lists_every_shipped_graph_with_its_hash() {
    let text = std::fs::read_to_string(models().join("manifest.toml")).unwrap();
    let manifest: toml::Table = toml::from_str(&text).unwrap();
    let mut listed = Vec::new();
    let mut bytes = BTreeMap::<PathBuf, u64>::new();
    for file in manifest["file"].as_array().unwrap() {
        let path = models().join(file["path"].as_str().unwrap());
        let data = std::fs::read(&path).unwrap();
        let hash = tiller_core::sha256(&data);
        assert_eq!(file["sha256"].as_str().unwrap(), hash, "{}", path.display());
        assert!(!file["licence"].as_str().unwrap().is_empty());
        *bytes
            .entry(path.parent().unwrap().to_path_buf())
            .or_default() += data.len() as u64;
        listed.push(path.canonicalize().unwrap());
    }
    assert!(
        bytes.values().all(|bytes| *bytes < LARGEST_MB * 1_000_000),
        "{bytes:?}"
    );

    let mut shipped = Vec::new();
    let detectors = folders("detectors");
    for bundle in bundles().into_iter().chain(controls()).chain(detectors) {
        let files = std::fs::read_dir(bundle).unwrap();
        shipped.extend(files.map(|file| file.unwrap().path().canonicalize().unwrap()));
    }
    shipped.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "onnx")
    });
    shipped.sort();
    listed.sort();
    assert_eq!(shipped, listed);
}

/// The rule that `tiller_bench` has as a method, in a bundle's graphs.
#[test]
fn the_fingers_of_the_reflex_follow_height_and_width() {
    let bundle = Bundle::load(&models().join("controls/reflex")).unwrap();
    let mut policy = Policy::open(&bundle, &RuntimeOptions::default()).unwrap();
    let rgb = vec![90; 256 * 256 * 3];
    let image = |name| ImageView {
        name,
        width: 256,
        height: 256,
        rgb: &rgb,
    };
    let images = [image("static"), image("wrist")];
    // Height of the tool and width of the hand, m; 1 opens.
    let rule = [
        (0.2, 0.08, 1.0),
        (0.03, 0.08, -1.0),
        (0.03, 0.03, -1.0),
        (0.2, 0.03, -1.0),
        (0.03, 0.0, -1.0),
        (0.2, 0.0, 1.0),
    ];
    for (height_m, width_m, expected) in rule {
        let state = [0.4, 0.0, height_m, width_m];
        let observation = Observation {
            images: &images,
            state: &state,
            environment: &[],
            instruction: "",
        };
        let condition = policy.encode(&observation).unwrap();
        let found = condition[0].floats().unwrap()[0];
        assert_eq!(found, expected, "{height_m} m, {width_m} m");
        // From pure noise of 0 the flow leads straight to the mean.
        let count = policy.horizon() * policy.action_dim();
        let mut velocity = vec![0.0; count];
        policy
            .predict(&vec![0.0; count], 1, 1.0, &mut velocity)
            .unwrap();
        assert!((velocity[3] + expected).abs() < 1e-6, "{velocity:?}");
    }
}
