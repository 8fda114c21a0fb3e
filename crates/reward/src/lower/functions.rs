//! Function definitions with their decorators, `with` blocks and outer names.

use super::arguments::Call;
use super::statement::Flow;
use super::value::{Module, Value};
use super::{LocalBody, Lower, Lowered};
use crate::diagnostic::{Draft, Kind, Span};
use crate::syntax::{Expr, Identifier, StmtFunctionDef, StmtWith, WithItem};

impl<'a> Lower<'a> {
    /// What a `def` binds its name to.
    pub(super) fn function_value(&mut self, function: &'a StmtFunctionDef) -> Lowered<Value> {
        if function.is_async {
            return Err(self.fail(
                Draft::new(
                    Kind::Unsupported,
                    Span::of(&function.name),
                    "`async` is not part of the reward language",
                )
                .help("write a plain `def`"),
            ));
        }
        let body = LocalBody::Block(&function.body);
        let mut value = self.define(function.name.as_str(), Some(&function.parameters), body)?;
        for decorator in function.decorator_list.iter().rev() {
            let span = Span::of(&decorator.expression);
            if let Some(is_detached) = self.gradient_mode(&decorator.expression)? {
                if let Value::Local(local) = value {
                    self.locals[local].is_detached = Some(is_detached);
                }
                continue;
            }
            if is_inert_decorator(&decorator.expression) {
                continue;
            }
            let wrapper = self.expression(&decorator.expression)?;
            value = self.apply(&wrapper, vec![value], span)?;
        }
        Ok(value)
    }

    /// Takes over what the decorators of a stage say.
    pub(super) fn decorated(&mut self, function: &'a StmtFunctionDef) -> Lowered<()> {
        for decorator in &function.decorator_list {
            if let Some(is_detached) = self.gradient_mode(&decorator.expression)? {
                self.is_detached = is_detached;
            } else if !is_inert_decorator(&decorator.expression) {
                return Err(self.fail(
                    Draft::new(
                        Kind::Unsupported,
                        Span::of(&decorator.expression),
                        "this decorator of a stage is not part of the reward language",
                    )
                    .help("remove it"),
                ));
            }
        }
        Ok(())
    }

    /// `with torch.no_grad():`, whose results are constants to the gradient, and its like.
    pub(super) fn with(&mut self, with: &'a StmtWith) -> Lowered<Flow> {
        let mut is_detached = self.is_detached;
        for item in &with.items {
            match self.gradient_mode(&item.context_expr)? {
                Some(mode) if item.optional_vars.is_none() => is_detached = mode,
                _ if is_inert_context(item) => {}
                _ => {
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

    /// Whether `torch.no_grad` and the like, called or not, take the gradient away.
    fn gradient_mode(&mut self, expression: &'a Expr) -> Lowered<Option<bool>> {
        let (function, call) = match expression {
            Expr::Call(call) => (&*call.func, Some(call)),
            other => (other, None),
        };
        let path = dotted(function);
        let mode = match path.as_deref() {
            Some("torch.no_grad" | "torch.inference_mode" | "torch.autograd.no_grad") => true,
            Some("no_grad" | "inference_mode") => true,
            Some("torch.enable_grad" | "torch.autograd.enable_grad" | "enable_grad") => false,
            Some("torch.set_grad_enabled" | "torch.autograd.set_grad_enabled") => {
                let Some(argument) = call.and_then(|call| call.arguments.args.first()) else {
                    return Ok(None);
                };
                let value = self.expression(argument)?;
                !self.truth(&value, Span::of(argument))?
            }
            _ => return Ok(None),
        };
        // A name of one's own may hide the module.
        let root = path.as_deref().and_then(|path| path.split('.').next());
        if root == Some("torch")
            && !matches!(
                self.lookup("torch", Span::of(function))?,
                Value::Module(Module::Torch)
            )
        {
            return Ok(None);
        }
        if let Some(call) = call
            && let Some(argument) = call.arguments.args.first()
            && path
                .as_deref()
                .is_some_and(|path| path.ends_with("inference_mode"))
        {
            let value = self.expression(argument)?;
            return self.truth(&value, Span::of(argument)).map(Some);
        }
        Ok(Some(mode))
    }

    /// `global` and `nonlocal`: the names may be read as they are.
    pub(super) fn outer_names(&mut self, names: &'a [Identifier], is_global: bool) -> Lowered<()> {
        let mut frame = self.frame;
        if is_global {
            frame = super::scope::GLOBALS;
        } else if let Some(outer) = self.frames[self.frame].outer {
            frame = outer;
        }
        for name in names {
            self.charge(1)?;
            self.redirect(name.as_str(), frame);
        }
        Ok(())
    }

    /// Calls a function with values that stand for its arguments.
    pub(super) fn apply(
        &mut self,
        function: &Value,
        arguments: Vec<Value>,
        span: Span,
    ) -> Lowered<Value> {
        self.charge(1)?;
        let positional = arguments.into_iter().map(|value| (value, span)).collect();
        self.call_value(
            function,
            Call {
                name: "function".to_owned(),
                span,
                positional,
                keywords: Vec::new(),
            },
        )
    }
}

/// `a.b.c` as text.
pub(super) fn dotted(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Name(name) => Some(name.id.to_string()),
        Expr::Attribute(attribute) => {
            let base = dotted(&attribute.value)?;
            Some(format!("{base}.{}", attribute.attr))
        }
        _ => None,
    }
}

/// Decorators that change nothing about what a function returns.
pub(super) fn is_inert_decorator(decorator: &Expr) -> bool {
    let function = match decorator {
        Expr::Call(call) => &*call.func,
        other => other,
    };
    let Some(path) = dotted(function) else {
        return false;
    };
    let name = path.rsplit('.').next().unwrap_or(&path);
    path.starts_with("torch.jit.")
        || path.starts_with("typing.")
        || path.starts_with("abc.")
        || path == "torch.compile"
        || path == "torch.fx.wrap"
        || matches!(
            name,
            "lru_cache"
                | "cache"
                | "wraps"
                | "staticmethod"
                | "classmethod"
                | "property"
                | "cached_property"
                | "abstractmethod"
                | "override"
                | "overload"
                | "final"
                | "no_type_check"
                | "jaxtyped"
                | "beartype"
        )
}

/// Contexts in which everything goes on as outside.
fn is_inert_context(item: &WithItem) -> bool {
    let Expr::Call(call) = &item.context_expr else {
        return false;
    };
    let Some(path) = dotted(&call.func) else {
        return false;
    };
    item.optional_vars.is_none()
        && matches!(
            path.as_str(),
            "np.errstate"
                | "numpy.errstate"
                | "warnings.catch_warnings"
                | "torch.autograd.set_detect_anomaly"
                | "torch.autograd.detect_anomaly"
                | "torch.autograd.profiler.record_function"
                | "torch.profiler.record_function"
                | "contextlib.nullcontext"
                | "nullcontext"
                | "torch.device"
                | "torch.amp.autocast"
                | "torch.autocast"
                | "torch.cuda.amp.autocast"
        )
}
