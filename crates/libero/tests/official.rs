//! Native steps and judgements against the official environment, where it is installed.

#![allow(clippy::expect_used, reason = "a test may fail")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde::Deserialize;
use tiller_libero::{ACTION, Channels, Frame, Look, Native, Pack, Renderer};

/// Names the virtual environment of the official package.
const VENV: &str = "TILLER_LIBERO_VENV";
/// Where it is otherwise, under the workspace.
const DEFAULT_VENV: &str = ".sim/libero";
const STEPS: usize = 120;
/// The label that `reference.py` gives to what a site hides.
const HIDDEN: u8 = 255;

/// What `reference.py` writes.
#[derive(Deserialize)]
struct Reference {
    actions: Vec<[f64; ACTION]>,
    qpos: Vec<Vec<f64>>,
    solved: Vec<bool>,
    hand_m: Vec<[f64; 3]>,
    judged: Vec<bool>,
    /// Which of them is pictured.
    pictured: Option<usize>,
    step_ms: f64,
}

/// Python of the official package; says so where it is missing.
fn python() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    let venv = std::env::var_os(VENV).map_or(root.join(DEFAULT_VENV), PathBuf::from);
    let python = venv.join("bin/python");
    if python.is_file() {
        return Some(python);
    }
    let place = python.display();
    eprintln!(
        "skipped: the official package is not installed ({place} is missing; {VENV} names another place)"
    );
    None
}

/// Has the official environment write a pack and what it did.
fn reference(python: &Path, folder: &Path, suite: &str, task: u32, states: usize) -> Reference {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference.py");
    let output = Command::new(python)
        .arg(script)
        .arg(folder)
        .arg(suite)
        .args([task.to_string(), STEPS.to_string(), states.to_string()])
        .output()
        .expect("the official package's Python");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{suite} {task}: {said}");
    let text = std::fs::read(folder.join("reference.json")).expect("what the script wrote");
    serde_json::from_slice(&text).expect("a reference")
}

/// The largest difference of positions after each step, rad or m.
fn replay(native: &mut Native, reference: &Reference) -> Vec<f64> {
    native.reset(0).expect("the first episode");
    let began = Instant::now();
    let mut apart = Vec::new();
    for (index, action) in reference.actions.iter().enumerate() {
        native.step(action).expect("a step");
        let pairs = native.qpos().iter().zip(&reference.qpos[index]);
        apart.push(
            pairs
                .map(|(ours, theirs)| (ours - theirs).abs())
                .fold(0.0, f64::max),
        );
        assert_eq!(native.succeeded(), reference.solved[index], "step {index}");
        let hand = native.hand().position_m;
        for (ours, theirs) in hand.iter().zip(reference.hand_m[index]) {
            assert!((ours - theirs).abs() < 2e-3, "step {index}: {hand:?}");
        }
    }
    let step_ms = began.elapsed().as_secs_f64() * 1e3 / reference.actions.len() as f64;
    let at = |step: usize| apart[step - 1];
    let name = &native.pack().description().name;
    eprintln!(
        "{name}: max |dq| after 1, 10, 30, 60, {STEPS} steps {:.1e} {:.1e} {:.1e} {:.1e} {:.1e}; {step_ms:.2} ms a step, \
         official {:.2}",
        at(1),
        at(10),
        at(30),
        at(60),
        at(STEPS),
        reference.step_ms
    );
    apart
}

