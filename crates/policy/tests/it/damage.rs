//! Every way in which a bundle can be damaged is told by name.

use crate::common::{Copy, data};
use tiller_policy::{Bundle, BundleError, Policy, PolicyError, RuntimeOptions};

fn open(bundle: &Bundle) -> Result<Policy, PolicyError> {
    Policy::open(bundle, &RuntimeOptions::default())
}

/// Opens the tiny bundle with one graph exchanged, fingerprint and all.
fn exchanged(role: &str, by: &str) -> PolicyError {
    let copy = Copy::new();
    let bytes = std::fs::read(data().join(by)).unwrap();
    copy.replace(role, &bytes);
    open(&copy.load().unwrap()).unwrap_err()
}

#[test]
fn a_corrupted_graph_with_a_matching_fingerprint_is_refused_by_name() {
    let whole = std::fs::read(data().join("denoiser.onnx")).unwrap();
    let cut = [&whole[..whole.len() / 2], &whole[..whole.len() - 1]];
    for bytes in [&b"not an onnx file"[..], cut[0], cut[1], b""] {
        let copy = Copy::new();
        copy.replace("denoiser.onnx", bytes);
        let error = open(&copy.load().unwrap()).unwrap_err();
        let message = error.to_string();
        assert!(matches!(error, PolicyError::Graph { .. }), "{message}");
        assert!(
            message.contains("denoiser.onnx` is not a usable ONNX graph"),
            "{message}"
        );
    }
}

#[test]
fn a_graph_that_the_runtime_cannot_run_is_refused_with_its_reason() {
    let error = exchanged("denoiser.onnx", "denoiser_future.onnx");
    let message = error.to_string();
    assert!(matches!(error, PolicyError::Graph { .. }), "{message}");
    assert!(message.to_lowercase().contains("opset 99"), "{message}");
}

/// Only what has a fingerprint may run, wherever the weights lie that the graph asks for.
#[test]
fn weights_outside_the_graph_are_refused() {
    let copy = Copy::new();
    let bytes = std::fs::read(data().join("denoiser_external.onnx")).unwrap();
    copy.replace("denoiser.onnx", &bytes);
    std::fs::write(copy.path("weights.bin"), [0; 4]).unwrap();
    let error = open(&copy.load().unwrap()).unwrap_err();
    let message = error.to_string();
    assert!(matches!(error, PolicyError::Graph { .. }), "{message}");
    // Looked for below the graph's own file, where nothing can be.
    assert!(message.contains("denoiser.onnx/weights.bin"), "{message}");
}

#[test]
fn graphs_that_disagree_with_the_manifest_are_told_apart() {
    let chunk = "expected float32 [dynamic, 3, 4], found";
    let cases: [(&str, &str, &[&str]); 9] = [
        (
            "denoiser.onnx",
            "denoiser_wide.onnx",
            &[
                &format!("input `sample`: {chunk}"),
                &format!("output `prediction`: {chunk}"),
            ],
        ),
        (
            "denoiser.onnx",
            "denoiser_fixed.onnx",
            &["input `timestep`: expected float32 [dynamic], found"],
        ),
        (
            "denoiser.onnx",
            "denoiser_horizon.onnx",
            &[
                &format!("input `sample`: {chunk}"),
                &format!("output `prediction`: {chunk}"),
            ],
        ),
        (
            "denoiser.onnx",
            "denoiser_condition.onnx",
            &["input `condition`: expected float32 [1, 3], found"],
        ),
        (
            "denoiser.onnx",
            "denoiser_extra.onnx",
            &[
                "input `guidance`: expected no such input, found",
                "output `variance`: expected no such output, found",
            ],
        ),
        (
            "denoiser.onnx",
            "encoder.onnx",
            &[
                &format!("input `sample`: {chunk} only"),
                "input `observation.state`: expected no such input",
                &format!("output `prediction`: {chunk} only [\"condition\"]"),
            ],
        ),
        (
            "encoder.onnx",
            "encoder_int.onnx",
            &["input `observation.state`: expected float32 [1, 4], found"],
        ),
        (
            "encoder.onnx",
            "encoder_batch.onnx",
            &["input `observation.images.wrist`: expected float32 [1, 3, 4, 4], found"],
        ),
        (
            "encoder.onnx",
            "denoiser.onnx",
            &[
                "input `observation.images.static`: expected float32 [1, 3, 4, 4]",
                "input `sample`: expected no such input",
                "output `prediction`: expected float32, int64, int32 or bool of fixed shape [1, ..], found",
            ],
        ),
    ];
    for (role, by, expected) in cases {
        let error = exchanged(role, by);
        let message = error.to_string();
        assert!(matches!(error, PolicyError::Interface { .. }), "{message}");
        let beginning = format!("{role}` does not agree with the manifest:");
        assert!(message.contains(&beginning), "{message}");
        for problem in expected {
            assert!(message.contains(problem), "{by}: {problem}\n{message}");
        }
    }
}

