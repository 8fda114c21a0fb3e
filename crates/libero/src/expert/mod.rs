//! Scripted experts of LIBERO-Goal. They see the true state of the scene and serve to prove its judge and to
//! make demonstrations; policies never see what they see.
//!
//! They err on purpose: they wander first, are pushed about by noise, come down aside, grasp beside the thing,
//! fumble with the fingers, set a load down where it should not be. What is learned is the right step all the
//! while.

mod approach;
mod carry;
mod motion;
mod phase;
mod script;
mod view;

use tiller_core::Pose;
use tiller_world::ExpertStep;

use crate::native::Native;
use motion::Noise;
use phase::{Next, OPEN, Phase};
pub(crate) use script::Skill;
use tiller_world::Random;
pub(crate) use view::View;

/// Steps after which an expert gives up.
const MOST_STEPS: u32 = 250;

/// Solves one task, closed loop at 10 Hz.
#[derive(Debug, Clone)]
pub(crate) struct Expert {
    /// What comes next, the last one first.
    script: Vec<Phase>,
    gripper: f64,
    noise: Noise,
    random: Random,
    steps: u32,
}

impl Expert {
    /// The seed draws its ways and errors.
    pub(crate) fn new(skill: Skill, view: &View<'_>, seed: u64) -> Self {
        let mut random = Random::new(seed, 1);
        let mut script = script::write(skill, view, &mut random);
        script.reverse();
        Self {
            script,
            gripper: OPEN,
            noise: Noise::default(),
            random,
            steps: 0,
        }
    }

    /// What the scene has to have and has not, if anything.
    pub(crate) fn missing(native: &Native) -> Option<&'static str> {
        View::missing(native)
    }

    /// The next step from `anchor`; none when it is finished or gives up.
    pub(crate) fn step(&mut self, view: &View<'_>, anchor: &Pose) -> Option<ExpertStep> {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            self.script.clear();
        }
        loop {
            let phase = self.script.last_mut()?;
            match phase.next(view, anchor, &mut self.gripper) {
                Next::Step {
                    learned,
                    executed,
                    noise,
                } => {
                    let done = executed.unwrap_or(learned);
                    let executed = self.noise.push(&done, noise, &mut self.random);
                    return Some(ExpertStep { learned, executed });
                }
                Next::Done(then) => {
                    self.script.pop();
                    self.script.extend(then.into_iter().rev());
                }
                Next::GiveUp => self.script.clear(),
            }
        }
    }
}
