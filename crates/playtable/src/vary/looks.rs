//! Random looks of a scene as it stands: light, colours, patterns, clutter and the static camera's pose, all at once and
//! farther than any [`Variation`](super::Variation) goes.

use mujoco_rs::prelude::MjModel;
use tiller_world::Random;

use super::Parts;
use super::apply::{relight, shift_camera};

/// How far the static camera is moved along and turned about each axis, at most.
const CAMERA_M: f64 = 0.08;
const CAMERA_RAD: f64 = 0.06;
/// How much brighter or darker each colour of the light becomes, and all of it, as a share.
const LIGHT: f64 = 0.35;
const BRIGHTNESS: [f64; 2] = [0.45, 1.25];
/// How far the light comes from another side, as a slope.
const SLOPE: f64 = 0.7;
/// How far colours of furniture move, of 1; those of blocks, so that red stays red.
const COLOUR: f64 = 0.45;
const BLOCK_COLOUR: f64 = 0.14;
const SHADE: [f64; 2] = [0.55, 1.4];
/// Where clutter stands, m.
const CLUTTER_FROM_M: [f64; 2] = [0.28, -0.50];
const CLUTTER_TO_M: [f64; 2] = [0.82, 0.50];
/// How much larger or smaller it is.
const CLUTTER_SIZE: [f64; 2] = [0.7, 1.4];

/// Gives a model random looks; things that are drawn with a material's pattern come back with the material. Nothing
/// touches the clutter: it is there to be seen.
pub(crate) fn dress(
    random: &mut Random,
    parts: &Parts,
    table_z_m: f64,
    model: &mut MjModel,
) -> Vec<(usize, usize)> {
    let mut patterns = Vec::new();
    if random.chance(0.8) {
        light(random, model);
    }
    if random.chance(0.8) {
        paint(random, parts, model, &mut patterns);
    }
    if random.chance(0.8) {
        camera(random, parts, model);
    }
    if random.chance(0.8) {
        clutter(random, parts, table_z_m, model);
    }
    patterns
}

fn light(random: &mut Random, model: &mut MjModel) {
    let gains = [0; 3].map(|_| 1.0 + random.within(LIGHT));
    let all = random.uniform(BRIGHTNESS[0], BRIGHTNESS[1]);
    let slopes = [0; 2].map(|_| random.within(SLOPE));
    relight(model, gains, all, slopes);
}

fn paint(
    random: &mut Random,
    parts: &Parts,
    model: &mut MjModel,
    patterns: &mut Vec<(usize, usize)>,
) {
    let blocks = parts.blocks.iter().map(|(_, geom)| (*geom, BLOCK_COLOUR));
    let furniture = parts.painted.iter().map(|geom| (*geom, COLOUR));
    for (geom, limit) in blocks.chain(furniture) {
        let shade = random.uniform(SHADE[0], SHADE[1]);
        let shifts = [0; 3].map(|_| random.within(limit));
        let rgba = &mut model.geom_rgba_mut()[geom];
        for (value, shift) in rgba.iter_mut().zip(shifts) {
            *value = (f64::from(*value) * shade + shift).clamp(0.02, 0.98) as f32;
        }
        if random.chance(0.25) {
            patterns.push((geom, parts.materials[usize::from(random.coin())]));
        }
    }
}

fn camera(random: &mut Random, parts: &Parts, model: &mut MjModel) {
    let shift_m = [0; 3].map(|_| random.within(CAMERA_M));
    let halves_rad = [0; 3].map(|_| random.within(CAMERA_RAD) / 2.0);
    shift_camera(model, parts.camera, shift_m, halves_rad);
}

fn clutter(random: &mut Random, parts: &Parts, table_z_m: f64, model: &mut MjModel) {
    let colours: Vec<[f32; 4]> = parts
        .blocks
        .iter()
        .map(|(_, geom)| model.geom_rgba()[*geom])
        .collect();
    for geom in &parts.distractors {
        if random.chance(0.35) {
            continue;
        }
        let size = random.uniform(CLUTTER_SIZE[0], CLUTTER_SIZE[1]);
        model.geom_size_mut()[*geom] = model.geom_size()[*geom].map(|side| side * size);
        let half_height_m = model.geom_aabb()[*geom][5] * size;
        let [x, y] = [0, 1].map(|axis| random.uniform(CLUTTER_FROM_M[axis], CLUTTER_TO_M[axis]));
        model.geom_pos_mut()[*geom] = [x, y, table_z_m + half_height_m];
        let free = [0; 3].map(|_| random.uniform(0.05, 0.95) as f32);
        // Some have a block's colour: what tells them apart is their shape.
        let alike = random
            .chance(0.3)
            .then(|| random.one_of(&colours))
            .flatten();
        model.geom_rgba_mut()[*geom] = alike.unwrap_or([free[0], free[1], free[2], 1.0]);
    }
}
