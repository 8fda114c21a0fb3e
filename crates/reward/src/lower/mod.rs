//! Lowering: abstract interpretation of a stage function with static shapes.
//!
//! Python's numbers, lists and control flow are carried out now; tensors become arrays of graph
//! nodes, so that indexing, reshaping and stacking cost nothing later.

mod activation;
mod arguments;
mod arithmetic;
mod attribute;
mod blank;
mod branch;
mod builtins;
mod call;
mod choices;
mod classes;
mod comprehension;
mod containers;
mod convert;
mod costs;
mod create;
mod dataclasses;
mod decompose;
mod einsum;
mod elementary;
mod elementwise;
mod environment;
mod exceptions;
mod expression;
mod extremes;
mod fork;
mod form;
mod format;
mod functions;
mod functools;
mod gate;
mod gather;
mod grid;
mod in_place;
mod index;
mod index_tricks;
mod interpolate;
mod itertools;
mod join;
mod layers;
mod library;
mod linalg;
mod listed;
mod local;
mod lookup;
mod losses;
mod matching;
mod matrix;
mod merge;
mod norm;
mod numbers;
mod objects;
mod open_order;
mod options;
mod order;
mod pick;
mod place;
mod quantile;
mod ranking;
mod reduce;
mod reflection;
mod scan;
mod scope;
mod sets;
mod shape;
mod splice;
mod spread;
mod statement;
mod strings;
mod structure;
mod substitute;
mod table;
mod turn;
mod value;
mod window;

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::diagnostic::{Draft, Kind, Span};
use crate::graph::{self, Graph, NodeId};
use crate::op::Op;
use crate::options::Limits;
use crate::syntax::{Expr, Parameters, Stmt, StmtFunctionDef};
use crate::tensor::{DType, Form, Tensor};
use choices::Choice;
use classes::Class;
use exceptions::Exception;
use fork::Exit;
pub(crate) use form::parameter_form;
pub(crate) use scope::check_import;
use scope::{Frame, GLOBALS};
use statement::Flow;
pub use table::{Operation, operations};
use value::Value;

/// Mistakes shown at most; the rest would mostly follow from them.
pub(crate) const MAX_DRAFTS: usize = 20;

/// Units of work that finding and describing a mistake takes.
const MISTAKE_WORK: usize = 2_000;

/// Expressions and blocks inside one another, over all local functions that are being called.
const MAX_DEPTH: usize = 120;

/// Parameters of a local function.
const MAX_PARAMETERS: usize = 64;

/// Dimensions of a tensor.
const MAX_RANK: usize = 12;

/// Containers inside containers.
const MAX_CONTAINER_DEPTH: u8 = 8;

/// Why lowering of an expression ended early; the diagnostic is already recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The next statement can still be checked.
    Reported,
    /// Nothing more can be done.
    Fatal,
    /// Python would raise an exception here, and a handler waits for it.
    Raised,
    /// The program raises on this way, which is taken for positions that never come up.
    Never,
}

type Lowered<T> = Result<T, Stop>;

/// Where the numbers of a parameter come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Known once a call: the scene, or the moment that a done function is asked about.
    Uniform,
    /// The trajectory, which guidance moves.
    Moved,
    /// A part of the trajectory that guidance may not move.
    Held,
}

/// What a parameter of a stage function is bound to: a tensor of inputs in a row.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    pub(crate) source: Source,
    /// The first of them.
    pub(crate) first: usize,
    pub(crate) shape: Vec<usize>,
    /// Whether it holds the scene's keypoints.
    pub(crate) is_keypoints: bool,
    /// Keypoints that go along with the hand.
    pub(crate) carried: Option<Carried>,
}

/// Keypoints on what the hand holds: where they will be when the hand is at a later point.
#[derive(Clone, Debug)]
pub(crate) struct Carried {
    pub(crate) keypoints: Vec<usize>,
    /// The first input of that point.
    pub(crate) point: usize,
}

/// Whether a value is one number, known now or not.
fn is_one_number(value: &Value) -> bool {
    match value {
        Value::Tensor(tensor) => tensor.len() == 1,
        Value::Int(_) | Value::Float(_) => true,
        _ => false,
    }
}

/// The bodies of functions that the program defines.
#[derive(Clone, Copy)]
enum LocalBody<'a> {
    Block(&'a [Stmt]),
    Expression(&'a Expr),
}

#[derive(Clone)]
struct Local<'a> {
    name: &'a str,
    parameters: Option<&'a Parameters>,
    /// Default values in the order of the parameters, computed at the definition.
    defaults: Rc<[Option<Value>]>,
    body: LocalBody<'a>,
    /// Where names that the function does not bind are looked up.
    frame: usize,
    /// Whether its results carry no gradient, if a decorator says so.
    is_detached: Option<bool>,
    is_called: bool,
}

