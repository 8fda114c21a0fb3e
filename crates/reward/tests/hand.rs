//! Rewards over the whole hand: rotations, gripper and keypoint axes beside positions.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use serde_json::Value;
use tiller_core::{Reads, Trajectories, TrajectoriesMut};
use tiller_reward::{
    Access, CompileOptions, CompiledReward, EvaluateError, Evaluator, HandAccess, Kind, Moment,
    Program, Real, Scene, compile,
};

fn golden(kind: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("golden/hand.json")).unwrap();
    all[kind].as_array().unwrap().clone()
}

/// All numbers of nested lists, row-major.
fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}

fn points(value: &Value) -> Vec<[f64; 3]> {
    numbers(value).as_chunks::<3>().0.to_vec()
}

fn axes(value: &Value) -> Vec<[[f64; 3]; 3]> {
    points(value).as_chunks::<3>().0.to_vec()
}

/// Numbers of all particles.
#[derive(Clone)]
struct Paths<T> {
    positions: Vec<T>,
    rotations: Vec<T>,
    gripper: Vec<T>,
}

impl<T: Real> Paths<T> {
    fn read(value: &Value, positions: &str) -> Self {
        let read = |name: &str| numbers(&value[name]).into_iter().map(T::from_f64).collect();
        Self {
            positions: read(positions),
            rotations: read("rotations"),
            gripper: read("gripper"),
        }
    }

    fn view(&self) -> Trajectories<'_, T> {
        Trajectories {
            positions: &self.positions,
            rotations: &self.rotations,
            gripper: &self.gripper,
        }
    }

    fn all(&self) -> impl Iterator<Item = f64> {
        let parts = [&self.positions, &self.rotations, &self.gripper];
        parts.into_iter().flatten().map(|number| number.to_f64())
    }
}

/// Values and gradients; everything must be finite.
fn evaluate<T: Real>(
    reward: &CompiledReward,
    scene: &Scene<'_>,
    paths: &Paths<T>,
) -> (Vec<T>, Paths<T>) {
    let particles = paths.gripper.len() / reward.points();
    let mut values = vec![T::ZERO; particles];
    // Whatever was there before is overwritten.
    let stale = |numbers: &[T]| vec![T::from_f64(7.0); numbers.len()];
    let mut slopes = Paths {
        positions: stale(&paths.positions),
        rotations: stale(&paths.rotations),
        gripper: stale(&paths.gripper),
    };
    let wanted = TrajectoriesMut {
        positions: &mut slopes.positions,
        rotations: &mut slopes.rotations,
        gripper: &mut slopes.gripper,
    };
    Evaluator::<T>::new(reward, particles)
        .evaluate_whole(scene, &paths.view(), &mut values, Some(wanted))
        .unwrap();
    (values, slopes)
}

fn compiled(text: &str, keypoints: usize, points: usize) -> Program {
    compile(text, &CompileOptions::new(keypoints, points))
        .map_err(|mistakes| mistakes.render(text))
        .unwrap()
}

fn agrees<T: Real>(tolerance: f64) {
    let cases = golden("guidance");
    assert!(cases.len() >= 7);
    for case in cases {
        let (name, text) = (&case["name"], case["text"].as_str().unwrap());
        let keypoints = points(&case["inputs"]["keypoints"]);
        let keypoint_axes = axes(&case["inputs"]["keypoint_axes"]);
        let scene = Scene {
            keypoints: &keypoints,
            keypoint_axes: &keypoint_axes,
        };
        let paths = Paths::<T>::read(&case["inputs"], "trajectories");
        let wanted = numbers(&case["values"]);
        let points = paths.gripper.len() / wanted.len();
        let program = compiled(text, keypoints.len(), points);
        let (values, slopes) = evaluate(&program.stages[0].guidance, &scene, &paths);
        for (value, wanted) in values.iter().zip(wanted) {
            let value = value.to_f64();
            assert!(
                (value - wanted).abs() <= tolerance,
                "{name}: {value}, not {wanted}"
            );
        }
        let wanted = Paths::<f64>::read(&case["gradients"], "positions");
        let largest = wanted
            .all()
            .fold(1.0_f64, |most, slope| most.max(slope.abs()));
        for (slope, wanted) in slopes.all().zip(wanted.all()) {
            let difference = (slope - wanted).abs();
            assert!(
                difference <= tolerance * largest,
                "{name}: {slope}, not {wanted}"
            );
        }
    }
}

