//! Runs a compiled stage on seeded scenes and trajectories before it can reach a robot.
//!
//! Probes are what a robot does: it stands still, also exactly at a keypoint; it moves straight
//! to a keypoint, from above to a keypoint, through several keypoints, with a rest on the way,
//! or anyhow. A program that only fails beyond that is sound. Exactly at a keypoint only the value
//! has to be finite, not the gradient: see [`Motion::meets_keypoint`]. Keypoints of a probe never
//! coincide: the marks of a scene are put on different things, and refusing `a / torch.norm(a)`
//! of the difference of two of them would refuse most sound programs that use a direction.
//! Should two meet all the same, the evaluator reports that particle's reward as not finite.
//! At the entry of a stage, however, every keypoint is where it started.

mod hand;

use std::sync::Arc;

use tiller_core::{GRIPPER_OPEN_M, Trajectories, TrajectoriesMut};

use crate::diagnostic::{Draft, Kind, Span};
use crate::fault::{Fault, adjoint_fault, value_fault};
use crate::options::{CompileOptions, Workspace};
use crate::program::{CompiledDone, CompiledReward, Moment};
use crate::run::code::Code;
use crate::run::evaluator::{EvaluateError, Evaluator, Scene};

/// Fewest and most scenes, each with its own keypoints.
const SCENES: (usize, usize) = (4, 8);
/// Trajectories in each scene; one block of lanes, so that all intermediate values remain.
pub(crate) const TRAJECTORIES: usize = 8;
/// Longest step of a random walk along each axis, in metres.
const STEP_M: f64 = 0.03;
/// Turns of the hand are drawn apart from where it goes.
const HAND_SEED: u64 = 1 << 32;
/// Root mean square of a gradient over the points at or below which steering drops it.
const NEGLIGIBLE: f64 = 1e-12;
/// Keypoints at which the hand is put to check when a stage is complete.
const MAX_DONE_POINTS: usize = 16;

/// SplitMix64: small, seeded, good enough to scatter probes.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// Uniform in `[low, high)`.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let unit = ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64;
        low + unit * (high - low)
    }

    pub(crate) fn point(&mut self, workspace: &Workspace) -> [f64; 3] {
        std::array::from_fn(|axis| self.between(workspace.min_m[axis], workspace.max_m[axis]))
    }

    pub(crate) fn points(&mut self, workspace: &Workspace, count: usize) -> Vec<[f64; 3]> {
        (0..count).map(|_| self.point(workspace)).collect()
    }
}

/// What the hand does in a probe.
#[derive(Clone, Copy)]
enum Motion {
    Still,
    StillAtKeypoint,
    StraightToKeypoint,
    DownToKeypoint,
    ThroughKeypoints,
    RestOnTheWay,
    Walk,
}

const MOTIONS: [Motion; TRAJECTORIES] = [
    Motion::Still,
    Motion::StillAtKeypoint,
    Motion::StillAtKeypoint,
    Motion::StraightToKeypoint,
    Motion::DownToKeypoint,
    Motion::ThroughKeypoints,
    Motion::RestOnTheWay,
    Motion::Walk,
];

impl Motion {
    fn describe(self) -> &'static str {
        match self {
            Motion::Still => "when the hand stands still",
            Motion::StillAtKeypoint => "when the hand stands still at a keypoint",
            Motion::StraightToKeypoint => "when the hand moves straight to a keypoint",
            Motion::DownToKeypoint => "when the hand moves straight down to a keypoint",
            Motion::ThroughKeypoints => "when the hand moves through keypoints",
            Motion::RestOnTheWay => "when the hand rests on its way",
            Motion::Walk => "on a trajectory in the workspace",
        }
    }

    /// Whether a coordinate equals a keypoint's to the last bit. A distance that is written as the
    /// root of squares has no slope there, as in PyTorch, and most programs write it so. A robot
    /// never meets a keypoint that closely, so only the value must be finite.
    fn meets_keypoint(self) -> bool {
        !matches!(self, Motion::Still | Motion::RestOnTheWay | Motion::Walk)
    }

    /// The points of the trajectory. `goals` are the keypoints, the next one first.
    fn trajectory(
        self,
        random: &mut Random,
        workspace: &Workspace,
        goals: &[[f64; 3]],
        points: usize,
    ) -> Vec<[f64; 3]> {
        let away = random.point(workspace);
        let goal = match goals.first() {
            Some(&goal) => goal,
            None => random.point(workspace),
        };
        let from = match self {
            Motion::StillAtKeypoint => goal,
            Motion::DownToKeypoint => [goal[0], goal[1], workspace.max_m[2]],
            _ => away,
        };
        let mut at = from;
        let last = points.saturating_sub(1).max(1);
        (0..points)
            .map(|step| {
                let toward = |progress: f64| -> [f64; 3] {
                    std::array::from_fn(|axis| from[axis] + (goal[axis] - from[axis]) * progress)
                };
                match self {
                    Motion::Still | Motion::StillAtKeypoint => from,
                    // Exactly the keypoint in the end.
                    Motion::StraightToKeypoint | Motion::DownToKeypoint if step == last => goal,
                    Motion::StraightToKeypoint | Motion::DownToKeypoint => {
                        toward(step as f64 / last as f64)
                    }
                    Motion::ThroughKeypoints => match goals {
                        [] => away,
                        _ => goals[step % goals.len()],
                    },
                    Motion::RestOnTheWay => toward((step.min(last / 2)) as f64 / last as f64),
                    Motion::Walk => {
                        let here = at;
                        at = std::array::from_fn(|axis| {
                            here[axis] + random.between(-STEP_M, STEP_M)
                        });
                        here
                    }
                }
            })
            .collect()
    }
}

