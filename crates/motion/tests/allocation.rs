//! The control loop allocates nothing.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use common::{MS, Rig};
use tiller_core::{ActionLayout, ActionMode, ArmColumns, Frame, RotationColumns, RotationKind};
use tiller_motion::{ActuatorConfig, Chunk};

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

/// What a policy may put out: displacements, poses in the tool's frame, joint velocities.
fn layouts() -> [ActionLayout; 3] {
    let displacements = ActionLayout::position_deltas(7, [0, 1, 2], None, 10.0);
    let poses = ActionLayout {
        arm: ArmColumns::Pose {
            position: [0, 1, 2],
            rotation: Some(RotationColumns {
                columns: vec![3, 4, 5],
                kind: RotationKind::EulerXyz,
            }),
        },
        mode: ActionMode::DeltaPose(Frame::Tool),
        ignored: vec![6],
        ..displacements.clone()
    };
    let joints = ActionLayout {
        arm: ArmColumns::Joints([0, 1, 2, 3, 4, 5, 6]),
        mode: ActionMode::JointVelocity,
        ..displacements.clone()
    };
    let displacements = ActionLayout {
        ignored: vec![3, 4, 5, 6],
        ..displacements
    };
    [displacements, poses, joints]
}

#[test]
fn ticks_and_chunks_do_not_allocate() {
    for layout in layouts() {
        let mut rig = Rig::over(ActuatorConfig::default(), [0.5, 0.0, 0.1]);
        let chunk = |rig: &mut Rig, row: [f64; 7]| {
            let anchor = rig.actuator.status().anchor;
            rig.numbered(Chunk {
                seq: 0,
                stamp_ns: 0,
                anchor,
                layout: layout.clone(),
                execute_steps: 8,
                actions: row.repeat(8),
                continues: None,
            })
        };
        // The first chunk's layout is checked and kept.
        let still = chunk(&mut rig, [0.0; 7]);
        rig.actuator.accept(&still, 0).unwrap();
        let before = allocations();
        drop(vec![0u8; 10]);
        assert_eq!(allocations(), before + 1, "the counter counts");

        let chunks = [
            chunk(&mut rig, [0.01, 0.01, 0.0, 0.02, 0.0, 0.05, 0.1]),
            chunk(&mut rig, [0.0, -0.02, 0.02, 0.0, -0.04, 0.0, 0.1]),
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
}
