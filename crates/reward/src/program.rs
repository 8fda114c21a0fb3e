//! From text to a program: stages, their functions and everything that is checked about them.

use std::sync::Arc;

use tiller_core::{GRIPPER_OPEN_M, MAX_DESCRIPTION, Reads, visible_line};

use crate::constraints::{carried, is_still, no_way_of_the_hand};
use crate::diagnostic::{Diagnostic, Diagnostics, Draft, Kind, Span};
use crate::explain::{Text, explain, explain_syntax};
use crate::extract::extract;
use crate::graph::Class;
use crate::guard::check_nesting;
use crate::lower::{Input, Lower, MAX_DRAFTS, Stop, parameter_form};
use crate::module::{Functions, collect, descriptions, docstring, stage_names};
use crate::options::CompileOptions;
use crate::probe::{check_done, check_guidance};
use crate::refusal::{no_dependence, no_gradient};
use crate::run::code::Code;
use crate::run::evaluator::{EvaluateError, axis_number};
use crate::signature::Signature;
use crate::suspect;
use crate::syntax::{Stmt, StmtFunctionDef, parse};
use crate::tensor::{DType, Form};
use crate::terms::{named_after, sum};

/// A checked and compiled reward program.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its stages in the order of execution; the first is stage 1 of the text.
    pub stages: Vec<Stage>,
    /// What is accepted and yet probably not meant, in the order of the text: wrap it into
    /// [`Diagnostics`] to show it.
    pub remarks: Vec<Diagnostic>,
}

/// One stage of a task.
#[derive(Clone, Debug)]
pub struct Stage {
    /// What the stage is for, from its `# Stage I: ...` comment: one visible line.
    pub description: String,
    /// The reward that guides the policy; higher is better.
    pub guidance: CompiledReward,
    /// When the stage is complete, if the program says so.
    pub done: Option<CompiledDone>,
    /// Whether the stage asks for no guidance: its reward is the number 0.
    pub is_unguided: bool,
}

/// A compiled `stageI_guidance`. Cheap to clone; evaluate it with an [`crate::Evaluator`].
#[derive(Clone, Debug)]
pub struct CompiledReward {
    pub(crate) code: Arc<Code>,
}

impl CompiledReward {
    /// Keypoints that the program was compiled for.
    #[must_use]
    pub fn keypoints(&self) -> usize {
        self.code.keypoints
    }

    /// Points of a trajectory, the current position included.
    #[must_use]
    pub fn points(&self) -> usize {
        self.code.points
    }

    /// The keypoints whose position or axes the reward reads, ascending.
    #[must_use]
    pub fn used_keypoints(&self) -> Vec<usize> {
        let count = self.keypoints();
        used_points(&self.code, |input| match input.checked_sub(3 * count) {
            None => Some(input / 3),
            Some(axes) => Some(axes / 9),
        })
    }

    /// What of the trajectory the reward reads beside positions.
    #[must_use]
    pub fn reads(&self) -> Reads {
        let [_, rotations, gripper] = &self.code.inputs;
        Reads {
            rotations: !rotations.components.is_empty(),
            gripper: !gripper.components.is_empty(),
        }
    }

    /// Scalar operations after folding and sharing: those of one particle and
    /// [`CompiledReward::operations_once`] together.
    #[must_use]
    pub fn operations(&self) -> usize {
        self.code.operations
    }

    /// The part of [`CompiledReward::operations`] that depends on the keypoints alone: done once a
    /// call, for all particles together.
    #[must_use]
    pub fn operations_once(&self) -> usize {
        self.code.uniform_operations()
    }
}

/// The hand with its fingers straight down.
pub(crate) const DOWN: [[f64; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, -1.0]];

/// What a done function is asked about: the scene and the hand at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// Where the keypoints are, `[K]`, metres in the robot base frame.
    pub keypoints: &'a [[f64; 3]],
    /// Where they were when the stage was entered.
    pub start_keypoints: &'a [[f64; 3]],
    /// See [`crate::Scene::keypoint_axes`].
    pub keypoint_axes: &'a [[[f64; 3]; 3]],
    /// The position of the hand, metres in the robot base frame.
    pub end_effector_m: [f64; 3],
    /// Its orientation: rows of a matrix whose columns are the hand's axes in the robot base frame.
    pub rotation: [[f64; 3]; 3],
    /// The measured width between the fingers, metres.
    pub gripper_width_m: f64,
}

