//! Tracking by optical flow allocates nothing once it has warmed up, whatever comes into sight or goes.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[allow(dead_code, reason = "shared with other tests")]
mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use common::{Picture, Solid, find, render, scene};
use tiller_grounding::{FrameView, Grounder, GroundingConfig};

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

/// A block that moves, and one that is hidden for a while and meanwhile put elsewhere.
fn pictures() -> Vec<Picture> {
    let mut solids = scene();
    let screen = Solid {
        label: 6,
        centre: [0.62, 0.02, 0.3],
        half: [0.01, 0.15, 0.12],
        rgb: [220; 3],
    };
    let picture = |step: u64| {
        find(&mut solids, 4).centre[1] += 0.004;
        match step {
            3 => solids.push(screen.clone()),
            6 => find(&mut solids, 3).centre[0] -= 0.1,
            8 => drop(solids.pop()),
            _ => {}
        }
        render(&solids)
    };
    (0..12).map(picture).collect()
}

#[test]
fn tracking_allocates_nothing_after_its_first_rounds() {
    let pictures = pictures();
    let config = GroundingConfig {
        tracker: "flow".into(),
        ignored: vec!["table".into(), "robot".into()],
        ..Default::default()
    };
    let mut grounder = Grounder::new(config).unwrap();
    grounder.ground(&pictures[0].frame(0)).unwrap();
    let mut allocated = [[0; 12]; 3];
    for allocated in &mut allocated {
        for ((step, picture), allocated) in (1..).zip(&pictures).zip(allocated) {
            let frame = FrameView {
                labels: &[],
                ..picture.frame(step)
            };
            let before = ALLOCATIONS.with(Cell::get);
            grounder.track(&frame).unwrap();
            *allocated = ALLOCATIONS.with(Cell::get) - before;
        }
    }
    assert!(allocated[0].iter().any(|n| *n > 0), "the counter counts");
    assert_eq!(allocated[2], [0; 12], "{allocated:?}");
}
