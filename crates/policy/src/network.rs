//! A graph of float32 tensors by itself, for networks that are no policy: segmenters, features.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ort::session::{Session, SessionInputValue};
use ort::value::TensorRef;
use tiller_core::file::read_regular;

use crate::bundle::Graph;
use crate::error::PolicyError;
use crate::graph;
use crate::runtime::{Runtime, RuntimeOptions};

/// Bytes of a graph with its weights.
const MAX_BYTES: u64 = 4 << 30;

/// A named input: its shape and its numbers, the last axis fastest.
#[derive(Debug, Clone, Copy)]
pub struct NetworkInput<'a> {
    /// The graph's name for it.
    pub name: &'a str,
    /// Sizes of its axes.
    pub shape: &'a [usize],
    /// As many numbers as the shape has room for.
    pub values: &'a [f32],
}

/// A named output, owned.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkOutput {
    /// The graph's name for it.
    pub name: String,
    /// Sizes of its axes.
    pub shape: Vec<usize>,
    /// Its numbers, the last axis fastest.
    pub values: Vec<f32>,
}

/// A graph in ONNX Runtime.
#[derive(Debug)]
pub struct Network {
    path: PathBuf,
    session: Session,
}

impl Network {
    /// Loads the graph of a file, whose SHA-256 in hexadecimal is known.
    ///
    /// # Errors
    /// [`PolicyError`]: no runtime, no such file, another file, or no usable graph.
    pub fn open(path: &Path, sha256: &str, options: &RuntimeOptions) -> Result<Self, PolicyError> {
        let unusable = |reason: String| PolicyError::Graph {
            path: path.to_owned(),
            reason,
        };
        let bytes = read_regular(path, MAX_BYTES).map_err(|error| unusable(error.reason()))?;
        let found = tiller_core::sha256(&bytes);
        if !found.eq_ignore_ascii_case(sha256) {
            return Err(unusable(format!(
                "expected SHA-256 {sha256}, found {found}"
            )));
        }
        let runtime = Runtime::start(options)?;
        let graph = Graph {
            path: path.to_owned(),
            bytes: Arc::from(bytes),
            weights: Vec::new(),
        };
        let session = graph::open(&runtime, &graph, options)?;
        Ok(Self {
            path: graph.path,
            session,
        })
    }

    /// Names of the inputs, in the graph's order.
    pub fn inputs(&self) -> impl Iterator<Item = &str> {
        self.session.inputs().iter().map(|input| input.name())
    }

    /// Names of the outputs, in the graph's order.
    pub fn outputs(&self) -> impl Iterator<Item = &str> {
        self.session.outputs().iter().map(|output| output.name())
    }

    /// Runs the graph.
    ///
    /// # Errors
    /// [`PolicyError::Graph`] with what ONNX Runtime said: an input that is missing, unknown or of another
    /// shape, or an output that is not float32.
    pub fn run(&mut self, inputs: &[NetworkInput<'_>]) -> Result<Vec<NetworkOutput>, PolicyError> {
        let failed = |reason: String| PolicyError::Graph {
            path: self.path.clone(),
            reason,
        };
        let mut feed: Vec<(&str, SessionInputValue<'_>)> = Vec::with_capacity(inputs.len());
        for input in inputs {
            let tensor = TensorRef::from_array_view((input.shape.to_vec(), input.values));
            let tensor =
                tensor.map_err(|error| failed(format!("input `{}`: {error}", input.name)))?;
            feed.push((input.name, tensor.into()));
        }
        let outputs = self
            .session
            .run(feed)
            .map_err(|error| failed(error.to_string()))?;
        let read = |(name, value): (&str, ort::value::ValueRef<'_>)| {
            let (shape, values) = value
                .try_extract_tensor::<f32>()
                .map_err(|error| failed(format!("output `{name}`: {error}")))?;
            Ok(NetworkOutput {
                name: name.to_owned(),
                shape: shape
                    .iter()
                    .map(|size| usize::try_from(*size).unwrap_or(0))
                    .collect(),
                values: values.to_vec(),
            })
        };
        outputs.iter().map(read).collect()
    }
}