impl<'a> Moment<'a> {
    /// With the hand straight down and open, and no axes known.
    #[must_use]
    pub fn at(
        keypoints: &'a [[f64; 3]],
        start_keypoints: &'a [[f64; 3]],
        end_effector_m: [f64; 3],
    ) -> Self {
        Self {
            keypoints,
            start_keypoints,
            keypoint_axes: &[],
            end_effector_m,
            rotation: DOWN,
            gripper_width_m: GRIPPER_OPEN_M,
        }
    }

    /// Input `index` of a done function; [`Signature::done`] counts them.
    fn number(&self, index: usize) -> f64 {
        let numbers = 3 * self.keypoints.len();
        if index < numbers {
            return self.keypoints[index / 3][index % 3];
        }
        let index = index - numbers;
        if index < numbers {
            return self.start_keypoints[index / 3][index % 3];
        }
        match index - numbers {
            at @ 0..3 => self.end_effector_m[at],
            at @ 3..12 => self.rotation[(at - 3) / 3][at % 3],
            12 => self.gripper_width_m,
            at => axis_number(self.keypoint_axes, at - 13),
        }
    }
}

/// A compiled `stageI_done`.
#[derive(Clone, Debug)]
pub struct CompiledDone {
    pub(crate) code: Arc<Code>,
}

impl CompiledDone {
    /// The done value: at or above 0 when the stage is complete.
    ///
    /// # Errors
    ///
    /// Another number of keypoints than at compile time, or a value that is not finite.
    pub fn value(&self, moment: &Moment<'_>) -> Result<f64, EvaluateError> {
        let expected = self.code.keypoints;
        for points in [moment.keypoints, moment.start_keypoints] {
            if points.len() != expected {
                let found = points.len();
                return Err(EvaluateError::KeypointCount { expected, found });
            }
        }
        let found = moment.keypoint_axes.len();
        if found != 0 && found != expected {
            return Err(EvaluateError::AxesCount { expected, found });
        }
        let mut slots = self.code.new_slots();
        let value = self.evaluate(moment, &mut slots);
        if value.is_finite() {
            Ok(value)
        } else {
            Err(EvaluateError::NotFinite { particle: 0 })
        }
    }

    /// The done value, with all intermediate values left in `slots`.
    pub(crate) fn evaluate(&self, moment: &Moment<'_>, slots: &mut [f64]) -> f64 {
        self.code.run_uniform(|index| moment.number(index), slots)
    }

    /// The keypoints whose current position or axes the value reads, ascending.
    #[must_use]
    pub fn used_keypoints(&self) -> Vec<usize> {
        let count = self.code.keypoints;
        used_points(&self.code, |input| {
            if input < 3 * count {
                return Some(input / 3);
            }
            input.checked_sub(6 * count + 13).map(|axes| axes / 9)
        })
    }
}

/// The keypoints that uniform inputs belong to, ascending.
fn used_points(code: &Code, keypoint: impl Fn(usize) -> Option<usize>) -> Vec<usize> {
    let mut points: Vec<usize> = code.used_uniforms().filter_map(keypoint).collect();
    points.sort_unstable();
    points.dedup();
    points
}

