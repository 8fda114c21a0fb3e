//! Settings of models behind HTTP.

use std::time::Duration;

use thiserror::Error;

use super::{Api, EndpointError, Secret, SecretError, one_line};

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
#[derive(Debug, Clone)]
pub struct RemoteConfig {
    /// Whose format it speaks.
    pub api: Api,
    /// Base URL, such as `http://localhost:11434/v1`; `None` is the service itself.
    pub base_url: Option<String>,
    /// Name of the model.
    pub model: String,
    /// Key; needed by the services themselves.
    pub key: Option<Secret>,
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
    /// Sampling temperature; `None` leaves it to the server, as models that reason demand.
    pub temperature: Option<f64>,
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
            allow_plain_http: false,
            environment_proxy: false,
            stream: true,
            timeouts: Timeouts::default(),
            max_output_tokens: 8192,
            temperature: None,
            max_answer_bytes: 1 << 20,
        }
    }
}

/// Why a provider cannot be set up.
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
        "the model's name is `{found}`, expected letters, digits and any of . _ - : / @ +, such as `{example}`"
    )]
    Model {
        /// What was given.
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
    /// The HTTP client does not start.
    #[error(
        "cannot set up encrypted connections: {0}; are the system's certificates (package ca-certificates) installed?"
    )]
    Client(String),
}

/// Checks what needs no endpoint.
pub(super) fn check(config: &RemoteConfig) -> Result<(), ConfigError> {
    let model = config.model.as_str();
    let is_fit = |c: char| c.is_ascii_alphanumeric() || "._-:/@+".contains(c);
    if !(1..=200).contains(&model.len()) || !model.chars().all(is_fit) || model.contains("..") {
        return Err(ConfigError::Model {
            found: one_line(model, 60),
            example: match config.api {
                Api::OpenAi | Api::Responses => "gpt-5-mini",
                Api::Anthropic => "claude-sonnet-4-5",
                Api::Gemini => "gemini-2.5-flash",
            },
        });
    }
    let number = |name, found: String, expected, good: bool| match good {
        true => Ok(()),
        false => Err(ConfigError::Number {
            name,
            found,
            expected,
        }),
    };
    let tokens = config.max_output_tokens;
    number(
        "max_output_tokens",
        tokens.to_string(),
        "1 to 131072",
        (1..=131_072).contains(&tokens),
    )?;
    let bytes = config.max_answer_bytes;
    number(
        "max_answer_bytes",
        bytes.to_string(),
        "1024 to 16777216",
        (1024..=1 << 24).contains(&bytes),
    )?;
    if let Some(temperature) = config.temperature {
        let good = (0.0..=2.0).contains(&temperature);
        number("temperature", temperature.to_string(), "0 to 2", good)?;
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
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::RemoteProvider;

    fn config() -> RemoteConfig {
        RemoteConfig {
            key: Some(Secret::new("sk-0123456789", "a test").unwrap()),
            ..RemoteConfig::new(Api::OpenAi, "gpt-5-mini")
        }
    }

    #[test]
    fn settings_are_checked_and_the_key_stays_hidden() {
        let provider = RemoteProvider::new(RemoteConfig {
            base_url: Some("http://127.0.0.1:9/v1".to_owned()),
            ..config()
        });
        let text = format!("{:?}", provider.unwrap());
        assert!(!text.contains("0123456789"), "{text}");
        let problem = |config| RemoteProvider::new(config).unwrap_err().to_string();
        let keyless = RemoteConfig {
            key: None,
            ..config()
        };
        assert_eq!(
            problem(keyless),
            "no key: set OPENAI_API_KEY, or KEY_FILE to a file that holds it"
        );
        for model in ["", "a model", "../../v2", "m?x=1"] {
            let named = RemoteConfig {
                model: model.to_owned(),
                ..config()
            };
            assert!(problem(named).contains("the model's name"), "{model}");
        }
        let hot = RemoteConfig {
            temperature: Some(f64::NAN),
            ..config()
        };
        assert_eq!(problem(hot), "temperature is NaN, expected 0 to 2");
        let timeouts = Timeouts {
            total: Duration::ZERO,
            ..Timeouts::default()
        };
        let hasty = RemoteConfig {
            timeouts,
            ..config()
        };
        assert!(problem(hasty).starts_with("total timeout is 0 s"));
    }
}
