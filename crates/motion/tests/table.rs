//! The table of limits in the README is the one that the code goes by.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use tiller_motion::Limits;
use tiller_motion::limits::HAND;

const BEGIN: &str = "<!-- limits: a test keeps this table equal to src/limits.rs -->\n";
const END: &str = "<!-- end of limits -->";

/// Where the rows come from; [1] and so on in the table.
const SPECIFICATION: &str = "1";
const HAND_MANUAL: &str = "2";
const CELL: &str = "3";

fn list(values: &[f64]) -> String {
    let all_alike = values.iter().all(|value| *value == values[0]);
    let shown = if all_alike { &values[..1] } else { values };
    let words: Vec<_> = shown.iter().map(ToString::to_string).collect();
    words.join(", ")
}

fn rows() -> String {
    let (panda, fr3) = (Limits::panda(), Limits::fr3());
    let mut text =
        String::from("| limit | unit | Panda (FER) | FR3 | source |\n|---|---|---|---|---|\n");
    let mut row = |name: &str, unit: &str, get: &dyn Fn(&Limits) -> Vec<f64>, source: &str| {
        let (panda, fr3) = (list(&get(&panda)), list(&get(&fr3)));
        text += &format!("| {name} | {unit} | {panda} | {fr3} | [{source}] |\n");
    };
    let spec = SPECIFICATION;
    row(
        "joint positions, least",
        "rad",
        &|l| l.joint.position_min_rad.to_vec(),
        spec,
    );
    row(
        "joint positions, most",
        "rad",
        &|l| l.joint.position_max_rad.to_vec(),
        spec,
    );
    row(
        "joint speeds",
        "rad/s",
        &|l| l.joint.velocity_rad_s.to_vec(),
        spec,
    );
    row(
        "joint accelerations",
        "rad/s²",
        &|l| l.joint.acceleration_rad_s2.to_vec(),
        spec,
    );
    row(
        "joint jerks",
        "rad/s³",
        &|l| l.joint.jerk_rad_s3.to_vec(),
        spec,
    );
    row("tool speed", "m/s", &|l| vec![l.cartesian.speed_m_s], spec);
    row(
        "tool acceleration",
        "m/s²",
        &|l| vec![l.cartesian.acceleration_m_s2],
        spec,
    );
    row("tool jerk", "m/s³", &|l| vec![l.cartesian.jerk_m_s3], spec);
    row(
        "tool turning",
        "rad/s",
        &|l| vec![l.cartesian.rotation_speed_rad_s],
        spec,
    );
    row(
        "its acceleration",
        "rad/s²",
        &|l| vec![l.cartesian.rotation_acceleration_rad_s2],
        spec,
    );
    row(
        "its jerk",
        "rad/s³",
        &|l| vec![l.cartesian.rotation_jerk_rad_s3],
        spec,
    );
    row(
        "grasping force, continuous",
        "N",
        &|_| vec![HAND.force_n],
        HAND_MANUAL,
    );
    row(
        "grasping force, peak",
        "N",
        &|_| vec![HAND.peak_force_n],
        HAND_MANUAL,
    );
    row("opening", "m", &|_| vec![HAND.width_m], HAND_MANUAL);
    row(
        "speed of the opening",
        "m/s",
        &|_| vec![HAND.speed_m_s],
        HAND_MANUAL,
    );
    row(
        "share of speeds that is used",
        "",
        &|l| vec![l.operating.velocity],
        CELL,
    );
    row(
        "of accelerations",
        "",
        &|l| vec![l.operating.acceleration],
        CELL,
    );
    row("of jerks", "", &|l| vec![l.operating.jerk], CELL);
    row(
        "margin of joint positions",
        "rad",
        &|l| vec![l.position_margin_rad],
        CELL,
    );
    row(
        "between links, least",
        "m",
        &|l| vec![l.clearance.between_links_m],
        CELL,
    );
    row(
        "links over the table, least",
        "m",
        &|l| vec![l.clearance.above_table_m],
        CELL,
    );
    row(
        "fingertips over the table, least",
        "m",
        &|l| vec![l.clearance.fingers_above_table_m],
        CELL,
    );
    row(
        "box of the tool, least",
        "m",
        &|l| l.workspace.bounds.min_m.to_vec(),
        CELL,
    );
    row(
        "box of the tool, most",
        "m",
        &|l| l.workspace.bounds.max_m.to_vec(),
        CELL,
    );
    row(
        "reach, least",
        "m",
        &|l| vec![l.workspace.min_reach_m],
        CELL,
    );
    row("reach, most", "m", &|l| vec![l.workspace.max_reach_m], CELL);
    row("step", "m", &|l| vec![l.max_step_m], CELL);
    row("turn in a step", "rad", &|l| vec![l.max_step_rad], CELL);
    row(
        "way of a joint in a step",
        "rad",
        &|l| vec![l.max_joint_step_rad],
        CELL,
    );
    row(
        "anchor from the arm",
        "m",
        &|l| vec![l.max_anchor_gap_m],
        CELL,
    );
    row(
        "anchor turned from the arm",
        "rad",
        &|l| vec![l.max_anchor_gap_rad],
        CELL,
    );
    text
}

#[test]
fn the_readme_has_the_limits_that_the_code_has() {
    let readme = include_str!("../README.md");
    let (_, after) = readme.split_once(BEGIN).unwrap();
    let (table, _) = after.split_once(END).unwrap();
    assert_eq!(
        table.trim(),
        rows().trim(),
        "expected in README.md:\n{}",
        rows()
    );
}
