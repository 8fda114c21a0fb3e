//! Varied scenes: the same from the same seed, sound, and gone without a trace after the next plain reset.

#![allow(clippy::expect_used, reason = "a test")]

use tiller_playtable::{
    Axis, Block, Camera, Channels, Driver, Expert, Frame, ObjectStates, PlayTable, Renderer, Task,
    Variation,
};

fn variations() -> impl Iterator<Item = Variation> {
    let strengths = |axis| Variation::STRENGTHS.map(|strength| Variation::new(axis, strength));
    Axis::ALL.into_iter().flat_map(strengths).flatten()
}

fn state(table: &PlayTable) -> String {
    format!("{:?} {:?}", table.reading(), table.objects())
}

fn farthest(a: &ObjectStates, b: &ObjectStates, axes: std::ops::Range<usize>) -> f64 {
    let places = |it: &ObjectStates| {
        let blocks = it.blocks.map(|block| block.position_m);
        let fixtures = [
            it.drawer_handle_m,
            it.door_handle_m,
            it.switch_m,
            it.button_cap_m,
        ];
        [&blocks[..], &fixtures[..]].concat()
    };
    let pairs = places(a).into_iter().zip(places(b));
    pairs
        .flat_map(|(a, b)| axes.clone().map(move |axis| (a[axis] - b[axis]).abs()))
        .fold(0.0, f64::max)
}

#[test]
fn a_plain_reset_forgets_every_variation() {
    let (mut fresh, mut used) = (
        PlayTable::new().expect("scene"),
        PlayTable::new().expect("scene"),
    );
    let mut renderers = [&fresh, &used].map(|table| Renderer::new(table, 96, 96).expect("EGL"));
    let mut frames = [Frame::default(), Frame::default()];
    for variation in variations() {
        used.reset_varied(3, &[], Some(variation));
        used.step();
        fresh.reset(5, Some(Task::SwitchOn));
        used.reset(5, Some(Task::SwitchOn));
        for camera in Camera::ALL {
            for ((table, renderer), frame) in [&mut fresh, &mut used]
                .into_iter()
                .zip(&mut renderers)
                .zip(&mut frames)
            {
                renderer
                    .render(table, camera, Channels::ALL, frame)
                    .expect("rendered");
            }
            assert!(frames[0] == frames[1], "{variation}, {camera:?}");
        }
        for _ in 0..50 {
            assert_eq!(state(&fresh), state(&used), "{variation}");
            fresh.step();
            used.step();
        }
    }
}

#[test]
fn the_same_seed_varies_the_same_way() {
    let mut tables = [(); 2].map(|()| PlayTable::new().expect("scene"));
    for variation in variations() {
        let [a, b] = &mut tables;
        a.reset_varied(8, &[Task::ButtonPress], Some(variation));
        b.reset_varied(9, &[], Some(variation));
        b.reset_varied(8, &[Task::ButtonPress], Some(variation));
        assert_eq!(state(a), state(b), "{variation}");
        let cameras = [&*a, &*b].map(|table| table.camera_geometry(Camera::Static, 64, 64));
        assert_eq!(cameras[0], cameras[1], "{variation}");
    }
}

#[test]
fn each_axis_moves_what_it_says() {
    let mut table = PlayTable::new().expect("scene");
    for variation in variations() {
        for seed in 0..3 {
            table.reset(seed, None);
            let (plain, camera) = (
                table.objects(),
                table.camera_geometry(Camera::Static, 64, 64),
            );
            table.reset_varied(seed, &[], Some(variation));
            let varied = table.objects();
            let (aside, up) = (
                farthest(&plain, &varied, 0..2),
                farthest(&plain, &varied, 2..3),
            );
            let moved_camera = table.camera_geometry(Camera::Static, 64, 64) != camera;
            let context = format!("{variation}, seed {seed}: {aside} m aside, {up} m up");
            assert_eq!(moved_camera, variation.axis() == Axis::Scene, "{context}");
            assert_eq!(
                aside > 1e-3,
                variation.axis() == Axis::Position,
                "{context}"
            );
            let raises = matches!(variation.axis(), Axis::Scene | Axis::Object);
            assert_eq!(up > 5e-4, raises, "{context}");
        }
    }
}

