//! Drawers and the knob: the hand turns.

use tiller_vlm::recipe::{
    Axis, Fingers, Hand, Margin, StageDraft, Target, number, reach, stay, until_closed, until_open,
};

use super::measures::{HANDLE_WIDTH_M, KNOB, KNOB_WIDTH_M, Offset, handle};
use super::terms::{DOWN, EXACT, Posture, ROUGH, until_facing};
use crate::scene::{Level, Point};

/// Along y from the handle: where the hand comes down, turns, stands before it, and holds it, m.
const COMES_DOWN_M: f64 = 0.200;
const TURNS_M: f64 = 0.150;
const BEFORE_M: f64 = 0.090;
const HOLDS_M: f64 = -0.009;
/// How far the hand pulls, and by how much a drawer that counts as open has moved, m.
const PULLS_M: f64 = 0.250;
const OPENS_M: f64 = 0.150;
/// Above the handle where the hand comes down at least, and where it turns, m.
const DOWN_ABOVE_M: f64 = 0.060;
const DOWN_Z_M: f64 = 0.158;
const TURN_ABOVE_M: f64 = 0.030;
/// How far the hand is drawn back, and then towards the robot and up, to turn straight down again clear of the
/// drawer, m.
const BACK_M: f64 = 0.060;
const ASIDE_M: f64 = 0.200;
const FREE_Z_M: f64 = 0.260;
/// How far down the hand points, rad: at a handle not at all.
const FORWARD: f64 = 0.0;

/// What a place allows in the plane across the drawer's way, and along it.
const BESIDE: Margin = Margin {
    plane: 0.040,
    height: 0.040,
};

/// A place beside where a keypoint was seen before the arm came. What stands still needs no more, and what the arm
/// hides of it would move its keypoint.
fn seen(point: &Point, offset: Offset) -> Target {
    Target::fixed(std::array::from_fn(|axis| {
        point.position_m[axis] + offset[axis]
    }))
}

fn at(drawer: &Point, level: Level, along_m: f64, above_m: f64) -> Target {
    let [x, y, z] = handle(level);
    seen(drawer, [x, y + along_m, z + above_m])
}

/// To the handle, with the fingers closed around it.
fn hold(drawer: &Point, level: Level, hand: Hand) -> Vec<StageDraft> {
    let name = &drawer.name;
    let handle_z_m = drawer.position_m[2] + handle(level)[2];
    let above_m = DOWN_ABOVE_M.max(DOWN_Z_M - handle_z_m);
    let above = reach(
        &format!("come down before the {name}"),
        &at(drawer, level, COMES_DOWN_M, above_m),
        BESIDE,
    );
    let face = reach(
        "turn the hand to the handle",
        &at(drawer, level, TURNS_M, TURN_ABOVE_M),
        BESIDE,
    );
    let face = until_facing(FORWARD, face);
    let mut front = reach(
        "stop before the handle",
        &at(drawer, level, BEFORE_M, 0.0),
        EXACT,
    );
    front.margins = vec![
        "0.0120 - torch.abs(offset[2])".to_owned(),
        "0.0250 - torch.abs(offset[0])".to_owned(),
        "0.0200 - offset[1]".to_owned(),
    ];
    let mut inside = reach(
        "bring the fingers around the handle",
        &at(drawer, level, HOLDS_M, 0.0),
        EXACT,
    );
    inside.margins = vec!["0.0120 - offset[1]".to_owned()];
    let grasp = stay("grasp the handle", &at(drawer, level, HOLDS_M, 0.0));
    vec![
        hand.upright(Fingers::Open, above),
        hand.with(Fingers::Open, hand.facing(FORWARD, face)),
        hand.with(Fingers::Open, hand.facing(FORWARD, front)),
        hand.with(Fingers::Open, hand.facing(FORWARD, inside)),
        hand.with(
            Fingers::Closed,
            hand.facing(FORWARD, until_closed(grasp, HANDLE_WIDTH_M)),
        ),
    ]
}

