//! Kernels as functions of their own, each compiled for the processor's instruction set.
//!
//! One function for all kernels would be too large for the optimiser, and only as arguments do
//! the compiler's guarantees hold that inputs and outputs never overlap. The numbers are the same
//! for every instruction set, to the last bit: nothing is contracted.

use super::code::Batch;
use super::kernels::At;

/// Operand rows, result rows and the operands' places to a forward kernel.
#[inline(always)]
pub(crate) fn forward_kernel<T, const L: usize, const AVX2: bool>(
    before: &[[T; L]],
    out: &mut [[T; L]],
    operands: &[u32],
    kernel: impl FnOnce(&[[T; L]], &mut [[T; L]], &[u32]),
) {
    #[cfg(target_arch = "x86_64")]
    if AVX2 {
        // SAFETY: `AVX2` is only set where the processor has the instructions.
        return unsafe { forward_avx2(before, out, operands, kernel) };
    }
    forward_plain(before, out, operands, kernel);
}

#[inline(never)]
fn forward_plain<T, const L: usize>(
    before: &[[T; L]],
    out: &mut [[T; L]],
    operands: &[u32],
    kernel: impl FnOnce(&[[T; L]], &mut [[T; L]], &[u32]),
) {
    kernel(before, out, operands);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline(never)]
fn forward_avx2<T, const L: usize>(
    before: &[[T; L]],
    out: &mut [[T; L]],
    operands: &[u32],
    kernel: impl FnOnce(&[[T; L]], &mut [[T; L]], &[u32]),
) {
    kernel(before, out, operands);
}

/// What the batch reads, and the adjoints of its operands, to a backward kernel.
#[inline(always)]
pub(crate) fn backward_kernel<T, const L: usize, const AVX2: bool>(
    at: &At<'_, T, L>,
    before: &mut [[T; L]],
    kernel: impl FnOnce(&At<'_, T, L>, &mut [[T; L]]),
) {
    let &At {
        batch,
        arena,
        out,
        adjoint,
        operands,
    } = at;
    #[cfg(target_arch = "x86_64")]
    if AVX2 {
        // SAFETY: `AVX2` is only set where the processor has the instructions.
        return unsafe { backward_avx2(batch, arena, out, adjoint, operands, before, kernel) };
    }
    backward_plain(batch, arena, out, adjoint, operands, before, kernel);
}

#[inline(never)]
fn backward_plain<T, const L: usize>(
    batch: &Batch,
    arena: &[[T; L]],
    out: &[[T; L]],
    adjoint: &[[T; L]],
    operands: &[u32],
    before: &mut [[T; L]],
    kernel: impl FnOnce(&At<'_, T, L>, &mut [[T; L]]),
) {
    let at = At {
        batch,
        arena,
        out,
        adjoint,
        operands,
    };
    kernel(&at, before);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline(never)]
fn backward_avx2<T, const L: usize>(
    batch: &Batch,
    arena: &[[T; L]],
    out: &[[T; L]],
    adjoint: &[[T; L]],
    operands: &[u32],
    before: &mut [[T; L]],
    kernel: impl FnOnce(&At<'_, T, L>, &mut [[T; L]]),
) {
    let at = At {
        batch,
        arena,
        out,
        adjoint,
        operands,
    };
    kernel(&at, before);
}
