//! Every function of the language: its name, where it lives, its parameters, what it does.

use super::arguments::Bound;
use super::value::Value;
use super::{Lower, Lowered};
use crate::op::Op;
use crate::tensor::Form;

mod arrange;
mod array;
mod create;
mod decompose;
mod elementwise;
mod environment;
mod functional;
mod layers;
mod linear;
mod number;
mod reduce;

/// Every function, by theme.
static FUNCTIONS: [&[Function]; 11] = [
    array::FUNCTIONS,
    elementwise::FUNCTIONS,
    reduce::FUNCTIONS,
    arrange::FUNCTIONS,
    create::FUNCTIONS,
    linear::FUNCTIONS,
    functional::FUNCTIONS,
    number::FUNCTIONS,
    decompose::FUNCTIONS,
    layers::FUNCTIONS,
    environment::FUNCTIONS,
];

/// Methods that also exist with an underscore at the end, where they write into their tensor.
const IN_PLACE: &[&str] = &[
    "abs_",
    "absolute_",
    "neg_",
    "negative_",
    "sign_",
    "square_",
    "reciprocal_",
    "sqrt_",
    "rsqrt_",
    "exp_",
    "exp2_",
    "expm1_",
    "log_",
    "log2_",
    "log10_",
    "log1p_",
    "sin_",
    "cos_",
    "tan_",
    "asin_",
    "acos_",
    "atan_",
    "sinh_",
    "cosh_",
    "tanh_",
    "sigmoid_",
    "relu_",
    "floor_",
    "ceil_",
    "round_",
    "trunc_",
    "frac_",
    "erf_",
    "add_",
    "sub_",
    "subtract_",
    "mul_",
    "multiply_",
    "div_",
    "divide_",
    "true_divide_",
    "floor_divide_",
    "remainder_",
    "fmod_",
    "pow_",
    "atan2_",
    "hypot_",
    "copysign_",
    "lerp_",
    "addcmul_",
    "addcdiv_",
    "clamp_",
    "clip_",
    "clamp_min_",
    "clamp_max_",
    "nan_to_num_",
    "masked_fill_",
    "index_fill_",
    "index_add_",
    "index_copy_",
    "scatter_",
    "scatter_add_",
    "cumsum_",
    "cumprod_",
    "tril_",
    "triu_",
    "logit_",
    "addmm_",
    "logical_not_",
    "logical_and_",
    "logical_or_",
    "logical_xor_",
];

/// Where a function can be found, as a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Home(u16);

impl Home {
    pub(super) const TORCH: Home = Home(1);
    pub(super) const METHOD: Home = Home(2);
    pub(super) const FUNCTIONAL: Home = Home(4);
    pub(super) const LINALG: Home = Home(8);
    pub(super) const NUMPY: Home = Home(16);
    pub(super) const NUMPY_LINALG: Home = Home(32);
    pub(super) const MATH: Home = Home(64);
    pub(super) const SPECIAL: Home = Home(128);
    pub(super) const NN: Home = Home(256);
    /// Methods that mean something else of an array than of a tensor, or that only it has.
    pub(super) const ARRAY: Home = Home(512);

    /// Every module and the name that programs know it by.
    const ALL: [(Home, &'static str); 9] = [
        (Home::TORCH, "torch"),
        (Home::FUNCTIONAL, "F"),
        (Home::LINALG, "torch.linalg"),
        (Home::SPECIAL, "torch.special"),
        (Home::METHOD, "tensor"),
        (Home::NUMPY, "np"),
        (Home::NUMPY_LINALG, "np.linalg"),
        (Home::MATH, "math"),
        (Home::NN, "torch.nn"),
    ];

    fn has(self, other: Home) -> bool {
        self.0 & other.0 != 0
    }
}

/// How a function is carried out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Run {
    Unary(Op),
    Binary(Op),
    Special(fn(&mut Lower<'_>, &Bound) -> Lowered<Value>),
    /// An object of torch.nn that remembers its arguments for a function of `F`.
    Layer(&'static str),
}

/// One function of the language.
#[derive(Debug)]
pub(crate) struct Function {
    pub(super) name: &'static str,
    homes: Home,
    /// As [`Bound::new`] reads them.
    pub(super) parameters: &'static str,
    pub(super) run: Run,
}

impl Function {
    /// As NumPy's users write it.
    pub(super) fn numpy_name(&self) -> String {
        let module = if self.homes.has(Home::NUMPY) {
            "np"
        } else {
            "np.linalg"
        };
        format!("{module}.{}", self.name)
    }

    /// The name of the first module it lives in.
    pub(super) fn first_home(&self) -> &'static str {
        Home::ALL
            .iter()
            .find(|(home, _)| self.homes.has(*home))
            .map_or("array", |(_, name)| name)
    }
}

/// A function that reward programs may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// `torch`, `F`, `torch.linalg`, `torch.special`, `torch.nn`, `np`, `np.linalg`, `math`, or
    /// `tensor` for a method.
    pub module: &'static str,
    /// The name in that module.
    pub name: &'static str,
    /// Names of the parameters, blank-separated: `name?` is optional, `*name` takes any number.
    /// The first one of a method is the tensor itself.
    pub parameters: &'static str,
}

/// Every function of the language, once for each module that has it.
pub fn operations() -> impl Iterator<Item = Operation> {
    let listed = Home::ALL.into_iter().flat_map(|(home, module)| {
        all()
            .filter(move |function| function.homes.has(home))
            .map(move |function| Operation {
                module,
                name: function.name,
                parameters: function.parameters,
            })
    });
    let in_place = IN_PLACE.iter().filter_map(|&name| {
        let function = find(Home::METHOD, name.strip_suffix('_')?)?;
        Some(Operation {
            module: "tensor",
            name,
            parameters: function.parameters,
        })
    });
    listed.chain(in_place)
}

fn all() -> impl Iterator<Item = &'static Function> {
    FUNCTIONS.iter().flat_map(|theme| theme.iter())
}

