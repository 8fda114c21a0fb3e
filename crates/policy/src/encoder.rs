//! The encoder graph, and the observations that it sees.

use ort::memory::Allocator;
use ort::session::{Session, SessionInputValue, SessionOutputs};
use ort::value::Tensor;
use tiller_core::Problems;

use crate::bundle::Graph;
use crate::condition::{Condition, Declared};
use crate::error::PolicyError;
use crate::graph::{self, Port};
use crate::manifest::{Manifest, ObservationInput};
use crate::observation::{self, Observation};
use crate::tensor::{batch_of_one, run_error, tensor_mut, zeros};

/// The encoder graph with one input tensor an observation: `[1, ..]`, or `[1, n, ..]` with the newest
/// of `n` observations last.
#[derive(Debug)]
pub(crate) struct Encoder {
    session: Session,
    inputs: Vec<Tensor<f32>>,
    /// Observations that the graph sees.
    steps: usize,
    /// Whether there is an observation in the inputs.
    observed: bool,
}

/// What a policy was shown, kept aside.
#[derive(Debug, Clone)]
pub struct History {
    /// By input, normalised.
    inputs: Vec<Vec<f32>>,
    observed: bool,
}

impl Encoder {
    /// The encoder and what it makes of observations.
    pub(crate) fn new(
        graph: &Graph,
        session: Session,
        manifest: &Manifest,
    ) -> Result<(Self, Vec<Declared>), PolicyError> {
        let steps = manifest.observation_steps;
        let shape = |input: &ObservationInput| -> Vec<usize> {
            let history = (steps > 1).then_some(steps);
            history.iter().chain(&input.shape).copied().collect()
        };
        let ports: Vec<Port> = manifest
            .observations
            .iter()
            .map(|input| Port::float(&input.name, batch_of_one(&shape(input))))
            .collect();
        let mut problems = Problems::default();
        graph::check_inputs(&session, &ports, &mut problems);
        let conditions = Declared::read(&session, &mut problems);
        graph::finish(graph, problems)?;
        let inputs = manifest
            .observations
            .iter()
            .map(|input| {
                let shape: Vec<usize> = [1].iter().chain(&shape(input)).copied().collect();
                zeros(&Allocator::default(), &shape, "encoder")
            })
            .collect::<Result<_, _>>()?;
        let encoder = Self {
            session,
            inputs,
            steps,
            observed: false,
        };
        Ok((encoder, conditions))
    }

    /// Forgets all observations.
    pub(crate) fn reset(&mut self) {
        self.observed = false;
    }

    /// A copy of what was observed.
    pub(crate) fn history(&mut self) -> History {
        let copy = |tensor: &mut Tensor<f32>| tensor_mut(tensor).to_vec();
        History {
            inputs: self.inputs.iter_mut().map(copy).collect(),
            observed: self.observed,
        }
    }

    /// Puts back what was observed; the copy is one of this encoder's.
    pub(crate) fn restore(&mut self, history: &History) {
        for (tensor, numbers) in self.inputs.iter_mut().zip(&history.inputs) {
            let room = tensor_mut(tensor);
            if room.len() == numbers.len() {
                room.copy_from_slice(numbers);
            }
        }
        self.observed = history.observed;
    }

    /// Takes an observation: the oldest one goes. The first one fills the whole history.
    pub(crate) fn observe(
        &mut self,
        inputs: &[ObservationInput],
        observation: &Observation<'_>,
    ) -> Result<(), PolicyError> {
        let first = !std::mem::replace(&mut self.observed, false);
        let mut problems = Problems::default();
        for (input, tensor) in inputs.iter().zip(&mut self.inputs) {
            let history = tensor_mut(tensor);
            let size = history.len() / self.steps;
            let newest = history.len() - size;
            history.copy_within(size.., 0);
            let taken = observation::normalise(input, observation, &mut history[newest..]);
            problems.found.extend(taken.err());
            if first {
                for step in 0..self.steps - 1 {
                    history.copy_within(newest.., step * size);
                }
            }
        }
        if !problems.is_empty() {
            return Err(PolicyError::Observation(problems));
        }
        self.observed = true;
        Ok(())
    }

    /// Runs the graph on the history and writes the conditions.
    pub(crate) fn run(
        &mut self,
        inputs: &[ObservationInput],
        conditions: &mut [Condition],
    ) -> Result<(), PolicyError> {
        if !self.observed {
            return Err(PolicyError::NotObserved);
        }
        let outputs = self.execute(inputs)?;
        for condition in conditions {
            let name = condition.name();
            let output = outputs.get(name).ok_or_else(|| PolicyError::Run {
                graph: "encoder",
                reason: format!("there is no output `{name}`"),
            })?;
            condition.take(output)?;
        }
        Ok(())
    }

    /// Runs on whatever is in the inputs, zeros at first, and drops what comes out.
    pub(crate) fn warm_up(&mut self, inputs: &[ObservationInput]) -> Result<(), PolicyError> {
        self.execute(inputs).map(drop)
    }

    fn execute(&mut self, inputs: &[ObservationInput]) -> Result<SessionOutputs<'_>, PolicyError> {
        let feed: Vec<(&str, SessionInputValue<'_>)> = inputs
            .iter()
            .zip(&self.inputs)
            .map(|(input, tensor)| (input.name.as_str(), tensor.view().into()))
            .collect();
        self.session.run(feed).map_err(failed)
    }
}

fn failed(error: ort::Error) -> PolicyError {
    run_error("encoder", &error)
}
