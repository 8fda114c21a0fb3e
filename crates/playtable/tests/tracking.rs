//! The simulated arm goes where the actuator sends it.

use tiller_motion::{ActionStep, Mode};
use tiller_playtable::{Driver, PlayTable};

#[test]
fn chunks_end_within_two_millimetres() {
    let mut table = PlayTable::new().expect("scene");
    table.reset(2, None);
    let mut driver = Driver::new(&table).expect("driver");
    let mut worst = 0.0_f64;
    for delta in [
        [0.018, 0.0, -0.010],
        [0.0, 0.020, 0.010],
        [-0.015, -0.015, 0.0],
        [0.010, -0.020, 0.010],
    ] {
        let start = driver.anchor_m();
        let step = ActionStep {
            delta_position_m: delta,
            gripper: -1.0,
        };
        let tcp = table.tcp_position_m();
        let gap = (0..3)
            .map(|axis| (start[axis] - tcp[axis]).abs())
            .fold(0.0, f64::max);
        assert!(gap < 0.002, "the TCP at rest is {gap} m from the anchor");
        driver
            .execute(&mut table, &[step; 4], 4, 10.0)
            .expect("accepted");
        // The actuator takes longer than asked where a joint would be too fast.
        while driver.actuator().status().mode == Mode::Executing {
            driver.wait(&mut table, 10_000_000);
        }
        driver.wait(&mut table, 120_000_000);
        let end = table.tcp_position_m();
        for axis in 0..3 {
            worst = worst.max((end[axis] - start[axis] - 4.0 * delta[axis]).abs());
        }
    }
    assert!(worst < 0.002, "{worst} m");
}

#[test]
fn the_hand_keeps_pointing_down() {
    let mut table = PlayTable::new().expect("scene");
    let mut driver = Driver::new(&table).expect("driver");
    let side = ActionStep {
        delta_position_m: [0.01, 0.03, 0.0],
        gripper: 1.0,
    };
    for _ in 0..8 {
        driver
            .execute(&mut table, &[side], 1, 10.0)
            .expect("accepted");
        let [w, x, y, z] = table.tcp_quaternion_wxyz();
        // Half a turn about x: the cosine of half the remaining angle is |x|.
        assert!(x.abs() > 0.9999, "{:?}", [w, x, y, z]);
    }
    assert!((table.reading().gripper_width_m - 0.08).abs() < 0.002);
}