#[test]
fn values_and_gradients_of_the_whole_hand_agree_with_pytorch() {
    agrees::<f64>(1e-9);
    agrees::<f32>(1e-4);
}

#[test]
fn done_functions_see_the_hand_as_pytorch_does() {
    for case in golden("done") {
        let (name, text) = (&case["name"], case["text"].as_str().unwrap());
        let keypoints = points(&case["inputs"]["keypoints"]);
        let keypoint_axes = axes(&case["inputs"]["keypoint_axes"]);
        let start_keypoints = points(&case["start_keypoints"]);
        let program = compiled(text, keypoints.len(), 5);
        let done = program.stages[0].done.as_ref().unwrap();
        for (b, wanted) in numbers(&case["values"]).into_iter().enumerate() {
            let first = |what: &str| case["inputs"][what][b][0].clone();
            let value = done.value(&Moment {
                keypoints: &keypoints,
                start_keypoints: &start_keypoints,
                keypoint_axes: &keypoint_axes,
                end_effector_m: points(&first("trajectories"))[0],
                rotation: axes(&first("rotations"))[0],
                gripper_width_m: numbers(&first("gripper"))[0] * 0.08,
            });
            assert!((value.unwrap() - wanted).abs() < 1e-12, "{name}");
        }
    }
}

const KEYPOINTS: [[f64; 3]; 2] = [[0.5, 0.1, 0.05], [0.4, -0.2, 0.1]];

fn stage(parameters: &str, reward: &str) -> String {
    format!("num_stages = 1\ndef stage1_guidance({parameters}):\n    return {reward}\n")
}

/// Two particles of three points, each its own way.
fn paths() -> Paths<f64> {
    let wave = |count: usize, shift: f64| -> Vec<f64> {
        (0..count)
            .map(|i| 0.4 + 0.3 * (i as f64 * 1.7 + shift).sin())
            .collect()
    };
    Paths {
        positions: wave(18, 0.0),
        rotations: wave(54, 1.0),
        gripper: wave(6, 2.0),
    }
}

/// What every spelling of the same parameters gives: openings minus positions and turns.
#[test]
fn further_parameters_are_bound_by_name_wherever_they_stand() {
    let body =
        "gripper.mean() - (action_sequence - keypoints[0]).norm(dim=-1).mean() + rotations.sum()";
    let spellings = [
        "keypoints, action_sequence, rotations, gripper",
        "keypoints, action_sequence, gripper, rotations",
        "keypoints, action_sequence, rotations=None, gripper=None, keypoint_axes=None",
        "keypoints, rotations, action_sequence, gripper",
        "gripper, rotations, keypoints, action_sequence",
        "keypoints, action_sequence, *, gripper, rotations",
        "keypoints: torch.Tensor, action_sequence: torch.Tensor, gripper: torch.Tensor = None, rotations=None, **kwargs",
    ];
    let scene = Scene::from(&KEYPOINTS[..]);
    let mut known = None;
    for parameters in spellings {
        let program = compiled(&stage(parameters, body), 2, 3);
        let reward = &program.stages[0].guidance;
        let both = Reads {
            rotations: true,
            gripper: true,
        };
        assert_eq!(reward.reads(), both);
        let (values, slopes) = evaluate(reward, &scene, &paths());
        assert!(
            slopes
                .gripper
                .iter()
                .all(|slope| (slope - 1.0 / 3.0).abs() < 1e-12)
        );
        assert!(slopes.rotations.iter().all(|slope| *slope == 1.0));
        assert_eq!(*known.get_or_insert(values.clone()), values, "{parameters}");
    }
}

#[test]
fn what_the_policy_lacks_is_none_where_a_default_stands_and_an_error_where_not() {
    let body =
        "-action_sequence.norm(dim=-1).mean() + (0.0 if gripper is None else gripper.mean())";
    let mut options = CompileOptions::new(2, 3);
    options.hand = HandAccess::POSITIONS;
    let optional = stage("keypoints, action_sequence, gripper=None", body);
    let program = compile(&optional, &options).unwrap();
    assert_eq!(program.stages[0].guidance.reads(), Reads::default());
    for (parameters, name) in [
        ("keypoints, action_sequence, gripper", "gripper"),
        (
            "keypoints, action_sequence, rotations, gripper=None",
            "rotations",
        ),
    ] {
        let text = stage(parameters, body);
        let mistakes = compile(&text, &options).unwrap_err();
        let [mistake] = mistakes.items.as_slice() else {
            panic!("{}", mistakes.render(&text));
        };
        assert_eq!(mistake.kind, Kind::Signature);
        assert_eq!(&text[mistake.place.span.clone()], name);
        assert!(mistake.message.contains(name), "{}", mistake.message);
    }
}

