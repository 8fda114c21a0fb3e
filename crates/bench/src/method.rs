//! What the benchmark compares: baselines, the full method, and the full method less a part.

use std::fmt;
use std::str::FromStr;

use tiller_steering::{EvolutionConfig, Kernel};

use crate::episode::{Blind, RunnerConfig};

/// A way to run an episode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// The policy left alone.
    Unsteered,
    /// The best of several chunks that nothing guided.
    BestOfN,
    /// Guidance alone.
    Gradient,
    /// Feynman-Kac resampling alone.
    Resampling,
    /// Everything.
    Full,
    /// Without guidance by the gradient.
    NoGradient,
    /// Without repulsion.
    NoDiversity,
    /// Without resampling.
    NoFeynmanKac,
    /// With another number of particles.
    Particles(usize),
    /// With another number of repetitions of each guided step.
    Mcmc(usize),
    /// With a strength that nothing changes.
    FixedStrength,
    /// With a strength that does not grow.
    NoGrowth,
    /// With one stage instead of several.
    NoStages,
    /// Evolution by reward, without gradient.
    Evolution,
    /// With repulsion by a radial basis function.
    Rbf,
    /// A control: the policy sees the first pictures of the episode throughout.
    FrozenImages,
    /// A control: the policy sees pictures of another scene throughout.
    OtherImages,
    /// A control: normal numbers take the policy's place.
    Wander,
    /// A control: the same with fingers by a rule.
    Reflex,
}

impl Method {
    /// All of them, in the order in which tables show them.
    pub const ALL: [Self; 25] = [
        Self::Full,
        Self::Unsteered,
        Self::BestOfN,
        Self::Gradient,
        Self::Resampling,
        Self::Evolution,
        Self::NoGradient,
        Self::NoDiversity,
        Self::NoFeynmanKac,
        Self::Particles(1),
        Self::Particles(5),
        Self::Particles(10),
        Self::Particles(20),
        Self::Particles(50),
        Self::Mcmc(1),
        Self::Mcmc(2),
        Self::Mcmc(4),
        Self::FixedStrength,
        Self::NoGrowth,
        Self::NoStages,
        Self::Rbf,
        Self::FrozenImages,
        Self::OtherImages,
        Self::Wander,
        Self::Reflex,
    ];

    /// The full method and what it is compared with.
    pub const BASELINES: [Self; 6] = [
        Self::Full,
        Self::Unsteered,
        Self::BestOfN,
        Self::Gradient,
        Self::Resampling,
        Self::Evolution,
    ];

    /// The full method, what it is compared with, and what shows whether the policy has a part in it.
    pub const CONTROLS: [Self; 7] = [
        Self::Full,
        Self::Unsteered,
        Self::BestOfN,
        Self::FrozenImages,
        Self::OtherImages,
        Self::Wander,
        Self::Reflex,
    ];

    /// The full method and all that lack or change a part of it.
    #[must_use]
    pub fn ablations() -> Vec<Self> {
        let other = |method: &Self| {
            let groups = [&Self::BASELINES[..], &Self::CONTROLS[..]];
            *method != Self::Full && groups.iter().any(|group| group.contains(method))
        };
        Self::ALL
            .into_iter()
            .filter(|method| !other(method))
            .collect()
    }

    /// Whether a reward has a part in it.
    #[must_use]
    pub fn is_steered(self) -> bool {
        self != Self::Unsteered
    }

    /// How its episodes are run, where the full method's are run as `full` says.
    #[must_use]
    pub fn configure(self, full: &RunnerConfig) -> RunnerConfig {
        let mut config = full.clone();
        let steering = &mut config.planner.steering;
        match self {
            Self::Unsteered | Self::Full => {}
            Self::BestOfN => {
                // No step is guided, so the reward is asked only about finished chunks.
                steering.guidance_start = 1.0;
                steering.diversity = None;
                steering.feynman_kac = None;
            }
            Self::Gradient => {
                steering.diversity = None;
                steering.feynman_kac = None;
            }
            Self::Resampling => {
                steering.guide_scale = 0.0;
                steering.diversity = None;
            }
            Self::Evolution => {
                steering.guide_scale = 0.0;
                steering.diversity = None;
                steering.feynman_kac = None;
                steering.evolution = Some(EvolutionConfig::default());
            }
            // A kernel, not diversity itself: where the tuned file has none, it stays off.
            Self::Rbf => {
                if let Some(diversity) = &mut steering.diversity {
                    diversity.kernel = Kernel::Rbf;
                }
            }
            Self::NoGradient => steering.guide_scale = 0.0,
            Self::NoDiversity => steering.diversity = None,
            Self::NoFeynmanKac => steering.feynman_kac = None,
            Self::Particles(particles) => steering.particles = particles,
            Self::Mcmc(steps) => steering.mcmc_steps = steps,
            Self::FixedStrength => {
                // Half strength at a progress that is never reached is full strength at all others.
                steering.strength.steepness = 10.0;
                steering.strength.midpoint = 1000.0;
                config.growth.most = 1.0;
            }
            Self::NoGrowth => config.growth.most = 1.0,
            Self::NoStages => config.last_stage_only = true,
            Self::FrozenImages => config.blind = Some(Blind::FrozenImages),
            Self::OtherImages => config.blind = Some(Blind::OtherImages),
            Self::Wander => config.blind = Some(Blind::Wander),
            Self::Reflex => config.blind = Some(Blind::Reflex),
        }
        config
    }

