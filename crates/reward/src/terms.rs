//! Stages of several functions: the sum of their rewards, less their costs.

use std::sync::Arc;

use crate::constraints::{TOLERANCE, signature, signature_now};
use crate::diagnostic::{Draft, Kind, Span};
use crate::graph::{Class, NodeId};
use crate::lower::{Input, Lower, Stop};
use crate::module::Functions;
use crate::probe::check_done;
use crate::program::{CompiledDone, StageCompiler};
use crate::run::code::Code;
use crate::signature::Signature;
use crate::syntax::StmtFunctionDef;

/// Functions that make up the reward of one stage.
const MAX_FUNCTIONS: usize = 64;

/// Whether more is better, or less.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Sort {
    Reward,
    Cost,
}

/// A function that is a part of a stage's reward.
pub(crate) struct Term<'s> {
    pub(crate) function: &'s StmtFunctionDef,
    sort: Sort,
    /// What its parameters are bound to, at each point that it is asked about.
    inputs: Vec<Vec<Option<Input>>>,
}

/// The rewards without the costs, each the mean over its points. All in one graph: what functions have
/// in common is computed once.
pub(crate) fn sum<'s>(lower: &mut Lower<'s>, terms: &[Term<'s>]) -> Result<NodeId, Stop> {
    let (mut rewards, mut costs) = (Vec::new(), Vec::new());
    let mut end = None;
    for term in terms {
        let values: Result<Vec<NodeId>, Stop> = term
            .inputs
            .iter()
            .map(|inputs| match term.sort {
                Sort::Reward => lower.function(term.function, inputs).map(|(node, _)| node),
                Sort::Cost => lower.costs(term.function, inputs),
            })
            .collect();
        match (values, term.sort) {
            (Ok(values), Sort::Reward) => rewards.extend(values),
            (Ok(values), Sort::Cost) => costs.push(lower.mean(&values)?),
            (Err(Stop::Fatal), _) => return Err(Stop::Fatal),
            (Err(_), _) => end = Some(Stop::Reported),
        }
    }
    if let Some(end) = end {
        return Err(end);
    }
    if !costs.is_empty() {
        let total = lower.total(&costs)?;
        rewards.push(lower.negated(total)?);
    }
    lower.total(&rewards)
}

/// A mistake that was found in the sum of several functions, under the name of the one it is in.
pub(crate) fn named_after(mut draft: Draft, functions: &Functions<'_>) -> Draft {
    let mut all = functions.guiding();
    let first = all.next();
    let own = all.find(|function| Span::of(*function).contains(draft.span));
    if let (Some(first), Some(own)) = (first, own) {
        let named = |name: &str| format!("`{name}`");
        draft.message = draft
            .message
            .replacen(&named(&first.name), &named(&own.name), 1);
    }
    draft
}

impl<'s> StageCompiler<'s> {
    /// What makes up the reward of a stage, with what its parameters are bound to: at one point of the
    /// trajectory, or at several. All mistakes are found before the first ends it.
    pub(crate) fn terms(&mut self, functions: &Functions<'s>) -> Result<Vec<Term<'s>>, Stop> {
        if let Some(function) = functions.guiding().nth(MAX_FUNCTIONS) {
            self.drafts.push(
                Draft::new(
                    Kind::Limit,
                    Span::of(&function.name),
                    "this stage has too many functions",
                )
                .expected(format!("at most {MAX_FUNCTIONS} rewards and constraints"))
                .help("add terms inside one function"),
            );
            return Err(Stop::Reported);
        }
        let (options, last) = (self.options, self.options.points.saturating_sub(1));
        let mut terms = Vec::new();
        let mut end = None;
        let mut take =
            |stage: &mut Self, function, sort, signatures: &mut dyn Iterator<Item = Signature>| {
                let bound = signatures.map(|signature| stage.bind(function, &signature));
                match bound.collect() {
                    Ok(inputs) => terms.push(Term {
                        function,
                        sort,
                        inputs,
                    }),
                    Err(stop) => end = Some(stop),
                }
            };
        for &function in &functions.guidance {
            take(
                self,
                function,
                Sort::Reward,
                &mut [Signature::guidance(options)].into_iter(),
            );
        }
        let carried = self.carried.clone();
        for (all, first) in [(&functions.subgoals, last), (&functions.paths, 0)] {
            for &function in all {
                let mut at = (first..=last).map(|at| signature(function, options, at, &carried));
                take(self, function, Sort::Cost, &mut at);
            }
        }
        end.map_or(Ok(terms), Err)
    }

    /// When a stage of constraints is complete: all its sub-goals are met, but for a little.
    pub(crate) fn done_by_subgoals(
        &mut self,
        functions: &Functions<'s>,
    ) -> Result<Option<CompiledDone>, Stop> {
        if functions.subgoals.is_empty() {
            return Ok(None);
        }
        let mut terms = Vec::new();
        for &function in &functions.subgoals {
            let inputs = vec![self.bind(function, &signature_now(function, self.options))?];
            let sort = Sort::Cost;
            terms.push(Term {
                function,
                sort,
                inputs,
            });
        }
        let mut lower = Lower::new(&self.options.limits, self.work_left, self.drafts);
        lower.parameter_form = self.parameter_form;
        lower.module_constants(self.constants)?;
        let reward = sum(&mut lower, &terms)?;
        let tolerance = lower.constant(TOLERANCE)?;
        let result = lower.total(&[tolerance, reward])?;
        // Sub-goals that nothing changes say nothing.
        if lower.graph.node(result).class == Class::Constant {
            return Ok(None);
        }
        let code = Arc::new(Code::new(&lower.graph, result, self.options.keypoints, 0));
        let done = CompiledDone { code };
        let name = &terms[0].function.name;
        match check_done(&done, self.options, name.as_str(), Span::of(name)) {
            Ok(()) => Ok(Some(done)),
            Err(draft) => {
                self.drafts.push(named_after(draft, functions));
                Err(Stop::Reported)
            }
        }
    }
}
