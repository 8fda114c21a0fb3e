//! Conditions: those that are known now, and those on positions, both of whose ways are computed.

use super::statement::Flow;
use super::value::Value;
use super::{Lower, Lowered, Stop};
use crate::diagnostic::{Draft, Kind, Span};
use crate::graph::NodeId;
use crate::op::Op;
use crate::syntax::{BoolOp, CmpOp, ElifElseClause, Expr, ExprCompare, ExprIf, Stmt, StmtIf};
use crate::tensor::{DType, Tensor};

/// What a condition is.
pub(super) enum Truth {
    Known(bool),
    /// A node that is 1 or 0.
    Open(NodeId),
}

impl<'a> Lower<'a> {
    /// Whether a value counts as true, as far as that is known now.
    pub(super) fn condition(&mut self, value: &Value, span: Span) -> Lowered<Truth> {
        let Value::Tensor(tensor) = value else {
            return self.truth(value, span).map(Truth::Known);
        };
        if tensor.len() != 1 || self.constants_of(tensor).is_some() {
            return self.truth(value, span).map(Truth::Known);
        }
        let node = tensor.nodes()[0];
        if tensor.dtype == DType::Bool {
            return Ok(Truth::Open(node));
        }
        let zero = self.constant(0.0)?;
        self.guard_node(Op::NotEqual, &[node, zero])
            .map(Truth::Open)
    }

    pub(super) fn bool_value(&self, node: NodeId) -> Value {
        Value::Tensor(Tensor::scalar(node, DType::Bool))
    }

    /// `if`, `elif` and `else`.
    pub(super) fn branch(&mut self, branch: &'a StmtIf) -> Lowered<Flow> {
        let span = Span::of(&*branch.test);
        self.clauses(&branch.test, &branch.body, &branch.elif_else_clauses, span)
    }

    fn clauses(
        &mut self,
        test: &'a Expr,
        body: &'a [Stmt],
        rest: &'a [ElifElseClause],
        span: Span,
    ) -> Lowered<Flow> {
        let truth = self
            .expression(test)
            .and_then(|value| self.condition(&value, Span::of(test)));
        match truth {
            Ok(Truth::Known(true)) => self.block(body),
            Ok(Truth::Known(false)) => self.otherwise(rest, span),
            Ok(Truth::Open(condition)) => self.fork_blocks(
                condition,
                span,
                |lower| lower.block(body),
                |lower| lower.otherwise(rest, span),
            ),
            Err(Stop::Reported) => {
                self.check_both(
                    |lower| lower.block(body),
                    |lower| lower.otherwise(rest, span),
                )?;
                Err(Stop::Reported)
            }
            Err(stop) => Err(stop),
        }
    }

    fn otherwise(&mut self, rest: &'a [ElifElseClause], span: Span) -> Lowered<Flow> {
        let Some((clause, rest)) = rest.split_first() else {
            return Ok(Flow::Next);
        };
        let Some(test) = &clause.test else {
            return self.block(&clause.body);
        };
        let flow = self
            .descend(span)
            .and_then(|()| self.clauses(test, &clause.body, rest, Span::of(test)));
        self.depth -= 1;
        flow
    }

    /// Looks for mistakes on both ways of a condition that has one itself.
    fn check_both(
        &mut self,
        yes: impl FnOnce(&mut Self) -> Lowered<Flow>,
        no: impl FnOnce(&mut Self) -> Lowered<Flow>,
    ) -> Lowered<()> {
        let before = self.state()?;
        let exits = self.exits.len();
        let was_tried = std::mem::replace(&mut self.is_tried, false);
        let first = yes(self);
        self.restore(&before)?;
        let second = if matches!(first, Err(Stop::Fatal)) {
            Err(Stop::Fatal)
        } else {
            no(self)
        };
        self.is_tried = was_tried;
        self.exits.truncate(exits);
        self.restore(&before)?;
        match second {
            Err(Stop::Fatal) => Err(Stop::Fatal),
            _ => Ok(()),
        }
    }

    /// Both of two expressions, one of which counts.
    fn fork_values(
        &mut self,
        condition: NodeId,
        span: Span,
        yes: impl FnOnce(&mut Self) -> Lowered<Value>,
        no: impl FnOnce(&mut Self) -> Lowered<Value>,
    ) -> Lowered<Value> {
        let (first, second) = self.fork(condition, yes, no)?;
        match (first.outcome, second) {
            (Ok(a), Ok(b)) => {
                let value = self.merge_pair(condition, &a, &b, span, Some(&first.state))?;
                self.merge_state(condition, &first.state, span)?;
                Ok(value)
            }
            (Err(Stop::Never), other) => other,
            (Ok(value), Err(Stop::Never)) => {
                self.restore(&first.state)?;
                Ok(value)
            }
            (Err(stop), _) | (_, Err(stop)) => Err(stop),
        }
    }

