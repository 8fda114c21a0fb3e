//! Where a seed lays things, and how that comes into a model.

use mujoco_rs::mujoco_c::mjtDisableBit;
use mujoco_rs::prelude::MjModel;

use crate::vary::{Fixture, Parts};
use tiller_world::Random;

/// Where a thing lies and how it is turned about z.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    /// m.
    pub(crate) position_m: [f64; 3],
    /// rad.
    pub(crate) yaw_rad: f64,
}

impl Place {
    pub(super) fn new(position_m: [f64; 3], yaw_rad: f64) -> Self {
        Self {
            position_m,
            yaw_rad,
        }
    }

    pub(super) fn quaternion_wxyz(self) -> [f64; 4] {
        let (sin, cos) = (self.yaw_rad / 2.0).sin_cos();
        [cos, 0.0, 0.0, sin]
    }
}

/// A start state.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Lay {
    /// Where the hand starts, m.
    pub(crate) hand_m: [f64; 3],
    /// Of the suite's things, those that are laid; the others are where the scene has them.
    pub(crate) things: Vec<(usize, Place)>,
    /// Of the suite's joints, those that are set, m or rad.
    pub(crate) joints: Vec<(usize, f64)>,
    /// Furniture that is shifted along the table, m, and turned about its own middle, rad.
    pub(crate) moved: Vec<(Fixture, [f64; 2], f64)>,
}

impl Lay {
    /// With distractors where there is room beside what is `taken`, and the hand as in plain scenes.
    pub(super) fn among(
        blocks: &[usize],
        mut taken: Vec<[f64; 2]>,
        mut things: Vec<(usize, Place)>,
        random: &mut Random,
    ) -> Self {
        distract(blocks, FREE_Y_M, &mut taken, &mut things, random);
        Self {
            hand_m: hand_m(random),
            things,
            ..Self::default()
        }
    }
}

/// Where blocks may lie beside what a suite is about, x and y, m: clear of drawer and door.
const FREE_X_M: [f64; 2] = [0.36, 0.56];
pub(super) const FREE_Y_M: [f64; 2] = [-0.16, 0.40];

/// Least distance of a distractor from anything else, m, so that hand and fingers find room.
pub(super) const ROOM_M: f64 = 0.10;
/// Largest turn of blocks and furniture, rad: 20 degrees.
pub(super) const YAW_RAD: f64 = 0.35;
/// Where the hand starts, m, and how far from there along each axis.
const HAND_M: [f64; 3] = [0.45, 0.0, 0.20];
const HAND_SPREAD_M: f64 = 0.03;

/// Where the hand starts in most suites, m: as in plain scenes.
pub(super) fn hand_m(random: &mut Random) -> [f64; 3] {
    HAND_M.map(|middle| middle + random.within(HAND_SPREAD_M))
}

/// Anywhere between two places along x and two along y, m.
pub(super) fn somewhere(x_m: [f64; 2], y_m: [f64; 2], random: &mut Random) -> [f64; 2] {
    [x_m, y_m].map(|[least, most]| random.uniform(least, most))
}

/// The same, farther than this from another place, m.
pub(super) fn apart(
    from: [f64; 2],
    least_m: f64,
    x_m: [f64; 2],
    y_m: [f64; 2],
    random: &mut Random,
) -> [f64; 2] {
    loop {
        let place = somewhere(x_m, y_m, random);
        if (place[0] - from[0]).hypot(place[1] - from[1]) > least_m {
            return place;
        }
    }
}

/// A free place between two places along y, at least so far from all that is taken, m; the farthest of some where
/// there is none.
fn within(y_m: [f64; 2], taken: &[[f64; 2]], room_m: f64, random: &mut Random) -> [f64; 2] {
    let mut best = ([FREE_X_M[0], y_m[1]], 0.0);
    for _ in 0..40 {
        let place = somewhere(FREE_X_M, y_m, random);
        let distances = taken
            .iter()
            .map(|it| (it[0] - place[0]).hypot(it[1] - place[1]));
        let nearest = distances.fold(f64::INFINITY, f64::min);
        if nearest >= room_m {
            return place;
        }
        if nearest > best.1 {
            best = (place, nearest);
        }
    }
    best.0
}

