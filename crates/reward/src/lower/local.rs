//! Functions that a program defines: beside its stages, inside them or as `lambda`.

use super::arguments::{Bound, Call};
use super::statement::Flow;
use super::value::Value;
use super::{Local, LocalBody, Lower, Lowered, MAX_PARAMETERS, Stop};
use crate::diagnostic::{Draft, Kind};
use crate::syntax::Parameters;

/// Local functions calling one another.
const MAX_CALL_DEPTH: usize = 8;

impl<'a> Lower<'a> {
    /// A function or lambda of the program, with its defaults evaluated now.
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
            is_detached: None,
            is_called: false,
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
        self.locals[local].is_called = true;
        let parameters = self.bind_parameters(&function, call)?;
        let locals = self.locals.len();
        let outer = self.enter(function.frame, true);
        for (name, value) in parameters {
            self.assign(name, Some(value));
        }
        let exits_from = std::mem::replace(&mut self.exits_from, self.exits.len());
        let outer_mode = self.is_detached;
        self.is_detached = function.is_detached.unwrap_or(outer_mode);
        self.call_depth += 1;
        let result = match function.body {
            LocalBody::Expression(expression) => self.expression(expression),
            LocalBody::Block(statements) => {
                let (mark, mistakes) = (self.exits.len(), self.drafts.len());
                let flow = self.block(statements);
                let flow = flow.and_then(|flow| self.returned(mark, flow));
                self.exits.truncate(mark);
                match flow {
                    Ok(Flow::Return(value, _)) => Ok(value),
                    Ok(Flow::Never) => Err(Stop::Never),
                    // What it would have returned is not known.
                    Ok(_) if self.drafts.len() > mistakes => Err(Stop::Reported),
                    Ok(_) => Ok(Value::None),
                    Err(stop) => Err(stop),
                }
            }
        };
        self.call_depth -= 1;
        self.is_detached = outer_mode;
        self.exits_from = exits_from;
        self.leave(outer, locals);
        result
    }

    /// What the parameters of a function are bound to by a call.
    fn bind_parameters(
        &mut self,
        function: &Local<'a>,
        mut call: Call,
    ) -> Lowered<Vec<(&'a str, Value)>> {
        let Some(parameters) = function.parameters else {
            Bound::new(self, call, "")?;
            return Ok(Vec::new());
        };
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
        let plain = parameters.posonlyargs.len() + parameters.args.len();
        // Where `*rest` stands, and behind it what only keywords give.
        let star =
            (parameters.vararg.is_some() || !parameters.kwonlyargs.is_empty()).then_some(plain);
        let mut specification = String::new();
        for (position, parameter) in parameters.iter_non_variadic_params().enumerate() {
            if star == Some(position) {
                specification.push_str("*rest ");
            }
            specification.push_str(parameter.parameter.name.as_str());
            specification.push_str(if parameter.default.is_some() {
                "? "
            } else {
                " "
            });
        }
        if star.is_some_and(|star| star == function.defaults.len()) {
            specification.push_str("*rest");
        }
        if parameters.vararg.is_none()
            && let Some((_, span)) = call.positional.get(plain).filter(|_| star.is_some())
        {
            let found = format!("{} arguments", call.positional.len());
            return Err(self.fail(
                Draft::new(
                    Kind::Argument,
                    *span,
                    format!("`{}` takes {plain} arguments by position", call.name),
                )
                .found(found)
                .help("name the ones that follow"),
            ));
        }
        let mut others = Vec::new();
        if parameters.kwarg.is_some() {
            let is_own = |name: &str| {
                parameters
                    .iter_non_variadic_params()
                    .any(|parameter| parameter.parameter.name.as_str() == name)
            };
            self.charge(count * call.keywords.len() / 8)?;
            let (own, rest) = call
                .keywords
                .into_iter()
                .partition(|(name, ..)| is_own(name));
            call.keywords = own;
            others = rest;
        }
        let bound = Bound::of_program(self, call, &specification)?;
        let mut values = Vec::with_capacity(count);
        for (position, parameter) in parameters.iter_non_variadic_params().enumerate() {
            let place = position + usize::from(star.is_some_and(|star| position >= star));
            let default = function.defaults.get(position).cloned().flatten();
            let value = bound.given(place).cloned().or(default);
            values.push((
                parameter.parameter.name.as_str(),
                value.unwrap_or(Value::None),
            ));
        }
        if let Some(rest) = &parameters.vararg {
            let value = bound.given(plain).cloned();
            let value = value.unwrap_or_else(|| Value::tuple(Vec::new()));
            values.push((rest.name.as_str(), value));
        }
        if let Some(rest) = &parameters.kwarg {
            let entries = others
                .into_iter()
                .map(|(name, value, _)| (Value::Str(name.into()), value))
                .collect();
            values.push((rest.name.as_str(), self.new_dict(entries)));
        }
        Ok(values)
    }

    /// Looks for mistakes in functions that were never called, since what would have called them
    /// has a mistake itself. Of their parameters nothing is known.
    pub(super) fn check_uncalled(&mut self) -> Lowered<()> {
        let mut local = 0;
        while local < self.locals.len() {
            let function = self.locals[local].clone();
            local += 1;
            let LocalBody::Block(statements) = function.body else {
                continue;
            };
            // Stages are checked with all that is known of their parameters.
            let is_stage =
                function.frame == super::scope::GLOBALS && function.name.starts_with("stage");
            if function.is_called || is_stage {
                continue;
            }
            self.locals[local - 1].is_called = true;
            let locals = self.locals.len();
            let outer = self.enter(function.frame, true);
            if let Some(parameters) = function.parameters {
                for parameter in parameters {
                    self.charge(1)?;
                    self.assign(parameter.name().as_str(), None);
                }
            }
            let exits = self.exits.len();
            let outcome = self.block(statements);
            self.exits.truncate(exits);
            self.leave(outer, locals);
            if let Err(stop @ Stop::Fatal) = outcome {
                return Err(stop);
            }
        }
        Ok(())
    }
}
