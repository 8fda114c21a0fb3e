//! Constructors.

use super::{Function, M, N, T, special};
use crate::lower::create;

const ONE: &str = "input";
const LIKE: &str = "input dtype?";
const SIZES: &str = "input *shape dtype?";

pub(super) const FUNCTIONS: &[Function] = &[
    special("tensor", T, "data dtype?", create::tensor),
    special("array", N, "data dtype? copy?", create::array),
    special("asarray", T | N, "data dtype? copy?", create::shared),
    special("as_tensor", T, "data dtype?", create::shared),
    special("from_numpy", T, "data", create::shared),
    special("scalar_tensor", T, "data dtype?", create::tensor),
    special("DoubleTensor", T, "data", create::float_tensor),
    special("LongTensor", T, "data", create::long_tensor),
    special("IntTensor", T, "data", create::long_tensor),
    special("BoolTensor", T, "data", create::bool_tensor),
    special("zeros", T, "*shape dtype?", create::zeros),
    special("ones", T, "*shape dtype?", create::ones),
    special("zeros", N, "shape dtype?", create::zeros),
    special("ones", N, "shape dtype?", create::ones),
    special("full", T | N, "shape value dtype?", create::full),
    special("zeros_like", T | N, LIKE, create::zeros_like),
    special("ones_like", T | N, LIKE, create::ones_like),
    special("full_like", T | N, "input value dtype?", create::full_like),
    special("new_zeros", M, SIZES, create::new_zeros),
    special("new_ones", M, SIZES, create::new_ones),
    special("new_full", M, "input shape value dtype?", create::new_full),
    special("new_tensor", M, "input data dtype?", create::new_tensor),
    special("eye", T, "n m? dtype?", create::eye),
    special("eye", N, "n m? k? dtype?", create::numpy_eye),
    special("identity", N, "n dtype?", create::identity),
    special("linspace", T, "start end steps? dtype?", create::linspace),
    special(
        "linspace",
        N,
        "start end steps? endpoint? dtype?",
        create::numpy_linspace,
    ),
    special(
        "logspace",
        T,
        "start end steps? base? dtype?",
        create::logspace,
    ),
    special("arange", T | N, "start end? step? dtype?", create::arange),
    // Contents of a tensor that is overwritten.
    special("zero_", M, ONE, create::fill),
    special("fill_", M, "input value", create::fill),
    special("copy_", M, "input src", create::copy_from),
];
