//! What compiles and yet can do nothing, or is probably not what was meant.
//!
//! A reward without a slope that steering could use is refused, with the likely slip named. The rest
//! is remarked and accepted: steps along the dimension of particles, positions moved by metres, a
//! best point where the hand cannot go, a `done` that never comes true.

mod ascent;
mod done;
mod flat;
mod slips;
mod units;

pub(crate) use done::Done;
use slips::Slip;

use crate::diagnostic::{Draft, Kind, Span};
use crate::graph::{Graph, NodeId};
use crate::op::Op;
use crate::options::{CompileOptions, Workspace};
use crate::probe::Slopes;
use crate::program::CompiledReward;
use crate::run::code::WIDTHS;
use crate::syntax::StmtFunctionDef;

/// Remarks of one sort about one function.
const MAX_REMARKS: usize = 2;
/// How far around the workspace is looked, in metres.
const AROUND_M: f64 = 0.25;

/// A guidance function that is sound otherwise.
pub(crate) struct Guidance<'s> {
    function: &'s StmtFunctionDef,
    graph: &'s Graph,
    result: NodeId,
    options: &'s CompileOptions,
    slips: Vec<Slip>,
}

impl<'s> Guidance<'s> {
    /// The sum of `functions`; it is spoken of by the name of `function`, the first.
    pub(crate) fn new(
        (function, functions): (&'s StmtFunctionDef, &[&StmtFunctionDef]),
        graph: &'s Graph,
        result: NodeId,
        options: &'s CompileOptions,
    ) -> Self {
        Self {
            function,
            graph,
            result,
            options,
            slips: functions
                .iter()
                .flat_map(|function| slips::find(function))
                .collect(),
        }
    }

    /// Whether it asks for no guidance: it returns 0, or something times 0, and not by a slip.
    pub(crate) fn is_unguided(&self) -> bool {
        if !self.options.judge_purpose {
            return self.graph.constant_value(self.result) == Some(0.0);
        }
        is_zero(self.graph, self.result) && !self.slips.iter().any(Slip::empties)
    }

    /// The mistake with the slip that may have led to it.
    pub(crate) fn named(&self, draft: Draft) -> Draft {
        let slip = self.slips.iter().find(|slip| slip.empties());
        match slip {
            Some(slip) => slip.explain(draft),
            None => draft,
        }
    }

    /// What is remarked.
    ///
    /// # Errors
    ///
    /// A reward that no action changes.
    pub(crate) fn judge(
        &self,
        reward: &CompiledReward,
        mut slopes: Slopes,
    ) -> Result<Vec<Draft>, Draft> {
        let (name, span) = (self.function.name.as_str(), Span::of(&self.function.name));
        let mut remarks = Vec::new();
        if !self.options.judge_purpose {
            return Ok(remarks);
        }
        if self.options.points > 1 {
            if slopes.usable == 0 {
                match flat::reach(reward, &mut slopes.evaluator, self.options) {
                    flat::Reach::Nowhere => return Err(self.inert(reward, &slopes)),
                    flat::Reach::Outside => remarks.push(flat::outside(name, span)),
                    flat::Reach::Somewhere => {}
                }
            }
            // Where nothing is better, a slope is not missed.
            if (slopes.usable + 1) * flat::SELDOM <= slopes.lost {
                remarks.push(flat::seldom(name, span));
            }
        }
        let slips = self.slips.iter().filter(|slip| slip.is_remarked());
        remarks.extend(slips.take(MAX_REMARKS).map(Slip::remark));
        let units = units::find(
            self.graph,
            self.result,
            self.options,
            units::Inputs::Guidance,
        );
        // Such a goal is far away, too: one remark is enough.
        if units.is_empty() {
            remarks.extend(ascent::judge(
                reward,
                &mut slopes.evaluator,
                self.options,
                (name, span),
            ));
        }
        remarks.extend(units);
        Ok(remarks)
    }

    /// The mistake of a reward that is flat everywhere.
    fn inert(&self, reward: &CompiledReward, slopes: &Slopes) -> Draft {
        let (name, span) = (self.function.name.as_str(), Span::of(&self.function.name));
        let kinds = reward.code.inputs.iter().zip(WIDTHS);
        let reads_later = kinds.into_iter().any(|(kind, width)| {
            let last = kind.components.last();
            last.is_some_and(|&component| component as usize >= width)
        });
        let draft = if reads_later {
            Draft::new(
                Kind::Inert,
                span,
                format!("no action changes `{name}`: it is flat in the whole workspace"),
            )
            .expected("a reward that changes as the points of `action_sequence` move")
            .found(if slopes.has_value {
                "no slope that steering could use, on any probe"
            } else {
                "0 on every probe"
            })
        } else {
            Draft::new(
                Kind::Inert,
                span,
                format!("no action changes `{name}`: it reads only where the hand is now"),
            )
            .expected("a reward of the points that the actions lead to")
            .found("the first point of `action_sequence` alone")
        };
        let is_likely = |slip: &&Slip| slip.empties() || !reads_later && slip.is_current_point();
        if let Some(slip) = self.slips.iter().find(is_likely) {
            return slip.explain(draft);
        }
        let help = if !reads_later {
            "the first point is where the hand is now: use the last one, or all points"
        } else if self.has(|op| matches!(op, Op::Exp | Op::Sigmoid | Op::Tanh | Op::Erf)) {
            "it is saturated: divide the distance by some 0.1 instead, or use the distance itself"
        } else if self.has(|op| {
            matches!(op, Op::ClampMin | Op::ClampMax | Op::Relu | Op::Where)
                || matches!(op, Op::MaxLeft | Op::MaxRight | Op::MinLeft | Op::MinRight)
                || matches!(op, Op::Maximum | Op::Minimum | Op::AMax | Op::AMin)
        }) {
            "a clamp, `relu`, `where`, maximum or minimum cuts it off everywhere: check its limit"
        } else {
            "use distances, which have a slope everywhere"
        };
        draft.help(help)
    }

    fn has(&self, wanted: impl Fn(Op) -> bool) -> bool {
        (0..self.graph.len()).any(|id| wanted(self.graph.node(id as NodeId).op))
    }
}

/// The workspace and what lies around it.
fn around(workspace: &Workspace) -> Workspace {
    Workspace {
        min_m: workspace.min_m.map(|low| low - AROUND_M),
        max_m: workspace.max_m.map(|high| high + AROUND_M),
    }
}

/// Whether a node is 0 whatever the inputs are, as long as they are finite.
fn is_zero(graph: &Graph, id: NodeId) -> bool {
    let operands = graph.operands(id);
    match graph.node(id).op {
        Op::Const => graph.node(id).value == 0.0,
        Op::Mul => operands
            .iter()
            .any(|&o| graph.constant_value(o) == Some(0.0) || is_scaled_zero(graph, o)),
        Op::Div | Op::Neg => is_scaled_zero(graph, operands[0]),
        Op::Sum | Op::Add => operands.iter().all(|&o| is_scaled_zero(graph, o)),
        _ => false,
    }
}

/// The same without going deeper than a term: means are sums that are scaled once more.
fn is_scaled_zero(graph: &Graph, id: NodeId) -> bool {
    let is_term = |id: NodeId| {
        graph.constant_value(id) == Some(0.0)
            || graph.node(id).op == Op::Mul
                && graph
                    .operands(id)
                    .iter()
                    .any(|&o| graph.constant_value(o) == Some(0.0))
    };
    is_term(id)
        || matches!(graph.node(id).op, Op::Sum | Op::Add)
            && graph.operands(id).iter().all(|&o| is_term(o))
}
