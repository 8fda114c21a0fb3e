//! Names: frames of functions and comprehensions, module constants and imports.

use std::collections::HashMap;
use std::rc::Rc;

use super::expression::nearest;
use super::statement::target_names;
use super::value::{Module, Value};
use super::{Lower, Lowered, Stop};
use crate::diagnostic::{Draft, Kind, Span};
use crate::syntax::Stmt;

/// Python's own functions that programs may call.
pub(super) const BUILTINS: [&str; 38] = [
    "len",
    "range",
    "enumerate",
    "zip",
    "sum",
    "min",
    "max",
    "abs",
    "float",
    "int",
    "bool",
    "round",
    "list",
    "tuple",
    "reversed",
    "pow",
    "dict",
    "str",
    "map",
    "filter",
    "sorted",
    "divmod",
    "any",
    "all",
    "isinstance",
    "get_grasping_cost_by_keypoint_idx",
    "print",
    "repr",
    "format",
    "set",
    "frozenset",
    "getattr",
    "hasattr",
    "callable",
    "type",
    "iter",
    "next",
    "object",
];

/// The module constants, on which every stage function builds.
pub(super) const GLOBALS: usize = 0;

/// What names are bound to. `None` marks a name whose value could not be computed.
pub(super) type Names = HashMap<String, Option<Value>>;

/// The names of one function or comprehension; the rest are looked up where it was defined.
#[derive(Default)]
pub(super) struct Frame {
    pub(super) names: Rc<Names>,
    pub(super) outer: Option<usize>,
    /// Frame that `:=` binds in: comprehensions have no such names of their own.
    function: usize,
    /// Names that `global` or `nonlocal` lead to another frame.
    redirected: HashMap<String, usize>,
}

/// What an import statement binds.
enum Imported<'s> {
    /// Names for annotations; they mean nothing.
    Nothing,
    Module(Module),
    Member(Module, &'s str),
}

fn module_of(path: &str) -> Option<Module> {
    Some(match path {
        "torch" => Module::Torch,
        "torch.nn" => Module::TorchNn,
        "torch.nn.functional" => Module::Functional,
        "torch.linalg" => Module::TorchLinalg,
        "numpy" => Module::Numpy,
        "numpy.linalg" => Module::NumpyLinalg,
        "math" => Module::Math,
        "functools" => Module::Functools,
        "itertools" => Module::Itertools,
        "operator" => Module::Operator,
        "torch.jit" => Module::TorchJit,
        "dataclasses" => Module::Dataclasses,
        "enum" => Module::Enum,
        "collections" => Module::Collections,
        "types" => Module::Types,
        "typing" | "typing_extensions" => Module::Typing,
        "copy" => Module::Copy,
        "warnings" => Module::Warnings,
        "logging" => Module::Logging,
        _ => return None,
    })
}

