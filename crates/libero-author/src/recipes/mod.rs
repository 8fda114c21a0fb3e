//! How each goal is reached, in stages that the demonstrations contain.

mod fixtures;
mod measures;
mod pick;
mod terms;

use tiller_reward::HandAccess;
use tiller_vlm::AuthorError;

use crate::program::ProgramText;
use crate::scene::{Kind, Level, Point, Scene};
use crate::understand::{Goal, Place, wording};
use measures::{
    BURNER, BURNER_ABOVE_TABLE_M, CABINET_TOP, FRONT_M, Graspable, ON_PLATE, Offset, RACK,
    cabinet_top, graspable,
};
use pick::Item;
use terms::Hand;

/// Most stages of a program.
const MAX_STAGES: usize = 16;
/// How far above its place a thing is let go, m; of cheese into a bowl, above the bowl's rim.
const DROP_M: f64 = 0.010;
/// A drawer whose keypoint stands nearer to the cabinet's than this along y is shut, m.
const SHUT_M: f64 = 0.130;
/// From an open drawer's cabinet to the middle of what is accessible of it, m.
const INSIDE_M: f64 = 0.150;

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
    let mut note = |point: &Point| {
        let [x, y, z] = point.position_m;
        notes.push(format!(
            "Keypoint {} is the {}, seen at ({x:.3}, {y:.3}, {z:.3}).",
            point.index, point.name
        ));
    };
    let mut opened = Vec::new();
    for (index, goal) in goals.iter().enumerate() {
        let goes_on = index + 1 < goals.len();
        match goal {
            Goal::Open(drawer) | Goal::Close(drawer) => {
                note(drawer);
                let level = level_of(drawer);
                faces_the_hand(drawer, scene)?;
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
                let (seen, goal) = goal_of(&item.how, thing, place, scene, &opened);
                note(seen);
                stages.extend(pick::take(&item, hand));
                let words = place.to_string();
                let words = words.split_once(' ').map_or("", |(_, words)| words);
                stages.extend(pick::put(&item, words, &goal, hand));
            }
        }
    }
    if stages.len() > MAX_STAGES {
        return Err(AuthorError::SeveralTasks {
            instruction: instruction.to_owned(),
            found: goals.iter().map(Goal::to_string).collect(),
        });
    }
    notes.dedup();
    Ok(ProgramText {
        title: wording(goals),
        notes,
        stages,
    })
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

/// The hand was shown to come to drawers whose fronts face left (+y).
fn faces_the_hand(drawer: &Point, scene: &Scene) -> Result<(), AuthorError> {
    let cabinet = cabinet_of(drawer, scene);
    let turned = cabinet.is_some_and(|cabinet| drawer.position_m[1] < cabinet.position_m[1]);
    if turned {
        return Err(AuthorError::Unsupported {
            action: "come to".to_owned(),
            object: format!(
                "{}, whose front faces away from where I was shown to come from",
                drawer.name
            ),
            can: scene.abilities(),
        });
    }
    Ok(())
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
    how: &Graspable,
    thing: &Point,
    place: &'s Place,
    scene: &'s Scene,
    opened: &[usize],
) -> (&'s Point, pick::Goal) {
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
        Place::CabinetTop(cabinet) => top_of(cabinet, scene),
        Place::Drawer(drawer) => (drawer, inside(drawer, scene, opened)),
        Place::Rack(rack) => (rack, RACK),
    };
    let _ = how;
    let goal = pick::Goal {
        keypoint: seen.index,
        seen_m: seen.position_m,
        offset,
        drop_m,
    };
    (seen, goal)
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

/// By the highest drawer that is shut: what hides a part of a cabinet moves its own keypoint by centimetres.
fn top_of<'s>(cabinet: &'s Point, scene: &'s Scene) -> (&'s Point, Offset) {
    for level in Level::ALL {
        if let Some(drawer) = scene.part(cabinet, Kind::Drawer(level)) {
            let out_m = drawer.position_m[1] - cabinet.position_m[1];
            let [x, y, z] = cabinet_top(level);
            if out_m.abs() < SHUT_M {
                let side = out_m.signum();
                return (drawer, [side * x, side * y, z]);
            }
        }
    }
    (cabinet, CABINET_TOP)
}

/// Into an open drawer, or into one that will be open by then.
fn inside(drawer: &Point, scene: &Scene, opened: &[usize]) -> Offset {
    let _ = (scene, opened);
    let [x, y, z] = cabinet_top(level_of(drawer));
    [x, y + INSIDE_M, z - 0.060]
}
