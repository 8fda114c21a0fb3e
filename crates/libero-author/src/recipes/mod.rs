//! How each goal is reached, in stages that the demonstrations contain.

mod fixtures;
mod measures;
mod pick;
mod terms;

use tiller_reward::HandAccess;
use tiller_vlm::AuthorError;
use tiller_vlm::recipe::Hand;
use tiller_vlm::text::ProgramText;

use crate::scene::{Kind, Level, Point, Scene};
use crate::understand::{Goal, Place};
use measures::{
    BURNER, BURNER_ABOVE_TABLE_M, CABINET, CABINET_TOP, FRONT_M, ON_PLATE, Offset, RACK, graspable,
};
use pick::Item;

/// How far above its place a thing is let go, m; of cheese into a bowl, above the bowl's rim.
const DROP_M: f64 = 0.010;
/// How far above that the way there leads, m; over the sides of a drawer, which would be pushed shut.
const ABOVE_M: f64 = 0.065;
const ABOVE_DRAWER_M: f64 = 0.115;
/// A drawer whose keypoint stands nearer to the cabinet's than this along y is shut, m.
const SHUT_M: f64 = 0.130;

/// Writes the program for goals that are to be reached one after the other.
///
/// # Errors
/// [`AuthorError::SeveralTasks`] for more than fit in one program, [`AuthorError::Unsupported`] for what the hand was
/// never shown to do.
pub(crate) fn write(
    instruction: &str,
    goals: &[Goal],
    scene: &Scene,
    access: HandAccess,
) -> Result<ProgramText, AuthorError> {
    let hand = Hand { access };
    let (mut notes, mut stages) = (Vec::new(), Vec::new());
    let mut note = |point: &Point| notes.push(point.note());
    let mut opened = Vec::new();
    for (index, goal) in goals.iter().enumerate() {
        let goes_on = index + 1 < goals.len();
        match goal {
            Goal::Open(drawer) | Goal::Close(drawer) => {
                note(drawer);
                let level = level_of(drawer);
                is_within_reach(drawer, goal, scene)?;
                if matches!(goal, Goal::Open(_)) {
                    stages.extend(fixtures::open(drawer, level, hand, goes_on));
                    opened.push(drawer.index);
                } else {
                    let shut_y_m = shut_y_m(drawer, scene);
                    stages.extend(fixtures::close(drawer, level, shut_y_m, hand));
                }
            }
            Goal::Turn(stove, on) => {
                let knob = scene.part(stove, Kind::Knob).unwrap_or(stove);
                note(knob);
                stages.extend(fixtures::turn(knob, *on, hand));
            }
            Goal::Lift(thing) => {
                note(thing);
                stages.extend(pick::take(&item(thing, scene)?, hand));
            }
            Goal::Put(thing, place) => {
                note(thing);
                let item = item(thing, scene)?;
                let goal = goal_of(thing, place, scene, &opened);
                note(goal.seen);
                stages.extend(pick::take(&item, hand));
                let words = place.to_string();
                let words = words.split_once(' ').map_or("", |(_, words)| words);
                stages.extend(pick::put(&item, words, &goal, hand));
            }
        }
    }
    ProgramText::of_goals(instruction, goals, notes, stages)
}

fn item<'p>(point: &'p Point, scene: &Scene) -> Result<Item<'p>, AuthorError> {
    let how = graspable(point).ok_or_else(|| AuthorError::Unsupported {
        action: "pick up".to_owned(),
        object: point.name.clone(),
        can: scene.abilities(),
    })?;
    Ok(Item { point, how })
}

fn level_of(drawer: &Point) -> Level {
    match drawer.kind {
        Kind::Drawer(level) => level,
        _ => Level::Middle,
    }
}

/// The cabinet that a drawer is a part of.
fn cabinet_of<'s>(drawer: &Point, scene: &'s Scene) -> Option<&'s Point> {
    let mut cabinets = scene.of(Kind::Cabinet);
    cabinets.find(|cabinet| drawer.name.starts_with(&cabinet.name))
}

/// The hand was shown to come to handles from the left (+y), pointing level, and is so large that it would hit the
/// table at the lowest one.
fn is_within_reach(drawer: &Point, goal: &Goal, scene: &Scene) -> Result<(), AuthorError> {
    let cabinet = cabinet_of(drawer, scene);
    let is_turned = cabinet.is_some_and(|cabinet| drawer.position_m[1] < cabinet.position_m[1]);
    let obstacle = match (is_turned, level_of(drawer)) {
        (true, _) => "cabinet that faces the other way",
        (false, Level::Bottom) => "table",
        (false, _) => return Ok(()),
    };
    Err(AuthorError::NoRoom {
        goal: goal.to_string(),
        obstacle: obstacle.to_owned(),
        can: scene.abilities(),
    })
}

