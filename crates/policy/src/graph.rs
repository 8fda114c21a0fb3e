//! An ONNX graph in ONNX Runtime, and its agreement with the manifest.

use ort::session::Session;
use ort::value::{Outlet, TensorElementType, ValueType};

use crate::bundle::Graph;
use crate::error::{PolicyError, Problem};
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
    /// Fixed by the graph itself, whatever it is.
    Own,
}

/// An input or output that a graph must have, float32.
pub(crate) struct Port {
    pub(crate) name: String,
    pub(crate) shape: Vec<Dimension>,
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
        // Weights in files of their own have no fingerprint; below a file there can be none.
        .with_config_entry(EXTERNAL_WEIGHTS, graph.path.to_string_lossy())
        .map_err(|error| unusable(error.to_string()))?;
    let mut builder = options.provider.register(builder)?;
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
    let mut problems = Vec::new();
    check_side("input", session.inputs(), inputs, &mut problems);
    check_side("output", session.outputs(), outputs, &mut problems);
    if problems.is_empty() {
        return Ok(());
    }
    Err(PolicyError::Interface {
        path: graph.path.clone(),
        problems,
    })
}

fn check_side(side: &str, found: &[Outlet], wanted: &[Port], problems: &mut Vec<Problem>) {
    for port in wanted {
        let expected = format!("float32 {}", describe(&port.shape));
        let at = format!("{side} `{}`", port.name);
        match found.iter().find(|outlet| outlet.name() == port.name) {
            None => {
                let names: Vec<_> = found.iter().map(Outlet::name).collect();
                problems.push(Problem::new(at, expected, format!("only {names:?}")));
            }
            Some(outlet) if !fits(outlet.dtype(), &port.shape) => {
                problems.push(Problem::new(at, expected, outlet.dtype().to_string()));
            }
            Some(_) => {}
        }
    }
    for outlet in found {
        if !wanted.iter().any(|port| port.name == outlet.name()) {
            problems.push(Problem::new(
                format!("{side} `{}`", outlet.name()),
                format!("no such {side}"),
                outlet.dtype().to_string(),
            ));
        }
    }
}

fn fits(found: &ValueType, wanted: &[Dimension]) -> bool {
    let ValueType::Tensor {
        ty: TensorElementType::Float32,
        shape,
        ..
    } = found
    else {
        return false;
    };
    shape.len() == wanted.len()
        && shape
            .iter()
            .zip(wanted)
            .all(|(found, wanted)| match wanted {
                Dimension::Fixed(size) => usize::try_from(*found) == Ok(*size),
                Dimension::Dynamic => *found == -1,
                Dimension::Own => *found > 0,
            })
}

/// The size of the last dimension of an output that [`check`] has accepted.
pub(crate) fn last_dimension(session: &Session, output: &str) -> usize {
    session
        .outputs()
        .iter()
        .find(|outlet| outlet.name() == output)
        .and_then(|outlet| match outlet.dtype() {
            ValueType::Tensor { shape, .. } => shape.iter().last().copied(),
            _ => None,
        })
        .and_then(|size| usize::try_from(size).ok())
        .unwrap_or(0)
}

fn describe(shape: &[Dimension]) -> String {
    let parts: Vec<String> = shape
        .iter()
        .map(|dimension| match dimension {
            Dimension::Fixed(size) => size.to_string(),
            Dimension::Dynamic => "dynamic".to_owned(),
            Dimension::Own => "fixed".to_owned(),
        })
        .collect();
    format!("[{}]", parts.join(", "))
}
