//! A policy that runs: one encoder call a chunk, one denoiser call a sampling step.

use ort::session::{IoBinding, Session};
use ort::value::Tensor;
use tiller_steering::scheduler::SchedulerConfig;
use tiller_steering::{ActionSpace, Denoiser, DenoiserError, SteeringConfig};

use crate::bundle::{Bundle, Graph};
use crate::encoder::Encoder;
use crate::error::PolicyError;
use crate::graph::{self, Dimension, Port};
use crate::manifest::Manifest;
use crate::observation::Observation;
use crate::runtime::{self, RuntimeOptions};
use crate::tensor::{batch_of_one, run_error, tensor_mut, zeros};

pub(crate) const CONDITION: &str = "condition";
const SAMPLE: &str = "sample";
const TIMESTEP: &str = "timestep";
const PREDICTION: &str = "prediction";

/// An opened policy: graphs in ONNX Runtime with buffers that are reused from call to call.
///
/// [`Policy::encode`] binds an observation; until the next `encode`, every
/// [`Denoiser::predict`] is conditioned on it.
#[derive(Debug)]
pub struct Policy {
    manifest: Manifest,
    sampler: SchedulerConfig,
    encoder: Encoder,
    denoiser: DenoiserGraph,
}

impl Policy {
    /// Loads the bundle's graphs into ONNX Runtime and checks that they fit the manifest.
    ///
    /// # Errors
    /// [`PolicyError`]: the library is missing or unusable, a graph does not load, or its inputs
    /// and outputs disagree with the manifest.
    pub fn open(bundle: &Bundle, options: &RuntimeOptions) -> Result<Self, PolicyError> {
        let environment = runtime::environment(options)?;
        let manifest = bundle.manifest().clone();
        let session = graph::open(&environment, bundle.encoder(), options.threads)?;
        let encoder = Encoder::new(bundle.encoder(), session, &manifest)?;
        let session = graph::open(&environment, bundle.denoiser(), options.threads)?;
        let denoiser =
            DenoiserGraph::new(bundle.denoiser(), session, &manifest, encoder.condition())?;
        Ok(Self {
            manifest,
            sampler: bundle.sampler().clone(),
            encoder,
            denoiser,
        })
    }

    /// What the bundle says about itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// C: numbers in the condition vector that the encoder makes of an observation.
    #[must_use]
    pub fn condition_size(&self) -> usize {
        self.encoder.condition()
    }

    /// The layout and normalisation of the policy's actions.
    #[must_use]
    pub fn action_space(&self) -> ActionSpace {
        self.manifest.action.space()
    }

    /// The sampler that the policy was trained for.
    #[must_use]
    pub fn sampler(&self) -> &SchedulerConfig {
        &self.sampler
    }

    /// Puts into the settings what the bundle decides: the sampler, and where execution starts.
    pub fn configure(&self, steering: &mut SteeringConfig) {
        steering.scheduler = self.sampler.clone();
        steering.execute_start = self.manifest.execute_start;
    }

    /// Forgets all observations, and the condition made of them: a new episode begins.
    pub fn reset(&mut self) {
        self.encoder.reset();
        self.denoiser.encoded = false;
    }

    /// Takes what the robot sees into the history, without encoding it. A policy that sees several
    /// observations ([`Manifest::observation_steps`]) wants one of these an action step, those at
    /// which a chunk is planned aside. Others need none.
    ///
    /// The first observation after opening, [`Policy::reset`] or a refused one stands for those
    /// before it too. The condition stays that of the last `encode`.
    ///
    /// # Errors
    /// [`PolicyError::Observation`] lists what is missing or has the wrong size; the history is
    /// then empty.
    pub fn observe(&mut self, observation: &Observation<'_>) -> Result<(), PolicyError> {
        self.encoder
            .observe(&self.manifest.observations, observation)
    }

