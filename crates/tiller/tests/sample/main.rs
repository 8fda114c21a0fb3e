//! `tiller observe` and `tiller sample` as a user meets them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;
use tiller_closed_loop::{PlanRequest, Planner, PlannerConfig};
use tiller_policy::{Bundle, ImageView, Observation, Policy, RuntimeOptions};
use tiller_reward::{CompileOptions, compile};
use tiller_steering::SteeringConfig;

const WANDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/controls/wander");

fn tiller(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tiller"))
        .args(arguments)
        .output()
        .unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A folder with the inputs, and calls of the command in it.
struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().to_str().unwrap();
        let observe = [
            "observe",
            "--seed",
            "1",
            "--task",
            "drawer_open",
            "--out",
            out,
        ];
        let output = tiller(&observe);
        assert_eq!(code(&output), 0, "{}", err(&output));
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.path(name)).unwrap()).unwrap()
    }

    fn sample(&self, more: &[&str]) -> Output {
        let [observation, keypoints, program, trace] = [
            "observation.json",
            "keypoints.json",
            "program.py",
            "trace.json",
        ]
        .map(|name| self.text(name));
        let usual = [
            "sample",
            "--policy",
            WANDER,
            "--observation",
            &observation,
            "--keypoints",
            &keypoints,
            "--program",
            &program,
            "--trace",
            &trace,
        ];
        tiller(&[&usual[..], more].concat())
    }

    /// The trace of a sample, less what is measured.
    fn trace(&self, more: &[&str]) -> Value {
        let output = self.sample(more);
        assert_eq!(code(&output), 0, "{}", err(&output));
        let mut trace = self.json("trace.json");
        assert!(trace["timings_ms"]["plan"].as_f64().unwrap() > 0.0);
        trace.as_object_mut().unwrap().remove("timings_ms");
        trace
    }

    /// The message after one file was changed.
    fn refusal(&self, file: &str, text: &str) -> String {
        let before = fs::read(self.path(file)).unwrap();
        fs::write(self.path(file), text).unwrap();
        let output = self.sample(&[]);
        fs::write(self.path(file), before).unwrap();
        assert_eq!(code(&output), 2, "{}", err(&output));
        err(&output)
    }
}

fn mean_reward(trace: &Value) -> f64 {
    let candidates = trace["candidates"].as_array().unwrap();
    let sum: f64 = candidates
        .iter()
        .map(|c| c["reward"].as_f64().unwrap())
        .sum();
    sum / candidates.len() as f64
}

#[test]
fn help_shows_commands_that_can_be_pasted() {
    for (command, words) in [
        (
            "sample",
            [
                "--observation",
                "tiller observe --seed 1",
                "world_from_camera",
            ],
        ),
        (
            "observe",
            ["observation.json", "program.py", "--instruction"],
        ),
    ] {
        let help = String::from_utf8(tiller(&[command, "--help"]).stdout).unwrap();
        for word in words {
            assert!(help.contains(word), "{word} is missing in\n{help}");
        }
    }
}

#[test]
fn two_runs_and_any_number_of_threads_give_the_same_bits() {
    let bench = Bench::new();
    let first = bench.trace(&["--threads", "1"]);
    assert_eq!(bench.trace(&["--threads", "1"]), first);
    assert_eq!(bench.trace(&["--threads", "2"]), first);
    assert_ne!(bench.trace(&["--seed", "1"])["chunk"], first["chunk"]);
    assert_ne!(
        bench.trace(&["--chunk-index", "1"])["chunk"],
        first["chunk"]
    );
}

#[test]
fn steering_raises_the_reward_of_the_candidates() {
    let bench = Bench::new();
    let steered = mean_reward(&bench.trace(&[]));
    let unsteered = bench.trace(&["--steer", "off"]);
    assert_eq!(unsteered["steered"], false);
    assert!(steered > mean_reward(&unsteered) + 0.05, "{steered}");
}

