//! Keeps the gradient of a way that is not taken out of the sum.
//!
//! In reverse mode the adjoint of such a way is 0, and 0 times an infinite slope is not 0. So what
//! may be infinite there is computed from a harmless number instead.

use std::collections::HashMap;

use super::{Lower, Lowered};
use crate::graph::{Class, NodeId};
use crate::op::Op;

/// Nodes that are visited for one unit of work.
const VISITED: usize = 8;

/// One way of a condition.
pub(super) struct Side {
    /// Holds where this way is taken.
    guard: NodeId,
    /// What the values of this way are computed from.
    reached: Nodes,
    /// The guarded form of nodes.
    known: HashMap<NodeId, NodeId>,
}

impl Side {
    pub(super) fn new(guard: NodeId) -> Self {
        Self {
            guard,
            reached: Nodes::default(),
            known: HashMap::new(),
        }
    }
}

/// A set of nodes.
#[derive(Default)]
struct Nodes(Vec<u64>);

impl Nodes {
    fn contains(&self, id: NodeId) -> bool {
        self.0
            .get(id as usize / 64)
            .is_some_and(|word| word & (1 << (id % 64)) != 0)
    }

    /// Whether it was not there before.
    fn insert(&mut self, id: NodeId) -> bool {
        let word = id as usize / 64;
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        let is_new = self.0[word] & (1 << (id % 64)) == 0;
        self.0[word] |= 1 << (id % 64);
        is_new
    }
}

impl Lower<'_> {
    /// Adds everything that `nodes` are computed from.
    pub(super) fn reach(&mut self, side: &mut Side, nodes: &[NodeId]) -> Lowered<()> {
        let mut visits = 0;
        let mut open = nodes.to_vec();
        while let Some(id) = open.pop() {
            visits += 1;
            if self.graph.node(id).class != Class::Constant && side.reached.insert(id) {
                open.extend(self.graph.operands(id));
            }
        }
        self.charge(visits / VISITED)
    }

    /// `nodes` with finite slopes also where this way is not taken. What the other way is computed
    /// from too has its slope either way.
    pub(super) fn gated(
        &mut self,
        side: &mut Side,
        other: &Side,
        nodes: &[NodeId],
    ) -> Lowered<Vec<NodeId>> {
        let mut own = Nodes::default();
        let mut order = Vec::new();
        let mut open = nodes.to_vec();
        let mut visits = 0;
        while let Some(id) = open.pop() {
            visits += 1;
            if self.graph.node(id).class == Class::Constant
                || other.reached.contains(id)
                || side.known.contains_key(&id)
                || !own.insert(id)
            {
                continue;
            }
            order.push(id);
            open.extend(self.graph.operands(id));
        }
        self.charge(visits / VISITED)?;
        order.sort_unstable();
        let outer = self.graph.span;
        for id in order {
            let mut operands = self.graph.operands(id).to_vec();
            for operand in &mut operands {
                *operand = side.known.get(operand).copied().unwrap_or(*operand);
            }
            let op = self.graph.node(id).op;
            self.graph.span = self.graph.node(id).span;
            if let Some((position, harmless)) = self.risk(op, &operands)
                && !self.is_gated(operands[position], side.guard)
            {
                let harmless = self.constant(harmless)?;
                operands[position] =
                    self.guard_node(Op::Where, &[side.guard, operands[position], harmless])?;
            }
            let copy = if operands == self.graph.operands(id) {
                id
            } else {
                self.guard_node(op, &operands)?
            };
            side.known.insert(id, copy);
        }
        self.graph.span = outer;
        Ok(nodes
            .iter()
            .map(|id| side.known.get(id).copied().unwrap_or(*id))
            .collect())
    }

    /// The operand that may make a slope infinite, and a number that does not.
    fn risk(&self, op: Op, operands: &[NodeId]) -> Option<(usize, f64)> {
        let (position, harmless) = match op {
            Op::Sqrt | Op::Rsqrt | Op::Log | Op::Log1p | Op::Recip => (0, 1.0),
            Op::Exp | Op::Expm1 | Op::Sinh | Op::Cosh | Op::Tan => (0, 0.0),
            Op::Asin | Op::Acos | Op::Atanh => (0, 0.0),
            Op::Acosh => (0, 2.0),
            Op::Div | Op::Remainder | Op::FloorDiv => (1, 1.0),
            Op::Pow => match self.graph.constant_value(operands[1]) {
                Some(exponent) if exponent >= 1.0 => return None,
                _ => (0, 1.0),
            },
            _ => return None,
        };
        let is_known = self.graph.constant_value(operands[position]).is_some();
        (!is_known).then_some((position, harmless))
    }

    /// Whether a node is harmless already wherever `guard` does not hold.
    fn is_gated(&self, node: NodeId, guard: NodeId) -> bool {
        if self.graph.node(node).op != Op::Where {
            return false;
        }
        let [mut condition, _, harmless] = *self.graph.operands(node) else {
            return false;
        };
        if self.graph.constant_value(harmless).is_none() {
            return false;
        }
        loop {
            if condition == guard {
                return true;
            }
            if self.graph.node(condition).op != Op::And {
                return false;
            }
            let [outer, own] = *self.graph.operands(condition) else {
                return false;
            };
            if own == guard {
                return true;
            }
            condition = outer;
        }
    }
}
