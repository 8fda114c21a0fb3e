//! Every function of the language: its name, where it lives, its parameters, what it does.

use super::arguments::Bound;
use super::value::Value;
use super::{Lower, Lowered, create, elementwise, join, linalg, losses, order, reduce, shape};
use crate::op::Op;

/// Where a function can be found, as a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Home(u8);

impl Home {
    pub(super) const TORCH: Home = Home(1);
    pub(super) const METHOD: Home = Home(2);
    pub(super) const FUNCTIONAL: Home = Home(4);
    pub(super) const LINALG: Home = Home(8);
    pub(super) const NUMPY: Home = Home(16);
    pub(super) const NUMPY_LINALG: Home = Home(32);
    pub(super) const MATH: Home = Home(64);

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
    /// The name of the first module it lives in.
    pub(super) fn first_home(&self) -> &'static str {
        let names = [
            (Home::TORCH, "torch"),
            (Home::FUNCTIONAL, "F"),
            (Home::LINALG, "torch.linalg"),
            (Home::METHOD, "tensor"),
            (Home::NUMPY, "np"),
            (Home::NUMPY_LINALG, "np.linalg"),
        ];
        names
            .iter()
            .find(|(home, _)| self.homes.has(*home))
            .map_or("math", |(_, name)| name)
    }
}

pub(super) fn find(home: Home, name: &str) -> Option<&'static Function> {
    FUNCTIONS
        .iter()
        .find(|function| function.homes.has(home) && function.name == name)
}

pub(super) fn find_anywhere(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

pub(super) fn names(home: Home) -> impl Iterator<Item = &'static str> {
    FUNCTIONS
        .iter()
        .filter(move |function| function.homes.has(home))
        .map(|f| f.name)
}

const T: u8 = Home::TORCH.0;
const M: u8 = Home::METHOD.0;
const F: u8 = Home::FUNCTIONAL.0;
const L: u8 = Home::LINALG.0;
const N: u8 = Home::NUMPY.0;
const K: u8 = Home::NUMPY_LINALG.0;
const A: u8 = Home::MATH.0;

const fn unary(name: &'static str, homes: u8, op: Op) -> Function {
    Function {
        name,
        homes: Home(homes),
        parameters: "input",
        run: Run::Unary(op),
    }
}

const fn binary(name: &'static str, homes: u8, op: Op) -> Function {
    Function {
        name,
        homes: Home(homes),
        parameters: "input other",
        run: Run::Binary(op),
    }
}