/// The state of lowering one function.
pub(crate) struct Lower<'a> {
    pub(crate) graph: Graph,
    /// Names in scope, and the frame that is current.
    frames: Vec<Frame>,
    frame: usize,
    /// Module constants that have no value, and why; reported where they are used.
    unusable: HashMap<String, Draft>,
    locals: Vec<Local<'a>>,
    /// Shared with the copies of the state that branches start from.
    lists: Vec<Rc<Vec<Value>>>,
    dicts: Vec<Rc<Vec<(Value, Value)>>>,
    classes: Vec<Class>,
    /// What missing keys of some dictionaries stand for.
    factories: HashMap<usize, Value>,
    /// How many items some lists hold at most: `deque(maxlen=...)`.
    most_items: HashMap<usize, usize>,
    /// A name of the module level that a function has just given another value.
    changed_global: Option<String>,
    /// Why values are absent, by the position that those hold, and whether that was reported.
    absences: Vec<(Draft, bool)>,
    /// The condition under which the code that is being lowered is reached.
    path: Option<NodeId>,
    /// Ways that left a loop or a function under a condition, in order.
    exits: Vec<Exit>,
    /// Where those of the current function begin.
    exits_from: usize,
    /// Tensors that are one of two which live on.
    choices: Vec<Rc<Choice>>,
    /// Whether a tensor was written to since they were last compared.
    has_written: bool,
    /// Those of the values that are being merged.
    new_choices: Vec<Choice>,
    /// Lists and dictionaries that are one of two.
    double_lists: HashSet<usize>,
    double_dicts: HashSet<usize>,
    /// Whether a handler waits for what Python would raise.
    is_tried: bool,
    /// What was raised for that handler.
    raised: Option<Exception>,
    /// Inside `torch.no_grad`: results carry no gradient.
    is_detached: bool,
    /// Whether the parameters of stages are arrays or tensors.
    pub(crate) parameter_form: Form,
    /// Parameters that hold keypoints, for better messages.
    keypoint_names: Vec<String>,
    drafts: &'a mut Vec<Draft>,
    limits: &'a Limits,
    work_left: &'a mut usize,
    call_depth: usize,
    /// Expressions and blocks that are being carried out.
    depth: usize,
}

impl<'a> Lower<'a> {
    pub(crate) fn new(
        limits: &'a Limits,
        work_left: &'a mut usize,
        drafts: &'a mut Vec<Draft>,
    ) -> Self {
        Self {
            graph: Graph::new(limits.operations),
            frames: vec![Frame::default()],
            frame: GLOBALS,
            unusable: HashMap::new(),
            locals: Vec::new(),
            lists: Vec::new(),
            dicts: Vec::new(),
            classes: Vec::new(),
            factories: HashMap::new(),
            most_items: HashMap::new(),
            changed_global: None,
            absences: Vec::new(),
            path: None,
            exits: Vec::new(),
            exits_from: 0,
            choices: Vec::new(),
            has_written: false,
            new_choices: Vec::new(),
            double_lists: HashSet::new(),
            double_dicts: HashSet::new(),
            is_tried: false,
            raised: None,
            is_detached: false,
            parameter_form: Form::Tensor,
            keypoint_names: Vec::new(),
            drafts,
            limits,
            work_left,
            call_depth: 0,
            depth: 0,
        }
    }

    /// Lowers `function` with its parameters, in their order, bound to `inputs`; one that is bound to
    /// nothing has its default, or `None`. Its single result.
    pub(crate) fn function(
        &mut self,
        function: &'a StmtFunctionDef,
        inputs: &[Option<Input>],
    ) -> Lowered<(NodeId, DType)> {
        let (value, span) = self.carry_out(function, inputs)?;
        self.result(value, span)
    }