/// Lays blocks as distractors, each where there is room; their places are taken afterwards.
pub(super) fn distract(
    blocks: &[usize],
    y_m: [f64; 2],
    taken: &mut Vec<[f64; 2]>,
    things: &mut Vec<(usize, Place)>,
    random: &mut Random,
) {
    for block in blocks {
        let [x, y] = within(y_m, taken, ROOM_M, random);
        taken.push([x, y]);
        things.push((*block, Place::new([x, y, 0.02], random.within(YAW_RAD))));
    }
}

/// Puts away what a scene has no use for: not seen, not touched, and where it is for ever.
pub(super) fn put_away(model: &mut MjModel, parts: &Parts, keeps: &[Fixture], blocks: [bool; 3]) {
    let mut geoms = Vec::new();
    for fixture in Fixture::ALL {
        if !keeps.contains(&fixture) {
            let parts = parts.fixture(fixture);
            geoms.extend(parts.surroundings.iter().copied());
            geoms.extend(geoms_of(model, parts.body));
        }
    }
    for ((body, geom), stays) in parts.blocks().iter().zip(blocks) {
        if !stays {
            geoms.push(*geom);
            model.body_gravcomp_mut()[*body] = 1.0;
        }
    }
    for geom in geoms {
        model.geom_rgba_mut()[geom] = [0.0; 4];
        model.geom_contype_mut()[geom] = 0;
        model.geom_conaffinity_mut()[geom] = 0;
    }
}

fn geoms_of(model: &MjModel, body: usize) -> Vec<usize> {
    let bodies = model.geom_bodyid().iter().enumerate();
    let of_body = bodies.filter(|(_, of)| usize::try_from(**of).is_ok_and(|of| of == body));
    of_body.map(|(geom, _)| geom).collect()
}

/// Shifts and turns furniture as a whole.
pub(super) fn shift(model: &mut MjModel, parts: &Parts, lay: &Lay) {
    for (fixture, [dx, dy], yaw_rad) in &lay.moved {
        // The trees of bounding boxes were built for the furniture where it was.
        model.opt_mut().disableflags |= mjtDisableBit::mjDSBL_MIDPHASE as i32;
        let parts = parts.fixture(*fixture);
        let [cx, cy, _] = model.body_pos()[parts.body];
        let turn = Place::new([0.0; 3], *yaw_rad).quaternion_wxyz();
        let (sin, cos) = yaw_rad.sin_cos();
        let moved = |[x, y, z]: [f64; 3]| {
            let (x, y) = (x - cx, y - cy);
            [cx + dx + cos * x - sin * y, cy + dy + sin * x + cos * y, z]
        };
        model.body_pos_mut()[parts.body] = moved(model.body_pos()[parts.body]);
        let turned = about_z(turn, model.body_quat()[parts.body]);
        model.body_quat_mut()[parts.body] = turned;
        for geom in &parts.surroundings {
            model.geom_pos_mut()[*geom] = moved(model.geom_pos()[*geom]);
            let turned = about_z(turn, model.geom_quat()[*geom]);
            model.geom_quat_mut()[*geom] = turned;
        }
    }
}

/// A turn about z after another turn: Hamilton product, w x y z.
fn about_z([w, _, _, z]: [f64; 4], [bw, bx, by, bz]: [f64; 4]) -> [f64; 4] {
    [
        w * bw - z * bz,
        w * bx - z * by,
        w * by + z * bx,
        w * bz + z * bw,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_about_z_add_up() {
        let turn = |yaw_rad| Place::new([0.0; 3], yaw_rad).quaternion_wxyz();
        let found = about_z(turn(0.3), turn(0.4));
        for (found, expected) in found.into_iter().zip(turn(0.7)) {
            assert!((found - expected).abs() < 1e-12);
        }
    }
}
