//! Experts solve every task; the table over 50 seeds is the example `experts`.

#![allow(clippy::expect_used, reason = "a test")]

use tiller_playtable::{Block, Driver, Expert, ExpertConfig, PlayTable, Task};

fn solve(table: &mut PlayTable, task: Task, seed: u64, config: ExpertConfig) -> usize {
    table.reset(seed, Some(task));
    assert!(
        !table.succeeded(task),
        "{task} is achieved before it starts, seed {seed}"
    );
    let mut driver = Driver::new(table).expect("driver");
    let mut expert = Expert::with_config(task, table, seed, config);
    for step in 0..300 {
        let Some(action) = expert.act(table, driver.anchor_m()) else {
            assert!(table.succeeded(task), "{task} not achieved, seed {seed}");
            return step;
        };
        assert!(
            action
                .delta_position_m
                .iter()
                .all(|delta| delta.abs() <= 0.03),
            "{action:?}"
        );
        assert!(action.gripper.abs() <= 1.0);
        driver.execute(table, &[action], 1, 10.0).expect("accepted");
    }
    panic!("{task} goes on for ever, seed {seed}");
}

#[test]
fn every_task_is_solved_from_three_seeds() {
    let mut table = PlayTable::new().expect("scene");
    for task in Task::ALL {
        for seed in 100..103 {
            let steps = solve(&mut table, task, seed, ExpertConfig::default());
            assert!(steps < 120, "{task} took {steps} steps, seed {seed}");
        }
    }
}

#[test]
fn noise_and_detours_are_corrected() {
    let mut table = PlayTable::new().expect("scene");
    for task in Task::ALL {
        solve(
            &mut table,
            task,
            7,
            ExpertConfig {
                wander: true,
                noise_m: 0.004,
            },
        );
    }
}

#[test]
fn fingers_travel_open_and_only_lifts_come_down_with_them_open() {
    let mut table = PlayTable::new().expect("scene");
    for (task, lifts) in [(Task::Lift(Block::Pink), true), (Task::SwitchOff, false)] {
        table.reset(11, Some(task));
        let mut driver = Driver::new(&table).expect("driver");
        let mut expert = Expert::new(task, &table, 11);
        let mut lowest_open_m = f64::INFINITY;
        let mut highest_closed_m = 0.0_f64;
        for _ in 0..20 {
            let height_m = driver.anchor_m()[2];
            let action = expert.act(&table, driver.anchor_m()).expect("at work");
            if action.gripper > 0.0 {
                lowest_open_m = lowest_open_m.min(height_m);
            } else {
                highest_closed_m = highest_closed_m.max(height_m);
            }
            driver
                .execute(&mut table, &[action], 1, 10.0)
                .expect("accepted");
        }
        assert!(highest_closed_m < 0.17, "{task}: {highest_closed_m}");
        assert_eq!(lowest_open_m < 0.05, lifts, "{task}: {lowest_open_m}");
    }
}

#[test]
fn fumbled_fingers_are_put_right() {
    let mut table = PlayTable::new().expect("scene");
    let config = ExpertConfig {
        wander: true,
        noise_m: 0.0,
    };
    let mut fumbled = 0;
    for task in [Task::Lift(Block::Red), Task::Push(Block::Blue)] {
        for seed in 0..6 {
            table.reset(seed, Some(task));
            let mut driver = Driver::new(&table).expect("driver");
            let mut expert = Expert::with_config(task, &table, seed, config);
            while let Some(mut action) = expert.act(&table, driver.anchor_m()) {
                if expert.fumbles() {
                    action.gripper = -action.gripper;
                    fumbled += 1;
                }
                driver
                    .execute(&mut table, &[action], 1, 10.0)
                    .expect("accepted");
            }
            assert!(table.succeeded(task), "{task}, seed {seed}");
        }
    }
    assert!(fumbled > 20, "{fumbled} steps");
}

#[test]
fn nothing_is_achieved_by_standing_still() {
    let mut table = PlayTable::new().expect("scene");
    for seed in 0..5 {
        table.reset(seed, None);
        for _ in 0..500 {
            table.step();
        }
        assert_eq!(table.completed(), [], "seed {seed}");
    }
}

#[test]
fn each_press_toggles_the_lamp() {
    let mut table = PlayTable::new().expect("scene");
    solve(&mut table, Task::ButtonPress, 3, ExpertConfig::default());
    assert!(table.objects().lamp_on);
    let mut driver = Driver::new(&table).expect("driver");
    let mut again = Expert::new(Task::ButtonPress, &table, 4);
    while let Some(action) = again.act(&table, driver.anchor_m()) {
        driver
            .execute(&mut table, &[action], 1, 10.0)
            .expect("accepted");
    }
    assert!(!table.objects().lamp_on);
}
