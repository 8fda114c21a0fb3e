//! How near the robot is to itself, to the table and to the walls of its box, and how far it may go
//! on before it is too near.

use nalgebra::{SVector, Vector3};

use crate::body::{Body, CAPSULES, FINGERTIPS, HAND, PAIRS, REACH_M, hand_below_tcp_m};
use crate::kinematics::{Chain, JOINTS, JointVector};
use crate::limits::Limits;

/// How far outside its box the TCP may come on a way between waypoints inside, m.
const WALL_SLACK_M: f64 = 0.005;

/// The first of [`CAPSULES`] that can reach a table: those before it are of links 0 to 2.
const FIRST_OVER_TABLE: usize = 3;

/// How finely a way is looked at where something is near, m of the fastest motion that there could be.
const FINEST_M: f64 = 0.004;

/// Postures that a look ahead takes at most; it ends early, and short, after them.
pub(crate) const LOOKS: usize = 24;

/// Room that plans leave to everything, m: for what following them is off, and for bends.
pub(crate) const PLANNED_ROOM_M: f64 = 0.003;

/// By how much a plan may come nearer to what it began too near to, m.
const HAIR_M: f64 = 0.0005;

/// Everything that the robot could come too near to: pairs of capsules, capsules over the table, and
/// the TCP in its box.
const OBSTACLES: usize = PAIRS.len() + CAPSULES.len() + 1;
const WALL: usize = OBSTACLES - 1;

/// What the robot could come too near to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// Two of its links to each other.
    Links(usize, usize),
    /// A link to the table.
    Table(usize),
    /// The TCP to a wall of its box, from inside.
    Wall,
}

/// What is nearest to being too near.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Nearest {
    pub(crate) obstacle: Obstacle,
    /// How far away it is, m; of a wall from inside.
    pub(crate) distance_m: f64,
    /// How far away it must be, m.
    pub(crate) limit_m: f64,
}

/// How much nearer the robot may come to each obstacle, m.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rooms([f64; OBSTACLES]);

impl Rooms {
    /// At a posture.
    pub(crate) fn new(limits: &Limits, chain: &Chain) -> Self {
        let (body, clearance) = (Body::new(chain), &limits.clearance);
        let mut rooms = [f64::INFINITY; OBSTACLES];
        for (room_m, pair) in rooms.iter_mut().zip(PAIRS) {
            *room_m = body.distance_m(pair) - clearance.between_links_m;
        }
        if let Some(table_m) = clearance.table_height_m {
            let over_table = rooms[PAIRS.len()..WALL].iter_mut().enumerate();
            for (index, room_m) in over_table.skip(FIRST_OVER_TABLE) {
                *room_m = body.lowest_m(index) - table_m - limit_m(limits, PAIRS.len() + index);
            }
        }
        let bounds = &limits.workspace.bounds;
        let (low, high) = (Vector3::from(bounds.min_m), Vector3::from(bounds.max_m));
        let above = (chain.position - low).min();
        rooms[WALL] = above.min((high - chain.position).min()) + WALL_SLACK_M;
        Self(rooms)
    }

    /// Rooms that are kept from here on: none, or less than none where it begins like that.
    pub(crate) fn floors(&self) -> Self {
        Self(self.0.map(|room_m| room_m.min(0.0)))
    }

    /// Rooms that plans from here keep, so that following them is not held back; whether the box is kept
    /// is checked elsewhere.
    pub(crate) fn planned_floors(&self) -> Self {
        let mut floors = self.0.map(|room_m| (room_m - HAIR_M).min(PLANNED_ROOM_M));
        floors[WALL] = f64::NEG_INFINITY;
        Self(floors)
    }

    /// The same after some motion: what was gained is kept.
    pub(crate) fn raise(&mut self, rooms: &Self) {
        for (floor_m, room_m) in self.0.iter_mut().zip(&rooms.0) {
            *floor_m = floor_m.max(room_m.min(0.0));
        }
    }

