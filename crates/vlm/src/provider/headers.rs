//! The headers of a request: the key's, the format's own, and those that a server asks for besides.

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

use super::config::described;
use super::route::is_azure;
use super::{Api, ConfigError, Endpoint, RemoteConfig, Secret};

/// Headers that belong to the request itself and to the connection.
const OWNED: [&str; 13] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
const ANTHROPIC_VERSION: &str = "2023-06-01";

/// Reads the setting `HEADERS`: `Name: value; Other: value`, one a line, or a JSON object, as which
/// values may hold semicolons.
///
/// # Errors
/// [`ConfigError::Setting`]; neither names nor values are in the message.
pub fn parse_headers(text: &str) -> Result<Vec<(String, Secret)>, ConfigError> {
    let text = text.trim();
    let pairs: Vec<(String, String)> = if text.starts_with('{') {
        let fields: Map<String, Value> = serde_json::from_str(text).map_err(|_| {
            let found = format!("{} that is no JSON object", described(text));
            wrong(None, "Name: value; Other: value, or a JSON object", found)
        })?;
        let pair = |(number, (name, value)): (usize, (String, Value))| match value {
            Value::String(value) => Ok((name, value)),
            _ => Err(wrong(
                Some(number),
                "a text as its value",
                "another kind of value".to_owned(),
            )),
        };
        fields
            .into_iter()
            .enumerate()
            .map(pair)
            .collect::<Result<_, _>>()?
    } else {
        let pieces = text.split([';', '\n']).map(str::trim);
        let pair = |(number, piece): (usize, &str)| match piece.split_once(':') {
            Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
            None => Err(wrong(Some(number), "Name: value", described(piece))),
        };
        let pieces = pieces.filter(|piece| !piece.is_empty());
        pieces.enumerate().map(pair).collect::<Result<_, _>>()?
    };
    let take = |(number, (name, value)): (usize, (String, String))| match (
        HeaderName::from_bytes(name.as_bytes()),
        Secret::header_value(&value),
    ) {
        (Err(_), _) => Err(wrong(
            Some(number),
            "a name of letters, digits and hyphens",
            described(&name),
        )),
        (_, None) => Err(wrong(
            Some(number),
            "a value of 1 to 4096 visible ASCII characters",
            described(&value),
        )),
        (Ok(_), Some(value)) => Ok((name, value)),
    };
    pairs.into_iter().enumerate().map(take).collect()
}

/// A mistake in the header of that number, counted from 0.
fn wrong(number: Option<usize>, expected: &str, found: String) -> ConfigError {
    let of = number.map(|number| format!("for header {}: ", number + 1));
    ConfigError::Setting {
        name: "HEADERS",
        expected: of.unwrap_or_default() + expected,
        found,
    }
}

/// The header that carries the key, in lower case.
pub(super) fn key_header(config: &RemoteConfig, endpoint: &Endpoint) -> String {
    let usual = match config.api {
        Api::OpenAi | Api::Responses | Api::Azure if is_azure(config.api, endpoint) => "api-key",
        Api::OpenAi | Api::Responses | Api::Azure => "authorization",
        Api::Anthropic => "x-api-key",
        Api::Gemini => "x-goog-api-key",
    };
    let chosen = config.key_header.as_deref().map(str::trim);
    chosen.unwrap_or(usual).to_ascii_lowercase()
}

/// Whether a header of that name holds what gives access.
pub(super) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words = [
        "auth",
        "key",
        "token",
        "secret",
        "password",
        "cookie",
        "credential",
        "signature",
    ];
    words.iter().any(|word| name.contains(word))
}

