//! Statements: assignments, static control flow and local functions.

use super::value::{Module, Value};
use super::{LocalBody, Lower, Lowered, Stop};
use crate::diagnostic::{Draft, Kind, Span};
use crate::syntax::{
    Alias, Expr, Operator, Stmt, StmtAugAssign, StmtFor, StmtIf, StmtWhile, StmtWith, WithItem,
};

/// How a block ended.
pub(super) enum Flow {
    Next,
    Break,
    Continue,
    Return(Value, Span),
}

impl<'a> Lower<'a> {
    /// Runs statements until one leaves the block. A statement that fails is reported, its
    /// targets become unknown, and the next one is checked.
    pub(super) fn block(&mut self, statements: &'a [Stmt]) -> Lowered<Flow> {
        let span = self.graph.span;
        let flow = self
            .descend(span)
            .and_then(|()| self.statements(statements));
        self.depth -= 1;
        flow
    }

    fn statements(&mut self, statements: &'a [Stmt]) -> Lowered<Flow> {
        for statement in statements {
            self.charge(1)?;
            self.graph.span = Span::of(statement);
            match self.statement(statement) {
                Ok(Flow::Next) => {}
                Ok(flow) => return Ok(flow),
                Err(Stop::Fatal) => return Err(Stop::Fatal),
                Err(Stop::Reported) => {
                    self.forget(statement)?;
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
            Stmt::While(repeat) => return self.repeat(repeat),
            Stmt::With(with) => return self.with(with),
            Stmt::Return(back) => {
                let value = match &back.value {
                    Some(value) => self.expression(value)?,
                    None => Value::None,
                };
                let span = match &back.value {
                    Some(value) => Span::of(&**value),
                    None => Span::of(back),
                };
                return Ok(Flow::Return(value, span));
            }
            Stmt::Pass(_) => {}
            Stmt::Break(_) => return Ok(Flow::Break),
            Stmt::Continue(_) => return Ok(Flow::Continue),
            Stmt::Import(_) | Stmt::ImportFrom(_) => {
                self.import(statement)?;
            }
            Stmt::FunctionDef(function) => {
                if function.is_async || !function.decorator_list.is_empty() {
                    return Err(self.fail(
                        Draft::new(
                            Kind::Unsupported,
                            Span::of(&function.name),
                            "a function inside a stage is a plain `def`",
                        )
                        .help("remove `async` and decorators"),
                    ));
                }
                let name = function.name.as_str();
                let body = LocalBody::Block(&function.body);
                let local = self.define(name, Some(&function.parameters), body)?;
                self.assign(name, Some(local));
            }
            Stmt::Delete(delete) => {
                for target in &delete.targets {
                    self.delete(target)?;
                }
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

    fn repeat(&mut self, repeat: &'a StmtWhile) -> Lowered<Flow> {
        loop {
            self.charge(1)?;
            let test = self.expression(&repeat.test)?;
            if !self.truth(&test, Span::of(&*repeat.test))? {
                return self.block(&repeat.orelse);
            }
            match self.block(&repeat.body)? {
                Flow::Next | Flow::Continue => {}
                Flow::Break => return Ok(Flow::Next),
                Flow::Return(value, span) => return Ok(Flow::Return(value, span)),
            }
        }
    }

    /// `with torch.no_grad():`, whose results are constants to the gradient, and its opposite.
    fn with(&mut self, with: &'a StmtWith) -> Lowered<Flow> {
        let mut is_detached = self.is_detached;
        for item in &with.items {
            match self.gradient_mode(item) {
                Some(mode) => is_detached = mode,
                None => {
                    return Err(self.fail(
                        Draft::new(
                            Kind::Unsupported,
                            Span::of(item),
                            "this `with` is not part of the reward language",
                        )
                        .expected("`with torch.no_grad():`")
                        .help("remove it"),
                    ));
                }
            }
        }
        let outer = std::mem::replace(&mut self.is_detached, is_detached);
        let flow = self.block(&with.body);
        self.is_detached = outer;
        flow
    }

    fn gradient_mode(&mut self, item: &'a WithItem) -> Option<bool> {
        let Expr::Call(call) = &item.context_expr else {
            return None;
        };
        let Expr::Attribute(function) = &*call.func else {
            return None;
        };
        let Expr::Name(module) = &*function.value else {
            return None;
        };
        let module = self.lookup(module.id.as_str(), Span::of(module));
        if !matches!(module, Ok(Value::Module(Module::Torch)))
            || !call.arguments.is_empty()
            || item.optional_vars.is_some()
        {
            return None;
        }
        match function.attr.as_str() {
            "no_grad" | "inference_mode" => Some(true),
            "enable_grad" => Some(false),
            _ => None,
        }
    }

    /// Assigns `value` to a name, a tuple of targets or an element.
    pub(super) fn bind(&mut self, target: &'a Expr, value: Value) -> Lowered<()> {
        let span = Span::of(target);
        match target {
            Expr::Name(name) => {
                self.assign(name.id.as_str(), Some(value));
                Ok(())
            }
            Expr::Tuple(tuple) => self.unpack(&tuple.elts, value, span),
            Expr::List(list) => self.unpack(&list.elts, value, span),
            Expr::Subscript(subscript) => {
                let place = self.place(subscript)?;
                self.write(&place, value, span)
            }
            _ => Err(self.cannot_assign(span)),
        }
    }

    fn cannot_assign(&mut self, span: Span) -> Stop {
        self.fail(
            Draft::new(Kind::Unsupported, span, "this cannot be assigned to")
                .expected("a name, a tuple of names or part of a tensor"),
        )
    }

    fn unpack(&mut self, targets: &'a [Expr], value: Value, span: Span) -> Lowered<()> {
        let mut items = self.iterate(value, span)?;
        let star = targets.iter().position(|t| matches!(t, Expr::Starred(_)));
        let fits = match star {
            Some(_) => items.len() + 1 >= targets.len(),
            None => items.len() == targets.len(),
        };
        if !fits {
            let least = if star.is_some() { "at least " } else { "" };
            let wanted = targets.len() - usize::from(star.is_some());
            return Err(self.fail(
                Draft::new(Kind::Type, span, "the number of values to unpack differs")
                    .expected(format!("{least}{wanted} values"))
                    .found(format!("{}", items.len()))
                    .help("the first dimension is unpacked; `x.unbind(dim=-1)` gives x, y and z"),
            ));
        }
        if let Some(star) = star {
            let rest = items.len() + 1 - targets.len();
            let rest: Vec<Value> = items.drain(star..star + rest).collect();
            let rest = self.new_list(rest);
            items.insert(star, rest);
        }
        for (target, item) in targets.iter().zip(items) {
            match target {
                Expr::Starred(starred) => self.bind(&starred.value, item)?,
                plain => self.bind(plain, item)?,
            }
        }
        Ok(())
    }

    fn delete(&mut self, target: &'a Expr) -> Lowered<()> {
        match target {
            Expr::Name(name) if self.unbind(name.id.as_str()) => Ok(()),
            Expr::Tuple(tuple) => tuple.elts.iter().try_for_each(|item| self.delete(item)),
            Expr::Subscript(subscript) => {
                let place = self.place(subscript)?;
                self.remove(&place, Span::of(target))
            }
            _ => Err(self.fail(
                Draft::new(
                    Kind::Unsupported,
                    Span::of(target),
                    "this cannot be deleted",
                )
                .help("remove the `del`"),
            )),
        }
    }

    fn augmented(&mut self, assign: &'a StmtAugAssign) -> Lowered<()> {
        let span = Span::of(assign);
        match &*assign.target {
            Expr::Name(name) => {
                let name = name.id.as_str();
                let left = self.lookup(name, Span::of(&*assign.target))?;
                if !self.is_own(name) {
                    return Err(self.fail(
                        Draft::new(
                            Kind::UnknownName,
                            Span::of(&*assign.target),
                            format!("`{name}` belongs to the function around this one"),
                        )
                        .help("return the new value, and assign it outside"),
                    ));
                }
                let right = self.expression(&assign.value)?;
                self.graph.span = span;
                if let (Value::ListRef(list), Operator::Add) = (&left, assign.op) {
                    let items = self.iterate(right, span)?;
                    return self.extend(*list, items, span);
                }
                let (result, in_place) = self.augment(assign.op, &left, right, span)?;
                // As in PyTorch, a tensor is changed in place where its shape stays.
                if let (Value::Tensor(old), Value::Tensor(new), true) = (&left, &result, in_place) {
                    return self.overwrite(old, new, span);
                }
                self.assign(name, Some(result));
                Ok(())
            }
            Expr::Subscript(subscript) => {
                let place = self.place(subscript)?;
                let old = self.read(&place)?;
                let right = self.expression(&assign.value)?;
                self.graph.span = span;
                self.check_masked_operand(&place, &right, span)?;
                let (result, _) = self.augment(assign.op, &old, right, span)?;
                self.rewrite(&place, result, span)
            }
            target => Err(self.cannot_assign(Span::of(target))),
        }
    }

    /// Marks everything that a failed statement would have bound as unknown, so that its users
    /// are not reported again.
    pub(super) fn forget(&mut self, statement: &'a Stmt) -> Lowered<()> {
        for name in target_names(statement) {
            self.charge(1)?;
            self.assign(name, None);
        }
        Ok(())
    }
}

/// The names that a statement binds or changes.
pub(super) fn target_names(statement: &Stmt) -> Vec<&str> {
    let mut names = Vec::new();
    collect_names(statement, &mut names);
    names
}

fn collect_names<'s>(statement: &'s Stmt, names: &mut Vec<&'s str>) {
    let mut block = |statements: &'s [Stmt]| {
        for statement in statements {
            collect_names(statement, names);
        }
    };
    match statement {
        Stmt::If(branch) => {
            block(&branch.body);
            for clause in &branch.elif_else_clauses {
                block(&clause.body);
            }
        }
        Stmt::While(repeat) => block(&repeat.body),
        Stmt::With(with) => block(&with.body),
        Stmt::For(each) => {
            block(&each.body);
            collect_targets(&each.target, names);
        }
        Stmt::Assign(assign) => {
            for target in &assign.targets {
                collect_targets(target, names);
            }
        }
        Stmt::AnnAssign(assign) => collect_targets(&assign.target, names),
        Stmt::AugAssign(assign) => collect_targets(&assign.target, names),
        Stmt::FunctionDef(function) => names.push(function.name.as_str()),
        Stmt::Import(import) => collect_aliases(&import.names, names),
        Stmt::ImportFrom(import) => collect_aliases(&import.names, names),
        _ => {}
    }
}

fn collect_aliases<'s>(aliases: &'s [Alias], names: &mut Vec<&'s str>) {
    for alias in aliases {
        names.push(alias.asname.as_ref().unwrap_or(&alias.name).as_str());
    }
}

fn collect_targets<'s>(target: &'s Expr, names: &mut Vec<&'s str>) {
    match target {
        Expr::Name(name) => names.push(name.id.as_str()),
        Expr::Tuple(tuple) => tuple.elts.iter().for_each(|t| collect_targets(t, names)),
        Expr::List(list) => list.elts.iter().for_each(|t| collect_targets(t, names)),
        Expr::Starred(starred) => collect_targets(&starred.value, names),
        Expr::Subscript(subscript) => collect_targets(&subscript.value, names),
        _ => {}
    }
}

/// A statement that the language does not have, in words, and what to do instead.
fn unsupported(statement: &Stmt) -> (&'static str, &'static str) {
    match statement {
        Stmt::Try(_) => (
            "`try`",
            "remove it, and keep the body: nothing is thrown here",
        ),
        Stmt::Raise(_) => (
            "`raise`",
            "remove it: mistakes are found before the robot moves",
        ),
        Stmt::ClassDef(_) => ("`class`", "write plain functions"),
        Stmt::Global(_) | Stmt::Nonlocal(_) => (
            "`global`",
            "every stage must be self-contained: define the value inside it",
        ),
        Stmt::Match(_) => ("`match`", "use `if` and `elif`"),
        _ => (
            "this statement",
            "use assignments, `if`, `for` and `return`",
        ),
    }
}
