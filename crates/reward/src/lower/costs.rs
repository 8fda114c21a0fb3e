//! Rewards of several functions, and ReKep's costs, which are met at or below 0.

use super::value::Value;
use super::{Carried, Input, Lower, Lowered};
use crate::graph::NodeId;
use crate::op::Op;
use crate::syntax::StmtFunctionDef;

impl<'a> Lower<'a> {
    /// The sum of the positive parts of what `function` returns: of one cost, or of several.
    pub(crate) fn costs(
        &mut self,
        function: &'a StmtFunctionDef,
        inputs: &[Option<Input>],
    ) -> Lowered<NodeId> {
        let (value, span) = self.carry_out(function, inputs)?;
        let costs = match value {
            Value::Tensor(costs) => costs.nodes(),
            Value::List(_) | Value::ListRef(_) | Value::Tuple(_) => {
                let items = self.iterate(value, span)?;
                let costs = items
                    .into_iter()
                    .map(|item| self.result(item, span).map(|(node, _)| node));
                costs.collect::<Lowered<_>>()?
            }
            cost => vec![self.result(cost, span)?.0],
        };
        let mut positive = Vec::with_capacity(costs.len());
        for cost in costs {
            positive.push(self.node(Op::Relu, &[cost])?);
        }
        self.total(&positive)
    }

    /// The sum of some terms; one alone stays as it is.
    pub(crate) fn total(&mut self, terms: &[NodeId]) -> Lowered<NodeId> {
        match terms {
            &[one] => Ok(one),
            terms => self.sum_nodes(terms),
        }
    }

    /// The mean of some terms.
    pub(crate) fn mean(&mut self, terms: &[NodeId]) -> Lowered<NodeId> {
        let total = self.total(terms)?;
        match terms.len() {
            1 => Ok(total),
            count => self.node_with(Op::Mul, total, 1.0 / count.max(1) as f64),
        }
    }

    /// The opposite of a term.
    pub(crate) fn negated(&mut self, term: NodeId) -> Lowered<NodeId> {
        self.node(Op::Neg, &[term])
    }

    /// Moves keypoints as far as the hand goes from the first point of the trajectory.
    pub(super) fn carry(&mut self, carried: &Carried, nodes: &mut [NodeId]) -> Lowered<()> {
        for axis in 0..3 {
            let ends = [carried.point + axis, axis].map(|input| self.graph.varying(input));
            let [Ok(then), Ok(now)] = ends else {
                return Err(self.graph_full());
            };
            let way = self.node(Op::Sub, &[then, now])?;
            for keypoint in &carried.keypoints {
                if let Some(node) = nodes.get_mut(3 * keypoint + axis) {
                    *node = self.node(Op::Add, &[*node, way])?;
                }
            }
        }
        Ok(())
    }
}
