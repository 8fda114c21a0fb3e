//! The inner loops: one batch over all its rows, `L` particle lanes at a time.
//!
//! Each kernel is compiled on its own for each width and instruction set (see `target`). Loops
//! count instead of chaining iterators, so that they become vector instructions for certain.

#![allow(clippy::needless_range_loop, reason = "see above")]

use super::code::{Batch, Code};
use super::real::Real;
use super::reduce::{backward_reduce, forward_reduce};
use super::target::{backward_kernel, forward_kernel};
use crate::op::{Op, binary_gradient, binary_value, unary_gradient, unary_value};

/// Runs every batch forward.
#[inline(always)]
pub(crate) fn forward<T: Real, const L: usize, const AVX2: bool>(
    code: &Code,
    arena: &mut [[T; L]],
) {
    for batch in &code.batches {
        let (before, rest) = arena.split_at_mut(batch.out);
        let out = &mut rest[..batch.rows];
        let x = &code.operands[batch.first..batch.first + batch.arity * batch.rows];
        match batch.arity {
            _ if batch.is_reduction() => {
                forward_reduce::<T, L, AVX2>(batch, before, out, x);
            }
            1 => {
                unary_value!(batch.op, f => forward_kernel::<T, L, AVX2>(before, out, x, |b, y, x| {
                    each_unary(b, y, x, f);
                }), else many::<T, L, AVX2>(batch.op, before, out, x));
            }
            2 => {
                binary_value!(batch.op, f => forward_kernel::<T, L, AVX2>(before, out, x, |b, y, x| {
                    each_binary(b, y, x, f);
                }), else many::<T, L, AVX2>(batch.op, before, out, x));
            }
            _ => many::<T, L, AVX2>(batch.op, before, out, x),
        }
    }
}

#[inline(always)]
fn each_unary<T: Real, const L: usize>(
    before: &[[T; L]],
    out: &mut [[T; L]],
    operands: &[u32],
    f: impl Fn(T) -> T,
) {
    for i in 0..out.len().min(operands.len()) {
        let a = &before[operands[i] as usize];
        for l in 0..L {
            out[i][l] = f(a[l]);
        }
    }
}

#[inline(always)]
fn each_binary<T: Real, const L: usize>(
    before: &[[T; L]],
    out: &mut [[T; L]],
    operands: &[u32],
    f: impl Fn(T, T) -> T,
) {
    let (left, right) = operands.split_at(out.len());
    for i in 0..left.len().min(right.len()) {
        let (a, b) = (&before[left[i] as usize], &before[right[i] as usize]);
        for l in 0..L {
            out[i][l] = f(a[l], b[l]);
        }
    }
}

/// Choices and extremes.
#[inline(always)]
fn many<T: Real, const L: usize, const AVX2: bool>(
    op: Op,
    before: &[[T; L]],
    out: &mut [[T; L]],
    operands: &[u32],
) {
    match op {
        Op::Where => forward_kernel::<T, L, AVX2>(before, out, operands, choose),
        Op::AMax => forward_kernel::<T, L, AVX2>(before, out, operands, |b, y, x| {
            fold(
                b,
                y,
                x,
                |best: T, x: T| {
                    if x > best || x.is_nan() { x } else { best }
                },
            );
        }),
        Op::AMin => forward_kernel::<T, L, AVX2>(before, out, operands, |b, y, x| {
            fold(
                b,
                y,
                x,
                |best: T, x: T| {
                    if x < best || x.is_nan() { x } else { best }
                },
            );
        }),
        // Nothing else has so many operands: sums and lengths have kernels of their own.
        _ => {}
    }
}

#[inline(always)]
fn choose<T: Real, const L: usize>(before: &[[T; L]], out: &mut [[T; L]], operands: &[u32]) {
    let rows = out.len();
    for i in 0..rows {
        let c = &before[operands[i] as usize];
        let a = &before[operands[rows + i] as usize];
        let b = &before[operands[2 * rows + i] as usize];
        for l in 0..L {
            out[i][l] = if c[l] != T::ZERO { a[l] } else { b[l] };
        }
    }
}

#[inline(always)]
fn fold<T: Real, const L: usize>(
    before: &[[T; L]],
    out: &mut [[T; L]],
    operands: &[u32],
    step: impl Fn(T, T) -> T,
) {
    let rows = out.len();
    for i in 0..rows {
        let mut best = before[operands[i] as usize];
        let mut at = i + rows;
        while at < operands.len() {
            let a = &before[operands[at] as usize];
            for l in 0..L {
                best[l] = step(best[l], a[l]);
            }
            at += rows;
        }
        out[i] = best;
    }
}

/// What a backward kernel reads: all values, and the batch's own results and adjoints.
pub(crate) struct At<'a, T, const L: usize> {
    pub(crate) batch: &'a Batch,
    pub(crate) arena: &'a [[T; L]],
    pub(crate) out: &'a [[T; L]],
    pub(crate) adjoint: &'a [[T; L]],
    pub(crate) operands: &'a [u32],
}

