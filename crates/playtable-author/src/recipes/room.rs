//! Where there is room for the hand, and for what it pushes.

use tiller_vlm::{Abilities, AuthorError};

use super::block::{MIDDLE_X_M, PUSH_TRAVEL_M, STANDOFF_M};
use crate::scene::{Point, Scene};
use crate::understand::{Direction, Goal, Thing, Way};

/// Where fingers and block may be during a push, x and y, m: on the table, clear of the furniture.
const FREE_X_M: [f64; 2] = [0.33, 0.58];
const FREE_Y_M: [f64; 2] = [-0.10, 0.33];
/// Least distance of the fingers on the way down, and of the pushed block, from anything else, m.
const ENTRY_ROOM_M: f64 = 0.058;
const PUSH_ROOM_M: f64 = 0.068;
/// Least distance of the fingers from the middle of another block where they come down into a gap, m:
/// half a block that is turned by 0.3 rad (26 mm), half the closed fingers (15 mm), and 5 mm.
const GAP_ROOM_M: f64 = 0.046;
/// The nearest to the block's middle that the fingers can come down, m: half a block, half the
/// fingers, and 5 mm.
const NEAREST_M: f64 = 0.041;
/// Places that are tried for a gap: from [`STANDOFF_M`] to [`NEAREST_M`], and beside the line of push, m.
const STANDOFFS: u32 = 5;
const ASIDE_M: [f64; 3] = [0.0, 0.012, -0.012];

/// How a block is pushed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Approach {
    pub(super) direction: Direction,
    /// From the block's middle to where the fingers come down, against the direction, m.
    pub(super) standoff_m: f64,
    /// The same across the direction, to its left, m.
    pub(super) aside_m: f64,
}

impl Approach {
    fn straight(direction: Direction) -> Self {
        Self {
            direction,
            standoff_m: STANDOFF_M,
            aside_m: 0.0,
        }
    }

    /// From the block's middle to where the fingers come down, base frame, m.
    pub(super) fn entry_m(&self) -> [f64; 2] {
        let [dx, dy] = self.direction.unit();
        let (back, left) = (self.standoff_m, self.aside_m);
        [-back * dx - left * dy, -back * dy + left * dx]
    }
}

/// What else stands in the scene while a block is pushed.
struct Surroundings<'a> {
    point: &'a Point,
    scene: &'a Scene,
    avoid: &'a [Thing],
}

/// How to push a block the way that is asked for, or the way that has the most room: from behind, or
/// else nearer to the block or off its middle, so that the hand comes down on nothing else.
///
/// # Errors
/// [`AuthorError::NoRoom`], with the directions in which the block can be pushed.
pub(super) fn approach(
    goal: &Goal,
    point: &Point,
    way: Option<&Way>,
    scene: &Scene,
    avoid: &[Thing],
) -> Result<Approach, AuthorError> {
    let around = Surroundings {
        point,
        scene,
        avoid,
    };
    let directions = match way {
        None => around.by_room(),
        Some(Way::Along(direction)) => vec![*direction],
        Some(Way::Towards(thing)) => around.towards(thing),
    };
    let found = directions
        .iter()
        .find_map(|direction| around.approach(*direction));
    found.ok_or_else(|| {
        let free = Direction::ALL
            .into_iter()
            .filter(|direction| around.approach(*direction).is_some());
        let colour = point.object.trim_end_matches(" block");
        let push = |direction| {
            Goal::PushBlock {
                colour: colour.to_owned(),
                way: Some(Way::Along(direction)),
            }
            .to_string()
        };
        let obstacle = directions
            .first()
            .and_then(|direction| around.obstacle(*direction));
        AuthorError::NoRoom {
            goal: goal.to_string(),
            obstacle: obstacle.unwrap_or_else(|| "edge of the table".to_owned()),
            can: Abilities(free.map(push).collect()),
        }
    })
}

