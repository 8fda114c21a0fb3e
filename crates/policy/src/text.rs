//! An instruction as a policy reads it: tokens.

use tiller_core::Problem;
use tokenizers::Tokenizer;

use crate::bundle::Bundle;
use crate::error::PolicyError;
use crate::manifest::{INSTRUCTION, ObservationInput, WrittenState};

/// What stands for the instruction in a template.
pub(crate) const PLACE: &str = "{instruction}";

/// What stands for the robot's state in a template.
pub(crate) const STATE_PLACE: &str = "{state}";

/// Turns instructions into tokens.
pub(crate) struct Reader {
    tokenizer: Tokenizer,
    template: String,
    spaces: Vec<char>,
    state: Option<WrittenState>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Reader({:?})", self.template)
    }
}

impl Reader {
    /// The reader of a bundle's text input.
    pub(crate) fn new(bundle: &Bundle, input: &ObservationInput) -> Result<Self, PolicyError> {
        let unusable = |reason: String| PolicyError::Tokenizer {
            directory: bundle.directory().to_path_buf(),
            reason,
        };
        let bytes = bundle
            .tokenizer()
            .ok_or_else(|| unusable("the bundle has none".to_owned()))?;
        let mut tokenizer =
            Tokenizer::from_bytes(bytes).map_err(|error| unusable(error.to_string()))?;
        // Both are done here, where what is too long is refused.
        tokenizer.with_padding(None);
        tokenizer
            .with_truncation(None)
            .map_err(|error| unusable(error.to_string()))?;
        Ok(Self {
            tokenizer,
            template: input.template.clone().unwrap_or_default(),
            spaces: input.spaces.clone(),
            state: input.state.clone(),
        })
    }

    /// Writes the instruction's tokens, filled up with token 0, and which of them are no filling.
    pub(crate) fn read(
        &self,
        instruction: &str,
        robot_state: &[f32],
        tokens: &mut [i64],
        mask: &mut [bool],
    ) -> Result<(), Problem> {
        let instruction = instruction.trim();
        if instruction.is_empty() {
            return Err(Problem::new(INSTRUCTION, "a text", "none"));
        }
        let said = instruction.replace(&self.spaces[..], " ");
        let mut text = self.template.clone();
        if let Some(state) = &self.state {
            // Before the instruction, which may hold anything.
            text = text.replace(STATE_PLACE, &written(state, robot_state)?);
        }
        let text = text.replace(PLACE, &said);
        let found = self.tokenizer.encode(text, true).map_err(|error| {
            let expected = "a text that the policy's tokenizer reads";
            Problem::new(INSTRUCTION, expected, error)
        })?;
        let ids = found.get_ids();
        if ids.len() > tokens.len() {
            return Err(Problem::new(
                INSTRUCTION,
                format!("at most {} tokens, as the policy reads", tokens.len()),
                format!("{} in {instruction:?}", ids.len()),
            ));
        }
        tokens.fill(0);
        mask.fill(false);
        for ((token, is_there), id) in tokens.iter_mut().zip(mask).zip(ids) {
            (*token, *is_there) = (i64::from(*id), true);
        }
        Ok(())
    }
}

/// The robot's state as words.
fn written(as_said: &WrittenState, state: &[f32]) -> Result<String, Problem> {
    let count = as_said.mean.len();
    if state.len() != count || state.iter().any(|number| !number.is_finite()) {
        let expected = format!("{count} finite numbers");
        return Err(Problem::new("robot state", expected, format!("{state:?}")));
    }
    let bins = f64::from(as_said.bins);
    let normalised = state
        .iter()
        .zip(&as_said.mean)
        .zip(&as_said.std)
        .map(|((number, mean), std)| f64::from((number - mean) / std));
    let filled = std::iter::repeat_n(0.0, as_said.numbers.unwrap_or(count) - count);
    let words: Vec<String> = normalised
        .chain(filled)
        .map(|number| {
            let bin = ((number + 1.0) * bins / 2.0)
                .floor()
                .clamp(-1.0, bins - 1.0);
            format!("{bin}")
        })
        .collect();
    Ok(words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(numbers: Option<usize>) -> WrittenState {
        WrittenState {
            components: None,
            mean: vec![1.0, 0.0, 0.0],
            std: vec![2.0, 1.0, 1.0],
            bins: 256,
            numbers,
        }
    }

    #[test]
    fn a_state_is_written_in_bins() {
        let write = |numbers, state_of: [f32; 3]| written(&state(numbers), &state_of).unwrap();
        // The first is -1, the second 0, the third 1, which the last bin holds.
        assert_eq!(write(None, [-1.0, 0.0, 1.0]), "0 128 255");
        assert_eq!(write(None, [3.0, -0.001, -1.001]), "255 127 -1");
        assert_eq!(write(Some(5), [-40.0, 40.0, 0.5]), "-1 255 192 128 128");
    }

    #[test]
    fn a_state_that_cannot_be_written_is_named() {
        for wrong in [&[0.0, 0.0][..], &[0.0, f32::NAN, 0.0]] {
            let problem = written(&state(None), wrong).unwrap_err().to_string();
            assert!(
                problem.starts_with("robot state: expected 3 finite numbers, found ["),
                "{problem}"
            );
        }
    }
}
