//! `match` on values that are known as the program is compiled.

use super::statement::Flow;
use super::value::Value;
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind, Span};
use crate::syntax::{Pattern, Singleton, StmtMatch};

impl<'a> Lower<'a> {
    pub(super) fn choice(&mut self, choice: &'a StmtMatch) -> Lowered<Flow> {
        let subject = self.expression(&choice.subject)?;
        let is_open = match &subject {
            Value::Tensor(tensor) => self.constants_of(tensor).is_none(),
            Value::Text(_) => true,
            other => self.options(other)?.is_some(),
        };
        if is_open {
            return Err(self.fail(
                Draft::new(
                    Kind::DynamicControl,
                    Span::of(&*choice.subject),
                    "what this `match` looks at depends on positions",
                )
                .help("use `if` and `elif`, or `torch.where(condition, a, b)`"),
            ));
        }
        for case in &choice.cases {
            self.charge(1)?;
            if !self.matches(&case.pattern, &subject)? {
                continue;
            }
            if let Some(guard) = &case.guard {
                let value = self.expression(guard)?;
                if !self.truth(&value, Span::of(&**guard))? {
                    continue;
                }
            }
            return self.block(&case.body);
        }
        Ok(Flow::Next)
    }

    fn matches(&mut self, pattern: &'a Pattern, subject: &Value) -> Lowered<bool> {
        let span = Span::of(pattern);
        let found = self
            .descend(span)
            .and_then(|()| self.matches_inner(pattern, subject, span));
        self.depth -= 1;
        found
    }

    fn matches_inner(
        &mut self,
        pattern: &'a Pattern,
        subject: &Value,
        span: Span,
    ) -> Lowered<bool> {
        match pattern {
            Pattern::MatchValue(pattern) => {
                let wanted = self.expression(&pattern.value)?;
                Ok(self.equal(subject, &wanted)? == Some(true))
            }
            Pattern::MatchSingleton(pattern) => Ok(matches!(
                (pattern.value, subject),
                (Singleton::None, Value::None)
                    | (Singleton::True, Value::Bool(true))
                    | (Singleton::False, Value::Bool(false))
            )),
            Pattern::MatchAs(pattern) => {
                if let Some(inner) = &pattern.pattern
                    && !self.matches(inner, subject)?
                {
                    return Ok(false);
                }
                if let Some(name) = &pattern.name {
                    self.assign(name.as_str(), Some(subject.clone()));
                }
                Ok(true)
            }
            Pattern::MatchOr(pattern) => {
                for one in &pattern.patterns {
                    if self.matches(one, subject)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Pattern::MatchSequence(pattern)
                if matches!(subject, Value::ListRef(_) | Value::Tuple(_)) =>
            {
                let items = self.iterate(subject.clone(), span)?;
                let has_star = pattern
                    .patterns
                    .iter()
                    .any(|one| matches!(one, Pattern::MatchStar(_)));
                if !has_star {
                    if items.len() != pattern.patterns.len() {
                        return Ok(false);
                    }
                    for (one, item) in pattern.patterns.iter().zip(&items) {
                        if !self.matches(one, item)? {
                            return Ok(false);
                        }
                    }
                    return Ok(true);
                }
                Err(self.no_pattern(span))
            }
            Pattern::MatchSequence(_) => Ok(false),
            _ => Err(self.no_pattern(span)),
        }
    }

    fn no_pattern(&mut self, span: Span) -> super::Stop {
        self.fail(
            Draft::new(
                Kind::Unsupported,
                span,
                "this pattern is not part of the reward language",
            )
            .help("use `if` and `elif`"),
        )
    }
}