/// Every mistake in `KEY_HEADER` and `HEADERS`.
pub(super) fn check(config: &RemoteConfig, problems: &mut Vec<ConfigError>) {
    let is_owned = |name: &str| OWNED.iter().any(|owned| name.eq_ignore_ascii_case(owned));
    if let Some(name) = &config.key_header {
        let name = name.trim();
        if HeaderName::from_bytes(name.as_bytes()).is_err() || is_owned(name) {
            problems.push(ConfigError::Setting {
                name: "KEY_HEADER",
                expected: "the name of a header for the key, such as api-key or Authorization"
                    .to_owned(),
                found: match is_owned(name) {
                    true => "one that the request itself needs".to_owned(),
                    false => described(name),
                },
            });
        }
    }
    let mut seen: Vec<String> = Vec::new();
    for (number, (name, value)) in config.extra_headers.iter().enumerate() {
        let lower = name.trim().to_ascii_lowercase();
        let carries_key = config.key.is_some()
            && config
                .key_header
                .as_ref()
                .is_some_and(|key| key.trim().eq_ignore_ascii_case(&lower));
        let mut refuse = |expected, found| problems.push(wrong(Some(number), expected, found));
        if HeaderName::from_bytes(lower.as_bytes()).is_err() {
            refuse("a name of letters, digits and hyphens", described(name));
        } else if is_owned(&lower) {
            refuse(
                "a header that the request does not need itself",
                "one that it does".to_owned(),
            );
        } else if carries_key {
            refuse("another header than KEY_HEADER", "the same".to_owned());
        } else if seen.contains(&lower) {
            refuse("every header once", "one that was there before".to_owned());
        }
        if HeaderValue::from_str(value.expose()).is_err() {
            refuse(
                "a value of visible ASCII characters",
                described(value.expose()),
            );
        }
        seen.push(lower);
    }
}

