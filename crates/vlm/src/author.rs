//! What every author of reward programs offers, whoever writes: a model behind a network or the
//! embedded one.

use std::fmt;

use thiserror::Error;
use tiller_reward::HandAccess;

/// A named point of the scene, as it stands in the annotated image.
#[derive(Debug, Clone, PartialEq)]
pub struct SceneKeypoint {
    /// Row of the keypoint in the program's `keypoints`.
    pub index: usize,
    /// What it is on, such as `cup`, `cup handle` or `cup 2`.
    pub name: String,
    /// Position in the robot base frame, m.
    pub position_m: [f64; 3],
}

/// Farthest that a keypoint may stand from the base, m; a table-top arm reaches less than 1 m.
const FARTHEST_M: f64 = 3.0;

impl SceneKeypoint {
    /// Checks the position: within a few metres of the base.
    ///
    /// # Errors
    /// [`AuthorError::BadKeypoint`].
    pub fn check(&self) -> Result<(), AuthorError> {
        let [x, y, z] = self.position_m;
        let distance_m = (x * x + y * y + z * z).sqrt();
        if distance_m.is_nan() || distance_m > FARTHEST_M {
            return Err(AuthorError::BadKeypoint {
                index: self.index,
                name: self.name.clone(),
                found: format!("[{x}, {y}, {z}]"),
            });
        }
        Ok(())
    }

    /// What it is on, in lower case and without the number that tells keypoints apart: `Drawer Handle 2` is on a
    /// `drawer handle`.
    #[must_use]
    pub fn thing(&self) -> String {
        let lower = self.name.to_lowercase();
        let mut words: Vec<&str> = lower.split_whitespace().collect();
        let is_number = |word: &&str| word.chars().all(|c| c.is_ascii_digit());
        if words.len() > 1 && words.last().is_some_and(is_number) {
            words.pop();
        }
        words.join(" ")
    }
}

/// What an author is given. It holds what a person could read off the annotated image, and nothing
/// of a simulator's state.
#[derive(Debug, Clone, PartialEq)]
pub struct AuthorRequest {
    /// The task in words.
    pub instruction: String,
    /// Every keypoint of the scene.
    pub keypoints: Vec<SceneKeypoint>,
    /// What of the hand rewards may read and move with the policy in use.
    pub hand: HandAccess,
}

/// What an author wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The answer as it came, for the compiler to extract a program from and to judge.
    pub text: String,
    /// Who wrote it, such as `embedded`.
    pub source: String,
    /// The task as the author understood it, in its own canonical words.
    pub understood: Option<String>,
}

/// Writes reward programs.
pub trait Author: fmt::Debug + Send + Sync {
    /// Writes a program for the instruction, or says why not.
    ///
    /// # Errors
    /// [`AuthorError`]; its text is meant for the person who gave the instruction.
    fn author(&self, request: &AuthorRequest) -> Result<Answer, AuthorError>;
}

/// The instructions that would work in a scene.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Abilities(pub Vec<String>);

impl fmt::Display for Abilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            f.write_str("there is nothing in this scene that I know how to use")
        } else {
            write!(f, "I can: {}", self.0.join(", "))
        }
    }
}

/// Why there is no program.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AuthorError {
    /// No words at all.
    #[error("the instruction is empty; {can}")]
    Empty {
        /// What would work.
        can: Abilities,
    },
    /// No known action.
    #[error("I do not know how to {phrase}; {can}")]
    UnknownVerb {
        /// The instruction without its courtesies.
        phrase: String,
        /// What would work.
        can: Abilities,
    },
    /// A known action on something that is no known object.
    #[error("I do not know what \"{phrase}\" is; {can}")]
    UnknownObject {
        /// The words that name it.
        phrase: String,
        /// What would work.
        can: Abilities,
    },
    /// A known object that no keypoint shows.
    #[error("there is no {object} among the keypoints; {can}")]
    ObjectNotInScene {
        /// The object's name.
        object: String,
        /// What would work.
        can: Abilities,
    },
    /// Several readings are possible; none is guessed.
    #[error("\"{phrase}\" could mean several things: {}", .choices.join(", or "))]
    Ambiguous {
        /// The words that leave it open.
        phrase: String,
        /// Instructions that would be clear.
        choices: Vec<String>,
    },
    /// A known action that does not go with the object.
    #[error("I cannot {action} the {object}; {can}")]
    Unsupported {
        /// The action.
        action: String,
        /// The object.
        object: String,
        /// What would work with this object.
        can: Abilities,
    },
    /// Action and object are known, and the rest changes them in a way that is not.
    #[error("I did not understand \"{}\" in \"{instruction}\"; {can}", .words.join(" "))]
    NotUnderstood {
        /// The words.
        words: Vec<String>,
        /// The whole instruction.
        instruction: String,
        /// What would work.
        can: Abilities,
    },
    /// No action, or an action without an object.
    #[error("\"{instruction}\" does not say {missing}; {can}")]
    Incomplete {
        /// The whole instruction.
        instruction: String,
        /// What is missing.
        missing: String,
        /// What would work.
        can: Abilities,
    },
    /// Asks for two things, or for opposites.
    #[error("\"{instruction}\" asks for {} at once; one task at a time, please", .found.join(" and "))]
    SeveralTasks {
        /// The whole instruction.
        instruction: String,
        /// What was found.
        found: Vec<String>,
    },
    /// Asks for something not to be done.
    #[error("\"{instruction}\" says what not to do; say what to do instead; {can}")]
    Negated {
        /// The whole instruction.
        instruction: String,
        /// What would work.
        can: Abilities,
    },
    /// The hand would come down on something else.
    #[error("there is no room for the hand to {goal}: the {obstacle} is in the way; {can}")]
    NoRoom {
        /// What is asked for, in canonical words.
        goal: String,
        /// What stands where the hand would come down, or where what it moves would go.
        obstacle: String,
        /// What would work instead.
        can: Abilities,
    },
    /// Nobody wrote a program for it before.
    #[error("no program was recorded for \"{instruction}\"; there are some for: {}", .recorded.join(", "))]
    NotRecorded {
        /// The whole instruction.
        instruction: String,
        /// What there are programs for.
        recorded: Vec<String>,
    },
    /// A recorded program is for another scene.
    #[error(
        "the program was recorded for a scene in which keypoint {index} is on the {expected}, found {found}"
    )]
    OtherScene {
        /// The keypoint's row.
        index: usize,
        /// What it was on.
        expected: String,
        /// What it is on here.
        found: String,
    },
    /// A keypoint's position cannot be used.
    #[error("keypoint {index} ({name}) stands at {found:?}, expected a finite position within 3 m")]
    BadKeypoint {
        /// The keypoint's row.
        index: usize,
        /// Its name.
        name: String,
        /// What was found, as text.
        found: String,
    },
}
