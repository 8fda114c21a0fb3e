//! Answers that are expensive to take apart: many marks, fences, drafts and JSON values.

use super::Attack;

const PROGRAM: &str = "num_stages = 1\ndef stage1_guidance(k, a):\n    return -(a - k[0]).norm()\n";
const BYTES: usize = 127 * 1024;

/// Each unit as often as a text may hold it, after a program and before one.
macro_rules! repeated {
    ($($unit:literal),* $(,)?) => {
        vec![$(
            (concat!("answer with ", $unit, " after it"), format!("{PROGRAM}{}", many($unit))),
            (concat!("answer with ", $unit, " before it"), format!("{}\n{PROGRAM}", many($unit))),
        )*]
    };
}

fn many(unit: &str) -> String {
    unit.repeat(BYTES / unit.len())
}

pub(crate) fn attacks() -> Vec<Attack> {
    let mut all = repeated![
        "<think>",
        "<think>\n",
        "</think>",
        "x <think> y\n",
        "<think>\n</think>\n",
        "[/THINK]",
        "<|channel|>analysis",
        "<|channel|>final<|message|>",
        "<|a|>",
        "\u{25c1}think\u{25b7}",
        "<answer>\n",
        "assistantfinal",
        "<<<<",
        "<a ",
        "<|",
        "x=[",
        "{",
        "[[1,",
        "{\"a\":[0,0,0,0,0,0,",
        "{\"num_stages\":1}",
        "{\"a\":\"num_stages = 1\\ndef stage1_guidance(k,a):\"}\n",
        "{\"thought\":{",
        "\"\\u0041",
        "```\n",
        "~~~\n```\n",
        "```\nnum_stages = 1\n```\n",
        "```\ndef stage1_done(k):\n```\n",
        "```\ndef stage1_guidance1(k):\n pass\n```\n",
        "num_stages = 1\n\nProse here.\n",
        "x = (\n)\n",
        "x = (\n1 2)\n",
        "x = 1 2\n",
        "\"\"\"\n",
        "> num_stages = 1\n",
        ">>> x = 1\n",
        "1 x\n",
        "&lt;",
        "<code><pre>\n",
        "\u{a0}",
        "\r"
    ];
    let functions = |name: &str, parameters: &str| -> String {
        let one = |i| format!("def stage1_{name}{i}({parameters}):\n return 0\n");
        format!("num_stages = 1\n{}", (0..2500).map(one).collect::<String>())
    };
    let scene = "end_effector, keypoints";
    let vectors: String = (0..6000)
        .map(|i| format!(" v=keypoints[{}]-keypoints[{i}]\n", i + 1))
        .collect();
    all.extend([
        ("many rewards a stage", functions("guidance", "k, a")),
        ("many paths a stage", functions("path_constraint", scene)),
        (
            "many vectors between keypoints",
            format!(
                "def stage1_path_constraint1({scene}):\n return 0\ndef stage2_path_constraint1({scene}):\n{vectors} return 0\ngrasp_keypoints = [6000, -1]\n"
            ),
        ),
        (
            "a long loop at every point of a path",
            format!(
                "num_stages = 1\ndef stage1_path_constraint1({scene}):\n x = 0\n for i in range(9000):\n  x = x + end_effector[0]\n return x\n"
            ),
        ),
    ]);
    all
}
