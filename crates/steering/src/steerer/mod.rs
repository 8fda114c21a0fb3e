//! The sampling loop.

mod buffers;
mod evolve;
mod phases;
mod steps;

use tiller_core::{Continuation, Problems, Reads};

use crate::action::ActionSpace;
use crate::config::{GradientPoint, SteeringConfig, TraceLevel};
use crate::continuation::Inpainting;
use crate::denoiser::{Denoiser, Reward};
use crate::diversity::Repulsion;
use crate::error::SteeringError;
use crate::feynman_kac::Weights;
use crate::random::{Purpose, Random};
use crate::sampled::{ParticleTrace, Phase, Sampled};
use crate::scheduler::{Schedule, Solver};
use crate::trajectory::{Start, TrajectoryMap};
use buffers::{Blocks, Buffers};
use evolve::Evolution;

/// Samples action chunks from a frozen policy, steered by a reward.
///
/// All buffers are allocated by [`Steerer::new`], but for rotations and gripper openings, which are by
/// the first sample whose reward reads them; sampling then allocates nothing.
#[derive(Debug)]
pub struct Steerer {
    config: SteeringConfig,
    space: ActionSpace,
    map: TrajectoryMap<f32>,
    solver: Solver<f32>,
    horizon: usize,
    repulsion: Option<Repulsion<f32>>,
    weights: Option<Weights>,
    evolution: Option<Evolution>,
    inpainting: Inpainting,
    blocks: Blocks,
    gain: f32,
    way: Option<f64>,
    buffers: Buffers,
    sampled: Sampled,
}

/// What one sampling run is given, beside the denoiser and the reward.
struct Run {
    particles: usize,
    start: Start,
    /// What the reward reads beside positions.
    reads: Reads,
    /// `s(progress)`.
    strength: f32,
    random: Random,
    /// Whether a resampling happened: from then on steps are stochastic.
    stochastic: bool,
}

