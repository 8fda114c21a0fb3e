//! A policy that runs: one encoder call a chunk, one denoiser call a sampling step.

use ort::memory::Allocator;
use ort::session::{IoBinding, Session, SessionInputValue};
use ort::value::Tensor;
use tiller_steering::{ActionMode as SteeringMode, ActionSpace, Denoiser, DenoiserError};

use crate::bundle::{Bundle, Graph};
use crate::error::PolicyError;
use crate::graph::{self, Dimension, Port};
use crate::manifest::{ActionMode, Manifest, ObservationInput};
use crate::observation::{self, Observation};
use crate::runtime::{self, RuntimeOptions};

const CONDITION: &str = "condition";
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
        let encoder = Encoder::new(bundle.encoder(), session, &manifest.observations)?;
        let session = graph::open(&environment, bundle.denoiser(), options.threads)?;
        let denoiser =
            DenoiserGraph::new(bundle.denoiser(), session, &manifest, encoder.condition)?;
        Ok(Self {
            manifest,
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
        self.encoder.condition
    }

    /// The layout and normalisation of the policy's actions.
    #[must_use]
    pub fn action_space(&self) -> ActionSpace {
        let action = &self.manifest.action;
        let mode = match action.mode {
            ActionMode::Delta => SteeringMode::Delta,
            ActionMode::Absolute => SteeringMode::Absolute,
        };
        let (min, max) = (&action.min, &action.max);
        ActionSpace::from_min_max(action.position, action.gripper, min, max, mode)
    }

    /// Encodes what the robot sees; once a chunk, shared by all particles. Returns the condition,
    /// `C` numbers.
    ///
    /// # Errors
    /// [`PolicyError::Observation`] lists what is missing or has the wrong size; otherwise ONNX
    /// Runtime failed or the encoder produced a number that is not finite. The denoiser then has
    /// no condition until an `encode` succeeds.
    pub fn encode(&mut self, observation: &Observation<'_>) -> Result<&[f32], PolicyError> {
        self.denoiser.encoded = false;
        self.encoder.run(
            &self.manifest.observations,
            observation,
            tensor_mut(&mut self.denoiser.condition),
        )?;
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

/// The encoder graph with one input tensor an observation.
#[derive(Debug)]
struct Encoder {
    session: Session,
    inputs: Vec<Tensor<f32>>,
    condition: usize,
}

impl Encoder {
    fn new(
        graph: &Graph,
        session: Session,
        observations: &[ObservationInput],
    ) -> Result<Self, PolicyError> {
        let ports: Vec<Port> = observations
            .iter()
            .map(|input| Port {
                name: input.name.clone(),
                shape: batch_of_one(&input.shape),
            })
            .collect();
        let output = Port {
            name: CONDITION.to_owned(),
            shape: vec![Dimension::Fixed(1), Dimension::Own],
        };
        graph::check(graph, &session, &ports, &[output])?;
        let inputs = observations
            .iter()
            .map(|input| {
                let shape: Vec<usize> = [1].iter().chain(&input.shape).copied().collect();
                zeros(&shape, "encoder")
            })
            .collect::<Result<_, _>>()?;
        let condition = graph::last_dimension(&session, CONDITION);
        Ok(Self {
            session,
            inputs,
            condition,
        })
    }

    fn run(
        &mut self,
        inputs: &[ObservationInput],
        observation: &Observation<'_>,
        condition: &mut [f32],
    ) -> Result<(), PolicyError> {
        let problems: Vec<_> = inputs
            .iter()
            .zip(&mut self.inputs)
            .filter_map(|(input, tensor)| {
                observation::normalise(input, observation, tensor_mut(tensor)).err()
            })
            .collect();
        if !problems.is_empty() {
            return Err(PolicyError::Observation(problems));
        }
        let failed = |error: ort::Error| run_error("encoder", &error);
        let feed: Vec<(&str, SessionInputValue<'_>)> = inputs
            .iter()
            .zip(&self.inputs)
            .map(|(input, tensor)| (input.name.as_str(), tensor.view().into()))
            .collect();
        let outputs = self.session.run(feed).map_err(failed)?;
        let (_, numbers) = outputs[CONDITION]
            .try_extract_tensor::<f32>()
            .map_err(failed)?;
        finite(numbers)?;
        condition.copy_from_slice(numbers);
        Ok(())
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

fn batch_of_one(shape: &[usize]) -> Vec<Dimension> {
    [1].iter()
        .chain(shape)
        .map(|size| Dimension::Fixed(*size))
        .collect()
}

fn zeros(shape: &[usize], graph: &'static str) -> Result<Tensor<f32>, PolicyError> {
    let mut tensor = Tensor::<f32>::new(&Allocator::default(), shape)
        .map_err(|error| run_error(graph, &error))?;
    // The allocator hands out memory as it is.
    tensor_mut(&mut tensor).fill(0.0);
    Ok(tensor)
}

fn tensor_mut(tensor: &mut Tensor<f32>) -> &mut [f32] {
    tensor.extract_tensor_mut().1
}

fn run_error(graph: &'static str, error: &ort::Error) -> PolicyError {
    PolicyError::Run {
        graph,
        reason: error.to_string(),
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

/// A condition with a NaN in it would spoil every particle, so it is refused where it arises.
fn finite(condition: &[f32]) -> Result<(), PolicyError> {
    match condition.iter().position(|number| !number.is_finite()) {
        None => Ok(()),
        Some(index) => Err(PolicyError::NotFinite {
            index,
            count: condition.len(),
        }),
    }
}
