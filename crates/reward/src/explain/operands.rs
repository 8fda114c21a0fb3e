//! Mistakes whose mend depends on the expression that they are in.

use super::Text;
use crate::diagnostic::{Draft, Kind, Span};
use crate::syntax::{BoolOp, Expr, Stmt, Visitor, walk_expr, walk_stmt};

pub(super) fn explain(draft: &mut Draft, text: &Text<'_>) {
    match draft.kind {
        Kind::Result => result(draft, text),
        Kind::Type => {
            condition(draft, text);
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
/// What it says about what is no number at all.
const NUMBER: &str = "return a number, or 0 for a stage without guidance";

/// Several values where Python wants one: between tensors other operators are meant.
fn condition(draft: &mut Draft, text: &Text<'_>) {
    let mut place = ConditionFinder {
        span: draft.span,
        found: None,
    };
    place.visit_body(text.module);
    let help = match place.found {
        Some(BoolOp::And) => "use `&` between tensors, with parentheses: `(a) & (b)`",
        Some(BoolOp::Or) => "use `|` between tensors, with parentheses: `(a) | (b)`",
        None => return,
    };
    draft.help = Some(help.to_owned());
}

struct ConditionFinder {
    span: Span,
    found: Option<BoolOp>,
}

impl<'a> Visitor<'a> for ConditionFinder {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        if Span::of(statement).contains(self.span) {
            walk_stmt(self, statement);
        }
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        match expression {
            Expr::BoolOp(chain)
                if chain
                    .values
                    .iter()
                    .any(|value| Span::of(value) == self.span) =>
            {
                self.found = Some(chain.op);
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
    if function.name.as_str().ends_with("_done") && draft.help.as_deref() == Some(NUMBER) {
        let help = "return a number that is at or above 0 once the stage is complete";
        draft.help = Some(help.to_owned());
    }
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