    /// The least room to anything, m.
    #[cfg(test)]
    pub(crate) fn least_m(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// What there is less room to than the floors say.
    fn below(&self, floors: &Self, limits: &Limits) -> Option<Nearest> {
        let index = (0..OBSTACLES).find(|index| self.0[*index] < floors.0[*index])?;
        Some(self.nearest(limits, index, floors))
    }

    fn nearest(&self, limits: &Limits, index: usize, floors: &Self) -> Nearest {
        let limit_m = limit_m(limits, index);
        Nearest {
            obstacle: obstacle(index),
            distance_m: self.0[index] + limit_m,
            limit_m: floors.0[index] + limit_m,
        }
    }

    /// For how many seconds nothing can come below its floor, at speeds that [`speeds_m_s`] gives, and
    /// what could come there first.
    fn free_s(&self, floors: &Self, speeds_m_s: &[f64; JOINTS + 1]) -> (f64, usize) {
        let mut free = (f64::INFINITY, WALL);
        for (index, (room_m, floor_m)) in self.0.iter().zip(&floors.0).enumerate() {
            let (first, last) = BETWEEN[index];
            // What does not move has for ever.
            let time_s = (room_m - floor_m) / (speeds_m_s[last] - speeds_m_s[first]);
            if time_s < free.0 {
                free = (time_s, index);
            }
        }
        free
    }
}

const fn obstacle(index: usize) -> Obstacle {
    if index < PAIRS.len() {
        let (a, b) = PAIRS[index];
        Obstacle::Links(CAPSULES[a].link, CAPSULES[b].link)
    } else if index < WALL {
        Obstacle::Table(CAPSULES[index - PAIRS.len()].link)
    } else {
        Obstacle::Wall
    }
}

/// The links between which joints move each obstacle and the robot towards each other: the hand moves
/// as link 7.
const BETWEEN: [(usize, usize); OBSTACLES] = {
    let mut between = [(0, JOINTS); OBSTACLES];
    let mut index = 0;
    while index < WALL {
        let (first, last) = match obstacle(index) {
            Obstacle::Links(first, last) => (first, last),
            Obstacle::Table(link) => (0, link),
            Obstacle::Wall => (0, JOINTS),
        };
        between[index] = (first, if last < JOINTS { last } else { JOINTS });
        index += 1;
    }
    between
};

/// Least distance to an obstacle, m.
fn limit_m(limits: &Limits, index: usize) -> f64 {
    let clearance = &limits.clearance;
    match obstacle(index) {
        Obstacle::Links(..) => clearance.between_links_m,
        Obstacle::Wall => -WALL_SLACK_M,
        Obstacle::Table(HAND) if index - PAIRS.len() == FINGERTIPS => {
            clearance.fingers_above_table_m
        }
        Obstacle::Table(_) => clearance.above_table_m,
    }
}

/// How far a hand must be raised so that it keeps the planned height over the table, m, and what of it
/// is too low; `z_of_axes` are the z components of its axes in the base frame.
pub(crate) fn too_low(
    limits: &Limits,
    tcp_height_m: f64,
    z_of_axes: &Vector3<f64>,
) -> Option<(f64, Nearest)> {
    let (clearance, table_m) = (&limits.clearance, limits.clearance.table_height_m?);
    let (hand, tips) = hand_below_tcp_m(z_of_axes);
    let parts = [
        (hand, clearance.above_table_m),
        (tips, clearance.fingers_above_table_m),
    ];
    parts
        .into_iter()
        .map(|(below_tcp_m, least_m)| Nearest {
            obstacle: Obstacle::Table(HAND),
            distance_m: tcp_height_m + below_tcp_m - table_m,
            limit_m: least_m + PLANNED_ROOM_M,
        })
        .map(|nearest| (nearest.limit_m - nearest.distance_m, nearest))
        .filter(|(raise_m, _)| *raise_m > 0.0)
        .max_by(|a, b| a.0.total_cmp(&b.0))
}

/// The highest speed, m/s, that joints up to each link can give it; the last entry is of the hand.
fn speeds_m_s(rates_rad_s: &SVector<f64, JOINTS>) -> [f64; JOINTS + 1] {
    let mut speeds = [0.0; JOINTS + 1];
    for joint in 0..JOINTS {
        speeds[joint + 1] = speeds[joint] + rates_rad_s[joint].abs() * REACH_M[joint];
    }
    speeds
}

/// For how many seconds, at most `most_s`, the arm may go on from `q_rad`, where it has these rooms, at
/// these joint rates without coming below its floors; and what ends the way, if anything.
///
/// Steps are as long as the room there is, for nothing moves faster than [`REACH_M`] says: none of
/// them can pass by anything.
pub(crate) fn free_way_s(
    limits: &Limits,
    (q_rad, here): (&JointVector, &Rooms),
    rates_rad_s: &SVector<f64, JOINTS>,
    most_s: f64,
    floors: &Rooms,
    most_looks: usize,
) -> (f64, Option<Nearest>) {
    let speeds = speeds_m_s(rates_rad_s);
    let finest_s = FINEST_M / speeds[JOINTS];
    let (mut way_s, mut last) = (0.0, *here);
    let mut looks = 0;
    loop {
        let (free_s, first) = last.free_s(floors, &speeds);
        if way_s + free_s >= most_s {
            return (most_s, None);
        }
        if looks == most_looks {
            return (way_s, Some(last.nearest(limits, first, floors)));
        }
        looks += 1;
        let next_s = (way_s + free_s.max(finest_s)).min(most_s);
        let ahead: JointVector =
            std::array::from_fn(|joint| q_rad[joint] + rates_rad_s[joint] * next_s);
        let found = Rooms::new(limits, &Chain::new(&ahead));
        if let Some(obstacle) = found.below(floors, limits) {
            return (way_s, Some(obstacle));
        }
        if next_s >= most_s {
            return (most_s, None);
        }
        (way_s, last) = (next_s, found);
    }
}
