//! The tuned parameters, from one file.

use std::path::Path;

use eyre::{Result, WrapErr, ensure};
use serde::{Deserialize, Serialize};
use tiller_closed_loop::{Ahead, GrowthConfig, PlannerConfig};
use tiller_core::file::read_regular_text;
use tiller_stages::StageConfig;
use tiller_steering::{DiversityConfig, FeynmanKacConfig, StrengthConfig};

use crate::demos::FIRST_TRAINING_SEED;
use crate::subject::Subject;

/// The file that ships, with its reasons.
pub(crate) const SHIPPED: &str = include_str!("../../../benchmarks/tuned.toml");

/// Bytes of another one.
const MAX_BYTES: u64 = 1 << 20;

/// Everything that was tuned, and the seeds that it was tuned on. Units are those of the settings of
/// the same names in [`PlannerConfig`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tuned {
    /// Which scenes serve what.
    pub seeds: SeedRanges,
    /// Sampling.
    pub sampling: Sampling,
    /// Fading with progress.
    pub strength: Strength,
    /// Repulsion; off when absent.
    pub diversity: Option<Diversity>,
    /// Resampling; off when absent.
    pub feynman_kac: Option<FeynmanKac>,
    /// Growth on a plateau.
    pub growth: Growth,
    /// When a stage is given up.
    pub stages: Stages,
    /// Planning in motion.
    pub motion: Motion,
}

/// Seeds to tune on and seeds to report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedRanges {
    /// Parameters were chosen on these.
    pub tuning: SeedRange,
    /// Results are reported on these.
    pub reported: SeedRange,
}

/// Consecutive seeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedRange {
    /// The first.
    pub first: u64,
    /// How many.
    pub episodes: u64,
}

/// See [`SteeringConfig`](tiller_steering::SteeringConfig).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "documented where the values go")]
pub struct Sampling {
    pub particles: usize,
    pub guide_scale: f32,
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub gripper_scale: f32,
    pub guidance_start: f32,
    pub mcmc_steps: usize,
}

