//! Statements: assignments, static control flow and local functions.

use super::value::Value;
use super::{Lower, Lowered, Stop};
use crate::diagnostic::{Draft, Kind, Span};
use crate::syntax::{
    Alias, ExceptHandler, Expr, Operator, Stmt, StmtAugAssign, StmtFor, StmtWhile,
};

/// How a block ended.
#[derive(Clone)]
pub(super) enum Flow {
    Next,
    Break,
    Continue,
    Return(Value, Span),
    /// The program raises here, on a way that positions never take.
    Never,
}

impl Flow {
    /// How far out it leads: to the end of the iteration, of the loop or of the function.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Flow::Next => 0,
            Flow::Continue => CONTINUE,
            Flow::Break => BREAK,
            Flow::Return(..) => RETURN,
            Flow::Never => RETURN + 1,
        }
    }
}

pub(super) const CONTINUE: u8 = 1;
pub(super) const BREAK: u8 = 2;
const RETURN: u8 = 3;

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
            let flow = self.statement(statement);
            self.settle_choices()?;
            if let Some(name) = self.changed_global.take() {
                self.no_memory(&name, Span::of(statement));
            }
            match flow {
                Ok(Flow::Next) => {}
                Ok(flow) => return Ok(flow),
                Err(stop @ (Stop::Fatal | Stop::Raised)) => return Err(stop),
                Err(Stop::Never) => return Ok(Flow::Never),
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
                let value = self.function_value(function)?;
                self.assign(function.name.as_str(), Some(value));
            }
            Stmt::ClassDef(class) => {
                let value = self.class(class)?;
                self.assign(class.name.as_str(), Some(value));
            }
            Stmt::Raise(raise) => return self.raise(raise),
            Stmt::Try(block) => return self.try_block(block),
            Stmt::Match(choice) => return self.choice(choice),
            Stmt::Global(global) => self.outer_names(&global.names, true)?,
            Stmt::Nonlocal(outer) => self.outer_names(&outer.names, false)?,
            Stmt::Delete(delete) => {
                for target in &delete.targets {
                    self.delete(target)?;
                }
            }
            Stmt::Assert(assert) => self.assertion(assert)?,
            other => {
                return Err(self.fail(
                    Draft::new(
                        Kind::Unsupported,
                        Span::of(other),
                        "this statement is not part of the reward language",
                    )
                    .help("use assignments, `if`, `for` and `return`"),
                ));
            }
        }
        Ok(Flow::Next)
    }

    fn each(&mut self, each: &'a StmtFor) -> Lowered<Flow> {
        let items = self
            .expression(&each.iter)
            .and_then(|iterable| self.iterate(iterable, Span::of(&*each.iter)));
        let items = match items {
            // The body is checked all the same.
            Err(Stop::Reported) => {
                self.forget_target(&each.target)?;
                self.block(&each.body)?;
                return Err(Stop::Reported);
            }
            items => items?,
        };
        let mark = self.exits.len();
        for item in items {
            self.charge(1)?;
            self.bind(&each.target, item)?;
            match self.iteration(&each.body, mark)? {
                None => {}
                Some(flow) => return Ok(flow),
            }
        }
        let flow = self.block(&each.orelse)?;
        self.rejoin(mark, BREAK, flow)
    }

    fn repeat(&mut self, repeat: &'a StmtWhile) -> Lowered<Flow> {
        let mark = self.exits.len();
        loop {
            self.charge(1)?;
            let test = self.expression(&repeat.test)?;
            if !self.truth(&test, Span::of(&*repeat.test))? {
                let flow = self.block(&repeat.orelse)?;
                return self.rejoin(mark, BREAK, flow);
            }
            if let Some(flow) = self.iteration(&repeat.body, mark)? {
                return Ok(flow);
            }
        }
    }

    /// One round of a loop; how the loop ends, if it does.
    fn iteration(&mut self, body: &'a [Stmt], mark: usize) -> Lowered<Option<Flow>> {
        let start = self.exits.len();
        let flow = self.block(body)?;
        let flow = match self.rejoin(start, CONTINUE, flow)? {
            Flow::Next | Flow::Continue => return Ok(None),
            flow => flow,
        };
        Ok(Some(match self.rejoin(mark, BREAK, flow)? {
            Flow::Break => Flow::Next,
            flow => flow,
        }))
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
            Expr::Attribute(attribute) => {
                let base = self.expression(&attribute.value)?;
                self.set_attribute(base, attribute.attr.as_str(), value, span)
            }
            _ => Err(self.cannot_assign(span)),
        }
    }

    /// A name of the module level would have another value at the next call.
    fn no_memory(&mut self, name: &str, span: Span) {
        self.fail(
            Draft::new(
                Kind::Unsupported,
                span,
                format!("`{name}` of the module level is changed"),
            )
            .expected("a reward that is the same at every call")
            .help("use a name of its own inside the function"),
        );
    }

    pub(super) fn cannot_assign(&mut self, span: Span) -> Stop {
        self.fail(
            Draft::new(Kind::Unsupported, span, "this cannot be assigned to")
                .expected("a name, a tuple of names, part of a tensor or an attribute of an object")
                .help("remove it, or give the value a plain name"),
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
            Expr::Attribute(attribute) => {
                let base = self.expression(&attribute.value)?;
                let name = attribute.attr.as_str();
                let left = self.attribute(base.clone(), name, Span::of(attribute))?;
                let right = self.expression(&assign.value)?;
                self.graph.span = span;
                let result = self.binary_operator(assign.op, left, right, span)?;
                self.set_attribute(base, name, result, span)
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

    fn forget_target(&mut self, target: &'a Expr) -> Lowered<()> {
        let mut names = Vec::new();
        collect_targets(target, &mut names);
        self.charge(names.len())?;
        names.into_iter().for_each(|name| self.assign(name, None));
        Ok(())
    }
}

/// Methods that change what they belong to.
const CHANGING: [&str; 9] = [
    "append",
    "extend",
    "insert",
    "update",
    "add",
    "setdefault",
    "remove",
    "appendleft",
    "discard",
];

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
        Stmt::Try(tried) => {
            block(&tried.body);
            for handler in &tried.handlers {
                let ExceptHandler::ExceptHandler(handler) = handler;
                block(&handler.body);
            }
            block(&tried.orelse);
            block(&tried.finalbody);
        }
        Stmt::Match(choice) => choice.cases.iter().for_each(|case| block(&case.body)),
        // `xs.append(x)` that fails leaves `xs` unknown.
        Stmt::Expr(expression) => {
            if let Expr::Call(call) = &*expression.value
                && let Expr::Attribute(method) = &*call.func
                && CHANGING.contains(&method.attr.as_str())
            {
                collect_targets(&method.value, names);
            }
        }
        Stmt::ClassDef(class) => names.push(class.name.as_str()),
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
