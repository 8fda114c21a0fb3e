//! Reductions, scans and order.

use super::{F, Function, M, N, S, T, special};
use crate::lower::{extremes, lookup, order, quantile, reduce, scan, spread};

const REDUCE: &str = "input dims? keepdim? dtype?";
const REDUCE_ONE: &str = "input dim? keepdim?";
const ALONG: &str = "input dim dtype?";
const NUMPY_ALONG: &str = "input dim? dtype?";
const VARIANCE: &str = "input dims? unbiased? keepdim? correction? ddof?";
const ONE: &str = "input";

pub(super) const FUNCTIONS: &[Function] = &[
    // Sums, products and spreads.
    special("sum", T | M | N, REDUCE, reduce::sum),
    special("mean", T | M | N, REDUCE, reduce::mean),
    special("prod", T | M | N, REDUCE, reduce::prod),
    special("nansum", T | M | N, REDUCE, reduce::nansum),
    special("nanmean", T | M | N, REDUCE, reduce::nanmean),
    special("average", N, "input dims? weights?", reduce::average),
    special(
        "count_nonzero",
        T | M | N,
        "input dims? keepdim?",
        reduce::count_nonzero,
    ),
    special("var", T | M, VARIANCE, spread::var),
    special("std", T | M, VARIANCE, spread::std),
    special("var", N, VARIANCE, spread::numpy_var),
    special("std", N, VARIANCE, spread::numpy_std),
    special("var_mean", T, VARIANCE, spread::var_mean),
    special("std_mean", T, VARIANCE, spread::std_mean),
    special("cov", T | M, "input correction?", spread::cov),
    special("corrcoef", T | M | N, ONE, spread::corrcoef),
    special("cov", N, "input rowvar? bias? ddof?", spread::numpy_cov),
    special("all", T | M | N, REDUCE, reduce::all),
    special("any", T | M | N, REDUCE, reduce::any),
    special("logsumexp", T | M | S, REDUCE, reduce::logsumexp),
    // The largest and the smallest.
    special("amax", T | M | N, REDUCE, extremes::amax),
    special("amin", T | M | N, REDUCE, extremes::amin),
    special("max", N, REDUCE, extremes::amax),
    special("min", N, REDUCE, extremes::amin),
    special("max", T | M, REDUCE_ONE, extremes::max),
    special("min", T | M, REDUCE_ONE, extremes::min),
    special("aminmax", T | M, "input dims? keepdim?", extremes::aminmax),
    special("ptp", N, "input dims? keepdim?", extremes::ptp),
    special("argmax", T | M | N, REDUCE, extremes::argmax),
    special("argmin", T | M | N, REDUCE, extremes::argmin),
    // Scans.
    special("softmax", T | M | F | S, ALONG, scan::softmax),
    special("log_softmax", T | M | F | S, ALONG, scan::log_softmax),
    special("softmin", F, ALONG, scan::softmin),
    special("cumsum", T | M, ALONG, scan::cumsum),
    special("cumprod", T | M, ALONG, scan::cumprod),
    special("cumsum", N, NUMPY_ALONG, scan::numpy_cumsum),
    special("cumprod", N, NUMPY_ALONG, scan::numpy_cumprod),
    special("cummax", T | M, ALONG, scan::cummax),
    special("cummin", T | M, ALONG, scan::cummin),
    special("logcumsumexp", T | M, "input dim", scan::logcumsumexp),
    special(
        "diff",
        T | M | N,
        "input n? dim? prepend? append?",
        scan::diff,
    ),
    special("trapezoid", T | N, "input x? dx? dim?", scan::trapezoid),
    special("trapz", T | N, "input x? dx? dim?", scan::trapezoid),
    special(
        "cumulative_trapezoid",
        T,
        "input x? dx? dim?",
        scan::cumulative_trapezoid,
    ),
    special(
        "gradient",
        T,
        "input spacing? dims? edge_order?",
        scan::gradient,
    ),
    special(
        "gradient",
        N,
        "input spacing? dims? edge_order?",
        scan::numpy_gradient,
    ),
    // Order.
    special("sort", T | M, "input dim? descending? stable?", order::sort),
    special("sort", N, "input dim? kind?", order::numpy_sort),
    special(
        "argsort",
        T | M,
        "input dim? descending? stable?",
        order::argsort,
    ),
    special("argsort", N, "input dim? kind?", order::numpy_argsort),
    special("topk", T | M, "input k dim? largest? sorted?", order::topk),
    special("kthvalue", T | M, "input k dim? keepdim?", order::kthvalue),
    special("median", T | M, REDUCE_ONE, order::median),
    special("median", N, REDUCE, quantile::numpy_median),
    special(
        "quantile",
        T | M | N,
        "input q dims? keepdim? interpolation?",
        quantile::quantile,
    ),
    special(
        "percentile",
        N,
        "input q dims? keepdim? interpolation?",
        quantile::percentile,
    ),
    special(
        "searchsorted",
        T | N,
        "sorted_sequence values right? side?",
        lookup::searchsorted,
    ),
    special("bucketize", T, "input boundaries right?", lookup::bucketize),
    special("digitize", N, "input bins right?", lookup::digitize),
    special("interp", N, "input xp fp left? right?", lookup::interp),
];
