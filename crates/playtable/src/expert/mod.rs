//! Scripted experts. They see the true state of the objects and serve to prove the oracle and to make
//! demonstrations; policies never see what they see.

mod detour;
mod geometry;
mod push;
mod skill;

use crate::objects::ObjectStates;
use crate::task::Task;
use crate::world::PlayTable;
use detour::{Fumbles, Pause};
use skill::Skill;
use tiller_motion::ActionStep;
use tiller_world::Random;

/// Longest action along any axis, metres a step.
const MAX_STEP_M: f64 = 0.03;
/// Longest action in free space and on the way down, metres a step; varied descents are at least this fast.
const FREE_SPEED_M: f64 = 0.022;
const DESCENT_SPEED_M: f64 = 0.018;
const SLOW_DESCENT_M: f64 = 0.009;
/// Height at which the hand travels, metres: the fingertips clear everything.
const TRAVEL_Z_M: f64 = 0.14;
/// Above this height the fingers are open unless they hold something, metres: even open ones clear everything.
const OPEN_Z_M: f64 = 0.10;
/// Above this opening the fingers go around a block, below the other they pass for closed, metres.
const OPEN_WIDTH_M: f64 = 0.070;
const CLOSED_WIDTH_M: f64 = 0.020;
/// How far the hand rises when it is done, metres.
const RETREAT_M: f64 = 0.08;
/// Region of wandering waypoints, metres.
const WANDER_MIN_M: [f64; 3] = [0.38, -0.32, 0.14];
const WANDER_MAX_M: [f64; 3] = [0.58, 0.36, 0.27];
/// Steps for which the fingers close before the lift.
const GRASP_STEPS: u32 = 4;
/// Steps a phase may take before the attempt is given up, and attempts before the expert gives up.
const PHASE_STEPS: u32 = 70;
const ATTEMPTS: u32 = 4;

/// How demonstrations vary.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ExpertConfig {
    /// Visit up to two random places above the table before the approach, come down at various speeds
    /// and not always straight, and have the fingers [fumble](Expert::fumbles). Default: no.
    pub wander: bool,
    /// Size of the noise added to actions in free space, metres; later actions correct it. Default: 0.
    pub noise_m: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    /// Up from wherever the hand is.
    Clear,
    /// To the wandering waypoints.
    Wander,
    /// To a place above the entry.
    Above,
    /// Straight down to the entry.
    Descend,
    /// Fingers close.
    Grasp,
    /// The work itself.
    Work,
    /// Up and away.
    Retreat {
        to_z_m: f64,
    },
    Over,
}

/// Solves one task from any sensible state, closed loop at 10 Hz.
///
/// The fingers travel open, whatever the task: what they do must follow from what a policy sees. They close
/// around a block that is to be lifted, by 12 cm, and for all other tasks as soon as the hand goes down.
#[derive(Debug, Clone)]
pub struct Expert {
    skill: Skill,
    random: Random,
    noise_m: f64,
    drift_m: [f64; 3],
    wander: Vec<[f64; 3]>,
    varied: bool,
    descent_speed_m: f64,
    pause: Option<Pause>,
    fumbles: Fumbles,
    fumbling: bool,
    gripper: f64,
    phase: Phase,
    steps: u32,
    attempts: u32,
    lamp_at_start: bool,
}

impl Expert {
    /// An expert without wandering and noise. The seed varies contact points and push directions.
    pub fn new(task: Task, table: &PlayTable, seed: u64) -> Self {
        Self::with_config(task, table, seed, ExpertConfig::default())
    }

    /// An expert that varies its ways as configured.
    pub fn with_config(task: Task, table: &PlayTable, seed: u64, config: ExpertConfig) -> Self {
        let mut random = Random::new(seed, 1);
        let (objects, _) = table.seen_for(task, [0.0; 3]);
        let skill = Skill::new(task, &objects, &mut random);
        let places = if config.wander {
            random.uniform(0.0, 3.0) as usize
        } else {
            0
        };
        let wander = (0..places)
            .map(|_| [0, 1, 2].map(|axis| random.uniform(WANDER_MIN_M[axis], WANDER_MAX_M[axis])))
            .collect();
        let over_block = skill.over_block();
        let (descent_speed_m, pause, fumbles) = if config.wander {
            (
                random.uniform(SLOW_DESCENT_M, DESCENT_SPEED_M),
                Pause::draw(over_block, &mut random),
                if skill.grasps() {
                    Fumbles::draw_for_grasp(&mut random)
                } else {
                    Fumbles::draw(over_block, &mut random)
                },
            )
        } else {
            (DESCENT_SPEED_M, None, Fumbles::none())
        };
        Self {
            skill,
            random,
            noise_m: config.noise_m,
            drift_m: [0.0; 3],
            wander,
            varied: config.wander,
            descent_speed_m,
            pause,
            fumbles,
            fumbling: false,
            gripper: -1.0,
            phase: Phase::Clear,
            steps: 0,
            attempts: 1,
            lamp_at_start: objects.lamp_on,
        }
    }