fn one() -> f32 {
    1.0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_one(value: &f32) -> bool {
    *value == one()
}

/// See [`StrengthConfig`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "documented where the values go")]
pub struct Strength {
    pub steepness: f32,
    pub midpoint: f32,
}

/// See [`DiversityConfig`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "documented where the values go")]
pub struct Diversity {
    pub scale: f32,
    pub neighbours: usize,
}

/// See [`FeynmanKacConfig`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "documented where the values go")]
pub struct FeynmanKac {
    pub lambda: f32,
    pub ess_threshold: f32,
    pub every: usize,
    pub eta: f32,
}

/// See [`GrowthConfig`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "documented where the values go")]
pub struct Growth {
    pub least_progress: f64,
    pub patience: u32,
    pub factor: f32,
    pub most: f32,
}

/// See [`StageConfig`]; in seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "documented where the values go")]
pub struct Stages {
    pub stall_s: f64,
    pub timeout_s: f64,
    pub max_timeouts: u32,
    pub max_back: u32,
    pub max_visits: u32,
}

/// See [`RunnerConfig`](crate::episode::RunnerConfig) and [`PlannerConfig`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "documented where the values go")]
pub struct Motion {
    pub ahead_steps: u32,
    pub planning_s: f64,
    pub softness: f32,
}

impl SeedRange {
    fn end(self) -> u64 {
        self.first.saturating_add(self.episodes)
    }

    fn overlaps(self, other: Self) -> bool {
        self.first < other.end() && other.first < self.end()
    }
}

impl Tuned {
    /// The parameters that ship.
    ///
    /// # Errors
    /// When the file that was compiled in is not sound.
    pub fn shipped() -> Result<Self> {
        Self::parse(SHIPPED).wrap_err("benchmarks/tuned.toml")
    }

    /// Those of a world.
    ///
    /// # Errors
    /// When what was compiled in is not sound.
    pub fn of(subject: &Subject) -> Result<Self> {
        Self::parse(subject.tuned)
            .wrap_err_with(|| format!("parameters of {}", subject.kind.info().name))
    }

    /// Those of another file.
    ///
    /// # Errors
    /// When the file cannot be read or holds an unknown key, lacks one, or has a value out of range.
    pub fn load(path: &Path) -> Result<Self> {
        let text = read_regular_text(path, MAX_BYTES)?;
        Self::parse(&text).wrap_err_with(|| path.display().to_string())
    }

    fn parse(text: &str) -> Result<Self> {
        let tuned: Self = toml::from_str(text)?;
        tuned.check()?;
        Ok(tuned)
    }

    /// # Errors
    /// When seeds to tune on and seeds to report or to train on meet, or a value is out of range.
    pub fn check(&self) -> Result<()> {
        let SeedRanges { tuning, reported } = self.seeds;
        ensure!(
            !tuning.overlaps(reported),
            "expected tuning seeds and reported seeds apart, found {} to {} and {} to {}",
            tuning.first,
            tuning.end() - 1,
            reported.first,
            reported.end() - 1
        );
        let last = tuning.end().max(reported.end());
        ensure!(
            last <= FIRST_TRAINING_SEED,
            "expected seeds below {FIRST_TRAINING_SEED}, where the training scenes begin, found {}",
            last - 1
        );
        let planner = self.planner();
        // The policy's horizon is not known yet; the planner checks again when it is.
        planner.validate(planner.execute_steps)?;
        self.growth().problems().finish(())?;
        ensure!(
            (0.0..=10.0).contains(&self.motion.planning_s),
            "motion.planning_s: expected 0 to 10 s, found {}",
            self.motion.planning_s
        );
        self.stages().validate()?;
        Ok(())
    }

    /// When the full method's stages end.
    #[must_use]
    pub fn stages(&self) -> StageConfig {
        let Stages {
            stall_s,
            timeout_s,
            max_timeouts,
            max_back,
            max_visits,
        } = self.stages;
        // A negative time saturates to 0, which the check refuses.
        StageConfig {
            stall_ns: (stall_s * 1e9) as u64,
            stage_timeout_ns: (timeout_s * 1e9) as u64,
            max_timeouts,
            max_back,
            max_visits,
            ..StageConfig::default()
        }
    }

    /// How guidance grows on a plateau.
    #[must_use]
    pub fn growth(&self) -> GrowthConfig {
        GrowthConfig {
            least_progress: self.growth.least_progress,
            patience: self.growth.patience,
            factor: self.growth.factor,
            most: self.growth.most,
        }
    }

    /// When the next chunk is planned.
    #[must_use]
    pub fn ahead(&self) -> Ahead {
        Ahead::Steps(self.motion.ahead_steps)
    }

    /// How long planning takes in simulated time, ns.
    #[must_use]
    pub fn planning_ns(&self) -> u64 {
        (self.motion.planning_s * 1e9) as u64
    }

    /// The full method's settings.
    #[must_use]
    pub fn planner(&self) -> PlannerConfig {
        let mut planner = PlannerConfig {
            softness: self.motion.softness,
            ..PlannerConfig::default()
        };
        let steering = &mut planner.steering;
        steering.particles = self.sampling.particles;
        steering.guide_scale = self.sampling.guide_scale;
        steering.gripper_scale = self.sampling.gripper_scale;
        steering.guidance_start = self.sampling.guidance_start;
        steering.mcmc_steps = self.sampling.mcmc_steps;
        steering.strength = StrengthConfig {
            steepness: self.strength.steepness,
            midpoint: self.strength.midpoint,
        };
        steering.diversity = self.diversity.as_ref().map(|diversity| DiversityConfig {
            scale: diversity.scale,
            neighbours: Some(diversity.neighbours),
            ..DiversityConfig::default()
        });
        steering.feynman_kac = self
            .feynman_kac
            .as_ref()
            .map(|resampling| FeynmanKacConfig {
                lambda: resampling.lambda,
                ess_threshold: resampling.ess_threshold,
                every: resampling.every,
                eta: resampling.eta,
                ..FeynmanKacConfig::default()
            });
        planner
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ships_is_what_the_nodes_steer_with() {
        let tuned = Tuned::shipped().unwrap();
        assert_eq!(tuned.planner(), PlannerConfig::default());
        assert_eq!(tuned.growth(), GrowthConfig::default());
        assert_eq!(tuned.stages(), StageConfig::default());
        assert_eq!(tuned.seeds.tuning.first, 300);
        assert_eq!(tuned.seeds.reported.first, 5000);
    }

    #[test]
    fn a_file_with_a_mistake_is_refused_with_its_place() {
        let message = |from: &str, to: &str| {
            assert!(SHIPPED.contains(from), "{from}");
            let error = Tuned::parse(&SHIPPED.replace(from, to)).unwrap_err();
            error.to_string()
        };
        let unknown = message("mcmc_steps = 1", "mcmc_steps = 1\nmcmc = 2");
        assert!(unknown.contains("unknown field `mcmc`"), "{unknown}");
        let missing = message("guide_scale = 1.0", "");
        assert!(missing.contains("guide_scale"), "{missing}");
        let range = message("guidance_start = 0.2", "guidance_start = 1.2");
        assert!(range.contains("from 0 to 1, found 1.2"), "{range}");
        let stages = message("stall_s = 1.5", "stall_s = -1.5");
        assert!(stages.contains("stall_ns"), "{stages}");
        let seeds = message("first = 5000", "first = 349");
        assert!(seeds.contains("found 300 to 349 and 349 to 398"), "{seeds}");
        let training = message("first = 5000", "first = 999951");
        assert!(training.contains("below 1000000"), "{training}");
    }
}
