//! How a question ended, by name.

use std::time::Duration;

use thiserror::Error;

use super::Usage;
use crate::budget::{Charge, larger};

macro_rules! outcomes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $advice:literal;)*) => {
        /// How a question to a model ended. [`Outcome::name`] is stable; logs, statuses and recorded
        /// exchanges use it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Outcome {
            $($(#[$doc])* $variant,)*
        }

        impl Outcome {
            /// Every outcome.
            pub const ALL: &[Outcome] = &[$(Outcome::$variant,)*];

            /// A stable snake-case name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Outcome::$variant => $name,)* }
            }

            /// What the person who set it up can do.
            #[must_use]
            pub fn advice(self) -> &'static str {
                match self { $(Outcome::$variant => $advice,)* }
            }
        }
    };
}

outcomes! {
    /// An answer came.
    Ok = "ok", "nothing to do";
    /// No connection in time, TLS included.
    TimeoutConnect = "timeout_connect", "check the address and the network, or allow a longer connect timeout";
    /// A connection, but not one byte of an answer in time.
    TimeoutFirstByte = "timeout_first_byte", "the model may be loading or overloaded: allow a longer first-byte timeout or choose a faster model";
    /// An answer began but did not end in time, retries included.
    TimeoutTotal = "timeout_total", "allow a longer total timeout, fewer output tokens or a faster model";
    /// Nobody listens, or the name does not resolve, or TLS failed.
    Unreachable = "unreachable", "check that the server runs and that its address, port and certificate are right";
    /// The connection broke within the answer.
    ConnectionLost = "connection_lost", "ask again; if it stays so, look at the server's log or a proxy between";
    /// Too many questions for the server.
    RateLimited = "rate_limited", "wait, ask less often, or raise the account's rate limit";
    /// The account has no credit left.
    QuotaExhausted = "quota_exhausted", "add credit to the account or raise its quota";
    /// The server has no room for the question just now.
    Overloaded = "overloaded", "ask again later, or choose a model or service that is less busy";
    /// The model is being loaded.
    ModelLoading = "model_loading", "wait until the model is loaded, or allow a longer total timeout";
    /// The server failed.
    ServerError = "server_error", "ask again later; the fault is on the server's side";
    /// The server does not accept the request.
    RequestRejected = "request_rejected", "check what the server names: a parameter that this model does not take, or a picture it cannot read";
    /// The key is missing or wrong.
    Unauthorised = "unauthorised", "check the key and that it may use this model";
    /// No such path, or no such model without saying so.
    NotFound = "not_found", "check the base URL (most end in `/v1`), then the model's name";
    /// The server does not offer this model.
    UnknownModel = "unknown_model", "check the model's name, that the server offers it (Ollama: pull it first), and that the key may use it";
    /// The model or its server reads no pictures.
    NoPictureSupport = "no_picture_support", "choose a model that reads pictures (llama.cpp: start it with its `--mmproj`), or ask without a picture";
    /// Question and answer are longer than the model's context.
    ContextTooLong = "context_too_long", "start the server with a longer context, allow fewer output tokens, or choose a model with more room";
    /// The request has too many bytes for the server, or for a proxy before it.
    QuestionTooLarge = "question_too_large", "raise the limit on the size of requests (nginx: `client_max_body_size`), or send a smaller picture";
    /// The server does not stream this model's answers to this account.
    StreamingNotAllowed = "streaming_not_allowed", "switch streaming off";
    /// A proxy or firewall answers in the server's place.
    BlockedByProxy = "blocked_by_proxy", "a proxy, firewall or bot check between refuses: ask from another network, or have the address allowed";
    /// The server sends us elsewhere.
    Redirected = "redirected", "redirects are not followed: configure the final base URL";
    /// The model or its filter declines.
    RefusedByModel = "refused_by_model", "reword the instruction or choose another model";
    /// The answer was cut off at the token limit.
    Truncated = "truncated", "allow more output tokens";
    /// The answer ended without the word that says it is whole.
    Unfinished = "unfinished_answer", "ask again; if it stays so, look at the server's log or choose another model";
    /// An answer without text.
    EmptyAnswer = "empty_answer", "ask again, allow more output tokens if the model only reasons, or choose another model";
    /// What came is not an answer of this kind of server.
    MalformedAnswer = "malformed_answer", "check that the base URL and the kind of provider belong together";
    /// More bytes than any answer needs.
    TooLarge = "too_large", "choose another model: an answer should be a few kilobytes";
    /// The episode's queries, tokens or money are spent.
    BudgetExhausted = "budget_exhausted", "raise the budget or start a new episode";
    /// The provider cannot answer this kind of question.
    Unsupported = "unsupported", "configure a provider with a model for this question";
    /// The embedded author declined the instruction.
    InstructionRefused = "instruction_refused", "word the instruction as the message suggests";
    /// No recorded answer fits the question.
    NoRecording = "no_recording", "record a run with the same instruction, scene and prompts first";
    /// The answer holds no program.
    NoProgram = "no_program", "choose a model that writes code, or let it repair its answer more often";
    /// The program does not pass the checks.
    ProgramInvalid = "program_invalid", "let the model repair its answer more often or choose a stronger one";
}

