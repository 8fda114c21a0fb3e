//! Models and what stands in for them, behind one trait.

mod adapt;
mod choices;
mod config;
mod embedded;
mod endpoint;
mod extra_body;
mod fault;
mod files;
mod folder;
mod headers;
mod outcome;
mod picture;
mod reader;
mod redact;
mod remote;
mod route;
mod secret;
mod wire;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::author::AuthorRequest;
use crate::budget::{PICTURE_TOKENS, most_text_tokens};

pub use adapt::Adaptation;
pub use choices::{PictureDetail, TokenLimit};
pub use config::{ConfigError, ConfigErrors, RemoteConfig, Timeouts};
pub use embedded::EmbeddedProvider;
pub use endpoint::{Endpoint, EndpointError};
pub use extra_body::parse_extra_body;
pub use files::{FilesError, FilesProvider, Matching};
pub use folder::program_of_folder;
pub use headers::parse_headers;
pub use outcome::{Outcome, ProviderError};
pub use picture::{Picture, PictureError};
pub use remote::RemoteProvider;
pub(crate) use secret::is_default as is_default_key_file;
pub use secret::{DEFAULT_KEY_FILE, Secret, SecretError, key_file};
pub use tiller_core::REDACTED;
pub(crate) use tiller_core::visible_line;
pub use wire::Api;

/// What a question is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A reward program.
    Reward,
    /// A better answer than the last one.
    Repair,
    /// Which objects matter.
    Plan,
    /// The stage to be in.
    Advice,
}

impl Purpose {
    /// A stable snake-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Purpose::Reward => "reward",
            Purpose::Repair => "repair",
            Purpose::Plan => "plan",
            Purpose::Advice => "advice",
        }
    }
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// We.
    User,
    /// The model.
    Model,
}

/// One part of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub text: String,
}

/// A question to a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// What it is for.
    pub purpose: Purpose,
    /// The system prompt.
    pub system: String,
    /// The conversation so far; begins and ends with a user's turn, and the roles alternate.
    pub turns: Vec<Turn>,
    /// Shown with the first turn.
    pub picture: Option<Picture>,
    /// The scene behind the words, for the embedded author, which reads no prompts.
    pub scene: Option<AuthorRequest>,
}

/// Tokens of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the question, picture included.
    pub input_tokens: u64,
    /// Tokens of the answer, hidden thoughts included.
    pub output_tokens: u64,
    /// Whether we guessed because the server did not say.
    pub estimated: bool,
}

/// What a model answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The answer's text.
    pub text: String,
    /// The model that the server says it used.
    pub model: String,
    /// What it cost in tokens.
    pub usage: Usage,
}

/// What decides an answer besides the question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// Kind of provider, such as `openai`.
    pub provider: String,
    /// The configured model.
    pub model: String,
    /// Host and port, if any.
    pub host: Option<String>,
    /// The whole endpoint, without user info and query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// The version of the interface that is asked for, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// Most tokens of an answer.
    pub max_output_tokens: u32,
    /// Sampling temperature; `None` is the server's default.
    pub temperature: Option<f64>,
    /// How hard a model that reasons thinks, in the server's word for it; `None` is its default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_effort: Option<String>,
    /// How closely the model looks at the picture; `None` is the server's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture_detail: Option<PictureDetail>,
    /// SHA-256 of the whole URL, the extra headers and the extra body, in hexadecimal. They may hold
    /// secrets, so that they do not stand here themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings_sha256: Option<String>,
}

impl Identity {
    /// A provider without a network.
    pub(crate) fn local(provider: &str) -> Self {
        Self {
            provider: provider.to_owned(),
            model: provider.to_owned(),
            host: None,
            base_url: None,
            api_version: None,
            max_output_tokens: 0,
            temperature: None,
            reasoning_effort: None,
            picture_detail: None,
            settings_sha256: None,
        }
    }
}

/// The answer to come.
pub type Asking<'a> = Pin<Box<dyn Future<Output = Result<Reply, ProviderError>> + Send + 'a>>;

/// Answers questions.
pub trait Provider: Send + Sync {
    /// What decides its answers besides the question.
    fn identity(&self) -> &Identity;

    /// Whether a question costs time and money: such answers are cached and paid from the budget.
    fn is_remote(&self) -> bool {
        self.identity().host.is_some()
    }

    /// What is done differently by now because the server asked for it; see [`Adaptation`].
    fn adaptations(&self) -> Vec<Adaptation> {
        Vec::new()
    }

    /// How long a question may take altogether, further tries and waits included.
    fn total_timeout(&self) -> Duration {
        Duration::from_secs(10)
    }

    /// The most tokens that a question costs before its answer, picture included: what is booked.
    fn expected_input_tokens(&self, query: &Query) -> u64 {
        let picture = query.picture.as_ref().map_or(0, |_| PICTURE_TOKENS);
        most_text_tokens(query) + picture
    }

    /// Asks once, without retries, and ends before `deadline`. Dropping the future ends the request.
    ///
    /// # Errors
    /// Resolves to a [`ProviderError`] with a named outcome.
    fn ask<'a>(&'a self, query: &'a Query, deadline: Instant) -> Asking<'a>;
}