#[test]
fn the_trace_holds_every_particle_in_every_step() {
    let bench = Bench::new();
    let trace = bench.trace(&["--particles", "7"]);
    let length = |value: &Value| value.as_array().map(Vec::len);
    let steps = trace["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 10);
    for step in steps {
        for key in ["rewards", "gradient_norms", "trajectories_m"] {
            assert_eq!(length(&step[key]), Some(7), "{key} of {step}");
        }
        assert_eq!(length(&step["trajectories_m"][0]), Some(17));
        let resampled = step["resampled"].as_bool().unwrap();
        assert_eq!(length(&step["ancestors"]), resampled.then_some(7));
    }
    // No reward is known before guidance starts: not a number, which JSON has no word for.
    assert_eq!(steps[0]["rewards"][0], Value::Null);
    assert!(steps[9]["rewards"][0].is_number());
    assert_eq!(length(&trace["candidates"]), Some(7));
    assert_eq!(length(&trace["candidates"][6]["trajectory_m"]), Some(17));
    assert_eq!(length(&trace["chunk"]), Some(16));
    assert_eq!(length(&trace["chunk"][0]), Some(4));
    let weights = trace["candidates"].as_array().unwrap().iter();
    let sum: f64 = weights.map(|c| c["weight"].as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-9, "{sum}");
    let picture = image::open(bench.path("trace.png")).unwrap();
    assert_eq!((picture.width(), picture.height()), (1600, 900));
}

/// What nodes/steered-sampler does between a moment and a chunk.
#[test]
fn the_chunk_is_the_one_that_the_node_would_send() {
    let bench = Bench::new();
    let trace = bench.trace(&["--seed", "5", "--chunk-index", "3"]);
    let bundle = Bundle::load(Path::new(WANDER)).unwrap();
    let mut policy = Policy::open(&bundle, &RuntimeOptions::default()).unwrap();
    let mut steering = SteeringConfig::default();
    policy.configure(&mut steering);
    let config = PlannerConfig {
        steering,
        execute_steps: policy.manifest().execute_steps,
        ..PlannerConfig::default()
    };
    let mut planner =
        Planner::new(config, policy.action_space(), policy.manifest().horizon).unwrap();
    let keypoints = bench.json("keypoints.json");
    let keypoints: Vec<[f64; 3]> = serde_json::from_value(keypoints["keypoints"].clone()).unwrap();
    let seen = bench.json("observation.json");
    let position = |key: &str| -> [f64; 3] { serde_json::from_value(seen[key].clone()).unwrap() };
    let state: Vec<f64> = serde_json::from_value(seen["state"].clone()).unwrap();
    let state: Vec<f32> = state.into_iter().map(|number| number as f32).collect();
    let text = fs::read_to_string(bench.path("program.py")).unwrap();
    let options = CompileOptions::new(keypoints.len(), planner.points());
    let program = Arc::new(compile(&text, &options).unwrap());
    let images = ["static", "wrist"].map(|name| {
        let image = image::open(bench.path(&format!("{name}.png"))).unwrap();
        (name, image.to_rgb8())
    });
    let views = [0, 1].map(|index: usize| ImageView {
        name: images[index].0,
        width: 256,
        height: 256,
        rgb: images[index].1.as_raw(),
    });
    policy
        .encode(&Observation {
            images: &views,
            state: &state,
            environment: &[],
            instruction: "",
        })
        .unwrap();
    let request = PlanRequest {
        seed: 5,
        chunk_index: 3,
        ..PlanRequest::outside_of_runs(
            Some(program),
            1,
            &keypoints,
            position("anchor"),
            position("end_effector"),
        )
    };
    let plan = planner.plan(&mut policy, &request).unwrap();
    let chunk: Vec<Vec<f32>> = serde_json::from_value(trace["chunk"].clone()).unwrap();
    assert_eq!(chunk.concat(), plan.chunk);
    assert_eq!(trace["selected"], json!(plan.selected));
}

#[test]
fn an_observation_that_does_not_fit_is_explained() {
    let bench = Bench::new();
    let with = |key: &str, value: Value| {
        let mut seen = bench.json("observation.json");
        seen[key] = value;
        bench.refusal("observation.json", &seen.to_string())
    };
    let image = |file: &str| json!({"static": file, "wrist": "wrist.png"});
    let camera = |resolution: Value| {
        let mut cameras = bench.json("observation.json")["cameras"].clone();
        cameras["static"]["resolution"] = resolution;
        cameras
    };
    let cases = [
        (
            with("images", image("gone.png")),
            "`images.static`: cannot read the image",
        ),
        (
            with("images", image("scene.png")),
            "expected 256 x 256 pixels of rgb8, found 768 x 768",
        ),
        (
            with("images", json!({"static": 3})),
            "`images.static`: expected the name of an image file, found a number",
        ),
        (
            with("state", json!([1, 2])),
            "robot state: expected 4 finite numbers, found [1.0, 2.0]",
        ),
        (
            with("state", json!([1, 2, 3, "a"])),
            "`state[3]`: expected a finite number, found a string",
        ),
        (
            with("anchor", json!([1, 2])),
            "`anchor`: expected [x, y, z], found a list of 2",
        ),
        (
            with("hand", json!(1)),
            "`hand` is not known: expected images, state",
        ),
        (
            with("cameras", camera(json!([128]))),
            "`cameras.static.resolution`: expected [cx, cy] in pixels, found a list of 1",
        ),
        (
            bench.refusal("observation.json", "{\"state\": ["),
            "is not JSON",
        ),
        (bench.refusal("observation.json", "[]"), "the list is empty"),
        (
            bench.refusal("keypoints.json", "{\"keypoints\": 3}"),
            "`keypoints`: expected a list, found a number",
        ),
    ];
    for (found, expected) in cases {
        assert!(found.contains(expected), "{expected}\n{found}");
    }
    let mut two = bench.json("observation.json");
    two = json!([two, two]);
    two[1]["anchor"] = json!("here");
    let found = bench.refusal("observation.json", &two.to_string());
    assert!(
        found.contains("`[1].anchor`: expected [x, y, z], found a string"),
        "{found}"
    );
}

#[test]
fn other_mistakes_are_explained() {
    let bench = Bench::new();
    let cases = [
        (vec!["--policy", "nobody"], "no policy `nobody`"),
        (
            vec!["--stage", "9"],
            "stage 9 does not exist, the program has stages 1 to",
        ),
        (vec!["--particles", "0"], "1..=4096"),
        (vec!["--guide-scale", "nan"], "guide_scale"),
    ];
    for (arguments, expected) in cases {
        // A later option of the same name is refused, so the usual policy is left out.
        let observation = bench.text("observation.json");
        let [keypoints, program] = ["keypoints.json", "program.py"].map(|name| bench.text(name));
        let mut all = vec![
            "sample",
            "--observation",
            &observation,
            "--keypoints",
            &keypoints,
            "--program",
            &program,
        ];
        if arguments[0] != "--policy" {
            all.extend(["--policy", WANDER]);
        }
        all.extend(arguments);
        let output = tiller(&all);
        assert_eq!(code(&output), 2, "{}", err(&output));
        assert!(
            err(&output).contains(expected),
            "{expected}\n{}",
            err(&output)
        );
    }
    // The program reads a keypoint that is not there.
    fs::write(bench.path("keypoints.json"), "{\"keypoints\": []}").unwrap();
    let output = bench.sample(&[]);
    assert_eq!(code(&output), 1);
    assert!(
        err(&output).contains("error[keypoint-index]"),
        "{}",
        err(&output)
    );
    fs::write(
        bench.path("program.py"),
        "num_stages = 1\ndef stage1_guidance(",
    )
    .unwrap();
    let output = bench.sample(&[]);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("error[syntax]"), "{}", err(&output));
    assert!(!bench.path("trace.json").exists());
}

#[test]
fn neither_program_nor_camera_nor_anchor_is_needed() {
    let bench = Bench::new();
    let mut seen = bench.json("observation.json");
    for key in ["anchor", "end_effector", "cameras"] {
        seen.as_object_mut().unwrap().remove(key);
    }
    fs::write(
        bench.path("observation.json"),
        json!([seen, seen]).to_string(),
    )
    .unwrap();
    let picture = bench.text("seen.png");
    let observation = bench.text("observation.json");
    let output = tiller(&[
        "sample",
        "--policy",
        WANDER,
        "--observation",
        &observation,
        "--picture",
        &picture,
        "--json",
    ]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert!(
        err(&output).contains("the last 1 of 2 observations"),
        "{}",
        err(&output)
    );
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["steered"], false);
    assert_eq!(value["candidates"][0]["reward"], Value::Null);
    assert_eq!(value["candidates"].as_array().unwrap().len(), 20);
    assert!(Path::new(&picture).is_file());
}

#[test]
fn an_author_that_does_not_understand_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("seen");
    let output = tiller(&[
        "observe",
        "--out",
        out.to_str().unwrap(),
        "--instruction",
        "make coffee",
    ]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("make coffee"), "{}", err(&output));
    assert!(!out.exists());
}