/// The names that an import binds, or why it is refused.
fn imports(statement: &Stmt) -> Result<Vec<(&str, Imported<'_>)>, Draft> {
    let refuse = |what: String| {
        Draft::new(
            Kind::Import,
            Span::of(statement),
            format!("`{what}` cannot be imported"),
        )
        .expected(
            "torch, torch.nn.functional, numpy, math, or modules such as functools, dataclasses and typing",
        )
        .help("remove the import: nothing else is available to a reward")
    };
    let mut bound = Vec::new();
    match statement {
        Stmt::Import(import) => {
            for alias in &import.names {
                let path = alias.name.as_str();
                let Some(module) = module_of(path) else {
                    if matches!(path, "abc" | "collections.abc") {
                        continue;
                    }
                    let renamed = alias
                        .asname
                        .as_ref()
                        .map_or(String::new(), |name| format!(" as {name}"));
                    return Err(refuse(format!("{path}{renamed}")));
                };
                match &alias.asname {
                    Some(name) => bound.push((name.as_str(), Imported::Module(module))),
                    // `import torch.nn` binds `torch`.
                    None => {
                        let root = path.split('.').next().unwrap_or(path);
                        let module = module_of(root).unwrap_or(module);
                        bound.push((root, Imported::Module(module)));
                    }
                }
            }
        }
        Stmt::ImportFrom(import) => {
            let path = import.module.as_ref().map_or("", |module| module.as_str());
            let module = module_of(path).filter(|_| import.level == 0);
            let harmless = import.level == 0
                && matches!(path, "__future__" | "collections.abc" | "abc" | "numbers");
            for alias in &import.names {
                let name = alias.name.as_str();
                let bound_name = alias.asname.as_ref().map_or(name, |asname| asname.as_str());
                let imported = match (module, module_of(&format!("{path}.{name}"))) {
                    _ if harmless => Imported::Nothing,
                    (Some(_), Some(inner)) => Imported::Module(inner),
                    (Some(module), None) if name != "*" => Imported::Member(module, name),
                    _ => {
                        let named = import.names.iter().take(4);
                        let names: Vec<&str> = named.map(|a| a.name.as_str()).collect();
                        let dots = ".".repeat(import.level as usize);
                        return Err(refuse(format!(
                            "from {dots}{path} import {}",
                            names.join(", ")
                        )));
                    }
                };
                bound.push((bound_name, imported));
            }
        }
        _ => {}
    }
    Ok(bound)
}

/// Refuses every import but those that the language's own names stand for.
pub(crate) fn check_import(statement: &Stmt) -> Result<(), Draft> {
    imports(statement).map(|_| ())
}

impl<'a> Lower<'a> {
    /// Opens a frame inside `outer` and makes it the current one; the frame to return to.
    pub(super) fn enter(&mut self, outer: usize, is_function: bool) -> usize {
        let own = self.frames.len();
        let function = if is_function {
            own
        } else {
            self.frames[outer].function
        };
        self.frames.push(Frame {
            names: Rc::default(),
            outer: Some(outer),
            function,
            redirected: HashMap::new(),
        });
        std::mem::replace(&mut self.frame, own)
    }

    /// Closes the current frame. It stays where functions defined in it may still read it.
    pub(super) fn leave(&mut self, back_to: usize, locals_before: usize) {
        if self.locals.len() == locals_before {
            self.frames.truncate(self.frame);
        }
        self.frame = back_to;
    }

    pub(super) fn assign(&mut self, name: &str, value: Option<Value>) {
        let frame = self.owner(name);
        if frame == GLOBALS && self.frame != GLOBALS {
            self.changed_global = Some(name.to_owned());
        }
        let names = Rc::make_mut(&mut self.frames[frame].names);
        match names.get_mut(name) {
            Some(slot) => *slot = value,
            None => {
                names.insert(name.to_owned(), value);
            }
        }
    }

    /// The frame in which an assignment to `name` binds it.
    fn owner(&self, name: &str) -> usize {
        let redirected = &self.frames[self.frame].redirected;
        redirected.get(name).copied().unwrap_or(self.frame)
    }

    /// `global` or `nonlocal`: `name` belongs to `outer` or the frame around it that has it.
    pub(super) fn redirect(&mut self, name: &str, outer: usize) {
        let mut at = Some(outer);
        while let Some(frame) = at {
            if self.frames[frame].names.contains_key(name) {
                break;
            }
            at = self.frames[frame].outer;
        }
        let frame = at.unwrap_or(outer);
        let redirected = &mut self.frames[self.frame].redirected;
        redirected.entry(name.to_owned()).or_insert(frame);
    }

    /// Binds the target of `:=`.
    pub(super) fn assign_walrus(&mut self, name: &str, value: Value) {
        let function = self.frames[self.frame].function;
        Rc::make_mut(&mut self.frames[function].names).insert(name.to_owned(), Some(value));
    }

    /// Whether the current function itself has given `name` a value.
    pub(super) fn is_own(&self, name: &str) -> bool {
        self.frames[self.owner(name)].names.contains_key(name)
    }

