//! One block on another, let go, and there it stays.

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

/// The red block on a yellow one; strength makes the latter smaller.
pub(super) struct Stack;

const UPPER: usize = 0;
const LOWER: usize = 1;
const BLUE: usize = 2;
const PINK: usize = 3;

/// Half of the lower block's width, m. Its height is that of the others.
const HALF_M: [f64; 3] = [0.028, 0.021, 0.015];
const HEIGHT_M: f64 = 0.040;
/// Where the two may lie, m, and how far apart at least: the open hand finds room.
const PLACE_X_M: [f64; 2] = [0.38, 0.53];
const PLACE_Y_M: [f64; 2] = [-0.04, 0.28];
const APART_M: f64 = 0.14;
/// How far the upper block's middle may be from where it is to be, in height and along the table, m.
const HEIGHT_OFF_M: f64 = 0.006;
const ASIDE_M: f64 = 0.030;
const UPRIGHT: f64 = 0.97;

impl Suite for Stack {
    fn name(&self) -> &'static str {
        "stack"
    }

    fn about(&self) -> &'static str {
        "a block on another, where it stays when it is let go"
    }

    fn tasks(&self) -> &'static [(&'static str, &'static str)] {
        &[("stack_red", "stack the red block on the yellow block")]
    }

    fn scene(&self, level: usize) -> String {
        let half = HALF_M[level];
        stand(&format!(
            r#"<body name="yellow" pos="0.45 0.2 0.02">
                 <freejoint/>
                 <geom class="block" size="{half} {half} 0.02" rgba="0.90 0.80 0.10 1"/>
               </body>"#
        ))
    }

    fn labels(&self) -> &'static [(&'static str, &'static str)] {
        &[("yellow", "yellow block")]
    }

    fn things(&self) -> &'static [&'static str] {
        &["red", "yellow", "blue", "pink", "drawer", "door"]
    }

    fn lay(&self, _task: usize, _level: usize, random: &mut Random) -> Lay {
        let lower = somewhere(PLACE_X_M, PLACE_Y_M, random);
        let upper = apart(lower, APART_M, PLACE_X_M, PLACE_Y_M, random);
        let place = |[x, y]: [f64; 2], random: &mut Random| {
            Place::new([x, y, 0.02], random.within(YAW_RAD))
        };
        let things = vec![(UPPER, place(upper, random)), (LOWER, place(lower, random))];
        let taken = vec![upper, lower];
        Lay::among(&[BLUE, PINK], taken, things, random)
    }

    fn roles(&self, _task: usize, _start: &Snapshot) -> Vec<Role> {
        use Role::{Bystander, Named};
        vec![Named, Named, Bystander, Bystander, Bystander, Bystander]
    }

    fn holds(&self, _task: usize, _level: usize, _start: &Snapshot, now: &Snapshot) -> bool {
        let (upper, lower) = (now.things[UPPER], now.things[LOWER]);
        let off = [0, 1, 2].map(|axis| upper.position_m[axis] - lower.position_m[axis]);
        let is_on = off[0].hypot(off[1]) < ASIDE_M && (off[2] - HEIGHT_M).abs() < HEIGHT_OFF_M;
        is_on && !upper.touched && upper.upright > UPRIGHT && lower.upright > UPRIGHT
    }

    fn leg(&self, task: usize, number: usize, now: &Snapshot) -> Option<Leg> {
        let (upper, lower) = (now.things[UPPER], now.things[LOWER]);
        let [x, y, _] = lower.position_m;
        let [off_x, off_y] = held_off_m(now, &upper);
        let over = |z: f64| Leg::to([x + off_x, y + off_y, z]).turned(now.hand_yaw_rad);
        let down = over(GRASP_Z_M + HEIGHT_M + 0.003);
        // One that stands where it is to be is left alone.
        let number = if self.holds(task, 0, now, now) {
            number.max(8)
        } else {
            number
        };
        Some(match number {
            0..GRASP_LEGS => {
                let [x, y, z] = upper.position_m;
                let at_m = [x, y, z - 0.02 + GRASP_Z_M];
                grasp(number, now, at_m, fold(upper.yaw_rad, FRAC_PI_2))
            }
            GRASP_LEGS => raise(now, upper.position_m[2] > 0.12),
            5 => over(TRAVEL_Z_M)
                .closed()
                .at_speed(CARRY_M)
                .until(Until::There(0.004)),
            6 => down.closed().at_speed(CONTACT_M).until(Until::There(0.003)),
            7 => down.wait(),
            8 => Leg::up(now, TRAVEL_Z_M),
            _ => return None,
        })
    }
}
