//! The numbers of each axis and strength, and what they do to a copy of the scene.

use super::parts::{Fixture, Parts};
use super::{Axis, Variation};
use crate::layout::Layout;
use mujoco_rs::mujoco_c::mjtDisableBit;
use mujoco_rs::prelude::MjModel;
use tiller_world::Random;

/// Farthest shift of a fixture, metres; each is shifted by half of it or more along x and y.
const SHIFT_M: [f64; 3] = [0.020, 0.035, 0.050];
/// How much of the shift each fixture has room for, in the order of [`Fixture::ALL`]: x then y, lowest and
/// highest. The others' room, the table's edge and the hand's width set them.
const SHIFT_ROOM: [[[f64; 2]; 2]; 4] = [
    [[-1.0, 0.3], [-1.0, 0.3]],
    [[-0.3, 0.4], [-0.3, 1.0]],
    [[-1.0, 1.0], [-0.2, 0.6]],
    [[-0.6, 0.6], [-1.0, -0.4]],
];
/// Width of the margin around their region in which the blocks lie, metres.
const BLOCK_MARGIN_M: [f64; 3] = [0.015, 0.025, 0.040];

/// How much larger or smaller blocks become, as a share; half of it or more.
const SIZE: [f64; 3] = [0.10, 0.20, 0.30];
/// How far colours of furniture move, of 1; blocks by a third of it, so that red stays red.
const COLOUR: [f64; 3] = [0.12, 0.25, 0.40];
/// How much brighter or darker blocks become, as a share; half of it or more.
const SHADE: [f64; 3] = [0.15, 0.30, 0.45];

const DISTRACTORS: [usize; 3] = [2, 4, 6];
/// How far the table is raised or lowered, metres; half of it or more.
const HEIGHT_M: [f64; 3] = [0.008, 0.016, 0.030];
/// How much brighter or darker each colour of the light becomes, as a share; and how far it comes from
/// another side, as a slope.
const LIGHT: [f64; 3] = [0.15, 0.30, 0.50];
/// How far the static camera is moved along and turned about each axis, at most.
const CAMERA_M: [f64; 3] = [0.020, 0.040, 0.060];
const CAMERA_RAD: [f64; 3] = [0.015, 0.030, 0.050];

/// Friction of the table top and the blocks, as a share of what it was: at 0.35 nothing slides on.
const FRICTION: [f64; 3] = [0.60, 0.35, 0.15];
/// Mass of the blocks, and friction and damping of the furniture's joints, as multiples.
const MASS: [f64; 3] = [1.5, 2.0, 3.0];
const STIFFNESS: [f64; 3] = [1.5, 2.0, 3.0];
/// How late commands arrive, in policy steps.
const LATENCY_STEPS: [u64; 3] = [1, 2, 3];
const POLICY_STEP_NS: u64 = 100_000_000;

/// Where distractors may stand, x and y in metres: out of the way of hand, drawer, door and blocks.
const PLACES_M: [[f64; 2]; 7] = [
    [0.70, 0.42],
    [0.325, -0.42],
    [0.79, 0.36],
    [0.325, 0.44],
    [0.55, -0.46],
    [0.325, -0.25],
    [0.61, 0.46],
];

/// What the rest of the world has to know of a variation.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Outcome {
    /// Height of the table top, metres.
    pub(crate) table_z_m: f64,
    /// Shift of each fixture along the table, in the order of [`Fixture::ALL`], metres.
    pub(crate) shift_m: [[f64; 2]; 4],
    /// From a command to the moment it takes effect.
    pub(crate) latency_ns: u64,
    /// Geoms that are drawn with a material's pattern, and the material.
    pub(crate) patterns: Vec<(usize, usize)>,
}

impl Variation {
    /// Changes a pristine model and the layout that will be laid out in it.
    pub(crate) fn apply(
        self,
        seed: u64,
        parts: &Parts,
        model: &mut MjModel,
        layout: &mut Layout,
    ) -> Outcome {
        let level = usize::from(self.strength) - 1;
        let mut work = Work {
            random: Random::new(seed, 16 + self.axis as u64),
            level,
            parts,
            model,
            outcome: Outcome::default(),
        };
        match self.axis {
            Axis::Position => {
                work.shift_furniture();
                layout.displace_blocks(BLOCK_MARGIN_M[level], &mut work.random);
            }
            Axis::Object => {
                work.resize_blocks();
                work.paint();
            }
            Axis::Instruction => {}
            Axis::Scene => {
                work.raise_table();
                work.light();
                work.move_camera();
                work.place_distractors();
            }
            Axis::Dynamics => work.loosen(),
        }
        work.outcome
    }
}

