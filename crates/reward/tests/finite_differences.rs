//! Gradients of random programs agree with finite differences.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::fmt::Write as _;

use proptest::prelude::*;
use tiller_reward::{CompileOptions, Evaluator, compile};

/// Points of a trajectory.
const POINTS: usize = 4;

/// Smooth expressions of tensors of one shape; `{0}` and `{1}` are earlier results.
const STEPS: &[&str] = &[
    "{0} + {1}",
    "{0} - 0.7 * {1}",
    "{0} * {1}",
    "{0} / (1.5 + {1} ** 2)",
    "torch.sin({0}) + torch.cos({1})",
    "torch.tanh({0})",
    "torch.sigmoid({0} - {1})",
    "torch.exp(-{0} ** 2)",
    "torch.log(1.5 + {0} ** 2)",
    "torch.sqrt(0.5 + {0} ** 2)",
    "F.softplus({0})",
    "torch.atan2({0}, 2.0 + {1} ** 2)",
    "{0}.flip(1) + {1}.roll(1, dims=2)",
    "torch.cumsum({0}, dim=1)",
    "torch.softmax({0}, dim=-1)",
    "{0} - {1}.mean(dim=1, keepdim=True)",
    "{0} * torch.norm({1} + 3.0, dim=-1, keepdim=True)",
    "torch.logsumexp({0}, dim=1, keepdim=True) * {1}",
    "torch.where(k[0] > 0.4, {0}, {1})",
    "torch.cross({0}, {1}, dim=-1)",
    "{0} @ torch.stack([k[0], k[1], k[0] - k[1]])",
    "torch.cat([{0}[:, 1:], {1}[:, :1]], dim=1)",
    "F.normalize({0} + 3.0, dim=-1)",
    "torch.einsum('bti,bsi->bts', {0}, {1})[..., :3]",
    "({0} + 2.5).std(dim=2, keepdim=True) + {1}",
    "torch.stack([{0}[:, t] * (t + 1) for t in range({0}.shape[1])], dim=1)",
    "sum([w * x for w, x in zip([0.3, 0.7], ({0}, {1}))])",
    "(lambda p, q=0.5: p * q)({0}) + (lambda *xs: sum(xs))({0}, {1})",
    "{{'p': {0}, 'q': {1}}}['q'] * 0.5",
    "torch.stack([x if i % 2 else -x for i, x in enumerate({0}.unbind(1))], dim=1)",
    "{0}[:, [3, 1, 1, 0]] + {1}[:, ::2].repeat(1, 2, 1)",
    "{0}[..., torch.tensor([2, 0, 1])] * {1}[:, -1:]",
    "torch.cat([*{0}.split(1, dim=2)[::-1]], dim=2) - {1}[:, :1, None].squeeze(1)",
    "{0} * {1}.detach().mul(0).add(1)",
    "{0} + torch.linalg.eigvalsh({1}.mT @ {1} + torch.diag(torch.tensor([1.0, 2.0, 9.0])))",
    "{0} @ torch.linalg.pinv({1}[0, :3] * 0.1 + torch.eye(3))",
    "torch.linalg.qr({0}[0] * 0.2 + torch.eye(4)[:, :3]).Q + {1}",
    "{0} @ torch.linalg.cholesky({1}[0].T @ {1}[0] + torch.eye(3))",
    "torch.linalg.lstsq({0}[0].T @ {0}[0] + torch.eye(3), {1}[0].T).solution.T[None]",
    "F.interpolate({0}.mT, size=4, mode='linear').mT * {1}",
];

/// Statements that end by binding `y`, for the same operands.
const BLOCKS: &[&str] = &[
    "y = {0}.clone()\ny[:, 1:3] = 2.0 * {1}[:, :2]\ny[..., 2] *= y[..., 0]",
    "y = {0} * 1.0\nrow = y[:, 0]\nrow += {1}[:, 1]\ny[:, 1] = row ** 2",
    "y = torch.zeros_like({0})\nfor t in range(4):\n    y[:, t] = {0}[:, t] * {1}[:, 3 - t]",
    "y = {0}\nfor p in k:\n    if p is None:\n        continue\n    y = y - 0.3 * torch.tanh({1} - p)",
    "def f(x, scale=0.5, *, shift=0.1):\n    if scale > 1:\n        return x\n    return scale * x.sin() + shift\ny = f({0}) * f({1}, shift=0.4) + f({1}, 2.0)",
    "parts = []\ndef add(x):\n    parts.append(x)\nadd({0})\nadd({1} ** 2)\ny = torch.stack(parts).mean(dim=0)",
    "terms = {{n: w * {0} for n, w in [('a', 0.2), ('b', 0.4)]}}\nterms['b'] = terms['b'] * {1}\ny = sum(terms.values())",
    "y, n = {0}, 0\nwhile n < 3:\n    n += 1\n    y = torch.sigmoid(y) + {1} / n",
    "first, *rest = {0}.unbind(dim=1)\ny = torch.stack([*rest, first * 2], dim=1) + {1}",
    "y = {0}.clone()\ny[:, torch.tensor([True, False, True, False])] -= {1}[:, :2]\ny[:, [0, 3]] = y[:, [3, 0]] * 0.5",
    "i = torch.argmax(k[0])\ny = {0} + {1}[..., i].unsqueeze(-1) * {0}[:, torch.argmin(k, dim=1)].sum(dim=1, keepdim=True)",
    "y = torch.where(torch.arange(4)[:, None] >= 2, {0}, {1} ** 2)\ny = y.permute(0, 2, 1).reshape(1, 4, 3)",
];

