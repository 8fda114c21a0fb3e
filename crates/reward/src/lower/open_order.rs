//! `sorted`, `min` and `max` by keys that are known only on a trajectory: chosen pair by pair.

use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::Span;
use crate::graph::NodeId;
use crate::op::Op;

impl Lower<'_> {
    /// Keys of one number each, some of which depend on positions; `None` for any others.
    pub(super) fn open_keys(&mut self, keys: &[Value], span: Span) -> Lowered<Option<Vec<NodeId>>> {
        if keys.iter().all(|key| self.known_number(key).is_some()) {
            return Ok(None);
        }
        let mut nodes = Vec::with_capacity(keys.len());
        for key in keys {
            nodes.push(match key {
                Value::Tensor(tensor) if tensor.len() == 1 => tensor.nodes()[0],
                Value::Bool(_) | Value::Int(_) | Value::Float(_) => {
                    self.tensor_of(key.clone(), span)?.nodes()[0]
                }
                _ => return Ok(None),
            });
        }
        Ok(Some(nodes))
    }

    /// Stable, by exchanging neighbours.
    pub(super) fn sorted_open(
        &mut self,
        mut keys: Vec<NodeId>,
        mut items: Vec<Value>,
        is_reversed: bool,
        span: Span,
    ) -> Lowered<Value> {
        for end in (1..items.len()).rev() {
            for left in 0..end {
                let (a, b) = (keys[left], keys[left + 1]);
                let order = if is_reversed { [a, b] } else { [b, a] };
                let swaps = self.guard_node(Op::Less, &order)?;
                keys[left] = self.guard_node(Op::Where, &[swaps, b, a])?;
                keys[left + 1] = self.guard_node(Op::Where, &[swaps, a, b])?;
                let (first, second) = (items[left].clone(), items[left + 1].clone());
                items[left] = self.merge_pair(swaps, &second, &first, span, None)?;
                items[left + 1] = self.merge_pair(swaps, &first, &second, span, None)?;
            }
        }
        Ok(self.new_list(items))
    }

    /// The first item with the smallest or largest key.
    pub(super) fn extreme_open(
        &mut self,
        keys: &[NodeId],
        items: &[Value],
        is_largest: bool,
        span: Span,
    ) -> Lowered<Value> {
        let (mut best, mut best_key) = (items[0].clone(), keys[0]);
        for (item, &key) in items.iter().zip(keys).skip(1) {
            let order = if is_largest {
                [best_key, key]
            } else {
                [key, best_key]
            };
            let better = self.guard_node(Op::Less, &order)?;
            best_key = self.guard_node(Op::Where, &[better, key, best_key])?;
            best = self.merge_pair(better, item, &best, span, None)?;
        }
        Ok(best)
    }
}
