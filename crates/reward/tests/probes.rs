//! Random programs mean what they mean in PyTorch and NumPy: views, copies, writes in place, dtypes.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

use serde_json::Value;
use tiller_reward::{CompileOptions, Evaluator, Limits, compile};

/// Programs in a hundred that may be refused though Python runs them.
const MAX_REFUSED_PERCENT: usize = 3;

fn numbers(value: &Value) -> Vec<f64> {
    let items = value.as_array().unwrap().iter();
    items.map(|number| number.as_f64().unwrap()).collect()
}

/// The fixture, or the file that `PROBES` names: `golden/probes.py` writes more of them.
fn fixture() -> Value {
    let text = match std::env::var("PROBES") {
        Ok(path) => std::fs::read_to_string(path).unwrap(),
        Err(_) => include_str!("golden/probes.json").to_owned(),
    };
    serde_json::from_str(&text).unwrap()
}

/// The program around the body that is stored.
fn whole(fixture: &Value, is_numpy: bool, body: &str) -> String {
    let part = |name: &str| fixture[name].as_str().unwrap();
    let library = if is_numpy { "np" } else { "torch" };
    let arrays = if !is_numpy && body.contains("E(") {
        part("arrays")
    } else {
        ""
    };
    let result = part("result").replace('#', library);
    format!("{}{result}{arrays}{body}", part("head"))
}

/// Value and derivative along the fixture's direction, or what the program is refused for.
fn evaluate(fixture: &Value, text: &str) -> Result<(f64, f64), String> {
    let keypoints: Vec<[f64; 3]> = fixture["keypoints"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| numbers(point).try_into().unwrap())
        .collect();
    let path = numbers(&fixture["path"]);
    let mut options = CompileOptions::new(keypoints.len(), path.len() / 3);
    options.judge_purpose = false;
    options.limits = Limits {
        work: 2_000_000,
        ..Limits::default()
    };
    let program = compile(text, &options).map_err(|mistakes| mistakes.to_string())?;
    let (mut value, mut gradient) = ([0.0], vec![0.0; path.len()]);
    Evaluator::<f64>::new(&program.stages[0].guidance, 1)
        .evaluate(&keypoints, &path, &mut value, Some(&mut gradient))
        .map_err(|error| error.to_string())?;
    let weights = numbers(&fixture["weights"]);
    let slope = weights.iter().zip(&gradient).map(|(w, g)| w * g).sum();
    Ok((value[0], slope))
}

fn differs(found: f64, wanted: f64, tolerance: f64) -> bool {
    let error = (found - wanted).abs();
    error.is_nan() || error > tolerance * wanted.abs().max(1.0)
}

#[test]
fn random_programs_mean_what_pytorch_and_numpy_compute() {
    let fixture = fixture();
    let cases = fixture["cases"].as_array().unwrap();
    let (mut wrong, mut refused) = (Vec::new(), Vec::new());
    for case in cases {
        let is_numpy = case[0] == 1;
        let body = case[1].as_str().unwrap();
        let text = whole(&fixture, is_numpy, body);
        match evaluate(&fixture, &text) {
            Ok((value, slope)) => {
                // NumPy's derivatives come from differences.
                let tolerance = if is_numpy { 2e-6 } else { 1e-9 };
                let wanted = case[2].as_f64().unwrap();
                let wanted_slope = case[3].as_f64();
                if differs(value, wanted, 1e-9)
                    || wanted_slope.is_some_and(|wanted| differs(slope, wanted, tolerance))
                {
                    wrong.push(format!(
                        "{body}value {value} for {wanted}, slope {slope} for {wanted_slope:?}\n"
                    ));
                }
            }
            Err(mistakes) => refused.push(format!("{body}{mistakes}\n")),
        }
    }
    println!("{} programs, {} refused", cases.len(), refused.len());
    if std::env::var("PROBES").is_ok() {
        refused.iter().for_each(|one| println!("REFUSED\n{one}"));
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(cases.len() >= 2500 || std::env::var("PROBES").is_ok());
    assert!(
        refused.len() * 100 <= cases.len() * MAX_REFUSED_PERCENT,
        "{} of {} refused:\n{}",
        refused.len(),
        cases.len(),
        refused[..refused.len().min(20)].join("\n")
    );
}
