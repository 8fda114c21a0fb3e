//! Settings of models behind HTTP.

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value};
use thiserror::Error;

use super::{
    Api, Endpoint, EndpointError, PICTURE_TOKENS, PictureDetail, Secret, SecretError, TokenLimit,
};
use super::{extra_body, headers};

/// How long a question may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// To a connection, name look-up and TLS included.
    pub connect: Duration,
    /// From sending the question to the first byte of the answer.
    pub first_byte: Duration,
    /// For everything, further tries and the waits between them included.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(60),
            total: Duration::from_secs(120),
        }
    }
}

/// Settings of a model behind HTTP.
#[derive(Clone)]
pub struct RemoteConfig {
    /// Whose format it speaks.
    pub api: Api,
    /// Base URL, such as `http://localhost:11434/v1`; `None` is the service itself.
    pub base_url: Option<String>,
    /// Name of the model; at Azure that of the deployment.
    pub model: String,
    /// Key; needed by the services themselves.
    pub key: Option<Secret>,
    /// Header that carries the key; `None` is the format's own. `Authorization` carries it as a bearer.
    pub key_header: Option<String>,
    /// Version of the interface: Azure's `api-version`, Anthropic's header, the `v1beta` of Gemini.
    pub api_version: Option<String>,
    /// Further headers; see [`parse_headers`](super::parse_headers).
    pub extra_headers: Vec<(String, Secret)>,
    /// Merged into every request's body last; see [`parse_extra_body`](super::parse_extra_body).
    pub extra_body: Map<String, Value>,
    /// Whether plain http may leave this machine.
    pub allow_plain_http: bool,
    /// Whether the proxies of `HTTPS_PROXY` and its kin are used; never for this machine.
    pub environment_proxy: bool,
    /// Whether the answer is asked for as a stream.
    pub stream: bool,
    /// How long a question may take.
    pub timeouts: Timeouts,
    /// Most tokens of an answer; models that reason spend them on their thoughts as well.
    pub max_output_tokens: u32,
    /// Under which name that limit is sent.
    pub token_limit: TokenLimit,
    /// Sampling temperature; `None` leaves it to the server, as models that reason demand.
    pub temperature: Option<f64>,
    /// How hard a model that reasons thinks, such as `low`; Anthropic and Gemini also take a number of
    /// tokens. `None` leaves it to the server.
    pub reasoning_effort: Option<String>,
    /// How closely the model looks at the picture; `None` leaves it to the server.
    pub picture_detail: Option<PictureDetail>,
    /// Tokens that the picture of a question is booked at before the server says what it cost.
    pub picture_tokens: u64,
    /// Most bytes of an answer's text.
    pub max_answer_bytes: usize,
}

impl RemoteConfig {
    /// The service itself, with usual settings and without a key.
    #[must_use]
    pub fn new(api: Api, model: &str) -> Self {
        Self {
            api,
            base_url: None,
            model: model.to_owned(),
            key: None,
            key_header: None,
            api_version: None,
            extra_headers: Vec::new(),
            extra_body: Map::new(),
            allow_plain_http: false,
            environment_proxy: false,
            stream: true,
            timeouts: Timeouts::default(),
            max_output_tokens: 8192,
            token_limit: TokenLimit::Auto,
            temperature: None,
            reasoning_effort: None,
            picture_detail: None,
            picture_tokens: PICTURE_TOKENS,
            max_answer_bytes: 1 << 20,
        }
    }
}

impl fmt::Debug for RemoteConfig {
    /// Without texts: any of them may hold a key in the wrong place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteConfig")
            .field("api", &self.api)
            .field("key", &self.key)
            .field("stream", &self.stream)
            .field("timeouts", &self.timeouts)
            .field("max_output_tokens", &self.max_output_tokens)
            .finish_non_exhaustive()
    }
}

