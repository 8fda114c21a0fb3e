//! What a reward is good for: inert ones are refused, doubtful ones remarked, sound ones neither.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

use serde_json::Value;
use tiller_reward::{CompileOptions, Kind, Moment, Program, compile};

fn guidance(body: &str) -> String {
    let body = body.replace('\n', "\n    ");
    format!("num_stages = 1\ndef stage1_guidance(keypoints, action_sequence):\n    {body}\n")
}

fn done(body: &str) -> String {
    let reach = guidance("return -torch.norm(action_sequence - keypoints[0], dim=-1).mean()");
    let parameters = "keypoints, start_keypoints, end_effector, rotation, gripper_width_m";
    let body = body.replace('\n', "\n    ");
    format!("{reach}def stage1_done({parameters}):\n    {body}\n")
}

fn compiled(text: &str) -> Program {
    compile(text, &CompileOptions::new(3, 15))
        .unwrap_or_else(|mistakes| panic!("{}", mistakes.render(text)))
}

/// What is said about a program, whether it is refused or not.
fn kinds(text: &str) -> Vec<Kind> {
    let items = match compile(text, &CompileOptions::new(3, 15)) {
        Ok(program) => program.remarks,
        Err(mistakes) => mistakes.items,
    };
    items.iter().map(|item| item.kind).collect()
}

#[test]
fn rewards_that_no_action_changes_are_refused() {
    let bodies = [
        // The current point alone.
        "return -torch.norm(action_sequence[0, 0] - keypoints[0])",
        "hand = action_sequence[0][0]\nreturn -torch.norm(hand - keypoints[0])",
        "path = action_sequence[0]\nreturn -torch.norm(path[0] - keypoints[0])",
        "x, y, z = action_sequence[0, 0]\nreturn -(z - keypoints[0, 2]).abs()",
        // The particle taken for a point.
        "n = action_sequence.shape[0]\nreward = 0.0\nfor t in range(1, n):\n    reward = reward - torch.norm(action_sequence[:, t] - keypoints[0])\nreturn reward",
        "return -torch.diff(action_sequence, dim=0).norm(dim=-1).sum()",
        "v = action_sequence[1:, :, :] - action_sequence[:-1, :, :]\nreturn -v.abs().sum()",
        // Saturated, clamped, cut.
        "d = torch.norm(action_sequence - keypoints[0], dim=-1)\nreturn torch.sigmoid((2.0 - d) / 0.001).mean()",
        "d = torch.norm(action_sequence - keypoints[0], dim=-1)\nreturn -d.clamp(min=5.0).mean()",
        "d = torch.norm(action_sequence - keypoints[0], dim=-1)\nreturn -torch.clamp(d, max=1e-4).mean()",
        "d = torch.norm(action_sequence - keypoints[0], dim=-1)\nreturn torch.where(d > 3.0, d, 0.5 * torch.ones_like(d)).mean()",
    ];
    for body in bodies {
        let found = kinds(&guidance(body));
        let is_refused = matches!(found[..], [Kind::Inert] | [Kind::NoDependence]);
        assert!(is_refused, "{found:?}: {body}");
    }
}

