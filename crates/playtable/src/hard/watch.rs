//! What happens beside a task of a suite, and what makes it fail for good.

use super::snapshot::Snapshot;
use crate::oracle::thresholds::{MOVED_M, TOLD_M};
use crate::touches::{Touches, words};

/// What may happen to a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The task is about it.
    Named,
    /// Moving it is collateral.
    Bystander,
    /// It looks like what the task is about: moving it is a failure.
    Mistaken,
    /// Touching it is a failure.
    Forbidden,
}

/// What is known of a thing.
#[derive(Debug, Clone, Copy)]
struct Record {
    role: Role,
    farthest_m: f64,
    touches: Touches,
}

/// Watches all things of an episode.
#[derive(Debug, Clone, Default)]
pub(super) struct Watch {
    records: Vec<Record>,
    spoiled: bool,
}

impl Watch {
    pub(super) fn new(roles: Vec<Role>) -> Self {
        let record = |role| Record {
            role,
            farthest_m: 0.0,
            touches: Touches::default(),
        };
        Self {
            records: roles.into_iter().map(record).collect(),
            spoiled: false,
        }
    }

    /// Takes in the state after a physics step; `tell` hears of a thing, by its number, and what happened to it.
    pub(super) fn observe(
        &mut self,
        start: &Snapshot,
        now: &Snapshot,
        mut tell: impl FnMut(usize, String),
    ) {
        let things = start.things.iter().zip(&now.things);
        for (index, (record, (start, now))) in self.records.iter_mut().zip(things).enumerate() {
            let moved_m = distance(start.position_m, now.position_m);
            let least_m = if record.farthest_m > 0.0 {
                record.farthest_m + TOLD_M
            } else {
                MOVED_M
            };
            let is_moved = moved_m > least_m && record.role != Role::Named;
            let is_forbidden = record.role == Role::Forbidden;
            let is_touched = record.touches.observe(is_forbidden && now.touched);
            if is_moved {
                record.farthest_m = moved_m;
            }
            if is_moved || is_touched {
                self.spoiled |= is_touched || record.role == Role::Mistaken;
                tell(index, words(record.farthest_m, record.touches));
            }
        }
    }

    /// Whether something happened that no success makes good.
    pub(super) fn is_spoiled(&self) -> bool {
        self.spoiled
    }
}

fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    let squares = (0..3).map(|axis| (a[axis] - b[axis]).powi(2));
    squares.sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hard::snapshot::ThingState;

    fn at(x: f64, touched: bool) -> Snapshot {
        let thing = ThingState {
            position_m: [x, 0.0, 0.0],
            touched,
            ..ThingState::default()
        };
        Snapshot {
            things: vec![thing],
            ..Snapshot::default()
        }
    }

    fn told(role: Role, course: &[Snapshot]) -> (Vec<String>, bool) {
        let mut watch = Watch::new(vec![role]);
        let mut words = Vec::new();
        for now in course {
            watch.observe(&at(0.0, false), now, |_, what| words.push(what));
        }
        (words, watch.is_spoiled())
    }

    #[test]
    fn moving_is_collateral_and_of_what_was_mistaken_a_failure() {
        let course = [
            at(0.019, true),
            at(0.03, true),
            at(0.035, true),
            at(0.05, true),
        ];
        let words = vec!["moved 0.03 m".to_owned(), "moved 0.05 m".to_owned()];
        assert_eq!(told(Role::Bystander, &course), (words.clone(), false));
        assert_eq!(told(Role::Mistaken, &course), (words, true));
        assert_eq!(told(Role::Named, &course), (Vec::new(), false));
    }

    #[test]
    fn forbidden_touches_are_counted_one_by_one() {
        let apart = std::iter::repeat_n(at(0.0, false), 100);
        let course = [at(0.0, true), at(0.0, true)].into_iter().chain(apart);
        let course: Vec<_> = course.chain([at(0.0, true)]).collect();
        let (words, spoiled) = told(Role::Forbidden, &course);
        assert!(spoiled);
        let expected = [
            "touched though forbidden",
            "touched 2 times though forbidden",
        ];
        assert_eq!(words, expected);
    }
}
