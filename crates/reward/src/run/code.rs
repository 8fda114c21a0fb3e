//! Flat code: the scalar graph grouped into batches of like operations over rows of an arena.
//!
//! A row holds one scalar for every particle lane. Rows come in this order: splatted uniforms
//! (constants and functions of the keypoints), trajectory inputs (positions, rotations, openings), then
//! the result rows of each batch. Operands always lie before results, so one split of the arena separates them.

use super::fuse::{Map, Plan};
use crate::diagnostic::Span;
use crate::graph::{Class, Graph, NodeId};
use crate::op::{Op, apply};

/// One scalar operation of the once-per-call section.
#[derive(Clone, Debug)]
struct UniformStep {
    op: Op,
    first: u32,
    count: u32,
    slot: u32,
    span: Span,
}

/// `rows` independent applications of one operation.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) op: Op,
    /// What a sum or a length reduces; [`Map::Id`] for everything else.
    pub(crate) map: Map,
    /// First result row.
    pub(crate) out: usize,
    /// Number of result rows, one after another.
    pub(crate) rows: usize,
    /// Operands of each application, all terms together.
    pub(crate) arity: usize,
    /// Start of the operand rows in [`Code::operands`]: operand by operand, each `rows` long.
    pub(crate) first: usize,
    /// For the first operands, or those of every term: whether any of their rows leads to the
    /// trajectory.
    pub(crate) needs_gradient: [bool; 3],
    /// Whether any operand leads to the trajectory.
    pub(crate) needs_any: bool,
    /// For the first operands: whether the backward pass may overwrite their adjoints, being
    /// the first to reach them. Operations with any number of operands use the first flag.
    pub(crate) overwrites: [bool; 3],
}

impl Batch {
    /// Whether this is a sum or a length of terms.
    pub(crate) fn is_reduction(&self) -> bool {
        matches!(self.op, Op::Sum | Op::Norm2)
    }
}

/// What the operations of a batch have in common.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    depth: u32,
    op: Op,
    map: Map,
    arity: usize,
    needs: [bool; 3],
    needs_any: bool,
}

/// Where the result stands.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Output {
    /// A row of the arena.
    Row(usize),
    /// A slot of the uniform section: the same for every particle.
    Slot(usize),
}

/// What is read of one kind of trajectory numbers.
#[derive(Clone, Debug)]
pub(crate) struct Inputs {
    /// Numbers of one particle.
    pub(crate) width: usize,
    /// Which of them each row holds, ascending.
    pub(crate) components: Vec<u32>,
}

/// Numbers of one point of a trajectory: position, rotation, opening. Varying inputs are counted kind
/// by kind: `3 P` of positions first, then `9 P` of rotations, then `P` openings.
pub(crate) const WIDTHS: [usize; 3] = [3, 9, 1];

/// A compiled scalar function of keypoints and a trajectory.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    /// Keypoints `K` of the scene.
    pub(crate) keypoints: usize,
    /// Points `P` of a trajectory.
    pub(crate) points: usize,
    /// Initial slots: constants in place, everything else NaN.
    slots: Vec<f64>,
    /// `(slot, input)` for every uniform input that is used.
    loads: Vec<(u32, u32)>,
    steps: Vec<UniformStep>,
    step_operands: Vec<u32>,
    /// The slot that each splatted row holds.
    pub(crate) splats: Vec<u32>,
    /// Positions, rotations and openings; each with its rows right after those before it.
    pub(crate) inputs: [Inputs; 3],
    pub(crate) batches: Vec<Batch>,
    pub(crate) operands: Vec<u32>,
    /// Operations before fusion, once-per-call steps included.
    pub(crate) operations: usize,
    pub(crate) rows: usize,
    pub(crate) output: Output,
    /// Rows whose adjoints are added to before anything overwrites them, ascending.
    pub(crate) zeroed: Vec<u32>,
    /// Source of each row, for diagnostics.
    pub(crate) spans: Vec<Span>,
}

impl Code {
    /// Schedules everything that `result` needs, with what [`Plan::fused`] finds fused.
    pub(crate) fn new(graph: &Graph, result: NodeId, keypoints: usize, points: usize) -> Self {
        let live = reachable(graph, result);
        let plan = Plan::fused(graph, &live, result);
        Self::schedule(graph, result, &live, &plan, keypoints, points)
    }

