//! Objects of torch.nn: functions of `F` that remember their arguments.

use super::arguments::Bound;
use super::table::{self, Home};
use super::value::Value;
use super::{Lower, Lowered, Stop};
use crate::diagnostic::{Draft, Kind, Span};

impl Lower<'_> {
    /// The object that calls `F.target` with what `b` holds under the same names.
    pub(super) fn layer(&mut self, target: &str, parameters: &str, b: &Bound) -> Lowered<Value> {
        if target == "identity" {
            return Ok(Value::Builtin(super::functools::IDENTITY));
        }
        let Some(function) = table::find(Home::FUNCTIONAL, target) else {
            return Err(self.no_layer(target, b.span));
        };
        let mut keywords = Vec::new();
        for (position, name) in parameters.split_whitespace().enumerate() {
            let name = name.trim_end_matches('?');
            let is_taken = function
                .parameters
                .split_whitespace()
                .any(|own| own.trim_end_matches('?') == name);
            if let (Some(value), true) = (b.get(position), is_taken) {
                keywords.push((name.to_owned(), value.clone(), b.span_of(position)));
            }
        }
        let name = b.name.clone();
        self.remembering(
            name,
            Value::Function(function),
            Vec::new(),
            keywords,
            b.span,
        )
    }

    /// Reports what torch.nn has and rewards lack.
    pub(super) fn no_layer(&mut self, name: &str, span: Span) -> Stop {
        let close = super::expression::nearest(name, table::names(Home::NN));
        let help = match close {
            Some(close) => format!("did you mean `torch.nn.{close}`?"),
            None => "write the formula out, or use the functions of torch.nn.functional (`F`)"
                .to_owned(),
        };
        self.fail(
            Draft::new(
                Kind::UnknownOperation,
                span,
                format!("`torch.nn.{name}` is not available to rewards"),
            )
            .expected("losses, distances and activations: nothing that holds weights")
            .help(help),
        )
    }
}
