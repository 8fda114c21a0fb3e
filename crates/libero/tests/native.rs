//! Steps of a toy scene.

#![allow(clippy::expect_used, reason = "a test may fail")]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use serde_json::json;
use support::{description, native, pack, qpos};
use tiller_libero::{
    ACTION, Channels, Frame, IDLE, Look, Native, NativeError, PHYSICS_STEPS, RenderError, Renderer,
    STEP_NS,
};

/// The system's allocator, counting the calls of each thread.
struct Counting;

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is handed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.set(CALLS.get() + 1);
        // SAFETY: the caller's guarantees are passed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's guarantees are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn toy() -> Native {
    Native::new(pack(description()).expect("a pack")).expect("a scene")
}

/// How the hand has moved after some steps of one action.
fn moved(native: &mut Native, action: [f64; ACTION], steps: usize) -> [f64; 3] {
    let before = native.hand().position_m;
    for _ in 0..steps {
        native.step(&action).expect("a step");
    }
    let after = native.hand().position_m;
    std::array::from_fn(|axis| after[axis] - before[axis])
}

#[test]
fn the_hand_goes_where_it_is_sent_and_keeps_its_orientation() {
    let mut native = toy();
    let before = native.hand();
    for (axis, sign) in [(0, 1.0), (1, -1.0), (2, 1.0)] {
        native.reset(0).expect("the episode");
        let mut action = IDLE;
        action[axis] = sign;
        let by_m = moved(&mut native, action, 10);
        for (other, by_m) in by_m.iter().enumerate() {
            if other == axis {
                assert!((0.03..0.2).contains(&(by_m * sign)), "axis {axis}: {by_m}");
            } else {
                assert!(by_m.abs() < 0.02, "axis {axis}: {by_m} along {other}");
            }
        }
        let turned = before.rotation().angle_to(&native.hand().rotation());
        assert!(turned < 0.06, "axis {axis}: {turned}");
    }
}

#[test]
fn idle_it_stays_under_gravity() {
    let mut native = toy();
    let by_m = moved(&mut native, IDLE, 40);
    assert!(by_m.iter().all(|by_m| by_m.abs() < 2e-3), "{by_m:?}");
    assert_eq!(native.time_ns(), 40 * STEP_NS);
}

#[test]
fn the_hand_turns_about_the_world_s_axes() {
    let mut native = toy();
    let before = native.hand().rotation();
    let mut action = IDLE;
    action[5] = 0.5;
    moved(&mut native, action, 10);
    let turn = (native.hand().rotation() * before.inverse()).scaled_axis();
    assert!(turn.z > 0.15 && turn.xy().norm() < 0.1, "{turn}");
}

#[test]
fn fingers_follow_a_ramp() {
    let mut native = toy();
    let mut close = IDLE;
    close[6] = 1.0;
    // From the middle of the range, 0.01 of half of it in every physics step: 25 steps go a quarter.
    native.step(&close).expect("a step");
    let commanded_m = 0.02 * (1.0 - 0.01 * f64::from(PHYSICS_STEPS));
    let [left, right] = native.fingers_m();
    assert!(left < 0.02 && left > commanded_m, "{left}");
    assert!((left + right).abs() < 1e-3);
    moved(&mut native, close, 20);
    assert!(native.fingers_m()[0] < 1e-3);
    moved(&mut native, IDLE, 30);
    assert!(native.fingers_m()[0] > 0.039);
}

#[test]
fn clipped_actions_are_the_same_to_the_bit() {
    let run = |scale: f64| {
        let mut native = toy();
        for step in 0..12 {
            let sign = if step % 2 == 0 { 1.0 } else { -1.0 };
            let action = [scale, -scale, scale * sign, 0.0, 0.0, scale, sign];
            native.step(&action).expect("a step");
        }
        native.qpos().to_vec()
    };
    assert_eq!(run(1.0), run(7.0));
    assert_ne!(run(1.0), run(0.5));
}