pub(super) fn find(home: Home, name: &str) -> Option<&'static Function> {
    all().find(|function| function.homes.has(home) && function.name == name)
}

/// The method of that name as a tensor or an array has it, and whether it writes into its tensor.
/// A method that only the other one has is understood all the same.
pub(super) fn find_method(name: &str, form: Form) -> Option<(&'static Function, bool)> {
    let array = find(Home::ARRAY, name).map(|function| (function, false));
    if form.is_numpy() && array.is_some() {
        return array;
    }
    find_tensor_method(name).or(array)
}

fn find_tensor_method(name: &str) -> Option<(&'static Function, bool)> {
    match find(Home::METHOD, name) {
        // `requires_grad_` changes what PyTorch records, not the tensor.
        Some(function) => Some((function, name.ends_with('_') && name != "requires_grad_")),
        None if IN_PLACE.contains(&name) => {
            find(Home::METHOD, name.strip_suffix('_')?).map(|function| (function, true))
        }
        None => None,
    }
}

pub(super) fn find_anywhere(name: &str) -> Option<&'static Function> {
    all().find(|function| function.name == name && function.homes != Home::ARRAY)
}

pub(super) fn names(home: Home) -> impl Iterator<Item = &'static str> {
    all()
        .filter(move |function| function.homes.has(home))
        .map(|function| function.name)
}

const Y: u16 = Home::ARRAY.0;
const T: u16 = Home::TORCH.0;
const M: u16 = Home::METHOD.0;
const F: u16 = Home::FUNCTIONAL.0;
const L: u16 = Home::LINALG.0;
const N: u16 = Home::NUMPY.0;
const K: u16 = Home::NUMPY_LINALG.0;
const A: u16 = Home::MATH.0;
const S: u16 = Home::SPECIAL.0;
const O: u16 = Home::NN.0;

const fn unary(name: &'static str, homes: u16, op: Op) -> Function {
    Function {
        name,
        homes: Home(homes),
        parameters: "input",
        run: Run::Unary(op),
    }
}

const fn binary(name: &'static str, homes: u16, op: Op) -> Function {
    Function {
        name,
        homes: Home(homes),
        parameters: "input other",
        run: Run::Binary(op),
    }
}

const fn special(
    name: &'static str,
    homes: u16,
    parameters: &'static str,
    run: fn(&mut Lower<'_>, &Bound) -> Lowered<Value>,
) -> Function {
    Function {
        name,
        homes: Home(homes),
        parameters,
        run: Run::Special(run),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_name_is_unique_in_its_module() {
        let mut seen = HashSet::new();
        for operation in operations() {
            assert!(
                seen.insert((operation.module, operation.name)),
                "{}.{} is listed twice",
                operation.module,
                operation.name
            );
        }
    }

    #[test]
    fn every_method_with_an_underscore_has_one_without() {
        for name in IN_PLACE {
            let (function, writes) = find_tensor_method(name).unwrap();
            assert!(writes && !function.name.ends_with('_'), "{name}");
        }
    }

    /// The functions as written: `torch.sum(`, or `.sum(` of anything that is no module.
    fn calls(text: &str) -> HashSet<(&'static str, String)> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let mut found = HashSet::new();
        for (dot, _) in text.match_indices('.') {
            let rest = &text[dot + 1..];
            let name: String = rest.chars().take_while(|&c| is_name(c)).collect();
            // As a method, as a call, or passed on as a value.
            let before = &text[..dot];
            let start = before
                .rfind(|c: char| !is_name(c) && c != '.')
                .map_or(0, |i| i + 1);
            let owner = &before[start..];
            let module = Home::ALL
                .iter()
                .map(|(_, module)| *module)
                .find(|&module| module == owner && module != "tensor");
            found.insert((module.unwrap_or("tensor"), name));
        }
        found
    }

    #[test]
    fn every_function_is_compared_with_pytorch_or_tested_otherwise() {
        let sources = [
            include_str!("../../../tests/golden/operations.json"),
            include_str!("../../../tests/golden/programs.json"),
            include_str!("../../../tests/golden/probes.json"),
            include_str!("../../../tests/functions.rs"),
        ];
        let seen: HashSet<_> = sources.iter().flat_map(|text| calls(text)).collect();
        let is_seen =
            |home: &(Home, &'static str), name: &str| seen.contains(&(home.1, name.to_owned()));
        let mut missing: Vec<String> = all()
            .filter(|function| {
                let arrays = [(Home::ARRAY, "tensor")];
                !Home::ALL
                    .iter()
                    .chain(&arrays)
                    .any(|home| function.homes.has(home.0) && is_seen(home, function.name))
            })
            .map(|function| format!("{}.{}", function.first_home(), function.name))
            .collect();
        missing.extend(
            IN_PLACE
                .iter()
                .filter(|name| !is_seen(&(Home::METHOD, "tensor"), name))
                .map(|name| format!("tensor.{name}")),
        );
        assert!(missing.is_empty(), "untested: {}", missing.join(", "));
    }
}
