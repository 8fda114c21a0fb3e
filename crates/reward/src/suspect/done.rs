//! Whether a stage can begin, and whether it can end.

use tiller_core::GRIPPER_OPEN_M;

use super::{around, units};
use crate::diagnostic::{Draft, Kind, Span};
use crate::graph::{Graph, NodeId};
use crate::options::CompileOptions;
use crate::probe::Random;
use crate::program::{CompiledDone, DOWN, Moment};
use crate::syntax::StmtFunctionDef;

/// Evaluations times operations: what the search may cost.
const BUDGET: usize = 400_000;
/// Evaluations at most.
const MAX_TRIALS: usize = 3000;
/// Keypoints that the search puts the hand at and moves.
const MAX_POINTS: usize = 8;
/// Moments drawn anyhow.
const DRAWN: usize = 64;
/// First and last step of the search for an end, in metres.
const STEP_M: (f64, f64) = (0.16, 0.0003);
/// The hand is put this far from keypoints along each axis: no stage ends at one point alone.
const BESIDE_M: f64 = 0.0004;
/// Evaluations that a search needs to be worth its word.
const ENOUGH: usize = 300;
/// Steps in a row along one line.
const MAX_STRAIGHT: usize = 24;

/// A done function that is finite on its probes.
pub(crate) struct Done<'s> {
    function: &'s StmtFunctionDef,
    graph: &'s Graph,
    result: NodeId,
    options: &'s CompileOptions,
}

/// The scene and the hand, to be changed.
#[derive(Clone)]
struct Scene {
    now: Vec<[f64; 3]>,
    start: Vec<[f64; 3]>,
    hand: [f64; 3],
    rotation: [[f64; 3]; 3],
    width: f64,
    /// Of the keypoints; empty where nothing is known.
    axes: Vec<[[f64; 3]; 3]>,
}

/// Evaluates, remembers the signs, and knows when to stop.
struct Trial<'d> {
    done: &'d CompiledDone,
    slots: Vec<f64>,
    allowed: usize,
    left: usize,
    was_negative: bool,
    was_reached: bool,
}

impl Trial<'_> {
    fn value(&mut self, scene: &Scene) -> f64 {
        self.left = self.left.saturating_sub(1);
        let moment = Moment {
            keypoints: &scene.now,
            start_keypoints: &scene.start,
            keypoint_axes: &scene.axes,
            end_effector_m: scene.hand,
            rotation: scene.rotation,
            gripper_width_m: scene.width,
        };
        let value = self.done.evaluate(&moment, &mut self.slots);
        self.was_negative |= value < 0.0;
        self.was_reached |= value >= 0.0;
        value
    }

    fn is_over(&self) -> bool {
        self.left == 0 || self.was_negative && self.was_reached
    }
}

impl<'s> Done<'s> {
    pub(crate) fn new(
        function: &'s StmtFunctionDef,
        graph: &'s Graph,
        result: NodeId,
        options: &'s CompileOptions,
    ) -> Self {
        Self {
            function,
            graph,
            result,
            options,
        }
    }

    /// What is remarked.
    ///
    /// # Errors
    ///
    /// A value that is never negative.
    pub(crate) fn judge(
        &self,
        done: &CompiledDone,
        is_comparison: bool,
    ) -> Result<Vec<Draft>, Draft> {
        let name = self.function.name.as_str();
        let span = Span::of(&self.function.name);
        let mut remarks = Vec::new();
        if !self.options.judge_purpose {
            return Ok(remarks);
        }
        if is_comparison {
            remarks.push(comparison(name, span));
        }
        let allowed = MAX_TRIALS.min(BUDGET / done.code.operations.max(1));
        let mut trial = Trial {
            done,
            slots: done.code.new_slots(),
            allowed,
            left: allowed,
            was_negative: false,
            was_reached: false,
        };
        self.try_moments(&mut trial);
        if !trial.was_negative && trial.left > 0 {
            return Err(never_negative(name, span));
        }
        let keypoints = 3 * self.options.keypoints;
        let mut reads = done.code.used_uniforms().peekable();
        if reads.peek().is_none() {
            remarks.push(never(name, span, "it reads nothing of the scene"));
            return Ok(remarks);
        }
        if reads.all(|input| (keypoints..2 * keypoints).contains(&input)) {
            let why = "it reads only where the keypoints were when the stage began";
            remarks.push(never(name, span, why));
            return Ok(remarks);
        }
        // What turns of the hand or of objects decide is not searched, nor what has no slope.
        let is_searched = done
            .code
            .used_uniforms()
            .all(|input| input < 2 * keypoints + 3 || input == 2 * keypoints + 12);
        if !trial.was_reached && !is_comparison && is_searched {
            self.search(done, &mut trial);
            if !trial.was_reached && trial.allowed > ENOUGH {
                remarks.push(never(
                    name,
                    span,
                    "it is negative wherever hand and keypoints are",
                ));
            }
        }
        remarks.extend(units::find(
            self.graph,
            self.result,
            self.options,
            units::Inputs::Done,
        ));
        Ok(remarks)
    }

