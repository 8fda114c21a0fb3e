//! Sums and lengths of terms that stay in registers: the kernels of fused operations.
//!
//! Loops count, as in `kernels`, for the same reason.

#![allow(clippy::needless_range_loop, reason = "see above")]

use super::code::Batch;
use super::fuse::Map;
use super::kernels::{At, share};
use super::real::Real;
use super::target::{backward_kernel, forward_kernel};
use crate::op::Op;

/// Terms of a long sum that are added while it stays in registers.
const GROUP: usize = 4;

/// Selects an expression's number of operands, value and derivatives (the share of each operand
/// for an adjoint `s`) and runs `$body`.
macro_rules! with_map {
    (Id, $k:ident, $f:ident, $d:ident, $body:expr) => {{
        const $k: usize = 1;
        let $f = |[a, _, _]: [T; 3]| a;
        let $d = |_: [T; 3], s: T, _: usize| s;
        $body
    }};
    (Sub, $k:ident, $f:ident, $d:ident, $body:expr) => {{
        const $k: usize = 2;
        let $f = |[a, b, _]: [T; 3]| a - b;
        let $d = |_: [T; 3], s: T, position: usize| if position == 0 { s } else { -s };
        $body
    }};
    (Mul, $k:ident, $f:ident, $d:ident, $body:expr) => {{
        const $k: usize = 2;
        let $f = |[a, b, _]: [T; 3]| a * b;
        let $d =
            |[a, b, _]: [T; 3], s: T, position: usize| if position == 0 { s * b } else { s * a };
        $body
    }};
    (Square, $k:ident, $f:ident, $d:ident, $body:expr) => {{
        const $k: usize = 1;
        let $f = |[a, _, _]: [T; 3]| a * a;
        let $d = |[a, _, _]: [T; 3], s: T, _: usize| s * (a + a);
        $body
    }};
    (SubSquare, $k:ident, $f:ident, $d:ident, $body:expr) => {{
        const $k: usize = 2;
        let $f = |[a, b, _]: [T; 3]| (a - b) * (a - b);
        let $d = |[a, b, _]: [T; 3], s: T, position: usize| {
            let share = s * ((a - b) + (a - b));
            if position == 0 { share } else { -share }
        };
        $body
    }};
    (SubRelu, $k:ident, $f:ident, $d:ident, $body:expr) => {{
        const $k: usize = 2;
        let $f = |[a, b, _]: [T; 3]| if a - b < T::ZERO { T::ZERO } else { a - b };
        let $d = |[a, b, _]: [T; 3], s: T, position: usize| {
            let share = if a - b > T::ZERO { s } else { T::ZERO };
            if position == 0 { share } else { -share }
        };
        $body
    }};
    (SubMul, $k:ident, $f:ident, $d:ident, $body:expr) => {{
        const $k: usize = 3;
        let $f = |[a, b, c]: [T; 3]| (a - b) * c;
        let $d = |[a, b, c]: [T; 3], s: T, position: usize| match position {
            0 => s * c,
            1 => -(s * c),
            _ => s * (a - b),
        };
        $body
    }};
    (PlusMul, $k:ident, $f:ident, $d:ident, $body:expr) => {{
        const $k: usize = 3;
        let $f = |[a, b, c]: [T; 3]| a + b * c;
        let $d = |[_, b, c]: [T; 3], s: T, position: usize| match position {
            0 => s,
            1 => s * c,
            _ => s * b,
        };
        $body
    }};
    (MinusMul, $k:ident, $f:ident, $d:ident, $body:expr) => {{
        const $k: usize = 3;
        let $f = |[a, b, c]: [T; 3]| a - b * c;
        let $d = |[_, b, c]: [T; 3], s: T, position: usize| match position {
            0 => s,
            1 => -s * c,
            _ => -s * b,
        };
        $body
    }};
}

/// [`with_map`] for every expression that sums reduce.
macro_rules! with_sum {
    ($map:expr, $k:ident, $f:ident, $d:ident => $body:expr) => {
        match $map {
            Map::Id => with_map!(Id, $k, $f, $d, $body),
            Map::Sub => with_map!(Sub, $k, $f, $d, $body),
            Map::Mul => with_map!(Mul, $k, $f, $d, $body),
            Map::Square => with_map!(Square, $k, $f, $d, $body),
            Map::SubSquare => with_map!(SubSquare, $k, $f, $d, $body),
            Map::SubRelu => with_map!(SubRelu, $k, $f, $d, $body),
            Map::SubMul => with_map!(SubMul, $k, $f, $d, $body),
            Map::PlusMul => with_map!(PlusMul, $k, $f, $d, $body),
            Map::MinusMul => with_map!(MinusMul, $k, $f, $d, $body),
        }
    };
}

/// [`with_map`] for every expression that lengths reduce, which `Map::goes_into` lists.
macro_rules! with_length {
    ($map:expr, $k:ident, $f:ident, $d:ident => $body:expr) => {
        match $map {
            Map::Sub => with_map!(Sub, $k, $f, $d, $body),
            Map::Mul => with_map!(Mul, $k, $f, $d, $body),
            Map::SubMul => with_map!(SubMul, $k, $f, $d, $body),
            Map::MinusMul => with_map!(MinusMul, $k, $f, $d, $body),
            _ => with_map!(Id, $k, $f, $d, $body),
        }
    };
}

