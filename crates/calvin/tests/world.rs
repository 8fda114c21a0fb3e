//! The world around a child that only pretends.

#![allow(clippy::expect_used, reason = "a test may fail")]

use std::error::Error;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use tiller_calvin::CalvinKind;
use tiller_motion::Setpoint;
use tiller_world::{
    Channels, Command, EpisodeSpec, Frame, Variation, World, WorldError, WorldKind,
};

fn kind(fault: &str) -> CalvinKind {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fake.py");
    let none = CalvinKind::new([]);
    let tasks: Vec<&str> = none.info().tasks.iter().map(|task| &*task.id).collect();
    let arguments = [
        "python3".into(),
        script.into_os_string(),
        fault.into(),
        tasks.join(",").into(),
    ];
    CalvinKind::new(arguments.into_iter().map(|it: OsString| it))
        .with_limit(Duration::from_secs(20))
}

fn world(fault: &str) -> Box<dyn World> {
    kind(fault).make().expect("a world")
}

fn spec(task: &str, seed: u64) -> EpisodeSpec {
    EpisodeSpec {
        tasks: vec![task.to_owned()],
        seed,
        ..EpisodeSpec::default()
    }
}

/// An error and its causes.
fn told(error: &WorldError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[test]
fn steps_bring_time_arm_and_verdict() {
    let mut world = world("");
    world.reset(&spec("open_drawer", 2)).expect("an episode");
    assert_eq!(world.time_ns(), 0);
    assert_eq!(world.verdict().tasks, ["open_drawer"]);
    let reading = world.arm().reading;
    assert!((reading.q_rad[0] - 0.2).abs() < 1e-12);
    let tool = tiller_motion::kinematics::forward(&reading.q_rad);
    assert_eq!(world.arm().base_from_tool.position_m, tool.position_m);
    // The fingers are held until somebody says otherwise.
    world.step().expect("20 ms");
    assert_eq!(world.arm().reading.gripper_width_m, 0.08);
    let setpoint = |gripper_width_m| Setpoint {
        q_rad: reading.q_rad,
        gripper_width_m,
    };
    let command = [setpoint(0.07), setpoint(0.01)];
    world.command(&Command::Joints(&command)).expect("taken");
    world.step().expect("20 ms");
    assert_eq!(world.time_ns(), 40_000_000);
    // The last set-point counts.
    assert_eq!(world.arm().reading.gripper_width_m, 0.01);
    assert!(!world.verdict().achieved && !world.verdict().success);
    world.step().expect("20 ms");
    assert!(world.verdict().achieved && world.verdict().success);
    world.step().expect("20 ms");
    assert!(!world.verdict().achieved && world.verdict().success);
    assert_eq!(world.verdict().completed, ["open_drawer"]);
    world.reset(&spec("close_drawer", 0)).expect("another");
    assert!(!world.verdict().success && world.verdict().completed.is_empty());
    world.step().expect("20 ms");
    assert_eq!(world.arm().reading.gripper_width_m, 0.08);
}

#[test]
fn pictures_are_what_was_asked_for_in_labels_of_ours() {
    let mut world = world("");
    let mut frame = Frame::default();
    assert_eq!(world.renderer(), None);
    for (channels, lengths) in [
        (Channels::ALL, [84 * 84 * 3, 84 * 84, 84 * 84]),
        (Channels::COLOUR, [84 * 84 * 3, 0, 0]),
    ] {
        world
            .look("wrist", [84, 84], channels, &mut frame)
            .expect("a picture");
        let found = [
            frame.rgb.len(),
            frame.depth_mm.len(),
            frame.segmentation.len(),
        ];
        assert_eq!(found, lengths);
        assert_eq!((frame.width, frame.height), (84, 84));
        assert_eq!(frame.rgb[..3], [10, 20, 30]);
        assert!(frame.depth_mm.iter().all(|depth| *depth == 1234));
        let info = world.info();
        for label in &frame.segmentation {
            let name = info.labels.iter().find(|(id, _)| id == label);
            assert_eq!(name.map(|(_, name)| &**name), Some("red block"));
        }
    }
    assert_eq!(frame.geometry.focal, [100.0, 101.0]);
    assert_eq!(frame.geometry.world_from_camera[3], 0.5);
    assert!(world.renderer().is_some());
}

#[test]
fn experts_are_asked_step_by_step() {
    let mut world = world("");
    world.reset(&spec("open_drawer", 0)).expect("an episode");
    world.call_expert("open_drawer", 7).expect("an expert");
    let anchor = world.arm().base_from_tool;
    let step = world.expert_step(anchor).expect("a step");
    assert_eq!(step.learned.delta_m, anchor.position_m);
    assert_eq!(step.executed.rotation_rad, [0.0, 0.0, 0.1]);
    world.step().expect("20 ms");
    assert!(world.expert_step(anchor).is_none());
    let error = world.call_expert("stack_block", 0).expect_err("none");
    assert_eq!(
        error.to_string(),
        "calvin has no expert for the task `stack_block`: nobody can"
    );
    world.step().expect("a refusal breaks nothing");
}

#[test]
fn what_it_has_not_is_refused_and_changes_nothing() {
    let mut world = world("");
    world.reset(&spec("open_drawer", 0)).expect("an episode");
    world.step().expect("20 ms");
    let two = EpisodeSpec {
        tasks: vec!["open_drawer".to_owned(), "close_drawer".to_owned()],
        ..EpisodeSpec::default()
    };
    let varied = EpisodeSpec {
        variation: Some(Variation {
            axis: "scene".to_owned(),
            strength: 1,
        }),
        ..spec("open_drawer", 0)
    };
    for (spec, expected) in [
        (spec("fly", 0), "found task `fly`"),
        (spec("place_in_drawer", 0), "found task `place_in_drawer`"),
        (
            spec("open_drawer", 1 << 32),
            "expected 0 to 4294967295, found seed `4294967296`",
        ),
        (two, "has no episode of 2 tasks"),
        (varied, "has no departure `scene 1`"),
    ] {
        let error = world.reset(&spec).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    }
    let mut frame = Frame::default();
    for (camera, size, expected) in [
        (
            "side",
            [84, 84],
            "expected static or wrist, found camera `side`",
        ),
        ("wrist", [84, 60], "has no picture of 84 x 60 pixels"),
        (
            "wrist",
            [4, 4],
            "expected as many columns as rows, 16 to 1024",
        ),
    ] {
        let looked = world.look(camera, size, Channels::ALL, &mut frame);
        let error = looked.expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert_eq!(world.time_ns(), 20_000_000);
    world.reset(&EpisodeSpec::default()).expect("a free run");
}

#[test]
fn a_child_that_does_not_greet_is_told_of() {
    for (fault, expected) in [
        (
            "refuses",
            "the environment does not start: there is no checkout",
        ),
        (
            "crashes",
            "(exit status: 1): ModuleNotFoundError: no module named calvin_env",
        ),
        ("version", "answered `version 2`: expected version 1"),
        (
            "tasks",
            "answered `open_drawer`: expected a task close_drawer",
        ),
        ("label", "answered `kettle`: expected labels of red block,"),
    ] {
        let error = kind(fault).make().err().expect(fault);
        let told = told(&error);
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn a_child_that_breaks_is_told_of_and_the_next_reset_starts_another() {
    for (fault, limit_s, expected) in [
        ("dies", 20, "process ended (exit status: 3): the last word"),
        ("hangs", 4, "gave no answer in 4 s: a note"),
        ("garbles", 20, "answered `b3Printf: a warning`: expected"),
    ] {
        let mut world = kind(fault)
            .with_limit(Duration::from_secs(limit_s))
            .make()
            .expect(fault);
        world.step().expect("the first one");
        let told = told(&world.step().expect_err(fault));
        assert!(
            told.contains("does not step: ") && told.contains(expected),
            "{told}"
        );
        let again = world.step().expect_err("gone").to_string();
        assert_eq!(
            again,
            "calvin has no environment since it broke: the next reset starts another"
        );
        assert!(world.expert_step(world.arm().base_from_tool).is_none());
        world.reset(&spec("open_drawer", 1)).expect("another child");
        assert_eq!(world.time_ns(), 0);
        world.step().expect("a step");
    }
}

#[test]
fn a_failure_in_the_environment_is_told_and_ends_it() {
    let mut world = world("");
    let told = told(&world.reset(&spec("open_drawer", 13)).expect_err("unlucky"));
    assert!(told.contains("ValueError: an unlucky seed"), "{told}");
    assert!(world.step().is_err());
    world
        .reset(&spec("open_drawer", 14))
        .expect("another child");
    let mut wrong = self::world("bytes");
    let looked = wrong.look("static", [16, 16], Channels::ALL, &mut Frame::default());
    let told = self::told(&looked.expect_err("too many bytes"));
    assert!(
        told.contains("answered `[769, 513, 257] bytes`: expected [768, 512, 256] bytes"),
        "{told}"
    );
}

#[test]
fn the_child_ends_with_its_world() {
    let folder = Path::new("/proc");
    let children = || {
        let own = std::process::id().to_string();
        let entries = std::fs::read_dir(folder).expect("processes");
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let names = names.filter(|name| {
            let status =
                std::fs::read_to_string(folder.join(name).join("stat")).unwrap_or_default();
            let command = std::fs::read(folder.join(name).join("cmdline")).unwrap_or_default();
            // After the name in brackets: state, parent.
            let parent = status
                .rsplit(") ")
                .next()
                .and_then(|rest| rest.split(' ').nth(1));
            parent == Some(&own) && String::from_utf8_lossy(&command).contains("only-one")
        });
        names.count()
    };
    let world = world("only-one");
    assert_eq!(children(), 1);
    drop(world);
    assert_eq!(children(), 0);
}
