//! ReKep's constraints: costs at the end of a stage and along it, in terms of the hand's position and
//! the keypoints.
//!
//! A cost is met at or below 0, so the reward is minus the sum of the positive parts: of those at the
//! last point of the trajectory for sub-goals, and of their mean over all points for paths, which
//! keeps the scale of one cost. ReKep moves the keypoints of what is held along with the hand. Here a
//! constraint that does not read `end_effector` is read the same way: the keypoint of
//! `grasp_keypoints` that is held goes as far as the hand goes, and with it those that the program
//! connects to it by a vector of its own, `v = keypoints[1] - keypoints[0]`. The hand's turns move
//! no keypoint.

use std::collections::BTreeSet;

use crate::diagnostic::{Draft, Kind, Span};
use crate::module::Module;
use crate::options::CompileOptions;
use crate::program::CompiledReward;
use crate::run::evaluator::Evaluator;
use crate::signature::Signature;
use crate::syntax::{
    Expr, Operator, Stmt, StmtFunctionDef, Visitor, integer, walk_expr, walk_stmt,
};

/// What is left of the costs of a stage that counts as complete: two centimetres, if they are
/// distances. ReKep has no such number, for it moves on when its path has been followed.
pub(crate) const TOLERANCE: f64 = 0.02;

/// Keypoints that are connected one by one.
const MAX_CHAIN: usize = 16;
/// Ways of the hand that are tried, and the slope that is none.
const PROBES: usize = 8;
const ROUNDING: f64 = 1e-9;

/// Which keypoints the hand carries in a stage, counted from 1.
pub(crate) fn carried(module: &Module<'_>, stage: usize) -> Vec<usize> {
    let grasped = integers(&module.constants, "grasp_keypoints");
    let released = integers(&module.constants, "release_keypoints");
    let at = |list: &[i64], stage: usize| list.get(stage).and_then(|&k| usize::try_from(k).ok());
    let mut held = None;
    for earlier in 0..stage.saturating_sub(1) {
        held = at(&grasped, earlier).or(held);
        if at(&released, earlier).is_some() {
            held = None;
        }
    }
    let Some(held) = held else {
        return Vec::new();
    };
    let mut vectors = Vectors::default();
    for function in module.stages.iter().flat_map(|stage| stage.constraints()) {
        vectors.keypoints = scene_name(function);
        vectors.visit_body(&function.body);
    }
    let mut carried = BTreeSet::from([held]);
    for _ in 0..MAX_CHAIN {
        let before = carried.len();
        for [a, b] in &vectors.pairs {
            if carried.contains(a) || carried.contains(b) {
                carried.extend([*a, *b]);
            }
        }
        if carried.len() == before {
            break;
        }
    }
    carried.into_iter().collect()
}

/// Whether no way of the hand changes the reward, up to rounding.
pub(crate) fn is_still(reward: &CompiledReward, options: &CompileOptions) -> bool {
    let points = options.points;
    // Neither regular nor far apart; all that matters is that nothing is special about it.
    let number = |i: usize| (i as f64 * 0.754_877_666).fract();
    let place = |i: usize, axis: usize| {
        let (min, max) = (options.workspace.min_m[axis], options.workspace.max_m[axis]);
        min + (max - min) * number(i)
    };
    let mut evaluator = Evaluator::<f64>::new(reward, 1);
    let (mut values, mut slopes) = ([0.0], vec![0.0; 3 * points]);
    (0..PROBES).all(|probe| {
        let seed = 1 + probe * (3 * points + 3 * options.keypoints);
        let keypoints: Vec<[f64; 3]> = (0..options.keypoints)
            .map(|k| std::array::from_fn(|axis| place(seed + 3 * k + axis, axis)))
            .collect();
        let seed = seed + 3 * options.keypoints;
        let path: Vec<f64> = (0..3 * points).map(|i| place(seed + i, i % 3)).collect();
        let result = evaluator.evaluate(&keypoints, &path, &mut values, Some(&mut slopes));
        result.is_ok() && slopes.iter().all(|slope| slope.abs() < ROUNDING)
    })
}

