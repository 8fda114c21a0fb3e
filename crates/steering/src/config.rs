//! Every knob of the sampler, with its default and unit.

use tiller_core::Problems;

use crate::guide::Guide;
use crate::scheduler::SchedulerConfig;

/// Most chunks that are sampled side by side.
const MAX_PARTICLES: usize = 1_000_000;

/// Where the reward's gradient is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum GradientPoint {
    /// At the clean estimate: the chunk that would be executed.
    #[default]
    Clean,
    /// At the noisy sample itself.
    Noisy,
}

/// What a gradient is divided by before the strength scales it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum Normalise {
    /// Each particle by its own root mean square over the guided entries of a block of columns:
    /// position (or joints), rotation, gripper.
    #[default]
    Particle,
    /// All particles by their common root mean square of a block: an outlier mutes the rest.
    Batch,
    /// Nothing: the reward's own scale decides.
    None,
}

/// How particles repel each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum Kernel {
    /// Potential `1 / d` of the distance between two whole trajectories.
    #[default]
    InverseDistance,
    /// Potential `exp(-d^2 / h)`, `h` by the median heuristic.
    Rbf,
}

/// What a Feynman-Kac weight is made of; `r` is the reward of the clean estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum Potential {
    /// `exp(lambda (r_now - r_before))`: favours particles that improve.
    #[default]
    Difference,
    /// `exp(lambda max r)` over the particle's history.
    Max,
    /// `exp(lambda sum r)` over the particle's history.
    Sum,
    /// `exp(lambda r_now)`.
    Immediate,
}

/// Phase 1: particles repel each other before guidance starts.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DiversityConfig {
    /// How the distance between two trajectories turns into repulsion.
    pub kernel: Kernel,
    /// Strength, on the same scale as `guide_scale`; at least 0.
    pub scale: f32,
    /// How many others repel a particle in a step, others in every step; all when `None`. At least 2.
    /// More make the repulsion smoother, at a cost in proportion.
    pub neighbours: Option<usize>,
}

impl Default for DiversityConfig {
    fn default() -> Self {
        Self {
            kernel: Kernel::default(),
            scale: 0.5,
            neighbours: Some(50),
        }
    }
}

/// Phase 3: resampling by reward.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct FeynmanKacConfig {
    /// What the weights are made of.
    pub potential: Potential,
    /// Inverse temperature; at least 0. Per way of the stage, from its reward at entry to that of its
    /// goal, where that is known ([`Steerer::set_way`](crate::Steerer::set_way)), else per unit of reward:
    /// so it means the same in every program.
    pub lambda: f32,
    /// Resample when the effective sample size falls below this fraction of the particles,
    /// in `[0, 1]`. 0 never resamples, 1 resamples whenever the weights differ.
    pub ess_threshold: f32,
    /// Weights are updated every this many guided steps; at least 1.
    pub every: usize,
    /// How stochastic the steps after a resampling are: 0 deterministic (copies stay together),
    /// 1 ancestral.
    pub eta: f32,
}

impl Default for FeynmanKacConfig {
    fn default() -> Self {
        Self {
            potential: Potential::default(),
            lambda: 10.0,
            ess_threshold: 0.5,
            every: 1,
            eta: 1.0,
        }
    }
}

/// Evolution by reward, without a gradient: finished chunks are chosen by reward, noised part of the way
/// and denoised again, generation after generation (truncated diffusion as a mutation: Diffusion-ES, arXiv
/// 2402.06559; for steered policies VLA-Pilot, arXiv 2511.14178).
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct EvolutionConfig {
    /// Generations after the first chunks; 1 to 1000.
    pub generations: usize,
    /// The share of the sampling steps that a generation goes back, above 0 to 1: the more, the further
    /// children are from their parents, and the longer it takes.
    pub share: f32,
    /// How strongly reward decides who has children: chances are in proportion to `exp(lambda r)`, in the
    /// units of [`FeynmanKacConfig::lambda`]; at least 0.
    pub lambda: f32,
}

impl Default for EvolutionConfig {
    fn default() -> Self {
        Self {
            generations: 3,
            share: 0.3,
            lambda: 10.0,
        }
    }
}

/// How guidance fades as the stage progresses: `s(p) = 1 / (1 + exp(k (p - p0)))`.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct StrengthConfig {
    /// Steepness `k`; at least 0.
    pub steepness: f32,
    /// Progress `p0` at which guidance has half its strength.
    pub midpoint: f32,
}

impl StrengthConfig {
    /// `s(progress)`, in `[0, 1]`.
    #[must_use]
    pub fn at(&self, progress: f32) -> f32 {
        1.0 / (1.0 + (self.steepness * (progress - self.midpoint)).exp())
    }
}

impl Default for StrengthConfig {
    fn default() -> Self {
        Self {
            steepness: 10.0,
            midpoint: 1.0,
        }
    }
}

