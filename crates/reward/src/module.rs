//! The module level of a program: `num_stages`, imports, stage functions and descriptions.

use std::collections::HashSet;

use crate::diagnostic::{Draft, Kind, Span};
use crate::lower::{MAX_DRAFTS, check_import};
use crate::options::Limits;
use crate::syntax::{Expr, Number, Stmt, StmtFunctionDef};

/// The functions of one stage.
#[derive(Default)]
pub(crate) struct Functions<'a> {
    /// Rewards; the stage's is their sum.
    pub(crate) guidance: Vec<&'a StmtFunctionDef>,
    pub(crate) done: Option<&'a StmtFunctionDef>,
    /// Costs at the end of the stage and along it, in ReKep's form.
    pub(crate) subgoals: Vec<&'a StmtFunctionDef>,
    pub(crate) paths: Vec<&'a StmtFunctionDef>,
}

impl<'a> Functions<'a> {
    /// As in Python, a function replaces the one of its name.
    fn take(&mut self, role: Role, function: &'a StmtFunctionDef) {
        let all = match role {
            Role::Guidance(_) => &mut self.guidance,
            Role::Subgoal => &mut self.subgoals,
            Role::Path => &mut self.paths,
            Role::Done => {
                self.done = Some(function);
                return;
            }
        };
        let name = function.name.as_str();
        match all.iter_mut().find(|known| known.name.as_str() == name) {
            Some(known) => *known = function,
            None => all.push(function),
        }
    }

    /// What makes up the reward, in the order of the text.
    pub(crate) fn guiding(&self) -> impl Iterator<Item = &'a StmtFunctionDef> {
        let all = [&self.guidance, &self.subgoals, &self.paths];
        all.into_iter().flatten().copied()
    }

    /// ReKep's constraints.
    pub(crate) fn constraints(&self) -> impl Iterator<Item = &'a StmtFunctionDef> {
        self.subgoals.iter().chain(&self.paths).copied()
    }

    fn is_guided(&self) -> bool {
        self.guiding().next().is_some()
    }
}

/// What stands at the module level.
#[derive(Default)]
pub(crate) struct Module<'a> {
    pub(crate) stages: Vec<Functions<'a>>,
    /// Imports and assignments of constants, in order.
    pub(crate) constants: Vec<&'a Stmt>,
}

/// Reads the module level: `num_stages`, imports, constants and the stage functions. As in
/// Python, a later definition replaces an earlier one: an answer may correct itself.
pub(crate) fn collect<'a>(
    statements: &'a [Stmt],
    limits: &Limits,
    drafts: &mut Vec<Draft>,
) -> Module<'a> {
    let mut module = Module::default();
    let mut count = None;
    let mut count_span = Span::default();
    let mut found: Vec<(usize, Role, &StmtFunctionDef)> = Vec::new();
    let mut outdated = 0;
    for statement in statements {
        if drafts.len() >= MAX_DRAFTS {
            return module;
        }
        match statement {
            Stmt::Import(_) | Stmt::ImportFrom(_) => match check_import(statement) {
                Ok(()) => module.constants.push(statement),
                Err(draft) => drafts.push(draft),
            },
            Stmt::Assign(_) | Stmt::AnnAssign(_) => {
                let Some(value) = stage_count_value(statement) else {
                    module.constants.push(statement);
                    continue;
                };
                // Stages of an earlier version may exceed the new number.
                if let Some(Ok(_)) = count {
                    outdated = found.len();
                }
                count_span = Span::of(statement);
                count = Some(stage_count(value, limits));
            }
            Stmt::FunctionDef(function) => {
                module.constants.push(statement);
                if let Some((stage, role)) = stage_name(function.name.as_str()) {
                    found.push((stage, role, function));
                }
            }
            // Python itself runs such a block only where the text is the main program.
            Stmt::If(branch) if is_main_guard(&branch.test) => {}
            Stmt::Expr(_) | Stmt::Pass(_) => {}
            other => module.constants.push(other),
        }
    }
    let highest = found.iter().map(|&(stage, ..)| stage).max().unwrap_or(0);
    if count.is_none() && is_counted_by_its_functions(&found, highest) {
        count = Some(Ok(highest.min(limits.stages)));
    }
    if count.is_none() {
        drafts.push(
            Draft::new(Kind::StageCount, Span::default(), "`num_stages` is not set")
                .expected("a line such as `num_stages = 2`")
                .help(format!("add `num_stages = {}` at the top", highest.max(1))),
        );
    }
    // Without the number, the stages that are there are checked.
    let is_known = matches!(count, Some(Ok(_)));
    let count = count.and_then(|count| count.map_err(|draft| drafts.push(draft)).ok());
    let count = count.unwrap_or(highest.min(limits.stages));
    let mut functions: Vec<Functions<'_>> = (0..count).map(|_| Functions::default()).collect();
    for (position, (stage, role, function)) in found.into_iter().enumerate() {
        match functions.get_mut(stage.wrapping_sub(1)) {
            Some(slot) => slot.take(role, function),
            None if is_known && position >= outdated => drafts.push(
                Draft::new(
                    Kind::StageFunction,
                    Span::of(&function.name),
                    format!("there is no stage {stage}"),
                )
                .expected(match count {
                    1 => "stage 1 alone, as `num_stages` says".to_owned(),
                    _ => format!("stages 1 to {count}, as `num_stages` says"),
                })
                .note(count_span, "the number of stages is set here"),
            ),
            None => {}
        }
    }
    for (position, slot) in functions.iter().enumerate() {
        if !slot.is_guided() && is_known {
            let name = format!("stage{}_guidance", position + 1);
            let at = slot.done.map_or(count_span, |done| Span::of(&done.name));
            let mut draft = Draft::new(Kind::StageFunction, at, format!("`{name}` is missing"))
                .expected("a guidance function for every stage")
                .help(format!(
                    "add `def {name}(keypoints, action_sequence):`; return 0 for no guidance"
                ));
            draft.details.missing_stage = Some(position + 1);
            drafts.push(draft);
        }
    }
    module.stages = functions;
    module
}

