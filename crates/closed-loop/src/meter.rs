//! Measuring how far the stage under way is, without planning.

use std::sync::Arc;

use thiserror::Error;
use tiller_core::{Plateau, Reads, Visit};
use tiller_reward::{CompiledReward, EvaluateError, Evaluator, Program, Scene};
use tiller_steering::Start;

use crate::hand::{Hand, Paths};
use crate::planning::{ExactReward, Landscape, Reach, becomes_positive, highest_reward};
use crate::scale::{GoalSource, Reading, Scale};

/// How guidance grows while a stage stays on a plateau: where the policy wants to stay and guidance
/// wants to go, a chunk can come out as standing still, and so will the next.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct GrowthConfig {
    /// Rise of progress that ends a plateau; default 0.05.
    pub least_progress: f64,
    /// Plans in a row on the plateau before guidance grows; default 1.
    pub patience: u32,
    /// What the strength is multiplied by at every further plan, at least 1; default 1.5.
    pub factor: f32,
    /// The most that it is multiplied by in all, at least 1; 1 turns this off; default 4.
    pub most: f32,
}

impl Default for GrowthConfig {
    fn default() -> Self {
        Self {
            least_progress: 0.05,
            patience: 1,
            factor: 1.5,
            most: 4.0,
        }
    }
}

impl GrowthConfig {
    /// Everything that is wrong with the settings.
    #[must_use]
    pub fn problems(&self) -> tiller_core::Problems {
        let mut problems = tiller_core::Problems::default();
        let mut check = |name: &str, least: f64, found: f64| {
            problems.require(
                name,
                found.is_finite() && found >= least,
                format!("a finite number of at least {least}"),
                found,
            );
        };
        check("growth.least_progress", 0.0, self.least_progress);
        check("growth.factor", 1.0, f64::from(self.factor));
        check("growth.most", 1.0, f64::from(self.most));
        problems
    }

    /// What to multiply guidance by after so many plans without progress.
    fn gain(&self, idle: u64) -> f32 {
        let grown = idle.saturating_sub(u64::from(self.patience));
        let exponent = i32::try_from(grown).unwrap_or(i32::MAX);
        self.factor.powi(exponent).min(self.most)
    }
}

/// Why there is no reading.
#[derive(Debug, Error)]
pub enum MeterError {
    /// The stage does not exist in the program.
    #[error("stage {found} does not exist, the program has stages 1 to {stages}")]
    NoSuchStage {
        /// The stage asked for.
        found: u32,
        /// Stages in the program; 0 when there is no program.
        stages: usize,
    },
    /// There is another number of keypoints than the program was compiled for.
    #[error("the program was compiled for {expected} keypoints, found {found}")]
    KeypointCount {
        /// Keypoints at compile time.
        expected: usize,
        /// Keypoints given.
        found: usize,
    },
    /// A position is not a finite number.
    #[error("{what} is not finite: [{}, {}, {}]", .found[0], .found[1], .found[2])]
    NotFinite {
        /// Which position.
        what: String,
        /// Its value, metres.
        found: [f64; 3],
    },
    /// The program has no finite value where the robot is.
    #[error("the program's value of {what} is not finite")]
    RewardNotFinite {
        /// Of what: holding still, the selected chunk, being done.
        what: &'static str,
    },
    /// The reward could not be evaluated.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
}

/// Holds the program and the visit that the robot is in, and measures its progress.
#[derive(Debug)]
pub struct StageMeter {
    points: usize,
    max_step_m: f64,
    growth: GrowthConfig,
    program: Option<(Arc<Program>, usize)>,
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    visit: Visit,
    start_keypoints: Vec<[f64; 3]>,
    /// The keypoints that guidance or done read: only these must be known.
    used: Vec<usize>,
    reward: Option<Measured>,
    /// Progress of the chunk planned last; fades the guidance of the next.
    planned: f64,
    plateau: Plateau,
    plans: u64,
}

/// The reward of a stage with guidance, and what progress means for it.
#[derive(Debug)]
struct Measured {
    evaluator: Evaluator<f64>,
    reads: Reads,
    scale: Scale,
}

impl Measured {
    fn new(
        guidance: &CompiledReward,
        scene: Scene<'_>,
        mut reach: Reach<'_>,
    ) -> Result<Self, MeterError> {
        let mut evaluator = Evaluator::new(guidance, usize::MAX);
        let reads = guidance.reads();
        reach.reads = reads;
        let mut reward = ExactReward {
            evaluator: &mut evaluator,
            scene,
        };
        let scale = measure(&mut reward, &reach)?;
        Ok(Self {
            evaluator,
            reads,
            scale,
        })
    }
}

impl StageMeter {
    /// A meter for trajectories of `points` points whose steps are at most `max_step_m` along an
    /// axis, which bounds the search for the highest reward of a stage.
    #[must_use]
    pub fn new(points: usize, max_step_m: f64, growth: GrowthConfig) -> Self {
        Self {
            points,
            max_step_m,
            growth,
            program: None,
            current: None,
        }
    }

