//! Positions that are moved by metres: millimetres or centimetres, most likely.

use super::MAX_REMARKS;
use crate::diagnostic::{Draft, Kind};
use crate::graph::{Graph, NodeId};
use crate::op::Op;
use crate::options::CompileOptions;

/// What the inputs of a function mean.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Inputs {
    /// `3 K` numbers of keypoints; the trajectory starts with `3 P` of positions.
    Guidance,
    /// `6 K` numbers of keypoints and `3` of the hand.
    Done,
}

/// From here on an offset is in millimetres rather than centimetres.
const MILLIMETRES: f64 = 20.0;

/// Remarks on what is added to coordinates, before anything else is done with them.
pub(super) fn find(
    graph: &Graph,
    result: NodeId,
    options: &CompileOptions,
    inputs: Inputs,
) -> Vec<Draft> {
    let corners = options
        .workspace
        .min_m
        .iter()
        .chain(&options.workspace.max_m);
    let limit = 2.0 * corners.fold(0.0, |limit: f64, corner| limit.max(corner.abs()));
    let uniforms = match inputs {
        Inputs::Guidance => 3 * options.keypoints,
        Inputs::Done => 6 * options.keypoints + 3,
    };
    let mut is_needed = vec![false; graph.len()];
    is_needed[result as usize] = true;
    for id in (0..graph.len()).rev() {
        if is_needed[id] {
            for &operand in graph.operands(id as NodeId) {
                is_needed[operand as usize] = true;
            }
        }
    }
    let mut is_coordinate = vec![false; graph.len()];
    let mut found: Vec<Draft> = Vec::new();
    for id in 0..graph.len() {
        let node = graph.node(id as NodeId);
        let operands = graph.operands(id as NodeId);
        match node.op {
            Op::Uniform => is_coordinate[id] = (graph.input(id as NodeId) as usize) < uniforms,
            Op::Varying => {
                is_coordinate[id] = (graph.input(id as NodeId) as usize) < 3 * options.points;
            }
            Op::Add | Op::Sub => {
                let constant = operands.iter().find_map(|&o| graph.constant_value(o));
                let fits =
                    |o: &NodeId| is_coordinate[*o as usize] || graph.constant_value(*o).is_some();
                is_coordinate[id] = operands.iter().all(fits);
                let offset = constant.unwrap_or(0.0).abs();
                let is_known = found.iter().any(|draft| draft.span == node.span);
                if is_coordinate[id]
                    && is_needed[id]
                    && offset > limit
                    && !is_known
                    && found.len() < MAX_REMARKS
                {
                    let (unit, metres) = if offset >= MILLIMETRES {
                        ("millimetres", offset / 1000.0)
                    } else {
                        ("centimetres", offset / 100.0)
                    };
                    found.push(
                        Draft::new(
                            Kind::Units,
                            node.span,
                            format!("this moves a position by {offset} m"),
                        )
                        .expected(format!("metres: the workspace ends at {} m", limit / 2.0))
                        .help(format!("write `{metres}` if this means {offset} {unit}")),
                    );
                }
            }
            _ => {}
        }
    }
    found
}