/// Compiles a reward program from text, which may be a Markdown answer with prose and fences.
///
/// # Errors
///
/// Every mistake that was found, with its place in `text`.
///
/// ```
/// use tiller_reward::{CompileOptions, compile};
///
/// let text = "
/// num_stages = 1
/// ## Stage 1: reach the block
/// def stage1_guidance(keypoints, action_sequence):
///     return -torch.norm(action_sequence - keypoints[7], dim=-1).mean()
/// ";
/// let mistakes = compile(text, &CompileOptions::new(3, 17)).unwrap_err();
/// assert!(mistakes.render(text).contains("there is no keypoint 7"));
///
/// let program = compile(&text.replace("[7]", "[2]"), &CompileOptions::new(3, 17))?;
/// assert_eq!(program.stages[0].description, "reach the block");
/// # Ok::<(), tiller_reward::Diagnostics>(())
/// ```
pub fn compile(text: &str, options: &CompileOptions) -> Result<Program, Diagnostics> {
    let limits = &options.limits;
    if text.len() > limits.source_bytes {
        let draft = Draft::new(Kind::Limit, Span::default(), "the text is too long")
            .expected(format!("at most {} bytes", limits.source_bytes))
            .found(format!("{} bytes", text.len()))
            .help("answer with the program alone");
        return Err(Diagnostics {
            items: vec![draft.finish(text, |_| 0..0)],
        });
    }
    let extracted = extract(text).map_err(|draft| Diagnostics {
        items: vec![draft.finish(text, |_| 0..0)],
    })?;
    let finished = |mut drafts: Vec<Draft>| -> Vec<Diagnostic> {
        drafts.sort_by_key(|draft| (draft.kind.severity(), draft.span));
        drafts.truncate(MAX_DRAFTS);
        let finish = |draft: Draft| draft.finish(text, |span| extracted.original(span, text));
        drafts.into_iter().map(finish).collect()
    };
    match compile_python(extracted.python(), options) {
        Ok((stages, remarks)) => Ok(Program {
            stages,
            remarks: finished(remarks),
        }),
        Err(drafts) => Err(Diagnostics {
            items: finished(drafts),
        }),
    }
}

/// The stages and what is remarked about them; else the mistakes, and the remarks after them.
fn compile_python(
    python: &str,
    options: &CompileOptions,
) -> Result<(Vec<Stage>, Vec<Draft>), Vec<Draft>> {
    check_nesting(python, options.limits.nesting).map_err(|draft| vec![draft])?;
    let suite = parse(python).map_err(|failure| explain_syntax(&failure, python))?;
    let (mut drafts, mut remarks) = (Vec::new(), Vec::new());
    let module = collect(&suite, &options.limits, &mut drafts);
    let descriptions = descriptions(python);
    let parameter_form = parameter_form(&suite);
    let names = stage_names(&module.constants);
    let mut stages = Vec::with_capacity(module.stages.len());
    let mut work_left = options.limits.work;
    for (position, functions) in module.stages.iter().enumerate() {
        let Some(function) = functions.guiding().next() else {
            continue;
        };
        let mut stage = StageCompiler {
            python,
            options,
            constants: &module.constants,
            carried: carried(&module, position + 1),
            parameter_form,
            drafts: &mut drafts,
            remarks: &mut remarks,
            work_left: &mut work_left,
        };
        let guidance = stage.guidance(functions);
        let done = match functions.done {
            Some(function) => stage.done(function).map(Some),
            None => stage.done_by_subgoals(functions),
        };
        let description = descriptions
            .iter()
            .find(|(number, _)| *number == position + 1)
            .map(|(_, text)| text)
            .or(names.get(position).filter(|name| !name.is_empty()))
            .cloned()
            .or_else(|| docstring(function))
            .unwrap_or_else(|| format!("stage {}", position + 1));
        let description = visible_line(&description, MAX_DESCRIPTION);
        if let (Ok((guidance, is_unguided)), Ok(done)) = (guidance, done) {
            stages.push(Stage {
                description,
                guidance,
                done,
                is_unguided,
            });
        }
        if work_left == 0 {
            break;
        }
    }
    if drafts.is_empty() {
        Ok((stages, remarks))
    } else {
        let text = Text {
            python,
            module: &suite,
            keypoints: options.keypoints,
            points: options.points,
        };
        // Explaining reads the whole text, for few mistakes only.
        drafts.sort_by_key(|draft| draft.span);
        drafts.truncate(MAX_DRAFTS);
        let mut drafts = explain(drafts, &text);
        drafts.append(&mut remarks);
        Err(drafts)
    }
}

/// Compiles the functions of one stage.
pub(crate) struct StageCompiler<'s> {
    python: &'s str,
    pub(crate) options: &'s CompileOptions,
    /// Statements of the module level that give names to constants.
    pub(crate) constants: &'s [&'s Stmt],
    /// Keypoints that the hand carries, as far as constraints say.
    pub(crate) carried: Vec<usize>,
    pub(crate) drafts: &'s mut Vec<Draft>,
    remarks: &'s mut Vec<Draft>,
    pub(crate) work_left: &'s mut usize,
    /// Whether parameters are arrays or tensors.
    pub(crate) parameter_form: Form,
}

