//! Goals in order: each is judged against the state in which the one before was reached.

use crate::goal::{Goal, Goals, Towards};
use crate::objects::{Block, ObjectStates, Thing};
use crate::oracle::{fixture_holds, is_on_table, lifted, moved_m, thresholds};
use crate::task::Task;

/// Follows the goals of an episode.
#[derive(Debug, Clone)]
pub(crate) struct Sequence {
    goals: Vec<Goal>,
    /// Goals that were reached.
    reached: usize,
    /// All were reached, and the last one still holds.
    holds: bool,
    /// When the present goal began.
    since: ObjectStates,
    left_table: [bool; Block::ALL.len()],
    /// The block to be pushed is in the air: the push begins where it is put down.
    airborne: bool,
}

impl Sequence {
    pub(crate) fn new(start: ObjectStates, goals: &Goals) -> Self {
        Self {
            goals: goals.goals.clone(),
            reached: 0,
            holds: false,
            since: start,
            left_table: [false; Block::ALL.len()],
            airborne: false,
        }
    }

    /// Takes in the state after a physics step.
    pub(crate) fn observe(&mut self, now: &ObjectStates, rest_height_m: &[f64; Block::ALL.len()]) {
        let last = self.goals.len().saturating_sub(1);
        let Some(&goal) = self.goals.get(self.reached.min(last)) else {
            return;
        };
        for block in Block::ALL {
            self.left_table[block.index()] |= !is_on_table(block, now, rest_height_m);
        }
        if let (true, Some(block)) = (self.airborne, pushed(goal))
            && is_on_table(block, now, rest_height_m)
        {
            self.airborne = false;
            self.since.blocks[block.index()] = now.blocks[block.index()];
            self.left_table[block.index()] = false;
        }
        self.holds = self.is_met(goal, now, rest_height_m);
        if !self.holds || self.reached == self.goals.len() {
            return;
        }
        self.reached += 1;
        if let Some(next) = self.goals.get(self.reached) {
            self.since = *now;
            self.left_table = [false; Block::ALL.len()];
            self.airborne =
                pushed(*next).is_some_and(|block| !is_on_table(block, now, rest_height_m));
            self.holds = false;
        }
    }

    /// How many goals were reached, in order.
    pub(crate) fn reached(&self) -> usize {
        self.reached
    }

    /// Whether all goals were reached and the last one holds now.
    pub(crate) fn holds(&self) -> bool {
        self.holds && self.reached == self.goals.len()
    }

    fn is_met(
        &self,
        goal: Goal,
        now: &ObjectStates,
        rest_height_m: &[f64; Block::ALL.len()],
    ) -> bool {
        let is_pushed = |block: Block| {
            let gone = self.left_table[block.index()] || self.airborne;
            !gone && moved_m(block, &self.since, now) > thresholds::PUSH_M
        };
        match goal {
            // The lamp remembers the press.
            Goal::Task(Task::ButtonPress) => now.lamp_on != self.since.lamp_on,
            Goal::Task(Task::Push(block)) => is_pushed(block),
            Goal::Task(Task::Lift(block)) => lifted(block, now, rest_height_m),
            Goal::Task(task) => fixture_holds(task, now) && !fixture_holds(task, &self.since),
            Goal::Push(block, towards) => {
                is_pushed(block)
                    && match towards {
                        Towards::Along(direction) => self.is_along(block, direction.unit(), now),
                        Towards::Thing(thing) => {
                            self.nearer_m(block, thing, now) > thresholds::NEARER_M
                        }
                    }
            }
            Goal::PutInDrawer(block) => {
                let let_go = !now.blocks[block.index()].gripped;
                let_go && is_in_drawer(block, now) && !is_in_drawer(block, &self.since)
            }
        }
    }

