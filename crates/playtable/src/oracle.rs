//! Which tasks are achieved, relative to the state at reset.

use crate::collateral::{Bystanders, Collateral};
use crate::goal::Goals;
use crate::objects::{Block, ObjectStates, Thing};
use crate::sequence::Sequence;
use crate::task::Task;

/// The oracle's thresholds. A task counts once its condition holds and did not hold at reset.
///
/// | task | condition |
/// |---|---|
/// | `drawer_open` / `drawer_close` | opening above 0.12 m / below 0.03 m |
/// | `door_left` / `door_right` | travel above 0.14 m / below 0.04 m |
/// | `switch_on` / `switch_off` | lever angle above 0.35 rad / below -0.35 rad |
/// | `button_press` | pressed by more than 0.008 m (the lamp toggles) |
/// | `push_*` | the block's centre moved more than 0.07 m along the table, never more than 0.02 m off it |
/// | `lift_*` | the block's centre more than 0.05 m above its rest height, touched by both fingertips |
/// | `push_*:left` and so on | as `push_*`, and the way of its centre within 45 degrees of the direction: of the four directions, it is the nearest |
/// | `push_*:to_*` | as `push_*`, and its centre more than 0.05 m nearer to where the thing was |
/// | `put_*_in_drawer` | its centre between the drawer's sides and below their rim, and not gripped |
///
/// Goals that follow each other are judged one after the other, each against the state in which the one
/// before was reached. Beside them, a thing that no goal names is collateral once it has moved by
/// more than 0.02 m (the button: was pressed), and a forbidden one once a link of the robot touches it.
pub mod thresholds {
    /// The drawer is open above this opening, metres.
    pub const DRAWER_OPEN_M: f64 = 0.12;
    /// The drawer is shut below this opening, metres.
    pub const DRAWER_SHUT_M: f64 = 0.03;
    /// The door is on the left above this travel, metres.
    pub const DOOR_LEFT_M: f64 = 0.14;
    /// The door is on the right below this travel, metres.
    pub const DOOR_RIGHT_M: f64 = 0.04;
    /// The switch is on above, and off below minus, this angle, radians.
    pub const SWITCH_RAD: f64 = 0.35;
    /// The button is pressed above this travel, metres.
    pub const BUTTON_PRESSED_M: f64 = 0.008;
    /// The button counts as released again below this travel, metres.
    pub const BUTTON_RELEASED_M: f64 = 0.004;
    /// A block is pushed when its centre moved further than this along the table, metres.
    pub const PUSH_M: f64 = 0.07;
    /// A block that ever rose higher than this cannot be pushed any more, metres.
    pub const PUSH_RISE_M: f64 = 0.02;
    /// A gripped block is lifted above this rise, metres.
    pub const LIFT_M: f64 = 0.05;
    /// Cosine of the angle within which a push goes in a direction: 45 degrees, so that every push that counts
    /// goes in one of the four.
    pub const PUSH_COSINE: f64 = std::f64::consts::FRAC_1_SQRT_2;
    /// A block is pushed towards a thing when its centre came nearer by more than this, metres: the shortest
    /// push that counts, at 45 degrees.
    pub const NEARER_M: f64 = 0.05;
    /// Where a block's centre is inside the drawer, from the centre of its handle's bar, x, y and z, metres: the
    /// scene's front, sides, back and bottom, and the sides' upper edge.
    pub const INSIDE_DRAWER_M: [[f64; 2]; 3] = [[0.088, 0.232], [-0.095, 0.095], [-0.034, 0.013]];
    /// A thing that no goal names was moved beyond this, metres: half the width of a block. What settles or is
    /// brushed by a finger stays within it.
    pub const MOVED_M: f64 = 0.02;
    /// How much further such a thing must go before it is told again, m.
    pub const TOLD_M: f64 = 0.01;
}

/// Watches the world and remembers what was achieved since reset.
#[derive(Debug, Clone)]
pub(crate) struct Oracle {
    start: ObjectStates,
    /// Height of each block's centre when it lies on the table, metres.
    rest_height_m: [f64; Block::ALL.len()],
    /// What was achieved, first things first.
    achieved: Vec<Task>,
    left_table: [bool; Block::ALL.len()],
    sequence: Sequence,
    bystanders: Bystanders,
}

impl Oracle {
    pub(crate) fn new(
        start: ObjectStates,
        rest_height_m: [f64; Block::ALL.len()],
        goals: &Goals,
    ) -> Self {
        Self {
            start,
            rest_height_m,
            achieved: Vec::new(),
            left_table: [false; Block::ALL.len()],
            sequence: Sequence::new(start, goals),
            bystanders: Bystanders::new(start, goals),
        }
    }

