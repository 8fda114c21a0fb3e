//! What the embedded author and vision-language models write is accepted and means what it says.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

use tiller_reward::{CompileOptions, EvaluateError, Evaluator, Moment, compile};

const AUTHOR: &str = "\
num_stages = 2
# Stage 1: move above the drawer handle
def stage1_guidance(keypoints, action_sequence):
    handle = keypoints[0]
    offset = torch.tensor([0.0, 0.0, 0.05])
    target = handle + offset
    distances = torch.norm(action_sequence - target, dim=-1)
    weights = torch.linspace(0.5, 1.5, distances.shape[1])
    return -(distances * weights).sum(dim=-1) / weights.sum() - 0.5 * distances[:, -1].min()
def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.03 - torch.norm(end_effector - (keypoints[0] + torch.tensor([0.0, 0.0, 0.05])))
# Stage 2: rest
def stage2_guidance(keypoints, action_sequence):
    return torch.tensor(0.0)
";

#[test]
fn the_embedded_authors_style() {
    let program = compile(AUTHOR, &CompileOptions::new(2, 17)).unwrap();
    assert_eq!(program.stages.len(), 2);
    let stage = &program.stages[0];
    assert_eq!(stage.description, "move above the drawer handle");
    assert!(!stage.is_unguided);
    assert_eq!(stage.guidance.used_keypoints(), [0]);
    let done = stage.done.as_ref().unwrap();
    let handle = [[0.5, 0.1, 0.2], [0.0; 3]];
    let value = |hand| done.value(&Moment::at(&handle, &handle, hand)).unwrap();
    assert!((value([0.5, 0.1, 0.25]) - 0.03).abs() < 1e-12);
    assert!((value([0.5, 0.2, 0.25]) + 0.07).abs() < 1e-12);
    assert_eq!(
        done.value(&Moment::at(&handle[..1], &handle, [0.0; 3])),
        Err(EvaluateError::KeypointCount {
            expected: 2,
            found: 1
        })
    );
    assert!(program.stages[1].is_unguided);
    assert!(program.stages[1].done.is_none());
}

#[test]
fn an_unguided_stage_evaluates_to_zero() {
    let program = compile(AUTHOR, &CompileOptions::new(2, 3)).unwrap();
    let mut evaluator = Evaluator::<f32>::new(&program.stages[1].guidance, 20);
    let (mut values, mut gradients) = ([1.0; 2], [1.0; 18]);
    evaluator
        .evaluate(
            &[[0.0; 3]; 2],
            &[0.5; 18],
            &mut values,
            Some(&mut gradients),
        )
        .unwrap();
    assert_eq!((values, gradients), ([0.0; 2], [0.0; 18]));
}

#[test]
fn keypoints_are_read_at_run_time() {
    let text =
        "num_stages = 1\ndef stage1_guidance(k, a):\n    return -torch.norm(a[:, -1] - k[1])";
    let program = compile(text, &CompileOptions::new(2, 2)).unwrap();
    let mut evaluator = Evaluator::<f64>::new(&program.stages[0].guidance, 1);
    let mut value = [0.0];
    for x in [0.0, 0.5, -2.0] {
        evaluator
            .evaluate(&[[9.0; 3], [x, 0.0, 0.0]], &[0.0; 6], &mut value, None)
            .unwrap();
        assert!((value[0] + f64::abs(x)).abs() < 1e-12);
    }
}

#[test]
fn any_number_of_particles_gives_the_same_numbers() {
    let program = compile(AUTHOR, &CompileOptions::new(2, 15)).unwrap();
    let reward = &program.stages[0].guidance;
    let keypoints = [[0.4, 0.1, 0.1]; 2];
    let count = 61;
    let trajectories: Vec<f64> = (0..count * 45).map(|i| (i as f64 * 0.73).sin()).collect();
    let run = |particles: usize| {
        let mut evaluator = Evaluator::<f64>::new(reward, particles);
        let (mut values, mut gradients) = (vec![0.0; count], vec![0.0; count * 45]);
        for first in (0..count).step_by(particles) {
            let last = (first + particles).min(count);
            evaluator
                .evaluate(
                    &keypoints,
                    &trajectories[first * 45..last * 45],
                    &mut values[first..last],
                    Some(&mut gradients[first * 45..last * 45]),
                )
                .unwrap();
        }
        (values, gradients)
    };
    let all = run(count);
    for particles in [1, 7, 8, 20, 24, 25] {
        assert_eq!(run(particles), all, "{particles} at a time");
    }
}