/// A model being changed.
struct Work<'a> {
    random: Random,
    level: usize,
    parts: &'a Parts,
    model: &'a mut MjModel,
    outcome: Outcome,
}

impl Work<'_> {
    /// Half of the limit or more, to either side.
    fn either_way(&mut self, limit: f64) -> f64 {
        let size = limit * self.random.uniform(0.5, 1.0);
        if self.random.coin() { size } else { -size }
    }

    fn shift_furniture(&mut self) {
        self.forget_bounding_boxes();
        for (index, room) in SHIFT_ROOM.iter().enumerate() {
            let shift = room.map(|[low, high]| {
                let end = if self.random.coin() { high } else { low };
                end * SHIFT_M[self.level] * self.random.uniform(0.5, 1.0)
            });
            let fixture = &self.parts.fixtures[index];
            add(&mut self.model.body_pos_mut()[fixture.body], shift);
            for geom in &fixture.surroundings {
                add(&mut self.model.geom_pos_mut()[*geom], shift);
            }
            self.outcome.shift_m[index] = shift;
        }
    }

    fn resize_blocks(&mut self) {
        self.forget_bounding_boxes();
        for (body, geom) in self.parts.blocks.clone() {
            let across = 1.0 + self.either_way(SIZE[self.level]);
            // Flat ones stay high enough for the fingertips to hold them.
            let upright = 1.0 + self.either_way(SIZE[self.level]).max(-0.2);
            let [x, y, z] = self.model.geom_size()[geom];
            let size = [x * across, y * across, z * upright];
            let [x2, y2, z2] = size.map(|half| half * half);
            self.model.geom_size_mut()[geom] = size;
            self.model.geom_rbound_mut()[geom] = (x2 + y2 + z2).sqrt();
            self.model.geom_aabb_mut()[geom] = [0.0, 0.0, 0.0, size[0], size[1], size[2]];
            let third = self.model.body_mass()[body] / 3.0;
            self.model.body_inertia_mut()[body] =
                [y2 + z2, x2 + z2, x2 + y2].map(|sum| third * sum);
        }
    }

    fn paint(&mut self) {
        let limit = COLOUR[self.level];
        for (_, geom) in self.parts.blocks.clone() {
            let shade = 1.0 + self.either_way(SHADE[self.level]);
            self.tint(geom, shade, limit / 3.0);
            if self.level == 2 {
                self.wear(geom);
            }
        }
        for geom in self.parts.painted.clone() {
            self.tint(geom, 1.0, limit);
            let patterned = self.level == 2 && self.random.coin();
            if patterned || (self.level >= 1 && geom == self.parts.top) {
                self.wear(geom);
            }
        }
    }

    fn tint(&mut self, geom: usize, shade: f64, limit: f64) {
        let shifts = [0; 3].map(|_| self.random.within(limit));
        let rgba = &mut self.model.geom_rgba_mut()[geom];
        for (value, shift) in rgba.iter_mut().zip(shifts) {
            *value = (f64::from(*value) * shade + shift).clamp(0.02, 0.98) as f32;
        }
    }

    fn wear(&mut self, geom: usize) {
        let material = self.parts.materials[usize::from(self.random.coin())];
        self.outcome.patterns.push((geom, material));
    }

    fn raise_table(&mut self) {
        let rise_m = self.either_way(HEIGHT_M[self.level]);
        let fixtures = self.parts.fixtures.iter().map(|fixture| fixture.body);
        for body in fixtures.chain([self.parts.table, self.parts.distractors_body]) {
            self.model.body_pos_mut()[body][2] += rise_m;
        }
        self.outcome.table_z_m = rise_m;
    }

    fn light(&mut self) {
        let limit = LIGHT[self.level];
        let gains = [0; 3].map(|_| 1.0 + self.random.within(limit));
        // Brighter than this and everything is white.
        let all = 1.0 + self.either_way(limit).min(0.2);
        let slopes = [0; 2].map(|_| self.random.within(limit));
        relight(self.model, gains, all, slopes);
    }

    fn move_camera(&mut self) {
        let (moves, turns) = (CAMERA_M[self.level], CAMERA_RAD[self.level]);
        let shift = [0; 3].map(|_| self.random.within(moves));
        let halves = [0; 3].map(|_| self.random.within(turns) / 2.0);
        shift_camera(self.model, self.parts.camera, shift, halves);
    }

    fn place_distractors(&mut self) {
        self.forget_bounding_boxes();
        let mut places = PLACES_M;
        let mut things = self.parts.distractors.clone();
        for last in (1..places.len()).rev() {
            places.swap(last, self.random.uniform(0.0, (last + 1) as f64) as usize);
            things.swap(last, self.random.uniform(0.0, (last + 1) as f64) as usize);
        }
        let block_colours: Vec<[f32; 4]> = self
            .parts
            .blocks
            .iter()
            .map(|(_, geom)| self.model.geom_rgba()[*geom])
            .collect();
        for (index, (geom, place)) in things.into_iter().zip(places).enumerate() {
            let colour = [0; 3].map(|_| self.random.uniform(0.05, 0.95) as f32);
            if index >= DISTRACTORS[self.level] {
                continue;
            }
            // The strongest ones look like what is asked for.
            let rgba = match block_colours.get(index) {
                Some(colour) if self.level == 2 => *colour,
                _ => [colour[0], colour[1], colour[2], 1.0],
            };
            let half_height_m = self.model.geom_aabb()[geom][5];
            self.model.geom_pos_mut()[geom] = [place[0], place[1], half_height_m];
            self.model.geom_rgba_mut()[geom] = rgba;
            self.model.geom_contype_mut()[geom] = 1;
            self.model.geom_conaffinity_mut()[geom] = 1;
        }
        self.model.body_contype_mut()[self.parts.distractors_body] = 1;
        self.model.body_conaffinity_mut()[self.parts.distractors_body] = 1;
    }

    fn loosen(&mut self) {
        let (friction, mass) = (FRICTION[self.level], MASS[self.level]);
        let geoms = self.parts.blocks.iter().map(|(_, geom)| *geom);
        for geom in geoms.chain([self.parts.top]) {
            self.model.geom_friction_mut()[geom][0] *= friction;
        }
        for (body, _) in &self.parts.blocks {
            self.model.body_mass_mut()[*body] *= mass;
            for inertia in &mut self.model.body_inertia_mut()[*body] {
                *inertia *= mass;
            }
        }
        let stiffness = STIFFNESS[self.level];
        for fixture in [Fixture::Drawer, Fixture::Door, Fixture::Switch] {
            let dof = self.parts.fixtures[fixture as usize].dof;
            self.model.dof_damping_mut()[dof] *= stiffness;
            self.model.dof_frictionloss_mut()[dof] *= stiffness;
        }
        self.outcome.latency_ns = LATENCY_STEPS[self.level] * POLICY_STEP_NS;
    }

    /// MuJoCo built its trees of bounding boxes for the pristine scene; without them it looks at every pair.
    fn forget_bounding_boxes(&mut self) {
        self.model.opt_mut().disableflags |= mjtDisableBit::mjDSBL_MIDPHASE as i32;
    }
}

