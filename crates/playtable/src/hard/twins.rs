//! Two red blocks that nothing tells apart but where they lie. To move the wrong one is a failure.

use std::f64::consts::FRAC_PI_2;

use tiller_world::Random;

use super::hand::{GRASP_LEGS, GRASP_Z_M, LIFTED_Z_M, Leg, fold, grasp, raise};
use super::place::{Lay, Place, YAW_RAD, somewhere};
use super::snapshot::Snapshot;
use super::watch::Role;
use super::{Suite, stand};

/// "The left one"; strength brings them nearer to each other.
pub(super) struct Twins;

const ONE: usize = 0;
const OTHER: usize = 1;
const BLUE: usize = 2;
const PINK: usize = 3;

/// Between their middles, m. Open fingers reach 6 cm to either side.
const APART_M: [f64; 3] = [0.130, 0.115, 0.100];
/// Where the middle between them lies, m, and how far their line may turn from the robot's left, rad.
const MIDDLE_X_M: [f64; 2] = [0.40, 0.52];
const MIDDLE_Y_M: [f64; 2] = [0.06, 0.22];
const TURN_RAD: f64 = 0.6;

/// The block that a task is about, as things lay at its start; task 0 wants the left one.
fn wanted(task: usize, start: &Snapshot) -> usize {
    let y = |block: usize| start.things[block].position_m[1];
    let left = if y(ONE) > y(OTHER) { ONE } else { OTHER };
    if task == 0 { left } else { ONE + OTHER - left }
}

impl Suite for Twins {
    fn name(&self) -> &'static str {
        "twins"
    }

    fn about(&self) -> &'static str {
        "the left or the right one of two red blocks"
    }

    fn tasks(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("twins_left", "lift the left one of the red blocks"),
            ("twins_right", "lift the right one of the red blocks"),
        ]
    }

    fn scene(&self, _level: usize) -> String {
        let block = |name: &str, x: f64| {
            format!(
                r#"<body name="{name}" pos="{x} 0.2 0.02">
                     <freejoint/>
                     <geom class="block" size="0.021 0.021 0.02" rgba="0.86 0.10 0.10 1"/>
                   </body>"#
            )
        };
        stand(&(block("twin_one", 0.40) + &block("twin_other", 0.50)))
    }

    fn labels(&self) -> &'static [(&'static str, &'static str)] {
        &[("twin_one", "red block 1"), ("twin_other", "red block 2")]
    }

    fn things(&self) -> &'static [&'static str] {
        &["twin_one", "twin_other", "blue", "pink", "drawer", "door"]
    }

    fn lay(&self, _task: usize, level: usize, random: &mut Random) -> Lay {
        let middle = somewhere(MIDDLE_X_M, MIDDLE_Y_M, random);
        // Which of the two lies left says nothing.
        let half = 0.5 * APART_M[level] * random.sign();
        let (sin, cos) = random.within(TURN_RAD).sin_cos();
        let places =
            [1.0, -1.0].map(|side| [middle[0] + side * half * sin, middle[1] + side * half * cos]);
        let block = |place: [f64; 2], random: &mut Random| {
            Place::new([place[0], place[1], 0.02], random.within(YAW_RAD))
        };
        let things = vec![
            (ONE, block(places[0], random)),
            (OTHER, block(places[1], random)),
        ];
        Lay::among(&[BLUE, PINK], places.to_vec(), things, random)
    }

    fn roles(&self, task: usize, start: &Snapshot) -> Vec<Role> {
        let mut roles = vec![Role::Bystander; self.things().len()];
        let wanted = wanted(task, start);
        roles[wanted] = Role::Named;
        roles[ONE + OTHER - wanted] = Role::Mistaken;
        roles
    }

    fn holds(&self, task: usize, _level: usize, start: &Snapshot, now: &Snapshot) -> bool {
        let block = wanted(task, start);
        let (from, to) = (&start.things[block], &now.things[block]);
        to.is_lifted(from)
    }

    fn leg(&self, task: usize, number: usize, now: &Snapshot) -> Option<Leg> {
        let block = now.things[wanted(task, now)];
        let [x, y, z] = block.position_m;
        match number {
            0..GRASP_LEGS => {
                let yaw_rad = fold(block.yaw_rad, FRAC_PI_2);
                Some(grasp(number, now, [x, y, GRASP_Z_M], yaw_rad))
            }
            GRASP_LEGS => Some(raise(now, z > LIFTED_Z_M)),
            _ => None,
        }
    }
}