    pub(super) fn unbind(&mut self, name: &str) -> bool {
        Rc::make_mut(&mut self.frames[self.frame].names)
            .remove(name)
            .is_some()
    }

    fn find(&self, name: &str) -> Option<&Option<Value>> {
        let mut at = Some(self.frame);
        while let Some(frame) = at {
            let frame = &self.frames[frame];
            if let Some(found) = frame.names.get(name) {
                return Some(found);
            }
            at = frame.outer;
        }
        None
    }

    /// What a name is bound to, if anything.
    pub(super) fn known(&self, name: &str) -> Option<&Value> {
        self.find(name)?.as_ref()
    }

    /// The value of a name: a variable, a module or a function of Python's own.
    pub(super) fn lookup(&mut self, name: &str, span: Span) -> Lowered<Value> {
        match self.find(name) {
            Some(Some(value)) => return Ok(value.clone()),
            // Already reported where it should have been computed, but for module constants.
            Some(None) => {
                let Some(draft) = self.unusable.get(name) else {
                    return Err(Stop::Reported);
                };
                let draft = draft.clone();
                return Err(self.fail(draft));
            }
            None => {}
        }
        let module = match name {
            "torch" => Some(Module::Torch),
            "F" => Some(Module::Functional),
            "np" | "numpy" => Some(Module::Numpy),
            "math" => Some(Module::Math),
            "nn" => Some(Module::TorchNn),
            "logger" => Some(Module::Logging),
            "functools" | "itertools" | "copy" | "warnings" | "logging" => module_of(name),
            _ => None,
        };
        if let Some(module) = module {
            return Ok(Value::Module(module));
        }
        if let Some(builtin) = BUILTINS.iter().find(|&&builtin| builtin == name) {
            return Ok(Value::Builtin(builtin));
        }
        if name == "__name__" {
            return Ok(Value::Str("reward".into()));
        }
        let own = self.frames[self.frame].names.len();
        self.charge(own)?;
        let mut known: Vec<&str> = Vec::new();
        let mut at = Some(self.frame);
        while let Some(frame) = at {
            known.extend(self.frames[frame].names.keys().map(String::as_str));
            at = self.frames[frame].outer;
        }
        // A variable with another number is another variable.
        let digits = |name: &str| name.bytes().filter(u8::is_ascii_digit).collect::<Vec<_>>();
        known.retain(|known| digits(known) == digits(name));
        known.sort_unstable();
        let draft = Draft::new(Kind::UnknownName, span, format!("`{name}` is not defined"));
        Err(self.fail(match nearest(name, known.into_iter()) {
            Some(close) => draft.help(format!("did you mean `{close}`?")),
            None => draft,
        }))
    }

    /// Binds the names of an import.
    pub(super) fn import(&mut self, statement: &Stmt) -> Lowered<()> {
        let bound = imports(statement).map_err(|draft| self.fail(draft))?;
        for (name, imported) in bound {
            self.charge(1)?;
            let value = match imported {
                Imported::Nothing => continue,
                Imported::Module(module) => Value::Module(module),
                Imported::Member(module, member) => {
                    self.attribute(Value::Module(module), member, Span::of(statement))?
                }
            };
            self.assign(name, Some(value));
        }
        Ok(())
    }

    /// Carries out what stands beside the stages. A name that gets no value is a mistake only where
    /// it is used.
    pub(crate) fn module_constants(&mut self, statements: &[&'a Stmt]) -> Lowered<()> {
        for &statement in statements {
            let before = self.drafts.len();
            let outcome = self.block(std::slice::from_ref(statement));
            if matches!(outcome, Err(Stop::Fatal)) {
                return Err(Stop::Fatal);
            }
            if matches!(statement, Stmt::Assert(_) | Stmt::Raise(_)) {
                continue;
            }
            let reasons = self.drafts.split_off(before);
            if let Some(draft) = reasons.first() {
                for name in target_names(statement) {
                    self.unusable.insert(name.to_owned(), draft.clone());
                }
            }
        }
        Ok(())
    }
}
