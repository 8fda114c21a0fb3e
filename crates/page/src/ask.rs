//! What a browser may ask for.

use serde::Deserialize;
use thiserror::Error;
use tiller_core::{EpisodeId, MAX_INSTRUCTION, MAX_STATUS, ProgramId, visible_line};
use tiller_messages::ApprovalDecision;

use crate::Verdict;

/// Longest program that is read, bytes.
const MAX_PROGRAM: usize = 128 * 1024;

/// Characters of what is refused that a refusal quotes.
const MAX_QUOTED: usize = 200;

/// A request that was understood.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// The robot is to do something.
    Say {
        /// What.
        instruction: String,
        /// Seed of all randomness.
        seed: u64,
    },
    /// The actuator is to do something.
    Order(OrderKind),
    /// A word about a proposed program.
    Decide {
        /// Which.
        program: ProgramId,
        /// What.
        decision: ApprovalDecision,
        /// The program as it was edited.
        text: String,
        /// Why.
        reason: String,
    },
    /// Another stage is to be under way.
    Stage {
        /// The program that was seen.
        program: ProgramId,
        /// The visit that was seen.
        visit: u32,
        /// The stage that is wanted, counted from 1.
        stage: u32,
    },
    /// What came of an episode, as a person sees it.
    Judge {
        /// Which.
        episode: EpisodeId,
        /// What.
        verdict: Verdict,
        /// In words; may be empty.
        note: String,
    },
}

/// What the actuator may be told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderKind {
    /// To come to rest, and to stay.
    Stop,
    /// To come to rest, and to hold until it is to go on.
    Pause,
    /// To go on after a stop or a pause.
    Resume,
    /// To move at all.
    Arm,
}

impl OrderKind {
    /// The word for it, which is the output's name as well.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Arm => "arm",
        }
    }
}

/// A request that was not understood.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AskError {
    /// It is no request at all.
    #[error("expected a request: {0}")]
    Malformed(String),
    /// A value is not allowed.
    #[error("`{name}`: expected {expected}, found {found}")]
    Value {
        /// Of what.
        name: &'static str,
        /// What is allowed.
        expected: String,
        /// What was there.
        found: String,
    },
}

/// As it stands in the JSON. Numbers of 64 bits are texts there.
#[derive(Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
enum Raw {
    Say {
        instruction: String,
        #[serde(default)]
        seed: u64,
    },
    Order {
        order: OrderKind,
    },
    Decide {
        program: String,
        decision: String,
        #[serde(default)]
        text: String,
        #[serde(default)]
        reason: String,
    },
    Stage {
        program: String,
        visit: u32,
        stage: u32,
    },
    Judge {
        episode: String,
        verdict: Verdict,
        #[serde(default)]
        note: String,
    },
}

impl Ask {
    /// Reads a request.
    ///
    /// # Errors
    /// [`AskError`] with what was expected and what was found; what it quotes is visible and short.
    pub fn read(json: &[u8]) -> Result<Self, AskError> {
        let raw: Raw = serde_json::from_slice(json)
            .map_err(|error| AskError::Malformed(visible_line(&error.to_string(), MAX_QUOTED)))?;
        Ok(match raw {
            Raw::Say { instruction, seed } => {
                let instruction = instruction.trim().to_owned();
                at_most("instruction", &instruction, MAX_INSTRUCTION)?;
                if instruction.is_empty() {
                    return Err(AskError::Value {
                        name: "instruction",
                        expected: "a text".to_owned(),
                        found: "an empty one".to_owned(),
                    });
                }
                Self::Say { instruction, seed }
            }
            Raw::Order { order } => Self::Order(order),
            Raw::Decide {
                program,
                decision,
                text,
                reason,
            } => {
                at_most("reason", &reason, MAX_STATUS)?;
                if text.len() > MAX_PROGRAM {
                    return Err(AskError::Value {
                        name: "text",
                        expected: format!("at most {MAX_PROGRAM} bytes"),
                        found: text.len().to_string(),
                    });
                }
                let known = ApprovalDecision::ALL.iter().copied();
                let words: Vec<_> = known.clone().map(ApprovalDecision::as_str).collect();
                let decision = known
                    .clone()
                    .find(|known| known.as_str() == decision)
                    .ok_or_else(|| AskError::Value {
                        name: "decision",
                        expected: format!("one of {}", words.join(", ")),
                        found: visible_line(&decision, MAX_QUOTED),
                    })?;
                Self::Decide {
                    program: ProgramId(number("program", &program)?),
                    decision,
                    text,
                    reason,
                }
            }
            Raw::Stage {
                program,
                visit,
                stage,
            } => Self::Stage {
                program: ProgramId(number("program", &program)?),
                visit,
                stage,
            },
            Raw::Judge {
                episode,
                verdict,
                note,
            } => {
                at_most("note", &note, MAX_STATUS)?;
                Self::Judge {
                    episode: EpisodeId(number("episode", &episode)?),
                    verdict,
                    note: note.trim().to_owned(),
                }
            }
        })
    }
}