    /// The next action, for the next 100 ms, given where actions start from (the actuator's anchor);
    /// `None` when the expert is finished or has given up.
    pub fn act(&mut self, table: &PlayTable, anchor: [f64; 3]) -> Option<ActionStep> {
        let (objects, anchor) = table.seen_for(self.skill.task, anchor);
        let width_m = table.reading().gripper_width_m;
        self.advance(&objects, anchor);
        let entry = self.skill.entry_m(&objects);
        let [x, y] = self.aim(entry, anchor);
        let above = [x, y, TRAVEL_Z_M];
        self.gripper = self.fingers(anchor);
        let (target, speed, noise) = match self.phase {
            Phase::Clear => ([anchor[0], anchor[1], TRAVEL_Z_M + 0.01], FREE_SPEED_M, 0.0),
            Phase::Wander => (
                self.wander.last().copied().unwrap_or(above),
                FREE_SPEED_M,
                1.0,
            ),
            Phase::Above => (above, FREE_SPEED_M, 1.0),
            Phase::Descend => (
                self.descent(anchor, entry, width_m),
                self.descent_speed_m,
                0.4,
            ),
            Phase::Grasp => (entry, 0.004, 0.0),
            Phase::Work => (
                self.skill.target_m(&objects, anchor),
                self.skill.speed_m(),
                0.0,
            ),
            Phase::Retreat { to_z_m } => ([anchor[0], anchor[1], to_z_m], DESCENT_SPEED_M, 0.0),
            Phase::Over => return None,
        };
        let down = self.phase == Phase::Descend;
        self.fumbles.step(anchor[2], down, &mut self.random);
        self.fumbling = self.is_free() && self.fumbles.now(anchor[2]);
        let mut delta_position_m = towards(anchor, target, speed);
        for (delta, drift) in delta_position_m.iter_mut().zip(&mut self.drift_m) {
            // Correlated over about three steps, so that it leads somewhere that has to be corrected.
            *drift = 0.65 * *drift + self.random.within(self.noise_m);
            *delta = (*delta + noise * *drift).clamp(-MAX_STEP_M, MAX_STEP_M);
        }
        Some(ActionStep {
            delta_position_m,
            gripper: self.gripper,
        })
    }

    /// True when the fingers should be driven the other way in this step, against the last action: its
    /// gripper, which a demonstration records all the same, then shows how wrong fingers are put right.
    pub fn fumbles(&self) -> bool {
        self.fumbling
    }

    /// Nothing is held or touched.
    fn is_free(&self) -> bool {
        matches!(
            self.phase,
            Phase::Clear | Phase::Wander | Phase::Above | Phase::Descend
        )
    }

    /// The gripper's action, with the hand there.
    fn fingers(&self, anchor: [f64; 3]) -> f64 {
        let open = match self.phase {
            Phase::Wander | Phase::Above => true,
            Phase::Descend => self.skill.grasps(),
            Phase::Clear => anchor[2] > OPEN_Z_M || self.gripper > 0.0,
            Phase::Retreat { .. } => anchor[2] > OPEN_Z_M,
            Phase::Grasp | Phase::Work | Phase::Over => false,
        };
        if open { 1.0 } else { -1.0 }
    }

    /// Place over which the hand comes down: aside of the entry until it has paused there.
    fn aim(&self, entry: [f64; 3], anchor: [f64; 3]) -> [f64; 2] {
        match self.pause {
            Some(pause) if anchor[2] > pause.z_m - 0.008 => {
                [entry[0] + pause.aside_m[0], entry[1] + pause.aside_m[1]]
            }
            _ => [entry[0], entry[1]],
        }
    }