    /// The same with a row for every operation, so that each intermediate value can be seen.
    pub(crate) fn unfused(graph: &Graph, result: NodeId, keypoints: usize, points: usize) -> Self {
        let live = reachable(graph, result);
        let plan = Plan::separate(graph);
        Self::schedule(graph, result, &live, &plan, keypoints, points)
    }

    fn schedule(
        graph: &Graph,
        result: NodeId,
        live: &[NodeId],
        plan: &Plan,
        keypoints: usize,
        points: usize,
    ) -> Self {
        let mut code = Self {
            keypoints,
            points,
            slots: Vec::new(),
            loads: Vec::new(),
            steps: Vec::new(),
            step_operands: Vec::new(),
            splats: Vec::new(),
            inputs: WIDTHS.map(|width| Inputs {
                width: width * points,
                components: Vec::new(),
            }),
            batches: Vec::new(),
            operands: Vec::new(),
            operations: live
                .iter()
                .filter(|&&id| !graph.node(id).op.is_leaf())
                .count(),
            rows: 0,
            output: Output::Slot(0),
            zeroed: Vec::new(),
            spans: Vec::new(),
        };
        // A uniform node's slot, and any node's row once it has one.
        let mut slot = vec![u32::MAX; graph.len()];
        let mut row = vec![u32::MAX; graph.len()];
        code.schedule_uniform(graph, live, &mut slot);
        if graph.node(result).class != Class::Varying {
            code.output = Output::Slot(slot[result as usize] as usize);
            return code;
        }
        code.schedule_leaves(graph, live, &slot, &mut row);
        code.schedule_batches(graph, live, plan, &mut row);
        let output = row[result as usize] as usize;
        code.output = Output::Row(output);
        code.plan_adjoints(output);
        code
    }

    fn schedule_uniform(&mut self, graph: &Graph, live: &[NodeId], slot: &mut [u32]) {
        for &id in live {
            let node = graph.node(id);
            if node.class == Class::Varying {
                continue;
            }
            let place = self.slots.len() as u32;
            slot[id as usize] = place;
            self.slots.push(node.value);
            match node.op {
                Op::Const => {}
                Op::Uniform => self.loads.push((place, graph.input(id))),
                op => {
                    let first = self.step_operands.len() as u32;
                    let operands = graph.operands(id);
                    self.step_operands
                        .extend(operands.iter().map(|&o| slot[o as usize]));
                    let count = operands.len() as u32;
                    self.steps.push(UniformStep {
                        op,
                        first,
                        count,
                        slot: place,
                        span: node.span,
                    });
                }
            }
        }
    }

    fn schedule_leaves(&mut self, graph: &Graph, live: &[NodeId], slot: &[u32], row: &mut [u32]) {
        for &id in live {
            if graph.node(id).class != Class::Varying {
                continue;
            }
            for &operand in graph.operands(id) {
                let operand = operand as usize;
                if slot[operand] != u32::MAX && row[operand] == u32::MAX {
                    row[operand] = self.splats.len() as u32;
                    self.splats.push(slot[operand]);
                    self.spans.push(graph.node(operand as NodeId).span);
                }
            }
        }
        self.rows = self.splats.len();
        let mut inputs: Vec<NodeId> = live
            .iter()
            .copied()
            .filter(|&id| graph.node(id).op == Op::Varying)
            .collect();
        inputs.sort_unstable_by_key(|&id| graph.input(id));
        for id in inputs {
            row[id as usize] = self.rows as u32;
            let mut component = graph.input(id);
            for kind in &mut self.inputs {
                if (component as usize) < kind.width {
                    kind.components.push(component);
                    break;
                }
                component -= kind.width as u32;
            }
            self.spans.push(graph.node(id).span);
            self.rows += 1;
        }
    }