/// Runs every batch backward: gives each operand's adjoint row its share.
#[inline(always)]
pub(crate) fn backward<T: Real, const L: usize, const AVX2: bool>(
    code: &Code,
    arena: &[[T; L]],
    adjoints: &mut [[T; L]],
) {
    for batch in code.batches.iter().rev() {
        if !batch.needs_any {
            continue;
        }
        let (before, rest) = adjoints.split_at_mut(batch.out);
        let at = At {
            batch,
            arena,
            out: &arena[batch.out..batch.out + batch.rows],
            adjoint: &rest[..batch.rows],
            operands: &code.operands[batch.first..batch.first + batch.arity * batch.rows],
        };
        match batch.arity {
            _ if batch.is_reduction() => backward_reduce::<T, L, AVX2>(&at, before),
            1 => {
                unary_gradient!(batch.op, d => backward_kernel::<T, L, AVX2>(&at, before, |at, before| {
                    back_unary(at, before, d);
                }), else back_many::<T, L, AVX2>(&at, before));
            }
            2 => {
                binary_gradient!(batch.op, (da, db) => backward_kernel::<T, L, AVX2>(&at, before, |at, before| {
                    back_binary(at, before, da, db);
                }), else back_many::<T, L, AVX2>(&at, before));
            }
            _ => back_many::<T, L, AVX2>(&at, before),
        }
    }
}

/// Adds a share to an adjoint row, or stores it where nothing was stored before: lane by lane a
/// choice, not a branch, which would keep the lanes from becoming vectors.
#[inline(always)]
pub(crate) fn share<T: Real, const L: usize>(
    adjoint: &mut [T; L],
    overwrite: bool,
    value: impl Fn(usize) -> T,
) {
    for l in 0..L {
        let before = if overwrite { T::ZERO } else { adjoint[l] };
        adjoint[l] = before + value(l);
    }
}

#[inline(always)]
fn back_unary<T: Real, const L: usize>(
    at: &At<'_, T, L>,
    before: &mut [[T; L]],
    d: impl Fn(T, T, T) -> T,
) {
    for i in 0..at.out.len() {
        let a = at.operands[i] as usize;
        let (x, y, g) = (&at.arena[a], &at.out[i], &at.adjoint[i]);
        share(&mut before[a], at.batch.overwrites[0], |l| {
            d(x[l], y[l], g[l])
        });
    }
}

#[inline(always)]
fn back_binary<T: Real, const L: usize>(
    at: &At<'_, T, L>,
    before: &mut [[T; L]],
    da: impl Fn(T, T, T, T) -> T,
    db: impl Fn(T, T, T, T) -> T,
) {
    let (left, right) = at.operands.split_at(at.batch.rows);
    if at.batch.needs_gradient[0] {
        for i in 0..at.out.len() {
            let (a, b) = (left[i] as usize, right[i] as usize);
            let (x, z, y, g) = (&at.arena[a], &at.arena[b], &at.out[i], &at.adjoint[i]);
            share(&mut before[a], at.batch.overwrites[0], |l| {
                da(x[l], z[l], y[l], g[l])
            });
        }
    }
    if at.batch.needs_gradient[1] {
        for i in 0..at.out.len() {
            let (a, b) = (left[i] as usize, right[i] as usize);
            let (x, z, y, g) = (&at.arena[a], &at.arena[b], &at.out[i], &at.adjoint[i]);
            share(&mut before[b], at.batch.overwrites[1], |l| {
                db(x[l], z[l], y[l], g[l])
            });
        }
    }
}

#[inline(always)]
fn back_many<T: Real, const L: usize, const AVX2: bool>(at: &At<'_, T, L>, before: &mut [[T; L]]) {
    match at.batch.op {
        Op::AMax | Op::AMin => backward_kernel::<T, L, AVX2>(at, before, back_extreme),
        Op::Where => backward_kernel::<T, L, AVX2>(at, before, back_choose),
        // No gradient passes: `needs_any` keeps such batches away.
        _ => {}
    }
}

/// One side after the other: a row may stand on both sides of a batch.
#[inline(always)]
fn back_choose<T: Real, const L: usize>(at: &At<'_, T, L>, before: &mut [[T; L]]) {
    let rows = at.batch.rows;
    for side in 1..3 {
        for i in 0..rows {
            let (c, g) = (&at.arena[at.operands[i] as usize], &at.adjoint[i]);
            let adjoint = &mut before[at.operands[side * rows + i] as usize];
            share(adjoint, at.batch.overwrites[side], |l| {
                if (c[l] != T::ZERO) == (side == 1) {
                    g[l]
                } else {
                    T::ZERO
                }
            });
        }
    }
}

/// Shares of a largest or smallest value: the operands that equal it share alike.
#[inline(always)]
fn back_extreme<T: Real, const L: usize>(at: &At<'_, T, L>, before: &mut [[T; L]]) {
    let rows = at.out.len();
    for i in 0..rows {
        let (y, g) = (&at.out[i], &at.adjoint[i]);
        let mut ties = [T::ZERO; L];
        let mut place = i;
        while place < at.operands.len() {
            let x = &at.arena[at.operands[place] as usize];
            for l in 0..L {
                ties[l] += if x[l] == y[l] { T::ONE } else { T::ZERO };
            }
            place += rows;
        }
        let mut part = [T::ZERO; L];
        for l in 0..L {
            part[l] = g[l] / ties[l];
        }
        let mut place = i;
        while place < at.operands.len() {
            let a = at.operands[place] as usize;
            let x = &at.arena[a];
            share(&mut before[a], at.batch.overwrites[0], |l| {
                if x[l] == y[l] { part[l] } else { T::ZERO }
            });
            place += rows;
        }
    }
}
