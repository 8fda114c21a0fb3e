//! Walking down a schedule, with what has to be remembered on the way.

use super::config::Clip;
use super::{Schedule, flow_heun};
use crate::real::Real;

/// A schedule with the buffers that its method needs; generic, so that what samples in single
/// precision is what is checked in double.
///
/// One step is: ask the denoiser, [`split`](Self::split), push, [`clip`](Self::clip); where
/// [`Step::corrected`](super::Step::corrected), [`look_ahead`](Self::look_ahead), the same once
/// more at the next step's level, and [`correct`](Self::correct); then [`advance`](Self::advance)
/// and add the fresh noise that it asks for.
///
/// Slices are `[B, stride]` for up to as many particles as there is room for. Nothing allocates
/// after [`Solver::new`].
#[derive(Debug, Clone)]
pub struct Solver<F: Real> {
    schedule: Schedule,
    stride: usize,
    /// Clean estimates of the step before, or of a corrected step's first evaluation.
    earlier_clean: Vec<F>,
    /// Noise of a corrected step's first evaluation.
    earlier_noise: Vec<F>,
    /// Room for one particle's magnitudes.
    magnitudes: Vec<F>,
    /// Whether the samples came here from `earlier_clean` along one smooth path.
    smooth: bool,
}

impl<F: Real> Solver<F> {
    /// Room for `particles` chunks of `stride` numbers.
    #[must_use]
    pub fn new(schedule: Schedule, particles: usize, stride: usize) -> Self {
        let room =
            |needed: bool, length: usize| vec![F::default(); if needed { length } else { 0 }];
        let (back, corrects) = (schedule.looks_back(), schedule.corrects());
        let dynamic = matches!(schedule.clip(), Clip::Dynamic { .. });
        Self {
            earlier_clean: room(back || corrects, particles * stride),
            earlier_noise: room(corrects, particles * stride),
            magnitudes: room(dynamic, stride),
            smooth: false,
            schedule,
            stride,
        }
    }

    /// The steps.
    #[must_use]
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// Forgets the steps before: what comes next does not follow smoothly from them. To be called
    /// before the first step and after re-noising.
    pub fn restart(&mut self) {
        self.smooth = false;
    }

    /// Splits samples at the level of step `at` into the clean chunk and the noise that the
    /// prediction says they are made of.
    pub fn split(
        &self,
        at: usize,
        sample: &[F],
        prediction: &[F],
        clean: &mut [F],
        noise: &mut [F],
    ) {
        self.schedule.steps()[at]
            .estimate
            .split(sample, prediction, clean, noise);
    }

    /// Brings clean estimates at the level of step `at` into range, and the noise in line with
    /// them where the method says so.
    pub fn clip(&mut self, at: usize, sample: &[F], clean: &mut [F], noise: &mut [F]) {
        self.schedule
            .clip()
            .apply(clean, self.stride, &mut self.magnitudes);
        if self.schedule.noise_of_sample() {
            let from = self.schedule.steps()[at].from;
            let (signal, share) = (F::from_f64(from.signal), F::from_f64(1.0 / from.noise));
            for ((noise, clean), x) in noise.iter_mut().zip(clean.iter()).zip(sample) {
                *noise = (*x - signal * *clean) * share;
            }
        }
    }

    /// Keeps the first evaluation of a corrected step and moves the samples to where the second
    /// one is due, at the level of step `step + 1`.
    pub fn look_ahead(&mut self, step: usize, clean: &[F], noise: &[F], sample: &mut [F]) {
        self.earlier_clean[..clean.len()].copy_from_slice(clean);
        self.earlier_noise[..noise.len()].copy_from_slice(noise);
        self.schedule.steps()[step]
            .transition
            .apply(clean, noise, sample);
    }

    /// Turns the estimates of the second evaluation into those by which the step is taken.
    pub fn correct(&mut self, step: usize, clean: &mut [F], noise: &mut [F]) {
        let from = &self.schedule.steps()[step].from;
        flow_heun::average(from, &self.earlier_clean, &self.earlier_noise, clean, noise);
        self.schedule
            .clip()
            .apply(clean, self.stride, &mut self.magnitudes);
    }

    /// Writes the samples of the next level, without fresh noise, and returns the standard
    /// deviation of what is to be added. The step is at least as stochastic as `eta` says
    /// (0: the scheduler's own).
    ///
    /// The change of the clean estimate since the step before extrapolates only along a smooth
    /// path: a step after a stochastic or re-noised one is of first order, and so is a stochastic
    /// step itself.
    pub fn advance(
        &mut self,
        step: usize,
        eta: f64,
        clean: &[F],
        noise: &[F],
        sample: &mut [F],
    ) -> f64 {
        let plan = &self.schedule.steps()[step];
        let transition = plan.with_noise(eta);
        transition.apply(clean, noise, sample);
        if self.schedule.looks_back() {
            let deterministic = transition.fresh == 0.0;
            if deterministic && self.smooth && plan.extrapolation != 0.0 {
                let factor = F::from_f64(plan.extrapolation);
                let change = clean.iter().zip(&self.earlier_clean);
                for (x, (clean, earlier)) in sample.iter_mut().zip(change) {
                    *x += factor * (*clean - *earlier);
                }
            }
            self.earlier_clean[..clean.len()].copy_from_slice(clean);
            self.smooth = deterministic;
        }
        transition.fresh
    }

    /// Particle `b` becomes a copy of particle `ancestors[b]`: its memory goes with it. `room` is as
    /// long as the samples.
    pub fn resample(&mut self, ancestors: &[u32], room: &mut [F]) {
        if self.schedule.looks_back() {
            let used = ancestors.len() * self.stride;
            copy_ancestors(&mut self.earlier_clean[..used], ancestors, room);
        }
    }
}

/// Makes chunk `b` a copy of chunk `ancestors[b]`; `room` is as long as `values`.
pub(crate) fn copy_ancestors<F: Real>(values: &mut [F], ancestors: &[u32], room: &mut [F]) {
    let stride = values.len() / ancestors.len().max(1);
    room.copy_from_slice(values);
    for (value, &ancestor) in values.chunks_exact_mut(stride).zip(ancestors) {
        let from = ancestor as usize * stride;
        value.copy_from_slice(&room[from..from + stride]);
    }
}