/// Runs a batch of sums or lengths forward.
#[inline(always)]
pub(crate) fn forward_reduce<T: Real, const L: usize, const AVX2: bool>(
    batch: &Batch,
    before: &[[T; L]],
    out: &mut [[T; L]],
    operands: &[u32],
) {
    if batch.op == Op::Norm2 {
        with_length!(batch.map, K, f, _d => forward_kernel::<T, L, AVX2>(before, out, operands, |b, y, x| {
            sum_terms::<T, L, K>(b, y, x, |x| f(x) * f(x), |sum| sum.sqrt());
        }));
    } else {
        with_sum!(batch.map, K, f, _d => forward_kernel::<T, L, AVX2>(before, out, operands, |b, y, x| {
            sum_terms::<T, L, K>(b, y, x, f, |sum| sum);
        }));
    }
}

#[inline(always)]
fn sum_terms<T: Real, const L: usize, const K: usize>(
    before: &[[T; L]],
    out: &mut [[T; L]],
    operands: &[u32],
    f: impl Fn([T; 3]) -> T + Copy,
    finish: impl Fn(T) -> T + Copy,
) {
    let rows = out.len();
    let stride = K * rows;
    let terms = operands.len() / stride.max(1);
    for i in 0..rows {
        match terms {
            1 => out[i] = sum_some::<T, L, K, 1>(before, operands, i, rows, None, f, finish),
            3 => out[i] = sum_some::<T, L, K, 3>(before, operands, i, rows, None, f, finish),
            _ => {
                let mut sum = sum_some::<T, L, K, 1>(before, operands, i, rows, None, f, |s| s);
                let mut term = 1;
                while term + GROUP <= terms {
                    let at = term * stride + i;
                    sum = sum_some::<T, L, K, GROUP>(
                        before,
                        operands,
                        at,
                        rows,
                        Some(&sum),
                        f,
                        |s| s,
                    );
                    term += GROUP;
                }
                while term < terms {
                    let at = term * stride + i;
                    sum = sum_some::<T, L, K, 1>(before, operands, at, rows, Some(&sum), f, |s| s);
                    term += 1;
                }
                for l in 0..L {
                    out[i][l] = finish(sum[l]);
                }
            }
        }
    }
}

/// Adds `N` terms, whose first operand is number `at`, to `sum`.
#[inline(always)]
fn sum_some<T: Real, const L: usize, const K: usize, const N: usize>(
    before: &[[T; L]],
    operands: &[u32],
    at: usize,
    rows: usize,
    sum: Option<&[T; L]>,
    f: impl Fn([T; 3]) -> T,
    finish: impl Fn(T) -> T,
) -> [T; L] {
    let mut read = [[&before[0]; 3]; N];
    for n in 0..N {
        for k in 0..K {
            read[n][k] = &before[operands[at + (n * K + k) * rows] as usize];
        }
    }
    let mut result = [T::ZERO; L];
    for l in 0..L {
        let mut total = T::ZERO;
        for n in 0..N {
            let value = f([read[n][0][l], read[n][1][l], read[n][2][l]]);
            total = match sum {
                Some(sum) if n == 0 => sum[l] + value,
                None if n == 0 => value,
                _ => total + value,
            };
        }
        result[l] = finish(total);
    }
    result
}

/// Runs a batch of sums or lengths backward.
#[inline(always)]
pub(crate) fn backward_reduce<T: Real, const L: usize, const AVX2: bool>(
    at: &At<'_, T, L>,
    before: &mut [[T; L]],
) {
    if at.batch.op == Op::Norm2 {
        with_length!(at.batch.map, K, f, d => backward_kernel::<T, L, AVX2>(at, before, |at, before| {
            share_length::<T, L, K>(at, before, f, d);
        }));
    } else {
        with_sum!(at.batch.map, K, _f, d => backward_kernel::<T, L, AVX2>(at, before, |at, before| {
            for i in 0..at.out.len() {
                share_terms::<T, L, K>(at, before, i, &at.adjoint[i], d);
            }
        }));
    }
}

/// The slope of a length at the origin is 0.
#[inline(always)]
fn share_length<T: Real, const L: usize, const K: usize>(
    at: &At<'_, T, L>,
    before: &mut [[T; L]],
    f: impl Fn([T; 3]) -> T + Copy,
    d: impl Fn([T; 3], T, usize) -> T + Copy,
) {
    for i in 0..at.out.len() {
        let (y, g) = (&at.out[i], &at.adjoint[i]);
        let mut scale = [T::ZERO; L];
        for l in 0..L {
            // Divided in any case, as vectors do; a branch for each lane would cost far more.
            let slope = g[l] / y[l];
            scale[l] = if y[l] == T::ZERO { T::ZERO } else { slope };
        }
        share_terms::<T, L, K>(at, before, i, &scale, |x, scale, position| {
            d(x, f(x) * scale, position)
        });
    }
}

#[inline(always)]
fn share_terms<T: Real, const L: usize, const K: usize>(
    at: &At<'_, T, L>,
    before: &mut [[T; L]],
    i: usize,
    scale: &[T; L],
    d: impl Fn([T; 3], T, usize) -> T + Copy,
) {
    let mut first = i;
    while first < at.operands.len() {
        let mut read = [&at.arena[0]; 3];
        for k in 0..K {
            read[k] = &at.arena[at.operands[first + k * at.batch.rows] as usize];
        }
        for k in 0..K {
            if at.batch.needs_gradient[k] {
                let adjoint = &mut before[at.operands[first + k * at.batch.rows] as usize];
                share(adjoint, at.batch.overwrites[k], |l| {
                    d([read[0][l], read[1][l], read[2][l]], scale[l], k)
                });
            }
        }
        first += K * at.batch.rows;
    }
}