    /// Whether the way of a block is nearer to a direction than to any other.
    fn is_along(&self, block: Block, direction: [f64; 2], now: &ObjectStates) -> bool {
        let from = self.since.blocks[block.index()].position_m;
        let to = now.blocks[block.index()].position_m;
        let way = [to[0] - from[0], to[1] - from[1]];
        let along = way[0] * direction[0] + way[1] * direction[1];
        along >= thresholds::PUSH_COSINE * way[0].hypot(way[1])
    }

    /// How much nearer a block is to where a thing was, m.
    fn nearer_m(&self, block: Block, thing: Thing, now: &ObjectStates) -> f64 {
        let to = place_m(thing, &self.since);
        let distance = |state: &ObjectStates| {
            let from = state.blocks[block.index()].position_m;
            (to[0] - from[0]).hypot(to[1] - from[1])
        };
        distance(&self.since) - distance(now)
    }
}

/// The block that a goal pushes.
fn pushed(goal: Goal) -> Option<Block> {
    match goal {
        Goal::Task(Task::Push(block)) | Goal::Push(block, _) => Some(block),
        _ => None,
    }
}

fn place_m(thing: Thing, state: &ObjectStates) -> [f64; 3] {
    match thing {
        Thing::Drawer => state.drawer_handle_m,
        Thing::Door => state.door_handle_m,
        Thing::Switch => state.switch_m,
        Thing::Button => state.button_cap_m,
        Thing::Block(block) => state.blocks[block.index()].position_m,
    }
}