/// All headers of a request. Those of one's own replace the key's and the format's.
pub(super) fn headers(
    config: &RemoteConfig,
    endpoint: &Endpoint,
) -> Result<HeaderMap, ConfigError> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(
        ACCEPT,
        HeaderValue::from_static("text/event-stream, application/json"),
    );
    let mut insert = |name: &str, value: &str| -> Result<(), ConfigError> {
        // Both are checked by now, so that this does not fail in practice.
        let unusable = || ConfigError::Client("a header holds unusable characters".to_owned());
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unusable())?;
        let mut value = HeaderValue::from_str(value).map_err(|_| unusable())?;
        // The client's own logs then leave the value out.
        value.set_sensitive(true);
        headers.insert(name, value);
        Ok(())
    };
    if let Some(key) = &config.key {
        let name = key_header(config, endpoint);
        match name.as_str() {
            "authorization" => insert(&name, &format!("Bearer {}", key.expose()))?,
            _ => insert(&name, key.expose())?,
        }
    }
    if config.api == Api::Anthropic {
        let version = config.api_version.as_deref().map(str::trim);
        insert("anthropic-version", version.unwrap_or(ANTHROPIC_VERSION))?;
    }
    for (name, value) in &config.extra_headers {
        insert(name.trim(), value.expose())?;
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(api: Api) -> RemoteConfig {
        RemoteConfig {
            key: Some(Secret::new("sk-0123456789", "a test").unwrap()),
            ..RemoteConfig::new(api, "m")
        }
    }

    fn sent(config: &RemoteConfig, base_url: &str) -> Vec<(String, String)> {
        let headers = headers(config, &Endpoint::new(base_url, true).unwrap()).unwrap();
        let mut all: Vec<_> = headers
            .iter()
            .filter(|(name, _)| !["accept", "content-type"].contains(&name.as_str()))
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        all.sort();
        all
    }

    #[test]
    fn the_key_goes_into_the_header_that_the_server_reads() {
        let table = [
            (Api::OpenAi, "https://api.openai.com/v1", "authorization"),
            (
                Api::OpenAi,
                "https://x.openai.azure.com/openai/v1",
                "api-key",
            ),
            (
                Api::OpenAi,
                "https://x.cognitiveservices.azure.com",
                "api-key",
            ),
            (Api::OpenAi, "https://x.services.ai.azure.com", "api-key"),
            (
                Api::OpenAi,
                "https://x.eastus.models.ai.azure.com",
                "authorization",
            ),
            (
                Api::OpenAi,
                "https://openai.azure.com.evil.example",
                "authorization",
            ),
            (Api::Azure, "https://gateway.example", "api-key"),
            (
                Api::Gemini,
                "https://generativelanguage.googleapis.com/v1beta",
                "x-goog-api-key",
            ),
        ];
        for (api, base_url, name) in table {
            let value = match name {
                "authorization" => "Bearer sk-0123456789",
                _ => "sk-0123456789",
            };
            let expected = vec![(name.to_owned(), value.to_owned())];
            assert_eq!(sent(&config(api), base_url), expected, "{base_url}");
            for (chosen, value) in [
                ("Authorization", "Bearer sk-0123456789"),
                ("X-My-Key", "sk-0123456789"),
            ] {
                let config = RemoteConfig {
                    key_header: Some(chosen.to_owned()),
                    ..config(api)
                };
                let expected = vec![(chosen.to_lowercase(), value.to_owned())];
                assert_eq!(sent(&config, base_url), expected);
            }
            assert!(
                sent(
                    &RemoteConfig {
                        key: None,
                        ..config(api)
                    },
                    base_url
                )
                .is_empty()
            );
        }
        let versioned = RemoteConfig {
            api_version: Some("2024-01-01".to_owned()),
            ..config(Api::Anthropic)
        };
        assert_eq!(
            sent(&versioned, "https://api.anthropic.com")[0],
            ("anthropic-version".to_owned(), "2024-01-01".to_owned())
        );
    }

    #[test]
    fn headers_are_read_in_three_ways() {
        let read = |text: &str| {
            let all = parse_headers(text).unwrap();
            all.into_iter()
                .map(|(name, value)| format!("{name}={}", value.expose()))
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(
            read("X-Title: the robot; HTTP-Referer: https://a.example/b;"),
            "X-Title=the robot HTTP-Referer=https://a.example/b"
        );
        assert_eq!(read("A: 1\nB: 2\n"), "A=1 B=2");
        assert_eq!(read("{\"Cookie\": \"a=1; b=2\"}"), "Cookie=a=1; b=2");
        assert_eq!(read(""), "");
        for (bad, says) in [
            ("sk-secret-4711", "for header 1: Name: value"),
            ("A: 1; sk-secret-4711", "for header 2: Name: value"),
            ("sk secret: 4711-0815", "a name of letters"),
            ("A:", "visible ASCII characters, found nothing"),
            ("A: 4711\u{e9}4711", "visible ASCII"),
            ("{\"A\": 4711}", "a text as its value"),
            ("{sk-secret-4711", "JSON object"),
        ] {
            let error = parse_headers(bad).unwrap_err().to_string();
            assert!(error.contains(says), "{bad}: {error}");
            assert!(!error.contains("4711"), "{error}");
        }
    }

    #[test]
    fn headers_of_the_request_itself_are_kept() {
        let extra =
            |name: &str, value: &str| (name.to_owned(), Secret::header_value(value).unwrap());
        let mut config = config(Api::OpenAi);
        config.key_header = Some("Content-Length".to_owned());
        config.extra_headers = vec![
            extra("Host", "evil-4711.example"),
            extra("content-type", "text/plain"),
            extra("X-A", "4711"),
            extra("x-a", "4711"),
            extra("a b", "4711"),
        ];
        let mut problems = Vec::new();
        check(&config, &mut problems);
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(texts.len(), 5, "{texts:?}");
        assert!(texts.iter().all(|text| !text.contains("4711")), "{texts:?}");
        config.key_header = Some("X-A".to_owned());
        config.extra_headers.truncate(3);
        problems.clear();
        check(&config, &mut problems);
        assert!(
            problems[2]
                .to_string()
                .contains("another header than KEY_HEADER"),
            "{problems:?}"
        );
    }

    #[test]
    fn a_header_of_ones_own_replaces_the_usual_one() {
        let mut config = config(Api::Anthropic);
        config.key = None;
        config.extra_headers =
            parse_headers("Anthropic-Version: 2; Authorization: Basic YWJj").unwrap();
        let expected = [("anthropic-version", "2"), ("authorization", "Basic YWJj")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(sent(&config, "https://h/v1"), expected);
    }
}