    /// What `function` returns, and where.
    fn carry_out(
        &mut self,
        function: &'a StmtFunctionDef,
        inputs: &[Option<Input>],
    ) -> Lowered<(Value, Span)> {
        self.graph.span = Span::of(&function.name);
        let before = self.drafts.len();
        self.enter(GLOBALS, true);
        let parameters = &function.parameters;
        let mut inputs = inputs.iter();
        for parameter in parameters.iter_non_variadic_params() {
            let name = parameter.parameter.name.as_str();
            let value = match (inputs.next().and_then(Option::as_ref), &parameter.default) {
                (Some(input), _) => {
                    if input.is_keypoints {
                        self.keypoint_names.push(name.to_owned());
                    }
                    Value::Tensor(self.input(input)?)
                }
                (None, Some(default)) => self.expression(default)?,
                (None, None) => Value::None,
            };
            self.assign(name, Some(value));
        }
        if let Some(rest) = &parameters.vararg {
            self.assign(rest.name.as_str(), Some(Value::tuple(Vec::new())));
        }
        if let Some(rest) = &parameters.kwarg {
            let nothing = self.new_dict(Vec::new());
            self.assign(rest.name.as_str(), Some(nothing));
        }
        self.is_detached = false;
        self.decorated(function)?;
        let flow = match self.block(&function.body) {
            Err(Stop::Reported) => {
                self.check_uncalled()?;
                return Err(Stop::Reported);
            }
            flow => self.returned(0, flow?)?,
        };
        if self.drafts.len() > before {
            self.check_uncalled()?;
            return Err(Stop::Reported);
        }
        match flow {
            Flow::Return(value, span) => Ok((value, span)),
            _ => Err(self.fail(Draft::new(
                Kind::Result,
                Span::of(&function.name),
                format!("`{}` does not return anything", function.name),
            ))),
        }
    }

    fn input(&mut self, input: &Input) -> Lowered<Tensor> {
        let count = crate::tensor::count(&input.shape);
        self.charge(count)?;
        let mut nodes = (input.first..input.first + count)
            .map(|i| {
                let leaf = match input.source {
                    Source::Uniform => self.graph.uniform(i),
                    Source::Moved => self.graph.varying(i),
                    Source::Held => self.graph.held(i),
                };
                leaf.map_err(|_| self.graph_full())
            })
            .collect::<Lowered<Vec<_>>>()?;
        if let Some(carried) = &input.carried {
            self.carry(carried, &mut nodes)?;
        }
        Ok(Tensor::new(input.shape.clone(), nodes, DType::Float).with_form(self.parameter_form))
    }

    /// 1 where a comparison is true, -1 where it is false.
    pub(crate) fn sign(&mut self, truth: NodeId) -> Lowered<NodeId> {
        let (yes, no) = (self.constant(1.0)?, self.constant(-1.0)?);
        self.node(Op::Where, &[truth, yes, no])
    }

    /// The one number that a stage returns, and its type.
    fn result(&mut self, value: Value, span: Span) -> Lowered<(NodeId, DType)> {
        let value = self.reward_of(value)?;
        if let Some(reason) = self.absence(&value) {
            return Err(self.report_absence(reason, span));
        }
        let help = match &value {
            Value::Tensor(tensor) if tensor.len() == 1 => {
                return Ok((tensor.nodes()[0], tensor.dtype));
            }
            Value::Bool(_) | Value::Int(_) | Value::Float(_) => {
                let tensor = self.tensor_of(value, span)?;
                return Ok((tensor.nodes()[0], tensor.dtype));
            }
            Value::Tensor(tensor) if tensor.shape == [3] => {
                "take the length over x, y, z where two positions meet: `torch.norm(a - b, dim=-1)`"
            }
            Value::Tensor(tensor) if tensor.shape.last() == Some(&3) => {
                "`torch.norm(a - b, dim=-1)` is the distance between two positions; then take `.mean()` over time"
            }
            Value::Tensor(_) => "reduce it to one number with `.mean()`, `.sum()` or `.min()`",
            Value::Pair(..) => "take its `.values`",
            Value::None => "return the reward: `return reward`",
            Value::List(_) | Value::ListRef(_) => {
                "return one number: the terms added up, with the weights that they should have"
            }
            Value::Tuple(tuple) if !tuple.items.iter().all(is_one_number) => {
                "return the reward alone"
            }
            Value::Function(_) | Value::NumpyFunction(_) | Value::Builtin(_) | Value::Local(_) => {
                "call the function and return what it gives"
            }
            _ => "return a number, or 0 for a stage without guidance",
        };
        let draft = Draft::new(
            Kind::Result,
            span,
            "what a stage function returns is one number",
        )
        .expected("a scalar: one value for each particle (B is 1 here)")
        .found(value.describe())
        .help(help);
        Err(self.fail(match &value {
            Value::Tensor(tensor) => draft.shapes([tensor.shape.as_slice()]),
            _ => draft,
        }))
    }

