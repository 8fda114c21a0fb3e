//! What can be made to go wrong.

use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

use crate::flags::ErrorFlag;

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// From now on so many of the robot's states, and of the commands, get lost: shares from 0 to 1.
    Loss {
        /// Of the states.
        states: f64,
        /// Of the commands.
        commands: f64,
    },
    /// For so many milliseconds nothing passes, neither states nor commands.
    Stall {
        /// How many.
        ms: u32,
    },
    /// The robot stops by itself.
    Reflex(ErrorFlag),
    /// The user stop is pressed, or released.
    UserStop(bool),
    /// From now on errors cannot be cleared by the client, or can again.
    Stuck(bool),
    /// Both connections are cut.
    Drop,
}

/// What befalls the robot itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Trouble {
    Reflex(ErrorFlag),
    UserStop(bool),
    Stuck(bool),
}

/// What becomes of packets. The same seed gives the same losses in the same cycles.
#[derive(Debug)]
pub(crate) struct Line {
    rng: ChaCha8Rng,
    states: f64,
    commands: f64,
    stalled_ms: u32,
}

/// What passes in one cycle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Passage {
    pub(crate) state: bool,
    pub(crate) command: bool,
}

impl Line {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            states: 0.0,
            commands: 0.0,
            stalled_ms: 0,
        }
    }

    pub(crate) fn lose(&mut self, states: f64, commands: f64) {
        (self.states, self.commands) = (states, commands);
    }

    pub(crate) fn stall(&mut self, ms: u32) {
        self.stalled_ms = ms;
    }

    /// Decides for one state and its answer.
    pub(crate) fn next(&mut self) -> Passage {
        let mut chance = || self.rng.next_u32() as f64 / (f64::from(u32::MAX) + 1.0);
        let (state, command) = (chance() >= self.states, chance() >= self.commands);
        if self.stalled_ms > 0 {
            self.stalled_ms -= 1;
            return Passage {
                state: false,
                command: false,
            };
        }
        Passage { state, command }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_as_frequent_as_asked_and_the_same_again() {
        let run = || {
            let mut line = Line::new(7);
            line.lose(0.05, 0.01);
            (0..20_000).map(|_| line.next()).collect::<Vec<_>>()
        };
        let passages = run();
        let states = passages.iter().filter(|passage| !passage.state).count();
        let commands = passages.iter().filter(|passage| !passage.command).count();
        assert!((900..1100).contains(&states), "{states}");
        assert!((150..250).contains(&commands), "{commands}");
        assert_eq!(passages, run());
    }

    #[test]
    fn a_stall_ends() {
        let mut line = Line::new(1);
        line.stall(3);
        let passing: Vec<bool> = (0..5).map(|_| line.next().state).collect();
        assert_eq!(passing, [false, false, false, true, true]);
    }
}
