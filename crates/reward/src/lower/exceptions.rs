//! `raise`, `assert` and `try`: what Python would raise is known as the program is compiled.

use super::branch::Truth;
use super::statement::Flow;
use super::value::Value;
use super::{Lower, Lowered, Stop};
use crate::diagnostic::{Draft, Kind, Span};
use crate::syntax::{
    ExceptHandler, ExceptHandlerExceptHandler, Expr, StmtAssert, StmtRaise, StmtTry,
};

/// What was raised where a handler waits for it.
pub(super) struct Exception {
    /// Python's class, or several where what is reported here does not tell them apart.
    classes: Vec<String>,
    /// The mistake that it is where no handler takes it.
    draft: Draft,
}

/// The exceptions that Python raises for what is reported as `kind`; none where the language
/// lacks something.
fn classes_of(draft: &Draft) -> &'static [&'static str] {
    match draft.kind {
        Kind::KeypointIndex => &["IndexError"],
        Kind::Index if draft.message.contains("key") => &["KeyError"],
        Kind::Index => &["IndexError", "ValueError"],
        Kind::Arithmetic => &["ZeroDivisionError", "ValueError", "AssertionError"],
        Kind::Shape => &["RuntimeError", "ValueError"],
        Kind::Type => &["TypeError", "ValueError", "RuntimeError"],
        Kind::UnknownName => &["NameError"],
        _ => &[],
    }
}

/// The classes that catch one of `class`.
fn parents(class: &str) -> &'static [&'static str] {
    match class {
        "IndexError" | "KeyError" => &["LookupError", "Exception", "BaseException"],
        "ZeroDivisionError" | "OverflowError" | "FloatingPointError" => {
            &["ArithmeticError", "Exception", "BaseException"]
        }
        "NotImplementedError" => &["RuntimeError", "Exception", "BaseException"],
        _ => &["Exception", "BaseException"],
    }
}

fn last_name(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        _ => None,
    }
}

/// How many classes a handler waits for.
fn class_count(handler: &ExceptHandlerExceptHandler) -> usize {
    match handler.type_.as_deref() {
        Some(Expr::Tuple(tuple)) => tuple.elts.len(),
        _ => 1,
    }
}

fn catches(handler: &ExceptHandlerExceptHandler, exception: &Exception) -> bool {
    let Some(wanted) = &handler.type_ else {
        return true;
    };
    let one = |wanted: &Expr| {
        last_name(wanted).is_some_and(|wanted| {
            exception
                .classes
                .iter()
                .any(|class| class == wanted || parents(class).contains(&wanted))
        })
    };
    match &**wanted {
        Expr::Tuple(tuple) => tuple.elts.iter().any(one),
        wanted => one(wanted),
    }
}

impl<'a> Lower<'a> {
    /// Hands a mistake to the handler that waits for it, if Python would.
    pub(super) fn raise_instead(&mut self, draft: Draft) -> Result<Draft, Stop> {
        let classes = classes_of(&draft);
        if !self.is_tried || classes.is_empty() {
            return Ok(draft);
        }
        *self.work_left = self.work_left.saturating_sub(super::MISTAKE_WORK);
        self.raised = Some(Exception {
            classes: classes.iter().map(|&class| class.to_owned()).collect(),
            draft,
        });
        Err(Stop::Raised)
    }

    pub(super) fn raise(&mut self, raise: &'a StmtRaise) -> Lowered<Flow> {
        let mut class = "Exception".to_owned();
        if let Some(exception) = &raise.exc {
            let (named, arguments) = match &**exception {
                Expr::Call(call) => (&*call.func, call.arguments.args.as_ref()),
                other => (other, [].as_slice()),
            };
            class = last_name(named).unwrap_or("Exception").to_owned();
            for argument in arguments {
                self.expression(argument)?;
            }
        }
        let span = Span::of(raise);
        // Positions for which a program gives up do not come up.
        if self.path.is_some() {
            return Ok(Flow::Never);
        }
        let draft = Draft::new(
            Kind::Arithmetic,
            span,
            format!("this is reached, and raises `{class}`"),
        )
        .help("the condition around it holds for every trajectory: mend what it checks");
        if self.is_tried {
            self.raised = Some(Exception {
                classes: vec![class],
                draft,
            });
            return Err(Stop::Raised);
        }
        Err(self.fail(draft))
    }

    /// `assert`: one on positions holds for those that come up.
    pub(super) fn assertion(&mut self, assert: &'a StmtAssert) -> Lowered<()> {
        let test = self
            .expression(&assert.test)
            .and_then(|value| self.condition(&value, Span::of(&*assert.test)));
        // The message is read only when the test fails, but a mistake in it is one.
        if let Some(message) = &assert.msg {
            self.expression(message)?;
        }
        match test? {
            Truth::Known(false) if self.path.is_none() => {
                let span = Span::of(assert);
                Err(self.fail(
                    Draft::new(Kind::Arithmetic, span, "this assertion is always false")
                        .help("mend what it checks, or remove it"),
                ))
            }
            Truth::Known(false) => Err(Stop::Never),
            _ => Ok(()),
        }
    }

    pub(super) fn try_block(&mut self, block: &'a StmtTry) -> Lowered<Flow> {
        let flow = self.try_body(block);
        if block.finalbody.is_empty() || matches!(flow, Err(Stop::Fatal)) {
            return flow;
        }
        // What `finally` itself raises and takes is not what waits for a handler.
        let raised = self.raised.take();
        let last = self.block(&block.finalbody)?;
        self.raised = raised;
        match last {
            Flow::Next => flow,
            last => Ok(last),
        }
    }

    fn try_body(&mut self, block: &'a StmtTry) -> Lowered<Flow> {
        let has_handler = !block.handlers.is_empty();
        let was_tried = self.is_tried;
        self.is_tried |= has_handler;
        let flow = self.block(&block.body);
        self.is_tried = was_tried;
        match flow {
            Err(Stop::Raised) if has_handler => self.handle(block),
            Ok(Flow::Next) => self.block(&block.orelse),
            flow => flow,
        }
    }

    /// Runs the handler of what was raised, if there is one.
    fn handle(&mut self, block: &'a StmtTry) -> Lowered<Flow> {
        let Some(exception) = self.raised.take() else {
            return Err(Stop::Reported);
        };
        let mut found = None;
        for ExceptHandler::ExceptHandler(handler) in &block.handlers {
            self.charge(1 + class_count(handler) / 4)?;
            if catches(handler, &exception) {
                found = Some(handler);
                break;
            }
        }
        let Some(handler) = found else {
            if self.is_tried {
                self.raised = Some(exception);
                return Err(Stop::Raised);
            }
            return Err(self.fail(exception.draft));
        };
        if let Some(name) = &handler.name {
            self.assign(name.as_str(), Some(Value::Text(None)));
        }
        self.block(&handler.body)
    }
}