#[test]
fn exchanged_and_truncated_files_miss_their_fingerprints() {
    let copy = Copy::new();
    let (encoder, denoiser) = (copy.path("encoder.onnx"), copy.path("denoiser.onnx"));
    let bytes = std::fs::read(&encoder).unwrap();
    std::fs::copy(&denoiser, &encoder).unwrap();
    std::fs::write(&denoiser, &bytes[..bytes.len() - 1]).unwrap();
    let message = copy.message();
    for (role, size) in [("encoder", 384), ("denoiser", 679)] {
        let at = format!("files.{role}.sha256 of `DIR/{role}.onnx`: expected ");
        let found = format!("({size} bytes: damaged, or exported anew without its manifest)");
        assert!(message.contains(&at), "{message}");
        assert!(message.contains(&found), "{message}");
    }
}

#[test]
fn folders_in_the_place_of_files_are_named() {
    let copy = Copy::new();
    std::fs::remove_file(copy.path("encoder.onnx")).unwrap();
    std::fs::create_dir(copy.path("encoder.onnx")).unwrap();
    let message = copy.message();
    assert!(
        message.contains("files.encoder: expected the file `DIR/encoder.onnx`, found "),
        "{message}"
    );
    std::fs::remove_file(copy.path("policy.toml")).unwrap();
    std::fs::create_dir(copy.path("policy.toml")).unwrap();
    assert!(matches!(
        copy.load().unwrap_err(),
        BundleError::Unreadable { .. }
    ));
}

#[test]
fn a_manifest_that_is_no_text_is_unreadable() {
    let copy = Copy::new();
    std::fs::write(copy.path("policy.toml"), [0xff, 0xfe, 0x00]).unwrap();
    let message = copy.message();
    assert!(
        message.contains("no policy bundle at `DIR`: cannot read `policy.toml`"),
        "{message}"
    );
}

#[test]
fn numbers_that_normalise_nothing_are_named_wherever_they_are() {
    let state = "observation `observation.state`";
    let cases = [
        (
            "mean = [0.4, 0.0",
            "mean = [nan, 0.0",
            format!("{state}.mean: expected finite numbers"),
        ),
        (
            "mean = [0.4, 0.0",
            "mean = [inf, 0.0",
            format!("{state}.mean: expected finite numbers"),
        ),
        (
            "std = [0.1, 0.2",
            "std = [nan, 0.2",
            format!("{state}.std: expected finite numbers"),
        ),
        (
            "std = [0.1, 0.2",
            "std = [-0.1, 0.2",
            format!("{state}.std: expected positive numbers"),
        ),
        (
            "std = [0.1, 0.2",
            "std = [0.2",
            format!("{state}.std: expected 4 numbers, found 3"),
        ),
        (
            "min = [-0.03",
            "min = [nan",
            "action.min: expected finite numbers".to_owned(),
        ),
        (
            "max = [0.03",
            "max = [inf",
            "action.max: expected finite numbers".to_owned(),
        ),
        (
            "max = [0.03",
            "max = [-0.03",
            "action.min[0]: expected less than action.max[0]".to_owned(),
        ),
        (
            "rate_hz = 10.0",
            "rate_hz = nan",
            "rate_hz: expected a positive rate".to_owned(),
        ),
        // A number that the 32 bits of a normalisation cannot hold.
        (
            "std = [0.1, 0.2",
            "std = [1e39, 0.2",
            format!("{state}.std: expected finite numbers"),
        ),
        (
            "std = [0.1, 0.2",
            "std = [1e-60, 0.2",
            format!("{state}.std: expected positive numbers"),
        ),
    ];
    for (from, to, expected) in cases {
        let copy = Copy::new();
        copy.edit(from, to);
        let message = copy.message();
        assert!(message.contains(&expected), "{to}: {expected}\n{message}");
    }
}

#[test]
fn a_state_comes_from_the_robot_or_from_the_environment() {
    let copy = Copy::new();
    copy.edit("source = \"robot_state\"", "source = \"joints\"");
    let message = copy.message();
    assert!(
        message.contains(
            "observation `observation.state`.source: expected `robot_state` or \
             `environment_state`, found `joints`"
        ),
        "{message}"
    );
}
