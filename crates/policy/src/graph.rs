//! An ONNX graph in ONNX Runtime, and its agreement with the manifest.

use ort::session::Session;
use ort::value::{Outlet, TensorElementType, ValueType};
use tiller_core::Problems;

use crate::bundle::Graph;
use crate::error::PolicyError;
use crate::provider::Provider;
use crate::runtime::{Runtime, RuntimeOptions};

/// ONNX Runtime's key for the folder of weights that are not in the graph; its default is the
/// process's working directory.
const EXTERNAL_WEIGHTS: &str = "session.model_external_initializers_file_folder_path";

/// A dimension of a graph's input or output as the manifest wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dimension {
    /// Exactly so many.
    Fixed(usize),
    /// Chosen at run time, like the number of particles.
    Dynamic,
}

/// An input or output that a graph must have.
pub(crate) struct Port {
    pub(crate) name: String,
    pub(crate) kind: TensorElementType,
    pub(crate) shape: Vec<Dimension>,
}

impl Port {
    /// Of other numbers.
    pub(crate) fn of(name: &str, kind: TensorElementType, shape: Vec<Dimension>) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            shape,
        }
    }

    /// Of float32.
    pub(crate) fn float(name: &str, shape: Vec<Dimension>) -> Self {
        Self::of(name, TensorElementType::Float32, shape)
    }
}

/// Loads a graph on the provider that was asked for, and on no other.
pub(crate) fn open(
    runtime: &Runtime,
    graph: &Graph,
    options: &RuntimeOptions,
) -> Result<Session, PolicyError> {
    let unusable = |reason: String| PolicyError::Graph {
        path: graph.path.clone(),
        reason,
    };
    let builder = Session::builder(&runtime.environment)
        .map_err(|error| unusable(error.to_string()))?
        .with_intra_threads(options.threads.max(1))
        .map_err(|error| unusable(error.to_string()))?
        // Waiting threads must not burn the cores that simulate and control.
        .with_intra_op_spinning(false)
        .map_err(|error| unusable(error.to_string()))?
        // Weights that the manifest does not list have no fingerprint; below a file there can be none.
        .with_config_entry(EXTERNAL_WEIGHTS, graph.path.to_string_lossy())
        .map_err(|error| unusable(error.to_string()))?;
    let mut builder = options.provider.register(builder)?;
    for weights in &graph.weights {
        let bytes = weights.read()?;
        builder = builder
            .with_external_initializer_file_in_memory(&weights.location, bytes)
            .map_err(|error| unusable(error.to_string()))?;
    }
    let opened = builder.commit_from_memory(&graph.bytes);
    opened.map_err(|error| match options.provider {
        Provider::Cpu => unusable(error.to_string()),
        // The graph may be sound and the device missing: nobody can tell them apart here.
        provider => provider.unusable(
            format!("`{}` does not load: {error}", graph.path.display()),
            "see that the provider `cpu` opens it and that there is a device",
        ),
    })
}

/// Checks that the session has exactly these inputs and outputs; reports all that differ.
pub(crate) fn check(
    graph: &Graph,
    session: &Session,
    inputs: &[Port],
    outputs: &[Port],
) -> Result<(), PolicyError> {
    let mut problems = Problems::default();
    check_inputs(session, inputs, &mut problems);
    check_side("output", session.outputs(), outputs, &mut problems);
    finish(graph, problems)
}

/// Notes how the session's inputs differ from these.
pub(crate) fn check_inputs(session: &Session, inputs: &[Port], problems: &mut Problems) {
    check_side("input", session.inputs(), inputs, problems);
}

/// Nothing wrong, or all that is.
pub(crate) fn finish(graph: &Graph, problems: Problems) -> Result<(), PolicyError> {
    problems
        .finish(())
        .map_err(|problems| PolicyError::Interface {
            path: graph.path.clone(),
            problems,
        })
}

fn check_side(side: &str, found: &[Outlet], wanted: &[Port], problems: &mut Problems) {
    for port in wanted {
        let expected = format!("{} {}", word(port.kind), describe(&port.shape));
        let at = format!("{side} `{}`", port.name);
        match found.iter().find(|outlet| outlet.name() == port.name) {
            None => {
                let names: Vec<_> = found.iter().map(Outlet::name).collect();
                problems.push(at, expected, format!("only {names:?}"));
            }
            Some(outlet) if !fits(outlet.dtype(), port) => {
                problems.push(at, expected, outlet.dtype());
            }
            Some(_) => {}
        }
    }
    for outlet in found {
        if !wanted.iter().any(|port| port.name == outlet.name()) {
            problems.push(
                format!("{side} `{}`", outlet.name()),
                format!("no such {side}"),
                outlet.dtype(),
            );
        }
    }
}

fn fits(found: &ValueType, wanted: &Port) -> bool {
    let ValueType::Tensor { ty, shape, .. } = found else {
        return false;
    };
    *ty == wanted.kind
        && shape.len() == wanted.shape.len()
        && shape
            .iter()
            .zip(&wanted.shape)
            .all(|(found, wanted)| match wanted {
                Dimension::Fixed(size) => usize::try_from(*found) == Ok(*size),
                Dimension::Dynamic => *found == -1,
            })
}

/// The word for a type of numbers.
fn word(kind: TensorElementType) -> &'static str {
    match kind {
        TensorElementType::Float32 => "float32",
        TensorElementType::Int64 => "int64",
        TensorElementType::Int32 => "int32",
        TensorElementType::Bool => "bool",
        _ => "something else",
    }
}

fn describe(shape: &[Dimension]) -> String {
    let parts: Vec<String> = shape
        .iter()
        .map(|dimension| match dimension {
            Dimension::Fixed(size) => size.to_string(),
            Dimension::Dynamic => "dynamic".to_owned(),
        })
        .collect();
    format!("[{}]", parts.join(", "))
}
