//! A long block that fits between the fingers one way only.

use std::f64::consts::PI;

use tiller_world::Random;

use super::hand::{GRASP_LEGS, GRASP_Z_M, LIFTED_Z_M, Leg, fold, grasp, raise};
use super::place::{Lay, Place, somewhere};
use super::snapshot::Snapshot;
use super::watch::Role;
use super::{Suite, stand};

/// A beam to be lifted; strength makes it longer and heavier, and turns it further from where the hand points.
pub(super) struct Yaw;

const BEAM: usize = 0;
const RED: usize = 1;
const BLUE: usize = 2;

/// Half of its length, m, and its mass, kg.
const HALF_M: [f64; 3] = [0.065, 0.075, 0.085];
const MASS_KG: [f64; 3] = [0.10, 0.14, 0.18];
/// How far it is turned from pointing ahead, to either side, rad: fingers open across a beam that points ahead, and
/// 8 cm are too few for one that lies as these do.
const TURN_RAD: [[f64; 2]; 3] = [[0.95, 1.15], [1.15, 1.35], [1.35, 1.57]];
/// Where its middle lies, m.
const MIDDLE_X_M: [f64; 2] = [0.40, 0.52];
const MIDDLE_Y_M: [f64; 2] = [0.02, 0.22];

impl Suite for Yaw {
    fn name(&self) -> &'static str {
        "yaw"
    }

    fn about(&self) -> &'static str {
        "a long block that fits between the fingers one way only"
    }

    fn tasks(&self) -> &'static [(&'static str, &'static str)] {
        &[("yaw_lift", "lift the long block")]
    }

    fn scene(&self, level: usize) -> String {
        let (half, mass) = (HALF_M[level], MASS_KG[level]);
        stand(&format!(
            r#"<body name="beam" pos="0.45 0.2 0.02">
                 <freejoint/>
                 <geom class="block" size="{half} 0.016 0.02" mass="{mass}" rgba="0.95 0.60 0.10 1"/>
               </body>"#
        ))
    }

    fn labels(&self) -> &'static [(&'static str, &'static str)] {
        &[("beam", "long block")]
    }

    fn keypoint_counts(&self) -> &'static [(&'static str, usize)] {
        &[("long block", 2)]
    }

    fn things(&self) -> &'static [&'static str] {
        &["beam", "red", "blue", "drawer", "door"]
    }

    fn lay(&self, _task: usize, level: usize, random: &mut Random) -> Lay {
        let middle = somewhere(MIDDLE_X_M, MIDDLE_Y_M, random);
        let [least, most] = TURN_RAD[level];
        let turn_rad = random.sign() * random.uniform(least, most);
        let (sin, cos) = turn_rad.sin_cos();
        let along = |x: f64| [middle[0] + cos * x, middle[1] + sin * x];
        let things = vec![(BEAM, Place::new([middle[0], middle[1], 0.02], turn_rad))];
        let taken = vec![along(-HALF_M[level]), middle, along(HALF_M[level])];
        Lay::among(&[RED, BLUE], taken, things, random)
    }

    fn roles(&self, _task: usize, _start: &Snapshot) -> Vec<Role> {
        let mut roles = vec![Role::Bystander; self.things().len()];
        roles[BEAM] = Role::Named;
        roles
    }

    fn holds(&self, _task: usize, _level: usize, start: &Snapshot, now: &Snapshot) -> bool {
        let (from, to) = (&start.things[BEAM], &now.things[BEAM]);
        to.is_lifted(from)
    }

    fn leg(&self, _task: usize, number: usize, now: &Snapshot) -> Option<Leg> {
        let beam = now.things[BEAM];
        let [x, y, z] = beam.position_m;
        match number {
            0..GRASP_LEGS => {
                let yaw_rad = fold(beam.yaw_rad, PI);
                Some(grasp(number, now, [x, y, GRASP_Z_M], yaw_rad))
            }
            GRASP_LEGS => Some(raise(now, z > LIFTED_Z_M)),
            _ => None,
        }
    }
}
