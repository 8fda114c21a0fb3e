//! Names that nothing defines where they are used.

use super::Text;
use crate::diagnostic::{Draft, Kind, Span};
use crate::syntax::{Expr, ExprContext, Stmt, StmtFunctionDef, Visitor, walk_expr, walk_stmt};

/// A place that gives a name its value.
pub(super) struct Binding<'a> {
    pub(super) span: Span,
    /// The function of the module level that it lies in.
    pub(super) function: Option<&'a StmtFunctionDef>,
}

/// Every place that gives `name` a value, in the order of the text.
pub(super) fn bindings<'a>(name: &str, text: &Text<'a>) -> Vec<Binding<'a>> {
    let mut all = Vec::new();
    for statement in text.module {
        let mut finder = BindingFinder {
            name,
            spans: Vec::new(),
        };
        let mut function = None;
        match statement {
            Stmt::FunctionDef(own) => {
                finder.push_if(own.name.as_str(), Span::of(&own.name));
                all.extend(
                    finder
                        .spans
                        .drain(..)
                        .map(|span| Binding { span, function }),
                );
                function = Some(own);
                finder.visit_body(&own.body);
            }
            other => finder.visit_stmt(other),
        }
        all.extend(
            finder
                .spans
                .into_iter()
                .map(|span| Binding { span, function }),
        );
    }
    all
}

struct BindingFinder<'n> {
    name: &'n str,
    spans: Vec<Span>,
}

impl BindingFinder<'_> {
    fn push_if(&mut self, name: &str, span: Span) {
        if name == self.name {
            self.spans.push(span);
        }
    }
}

impl<'a> Visitor<'a> for BindingFinder<'_> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::FunctionDef(function) => {
                self.push_if(function.name.as_str(), Span::of(&function.name));
            }
            Stmt::ClassDef(class) => self.push_if(class.name.as_str(), Span::of(&class.name)),
            Stmt::Import(import) => {
                for alias in &import.names {
                    let name = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
                    let root = name.split('.').next().unwrap_or(name);
                    self.push_if(root, Span::of(alias));
                }
                return;
            }
            Stmt::ImportFrom(import) => {
                for alias in &import.names {
                    let name = alias.asname.as_ref().unwrap_or(&alias.name);
                    self.push_if(name.as_str(), Span::of(alias));
                }
                return;
            }
            // It changes a value that must be there already.
            Stmt::AugAssign(assign) => {
                self.visit_expr(&assign.value);
                return;
            }
            _ => {}
        }
        walk_stmt(self, statement);
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        if let Expr::Name(name) = expression
            && name.ctx == ExprContext::Store
        {
            self.push_if(name.id.as_str(), Span::of(name));
        }
        walk_expr(self, expression);
    }
}

/// Explains an unknown name. Whether it is a mistake of its own: not if what would have defined
/// it is reported already.
pub(super) fn explain(draft: &mut Draft, others: &[(Kind, Span)], text: &Text<'_>) -> bool {
    let has_near = match &draft.help {
        Some(help) if help.starts_with("did you mean") => true,
        // What found it knows better.
        Some(_) => return true,
        None => false,
    };
    let name = draft.span.text(text.python);
    let bindings = bindings(name, text);
    let is_reported = |binding: &Binding<'_>| {
        others.iter().any(|&(kind, span)| {
            matches!(kind, Kind::Unsupported | Kind::Import) && span.contains(binding.span)
        })
    };
    if bindings.iter().any(is_reported) {
        return false;
    }
    let Some(stage) = text.function(draft.span) else {
        if !has_near {
            let help = unavailable(name).unwrap_or("define it above this line");
            draft.help = Some(help.to_owned());
        }
        return true;
    };
    let own = |binding: &Binding<'_>| binding.function.is_some_and(|f| std::ptr::eq(f, stage));
    let stage_name = stage.name.as_str();
    let (note, help) = if let Some(help) = parameter_of_another(name, stage_name) {
        (None, help.to_owned())
    } else if let Some(binding) = bindings.iter().find(|b| own(b)) {
        let (what, help) = if binding.span.start > draft.span.start {
            (
                "gets its value only here, after it is used",
                "move this up, above the line that uses it",
            )
        } else {
            (
                "gets its value here, where the program does not come by",
                "give it a value on every way through the function",
            )
        };
        (
            Some((binding.span, format!("`{name}` {what}"))),
            help.to_owned(),
        )
    } else if let Some(binding) = bindings.iter().find(|b| b.function.is_none()) {
        (
            Some((
                binding.span,
                format!("`{name}` is defined here, outside the stages"),
            )),
            format!("the program does not come by there: move it into `{stage_name}`"),
        )
    } else if let Some(binding) = bindings.first() {
        let other = binding
            .function
            .map_or("", |function| function.name.as_str());
        (
            Some((binding.span, format!("`{name}` belongs to `{other}`"))),
            format!("stages share no variables: compute it again in `{stage_name}`"),
        )
    } else if let Some(help) = unavailable(name) {
        (None, help.to_owned())
    } else if is_increased(draft.span, text) {
        (
            None,
            format!("give it a first value above the loop: `{name} = 0.0`"),
        )
    } else if has_near {
        return true;
    } else {
        (
            None,
            "define it above this line: a stage sees its parameters, its variables, what stands \
             beside the stages, `torch`, `F`, `np` and `math`"
                .to_owned(),
        )
    };
    draft.details.notes.extend(note);
    draft.help = Some(help);
    true
}

/// A parameter that only the other function of a stage has.
fn parameter_of_another(name: &str, function: &str) -> Option<&'static str> {
    let is_done = function.ends_with("_done");
    match name {
        "action_sequence" if is_done => {
            Some("a done function gets `end_effector`, where the hand is, and no trajectory")
        }
        "end_effector" if !is_done => Some(
            "the hand is at `action_sequence[:, 0]` now and at `action_sequence[:, -1]` in the end",
        ),
        "start_keypoints" if !is_done => {
            Some("only `stageI_done` gets `start_keypoints`; guidance uses `keypoints`")
        }
        _ => None,
    }
}

/// What a reward cannot reach, and what to do about it.
fn unavailable(name: &str) -> Option<&'static str> {
    Some(match name {
        "plt" | "matplotlib" | "sns" | "cv2" | "PIL" => "remove it: a reward draws nothing",
        "open" | "os" | "sys" | "json" | "pickle" | "pathlib" | "input" => {
            "remove it: a reward sees nothing but its parameters"
        }
        "eval" | "exec" | "compile" | "globals" | "locals" | "setattr" => {
            "remove it: write the expression itself"
        }
        "random" | "time" | "datetime" => "a reward must be the same every time: use fixed numbers",
        "scipy" | "sklearn" | "torchvision" | "jax" | "jnp" | "tf" | "cvxpy" | "numba"
        | "einops" => "use `torch` or `numpy`: no other library is there",
        _ => return None,
    })
}

/// Whether `span` is the target of `+=` or the like.
fn is_increased(span: Span, text: &Text<'_>) -> bool {
    struct Augmented(Span, bool);
    impl<'a> Visitor<'a> for Augmented {
        fn visit_stmt(&mut self, statement: &'a Stmt) {
            if let Stmt::AugAssign(assign) = statement {
                self.1 |= Span::of(&*assign.target) == self.0;
            }
            walk_stmt(self, statement);
        }
    }
    let mut augmented = Augmented(span, false);
    augmented.visit_body(text.module);
    augmented.1
}