    /// Takes a program compiled for `keypoints` keypoints and the meter's number of points. The
    /// robot is in no stage until [`Self::enter`].
    pub fn set_program(&mut self, program: Arc<Program>, keypoints: usize) {
        self.program = Some((program, keypoints));
        self.current = None;
    }

    /// Forgets program and stage.
    pub fn clear(&mut self) {
        self.program = None;
        self.current = None;
    }

    /// Leaves all stages.
    pub fn leave(&mut self) {
        self.current = None;
    }

    /// The program.
    #[must_use]
    pub fn program(&self) -> Option<&Arc<Program>> {
        self.program.as_ref().map(|(program, _)| program)
    }

    /// The visit that is measured; no stage where there is none.
    #[must_use]
    pub fn visit(&self) -> Visit {
        self.current
            .as_ref()
            .map(|current| current.visit)
            .unwrap_or_default()
    }

    /// The keypoints that the stage's guidance or done read.
    #[must_use]
    pub fn used_keypoints(&self) -> &[usize] {
        self.current.as_ref().map_or(&[], |current| &current.used)
    }

    /// Enters a stage and measures what progress 0 and 1 mean for it. Returns that scale; `None`
    /// for a stage without guidance.
    ///
    /// # Errors
    /// When the stage does not exist, the keypoints do not fit or one that is read is not finite,
    /// or the reward has no finite value where the robot is. The robot is then in no stage.
    pub fn enter(
        &mut self,
        visit: Visit,
        scene: Scene<'_>,
        anchor: Hand,
    ) -> Result<Option<Scale>, MeterError> {
        self.current = None;
        if !visit.is_some() {
            return Ok(None);
        }
        let no_such = |stages| MeterError::NoSuchStage {
            found: visit.stage,
            stages,
        };
        let (program, expected) = self.program.as_ref().ok_or(no_such(0))?;
        let compiled = program
            .stages
            .get(visit.stage as usize - 1)
            .ok_or(no_such(program.stages.len()))?;
        let mut used = compiled.guidance.used_keypoints();
        used.extend(compiled.done.iter().flat_map(|done| done.used_keypoints()));
        used.sort_unstable();
        used.dedup();
        check_keypoints(scene.keypoints, *expected, &used)?;
        check_position("the anchor", anchor.pose.position_m)?;
        let reward = if compiled.is_unguided {
            None
        } else {
            let reach = Reach {
                anchor,
                keypoints: scene.keypoints,
                points: self.points,
                max_step_m: self.max_step_m,
                reads: Reads::default(),
            };
            Some(Measured::new(&compiled.guidance, scene, reach)?)
        };
        let scale = reward.as_ref().map(|reward| reward.scale);
        self.current = Some(Current {
            visit,
            start_keypoints: scene.keypoints.to_vec(),
            used,
            reward,
            planned: 0.0,
            plateau: Plateau::new(self.growth.least_progress),
            plans: 0,
        });
        Ok(scale)
    }

    /// How far the stage is now.
    ///
    /// # Errors
    /// When the keypoints do not fit or one that is read is not finite, or the reward or done has no
    /// finite value here.
    pub fn progress(&mut self, scene: Scene<'_>, hand: Hand) -> Result<Reading, MeterError> {
        let (Some(current), Some((program, expected))) = (&mut self.current, &self.program) else {
            return Ok(Reading::default());
        };
        check_keypoints(scene.keypoints, *expected, &current.used)?;
        check_position("the end effector", hand.pose.position_m)?;
        let compiled = &program.stages[current.visit.stage as usize - 1];
        let done = match &compiled.done {
            Some(done) => {
                let Scene {
                    keypoints,
                    keypoint_axes,
                } = scene;
                let moment = hand.moment(keypoints, keypoint_axes, &current.start_keypoints);
                let value = done.value(&moment);
                Some(value.map_err(|error| not_finite(error, "being done"))?)
            }
            None => None,
        };
        let mut reading = Reading {
            visit: current.visit,
            planned: current.planned,
            done,
            ..Reading::default()
        };
        if let Some(Measured {
            evaluator,
            reads,
            scale,
        }) = &mut current.reward
        {
            let mut reward = ExactReward { evaluator, scene };
            reading.reward = reward_of_holding_still(&mut reward, hand, self.points, *reads)?;
            reading.achieved = scale.progress(reading.reward);
        }
        Ok(reading)
    }

    /// From the stage's reward at entry to that of its goal; 0 where there is none.
    pub fn way(&self) -> f64 {
        let reward = self
            .current
            .as_ref()
            .and_then(|current| current.reward.as_ref());
        reward.map_or(0.0, |reward| reward.scale.goal - reward.scale.entry)
    }