/// Where a drawer stands when it is shut: as the others do, as far as they are.
fn shut_y_m(drawer: &Point, scene: &Scene) -> f64 {
    let levels = Level::ALL.into_iter().map(Kind::Drawer);
    let drawers = levels.flat_map(|kind| scene.of(kind));
    let ys = drawers.map(|other| other.position_m[1]);
    ys.fold(drawer.position_m[1], f64::min)
}

/// Where a thing is put, with the keypoint that says so.
fn goal_of<'s>(
    thing: &Point,
    place: &'s Place,
    scene: &'s Scene,
    opened: &[usize],
) -> pick::Goal<'s> {
    let drop_m = match (place, thing.kind) {
        // It falls from where the fingers do not touch the rim.
        (Place::On(bowl), Kind::Cheese) if bowl.kind == Kind::Bowl => {
            graspable(bowl).map_or(DROP_M, |bowl| bowl.hold[2] - 0.002)
        }
        _ => DROP_M,
    };
    let (seen, offset) = match place {
        Place::On(point) => {
            let offset = match graspable(point) {
                Some(bowl) if point.kind == Kind::Bowl => {
                    let [x, y, z] = bowl.origin;
                    [x, y, z + 0.006]
                }
                _ => ON_PLATE,
            };
            (point, offset)
        }
        Place::Stove(stove) => (scene.part(stove, Kind::Burner).unwrap_or(stove), BURNER),
        Place::FrontOfStove(stove) => front_of(stove, scene),
        Place::CabinetTop(cabinet) => top_of(cabinet, scene, opened),
        Place::Drawer(drawer) => inside(drawer, scene, opened),
        Place::Rack(rack) => (rack, RACK),
    };
    pick::Goal {
        seen,
        offset,
        drop_m,
        above_m: if matches!(place, Place::Drawer(_)) {
            ABOVE_DRAWER_M
        } else {
            ABOVE_M
        },
    }
}

/// Beyond the burner as seen from the knob.
fn front_of<'s>(stove: &'s Point, scene: &'s Scene) -> (&'s Point, Offset) {
    let burner = scene.part(stove, Kind::Burner).unwrap_or(stove);
    let away = scene.part(stove, Kind::Knob).map_or([1.0, 0.0], |knob| {
        let [x, y] = [0, 1].map(|axis| burner.position_m[axis] - knob.position_m[axis]);
        // A stove stands along the table's axes.
        if x.abs() >= y.abs() {
            [x.signum(), 0.0]
        } else {
            [0.0, y.signum()]
        }
    });
    let offset = [
        BURNER[0] + FRONT_M * away[0],
        BURNER[1] + FRONT_M * away[1],
        -BURNER_ABOVE_TABLE_M,
    ];
    (burner, offset)
}

/// A keypoint by which a cabinet's origin is known, with the vector to it, and the side to which its drawers face: +1
/// is left. Best is the highest of its shut drawers, but not one that will be open: what hides a part of a cabinet
/// moves its own keypoint by centimetres.
fn origin_of<'s>(
    cabinet: &'s Point,
    scene: &'s Scene,
    opened: &[usize],
) -> (&'s Point, Offset, f64) {
    let drawers = Level::ALL.into_iter().filter_map(|level| {
        let drawer = scene.part(cabinet, Kind::Drawer(level))?;
        Some((level, drawer, drawer.position_m[1] - cabinet.position_m[1]))
    });
    let mut shut = drawers
        .clone()
        .filter(|(_, drawer, out_m)| out_m.abs() < SHUT_M && !opened.contains(&drawer.index));
    if let Some((level, drawer, out_m)) = shut.next() {
        let side = out_m.signum();
        return (drawer, turned(measures::cabinet(level), side), side);
    }
    let mut sides = drawers.map(|(.., out_m)| out_m.signum());
    (cabinet, CABINET, sides.next().unwrap_or(1.0))
}

/// A vector of a cabinet that faces left, of one that faces that side.
fn turned([x, y, z]: Offset, side: f64) -> Offset {
    [side * x, side * y, z]
}

fn plus(a: Offset, b: Offset) -> Offset {
    std::array::from_fn(|axis| a[axis] + b[axis])
}

fn top_of<'s>(cabinet: &'s Point, scene: &'s Scene, opened: &[usize]) -> (&'s Point, Offset) {
    let (seen, origin, side) = origin_of(cabinet, scene, opened);
    // Towards the robot whichever way it faces.
    let [x, y, z] = CABINET_TOP;
    (seen, plus(origin, [x, side * y, z]))
}

/// Into a drawer that is open by then.
fn inside<'s>(drawer: &'s Point, scene: &'s Scene, opened: &[usize]) -> (&'s Point, Offset) {
    let inside = measures::inside(level_of(drawer));
    let Some(cabinet) = cabinet_of(drawer, scene) else {
        // By itself it is known only as it stands open: more of its inside is seen.
        return (drawer, [-0.002, 0.008, -0.024]);
    };
    let mut opened = opened.to_vec();
    opened.push(drawer.index);
    let (seen, origin, side) = origin_of(cabinet, scene, &opened);
    (seen, plus(origin, turned(inside, side)))
}