/// A mistake in the settings of a provider. No value of a setting that is a text is ever in it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The base URL.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The key.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The model's name.
    #[error(
        "the model's name is {found}, expected letters, digits and any of . _ - : / @ +, such as `{example}`"
    )]
    Model {
        /// What was given, without its text.
        found: String,
        /// What would do.
        example: &'static str,
    },
    /// A number out of range.
    #[error("{name} is {found}, expected {expected}")]
    Number {
        /// Which setting.
        name: &'static str,
        /// What was given.
        found: String,
        /// What is meaningful.
        expected: &'static str,
    },
    /// Another setting.
    #[error("{name}: expected {expected}, found {found}")]
    Setting {
        /// Its name.
        name: &'static str,
        /// What would do.
        expected: String,
        /// What was given, without its text.
        found: String,
    },
    /// The HTTP client does not start.
    #[error(
        "cannot set up encrypted connections: {0}; are the system's certificates (package ca-certificates) installed?"
    )]
    Client(String),
}

impl ConfigError {
    /// The setting that is wrong, by the name that the settings share everywhere.
    #[must_use]
    pub fn setting(&self) -> &'static str {
        match self {
            Self::Endpoint(_) => "BASE_URL",
            Self::Secret(_) => "KEY_FILE",
            Self::Model { .. } => "MODEL",
            Self::Setting { name, .. } => name,
            Self::Number { name, .. } => match *name {
                "max_output_tokens" => "MAX_OUTPUT_TOKENS",
                "temperature" => "TEMPERATURE",
                "connect timeout" => "CONNECT_TIMEOUT_S",
                "first-byte timeout" => "FIRST_BYTE_TIMEOUT_S",
                "total timeout" => "TOTAL_TIMEOUT_S",
                "picture_tokens" => "PICTURE_TOKENS",
                other => other,
            },
            Self::Client(_) => "VLM_PROVIDER",
        }
    }
}

/// Every mistake in the settings of a provider; there is at least one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct ConfigErrors {
    /// In the order in which they were found.
    pub found: Vec<ConfigError>,
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.found.as_slice() {
            [one] => write!(f, "{one}"),
            all => {
                write!(f, "{} settings are wrong:", all.len())?;
                all.iter().try_for_each(|error| write!(f, "\n  {error}"))
            }
        }
    }
}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self { found: vec![error] }
    }
}

/// Says what a text is like without saying the text: it may be a key in the wrong place.
pub(super) fn described(text: &str) -> String {
    match text.trim().chars().count() {
        0 => "nothing".to_owned(),
        1 => "a text of 1 character".to_owned(),
        count => format!("a text of {count} characters"),
    }
}

/// Checks everything and gives the endpoint, or every mistake.
pub(super) fn check(config: &RemoteConfig) -> Result<Endpoint, ConfigErrors> {
    let mut problems = Vec::new();
    let endpoint = endpoint(config).map_err(|error| problems.push(error)).ok();
    check_key(config, &mut problems);
    check_words(config, &mut problems);
    check_numbers(config, &mut problems);
    headers::check(config, &mut problems);
    problems.extend(extra_body::check(&config.extra_body).err());
    match endpoint {
        Some(endpoint) if problems.is_empty() => Ok(endpoint),
        _ => Err(ConfigErrors { found: problems }),
    }
}

fn endpoint(config: &RemoteConfig) -> Result<Endpoint, ConfigError> {
    match (config.base_url.as_deref(), config.api.default_base_url()) {
        (Some(url), _) | (None, Some(url)) => Ok(Endpoint::new(url, config.allow_plain_http)?),
        (None, None) => Err(ConfigError::Setting {
            name: "BASE_URL",
            expected: "the endpoint of the resource, such as https://NAME.openai.azure.com"
                .to_owned(),
            found: "nothing".to_owned(),
        }),
    }
}

fn check_key(config: &RemoteConfig, problems: &mut Vec<ConfigError>) {
    let is_given = config.key.is_some()
        || config
            .extra_headers
            .iter()
            .any(|(name, _)| headers::is_secret(name));
    if !is_given && config.base_url.is_none() {
        let variable = config.api.key_variable().to_owned();
        problems.push(SecretError::Missing { variable }.into());
    }
}

