//! Instructions to choose from.

use thiserror::Error;
use tiller_core::{MAX_INSTRUCTION, visible_line};

/// Most instructions of a list.
const MOST: usize = 1000;

/// What somebody may be asked to do, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskList {
    /// The instructions.
    pub instructions: Vec<String>,
}

/// A list that cannot be used.
#[derive(Debug, Error)]
pub enum TaskListError {
    /// It is not a list of texts.
    #[error("expected a list of instructions, `- put it there`, in YAML: {0}")]
    Syntax(String),
    /// One of them is none.
    #[error("instruction {number}: expected 1 to {MAX_INSTRUCTION} characters, found {found}")]
    Length {
        /// Which, from 1.
        number: usize,
        /// Characters.
        found: usize,
    },
    /// There are too many.
    #[error("expected at most {MOST} instructions, found {0}")]
    Count(usize),
}

impl TaskList {
    /// Reads a YAML list of texts.
    ///
    /// ```
    /// let tasks = tiller_page::TaskList::read("- open the drawer\n- \"push the red block\"\n")?;
    /// assert_eq!(tasks.instructions, ["open the drawer", "push the red block"]);
    /// # Ok::<(), tiller_page::TaskListError>(())
    /// ```
    ///
    /// # Errors
    /// [`TaskListError`] where it is something else.
    pub fn read(yaml: &str) -> Result<Self, TaskListError> {
        let read: Vec<String> = serde_yaml::from_str(yaml)
            .map_err(|error| TaskListError::Syntax(visible_line(&error.to_string(), 200)))?;
        if read.len() > MOST {
            return Err(TaskListError::Count(read.len()));
        }
        let mut instructions = Vec::with_capacity(read.len());
        for (index, text) in read.iter().enumerate() {
            let text = text.trim();
            let found = text.chars().count();
            if found == 0 || found > MAX_INSTRUCTION {
                let number = index + 1;
                return Err(TaskListError::Length { number, found });
            }
            instructions.push(text.to_owned());
        }
        Ok(Self { instructions })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_list_of_texts_is_refused() {
        for (yaml, expected) in [
            ("open the drawer", "list"),
            ("- open: the drawer", "list"),
            ("- ' '", "instruction 1"),
        ] {
            let error = TaskList::read(yaml).unwrap_err().to_string();
            assert!(error.contains(expected), "{yaml}: {error}");
        }
        let many = "- x\n".repeat(MOST + 1);
        assert!(TaskList::read(&many).is_err());
    }
}
