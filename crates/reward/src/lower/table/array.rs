//! Methods of NumPy arrays that mean something else of a tensor, or that tensors lack.

use super::{Function, Y, special};
use crate::lower::{
    convert, extremes, in_place, linalg, lookup, matrix, order, pick, scan, shape, spread,
};

const ONE: &str = "input";
const REDUCE: &str = "input dims? keepdim? dtype?";
const ALONG: &str = "input dim? dtype?";
const VARIANCE: &str = "input dims? unbiased? keepdim? correction? ddof?";

pub(super) const FUNCTIONS: &[Function] = &[
    special("flatten", Y, ONE, shape::flat_copy),
    special("view", Y, ONE, convert::itself),
    special("transpose", Y, "input *axes", shape::permute),
    special(
        "diagonal",
        Y,
        "input offset? dim1? dim2?",
        matrix::numpy_diagonal,
    ),
    special("repeat", Y, "input repeats dim?", shape::repeat_interleave),
    special("take", Y, "input indices dim?", pick::take),
    special("nonzero", Y, ONE, lookup::numpy_nonzero),
    special("std", Y, VARIANCE, spread::numpy_std),
    special("var", Y, VARIANCE, spread::numpy_var),
    special("max", Y, REDUCE, extremes::amax),
    special("min", Y, REDUCE, extremes::amin),
    special("cumsum", Y, ALONG, scan::numpy_cumsum),
    special("cumprod", Y, ALONG, scan::numpy_cumprod),
    special("dot", Y, "input other", linalg::numpy_dot),
    special("argsort", Y, "input dim? kind?", order::numpy_argsort),
    special("item", Y, "input *index", convert::array_item),
    // They change the array and return nothing.
    special("sort", Y, "input dim? kind?", order::sort_in_place),
    special("fill", Y, "input value", in_place::fill),
    special("put", Y, "input indices values", in_place::put),
];
