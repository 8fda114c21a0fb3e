//! Runs a compiled stage on seeded scenes and trajectories before it can reach a robot.

use std::sync::Arc;

use crate::diagnostic::{Draft, Kind, Span};
use crate::op::Op;
use crate::options::{CompileOptions, Workspace};
use crate::program::{CompiledDone, CompiledReward};
use crate::run::code::{Code, Output};
use crate::run::evaluator::{EvaluateError, Evaluator};

/// Scenes, each with its own keypoints.
const SCENES: u64 = 4;
/// Trajectories in each scene; one block of lanes, so that all intermediate values remain.
const TRAJECTORIES: usize = 8;
/// Longest step of a probe along each axis, in metres.
const STEP_M: f64 = 0.03;

/// SplitMix64: small, seeded, good enough to scatter probes.
struct Random(u64);

impl Random {
    /// Uniform in `[low, high)`.
    fn between(&mut self, low: f64, high: f64) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let unit = ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64;
        low + unit * (high - low)
    }

    fn point(&mut self, workspace: &Workspace) -> [f64; 3] {
        std::array::from_fn(|axis| self.between(workspace.min_m[axis], workspace.max_m[axis]))
    }
}

/// What probe `number` does, in words.
fn describe(number: usize) -> &'static str {
    match number {
        0 => "when the hand stands still",
        1 => "when the hand stands still at a keypoint",
        2 => "when the hand moves straight to a keypoint",
        _ => "on a trajectory in the workspace",
    }
}

fn trajectories(
    random: &mut Random,
    workspace: &Workspace,
    keypoint: Option<[f64; 3]>,
    points: usize,
) -> Vec<f64> {
    let mut all = Vec::with_capacity(TRAJECTORIES * points * 3);
    for number in 0..TRAJECTORIES {
        let mut at = random.point(workspace);
        let goal = keypoint.unwrap_or_else(|| random.point(workspace));
        if number == 1 {
            at = goal;
        }
        let start = at;
        for step in 0..points {
            all.extend(at);
            let progress = (step + 1) as f64 / (points.max(2) - 1) as f64;
            for axis in 0..3 {
                match number {
                    0 | 1 => {}
                    2 => at[axis] = start[axis] + (goal[axis] - start[axis]) * progress,
                    _ => at[axis] += random.between(-STEP_M, STEP_M),
                }
            }
        }
    }
    all
}

/// Checks that value and gradient are finite on every probe. `unfused` makes the code again with
/// all its intermediate values, which show where a number stopped being finite.
pub(crate) fn check_guidance(
    reward: &CompiledReward,
    unfused: impl Fn() -> Code,
    options: &CompileOptions,
    name: &str,
) -> Result<(), Draft> {
    let mut evaluator = Evaluator::<f64>::from_code(Arc::clone(&reward.code), TRAJECTORIES);
    let mut values = [0.0; TRAJECTORIES];
    let mut gradients = vec![0.0; TRAJECTORIES * options.points * 3];
    for scene in 0..SCENES {
        let mut random = Random(scene);
        let keypoints: Vec<[f64; 3]> = (0..options.keypoints)
            .map(|_| random.point(&options.workspace))
            .collect();
        let near = keypoints
            .get(scene as usize % keypoints.len().max(1))
            .copied();
        let probes = trajectories(&mut random, &options.workspace, near, options.points);
        let result = evaluator.evaluate(&keypoints, &probes, &mut values, Some(&mut gradients));
        if let Err(EvaluateError::NotFinite { particle }) = result {
            let value_is_finite = values[particle].is_finite();
            let code = Arc::new(unfused());
            let mut evaluator = Evaluator::<f64>::from_code(Arc::clone(&code), TRAJECTORIES);
            // It fails in the same way; what counts are the rows that it leaves behind.
            let _ = evaluator.evaluate(&keypoints, &probes, &mut values, Some(&mut gradients));
            let (op, span) = culprit(&code, &evaluator, particle, value_is_finite);
            let what = if value_is_finite { "gradient" } else { "value" };
            let probe = describe(particle);
            let mut draft = Draft::new(
                Kind::NotFinite,
                span,
                format!("the {what} of `{name}` is infinite or NaN {probe}"),
            )
            .expected("finite numbers everywhere in the workspace");
            draft.help = Some(mend(op).to_owned());
            return Err(draft);
        }
    }
    Ok(())
}