/// Trajectories of [`TRAJECTORIES`] probes, or slopes along them.
#[derive(Default)]
pub(crate) struct Probes {
    pub(crate) positions: Vec<f64>,
    pub(crate) rotations: Vec<f64>,
    pub(crate) gripper: Vec<f64>,
}

impl Probes {
    pub(crate) fn new(points: usize) -> Self {
        let numbers = |width: usize| vec![0.0; TRAJECTORIES * points * width];
        Self {
            positions: numbers(3),
            rotations: numbers(9),
            gripper: numbers(1),
        }
    }

    pub(crate) fn view(&self) -> Trajectories<'_, f64> {
        Trajectories {
            positions: &self.positions,
            rotations: &self.rotations,
            gripper: &self.gripper,
        }
    }

    pub(crate) fn view_mut(&mut self) -> TrajectoriesMut<'_, f64> {
        TrajectoriesMut {
            positions: &mut self.positions,
            rotations: &mut self.rotations,
            gripper: &mut self.gripper,
        }
    }

    /// What each kind holds of a particle, with the numbers of one point.
    fn of(&self, particle: usize, points: usize) -> [(&[f64], usize); 3] {
        let own = |numbers: &'_ [f64], width: usize| {
            let (from, to) = (particle * width * points, (particle + 1) * width * points);
            from..to.min(numbers.len())
        };
        let kinds = [
            (&self.positions, 3),
            (&self.rotations, 9),
            (&self.gripper, 1),
        ];
        kinds.map(|(numbers, width)| (&numbers[own(numbers, width)], width))
    }

    fn is_finite(&self, particle: usize, points: usize) -> bool {
        let kinds = self.of(particle, points);
        kinds
            .iter()
            .all(|(own, _)| own.iter().all(|number| number.is_finite()))
    }

    /// Whether steering could use these slopes: those of the points that actions lead to.
    pub(crate) fn is_usable(&self, particle: usize, points: usize) -> bool {
        let kinds = self.of(particle, points);
        kinds.iter().any(|&(own, width)| {
            let moved = own.get(width..).unwrap_or_default();
            let square: f64 = moved.iter().map(|slope| slope * slope).sum();
            (square / points as f64).sqrt() > NEGLIGIBLE
        })
    }
}

/// What the probes away from keypoints tell about slopes.
pub(crate) struct Slopes {
    pub(crate) evaluator: Evaluator<f64>,
    /// Trajectories on which steering could use the slope.
    pub(crate) usable: usize,
    /// Those without, although others are better.
    pub(crate) lost: usize,
    /// Some value was not 0.
    pub(crate) has_value: bool,
}

