//! Both ways of a condition that is known only on a trajectory.
//!
//! Each way runs on the state that the condition was met with; what the two leave behind is chosen
//! between element by element. A way that leaves a loop or a function waits, with its condition
//! and its state, until the loop or the function ends.

use std::collections::HashSet;
use std::rc::Rc;

use super::choices::Choice;
use super::scope::Names;
use super::statement::Flow;
use super::value::Value;
use super::{Lower, Lowered, Stop};
use crate::diagnostic::Span;
use crate::graph::NodeId;
use crate::op::Op;
use crate::tensor::Tensor;

/// Names, container items or storage elements that are copied for one unit of work.
const COPIED: usize = 16;
/// What finding and noting one tensor takes, in elements.
const PLACE: usize = 2;
/// Tensors that a way keeps until it is met again, for one unit of work.
const KEPT: usize = 4;

/// All that statements can change.
pub(super) struct State {
    /// The names of the current frame and of those around it.
    pub(super) frames: Vec<Rc<Names>>,
    pub(super) lists: Vec<Rc<Vec<Value>>>,
    pub(super) dicts: Vec<Rc<Vec<(Value, Value)>>>,
    /// What the tensors hold that names or containers reach.
    storages: Vec<(Tensor, Vec<NodeId>)>,
    choices: Vec<Rc<Choice>>,
}

/// A way that left a loop or a function.
pub(super) struct Exit {
    pub(super) flow: Flow,
    pub(super) condition: NodeId,
    pub(super) state: State,
    pub(super) span: Span,
}

/// What one way came to, and what it left behind.
pub(super) struct Way<T> {
    pub(super) outcome: Lowered<T>,
    pub(super) state: State,
}

impl<'a> Lower<'a> {
    /// A copy of the state.
    pub(super) fn state(&mut self) -> Lowered<State> {
        let storages = self.storages()?;
        let names: usize = self.frames.iter().map(|frame| frame.names.len()).sum();
        let tables = self.lists.len() + self.dicts.len() + self.choices.len();
        self.charge(2 + (names + tables) / COPIED)?;
        let frames = &self.frames[..=self.frame];
        Ok(State {
            frames: frames.iter().map(|frame| Rc::clone(&frame.names)).collect(),
            lists: self.lists.clone(),
            dicts: self.dicts.clone(),
            storages,
            choices: self.choices.clone(),
        })
    }

    /// The tensors that anything can still reach, with what they hold.
    pub(super) fn storages(&mut self) -> Lowered<Vec<(Tensor, Vec<NodeId>)>> {
        let mut open: Vec<Value> = Vec::new();
        for frame in &self.frames {
            // In a fixed order, so that a program always becomes the same code.
            let mut names: Vec<(&String, &Value)> = frame
                .names
                .iter()
                .filter_map(|(name, value)| Some((name, value.as_ref()?)))
                .filter(|(_, value)| is_changeable(value))
                .collect();
            names.sort_unstable_by_key(|&(name, _)| name);
            open.extend(names.into_iter().map(|(_, value)| value.clone()));
        }
        let mut seen = HashSet::new();
        let (mut lists, mut dicts) = (HashSet::new(), HashSet::new());
        let mut found = Vec::new();
        let mut work = open.len();
        while let Some(value) = open.pop() {
            let mut add = |value: &Value| {
                work += 1;
                if is_changeable(value) {
                    open.push(value.clone());
                }
            };
            match value {
                Value::Tensor(tensor) if seen.insert(tensor.storage_key()) => {
                    let nodes = tensor.storage();
                    work += nodes.len() + PLACE;
                    found.push((tensor, nodes));
                }
                Value::Pair(values, indices) => {
                    add(&Value::Tensor(values));
                    add(&Value::Tensor(indices));
                }
                Value::List(items) | Value::Tuple(items) => items.items.iter().for_each(add),
                Value::ListRef(list) if lists.insert(list) => self.lists[list].iter().for_each(add),
                Value::Dict(dict) | Value::Object { fields: dict, .. } if dicts.insert(dict) => {
                    self.dicts[dict].iter().for_each(|(_, value)| add(value));
                }
                Value::Class(class) => {
                    let dict = self.classes[class].attributes;
                    if dicts.insert(dict) {
                        self.dicts[dict].iter().for_each(|(_, value)| add(value));
                    }
                }
                Value::Method(_, receiver) => add(&receiver),
                Value::Named(named) => named.items.items.iter().for_each(add),
                Value::Partial(partial) => {
                    add(&partial.function);
                    partial.positional.items.iter().for_each(&mut add);
                    partial.keywords.iter().for_each(|(_, value, _)| add(value));
                }
                _ => {}
            }
        }
        self.charge(work / COPIED)?;
        Ok(found)
    }

