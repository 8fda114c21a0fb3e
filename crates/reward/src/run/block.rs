//! Blocks of particles: transposed in, run forward and backward, transposed out.
//!
//! Loops count, as in `kernels`, for the same reason.

#![allow(
    clippy::needless_range_loop,
    clippy::manual_memcpy,
    reason = "see above"
)]

use tiller_core::{Trajectories, TrajectoriesMut};

use super::code::{Code, Inputs};
use super::kernels::{backward, forward};
use super::real::Real;

/// Rows and columns that are transposed at a time.
const TILE: usize = 4;

/// What a run works on.
pub(crate) struct Work<'a, T, const L: usize> {
    pub(crate) code: &'a Code,
    /// The result's row.
    pub(crate) row: usize,
    pub(crate) arena: &'a mut [[T; L]],
    pub(crate) adjoints: &'a mut [[T; L]],
}

/// Runs all blocks; the first particle with a result that is not finite. `AVX2` may only be set
/// where the processor has these instructions.
pub(crate) fn run_blocks<T: Real, const L: usize, const AVX2: bool>(
    work: Work<'_, T, L>,
    trajectories: &Trajectories<'_, T>,
    values: &mut [T],
    mut gradients: Option<TrajectoriesMut<'_, T>>,
) -> Option<usize> {
    let Work {
        code,
        row,
        arena,
        adjoints,
    } = work;
    let rows = code.input_rows();
    let given = [
        trajectories.positions,
        trajectories.rotations,
        trajectories.gripper,
    ];
    let mut bad = None;
    for (block, values) in values.chunks_mut(L).enumerate() {
        let particles = values.len();
        let own = |width: usize| block * L * width..(block * L + particles) * width;
        let mut first_row = rows.start;
        for (kind, numbers) in code.inputs.iter().zip(given) {
            let count = kind.components.len();
            if count > 0 {
                let rows = &mut arena[first_row..first_row + count];
                load_rows::<T, L, AVX2>(&numbers[own(kind.width)], kind, rows);
            }
            first_row += count;
        }
        forward::<T, L, AVX2>(code, arena);
        values.copy_from_slice(&arena[row][..particles]);
        let mut first = values.iter().position(|value| !value.is_finite());
        if let Some(gradients) = &mut gradients {
            for &zeroed in &code.zeroed {
                adjoints[zeroed as usize] = [T::ZERO; L];
            }
            adjoints[row] = [T::ONE; L];
            backward::<T, L, AVX2>(code, arena, adjoints);
            let wanted = [
                &mut *gradients.positions,
                &mut *gradients.rotations,
                &mut *gradients.gripper,
            ];
            let mut first_row = rows.start;
            for (kind, numbers) in code.inputs.iter().zip(wanted) {
                let count = kind.components.len();
                let shares = &adjoints[first_row..first_row + count];
                if !numbers.is_empty() {
                    let numbers = &mut numbers[own(kind.width)];
                    let spoiled = store_rows::<T, L, AVX2>(shares, kind, numbers);
                    first = [first, spoiled].into_iter().flatten().min();
                }
                first_row += count;
            }
        }
        bad = bad.or(first.map(|particle| block * L + particle));
    }
    bad
}

#[inline(always)]
fn load_rows<T: Real, const L: usize, const AVX2: bool>(
    numbers: &[T],
    kind: &Inputs,
    rows: &mut [[T; L]],
) {
    #[cfg(target_arch = "x86_64")]
    if AVX2 {
        // SAFETY: `AVX2` is only set where the processor has the instructions.
        return unsafe { load_avx2(numbers, kind, rows) };
    }
    load(numbers, kind, rows);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline(never)]
fn load_avx2<T: Real, const L: usize>(numbers: &[T], kind: &Inputs, rows: &mut [[T; L]]) {
    load(numbers, kind, rows);
}

#[inline(always)]
fn store_rows<T: Real, const L: usize, const AVX2: bool>(
    shares: &[[T; L]],
    kind: &Inputs,
    numbers: &mut [T],
) -> Option<usize> {
    #[cfg(target_arch = "x86_64")]
    if AVX2 {
        // SAFETY: `AVX2` is only set where the processor has the instructions.
        return unsafe { store_avx2(shares, kind, numbers) };
    }
    store(shares, kind, numbers)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline(never)]