    /// Encodes what the robot sees and saw; once a chunk, shared by all particles. Takes the
    /// observation into the history first. Returns the condition, `C` numbers.
    ///
    /// # Errors
    /// [`PolicyError::Observation`] lists what is missing or has the wrong size; otherwise ONNX
    /// Runtime failed or the encoder produced a number that is not finite. The denoiser then has
    /// no condition until an `encode` succeeds.
    pub fn encode(&mut self, observation: &Observation<'_>) -> Result<&[f32], PolicyError> {
        self.denoiser.encoded = false;
        self.observe(observation)?;
        self.encode_history()
    }

    /// Encodes what the robot saw, when the newest observation has been taken by
    /// [`Policy::observe`].
    ///
    /// # Errors
    /// As [`Policy::encode`], and [`PolicyError::NotObserved`] when there is nothing to encode.
    pub fn encode_history(&mut self) -> Result<&[f32], PolicyError> {
        self.denoiser.encoded = false;
        let condition = tensor_mut(&mut self.denoiser.condition);
        self.encoder.run(&self.manifest.observations, condition)?;
        self.denoiser.encoded = true;
        Ok(self.denoiser.condition.extract_tensor().1)
    }
}

impl Denoiser for Policy {
    fn horizon(&self) -> usize {
        self.manifest.horizon
    }

    fn action_dim(&self) -> usize {
        self.manifest.action.dim
    }

    fn predict(
        &mut self,
        sample: &[f32],
        particles: usize,
        time: f32,
        out: &mut [f32],
    ) -> Result<(), DenoiserError> {
        self.denoiser
            .run(sample, particles, time, out)
            .map_err(|error| DenoiserError::new(error.to_string()))
    }
}

/// The denoiser graph with its input and output tensors bound, for one number of particles.
#[derive(Debug)]
struct DenoiserGraph {
    session: Session,
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
    fn new(
        graph: &Graph,
        session: Session,
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
        let failed = |error: ort::Error| run_error("denoiser", &error);
        let mut binding = session.create_binding().map_err(failed)?;
        let buffers = Buffers::bind(&mut binding, 1, horizon, action_dim)?;
        Ok(Self {
            session,
            binding,
            horizon,
            action_dim,
            condition: zeros(&[1, condition], "denoiser")?,
            buffers,
            encoded: false,
        })
    }

    fn run(
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
        if self.buffers.particles != particles {
            self.buffers =
                Buffers::bind(&mut self.binding, particles, self.horizon, self.action_dim)?;
        }
        let failed = |error: ort::Error| run_error("denoiser", &error);
        let Buffers {
            sample: input,
            timestep,
            ..
        } = &mut self.buffers;
        tensor_mut(input).copy_from_slice(sample);
        tensor_mut(timestep).fill(time);
        // Binding anew tells the runtime that the contents changed; on the CPU nothing is copied.
        self.binding.bind_input(SAMPLE, input).map_err(failed)?;
        self.binding
            .bind_input(TIMESTEP, timestep)
            .map_err(failed)?;
        self.binding
            .bind_input(CONDITION, &self.condition)
            .map_err(failed)?;
        let outputs = self.session.run_binding(&self.binding).map_err(failed)?;
        let (_, numbers) = outputs[PREDICTION]
            .try_extract_tensor::<f32>()
            .map_err(failed)?;
        // Numbers that are not finite are handed on: steering drops only the particle they are in.
        out.copy_from_slice(numbers);
        Ok(())
    }
}

impl Buffers {
    fn bind(
        binding: &mut IoBinding,
        particles: usize,
        horizon: usize,
        action_dim: usize,
    ) -> Result<Self, PolicyError> {
        let shape = [particles, horizon, action_dim];
        let prediction = zeros(&shape, "denoiser")?;
        binding
            .bind_output(PREDICTION, prediction)
            .map_err(|error| run_error("denoiser", &error))?;
        Ok(Self {
            particles,
            sample: zeros(&shape, "denoiser")?,
            timestep: zeros(&[particles], "denoiser")?,
        })
    }
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