impl<'s> StageCompiler<'s> {
    /// What the parameters of a stage function are bound to.
    pub(crate) fn bind(
        &mut self,
        function: &StmtFunctionDef,
        signature: &Signature,
    ) -> Result<Vec<Option<Input>>, Stop> {
        let bound = if function.is_async {
            Err(Draft::new(
                Kind::Unsupported,
                Span::of(&function.name),
                "a stage function is a plain `def`",
            )
            .help("remove `async`"))
        } else {
            signature.bind(function, self.python)
        };
        bound.map_err(|draft| {
            self.drafts.push(draft);
            Stop::Reported
        })
    }

    fn guidance(&mut self, functions: &Functions<'s>) -> Result<(CompiledReward, bool), Stop> {
        let terms = self.terms(functions)?;
        let (keypoints, points) = (self.options.keypoints, self.options.points);
        let mut lower = Lower::new(&self.options.limits, self.work_left, self.drafts);
        lower.parameter_form = self.parameter_form;
        lower.module_constants(self.constants)?;
        let result = sum(&mut lower, &terms)?;
        let is_constrained = functions.guidance.is_empty();
        let graph = &lower.graph;
        let node = graph.node(result);
        let code = Code::new(graph, result, keypoints, points);
        let function = terms[0].function;
        let (class, differentiable, span) =
            (node.class, node.differentiable, Span::of(&function.name));
        let reward = CompiledReward {
            code: Arc::new(code),
        };
        let all: Vec<&StmtFunctionDef> = terms.iter().map(|term| term.function).collect();
        let suspicion = suspect::Guidance::new((function, &all), graph, result, self.options);
        let name = function.name.as_str();
        if suspicion.is_unguided() {
            return Ok((reward, true));
        }
        // What the hand carries keeps its own form, which no way of the hand changes.
        if is_constrained && !self.carried.is_empty() && is_still(&reward, self.options) {
            let nothing = lower.constant(0.0)?;
            let code = Arc::new(Code::new(&lower.graph, nothing, keypoints, points));
            return Ok((CompiledReward { code }, true));
        }
        let judged = if class != Class::Varying && is_constrained {
            Err(no_way_of_the_hand(name, span))
        } else if class != Class::Varying {
            Err(suspicion.named(no_dependence(class, name, span)))
        } else if !differentiable {
            Err(no_gradient(graph, result, name, self.python))
        } else {
            let unfused = || Code::unfused(graph, result, keypoints, points);
            check_guidance(&reward, unfused, self.options, name)
                .and_then(|slopes| suspicion.judge(&reward, slopes))
        };
        match judged {
            Ok(remarks) => {
                self.remarks.extend(remarks);
                Ok((reward, false))
            }
            Err(draft) => {
                self.drafts.push(named_after(draft, functions));
                Err(Stop::Reported)
            }
        }
    }

    fn done(&mut self, function: &'s StmtFunctionDef) -> Result<CompiledDone, Stop> {
        let inputs = self.bind(function, &Signature::done(self.options))?;
        let mut lower = Lower::new(&self.options.limits, self.work_left, self.drafts);
        lower.parameter_form = self.parameter_form;
        lower.module_constants(self.constants)?;
        let (result, dtype) = lower.function(function, &inputs)?;
        let is_comparison = dtype == DType::Bool;
        let result = if is_comparison {
            lower.sign(result)?
        } else {
            result
        };
        let code = Arc::new(Code::new(&lower.graph, result, self.options.keypoints, 0));
        let done = CompiledDone { code };
        let suspicion = suspect::Done::new(function, &lower.graph, result, self.options);
        let name = &function.name;
        let judged = check_done(&done, self.options, name.as_str(), Span::of(name))
            .and_then(|()| suspicion.judge(&done, is_comparison));
        match judged {
            Ok(remarks) => {
                self.remarks.extend(remarks);
                Ok(done)
            }
            Err(draft) => {
                self.drafts.push(draft);
                Err(Stop::Reported)
            }
        }
    }
}
