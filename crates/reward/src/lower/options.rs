//! Strings and members of enumerations that are one of several, depending on positions.

use std::rc::Rc;

use super::branch::Truth;
use super::classes::Sort;
use super::expression::number;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::Span;
use crate::graph::NodeId;
use crate::op::Op;
use crate::syntax::CmpOp;
use crate::tensor::{DType, Form, Tensor};

/// More texts than this are one that nobody knows.
const MOST: usize = 16;

/// The texts that a string may have, each with the condition under which it has it. One holds.
#[derive(Debug)]
pub(crate) struct Options(Vec<(NodeId, Rc<str>)>);

impl Lower<'_> {
    /// The string that is `a` where the condition holds, else `b`.
    pub(super) fn merge_texts(
        &mut self,
        condition: NodeId,
        a: &Value,
        b: &Value,
    ) -> Lowered<Value> {
        let (never, always) = (self.constant(0.0)?, self.constant(1.0)?);
        let mut merged: Vec<(Rc<str>, NodeId, NodeId)> = Vec::new();
        for (value, is_yes) in [(a, true), (b, false)] {
            let own = match value {
                Value::Str(text) => vec![(always, Rc::clone(text))],
                Value::Text(Some(options)) => options.0.clone(),
                _ => return Ok(Value::Text(None)),
            };
            for (guard, text) in own {
                self.charge(1)?;
                let at = merged.iter().position(|(known, ..)| *known == text);
                let at = at.unwrap_or_else(|| {
                    merged.push((text, never, never));
                    merged.len() - 1
                });
                match is_yes {
                    true => merged[at].1 = guard,
                    false => merged[at].2 = guard,
                }
            }
        }
        if merged.len() > MOST {
            return Ok(Value::Text(None));
        }
        let mut options = Vec::with_capacity(merged.len());
        for (text, yes, no) in merged {
            options.push((self.guard_node(Op::Where, &[condition, yes, no])?, text));
        }
        Ok(Value::Text(Some(Rc::new(Options(options)))))
    }

    /// What a value may be, and when, if that depends on positions.
    pub(super) fn options(&mut self, value: &Value) -> Lowered<Option<Vec<(NodeId, Value)>>> {
        match value {
            Value::Text(Some(options)) => {
                self.charge(options.0.len())?;
                let each = options.0.iter();
                let each = each.map(|(guard, text)| (*guard, Value::Str(Rc::clone(text))));
                Ok(Some(each.collect()))
            }
            Value::Object { class, fields } if self.classes[*class].sort == Sort::Enum => {
                let name = self.entry(*fields, &Value::Str("name".into()))?;
                let Some(Value::Text(Some(names))) = name else {
                    return Ok(None);
                };
                let mut members = Vec::with_capacity(names.0.len());
                for (guard, name) in &names.0 {
                    if let Some((member, _)) = self.class_entry(*class, name)? {
                        members.push((*guard, member));
                    }
                }
                Ok(Some(members))
            }
            _ => Ok(None),
        }
    }

    /// What `find` gives for a value, or for each that it may be.
    pub(super) fn each_option(
        &mut self,
        value: &Value,
        span: Span,
        find: &mut dyn FnMut(&mut Self, &Value) -> Lowered<Value>,
    ) -> Lowered<Value> {
        let Some(mut options) = self.options(value)? else {
            return find(self, value);
        };
        let Some((_, last)) = options.pop() else {
            return find(self, value);
        };
        let mut result = find(self, &last)?;
        for (guard, option) in options.into_iter().rev() {
            let found = find(self, &option)?;
            result = self.merge_pair(guard, &found, &result, span, None)?;
        }
        Ok(result)
    }

    /// The item whose position depends on positions of the hand.
    pub(super) fn one_of(
        &mut self,
        items: Vec<Value>,
        chosen: NodeId,
        span: Span,
    ) -> Lowered<Value> {
        let count = items.len();
        let mut items = items.into_iter().enumerate().rev();
        let Some((_, mut result)) = items.next() else {
            return Err(self.out_of_range(0, 0, span));
        };
        for (position, item) in items {
            let mut here = self.constant(0.0)?;
            for place in [position as f64, position as f64 - count as f64] {
                let place = self.constant(place)?;
                let is_here = self.guard_node(Op::Equal, &[chosen, place])?;
                here = self.guard_node(Op::Or, &[here, is_here])?;
            }
            result = self.merge_pair(here, &item, &result, span, None)?;
        }
        Ok(result)
    }

    /// Whether two values are equal, where that depends on positions, too.
    pub(super) fn same(&mut self, left: &Value, right: &Value, span: Span) -> Lowered<Truth> {
        let is_number =
            |value: &Value| matches!(value, Value::Tensor(_)) || number(value).is_some();
        match self.equal(left, right)? {
            Some(same) if self.options(left)?.is_none() && self.options(right)?.is_none() => {
                Ok(Truth::Known(same))
            }
            None if !(has_text(left, right) || is_number(left) && is_number(right)) => {
                Ok(Truth::Known(false))
            }
            _ => {
                let same = self.compare(CmpOp::Eq, left.clone(), right.clone(), span)?;
                self.condition(&same, span)
            }
        }
    }

    /// `xs.count(x)` and `xs.index(x)`, where each item is `x` on a condition.
    pub(super) fn open_search(
        &mut self,
        found: Vec<(NodeId, Value)>,
        method: &str,
        wanted: &Value,
        span: Span,
    ) -> Lowered<Value> {
        if method == "count" {
            let nodes: Vec<NodeId> = found.iter().map(|(node, _)| *node).collect();
            let count = self.sum_nodes(&nodes)?;
            let count = Tensor::scalar(count, DType::Int).with_form(Form::Number);
            return Ok(Value::Tensor(count));
        }
        if method == "remove" {
            return Err(self.open_text(span));
        }
        let mut found = found.into_iter().rev();
        let Some((_, mut first)) = found.next() else {
            return Ok(wanted.clone());
        };
        for (here, place) in found {
            first = self.merge_pair(here, &place, &first, span, None)?;
        }
        Ok(first)
    }

    /// A comparison of what depends on positions: that of each option.
    pub(super) fn compare_options(
        &mut self,
        op: CmpOp,
        left: &Value,
        right: &Value,
        span: Span,
    ) -> Lowered<Option<Value>> {
        if self.options(left)?.is_some() {
            let compared = self.each_option(left, span, &mut |lower, left| {
                lower.compare(op, left.clone(), right.clone(), span)
            });
            return compared.map(Some);
        }
        if self.options(right)?.is_some() {
            let compared = self.each_option(right, span, &mut |lower, right| {
                lower.compare(op, left.clone(), right.clone(), span)
            });
            return compared.map(Some);
        }
        Ok(None)
    }

    /// `needle in items`.
    pub(super) fn membership(
        &mut self,
        op: CmpOp,
        needle: &Value,
        items: Vec<Value>,
        span: Span,
    ) -> Lowered<Value> {
        let mut open: Option<NodeId> = None;
        for item in items {
            let same = match self.same(&item, needle, span)? {
                Truth::Known(true) => return Ok(Value::Bool(op == CmpOp::In)),
                Truth::Known(false) => continue,
                Truth::Open(node) => node,
            };
            open = Some(match open {
                Some(open) => self.guard_node(Op::Or, &[open, same])?,
                None => same,
            });
        }
        let Some(found) = open else {
            return Ok(Value::Bool(op == CmpOp::NotIn));
        };
        let found = match op {
            CmpOp::In => found,
            _ => self.guard_node(Op::Not, &[found])?,
        };
        Ok(self.bool_value(found))
    }
}

/// Whether one of two values is a string that nobody knows.
fn has_text(left: &Value, right: &Value) -> bool {
    matches!(
        (left, right),
        (Value::Text(None), _) | (_, Value::Text(None))
    )
}