/// What a run records of its steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub enum TraceLevel {
    /// Means over the particles, and who became a copy of whom.
    #[default]
    Summary,
    /// Beside that every particle's reward, gradient and trajectory in every step, see
    /// [`ParticleTrace`](crate::ParticleTrace): for viewers, at the price of their memory.
    Full,
}

/// How a chunk is sampled and steered.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct SteeringConfig {
    /// Chunks `B` sampled side by side when there is a reward; 1 to 1 000 000.
    pub particles: usize,
    /// Chunks sampled when there is none: one is the policy as it is.
    pub unsteered_particles: usize,
    /// How samples get from noise to data, and in how many steps.
    pub scheduler: SchedulerConfig,
    /// The first action of a chunk that is executed: the trajectory starts there, and so does the
    /// chunk that is returned.
    pub execute_start: usize,
    /// Actions from `execute_start` on that make the trajectory the reward sees; all when `None`.
    pub guided_steps: Option<usize>,
    /// Which columns guidance may move.
    pub guide: Guide,
    /// Guidance strength; at least 0. With `Normalise::Particle` and a gradient that keeps its
    /// direction, guidance moves a chunk that the denoiser does not pull back by about
    /// `0.6 * guide_scale` in normalised units (root mean square over the guided entries; half the
    /// action range is 1). A multimodal policy pulls back to its nearest behaviour, so what
    /// guidance does in effect is to choose among behaviours: 0.5 prefers, 1 decides even for
    /// one that the policy shows once in 5000 times, above 2 chunks leave the policy's range.
    pub guide_scale: f32,
    /// What guidance of the gripper is stronger by; at least 0. Fingers are open or closed: where a policy, in places
    /// that it does not know, would not close them, a push that only prefers moves nothing.
    pub gripper_scale: f32,
    /// Fraction of the sampling steps after which guidance replaces diversity, in `[0, 1]`.
    pub guidance_start: f32,
    /// How guidance fades with progress.
    pub strength: StrengthConfig,
    /// Where the gradient is taken.
    pub at: GradientPoint,
    /// How the gradient is normalised.
    pub normalise: Normalise,
    /// Repetitions `M` of each guided step, re-noising between; 1 is plain guidance; at most 1000.
    pub mcmc_steps: usize,
    /// Repulsion before guidance starts; off when `None`.
    pub diversity: Option<DiversityConfig>,
    /// Resampling during guidance; off when `None`.
    pub feynman_kac: Option<FeynmanKacConfig>,
    /// Generations of chunks after the first; off when `None`. Not together with `feynman_kac`, whose
    /// weights belong to one way down the noise.
    #[serde(default)]
    pub evolution: Option<EvolutionConfig>,
    /// What is recorded of the steps; it changes nothing about the samples.
    pub trace: TraceLevel,
}

impl Default for SteeringConfig {
    fn default() -> Self {
        Self {
            particles: 20,
            unsteered_particles: 1,
            scheduler: SchedulerConfig::default(),
            execute_start: 0,
            guided_steps: None,
            guide: Guide::default(),
            guide_scale: 1.0,
            gripper_scale: 1.0,
            guidance_start: 0.2,
            strength: StrengthConfig::default(),
            at: GradientPoint::default(),
            normalise: Normalise::default(),
            mcmc_steps: 1,
            diversity: Some(DiversityConfig::default()),
            feynman_kac: Some(FeynmanKacConfig::default()),
            evolution: None,
            trace: TraceLevel::default(),
        }
    }
}