impl Outcome {
    /// Whether asking the same again may help.
    #[must_use]
    pub fn is_transient(self) -> bool {
        matches!(
            self,
            Outcome::TimeoutConnect
                | Outcome::TimeoutFirstByte
                | Outcome::Unreachable
                | Outcome::ConnectionLost
                | Outcome::RateLimited
                | Outcome::Overloaded
                | Outcome::ModelLoading
                | Outcome::ServerError
                | Outcome::Unfinished
                | Outcome::EmptyAnswer
        )
    }

    /// What a try that ended so has cost, as far as its name says. Names that an HTTP error has in
    /// common with an error within an answer count as the former.
    fn charge(self) -> Charge {
        match self {
            Outcome::TimeoutFirstByte
            | Outcome::TimeoutTotal
            | Outcome::ConnectionLost
            | Outcome::RefusedByModel
            | Outcome::Truncated
            | Outcome::EmptyAnswer
            | Outcome::MalformedAnswer
            | Outcome::TooLarge => Charge::Most {
                said: Usage::default(),
            },
            _ => Charge::Nothing,
        }
    }

    /// The outcome of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|outcome| outcome.name() == name)
    }
}

/// Why there is no answer. The text holds no key, and says what can be done.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}: {}; {}", .outcome.name(), tiller_core::visible(.detail), .outcome.advice())]
pub struct ProviderError {
    /// How the question ended; never [`Outcome::Ok`].
    pub outcome: Outcome,
    /// What happened.
    pub detail: String,
    /// How long the server asks to wait before the next question; zero if it can not now and names no time.
    pub retry_after: Option<Duration>,
    /// What the try has cost.
    pub charge: Charge,
    /// The server did not take the request, and requests are others by now: to ask again helps.
    pub is_learnt_from: bool,
}

impl ProviderError {
    /// An error without a wish to wait, charged by its name.
    #[must_use]
    pub fn new(outcome: Outcome, detail: impl Into<String>) -> Self {
        Self {
            outcome,
            detail: detail.into(),
            retry_after: None,
            charge: outcome.charge(),
            is_learnt_from: false,
        }
    }

    /// The same after an answer began: it is charged, and with no less than the server said.
    #[must_use]
    pub fn after_an_answer_began(mut self, said: Usage) -> Self {
        let before = match self.charge {
            Charge::Most { said } => said,
            Charge::Nothing | Charge::Said { .. } => Usage::default(),
        };
        self.charge = Charge::Most {
            said: larger(before, said),
        };
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_lead_back() {
        let names: HashSet<_> = Outcome::ALL.iter().map(|outcome| outcome.name()).collect();
        assert_eq!(names.len(), Outcome::ALL.len());
        for &outcome in Outcome::ALL {
            let name = outcome.name();
            assert!(
                name.chars().all(|c| c.is_ascii_lowercase() || c == '_'),
                "{name}"
            );
            assert_eq!(Outcome::from_name(name), Some(outcome));
        }
        assert_eq!(Outcome::from_name("fine"), None);
    }

    #[test]
    fn the_readme_names_every_outcome() {
        let readme = include_str!("../../README.md");
        for outcome in Outcome::ALL {
            assert!(
                readme.contains(&format!("`{}`", outcome.name())),
                "{outcome:?}"
            );
        }
    }

    #[test]
    fn an_error_says_what_to_do() {
        let error = ProviderError::new(Outcome::Unauthorised, "the server answered 401");
        assert_eq!(
            error.to_string(),
            "unauthorised: the server answered 401; check the key and that it may use this model"
        );
        let error = ProviderError::new(Outcome::Ok, "\u{202e}a\u{1b}[2J\nb");
        let shown = error.to_string();
        assert!(shown.starts_with(r"ok: \u{202e}a\u{1b}[2J\nb; "), "{shown}");
    }
}
