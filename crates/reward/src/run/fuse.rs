//! Which operations are computed together, so that what lies between them never reaches memory.
//!
//! A sum or a length reduces terms; if every term is the same small expression ([`Map`]) of
//! results that nothing else reads, the terms stay in registers. A chain of elementwise
//! operations is such a sum of one term. Values keep every bit: the same operations are done in
//! the same order. Gradients may differ in the last bits, because shares of an adjoint that
//! several operations reach are added in another order.

use crate::graph::{Class, Graph, NodeId};
use crate::op::Op;

/// An expression of up to three operands `a`, `b`, `c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Map {
    /// `a`
    Id,
    /// `a - b`
    Sub,
    /// `a * b`
    Mul,
    /// `a²`
    Square,
    /// `(a - b)²`
    SubSquare,
    /// `relu(a - b)`
    SubRelu,
    /// `(a - b) * c`
    SubMul,
    /// `a + b * c`
    PlusMul,
    /// `a - b * c`
    MinusMul,
}

impl Map {
    /// Number of operands.
    pub(crate) fn arity(self) -> usize {
        match self {
            Map::Id | Map::Square => 1,
            Map::Sub | Map::Mul | Map::SubSquare | Map::SubRelu => 2,
            Map::SubMul | Map::PlusMul | Map::MinusMul => 3,
        }
    }

    /// Whether this stands for more than one operation.
    fn is_chain(self) -> bool {
        !matches!(self, Map::Id | Map::Sub | Map::Mul | Map::Square)
    }

    /// Whether `op` reduces terms of this kind. The others would only enlarge the program.
    fn goes_into(self, op: Op) -> bool {
        match op {
            Op::Sum => true,
            Op::Norm2 => matches!(self, Map::Sub | Map::Mul | Map::SubMul | Map::MinusMul),
            _ => false,
        }
    }
}

/// What each node of a graph does when it runs.
pub(crate) struct Plan {
    maps: Vec<Map>,
    absorbed: Vec<bool>,
}

impl Plan {
    /// Every node runs on its own.
    pub(crate) fn separate(graph: &Graph) -> Self {
        Self {
            maps: vec![Map::Id; graph.len()],
            absorbed: vec![false; graph.len()],
        }
    }

    /// Fuses where an intermediate result has one reader. `live` lists operands first.
    pub(crate) fn fused(graph: &Graph, live: &[NodeId], result: NodeId) -> Self {
        let mut plan = Self::separate(graph);
        let mut readers = vec![0_u32; graph.len()];
        readers[result as usize] = 1;
        for &id in live {
            for &operand in graph.operands(id) {
                readers[operand as usize] += 1;
            }
        }
        let inner = |id: NodeId| {
            graph.node(id).class == Class::Varying && readers[id as usize] == 1 && id != result
        };
        for &id in live.iter().rev() {
            if graph.node(id).class != Class::Varying || plan.absorbed[id as usize] {
                continue;
            }
            let op = graph.node(id).op;
            if matches!(op, Op::Sum | Op::Norm2) {
                let operands = graph.operands(id);
                if !operands.iter().all(|&operand| inner(operand)) {
                    continue;
                }
                let map = [true, false].into_iter().find_map(|deep| {
                    let map = find(graph, operands[0], deep, inner)?;
                    let same = |&o: &NodeId| find(graph, o, deep, inner) == Some(map);
                    (map.goes_into(op) && operands.iter().all(same)).then_some(map)
                });
                if let Some(map) = map {
                    plan.maps[id as usize] = map;
                    for &operand in operands {
                        plan.absorbed[operand as usize] = true;
                        plan.absorb_inner(graph, operand, map, inner);
                    }
                }
            } else if let Some(map) = find(graph, id, true, inner).filter(|map| map.is_chain()) {
                plan.maps[id as usize] = map;
                plan.absorb_inner(graph, id, map, inner);
            }
        }
        plan
    }

    fn absorb_inner(
        &mut self,
        graph: &Graph,
        id: NodeId,
        map: Map,
        inner: impl Fn(NodeId) -> bool,
    ) {
        if let Some(position) = inner_position(graph, id, map, inner) {
            self.absorbed[graph.operands(id)[position] as usize] = true;
        }
    }

    /// Whether the node is computed inside its only reader.
    pub(crate) fn is_absorbed(&self, id: NodeId) -> bool {
        self.absorbed[id as usize]
    }

    /// The expression of the node's terms; [`Map::Id`] unless it was fused.
    pub(crate) fn map(&self, id: NodeId) -> Map {
        self.maps[id as usize]
    }

    /// The operation that runs for the node: a fused chain is a sum of one term.
    pub(crate) fn op(&self, graph: &Graph, id: NodeId) -> Op {
        match graph.node(id).op {
            Op::Norm2 => Op::Norm2,
            _ if self.map(id) != Map::Id => Op::Sum,
            op => op,
        }
    }

    /// Writes the nodes that are read when the node runs, term by term.
    pub(crate) fn operands(&self, graph: &Graph, id: NodeId, into: &mut Vec<NodeId>) {
        into.clear();
        let map = self.map(id);
        if map == Map::Id {
            into.extend_from_slice(graph.operands(id));
        } else if matches!(graph.node(id).op, Op::Sum | Op::Norm2) {
            for &term in graph.operands(id) {
                self.term(graph, term, map, into);
            }
        } else {
            self.term(graph, id, map, into);
        }
    }

    fn term(&self, graph: &Graph, id: NodeId, map: Map, into: &mut Vec<NodeId>) {
        let operands = graph.operands(id);
        match inner_position(graph, id, map, |id| self.is_absorbed(id)) {
            None => into.extend_from_slice(operands),
            Some(position) => {
                let inner = graph.operands(operands[position]);
                let outer = operands.get(1 - position);
                // `a` of `a + b * c` and `a - b * c` is the outer operand, otherwise it is `c`.
                if matches!(map, Map::PlusMul | Map::MinusMul) {
                    into.extend(outer);
                    into.extend_from_slice(inner);
                } else {
                    into.extend_from_slice(inner);
                    into.extend(outer);
                }
            }
        }
    }
}

/// The largest expression that ends in `id`, `deep` with an inner operation.
fn find(graph: &Graph, id: NodeId, deep: bool, inner: impl Fn(NodeId) -> bool) -> Option<Map> {
    let (chain, single) = match graph.node(id).op {
        Op::Sub => (Map::MinusMul, Some(Map::Sub)),
        Op::Add => (Map::PlusMul, None),
        Op::Mul => (Map::SubMul, Some(Map::Mul)),
        Op::Square => (Map::SubSquare, Some(Map::Square)),
        Op::Relu => (Map::SubRelu, None),
        _ => return None,
    };
    if deep && inner_position(graph, id, chain, inner).is_some() {
        Some(chain)
    } else {
        single
    }
}

/// Which operand of `id` is the inner operation of `map`.
fn inner_position(
    graph: &Graph,
    id: NodeId,
    map: Map,
    inner: impl Fn(NodeId) -> bool,
) -> Option<usize> {
    let operands = graph.operands(id);
    let fits = |position: usize, op: Op| {
        (graph.node(operands[position]).op == op && inner(operands[position])).then_some(position)
    };
    match map {
        Map::Id | Map::Sub | Map::Mul | Map::Square => None,
        Map::SubSquare | Map::SubRelu => fits(0, Op::Sub),
        Map::SubMul => fits(0, Op::Sub).or_else(|| fits(1, Op::Sub)),
        Map::PlusMul => fits(1, Op::Mul).or_else(|| fits(0, Op::Mul)),
        Map::MinusMul => fits(1, Op::Mul),
    }
}