#[test]
fn varied_scenes_are_at_rest_and_nothing_is_achieved_in_them() {
    let mut table = PlayTable::new().expect("scene");
    for variation in variations() {
        for seed in 0..4 {
            table.reset_varied(seed, &[], Some(variation));
            let before = table.objects();
            for _ in 0..300 {
                table.step();
            }
            let crept = farthest(&before, &table.objects(), 0..3);
            assert!(crept < 1e-3, "{variation}, seed {seed}: {crept} m");
            assert_eq!(table.completed(), [], "{variation}, seed {seed}");
        }
    }
}

#[test]
fn late_commands_take_effect_late() {
    let mut table = PlayTable::new().expect("scene");
    let late = Variation::new(Axis::Dynamics, 2).expect("1 to 3");
    table.reset_varied(1, &[], Some(late));
    let mut driver = Driver::new(&table).expect("driver");
    let mut expert = Expert::new(Task::ButtonPress, &table, 1);
    let start = table.tcp_position_m();
    let mut way = |table: &mut PlayTable| {
        let action = expert.act(table, driver.anchor_m()).expect("begun");
        driver.execute(table, &[action], 1, 10.0).expect("accepted");
        let at = table.tcp_position_m();
        (0..3)
            .map(|axis| (at[axis] - start[axis]).abs())
            .fold(0.0, f64::max)
    };
    assert!(way(&mut table) < 1e-3);
    assert!(way(&mut table) < 1e-3);
    way(&mut table);
    assert!(way(&mut table) > 5e-3);
}

#[test]
fn experts_solve_the_strongest_variations() {
    let mut table = PlayTable::new().expect("scene");
    let tasks = [
        Task::DrawerOpen,
        Task::DoorLeft,
        Task::Push(Block::Red),
        Task::Lift(Block::Pink),
    ];
    for axis in [Axis::Position, Axis::Object, Axis::Scene, Axis::Dynamics] {
        for task in tasks {
            table.reset_varied(2, &[task], Variation::new(axis, 3));
            assert!(!table.succeeded(task));
            let mut driver = Driver::new(&table).expect("driver");
            let mut expert = Expert::new(task, &table, 2);
            for _ in 0..300 {
                let Some(action) = expert.act(&table, driver.anchor_m()) else {
                    break;
                };
                driver
                    .execute(&mut table, &[action], 1, 10.0)
                    .expect("accepted");
            }
            assert!(table.succeeded(task), "{task}, {}", axis.name());
        }
    }
}

/// Recorded results, demonstrations and seeds in documents mean these scenes: they must never change.
#[test]
fn plain_scenes_are_those_of_ever() {
    let mut table = PlayTable::new().expect("scene");
    let scenes = [
        (7, Some(Task::DrawerOpen)),
        (5000, Some(Task::Lift(Block::Red))),
        (1_000_000, None),
    ];
    let found = scenes.map(|(seed, task)| {
        table.reset(seed, task);
        let objects = table.objects();
        let millimetres = |value: f64| (value * 1e3).round() as i64;
        let [red, blue, pink] = objects.blocks.map(|block| {
            [
                millimetres(block.position_m[0]),
                millimetres(block.position_m[1]),
            ]
        });
        let fixtures = [objects.drawer_m, objects.door_m, objects.switch_rad].map(millimetres);
        (red, blue, pink, fixtures)
    });
    let expected = [
        ([420, -9], [447, 102], [501, 226], [7, 9, 541]),
        ([462, 244], [442, 99], [419, -9], [10, 13, -579]),
        ([432, -13], [411, 94], [465, 235], [4, 170, 531]),
    ];
    assert_eq!(found, expected);
}