    /// What it is, in a few words.
    #[must_use]
    pub fn about(self) -> String {
        match self {
            Self::Unsteered => "the policy left alone, one chunk at a time".to_owned(),
            Self::BestOfN => {
                "chunks sampled without guidance, the one with the highest reward executed"
                    .to_owned()
            }
            Self::Gradient => {
                "guidance by the reward's gradient; no diversity, no resampling (as in ITPS)"
                    .to_owned()
            }
            Self::Resampling => {
                "Feynman-Kac resampling by reward; no gradient, no diversity".to_owned()
            }
            Self::Evolution => {
                "the best chunks noised part of the way and denoised again, three times (as VLA-Pilot); no gradient"
                    .to_owned()
            }
            Self::Rbf => "full with repulsion by a radial basis function, where it is tuned to repel".to_owned(),
            Self::Full => "diversity, guidance, resampling, growing strength, stages".to_owned(),
            Self::NoGradient => "full without guidance by the gradient".to_owned(),
            Self::NoDiversity => "full without repulsion between the chunks".to_owned(),
            Self::NoFeynmanKac => "full without resampling".to_owned(),
            Self::Particles(1) => "full with a single chunk".to_owned(),
            Self::Particles(particles) => format!("full with {particles} chunks side by side"),
            Self::Mcmc(1) => "full with each guided step done once".to_owned(),
            Self::Mcmc(steps) => format!("full with each guided step done {steps} times"),
            Self::FixedStrength => {
                "full with a strength that neither fades with progress nor grows".to_owned()
            }
            Self::NoGrowth => "full with a strength that fades but does not grow".to_owned(),
            Self::NoStages => "full with the last stage's reward from the start".to_owned(),
            Self::FrozenImages => {
                "full, but the policy sees the episode's first pictures throughout".to_owned()
            }
            Self::OtherImages => {
                "full, but the policy sees pictures of another scene throughout".to_owned()
            }
            Self::Wander => "full, but normal numbers take the policy's place".to_owned(),
            Self::Reflex => {
                "the same, with fingers that close near the table and open when empty".to_owned()
            }
        }
    }

    /// A line on each method, for the help.
    #[must_use]
    pub fn help() -> String {
        let line = |method: &Self| format!("  {:<16}{}\n", method.to_string(), method.about());
        let lines: String = Self::ALL.iter().map(line).collect();
        format!("Methods:\n{lines}")
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsteered => f.write_str("unsteered"),
            Self::BestOfN => f.write_str("best_of_n"),
            Self::Gradient => f.write_str("gradient"),
            Self::Resampling => f.write_str("resampling"),
            Self::Full => f.write_str("full"),
            Self::NoGradient => f.write_str("no_gradient"),
            Self::NoDiversity => f.write_str("no_diversity"),
            Self::NoFeynmanKac => f.write_str("no_feynman_kac"),
            Self::Particles(particles) => write!(f, "particles_{particles}"),
            Self::Mcmc(steps) => write!(f, "mcmc_{steps}"),
            Self::FixedStrength => f.write_str("fixed_strength"),
            Self::NoGrowth => f.write_str("no_growth"),
            Self::NoStages => f.write_str("no_stages"),
            Self::FrozenImages => f.write_str("frozen_images"),
            Self::Evolution => f.write_str("evolution"),
            Self::Rbf => f.write_str("rbf"),
            Self::OtherImages => f.write_str("other_images"),
            Self::Wander => f.write_str("wander"),
            Self::Reflex => f.write_str("reflex"),
        }
    }
}

impl FromStr for Method {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL
            .into_iter()
            .find(|method| method.to_string() == text);
        found.ok_or_else(|| {
            let names: Vec<String> = Self::ALL.iter().map(ToString::to_string).collect();
            format!("expected one of {}, found {text}", names.join(", "))
        })
    }
}

#[cfg(test)]
#[path = "method_tests.rs"]
mod tests;
