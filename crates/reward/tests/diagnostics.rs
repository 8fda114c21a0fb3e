//! Diagnostics read well: what, where, what was expected, what was found, how to mend it.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

use tiller_reward::{CompileOptions, compile};

/// The rendered mistakes of a program for 3 keypoints and 9 points.
fn mistakes(text: &str) -> String {
    match compile(text, &CompileOptions::new(3, 9)) {
        Ok(_) => "accepted\n".to_owned(),
        Err(mistakes) => mistakes.render(text),
    }
}

fn stage(body: &str) -> String {
    let body = body.trim_matches('\n');
    mistakes(&format!(
        "num_stages = 1\ndef stage1_guidance(keypoints, action_sequence):\n{body}\n"
    ))
}

#[test]
fn keypoint_out_of_range() {
    insta::assert_snapshot!(stage(
        "    return -torch.norm(action_sequence - keypoints[3], dim=-1).mean()"
    ));
}

#[test]
fn shapes_that_do_not_fit() {
    insta::assert_snapshot!(stage(
        "    weights = torch.linspace(0, 1, 5)
    d = torch.norm(action_sequence - keypoints[0], dim=-1)
    return -(d * weights).sum()"
    ));
}

#[test]
fn invented_function() {
    insta::assert_snapshot!(stage(
        "    d = torch.nrom(action_sequence - keypoints[0], dim=-1)
    e = torch.smooth_distance(action_sequence)
    f = action_sequence.pinv()
    return -d.mean()"
    ));
}

#[test]
fn missing_reduction() {
    insta::assert_snapshot!(stage(
        "    return -torch.norm(action_sequence - keypoints[0], dim=-1)"
    ));
}

#[test]
fn several_mistakes_at_once() {
    insta::assert_snapshot!(mistakes(
        "Here you are:
```python
import os
num_stages = 2
def stage1_guidance(keypoints, action_sequence):
    target = keypoint[0] + torch.tensor([0, 0, 0.1])
    unused = target * 2
    return -helper(action_sequence, target)

def stage1_done(keypoints, end_effector):
    return 1
```"
    ));
}

#[test]
fn control_flow_on_positions() {
    insta::assert_snapshot!(stage(
        "    if action_sequence[0, 0, 2] > 0.1:
        return action_sequence.sum()
    low = action_sequence[action_sequence < 0.1]
    return low.sum()"
    ));
}

#[test]
fn no_dependence_on_the_trajectory() {
    insta::assert_snapshot!(stage("    return -torch.norm(keypoints[0] - keypoints[1])"));
}

#[test]
fn a_gradient_that_is_zero_everywhere() {
    insta::assert_snapshot!(stage(
        "    return (action_sequence[..., 2] > 0.1).float().mean()"
    ));
}

#[test]
fn square_root_at_zero() {
    insta::assert_snapshot!(stage(
        "    steps = action_sequence[:, 1:] - action_sequence[:, :-1]
    return -torch.sqrt((steps ** 2).sum(dim=-1)).sum()"
    ));
}

#[test]
fn logarithm_of_a_distance() {
    insta::assert_snapshot!(stage(
        "    d = torch.norm(action_sequence - keypoints[0], dim=-1)
    return -torch.log(d).mean()"
    ));
}

#[test]
fn not_python() {
    insta::assert_snapshot!(stage(
        "    return -torch.norm(action_sequence - keypoints[0], dim=-1"
    ));
}

#[test]
fn forbidden_statements() {
    insta::assert_snapshot!(stage(
        "    from os import system
    try:
        pass
    except ValueError:
        pass
    with open('x') as f:
        x = 1
    y = {1, 2}
    print(y)
    global z
    return action_sequence.sum()"
    ));
}

#[test]
fn gradient_cut_by_tensor() {
    insta::assert_snapshot!(stage(
        "    p = torch.tensor([action_sequence[0, -1, 0], 0.1, 0.2])
    return -torch.norm(p - keypoints[0])"
    ));
}

#[test]
fn stage_without_function() {
    insta::assert_snapshot!(mistakes(
        "num_stages = 2
def stage1_guidance(keypoints, action_sequence):
    return 0
def stage3_guidance(keypoints, action_sequence):
    return 0
"
    ));
}

#[test]
fn no_number_of_stages() {
    insta::assert_snapshot!(mistakes(
        "def stage1_guidance(keypoints, action_sequence):\n    return 0\n"
    ));
}

#[test]
fn no_program_at_all() {
    insta::assert_snapshot!(mistakes("I am sorry, I cannot help with that."));
}

#[test]
fn wrong_arguments() {
    insta::assert_snapshot!(stage(
        "    a = torch.norm(action_sequence, axis=-1, order=2)
    b = action_sequence.sum(dim=3)
    c = action_sequence[0, 9]
    d = torch.stack([action_sequence, keypoints])
    return a + b + c + d"
    ));
}

#[test]
fn machine_readable_forms() {
    let text = "num_stages = 1\ndef stage1_guidance(k, a):\n    return a.summ()\n";
    let mistakes = compile(text, &CompileOptions::new(3, 9)).unwrap_err();
    let json: serde_json::Value = serde_json::from_str(&mistakes.to_json()).unwrap();
    assert_eq!(json[0]["kind"], "unknown-operation");
    assert_eq!(json[0]["line"], 3);
    assert_eq!(json[0]["help"], "did you mean `sum`?");
    let (start, end) = (
        json[0]["start"].as_u64().unwrap(),
        json[0]["end"].as_u64().unwrap(),
    );
    assert_eq!(&text[start as usize..end as usize], "summ");
    insta::assert_snapshot!(mistakes.to_string());
}
