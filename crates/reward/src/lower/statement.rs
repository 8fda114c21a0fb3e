//! Statements: assignments, static control flow and local functions.

use ruff_python_ast::{Expr, Stmt, StmtAugAssign, StmtFor, StmtIf};

use super::value::Value;
use super::{Local, LocalBody, Lower, Lowered, Stop};
use crate::diagnostic::{Draft, Kind, Span};
use crate::tensor::Tensor;

/// How a block ended.
pub(super) enum Flow {
    Next,
    Break,
    Continue,
    Return(Value, Span),
}

/// Refuses every import but those that the language's own names stand for.
pub(crate) fn check_import(statement: &Stmt) -> Result<(), Draft> {
    let refuse = |what: String| {
        Err(Draft::new(
            Kind::Import,
            Span::of(statement),
            format!("`{what}` cannot be imported"),
        )
        .expected("import torch, import torch.nn.functional as F, import numpy as np, import math")
        .help("remove the import: nothing else is available to a reward"))
    };
    match statement {
        Stmt::Import(import) => {
            for alias in &import.names {
                let name = alias.name.as_str();
                let bound = alias.asname.as_ref().map_or(name, |asname| asname.as_str());
                let known = matches!(
                    (name, bound),
                    ("torch", "torch")
                        | ("torch.nn", "torch.nn")
                        | ("torch.nn.functional", "F" | "torch.nn.functional")
                        | ("numpy", "np" | "numpy")
                        | ("math", "math")
                );
                if !known {
                    let renamed = if bound == name {
                        String::new()
                    } else {
                        format!(" as {bound}")
                    };
                    return refuse(format!("{name}{renamed}"));
                }
            }
            Ok(())
        }
        Stmt::ImportFrom(import) => {
            let module = import.module.as_ref().map_or("", |module| module.as_str());
            let only_functional = module == "torch.nn"
                && import.names.iter().all(|alias| {
                    alias.name.as_str() == "functional"
                        && alias
                            .asname
                            .as_ref()
                            .is_some_and(|asname| asname.as_str() == "F")
                });
            if only_functional {
                return Ok(());
            }
            let names: Vec<&str> = import.names.iter().map(|a| a.name.as_str()).collect();
            refuse(format!("from {module} import {}", names.join(", ")))
        }
        _ => Ok(()),
    }
}

impl<'a> Lower<'a> {
    /// Runs statements until one leaves the block. A statement that fails is reported, its
    /// targets become unknown, and the next one is checked.
    pub(super) fn block(&mut self, statements: &'a [Stmt]) -> Lowered<Flow> {
        for statement in statements {
            self.charge(1)?;
            self.graph.span = Span::of(statement);
            match self.statement(statement) {
                Ok(Flow::Next) => {}
                Ok(flow) => return Ok(flow),
                Err(Stop::Fatal) => return Err(Stop::Fatal),
                Err(Stop::Reported) => {
                    self.forget(statement);
                    if matches!(statement, Stmt::Return(_)) {
                        return Err(Stop::Reported);
                    }
                }
            }
        }
        Ok(Flow::Next)
    }