    /// Groups operations by their depth below the inputs: those of one depth are independent.
    fn schedule_batches(&mut self, graph: &Graph, live: &[NodeId], plan: &Plan, row: &mut [u32]) {
        let mut depth = vec![0_u32; graph.len()];
        let mut order: Vec<(Key, NodeId)> = Vec::new();
        let mut operands = Vec::new();
        for &id in live {
            let node = graph.node(id);
            let leaf = node.class != Class::Varying || node.op == Op::Varying;
            if leaf || plan.is_absorbed(id) {
                continue;
            }
            plan.operands(graph, id, &mut operands);
            let below = operands.iter().map(|&o| depth[o as usize]).max();
            depth[id as usize] = below.unwrap_or(0) + 1;
            let (op, map) = (plan.op(graph, id), plan.map(id));
            let mut needs = [false; 3];
            let positions = if matches!(op, Op::Sum | Op::Norm2) {
                map.arity()
            } else {
                operands.len()
            };
            for (place, &operand) in operands.iter().enumerate() {
                let position = place % positions;
                if let Some(flag) = needs.get_mut(position) {
                    *flag |= op.passes_gradient(position) && graph.node(operand).differentiable;
                }
            }
            let key = Key {
                depth: depth[id as usize],
                op,
                map,
                arity: operands.len(),
                needs,
                needs_any: node.differentiable,
            };
            order.push((key, id));
        }
        order.sort_unstable();
        for group in order.chunk_by(|a, b| a.0 == b.0) {
            let key = group[0].0;
            let (out, first, rows) = (self.rows, self.operands.len(), group.len());
            self.operands.resize(first + key.arity * rows, 0);
            for (place, &(_, id)) in group.iter().enumerate() {
                plan.operands(graph, id, &mut operands);
                for (position, &operand) in operands.iter().enumerate() {
                    self.operands[first + position * rows + place] = row[operand as usize];
                }
                row[id as usize] = (out + place) as u32;
                self.spans.push(graph.node(id).span);
            }
            self.rows += rows;
            self.batches.push(Batch {
                op: key.op,
                map: key.map,
                out,
                rows,
                arity: key.arity,
                first,
                needs_gradient: key.needs,
                needs_any: key.needs_any,
                overwrites: [false; 3],
            });
        }
    }

    /// Finds, in the order of the backward pass, which operands are reached for the first time:
    /// their adjoints are overwritten, so that only the others need to start from zero.
    fn plan_adjoints(&mut self, output: usize) {
        let mut written = vec![false; self.rows];
        written[output] = true;
        let mut zeroed = vec![false; self.rows];
        let mut times = vec![0_u8; self.rows];
        for batch in self
            .batches
            .iter_mut()
            .rev()
            .filter(|batch| batch.needs_any)
        {
            // Results that only comparisons use are never written, yet their adjoints are read.
            for row in batch.out..batch.out + batch.rows {
                zeroed[row] |= !written[row];
            }
            let operands = &self.operands[batch.first..batch.first + batch.arity * batch.rows];
            // Position of an operand among the flags. Reductions share position by position of
            // every term, the others work through one position after the other.
            let flags = match batch.op {
                Op::Sum | Op::Norm2 => batch.map.arity(),
                Op::AMax | Op::AMin => 1,
                _ => batch.arity,
            };
            let in_turn = !matches!(batch.op, Op::Sum | Op::Norm2 | Op::AMax | Op::AMin);
            // A choice writes both sides whether or not they lead to the trajectory.
            let shared = |position: usize| match batch.op {
                Op::Where => position > 0,
                Op::AMax | Op::AMin => true,
                _ => batch.needs_gradient[position],
            };
            let places = |position: usize| {
                let rows = batch.rows;
                (0..operands.len()).filter(move |place| place / rows % flags == position)
            };
            if !in_turn {
                for row in (0..flags).filter(|&p| shared(p)).flat_map(places) {
                    let seen = &mut times[operands[row] as usize];
                    *seen = seen.saturating_add(1);
                }
            }
            for position in (0..flags).filter(|&position| shared(position)) {
                let mut reached: Vec<u32> = Vec::new();
                let mut first = true;
                for row in places(position).map(|place| operands[place]) {
                    let new = !std::mem::replace(&mut written[row as usize], true);
                    first &= new && (in_turn || times[row as usize] == 1);
                    if new {
                        reached.push(row);
                    }
                }
                batch.overwrites[position] = first;
                if !first {
                    for row in reached {
                        zeroed[row as usize] = true;
                    }
                }
            }
            if !in_turn {
                operands.iter().for_each(|&row| times[row as usize] = 0);
            }
        }
        for input in self.input_rows() {
            zeroed[input] |= !written[input];
        }
        self.zeroed = (0..self.rows as u32)
            .filter(|&row| zeroed[row as usize])
            .collect();
    }

