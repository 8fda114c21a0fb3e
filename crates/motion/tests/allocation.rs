//! The control loop allocates nothing.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use common::{MS, Rig};
use tiller_motion::ActuatorConfig;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is passed on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's contract is ours.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract is ours.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations() -> usize {
    ALLOCATIONS.with(Cell::get)
}

#[test]
fn ticks_and_chunks_do_not_allocate() {
    let mut rig = Rig::over(ActuatorConfig::default(), [0.5, 0.0, 0.1]);
    // The first chunk's layout is checked and kept.
    rig.send(&[[0.0; 3]]).unwrap();
    let before = allocations();
    drop(vec![0u8; 10]);
    assert_eq!(allocations(), before + 1, "the counter counts");

    let chunks = [
        rig.chunk(&[[0.01, 0.01, 0.0]; 8]),
        rig.chunk(&[[0.0, -0.02, 0.02]; 8]),
    ];
    let mut reading = rig.reading;
    let before = allocations();
    let mut now_ns = 0;
    for chunk in &chunks {
        assert!(rig.actuator.accept(chunk, now_ns).is_ok());
        for _ in 0..500 {
            now_ns += MS;
            reading.q_rad = rig.actuator.tick(&reading, now_ns).q_rad;
            std::hint::black_box(rig.actuator.status());
        }
    }
    assert_eq!(allocations(), before);
}