    /// Takes in the state after a physics step, and what the robot touches, in the order of
    /// [`Thing::ALL`].
    pub(crate) fn observe(&mut self, now: &ObjectStates, touched: &[bool; Thing::ALL.len()]) {
        self.sequence.observe(now, &self.rest_height_m);
        self.bystanders.observe(now, touched);
        for block in Block::ALL {
            self.left_table[block.index()] |= !is_on_table(block, now, &self.rest_height_m);
        }
        for task in Task::ALL {
            if !self.achieved(task) && self.holds_now(task, now) {
                self.achieved.push(task);
            }
        }
    }

    /// True once the task's condition held at any time since reset.
    pub(crate) fn achieved(&self, task: Task) -> bool {
        self.achieved.contains(&task)
    }

    /// True once all of them were achieved, for the first time in this order.
    pub(crate) fn achieved_in_order(&self, tasks: &[Task]) -> bool {
        let mut places = tasks
            .iter()
            .map(|task| self.achieved.iter().position(|seen| seen == task));
        let mut last = None;
        places.all(|place| {
            let later = place.is_some() && place > last;
            last = place;
            later
        })
    }

    /// How many of the episode's goals were reached, in order.
    pub(crate) fn reached(&self) -> usize {
        self.sequence.reached()
    }

    /// Whether all of the episode's goals were reached and the last one holds now.
    pub(crate) fn holds(&self) -> bool {
        self.sequence.holds()
    }

    /// What happened beside, one entry a thing, and a number that grows with every change.
    pub(crate) fn collateral(&self) -> (&[Collateral], u64) {
        (self.bystanders.told(), self.bystanders.revision())
    }

    fn holds_now(&self, task: Task, now: &ObjectStates) -> bool {
        match task {
            Task::Push(block) => {
                let moved = moved_m(block, &self.start, now);
                moved > thresholds::PUSH_M && !self.left_table[block.index()]
            }
            Task::Lift(block) => lifted(block, now, &self.rest_height_m),
            _ => fixture_holds(task, now) && !fixture_holds(task, &self.start),
        }
    }
}

/// How far a block's centre is above its place on the table, metres.
fn rise_m(block: Block, now: &ObjectStates, rest_height_m: &[f64; Block::ALL.len()]) -> f64 {
    now.blocks[block.index()].position_m[2] - rest_height_m[block.index()]
}

/// Whether a block lies on the table; one that fell from it does not.
pub(crate) fn is_on_table(
    block: Block,
    now: &ObjectStates,
    rest_height_m: &[f64; Block::ALL.len()],
) -> bool {
    (-0.01..=thresholds::PUSH_RISE_M).contains(&rise_m(block, now, rest_height_m))
}

/// Whether a block is up and in the grip.
pub(crate) fn lifted(
    block: Block,
    now: &ObjectStates,
    rest_height_m: &[f64; Block::ALL.len()],
) -> bool {
    rise_m(block, now, rest_height_m) > thresholds::LIFT_M && now.blocks[block.index()].gripped
}

/// How far a block's centre moved along the table, metres.
pub(crate) fn moved_m(block: Block, since: &ObjectStates, now: &ObjectStates) -> f64 {
    let from = since.blocks[block.index()].position_m;
    let to = now.blocks[block.index()].position_m;
    (to[0] - from[0]).hypot(to[1] - from[1])
}

