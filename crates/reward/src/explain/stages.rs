//! Stage functions with a wrong name or number: one mistake, not two.

use std::collections::HashSet;

use super::Text;
use crate::diagnostic::{Draft, Kind, Span};
use crate::module::stage_name;
use crate::syntax::{Stmt, StmtFunctionDef};

/// Where a stage is missing and a function looks like it, the function's name is the mistake.
pub(super) fn explain(drafts: &mut Vec<Draft>, text: &Text<'_>) {
    let highest = highest_stage(text);
    let is_stage_draft = |draft: &Draft| draft.kind == Kind::StageFunction;
    let mut strays: Vec<&StmtFunctionDef> = Vec::new();
    let mut names = HashSet::new();
    for statement in text.module {
        // One of two functions of a name is the one that is missed.
        if let Stmt::FunctionDef(function) = statement {
            let is_second = !names.insert(function.name.as_str());
            if is_second && !looks_like_a_stage(function) {
                strays.push(function);
            }
        }
        match statement {
            Stmt::FunctionDef(function) if looks_like_a_stage(function) => strays.push(function),
            Stmt::ClassDef(class) => {
                let methods = class.body.iter().filter_map(Stmt::as_function_def_stmt);
                if methods
                    .clone()
                    .any(|method| method.name.starts_with("stage"))
                {
                    in_a_class(drafts, Span::of(&class.name));
                    return;
                }
            }
            _ => {}
        }
    }
    let mut at = 0;
    while at < drafts.len() {
        let Some(stage) = drafts[at].details.missing_stage else {
            at += 1;
            continue;
        };
        let expected = format!("stage{stage}_guidance");
        // A function that is refused for its own number or for being there twice is the one
        // that is missed.
        let refused = drafts.iter().position(|other| {
            is_stage_draft(other) && other.details.missing_stage.is_none() && other.help.is_none()
        });
        if let Some(refused) = refused {
            drafts[refused].help = Some(format!("rename it to `{expected}`"));
            drafts.remove(at);
            continue;
        }
        if strays.is_empty() {
            at += 1;
            continue;
        }
        let stray = strays.remove(0);
        let what = if looks_like_a_stage(stray) {
            "is not the name of a stage function"
        } else {
            "is defined twice"
        };
        drafts[at] = Draft::new(
            Kind::StageFunction,
            Span::of(&stray.name),
            format!("`{}` {what}", stray.name),
        )
        .expected(format!("`{expected}`"))
        .help(format!("rename it to `{expected}`"));
        at += 1;
    }
    for draft in drafts.iter_mut().filter(|draft| is_stage_draft(draft)) {
        if draft.help.is_none() {
            let name = draft.span.text(text.python);
            draft.help = Some(format!("set `num_stages = {highest}`, or remove `{name}`"));
        }
    }
}

/// Stage functions inside a class: the class is the mistake.
fn in_a_class(drafts: &mut Vec<Draft>, class: Span) {
    drafts.retain(|draft| draft.details.missing_stage.is_none());
    drafts.push(
        Draft::new(
            Kind::Unsupported,
            class,
            "the stage functions stand inside a class",
        )
        .help("write the stage functions at the margin, without `self`"),
    );
}

fn looks_like_a_stage(function: &StmtFunctionDef) -> bool {
    let name = function.name.as_str();
    let is_stage = stage_name(name).is_some();
    let parameters = &function.parameters;
    let has = |wanted: &str| {
        parameters
            .args
            .iter()
            .any(|parameter| parameter.parameter.name.as_str() == wanted)
    };
    !is_stage && (name.to_ascii_lowercase().starts_with("stage") || has("action_sequence"))
}

fn highest_stage(text: &Text<'_>) -> usize {
    let numbers = text.module.iter().filter_map(|statement| {
        let function = statement.as_function_def_stmt()?;
        let (number, _) = function.name.strip_prefix("stage")?.split_once('_')?;
        number.parse::<usize>().ok()
    });
    numbers.max().unwrap_or(1)
}