fn add(position: &mut [f64; 3], shift: [f64; 2]) {
    position[0] += shift[0];
    position[1] += shift[1];
}

/// Makes each colour of the light brighter by a factor, all by another, and has it come from another side, by slopes.
pub(super) fn relight(model: &mut MjModel, gains: [f64; 3], all: f64, slopes: [f64; 2]) {
    let dim = |colour: &mut [f32; 3]| {
        for (value, gain) in colour.iter_mut().zip(gains) {
            *value = (f64::from(*value) * gain * all).clamp(0.0, 1.0) as f32;
        }
    };
    model.light_diffuse_mut().iter_mut().for_each(dim);
    let headlight = &mut model.vis_mut().headlight;
    dim(&mut headlight.ambient);
    dim(&mut headlight.diffuse);
    for direction in model.light_dir_mut() {
        let [x, y, z] = [
            direction[0] + slopes[0],
            direction[1] + slopes[1],
            direction[2],
        ];
        let length = (x * x + y * y + z * z).sqrt();
        *direction = [x, y, z].map(|value| value / length);
    }
}

/// Moves a camera, m, and turns it about each axis by small angles, of which halves are given, rad.
pub(super) fn shift_camera(
    model: &mut MjModel,
    camera: usize,
    shift_m: [f64; 3],
    [x, y, z]: [f64; 3],
) {
    for (value, shift) in model.cam_pos_mut()[camera].iter_mut().zip(shift_m) {
        *value += shift;
    }
    // To first order the half angles are the quaternion's vector part.
    let turned = product(model.cam_quat()[camera], [1.0, x, y, z]);
    let length = turned.iter().map(|value| value * value).sum::<f64>().sqrt();
    model.cam_quat_mut()[camera] = turned.map(|value| value / length);
}

/// Hamilton product, w x y z.
fn product(a: [f64; 4], b: [f64; 4]) -> [f64; 4] {
    [
        a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3],
        a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2],
        a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1],
        a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0],
    ]
}
