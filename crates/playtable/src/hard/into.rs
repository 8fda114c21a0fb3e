//! A block into the drawer, and the drawer shut with it inside.

use std::f64::consts::FRAC_PI_2;

use tiller_world::Random;

use super::hand::{
    CARRY_M, CONTACT_M, GRASP_LEGS, GRASP_Z_M, Leg, TRAVEL_Z_M, Until, fold, grasp, raise,
};
use super::place::{Lay, Place, YAW_RAD, distract, hand_m, somewhere};
use super::snapshot::Snapshot;
use super::watch::Role;
use super::{Suite, stand};
use crate::oracle::thresholds;
use crate::vary::Fixture;

/// The open drawer stands and points elsewhere in every seed; strength leaves less of it accessible.
pub(super) struct Into;

const BLOCK: usize = 0;
const DRAWER: usize = 1;
const BLUE: usize = 2;
const PINK: usize = 3;

/// How far the drawer is open, m.
const OPEN_M: [f64; 3] = [0.155, 0.135, 0.115];
/// How far it is shifted along x and y, lowest and highest, m: the table's edge and the door leave so much.
const SHIFT_X_M: [f64; 2] = [-0.06, 0.01];
const SHIFT_Y_M: [f64; 2] = [-0.05, 0.07];
/// Where the blocks lie, m.
const BLOCK_X_M: [f64; 2] = [0.38, 0.52];
const BLOCK_Y_M: [f64; 2] = [0.08, 0.26];
const OTHERS_Y_M: [f64; 2] = [0.02, 0.40];
/// From the drawer's own middle to its bar, m: x, and what a place at the bar's height is.
const BAR_X_M: f64 = -0.088;
const BAR_Z_M: f64 = 0.045;
/// Where a block is let go: along the drawer, m, and the hand's height.
const INSIDE_X_M: f64 = 0.045;
const RELEASE_Z_M: f64 = 0.075;

/// Whether the block is between the drawer's sides and below their rim, wherever the drawer points.
fn is_inside(now: &Snapshot) -> bool {
    let local = now.things[DRAWER].local(now.things[BLOCK].position_m);
    // The thresholds count from the bar's middle, which is 8 mm above the drawer's.
    let from_bar = [local[0] - BAR_X_M, local[1], local[2] - 0.008];
    (0..3).all(|axis| {
        let [low, high] = thresholds::INSIDE_DRAWER_M[axis];
        (low..=high).contains(&from_bar[axis])
    })
}

impl Suite for Into {
    fn name(&self) -> &'static str {
        "into"
    }

    fn about(&self) -> &'static str {
        "a block into the open drawer, and the drawer shut with it inside"
    }

    fn tasks(&self) -> &'static [(&'static str, &'static str)] {
        &[(
            "into_drawer",
            "put the red block into the drawer and shut it inside",
        )]
    }

    fn scene(&self, _level: usize) -> String {
        stand("")
    }

    fn labels(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    fn things(&self) -> &'static [&'static str] {
        &["red", "drawer", "blue", "pink", "door"]
    }

    fn joints(&self) -> &'static [&'static str] {
        &["drawer"]
    }

    fn lay(&self, _task: usize, level: usize, random: &mut Random) -> Lay {
        let block = somewhere(BLOCK_X_M, BLOCK_Y_M, random);
        let mut things = vec![(
            BLOCK,
            Place::new([block[0], block[1], 0.02], random.within(YAW_RAD)),
        )];
        distract(
            &[BLUE, PINK],
            OTHERS_Y_M,
            &mut vec![block],
            &mut things,
            random,
        );
        let shift_m = somewhere(SHIFT_X_M, SHIFT_Y_M, random);
        Lay {
            hand_m: hand_m(random),
            things,
            joints: vec![(0, OPEN_M[level])],
            moved: vec![(Fixture::Drawer, shift_m, random.within(YAW_RAD))],
        }
    }

    fn roles(&self, _task: usize, _start: &Snapshot) -> Vec<Role> {
        use Role::{Bystander, Named};
        vec![Named, Named, Bystander, Bystander, Bystander]
    }

    fn holds(&self, _task: usize, _level: usize, _start: &Snapshot, now: &Snapshot) -> bool {
        let is_free = !now.things[BLOCK].touched;
        is_free && is_inside(now) && now.joints[0] < thresholds::DRAWER_SHUT_M
    }

    fn leg(&self, _task: usize, number: usize, now: &Snapshot) -> Option<Leg> {
        let (block, drawer) = (now.things[BLOCK], now.things[DRAWER]);
        let at = |x: f64, z: f64| {
            let [x, y, _] = drawer.at([x, 0.0, 0.0]);
            [x, y, z]
        };
        let yaw_rad = drawer.yaw_rad;
        let over = Leg::to(at(INSIDE_X_M, TRAVEL_Z_M + 0.02))
            .closed()
            .turned(yaw_rad);
        let low = Leg::to(at(INSIDE_X_M, RELEASE_Z_M)).turned(yaw_rad);
        // What is in the drawer is shut in; what fell beside it is fetched first.
        let number = if is_inside(now) {
            number.max(7)
        } else {
            number
        };
        Some(match number {
            0..GRASP_LEGS => {
                let [x, y, _] = block.position_m;
                grasp(
                    number,
                    now,
                    [x, y, GRASP_Z_M],
                    fold(block.yaw_rad, FRAC_PI_2),
                )
            }
            GRASP_LEGS => raise(now, block.position_m[2] > 0.12),
            5 => over.at_speed(CARRY_M).until(Until::There(0.008)),
            6 => low.closed().at_speed(CONTACT_M).until(Until::There(0.006)),
            7 => low.wait(),
            8 => Leg::up(now, TRAVEL_Z_M).until(Until::There(0.012)),
            9 => Leg::to(at(BAR_X_M - 0.06, TRAVEL_Z_M)).turned(yaw_rad),
            10 => Leg::to(at(BAR_X_M - 0.06, BAR_Z_M))
                .turned(yaw_rad)
                .closed(),
            11 => {
                let ahead = Leg::to(at(BAR_X_M + 0.02, BAR_Z_M))
                    .turned(yaw_rad)
                    .closed();
                ahead
                    .at_speed(0.016)
                    .until(Until::Met(now.joints[0] < 0.012))
            }
            12 => Leg::up(now, TRAVEL_Z_M).closed(),
            _ => return None,
        })
    }
}