fn number(name: &'static str, text: &str) -> Result<u64, AskError> {
    text.parse().map_err(|_| AskError::Value {
        name,
        expected: "a number in a text".to_owned(),
        found: format!("`{}`", visible_line(text, MAX_QUOTED)),
    })
}

fn at_most(name: &'static str, text: &str, limit: usize) -> Result<(), AskError> {
    match text.chars().count() {
        count if count > limit => Err(AskError::Value {
            name,
            expected: format!("at most {limit} characters"),
            found: count.to_string(),
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Ask, AskError> {
        Ask::read(json.as_bytes())
    }

    #[test]
    fn numbers_of_64_bits_keep_their_last_digit() {
        let ask = read(r#"{"ask":"decide","program":"1764444444444444443","decision":"approve"}"#);
        let expected = Ask::Decide {
            program: ProgramId(1_764_444_444_444_444_443),
            decision: ApprovalDecision::Approve,
            text: String::new(),
            reason: String::new(),
        };
        assert_eq!(ask, Ok(expected));
    }

    #[test]
    fn orders_instructions_stages_and_verdicts_are_read() {
        let stop = read(r#"{"ask":"order","order":"stop"}"#);
        assert_eq!(stop, Ok(Ask::Order(OrderKind::Stop)));
        let say = read(r#"{"ask":"say","instruction":" open it "}"#);
        let expected = Ask::Say {
            instruction: "open it".into(),
            seed: 0,
        };
        assert_eq!(say, Ok(expected));
        let stage = read(r#"{"ask":"stage","program":"7","visit":3,"stage":2}"#);
        let expected = Ask::Stage {
            program: ProgramId(7),
            visit: 3,
            stage: 2,
        };
        assert_eq!(stage, Ok(expected));
        let judge = read(r#"{"ask":"judge","episode":"9","verdict":"fail","note":"slipped "}"#);
        let expected = Ask::Judge {
            episode: EpisodeId(9),
            verdict: Verdict::Fail,
            note: "slipped".into(),
        };
        assert_eq!(judge, Ok(expected));
    }

    #[test]
    fn what_is_no_request_is_refused_with_what_is_expected() {
        let long = format!(
            r#"{{"ask":"say","instruction":"{}"}}"#,
            "a".repeat(MAX_INSTRUCTION + 1)
        );
        for (json, expected) in [
            ("", "request"),
            ("[]", "request"),
            (r#"{"ask":"format"}"#, "`say`"),
            (r#"{"ask":"say","instruction":" "}"#, "`instruction`"),
            (r#"{"ask":"say","instruction":"x","run":"rm"}"#, "`run`"),
            (r#"{"ask":"order","order":"dance"}"#, "`resume`"),
            (
                r#"{"ask":"decide","program":"x","decision":"edit"}"#,
                "`program`",
            ),
            (
                r#"{"ask":"decide","program":"1","decision":"maybe"}"#,
                "approve",
            ),
            (
                r#"{"ask":"judge","episode":"1","verdict":"fine"}"#,
                "`success`",
            ),
            (&long, "characters"),
        ] {
            let error = read(json).unwrap_err().to_string();
            assert!(error.contains(expected), "{json}: {error}");
        }
        let hidden = read("{\"ask\":\"\u{202e}\u{9b}\"}")
            .unwrap_err()
            .to_string();
        assert!(!hidden.contains('\u{202e}'), "{hidden}");
    }
}