    /// The rows of all inputs.
    pub(crate) fn input_rows(&self) -> std::ops::Range<usize> {
        let count: usize = self.inputs.iter().map(|kind| kind.components.len()).sum();
        self.splats.len()..self.splats.len() + count
    }

    /// Fresh slots for [`Code::run_uniform`].
    pub(crate) fn new_slots(&self) -> Vec<f64> {
        self.slots.clone()
    }

    /// Evaluates everything that depends on keypoints alone; the result if it is among that.
    pub(crate) fn run_uniform(&self, inputs: impl Fn(usize) -> f64, slots: &mut [f64]) -> f64 {
        for &(slot, input) in &self.loads {
            slots[slot as usize] = inputs(input as usize);
        }
        for step in &self.steps {
            let operands =
                &self.step_operands[step.first as usize..(step.first + step.count) as usize];
            let value = match *operands {
                [a] => apply(step.op, &[slots[a as usize]]),
                [a, b] => apply(step.op, &[slots[a as usize], slots[b as usize]]),
                [a, b, c] => apply(
                    step.op,
                    &[slots[a as usize], slots[b as usize], slots[c as usize]],
                ),
                _ => fold_many(step.op, operands.iter().map(|&o| slots[o as usize])),
            };
            slots[step.slot as usize] = value;
        }
        match self.output {
            Output::Slot(slot) => slots[slot],
            Output::Row(_) => f64::NAN,
        }
    }

    /// The first once-per-call operation whose result in `slots` is not finite: its source,
    /// operands and result.
    pub(crate) fn uniform_fault(&self, slots: &[f64]) -> Option<(Op, Span, Vec<f64>, f64)> {
        let step = self
            .steps
            .iter()
            .find(|step| !slots[step.slot as usize].is_finite())?;
        let operands = &self.step_operands[step.first as usize..(step.first + step.count) as usize];
        let operands = operands.iter().map(|&o| slots[o as usize]).collect();
        Some((step.op, step.span, operands, slots[step.slot as usize]))
    }

    /// The operation that computes `row` and its operand rows; `None` for leaves.
    pub(crate) fn producer(&self, row: usize) -> Option<(Op, Vec<usize>)> {
        let after = self.batches.partition_point(|batch| batch.out <= row);
        let batch = self.batches.get(after.checked_sub(1)?)?;
        let operands = (0..batch.arity)
            .map(|j| self.operands[batch.first + j * batch.rows + row - batch.out] as usize);
        Some((batch.op, operands.collect()))
    }

    /// For each row, the operations that read it, with the rows they compute.
    pub(crate) fn users(&self) -> Vec<Vec<(Op, usize)>> {
        let mut users = vec![Vec::new(); self.rows];
        for batch in &self.batches {
            let operands = &self.operands[batch.first..batch.first + batch.arity * batch.rows];
            for (place, &row) in operands.iter().enumerate() {
                users[row as usize].push((batch.op, batch.out + place % batch.rows));
            }
        }
        users
    }

    /// Operations of the once-per-call section.
    pub(crate) fn uniform_operations(&self) -> usize {
        self.steps.len()
    }

    /// The uniform inputs that the code reads.
    pub(crate) fn used_uniforms(&self) -> impl Iterator<Item = usize> {
        self.loads.iter().map(|&(_, input)| input as usize)
    }
}

/// The value of an operation with any number of operands, without a buffer for them.
fn fold_many(op: Op, values: impl Iterator<Item = f64>) -> f64 {
    match op {
        Op::Norm2 => values.map(|v| v * v).sum::<f64>().sqrt(),
        Op::Sum => values.sum(),
        _ => values.reduce(|a, b| apply(op, &[a, b])).unwrap_or(f64::NAN),
    }
}

/// The nodes that `result` depends on, itself included, operands first.
fn reachable(graph: &Graph, result: NodeId) -> Vec<NodeId> {
    let mut needed = vec![false; graph.len()];
    needed[result as usize] = true;
    let mut live = Vec::new();
    for id in (0..=result).rev() {
        if needed[id as usize] {
            live.push(id);
            for &operand in graph.operands(id) {
                needed[operand as usize] = true;
            }
        }
    }
    live.reverse();
    live
}