impl Surroundings<'_> {
    fn middle_m(&self) -> [f64; 2] {
        middle_m(self.point)
    }

    fn others(&self) -> impl Iterator<Item = &Point> {
        let own = self.point.index;
        self.scene.points().filter(move |other| other.index != own)
    }

    /// Whether the thing may not be touched on any account.
    fn is_avoided(&self, other: &Point) -> bool {
        let is_on = |thing: &Thing| thing.has_keypoint(&other.object);
        self.avoid.iter().any(is_on)
    }

    /// The first direction with free way comes first, then the others by their room. Towards the robot
    /// comes last among equals: there the hand hides the block from the camera.
    fn by_room(&self) -> Vec<Direction> {
        let mut directions = Direction::ALL.to_vec();
        let free = directions
            .iter()
            .position(|direction| self.room_m(*direction) > 0.0);
        match free {
            Some(at) => directions.swap(0, at),
            None => directions.sort_by(|a, b| self.room_m(*b).total_cmp(&self.room_m(*a))),
        }
        directions
    }

    /// The directions on the table that lead nearer to a thing, the most direct one first.
    fn towards(&self, thing: &Thing) -> Vec<Direction> {
        let Some(to) = self.scene.find(&thing.keypoint()) else {
            return Vec::new();
        };
        let from = self.middle_m();
        let way = [to.position_m[0] - from[0], to.position_m[1] - from[1]];
        let along = |direction: &Direction| {
            let [dx, dy] = direction.unit();
            dx * way[0] + dy * way[1]
        };
        let mut directions = Direction::ALL.to_vec();
        directions.retain(|direction| along(direction) >= PUSH_TRAVEL_M);
        directions.sort_by(|a, b| along(b).total_cmp(&along(a)));
        if directions.is_empty() {
            directions = Direction::ALL.to_vec();
            directions.sort_by(|a, b| along(b).total_cmp(&along(a)));
            directions.truncate(1);
        }
        directions
    }

    /// Distance to the nearest thing in the way of a straight push beyond what is needed, m; negative when
    /// blocked.
    fn room_m(&self, direction: Direction) -> f64 {
        let [dx, dy] = direction.unit();
        let middle = self.middle_m();
        let along = |length: f64| [middle[0] + dx * length, middle[1] + dy * length];
        let inside = |[x, y]: [f64; 2]| {
            let [x_low, x_high] = FREE_X_M;
            let [y_low, y_high] = FREE_Y_M;
            (x - x_low).min(x_high - x).min(y - y_low).min(y_high - y)
        };
        let entry = along(-STANDOFF_M);
        let mut room = inside(entry).min(inside(along(PUSH_TRAVEL_M)));
        for other in self.others() {
            let at = [other.position_m[0], other.position_m[1]];
            room = room.min(distance(entry, at) - ENTRY_ROOM_M);
            room = room.min(self.way_room_m(direction, other));
        }
        room
    }

    /// Distance of the pushed block from another thing beyond what is needed, m.
    fn way_room_m(&self, direction: Direction, other: &Point) -> f64 {
        let [dx, dy] = direction.unit();
        let middle = self.middle_m();
        let at = [other.position_m[0], other.position_m[1]];
        let place = |part: u32| {
            let length = PUSH_TRAVEL_M * f64::from(part) / 4.0;
            [middle[0] + dx * length, middle[1] + dy * length]
        };
        let nearest = (0..=4).map(|part| distance(place(part), at));
        nearest.fold(f64::INFINITY, f64::min) - PUSH_ROOM_M
    }

    /// How to push in a direction, if the hand finds room behind the block.
    fn approach(&self, direction: Direction) -> Option<Approach> {
        let is_barred =
            |other: &Point| self.is_avoided(other) && self.way_room_m(direction, other) < 0.0;
        if self.others().any(is_barred) {
            return None;
        }
        let straight = Approach::straight(direction);
        if self
            .others()
            .all(|other| self.entry_room_m(&straight, other, ENTRY_ROOM_M) >= 0.0)
        {
            return Some(straight);
        }
        let step_m = (STANDOFF_M - NEAREST_M) / f64::from(STANDOFFS - 1);
        let places = (0..STANDOFFS).flat_map(|step| {
            ASIDE_M.map(|aside_m| Approach {
                standoff_m: STANDOFF_M - step_m * f64::from(step),
                aside_m,
                ..straight
            })
        });
        let room = |approach: &Approach| {
            let others = self.others();
            let room = others.map(|other| self.entry_room_m(approach, other, GAP_ROOM_M));
            room.fold(f64::INFINITY, f64::min)
        };
        let best = places.max_by(|a, b| room(a).total_cmp(&room(b)))?;
        (room(&best) >= 0.0).then_some(best)
    }

    /// Distance of the fingers from another thing where they come down, beyond what is needed, m. Only
    /// blocks are small enough to come down close to.
    fn entry_room_m(&self, approach: &Approach, other: &Point, block_m: f64) -> f64 {
        let [x, y] = approach.entry_m();
        let middle = self.middle_m();
        let entry = [middle[0] + x, middle[1] + y];
        let is_block = other.object.ends_with(" block") && !self.is_avoided(other);
        let needed = if is_block { block_m } else { ENTRY_ROOM_M };
        distance(entry, middle_m(other)) - needed
    }

    /// What stands nearest to where the hand would come down.
    fn obstacle(&self, direction: Direction) -> Option<String> {
        let straight = Approach::straight(direction);
        let barred = self
            .others()
            .find(|other| self.is_avoided(other) && self.way_room_m(direction, other) < 0.0);
        let room = |other: &&Point| self.entry_room_m(&straight, other, ENTRY_ROOM_M);
        let nearest = self.others().min_by(|a, b| room(a).total_cmp(&room(b)));
        barred.or(nearest).map(|other| other.object.clone())
    }
}

/// Where a thing stands on the table, m: the camera sees the top and the far face of a block.
fn middle_m(point: &Point) -> [f64; 2] {
    let [x, y, _] = point.position_m;
    if point.object.ends_with(" block") {
        [x + MIDDLE_X_M, y]
    } else {
        [x, y]
    }
}

fn distance(a: [f64; 2], b: [f64; 2]) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}
