//! Decompositions of small matrices.

use super::{Function, K, L, M, T, special};
use crate::lower::decompose;

const ONE: &str = "input";
const TRIANGLE: &str = "input UPLO?";
const INVERSE: &str = "input rcond? hermitian? rtol? atol?";

pub(super) const FUNCTIONS: &[Function] = &[
    special("eigh", L | K, TRIANGLE, decompose::eigh),
    special("eigvalsh", L | K, TRIANGLE, decompose::eigvalsh),
    special("eig", L | K, ONE, decompose::eig),
    special("eigvals", L | K, ONE, decompose::eigvals),
    special("svd", L, "input full_matrices? driver?", decompose::svd),
    special(
        "svd",
        K,
        "input full_matrices? compute_uv? hermitian?",
        decompose::svd,
    ),
    special("svd", T | M, "input some?", decompose::old_svd),
    special("svdvals", L, "input driver?", decompose::svdvals),
    special("svdvals", K, ONE, decompose::svdvals),
    special("qr", L, "input mode?", decompose::qr),
    special("qr", K, "input mode?", decompose::numpy_qr),
    special("lstsq", L, "input other rcond? driver?", decompose::lstsq),
    special("lstsq", K, "input other rcond?", decompose::numpy_lstsq),
    special("pinv", L | K, INVERSE, decompose::pinv),
    special("pinverse", T | M, "input rcond?", decompose::pinv),
    special("cholesky", L | K, "input upper?", decompose::cholesky),
    special(
        "matrix_rank",
        L | K,
        "input tol? hermitian? rtol? atol?",
        decompose::matrix_rank,
    ),
    special("cond", L | K, "input p?", decompose::cond),
];
