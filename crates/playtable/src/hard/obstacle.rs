//! A post between the hand and what it is to lift. Touching the post is a failure.

use std::f64::consts::FRAC_PI_2;

use tiller_world::Random;

use super::hand::{GRASP_Z_M, LIFTED_Z_M, Leg, TRAVEL_Z_M, fold, grasp, raise};
use super::place::{FREE_Y_M, Lay, Place, YAW_RAD, distract, somewhere};
use super::snapshot::Snapshot;
use super::watch::Role;
use super::{Suite, stand};

/// A post on the table; strength makes it higher and thicker.
pub(super) struct Obstacle;

const BLOCK: usize = 0;
const POST: usize = 1;
const BLUE: usize = 2;
const PINK: usize = 3;

/// Height and radius of the post, m. Fingertips travel 13 cm above the table, the palm 18 cm.
const HEIGHT_M: [f64; 3] = [0.12, 0.14, 0.16];
const RADIUS_M: [f64; 3] = [0.010, 0.014, 0.018];
/// Where the hand starts, m: as in plain scenes, further to the right.
const HAND_M: [f64; 3] = [0.45, -0.07, 0.19];
/// Where the block lies, m: behind the post, where neither furniture nor the palm beside it touch anything.
const BLOCK_X_M: [f64; 2] = [0.39, 0.53];
const BLOCK_Y_M: [f64; 2] = [0.18, 0.30];
/// From the hand to the block, the share of the way on which the post stands, and how far beside the way, m.
const SHARE: [f64; 2] = [0.40, 0.50];
const BESIDE_M: f64 = 0.015;
/// How far aside of the post the scripted hand passes it, m.
const ASIDE_M: f64 = 0.085;

impl Suite for Obstacle {
    fn name(&self) -> &'static str {
        "obstacle"
    }

    fn about(&self) -> &'static str {
        "a post between the hand and the block that it is to lift"
    }

    fn tasks(&self) -> &'static [(&'static str, &'static str)] {
        &[(
            "obstacle_lift",
            "lift the red block without touching the post",
        )]
    }

    fn scene(&self, level: usize) -> String {
        let (half, radius) = (HEIGHT_M[level] / 2.0, RADIUS_M[level]);
        stand(&format!(
            r#"<body name="post">
                 <geom name="post" type="cylinder" size="{radius} {half}" pos="0 0 {half}" rgba="0.55 0.55 0.60 1"/>
               </body>"#
        ))
    }

    fn labels(&self) -> &'static [(&'static str, &'static str)] {
        &[("post", "post")]
    }

    fn things(&self) -> &'static [&'static str] {
        &["red", "post", "blue", "pink", "drawer", "door"]
    }

    fn lay(&self, _task: usize, _level: usize, random: &mut Random) -> Lay {
        let hand_m = HAND_M.map(|middle| middle + random.within(0.03));
        let block = somewhere(BLOCK_X_M, BLOCK_Y_M, random);
        let share = random.uniform(SHARE[0], SHARE[1]);
        let beside = random.within(BESIDE_M);
        let post = [
            hand_m[0] + share * (block[0] - hand_m[0]) + beside,
            hand_m[1] + share * (block[1] - hand_m[1]),
        ];
        let mut things = vec![
            (
                BLOCK,
                Place::new([block[0], block[1], 0.02], random.within(YAW_RAD)),
            ),
            (POST, Place::new([post[0], post[1], 0.0], 0.0)),
        ];
        let mut taken = vec![block, post];
        distract(&[BLUE, PINK], FREE_Y_M, &mut taken, &mut things, random);
        Lay {
            hand_m,
            things,
            ..Lay::default()
        }
    }

    fn roles(&self, _task: usize, _start: &Snapshot) -> Vec<Role> {
        use Role::{Bystander, Forbidden, Named};
        vec![Named, Forbidden, Bystander, Bystander, Bystander, Bystander]
    }

    fn holds(&self, _task: usize, _level: usize, start: &Snapshot, now: &Snapshot) -> bool {
        let (from, to) = (&start.things[BLOCK], &now.things[BLOCK]);
        to.is_lifted(from)
    }

    fn leg(&self, _task: usize, number: usize, now: &Snapshot) -> Option<Leg> {
        let block = now.things[BLOCK];
        let [x, y, _] = block.position_m;
        let [post_x, post_y, _] = now.things[POST].position_m;
        // Around the post on the side where the block is.
        let side = if x >= post_x { 1.0 } else { -1.0 };
        let aside = post_x + side * ASIDE_M;
        Some(match number {
            0 => Leg::up(now, TRAVEL_Z_M),
            1 if now.hand_m[1] < post_y => Leg::to([aside, now.hand_m[1], TRAVEL_Z_M]).closed(),
            2 if now.hand_m[1] < post_y + 0.05 => {
                Leg::to([aside, post_y + 0.06, TRAVEL_Z_M]).closed()
            }
            1..6 => {
                let at_m = [x, y, GRASP_Z_M];
                grasp(
                    number.saturating_sub(2).max(1),
                    now,
                    at_m,
                    fold(block.yaw_rad, FRAC_PI_2),
                )
            }
            6 => raise(now, block.position_m[2] > LIFTED_Z_M),
            _ => return None,
        })
    }
}
