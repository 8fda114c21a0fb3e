//! The bundle that is shipped: it must load, run, stay small and be what `models/manifest.toml` says.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tiller_core::ArmColumns;
use tiller_policy::{Bundle, ImageView, Observation, Policy, RuntimeOptions};
use tiller_steering::Denoiser;

/// Megabytes that all shipped graphs may take together.
const LARGEST_MB: u64 = 30;
const SIDE: usize = 256;
/// The play table's neutral pose: TCP x, y, z and gripper width, metres.
const NEUTRAL: [f32; 4] = [0.45, 0.0, 0.20, 0.0];

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models")
}

#[test]
fn the_shipped_policy_predicts_finite_bounded_motion() {
    let bundle = Bundle::load(&models().join("policies/flow")).unwrap();
    let mut policy = Policy::open(&bundle, &RuntimeOptions::default()).unwrap();
    let space = policy.action_space();
    space.validate().unwrap();
    let ArmColumns::Pose { position, .. } = space.layout.arm else {
        panic!("{:?}", space.layout);
    };
    for column in position {
        assert_eq!(space.offset[column], 0.0, "standing still must be zero");
        assert!(space.scale[column] <= 0.03 + 1e-6, "{:?}", space.scale);
    }

    let rgb = vec![128; SIDE * SIDE * 3];
    let view = |name| ImageView {
        name,
        width: SIDE,
        height: SIDE,
        rgb: &rgb,
    };
    let condition = policy
        .encode(&Observation {
            images: &[view("static"), view("wrist")],
            state: &NEUTRAL,
            environment: &[],
        })
        .unwrap();
    let condition = condition[0].floats().unwrap();
    assert!(condition.iter().any(|number| number.abs() > 1e-3));

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
    let mut bytes = 0;
    for file in manifest["file"].as_array().unwrap() {
        let path = models().join(file["path"].as_str().unwrap());
        let data = std::fs::read(&path).unwrap();
        let hash: String = Sha256::digest(&data)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(file["sha256"].as_str().unwrap(), hash, "{}", path.display());
        assert!(!file["licence"].as_str().unwrap().is_empty());
        bytes += data.len() as u64;
        listed.push(path.canonicalize().unwrap());
    }
    assert!(bytes < LARGEST_MB * 1_000_000, "{bytes} bytes");

    let mut shipped = Vec::new();
    for bundle in std::fs::read_dir(models().join("policies")).unwrap() {
        let bundle = bundle.unwrap().path();
        if bundle.is_dir() {
            let files = std::fs::read_dir(bundle).unwrap();
            shipped.extend(files.map(|file| file.unwrap().path().canonicalize().unwrap()));
        }
    }
    shipped.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "onnx")
    });
    shipped.sort();
    listed.sort();
    assert_eq!(shipped, listed);
}
