//! The inner loops: one batch over all its rows, `L` particle lanes at a time.

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
                unary_value!(batch.op, f => each_unary(before, out, operands, f), else many(batch.op, before, out, operands))
            }
            2 => {
                binary_value!(batch.op, f => each_binary(before, out, operands, f), else many(batch.op, before, out, operands));
            }
            3 if batch.op == Op::Where => {
                let (condition, rest) = operands.split_at(batch.rows);
                let (yes, no) = rest.split_at(batch.rows);
                for (((o, &c), &a), &b) in out.iter_mut().zip(condition).zip(yes).zip(no) {
                    let (c, a, b) = (
                        &before[c as usize],
                        &before[a as usize],
                        &before[b as usize],
                    );
                    for l in 0..L {
                        o[l] = if c[l] != T::ZERO { a[l] } else { b[l] };
                    }
                }
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
    for (o, &a) in out.iter_mut().zip(operands) {
        let a = &before[a as usize];
        for l in 0..L {
            o[l] = f(a[l]);
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
    for ((o, &a), &b) in out.iter_mut().zip(left).zip(right) {
        let (a, b) = (&before[a as usize], &before[b as usize]);
        for l in 0..L {
            o[l] = f(a[l], b[l]);
        }
    }
}

/// Operations with any number of operands.
#[inline(always)]
fn many<T: Real, const L: usize>(op: Op, before: &[[T; L]], out: &mut [[T; L]], operands: &[u32]) {
    match op {
        Op::Sum => reduce(before, out, operands, |x| x, |sum, x| sum + x, |sum| sum),
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
        Op::AMax => reduce(
            before,
            out,
            operands,
            |x| x,
            |best, x| if x > best || x != x { x } else { best },
            |best| best,
        ),
        Op::AMin => reduce(
            before,
            out,
            operands,
            |x| x,
            |best, x| if x < best || x != x { x } else { best },
            |best| best,
        ),
        _ => unreachable!("every operation has a kernel"),
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
    for (i, o) in out.iter_mut().enumerate() {
        let mut positions = operands[i..].iter().step_by(rows);
        let mut sum = [T::ZERO; L];
        if let Some(&a) = positions.next() {
            let a = &before[a as usize];
            for l in 0..L {
                sum[l] = start(a[l]);
            }
        }
        for &a in positions {
            let a = &before[a as usize];
            for l in 0..L {
                sum[l] = step(sum[l], a[l]);
            }
        }
        for l in 0..L {
            o[l] = finish(sum[l]);
        }
    }
}

/// Runs every batch backward: adds each operand's share to its adjoint row.
#[inline(always)]
pub(crate) fn backward<T: Real, const L: usize>(
    code: &Code,
    arena: &[[T; L]],
    adjoints: &mut [[T; L]],
) {
    for batch in code.batches.iter().rev().filter(|batch| batch.needs_any) {
        let (before, rest) = adjoints.split_at_mut(batch.out);
        let at = At {
            arena,
            out: &arena[batch.out..batch.out + batch.rows],
            adjoint: &rest[..batch.rows],
            operands: &code.operands[batch.first..batch.first + batch.arity * batch.rows],
        };
        match batch.arity {
            1 => {
                unary_gradient!(batch.op, d => back_unary(&at, before, d), else back_many(batch, &at, before))
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

#[inline(always)]
fn back_unary<T: Real, const L: usize>(
    at: &At<'_, T, L>,
    before: &mut [[T; L]],
    d: impl Fn(T, T, T) -> T,
) {
    for ((y, g), &a) in at.out.iter().zip(at.adjoint).zip(at.operands) {
        let (x, share) = (&at.arena[a as usize], &mut before[a as usize]);
        for l in 0..L {
            share[l] += d(x[l], y[l], g[l]);
        }
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
    let rows = at.out.iter().zip(at.adjoint).zip(left.iter().zip(right));
    if batch.needs_gradient[0] {
        for ((y, g), (&a, &b)) in rows.clone() {
            let (x, z, share) = (
                &at.arena[a as usize],
                &at.arena[b as usize],
                &mut before[a as usize],
            );
            for l in 0..L {
                share[l] += da(x[l], z[l], y[l], g[l]);
            }
        }
    }
    if batch.needs_gradient[1] {
        for ((y, g), (&a, &b)) in rows {
            let (x, z, share) = (
                &at.arena[a as usize],
                &at.arena[b as usize],
                &mut before[b as usize],
            );
            for l in 0..L {
                share[l] += db(x[l], z[l], y[l], g[l]);
            }
        }
    }
}

#[inline(always)]
fn back_many<T: Real, const L: usize>(batch: &Batch, at: &At<'_, T, L>, before: &mut [[T; L]]) {
    match batch.op {
        Op::Sum => back_reduce(at, before, |_, _, g, _| g, false),
        Op::Norm2 => back_reduce(
            at,
            before,
            |x, y, g, _| if y == T::ZERO { T::ZERO } else { x * (g / y) },
            false,
        ),
        Op::AMax | Op::AMin => {
            back_reduce(
                at,
                before,
                |x, y, g, ties| if x == y { g / ties } else { T::ZERO },
                true,
            );
        }
        Op::Where => {
            let (condition, rest) = at.operands.split_at(batch.rows);
            let (yes, no) = rest.split_at(batch.rows);
            for (((g, &c), &a), &b) in at.adjoint.iter().zip(condition).zip(yes).zip(no) {
                let c = &at.arena[c as usize];
                let share = &mut before[a as usize];
                for l in 0..L {
                    share[l] += if c[l] != T::ZERO { g[l] } else { T::ZERO };
                }
                let share = &mut before[b as usize];
                for l in 0..L {
                    share[l] += if c[l] != T::ZERO { T::ZERO } else { g[l] };
                }
            }
        }
        // No gradient passes: `needs_any` keeps such batches away.
        _ => {}
    }
}

/// Shares of a reduction: `d(operand, value, adjoint, ties)`, where `ties` counts the operands
/// that equal the value and is computed only when `count_ties` is set.
#[inline(always)]
fn back_reduce<T: Real, const L: usize>(
    at: &At<'_, T, L>,
    before: &mut [[T; L]],
    d: impl Fn(T, T, T, T) -> T,
    count_ties: bool,
) {
    let rows = at.out.len();
    for (i, (y, g)) in at.out.iter().zip(at.adjoint).enumerate() {
        let mut ties = [T::ZERO; L];
        if count_ties {
            for &a in at.operands[i..].iter().step_by(rows) {
                let x = &at.arena[a as usize];
                for l in 0..L {
                    ties[l] += if x[l] == y[l] { T::ONE } else { T::ZERO };
                }
            }
        }
        for &a in at.operands[i..].iter().step_by(rows) {
            let (x, share) = (&at.arena[a as usize], &mut before[a as usize]);
            for l in 0..L {
                share[l] += d(x[l], y[l], g[l], ties[l]);
            }
        }
    }
}
