//! What happens beside the task: things moved that it does not name, forbidden things touched.

use crate::goal::Goals;
use crate::objects::{ObjectStates, Thing};
use crate::oracle::thresholds::{BUTTON_PRESSED_M, MOVED_M, TOLD_M};
use crate::touches::{Touches, words};

/// From the switch's pivot to the tip of its lever, m.
const LEVER_M: f64 = 0.068;

/// Something that happened to a thing that the task does not name, or forbids to touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collateral {
    /// The thing.
    pub thing: Thing,
    /// What happened to it, in words: `moved 0.05 m`, `touched 2 times though forbidden`.
    pub what: String,
}

#[derive(Debug, Clone, Copy, Default)]
struct Record {
    named: bool,
    forbidden: bool,
    farthest_m: f64,
    touches: Touches,
}

/// Watches all things since the reset.
#[derive(Debug, Clone)]
pub(crate) struct Bystanders {
    start: ObjectStates,
    records: [Record; Thing::ALL.len()],
    told: Vec<Collateral>,
    revision: u64,
}

impl Bystanders {
    /// A run without goals names everything.
    pub(crate) fn new(start: ObjectStates, goals: &Goals) -> Self {
        let mut records = [Record::default(); Thing::ALL.len()];
        for thing in Thing::ALL {
            let record = &mut records[thing.index()];
            let mut named = goals.goals.iter().flat_map(|goal| goal.things());
            record.named = goals.goals.is_empty() || named.any(|other| other == thing);
            record.forbidden = goals.avoid.contains(&thing);
        }
        Self {
            start,
            records,
            told: Vec::new(),
            revision: 0,
        }
    }

    /// Takes in the state after a physics step, and what the robot touches, in the order of
    /// [`Thing::ALL`]. Allocates only when there is something new to tell.
    pub(crate) fn observe(&mut self, now: &ObjectStates, touched: &[bool; Thing::ALL.len()]) {
        for thing in Thing::ALL {
            let record = &mut self.records[thing.index()];
            let mut news = false;
            if !record.named {
                let moved_m = moved_m(thing, &self.start, now);
                let least_m = match thing {
                    _ if record.farthest_m > 0.0 => record.farthest_m + TOLD_M,
                    Thing::Button => BUTTON_PRESSED_M,
                    _ => MOVED_M,
                };
                if moved_m > least_m {
                    record.farthest_m = moved_m;
                    news = true;
                }
            }
            news |= record
                .touches
                .observe(record.forbidden && touched[thing.index()]);
            if news {
                let what = words(record.farthest_m, record.touches);
                self.tell(thing, what);
            }
        }
    }

    fn tell(&mut self, thing: Thing, what: String) {
        self.revision += 1;
        match self.told.iter_mut().find(|known| known.thing == thing) {
            Some(known) => known.what = what,
            None => self.told.push(Collateral { thing, what }),
        }
    }

    /// Everything so far, one entry a thing.
    pub(crate) fn told(&self) -> &[Collateral] {
        &self.told
    }

    /// Grows whenever [`told`](Self::told) changes.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }
}

/// How far a thing is from where it was, m; of the switch, the tip of its lever.
fn moved_m(thing: Thing, from: &ObjectStates, to: &ObjectStates) -> f64 {
    match thing {
        Thing::Drawer => (to.drawer_m - from.drawer_m).abs(),
        Thing::Door => (to.door_m - from.door_m).abs(),
        Thing::Switch => LEVER_M * (to.switch_rad - from.switch_rad).abs(),
        Thing::Button => (to.button_m - from.button_m).abs(),
        Thing::Block(block) => {
            let (from, to) = (from.blocks[block.index()], to.blocks[block.index()]);
            let square = |axis: usize| (to.position_m[axis] - from.position_m[axis]).powi(2);
            (0..3).map(square).sum::<f64>().sqrt()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::Block;

    const NOTHING: [bool; Thing::ALL.len()] = [false; Thing::ALL.len()];

    fn watch(ids: &str) -> Bystanders {
        let goals = Goals::from_ids(ids.split(',')).expect("ids");
        Bystanders::new(ObjectStates::default(), &goals)
    }

    fn words(bystanders: &Bystanders) -> Vec<String> {
        let told = bystanders.told().iter();
        told.map(|told| format!("{}: {}", told.thing.name(), told.what))
            .collect()
    }

    #[test]
    fn what_the_task_does_not_name_must_stay() {
        let mut watch = watch("push_red:to_blue_block");
        let mut now = ObjectStates::default();
        now.blocks[Block::Red.index()].position_m[0] = 0.3;
        now.blocks[Block::Blue.index()].position_m[0] = 0.3;
        now.blocks[Block::Pink.index()].position_m[0] = MOVED_M - 0.001;
        now.drawer_m = 0.019;
        now.switch_rad = 0.25;
        now.button_m = 0.007;
        watch.observe(&now, &NOTHING);
        assert_eq!((words(&watch), watch.revision()), (Vec::new(), 0));
        now.blocks[Block::Pink.index()].position_m[0] = 0.05;
        now.button_m = 0.009;
        watch.observe(&now, &NOTHING);
        watch.observe(&ObjectStates::default(), &NOTHING);
        let expected = ["button: moved 0.01 m", "pink block: moved 0.05 m"];
        assert_eq!(
            (words(&watch).as_slice(), watch.revision()),
            (&expected.map(str::to_owned)[..], 2)
        );
    }

    #[test]
    fn forbidden_touches_are_counted_one_by_one() {
        let mut watch = watch("button_press:avoid=red_block");
        let mut touched = NOTHING;
        touched[Thing::Block(Block::Red).index()] = true;
        touched[Thing::Block(Block::Blue).index()] = true;
        let now = ObjectStates::default();
        for _ in 0..5 {
            watch.observe(&now, &touched);
        }
        assert_eq!(words(&watch), ["red block: touched though forbidden"]);
        for _ in 0..100 {
            watch.observe(&now, &NOTHING);
        }
        watch.observe(&now, &touched);
        assert_eq!(
            words(&watch),
            ["red block: touched 2 times though forbidden"]
        );
    }

    #[test]
    fn a_free_run_harms_nobody() {
        let mut watch = Bystanders::new(ObjectStates::default(), &Goals::default());
        let now = ObjectStates {
            drawer_m: 0.1,
            ..ObjectStates::default()
        };
        watch.observe(&now, &[true; Thing::ALL.len()]);
        assert!(watch.told().is_empty());
    }
}
