//! Evaluation allocates nothing once its buffers exist.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use tiller_reward::{CompileOptions, Evaluator, Real, compile};

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that is ending has no counter any more.
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The bench's push program, and one with other operations.
const PROGRAMS: [&str; 2] = [
    include_str!("../benches/programs/push.py"),
    "
num_stages = 1
def stage1_guidance(keypoints, action_sequence):
    d = torch.norm(action_sequence[:, :, None] - keypoints, dim=-1)
    best, _ = torch.cummax(d[..., 0], dim=1)
    return -(torch.softmax(-d, dim=-1) * d).sum() - best.mean() + torch.sort(d[0, :, 1])[0][3]
",
];

/// Evaluates with new keypoints and trajectories each time, with and without gradients.
fn expect_no_allocation<T: Real>(text: &str, max_particles: usize, particles: usize) {
    const KEYPOINTS: usize = 8;
    const POINTS: usize = 15;
    let program = compile(text, &CompileOptions::new(KEYPOINTS, POINTS)).unwrap();
    let mut evaluator = Evaluator::<T>::new(&program.stages[0].guidance, max_particles);
    let mut trajectories = vec![T::ZERO; particles * POINTS * 3];
    let mut values = vec![T::ZERO; particles];
    let mut gradients = trajectories.clone();
    for round in 0..20 {
        let keypoints: [[f64; 3]; KEYPOINTS] =
            std::array::from_fn(|i| [0.1 * f64::from(round), 0.2 * i as f64, 0.3]);
        for (i, number) in trajectories.iter_mut().enumerate() {
            *number = T::from_f64((i as f64 * 0.37 + f64::from(round)).sin() * 0.3);
        }
        let before = ALLOCATIONS.get();
        let without = evaluator.evaluate(&keypoints, &trajectories, &mut values, None);
        let with = evaluator.evaluate(&keypoints, &trajectories, &mut values, Some(&mut gradients));
        assert_eq!(ALLOCATIONS.get(), before, "round {round}");
        without.unwrap();
        with.unwrap();
    }
}

#[test]
fn evaluation_allocates_nothing() {
    for text in PROGRAMS {
        // One narrow block; one wide block; more particles than expected, in several blocks.
        for (max_particles, particles) in [(4, 4), (20, 20), (20, 70), (4, 30)] {
            expect_no_allocation::<f32>(text, max_particles, particles);
            expect_no_allocation::<f64>(text, max_particles, particles);
        }
    }
    let before = ALLOCATIONS.get();
    std::hint::black_box(vec![1_u8; 100]);
    assert!(ALLOCATIONS.get() > before, "the counter counts");
}
