//! The same seed and the same commands give the same bits.

#![allow(clippy::expect_used, reason = "a test")]

use tiller_playtable::{
    Camera, Channels, Driver, Expert, ExpertConfig, Frame, PlayTable, Renderer, Task,
};

const VARIED: ExpertConfig = ExpertConfig {
    wander: true,
    noise_m: 0.004,
};

/// Everything that moves, as bits, after each of the first steps of an expert's episode.
fn episode(table: &mut PlayTable, task: Task, seed: u64) -> Vec<String> {
    table.reset(seed, Some(task));
    let mut driver = Driver::new(table).expect("driver");
    let mut expert = Expert::with_config(task, table, seed, VARIED);
    let mut trace = Vec::new();
    for _ in 0..25 {
        let Some(action) = expert.act(table, driver.anchor_m()) else {
            break;
        };
        driver.execute(table, &[action], 1, 10.0).expect("accepted");
        let arm = table.reading().q_rad.map(f64::to_bits);
        let objects = table.objects();
        let blocks = objects
            .blocks
            .map(|block| block.position_m.map(f64::to_bits));
        trace.push(format!(
            "{arm:?} {blocks:?} {:x}",
            objects.drawer_m.to_bits()
        ));
    }
    trace
}

#[test]
fn episodes_repeat_in_a_new_table_and_after_others() {
    let task = Task::from_name("push_red").expect("known");
    let mut table = PlayTable::new().expect("scene");
    let first = episode(&mut table, task, 11);
    assert_ne!(first, episode(&mut table, task, 12));
    assert_eq!(first, episode(&mut table, task, 11));
    assert_eq!(
        first,
        episode(&mut PlayTable::new().expect("scene"), task, 11)
    );
}

#[test]
fn images_repeat_in_a_second_renderer() {
    let mut tables = [(); 2].map(|()| PlayTable::new().expect("scene"));
    // Both alive at once: each render has to make its own context current.
    let mut renderers =
        [&tables[0], &tables[1]].map(|table| Renderer::new(table, 96, 64).expect("EGL"));
    let mut frames = [Frame::default(), Frame::default()];
    for camera in Camera::ALL {
        for ((table, renderer), frame) in tables.iter_mut().zip(&mut renderers).zip(&mut frames) {
            table.reset(5, None);
            renderer
                .render(table, camera, Channels::ALL, frame)
                .expect("rendered");
        }
        assert_eq!(frames[0], frames[1]);
        assert_eq!((frames[0].width, frames[0].height), (96, 64));
        assert_eq!(frames[0].rgb.len(), 96 * 64 * 3);
    }
    let [_, survivor] = &mut renderers;
    survivor
        .render(
            &mut tables[1],
            Camera::Static,
            Channels::ALL,
            &mut frames[0],
        )
        .expect("again");
}

#[test]
fn a_table_can_move_to_another_thread() {
    fn sendable<T: Send>(_: &T) {}
    sendable(&PlayTable::new().expect("scene"));
}