#[test]
fn wrong_buffers_are_refused() {
    let program = compile(AUTHOR, &CompileOptions::new(2, 3)).unwrap();
    let mut evaluator = Evaluator::<f32>::new(&program.stages[0].guidance, 2);
    let mut values = [0.0; 2];
    assert_eq!(
        evaluator.evaluate(&[[0.0; 3]; 2], &[0.0; 17], &mut values, None),
        Err(EvaluateError::BufferLength {
            buffer: "trajectories",
            expected: 18,
            found: 17
        })
    );
    assert_eq!(
        evaluator.evaluate(&[[0.0; 3]; 3], &[0.0; 18], &mut values, None),
        Err(EvaluateError::KeypointCount {
            expected: 2,
            found: 3
        })
    );
}

#[test]
fn a_number_that_is_not_finite_names_its_particle() {
    let program = compile(AUTHOR, &CompileOptions::new(2, 3)).unwrap();
    let mut evaluator = Evaluator::<f32>::new(&program.stages[0].guidance, 40);
    let mut trajectories = vec![0.25_f32; 40 * 9];
    trajectories[31 * 9 + 4] = f32::NAN;
    let (mut values, mut gradients) = (vec![0.0; 40], vec![0.0; 360]);
    let result = evaluator.evaluate(
        &[[0.5; 3]; 2],
        &trajectories,
        &mut values,
        Some(&mut gradients),
    );
    assert_eq!(result, Err(EvaluateError::NotFinite { particle: 31 }));
    assert!(
        values
            .iter()
            .enumerate()
            .all(|(i, v)| v.is_finite() == (i != 31))
    );
}

#[test]
fn chat_answers_with_windows_line_ends_and_tabs() {
    let text = "Sure, here it is:\r\n\r\n```python\r\nimport torch\r\nimport numpy as np\r\n\
        num_stages = 1  # one is enough\r\n\r\n# Stage 1 - reach\r\n\
        def stage1_guidance(keypoints: torch.Tensor, action_sequence) -> torch.Tensor:\r\n\
        \t\"\"\"Reach.\"\"\"\r\n\tx: float = 0.5\r\n\treturn -x * action_sequence.abs().sum()\r\n```\r\nDone!";
    let program = compile(text, &CompileOptions::new(1, 4)).unwrap();
    assert_eq!(program.stages[0].description, "reach");
}

