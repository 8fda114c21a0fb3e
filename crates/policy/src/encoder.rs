//! The encoder graph, and the observations that it sees.

use ort::memory::Allocator;
use ort::session::{Session, SessionInputValue, SessionOutputs};
use ort::value::{Tensor, TensorElementType};
use tiller_core::{Problem, Problems};

use crate::bundle::Bundle;
use crate::condition::{Condition, Declared};
use crate::error::PolicyError;
use crate::graph::{self, Port};
use crate::manifest::{ObservationInput, ObservationKind};
use crate::observation::{self, Observation};
use crate::tensor::{batch_of_one, run_error, tensor_mut, zeros};
use crate::text::Reader;

/// The encoder graph with its inputs: `[1, ..]`, or `[1, n, ..]` with the newest of `n` observations last.
#[derive(Debug)]
pub(crate) struct Encoder {
    session: Session,
    seen: Vec<Seen>,
    /// Observations that the graph sees.
    steps: usize,
    /// Whether there is an observation in the inputs.
    observed: bool,
    /// How often it ran on an observation.
    runs: u64,
}

/// One observation as the graph takes it.
#[derive(Debug)]
enum Seen {
    Numbers(Tensor<f32>),
    Text {
        reader: Box<Reader>,
        tokens: Tensor<i64>,
        /// Name and numbers of the input that says which tokens are there.
        mask: (String, Tensor<bool>),
    },
}

/// What a policy was shown, kept aside.
#[derive(Debug, Clone)]
pub struct History {
    /// By input, normalised.
    inputs: Vec<Kept>,
    observed: bool,
}

#[derive(Debug, Clone)]
enum Kept {
    Numbers(Vec<f32>),
    Text(Vec<i64>, Vec<bool>),
}

impl Seen {
    fn new(
        bundle: &Bundle,
        input: &ObservationInput,
        shape: &[usize],
    ) -> Result<Self, PolicyError> {
        let (allocator, graph) = (Allocator::default(), "encoder");
        let shape: Vec<usize> = [1].iter().chain(shape).copied().collect();
        if input.kind != ObservationKind::Text {
            return Ok(Self::Numbers(zeros(&allocator, &shape, graph)?));
        }
        let name = input.mask.clone().unwrap_or_default();
        let mut mask = zeros(&allocator, &shape, graph)?;
        // Of nothing at all there is no attention, so what is run on zeros has a token.
        tensor_mut(&mut mask)[0] = true;
        Ok(Self::Text {
            reader: Box::new(Reader::new(bundle, input)?),
            tokens: zeros(&allocator, &shape, graph)?,
            mask: (name, mask),
        })
    }

    fn keep(&mut self) -> Kept {
        match self {
            Self::Numbers(tensor) => Kept::Numbers(tensor_mut(tensor).to_vec()),
            Self::Text { tokens, mask, .. } => Kept::Text(
                tensor_mut(tokens).to_vec(),
                tensor_mut(&mut mask.1).to_vec(),
            ),
        }
    }

    fn put_back(&mut self, kept: &Kept) {
        match (self, kept) {
            (Self::Numbers(tensor), Kept::Numbers(numbers)) => copy(numbers, tensor_mut(tensor)),
            (Self::Text { tokens, mask, .. }, Kept::Text(kept, there)) => {
                copy(kept, tensor_mut(tokens));
                copy(there, tensor_mut(&mut mask.1));
            }
            _ => {}
        }
    }

    /// Takes its part of an observation; the oldest of `steps` goes, and the `first` stands for all.
    fn take(
        &mut self,
        input: &ObservationInput,
        observation: &Observation<'_>,
        steps: usize,
        first: bool,
    ) -> Result<(), Problem> {
        let tensor = match self {
            Self::Text {
                reader,
                tokens,
                mask,
            } => {
                let mask = tensor_mut(&mut mask.1);
                let (instruction, state) = (observation.instruction, observation.state);
                return reader.read(instruction, state, tensor_mut(tokens), mask);
            }
            Self::Numbers(tensor) => tensor,
        };
        let history = tensor_mut(tensor);
        let size = history.len() / steps;
        let newest = history.len() - size;
        history.copy_within(size.., 0);
        let taken = observation::normalise(input, observation, &mut history[newest..]);
        if first {
            for step in 0..steps - 1 {
                history.copy_within(newest.., step * size);
            }
        }
        taken
    }
}

/// A copy is one of this encoder's.
fn copy<T: Copy>(from: &[T], to: &mut [T]) {
    if from.len() == to.len() {
        to.copy_from_slice(from);
    }
}

impl Encoder {
    /// The encoder and what it makes of observations.
    pub(crate) fn new(
        bundle: &Bundle,
        session: Session,
    ) -> Result<(Self, Vec<Declared>), PolicyError> {
        let (graph, manifest) = (bundle.encoder(), bundle.manifest());
        let steps = manifest.observation_steps;
        let shape = |input: &ObservationInput| -> Vec<usize> {
            let history = (steps > 1).then_some(steps);
            history.iter().chain(&input.shape).copied().collect()
        };
        let mut ports = Vec::new();
        for input in &manifest.observations {
            let shape = batch_of_one(&shape(input));
            if let (ObservationKind::Text, Some(mask)) = (input.kind, &input.mask) {
                ports.push(Port::of(
                    &input.name,
                    TensorElementType::Int64,
                    shape.clone(),
                ));
                ports.push(Port::of(mask, TensorElementType::Bool, shape));
            } else {
                ports.push(Port::float(&input.name, shape));
            }
        }
        let mut problems = Problems::default();
        graph::check_inputs(&session, &ports, &mut problems);
        let conditions = Declared::read(&session, &mut problems);
        graph::finish(graph, problems)?;
        let inputs = manifest.observations.iter();
        let encoder = Self {
            session,
            seen: inputs
                .map(|input| Seen::new(bundle, input, &shape(input)))
                .collect::<Result<_, _>>()?,
            steps,
            observed: false,
            runs: 0,
        };
        Ok((encoder, conditions))
    }

    /// How often it ran on an observation.
    pub(crate) fn runs(&self) -> u64 {
        self.runs
    }

    /// Forgets all observations.
    pub(crate) fn reset(&mut self) {
        self.observed = false;
    }

    /// A copy of what was observed.
    pub(crate) fn history(&mut self) -> History {
        History {
            inputs: self.seen.iter_mut().map(Seen::keep).collect(),
            observed: self.observed,
        }
    }

    /// Puts back what was observed; the copy is one of this encoder's.
    pub(crate) fn restore(&mut self, history: &History) {
        for (seen, kept) in self.seen.iter_mut().zip(&history.inputs) {
            seen.put_back(kept);
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
        for (input, seen) in inputs.iter().zip(&mut self.seen) {
            let taken = seen.take(input, observation, self.steps, first);
            problems.found.extend(taken.err());
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
        self.runs += 1;
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
        let mut feed: Vec<(&str, SessionInputValue<'_>)> = Vec::with_capacity(inputs.len() + 1);
        for (input, seen) in inputs.iter().zip(&self.seen) {
            match seen {
                Seen::Numbers(tensor) => feed.push((&input.name, tensor.view().into())),
                Seen::Text {
                    tokens,
                    mask: (name, mask),
                    ..
                } => {
                    feed.push((&input.name, tokens.view().into()));
                    feed.push((name, mask.view().into()));
                }
            }
        }
        self.session.run(feed).map_err(failed)
    }
}

fn failed(error: ort::Error) -> PolicyError {
    run_error("encoder", &error)
}
