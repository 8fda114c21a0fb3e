//! The scalar graph that programs are lowered to: static single assignment, constants folded,
//! common subexpressions shared.

use std::collections::HashMap;

use crate::diagnostic::Span;
use crate::op::{Op, apply};

/// A node of a [`Graph`], by position: operands always come before their users.
pub(crate) type NodeId = u32;

/// What a node's value depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// Nothing: known at compile time.
    Constant,
    /// Keypoints: one value for all particles.
    Uniform,
    /// The trajectory: one value a particle.
    Varying,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub(crate) op: Op,
    pub(crate) class: Class,
    /// Whether a gradient can flow from this node to the trajectory.
    pub(crate) differentiable: bool,
    /// The operands' place in the pool; for inputs, the input's index.
    first: u32,
    count: u32,
    pub(crate) value: f64,
    pub(crate) span: Span,
}

/// More operations than the limits allow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Full;

/// A growing scalar graph.
pub(crate) struct Graph {
    nodes: Vec<Node>,
    operands: Vec<NodeId>,
    known: HashMap<u64, NodeId>,
    /// Inputs, by whether they vary and their index: an input's gradient is that of one node.
    leaves: HashMap<(bool, usize), NodeId>,
    max_nodes: usize,
    max_operands: usize,
    /// Source of the expression that is being lowered; new nodes remember it.
    pub(crate) span: Span,
}