#[test]
fn views_alias_as_in_pytorch() {
    let text = "
num_stages = 1
def stage1_guidance(k, a):
    x = a.clone()
    y = x[0]
    x += 1.0
    y[0] *= 0.0
    z = x.clone()
    z[:] = 100.0
    return x[0, 0].sum() + x[0, 1, 0]
";
    let program = compile(text, &CompileOptions::new(0, 2)).unwrap();
    let (mut value, mut gradient) = ([0.0], [0.0; 6]);
    Evaluator::<f64>::new(&program.stages[0].guidance, 1)
        .evaluate(&[], &[0.5; 6], &mut value, Some(&mut gradient))
        .unwrap();
    assert_eq!(value, [1.5]);
    assert_eq!(gradient, [0.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
}

/// Value and gradient of a program for two keypoints and four points.
fn evaluate(text: &str) -> (f64, Vec<f64>) {
    let options = CompileOptions {
        judge_purpose: false,
        ..CompileOptions::new(2, 4)
    };
    let program =
        compile(text, &options).unwrap_or_else(|mistakes| panic!("{}", mistakes.render(text)));
    let path: Vec<f64> = (0..12).map(|i| (f64::from(i) * 0.7).sin() * 0.4).collect();
    let (mut value, mut gradient) = ([0.0], vec![0.0; 12]);
    Evaluator::<f64>::new(&program.stages[0].guidance, 1)
        .evaluate(
            &[[0.3, 0.1, 0.2], [0.5, -0.2, 0.1]],
            &path,
            &mut value,
            Some(&mut gradient),
        )
        .unwrap();
    (value[0], gradient)
}

fn stage(body: &str) -> String {
    let body: String = body.lines().map(|line| format!("    {line}\n")).collect();
    format!("num_stages = 1\ndef stage1_guidance(k, a):\n{body}")
}

/// What Python makes of the left side is the right side.
const MEANINGS: &[(&str, &str)] = &[
    (
        "x = [1, 5]\nx[0] += x.pop()\nreturn a.sum() * x[0]",
        "return a.sum() * 6",
    ),
    // Lists are shared by everything that names them.
    (
        "x = [1.0]\ny = x\ny.append(2.0)\nreturn a.sum() * len(x)",
        "return a.sum() * 2",
    ),
    (
        "x = [1.0]\ny = x + []\ny.append(2.0)\nreturn a.sum() * len(x)",
        "return a.sum()",
    ),
    (
        "x = []\ndef add(v):\n    x.append(v)\nadd(a.sum())\nadd(a[0, 0, 0])\nreturn sum(x)",
        "return a.sum() + a[0, 0, 0]",
    ),
    (
        "x = [a, a]\nx[0] = 2 * a\nx[-1] *= 3\nreturn (x[0] - x[1]).sum()",
        "return -a.sum()",
    ),
    (
        "x = [1, 2, 3]\ndel x[0]\nx += (4,)\nx.remove(2)\nreturn a.sum() * sum(x)",
        "return a.sum() * 7",
    ),
    // Functions see the names of where they were defined, not of where they are called.
    (
        "s = 2.0\ndef f():\n    return s\ndef g(s):\n    return f()\nreturn a.sum() * g(5.0)",
        "return a.sum() * 2",
    ),
    (
        "fs = [lambda: i for i in range(3)]\nreturn a.sum() * sum(f() for f in fs)",
        "return a.sum() * 6",
    ),
    (
        "fs = [lambda i=i: i for i in range(3)]\nreturn a.sum() * sum(f() for f in fs)",
        "return a.sum() * 3",
    ),
    (
        "s = 1\nf = lambda: s\ns = 4\nreturn a.sum() * f()",
        "return a.sum() * 4",
    ),
    (
        "def f(x, y=None):\n    return x if y is None else x + y\nreturn f(a).sum() + f(a, y=1).sum()",
        "return 2 * a.sum() + 12",
    ),
    (
        "def f(x, *, w=2.0, **kw):\n    return w * x\nreturn a.sum()",
        "return a.sum()",
    ),
    (
        "def f(x, *rest, w=2.0):\n    return w * x + len(rest)\nreturn f(a.sum(), 1, 1, w=3)",
        "return 3 * a.sum() + 2",
    ),
    (
        "i = 7\nx = [i for i in range(3)]\nreturn a.sum() * i",
        "return a.sum() * 7",
    ),
    (
        "x = [(y := i) for i in range(3)]\nreturn a.sum() * y",
        "return a.sum() * 2",
    ),
    // Dictionaries.
    (
        "d = {'p': 1, 'q': 2, 'p': 3}\nreturn a.sum() * (d['p'] + len(d))",
        "return a.sum() * 5",
    ),
    (
        "d = {i: i * i for i in range(4)}\nreturn a.sum() * sum(d.values()) + sum(d)",
        "return a.sum() * 14 + 6",
    ),
    (
        "d = {}\nd['x'] = a\nd['x'] = d['x'] * 2\ndel d['x']\nreturn a.sum() * (3 if 'x' not in d else 4)",
        "return a.sum() * 3",
    ),
    (
        "d = {**dict(p=1), 'q': 2}\nreturn sum(v * a.sum() for n, v in d.items() if n != 'p')",
        "return 2 * a.sum()",
    ),
    (
        "d = {(0, 1): 0.5}\nreturn sum(w * (k[i] - k[j]).norm() for (i, j), w in d.items()) + a.sum()",
        "return 0.5 * (k[0] - k[1]).norm() + a.sum()",
    ),
    // Static control flow.
    (
        "n = 0\nwhile True:\n    n += 1\n    if n == 5:\n        break\nelse:\n    n = 100\nreturn a.sum() * n",
        "return a.sum() * 5",
    ),
    (
        "n = 3\nwhile n:\n    n -= 1\nelse:\n    n = 2\nreturn a.sum() * n",
        "return a.sum() * 2",
    ),
    (
        "return a.sum() * (1 < 2 <= 2 < 3) * (2 in {1, 2}) * ('b' in 'abc')",
        "return a.sum()",
    ),
    (
        "p, *q = range(4)\n(r, s), [t] = (1, 2), [3]\nreturn a.sum() * (len(q) + s + t)",
        "return a.sum() * 8",
    ),
    (
        "x = y = a.clone()\nx += 1\nreturn y.sum()",
        "return a.sum() + 12",
    ),
    // Python's own functions.
    (
        "return a.sum() * max([3, 1, 2], key=lambda v: -v) + max([], default=4)",
        "return a.sum() + 4",
    ),
    (
        "return a.sum() * sorted([3, 1, 2], reverse=True)[0] * sorted(['b', 'a'], key=len).index('b')",
        "return a.sum() * 0",
    ),
    (
        "return a.sum() * round(2.5) + round(2.675, 2) + round(-3.5) + round(1234, -2)",
        "return a.sum() * 2 + 2.67 - 4 + 1200",
    ),
    (
        "return a.sum() * sum(divmod(-7, 2)) + (-7 // 2) + (-7 % 2)",
        "return a.sum() * -3 - 3",
    ),
    (
        "return a.sum() * sum(filter(None, [0, 2, 3])) * any([0, 1]) * all([])",
        "return a.sum() * 5",
    ),
    (
        "return a.sum() * sum(map(lambda p, q: p * q, [1, 2], [3, 4])) + int('x' == str('x'))",
        "return a.sum() * 11 + 1",
    ),
    (
        "return a.sum() if isinstance(a, (list, torch.Tensor)) and not isinstance(1.0, int) else 0",
        "return a.sum()",
    ),
    (
        "return a.sum() * (a.dtype == torch.float32) * (a.shape == (1, 4, 3))",
        "return a.sum()",
    ),
    (
        "return a.sum() * math.floor(2.7) * [1, 2][math.ceil(0.5)]",
        "return a.sum() * 4",
    ),
    // What carries no gradient.
    (
        "with torch.no_grad():\n    s = a[0, 0, 0] * 2\n    v = a[0, 1]\nreturn (s + v.sum()) * a[0, 0, 1]",
        "return (a.detach()[0, 0, 0] * 2 + a.detach()[0, 1].sum()) * a[0, 0, 1]",
    ),
    (
        "with torch.no_grad():\n    with torch.enable_grad():\n        s = a.sum() ** 2\nreturn s",
        "return a.sum() ** 2",
    ),
    (
        "return math.exp(a[0, 0, 0]) * a.sum() + float(a[0, 1, 0]) * a[0, 0, 2]",
        "return a.detach()[0, 0, 0].exp() * a.sum() + a.detach()[0, 1, 0] * a[0, 0, 2]",
    ),
    // Writing.
    (
        "x = torch.tensor([0, 0, 0])\nx[1] = 2.7\nreturn a.sum() * x[1]",
        "return a.sum() * 2",
    ),
    (
        "x = a.clone()\nx[x < 0] = 0.0\nreturn x.sum()",
        "return torch.where(a < 0, 0.0, a).sum()",
    ),
    (
        "x = a[0].clone()\nx[x[:, 0] > 0] *= 3\nreturn x.sum()",
        "return torch.where(a[0, :, :1] > 0, 3 * a[0], a[0]).sum()",
    ),
    (
        "x = a[0].clone()\nx[torch.tensor([2, 0]), 1:] = k[0, :2]\nx[[1, 3]] += 1\nreturn x.sum()",
        "return a[0, [0, 2], 0].sum() + a[0, [1, 3]].sum() + 2 * k[0, :2].sum() + 6",
    ),
    // Computed indices.
    (
        "i = a[0].argmax(dim=1)\nreturn a[0, torch.arange(4), i].sum()",
        "return a[0].max(dim=1).values.sum()",
    ),
    (
        "i = a[0].argmax(dim=1)\nreturn a[0, range(4), i - 3].sum()",
        "return a[0].max(dim=1).values.sum()",
    ),
    (
        "i = a.argmin(dim=1)\nreturn a[:, i, [[0, 1, 2]]].sum()",
        "return a.min(dim=1).values.sum()",
    ),
    (
        "i = a[0, :2, 0].argmin()\nreturn k[i, 0] * a[..., i, :].sum()",
        "return torch.where(a[0, 0, 0] <= a[0, 1, 0], k[0, 0] * a[0, 0].sum(), k[1, 0] * a[0, 1].sum())",
    ),
];

#[test]
fn python_means_what_it_says() {
    for (python, plain) in MEANINGS {
        let (value, gradient) = evaluate(&stage(python));
        let (wanted, slopes) = evaluate(&stage(plain));
        assert!(
            (value - wanted).abs() < 1e-12,
            "{python}: {value}, not {wanted}"
        );
        for (found, slope) in gradient.iter().zip(&slopes) {
            assert!(
                (found - slope).abs() < 1e-12,
                "{python}: {gradient:?}, not {slopes:?}"
            );
        }
    }
}

#[test]
fn what_has_no_static_meaning_is_refused_with_a_mend() {
    let cases = [
        (
            "while a.sum() > 0:\n    break\nreturn a.sum()",
            "dynamic-control",
            "torch.where",
        ),
        ("return a[a > 0].sum()", "dynamic-control", "torch.where"),
        (
            "x = a.clone()\nx[a > 0] = a[a > 0]\nreturn x.sum()",
            "dynamic-control",
            "torch.where",
        ),
        (
            "def f():\n    yield 1\nreturn a.sum() * f()",
            "unsupported",
            "return a list",
        ),
        (
            "with open('x') as f:\n    pass\nreturn a.sum()",
            "unsupported",
            "remove it",
        ),
        (
            "def f():\n    n += 1\nn = 0\nf()\nreturn a.sum()",
            "unknown-name",
            "assign it outside",
        ),
        ("d = {'x': 1}\nreturn a.sum() * d['y']", "index", ""),
        ("d = {a: 1}\nreturn a.sum()", "type", ""),
        (
            "x = a * 1\nwith torch.no_grad():\n    x[0] = 1.0\nreturn a.sum()",
            "unsupported",
            "outside of `torch.no_grad`",
        ),
        ("return math.sqrt(a)", "type", "torch.sqrt"),
        ("x, *y = []\nreturn a.sum()", "type", ""),
        ("x = [1, 5]\nx[1] += x.pop()\nreturn a.sum()", "index", ""),
        (
            "raise ValueError('no')",
            "arithmetic",
            "condition around it",
        ),
        (
            "x = a[0, 0, 0] if a[0, 0, 0] > 0 else a[0]\nreturn x.sum()",
            "dynamic-control",
            "same shape",
        ),
        (
            "if a[0, 0, 0] > 0:\n    x = 1.0\nreturn x * a.sum()",
            "dynamic-control",
            "before this `if`",
        ),
        (
            "xs = [a.sum()]\nif a[0, 0, 0] > 0:\n    xs.append(a.mean())\nreturn sum(xs)",
            "dynamic-control",
            "append on both ways",
        ),
        (
            "x = None\nif a[0, 0, 0] > 0:\n    x = a.mean()\nreturn a.sum() if x is None else x",
            "dynamic-control",
            "start with a number",
        ),
        (
            "xs, ys = [1], [2]\nzs = xs if a[0, 0, 0] > 0 else ys\nzs.append(3)\nreturn a.sum() * len(xs)",
            "dynamic-control",
            "a copy",
        ),
        (
            "return sum([z for z in a[0, :, 2] if z > 0])",
            "dynamic-control",
            "torch.where",
        ),
        (
            "if a > 0:\n    return a.sum()\nreturn a.mean()",
            "type",
            ".any()",
        ),
        (
            "try:\n    x = k[7]\nexcept KeyError:\n    x = k[0]\nreturn (a - x).sum()",
            "keypoint-index",
            "",
        ),
        (
            "try:\n    x = torch.nothing(k)\nexcept Exception:\n    x = k\nreturn a.sum()",
            "unknown-operation",
            "",
        ),
        (
            "s = f'{a.sum()}'\nreturn a.sum() * (s == 'x')",
            "dynamic-control",
            "the numbers",
        ),
        (
            "class C:\n    X = 1\n    def f(self):\n        return X\nreturn a.sum() * C().f()",
            "unknown-name",
            "",
        ),
        ("return a.sum(), a.mean()", "result", ""),
        ("return {'a': a.sum(), 'b': a.mean()}", "result", ""),
        (
            "from math import missing\nreturn a.sum() * missing",
            "unknown-operation",
            "",
        ),
        ("import os\nreturn a.sum()", "import", "remove the import"),
    ];
    for (body, kind, help) in cases {
        let text = stage(body);
        let mistakes = compile(&text, &CompileOptions::new(2, 4)).unwrap_err();
        let first = &mistakes.items[0];
        assert_eq!(first.kind.code(), kind, "{body}: {first}");
        let mend = first.help.as_deref().unwrap_or("");
        assert!(mend.contains(help), "{body}: {first}");
    }
}

#[test]
fn the_module_level_may_hold_constants_and_imports() {
    let text = "\
from __future__ import annotations
import torch as th, math
import torch.nn as nn
from torch.nn import functional as F
from torch import Tensor
from typing import List
from math import pi, sqrt as root
num_stages: int = 1  # one
EPS = 1e-6; UP = torch.tensor([0.0, 0.0, 1.0])
SCALE: float = 2.0 * pi / root(4.0)
UNUSED = undefined(3)
device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
def helper(x): return x
def stage1_guidance(keypoints: Tensor, action_sequence: Tensor, weight: float = 0.5, *, bias=EPS, **kwargs) -> Tensor:
    UP[0] = 1.0
    assert weight < 1, 'weight'
    return SCALE * weight * nn.functional.relu(th.abs(action_sequence)).sum() + bias + UP.sum()
if __name__ == '__main__':
    print(stage1_guidance)
";
    let (value, gradient) = evaluate(text);
    let plain = stage("return math.pi / 2 * a.abs().sum() + 1e-6 + 2");
    let (wanted, slopes) = evaluate(&plain);
    assert!((value - wanted).abs() < 1e-12, "{value}, not {wanted}");
    assert!(
        gradient
            .iter()
            .zip(&slopes)
            .all(|(a, b)| (a - b).abs() < 1e-12)
    );

    let uses = |body: &str| {
        let text = text.replace(
            "    assert weight",
            &format!("    {body}\n    assert weight"),
        );
        compile(&text, &CompileOptions::new(2, 4))
            .unwrap_err()
            .items[0]
            .clone()
    };
    assert_eq!(uses("x = UNUSED").kind.code(), "unknown-name");
    assert!(uses("x = UNUSED").message.contains("undefined"));
}

/// The kinds of all mistakes in a function for two keypoints and four points.
fn kinds(text: &str) -> Vec<&'static str> {
    let mistakes = compile(text, &CompileOptions::new(2, 4)).unwrap_err();
    let items = mistakes.items.iter();
    items.map(|item| item.kind.code()).collect()
}

#[test]
fn one_mistake_hides_no_other() {
    let operation = "unknown-operation";
    let cases = [
        ("return torch.x1(a).sum() + torch.x2(k).sum()", 2),
        ("x = [torch.x1(a), torch.x2(k)]\nreturn torch.x3(x)", 3),
        (
            "return torch.stack([torch.x1(a)], dim=torch.x2(k)).sum()",
            2,
        ),
        (
            "if torch.x1(a):\n    b = torch.x2(a)\nelse:\n    b = torch.x3(a)\nreturn b",
            3,
        ),
        (
            "b = torch.x2(a) if torch.x1(a) else torch.x3(a)\nreturn b",
            3,
        ),
        (
            "if torch.x1(a) and torch.x2(a):\n    return torch.x3(a)\nreturn a.sum()",
            3,
        ),
        (
            "for b in torch.x1(a):\n    c = torch.x2(b)\nreturn a.sum()",
            2,
        ),
        (
            "def f(b):\n    return torch.x2(b)\nreturn f(torch.x1(a))",
            2,
        ),
        (
            "if True:\n    return torch.x1(a)\nb = torch.x2(a)\nreturn b",
            2,
        ),
        ("assert len(k) > 1, f'{torch.x1(a)}'\nreturn torch.x2(a)", 2),
        (
            "print(torch.x1(a), f'{torch.x2(a)} {torch.x3(a)}')\nreturn a.sum()",
            3,
        ),
        (
            "xs = []\nxs.append(torch.x1(a))\nreturn torch.stack(xs).sum() + torch.x2(a)",
            2,
        ),
        (
            "if a.sum() > 0:\n    b = torch.x1(a)\nelse:\n    b = torch.x2(a)\nreturn b",
            2,
        ),
    ];
    for (body, count) in cases {
        assert_eq!(kinds(&stage(body)), vec![operation; count], "{body}");
    }
    let helper = "def far(x):\n    return torch.x1(x)\nnum_stages = 1\n\
        def stage1_guidance(k, a):\n    return far(torch.x2(a))\n";
    assert_eq!(kinds(helper), [operation; 2]);
    // What is unknown is no further mistake where it is used.
    let unknown = "b = torch.x1(a)\nc = b + 1\nd = [c, a]\nreturn torch.stack(d).sum() + c";
    assert_eq!(kinds(&stage(unknown)), [operation]);
}

#[test]
fn a_mistake_in_a_helper_is_reported_where_it_is_and_once() {
    let text = "num_stages = 2\ndef far(x):\n    return x.nrom()\n\
        def stage1_guidance(k, a):\n    return far(a) + far(a - k[0])\n\
        def stage2_guidance(k, a):\n    return far(a)\n";
    let mistakes = compile(text, &CompileOptions::new(2, 4)).unwrap_err();
    assert_eq!(mistakes.items.len(), 1, "{mistakes}");
    assert_eq!(mistakes.items[0].place.line, 3);
    assert_eq!(mistakes.items[0].notes[0].place.line, 5);
    assert!(
        mistakes.items[0].notes[0]
            .message
            .contains("`far` is called here")
    );
}

#[test]
fn done_may_use_helpers_and_conditions() {
    let text = "\
num_stages = 1
NEAR = 0.05
def gap(a, b, *, scale=1.0):
    if torch.norm(a - b) > 1:
        return torch.tensor(9.0)
    return scale * torch.norm(a - b)
def stage1_guidance(keypoints, action_sequence):
    return -gap(action_sequence[0, -1], keypoints[0])
def stage1_done(keypoints, start_keypoints, end_effector):
    print(f'gap {gap(end_effector, keypoints[0]).item():.3f}')
    if end_effector[2] < keypoints[0, 2]:
        return -1.0
    return NEAR - gap(end_effector, keypoints[0], scale=2.0)
";
    let program = compile(text, &CompileOptions::new(1, 4)).unwrap();
    let done = program.stages[0].done.as_ref().unwrap();
    let (now, start) = ([[0.5, 0.0, 0.1]], [[0.0; 3]]);
    let value = |hand| done.value(&Moment::at(&now, &start, hand)).unwrap();
    assert!((value([0.5, 0.0, 0.2]) + 0.15).abs() < 1e-12);
    assert!((value([0.5, 0.0, 0.05]) + 1.0).abs() < 1e-12);
    assert!((value([0.5, 0.0, 2.0]) + 8.95).abs() < 1e-12);
}

#[test]
fn a_way_that_is_not_taken_sends_no_gradient() {
    // At the keypoint every slope below is infinite, or is not a number.
    let bodies = [
        "d = (a[0, -1] ** 2).sum()\nif d > 1e-9:\n    return torch.sqrt(d)\nreturn a.sum() * 2",
        "d = (a[0, -1] ** 2).sum()\ns = torch.sqrt(d)\nif d < 1e-9:\n    return a.sum() * 2\nreturn s",
        "n = a[0, -1].norm()\nu = a[0, -1] / n if n > 0 else a[0, -1] * 0\nreturn u.sum() + a.sum() * 2",
        "d = (a[0, -1] ** 2).sum()\nx = torch.log(d) if d > 0 else d\nreturn x + a.sum() * 2",
        "d = (a[0, -1] ** 2).sum()\nfor i in range(3):\n    if d < 1e-9:\n        break\n    d = d ** 0.3\nreturn d + a.sum() * 2",
    ];
    for body in bodies {
        let program = compile(&stage(body), &CompileOptions::new(1, 2))
            .unwrap_or_else(|mistakes| panic!("{body}: {mistakes}"));
        let (mut value, mut gradient) = ([1.0], [0.0; 6]);
        Evaluator::<f64>::new(&program.stages[0].guidance, 1)
            .evaluate(&[[0.0; 3]], &[0.0; 6], &mut value, Some(&mut gradient))
            .unwrap();
        assert_eq!(value, [0.0], "{body}");
        assert_eq!(gradient, [2.0; 6], "{body}");
    }
}

#[test]
fn a_later_definition_replaces_an_earlier_one() {
    let text = "First try:\n```python\nnum_stages = 2\ndef stage1_guidance(k, a):\n    return undefined\n\
        def stage2_guidance(k, a):\n    return 0\n```\nBetter:\n```python\nnum_stages = 1\n\
        def stage1_guidance(k, a):\n    return a.sum()\n```\n";
    let program = compile(text, &CompileOptions::new(2, 4)).unwrap();
    assert_eq!(program.stages.len(), 1);
}

#[test]
fn containers_and_functions_without_end_are_bounded() {
    let long = "x".repeat(100_000);
    let bodies = [
        "while True:\n    pass".to_owned(),
        "x = []\nx.append(x)\nreturn torch.tensor(x).sum()".to_owned(),
        "x = []\nx.append(x)\ny = []\ny.append(y)\nreturn a.sum() * (x == y)".to_owned(),
        "x = []\nfor i in range(100000):\n    x = [x]\nreturn torch.stack(x).sum()".to_owned(),
        "x = []\nfor i in range(100000):\n    x = (x, x)\nreturn a.sum()".to_owned(),
        "d = {}\nfor i in range(100000):\n    d[i] = d\nreturn a.sum()".to_owned(),
        "f = lambda: 0\nfor i in range(100000):\n    f = lambda g=f: g()\nreturn f()".to_owned(),
        "x = [1]\nwhile x:\n    x += x\nreturn a.sum()".to_owned(),
        "x = [1]\nfor y in x:\n    x.append(y)\nreturn a.sum() * len(x)".to_owned(),
        "s = 'x'\nwhile s:\n    s = s + s\nreturn a.sum()".to_owned(),
        format!("for i in range(100000):\n    s = '{long}'\nreturn a.sum()"),
        format!("s = '{long}'\nt = s + ''\nwhile s == t:\n    pass"),
        "i = a[0, :, 0].argsort()\nx = a\nfor n in range(1000):\n    x = x[:, i]\nreturn x.sum()"
            .to_owned(),
        "return sorted(range(100000), key=lambda v: [v for w in range(1000)])".to_owned(),
        "def f(*x):\n    return f(x, *x)\nreturn f(1)".to_owned(),
    ];
    for body in bodies {
        let text = stage(&body);
        let start = std::time::Instant::now();
        if let Err(mistakes) = compile(&text, &CompileOptions::new(4, 15)) {
            assert!(!mistakes.items.is_empty());
        }
        let took = start.elapsed();
        let shown = &body[..body.len().min(80)];
        // Generous: the machine may be busy. The target is 100 ms.
        assert!(took.as_millis() < 400, "{shown} took {took:?}");
    }
}
