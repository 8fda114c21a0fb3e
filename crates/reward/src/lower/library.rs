//! What programs use of Python's own library beside mathematics.

use super::value::{Module, Value};
use super::{Lower, Lowered};
use crate::diagnostic::{Draft, Kind, Span};

impl Lower<'_> {
    /// A member of a module of the standard library.
    pub(super) fn library_attribute(
        &mut self,
        module: Module,
        name: &str,
        span: Span,
    ) -> Lowered<Value> {
        let known = match (module, name) {
            (Module::TorchJit, "script" | "ignore" | "export" | "unused")
            | (Module::Functools, "lru_cache" | "cache")
            | (Module::Enum, "unique")
            | (Module::Typing, "final" | "no_type_check" | "runtime_checkable" | "overload") => {
                Some(Value::Builtin("identity"))
            }
            (Module::Dataclasses, "dataclass") => Some(Value::Builtin("dataclass")),
            (Module::Dataclasses, "field") => Some(Value::Builtin("field")),
            (Module::Dataclasses, "replace") => Some(Value::Builtin("replace")),
            (Module::Dataclasses, "asdict") => Some(Value::Builtin("asdict")),
            (Module::Dataclasses, "astuple") => Some(Value::Builtin("astuple")),
            (Module::Enum, "Enum") => Some(Value::Builtin("Enum")),
            (Module::Enum, "StrEnum") => Some(Value::Builtin("StrEnum")),
            (Module::Enum, "IntEnum") => Some(Value::Builtin("IntEnum")),
            (Module::Enum, "auto") => Some(Value::Builtin("auto")),
            (Module::Collections, "namedtuple") => Some(Value::Builtin("namedtuple")),
            (Module::Collections, "OrderedDict") => Some(Value::Builtin("dict")),
            (Module::Collections, "defaultdict") => Some(Value::Builtin("defaultdict")),
            (Module::Collections, "deque") => Some(Value::Builtin("deque")),
            (Module::Types, "SimpleNamespace") => Some(Value::Builtin("SimpleNamespace")),
            (Module::Types, "MappingProxyType") => Some(Value::Builtin("dict")),
            (Module::Typing, "NamedTuple") => Some(Value::Builtin("NamedTuple")),
            (Module::Typing, "cast") => Some(Value::Builtin("cast")),
            (Module::Typing, "TYPE_CHECKING") => Some(Value::Bool(false)),
            // Annotations mean nothing here.
            (Module::Typing, _) => Some(Value::None),
            (Module::Copy, "copy") => Some(Value::Builtin("copy")),
            (Module::Copy, "deepcopy") => Some(Value::Builtin("deepcopy")),
            (Module::Warnings, "warn" | "filterwarnings" | "simplefilter")
            | (
                Module::Logging,
                "debug" | "info" | "warning" | "warn" | "error" | "exception" | "critical" | "log"
                | "basicConfig" | "setLevel" | "addHandler",
            ) => Some(Value::Builtin("print")),
            (Module::Logging, "getLogger") => Some(Value::Builtin("getLogger")),
            (Module::Logging, "DEBUG" | "INFO" | "WARNING" | "ERROR" | "CRITICAL") => {
                Some(Value::None)
            }
            _ => None,
        };
        known.map_or_else(
            || {
                let what = format!("`{}.{name}` is not available to rewards", module.name());
                Err(self.fail(
                    Draft::new(Kind::UnknownOperation, span, what)
                        .help("remove it, or write it out with functions and lists of your own"),
                ))
            },
            Ok,
        )
    }
}
