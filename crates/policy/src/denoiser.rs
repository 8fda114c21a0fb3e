//! The denoiser graph, with its tensors bound.

use ort::memory::Allocator;
use ort::session::{IoBinding, Session, SessionOutputs};
use ort::value::Tensor;

use crate::bundle::Graph;
use crate::condition::{Condition, Declared};
use crate::error::PolicyError;
use crate::graph::{self, Dimension, Port};
use crate::manifest::Manifest;
use crate::provider::Provider;
use crate::tensor::{run_error, tensor_mut, zeros};

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
    conditions: Vec<Condition>,
    buffers: Buffers,
    encoded: bool,
    /// How often it ran on samples.
    runs: u64,
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
        conditions: Vec<Declared>,
    ) -> Result<Self, PolicyError> {
        let (horizon, action_dim) = (manifest.horizon, manifest.action.dim);
        let chunk = |name: &str| {
            let rows = [horizon, action_dim].map(Dimension::Fixed);
            let shape = [Dimension::Dynamic].into_iter().chain(rows);
            Port::float(name, shape.collect())
        };
        let mut inputs = vec![
            chunk(SAMPLE),
            Port::float(TIMESTEP, vec![Dimension::Dynamic]),
        ];
        inputs.extend(conditions.iter().map(Declared::port));
        graph::check(graph, &session, &inputs, &[chunk(PREDICTION)])?;
        let allocator = provider.allocator(&session)?;
        let mut binding = session.create_binding().map_err(failed)?;
        let conditions: Vec<Condition> = conditions
            .into_iter()
            .map(|declared| Condition::new(&allocator, declared))
            .collect::<Result<_, _>>()?;
        conditions
            .iter()
            .try_for_each(|condition| condition.bind(&mut binding))?;
        let buffers = Buffers::bind(&allocator, &mut binding, 1, horizon, action_dim)?;
        Ok(Self {
            session,
            provider,
            allocator,
            binding,
            horizon,
            action_dim,
            conditions,
            buffers,
            encoded: false,
            runs: 0,
        })
    }

    /// How often it ran on samples.
    pub(crate) fn runs(&self) -> u64 {
        self.runs
    }

    /// Forgets that there is a condition.
    pub(crate) fn forget(&mut self) {
        self.encoded = false;
    }

    /// Has `encode` write the conditions, and hands them to the graph: once a chunk, for all its
    /// steps.
    pub(crate) fn condition(
        &mut self,
        encode: impl FnOnce(&mut [Condition]) -> Result<(), PolicyError>,
    ) -> Result<&[Condition], PolicyError> {
        self.encoded = false;
        encode(&mut self.conditions)?;
        self.conditions
            .iter()
            .try_for_each(|condition| condition.bind(&mut self.binding))?;
        self.encoded = true;
        Ok(&self.conditions)
    }

    /// What was encoded last; zeros before.
    pub(crate) fn conditions(&self) -> &[Condition] {
        &self.conditions
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
        self.runs += 1;
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

    /// Runs on what is in the buffers, with the conditions that were bound last.
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
        let prediction: Tensor<f32> = zeros(allocator, &shape, "denoiser")?;
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
