//! From text to a program: stages, their functions and everything that is checked about them.

use std::sync::Arc;

use ruff_python_ast::{Expr, Number, Stmt, StmtFunctionDef};
use ruff_python_parser::{Mode, ParseOptions, parse_unchecked};

use crate::diagnostic::{Diagnostics, Draft, Kind, Span};
use crate::extract::extract;
use crate::graph::Class;
use crate::guard::check_nesting;
use crate::lower::{Input, Lower, MAX_DRAFTS, Stop, check_import};
use crate::options::{CompileOptions, Limits};
use crate::probe::{check_done, check_guidance};
use crate::run::code::Code;
use crate::run::evaluator::EvaluateError;

/// Syntax errors shown at most: later ones mostly follow from earlier ones.
const MAX_SYNTAX_ERRORS: usize = 3;

/// A checked and compiled reward program.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its stages in the order of execution; the first is stage 1 of the text.
    pub stages: Vec<Stage>,
}

/// One stage of a task.
#[derive(Clone, Debug)]
pub struct Stage {
    /// What the stage is for, from its `# Stage I: ...` comment.
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
        self.code.uniform_inputs / 3
    }

    /// Points of a trajectory, the current position included.
    #[must_use]
    pub fn points(&self) -> usize {
        self.code.varying_inputs / 3
    }

    /// The keypoints that the reward reads, ascending.
    #[must_use]
    pub fn used_keypoints(&self) -> Vec<usize> {
        used_points(&self.code, self.keypoints())
    }

    /// Scalar operations for one particle after folding and sharing.
    #[must_use]
    pub fn operations(&self) -> usize {
        self.code.operations()
    }
}

/// A compiled `stageI_done`.
#[derive(Clone, Debug)]
pub struct CompiledDone {
    pub(crate) code: Arc<Code>,
    pub(crate) keypoints: usize,
}

impl CompiledDone {
    /// The done value: at or above 0 when the stage is complete.
    ///
    /// `keypoints` are where they are now, `start_keypoints` where they were when the stage was
    /// entered, `end_effector` the position of the hand; metres in the robot base frame.
    ///
    /// # Errors
    ///
    /// Another number of keypoints than at compile time, or a value that is not finite.
    pub fn value(
        &self,
        keypoints: &[[f64; 3]],
        start_keypoints: &[[f64; 3]],
        end_effector: [f64; 3],
    ) -> Result<f64, EvaluateError> {
        for points in [keypoints, start_keypoints] {
            if points.len() != self.keypoints {
                let (expected, found) = (self.keypoints, points.len());
                return Err(EvaluateError::KeypointCount { expected, found });
            }
        }
        let mut slots = self.code.new_slots();
        let numbers = 3 * self.keypoints;
        let input = |i: usize| match i / numbers.max(1) {
            _ if numbers == 0 => end_effector[i],
            0 => keypoints[i / 3][i % 3],
            1 => start_keypoints[(i - numbers) / 3][i % 3],
            _ => end_effector[i - 2 * numbers],
        };
        let value = self.code.run_uniform(input, &mut slots);
        if value.is_finite() {
            Ok(value)
        } else {
            Err(EvaluateError::NotFinite { particle: 0 })
        }
    }

    /// The keypoints whose current position the value reads, ascending.
    #[must_use]
    pub fn used_keypoints(&self) -> Vec<usize> {
        used_points(&self.code, self.keypoints)
    }
}

fn used_points(code: &Code, count: usize) -> Vec<usize> {
    let mut points: Vec<usize> = code
        .used_uniforms()
        .map(|input| input / 3)
        .filter(|&point| point < count)
        .collect();
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
            .found(format!("{} bytes", text.len()));
        return Err(Diagnostics {
            items: vec![draft.finish(text, 0..0)],
        });
    }
    let Some(extracted) = extract(text) else {
        let draft = Draft::new(Kind::NoProgram, Span::default(), "there is no program here")
            .expected("`num_stages = N` and a function `stageI_guidance` for each stage");
        return Err(Diagnostics {
            items: vec![draft.finish(text, 0..0)],
        });
    };
    compile_python(&extracted.python, options).map_err(|mut drafts| {
        drafts.sort_by_key(|draft| draft.span);
        drafts.truncate(MAX_DRAFTS);
        let items = drafts
            .into_iter()
            .map(|draft| {
                let span = extracted.original(draft.span, text);
                draft.finish(text, span)
            })
            .collect();
        Diagnostics { items }
    })
}

