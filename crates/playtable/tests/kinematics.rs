//! The Panda's kinematics and shape as Tiller calculates them, against MuJoCo's of the same robot.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use mujoco_rs::prelude::{MjData, MjModel, MjtObjBase};
use tiller_motion::body::{CAPSULES, Capsule, HAND};
use tiller_motion::kinematics::{Chain, HAND_TCP_M};
use tiller_motion::limits::Limits;

const CONFIGURATIONS: usize = 10_000;

/// The model's hand is mounted by a quaternion of seven decimals: its orientation, and what follows
/// from it, is off by their rounding.
const HAND_ROUNDING: f64 = 5e-8;

/// How far outside the capsules of its link and the neighbours anything of the robot may be, m.
const STICKS_OUT_M: f64 = 0.0105;

fn panda() -> MjData<Box<MjModel>> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/panda.xml");
    MjData::new(Box::new(MjModel::from_xml(file).unwrap()))
}

/// Numbers from 0 to 1, the same ones every time: a xorshift generator.
struct Random(u64);

impl Random {
    fn part(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn joints(&mut self) -> [f64; 7] {
        let joint = Limits::panda().joint;
        std::array::from_fn(|j| {
            let (low, high) = (joint.position_min_rad[j], joint.position_max_rad[j]);
            low + (high - low) * self.part()
        })
    }
}

#[test]
fn links_tool_and_jacobian_are_where_the_simulation_has_them() {
    let mut data = panda();
    let model = data.model();
    let bodies: Vec<usize> = (1..=7)
        .map(|link| {
            model
                .name_to_id(MjtObjBase::mjOBJ_BODY, &format!("link{link}"))
                .unwrap()
        })
        .collect();
    let tcp = model.name_to_id(MjtObjBase::mjOBJ_SITE, "tcp").unwrap();
    let columns = model.ffi().nv as usize;
    let mut random = Random(0x5eed);
    let (mut links, mut tool, mut jacobian) = (0.0f64, [0.0f64; 2], 0.0f64);
    for _ in 0..CONFIGURATIONS {
        let q = random.joints();
        data.qpos_mut()[..7].copy_from_slice(&q);
        data.forward();
        let chain = Chain::new(&q);
        for (link, body) in bodies.iter().enumerate() {
            let (at, axes) = (data.xpos()[*body], data.xmat()[*body]);
            for row in 0..3 {
                links = links.max((at[row] - chain.origins[link][row]).abs());
                for column in 0..3 {
                    let ours = chain.rotations[link][(row, column)];
                    links = links.max((axes[3 * row + column] - ours).abs());
                }
            }
        }
        let (at, axes) = (data.site_xpos()[tcp], data.site_xmat()[tcp]);
        let (linear, angular) = data.jac_site(true, true, tcp);
        let ours = chain.jacobian();
        for row in 0..3 {
            tool[0] = tool[0].max((at[row] - chain.position[row]).abs());
            for column in 0..3 {
                let ours = chain.rotation[(row, column)];
                tool[1] = tool[1].max((axes[3 * row + column] - ours).abs());
            }
            for joint in 0..7 {
                let at = row * columns + joint;
                jacobian = jacobian.max((linear[at] - ours[(row, joint)]).abs());
                jacobian = jacobian.max((angular[at] - ours[(row + 3, joint)]).abs());
            }
        }
    }
    println!(
        "links {links:e}, tool {:e} m and {:e}, Jacobian {jacobian:e}",
        tool[0], tool[1]
    );
    assert!(links < 1e-9, "{links:e}");
    assert!(tool[0] < 1e-9 && tool[1] < HAND_ROUNDING, "{tool:?}");
    assert!(jacobian < 1e-9, "{jacobian:e}");
}

/// How far a point is outside a capsule at a posture, m.
fn outside_m(capsule: &Capsule, chain: &Chain, point: [f64; 3]) -> f64 {
    let placed = |local: [f64; 3]| -> [f64; 3] {
        let hand = chain.position - chain.rotation.column(2) * HAND_TCP_M;
        let (origin, axes) = match capsule.link {
            0 => return local,
            HAND => (hand, chain.rotation),
            link => (chain.origins[link - 1], chain.rotations[link - 1]),
        };
        std::array::from_fn(|row| {
            let turned: f64 = (0..3)
                .map(|column| axes[(row, column)] * local[column])
                .sum();
            origin[row] + turned
        })
    };
    let (from, to) = (placed(capsule.from_m), placed(capsule.to_m));
    let dot = |a: [f64; 3], b: [f64; 3]| (0..3).map(|i| a[i] * b[i]).sum::<f64>();
    let minus = |a: [f64; 3], b: [f64; 3]| -> [f64; 3] { std::array::from_fn(|i| a[i] - b[i]) };
    let (line, apart) = (minus(to, from), minus(point, from));
    let part = (dot(apart, line) / dot(line, line)).clamp(0.0, 1.0);
    let off: [f64; 3] = std::array::from_fn(|i| apart[i] - line[i] * part);
    dot(off, off).sqrt() - capsule.radius_m
}

#[test]
fn hardly_anything_of_the_robot_is_outside_its_capsules() {
    let mut data = panda();
    let link_of = |name: &str| match name.strip_prefix("link") {
        Some(number) => number.parse().unwrap(),
        None => HAND,
    };
    let model = data.model();
    let meshes: Vec<(usize, usize, std::ops::Range<usize>)> = (0..model.ffi().ngeom as usize)
        .filter_map(|geom| {
            let mesh = usize::try_from(model.geom_dataid()[geom]).ok()?;
            let body = model.geom_bodyid()[geom] as usize;
            let name = model.id_to_name(MjtObjBase::mjOBJ_BODY, body)?;
            let first = model.mesh_vertadr()[mesh] as usize;
            let vertices = first..first + model.mesh_vertnum()[mesh] as usize;
            Some((geom, link_of(name), vertices))
        })
        .collect();
    assert_eq!(meshes.len(), 13, "{meshes:?}");
    let mut random = Random(0xb0d1);
    let mut furthest = 0.0f64;
    for _ in 0..50 {
        let q = random.joints();
        let finger_m = 0.04 * random.part();
        data.qpos_mut()[..7].copy_from_slice(&q);
        data.qpos_mut()[7..9].fill(finger_m);
        data.forward();
        let chain = Chain::new(&q);
        for (geom, link, vertices) in &meshes {
            let (at, axes) = (data.geom_xpos()[*geom], data.geom_xmat()[*geom]);
            for vertex in &data.model().mesh_vert()[vertices.clone()] {
                let point = std::array::from_fn(|row| {
                    let turned: f64 = (0..3)
                        .map(|column| axes[3 * row + column] * f64::from(vertex[column]))
                        .sum();
                    at[row] + turned
                });
                let near = |capsule: &&Capsule| capsule.link.abs_diff(*link) <= 1;
                let outside = CAPSULES
                    .iter()
                    .filter(near)
                    .map(|capsule| outside_m(capsule, &chain, point))
                    .fold(f64::INFINITY, f64::min);
                furthest = furthest.max(outside);
            }
        }
    }
    println!("the furthest is {furthest} m outside");
    assert!(furthest < STICKS_OUT_M, "{furthest}");
}
