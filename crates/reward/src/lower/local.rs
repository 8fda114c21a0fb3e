//! Functions that a stage defines for itself.

use super::arguments::{Bound, Call};
use super::statement::Flow;
use super::value::Value;
use super::{Local, LocalBody, Lower, Lowered, MAX_PARAMETERS};
use crate::diagnostic::{Draft, Kind, Span};
use crate::syntax::Parameters;

/// Local functions calling one another.
const MAX_CALL_DEPTH: usize = 8;

impl<'a> Lower<'a> {
    /// A function or lambda defined inside a stage, with its defaults evaluated now.
    pub(super) fn define(
        &mut self,
        name: &'a str,
        parameters: Option<&'a Parameters>,
        body: LocalBody<'a>,
    ) -> Lowered<Value> {
        let mut defaults = Vec::new();
        if let Some(parameters) = parameters {
            for parameter in parameters.iter_non_variadic_params() {
                self.charge(1)?;
                defaults.push(match &parameter.default {
                    Some(default) => Some(self.expression(default)?),
                    None => None,
                });
            }
        }
        self.locals.push(Local {
            name,
            parameters,
            defaults: defaults.into(),
            body,
            frame: self.frame,
        });
        Ok(Value::Local(self.locals.len() - 1))
    }

    pub(super) fn call_local(&mut self, local: usize, call: Call) -> Lowered<Value> {
        let function = self.locals[local].clone();
        if self.call_depth >= MAX_CALL_DEPTH {
            return Err(self.fail(
                Draft::new(
                    Kind::Limit,
                    call.span,
                    "functions call one another too deeply",
                )
                .expected(format!("at most {MAX_CALL_DEPTH} calls inside one another"))
                .help("use a `for` loop instead of recursion"),
            ));
        }
        let mut names = Vec::new();
        let mut specification = String::new();
        if let Some(parameters) = function.parameters {
            if let Some(rest) = &parameters.kwarg {
                return Err(self.fail(
                    Draft::new(
                        Kind::Unsupported,
                        Span::of(&**rest),
                        "`**` parameters are not part of the reward language",
                    )
                    .help("name the parameters"),
                ));
            }
            let count = parameters.len();
            if count > MAX_PARAMETERS {
                return Err(self.fail(
                    Draft::new(
                        Kind::Limit,
                        call.span,
                        "this function has too many parameters",
                    )
                    .expected(format!("at most {MAX_PARAMETERS}"))
                    .found(format!("{count}")),
                ));
            }
            self.charge(count)?;
            for parameter in parameters.iter_non_variadic_params() {
                let name = parameter.parameter.name.as_str();
                names.push(name);
                if parameters.vararg.is_some()
                    && names.len() == parameters.posonlyargs.len() + parameters.args.len() + 1
                {
                    specification.push_str("*rest ");
                }
                specification.push_str(name);
                specification.push_str(if parameter.default.is_some() {
                    "? "
                } else {
                    " "
                });
            }
            if let Some(rest) = &parameters.vararg {
                let plain = parameters.posonlyargs.len() + parameters.args.len();
                names.insert(plain, rest.name.as_str());
                if parameters.kwonlyargs.is_empty() {
                    specification.push_str("*rest");
                }
            }
        }
        let rest = specification
            .split_whitespace()
            .position(|name| name.starts_with('*'));
        let bound = Bound::new(self, call, &specification)?;
        let locals = self.locals.len();
        let outer = self.enter(function.frame, true);
        for (position, name) in names.into_iter().enumerate() {
            self.charge(1)?;
            let value = match rest {
                Some(rest) if position == rest => bound
                    .given(rest)
                    .cloned()
                    .unwrap_or_else(|| Value::tuple(Vec::new())),
                _ => {
                    let own = position - usize::from(rest.is_some_and(|rest| position > rest));
                    let default = function.defaults.get(own).cloned().flatten();
                    bound
                        .given(position)
                        .cloned()
                        .or(default)
                        .unwrap_or(Value::None)
                }
            };
            self.assign(name, Some(value));
        }
        self.call_depth += 1;
        let result = match function.body {
            LocalBody::Expression(expression) => self.expression(expression),
            LocalBody::Block(statements) => self.block(statements).map(|flow| match flow {
                Flow::Return(value, _) => value,
                _ => Value::None,
            }),
        };
        self.call_depth -= 1;
        self.leave(outer, locals);
        result
    }
}