/// Grasps the handle and pulls. What is to be done next has the hand drawn back and straight down.
pub(super) fn open(drawer: &Point, level: Level, hand: Hand, goes_on: bool) -> Vec<StageDraft> {
    let mut stages = hold(drawer, level, hand);
    let [x, y, z] = drawer.position_m;
    let [dx, dy, dz] = handle(level);
    let end = [x + dx, y + dy + PULLS_M, z + dz];
    let mut pull = reach(
        &format!("pull the {}", drawer.name),
        &Target::fixed(end),
        ROUGH,
    );
    // By the hand, not by the keypoint: what is seen of an open drawer has its centroid nearer to the cabinet.
    pull.margins = vec![format!(
        "end_effector[1] - {}",
        number(y + dy + HOLDS_M + OPENS_M)
    )];
    stages.push(hand.with(Fingers::Closed, hand.facing(FORWARD, pull)));
    if goes_on {
        let back = [end[0], y + dy + OPENS_M + BACK_M, end[2]];
        let mut back = reach("let go of the handle", &Target::fixed(back), BESIDE);
        back.margins = vec![format!(
            "end_effector[1] - {}",
            number(y + dy + OPENS_M + 0.5 * BACK_M)
        )];
        let up = [end[0] - ASIDE_M, y + dy + OPENS_M + BACK_M, FREE_Z_M];
        let mut turn = reach("turn the hand straight down", &Target::fixed(up), BESIDE);
        turn.margins = vec![format!("end_effector[2] - {}", number(FREE_Z_M - 0.040))];
        let turn = until_facing(DOWN, turn);
        stages.push(hand.with(Fingers::Open, hand.facing(FORWARD, until_open(back))));
        stages.push(hand.with(Fingers::Open, hand.facing(DOWN, turn)));
    }
    stages
}

/// Grasps the handle of a drawer and pushes it to where a shut one stands.
pub(super) fn close(drawer: &Point, level: Level, shut_y_m: f64, hand: Hand) -> Vec<StageDraft> {
    let mut stages = hold(drawer, level, hand);
    let [x, _, z] = drawer.position_m;
    let [dx, dy, dz] = handle(level);
    let end = [x + dx, shut_y_m + dy + HOLDS_M - 0.010, z + dz];
    let mut push = reach(
        &format!("push the {} shut", drawer.name),
        &Target::fixed(end),
        ROUGH,
    );
    push.margins = vec![format!("{} - end_effector[1]", number(end[1] + 0.020))];
    stages.push(hand.with(Fingers::Closed, hand.facing(FORWARD, push)));
    stages
}

/// Where the fingers may close: the knob may hold the hand up.
const AT_KNOB: Margin = Margin {
    plane: 0.014,
    height: 0.015,
};
/// How far the wrist turns, rad, and from where on it has.
const TURNS_RAD: f64 = 1.2;
const TURNED_RAD: f64 = 0.9;

/// Down to the knob, the fingers around its bar, and the wrist turned.
pub(super) fn turn(knob: &Point, on: bool, hand: Hand) -> Vec<StageDraft> {
    let place = |above_m: f64| {
        let [x, y, z] = KNOB;
        seen(knob, [x, y, z + above_m])
    };
    let above = reach("stop above the knob", &place(0.100), ROUGH);
    let down = reach("go down around the knob", &place(0.0), AT_KNOB);
    let grasp = stay("grasp the knob", &place(0.0));
    let mut turn = reach("turn the knob", &place(0.0), ROUGH);
    let sign = if on { 1.0 } else { -1.0 };
    let angle = "torch.atan2(rotation[0, 1], -rotation[1, 1])";
    turn.margins = vec![if on {
        format!("{angle} - {}", number(TURNED_RAD))
    } else {
        format!("{} - {angle}", number(-TURNED_RAD))
    }];
    // The fingers open along y, which turns to x with the wrist.
    let (sin, cos) = (sign * TURNS_RAD).sin_cos();
    let turn = hand.along("turned", Axis::Fingers, [sin, -cos, 0.0], turn);
    vec![
        hand.upright(Fingers::Open, above),
        hand.upright(Fingers::Open, down),
        hand.upright(Fingers::Closed, until_closed(grasp, KNOB_WIDTH_M)),
        hand.with(Fingers::Closed, turn),
    ]
}