#[test]
fn rewards_that_only_look_strange_are_left_alone() {
    let bodies = [
        "return 0",
        "return 0.0 * action_sequence.sum()",
        "return (action_sequence * 0).mean()",
        "return torch.zeros(action_sequence.shape[0]).sum()",
        // One particle, and its points.
        "path = action_sequence[0]\nreturn -torch.norm(path[-1] - keypoints[0])",
        "return -torch.norm(action_sequence[0] - keypoints[0], dim=-1).mean()",
        "return -torch.norm(action_sequence[-1][-1] - keypoints[0])",
        "last = action_sequence[-1]\nreturn -torch.norm(last[-1] - keypoints[0])",
        "path = action_sequence[0]\nreturn -(path[1:] - path[:-1]).norm(dim=-1).sum()",
        "action_sequence = action_sequence.squeeze(0)\nT = action_sequence.shape[0]\nw = torch.linspace(0, 1, T)\nreturn -(w * torch.norm(action_sequence - keypoints[0], dim=-1)).sum()",
        "B = action_sequence.shape[0]\ntotal = 0.0\nfor b in range(B):\n    total = total - torch.norm(action_sequence[b, -1] - keypoints[0])\nreturn total / B",
        "B, T, _ = action_sequence.shape\nw = torch.linspace(0, 1, T)\nreturn -(w * torch.norm(action_sequence - keypoints[0], dim=-1)).sum() / B",
        // Flat only where nothing is better.
        "return -torch.relu(0.14 - action_sequence[..., 2]).mean()",
        "o = torch.norm(action_sequence - keypoints[1], dim=-1)\nreturn -10 * F.relu(0.1 - o).mean()",
        // Distances in other forms.
        "return torch.exp(-torch.norm(action_sequence - keypoints[0], dim=-1) / 0.03).mean()",
        "return torch.exp(-(action_sequence - keypoints[0]).pow(2).sum(-1) / (2 * 0.1 ** 2)).mean()",
        "before = torch.norm(action_sequence[:, 0] - keypoints[0], dim=-1)\nafter = torch.norm(action_sequence[:, -1] - keypoints[0], dim=-1)\nreturn (before - after).mean()",
        "d = torch.norm(action_sequence - keypoints[0], dim=-1)\no = torch.norm(action_sequence - keypoints[1], dim=-1)\nreturn -d.mean() - 10 * F.relu(0.1 - o).mean()",
        "t = keypoints[0] + torch.tensor([0.0, 0.0, 0.15])\nreturn -torch.norm(action_sequence - t, dim=-1).mean()",
        // Millimetres on purpose.
        "t = keypoints[0] * 1000 + torch.tensor([0.0, 0.0, 50.0])\nreturn -torch.norm(action_sequence * 1000 - t, dim=-1).mean()",
    ];
    for body in bodies {
        let text = guidance(body);
        let remarks = compiled(&text).remarks;
        assert!(remarks.is_empty(), "{}: {body}", remarks[0]);
    }
}

#[test]
fn rewards_with_the_wrong_sign_are_remarked_in_every_form() {
    let bodies = [
        "return (action_sequence[:, -1] - keypoints[0]).pow(2).sum()",
        "d = torch.norm(action_sequence - keypoints[0], dim=-1)\nreturn -torch.exp(-d / 0.1).mean()",
        "d = torch.norm(action_sequence - keypoints[0], dim=-1)\nreturn -(1.0 / (d + 0.01)).mean()",
        "d = torch.norm(action_sequence - keypoints[0], dim=-1)\nreturn 1.0 - d.mean() + 3 * d.mean()",
        "return torch.norm(action_sequence - torch.tensor([0.5, 0.0, 0.2]), dim=-1).mean()",
        "return torch.norm(action_sequence[:, 1:] - action_sequence[:, :-1], dim=-1).sum()",
    ];
    for body in bodies {
        assert_eq!(kinds(&guidance(body)), [Kind::Repelled], "{body}");
    }
}

#[test]
fn a_comparison_is_read_as_its_sign_and_false_is_never_complete() {
    let bodies = [
        "return torch.norm(end_effector - keypoints[0]) < 0.03",
        "return ((end_effector - keypoints[0]).abs() < 0.03).all()",
        "o = end_effector - keypoints[0]\nreturn (torch.norm(o[:2]) < 0.03) & (o[2].abs() < 0.03)",
        "o = end_effector - keypoints[0]\nreturn torch.logical_and(torch.norm(o[:2]) < 0.03, o[2].abs() < 0.03)",
    ];
    let keypoints = [[0.5, 0.1, 0.2], [0.4, 0.0, 0.1], [0.3, 0.2, 0.1]];
    for body in bodies {
        let program = compiled(&done(body));
        assert_eq!(program.remarks[0].kind, Kind::DoneComparison, "{body}");
        let value = |hand| {
            let moment = Moment::at(&keypoints, &keypoints, hand);
            program.stages[0].done.as_ref().unwrap().value(&moment)
        };
        assert_eq!(value([0.51, 0.1, 0.2]).unwrap(), 1.0, "{body}");
        assert_eq!(value([0.6, 0.1, 0.2]).unwrap(), -1.0, "{body}");
    }
}

