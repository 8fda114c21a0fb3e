//! The denoiser graph, with its tensors bound.

use ort::memory::Allocator;
use ort::session::{IoBinding, Session, SessionOutputs};
use ort::value::Tensor;

use crate::bundle::Graph;
use crate::error::PolicyError;
use crate::graph::{self, Dimension, Port};
use crate::manifest::Manifest;
use crate::policy::CONDITION;
use crate::provider::Provider;
use crate::tensor::{batch_of_one, run_error, tensor_mut, zeros};

const SAMPLE: &str = "sample";
const TIMESTEP: &str = "timestep";
const PREDICTION: &str = "prediction";

/// The denoiser graph with its input and output tensors bound, for one number of particles.
#[derive(Debug)]
pub(crate) struct DenoiserGraph {
    session: Session,
    provider: Provider,
    allocator: Allocator,
    binding: IoBinding,
    horizon: usize,
    action_dim: usize,
    condition: Tensor<f32>,
    buffers: Buffers,
    encoded: bool,
}

/// What depends on the number of particles.
#[derive(Debug)]
struct Buffers {
    particles: usize,
    sample: Tensor<f32>,
    timestep: Tensor<f32>,
}

impl DenoiserGraph {
    pub(crate) fn new(
        graph: &Graph,
        session: Session,
        provider: Provider,
        manifest: &Manifest,
        condition: usize,
    ) -> Result<Self, PolicyError> {
        let (horizon, action_dim) = (manifest.horizon, manifest.action.dim);
        let chunk = |name: &str| Port {
            name: name.to_owned(),
            shape: vec![
                Dimension::Dynamic,
                Dimension::Fixed(horizon),
                Dimension::Fixed(action_dim),
            ],
        };
        let timestep = Port {
            name: TIMESTEP.to_owned(),
            shape: vec![Dimension::Dynamic],
        };
        let shared = Port {
            name: CONDITION.to_owned(),
            shape: batch_of_one(&[condition]),
        };
        graph::check(
            graph,
            &session,
            &[chunk(SAMPLE), timestep, shared],
            &[chunk(PREDICTION)],
        )?;
        let allocator = provider.allocator(&session)?;
        let mut binding = session.create_binding().map_err(failed)?;
        let condition = zeros(&allocator, &[1, condition], "denoiser")?;
        binding.bind_input(CONDITION, &condition).map_err(failed)?;
        let buffers = Buffers::bind(&allocator, &mut binding, 1, horizon, action_dim)?;
        Ok(Self {
            session,
            provider,
            allocator,
            binding,
            horizon,
            action_dim,
            condition,
            buffers,
            encoded: false,
        })
    }

    /// Forgets that there is a condition.
    pub(crate) fn forget(&mut self) {
        self.encoded = false;
    }

    /// Has `encode` write the condition, and hands it to the graph: once a chunk, for all its steps.
    pub(crate) fn condition(
        &mut self,
        encode: impl FnOnce(&mut [f32]) -> Result<(), PolicyError>,
    ) -> Result<&[f32], PolicyError> {
        self.encoded = false;
        encode(tensor_mut(&mut self.condition))?;
        // Binding copies to the device; on the CPU nothing is copied.
        self.binding
            .bind_input(CONDITION, &self.condition)
            .map_err(failed)?;
        self.encoded = true;
        Ok(self.condition.extract_tensor().1)
    }

    pub(crate) fn run(
        &mut self,
        sample: &[f32],
        particles: usize,
        time: f32,
        out: &mut [f32],
    ) -> Result<(), PolicyError> {
        let count = particles * self.horizon * self.action_dim;
        length("sample", count.max(1), sample.len())?;
        length("prediction", count.max(1), out.len())?;
        if !self.encoded {
            return Err(PolicyError::NotEncoded);
        }
        self.make_room(particles)?;
        tensor_mut(&mut self.buffers.sample).copy_from_slice(sample);
        tensor_mut(&mut self.buffers.timestep).fill(time);
        let outputs = self.execute()?;
        let (_, numbers) = outputs[PREDICTION]
            .try_extract_tensor::<f32>()
            .map_err(failed)?;
        // Numbers that are not finite are handed on: steering drops only the particle they are in.
        out.copy_from_slice(numbers);
        Ok(())
    }

    /// Runs on zeros for so many particles and drops what comes out.
    pub(crate) fn warm_up(&mut self, particles: usize) -> Result<(), PolicyError> {
        let count = particles * self.horizon * self.action_dim;
        length("sample", count.max(1), count)?;
        self.make_room(particles)?;
        tensor_mut(&mut self.buffers.sample).fill(0.0);
        tensor_mut(&mut self.buffers.timestep).fill(0.0);
        self.execute().map(drop)
    }

    fn make_room(&mut self, particles: usize) -> Result<(), PolicyError> {
        if self.buffers.particles != particles {
            self.buffers = Buffers::bind(
                &self.allocator,
                &mut self.binding,
                particles,
                self.horizon,
                self.action_dim,
            )?;
        }
        Ok(())
    }

    /// Runs on what is in the buffers, with the condition that was bound last.
    fn execute(&mut self) -> Result<SessionOutputs<'_>, PolicyError> {
        let Buffers {
            sample, timestep, ..
        } = &self.buffers;
        // Binding anew tells the runtime that the contents changed; on the CPU nothing is copied.
        self.binding.bind_input(SAMPLE, sample).map_err(failed)?;
        self.binding
            .bind_input(TIMESTEP, timestep)
            .map_err(failed)?;
        // A device copies on its own time.
        let asynchronous = self.provider != Provider::Cpu;
        if asynchronous {
            self.binding.synchronize_inputs().map_err(failed)?;
        }
        let outputs = self.session.run_binding(&self.binding).map_err(failed)?;
        if asynchronous {
            self.binding.synchronize_outputs().map_err(failed)?;
        }
        Ok(outputs)
    }
}

impl Buffers {
    fn bind(
        allocator: &Allocator,
        binding: &mut IoBinding,
        particles: usize,
        horizon: usize,
        action_dim: usize,
    ) -> Result<Self, PolicyError> {
        let shape = [particles, horizon, action_dim];
        let prediction = zeros(allocator, &shape, "denoiser")?;
        binding
            .bind_output(PREDICTION, prediction)
            .map_err(failed)?;
        Ok(Self {
            particles,
            sample: zeros(allocator, &shape, "denoiser")?,
            timestep: zeros(allocator, &[particles], "denoiser")?,
        })
    }
}

fn failed(error: ort::Error) -> PolicyError {
    run_error("denoiser", &error)
}

fn length(what: &'static str, expected: usize, found: usize) -> Result<(), PolicyError> {
    if expected == found {
        Ok(())
    } else {
        Err(PolicyError::Length {
            what,
            expected,
            found,
        })
    }
}
