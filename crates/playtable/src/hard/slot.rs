//! A block into a slot that is hardly wider than the block, from above.

use std::f64::consts::FRAC_PI_2;

use tiller_world::Random;

use super::hand::{
    CARRY_M, CONTACT_M, GRASP_LEGS, GRASP_Z_M, Leg, TRAVEL_Z_M, Until, fold, grasp, held_off_m,
    raise,
};
use super::place::{Lay, Place, YAW_RAD, apart, somewhere};
use super::snapshot::Snapshot;
use super::watch::Role;
use super::{Suite, stand};

/// Two walls on the table, turned as the seed has it; strength brings them nearer together.
pub(super) struct Slot;

const BLOCK: usize = 0;
const SLOT: usize = 1;
const BLUE: usize = 2;
const PINK: usize = 3;

/// How much wider than the block the slot is, m.
const CLEARANCE_M: [f64; 3] = [0.008, 0.005, 0.0035];
/// The block's width, and half of length, thickness and height of a wall, m.
const BLOCK_M: f64 = 0.042;
const HALF_WALL_M: [f64; 3] = [0.006, 0.040, 0.014];
/// Where block and slot may lie, m, and how far apart at least: the open hand finds room.
const SLOT_X_M: [f64; 2] = [0.40, 0.52];
const SLOT_Y_M: [f64; 2] = [0.00, 0.26];
const BLOCK_X_M: [f64; 2] = [0.38, 0.53];
const BLOCK_Y_M: [f64; 2] = [-0.06, 0.32];
const APART_M: f64 = 0.16;
/// How far the block's middle may be from that of the slot along it and above the table, m.
const ALONG_M: f64 = 0.030;
const HEIGHT_OFF_M: f64 = 0.004;

impl Suite for Slot {
    fn name(&self) -> &'static str {
        "slot"
    }

    fn about(&self) -> &'static str {
        "a block into a slot that is 5 mm wider"
    }

    fn tasks(&self) -> &'static [(&'static str, &'static str)] {
        &[("slot_red", "put the red block into the slot")]
    }

    fn scene(&self, level: usize) -> String {
        let [half, long, high] = HALF_WALL_M;
        let x = (BLOCK_M + CLEARANCE_M[level]) / 2.0 + half;
        let wall = |name: &str, x: f64| {
            format!(
                r#"<body name="{name}" pos="{x} 0 {high}">
                     <geom type="box" size="{half} {long} {high}" rgba="0.35 0.65 0.35 1" friction="0.3 0.005 0.0001"/>
                   </body>"#
            )
        };
        let walls = wall("slot_near", -x) + &wall("slot_far", x);
        stand(&format!(r#"<body name="slot">{walls}</body>"#))
    }

    fn labels(&self) -> &'static [(&'static str, &'static str)] {
        &[("slot_near", "slot wall 1"), ("slot_far", "slot wall 2")]
    }

    fn things(&self) -> &'static [&'static str] {
        &["red", "slot", "blue", "pink", "drawer", "door"]
    }

    fn lay(&self, _task: usize, _level: usize, random: &mut Random) -> Lay {
        let slot = somewhere(SLOT_X_M, SLOT_Y_M, random);
        let block = apart(slot, APART_M, BLOCK_X_M, BLOCK_Y_M, random);
        let things = vec![
            (
                BLOCK,
                Place::new([block[0], block[1], 0.02], random.within(YAW_RAD)),
            ),
            (
                SLOT,
                Place::new([slot[0], slot[1], 0.0], random.within(YAW_RAD)),
            ),
        ];
        // The walls reach further than a block does.
        let taken = vec![
            block,
            slot,
            [slot[0], slot[1] + 0.04],
            [slot[0], slot[1] - 0.04],
        ];
        Lay::among(&[BLUE, PINK], taken, things, random)
    }

    fn roles(&self, _task: usize, _start: &Snapshot) -> Vec<Role> {
        use Role::{Bystander, Named};
        vec![Named, Named, Bystander, Bystander, Bystander, Bystander]
    }

    fn holds(&self, _task: usize, _level: usize, _start: &Snapshot, now: &Snapshot) -> bool {
        let block = now.things[BLOCK];
        let [across, along, z] = now.things[SLOT].local(block.position_m);
        let is_between = across.abs() < CLEARANCE_M[0] && along.abs() < ALONG_M;
        is_between && (z - 0.02).abs() < HEIGHT_OFF_M && !block.touched
    }

    fn leg(&self, task: usize, number: usize, now: &Snapshot) -> Option<Leg> {
        let (block, slot) = (now.things[BLOCK], now.things[SLOT]);
        let [off_x, off_y] = held_off_m(now, &block);
        let held_rad = fold(now.hand_yaw_rad - block.yaw_rad, FRAC_PI_2).clamp(-0.2, 0.2);
        let [x, y, _] = slot.position_m;
        let over = |z: f64| {
            Leg::to([x + off_x, y + off_y, z])
                .turned(slot.yaw_rad + held_rad)
                .closed()
        };
        let number = if self.holds(task, 0, now, now) {
            number.max(8)
        } else {
            number
        };
        Some(match number {
            0..GRASP_LEGS => {
                let [x, y, z] = block.position_m;
                let at_m = [x, y, z - 0.02 + GRASP_Z_M];
                grasp(number, now, at_m, fold(block.yaw_rad, FRAC_PI_2))
            }
            GRASP_LEGS => raise(now, block.position_m[2] > 0.12),
            5 => over(TRAVEL_Z_M)
                .at_speed(CARRY_M)
                .until(Until::There(0.003)),
            6 => over(GRASP_Z_M + 0.002)
                .at_speed(CONTACT_M)
                .until(Until::There(0.004)),
            7 => Leg {
                open: true,
                ..over(GRASP_Z_M + 0.002).wait()
            },
            8 => Leg::up(now, TRAVEL_Z_M),
            _ => return None,
        })
    }
}