/// The functions of one stage.
#[derive(Default)]
struct Functions<'a> {
    guidance: Option<&'a StmtFunctionDef>,
    done: Option<&'a StmtFunctionDef>,
}

fn compile_python(python: &str, options: &CompileOptions) -> Result<Program, Vec<Draft>> {
    check_nesting(python, options.limits.nesting).map_err(|draft| vec![draft])?;
    let parsed = parse_unchecked(python, ParseOptions::from(Mode::Module));
    if !parsed.errors().is_empty() {
        return Err(parsed
            .errors()
            .iter()
            .take(MAX_SYNTAX_ERRORS)
            .map(|error| {
                let message = format!("this is not Python: {}", lower_first(&error.error));
                Draft::new(Kind::Syntax, Span::of(&error.location), message)
                    .help("check brackets, quotes and indentation")
            })
            .collect());
    }
    let Some(module) = parsed.try_into_module() else {
        return Err(Vec::new());
    };
    let mut drafts = Vec::new();
    let functions = collect(module.suite(), &options.limits, &mut drafts);
    let descriptions = descriptions(python);
    let mut stages = Vec::with_capacity(functions.len());
    let mut work_left = options.limits.work;
    for (position, functions) in functions.iter().enumerate() {
        let Some(function) = functions.guidance else {
            continue;
        };
        let mut stage = StageCompiler {
            options,
            drafts: &mut drafts,
            work_left: &mut work_left,
        };
        let guidance = stage.guidance(function);
        let done = functions.done.map(|function| stage.done(function));
        let description = descriptions
            .iter()
            .find(|(number, _)| *number == position + 1)
            .map(|(_, text)| text.clone())
            .or_else(|| docstring(function))
            .unwrap_or_else(|| format!("stage {}", position + 1));
        if let (Ok((guidance, is_unguided)), Ok(done)) = (guidance, done.transpose()) {
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
        Ok(Program { stages })
    } else {
        Err(drafts)
    }
}

fn lower_first(error: &impl ToString) -> String {
    let text = error.to_string();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(chars).collect()
    })
}

