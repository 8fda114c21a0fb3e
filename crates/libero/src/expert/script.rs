//! Which phases solve which task.

use nalgebra::Vector3;

use super::approach::{Approach, hover};
use super::carry::Carry;
use super::motion::{Manner, down, sideways};
use super::phase::{CLOSED, Go, LOW_TRAVEL_Z_M, OPEN, Phase, To};
use super::view::{Goal, Load, Spot, View};
use tiller_world::Random;

/// Height to which loads are lifted from the table, m; higher over the cabinet.
const LIFT_Z_M: f64 = 0.141;
const PLATE_LIFT_Z_M: f64 = 0.081;
const BOWL_OVER_CABINET_Z_M: f64 = 0.351;
const BOTTLE_OVER_CABINET_Z_M: f64 = 0.411;
/// Where the hand wanders, empty and with a load, m.
const WANDER_M: [[f64; 3]; 2] = [[0.31, -0.08, 0.18], [0.7, 0.25, 0.33]];
const LOADED_WANDER_M: [[f64; 3]; 2] = [[0.41, -0.01, 0.141], [0.7, 0.2, 0.281]];
/// Where loads are put back onto the table, m, and how far from where they were at most.
const TABLE_M: [[f64; 2]; 2] = [[0.46, -0.05], [0.66, 0.16]];
const PUT_BACK_M: f64 = 0.05;
/// Attempts to grasp.
const ATTEMPTS: u32 = 3;

/// What there are experts for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Skill {
    /// A load to a place, lifted to that height on the way, m.
    Put {
        load: Load,
        goal: Goal,
        lift_z_m: f64,
    },
    /// The stove is turned on.
    TurnOn,
    /// The middle drawer is opened.
    Open,
}

impl Skill {
    /// That of a task, by its suite and its number.
    pub(crate) fn of(suite: &str, task: u32) -> Option<Self> {
        if suite != "libero_goal" {
            return None;
        }
        let put = |load, goal, lift_z_m| Self::Put {
            load,
            goal,
            lift_z_m,
        };
        Some(match task {
            0 => Self::Open,
            1 => put(Load::Bowl, Goal::OnBurner, LIFT_Z_M),
            2 => put(Load::Bottle, Goal::OnCabinet, BOTTLE_OVER_CABINET_Z_M),
            4 => put(Load::Bowl, Goal::OnCabinet, BOWL_OVER_CABINET_Z_M),
            5 => put(Load::Plate, Goal::BeforeStove, PLATE_LIFT_Z_M),
            6 => put(Load::Cheese, Goal::InBowl, LIFT_Z_M),
            7 => Self::TurnOn,
            8 => put(Load::Bowl, Goal::OnPlate, LIFT_Z_M),
            _ => return None,
        })
    }

    /// Where its hand comes down first.
    fn spot(self) -> Spot {
        match self {
            Self::Put { load, .. } => Spot::Of(load),
            Self::TurnOn => Spot::Knob,
            Self::Open => Spot::Drawer,
        }
    }
}

/// The phases of an episode, in order.
pub(super) fn write(skill: Skill, view: &View<'_>, random: &mut Random) -> Vec<Phase> {
    let mut script = wander(skill.spot(), view, random);
    script.extend(match skill {
        Skill::Put {
            load,
            goal,
            lift_z_m,
        } => put(load, goal, lift_z_m, view, random),
        Skill::TurnOn => turn_on(random),
        Skill::Open => open(view, random),
    });
    script
}

/// Half of the episodes begin with a way to anywhere, a third visit what another task would.
fn wander(own: Spot, view: &View<'_>, random: &mut Random) -> Vec<Phase> {
    let mut script = Vec::new();
    if random.chance(0.5) {
        let [low, high] = WANDER_M;
        script.push(Phase::Go(Go {
            steps: 25,
            ..Phase::go(random.in_box(low, high).into(), down(), 0.04)
        }));
    }
    if random.chance(0.35) {
        // The knob is so near to the arm that it hardly comes away from there.
        let others = Spot::ALL.into_iter();
        let others: Vec<_> = others
            .filter(|spot| *spot != own && *spot != Spot::Knob)
            .collect();
        if let Some(other) = random.one_of(&others) {
            script.push(Phase::Go(Go {
                steps: 30,
                ..Phase::go(hover(view, other), down(), 0.025)
            }));
        }
    }
    script
}