    /// At the entry, later, with the hand far away, at every keypoint and anyhow.
    fn try_moments(&self, trial: &mut Trial<'_>) {
        let workspace = &self.options.workspace;
        let mut random = Random(7);
        let count = self.options.keypoints;
        let now = random.points(workspace, count);
        let mut scene = Scene {
            start: now.clone(),
            now,
            hand: workspace.max_m,
            rotation: DOWN,
            width: GRIPPER_OPEN_M,
            axes: Vec::new(),
        };
        let hands = scene.now.iter().take(MAX_POINTS);
        let hands: Vec<[f64; 3]> = hands.map(beside).collect();
        for is_moved in [false, true] {
            if is_moved {
                scene.start = random.points(workspace, count);
            }
            let far = [workspace.max_m, workspace.min_m];
            for hand in far.into_iter().chain(hands.iter().copied()) {
                for width in [GRIPPER_OPEN_M, 0.0, GRIPPER_OPEN_M / 2.0] {
                    (scene.hand, scene.width) = (hand, width);
                    trial.value(&scene);
                    if trial.is_over() {
                        return;
                    }
                }
            }
        }
        let wide = around(workspace);
        for round in 0..DRAWN {
            scene.now = random.points(&wide, count);
            // Now and then at the entry.
            scene.start = if round % 4 == 0 {
                scene.now.clone()
            } else {
                random.points(&wide, count)
            };
            scene.axes = (0..count).map(|_| random.axes()).collect();
            scene.hand = random.point(&wide);
            scene.rotation = random.axes();
            scene.width = random.between(0.0, GRIPPER_OPEN_M);
            trial.value(&scene);
            if trial.is_over() {
                return;
            }
        }
    }

    /// Goes uphill along one coordinate after the other: of the hand and of the keypoints that the
    /// value reads.
    fn search(&self, done: &CompiledDone, trial: &mut Trial<'_>) {
        let count = self.options.keypoints;
        let mut moved = done.used_keypoints();
        moved.truncate(MAX_POINTS);
        for seed in 0..3 {
            let mut random = Random(20 + seed);
            let now = random.points(&self.options.workspace, count);
            let mut scene = Scene {
                start: now.clone(),
                hand: moved
                    .first()
                    .map_or(self.options.workspace.min_m, |&k| beside(&now[k])),
                now,
                rotation: DOWN,
                axes: Vec::new(),
                width: GRIPPER_OPEN_M * 0.5 * seed as f64,
            };
            let mut best = trial.value(&scene);
            let mut step = STEP_M.0;
            while step > STEP_M.1 && !trial.is_over() {
                let before = best;
                for coordinate in 0..3 * (1 + moved.len()) {
                    for sign in [1.0, -1.0] {
                        // Along one line as long as it gets better.
                        for _ in 0..MAX_STRAIGHT {
                            let mut next = scene.clone();
                            let point = match coordinate / 3 {
                                0 => &mut next.hand,
                                other => &mut next.now[moved[other - 1]],
                            };
                            point[coordinate % 3] += sign * step;
                            let value = trial.value(&next);
                            if trial.is_over() {
                                return;
                            }
                            let is_better = value > best;
                            if !is_better {
                                break;
                            }
                            (best, scene) = (value, next);
                        }
                    }
                }
                if best <= before {
                    step /= 2.0;
                }
            }
        }
    }
}

fn beside(point: &[f64; 3]) -> [f64; 3] {
    point.map(|v| v + BESIDE_M)
}

fn comparison(name: &str, span: Span) -> Draft {
    Draft::new(
        Kind::DoneComparison,
        span,
        format!("`{name}` is a comparison: it is read as 1 where it is true and as -1 where not"),
    )
    .expected("a margin that says how far the stage is from its end")
    .help("return `0.03 - distance` instead of `distance < 0.03`; two margins are `torch.minimum(a, b)`")
}

fn never_negative(name: &str, span: Span) -> Draft {
    Draft::new(
        Kind::DoneSign,
        span,
        format!("`{name}` is never negative: the stage would be complete before it has begun"),
    )
    .expected("a number below 0 until the stage is complete, and at or above 0 from then on")
    .found("a number at or above 0 on every probe")
    .help("return the margin in metres, as in `return 0.03 - distance`")
}

fn never(name: &str, span: Span, why: &str) -> Draft {
    Draft::new(
        Kind::DoneNever,
        span,
        format!("`{name}` does not tell when the stage is complete: {why}"),
    )
    .expected("a number that becomes 0 or more once the stage is complete")
    .help("return the margin in metres, as in `return 0.03 - distance`")
}