/// Whether functions in other people's forms, whose files do not say their number, make up the stages
/// from 1 to `highest`.
fn is_counted_by_its_functions(found: &[(usize, Role, &StmtFunctionDef)], highest: usize) -> bool {
    let is_other_form = |role: Role| !matches!(role, Role::Guidance(None) | Role::Done);
    let stages: HashSet<usize> = found
        .iter()
        .filter(|(stage, role, _)| *stage > 0 && is_other_form(*role))
        .map(|&(stage, ..)| stage)
        .collect();
    !stages.is_empty() && stages.len() == highest
}

/// The descriptions in `stage_names = [...]`.
pub(crate) fn stage_names(constants: &[&Stmt]) -> Vec<String> {
    let list = constants.iter().rev().find_map(|statement| {
        let assign = statement.as_assign_stmt()?;
        let is_it = assign
            .targets
            .iter()
            .any(|target| is_name(target, "stage_names"));
        is_it.then_some(&*assign.value)
    });
    let items = match list {
        Some(Expr::List(list)) => list.elts.as_slice(),
        Some(Expr::Tuple(tuple)) => tuple.elts.as_slice(),
        _ => &[],
    };
    let text = |item: &Expr| {
        let text = item.as_string_literal_expr()?.value.to_str().trim();
        Some(text.lines().next().unwrap_or_default().to_owned())
    };
    items
        .iter()
        .map(|item| text(item).unwrap_or_default())
        .collect()
}

/// The right side of `num_stages = ...`.
fn stage_count_value(statement: &Stmt) -> Option<&Expr> {
    match statement {
        Stmt::Assign(assign) => {
            let mut targets = assign.targets.iter();
            targets
                .any(|target| is_name(target, "num_stages"))
                .then_some(&*assign.value)
        }
        Stmt::AnnAssign(assign) if is_name(&assign.target, "num_stages") => assign.value.as_deref(),
        _ => None,
    }
}

/// `__name__ == "__main__"`.
fn is_main_guard(test: &Expr) -> bool {
    matches!(test, Expr::Compare(compare) if is_name(&compare.left, "__name__"))
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
        .expected(format!("an integer literal from 1 to {}", limits.stages))
        .help("count the stages and write the number itself, as in `num_stages = 2`")),
    }
}

/// What a stage function is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A reward, or one of several with numbers.
    Guidance(Option<u32>),
    /// Whether the stage is complete.
    Done,
    /// A cost of ReKep's at the end of the stage.
    Subgoal,
    /// A cost of ReKep's along the way.
    Path,
}

/// `stage3_guidance` and `stage3_guidance2` belong to stage 3, and so do ReKep's
/// `stage3_subgoal_constraint1` and `stage3_path_constraint1`.
pub(crate) fn stage_name(name: &str) -> Option<(usize, Role)> {
    let (number, suffix) = name.strip_prefix("stage")?.split_once('_')?;
    let stage = number.parse().ok()?;
    let digits = |word: &str| {
        let rest = suffix.strip_prefix(word)?;
        let rest = rest
            .strip_prefix('_')
            .filter(|r| !r.is_empty())
            .unwrap_or(rest);
        match rest {
            "" => Some(None),
            digits => digits.parse::<u32>().ok().map(Some),
        }
    };
    let role = if suffix == "done" {
        Role::Done
    } else if let Some(number) = digits("guidance") {
        Role::Guidance(number)
    } else if digits("subgoal_constraint").is_some() {
        Role::Subgoal
    } else if digits("path_constraint").is_some() {
        Role::Path
    } else {
        return None;
    };
    Some((stage, role))
}

/// `# Stage I: ...` comments.
pub(crate) fn descriptions(python: &str) -> Vec<(usize, String)> {
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
pub(crate) fn docstring(function: &StmtFunctionDef) -> Option<String> {
    let Stmt::Expr(first) = function.body.first()? else {
        return None;
    };
    let Expr::StringLiteral(text) = &*first.value else {
        return None;
    };
    let line = text.value.to_str().trim().lines().next()?.trim();
    (!line.is_empty()).then(|| line.to_owned())
}
