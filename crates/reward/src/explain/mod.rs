//! Makes mistakes understandable: what names, shapes and operands mean in this very program.
//!
//! Lowering says what is wrong where it finds it. What the text around it tells is added here,
//! once for the few mistakes that are shown: the operands' own names, the meaning of each
//! dimension, where a name was given its value, which stage it belongs to.

mod names;
mod operands;
mod shapes;
mod stages;
mod syntax;

use crate::diagnostic::{Draft, Kind, Span};
use crate::syntax::{Expr, Stmt, StmtFunctionDef, Visitor, walk_expr, walk_stmt};
pub(crate) use syntax::explain as explain_syntax;

/// The program that is being explained.
#[derive(Clone, Copy)]
pub(crate) struct Text<'a> {
    pub(crate) python: &'a str,
    pub(crate) module: &'a [Stmt],
    /// Keypoints of the scene.
    pub(crate) keypoints: usize,
    /// Points of a trajectory.
    pub(crate) points: usize,
}

impl<'a> Text<'a> {
    /// The function of the module level that `span` lies in.
    fn function(&self, span: Span) -> Option<&'a StmtFunctionDef> {
        self.module.iter().find_map(|statement| match statement {
            Stmt::FunctionDef(function) if Span::of(function).contains(span) => Some(function),
            _ => None,
        })
    }

    /// The expression that covers exactly `span`.
    fn expression(&self, span: Span) -> Option<&'a Expr> {
        let mut finder = Finder { span, found: None };
        finder.visit_body(self.module);
        finder.found
    }

    /// The first line of what `span` covers, shortened, as code.
    fn quoted(&self, span: Span) -> String {
        let text = span.text(self.python).lines().next().unwrap_or_default();
        match text.char_indices().nth(40) {
            Some((at, _)) => format!("`{}...`", &text[..at]),
            None => format!("`{text}`"),
        }
    }
}

struct Finder<'a> {
    span: Span,
    found: Option<&'a Expr>,
}

impl<'a> Visitor<'a> for Finder<'a> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        if Span::of(statement).contains(self.span) {
            walk_stmt(self, statement);
        }
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        let span = Span::of(expression);
        if span == self.span && self.found.is_none() {
            self.found = Some(expression);
        } else if span.contains(self.span) {
            walk_expr(self, expression);
        }
    }
}

/// Adds to every mistake what the program's text tells about it, and leaves out those that only
/// follow from another.
pub(crate) fn explain(mut drafts: Vec<Draft>, text: &Text<'_>) -> Vec<Draft> {
    stages::explain(&mut drafts, text);
    let others: Vec<(Kind, Span)> = drafts.iter().map(|d| (d.kind, d.span)).collect();
    drafts.retain_mut(|draft| match draft.kind {
        Kind::UnknownName => names::explain(draft, &others, text),
        _ => true,
    });
    for draft in &mut drafts {
        shapes::explain(draft, text);
        operands::explain(draft, text);
        called_from(draft, text);
    }
    drafts
}

/// A mistake inside a helper, in a stage or beside them: the first call that leads to it.
fn called_from(draft: &mut Draft, text: &Text<'_>) {
    let holds = |function: &StmtFunctionDef| Span::of(function).contains(draft.span);
    let Some(outer) = text.function(draft.span) else {
        return;
    };
    let inner = outer.body.iter().find_map(|statement| match statement {
        Stmt::FunctionDef(helper) if holds(helper) => Some(helper),
        _ => None,
    });
    let (helper, callers) = match inner {
        Some(inner) => (inner, outer.body.as_slice()),
        None if !outer.name.starts_with("stage") => (outer, text.module),
        None => return,
    };
    let mut calls = Calls {
        name: helper.name.as_str(),
        found: None,
    };
    for statement in callers {
        if !Span::of(statement).contains(draft.span) {
            calls.visit_stmt(statement);
        }
    }
    if let Some(span) = calls.found {
        draft
            .details
            .notes
            .push((span, format!("`{}` is called here", helper.name)));
    }
}

struct Calls<'n> {
    name: &'n str,
    found: Option<Span>,
}

impl<'a> Visitor<'a> for Calls<'_> {
    fn visit_expr(&mut self, expression: &'a Expr) {
        if let Expr::Call(call) = expression
            && matches!(&*call.func, Expr::Name(name) if name.id.as_str() == self.name)
        {
            self.found.get_or_insert(Span::of(call));
        }
        walk_expr(self, expression);
    }
}