#[test]
fn an_episode_is_the_same_whatever_came_before() {
    let mut other = qpos();
    other[support::CUP] = 0.45;
    let mut native = native(json!([["on", "cup_1", "plate_1"]]), &[other]);
    let run = |native: &mut Native| {
        native.reset(1).expect("an episode");
        moved(native, [0.5, 0.2, -0.3, 0.1, 0.0, 0.2, 1.0], 15);
        native.qpos().to_vec()
    };
    let first = run(&mut native);
    native.reset(0).expect("an episode");
    moved(&mut native, [1.0; ACTION], 5);
    assert_eq!(run(&mut native), first);
}

#[test]
fn fixtures_stand_where_the_episode_has_them() {
    let mut moved = description();
    let mut second = moved["episodes"][0].clone();
    // Its upper side at z 0.201 reaches a millimetre into the cup, whose lower end is at 0.2.
    second["fixtures"]["cabinet_1_main"]["position_m"] = json!([0.5, 0.3, 0.191]);
    moved["goal"] = json!([["on", "cup_1", "cabinet_1_top"]]);
    moved["episodes"]
        .as_array_mut()
        .expect("episodes")
        .push(second);
    let mut native = Native::new(pack(moved).expect("a pack")).expect("a scene");
    for (episode, expected) in [(0, false), (1, true), (0, false)] {
        native.reset(episode).expect("an episode");
        assert_eq!(native.succeeded(), expected, "episode {episode}");
    }
}

#[test]
fn what_cannot_be_done_is_refused_and_changes_nothing() {
    let mut native = toy();
    let before = native.qpos().to_vec();
    let refused = native.reset(1);
    assert_eq!(refused, Err(NativeError::Episode { found: 1, count: 1 }));
    let mut action = IDLE;
    action[3] = f64::INFINITY;
    let refused = native.step(&action).expect_err("an action");
    assert_eq!(
        refused.to_string(),
        "an action with inf at index 3: expected finite numbers"
    );
    assert_eq!(native.qpos(), before);
}

#[test]
fn cameras_see_instances_where_their_geometry_says() {
    let mut native = toy();
    let mut renderer = Renderer::new(&native, 128, 96, Look::Plain).expect("a renderer");
    let label = |name: &str| {
        let labels = native.labels().iter();
        labels
            .clone()
            .find(|(_, known)| known == name)
            .expect("a label")
            .0
    };
    let (cup, robot) = (label("cup_1"), label("robot"));
    assert_eq!(native.labels().len(), 7);
    let mut frame = Frame::default();
    renderer
        .render(&mut native, 0, Channels::ALL, &mut frame)
        .expect("a picture");
    assert_eq!([frame.width, frame.height], [128, 96]);
    assert!(frame.segmentation.contains(&robot));
    // The middle of the cup's pixels lies on it.
    let mut sum = [0.0; 3];
    let mut count = 0.0;
    for (index, _) in frame
        .segmentation
        .iter()
        .enumerate()
        .filter(|(_, it)| **it == cup)
    {
        let depth_m = f64::from(frame.depth_mm[index]) * 1e-3;
        let point = frame.geometry.unproject(index % 128, index / 128, depth_m);
        sum = std::array::from_fn(|axis| sum[axis] + point[axis]);
        count += 1.0;
    }
    assert!(count > 4.0, "{count} pixels");
    for (sum, expected) in sum.iter().zip([0.5, 0.3, 0.23]) {
        assert!((sum / count - expected).abs() < 0.03, "{sum:?} / {count}");
    }
    assert!(frame.rgb.iter().any(|value| *value > 30));
    renderer
        .render(&mut native, 1, Channels::COLOUR, &mut frame)
        .expect("a picture");
    assert!(frame.depth_mm.is_empty() && frame.segmentation.is_empty());
    let refused = renderer.render(&mut native, 2, Channels::COLOUR, &mut frame);
    assert!(matches!(refused, Err(RenderError::Camera(2))));
    assert!(matches!(
        Renderer::new(&native, 641, 1, Look::Official),
        Err(RenderError::Size { .. })
    ));
}

#[test]
fn a_step_allocates_nothing() {
    let mut native = toy();
    let action = [0.3, -0.2, 0.1, 0.2, 0.1, -0.1, 1.0];
    native.step(&action).expect("a step");
    let before = CALLS.get();
    for _ in 0..5 {
        native.step(&action).expect("a step");
        assert!(!native.succeeded());
    }
    assert_eq!(CALLS.get(), before);
}