impl Steerer {
    /// A sampler for chunks of `horizon` actions in `space`.
    ///
    /// # Errors
    /// Every mistake in the configuration and the action space together.
    pub fn new(
        config: SteeringConfig,
        space: ActionSpace,
        horizon: usize,
    ) -> Result<Self, SteeringError> {
        let mut problems = Problems::default();
        for result in [config.validate(), space.validate()] {
            problems.extend("", result.err().unwrap_or_default());
        }
        problems.require("horizon", horizon > 0, "at least 1", horizon);
        let start = config.execute_start;
        problems.require(
            "execute_start",
            horizon == 0 || start < horizon,
            format!("below the horizon {horizon}"),
            start,
        );
        let executable = horizon.saturating_sub(start);
        if let Some(steps) = config.guided_steps {
            let expected = format!("at most {executable}");
            problems.require("guided_steps", steps <= executable, expected, steps);
        }
        problems.extend("", config.guide.problems(&space.layout));
        problems.finish(())?;
        let schedule = Schedule::new(&config.scheduler)?;
        let guided_steps = config.guided_steps.unwrap_or(executable);
        let map = TrajectoryMap::new(&space, horizon, start, guided_steps);
        let (most, guide) = (
            config.particles.max(config.unsteered_particles),
            config.guide,
        );
        let dim = space.dim();
        let solver = Solver::new(schedule, most, horizon * dim);
        let repulsion = config.diversity.map(|diversity| {
            let stride = map.points() * 3;
            Repulsion::new(diversity.kernel, most, stride, diversity.neighbours)
        });
        let weights = config
            .feynman_kac
            .map(|fk| Weights::new(fk.potential, f64::from(fk.lambda), most));
        let evolution = config
            .evolution
            .map(|settings| Evolution::new(settings, most, horizon * dim));
        let inpainting = Inpainting::new(horizon, dim);
        let (samples, points) = (most * horizon * dim, most * map.points() * 3);
        let buffers = Buffers::new(most, horizon * dim, map.points());
        let guided = config.steps() - config.first_guided_step();
        let resamplings = config.feynman_kac.map_or(0, |fk| guided.div_ceil(fk.every));
        let steps = config.steps();
        let particle_trace = (config.trace == TraceLevel::Full).then(|| ParticleTrace {
            rewards: Vec::with_capacity(steps * most),
            gradient_norms: Vec::with_capacity(steps * most),
            trajectories: Vec::with_capacity(steps * points),
        });
        let sampled = Sampled {
            chunk: vec![0.0; executable * dim],
            samples: Vec::with_capacity(samples),
            candidates: Vec::with_capacity(points),
            path: Vec::with_capacity(map.points()),
            rewards: Vec::with_capacity(most),
            weights: Vec::with_capacity(most),
            trace: Vec::with_capacity(steps),
            resamplings: Vec::with_capacity(resamplings),
            ancestors: Vec::with_capacity(resamplings * most),
            particle_trace,
            ..Sampled::default()
        };
        Ok(Self {
            config,
            blocks: Blocks::new(&space, guide),
            space,
            map,
            solver,
            horizon,
            repulsion,
            weights,
            evolution,
            inpainting,
            gain: 1.0,
            way: None,
            buffers,
            sampled,
        })
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &SteeringConfig {
        &self.config
    }

    /// The action space.
    #[must_use]
    pub fn space(&self) -> &ActionSpace {
        &self.space
    }

    /// Points `P` of the trajectories that a reward is given.
    #[must_use]
    pub fn points(&self) -> usize {
        self.map.points()
    }

    /// Multiplies the strength of guidance from now on. A closed loop raises it where policy and
    /// guidance hold each other in balance; 1 is `guide_scale` alone.
    ///
    /// # Errors
    /// When `gain` is negative or not finite; the gain then stays.
    pub fn set_gain(&mut self, gain: f32) -> Result<(), SteeringError> {
        let (what, found) = ("the gain of guidance", gain);
        if !gain.is_finite() {
            let found = f64::from(found);
            return Err(SteeringError::NotFinite { what, found });
        }
        if gain < 0.0 {
            return Err(SteeringError::Negative { what, found });
        }
        self.gain = gain;
        Ok(())
    }

    /// Says how far it is from the stage's reward at entry to that of its goal, in units of reward: what
    /// the inverse temperatures of resampling and evolution count in from now on. A way that is not a
    /// finite number above 1e-6 is none; they count in units of reward then.
    pub fn set_way(&mut self, way: f64) {
        self.way = Some(way).filter(|way| way.is_finite() && *way > 1e-6);
    }

    /// An inverse temperature per unit of reward.
    fn per_reward(&self, lambda: f32) -> f64 {
        f64::from(lambda) / self.way.unwrap_or(1.0)
    }

    /// Makes the next [`Self::sample`], and only that, carry on the chunk under way.
    ///
    /// `plan` is the whole sample of the chunk under way, `[T, D]`, normalised
    /// ([`Sampled::sample_of`] of the one that was selected). Steps count executed actions: with
    /// `execute_start = s` the new chunk's action `s`, the first that it executes, repeats the plan's
    /// action `s + step`. `softness` is how much the steps after the frozen ones are drawn toward the
    /// plan: 0 not at all, at 1 nearly always the same behaviour goes on.
    ///
    /// # Errors
    /// When the plan does not fit or holds a number that is not finite; the next sample then starts
    /// afresh.
    pub fn carry_on(
        &mut self,
        plan: &[f32],
        continuation: &Continuation,
        softness: f32,
    ) -> Result<(), SteeringError> {
        let start = self.config.execute_start;
        self.inpainting.prepare(plan, continuation, softness, start)
    }

    /// Samples one chunk.
    ///
    /// `start` is where the robot is when the chunk's execution begins; `progress` of the stage fades
    /// the guidance; `seed` and `chunk_index` determine all randomness. Without a reward the
    /// policy is sampled as it is.
    ///
    /// # Errors
    /// When the denoiser has another shape, an argument is not finite or missing, the reward reads what
    /// the policy does not have, denoiser or reward fail, or no particle is left. Values that are not
    /// finite lose only their own particle.
    pub fn sample(
        &mut self,
        denoiser: &mut dyn Denoiser,
        reward: Option<&mut dyn Reward>,
        start: &Start,
        progress: f32,
        seed: u64,
        chunk_index: u64,
    ) -> Result<&Sampled, SteeringError> {
        let sampled = self.run(denoiser, reward, start, progress, seed, chunk_index);
        self.inpainting.clear();
        sampled.map(|()| &self.sampled)
    }

    fn run(
        &mut self,
        denoiser: &mut dyn Denoiser,
        mut reward: Option<&mut dyn Reward>,
        start: &Start,
        progress: f32,
        seed: u64,
        chunk_index: u64,
    ) -> Result<(), SteeringError> {
        self.check(denoiser, start, progress)?;
        let steered = reward.is_some();
        let reads = reward.as_ref().map_or_else(Reads::default, |r| r.reads());
        if reads.gripper && self.space.layout.gripper.is_none() {
            return Err(SteeringError::NoGripper);
        }
        let mut run = Run {
            particles: if steered {
                self.config.particles
            } else {
                self.config.unsteered_particles
            },
            start: *start,
            reads,
            strength: if steered {
                self.config.strength.at(progress)
            } else {
                0.0
            },
            random: Random::new(seed, chunk_index),
            stochastic: false,
        };
        self.start(&run);
        for step in 0..self.config.steps() {
            self.step(denoiser, &mut reward, &mut run, step)?;
        }
        if let Some(reward) = &mut reward {
            self.evolve(denoiser, &mut **reward, &mut run)?;
        }
        self.finish(reward, &run)
    }

    /// One step down the noise: as often as it is repeated, and weighed at its end.
    fn step(
        &mut self,
        denoiser: &mut dyn Denoiser,
        reward: &mut Option<&mut dyn Reward>,
        run: &mut Run,
        step: usize,
    ) -> Result<(), SteeringError> {
        let guided = step >= self.config.first_guided_step();
        let lost_before = self.sampled.lost;
        let repetitions = if reward.is_some() && guided {
            self.config.mcmc_steps
        } else {
            1
        };
        for inner in 0..repetitions {
            let mut trace = self.evaluate_at(denoiser, reward, run, step, guided)?;
            let last = inner + 1 == repetitions;
            if last && trace.phase == Phase::Guided {
                self.reweigh(run, step, &mut trace);
            }
            if self.solver.schedule().steps()[step].corrected && !run.stochastic {
                self.look_ahead(run, step);
                self.evaluate_at(denoiser, reward, run, step + 1, guided)?;
                self.correct(run, step);
            }
            self.advance(run, step, inner);
            if last {
                trace.ess = if trace.ess.is_nan() {
                    run.particles as f32
                } else {
                    trace.ess
                };
                trace.lost = self.sampled.lost - lost_before;
                self.sampled.trace.push(trace);
            } else {
                self.renoise(run, step, inner);
            }
        }
        Ok(())
    }

    fn check(
        &self,
        denoiser: &dyn Denoiser,
        start: &Start,
        progress: f32,
    ) -> Result<(), SteeringError> {
        for (what, expected, found) in [
            ("horizon", self.horizon, denoiser.horizon()),
            ("action dimension", self.space.dim(), denoiser.action_dim()),
        ] {
            if expected != found {
                return Err(SteeringError::Shape {
                    what,
                    expected,
                    found,
                });
            }
        }
        let mode = self.space.layout.mode;
        if mode.is_joints() && start.joints_rad.is_none() {
            let mode = mode.as_str();
            return Err(SteeringError::NoJoints { mode });
        }
        let progress = Some(f64::from(progress)).filter(|progress| !progress.is_finite());
        for (what, found) in [("the start", start.unsound()), ("the progress", progress)] {
            if let Some(found) = found {
                return Err(SteeringError::NotFinite { what, found });
            }
        }
        Ok(())
    }

    fn stride(&self) -> usize {
        self.horizon * self.space.dim()
    }

    /// Draws the initial noise.
    fn start(&mut self, run: &Run) {
        let stride = self.stride();
        let samples = self
            .buffers
            .sample
            .chunks_exact_mut(stride)
            .take(run.particles);
        for (particle, sample) in samples.enumerate() {
            run.random.normal(Purpose::Initial, 0, 0, particle, sample);
        }
        self.buffers.lost.fill(false);
        self.buffers.make_room(run.reads);
        self.solver.restart();
        let lambda = self
            .config
            .feynman_kac
            .map_or(0.0, |fk| self.per_reward(fk.lambda));
        if let Some(weights) = &mut self.weights {
            weights.set_lambda(lambda);
            weights.reset(run.particles);
        }
        let sampled = &mut self.sampled;
        sampled.trace.clear();
        sampled.resamplings.clear();
        sampled.ancestors.clear();
        if let Some(record) = &mut sampled.particle_trace {
            let rows = self.config.steps() * run.particles;
            for (values, length) in [
                (&mut record.rewards, rows),
                (&mut record.gradient_norms, rows),
                (&mut record.trajectories, rows * self.map.points() * 3),
            ] {
                values.clear();
                values.resize(length, f32::NAN);
            }
        }
        sampled.lost = 0;
        sampled.particles = run.particles;
        sampled.strength = run.strength;
    }

    /// Takes the chunks in `sample` for finished ones: as they will be executed, with their trajectories and
    /// rewards.
    fn settle(&mut self, reward: Option<&mut dyn Reward>, run: &Run) -> Result<(), SteeringError> {
        let used = ..run.particles * self.stride();
        let steps = self.config.steps();
        let buffers = &mut self.buffers;
        buffers.clean[used].copy_from_slice(&buffers.sample[used]);
        self.drop_unsound(run.particles, steps)?;
        self.inpainting.freeze(&mut self.buffers.clean[used]);
        match reward {
            Some(reward) => self.evaluate(reward, run, steps, GradientPoint::Clean)?,
            None => {
                self.buffers
                    .lay_out(&self.map, run, GradientPoint::Clean, false);
                self.buffers.rewards.fill(0.0);
            }
        }
        Ok(())
    }

    /// Rewards the finished chunks and selects one.
    fn finish(
        &mut self,
        mut reward: Option<&mut dyn Reward>,
        run: &Run,
    ) -> Result<(), SteeringError> {
        let (stride, count, steps) = (self.stride(), run.particles, self.config.steps());
        let steered = reward.is_some();
        self.settle(
            reward
                .as_mut()
                .map(|reward| &mut **reward as &mut dyn Reward),
            run,
        )?;
        if steered && self.keep_best(count) {
            self.settle(reward, run)?;
        }
        let (buffers, sampled) = (&mut self.buffers, &mut self.sampled);
        let lost = &buffers.lost[..count];
        sampled.weights.clear();
        match &mut self.weights {
            Some(weights) if steered => {
                weights.finish(&buffers.rewards[..count], lost);
                sampled.weights.extend_from_slice(weights.normalised());
                sampled.ess = weights.effective_size() as f32;
            }
            _ => {
                let alive = lost.iter().filter(|lost| !**lost).count();
                let weight = |lost: &bool| if *lost { 0.0 } else { 1.0 / alive as f64 };
                sampled.weights.extend(lost.iter().map(weight));
                sampled.ess = alive as f32;
            }
        }
        for (reward, lost) in buffers.rewards.iter_mut().zip(lost) {
            *reward = if *lost { f32::NAN } else { *reward };
        }
        let rewards = &buffers.rewards[..count];
        sampled.selected = highest(rewards).ok_or(SteeringError::AllLost {
            particles: count,
            step: steps,
            steps,
        })?;
        sampled.samples.clear();
        sampled
            .samples
            .extend_from_slice(&buffers.clean[..count * stride]);
        sampled.candidates.clear();
        let points = self.map.points() * 3;
        sampled
            .candidates
            .extend_from_slice(&buffers.trajectories.positions[..count * points]);
        sampled.rewards.clear();
        sampled.rewards.extend_from_slice(rewards);
        let own = &sampled.samples[sampled.selected * stride..][..stride];
        let executed = &own[self.config.execute_start * self.space.dim()..];
        self.space.unnormalise(executed, &mut sampled.chunk);
        sampled.path.clear();
        sampled.path.extend(self.map.path(own, &run.start));
        Ok(())
    }
}

/// The index of the highest number, the lowest of equals; `None` when none is a number.
fn highest(values: &[f32]) -> Option<usize> {
    let mut best: Option<usize> = None;
    for (index, value) in values.iter().enumerate() {
        if !value.is_nan() && best.is_none_or(|best| *value > values[best]) {
            best = Some(index);
        }
    }
    best
}