/// Reads the module level: `num_stages`, imports and the stage functions.
fn collect<'a>(
    statements: &'a [Stmt],
    limits: &Limits,
    drafts: &mut Vec<Draft>,
) -> Vec<Functions<'a>> {
    let mut count = None;
    let mut count_span = Span::default();
    let mut found: Vec<(usize, bool, &StmtFunctionDef)> = Vec::new();
    for statement in statements {
        match statement {
            Stmt::Import(_) | Stmt::ImportFrom(_) => {
                drafts.extend(check_import(statement).err());
            }
            Stmt::Assign(assign) => {
                if assign
                    .targets
                    .iter()
                    .any(|target| is_name(target, "num_stages"))
                {
                    count_span = Span::of(assign);
                    match stage_count(&assign.value, limits) {
                        Ok(value) => count = Some(value),
                        Err(draft) => {
                            drafts.push(draft);
                            count = Some(0);
                        }
                    }
                }
            }
            Stmt::FunctionDef(function) => {
                // A helper outside the stages is unknown where it is used.
                let Some((stage, is_done)) = stage_name(function.name.as_str()) else {
                    continue;
                };
                if found.iter().any(|&(s, d, _)| (s, d) == (stage, is_done)) {
                    drafts.push(Draft::new(
                        Kind::StageFunction,
                        Span::of(&function.name),
                        format!("`{}` is defined twice", function.name),
                    ));
                } else {
                    found.push((stage, is_done, function));
                }
            }
            Stmt::Expr(expression) if matches!(&*expression.value, Expr::StringLiteral(_)) => {}
            Stmt::AnnAssign(_) | Stmt::Pass(_) => {}
            other => drafts.push(
                Draft::new(
                    Kind::Unsupported,
                    Span::of(other),
                    "only stage functions, imports and `num_stages` may stand here",
                )
                .help("remove it, or move it into the stage function that needs it"),
            ),
        }
    }
    let highest = found.iter().map(|&(stage, ..)| stage).max().unwrap_or(0);
    let Some(count) = count else {
        drafts.push(
            Draft::new(Kind::StageCount, Span::default(), "`num_stages` is not set")
                .expected("a line such as `num_stages = 2`")
                .help(format!("add `num_stages = {}` at the top", highest.max(1))),
        );
        return Vec::new();
    };
    let mut functions: Vec<Functions<'_>> = (0..count).map(|_| Functions::default()).collect();
    for (stage, is_done, function) in found {
        match functions.get_mut(stage.wrapping_sub(1)) {
            Some(slot) if is_done => slot.done = Some(function),
            Some(slot) => slot.guidance = Some(function),
            None if count > 0 => drafts.push(
                Draft::new(
                    Kind::StageFunction,
                    Span::of(&function.name),
                    format!("there is no stage {stage}"),
                )
                .expected(format!("stages 1 to {count}, as `num_stages` says"))
                .help("correct `num_stages` or the function's name"),
            ),
            None => {}
        }
    }
    for (position, slot) in functions.iter().enumerate() {
        if slot.guidance.is_none() {
            let name = format!("stage{}_guidance", position + 1);
            let at = slot.done.map_or(count_span, |done| Span::of(&done.name));
            drafts.push(
                Draft::new(Kind::StageFunction, at, format!("`{name}` is missing"))
                    .expected(format!("one guidance function for each of {count} stages"))
                    .help(format!(
                        "add `def {name}(keypoints, action_sequence):`; return 0 for no guidance"
                    )),
            );
        }
    }
    functions
}

fn is_name(expression: &Expr, name: &str) -> bool {
    matches!(expression, Expr::Name(found) if found.id.as_str() == name)
}

fn stage_count(value: &Expr, limits: &Limits) -> Result<usize, Draft> {
    let literal = match value {
        Expr::NumberLiteral(literal) => match &literal.value {
            Number::Int(int) => int.as_usize(),
            _ => None,
        },
        _ => None,
    };
    match literal {
        Some(count) if (1..=limits.stages).contains(&count) => Ok(count),
        _ => Err(Draft::new(
            Kind::StageCount,
            Span::of(value),
            "this is not a number of stages",
        )
        .expected(format!("an integer literal from 1 to {}", limits.stages))),
    }
}

/// `stage3_guidance` is `(3, false)`, `stage3_done` is `(3, true)`.
fn stage_name(name: &str) -> Option<(usize, bool)> {
    let (number, suffix) = name.strip_prefix("stage")?.split_once('_')?;
    let is_done = match suffix {
        "guidance" => false,
        "done" => true,
        _ => return None,
    };
    number.parse().ok().map(|number| (number, is_done))
}

/// `# Stage I: ...` comments.
fn descriptions(python: &str) -> Vec<(usize, String)> {
    python.lines().filter_map(description).collect()
}

fn description(line: &str) -> Option<(usize, String)> {
    let text = line
        .trim()
        .strip_prefix('#')?
        .trim_start_matches('#')
        .trim_start();
    let head = text
        .get(..5)
        .filter(|head| head.eq_ignore_ascii_case("stage"))?;
    let rest = text[head.len()..].trim_start();
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let number = rest[..digits].parse().ok()?;
    let text = rest[digits..]
        .trim_start()
        .strip_prefix([':', '-', '.', ')'])?
        .trim();
    (!text.is_empty()).then(|| (number, text.to_owned()))
}

/// The first line of a function's docstring.
fn docstring(function: &StmtFunctionDef) -> Option<String> {
    let Stmt::Expr(first) = function.body.first()? else {
        return None;
    };
    let Expr::StringLiteral(text) = &*first.value else {
        return None;
    };
    let line = text.value.to_str().trim().lines().next()?.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

/// Compiles the functions of one stage.
struct StageCompiler<'s> {
    options: &'s CompileOptions,
    drafts: &'s mut Vec<Draft>,
    work_left: &'s mut usize,
}