    /// Goes back to a copy of the state. What was made since stays: only other ways refer to it.
    pub(super) fn restore(&mut self, state: &State) -> Lowered<()> {
        let elements: usize = state.storages.iter().map(|(_, nodes)| nodes.len()).sum();
        self.charge((state.lists.len() + state.dicts.len() + elements) / COPIED)?;
        for (frame, names) in self.frames.iter_mut().zip(&state.frames) {
            frame.names = Rc::clone(names);
        }
        self.lists[..state.lists.len()].clone_from_slice(&state.lists);
        self.dicts[..state.dicts.len()].clone_from_slice(&state.dicts);
        for (tensor, nodes) in &state.storages {
            tensor.restore(nodes);
        }
        self.choices.clone_from(&state.choices);
        Ok(())
    }

    /// Carries out both ways on the same state. What the first left is in its `Way`, what the
    /// second left is the current state.
    pub(super) fn fork<T>(
        &mut self,
        condition: NodeId,
        yes: impl FnOnce(&mut Self) -> Lowered<T>,
        no: impl FnOnce(&mut Self) -> Lowered<T>,
    ) -> Lowered<(Way<T>, Lowered<T>)> {
        let before = self.state()?;
        let outer = self.path;
        let was_tried = std::mem::replace(&mut self.is_tried, false);
        let not = self.guard_node(Op::Not, &[condition])?;
        self.path = Some(self.both(outer, condition)?);
        let first = yes(self);
        let state = self.state()?;
        self.restore(&before)?;
        self.path = Some(self.both(outer, not)?);
        let second = if first.as_ref().err() == Some(&Stop::Fatal) {
            Err(Stop::Fatal)
        } else {
            no(self)
        };
        self.path = outer;
        self.is_tried = was_tried;
        if second.as_ref().err() == Some(&Stop::Fatal) {
            return Err(Stop::Fatal);
        }
        let way = Way {
            outcome: first,
            state,
        };
        Ok((way, second))
    }

    /// A node of a condition: it has no gradient, whatever mode is on.
    pub(super) fn guard_node(&mut self, op: Op, operands: &[NodeId]) -> Lowered<NodeId> {
        self.charge(1)?;
        let added = self.graph.add(op, operands);
        added.map_err(|_| self.graph_full())
    }

    fn both(&mut self, outer: Option<NodeId>, condition: NodeId) -> Lowered<NodeId> {
        match outer {
            Some(outer) => self.guard_node(Op::And, &[outer, condition]),
            None => Ok(condition),
        }
    }

    /// Carries out the two blocks of an `if`, and goes on with what may follow either.
    pub(super) fn fork_blocks(
        &mut self,
        condition: NodeId,
        span: Span,
        yes: impl FnOnce(&mut Self) -> Lowered<Flow>,
        no: impl FnOnce(&mut Self) -> Lowered<Flow>,
    ) -> Lowered<Flow> {
        let (first, second) = self.fork(condition, yes, no)?;
        let second = impossible(second)?;
        let first_flow = impossible(first.outcome)?;
        match (first_flow, second) {
            (Flow::Never, flow) => Ok(flow),
            (flow, Flow::Never) => {
                self.restore(&first.state)?;
                Ok(flow)
            }
            (Flow::Return(a, at), Flow::Return(b, _)) => {
                let value = self.merge_pair(condition, &a, &b, span, Some(&first.state))?;
                if self.call_depth > 0 {
                    self.merge_state(condition, &first.state, span)?;
                }
                Ok(Flow::Return(value, at))
            }
            (a, b) if a.rank() == b.rank() => {
                self.merge_state(condition, &first.state, span)?;
                Ok(a)
            }
            (Flow::Next, flow) => {
                let not = self.guard_node(Op::Not, &[condition])?;
                let state = self.state()?;
                self.leave_under(not, flow, state, span)?;
                self.restore(&first.state)?;
                Ok(Flow::Next)
            }
            (flow, other) => {
                self.leave_under(condition, flow, first.state, span)?;
                Ok(other)
            }
        }
    }

    /// Notes a way that leaves a loop or a function under a condition.
    fn leave_under(
        &mut self,
        condition: NodeId,
        flow: Flow,
        state: State,
        span: Span,
    ) -> Lowered<()> {
        self.charge(state.storages.len() / KEPT)?;
        let path = self.path;
        let mut condition = self.both(path, condition)?;
        // Ways that left what is further inside are met again before this one is.
        let rank = flow.rank();
        let inner: Vec<NodeId> = self.exits[self.exits_from..]
            .iter()
            .filter(|exit| exit.flow.rank() < rank)
            .map(|exit| exit.condition)
            .collect();
        for exit in inner {
            let not = self.guard_node(Op::Not, &[exit])?;
            condition = self.guard_node(Op::And, &[condition, not])?;
        }
        self.exits.push(Exit {
            flow,
            condition,
            state,
            span,
        });
        Ok(())
    }