const fn special(
    name: &'static str,
    homes: u8,
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

const REDUCE: &str = "input dims? keepdim? dtype?";
const REDUCE_ONE: &str = "input dim? keepdim?";
const ALONG: &str = "input dim? dtype?";
const VARIANCE: &str = "input dims? unbiased? keepdim? correction? ddof?";

static FUNCTIONS: &[Function] = &[
    // Element by element, one operand.
    unary("abs", T | M | N, Op::Abs),
    unary("absolute", T | M | N, Op::Abs),
    unary("fabs", N | A, Op::Abs),
    unary("neg", T | M, Op::Neg),
    unary("negative", T | M | N, Op::Neg),
    unary("sign", T | M | N, Op::Sign),
    unary("sgn", T | M, Op::Sign),
    unary("square", T | M | N, Op::Square),
    unary("reciprocal", T | M | N, Op::Recip),
    unary("sqrt", T | M | N | A, Op::Sqrt),
    unary("rsqrt", T | M, Op::Rsqrt),
    unary("exp", T | M | N | A, Op::Exp),
    unary("expm1", T | M | N | A, Op::Expm1),
    unary("log", T | M | N | A, Op::Log),
    unary("log1p", T | M | N | A, Op::Log1p),
    unary("sin", T | M | N | A, Op::Sin),
    unary("cos", T | M | N | A, Op::Cos),
    unary("tan", T | M | N | A, Op::Tan),
    unary("asin", T | M | A, Op::Asin),
    unary("arcsin", T | M | N, Op::Asin),
    unary("acos", T | M | A, Op::Acos),
    unary("arccos", T | M | N, Op::Acos),
    unary("atan", T | M | A, Op::Atan),
    unary("arctan", T | M | N, Op::Atan),
    unary("sinh", T | M | N | A, Op::Sinh),
    unary("cosh", T | M | N | A, Op::Cosh),
    unary("tanh", T | M | F | N | A, Op::Tanh),
    unary("sigmoid", T | M | F, Op::Sigmoid),
    unary("relu", T | M | F, Op::Relu),
    unary("logsigmoid", F, Op::LogSigmoid),
    unary("floor", T | M | N | A, Op::Floor),
    unary("ceil", T | M | N | A, Op::Ceil),
    unary("round", T | M | N, Op::Round),
    unary("trunc", T | M | N | A, Op::Trunc),
    unary("logical_not", T | M | N, Op::Not),
    unary("detach", T | M, Op::Detach),
    special("log2", T | M | N | A, "input", elementwise::log2),
    special("log10", T | M | N | A, "input", elementwise::log10),
    special(
        "softplus",
        F,
        "input beta? threshold?",
        elementwise::softplus,
    ),
    special(
        "leaky_relu",
        F,
        "input negative_slope?",
        elementwise::leaky_relu,
    ),
    special("elu", F, "input alpha?", elementwise::elu),
    special("silu", F, "input", elementwise::silu),
    special("relu6", F, "input", elementwise::relu6),
    special(
        "hardtanh",
        F,
        "input min_val? max_val?",
        elementwise::hardtanh,
    ),
    special("rad2deg", T | M | N, "input", elementwise::degrees),
    special("degrees", N | A, "input", elementwise::degrees),
    special("deg2rad", T | M | N, "input", elementwise::radians),
    special("radians", N | A, "input", elementwise::radians),
    // Element by element, several operands.
    binary("add", T | M | N, Op::Add),
    binary("sub", T | M, Op::Sub),
    binary("subtract", T | M | N, Op::Sub),
    binary("mul", T | M, Op::Mul),
    binary("multiply", T | M | N, Op::Mul),
    binary("div", T | M, Op::Div),
    binary("divide", T | M | N, Op::Div),
    binary("true_divide", T | M | N, Op::Div),
    binary("floor_divide", T | M | N, Op::FloorDiv),
    binary("remainder", T | M | N, Op::Remainder),
    binary("mod", N, Op::Remainder),
    binary("pow", T | M | A, Op::Pow),
    binary("power", N, Op::Pow),
    binary("float_power", N, Op::Pow),
    binary("atan2", T | M | A, Op::Atan2),
    binary("arctan2", T | M | N, Op::Atan2),
    binary("maximum", T | M | N, Op::Maximum),
    binary("minimum", T | M | N, Op::Minimum),
    binary("fmax", T | M | N, Op::Maximum),
    binary("fmin", T | M | N, Op::Minimum),
    binary("lt", T | M, Op::Less),
    binary("less", T | M | N, Op::Less),
    binary("le", T | M, Op::LessEqual),
    binary("less_equal", T | M | N, Op::LessEqual),
    binary("eq", T | M, Op::Equal),
    binary("equal", N, Op::Equal),
    binary("ne", T | M, Op::NotEqual),
    binary("not_equal", T | M | N, Op::NotEqual),
    binary("logical_and", T | M | N, Op::And),
    binary("logical_or", T | M | N, Op::Or),
    special("gt", T | M, "input other", elementwise::greater),
    special("greater", T | M | N, "input other", elementwise::greater),
    special("ge", T | M, "input other", elementwise::greater_equal),
    special(
        "greater_equal",
        T | M | N,
        "input other",
        elementwise::greater_equal,
    ),
    special("hypot", T | M | N | A, "input other", elementwise::hypot),
    special("lerp", T | M, "input end weight", elementwise::lerp),
    special("where", T | N, "condition input other", elementwise::where_),
    special("clamp", T | M, "input min? max?", elementwise::clamp),
    special("clip", T | M | N, "input min? max?", elementwise::clamp),
    special("clamp_min", T | M, "input min", elementwise::clamp_min),
    special("clamp_max", T | M, "input max", elementwise::clamp_max),
    // Copies and conversions.
    special("clone", T | M, "input", elementwise::same),
    special("copy", M | N, "input", elementwise::same),
    special("contiguous", M, "input", elementwise::to),
    special("cpu", M, "input", elementwise::to),
    special("cuda", M, "input", elementwise::to),
    special("to", M, "input target? other? dtype?", elementwise::to),
    special("type", M, "input target", elementwise::to),
    special("astype", M, "input target", elementwise::to),
    special("type_as", M, "input other", elementwise::to),
    special("float", M, "input", elementwise::to_float),
    special("double", M, "input", elementwise::to_float),
    special("half", M, "input", elementwise::to_float),
    special("long", M, "input", elementwise::to_int),
    special("int", M, "input", elementwise::to_int),
    special("bool", M, "input", elementwise::to_bool),
    special("item", M, "input", elementwise::item),
    // Reductions.
    special("sum", T | M | N, REDUCE, reduce::sum),
    special("mean", T | M | N, REDUCE, reduce::mean),
    special("average", N, "input dims?", reduce::mean),
    special("prod", T | M | N, REDUCE, reduce::prod),
    special("var", T | M, VARIANCE, reduce::var),
    special("std", T | M, VARIANCE, reduce::std),
    special("var", N, VARIANCE, reduce::numpy_var),
    special("std", N, VARIANCE, reduce::numpy_std),
    special("amax", T | M, REDUCE, reduce::amax),
    special("amin", T | M, REDUCE, reduce::amin),
    special("max", N, REDUCE, reduce::amax),
    special("min", N, REDUCE, reduce::amin),
    special("amax", N, REDUCE, reduce::amax),
    special("amin", N, REDUCE, reduce::amin),
    special("max", T | M, REDUCE_ONE, reduce::max),
    special("min", T | M, REDUCE_ONE, reduce::min),
    special("argmax", T | M | N, REDUCE, reduce::argmax),
    special("argmin", T | M | N, REDUCE, reduce::argmin),
    special("all", T | M | N, REDUCE, reduce::all),
    special("any", T | M | N, REDUCE, reduce::any),
    special("logsumexp", T | M, REDUCE, reduce::logsumexp),
    special("softmax", T | M | F, ALONG, reduce::softmax),
    special("softmin", F, ALONG, reduce::softmin),
    special("log_softmax", T | M | F, ALONG, reduce::log_softmax),
    special("cumsum", T | M | N, ALONG, reduce::cumsum),
    special("cumprod", T | M | N, ALONG, reduce::cumprod),
    special("cummax", T | M, ALONG, reduce::cummax),
    special("cummin", T | M, ALONG, reduce::cummin),
    special("sort", T | M, "input dim? descending? stable?", order::sort),
    special("sort", N, "input dim?", order::numpy_sort),
    special(
        "argsort",
        T | M | N,
        "input dim? descending? stable?",
        order::argsort,
    ),
    special("topk", T | M, "input k dim? largest? sorted?", order::topk),
    special("median", T | M, REDUCE_ONE, order::median),
    // Rearrangement.
    special("stack", T | N, "tensors dim?", join::stack),
    special("cat", T, "tensors dim?", join::cat),
    special("concat", T, "tensors dim?", join::cat),
    special("concatenate", T | N, "tensors dim?", join::cat),
    special("hstack", T | N, "tensors", join::hstack),
    special("vstack", T | N, "tensors", join::vstack),
    special("reshape", T | M | N, "input *shape", shape::reshape),
    special("view", M, "input *shape", shape::reshape),
    special(
        "flatten",
        T | M,
        "input start_dim? end_dim?",
        shape::flatten,
    ),
    special("ravel", T | M | N, "input", shape::flatten),
    special("squeeze", T | M | N, "input dims?", shape::squeeze),
    special("unsqueeze", T | M, "input dim", shape::unsqueeze),
    special("expand_dims", N, "input dim", shape::unsqueeze),
    special("permute", T | M, "input *dims", shape::permute),
    special("transpose", T | M, "input dim0 dim1", shape::transpose),
    special("swapaxes", T | M | N, "input dim0 dim1", shape::transpose),
    special("transpose", N, "input *axes", shape::permute),
    special("t", T | M, "input", shape::matrix_transpose),
    special("movedim", T | M, "input source destination", shape::movedim),
    special(
        "moveaxis",
        T | M | N,
        "input source destination",
        shape::movedim,
    ),
    special("expand", M, "input *shape", shape::expand),
    special("broadcast_to", T | M | N, "input *shape", shape::expand),
    special("expand_as", M, "input other", shape::expand_as),
    special("repeat", M, "input *shape", shape::repeat),
    special("tile", T | M | N, "input *shape", shape::repeat),
    special("flip", T | M | N, "input *dims", shape::flip),
    special("roll", T | M | N, "input shifts dim?", shape::roll),
    special("select", T | M, "input dim index", shape::select_),
    special("unbind", T | M, "input dim?", join::unbind),
    special("narrow", T | M, "input dim start length", join::narrow),
    special("split", T | M, "input split_size dim?", join::split),
    special("chunk", T | M, "input chunks dim?", join::chunk),
    special("diff", T | M | N, "input n? dim?", shape::diff),
    special("size", M, "input dim?", shape::size),
    special("numel", T | M, "input", shape::numel),
    special("dim", M, "input", shape::rank),
    // Constructors.
    special("tensor", T, "data dtype?", create::tensor),
    special("array", N, "data dtype?", create::array),
    special("asarray", T | N, "data dtype?", create::array),
    special("as_tensor", T, "data dtype?", create::array),
    special("from_numpy", T, "data", create::array),
    special("zeros", T, "*shape dtype?", create::zeros),
    special("ones", T, "*shape dtype?", create::ones),
    special("zeros", N, "shape dtype?", create::zeros),
    special("ones", N, "shape dtype?", create::ones),
    special("full", T | N, "shape value dtype?", create::full),
    special("zeros_like", T | N, "input dtype?", create::zeros_like),
    special("ones_like", T | N, "input dtype?", create::ones_like),
    special("full_like", T | N, "input value dtype?", create::full_like),
    special("new_zeros", M, "input *shape", create::new_zeros),
    special("new_tensor", M, "input data", create::new_tensor),
    special("eye", T | N, "n m?", create::eye),
    special(
        "linspace",
        T | N,
        "start end steps? dtype?",
        create::linspace,
    ),
    special("arange", T | N, "start end? step? dtype?", create::arange),
    // Linear algebra.
    special("norm", T | M, "input p? dim? keepdim? dtype?", linalg::norm),
    special(
        "norm",
        L | K,
        "input p? dim? keepdim? dtype?",
        linalg::linalg_norm,
    ),
    special(
        "vector_norm",
        L | K,
        "input p? dim? keepdim? dtype?",
        linalg::norm,
    ),
    special("dot", T | M, "input other", linalg::dot),
    special("inner", T | M | N, "input other", linalg::numpy_dot),
    special("dot", N, "input other", linalg::numpy_dot),
    special("vdot", T | M | N, "input other", linalg::dot),
    special("vecdot", L, "input other dim?", linalg::vecdot),
    special("matmul", T | M | N, "input other", linalg::matmul),
    special("mm", T | M, "input other", linalg::matmul),
    special("mv", T | M, "input other", linalg::matmul),
    special("bmm", T | M, "input other", linalg::matmul),
    special("outer", T | M | N, "input other", linalg::outer),
    special("cross", T | M | L | N, "input other dim?", linalg::cross),
    special("normalize", F, "input p? dim? eps?", linalg::normalize),
    special(
        "cosine_similarity",
        T | F,
        "input other dim? eps?",
        linalg::cosine_similarity,
    ),
    special("cdist", T, "input other p?", linalg::cdist),
    special(
        "pairwise_distance",
        F,
        "input other p? eps? keepdim?",
        linalg::pairwise_distance,
    ),
    special("einsum", T | N, "equation *operands", linalg::einsum),
    // Losses.
    special("mse_loss", F, "input target reduction?", losses::mse_loss),
    special("l1_loss", F, "input target reduction?", losses::l1_loss),
    special(
        "smooth_l1_loss",
        F,
        "input target reduction? beta?",
        losses::smooth_l1_loss,
    ),
    special(
        "huber_loss",
        F,
        "input target reduction? delta?",
        losses::huber_loss,
    ),
];
