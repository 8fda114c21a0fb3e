//! A stiff latch: it slides only while it is pressed down.

use tiller_world::Random;

use super::hand::{CONTACT_M, Leg, TRAVEL_Z_M, Until};
use super::place::{Lay, Place, YAW_RAD, somewhere};
use super::snapshot::Snapshot;
use super::watch::Role;
use super::{Lock, Suite, stand};

/// A knob on a carriage on a plate; strength makes it stiffer to press, and the way longer.
pub(super) struct Contact;

const KNOB: usize = 0;
const PLATE: usize = 1;
const RED: usize = 2;
const BLUE: usize = 3;
const PINK: usize = 4;
const SLIDE: usize = 0;
const PRESS: usize = 1;

/// How far it is to be slid, and how far it can be at most, m.
const WAY_M: [f64; 3] = [0.030, 0.045, 0.060];
const TRAVEL_M: f64 = 0.080;
/// The spring under the knob, N/m, how far it is pressed when left alone, and how far it must be pressed to slide, m.
const STIFFNESS: [f64; 3] = [200.0, 300.0, 400.0];
const PRELOAD_M: f64 = 0.003;
const PRESSED_M: f64 = 0.006;
const DEPTH_M: f64 = 0.012;
/// Height of the knob's top, m.
const TOP_Z_M: f64 = 0.050;
/// Where the plate's middle lies, m.
const PLATE_X_M: [f64; 2] = [0.40, 0.52];
const PLATE_Y_M: [f64; 2] = [0.04, 0.24];
/// The knob's place on the plate when it is shut, m.
const SHUT_Y_M: f64 = -0.040;
/// The fingertips reach so far below the tool's centre point, m.
const FINGERTIPS_M: f64 = 0.009;

impl Suite for Contact {
    fn name(&self) -> &'static str {
        "contact"
    }

    fn about(&self) -> &'static str {
        "a stiff latch that slides only while it is pressed"
    }

    fn tasks(&self) -> &'static [(&'static str, &'static str)] {
        &[(
            "contact_latch",
            "press the latch down and slide it to the left",
        )]
    }

    fn scene(&self, level: usize) -> String {
        let stiffness = STIFFNESS[level];
        stand(&format!(
            r#"<body name="plate">
                 <geom type="box" size="0.035 0.090 0.005" pos="0 0 0.005" rgba="0.28 0.29 0.32 1"/>
                 <body name="carriage" pos="0 {SHUT_Y_M} 0.018">
                   <joint name="slide" type="slide" axis="0 1 0" range="0 {TRAVEL_M}" damping="4" frictionloss="0.5"/>
                   <geom type="box" size="0.022 0.022 0.006" rgba="0.60 0.30 0.20 1" mass="0.25"/>
                   <body name="knob" pos="0 0 0.022">
                     <joint name="press" type="slide" axis="0 0 -1" range="0 {DEPTH_M}" stiffness="{stiffness}"
                       springref="-{PRELOAD_M}" damping="3"/>
                     <geom type="cylinder" size="0.020 0.010" rgba="0.95 0.35 0.10 1" mass="0.05"
                       friction="1.2 0.01 0.0002"/>
                   </body>
                 </body>
               </body>"#
        ))
        .replace(
            "</mujoco>",
            r#"<contact>
                 <exclude body1="plate" body2="carriage"/>
                 <exclude body1="plate" body2="knob"/>
                 <exclude body1="carriage" body2="knob"/>
               </contact></mujoco>"#,
        )
    }

    fn labels(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("knob", "latch"),
            ("carriage", "latch carriage"),
            ("plate", "latch plate"),
        ]
    }

    fn keypoint_counts(&self) -> &'static [(&'static str, usize)] {
        &[("latch plate", 2)]
    }

    fn things(&self) -> &'static [&'static str] {
        &["knob", "plate", "red", "blue", "pink", "drawer", "door"]
    }

    fn joints(&self) -> &'static [&'static str] {
        &["slide", "press"]
    }

    fn lock(&self, now: &Snapshot) -> Option<Lock> {
        Some(Lock {
            joint: SLIDE,
            is_shut: now.joints[PRESS] < PRESSED_M,
        })
    }

    fn lay(&self, _task: usize, _level: usize, random: &mut Random) -> Lay {
        let middle = somewhere(PLATE_X_M, PLATE_Y_M, random);
        let plate = Place::new([middle[0], middle[1], 0.0], random.within(YAW_RAD));
        let (sin, cos) = plate.yaw_rad.sin_cos();
        let along = |y: f64| [middle[0] - sin * y, middle[1] + cos * y];
        let things = vec![(PLATE, plate)];
        let taken = vec![along(-0.09), along(0.0), along(0.09)];
        Lay::among(&[RED, BLUE, PINK], taken, things, random)
    }

    fn roles(&self, _task: usize, _start: &Snapshot) -> Vec<Role> {
        let mut roles = vec![Role::Bystander; self.things().len()];
        (roles[KNOB], roles[PLATE]) = (Role::Named, Role::Named);
        roles
    }

    fn holds(&self, _task: usize, level: usize, _start: &Snapshot, now: &Snapshot) -> bool {
        now.joints[SLIDE] > WAY_M[level]
    }

    fn leg(&self, _task: usize, number: usize, now: &Snapshot) -> Option<Leg> {
        let (knob, plate) = (now.things[KNOB], now.things[PLATE]);
        let [x, y, _] = knob.position_m;
        let low_z_m = TOP_Z_M + FINGERTIPS_M - DEPTH_M - 0.004;
        let closed = |to_m: [f64; 3]| Leg::to(to_m).turned(plate.yaw_rad).closed();
        Some(match number {
            0 => Leg::up(now, TRAVEL_Z_M).closed(),
            1 => closed([x, y, TRAVEL_Z_M]).until(Until::There(0.005)),
            2 => closed([x, y, TOP_Z_M + FINGERTIPS_M + 0.012]).until(Until::There(0.005)),
            3 => {
                let is_down = now.joints[PRESS] > PRESSED_M + 0.004;
                let press = closed([x, y, low_z_m]).at_speed(0.006);
                press.until(Until::Met(is_down))
            }
            4 => {
                let [x, y, _] = plate.at([0.0, SHUT_Y_M + TRAVEL_M + 0.01, 0.0]);
                let is_open = now.joints[SLIDE] > WAY_M[2] + 0.008;
                closed([x, y, low_z_m])
                    .at_speed(CONTACT_M)
                    .until(Until::Met(is_open))
            }
            5 => Leg::up(now, TRAVEL_Z_M).closed(),
            _ => return None,
        })
    }
}
