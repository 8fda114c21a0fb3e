//! Values and gradients for given inputs.

use serde_json::{Value, json};

use super::{REACH, code, err, json_of, tiller, tiller_with_input, write};

#[test]
fn values_and_gradients_are_those_of_the_formula() {
    let folder = tempfile::tempdir().unwrap();
    let program = write(folder.path(), "program.py", REACH);
    let inputs = json!({
        "keypoints": [[0.5, 0.0, 0.1]],
        "trajectories": [
            [[0.4, 0.0, 0.3], [0.5, 0.3, 0.5]],
            [[0.4, 0.0, 0.3], [0.5, 0.0, 0.3]],
        ],
    });
    let output = tiller_with_input(
        &["reward", "eval", &program, "--inputs", "-"],
        inputs.to_string().as_bytes(),
    );
    assert_eq!(code(&output), 0, "{}", err(&output));
    let value = json_of(&output);
    let stage = &value["stages"][0];
    assert_eq!(stage["stage"], 1);
    // Offsets (0, 0.3, 0.4) and (0, 0, 0.2) from the keypoint; the reward falls along them.
    let close = |found: &Value, expected: f64| (found.as_f64().unwrap() - expected).abs() < 1e-12;
    assert!(
        close(&stage["values"][0], -0.5) && close(&stage["values"][1], -0.2),
        "{stage}"
    );
    for (axis, expected) in [0.0, -0.6, -0.8].into_iter().enumerate() {
        assert!(close(&stage["gradients"][0][1][axis], expected), "{stage}");
        assert!(close(&stage["gradients"][0][0][axis], 0.0), "{stage}");
    }
    assert_eq!(value["stages"][1]["values"], json!([0.0, 0.0]));
    assert_eq!(
        value["stages"][1]["gradients"],
        json!([
            [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]],
            [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
        ])
    );
}

/// The first point counts: trajectories are taken whole, without a point put in front.
#[test]
fn the_first_point_is_the_current_position() {
    let folder = tempfile::tempdir().unwrap();
    let text = "\
num_stages = 1
def stage1_guidance(keypoints, action_sequence):
    return action_sequence.shape[1] * (action_sequence[0, -1, 0] - action_sequence[0, 0, 0])
";
    let program = write(folder.path(), "program.py", text);
    let inputs =
        json!({"keypoints": [], "trajectories": [[[0.25, 0, 0], [9, 9, 9], [0.75, 0, 0]]]});
    let inputs = write(folder.path(), "inputs.json", &inputs.to_string());
    let value = json_of(&tiller(&["reward", "eval", &program, "--inputs", &inputs]));
    let stage = &value["stages"][0];
    assert_eq!(stage["values"], json!([1.5]));
    assert_eq!(
        stage["gradients"],
        json!([[[-3.0, 0.0, 0.0], [0.0, 0.0, 0.0], [3.0, 0.0, 0.0]]])
    );
}

#[test]
fn wrong_inputs_are_explained_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let program = write(folder.path(), "program.py", REACH);
    let cases = [
        (
            r#"{"keypoints": [[0, 0, 0]], "trajectories": []}"#,
            "`trajectories` is empty",
        ),
        (
            r#"{"keypoints": [], "trajectories": [[[0, 0, 0]], [[0, 0, 0], [1, 1, 1]]]}"#,
            "`trajectories[1]`: expected 1 points as in trajectories[0], found 2",
        ),
        (
            r#"{"keypoints": [[0, 0]], "trajectories": []}"#,
            "`keypoints[0]`: expected [x, y, z], found a list of 2",
        ),
        (
            r#"{"keypoints": [], "trajectories": [[[0, 0, 0], [0, null, 0]]]}"#,
            "`trajectories[0][1][1]`: expected a finite number, found null",
        ),
        (
            r#"{"keypoints": [], "trajectories": [[[0, 0, 0], 4]]}"#,
            "`trajectories[0][1]`: expected [x, y, z], found a number",
        ),
        (
            r#"{"keypoints": [], "trajectories": [[]]}"#,
            "`trajectories[0]` is empty",
        ),
        (r#"{"trajectories": []}"#, "`keypoints` is missing"),
        (
            r#"{"keypoints": [], "trajectory": []}"#,
            "`trajectory` is not known",
        ),
        (
            "[]",
            "expected an object with keypoints, trajectories, rotations, gripper, keypoint_axes, found a list",
        ),
        (r#"{"keypoints": [[NaN, 0, 0]]}"#, "JSON has no NaN"),
        ("  ", "is empty: expected JSON"),
    ];
    for (inputs, expected) in cases {
        let inputs = write(folder.path(), "inputs.json", inputs);
        let output = tiller(&["reward", "eval", &program, "--inputs", &inputs]);
        assert_eq!(code(&output), 2);
        assert!(
            err(&output).contains(expected),
            "{expected}\n{}",
            err(&output)
        );
    }
}