#[test]
fn no_gradient_reaches_what_guidance_may_not_move() {
    let mut options = CompileOptions::new(2, 3);
    options.hand.gripper = Access::Read;
    let parameters = "keypoints, action_sequence, gripper, rotations";
    let text = stage(
        parameters,
        "(gripper * action_sequence[..., 2]).mean() + rotations.mean()",
    );
    let program = compile(&text, &options).unwrap();
    let scene = Scene::from(&KEYPOINTS[..]);
    let (values, slopes) = evaluate(&program.stages[0].guidance, &scene, &paths());
    // It is read all the same.
    let (whole, free) = evaluate(&compiled(&text, 2, 3).stages[0].guidance, &scene, &paths());
    assert_eq!(values, whole);
    assert_eq!(slopes.positions, free.positions);
    assert_eq!(slopes.rotations, free.rotations);
    assert_eq!(slopes.gripper, [0.0; 6]);
    assert!(free.gripper.iter().all(|slope| *slope != 0.0));
    let text = stage(parameters, "-gripper.square().mean()");
    let mistakes = compile(&text, &options).unwrap_err();
    assert_eq!(mistakes.items[0].kind, Kind::NoGradient);
    let said = mistakes.render(&text);
    assert!(said.contains("guidance does not move"), "{said}");
}

#[test]
fn unknown_axes_are_those_of_the_base_frame() {
    let text = stage(
        "keypoints, action_sequence, keypoint_axes",
        "-(action_sequence - (keypoints[0] + 0.1 * keypoint_axes[0, :, 2])).norm(dim=-1).sum()",
    );
    let program = compiled(&text, 2, 3);
    let reward = &program.stages[0].guidance;
    assert_eq!(reward.used_keypoints(), [0]);
    let unit = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let turned = [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]];
    let mut evaluator = Evaluator::<f64>::new(reward, 2);
    let mut value = |keypoint_axes: &[[[f64; 3]; 3]]| {
        let (paths, mut values) = (paths(), [0.0; 2]);
        let scene = Scene {
            keypoints: &KEYPOINTS,
            keypoint_axes,
        };
        let result = evaluator.evaluate_whole(&scene, &paths.view(), &mut values, None);
        result.map(|()| values)
    };
    let unknown = value(&[]);
    assert_eq!(unknown, value(&[unit; 2]));
    // Axes that move count although no keypoint does.
    assert_ne!(unknown, value(&[turned, unit]));
    assert_eq!(unknown, value(&[]));
    let counted = EvaluateError::AxesCount {
        expected: 2,
        found: 1,
    };
    assert_eq!(value(&[unit]), Err(counted));
}

#[test]
fn a_reward_that_reads_more_than_is_given_says_what() {
    let text = stage(
        "keypoints, action_sequence, gripper",
        "(gripper * action_sequence[..., 2]).mean()",
    );
    let program = compiled(&text, 2, 3);
    let mut evaluator = Evaluator::<f64>::new(&program.stages[0].guidance, 2);
    let found = evaluator.evaluate(&KEYPOINTS, &paths().positions, &mut [0.0; 2], None);
    assert_eq!(found, Err(EvaluateError::NotGiven { what: "gripper" }));
}

/// A particle's gradient does not depend on who stands beside it, in every block of lanes.
#[test]
fn many_particles_are_evaluated_like_one() {
    let case = &golden("guidance")[4];
    let text = case["text"].as_str().unwrap();
    let keypoints = points(&case["inputs"]["keypoints"]);
    let keypoint_axes = axes(&case["inputs"]["keypoint_axes"]);
    let scene = Scene {
        keypoints: &keypoints,
        keypoint_axes: &keypoint_axes,
    };
    let few = Paths::<f64>::read(&case["inputs"], "trajectories");
    let many = Paths {
        positions: few.positions.repeat(17),
        rotations: few.rotations.repeat(17),
        gripper: few.gripper.repeat(17),
    };
    let program = compiled(text, keypoints.len(), 5);
    let reward = &program.stages[0].guidance;
    let (few_values, few_slopes) = evaluate(reward, &scene, &few);
    let (values, slopes) = evaluate(reward, &scene, &many);
    assert_eq!(values, few_values.repeat(17));
    assert_eq!(slopes.rotations, few_slopes.rotations.repeat(17));
    assert_eq!(slopes.gripper, few_slopes.gripper.repeat(17));
}
