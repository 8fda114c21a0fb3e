//! The reward language: parse, check, compile and differentiate VLM-written rewards.
//!
//! A reward program is PyTorch text, yet no Python ever runs. [`compile`] takes the program out
//! of a chat answer, parses it with Python's own grammar, interprets each stage with static
//! shapes, checks it on probes and lowers it to flat code. An [`Evaluator`] runs that code for
//! many particles at once, forward and in reverse, without allocating.
//!
//! The way of a program: `extract` (an answer to Python) → `guard` (depth) → `syntax` (Python's own
//! grammar) → `module` (stages) → `lower` (abstract interpretation) → `graph` (scalar SSA) → `run`
//! (batches over rows of particle lanes) → `probe` (finite everywhere?) → `suspect` (probably not
//! meant?). What is wrong on the way is made understandable by `explain`.

mod constraints;
mod diagnostic;
mod explain;
mod extract;
mod fault;
mod graph;
mod guard;
mod lower;
mod module;
mod op;
mod options;
mod probe;
mod program;
mod refusal;
mod run;
mod signature;
mod suspect;
mod syntax;
mod tensor;
mod terms;

pub use diagnostic::{Diagnostic, Diagnostics, Kind, Note, Place, Severity};
pub use lower::{Operation, operations};
pub use options::{Access, CompileOptions, HandAccess, Limits, Workspace};
pub use program::{CompiledDone, CompiledReward, Moment, Program, Stage, compile};
pub use run::evaluator::{EvaluateError, Evaluator, Scene};
pub use run::real::Real;