/// Checks that the done value is finite in every scene, also right at the stage's entry.
pub(crate) fn check_done(
    done: &CompiledDone,
    options: &CompileOptions,
    name: &str,
    span: Span,
) -> Result<(), Draft> {
    for scene in 0..SCENES {
        let mut random = Random(scene);
        let mut points = || -> Vec<[f64; 3]> {
            (0..options.keypoints)
                .map(|_| random.point(&options.workspace))
                .collect()
        };
        let now = points();
        let start = if scene % 2 == 0 {
            now.clone()
        } else {
            points()
        };
        let hand = match now.get(scene as usize / 2) {
            Some(&point) if scene >= 2 => point,
            _ => random.point(&options.workspace),
        };
        if done.value(&now, &start, hand).is_err() {
            let moment = if scene % 2 == 0 {
                "at the start of the stage"
            } else {
                "in a scene"
            };
            return Err(Draft::new(
                Kind::NotFinite,
                span,
                format!("the value of `{name}` is infinite or NaN {moment}"),
            )
            .expected("a finite number everywhere in the workspace")
            .help("check divisions, logarithms and square roots for zero"));
        }
    }
    Ok(())
}

/// The operation that first produced a number that is not finite.
fn culprit(
    code: &Code,
    evaluator: &Evaluator<f64>,
    lane: usize,
    value_is_finite: bool,
) -> (Op, Span) {
    let at = evaluator.inspect(lane);
    let mut row = match code.output {
        Output::Row(row) => row,
        Output::Slot(_) => return (Op::Const, Span::default()),
    };
    if !value_is_finite {
        // Down from the result, as long as an operand is not finite either.
        while let Some((op, operands)) = code.producer(row) {
            match operands
                .iter()
                .copied()
                .find(|&operand| !at(operand).0.is_finite())
            {
                Some(operand) => row = operand,
                None => return (op, code.spans[row]),
            }
        }
        return (Op::Const, code.spans[row]);
    }
    // Up from an input, as long as a user's adjoint is not finite either.
    let first = code.splats.len();
    let bad = (first..first + code.inputs.len()).find(|&input| !at(input).1.is_finite());
    let mut row = bad.unwrap_or(first);
    let all = code.users();
    loop {
        let users = &all[row];
        match users.iter().find(|&&(_, user)| !at(user).1.is_finite()) {
            Some(&(_, user)) => row = user,
            None => {
                let risky = |op: Op| !matches!(op, Op::Add | Op::Sub | Op::Sum | Op::Neg);
                let user = users.iter().find(|(op, _)| risky(*op)).or(users.first());
                return user.map_or((Op::Const, code.spans[row]), |&(op, user)| {
                    (op, code.spans[user])
                });
            }
        }
    }
}

/// How the usual sources of infinite numbers are mended.
fn mend(op: Op) -> &'static str {
    match op {
        Op::Sqrt | Op::Rsqrt => {
            "the slope of a square root at 0 is infinite: use `torch.norm`, or add 1e-8 inside"
        }
        Op::Log | Op::Log1p => "keep the argument positive: `torch.log(x + 1e-6)`",
        Op::Div | Op::Recip => "the divisor can be 0: use `F.normalize`, or add 1e-6 to it",
        Op::Asin | Op::Acos => "keep the argument inside: `.clamp(-1 + 1e-6, 1 - 1e-6)`",
        Op::Exp | Op::Expm1 | Op::Sinh | Op::Cosh => {
            "the exponent grows too large: scale it down or clamp it"
        }
        Op::Pow => "keep the base positive, or use an integer exponent",
        _ => "check divisions, logarithms, square roots and infinite constants",
    }
}
