//! Where a chunk that was planned during the motion joins the chunk under way.
//!
//! Its leading frozen steps repeat steps of the chunk under way, so the path is kept up to their
//! end, and the new steps go on from there, in poses or in joints: the path has no gap, whatever the
//! planner believed about where the arm is. A chunk that comes after its frozen steps are over joins at
//! the next step that has not begun, and the steps that it missed are left out.

use std::ops::{Range, RangeInclusive};

use crate::chunk::Chunk;
use crate::event::{Reason, Refusal, SafetyKind};
use crate::space::Space;
use crate::violation::{Quantity, Violation};

/// What is under way when a chunk comes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Underway {
    /// Sequence number of the chunk accepted last; 0 before the first.
    pub(crate) seq: u64,
    /// What its path is made of.
    pub(crate) space: Space,
    /// Its steps a second.
    pub(crate) rate_hz: f64,
    /// Steps of it that are to be executed; 0 where there is none or it was given up.
    pub(crate) steps: usize,
    /// Steps of it that are over.
    pub(crate) done: usize,
}

/// Where two chunks join, in steps of the old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Junction {
    /// The step that step 0 of the new chunk repeats.
    first: usize,
    /// The first step that is not the old chunk's any more.
    join: usize,
    /// What `join` was planned to be.
    planned: usize,
}

impl Junction {
    /// Where `chunk` joins; `None` if it carries nothing on.
    pub(crate) fn new(chunk: &Chunk, underway: &Underway) -> Result<Option<Self>, Refusal> {
        let Some(wanted) = chunk.continues else {
            return Ok(None);
        };
        let refuse = |kind, reason: Reason| Err(Refusal::new(chunk.seq, kind, reason));
        if underway.steps == 0 {
            return refuse(
                SafetyKind::NotContinuing,
                format!(
                    "expected a path under way to carry on, found none of chunk {}",
                    wanted.seq
                )
                .into(),
            );
        }
        if wanted.seq != underway.seq {
            let (expected, found) = (underway.seq as f64, wanted.seq as f64);
            return refuse(
                SafetyKind::NotContinuing,
                Violation::new(Quantity::ContinuedSequence, expected, found).into(),
            );
        }
        let space = Space::of(&chunk.layout);
        if space != underway.space {
            return refuse(
                SafetyKind::NotContinuing,
                format!(
                    "expected {} as in chunk {}, found {}",
                    underway.space.as_str(),
                    underway.seq,
                    space.as_str()
                )
                .into(),
            );
        }
        let first = wanted.step as usize;
        let planned = first.saturating_add(wanted.frozen_steps as usize);
        if planned > underway.steps {
            let (most, found) = (underway.steps as f64, planned as f64);
            return refuse(
                SafetyKind::NotContinuing,
                Violation::new(Quantity::FrozenEnd, most, found).into(),
            );
        }
        let (rate_hz, expected_hz) = (chunk.layout.rate_hz, underway.rate_hz);
        if !rate_hz.is_finite() {
            return refuse(SafetyKind::NotFinite, "expected a finite rate".into());
        }
        if rate_hz != expected_hz {
            return refuse(
                SafetyKind::Malformed,
                Violation::new(Quantity::Rate, expected_hz, rate_hz).into(),
            );
        }
        // A step that has begun is finished; after the last one nothing is.
        let open = (underway.done + 1).min(underway.steps);
        let join = planned.max(open);
        if join - first >= chunk.execute_steps {
            let (below, found) = (chunk.execute_steps as f64, (join - first) as f64);
            return refuse(
                SafetyKind::Stale,
                Violation::new(Quantity::StepsOver, below, found).into(),
            );
        }
        Ok(Some(Self {
            first,
            join,
            planned,
        }))
    }

    /// Steps of the old chunk that the new one does not know of.
    pub(crate) fn dropped(&self) -> usize {
        self.first
    }

    /// The old chunk's waypoints that stay.
    pub(crate) fn kept_waypoints(&self) -> RangeInclusive<usize> {
        self.first..=self.join
    }

    /// The old chunk's steps that stay.
    pub(crate) fn kept_steps(&self) -> Range<usize> {
        self.first..self.join
    }

    /// What to say of a chunk that came too late for its frozen steps.
    pub(crate) fn lateness(&self) -> Option<Violation> {
        let late = self.join - self.planned;
        (late > 0).then(|| Violation::new(Quantity::LateSteps, 0.0, late as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::ActionStep;
    use tiller_core::{Continuation, Pose};

    const UNDERWAY: Underway = Underway {
        seq: 7,
        space: Space::Pose,
        rate_hz: 10.0,
        steps: 8,
        done: 5,
    };

    fn chunk(continues: Option<Continuation>) -> Chunk {
        let still = ActionStep {
            delta_position_m: [0.0; 3],
            gripper: 0.0,
        };
        Chunk {
            seq: 8,
            execute_steps: 8,
            continues,
            ..Chunk::of_displacements(Pose::IDENTITY, 10.0, &[still; 16])
        }
    }

    fn joined(step: u32, frozen_steps: u32, underway: &Underway) -> Result<Junction, SafetyKind> {
        let chunk = chunk(Some(Continuation {
            seq: 7,
            step,
            frozen_steps,
        }));
        Junction::new(&chunk, underway)
            .map(|junction| junction.unwrap())
            .map_err(|refusal| refusal.kind)
    }

    #[test]
    fn on_time_it_joins_where_its_frozen_steps_end() {
        let junction = joined(4, 3, &UNDERWAY).unwrap();
        assert_eq!(junction.kept_waypoints(), 4..=7);
        assert_eq!(junction.kept_steps(), 4..7);
        assert_eq!(junction.lateness(), None);
        assert_eq!(Junction::new(&chunk(None), &UNDERWAY).unwrap(), None);
    }

    #[test]
    fn late_it_joins_at_the_next_step_that_has_not_begun() {
        let junction = joined(4, 1, &UNDERWAY).unwrap();
        assert_eq!(junction.kept_steps(), 4..6);
        assert_eq!(junction.lateness().unwrap().value, 1.0);
        let over = Underway {
            done: 8,
            ..UNDERWAY
        };
        assert_eq!(joined(4, 1, &over).unwrap().kept_steps(), 4..8);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(joined(6, 3, &UNDERWAY), Err(SafetyKind::NotContinuing));
        let given_up = Underway {
            steps: 0,
            done: 0,
            ..UNDERWAY
        };
        assert_eq!(joined(0, 0, &given_up), Err(SafetyKind::NotContinuing));
        let other = Underway { seq: 6, ..UNDERWAY };
        assert_eq!(joined(4, 2, &other), Err(SafetyKind::NotContinuing));
        let faster = Underway {
            rate_hz: 20.0,
            ..UNDERWAY
        };
        assert_eq!(joined(4, 2, &faster), Err(SafetyKind::Malformed));
        let in_joints = Underway {
            space: Space::Joints,
            ..UNDERWAY
        };
        assert_eq!(joined(4, 2, &in_joints), Err(SafetyKind::NotContinuing));
        let longer = Underway {
            steps: 16,
            done: 14,
            ..UNDERWAY
        };
        assert_eq!(joined(4, 2, &longer), Err(SafetyKind::Stale));
    }
}
