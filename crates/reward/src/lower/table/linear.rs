//! Linear algebra.

use super::{F, Function, K, L, M, N, T, special};
use crate::lower::{einsum, linalg, matrix, norm};

const PAIR: &str = "input other";
const ONE: &str = "input";
const NORM: &str = "input p? dim? keepdim? dtype?";

pub(super) const FUNCTIONS: &[Function] = &[
    // Norms and distances.
    special("norm", T | M, NORM, norm::norm),
    special("norm", L | K, NORM, norm::linalg_norm),
    special("vector_norm", L | K, NORM, norm::norm),
    special("matrix_norm", L | K, NORM, norm::matrix_norm),
    special("dist", T | M, "input other p?", norm::dist),
    special("cdist", T, "input other p?", norm::cdist),
    special("pdist", T | F, "input p?", norm::pdist),
    special(
        "pairwise_distance",
        T | F,
        "input other p? eps? keepdim?",
        norm::pairwise_distance,
    ),
    special("normalize", F, "input p? dim? eps?", norm::normalize),
    special(
        "cosine_similarity",
        T | F,
        "input other dim? eps?",
        norm::cosine_similarity,
    ),
    // Products.
    special("dot", T | M, PAIR, linalg::dot),
    special("vdot", T | M, PAIR, linalg::dot),
    special("vdot", N, PAIR, linalg::dot),
    special("inner", T | M | N, PAIR, linalg::inner),
    special("dot", N, PAIR, linalg::numpy_dot),
    special("vecdot", L, "input other dim?", linalg::vecdot),
    special("matmul", T | M | N | L, PAIR, linalg::matmul),
    special("mm", T | M, PAIR, linalg::matmul),
    special("bmm", T | M, PAIR, linalg::matmul),
    special("mv", T | M, PAIR, linalg::matmul),
    special("outer", T | M | N, PAIR, linalg::outer),
    special("ger", T | M, PAIR, linalg::outer),
    special("kron", T | M | N, PAIR, linalg::kron),
    special("tensordot", T | N, "input other dims?", linalg::tensordot),
    special("multi_dot", L | K, "tensors", linalg::multi_dot),
    special("chain_matmul", T, "*tensors", linalg::multi_dot),
    special(
        "addmm",
        T | M,
        "input mat1 mat2 beta? alpha?",
        linalg::addmm,
    ),
    special(
        "addmv",
        T | M,
        "input mat1 mat2 beta? alpha?",
        linalg::addmm,
    ),
    special(
        "baddbmm",
        T | M,
        "input mat1 mat2 beta? alpha?",
        linalg::addmm,
    ),
    special("cross", T | M, "input other dim?", linalg::cross),
    special("cross", L | N, "input other dim?", linalg::linalg_cross),
    special("einsum", T | N, "equation *operands", einsum::einsum),
    // Small matrices.
    special("det", T | M | L | K, ONE, matrix::det),
    special("inverse", T | M, ONE, matrix::inv),
    special("inv", L | K, ONE, matrix::inv),
    special("solve", L | K, PAIR, matrix::solve),
    special(
        "matrix_power",
        T | M | L | K,
        "input n",
        linalg::matrix_power,
    ),
    special("trace", T | M | N, ONE, matrix::trace),
    special("diag", T | M, "input diagonal?", matrix::diag),
    special("diag", N, "input diagonal?", matrix::numpy_diag),
    special(
        "diagonal",
        T | M,
        "input offset? dim1? dim2?",
        matrix::diagonal,
    ),
    special(
        "diagonal",
        N,
        "input offset? dim1? dim2?",
        matrix::numpy_diagonal,
    ),
    special(
        "diagonal",
        L,
        "input offset? dim1? dim2?",
        matrix::linalg_diagonal,
    ),
    special("diag_embed", T | M, "input offset?", matrix::diag_embed),
    special("diagflat", T | M | N, "input offset?", matrix::diagflat),
    special("tril", T | M | N, "input diagonal?", matrix::tril),
    special("triu", T | M | N, "input diagonal?", matrix::triu),
];