/// The condition of a task on furniture, whatever the state at reset. False for tasks on blocks.
pub(crate) fn fixture_holds(task: Task, now: &ObjectStates) -> bool {
    match task {
        Task::DrawerOpen => now.drawer_m > thresholds::DRAWER_OPEN_M,
        Task::DrawerClose => now.drawer_m < thresholds::DRAWER_SHUT_M,
        Task::DoorLeft => now.door_m > thresholds::DOOR_LEFT_M,
        Task::DoorRight => now.door_m < thresholds::DOOR_RIGHT_M,
        Task::SwitchOn => now.switch_rad > thresholds::SWITCH_RAD,
        Task::SwitchOff => now.switch_rad < -thresholds::SWITCH_RAD,
        Task::ButtonPress => now.button_m > thresholds::BUTTON_PRESSED_M,
        Task::Push(_) | Task::Lift(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> ObjectStates {
        let mut state = ObjectStates {
            switch_rad: -0.6,
            ..ObjectStates::default()
        };
        for block in Block::ALL {
            state.blocks[block.index()].position_m = [0.45, 0.1, 0.020];
        }
        state
    }

    const REST_M: [f64; 3] = [0.020; 3];
    const UNTOUCHED: [bool; Thing::ALL.len()] = [false; Thing::ALL.len()];

    fn after(change: impl Fn(&mut ObjectStates)) -> Vec<Task> {
        let mut oracle = Oracle::new(start(), REST_M, &Goals::default());
        let mut now = start();
        change(&mut now);
        oracle.observe(&now, &UNTOUCHED);
        Task::ALL
            .into_iter()
            .filter(|task| oracle.achieved(*task))
            .collect()
    }

    #[test]
    fn nothing_is_achieved_at_reset() {
        assert_eq!(after(|_| {}), []);
    }

    #[test]
    fn furniture_counts_beyond_its_threshold_only() {
        assert_eq!(after(|s| s.drawer_m = 0.119), []);
        assert_eq!(after(|s| s.drawer_m = 0.121), [Task::DrawerOpen]);
        assert_eq!(after(|s| s.door_m = 0.139), []);
        assert_eq!(after(|s| s.door_m = 0.141), [Task::DoorLeft]);
        assert_eq!(after(|s| s.switch_rad = 0.34), []);
        assert_eq!(after(|s| s.switch_rad = 0.36), [Task::SwitchOn]);
        assert_eq!(after(|s| s.button_m = 0.007), []);
        assert_eq!(after(|s| s.button_m = 0.009), [Task::ButtonPress]);
    }

    #[test]
    fn closing_needs_an_open_start() {
        let mut opened = start();
        opened.drawer_m = 0.15;
        let mut oracle = Oracle::new(opened, REST_M, &Goals::default());
        oracle.observe(&start(), &UNTOUCHED);
        assert!(oracle.achieved(Task::DrawerClose));
        assert!(!oracle.achieved(Task::DoorRight));
    }

    #[test]
    fn order_is_that_of_the_first_time() {
        let mut oracle = Oracle::new(start(), REST_M, &Goals::default());
        let mut now = start();
        now.drawer_m = 0.13;
        oracle.observe(&now, &UNTOUCHED);
        now.switch_rad = 0.5;
        oracle.observe(&now, &UNTOUCHED);
        assert!(oracle.achieved_in_order(&[Task::DrawerOpen, Task::SwitchOn]));
        assert!(oracle.achieved_in_order(&[Task::SwitchOn]));
        assert!(!oracle.achieved_in_order(&[Task::SwitchOn, Task::DrawerOpen]));
        assert!(!oracle.achieved_in_order(&[Task::DrawerOpen, Task::ButtonPress]));
    }

    #[test]
    fn a_push_stays_on_the_table() {
        let push = Task::Push(Block::Blue);
        let blue = Block::Blue.index();
        assert_eq!(after(|s| s.blocks[blue].position_m[1] += 0.06), []);
        assert_eq!(after(|s| s.blocks[blue].position_m[1] += 0.08), [push]);
        let carried = after(|s| {
            s.blocks[blue].position_m[1] += 0.08;
            s.blocks[blue].position_m[2] += 0.03;
        });
        assert_eq!(carried, []);
        assert_eq!(after(|s| s.blocks[blue].position_m = [0.2, 0.6, -0.38]), []);
    }

    #[test]
    fn a_carried_block_put_down_elsewhere_was_not_pushed() {
        let mut oracle = Oracle::new(start(), REST_M, &Goals::default());
        let mut now = start();
        now.blocks[0].position_m[2] += 0.04;
        oracle.observe(&now, &UNTOUCHED);
        now = start();
        now.blocks[0].position_m[0] += 0.1;
        oracle.observe(&now, &UNTOUCHED);
        assert!(!oracle.achieved(Task::Push(Block::Red)));
    }

    #[test]
    fn a_lift_needs_a_grip_and_is_remembered() {
        let lift = Task::Lift(Block::Pink);
        let raise = |s: &mut ObjectStates, rise: f64, gripped: bool| {
            s.blocks[Block::Pink.index()].position_m[2] += rise;
            s.blocks[Block::Pink.index()].gripped = gripped;
        };
        assert_eq!(after(|s| raise(s, 0.06, false)), []);
        assert_eq!(after(|s| raise(s, 0.04, true)), []);
        assert_eq!(after(|s| raise(s, 0.06, true)), [lift]);
        let mut oracle = Oracle::new(start(), REST_M, &Goals::default());
        let mut now = start();
        raise(&mut now, 0.06, true);
        oracle.observe(&now, &UNTOUCHED);
        oracle.observe(&start(), &UNTOUCHED);
        assert!(oracle.achieved(lift));
    }
}