/// A stage of constraints that the hand has no part in.
pub(crate) fn no_way_of_the_hand(name: &str, span: Span) -> Draft {
    Draft::new(
        Kind::NoDependence,
        span,
        format!("`{name}` does not depend on where the hand goes"),
    )
    .expected("a cost of `end_effector`, or of a keypoint that the hand holds")
    .found("a cost of keypoints that nothing moves")
    .help("compute it from `end_effector`, or set `grasp_keypoints` to what is held in which stage")
}

/// The signature of a constraint with the hand at a point of the trajectory.
pub(crate) fn signature(
    function: &StmtFunctionDef,
    options: &CompileOptions,
    point: usize,
    carried: &[usize],
) -> Signature {
    let carried = if reads_hand(function) { &[] } else { carried };
    Signature::constraint(options, point, carried, is_swapped(function))
}

/// The signature of a constraint at one moment.
pub(crate) fn signature_now(function: &StmtFunctionDef, options: &CompileOptions) -> Signature {
    Signature::constraint_now(options, is_swapped(function))
}

fn parameter(function: &StmtFunctionDef, position: usize) -> Option<&str> {
    let mut parameters = function.parameters.iter_non_variadic_params();
    Some(parameters.nth(position)?.parameter.name.as_str())
}

/// Whether the parameters come in the other order, by their names.
fn is_swapped(function: &StmtFunctionDef) -> bool {
    parameter(function, 0) == Some("keypoints") || parameter(function, 1) == Some("end_effector")
}

fn scene_name(function: &StmtFunctionDef) -> Option<&str> {
    parameter(function, usize::from(!is_swapped(function)))
}

/// Whether a constraint reads where the hand is.
pub(crate) fn reads_hand(function: &StmtFunctionDef) -> bool {
    struct Reads<'n>(Option<&'n str>, bool);
    impl<'a> Visitor<'a> for Reads<'_> {
        fn visit_expr(&mut self, expression: &'a Expr) {
            if let Expr::Name(name) = expression {
                self.1 |= Some(name.id.as_str()) == self.0;
            }
            walk_expr(self, expression);
        }
    }
    let hand = parameter(function, usize::from(is_swapped(function)));
    let mut reads = Reads(hand, false);
    reads.visit_body(&function.body);
    reads.1
}

/// Pairs of keypoints that a vector goes between.
#[derive(Default)]
struct Vectors<'n> {
    keypoints: Option<&'n str>,
    pairs: Vec<[usize; 2]>,
}

impl<'a> Visitor<'a> for Vectors<'_> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        if let Stmt::Assign(assign) = statement
            && let Expr::BinOp(difference) = &*assign.value
            && difference.op == Operator::Sub
        {
            let ends = [&difference.left, &difference.right].map(|end| self.keypoint(end));
            if let [Some(a), Some(b)] = ends {
                self.pairs.push([a, b]);
            }
        }
        walk_stmt(self, statement);
    }
}

impl Vectors<'_> {
    /// The number in `keypoints[number]`.
    fn keypoint(&self, expression: &Expr) -> Option<usize> {
        let subscript = expression.as_subscript_expr()?;
        let name = subscript.value.as_name_expr()?;
        let number = integer(&subscript.slice)?;
        (Some(name.id.as_str()) == self.keypoints).then_some(usize::try_from(number).ok()?)
    }
}

/// The list of integers that a constant is set to last; -1 stands for what is none.
fn integers(constants: &[&Stmt], name: &str) -> Vec<i64> {
    let list = constants.iter().rev().find_map(|statement| {
        let assign = statement.as_assign_stmt()?;
        let target = assign.targets.first()?.as_name_expr()?;
        (target.id.as_str() == name).then_some(&*assign.value)
    });
    let items = match list {
        Some(Expr::List(list)) => list.elts.as_slice(),
        Some(Expr::Tuple(tuple)) => tuple.elts.as_slice(),
        _ => &[],
    };
    items
        .iter()
        .map(|item| integer(item).unwrap_or(-1))
        .collect()
}