    fn statement(&mut self, statement: &'a Stmt) -> Lowered<Flow> {
        match statement {
            Stmt::Expr(expression) => {
                if !matches!(
                    &*expression.value,
                    Expr::StringLiteral(_) | Expr::EllipsisLiteral(_)
                ) {
                    self.expression(&expression.value)?;
                }
            }
            Stmt::Assign(assign) => {
                let value = self.expression(&assign.value)?;
                for target in &assign.targets {
                    self.bind(target, value.clone())?;
                }
            }
            Stmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    let value = self.expression(value)?;
                    self.bind(&assign.target, value)?;
                }
            }
            Stmt::AugAssign(assign) => self.augmented(assign)?,
            Stmt::If(branch) => return self.branch(branch),
            Stmt::For(each) => return self.each(each),
            Stmt::Return(back) => {
                let value = match &back.value {
                    Some(value) => self.expression(value)?,
                    None => Value::None,
                };
                return Ok(Flow::Return(value, Span::of(back)));
            }
            Stmt::Pass(_) => {}
            Stmt::Break(_) => return Ok(Flow::Break),
            Stmt::Continue(_) => return Ok(Flow::Continue),
            Stmt::Import(_) | Stmt::ImportFrom(_) => {
                check_import(statement).map_err(|draft| self.fail(draft))?;
            }
            Stmt::FunctionDef(function) => {
                self.locals.push(Local {
                    name: function.name.as_str(),
                    parameters: Some(&function.parameters),
                    body: LocalBody::Block(&function.body),
                });
                let local = Value::Local(self.locals.len() - 1);
                self.scope.insert(function.name.to_string(), Some(local));
            }
            Stmt::Assert(assert) => {
                let value = self.expression(&assert.test)?;
                if !self.truth(&value, Span::of(&*assert.test))? {
                    let span = Span::of(assert);
                    return Err(self.fail(Draft::new(
                        Kind::Arithmetic,
                        span,
                        "this assertion is always false",
                    )));
                }
            }
            other => {
                let (what, help) = unsupported(other);
                let span = Span::of(other);
                return Err(self.fail(
                    Draft::new(
                        Kind::Unsupported,
                        span,
                        format!("{what} is not part of the reward language"),
                    )
                    .help(help),
                ));
            }
        }
        Ok(Flow::Next)
    }

    fn branch(&mut self, branch: &'a StmtIf) -> Lowered<Flow> {
        let test = self.expression(&branch.test)?;
        if self.truth(&test, Span::of(&*branch.test))? {
            return self.block(&branch.body);
        }
        for clause in &branch.elif_else_clauses {
            let taken = match &clause.test {
                Some(test) => {
                    let value = self.expression(test)?;
                    self.truth(&value, Span::of(test))?
                }
                None => true,
            };
            if taken {
                return self.block(&clause.body);
            }
        }
        Ok(Flow::Next)
    }

    fn each(&mut self, each: &'a StmtFor) -> Lowered<Flow> {
        let iterable = self.expression(&each.iter)?;
        let items = self.iterate(iterable, Span::of(&*each.iter))?;
        for item in items {
            self.charge(1)?;
            self.bind(&each.target, item)?;
            match self.block(&each.body)? {
                Flow::Next | Flow::Continue => {}
                Flow::Break => return Ok(Flow::Next),
                Flow::Return(value, span) => return Ok(Flow::Return(value, span)),
            }
        }
        self.block(&each.orelse)
    }

    /// Assigns `value` to a name, a tuple of targets or part of a tensor.
    pub(super) fn bind(&mut self, target: &'a Expr, value: Value) -> Lowered<()> {
        let span = Span::of(target);
        match target {
            Expr::Name(name) => {
                self.scope.insert(name.id.to_string(), Some(value));
                Ok(())
            }
            Expr::Tuple(tuple) => self.unpack(&tuple.elts, value, span),
            Expr::List(list) => self.unpack(&list.elts, value, span),
            Expr::Subscript(subscript) => {
                let base = self.expression(&subscript.value)?;
                let Value::Tensor(tensor) = base else {
                    return Err(self.fail(
                        Draft::new(
                            Kind::Type,
                            span,
                            "only elements of a tensor can be assigned",
                        )
                        .found(base.describe())
                        .help("build a new list instead"),
                    ));
                };
                let place = self.place(&tensor, &subscript.value, &subscript.slice)?;
                self.overwrite(&place, value, span)
            }
            _ => Err(self.fail(
                Draft::new(Kind::Unsupported, span, "this cannot be assigned to")
                    .expected("a name, a tuple of names or part of a tensor"),
            )),
        }
    }

    fn unpack(&mut self, targets: &'a [Expr], value: Value, span: Span) -> Lowered<()> {
        let items = self.iterate(value, span)?;
        if items.len() != targets.len() {
            return Err(self.fail(
                Draft::new(Kind::Type, span, "the number of values to unpack differs")
                    .expected(format!("{} values", targets.len()))
                    .found(format!("{}", items.len())),
            ));
        }
        for (target, item) in targets.iter().zip(items) {
            self.bind(target, item)?;
        }
        Ok(())
    }

    /// Writes `value`, broadcast, into a view.
    fn overwrite(&mut self, place: &Tensor, value: Value, span: Span) -> Lowered<()> {
        let value = self.tensor_of(value, span)?;
        let value = self.broadcast_to(&value, &place.shape, span)?;
        place.write(&value.nodes());
        Ok(())
    }

    fn augmented(&mut self, assign: &'a StmtAugAssign) -> Lowered<()> {
        let span = Span::of(assign);
        let right = self.expression(&assign.value)?;
        match &*assign.target {
            Expr::Name(name) => {
                let left = self.lookup(name.id.as_str(), Span::of(name))?;
                self.graph.span = span;
                let result = self.binary_operator(assign.op, left.clone(), right, span)?;
                // As in PyTorch, a tensor is changed in place where its shape stays.
                if let (Value::Tensor(old), Value::Tensor(new)) = (&left, &result)
                    && old.shape == new.shape
                    && old.dtype == new.dtype
                    && !old.overlaps_itself()
                {
                    old.write(&new.nodes());
                    return Ok(());
                }
                self.scope.insert(name.id.to_string(), Some(result));
                Ok(())
            }
            Expr::Subscript(subscript) => {
                let base = self.expression(&subscript.value)?;
                let Value::Tensor(tensor) = base else {
                    return Err(self.fail(
                        Draft::new(
                            Kind::Type,
                            span,
                            "only elements of a tensor can be assigned",
                        )
                        .found(base.describe()),
                    ));
                };
                let place = self.place(&tensor, &subscript.value, &subscript.slice)?;
                let old = Value::Tensor(place.clone());
                let result = self.binary_operator(assign.op, old, right, span)?;
                self.overwrite(&place, result, span)
            }
            _ => Err(self.fail(Draft::new(
                Kind::Unsupported,
                span,
                "this cannot be assigned to",
            ))),
        }
    }

    /// Marks everything that a failed statement would have bound as unknown, so that its users
    /// are not reported again.
    fn forget(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::Assign(assign) => {
                for target in &assign.targets {
                    self.forget_target(target);
                }
            }
            Stmt::AnnAssign(assign) => self.forget_target(&assign.target),
            Stmt::AugAssign(assign) => self.forget_target(&assign.target),
            Stmt::For(each) => {
                self.forget_target(&each.target);
                self.forget_block(&each.body);
            }
            Stmt::If(branch) => {
                self.forget_block(&branch.body);
                for clause in &branch.elif_else_clauses {
                    self.forget_block(&clause.body);
                }
            }
            _ => {}
        }
    }

    fn forget_block(&mut self, statements: &'a [Stmt]) {
        for statement in statements {
            self.forget(statement);
        }
    }

    fn forget_target(&mut self, target: &'a Expr) {
        match target {
            Expr::Name(name) => {
                self.scope.insert(name.id.to_string(), None);
            }
            Expr::Tuple(tuple) => tuple
                .elts
                .iter()
                .for_each(|target| self.forget_target(target)),
            Expr::List(list) => list
                .elts
                .iter()
                .for_each(|target| self.forget_target(target)),
            Expr::Subscript(subscript) => self.forget_target(&subscript.value),
            _ => {}
        }
    }
}

/// A statement that the language does not have, in words, and what to do instead.
fn unsupported(statement: &Stmt) -> (&'static str, &'static str) {
    match statement {
        Stmt::While(_) => ("`while`", "use `for` over a range that is known in advance"),
        Stmt::With(_) => ("`with`", "remove it; gradients are always computed"),
        Stmt::Try(_) | Stmt::Raise(_) => ("exception handling", "remove it"),
        Stmt::ClassDef(_) => ("`class`", "write plain functions"),
        Stmt::Global(_) | Stmt::Nonlocal(_) => (
            "`global`",
            "every stage must be self-contained: define the value inside it",
        ),
        Stmt::Delete(_) => ("`del`", "remove it"),
        Stmt::Match(_) => ("`match`", "use `if` and `elif`"),
        _ => (
            "this statement",
            "use assignments, `if`, `for` and `return`",
        ),
    }
}