/// Whether a block's centre is between the drawer's sides and below their rim.
fn is_in_drawer(block: Block, state: &ObjectStates) -> bool {
    let centre = state.blocks[block.index()].position_m;
    (0..3).all(|axis| {
        let [low, high] = thresholds::INSIDE_DRAWER_M[axis];
        (low..=high).contains(&(centre[axis] - state.drawer_handle_m[axis]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST_M: [f64; 3] = [0.020; 3];
    const BLUE: usize = 1;

    fn start() -> ObjectStates {
        let mut state = ObjectStates {
            switch_rad: -0.6,
            drawer_handle_m: [0.43, -0.30, 0.05],
            button_cap_m: [0.40, -0.12, 0.022],
            drawer_m: 0.15,
            ..ObjectStates::default()
        };
        for block in Block::ALL {
            state.blocks[block.index()].position_m = [0.45, 0.1, 0.020];
        }
        state
    }

    fn follow(ids: &str) -> Sequence {
        Sequence::new(start(), &Goals::from_ids(ids.split(',')).expect("ids"))
    }

    fn moved(by: [f64; 3]) -> ObjectStates {
        let mut now = start();
        for (value, by) in now.blocks[BLUE].position_m.iter_mut().zip(by) {
            *value += by;
        }
        now
    }

    fn holds_after(ids: &str, now: &ObjectStates) -> bool {
        let mut sequence = follow(ids);
        sequence.observe(&start(), &REST_M);
        sequence.observe(now, &REST_M);
        sequence.holds()
    }

    #[test]
    fn a_push_counts_in_its_own_direction_only() {
        let ways = [
            ("left", [0.01, 0.08, 0.0]),
            ("right", [-0.03, -0.08, 0.0]),
            ("forward", [0.08, 0.05, 0.0]),
            ("backward", [-0.08, 0.0, 0.0]),
        ];
        for (index, (_, by)) in ways.iter().enumerate() {
            for (other, (word, _)) in ways.iter().enumerate() {
                let id = format!("push_blue:{word}");
                assert_eq!(
                    holds_after(&id, &moved(*by)),
                    index == other,
                    "{id} by {by:?}"
                );
            }
            assert!(holds_after("push_blue", &moved(*by)));
        }
        assert!(
            !holds_after("push_blue:left", &moved([0.0, 0.069, 0.0])),
            "too short"
        );
        assert!(
            !holds_after("push_blue:left", &moved([0.0, 0.08, 0.03])),
            "carried"
        );
    }

    #[test]
    fn towards_a_thing_is_nearer_to_it() {
        assert!(holds_after(
            "push_blue:to_drawer",
            &moved([0.0, -0.08, 0.0])
        ));
        assert!(holds_after(
            "push_blue:to_button",
            &moved([0.0, -0.08, 0.0])
        ));
        assert!(!holds_after(
            "push_blue:to_drawer",
            &moved([0.08, 0.0, 0.0])
        ));
        assert!(!holds_after(
            "push_blue:to_drawer",
            &moved([0.0, 0.08, 0.0])
        ));
    }

    #[test]
    fn in_the_drawer_is_inside_and_let_go() {
        let at = |x: f64, y: f64, z: f64, gripped: bool| {
            let mut now = start();
            now.blocks[BLUE].position_m = [0.43 + x, -0.30 + y, z];
            now.blocks[BLUE].gripped = gripped;
            holds_after("put_blue_in_drawer", &now)
        };
        assert!(at(0.15, 0.0, 0.036, false));
        assert!(!at(0.15, 0.0, 0.036, true), "still held");
        assert!(!at(0.15, 0.0, 0.090, false), "above it");
        assert!(!at(0.05, 0.0, 0.020, false), "before its front");
        assert!(!at(0.15, 0.12, 0.020, false), "beside it");
        assert!(
            !holds_after("put_blue_in_drawer", &moved([0.0, -0.08, 0.0])),
            "a push towards it"
        );
    }

    #[test]
    fn a_press_is_held_by_its_lamp_and_undone_by_the_next() {
        let mut sequence = follow("button_press");
        let lit = ObjectStates {
            lamp_on: true,
            ..start()
        };
        sequence.observe(&lit, &REST_M);
        assert!(sequence.holds());
        sequence.observe(&start(), &REST_M);
        assert!(!sequence.holds() && sequence.reached() == 1);
    }

    #[test]
    fn what_is_undone_does_not_hold() {
        let mut sequence = follow("lift_blue");
        let mut up = moved([0.0, 0.0, 0.06]);
        up.blocks[BLUE].gripped = true;
        sequence.observe(&up, &REST_M);
        assert!(sequence.holds());
        sequence.observe(&start(), &REST_M);
        assert!(!sequence.holds());
    }

    #[test]
    fn each_goal_begins_where_the_one_before_ended() {
        let mut sequence = follow("push_blue:left,push_blue:right");
        sequence.observe(&moved([0.0, 0.10, 0.0]), &REST_M);
        assert_eq!((sequence.reached(), sequence.holds()), (1, false));
        sequence.observe(&moved([0.0, 0.02, 0.0]), &REST_M);
        assert_eq!((sequence.reached(), sequence.holds()), (2, true));
        // Opposites: shut what was just opened.
        let mut sequence = follow("drawer_close,drawer_open");
        let shut = ObjectStates {
            drawer_m: 0.0,
            ..start()
        };
        sequence.observe(&shut, &REST_M);
        assert_eq!(sequence.reached(), 1);
        sequence.observe(&start(), &REST_M);
        assert!(sequence.holds());
    }

    #[test]
    fn order_matters() {
        let mut sequence = follow("button_press,drawer_close");
        let shut = ObjectStates {
            drawer_m: 0.0,
            ..start()
        };
        sequence.observe(&shut, &REST_M);
        assert_eq!(sequence.reached(), 0);
    }

    #[test]
    fn a_push_after_a_lift_begins_where_the_block_is_put_down() {
        let mut sequence = follow("lift_blue,push_blue");
        let mut up = moved([0.0, 0.0, 0.06]);
        up.blocks[BLUE].gripped = true;
        sequence.observe(&up, &REST_M);
        assert_eq!(sequence.reached(), 1);
        sequence.observe(&moved([0.1, 0.0, 0.0]), &REST_M);
        assert!(!sequence.holds(), "carried, not pushed");
        sequence.observe(&moved([0.1, 0.08, 0.0]), &REST_M);
        assert!(sequence.holds());
    }
}