impl Graph {
    pub(crate) fn new(max_nodes: usize) -> Self {
        Self {
            nodes: Vec::new(),
            operands: Vec::new(),
            known: HashMap::new(),
            leaves: HashMap::new(),
            max_nodes,
            max_operands: max_nodes.saturating_mul(4),
            span: Span::default(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id as usize]
    }

    pub(crate) fn operands(&self, id: NodeId) -> &[NodeId] {
        let node = self.node(id);
        match node.op {
            Op::Const | Op::Uniform | Op::Varying => &[],
            _ => &self.operands[node.first as usize..(node.first + node.count) as usize],
        }
    }

    /// The index of an input node among the uniform or varying inputs.
    pub(crate) fn input(&self, id: NodeId) -> u32 {
        self.node(id).first
    }

    /// The value of a constant node.
    pub(crate) fn constant_value(&self, id: NodeId) -> Option<f64> {
        let node = self.node(id);
        (node.class == Class::Constant).then_some(node.value)
    }

    pub(crate) fn constant(&mut self, value: f64) -> Result<NodeId, Full> {
        let key = hash(Op::Const, &[], value.to_bits());
        if let Some(&id) = self.known.get(&key)
            && self.node(id).op == Op::Const
            && self.node(id).value.to_bits() == value.to_bits()
        {
            return Ok(id);
        }
        self.push(key, Op::Const, Class::Constant, &[], 0, value)
    }

    pub(crate) fn uniform(&mut self, index: usize) -> Result<NodeId, Full> {
        self.leaf(Op::Uniform, Class::Uniform, index)
    }

    pub(crate) fn varying(&mut self, index: usize) -> Result<NodeId, Full> {
        self.leaf(Op::Varying, Class::Varying, index)
    }

    /// A varying input that guidance may not move: no gradient leads to it.
    pub(crate) fn held(&mut self, index: usize) -> Result<NodeId, Full> {
        let id = self.varying(index)?;
        self.nodes[id as usize].differentiable = false;
        Ok(id)
    }

    fn leaf(&mut self, op: Op, class: Class, index: usize) -> Result<NodeId, Full> {
        let place = (op == Op::Varying, index);
        if let Some(&id) = self.leaves.get(&place) {
            return Ok(id);
        }
        let key = hash(op, &[], index as u64);
        let id = self.push(key, op, class, &[], index as u32, f64::NAN)?;
        self.leaves.insert(place, id);
        Ok(id)
    }

    /// The node for `op` of `operands`: folded, simplified or shared where possible.
    pub(crate) fn add(&mut self, op: Op, operands: &[NodeId]) -> Result<NodeId, Full> {
        if let Some(id) = self.simplify(op, operands)? {
            return Ok(id);
        }
        let key = hash(op, operands, 0);
        if let Some(id) = self.find(key, op, operands) {
            return Ok(id);
        }
        if op.commutes() {
            let swapped = [operands[1], operands[0]];
            if let Some(id) = self.find(hash(op, &swapped, 0), op, &swapped) {
                return Ok(id);
            }
        }
        let class = operands
            .iter()
            .map(|&id| self.node(id).class)
            .max()
            .unwrap_or(Class::Constant);
        self.push(key, op, class, operands, 0, f64::NAN)
    }

    fn find(&self, key: u64, op: Op, operands: &[NodeId]) -> Option<NodeId> {
        let id = *self.known.get(&key)?;
        (self.node(id).op == op && self.operands(id) == operands).then_some(id)
    }

    /// Rewrites that change neither values nor gradients.
    fn simplify(&mut self, op: Op, operands: &[NodeId]) -> Result<Option<NodeId>, Full> {
        let all_constant = operands
            .iter()
            .all(|&id| self.node(id).class == Class::Constant);
        if all_constant {
            let mut few = [0.0; 3];
            let value = if operands.len() <= few.len() {
                for (slot, &id) in few.iter_mut().zip(operands) {
                    *slot = self.node(id).value;
                }
                apply(op, &few[..operands.len()])
            } else {
                let values: Vec<f64> = operands.iter().map(|&id| self.node(id).value).collect();
                apply(op, &values)
            };
            return self.constant(value).map(Some);
        }
        let value = |position: usize| self.constant_value(operands[position]);
        let same = match op {
            Op::Add if value(1) == Some(0.0) => Some(operands[0]),
            Op::Add if value(0) == Some(0.0) => Some(operands[1]),
            Op::Sub if value(1) == Some(0.0) => Some(operands[0]),
            Op::Mul if value(1) == Some(1.0) => Some(operands[0]),
            Op::Mul if value(0) == Some(1.0) => Some(operands[1]),
            Op::Div if value(1) == Some(1.0) => Some(operands[0]),
            Op::Pow if value(1) == Some(1.0) => Some(operands[0]),
            Op::Sum | Op::AMax | Op::AMin if operands.len() == 1 => Some(operands[0]),
            Op::MaxLeft | Op::MaxRight | Op::MinLeft | Op::MinRight | Op::Maximum | Op::Minimum
                if operands[0] == operands[1] =>
            {
                Some(operands[0])
            }
            Op::Neg | Op::Detach if self.node(operands[0]).op == op => {
                let inner = self.operands(operands[0])[0];
                Some(if op == Op::Neg { inner } else { operands[0] })
            }
            Op::Where => value(0).map(|c| operands[if c != 0.0 { 1 } else { 2 }]),
            _ => None,
        };
        if same.is_some() {
            return Ok(same);
        }
        let rewritten = match op {
            Op::Mul if operands[0] == operands[1] => Some((Op::Square, operands[0])),
            Op::Pow => match value(1) {
                Some(2.0) => Some((Op::Square, operands[0])),
                Some(0.5) => Some((Op::Sqrt, operands[0])),
                Some(-0.5) => Some((Op::Rsqrt, operands[0])),
                Some(-1.0) => Some((Op::Recip, operands[0])),
                _ => None,
            },
            Op::Norm2 if operands.len() == 1 => Some((Op::Abs, operands[0])),
            Op::Add if self.node(operands[1]).op == Op::Neg => {
                let right = self.operands(operands[1])[0];
                return self.add(Op::Sub, &[operands[0], right]).map(Some);
            }
            Op::Sub if self.node(operands[1]).op == Op::Neg => {
                let right = self.operands(operands[1])[0];
                return self.add(Op::Add, &[operands[0], right]).map(Some);
            }
            Op::Sub if value(0) == Some(0.0) => Some((Op::Neg, operands[1])),
            Op::Sum if operands.len() == 2 => return self.add(Op::Add, operands).map(Some),
            _ => None,
        };
        match rewritten {
            Some((op, operand)) => self.add(op, &[operand]).map(Some),
            None => Ok(None),
        }
    }

    fn push(
        &mut self,
        key: u64,
        op: Op,
        class: Class,
        operands: &[NodeId],
        payload: u32,
        value: f64,
    ) -> Result<NodeId, Full> {
        if self.nodes.len() >= self.max_nodes
            || self.operands.len() + operands.len() > self.max_operands
        {
            return Err(Full);
        }
        let differentiable = op == Op::Varying
            || operands.iter().enumerate().any(|(position, &id)| {
                op.passes_gradient(position) && self.node(id).differentiable
            });
        let leaf = operands.is_empty();
        let first = if leaf {
            payload
        } else {
            self.operands.len() as u32
        };
        self.operands.extend_from_slice(operands);
        let id = self.nodes.len() as NodeId;
        self.nodes.push(Node {
            op,
            class,
            differentiable,
            first,
            count: operands.len() as u32,
            value,
            span: self.span,
        });
        self.known.insert(key, id);
        Ok(id)
    }
}

/// A hash of an operation and its operands. Collisions only cost a missed sharing: every hit is
/// compared in full.
fn hash(op: Op, operands: &[NodeId], payload: u64) -> u64 {
    const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut state = (op as u64 + 1).wrapping_mul(MULTIPLIER) ^ payload.wrapping_mul(MULTIPLIER);
    for &operand in operands {
        state = (state.rotate_left(23) ^ u64::from(operand)).wrapping_mul(MULTIPLIER);
    }
    state ^ (state >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_fold_and_expressions_are_shared() {
        let mut graph = Graph::new(100);
        let two = graph.constant(2.0).unwrap();
        let three = graph.constant(3.0).unwrap();
        let five = graph.add(Op::Add, &[two, three]).unwrap();
        assert_eq!(graph.constant_value(five), Some(5.0));

        let x = graph.varying(0).unwrap();
        let first = graph.add(Op::Add, &[x, two]).unwrap();
        let swapped = graph.add(Op::Add, &[two, x]).unwrap();
        assert_eq!(first, swapped);
        let square = graph.add(Op::Mul, &[x, x]).unwrap();
        assert_eq!(graph.node(square).op, Op::Square);
    }

    #[test]
    fn an_input_is_one_node_however_often_it_is_asked_for() {
        let mut graph = Graph::new(5000);
        let ask = |graph: &mut Graph| -> Vec<NodeId> {
            let uniform: Vec<NodeId> = (0..1000).map(|i| graph.uniform(i).unwrap()).collect();
            let varying = (0..1000).map(|i| graph.varying(i).unwrap());
            uniform.into_iter().chain(varying).collect()
        };
        assert_eq!(ask(&mut graph), ask(&mut graph));
    }

    #[test]
    fn comparisons_cut_the_gradient() {
        let mut graph = Graph::new(100);
        let x = graph.varying(0).unwrap();
        let zero = graph.constant(0.0).unwrap();
        let above = graph.add(Op::Less, &[zero, x]).unwrap();
        assert_eq!(graph.node(above).class, Class::Varying);
        assert!(!graph.node(above).differentiable);
        let gated = graph.add(Op::Mul, &[above, x]).unwrap();
        assert!(graph.node(gated).differentiable);
    }

    #[test]
    fn a_full_graph_refuses() {
        let mut graph = Graph::new(2);
        graph.constant(1.0).unwrap();
        graph.constant(2.0).unwrap();
        assert!(graph.constant(3.0).is_err());
    }
}