fn store_avx2<T: Real, const L: usize>(
    shares: &[[T; L]],
    kind: &Inputs,
    numbers: &mut [T],
) -> Option<usize> {
    store(shares, kind, numbers)
}

/// Transposes trajectories into input rows. Lanes without a particle repeat the last one, so
/// that they compute nothing out of the ordinary.
#[inline(always)]
fn load<T: Real, const L: usize>(trajectories: &[T], kind: &Inputs, rows: &mut [[T; L]]) {
    let (width, inputs) = (kind.width, &kind.components[..]);
    let last = trajectories.len() / width - 1;
    let particle = |lane: usize| &trajectories[lane.min(last) * width..][..width];
    // Inputs are ascending, so as many as there are components means all of them, in order.
    let tiled = if inputs.len() == width {
        width / TILE * TILE
    } else {
        0
    };
    let mut lane = 0;
    while lane < L && tiled > 0 {
        let sources: [&[T]; TILE] = [
            particle(lane),
            particle(lane + 1),
            particle(lane + 2),
            particle(lane + 3),
        ];
        let mut first = 0;
        while first < tiled {
            let mut read = [[T::ZERO; TILE]; TILE];
            for i in 0..TILE {
                let source = &sources[i][first..first + TILE];
                for j in 0..TILE {
                    read[i][j] = source[j];
                }
            }
            for j in 0..TILE {
                for i in 0..TILE {
                    rows[first + j][lane + i] = read[i][j];
                }
            }
            first += TILE;
        }
        lane += TILE;
    }
    for at in tiled..inputs.len() {
        let component = inputs[at] as usize;
        let row = &mut rows[at];
        let sources = trajectories[component..].iter().step_by(width);
        for (number, &source) in row.iter_mut().zip(sources) {
            *number = source;
        }
        let repeated = row[last.min(L - 1)];
        for lane in last + 1..L {
            row[lane] = repeated;
        }
    }
}

/// Transposes input adjoints into gradients; the first particle whose gradient is not finite.
#[inline(always)]
fn store<T: Real, const L: usize>(
    shares: &[[T; L]],
    kind: &Inputs,
    gradients: &mut [T],
) -> Option<usize> {
    let (width, inputs) = (kind.width, &kind.components[..]);
    // 0 * x is 0 for finite x and NaN otherwise.
    let mut check = [T::ZERO; L];
    for at in 0..shares.len() {
        for l in 0..L {
            check[l] += T::ZERO * shares[at][l];
        }
    }
    let complete = inputs.len() == width;
    if !complete {
        gradients.fill(T::ZERO);
    }
    let particles = gradients.len() / width;
    let whole_lanes = particles / TILE * TILE;
    let tiled = if complete { width / TILE * TILE } else { 0 };
    let mut lane = 0;
    while lane < whole_lanes {
        let group = &mut gradients[lane * width..(lane + TILE) * width];
        let mut first = 0;
        while first < tiled {
            let mut read = [[T::ZERO; TILE]; TILE];
            for j in 0..TILE {
                for i in 0..TILE {
                    read[j][i] = shares[first + j][lane + i];
                }
            }
            for i in 0..TILE {
                let out = &mut group[i * width + first..][..TILE];
                for j in 0..TILE {
                    out[j] = read[j][i];
                }
            }
            first += TILE;
        }
        lane += TILE;
    }
    for lane in whole_lanes..particles {
        for at in 0..tiled {
            gradients[lane * width + at] = shares[at][lane];
        }
    }
    for at in tiled..inputs.len() {
        let component = inputs[at] as usize;
        let targets = gradients[component..].iter_mut().step_by(width);
        for (target, &share) in targets.zip(&shares[at]) {
            *target = share;
        }
    }
    let mut lane = 0;
    while lane < particles && check[lane] == T::ZERO {
        lane += 1;
    }
    (lane < particles).then_some(lane)
}