    /// Straight down, but first back over the entry when off to one side, and no further than fingers that
    /// are not yet as they should be allow.
    fn descent(&self, anchor: [f64; 3], entry: [f64; 3], width_m: f64) -> [f64; 3] {
        let [x, y] = self.aim(entry, anchor);
        let ready = if self.skill.grasps() {
            width_m > OPEN_WIDTH_M
        } else {
            width_m < CLOSED_WIDTH_M
        };
        let mut lowest_m = entry[2];
        if let Some(pause) = self.pause {
            lowest_m = pause.z_m;
        }
        let floor_m = self.fumbles.floor_m.clamp(0.0, OPEN_Z_M);
        if !ready && anchor[2] < floor_m + DESCENT_SPEED_M {
            // Closed fingers may touch the block that they are to open around.
            lowest_m = lowest_m.max(if self.skill.grasps() {
                anchor[2].min(floor_m)
            } else {
                anchor[2]
            });
        }
        if (anchor[0] - x).hypot(anchor[1] - y) > 0.010 {
            lowest_m = lowest_m.max(anchor[2]);
        }
        [x, y, lowest_m]
    }

    /// Moves on to the next phase when the present one is complete, or starts anew when it fails.
    fn advance(&mut self, objects: &ObjectStates, anchor: [f64; 3]) {
        let (next, failed) = self.next_phase(objects, anchor);
        self.steps += 1;
        if let Some(pause) = &mut self.pause
            && self.phase == Phase::Descend
            && anchor[2] < pause.z_m + 0.006
        {
            pause.steps = pause.steps.saturating_sub(1);
            if pause.steps == 0 {
                self.pause = None;
            }
        }
        if failed || self.steps > PHASE_STEPS {
            self.attempts += 1;
            self.skill.replan(objects, &mut self.random);
            if self.varied {
                self.pause = Pause::draw(self.skill.over_block(), &mut self.random);
            }
            self.enter(if self.attempts > ATTEMPTS {
                Phase::Over
            } else {
                Phase::Clear
            });
        } else if next != self.phase {
            self.enter(next);
        }
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.steps = 0;
    }

    /// The phase to be in now, and whether the present attempt has failed.
    fn next_phase(&mut self, objects: &ObjectStates, anchor: [f64; 3]) -> (Phase, bool) {
        let entry = self.skill.entry_m(objects);
        let [x, y] = self.aim(entry, anchor);
        let aside = (anchor[0] - x).hypot(anchor[1] - y);
        let next = match self.phase {
            Phase::Clear if anchor[2] >= TRAVEL_Z_M => Phase::Wander,
            Phase::Wander => {
                if self
                    .wander
                    .last()
                    .is_some_and(|place| length(anchor, *place) < 0.02)
                {
                    self.wander.pop();
                }
                if self.wander.is_empty() {
                    Phase::Above
                } else {
                    Phase::Wander
                }
            }
            Phase::Above if aside < 0.008 => Phase::Descend,
            Phase::Descend if aside < 0.006 && anchor[2] < entry[2] + 0.004 => {
                if self.skill.grasps() {
                    Phase::Grasp
                } else {
                    Phase::Work
                }
            }
            Phase::Grasp if self.steps >= GRASP_STEPS => Phase::Work,
            Phase::Work if self.skill.finished(objects, self.lamp_at_start) => {
                if self.skill.grasps() {
                    Phase::Over
                } else {
                    Phase::Retreat {
                        to_z_m: anchor[2] + RETREAT_M,
                    }
                }
            }
            Phase::Work => {
                // Arrived without effect: the hook slipped off, or the block out of the fingers.
                let arrived = length(anchor, self.skill.target_m(objects, anchor)) < 0.003;
                return (Phase::Work, arrived);
            }
            Phase::Retreat { to_z_m } if anchor[2] > to_z_m - 0.005 => Phase::Over,
            phase => phase,
        };
        (next, false)
    }
}

/// A step towards the target: straight, no longer than `speed`, and shorter just before it.
fn towards(from: [f64; 3], to: [f64; 3], speed: f64) -> [f64; 3] {
    let distance = length(from, to);
    if distance < 1e-9 {
        return [0.0; 3];
    }
    let step = speed.min((0.6 * distance).max(0.006)).min(distance);
    [0, 1, 2].map(|axis| (to[axis] - from[axis]) / distance * step)
}

fn length(a: [f64; 3], b: [f64; 3]) -> f64 {
    (0..3)
        .map(|axis| (a[axis] - b[axis]).powi(2))
        .sum::<f64>()
        .sqrt()
}
