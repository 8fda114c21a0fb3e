//! Which tasks are achieved, relative to the state at reset.

use crate::objects::{Block, ObjectStates};
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
}

impl Oracle {
    pub(crate) fn new(start: ObjectStates, rest_height_m: [f64; Block::ALL.len()]) -> Self {
        Self {
            start,
            rest_height_m,
            achieved: Vec::new(),
            left_table: [false; Block::ALL.len()],
        }
    }

    /// Takes in the state after a physics step.
    pub(crate) fn observe(&mut self, now: &ObjectStates) {
        for block in Block::ALL {
            let rise = self.rise_m(block, now);
            // A block that fell from the table was not pushed along it either.
            if !(-0.01..=thresholds::PUSH_RISE_M).contains(&rise) {
                self.left_table[block.index()] = true;
            }
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

    /// How far a block's centre is above its place on the table, metres.
    fn rise_m(&self, block: Block, now: &ObjectStates) -> f64 {
        now.blocks[block.index()].position_m[2] - self.rest_height_m[block.index()]
    }

    fn holds_now(&self, task: Task, now: &ObjectStates) -> bool {
        match task {
            Task::Push(block) => {
                let from = self.start.blocks[block.index()].position_m;
                let to = now.blocks[block.index()].position_m;
                let moved = (to[0] - from[0]).hypot(to[1] - from[1]);
                moved > thresholds::PUSH_M && !self.left_table[block.index()]
            }
            Task::Lift(block) => {
                self.rise_m(block, now) > thresholds::LIFT_M && now.blocks[block.index()].gripped
            }
            _ => fixture_holds(task, now) && !fixture_holds(task, &self.start),
        }
    }
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

    fn after(change: impl Fn(&mut ObjectStates)) -> Vec<Task> {
        let mut oracle = Oracle::new(start(), REST_M);
        let mut now = start();
        change(&mut now);
        oracle.observe(&now);
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
        let mut oracle = Oracle::new(opened, REST_M);
        oracle.observe(&start());
        assert!(oracle.achieved(Task::DrawerClose));
        assert!(!oracle.achieved(Task::DoorRight));
    }

    #[test]
    fn order_is_that_of_the_first_time() {
        let mut oracle = Oracle::new(start(), REST_M);
        let mut now = start();
        now.drawer_m = 0.13;
        oracle.observe(&now);
        now.switch_rad = 0.5;
        oracle.observe(&now);
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
        let mut oracle = Oracle::new(start(), REST_M);
        let mut now = start();
        now.blocks[0].position_m[2] += 0.04;
        oracle.observe(&now);
        now = start();
        now.blocks[0].position_m[0] += 0.1;
        oracle.observe(&now);
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
        let mut oracle = Oracle::new(start(), REST_M);
        let mut now = start();
        raise(&mut now, 0.06, true);
        oracle.observe(&now);
        oracle.observe(&start());
        assert!(oracle.achieved(lift));
    }
}