    /// Ends an iteration, a loop or a function: the ways that left it since `mark` by a flow of
    /// `rank` are met again. The flow is the one of the code that came to the end.
    pub(super) fn rejoin(&mut self, mark: usize, rank: u8, flow: Flow) -> Lowered<Flow> {
        if !self.exits[mark..]
            .iter()
            .any(|exit| exit.flow.rank() == rank)
        {
            return Ok(flow);
        }
        let mut ways = Vec::new();
        let mut rest = Vec::new();
        for exit in self.exits.drain(mark..) {
            if exit.flow.rank() == rank {
                ways.push(exit);
            } else {
                rest.push(exit);
            }
        }
        self.exits.extend(rest);
        let ends_here = flow.rank() <= rank;
        if !ends_here {
            // The code itself leaves further out; what goes on here are the others.
            if !matches!(flow, Flow::Never) {
                let mut condition = None;
                for way in &ways {
                    let not = self.guard_node(Op::Not, &[way.condition])?;
                    condition = Some(self.both(condition, not)?);
                }
                if let Some(condition) = condition {
                    let state = self.state()?;
                    let span = self.graph.span;
                    self.leave_under(condition, flow, state, span)?;
                }
            }
            if let Some(last) = ways.pop() {
                self.restore(&last.state)?;
            }
        }
        for way in ways.iter().rev() {
            self.merge_state(way.condition, &way.state, way.span)?;
        }
        Ok(Flow::Next)
    }

    /// Ends a function: what it returns, over all ways.
    pub(super) fn returned(&mut self, mark: usize, flow: Flow) -> Lowered<Flow> {
        let mut ways: Vec<Exit> = self.exits.drain(mark..).collect();
        if ways.is_empty() {
            return Ok(flow);
        }
        let (mut value, span) = match flow {
            Flow::Return(value, span) => (value, span),
            Flow::Never => match ways.pop() {
                Some(Exit {
                    flow: Flow::Return(value, span),
                    state,
                    ..
                }) => {
                    self.restore(&state)?;
                    (value, span)
                }
                _ => return Ok(Flow::Never),
            },
            _ => (Value::None, self.graph.span),
        };
        for way in ways.iter().rev() {
            if let Flow::Return(other, _) = &way.flow {
                value =
                    self.merge_pair(way.condition, other, &value, way.span, Some(&way.state))?;
                if self.call_depth > 0 {
                    self.merge_state(way.condition, &way.state, way.span)?;
                }
            }
        }
        Ok(Flow::Return(value, span))
    }

    /// Chooses, for everything that the two ways changed, between what the first left (`state`)
    /// and what is there now.
    pub(super) fn merge_state(
        &mut self,
        condition: NodeId,
        state: &State,
        span: Span,
    ) -> Lowered<()> {
        let mut merge = self.new_merge(condition, span)?;
        self.charge((state.lists.len() + state.dicts.len()) / COPIED)?;
        for frame in 0..state.frames.len().min(self.frames.len()) {
            if !Rc::ptr_eq(&state.frames[frame], &self.frames[frame].names) {
                let now = Rc::clone(&self.frames[frame].names);
                let merged = self.merge_names(&mut merge, state, &state.frames[frame], &now)?;
                self.frames[frame].names = Rc::new(merged);
            }
        }
        for list in 0..state.lists.len() {
            if !Rc::ptr_eq(&state.lists[list], &self.lists[list]) {
                let now = Rc::clone(&self.lists[list]);
                let merged = self.merge_items(&mut merge, state, &state.lists[list], &now)?;
                self.lists[list] = Rc::new(merged);
            }
        }
        for dict in 0..state.dicts.len() {
            if !Rc::ptr_eq(&state.dicts[dict], &self.dicts[dict]) {
                let now = Rc::clone(&self.dicts[dict]);
                let merged = self.merge_entries(&mut merge, state, &state.dicts[dict], &now)?;
                self.dicts[dict] = Rc::new(merged);
            }
        }
        let mut is_changed = false;
        for (tensor, theirs) in &state.storages {
            let ours = tensor.storage();
            self.charge(ours.len() / COPIED)?;
            if ours != *theirs {
                let merged = self.choose_nodes(&mut merge, theirs, &ours)?;
                tensor.restore(&merged);
                is_changed = true;
            }
        }
        self.unite_choices(&state.choices, is_changed)?;
        Ok(())
    }
}

/// Whether a value is, or may lead to, something that can be changed in place.
fn is_changeable(value: &Value) -> bool {
    matches!(
        value,
        Value::Tensor(_)
            | Value::Pair(..)
            | Value::List(_)
            | Value::Tuple(_)
            | Value::ListRef(_)
            | Value::Dict(_)
            | Value::Object { .. }
            | Value::Class(_)
            | Value::Method(..)
            | Value::Named(_)
            | Value::Partial(_)
    )
}

/// A way that is never taken is no mistake.
fn impossible(outcome: Lowered<Flow>) -> Lowered<Flow> {
    match outcome {
        Err(Stop::Never) => Ok(Flow::Never),
        other => other,
    }
}