fn check_words(config: &RemoteConfig, problems: &mut Vec<ConfigError>) {
    let model = config.model.as_str();
    let is_fit = |c: char| c.is_ascii_alphanumeric() || "._-:/@+".contains(c);
    if !(1..=200).contains(&model.len()) || !model.chars().all(is_fit) || model.contains("..") {
        problems.push(ConfigError::Model {
            found: described(model),
            example: match config.api {
                Api::OpenAi | Api::Responses | Api::Azure => "gpt-5-mini",
                Api::Anthropic => "claude-sonnet-4-5",
                Api::Gemini => "gemini-2.5-flash",
            },
        });
    }
    let mut require = |name, good: bool, expected: &str, found: String| {
        let expected = expected.to_owned();
        if !good {
            problems.push(ConfigError::Setting {
                name,
                expected,
                found,
            });
        }
    };
    if let Some(version) = &config.api_version {
        let is_fit = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let version = version.trim();
        require(
            "API_VERSION",
            (1..=40).contains(&version.len()) && version.chars().all(is_fit),
            "letters, digits and any of . _ -, such as 2024-10-21",
            described(version),
        );
    }
    if let Some(effort) = &config.reasoning_effort {
        let effort = effort.trim();
        let is_fit = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        let (good, expected) = match config.api {
            Api::OpenAi | Api::Responses | Api::Azure => (
                (1..=20).contains(&effort.len()) && effort.chars().all(is_fit),
                "a word that the server knows, such as minimal, low, medium or high",
            ),
            Api::Anthropic | Api::Gemini => (
                super::wire::thinking_tokens(effort).is_some(),
                "none, minimal, low, medium, high, xhigh, max or a number of tokens",
            ),
        };
        require("REASONING_EFFORT", good, expected, described(effort));
    }
    let (limit, expected) = match config.api {
        Api::OpenAi | Api::Azure => (config.token_limit, ""),
        Api::Responses => (
            TokenLimit::MaxOutputTokens,
            "auto or max_output_tokens, the only name in OpenAI's Responses",
        ),
        Api::Anthropic => (
            TokenLimit::MaxTokens,
            "auto or max_tokens, Anthropic's only name",
        ),
        Api::Gemini => (TokenLimit::Auto, "auto, as Gemini has one name only"),
    };
    require(
        "TOKEN_LIMIT_NAME",
        [TokenLimit::Auto, limit].contains(&config.token_limit),
        expected,
        config.token_limit.name().to_owned(),
    );
    if let (Some(detail), Api::Anthropic) = (config.picture_detail, config.api) {
        let expected = "nothing, as Anthropic's format does not know it";
        require("PICTURE_DETAIL", false, expected, detail.name().to_owned());
    }
}

fn check_numbers(config: &RemoteConfig, problems: &mut Vec<ConfigError>) {
    let mut number = |name, found: String, expected, good: bool| {
        if !good {
            problems.push(ConfigError::Number {
                name,
                found,
                expected,
            });
        }
    };
    let tokens = config.max_output_tokens;
    number(
        "max_output_tokens",
        tokens.to_string(),
        "1 to 131072",
        (1..=131_072).contains(&tokens),
    );
    let bytes = config.max_answer_bytes;
    number(
        "max_answer_bytes",
        bytes.to_string(),
        "1024 to 16777216",
        (1024..=1 << 24).contains(&bytes),
    );
    if let Some(temperature) = config.temperature {
        let good = (0.0..=2.0).contains(&temperature);
        number("temperature", temperature.to_string(), "0 to 2", good);
    }
    let timeouts = config.timeouts;
    for (name, timeout) in [
        ("connect timeout", timeouts.connect),
        ("first-byte timeout", timeouts.first_byte),
        ("total timeout", timeouts.total),
    ] {
        let good = !timeout.is_zero() && timeout <= Duration::from_secs(3600);
        number(
            name,
            format!("{} s", timeout.as_secs_f64()),
            "more than 0 and at most 3600 s",
            good,
        );
    }
    let tokens = config.picture_tokens;
    number(
        "picture_tokens",
        tokens.to_string(),
        "0 to 1000000",
        tokens <= 1_000_000,
    );
}

#[cfg(test)]
mod tests;
