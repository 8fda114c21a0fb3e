//! How demonstrations depart from the straight way, so that they show how to come back to it.

use tiller_world::Random;

/// Least height of the hand over a block that closed fingers press upon, metres.
const LOWEST_M: f64 = 0.046;

/// A stop on the way down: aside of the entry, for some steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pause {
    /// Height at which it happens, metres.
    pub(super) z_m: f64,
    /// Distance from the entry's place along x and y, metres.
    pub(super) aside_m: [f64; 2],
    /// Steps for which the hand stays.
    pub(super) steps: u32,
}

impl Pause {
    /// None for half of the attempts. Over blocks, which are flat, the hand may pause lower.
    pub(super) fn draw(over_block: bool, random: &mut Random) -> Option<Self> {
        let lowest_m = if over_block { 0.065 } else { 0.105 };
        let z_m = random.uniform(lowest_m, 0.135);
        let turn = random.uniform(0.0, std::f64::consts::TAU);
        let aside = random.uniform(0.0, 0.025);
        let wait = random.uniform(0.0, 8.0) as u32;
        let pause = Self {
            z_m,
            aside_m: [aside * turn.cos(), aside * turn.sin()],
            steps: if random.coin() { wait } else { 0 },
        };
        random.coin().then_some(pause)
    }
}

/// Steps in which the fingers are opposite to what is demonstrated: the policy learns to put them right
/// wherever it finds them wrong.
#[derive(Debug, Clone)]
pub(super) struct Fumbles {
    chance: f64,
    steps_left: u32,
    /// Never below this height of the hand, metres.
    pub(super) floor_m: f64,
    late: Option<Late>,
}

/// Fingers that close over a block when the hand is low already, and stay so for some steps.
#[derive(Debug, Clone, Copy)]
struct Late {
    below_m: f64,
    steps: u32,
}

impl Fumbles {
    pub(super) fn none() -> Self {
        Self {
            chance: 0.0,
            steps_left: 0,
            floor_m: f64::INFINITY,
            late: None,
        }
    }

    /// As [`draw`](Self::draw) for a grasp, where wrong fingers end in a press upon the block: for half of
    /// the attempts they close on the way down, down to the block itself.
    pub(super) fn draw_for_grasp(random: &mut Random) -> Self {
        let fumbles = Self::draw(true, random);
        let late = Late {
            below_m: random.uniform(0.055, 0.13),
            steps: random.uniform(3.0, 12.0) as u32,
        };
        let floor_m = random.uniform(LOWEST_M, 0.08);
        if random.coin() {
            Self {
                floor_m,
                late: Some(late),
                ..fumbles
            }
        } else {
            fumbles
        }
    }

    /// Closed fingers may come down upon a block, where they can still open; open ones must close before
    /// they are beside anything.
    pub(super) fn draw(over_block: bool, random: &mut Random) -> Self {
        let starts = random.coin();
        let steps_left = random.uniform(2.0, 20.0) as u32;
        let chance = if random.coin() { 0.05 } else { 0.0 };
        let lowest_m = if over_block { 0.048 } else { 0.085 };
        Self {
            chance,
            steps_left: if starts { steps_left } else { 0 },
            floor_m: random.uniform(lowest_m, 0.12),
            late: None,
        }
    }

    /// One step on, with the hand there; `down`: it is on its way down.
    pub(super) fn step(&mut self, z_m: f64, down: bool, random: &mut Random) {
        if let Some(late) = self.late
            && down
            && z_m < late.below_m
        {
            self.steps_left = self.steps_left.max(late.steps);
            self.late = None;
        }
        let draw = random.uniform(0.0, 1.0);
        let length = random.uniform(2.0, 8.0) as u32;
        self.steps_left = match self.steps_left {
            0 if draw < self.chance => length,
            left => left.saturating_sub(1),
        };
    }

    /// Whether the fingers are wrong in this step, with the hand at that height.
    pub(super) fn now(&self, z_m: f64) -> bool {
        self.steps_left > 0 && z_m > self.floor_m
    }
}
