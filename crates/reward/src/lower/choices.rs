//! Tensors and containers that are one of two, and stay so: writing to one changes the other.

use std::collections::HashSet;
use std::rc::Rc;

use super::{Lower, Lowered, Stop};
use crate::diagnostic::{Draft, Kind, Span};
use crate::graph::NodeId;
use crate::op::Op;
use crate::tensor::Tensor;

/// A tensor that is `yes` where a condition holds and else `no`, while those live on.
#[derive(Clone)]
pub(super) struct Choice {
    condition: NodeId,
    chosen: Tensor,
    yes: Tensor,
    no: Tensor,
    /// What the three held when they last agreed.
    agreed: [Vec<NodeId>; 3],
}

impl Choice {
    pub(super) fn new(condition: NodeId, chosen: &Tensor, yes: &Tensor, no: &Tensor) -> Self {
        let mut choice = Self {
            condition,
            chosen: chosen.clone(),
            yes: yes.clone(),
            no: no.clone(),
            agreed: Default::default(),
        };
        choice.agree();
        choice
    }

    fn agree(&mut self) {
        self.agreed = [&self.chosen, &self.yes, &self.no].map(Tensor::nodes);
    }

    fn len(&self) -> usize {
        self.chosen.len()
    }

    /// Whether it is the choice that `other` is.
    fn is(&self, other: &Self) -> bool {
        self.chosen.storage_key() == other.chosen.storage_key()
    }
}

impl Lower<'_> {
    /// Keeps the choices whose originals can still be reached, so that writing may show in both.
    pub(super) fn keep_choices(&mut self, reachable: &HashSet<usize>) {
        let fresh = std::mem::take(&mut self.new_choices);
        let is_reachable = |tensor: &Tensor| reachable.contains(&tensor.storage_key());
        self.choices.extend(
            fresh
                .into_iter()
                .filter(|choice| is_reachable(&choice.yes) || is_reachable(&choice.no))
                .map(Rc::new),
        );
    }

    /// Takes over the choices of another way, as all tensors are now. `is_changed`: some were
    /// merged.
    pub(super) fn unite_choices(&mut self, others: &[Rc<Choice>], is_changed: bool) -> Lowered<()> {
        self.charge(others.len() / 8)?;
        let shared = self
            .choices
            .iter()
            .zip(others)
            .take_while(|(own, other)| Rc::ptr_eq(own, other))
            .count();
        for other in &others[shared..] {
            self.charge(self.choices.len() / 8)?;
            if !self.choices.iter().any(|choice| choice.is(other)) {
                self.choices.push(Rc::clone(other));
            }
        }
        if is_changed && !self.choices.is_empty() {
            let size: usize = self.choices.iter().map(|choice| choice.len()).sum();
            self.charge(size)?;
            for choice in &mut self.choices {
                Rc::make_mut(choice).agree();
            }
        }
        Ok(())
    }

    /// Carries what a statement wrote into a choice over to its originals, and back.
    pub(super) fn settle_choices(&mut self) -> Lowered<()> {
        if !self.new_choices.is_empty() {
            let reachable = self.storages()?;
            let keys = reachable.iter().map(|(tensor, _)| tensor.storage_key());
            self.keep_choices(&keys.collect());
        }
        if !std::mem::take(&mut self.has_written) || self.choices.is_empty() {
            return Ok(());
        }
        let mut choices = std::mem::take(&mut self.choices);
        let outcome = self.settle(&mut choices);
        self.choices = choices;
        outcome
    }

    fn settle(&mut self, choices: &mut [Rc<Choice>]) -> Lowered<()> {
        for choice in choices.iter_mut().rev() {
            self.charge(1 + choice.len() / 4)?;
            let now = choice.chosen.nodes();
            if now != choice.agreed[0] {
                let (mut yes, mut no) = (choice.yes.nodes(), choice.no.nodes());
                for (i, &node) in now.iter().enumerate() {
                    if node != choice.agreed[0][i] {
                        let condition = choice.condition;
                        yes[i] = self.guard_node(Op::Where, &[condition, node, yes[i]])?;
                        no[i] = self.guard_node(Op::Where, &[condition, no[i], node])?;
                    }
                }
                self.put(&choice.yes, &yes)?;
                self.put(&choice.no, &no)?;
                Rc::make_mut(choice).agree();
            }
        }
        for choice in choices {
            let (yes, no) = (choice.yes.nodes(), choice.no.nodes());
            if yes != choice.agreed[1] || no != choice.agreed[2] {
                let mut chosen = choice.chosen.nodes();
                for i in 0..chosen.len() {
                    if yes[i] != choice.agreed[1][i] || no[i] != choice.agreed[2][i] {
                        let operands = [choice.condition, yes[i], no[i]];
                        chosen[i] = self.guard_node(Op::Where, &operands)?;
                    }
                }
                self.put(&choice.chosen, &chosen)?;
                Rc::make_mut(choice).agree();
            }
        }
        Ok(())
    }

    /// Refuses to change a container that stands for one of two.
    pub(super) fn check_single(&mut self, is_double: bool, span: Span) -> Result<(), Stop> {
        if !is_double {
            return Ok(());
        }
        Err(self.fail(
            Draft::new(
                Kind::DynamicControl,
                span,
                "which container this changes depends on positions",
            )
            .help("change a copy: `list(...)` or `dict(...)`, under a name of its own"),
        ))
    }
}
