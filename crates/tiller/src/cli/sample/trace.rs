//! A sample in numbers.

use serde_json::{Value, json};
use tiller_steering::{Phase, SteeringConfig};

use crate::sample::{Sample, SampleSpec};

/// A sample and how it was asked for.
#[derive(Clone, Copy)]
pub(super) struct Report<'a> {
    pub(super) sample: &'a Sample,
    pub(super) spec: SampleSpec,
    pub(super) steering: &'a SteeringConfig,
    pub(super) policy: &'a str,
    /// What the stage is for.
    pub(super) stage: Option<&'a str>,
}

impl Report<'_> {
    /// Particles.
    pub(super) fn count(&self) -> usize {
        self.sample.plan.rewards.len()
    }

    /// Trajectory of a candidate, `[P, 3]`, m.
    pub(super) fn path(&self, particle: usize) -> &[[f32; 3]] {
        let plan = &self.sample.plan;
        let (points, _) = plan.candidates.as_chunks::<3>();
        &points[particle * plan.points..][..plan.points]
    }

    /// Whether a candidate was dropped.
    pub(super) fn is_lost(&self, particle: usize) -> bool {
        self.sample.plan.rewards[particle].is_nan()
    }

    /// The candidate's reward; not a number if it is lost or nothing judges it.
    pub(super) fn reward(&self, particle: usize) -> f32 {
        let rewards = self.sample.rewards.as_ref();
        rewards.map_or(f32::NAN, |rewards| rewards[particle])
    }

    /// The particle of the step before that each particle became a copy of, `[B]`, if a step ended
    /// in a resampling.
    pub(super) fn ancestors(&self, step: usize) -> Option<&[u32]> {
        let plan = &self.sample.plan;
        let index = plan.resamplings.iter().position(|&at| at == step)?;
        plan.ancestors
            .get(index * self.count()..(index + 1) * self.count())
    }

    /// Particles, the highest reward first, lost ones last.
    fn ranking(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.count()).collect();
        let key = |particle: usize| match self.reward(particle) {
            reward if reward.is_nan() => f32::NEG_INFINITY,
            reward => reward,
        };
        order.sort_by(|&a, &b| {
            let lost = self.is_lost(a).cmp(&self.is_lost(b));
            lost.then(key(b).total_cmp(&key(a)))
        });
        order
    }

    /// What was asked for and what came of it, without the steps.
    pub(super) fn summary(&self) -> Value {
        let plan = &self.sample.plan;
        let ranking = self.ranking();
        let candidates = (0..self.count()).map(|particle| {
            let rank = ranking.iter().position(|&other| other == particle);
            let is_lost = self.is_lost(particle);
            json!({
                "particle": particle,
                "rank": rank.map(|rank| rank + 1),
                "reward": self.reward(particle),
                "weight": plan.weights[particle],
                "lost": is_lost,
                "trajectory_m": (!is_lost).then(|| self.path(particle)),
            })
        });
        let chunk: Vec<&[f32]> = plan.chunk.chunks_exact(plan.action_dim).collect();
        let reading = self.sample.reading;
        json!({
            "policy": self.policy,
            "seed": self.spec.seed,
            "chunk_index": self.spec.chunk_index,
            "particles": self.count(),
            "guide_scale": self.steering.guide_scale,
            "steered": plan.steered,
            "stage": reading.visit.stage,
            "stage_description": self.stage,
            "progress": {
                "planned": reading.planned,
                "achieved": reading.achieved,
                "done": reading.done,
                "reward_now": reading.reward,
            },
            "selected": plan.selected,
            "execute_steps": plan.execute_steps,
            "chunk": chunk,
            "candidates": candidates.collect::<Vec<Value>>(),
            "strength": plan.strength,
            "ess": plan.ess,
            "lost": plan.lost,
            "timings_ms": {
                "encode": 1e3 * self.sample.encode.as_secs_f64(),
                "plan": 1e3 * plan.timings.total.as_secs_f64(),
                "denoiser": 1e3 * plan.timings.denoiser.as_secs_f64(),
                "reward": 1e3 * plan.timings.reward.as_secs_f64(),
                "denoiser_calls": plan.timings.denoiser_calls,
            },
        })
    }

    /// The summary and every sampling step.
    pub(super) fn trace(&self) -> Value {
        let plan = &self.sample.plan;
        let (count, particles) = (self.count(), plan.particle_trace.as_ref());
        let steps = plan.trace.iter().enumerate().map(|(index, step)| {
            let row = |values: &[f32]| values[index * count..][..count].to_vec();
            let width = plan.points * 3 * count;
            let paths = particles.map(|trace| {
                let points = trace.trajectories[index * width..][..width]
                    .as_chunks::<3>()
                    .0;
                points.chunks_exact(plan.points).collect::<Vec<_>>()
            });
            json!({
                "step": index + 1,
                "time": step.time,
                "phase": phase(step.phase),
                "reward_mean": step.reward_mean,
                "reward_max": step.reward_max,
                "rewards": particles.map(|trace| row(&trace.rewards)),
                "gradient_norm": step.gradient_norm,
                "gradient_norms": particles.map(|trace| row(&trace.gradient_norms)),
                "strength": step.strength,
                "ess": step.ess,
                "resampled": step.resampled,
                "ancestors": self.ancestors(index),
                "lost": step.lost,
                "trajectories_m": paths,
            })
        });
        let steps: Vec<Value> = steps.collect();
        let mut value = self.summary();
        value["steps"] = steps.into();
        value
    }

    /// The candidates for people, the best first.
    pub(super) fn table(&self) -> String {
        let plan = &self.sample.plan;
        let how = match (plan.steered, self.stage) {
            (true, Some(stage)) => format!("steered toward stage {}: {stage}", self.spec.stage),
            (false, Some(stage)) => {
                format!("unsteered, judged by stage {}: {stage}", self.spec.stage)
            }
            _ => "unsteered".to_owned(),
        };
        let mut text = format!(
            "{} candidates of `{}`, {how}\n\n rank  particle    reward  weight  end point, m",
            self.count(),
            self.policy
        );
        for (rank, particle) in self.ranking().into_iter().enumerate() {
            let end = self.path(particle).last().copied().unwrap_or_default();
            let mark = if particle == plan.selected {
                "  <- selected"
            } else {
                ""
            };
            text.push_str(&if self.is_lost(particle) {
                format!("\n    -  {particle:>8}      lost")
            } else {
                let reward = match self.reward(particle) {
                    reward if reward.is_nan() => "-".to_owned(),
                    reward => format!("{reward:.4}"),
                };
                let [x, y, z] = end;
                let weight = plan.weights[particle];
                let rank = rank + 1;
                format!(
                    "\n {rank:>4}  {particle:>8}  {reward:>8}  {weight:>6.3}  ({x:.3}, {y:.3}, {z:.3}){mark}"
                )
            });
        }
        let ms = |duration: std::time::Duration| 1e3 * duration.as_secs_f64();
        text.push_str(&format!(
            "\n\nencoded in {:.1} ms, planned in {:.1} ms ({} denoiser calls {:.1} ms, reward {:.2} ms)",
            ms(self.sample.encode),
            ms(plan.timings.total),
            plan.timings.denoiser_calls,
            ms(plan.timings.denoiser),
            ms(plan.timings.reward),
        ));
        text
    }
}

/// The name of a phase.
pub(super) fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Free => "free",
        Phase::Diversity => "diversity",
        Phase::Guided => "guided",
    }
}
