//! Programs that are refused for what they are as a whole.

use crate::diagnostic::{Draft, Kind, Span};
use crate::graph::{Class, Graph, NodeId};
use crate::op::Op;

const BY_INDEX: &str = "use the values instead of their indices, such as `.min(dim=1).values`";

/// A reward that no action changes.
pub(crate) fn no_dependence(class: Class, name: &str, span: Span) -> Draft {
    let found = match class {
        Class::Constant => "a constant",
        _ => "a function of the keypoints alone",
    };
    Draft::new(
        Kind::NoDependence,
        span,
        format!("`{name}` does not depend on where the trajectory goes"),
    )
    .expected("a reward computed from the points of `action_sequence`")
    .found(found)
    .help("compute it from `action_sequence`, or return 0 for a stage without guidance")
}

/// A reward whose way to the trajectory is cut: by which operation, and what to use instead.
pub(crate) fn no_gradient(graph: &Graph, result: NodeId, name: &str, python: &str) -> Draft {
    let mut seen = vec![false; graph.len()];
    let mut open = vec![result];
    let mut cut = None;
    while let Some(id) = open.pop() {
        if std::mem::replace(&mut seen[id as usize], true) {
            continue;
        }
        let operands = graph.operands(id);
        if operands.iter().any(|&o| graph.node(o).differentiable) {
            cut = Some(cut.map_or(id, |cut: NodeId| cut.min(id)));
        } else {
            open.extend(operands);
        }
    }
    let Some(cut) = cut else {
        return Draft::new(
            Kind::NoGradient,
            graph.node(result).span,
            format!("`{name}` reads only what guidance does not move with this policy"),
        )
        .expected("a reward that changes as the points of `action_sequence` move")
        .help("compute it from `action_sequence`, or return 0 for a stage without guidance");
    };
    let span = graph.node(cut).span;
    let help = match graph.node(cut).op {
        // They are made of comparisons.
        _ if [".argmin(", ".argmax(", ".argsort("]
            .iter()
            .any(|f| span.text(python).contains(f)) =>
        {
            BY_INDEX
        }
        Op::Detach => {
            "keep the tensor as it is: no `.detach()`, `.item()`, `.numpy()` or `float()`"
        }
        Op::Less | Op::LessEqual | Op::Equal | Op::NotEqual => {
            "use the distance itself, or a soft step: `torch.sigmoid((x - limit) / 0.01)`"
        }
        Op::Round | Op::Floor | Op::Ceil | Op::Trunc | Op::FloorDiv => {
            "do not round: use the number itself"
        }
        Op::Sign => "use the number itself, or `torch.tanh(x / 0.01)`",
        _ => BY_INDEX,
    };
    Draft::new(
        Kind::NoGradient,
        span,
        format!("the gradient of `{name}` is zero everywhere: it ends here"),
    )
    .expected("a reward that changes smoothly as the trajectory moves")
    .help(help)
}
