//! Values and gradients agree with what PyTorch computed for the same programs.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

use serde_json::Value;
use tiller_reward::{CompileOptions, Evaluator, Limits, Real, compile};

const GOLDEN: [&str; 3] = [
    include_str!("golden/programs.json"),
    include_str!("golden/operations.json"),
    include_str!("golden/statements.json"),
];

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_f64().unwrap())
        .collect()
}

/// The largest disagreement of one program, as a multiple of what is allowed.
/// Or why the program was refused.
fn disagreement<T: Real>(case: &Value, relative: f64, absolute: f64) -> Result<f64, String> {
    let source = case["source"].as_str().unwrap();
    let keypoints: Vec<[f64; 3]> = case["keypoints"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| numbers(point).try_into().unwrap())
        .collect();
    let trajectories = case["trajectories"].as_array().unwrap();
    let points = numbers(&trajectories[0]).len() / 3;
    let mut options = CompileOptions::new(keypoints.len(), points);
    options.limits = Limits {
        work: 2_000_000,
        ..Limits::default()
    };
    // What programs are good for is judged in `purpose.rs`.
    options.judge_purpose = false;
    let program = compile(source, &options).map_err(|mistakes| mistakes.render(source))?;
    let flat: Vec<T> = trajectories
        .iter()
        .flat_map(numbers)
        .map(T::from_f64)
        .collect();
    let particles = trajectories.len();
    let mut values = vec![T::ZERO; particles];
    let mut gradients = vec![T::ZERO; flat.len()];
    Evaluator::new(&program.stages[0].guidance, particles)
        .evaluate(&keypoints, &flat, &mut values, Some(&mut gradients))
        .unwrap();
    let wanted = numbers(&case["values"]);
    let wanted_gradients: Vec<f64> = case["gradients"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(numbers)
        .collect();
    // A gradient component is measured against the largest of its kind.
    let scale = wanted_gradients.iter().fold(0.0_f64, |m, g| m.max(g.abs()));
    let value_error = values
        .iter()
        .zip(&wanted)
        .map(|(a, b)| (a.to_f64() - b).abs() / (absolute + relative * b.abs()));
    let gradient_error = gradients
        .iter()
        .zip(&wanted_gradients)
        .map(|(a, b)| (a.to_f64() - b).abs() / (absolute + relative * scale));
    // A NaN counts as a disagreement.
    let errors = value_error.chain(gradient_error);
    Ok(errors.fold(
        0.0,
        |worst, error| if error <= worst { worst } else { error },
    ))
}

fn cases() -> Vec<Value> {
    let parse = |text| serde_json::from_str::<Vec<Value>>(text).unwrap();
    GOLDEN.into_iter().flat_map(parse).collect()
}

#[test]
fn double_precision_agrees_to_a_billionth() {
    let mut failures = Vec::new();
    for case in cases() {
        let name = case["name"].as_str().unwrap();
        match disagreement::<f64>(&case, 1e-9, 1e-12) {
            Ok(error) if error <= 1.0 => {}
            Ok(error) => failures.push(format!("{name}: {error:.3e}")),
            Err(mistakes) => failures.push(format!("{name}: {mistakes}")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn single_precision_agrees_to_a_ten_thousandth() {
    let mut failures = Vec::new();
    for case in cases() {
        let name = case["name"].as_str().unwrap();
        match disagreement::<f32>(&case, 1e-4, 1e-5) {
            Ok(error) if error <= 1.0 => {}
            Ok(error) => failures.push(format!("{name}: {error:.3e}")),
            Err(mistakes) => failures.push(format!("{name}: {mistakes}")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn subgradients_are_those_of_the_shared_fixture() {
    // Recorded once from PyTorch: ties and zeros, one expression each.
    let expected = [
        (
            "torch.cummax(x, 0)[0].sum()",
            [1.0, 3.0, 3.0],
            [1.0, 1.0, 1.0],
        ),
        ("x.max(dim=0)[0]", [1.0, 3.0, 3.0], [0.0, 1.0, 0.0]),
        ("x.amax(dim=0)", [1.0, 3.0, 3.0], [0.0, 0.5, 0.5]),
        ("x.max()", [1.0, 3.0, 3.0], [0.0, 0.5, 0.5]),
        ("x.min(dim=0)[0]", [3.0, 1.0, 1.0], [0.0, 1.0, 0.0]),
        ("x.norm()", [0.0; 3], [0.0; 3]),
        ("x.norm().pow(2)", [0.0; 3], [0.0; 3]),
        ("torch.linalg.norm(x)", [0.0; 3], [0.0; 3]),
        ("x.abs().sum()", [0.0; 3], [0.0; 3]),
        ("torch.relu(x).sum()", [0.0; 3], [0.0; 3]),
        ("x.clamp(min=0).sum()", [0.0; 3], [0.0; 3]),
        (
            "torch.maximum(x, torch.tensor([3.0, 3.0, 3.0])).sum()",
            [3.0; 3],
            [0.5; 3],
        ),
    ];
    for (text, at, wanted) in expected {
        let source = format!(
            "num_stages = 1\ndef stage1_guidance(k, a):\n    x = a[0, 1]\n    return {text}\n"
        );
        let mut options = CompileOptions::new(0, 2);
        options.judge_purpose = false;
        let program = compile(&source, &options).unwrap();
        let trajectory = [0.0, 0.0, 0.0, at[0], at[1], at[2]];
        let (mut value, mut gradient) = ([0.0], [0.0; 6]);
        Evaluator::<f64>::new(&program.stages[0].guidance, 1)
            .evaluate(&[], &trajectory, &mut value, Some(&mut gradient))
            .unwrap();
        assert_eq!(gradient[3..], wanted, "{text}");
    }
}
