//! The inner loops: one batch over all its rows, `L` particle lanes at a time.
//!
//! Everything here is inlined into one function for each width and instruction set. Loops count
//! instead of chaining iterators: in a function of that size adapters are no longer inlined.

#![allow(clippy::needless_range_loop, reason = "see above")]

use super::code::{Batch, Code};
use super::real::Real;
use crate::op::{Op, binary_gradient, binary_value, unary_gradient, unary_value};

/// Runs every batch forward.
#[inline(always)]
pub(crate) fn forward<T: Real, const L: usize>(code: &Code, arena: &mut [[T; L]]) {
    for batch in &code.batches {
        let (before, rest) = arena.split_at_mut(batch.out);
        let out = &mut rest[..batch.rows];
        let operands = &code.operands[batch.first..batch.first + batch.arity * batch.rows];
        match batch.arity {
            1 => {
                unary_value!(batch.op, f => each_unary(before, out, operands, f), else many(batch.op, before, out, operands));
            }
            2 => {
                binary_value!(batch.op, f => each_binary(before, out, operands, f), else many(batch.op, before, out, operands));
            }
            _ => many(batch.op, before, out, operands),
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

/// Operations of three operands and of any number of them.
#[inline(always)]
fn many<T: Real, const L: usize>(op: Op, before: &[[T; L]], out: &mut [[T; L]], operands: &[u32]) {
    match op {
        Op::Where => {
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
        Op::Norm2 => {
            reduce(
                before,
                out,
                operands,
                |x| x * x,
                |sum, x| sum + x * x,
                |sum| sum.sqrt(),
            );
        }
        Op::AMax => {
            let larger = |best: T, x: T| if x > best || x.is_nan() { x } else { best };
            reduce(before, out, operands, |x| x, larger, |best| best);
        }
        Op::AMin => {
            let smaller = |best: T, x: T| if x < best || x.is_nan() { x } else { best };
            reduce(before, out, operands, |x| x, smaller, |best| best);
        }
        // The only one left.
        _ => {
            debug_assert_eq!(op, Op::Sum);
            reduce(before, out, operands, |x| x, |sum, x| sum + x, |sum| sum);
        }
    }
}

#[inline(always)]
fn reduce<T: Real, const L: usize>(
    before: &[[T; L]],
    out: &mut [[T; L]],
    operands: &[u32],
    start: impl Fn(T) -> T,
    step: impl Fn(T, T) -> T,
    finish: impl Fn(T) -> T,
) {
    let rows = out.len();
    for i in 0..rows {
        let a = &before[operands[i] as usize];
        let mut sum = [T::ZERO; L];
        for l in 0..L {
            sum[l] = start(a[l]);
        }
        let mut at = i + rows;
        while at < operands.len() {
            let a = &before[operands[at] as usize];
            for l in 0..L {
                sum[l] = step(sum[l], a[l]);
            }
            at += rows;
        }
        for l in 0..L {
            out[i][l] = finish(sum[l]);
        }
    }
}

/// Runs every batch backward: gives each operand's adjoint row its share.
#[inline(always)]
pub(crate) fn backward<T: Real, const L: usize>(
    code: &Code,
    arena: &[[T; L]],
    adjoints: &mut [[T; L]],
) {
    for b in (0..code.batches.len()).rev() {
        let batch = &code.batches[b];
        if !batch.needs_any {
            continue;
        }
        let (before, rest) = adjoints.split_at_mut(batch.out);
        let at = At {
            arena,
            out: &arena[batch.out..batch.out + batch.rows],
            adjoint: &rest[..batch.rows],
            operands: &code.operands[batch.first..batch.first + batch.arity * batch.rows],
        };
        match batch.arity {
            1 => {
                unary_gradient!(batch.op, d => back_unary(batch, &at, before, d), else back_many(batch, &at, before));
            }
            2 => {
                binary_gradient!(batch.op, (da, db) => back_binary(batch, &at, before, da, db), else back_many(batch, &at, before));
            }
            _ => back_many(batch, &at, before),
        }
    }
}

/// What a backward kernel reads: all values, and the batch's own results and adjoints.
struct At<'a, T, const L: usize> {
    arena: &'a [[T; L]],
    out: &'a [[T; L]],
    adjoint: &'a [[T; L]],
    operands: &'a [u32],
}

/// Adds a share to an adjoint row, or stores it where nothing was stored before.
#[inline(always)]
fn share<T: Real, const L: usize>(
    adjoint: &mut [T; L],
    overwrite: bool,
    value: impl Fn(usize) -> T,
) {
    if overwrite {
        for l in 0..L {
            adjoint[l] = value(l);
        }
    } else {
        for l in 0..L {
            adjoint[l] += value(l);
        }
    }
}

#[inline(always)]
fn back_unary<T: Real, const L: usize>(
    batch: &Batch,
    at: &At<'_, T, L>,
    before: &mut [[T; L]],
    d: impl Fn(T, T, T) -> T,
) {
    for i in 0..at.out.len() {
        let a = at.operands[i] as usize;
        let (x, y, g) = (&at.arena[a], &at.out[i], &at.adjoint[i]);
        share(&mut before[a], batch.overwrites[0], |l| d(x[l], y[l], g[l]));
    }
}

#[inline(always)]
fn back_binary<T: Real, const L: usize>(
    batch: &Batch,
    at: &At<'_, T, L>,
    before: &mut [[T; L]],
    da: impl Fn(T, T, T, T) -> T,
    db: impl Fn(T, T, T, T) -> T,
) {
    let (left, right) = at.operands.split_at(batch.rows);
    if batch.needs_gradient[0] {
        for i in 0..at.out.len() {
            let (a, b) = (left[i] as usize, right[i] as usize);
            let (x, z, y, g) = (&at.arena[a], &at.arena[b], &at.out[i], &at.adjoint[i]);
            share(&mut before[a], batch.overwrites[0], |l| {
                da(x[l], z[l], y[l], g[l])
            });
        }
    }
    if batch.needs_gradient[1] {
        for i in 0..at.out.len() {
            let (a, b) = (left[i] as usize, right[i] as usize);
            let (x, z, y, g) = (&at.arena[a], &at.arena[b], &at.out[i], &at.adjoint[i]);
            share(&mut before[b], batch.overwrites[1], |l| {
                db(x[l], z[l], y[l], g[l])
            });
        }
    }
}

#[inline(always)]
fn back_many<T: Real, const L: usize>(batch: &Batch, at: &At<'_, T, L>, before: &mut [[T; L]]) {
    match batch.op {
        Op::Sum => back_reduce(batch, at, before, |_, g, _| g, |_, _, scale| scale, false),
        Op::Norm2 => {
            let scale = |y: T, g: T, _: T| if y == T::ZERO { T::ZERO } else { g / y };
            back_reduce(batch, at, before, scale, |x, _, scale| x * scale, false);
        }
        Op::AMax | Op::AMin => {
            let pass = |x: T, y: T, scale: T| if x == y { scale } else { T::ZERO };
            back_reduce(batch, at, before, |_, g, ties| g / ties, pass, true);
        }
        // One side after the other: a row may stand on both sides of a batch.
        Op::Where => {
            let rows = batch.rows;
            for side in 1..3 {
                for i in 0..rows {
                    let (c, g) = (&at.arena[at.operands[i] as usize], &at.adjoint[i]);
                    let adjoint = &mut before[at.operands[side * rows + i] as usize];
                    share(adjoint, batch.overwrites[side], |l| {
                        if (c[l] != T::ZERO) == (side == 1) {
                            g[l]
                        } else {
                            T::ZERO
                        }
                    });
                }
            }
        }
        // No gradient passes: `needs_any` keeps such batches away.
        _ => {}
    }
}

/// Shares of a reduction: `pass(operand, value, scale)` with `scale(value, adjoint, ties)`
/// computed once for each result, where `ties` counts the operands that equal the value (only
/// if `count_ties` is set).
#[inline(always)]
fn back_reduce<T: Real, const L: usize>(
    batch: &Batch,
    at: &At<'_, T, L>,
    before: &mut [[T; L]],
    scale: impl Fn(T, T, T) -> T,
    pass: impl Fn(T, T, T) -> T,
    count_ties: bool,
) {
    let rows = at.out.len();
    for i in 0..rows {
        let (y, g) = (&at.out[i], &at.adjoint[i]);
        let mut scales = [T::ZERO; L];
        let mut place = i;
        while count_ties && place < at.operands.len() {
            let x = &at.arena[at.operands[place] as usize];
            for l in 0..L {
                scales[l] += if x[l] == y[l] { T::ONE } else { T::ZERO };
            }
            place += rows;
        }
        for l in 0..L {
            scales[l] = scale(y[l], g[l], scales[l]);
        }
        let mut place = i;
        while place < at.operands.len() {
            let a = at.operands[place] as usize;
            let x = &at.arena[a];
            share(&mut before[a], batch.overwrites[0], |l| {
                pass(x[l], y[l], scales[l])
            });
            place += rows;
        }
    }
}