    /// Records a mistake.
    fn fail(&mut self, draft: Draft) -> Stop {
        let draft = match self.raise_instead(draft) {
            Ok(draft) => draft,
            Err(stop) => return stop,
        };
        let known = self
            .drafts
            .iter()
            .any(|d| d.kind == draft.kind && d.span == draft.span);
        if !known {
            self.drafts.push(draft);
        }
        // The same mistake may come up in every iteration of a loop.
        *self.work_left = self.work_left.saturating_sub(MISTAKE_WORK);
        if self.drafts.len() >= MAX_DRAFTS || *self.work_left == 0 {
            Stop::Fatal
        } else {
            Stop::Reported
        }
    }

    /// Accounts for `amount` units of work.
    fn charge(&mut self, amount: usize) -> Lowered<()> {
        match self.work_left.checked_sub(amount) {
            Some(left) => {
                *self.work_left = left;
                Ok(())
            }
            None => {
                *self.work_left = 0;
                let span = self.graph.span;
                self.fail(
                    Draft::new(Kind::Limit, span, "the program does too much")
                        .expected(format!("at most {} units of work", self.limits.work))
                        .help("use fewer loop iterations and smaller tensors"),
                );
                Err(Stop::Fatal)
            }
        }
    }

    /// Checks the size of a tensor that is about to be made, and accounts for it.
    fn allow(&mut self, shape: &[usize]) -> Lowered<()> {
        let count = crate::tensor::extent(shape);
        if shape.len() > MAX_RANK {
            let span = self.graph.span;
            return Err(self.fail(
                Draft::new(Kind::Limit, span, "this tensor has too many dimensions")
                    .expected(format!("at most {MAX_RANK}"))
                    .found(format!("{}", shape.len()))
                    .help("use fewer dimensions"),
            ));
        }
        if count > self.limits.elements {
            let span = self.graph.span;
            return Err(self.fail(
                Draft::new(Kind::Limit, span, "this tensor is too large")
                    .expected(format!("at most {} elements", self.limits.elements))
                    .found(format!("shape {}", crate::tensor::show_shape(shape)))
                    .help("write a formula instead of a grid"),
            ));
        }
        self.charge(count)
    }

    fn graph_full(&mut self) -> Stop {
        let span = self.graph.span;
        self.fail(
            Draft::new(Kind::Limit, span, "the stage has too many operations")
                .expected(format!(
                    "at most {} scalar operations",
                    self.limits.operations
                ))
                .help("use fewer keypoints, pairs or loop iterations"),
        );
        Stop::Fatal
    }

    /// Accounts for a step into an expression or a block.
    ///
    /// The depth counts whether or not this succeeds: the caller takes it back.
    fn descend(&mut self, span: Span) -> Lowered<()> {
        self.depth += 1;
        if self.depth <= MAX_DEPTH {
            return Ok(());
        }
        Err(self.fail(
            Draft::new(Kind::Limit, span, "this is nested too deeply")
                .expected(format!("at most {MAX_DEPTH} levels, calls included"))
                .help("split the expression into several assignments"),
        ))
    }

    fn node(&mut self, op: Op, operands: &[NodeId]) -> Lowered<NodeId> {
        self.charge(op.work())?;
        let added = self.graph.add(op, operands).and_then(|id| {
            if self.is_detached && self.graph.node(id).differentiable {
                self.graph.add(Op::Detach, &[id])
            } else {
                Ok(id)
            }
        });
        added.map_err(|_| self.graph_full())
    }

    pub(crate) fn constant(&mut self, value: f64) -> Lowered<NodeId> {
        match self.graph.constant(value) {
            Ok(id) => Ok(id),
            Err(_) => Err(self.graph_full()),
        }
    }

    /// The elements as numbers, if all are known now.
    fn constants_of(&self, tensor: &Tensor) -> Option<Vec<f64>> {
        tensor
            .nodes()
            .into_iter()
            .map(|id| self.graph.constant_value(id))
            .collect()
    }

    /// Whether any element depends on the trajectory through something differentiable.
    fn is_differentiable(&self, tensor: &Tensor) -> bool {
        tensor
            .nodes()
            .into_iter()
            .any(|id| self.graph.node(id).differentiable)
    }

    /// What a tensor depends on, in words.
    fn dependence(&self, tensor: &Tensor) -> &'static str {
        let class = tensor
            .nodes()
            .into_iter()
            .map(|id| self.graph.node(id).class)
            .max();
        match class {
            Some(graph::Class::Varying) => "the trajectory",
            Some(graph::Class::Uniform) => "the keypoints",
            _ => "constants",
        }
    }
}
