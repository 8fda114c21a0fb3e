//! The encoder graph, and the observations that it sees.

use ort::memory::Allocator;
use ort::session::{Session, SessionInputValue, SessionOutputs};
use ort::value::Tensor;

use crate::bundle::Graph;
use crate::error::PolicyError;
use crate::graph::{self, Dimension, Port};
use crate::manifest::{Manifest, ObservationInput};
use crate::observation::{self, Observation};
use crate::policy::CONDITION;
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
    condition: usize,
}

impl Encoder {
    pub(crate) fn new(
        graph: &Graph,
        session: Session,
        manifest: &Manifest,
    ) -> Result<Self, PolicyError> {
        let steps = manifest.observation_steps;
        let shape = |input: &ObservationInput| -> Vec<usize> {
            let history = (steps > 1).then_some(steps);
            history.iter().chain(&input.shape).copied().collect()
        };
        let ports: Vec<Port> = manifest
            .observations
            .iter()
            .map(|input| Port {
                name: input.name.clone(),
                shape: batch_of_one(&shape(input)),
            })
            .collect();
        let output = Port {
            name: CONDITION.to_owned(),
            shape: vec![Dimension::Fixed(1), Dimension::Own],
        };
        graph::check(graph, &session, &ports, &[output])?;
        let inputs = manifest
            .observations
            .iter()
            .map(|input| {
                let shape: Vec<usize> = [1].iter().chain(&shape(input)).copied().collect();
                zeros(&Allocator::default(), &shape, "encoder")
            })
            .collect::<Result<_, _>>()?;
        let condition = graph::last_dimension(&session, CONDITION);
        Ok(Self {
            session,
            inputs,
            steps,
            observed: false,
            condition,
        })
    }

    /// Numbers in the condition.
    pub(crate) fn condition(&self) -> usize {
        self.condition
    }

    /// Forgets all observations.
    pub(crate) fn reset(&mut self) {
        self.observed = false;
    }

    /// Takes an observation: the oldest one goes. The first one fills the whole history.
    pub(crate) fn observe(
        &mut self,
        inputs: &[ObservationInput],
        observation: &Observation<'_>,
    ) -> Result<(), PolicyError> {
        let first = !std::mem::replace(&mut self.observed, false);
        let mut problems = Vec::new();
        for (input, tensor) in inputs.iter().zip(&mut self.inputs) {
            let history = tensor_mut(tensor);
            let size = history.len() / self.steps;
            let newest = history.len() - size;
            history.copy_within(size.., 0);
            let taken = observation::normalise(input, observation, &mut history[newest..]);
            problems.extend(taken.err());
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

    /// Runs the graph on the history.
    pub(crate) fn run(
        &mut self,
        inputs: &[ObservationInput],
        condition: &mut [f32],
    ) -> Result<(), PolicyError> {
        if !self.observed {
            return Err(PolicyError::NotObserved);
        }
        let outputs = self.execute(inputs)?;
        let (_, numbers) = outputs[CONDITION]
            .try_extract_tensor::<f32>()
            .map_err(failed)?;
        finite(numbers)?;
        condition.copy_from_slice(numbers);
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