#[derive(Clone, Debug)]
struct Sample {
    steps: Vec<(usize, usize, usize)>,
    path: Vec<f64>,
    keypoints: Vec<f64>,
}

fn sample() -> impl Strategy<Value = Sample> {
    let step = (0..STEPS.len() + BLOCKS.len(), 0..100_usize, 0..100_usize);
    let path = prop::collection::vec(-1.0..1.0_f64, POINTS * 3);
    let keypoints = prop::collection::vec(0.1..0.9_f64, 6);
    (prop::collection::vec(step, 1..9), path, keypoints).prop_map(|(steps, path, keypoints)| {
        Sample {
            steps,
            path,
            keypoints,
        }
    })
}

fn program(sample: &Sample) -> String {
    let mut text = "num_stages = 1\ndef stage1_guidance(k, a):\n    x0 = a\n".to_owned();
    for (number, &(op, first, second)) in sample.steps.iter().enumerate() {
        let pick = |which: usize| format!("x{}", number - which % (number + 1).min(3));
        let fill = |template: &str| {
            template
                .replace("{0}", &pick(first))
                .replace("{1}", &pick(second))
                .replace("{{", "{")
                .replace("}}", "}")
        };
        match STEPS.get(op) {
            Some(step) => writeln!(text, "    x{} = {}", number + 1, fill(step)).unwrap(),
            None => {
                for line in fill(BLOCKS[op - STEPS.len()]).lines() {
                    writeln!(text, "    {line}").unwrap();
                }
                writeln!(text, "    x{} = y", number + 1).unwrap();
            }
        }
    }
    writeln!(
        text,
        "    return (x{} * torch.linspace(0.5, 1.5, 3)).sum()",
        sample.steps.len()
    )
    .unwrap();
    text
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1000,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(2026),
        ..ProptestConfig::default()
    })]

    #[test]
    fn gradients_are_slopes(sample in sample()) {
        let text = program(&sample);
        let options = CompileOptions { judge_purpose: false, ..CompileOptions::new(2, POINTS) };
        let compiled = match compile(&text, &options) {
            Ok(compiled) => compiled,
            // The last step may have dropped the trajectory, as `x - mean` of one row can.
            Err(mistakes) => return Err(TestCaseError::fail(mistakes.render(&text))),
        };
        let keypoints: Vec<[f64; 3]> =
            sample.keypoints.chunks_exact(3).map(|p| [p[0], p[1], p[2]]).collect();
        let mut evaluator = Evaluator::<f64>::new(&compiled.stages[0].guidance, 1);
        let (mut value, mut gradient) = ([0.0], vec![0.0; POINTS * 3]);
        evaluator.evaluate(&keypoints, &sample.path, &mut value, Some(&mut gradient)).unwrap();
        let mut at = |path: &[f64]| {
            let mut value = [0.0];
            evaluator.evaluate(&keypoints, path, &mut value, None).unwrap();
            value[0]
        };
        for axis in 0..POINTS * 3 {
            // Central differences with one Richardson step: error of the order h^4.
            let mut slope = |h: f64| {
                let mut path = sample.path.clone();
                path[axis] += h;
                let above = at(&path);
                path[axis] -= 2.0 * h;
                (above - at(&path)) / (2.0 * h)
            };
            let (coarse, fine) = (slope(2e-3), slope(1e-3));
            let expected = fine + (fine - coarse) / 3.0;
            let scale = 1.0 + gradient.iter().fold(0.0_f64, |m, g| m.max(g.abs()));
            prop_assert!(
                (gradient[axis] - expected).abs() < 1e-5 * scale,
                "{text}axis {axis}: {} against {expected}", gradient[axis]
            );
        }
    }
}
