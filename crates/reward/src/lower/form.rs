//! Whether a value is an array or a tensor, and reading it without its gradient.

use super::arguments::Call;
use super::table::{Function, Run};
use super::value::Value;
use super::{Lower, Lowered};
use crate::graph::NodeId;
use crate::op::Op;
use crate::syntax::{Expr, Stmt, Visitor, walk_expr, walk_stmt};
use crate::tensor::{ABSENT, Form, Tensor};

/// What gives an array even where it has no dimensions; all else gives a scalar then.
const GIVE_ARRAYS: [&str; 14] = [
    "array",
    "asarray",
    "zeros",
    "ones",
    "full",
    "zeros_like",
    "ones_like",
    "full_like",
    "copy",
    "astype",
    "squeeze",
    "reshape",
    "transpose",
    "broadcast_to",
];

/// NumPy's functions of elements that are carried out in several steps here.
const ELEMENTWISE: [&str; 16] = [
    "add",
    "subtract",
    "round",
    "around",
    "clip",
    "log2",
    "log10",
    "exp2",
    "hypot",
    "rad2deg",
    "deg2rad",
    "isnan",
    "isinf",
    "isfinite",
    "greater",
    "greater_equal",
];

/// The form of what a function or method of NumPy gives.
fn numpy_form(name: &str, tensor: &Tensor) -> Form {
    if tensor.rank() == 0 && !GIVE_ARRAYS.contains(&name) {
        Form::Scalar
    } else {
        Form::Array
    }
}

/// Whether a value is a torch tensor.
fn is_torch(value: &Value) -> bool {
    matches!(value, Value::Tensor(tensor) if tensor.form == Form::Tensor)
}

/// The libraries that a program speaks of.
#[derive(Default)]
struct Libraries {
    numpy: bool,
    torch: bool,
}

impl Libraries {
    fn name(&mut self, name: &str) {
        match name.split('.').next().unwrap_or(name) {
            "np" | "numpy" => self.numpy = true,
            "torch" | "F" => self.torch = true,
            _ => {}
        }
    }
}

impl<'a> Visitor<'a> for Libraries {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::Import(import) => {
                for alias in &import.names {
                    self.name(alias.name.as_str());
                }
            }
            Stmt::ImportFrom(import) => {
                self.name(import.module.as_ref().map_or("", |module| module.as_str()));
            }
            _ => walk_stmt(self, statement),
        }
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        if let Expr::Name(name) = expression {
            self.name(name.id.as_str());
        }
        walk_expr(self, expression);
    }
}

/// What the parameters of stages are: tensors, but in a program that speaks of NumPy alone.
pub(crate) fn parameter_form(statements: &[Stmt]) -> Form {
    let mut libraries = Libraries::default();
    for statement in statements {
        libraries.visit_stmt(statement);
    }
    if libraries.numpy && !libraries.torch {
        Form::Array
    } else {
        Form::Tensor
    }
}

impl Lower<'_> {
    /// Calls a function of NumPy. As in practice, functions of elements give tensors for tensors.
    pub(super) fn call_numpy(&mut self, function: &Function, call: Call) -> Lowered<Value> {
        let is_elementwise = matches!(function.run, Run::Unary(_) | Run::Binary(_))
            || ELEMENTWISE.contains(&function.name);
        let gives_tensor = is_elementwise && call.positional.iter().any(|(v, _)| is_torch(v));
        let value = self.run(function.run, call, function.parameters)?;
        Ok(if gives_tensor {
            value.formed(&|_| Form::Tensor)
        } else {
            value.formed(&|tensor| numpy_form(function.name, tensor))
        })
    }

    /// The form of what a method gives.
    pub(super) fn method_result(&self, receiver: Form, name: &str, result: Value) -> Value {
        match name {
            // They say themselves what they give.
            "item" | "tolist" | "numpy" => result,
            _ if receiver.is_numpy() => result.formed(&|tensor| numpy_form(name, tensor)),
            _ => result.formed(&|_| Form::Tensor),
        }
    }

    /// A number of Python's whose value only the robot knows. One from a tensor carries no
    /// gradient; programs of NumPy have no other gradient than that of the value.
    pub(super) fn unknown_number(&mut self, x: &Tensor) -> Lowered<Value> {
        let x = if x.form == Form::Tensor {
            self.unary(Op::Detach, x)?
        } else {
            x.copied()
        };
        Ok(Value::Tensor(
            x.reshaped(Vec::new()).with_form(Form::Number),
        ))
    }

    /// `x.detach()`: the same memory, read without its gradient.
    pub(super) fn detached(&mut self, x: &Tensor) -> Lowered<Tensor> {
        self.charge(x.len() + x.storage_len())?;
        let mut nodes = x.nodes();
        for node in &mut nodes {
            *node = self.without_gradient(*node)?;
        }
        Ok(x.aliased(&nodes))
    }

    /// A node without its gradient.
    fn without_gradient(&mut self, node: NodeId) -> Lowered<NodeId> {
        if self.graph.node(node).differentiable {
            self.node(Op::Detach, &[node])
        } else {
            Ok(node)
        }
    }

    /// Writes into a view. Aliases see the new values, each with the gradient that it had.
    pub(super) fn put(&mut self, place: &Tensor, nodes: &[NodeId]) -> Lowered<()> {
        self.charge(place.len())?;
        for (alias, mut olds) in place.others() {
            self.charge(olds.len())?;
            for (old, &new) in olds.iter_mut().zip(nodes) {
                if *old == ABSENT {
                    continue;
                }
                let new = self.without_gradient(new)?;
                if self.graph.node(*old).differentiable {
                    let past = self.without_gradient(*old)?;
                    let change = self.node(Op::Sub, &[new, past])?;
                    *old = self.node(Op::Add, &[*old, change])?;
                } else {
                    *old = new;
                }
            }
            alias.write(&olds);
        }
        place.write(nodes);
        self.has_written = true;
        Ok(())
    }
}
