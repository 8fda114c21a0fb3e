//! Program and stage: what is steered for.

use eyre::{Result, WrapErr, eyre};
use tiller_messages::{RewardProgram, StageCommand};
use tiller_reward::{CompileOptions, compile};
use tiller_sampler::Pilot;

use crate::senses::Senses;

/// Follows the reward author and the stage switcher. Their messages take different ways, so a
/// stage may arrive before its program and a program before its keypoints: each waits here for
/// what it needs.
#[derive(Default)]
pub(crate) struct Guide {
    program: Option<RewardProgram>,
    command: Option<StageCommand>,
    /// Generation of the program that the pilot holds.
    compiled: Option<u32>,
    /// The visit that the pilot is in.
    entered: Option<u32>,
}

/// What the guide says of the next chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Nothing to steer for yet.
    Wait,
    /// Plan for this stage, steered or not.
    Plan {
        /// Counted from 1.
        stage: u32,
        /// Whether the reward may steer.
        guidance: bool,
    },
    /// The program has ended, well or not: stand still.
    Rest,
}

impl Guide {
    /// Takes a program.
    pub(crate) fn on_program(&mut self, program: RewardProgram) {
        self.program = Some(program);
    }

    /// Takes a decision of the switcher.
    pub(crate) fn on_stage(&mut self, command: StageCommand) {
        self.command = Some(command);
    }

    /// Brings the pilot to where program and stage say, as far as what is needed is there. Says
    /// whether the goal has changed.
    pub(crate) fn follow(&mut self, pilot: &mut Pilot, senses: &Senses) -> Result<bool> {
        let (Some(keypoints), Some(state)) = (senses.keypoints(), senses.state()) else {
            return Ok(false);
        };
        if let Some(program) = &self.program
            && program.generation == keypoints.generation
            && self.compiled != Some(program.generation)
        {
            let count = keypoints.names.len();
            let options = CompileOptions::new(count, pilot.points());
            let compiled = compile(&program.text, &options).map_err(|diagnostics| {
                eyre!(
                    "the reward program does not fit:\n{}",
                    diagnostics.render(&program.text)
                )
            })?;
            pilot.set_program(compiled, count);
            self.compiled = Some(program.generation);
            self.entered = None;
        }
        let Some(command) = &self.command else {
            return Ok(false);
        };
        let changed = self.compiled == Some(command.generation)
            && keypoints.generation == command.generation
            && self.entered != Some(command.visit);
        if !changed {
            return Ok(false);
        }
        self.entered = Some(command.visit);
        let points: Vec<_> = keypoints.points().collect();
        pilot
            .enter_stage(
                command.stage,
                command.visit,
                &points,
                state.anchor_position_m,
            )
            .wrap_err_with(|| format!("cannot enter stage {}", command.stage))?;
        tracing::info!(
            "stage {}, visit {}: {}",
            command.stage,
            command.visit,
            command.reason
        );
        Ok(true)
    }

    /// What to do about the next chunk.
    pub(crate) fn wish(&self) -> Wish {
        match &self.command {
            Some(command) if command.finished || command.gave_up => Wish::Rest,
            Some(command) if self.entered == Some(command.visit) => Wish::Plan {
                stage: command.stage,
                guidance: command.guidance,
            },
            _ => Wish::Wait,
        }
    }
}