    /// `a if test else b`.
    pub(super) fn conditional(&mut self, branch: &'a ExprIf) -> Lowered<Value> {
        let truth = self
            .expression(&branch.test)
            .and_then(|test| self.condition(&test, Span::of(&*branch.test)));
        match truth {
            Ok(Truth::Known(true)) => self.expression(&branch.body),
            Ok(Truth::Known(false)) => self.expression(&branch.orelse),
            Ok(Truth::Open(condition)) => self.fork_values(
                condition,
                Span::of(branch),
                |lower| lower.expression(&branch.body),
                |lower| lower.expression(&branch.orelse),
            ),
            Err(Stop::Reported) => {
                for way in [&branch.body, &branch.orelse] {
                    if matches!(self.expression(way), Err(Stop::Fatal)) {
                        return Err(Stop::Fatal);
                    }
                }
                Err(Stop::Reported)
            }
            Err(stop) => Err(stop),
        }
    }

    /// `a and b`, `a or b`: the last value that was looked at.
    pub(super) fn bool_chain(&mut self, op: BoolOp, values: &'a [Expr]) -> Lowered<Value> {
        let Some((first, rest)) = values.split_first() else {
            return Ok(Value::None);
        };
        let value = match self.expression(first) {
            Err(Stop::Reported) => {
                for other in rest {
                    if matches!(self.expression(other), Err(Stop::Fatal)) {
                        return Err(Stop::Fatal);
                    }
                }
                return Err(Stop::Reported);
            }
            value => value?,
        };
        if rest.is_empty() {
            return Ok(value);
        }
        let span = Span::of(first);
        let condition = match self.condition(&value, span)? {
            Truth::Known(known) if known == (op == BoolOp::Or) => return Ok(value),
            Truth::Known(_) => return self.bool_chain(op, rest),
            Truth::Open(condition) => condition,
        };
        let keep = value.clone();
        if op == BoolOp::Or {
            self.fork_values(
                condition,
                span,
                |_| Ok(keep),
                |lower| lower.bool_chain(op, rest),
            )
        } else {
            self.fork_values(
                condition,
                span,
                |lower| lower.bool_chain(op, rest),
                |_| Ok(keep),
            )
        }
    }

    /// `a < b <= c`: all of them.
    pub(super) fn comparison(&mut self, compare: &'a ExprCompare) -> Lowered<Value> {
        let span = Span::of(compare);
        let left = self.expression(&compare.left);
        let mut open: Option<NodeId> = None;
        let mut left = match left {
            Err(Stop::Reported) => {
                for other in &compare.comparators {
                    if matches!(self.expression(other), Err(Stop::Fatal)) {
                        return Err(Stop::Fatal);
                    }
                }
                return Err(Stop::Reported);
            }
            left => left?,
        };
        let links = compare.ops.iter().zip(&compare.comparators);
        let last = compare.ops.len() - 1;
        for (position, (&op, right)) in links.enumerate() {
            let value = match (op, right) {
                // A set whose order nobody asks for.
                (CmpOp::In | CmpOp::NotIn, Expr::Set(set)) => {
                    Value::tuple(self.elements(&set.elts, span)?)
                }
                _ => self.expression(right)?,
            };
            let result = self.compare(op, left, value.clone(), span)?;
            left = value;
            if position == last && open.is_none() {
                return Ok(result);
            }
            match self.condition(&result, span)? {
                Truth::Known(false) => return Ok(Value::Bool(false)),
                Truth::Known(true) => {}
                Truth::Open(node) => {
                    open = Some(match open {
                        Some(before) => self.guard_node(Op::And, &[before, node])?,
                        None => node,
                    });
                }
            }
        }
        Ok(match open {
            Some(node) => self.bool_value(node),
            None => Value::Bool(true),
        })
    }

    /// `any(...)` and `all(...)`.
    pub(super) fn any_or_all(&mut self, is_any: bool, value: Value, span: Span) -> Lowered<Value> {
        let op = if is_any { Op::Or } else { Op::And };
        let mut open: Option<NodeId> = None;
        for item in self.iterate(value, span)? {
            match self.condition(&item, span)? {
                Truth::Known(known) if known == is_any => return Ok(Value::Bool(is_any)),
                Truth::Known(_) => {}
                Truth::Open(node) => {
                    open = Some(match open {
                        Some(before) => self.guard_node(op, &[before, node])?,
                        None => node,
                    });
                }
            }
        }
        Ok(match open {
            Some(node) => self.bool_value(node),
            None => Value::Bool(!is_any),
        })
    }

    /// `not x`.
    pub(super) fn logical_not(&mut self, value: &Value, span: Span) -> Lowered<Value> {
        Ok(match self.condition(value, span)? {
            Truth::Known(known) => Value::Bool(!known),
            Truth::Open(node) => {
                let not = self.guard_node(Op::Not, &[node])?;
                self.bool_value(not)
            }
        })
    }

    /// A condition where only a known one has a meaning.
    pub(super) fn refuse_open(&mut self, tensor: &Tensor, span: Span) -> Stop {
        let source = self.dependence(tensor);
        self.fail(
            Draft::new(
                Kind::DynamicControl,
                span,
                format!("this condition depends on {source}"),
            )
            .expected("a condition on constants and shapes here: positions change")
            .help("loops are unrolled before the robot moves: go over all and choose with `torch.where`"),
        )
    }
}