/// Checks that value and gradient are finite on every probe. `unfused` makes the code again with
/// all its intermediate values, which show where a number stopped being finite.
pub(crate) fn check_guidance(
    reward: &CompiledReward,
    unfused: impl Fn() -> Code,
    options: &CompileOptions,
    name: &str,
) -> Result<Slopes, Draft> {
    let workspace = &options.workspace;
    let mut evaluator = Evaluator::<f64>::from_code(Arc::clone(&reward.code), TRAJECTORIES);
    let mut values = [0.0; TRAJECTORIES];
    let mut slopes = Probes::new(options.points);
    let used = reward.used_keypoints();
    let scenes = used.len().div_ceil(2).clamp(SCENES.0, SCENES.1);
    // Every motion that has a goal takes the next keypoint that the reward reads.
    let mut next = 0;
    let (mut usable, mut lost, mut has_value) = (0, 0, false);
    for scene in 0..scenes {
        let mut random = Random(scene as u64);
        let keypoints = random.points(workspace, options.keypoints);
        let mut turns = Random(scene as u64 + HAND_SEED);
        let keypoint_axes: Vec<_> = (0..options.keypoints).map(|_| turns.axes()).collect();
        let place = Scene {
            keypoints: &keypoints,
            keypoint_axes: &keypoint_axes,
        };
        let mut probes = Probes::default();
        for motion in MOTIONS {
            let goals = used.iter().cycle().skip(next % used.len().max(1));
            let goals: Vec<[f64; 3]> = goals.take(used.len()).map(|&k| keypoints[k]).collect();
            let path = motion.trajectory(&mut random, workspace, &goals, options.points);
            probes.positions.extend(path.into_iter().flatten());
            next += usize::from(!matches!(motion, Motion::Still | Motion::Walk));
        }
        for motion in MOTIONS {
            for (rotation, opening) in hand::path(motion, &mut turns, options.points) {
                probes.rotations.extend(rotation.into_iter().flatten());
                probes.gripper.push(opening);
            }
        }
        let result =
            evaluator.evaluate_whole(&place, &probes.view(), &mut values, Some(slopes.view_mut()));
        let best = values.iter().copied().fold(f64::MIN, f64::max);
        let away = |(_, motion): &(usize, &Motion)| !motion.meets_keypoint();
        for (particle, _) in MOTIONS.iter().enumerate().filter(away) {
            if slopes.is_usable(particle, options.points) {
                usable += 1;
            } else if values[particle] < best {
                lost += 1;
            }
        }
        has_value |= values.iter().any(|&value| value != 0.0);
        if !matches!(result, Err(EvaluateError::NotFinite { .. })) {
            continue;
        }
        let bad = MOTIONS.iter().enumerate().position(|(particle, motion)| {
            let smooth = motion.meets_keypoint() || slopes.is_finite(particle, options.points);
            !(values[particle].is_finite() && smooth)
        });
        let Some(particle) = bad else { continue };
        let value_is_finite = values[particle].is_finite();
        let code = Arc::new(unfused());
        let mut evaluator = Evaluator::<f64>::from_code(Arc::clone(&code), TRAJECTORIES);
        // It fails in the same way; what counts are the rows that it leaves behind.
        let _ =
            evaluator.evaluate_whole(&place, &probes.view(), &mut values, Some(slopes.view_mut()));
        let inputs = |input: usize| place.number(input);
        let (kind, what, fault) = if value_is_finite {
            let fault = adjoint_fault(&code, &evaluator, particle);
            (Kind::NotFiniteGradient, "gradient", fault)
        } else {
            let fault = value_fault(&code, &evaluator, particle, inputs);
            (Kind::NotFinite, "value", fault)
        };
        let when = if fault.is_of_keypoints {
            "for keypoints in the workspace"
        } else {
            MOTIONS[particle].describe()
        };
        let message = format!("the {what} of `{name}` is infinite or NaN {when}");
        return Err(draft(kind, message, &fault));
    }
    Ok(Slopes {
        evaluator,
        usable,
        lost,
        has_value,
    })
}

fn draft(kind: Kind, message: String, fault: &Fault) -> Draft {
    let mut draft = Draft::new(kind, fault.span, message)
        .expected("finite numbers everywhere in the workspace")
        .help(fault.mend());
    draft.found = fault.describe();
    draft
}

/// Checks that the done value is finite: at the stage's entry and later, with the hand anywhere
/// and at each keypoint.
pub(crate) fn check_done(
    done: &CompiledDone,
    options: &CompileOptions,
    name: &str,
    span: Span,
) -> Result<(), Draft> {
    let mut random = Random(0);
    let now = random.points(&options.workspace, options.keypoints);
    let before = random.points(&options.workspace, options.keypoints);
    let away = [
        random.point(&options.workspace),
        random.point(&options.workspace),
    ];
    let hands = now
        .iter()
        .take(MAX_DONE_POINTS)
        .map(|&hand| (hand, "when the hand is at a keypoint"));
    let hands = away
        .map(|hand| (hand, "in the workspace"))
        .into_iter()
        .chain(hands);
    let keypoint_axes: Vec<_> = (0..options.keypoints).map(|_| random.axes()).collect();
    for (hand, place) in hands {
        for (start, moment) in [(&before, place), (&now, "when the stage starts")] {
            let mut slots = done.code.new_slots();
            let probe = Moment {
                keypoints: &now,
                start_keypoints: start,
                keypoint_axes: &keypoint_axes,
                end_effector_m: hand,
                rotation: random.axes(),
                gripper_width_m: random.between(0.0, GRIPPER_OPEN_M),
            };
            if done.evaluate(&probe, &mut slots).is_finite() {
                continue;
            }
            let fault = Fault::of_keypoints(&done.code, &slots, span);
            let message = format!("the value of `{name}` is infinite or NaN {moment}");
            return Err(draft(Kind::NotFinite, message, &fault));
        }
    }
    Ok(())
}
