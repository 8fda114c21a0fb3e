//! Programs in other people's forms mean what PyTorch computes from all their functions: VLS's several
//! rewards a stage, ReKep's constraints.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

use serde_json::Value;
use tiller_reward::{CompileOptions, Evaluator, Kind, Moment, Program, compile};

const KEYPOINTS: usize = 5;
const POINTS: usize = 6;

fn numbers(value: &Value) -> Vec<f64> {
    let items = value.as_array().unwrap().iter();
    items.map(|v| v.as_f64().unwrap()).collect()
}

fn points(value: &Value) -> Vec<[f64; 3]> {
    let items = value.as_array().unwrap().iter();
    items.map(|v| numbers(v).try_into().unwrap()).collect()
}

fn sound(source: &str) -> Program {
    compile(source, &CompileOptions::new(KEYPOINTS, POINTS))
        .unwrap_or_else(|mistakes| panic!("{}", mistakes.render(source)))
}

/// The message and help of the only mistake.
fn mistake(source: &str) -> (Kind, String) {
    let options = CompileOptions {
        judge_purpose: false,
        ..CompileOptions::new(KEYPOINTS, POINTS)
    };
    let mistakes = compile(source, &options).unwrap_err();
    assert_eq!(mistakes.items.len(), 1, "{}", mistakes.render(source));
    let item = &mistakes.items[0];
    let help = item.help.as_deref().unwrap_or_default();
    (item.kind, format!("{}; {help}", item.message))
}

#[test]
fn values_gradients_and_done_agree_with_pytorch() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("golden/others.json")).unwrap();
    assert!(cases.len() >= 5);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let program = sound(case["source"].as_str().unwrap());
        let keypoints = points(&case["keypoints"]);
        let paths = case["trajectories"].as_array().unwrap();
        let flat: Vec<f64> = paths.iter().flat_map(numbers).collect();
        let stages = case["stages"].as_array().unwrap();
        assert_eq!(program.stages.len(), stages.len(), "{name}");
        for (number, (stage, wanted)) in program.stages.iter().zip(stages).enumerate() {
            let name = format!("{name}, stage {}", number + 1);
            let mut values = vec![0.0; paths.len()];
            let mut slopes = vec![0.0; flat.len()];
            Evaluator::<f64>::new(&stage.guidance, paths.len())
                .evaluate(&keypoints, &flat, &mut values, Some(&mut slopes))
                .unwrap();
            let gradients = wanted["gradients"].as_array().unwrap().iter();
            let gradients: Vec<f64> = gradients.flat_map(numbers).collect();
            let pairs = values.iter().zip(numbers(&wanted["values"]));
            for (found, wanted) in pairs.chain(slopes.iter().zip(gradients)) {
                let off = (found - wanted).abs();
                assert!(
                    off <= 1e-12 * (1.0 + wanted.abs()),
                    "{name}: {found} for {wanted}"
                );
            }
            let hand = numbers(&case["hand"]).try_into().unwrap();
            let done = stage.done.as_ref().map(|done| {
                done.value(&Moment::at(&keypoints, &keypoints, hand))
                    .unwrap()
            });
            match (done, wanted["done"].as_f64()) {
                (Some(found), Some(wanted)) => {
                    assert!(
                        (found - wanted).abs() < 1e-12,
                        "{name}: {found} for {wanted}"
                    );
                }
                (found, wanted) => assert_eq!(found, wanted, "{name}"),
            }
        }
    }
}

#[test]
fn a_later_function_of_a_name_replaces_the_earlier_one() {
    for name in ["guidance", "guidance2"] {
        let one = |keypoint| {
            format!("def stage1_{name}(k, a):\n    return -(a - k[{keypoint}]).norm()\n")
        };
        let program = sound(&format!("num_stages = 1\n{}{}", one(1), one(3)));
        assert_eq!(program.stages[0].guidance.used_keypoints(), [3]);
    }
}

#[test]
fn descriptions_come_from_stage_names() {
    let source = "stage_names = ['reach', \"\", 'lift']\nnum_stages = 3\n# Stage 3: up\n";
    let stage = |i| {
        format!("def stage{i}_guidance1(k, a):\n    \"\"\"Doc {i}.\"\"\"\n    return a.sum()\n")
    };
    let program = sound(&format!("{source}{}{}{}", stage(1), stage(2), stage(3)));
    let found: Vec<&str> = program
        .stages
        .iter()
        .map(|s| s.description.as_str())
        .collect();
    assert_eq!(found, ["reach", "Doc 2.", "up"]);
}

