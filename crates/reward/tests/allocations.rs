//! Evaluation allocates nothing once its buffers exist.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use tiller_reward::{CompileOptions, Evaluator, compile};

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

#[test]
fn evaluation_allocates_nothing() {
    let text = "
num_stages = 1
def stage1_guidance(keypoints, action_sequence):
    d = torch.norm(action_sequence[:, :, None] - keypoints, dim=-1)
    best, _ = torch.cummax(d[..., 0], dim=1)
    return -(torch.softmax(-d, dim=-1) * d).sum() - best.mean() + torch.sort(d[0, :, 1])[0][3]
";
    let program = compile(text, &CompileOptions::new(5, 15)).unwrap();
    let mut evaluator = Evaluator::<f32>::new(&program.stages[0].guidance, 20);
    let trajectories: Vec<f32> = (0..20 * 45)
        .map(|i| (i as f32 * 0.37).sin() * 0.3)
        .collect();
    let (mut values, mut gradients) = (vec![0.0; 20], vec![0.0; 900]);
    for round in 0..50 {
        let keypoints = [[0.1 * f64::from(round), 0.2, 0.3]; 5];
        let before = ALLOCATIONS.get();
        let result =
            evaluator.evaluate(&keypoints, &trajectories, &mut values, Some(&mut gradients));
        assert_eq!(ALLOCATIONS.get(), before, "round {round}");
        result.unwrap();
    }
    let _ = vec![1_u8; 100];
    assert!(ALLOCATIONS.get() > 0, "the counter counts");
}