impl SteeringConfig {
    /// Sampling steps.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.scheduler.steps()
    }

    /// The first guided step: with 10 steps and a start of 0.2, step 2, so 8 steps are guided.
    #[must_use]
    pub fn first_guided_step(&self) -> usize {
        (f64::from(self.guidance_start) * self.steps() as f64).round() as usize
    }

    /// The step that a generation of [`Self::evolution`] goes back to; the first one without.
    #[must_use]
    pub fn first_evolved_step(&self) -> usize {
        let steps = self.steps();
        let back = self
            .evolution
            .map_or(1.0, |evolution| f64::from(evolution.share));
        let back = (back * steps as f64).round() as usize;
        steps - back.clamp(1, steps.max(1)).min(steps)
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// Every mistake at once, each with the setting's name and what was expected.
    ///
    /// ```
    /// use tiller_steering::SteeringConfig;
    /// assert!(SteeringConfig::default().validate().is_ok());
    /// let wrong = SteeringConfig { particles: 0, guide_scale: -1.0, ..Default::default() };
    /// assert_eq!(wrong.validate().unwrap_err().found.len(), 2);
    /// ```
    pub fn validate(&self) -> Result<(), Problems> {
        let mut problems = Problems::default();
        problems.range("particles", self.particles, 1, MAX_PARTICLES);
        problems.range(
            "unsteered_particles",
            self.unsteered_particles,
            1,
            MAX_PARTICLES,
        );
        if let Err(scheduler) = self.scheduler.validate() {
            problems.extend("", scheduler);
        }
        problems.range("mcmc_steps", self.mcmc_steps, 1, 1000);
        if self.guided_steps == Some(0) {
            problems.push("guided_steps", "at least 1", 0);
        }
        problems.number("guide_scale", self.guide_scale, 0.0..);
        problems.number("gripper_scale", self.gripper_scale, 0.0..);
        problems.number("guidance_start", self.guidance_start, 0.0..=1.0);
        problems.number("strength.steepness", self.strength.steepness, 0.0..);
        problems.number("strength.midpoint", self.strength.midpoint, ..);
        if let Some(diversity) = &self.diversity {
            problems.number("diversity.scale", diversity.scale, 0.0..);
            if let Some(neighbours) = diversity.neighbours {
                let holds = neighbours >= 2;
                problems.require("diversity.neighbours", holds, "at least 2", neighbours);
            }
        }
        if let Some(resampling) = &self.feynman_kac {
            problems.number("feynman_kac.lambda", resampling.lambda, 0.0..);
            let threshold = resampling.ess_threshold;
            problems.number("feynman_kac.ess_threshold", threshold, 0.0..=1.0);
            problems.range("feynman_kac.every", resampling.every, 1, 10_000);
            problems.number("feynman_kac.eta", resampling.eta, 0.0..=1.0);
        }
        if let Some(evolution) = &self.evolution {
            problems.range("evolution.generations", evolution.generations, 1, 1000);
            let holds = evolution.share > 0.0 && evolution.share <= 1.0;
            let expected = "a number above 0, up to 1";
            problems.require("evolution.share", holds, expected, evolution.share);
            problems.number("evolution.lambda", evolution.lambda, 0.0..);
            let alone = self.feynman_kac.is_none();
            problems.require("evolution", alone, "no feynman_kac beside it", "both");
        }
        problems.finish(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scheduler::{Clip, FlowConfig};

    fn flow(steps: usize, clip: f64) -> SchedulerConfig {
        SchedulerConfig::Flow(FlowConfig {
            steps,
            clip: Clip::Range(clip),
            ..FlowConfig::default()
        })
    }

    #[test]
    fn all_mistakes_are_reported_together() {
        let config = SteeringConfig {
            particles: 0,
            unsteered_particles: 0,
            scheduler: flow(0, 0.0),
            guided_steps: Some(0),
            guide_scale: f32::NAN,
            gripper_scale: -1.0,
            guidance_start: 1.5,
            strength: StrengthConfig {
                steepness: -1.0,
                midpoint: f32::INFINITY,
            },
            mcmc_steps: 0,
            diversity: Some(DiversityConfig {
                scale: -0.1,
                neighbours: Some(1),
                ..Default::default()
            }),
            feynman_kac: Some(FeynmanKacConfig {
                lambda: -1.0,
                ess_threshold: 2.0,
                every: 0,
                eta: 1.1,
                ..Default::default()
            }),
            evolution: Some(EvolutionConfig {
                generations: 0,
                share: 0.0,
                lambda: f32::NAN,
            }),
            ..Default::default()
        };
        let text = config.validate().unwrap_err().to_string();
        assert_eq!(text.lines().count(), 1 + 21, "{text}");
        assert!(
            text.contains("guidance_start: expected a number from 0 to 1, found 1.5"),
            "{text}"
        );
    }

    #[test]
    fn the_start_of_guidance_is_a_fraction_of_the_sampling_steps() {
        let first = |steps, guidance_start| {
            SteeringConfig {
                scheduler: flow(steps, 1.0),
                guidance_start,
                ..Default::default()
            }
            .first_guided_step()
        };
        assert_eq!(first(10, 0.3), 3);
        assert_eq!(first(100, 0.29), 29);
        assert_eq!(first(10, 1.0), 10);
        assert_eq!(first(10, 0.0), 0);
    }

    #[test]
    fn strength_fades_with_progress() {
        let strength = StrengthConfig::default();
        assert!(strength.at(0.0) > 0.99);
        assert!((strength.at(1.0) - 0.5).abs() < 1e-6);
        assert!(strength.at(1.2) < 0.13);
    }

    proptest! {
        /// Whatever is inside the documented ranges is accepted.
        #[test]
        fn settings_inside_their_ranges_are_accepted(
            particles in 1usize..2000, steps in 1usize..500, mcmc_steps in 1usize..10,
            guide_scale in 0.0..50.0f32, guidance_start in 0.0..=1.0f32,
            ess_threshold in 0.0..=1.0f32, eta in 0.0..=1.0f32, clip in 0.1..5.0f64,
        ) {
            let config = SteeringConfig {
                particles, scheduler: flow(steps, clip), mcmc_steps, guide_scale, guidance_start,
                feynman_kac: Some(FeynmanKacConfig { ess_threshold, eta, ..Default::default() }),
                ..Default::default()
            };
            prop_assert!(config.validate().is_ok());
            prop_assert!(config.first_guided_step() <= steps);
        }
    }
}