#[test]
fn stages_in_other_forms_are_counted_where_no_number_says_them() {
    let guidance = |i| format!("def stage{i}_guidance1(k, a):\n    return a.sum()\n");
    let cost =
        "def stage2_subgoal_constraint1(end_effector, keypoints):\n    return end_effector.sum()\n";
    assert_eq!(sound(&format!("{}{cost}", guidance(1))).stages.len(), 2);
    let (kind, message) = mistake(&guidance(2));
    assert_eq!(kind, Kind::StageCount);
    assert!(message.contains("`num_stages` is not set"), "{message}");
    let (kind, message) = mistake(&format!("num_stages = 1\n{}{}", guidance(1), guidance(2)));
    assert_eq!(kind, Kind::StageFunction);
    assert!(
        message.contains("no stage 2") && message.contains("set `num_stages = 2`"),
        "{message}"
    );
    let (_, message) = mistake(&format!("num_stages = 2\n{}", guidance(1)));
    assert!(
        message.contains("`stage2_guidance` is missing"),
        "{message}"
    );
}

#[test]
fn the_common_parts_of_several_functions_are_computed_once() {
    let one = "def stage1_guidanceN(k, a):\n    return -torch.norm(a - k[0], dim=-1).mean()\n";
    let count = |names: &[&str]| {
        let all: String = names
            .iter()
            .map(|name| one.replace("guidanceN", name))
            .collect();
        sound(&format!("num_stages = 1\n{all}")).stages[0]
            .guidance
            .operations()
    };
    let single = count(&["guidance"]);
    assert_eq!(count(&["guidance1"]), single);
    assert!(count(&["guidance1", "guidance2"]) <= single + 2);
}

#[test]
fn mistakes_name_the_function_that_they_are_in() {
    let good = "num_stages = 1\ndef stage1_guidance1(keypoints, action_sequence):\n    return action_sequence.sum()\n";
    let with = |function: &str| mistake(&format!("{good}{function}"));
    let (kind, message) = with(
        "def stage1_guidance2(keypoints, action_sequence):\n    return (action_sequence - keypoints[0]).norm(dim=-1).mean() / 0.0 + torch.log(keypoints[0][0] - 10)\n",
    );
    assert!(
        matches!(kind, Kind::NotFinite | Kind::Arithmetic),
        "{message}"
    );
    let (kind, message) = with(
        "def stage1_guidance2(keypoints, action_sequence):\n    return torch.log(keypoints[0][0] - 10)\n",
    );
    assert_eq!(kind, Kind::NotFinite);
    assert!(message.contains("`stage1_guidance2`"), "{message}");
    let (kind, message) = with("def stage1_guidance2(keypoints):\n    return 0\n");
    assert_eq!(kind, Kind::Signature);
    assert!(message.contains("`stage1_guidance2`"), "{message}");
    let (kind, message) = with("def stage1_path_constraint1(end_effector):\n    return 0\n");
    assert_eq!(kind, Kind::Signature);
    assert!(
        message.contains("def stage1_path_constraint1(end_effector, keypoints):"),
        "{message}"
    );
    let (kind, _) =
        with("def stage1_path_constraint1(end_effector, keypoints):\n    return keypoints[9][0]\n");
    assert_eq!(kind, Kind::KeypointIndex);
}

#[test]
fn a_stage_that_only_turns_what_is_held_is_left_to_the_policy() {
    let source = "
def stage1_subgoal_constraint1(end_effector, keypoints):
    return np.linalg.norm(end_effector - keypoints[1])
def stage2_subgoal_constraint1(end_effector, keypoints):
    pen_vector = keypoints[1] - keypoints[0]
    z_axis = np.array([0, 0, 1])
    cost = np.linalg.norm(np.cross(pen_vector, z_axis))
    return cost
def stage2_path_constraint1(end_effector, keypoints):
    return get_grasping_cost_by_keypoint_idx(1)
grasp_keypoints = [1, -1]
release_keypoints = [-1, -1]
";
    let program = sound(source);
    assert!(!program.stages[0].is_unguided && program.stages[1].is_unguided);
    // When it stands upright the stage is complete.
    let done = |tip: [f64; 3]| {
        let keypoints = [[0.5, 0.0, 0.1], tip, [0.0; 3], [0.0; 3], [0.0; 3]];
        let moment = Moment::at(&keypoints, &keypoints, [0.5, 0.1, 0.3]);
        program.stages[1]
            .done
            .as_ref()
            .unwrap()
            .value(&moment)
            .unwrap()
    };
    assert!(done([0.5, 0.01, 0.3]) > 0.0 && done([0.6, 0.1, 0.2]) < 0.0);
    // Nothing is held: nothing that the hand does matters.
    let (kind, message) = mistake(&source.replace("grasp_keypoints", "other_keypoints"));
    assert_eq!(kind, Kind::NoDependence);
    assert!(
        message.contains("`stage2_subgoal_constraint1`")
            && message.contains("set `grasp_keypoints`")
    );
}