fn put(load: Load, goal: Goal, lift_z_m: f64, view: &View<'_>, random: &mut Random) -> Vec<Phase> {
    let rest_m = view.load(load);
    let mut script = take(load, rest_m.z, ATTEMPTS, random);
    if load != Load::Plate && random.chance(0.15) {
        let [low, high] = TABLE_M;
        let near = |axis: usize, random: &mut Random| {
            (rest_m[axis] + random.uniform(-PUT_BACK_M, PUT_BACK_M)).clamp(low[axis], high[axis])
        };
        let back = Vector3::new(near(0, random), near(1, random), rest_m.z);
        let wrong = Carry::new(load, goal, lift_z_m).wrongly(back, LIFT_Z_M);
        script.extend([Phase::Carry(wrong), Phase::rise(LOW_TRAVEL_Z_M)]);
        script.extend(take(load, rest_m.z, ATTEMPTS, random));
    }
    if random.chance(0.35) {
        let [low, high] = LOADED_WANDER_M;
        let mut place = Vector3::from(random.in_box(low, high));
        place.z = place.z.max(lift_z_m);
        script.push(Phase::Go(Go {
            steps: 25,
            manner: Manner {
                speed_m: 0.021,
                noise: 0.5,
            },
            ..Phase::go(place, down(), 0.04)
        }));
    }
    script.extend([
        Phase::Carry(Carry::new(load, goal, lift_z_m)),
        Phase::rise(super::phase::TRAVEL_Z_M),
    ]);
    script
}

/// Down, closed, up; once more where nothing is held then.
fn take(load: Load, rest_z_m: f64, attempts: u32, random: &mut Random) -> Vec<Phase> {
    let otherwise = if attempts > 1 {
        let mut again = vec![Phase::rise(LOW_TRAVEL_Z_M)];
        again.extend(take(load, rest_z_m, attempts - 1, random));
        again
    } else {
        vec![Phase::Fail]
    };
    // The plate slips out of fingers in a hurry.
    let lift_speed_m = if load == Load::Plate { 0.012 } else { 0.021 };
    vec![
        Phase::Approach(Approach::draw(Spot::Of(load), attempts == ATTEMPTS, random)),
        Phase::Grip {
            gripper: CLOSED,
            steps: 5,
        },
        Phase::Go(Go {
            to: To::Up {
                z_m: LIFT_Z_M,
                by_m: 0.08,
            },
            manner: Manner {
                speed_m: lift_speed_m,
                noise: 0.2,
            },
            ..Phase::go(Vector3::zeros(), down(), 0.03)
        }),
        Phase::Held {
            load,
            rest_z_m,
            otherwise,
        },
    ]
}

fn turn_on(random: &mut Random) -> Vec<Phase> {
    vec![
        Phase::Approach(Approach::draw(Spot::Knob, true, random)),
        Phase::Grip {
            gripper: CLOSED,
            steps: 4,
        },
        Phase::Turn { at: None, steps: 0 },
        Phase::Grip {
            gripper: OPEN,
            steps: 4,
        },
        Phase::Go(Go {
            to: To::Up {
                z_m: 0.0,
                by_m: 0.03,
            },
            orientation: None,
            steps: 5,
            ..Phase::go(Vector3::zeros(), down(), 0.01)
        }),
    ]
}

/// The handle is taken from the front.
fn open(view: &View<'_>, random: &mut Random) -> Vec<Phase> {
    let handle = view.handle() + Vector3::new(random.uniform(-0.01, 0.01), 0.0, 0.0);
    let at = |y: f64, z: f64| handle + Vector3::new(0.0, y, z);
    let go = |y, z, noise, speed_m, within_m, steps| {
        Phase::Go(Go {
            manner: Manner { speed_m, noise },
            steps,
            ..Phase::go(at(y, z), sideways(), within_m)
        })
    };
    vec![
        Phase::Go(Phase::go(at(0.2, 0.094), down(), 0.03)),
        go(0.153, 0.03, 1.0, 0.024, 0.03, 40),
        go(0.093, 0.0, 0.3, 0.024, 0.012, 45),
        go(-0.009, 0.0, 0.1, 0.013, 0.008, 25),
        Phase::Grip {
            gripper: CLOSED,
            steps: 5,
        },
        go(0.2, 0.0, 0.0, 0.014, 0.03, 25),
        Phase::Grip {
            gripper: OPEN,
            steps: 3,
        },
        go(0.24, 0.02, 0.3, 0.024, 0.03, 8),
    ]
}
