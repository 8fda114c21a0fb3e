//! Chooses how to push a block.

use super::geometry::{add, distance, minus, scale};
use super::skill::BUTTON_XY_M;
use crate::objects::{Block, ObjectStates};
use tiller_world::Random;

/// How far a push moves the block, metres: beyond the oracle's threshold.
pub(super) const PUSH_LENGTH_M: f64 = 0.085;
/// Gap between fingertips and block when the push starts, metres.
const GAP_M: f64 = 0.022;
/// Half width of the closed fingertips, metres.
const FINGERS_M: f64 = 0.014;
/// Where the pushed block's centre may end, x and y ranges in metres: on the table, clear of the furniture.
const END_X_M: [f64; 2] = [0.35, 0.575];
const END_Y_M: [f64; 2] = [-0.045, 0.32];
/// Where the fingertips may come down: the hand, 0.20 m wide along y and
/// 0.06 m along x, stays off the switch and the door's handle.
const ENTRY_X_M: [f64; 2] = [0.32, 0.582];
const ENTRY_Y_M: [f64; 2] = [-0.11, 0.275];

/// A straight push.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Push {
    /// Unit vector along the table.
    pub(super) direction: [f64; 2],
    /// Centre of the block when the push was planned.
    pub(super) from: [f64; 2],
    /// Distance from the block's centre back to where the fingertips come down, metres.
    pub(super) standoff_m: f64,
}

impl Push {
    /// One of the four pushes square to the block's faces: drawn among those with free way, or else the
    /// one with the most room.
    pub(super) fn plan(block: Block, objects: &ObjectStates, random: &mut Random) -> Self {
        let mut pushes = faces(block, objects);
        // A seeded start of the round decides among equals.
        let first = random.uniform(0.0, 4.0) as usize % 4;
        pushes.rotate_left(first);
        let room = |push: &Push| push.room_m(block, objects);
        if let Some(free) = pushes.iter().find(|push| room(push) > 0.0) {
            return *free;
        }
        pushes
            .into_iter()
            .reduce(|a, b| if room(&b) > room(&a) { b } else { a })
            .unwrap_or(Push {
                direction: [1.0, 0.0],
                from: center(block, objects),
                standoff_m: 0.06,
            })
    }

    /// Where the fingertips come down, seen from the block's present centre.
    pub(super) fn entry(&self, center: [f64; 2]) -> [f64; 2] {
        minus(center, scale(self.direction, self.standoff_m))
    }

    /// Distance to the nearest thing in the way beyond what is needed, metres; negative when blocked.
    fn room_m(&self, block: Block, objects: &ObjectStates) -> f64 {
        let end = add(self.from, scale(self.direction, PUSH_LENGTH_M + 0.01));
        let entry = self.entry(self.from);
        let inside = |p: [f64; 2], x: [f64; 2], y: [f64; 2]| {
            (p[0] - x[0])
                .min(x[1] - p[0])
                .min(p[1] - y[0])
                .min(y[1] - p[1])
        };
        let mut room = inside(end, END_X_M, END_Y_M).min(inside(entry, ENTRY_X_M, ENTRY_Y_M));
        room = room.min(distance(entry, BUTTON_XY_M) - 0.065);
        for other in Block::ALL.into_iter().filter(|other| *other != block) {
            let obstacle = center(other, objects);
            room = room.min(distance(entry, obstacle) - 0.055);
            for part in 0..=4 {
                let length = PUSH_LENGTH_M * f64::from(part) / 4.0;
                let along = add(self.from, scale(self.direction, length));
                room = room.min(distance(along, obstacle) - 0.068);
            }
        }
        room
    }
}

fn faces(block: Block, objects: &ObjectStates) -> [Push; 4] {
    let yaw = objects.blocks[block.index()].yaw_rad;
    let [half_x, half_y, _] = block.half_size_m();
    [(0.0, half_x), (0.25, half_y), (0.5, half_x), (0.75, half_y)].map(|(turn, half)| {
        let (sin, cos) = (yaw + turn * std::f64::consts::TAU).sin_cos();
        Push {
            direction: [cos, sin],
            from: center(block, objects),
            standoff_m: half + FINGERS_M + GAP_M,
        }
    })
}

fn center(block: Block, objects: &ObjectStates) -> [f64; 2] {
    let [x, y, _] = objects.blocks[block.index()].position_m;
    [x, y]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(red: [f64; 2], blue: [f64; 2]) -> ObjectStates {
        let mut objects = ObjectStates::default();
        for (slot, [x, y]) in objects.blocks.iter_mut().zip([red, blue, [0.53, -0.03]]) {
            slot.position_m = [x, y, 0.02];
        }
        objects
    }

    #[test]
    fn pushes_keep_away_from_the_neighbour() {
        let objects = objects([0.45, 0.10], [0.45, 0.19]);
        for seed in 0..32 {
            let push = Push::plan(Block::Red, &objects, &mut Random::new(seed, 1));
            assert!(push.direction[1] < 0.5, "towards the blue block: {push:?}");
            assert!(push.room_m(Block::Red, &objects) > 0.0);
        }
    }

    #[test]
    fn seeds_vary_the_direction() {
        let objects = objects([0.45, 0.12], [0.45, 0.28]);
        let directions: Vec<_> = (0..32)
            .map(|seed| Push::plan(Block::Red, &objects, &mut Random::new(seed, 1)).direction)
            .collect();
        assert!(directions.iter().any(|d| d[0].abs() > 0.9));
        assert!(directions.iter().any(|d| d[1].abs() > 0.9));
    }
}
