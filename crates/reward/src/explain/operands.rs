//! Mistakes whose mend depends on the expression that they are in.

use super::Text;
use crate::diagnostic::{Draft, Kind, Span};
use crate::syntax::{BoolOp, Expr, Stmt, Visitor, walk_expr, walk_stmt};

pub(super) fn explain(draft: &mut Draft, text: &Text<'_>) {
    match draft.kind {
        Kind::DynamicControl => condition(draft, text),
        Kind::Result => result(draft, text),
        Kind::Type => {
            if let Some(Expr::BinOp(binary)) = text.expression(draft.span)
                && let Some(side) = [&binary.left, &binary.right]
                    .into_iter()
                    .find(|side| side.is_string_literal_expr() || side.is_none_literal_expr())
            {
                draft.span = Span::of(&**side);
            }
        }
        Kind::KeypointIndex | Kind::Index => loop_variable(draft, text),
        _ => {}
    }
}

/// What `lower` says about a tuple that holds more than numbers.
const ALONE: &str = "return the reward alone";

/// Where a condition that cannot be known stands decides what to write instead.
fn condition(draft: &mut Draft, text: &Text<'_>) {
    let mut place = ConditionFinder {
        span: draft.span,
        found: None,
    };
    place.visit_body(text.module);
    let is_done = text
        .function(draft.span)
        .is_some_and(|function| function.name.as_str().ends_with("_done"));
    let help = match place.found {
        Some(Condition::And) => "use `&` between tensors, with parentheses: `(a) & (b)`",
        Some(Condition::Or) => "use `|` between tensors, with parentheses: `(a) | (b)`",
        Some(Condition::Assert) => "remove the assertion",
        Some(Condition::Loop) => {
            "loops are unrolled before the robot moves: go over all points and choose with `torch.where`"
        }
        Some(Condition::Branch) if is_done => {
            "return the margin itself, as in `return 0.03 - distance`: at or above 0 means done"
        }
        Some(Condition::Branch) => {
            "compute both results and choose: `torch.where(condition, a, b)`"
        }
        None => return,
    };
    draft.help = Some(help.to_owned());
}

enum Condition {
    And,
    Or,
    Assert,
    Loop,
    Branch,
}

struct ConditionFinder {
    span: Span,
    found: Option<Condition>,
}

impl ConditionFinder {
    fn is_it(&self, expression: &Expr) -> bool {
        Span::of(expression) == self.span
    }
}

impl<'a> Visitor<'a> for ConditionFinder {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        if !Span::of(statement).contains(self.span) {
            return;
        }
        match statement {
            Stmt::Assert(assert) if self.is_it(&assert.test) => {
                self.found = Some(Condition::Assert);
            }
            Stmt::While(repeat) if self.is_it(&repeat.test) => {
                self.found = Some(Condition::Loop);
            }
            Stmt::If(branch)
                if self.is_it(&branch.test)
                    || branch.elif_else_clauses.iter().any(|clause| {
                        clause.test.as_ref().is_some_and(|test| self.is_it(test))
                    }) =>
            {
                self.found = Some(Condition::Branch);
            }
            _ => walk_stmt(self, statement),
        }
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        match expression {
            Expr::If(branch) if self.is_it(&branch.test) => self.found = Some(Condition::Branch),
            Expr::BoolOp(chain) if chain.values.iter().any(|value| self.is_it(value)) => {
                self.found = Some(match chain.op {
                    BoolOp::And => Condition::And,
                    BoolOp::Or => Condition::Or,
                });
            }
            _ => walk_expr(self, expression),
        }
    }
}

/// What a function that returns nothing, or the wrong thing, should return.
fn result(draft: &mut Draft, text: &Text<'_>) {
    let Some(function) = text.function(draft.span) else {
        return;
    };
    if draft.span != Span::of(&function.name) {
        if draft.help.as_deref() != Some(ALONE)
            && let Some(Expr::Tuple(tuple)) = text.expression(draft.span)
        {
            let terms = tuple
                .elts
                .iter()
                .map(|term| Span::of(term).text(text.python));
            let sum = terms.collect::<Vec<_>>().join(" + ");
            if sum.len() <= 60 {
                draft.help = Some(format!("add the terms: `return {sum}`"));
            }
        }
        return;
    }
    let mut returns = Returns(Vec::new());
    returns.visit_body(&function.body);
    if let Some(&span) = returns.0.first() {
        draft.details.notes.push((
            span,
            "the program does not come by this `return`".to_owned(),
        ));
        draft.help = Some("return a number on every way through the function".to_owned());
        return;
    }
    let last = function
        .body
        .iter()
        .rev()
        .find_map(|statement| match statement {
            Stmt::Assign(assign) => assign.targets.first(),
            Stmt::AugAssign(assign) => Some(&*assign.target),
            _ => None,
        });
    draft.help = Some(match last {
        Some(Expr::Name(name)) => format!("end it with `return {}`", name.id),
        _ => "write the reward and return it; `return 0` asks for no guidance".to_owned(),
    });
}

struct Returns(Vec<Span>);

impl<'a> Visitor<'a> for Returns {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::Return(back) => self.0.push(Span::of(back)),
            // Its returns are its own.
            Stmt::FunctionDef(_) => {}
            _ => walk_stmt(self, statement),
        }
    }
}

/// An index that is a loop's variable: the loop.
fn loop_variable(draft: &mut Draft, text: &Text<'_>) {
    let Some(Expr::Name(index)) = text.expression(draft.span) else {
        return;
    };
    let mut loops = Loops {
        name: index.id.as_str(),
        inside: draft.span,
        found: None,
    };
    loops.visit_body(text.module);
    if let Some(span) = loops.found {
        let name = &index.id;
        draft
            .details
            .notes
            .push((span, format!("`{name}` takes its values from here")));
    }
}

struct Loops<'n> {
    name: &'n str,
    inside: Span,
    found: Option<Span>,
}

impl<'a> Visitor<'a> for Loops<'_> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        if !Span::of(statement).contains(self.inside) {
            return;
        }
        if let Stmt::For(each) = statement
            && matches!(&*each.target, Expr::Name(name) if name.id.as_str() == self.name)
        {
            self.found = Some(Span::of(&*each.iter));
        }
        walk_stmt(self, statement);
    }
}
