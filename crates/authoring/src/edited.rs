//! Programs that an operator has edited.

use tiller_closed_loop::program_message;
use tiller_core::ProgramId;
use tiller_messages::{Episode, RewardProgram};
use tiller_reward::{CompileOptions, Diagnostics, Program, compile};

/// What is added to the source of a program that an operator has edited.
const MARK: &str = ", edited by an operator";

/// The source of a program that was made by editing one of this source.
///
/// ```
/// let once = tiller_authoring::edited_source("embedded");
/// assert_eq!(once, "embedded, edited by an operator");
/// assert_eq!(tiller_authoring::edited_source(&once), once);
/// ```
#[must_use]
pub fn edited_source(before: &str) -> String {
    match is_edited(before) {
        true => before.to_owned(),
        false => format!("{before}{MARK}"),
    }
}

/// Whether a source is that of a program which an operator has edited.
#[must_use]
pub fn is_edited(source: &str) -> bool {
    source.ends_with(MARK)
}

/// What an edited program is beside its text.
#[derive(Debug, Clone, Copy)]
pub struct Edit<'a> {
    /// The number that it gets.
    pub id: ProgramId,
    /// Whose instruction it follows.
    pub episode: &'a Episode,
    /// The keypoint generation that its indices refer to.
    pub generation: u32,
    /// Its source, see [`edited_source`].
    pub source: &'a str,
    /// What it is compiled for.
    pub options: CompileOptions,
}

impl Edit<'_> {
    /// An edited text as a program and its message, by the parser, checks and compiler that an author's goes
    /// through. Session and number are those of no message.
    ///
    /// # Errors
    /// [`Diagnostics`] with everything that is wrong with the text.
    pub fn compile(&self, text: &str) -> Result<(Program, RewardProgram), Diagnostics> {
        let compiled = compile(text, &self.options)?;
        let message = program_message(&compiled, text, self.source, self.options.points);
        let message = RewardProgram {
            id: self.id,
            episode: self.episode.id,
            generation: self.generation,
            instruction: self.episode.instruction.clone(),
            ..message
        };
        Ok((compiled, message))
    }
}