#[test]
fn done_functions_that_are_never_negative_are_refused() {
    let bodies = [
        "return (torch.norm(end_effector - keypoints[0]) < 0.03).float()",
        "return torch.where(torch.norm(end_effector - keypoints[0]) < 0.03, 1.0, 0.0)",
        "return 1.0 * (torch.norm(end_effector - keypoints[0]) < 0.03)",
        "return torch.norm(end_effector - keypoints[0])",
        "return torch.sigmoid((0.03 - torch.norm(end_effector - keypoints[0])) / 0.01)",
        // True everywhere: 30 millimetres.
        "return torch.norm(end_effector - keypoints[0]) < 30",
        "return 30.0 - torch.norm(end_effector - keypoints[0])",
        "return gripper_width_m",
        "return True",
        "return 0",
    ];
    for body in bodies {
        assert_eq!(kinds(&done(body)), [Kind::DoneSign], "{body}");
    }
}

#[test]
fn done_functions_that_begin_and_end_are_left_alone() {
    let bodies = [
        "return 0.03 - torch.norm(end_effector - (keypoints[0] + torch.tensor([0.0, 0.0, 0.1])))",
        "return 0.003 - torch.norm(end_effector - torch.tensor([0.5, 0.1, 0.3]))",
        "return torch.norm(keypoints[0] - start_keypoints[0]) - 0.1",
        "return keypoints[0][2] - start_keypoints[0][2] - 0.05",
        "return keypoints[0][2] - 0.01",
        "return 0.03 - torch.norm(keypoints[0] - keypoints[1])",
        "return 0.02 - torch.norm(keypoints[0][:2] - keypoints[1][:2] - torch.tensor([0.1, 0.05]))",
        "o = end_effector - keypoints[0]\nreturn torch.minimum(0.02 - torch.norm(o[:2]), 0.03 - torch.abs(o[2] - 0.1))",
        "return torch.sigmoid((0.03 - torch.norm(end_effector - keypoints[0])) / 0.01) - 0.5",
        "return gripper_width_m - 0.06",
        "return 0.005 - gripper_width_m",
        "return -rotation[2, 2] - 0.9",
        "return rotation[2, 0] - 0.9",
    ];
    for body in bodies {
        let text = done(body);
        let remarks = compiled(&text).remarks;
        assert!(remarks.is_empty(), "{}: {body}", remarks[0]);
    }
}

/// Whole programs as models write them: some push without end, and some were made to be strange.
#[test]
fn whole_programs_are_remarked_on_only_where_they_have_no_end() {
    let cases: Value = serde_json::from_str(include_str!("golden/programs.json")).unwrap();
    let mut found = Vec::new();
    for case in cases.as_array().unwrap() {
        let (name, source) = (
            case["name"].as_str().unwrap(),
            case["source"].as_str().unwrap(),
        );
        let keypoints = case["keypoints"].as_array().unwrap().len();
        let trajectory = case["trajectories"][0].as_array().unwrap().len();
        let options = CompileOptions::new(keypoints, trajectory / 3);
        let program = compile(source, &options).unwrap();
        let kinds = program.remarks.iter().map(|remark| remark.kind.code());
        found.extend(kinds.map(|kind| format!("{name}: {kind}")));
    }
    insta::assert_snapshot!(found.join("\n"));
}
