//! What a bundle directory must be, and what is said when it is not.

use crate::common::{Copy, data};
use tiller_core::ActionLayout;
use tiller_policy::{Bundle, BundleError, ObservationKind};
use tiller_steering::Guide;

#[test]
fn a_sound_bundle_tells_what_it_is() {
    let bundle = Bundle::load(&data()).unwrap();
    let manifest = bundle.manifest();
    assert_eq!(manifest.name, "tiny");
    assert_eq!((manifest.horizon, manifest.execute_steps), (3, 2));
    assert_eq!(manifest.scheduler.steps, 10);
    let layout = &bundle.action_space().layout;
    let expected = ActionLayout::position_deltas(4, [0, 1, 2], Some(3), 10.0);
    assert_eq!(layout, &expected);
    assert_eq!(bundle.guide(), Guide::default());
    let kinds: Vec<_> = manifest.observations.iter().map(|o| o.kind).collect();
    assert_eq!(
        kinds,
        [
            ObservationKind::Image,
            ObservationKind::Image,
            ObservationKind::State
        ]
    );
}

#[test]
fn a_missing_directory_is_named() {
    let error = Bundle::load(std::path::Path::new("/nowhere/flow")).unwrap_err();
    assert!(matches!(error, BundleError::Unreadable { .. }));
    let message = error.to_string();
    assert!(
        message.contains("no policy bundle at `/nowhere/flow`") && message.contains("policy.toml"),
        "{message}"
    );
}

#[test]
fn a_missing_graph_is_named() {
    let copy = Copy::new();
    std::fs::remove_file(copy.path("denoiser.onnx")).unwrap();
    assert_eq!(
        copy.message(),
        "policy bundle `DIR` is not usable:\n  - files.denoiser: expected the file \
         `DIR/denoiser.onnx`, found No such file or directory (os error 2)"
    );
}

#[test]
fn a_damaged_graph_is_named_with_both_fingerprints() {
    let copy = Copy::new();
    let mut bytes = std::fs::read(copy.path("encoder.onnx")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(copy.path("encoder.onnx"), &bytes).unwrap();
    let message = copy.message();
    assert!(
        message.contains("files.encoder.sha256 of `DIR/encoder.onnx`: expected 8aa10135")
            && message.contains("(680 bytes: damaged"),
        "{message}"
    );
    assert!(!message.contains("denoiser"), "{message}");
}

#[test]
fn a_manifest_that_is_not_toml_is_shown_where_it_breaks() {
    let copy = Copy::new();
    copy.edit("horizon = 3", "horizon = three");
    let message = copy.message();
    assert!(
        message.contains("`DIR/policy.toml` is not a policy manifest"),
        "{message}"
    );
    assert!(message.contains("line 5"), "{message}");
}

#[test]
fn an_unknown_key_is_refused() {
    let copy = Copy::new();
    copy.edit("horizon = 3", "horizon = 3\nhorizont = 3");
    let message = copy.message();
    assert!(message.contains("unknown field `horizont`"), "{message}");
}

#[test]
fn a_missing_key_is_named() {
    let copy = Copy::new();
    copy.edit("rate_hz = 10.0\n", "");
    let message = copy.message();
    assert!(message.contains("missing field `rate_hz`"), "{message}");
}

#[test]
fn everything_that_is_wrong_is_reported_at_once() {
    let copy = Copy::new();
    copy.edit("kind = \"flow_matching\"", "kind = \"consistency\"");
    copy.edit("prediction = \"velocity\"", "prediction = \"epsilon\"");
    copy.edit("execute_steps = 2", "execute_steps = 4");
    copy.edit("rate_hz = 10.0", "rate_hz = -1.0");
    copy.edit("position = [0, 1, 2]", "position = [0, 1, 7]");
    copy.edit(
        "min = [-0.03, -0.02, -0.01, -1.0]",
        "min = [-0.03, 0.02, -0.01]",
    );
    copy.edit("mean = [0.0, 0.0, 0.0]", "mean = [0.0, nan, 0.0]");
    copy.edit("std = [0.5, 0.5, 0.5]", "std = [0.5, 0.0, 0.5]");
    copy.edit("source = \"wrist\"", "source = \"static\"");
    copy.edit("path = \"encoder.onnx\"", "path = \"../encoder.onnx\"");
    std::fs::remove_file(copy.path("denoiser.onnx")).unwrap();
    let BundleError::Invalid { problems, .. } = copy.load().unwrap_err() else {
        panic!("not a list of problems");
    };
    let found: Vec<_> = problems.found.iter().map(ToString::to_string).collect();
    let beginnings = [
        "kind: expected `flow_matching` or `diffusion`, found `consistency`",
        "prediction: expected `velocity`, found `epsilon`",
        "execute_steps: expected 1 to 3, found 4",
        "rate_hz: expected a positive rate in Hz, found -1",
        "action.min: expected 4 numbers, found 3",
        "action.min[1]: expected less than action.max[1] = 0.02, found 0.02",
        "action.position: expected columns below 4, found 7",
        "action.ignored: expected every column that is no position, rotation, joint or gripper, \
         found column 2 nowhere",
        "observation `observation.images.static`.std: expected positive numbers",
        "observation `observation.images.wrist`.mean: expected finite numbers",
        "observation `observation.images.wrist`.source: expected a source of its own",
        "files.encoder.path: expected a path inside the bundle directory, found `../encoder.onnx`",
        "files.encoder: expected the file",
        "files.denoiser: expected the file",
    ];
    assert_eq!(found.len(), beginnings.len(), "{found:#?}");
    for (found, beginning) in found.iter().zip(beginnings) {
        assert!(found.starts_with(beginning), "{found}\nis not\n{beginning}");
    }
}

#[test]
fn a_hostile_shape_cannot_make_the_process_allocate() {
    for (from, to) in [
        ("horizon = 3", "horizon = 1000000000000"),
        ("shape = [4]", "shape = [1000000000000]"),
        ("shape = [4]", "shape = []"),
        ("dim = 4", "dim = 1000000000000"),
    ] {
        let copy = Copy::new();
        copy.edit(from, to);
        assert!(copy.message().contains("is not usable"), "{to}");
    }
}
