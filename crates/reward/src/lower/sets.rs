//! Sets: dictionaries without values. Numbers come in ascending order, all else as it was put in.

use super::arguments::{Bound, Call};
use super::containers::NOTHING_LEFT;
use super::expression::number;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind, Span};
use crate::syntax::{CmpOp, Operator};

impl Lower<'_> {
    pub(super) fn new_set(&mut self, items: Vec<Value>, span: Span) -> Lowered<Value> {
        let Value::Dict(set) = self.new_dict(Vec::new()) else {
            return Ok(Value::None);
        };
        for item in items {
            self.insert(set, item, Value::None, span)?;
        }
        Ok(Value::Set(set))
    }

    /// The members, in a fixed order.
    pub(super) fn members(&mut self, set: usize) -> Lowered<Vec<Value>> {
        self.charge(self.dicts[set].len())?;
        let mut members: Vec<Value> = self.dicts[set].iter().map(|(key, _)| key.clone()).collect();
        if members.iter().all(|member| number(member).is_some()) {
            let order = |member: &Value| number(member).unwrap_or_default();
            members.sort_by(|a, b| order(a).total_cmp(&order(b)));
        }
        Ok(members)
    }

    /// `a | b`, `a & b`, `a - b` and `a ^ b`.
    pub(super) fn combine_sets(
        &mut self,
        op: Operator,
        a: usize,
        b: Vec<Value>,
        span: Span,
    ) -> Lowered<Option<Value>> {
        let own = self.members(a)?;
        let Value::Set(other) = self.new_set(b, span)? else {
            return Ok(None);
        };
        let mut kept = Vec::new();
        for member in &own {
            let is_shared = self.entry(other, member)?.is_some();
            let keep = match op {
                Operator::BitOr => true,
                Operator::BitAnd => is_shared,
                Operator::Sub | Operator::BitXor => !is_shared,
                _ => return Ok(None),
            };
            if keep {
                kept.push(member.clone());
            }
        }
        if matches!(op, Operator::BitOr | Operator::BitXor) {
            for member in self.members(other)? {
                if self.entry(a, &member)?.is_none() {
                    kept.push(member);
                }
            }
        }
        self.new_set(kept, span).map(Some)
    }

    /// Whether all members of one are in the other.
    fn is_within(&mut self, a: usize, b: usize) -> Lowered<bool> {
        for member in self.members(a)? {
            if self.entry(b, &member)?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn compare_sets(&mut self, op: CmpOp, a: usize, b: usize) -> Lowered<Option<bool>> {
        let (sizes, swapped) = match op {
            CmpOp::Eq | CmpOp::NotEq => (self.dicts[a].len() == self.dicts[b].len(), false),
            CmpOp::LtE => (true, false),
            CmpOp::Lt => (self.dicts[a].len() < self.dicts[b].len(), false),
            CmpOp::GtE => (true, true),
            CmpOp::Gt => (self.dicts[a].len() > self.dicts[b].len(), true),
            _ => return Ok(None),
        };
        let (a, b) = if swapped { (b, a) } else { (a, b) };
        let holds = sizes && self.is_within(a, b)?;
        Ok(Some(holds == (op != CmpOp::NotEq)))
    }

    /// A method of a set.
    pub(super) fn set_method(
        &mut self,
        set: usize,
        method: &str,
        place: Span,
        call: Call,
    ) -> Lowered<Value> {
        let span = call.span;
        let parameters = match method {
            "add"
            | "remove"
            | "discard"
            | "update"
            | "isdisjoint"
            | "issubset"
            | "issuperset"
            | "symmetric_difference" => "item",
            "union" | "intersection" | "difference" => "*items",
            "copy" | "clear" | "pop" => "",
            _ => return Err(self.no_method(&Value::Set(set), method, place)),
        };
        let bound = Bound::new(self, call, parameters)?;
        let item = bound.given(0).cloned().unwrap_or(Value::None);
        match method {
            "add" => self.insert(set, item, Value::None, span)?,
            "discard" | "remove" => {
                if method == "remove" || self.entry(set, &item)?.is_some() {
                    self.take_entry(set, &item, span)?;
                }
            }
            "update" => {
                for item in self.iterate(item, span)? {
                    self.insert(set, item, Value::None, span)?;
                }
            }
            "clear" => self.dict_mut(set)?.clear(),
            "copy" => {
                let members = self.members(set)?;
                return self.new_set(members, span);
            }
            "pop" => {
                return match self.members(set)?.first().cloned() {
                    Some(first) => {
                        self.take_entry(set, &first, span)?;
                        Ok(first)
                    }
                    None => Err(self.fail(
                        Draft::new(Kind::Index, span, "this set is empty").help(NOTHING_LEFT),
                    )),
                };
            }
            "isdisjoint" | "issubset" | "issuperset" => {
                let others = self.iterate(item, span)?;
                let Value::Set(other) = self.new_set(others, span)? else {
                    return Ok(Value::None);
                };
                return Ok(Value::Bool(match method {
                    "issubset" => self.is_within(set, other)?,
                    "issuperset" => self.is_within(other, set)?,
                    _ => {
                        let mut is_apart = true;
                        for member in self.members(other)? {
                            is_apart &= self.entry(set, &member)?.is_none();
                        }
                        is_apart
                    }
                }));
            }
            _ => {
                let op = match method {
                    "union" => Operator::BitOr,
                    "intersection" => Operator::BitAnd,
                    "difference" => Operator::Sub,
                    _ => Operator::BitXor,
                };
                let others = match item {
                    Value::Tuple(others) if method != "symmetric_difference" => {
                        others.items.to_vec()
                    }
                    other => vec![other],
                };
                let members = self.members(set)?;
                let mut result = self.new_set(members, span)?;
                for other in others {
                    let items = self.iterate(other, span)?;
                    if let Value::Set(own) = result {
                        result = self
                            .combine_sets(op, own, items, span)?
                            .unwrap_or(Value::None);
                    }
                }
                return Ok(result);
            }
        }
        Ok(Value::None)
    }
}
