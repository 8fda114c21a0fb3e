//! A bar that comes out of its housing only while fingers hold it, and slips back when they do not.

use tiller_world::Random;

use super::hand::{CONTACT_M, GRASP_LEGS, Leg, Until, grasp};
use super::place::{Lay, Place, YAW_RAD, somewhere};
use super::snapshot::Snapshot;
use super::watch::Role;
use super::{Suite, stand};
use crate::vary::Fixture;

/// A smooth bar against a spring; strength makes the spring stiffer and the way longer.
///
/// There is nothing to hook behind: the bar's other end stays in the housing, and its top is as slippery as ice.
pub(super) struct Grip;

const BAR: usize = 0;
const HOUSING: usize = 1;
const RED: usize = 2;
const BLUE: usize = 3;
const PINK: usize = 4;

/// How far the bar is to be pulled, and how far it can be at most, m.
const PULL_M: [f64; 3] = [0.040, 0.048, 0.055];
const TRAVEL_M: f64 = 0.075;
/// The spring's stiffness, N/m, and how far it is stretched before the bar moves, m.
const STIFFNESS: [f64; 3] = [25.0, 40.0, 55.0];
const STRETCHED_M: f64 = 0.02;
/// Height of the bar's middle, and where on the bar it is grasped, from the housing's front, m.
const BAR_Z_M: f64 = 0.035;
const GRASP_X_M: f64 = -0.040;
/// Where the housing's front stands, m.
const FRONT_X_M: [f64; 2] = [0.44, 0.56];
const FRONT_Y_M: [f64; 2] = [0.00, 0.24];

impl Suite for Grip {
    fn name(&self) -> &'static str {
        "grip"
    }

    fn about(&self) -> &'static str {
        "a bar that can only be pulled while it is gripped"
    }

    fn tasks(&self) -> &'static [(&'static str, &'static str)] {
        &[("grip_bar", "pull the bar out of its housing and hold it")]
    }

    fn scene(&self, level: usize) -> String {
        let stiffness = STIFFNESS[level];
        stand(&format!(
            r#"<body name="housing">
                 <geom type="box" size="0.055 0.035 0.028" pos="0.055 0 0.028" rgba="0.30 0.30 0.36 1"/>
                 <body name="bar" pos="0 0 {BAR_Z_M}">
                   <joint name="bar" type="slide" axis="-1 0 0" range="0 {TRAVEL_M}" stiffness="{stiffness}"
                     springref="-{STRETCHED_M}" damping="6"/>
                   <geom type="box" size="0.076 0.010 0.012" pos="0.016 0 0" rgba="0.92 0.88 0.30 1" mass="0.08"/>
                   <geom type="box" size="0.077 0.0105 0.002" pos="0.016 0 0.0135" rgba="0.92 0.88 0.30 1"
                     mass="0.01" friction="0.01 0.001 0.0001" priority="3"/>
                 </body>
               </body>"#
        ))
        .replace(
            "</mujoco>",
            r#"<contact><exclude body1="housing" body2="bar"/></contact></mujoco>"#,
        )
    }

    fn labels(&self) -> &'static [(&'static str, &'static str)] {
        &[("bar", "bar"), ("housing", "housing")]
    }

    fn things(&self) -> &'static [&'static str] {
        &["bar", "housing", "red", "blue", "pink", "drawer"]
    }

    fn keeps(&self) -> &'static [Fixture] {
        &[Fixture::Drawer]
    }

    fn joints(&self) -> &'static [&'static str] {
        &["bar"]
    }

    fn lay(&self, _task: usize, _level: usize, random: &mut Random) -> Lay {
        let front = somewhere(FRONT_X_M, FRONT_Y_M, random);
        let housing = Place::new([front[0], front[1], 0.0], random.within(YAW_RAD));
        let (sin, cos) = housing.yaw_rad.sin_cos();
        let along = |x: f64| [front[0] + cos * x, front[1] + sin * x];
        let things = vec![(HOUSING, housing)];
        // The housing, the bar, and the hand's way with it.
        let taken = vec![along(0.07), along(0.0), along(-0.06), along(-0.12)];
        Lay::among(&[RED, BLUE, PINK], taken, things, random)
    }

    fn roles(&self, _task: usize, _start: &Snapshot) -> Vec<Role> {
        let mut roles = vec![Role::Bystander; self.things().len()];
        (roles[BAR], roles[HOUSING]) = (Role::Named, Role::Named);
        roles
    }

    fn holds(&self, _task: usize, level: usize, _start: &Snapshot, now: &Snapshot) -> bool {
        now.things[BAR].gripped && now.joints[0] > PULL_M[level]
    }

    fn leg(&self, _task: usize, number: usize, now: &Snapshot) -> Option<Leg> {
        let (bar, housing) = (now.things[BAR], now.things[HOUSING]);
        let far = now.joints[0];
        match number {
            0..GRASP_LEGS => {
                let [x, y, _] = bar.at([GRASP_X_M, 0.0, 0.0]);
                Some(grasp(number, now, [x, y, BAR_Z_M - 0.003], housing.yaw_rad))
            }
            GRASP_LEGS => {
                let aim = GRASP_X_M - TRAVEL_M + 0.005;
                let [x, y, _] = housing.at([aim, 0.0, 0.0]);
                let pull = Leg::to([x, y, BAR_Z_M - 0.003])
                    .turned(housing.yaw_rad)
                    .closed();
                let is_out = far > PULL_M[2] + 0.010;
                Some(pull.at_speed(CONTACT_M).until(Until::Met(is_out)))
            }
            _ => None,
        }
    }
}