/// Compares the pictures of the present state with those of a folder: shares of pixels of each camera that differ at
/// all in colour, by more than 2 of 255, by more than 2 mm, in their label.
fn compare_pictures(native: &mut Native, folder: &Path) {
    let size = [256, 256];
    let mut renderer = Renderer::new(native, size[0], size[1], Look::Official).expect("a renderer");
    let mut frame = Frame::default();
    let cameras = native.pack().description().cameras.clone();
    for (index, camera) in cameras.iter().enumerate() {
        let began = Instant::now();
        renderer
            .render(native, index, Channels::ALL, &mut frame)
            .expect("a picture");
        let ms = began.elapsed().as_secs_f64() * 1e3;
        let theirs = |ending: &str| {
            std::fs::read(folder.join(format!("{camera}.{ending}"))).expect("a picture")
        };
        let (rgb, depth, labels) = (theirs("rgb"), theirs("depth"), theirs("labels"));
        let share = |differ: usize| differ as f64 / (size[0] * size[1]) as f64;
        let colours = |by: u8| {
            let pairs = frame.rgb.chunks_exact(3).zip(rgb.chunks_exact(3));
            let differ = |(a, b): &(&[u8], &[u8])| (0..3).any(|c| a[c].abs_diff(b[c]) > by);
            share(pairs.filter(differ).count())
        };
        let depths = depth
            .chunks_exact(2)
            .map(|two| u16::from_le_bytes([two[0], two[1]]));
        let depths = frame.depth_mm.iter().zip(depths);
        let depths = share(depths.filter(|(a, b)| a.abs_diff(*b) > 2).count());
        // A part is its thing there.
        let known = native.labels();
        let whole = |label: &u8| {
            let name = known.iter().find(|(id, _)| id == label);
            let owner = name.and_then(|(_, name)| name.split(' ').next());
            let owner = known.iter().find(|(_, name)| Some(&**name) == owner);
            owner.map_or(0, |(id, _)| *id)
        };
        let ours: Vec<_> = frame.segmentation.iter().map(whole).collect();
        let labels = ours.iter().zip(&labels);
        let labels = share(labels.filter(|(a, b)| a != b && **b != HIDDEN).count());
        eprintln!(
            "{camera}: pixels that differ in colour {:.4}, by more than 2: {:.4}, in depth {depths:.4}, in label \
             {labels:.4}; {ms:.0} ms on {}",
            colours(0),
            colours(2),
            renderer.device()
        );
        assert!(
            frame.segmentation.iter().any(|label| *label != 0),
            "{camera} sees nothing"
        );
        for (what, share) in [("colour", colours(0)), ("depth", depths), ("label", labels)] {
            assert!(share <= 0.001, "{camera}, {what}: {share}");
        }
    }
}

/// One task of each kind of goal, and after how many steps random actions in it come to contacts in which
/// differences of 1e-17 grow to 1e-3 within 20 steps: the official environment's own compiled scene shows the same.
const TASKS: [(&str, u32, usize); 7] = [
    ("libero_goal", 0, STEPS),
    ("libero_goal", 3, 15),
    ("libero_goal", 7, STEPS),
    ("libero_goal", 8, STEPS),
    ("libero_goal", 9, STEPS),
    ("libero_10", 9, STEPS),
    ("libero_spatial", 3, STEPS),
];

#[test]
fn the_same_actions_lead_to_the_same_states_and_judgements() {
    let Some(python) = python() else { return };
    for (suite, task, steps) in TASKS {
        let folder = tempfile::tempdir().expect("a folder");
        let reference = reference(&python, folder.path(), suite, task, 60);
        let pack = Pack::load(folder.path()).expect("a pack");
        let mut native = Native::new(pack).expect("a scene");
        let apart = replay(&mut native, &reference);
        assert!(
            apart[0] < 1e-7,
            "{suite} {task}: {:e} in the first step",
            apart[0]
        );
        let worst = apart[..steps].iter().copied().fold(0.0, f64::max);
        assert!(worst <= 1e-8, "{suite} {task}: {worst:e}");
        // Everybody else's kinematics of the arm are the scene's; its site is a quarter turn and 7 mm off.
        let tool = tiller_core::kinematics::forward(&native.arm_q_rad()).isometry();
        let (base, hand) = (native.base().isometry(), native.hand().isometry());
        let tool_from_hand = tool.inverse() * base.inverse() * hand;
        let (way_m, turn_rad) = (
            tool_from_hand.translation.vector,
            tool_from_hand.rotation.angle(),
        );
        assert!(
            way_m.xy().norm() < 1e-3 && (way_m.z + 0.007).abs() < 1e-3,
            "{way_m}"
        );
        assert!(
            (turn_rad - std::f64::consts::FRAC_PI_2).abs() < 0.01,
            "{turn_rad}"
        );

        // To the bit on a second run.
        let again = replay(&mut native, &reference);
        assert_eq!(apart, again, "{suite} {task}");

        if steps == STEPS {
            compare_pictures(&mut native, folder.path());
        }

        let mut held = 0;
        for (index, expected) in reference.judged.iter().enumerate() {
            native.reset(1 + index).expect("a state");
            assert_eq!(
                native.succeeded(),
                *expected,
                "{suite} {task}, state {index}"
            );
            held += usize::from(*expected);
        }
        if let Some(pictured) = reference.pictured {
            native.reset(1 + pictured).expect("a state");
            compare_pictures(&mut native, &folder.path().join("solved"));
        }
        let count = reference.judged.len();
        eprintln!("{suite} {task}: {count} states judged alike, {held} of them as solved");
        assert!(
            0 < held && held < count,
            "{suite} {task}: the states show nothing"
        );
    }
}