    /// Takes the progress achieved at the time of a plan; returns what to multiply guidance by.
    pub fn gain(&mut self, achieved: f64) -> f32 {
        let Some(current) = &mut self.current else {
            return 1.0;
        };
        current.plans += 1;
        let idle = current.plateau.observe(achieved, current.plans);
        self.growth.gain(idle)
    }

    /// Takes the positions `[P, 3]` (m) of the chunk that was selected for this visit, and the places
    /// `[P]` that it leads through; returns its progress, which fades the guidance of the next chunk.
    ///
    /// # Errors
    /// When the reward has no finite value for it.
    pub fn take_plan(
        &mut self,
        scene: Scene<'_>,
        positions_m: &[f32],
        path: &[Start],
    ) -> Result<f64, MeterError> {
        let Some(current) = &mut self.current else {
            return Ok(0.0);
        };
        if let Some(Measured {
            evaluator,
            reads,
            scale,
        }) = &mut current.reward
        {
            let way = Paths::of_plan(positions_m, path, *reads);
            let mut reward = ExactReward { evaluator, scene };
            let value = single_reward(&mut reward, &way, "the selected chunk")?;
            current.planned = scale.progress(value);
        }
        Ok(current.planned)
    }

    /// Progress of the chunk planned last.
    #[must_use]
    pub fn planned(&self) -> f64 {
        self.current.as_ref().map_or(0.0, |current| current.planned)
    }
}

/// What progress 0 and 1 mean, measured at stage entry.
fn measure(reward: &mut ExactReward<'_>, reach: &Reach<'_>) -> Result<Scale, MeterError> {
    let entry = reward_of_holding_still(reward, reach.anchor, reach.points, reach.reads)?;
    let (goal, source) = if becomes_positive(reward, reach)? {
        (highest_reward(reward, reach)?, GoalSource::Optimised)
    } else {
        (0.0, GoalSource::Zero)
    };
    Ok(Scale {
        entry,
        goal,
        source,
    })
}

fn reward_of_holding_still(
    reward: &mut ExactReward<'_>,
    hand: Hand,
    points: usize,
    reads: Reads,
) -> Result<f64, MeterError> {
    let mut way = Paths::default();
    for _ in 0..points {
        way.push(
            hand.pose.position_m,
            &hand.rotation(),
            hand.opening(),
            reads,
        );
    }
    single_reward(reward, &way, "holding still")
}

fn single_reward(
    reward: &mut ExactReward<'_>,
    way: &Paths,
    what: &'static str,
) -> Result<f64, MeterError> {
    let mut value = [f64::NAN];
    reward.evaluate(&way.view(), &mut value, None)?;
    if value[0].is_finite() {
        Ok(value[0])
    } else {
        Err(MeterError::RewardNotFinite { what })
    }
}

/// Names what has no finite value, which the reward itself cannot know.
fn not_finite(error: EvaluateError, what: &'static str) -> MeterError {
    match error {
        EvaluateError::NotFinite { .. } => MeterError::RewardNotFinite { what },
        error => error.into(),
    }
}

fn check_keypoints(
    keypoints: &[[f64; 3]],
    expected: usize,
    used: &[usize],
) -> Result<(), MeterError> {
    if keypoints.len() != expected {
        return Err(MeterError::KeypointCount {
            expected,
            found: keypoints.len(),
        });
    }
    match used.iter().find(|index| !is_finite(keypoints[**index])) {
        Some(&index) => Err(MeterError::NotFinite {
            what: format!("keypoint {index}"),
            found: keypoints[index],
        }),
        None => Ok(()),
    }
}

fn is_finite(position: [f64; 3]) -> bool {
    position.iter().all(|value| value.is_finite())
}

fn check_position(what: &str, found: [f64; 3]) -> Result<(), MeterError> {
    if is_finite(found) {
        return Ok(());
    }
    Err(MeterError::NotFinite {
        what: what.to_owned(),
        found,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guidance_grows_on_a_plateau_and_is_itself_again_after() {
        let config = GrowthConfig::default();
        let mut plateau = Plateau::new(config.least_progress);
        let mut plans = 0;
        let mut gain = |achieved| {
            plans += 1;
            config.gain(plateau.observe(achieved, plans))
        };
        assert_eq!(gain(0.3), 1.0, "the first plan");
        assert_eq!(gain(0.36), 1.0, "it rises");
        assert_eq!(gain(0.37), 1.0, "patience");
        assert_eq!(gain(0.2), 1.5);
        assert_eq!(gain(0.39), 2.25);
        assert_eq!(gain(0.5), 1.0, "it rises again");
        let last = (0..1000).map(|_| gain(0.5)).last();
        assert_eq!(last, Some(4.0));
    }

    #[test]
    fn every_mistake_is_named() {
        assert!(GrowthConfig::default().problems().is_empty());
        let config = GrowthConfig {
            least_progress: -0.1,
            patience: 0,
            factor: 0.5,
            most: f32::NAN,
        };
        assert_eq!(config.problems().found.len(), 3);
    }
}
