//! A policy that runs: one encoder call a chunk, one denoiser call a sampling step.

use tiller_steering::scheduler::SchedulerConfig;
use tiller_steering::{ActionSpace, Denoiser, DenoiserError, Guide, SteeringConfig};

use crate::bundle::Bundle;
use crate::condition::Condition;
use crate::denoiser::DenoiserGraph;
use crate::encoder::{Encoder, History};
use crate::error::PolicyError;
use crate::graph;
use crate::manifest::Manifest;
use crate::observation::Observation;
use crate::provider::Provider;
use crate::runtime::{Runtime, RuntimeOptions};

/// An opened policy: graphs in ONNX Runtime with buffers that are reused from call to call.
///
/// [`Policy::encode`] binds an observation; until the next `encode`, every
/// [`Denoiser::predict`] is conditioned on it.
#[derive(Debug)]
pub struct Policy {
    manifest: Manifest,
    sampler: SchedulerConfig,
    space: ActionSpace,
    guide: Guide,
    provider: Provider,
    encoder: Encoder,
    denoiser: DenoiserGraph,
}

/// How often graphs have run, but for warming up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Runs {
    /// Once a chunk, however many particles.
    pub encoder: u64,
    /// Once a sampling step, for all particles.
    pub denoiser: u64,
}

impl Policy {
    /// Loads the bundle's graphs into ONNX Runtime and checks that they fit the manifest.
    ///
    /// # Errors
    /// [`PolicyError`]: the library is missing or unusable, the provider that was asked for cannot be
    /// had, a graph does not load, or its inputs and outputs disagree with the manifest.
    pub fn open(bundle: &Bundle, options: &RuntimeOptions) -> Result<Self, PolicyError> {
        let provider = options.provider;
        provider.check_built()?;
        let runtime = Runtime::start(options)?;
        provider.check_library(&runtime.library)?;
        let manifest = bundle.manifest().clone();
        let session = graph::open(&runtime, bundle.encoder(), options)?;
        let (encoder, conditions) = Encoder::new(bundle, session)?;
        let graph = bundle.denoiser();
        let session = graph::open(&runtime, graph, options)?;
        let denoiser = DenoiserGraph::new(graph, session, provider, &manifest, conditions)?;
        Ok(Self {
            manifest,
            sampler: bundle.sampler().clone(),
            space: bundle.action_space().clone(),
            guide: bundle.guide(),
            provider,
            encoder,
            denoiser,
        })
    }

    /// What the bundle says about itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The processor that runs the graphs: the one that was asked for.
    #[must_use]
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// What the encoder made of the last observation, in the order of its outputs; zeros before.
    #[must_use]
    pub fn conditions(&self) -> &[Condition] {
        self.denoiser.conditions()
    }

    /// How often the graphs have run since the policy was opened, on observations and on samples.
    #[must_use]
    pub fn runs(&self) -> Runs {
        Runs {
            encoder: self.encoder.runs(),
            denoiser: self.denoiser.runs(),
        }
    }

    /// The layout and normalisation of the policy's actions.
    #[must_use]
    pub fn action_space(&self) -> ActionSpace {
        self.space.clone()
    }

    /// The sampler that the policy was trained for.
    #[must_use]
    pub fn sampler(&self) -> &SchedulerConfig {
        &self.sampler
    }

    /// Puts into the settings what the bundle decides: the sampler, where execution starts, and which
    /// columns guidance may move.
    pub fn configure(&self, steering: &mut SteeringConfig) {
        steering.scheduler = self.sampler.clone();
        steering.execute_start = self.manifest.execute_start;
        steering.guide = self.guide;
    }

    /// Runs both graphs once on zeros, the denoiser for each number of particles that will be in use,
    /// so that the first chunk takes no longer than the others. Observations and condition stay
    /// as they are, and what comes out is dropped.
    ///
    /// # Errors
    /// [`PolicyError::Length`] for no particles at all; otherwise ONNX Runtime failed.
    pub fn warm_up(&mut self, particles: &[usize]) -> Result<(), PolicyError> {
        self.encoder.warm_up(&self.manifest.observations)?;
        particles
            .iter()
            .try_for_each(|particles| self.denoiser.warm_up(*particles))
    }

    /// Forgets all observations, and the condition made of them: a new episode begins.
    pub fn reset(&mut self) {
        self.encoder.reset();
        self.denoiser.forget();
    }

    /// A copy of all observations, to be put back: for a look that is to leave no trace.
    #[must_use]
    pub fn history(&mut self) -> History {
        self.encoder.history()
    }

    /// Puts all observations back as they were. The denoiser has no condition until the next `encode`.
    pub fn restore(&mut self, history: &History) {
        self.encoder.restore(history);
        self.denoiser.forget();
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
    /// observation into the history first. Returns the conditions.
    ///
    /// # Errors
    /// [`PolicyError::Observation`] lists what is missing or has the wrong size; otherwise ONNX
    /// Runtime failed or the encoder produced a number that is not finite. The denoiser then has
    /// no condition until an `encode` succeeds.
    pub fn encode(&mut self, observation: &Observation<'_>) -> Result<&[Condition], PolicyError> {
        self.denoiser.forget();
        self.observe(observation)?;
        self.encode_history()
    }

    /// Encodes what the robot saw, when the newest observation has been taken by
    /// [`Policy::observe`].
    ///
    /// # Errors
    /// As [`Policy::encode`], and [`PolicyError::NotObserved`] when there is nothing to encode.
    pub fn encode_history(&mut self) -> Result<&[Condition], PolicyError> {
        let (encoder, inputs) = (&mut self.encoder, &self.manifest.observations);
        self.denoiser
            .condition(|conditions| encoder.run(inputs, conditions))
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