impl StageCompiler<'_> {
    fn check_signature(&mut self, function: &StmtFunctionDef, names: &[&str]) -> Result<(), Stop> {
        let parameters = &function.parameters;
        let plain = parameters.posonlyargs.len() + parameters.args.len();
        let others = parameters.kwonlyargs.len()
            + usize::from(parameters.vararg.is_some())
            + usize::from(parameters.kwarg.is_some());
        if function.is_async || !function.decorator_list.is_empty() {
            self.drafts.push(
                Draft::new(
                    Kind::Unsupported,
                    Span::of(&function.name),
                    "a stage function is a plain `def`",
                )
                .help("remove `async` and decorators"),
            );
            return Err(Stop::Reported);
        }
        if plain == names.len() && others == 0 {
            return Ok(());
        }
        self.drafts.push(
            Draft::new(
                Kind::Signature,
                Span::of(&*function.parameters),
                format!("`{}` has the wrong parameters", function.name),
            )
            .expected(format!("({})", names.join(", ")))
            .found(format!("{} parameters", plain + others)),
        );
        Err(Stop::Reported)
    }

    fn guidance(&mut self, function: &StmtFunctionDef) -> Result<(CompiledReward, bool), Stop> {
        self.check_signature(function, &["keypoints", "action_sequence"])?;
        let (keypoints, points) = (self.options.keypoints, self.options.points);
        let inputs = [
            Input::Points {
                first: 0,
                count: keypoints,
            },
            Input::Trajectory { points },
        ];
        let mut lower = Lower::new(&self.options.limits, self.work_left, self.drafts);
        let result = lower.function(function, &inputs)?;
        let graph = &lower.graph;
        let node = graph.node(result);
        let is_unguided = graph.constant_value(result) == Some(0.0);
        let code = Code::new(graph, result, 3 * keypoints, 3 * points);
        let (class, differentiable, span) =
            (node.class, node.differentiable, Span::of(&function.name));
        let reward = CompiledReward {
            code: Arc::new(code),
        };
        if is_unguided {
            return Ok((reward, true));
        }
        let draft = if class != Class::Varying {
            Draft::new(
                Kind::NoDependence,
                span,
                format!("`{}` does not depend on the trajectory", function.name),
            )
            .expected("a reward computed from the second parameter")
            .found(match class {
                Class::Constant => "a constant",
                _ => "a function of the keypoints alone",
            })
            .help("use `action_sequence`, or return 0 for a stage without guidance")
        } else if !differentiable {
            Draft::new(
                Kind::NoGradient,
                span,
                format!("the gradient of `{}` is zero everywhere", function.name),
            )
            .found("comparisons, rounding, indices or detached values only")
            .help("use distances, or soft steps such as `torch.sigmoid((x - limit) / 0.01)`")
        } else if let Err(draft) = check_guidance(&reward, self.options, function.name.as_str()) {
            draft
        } else {
            return Ok((reward, false));
        };
        self.drafts.push(draft);
        Err(Stop::Reported)
    }

    fn done(&mut self, function: &StmtFunctionDef) -> Result<CompiledDone, Stop> {
        self.check_signature(function, &["keypoints", "start_keypoints", "end_effector"])?;
        let keypoints = self.options.keypoints;
        let inputs = [
            Input::Points {
                first: 0,
                count: keypoints,
            },
            Input::Points {
                first: 3 * keypoints,
                count: keypoints,
            },
            Input::Point {
                first: 6 * keypoints,
            },
        ];
        let mut lower = Lower::new(&self.options.limits, self.work_left, self.drafts);
        let result = lower.function(function, &inputs)?;
        let code = Arc::new(Code::new(&lower.graph, result, 6 * keypoints + 3, 0));
        let done = CompiledDone { code, keypoints };
        match check_done(
            &done,
            self.options,
            function.name.as_str(),
            Span::of(&function.name),
        ) {
            Ok(()) => Ok(done),
            Err(draft) => {
                self.drafts.push(draft);
                Err(Stop::Reported)
            }
        }
    }
}
