//! The one place that questions go to.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;
use thiserror::Error;

use super::REDACTED;
use super::config::described;

/// Why a base URL is not used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// Not a URL.
    #[error(
        "the base URL is {found} and no URL: {reason}; expected something like https://api.openai.com/v1"
    )]
    NotAUrl {
        /// What was given, without its text.
        found: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Neither https nor http.
    #[error("the base URL's scheme is another one, expected https, or http for this machine")]
    Scheme,
    /// Plain http to another machine.
    #[error(
        "plain http to another machine would send key and pictures readable through the network; use https, or allow plain http explicitly"
    )]
    PlainHttp,
    /// User name, password or key in the URL; they would end up in logs.
    #[error(
        "the base URL holds a user name, a password or a key; keys come from the environment or a file only"
    )]
    Credentials,
    /// The route of a format that is not spoken.
    #[error("the base URL ends in `{route}`, {of}, which is not spoken here; {instead}")]
    OtherRoute {
        /// The route.
        route: &'static str,
        /// Whose it is.
        of: &'static str,
        /// What to give.
        instead: &'static str,
    },
    /// A fragment has no meaning for a server.
    #[error("the base URL ends in a fragment (`#...`); leave it out")]
    Fragment,
}

/// A checked base URL. https, or http to this machine unless more is allowed.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Without the route, if one was given.
    url: Url,
    /// Whether the route was given, so that the path before it is known to be right.
    has_route: bool,
}

/// What formats end their URLs in; Gemini's is found by the method's name.
const ROUTES: [&str; 3] = ["/chat/completions", "/responses", "/messages"];
const METHODS: [&str; 2] = [":generateContent", ":streamGenerateContent"];

/// Routes that people copy and that belong to other formats, whose they are, and what to give instead.
const OTHER_ROUTES: [(&str, &str, &str); 14] = [
    ("/api/chat", OLLAMA, OLLAMA_INSTEAD),
    ("/api/generate", OLLAMA, OLLAMA_INSTEAD),
    ("/api/tags", OLLAMA, OLLAMA_INSTEAD),
    ("/completions", "completions without a chat", V1_INSTEAD),
    ("/completion", "llama.cpp's own format", V1_INSTEAD),
    ("/generate", "a format of vLLM's and TGI's own", V1_INSTEAD),
    ("/generate_stream", "TGI's own format", V1_INSTEAD),
    ("/embeddings", "a format without answers", V1_INSTEAD),
    ("/converse", BEDROCK, BEDROCK_INSTEAD),
    ("/converse-stream", BEDROCK, BEDROCK_INSTEAD),
    ("/invoke", BEDROCK, BEDROCK_INSTEAD),
    ("/invoke-with-response-stream", BEDROCK, BEDROCK_INSTEAD),
    (":rawPredict", VERTEX, VERTEX_INSTEAD),
    (":streamRawPredict", VERTEX, VERTEX_INSTEAD),
];
const OLLAMA: &str = "Ollama's own format";
const OLLAMA_INSTEAD: &str = "Ollama also speaks chat completions (provider `openai`): end the base URL in `/v1`, as in http://localhost:11434/v1";
const V1_INSTEAD: &str =
    "give the base URL of its chat completions, which most often ends in `/v1`";
const BEDROCK: &str = "Bedrock's own format";
const BEDROCK_INSTEAD: &str = "give the base URL of a proxy that speaks chat completions (provider `openai`), or Bedrock's own `/openai/v1`";
const VERTEX: &str = "Vertex's format of other makers' models";
const VERTEX_INSTEAD: &str = "give the base URL of a proxy that speaks chat completions (provider `openai`), or Vertex's own `/endpoints/openapi`";
/// Ollama's port, and the host of its cloud: `/api` there is its own format.
const OLLAMA_PORT: u16 = 11434;
const OLLAMA_HOST: &str = "ollama.com";

/// Refuses routes of formats that are not spoken.
fn check_route(url: &Url) -> Result<(), EndpointError> {
    let path = url.path().trim_end_matches('/');
    if without_route(path).1 {
        return Ok(());
    }
    let is_ollamas = url.port() == Some(OLLAMA_PORT) || url.host_str() == Some(OLLAMA_HOST);
    let own = is_ollamas.then_some(("/api", OLLAMA, OLLAMA_INSTEAD));
    let mut others = OTHER_ROUTES.into_iter().chain(own);
    match others.find(|(route, ..)| path.ends_with(route)) {
        None => Ok(()),
        Some((route, of, instead)) => Err(EndpointError::OtherRoute { route, of, instead }),
    }
}

/// A path without slashes at its end and without a route, and whether there was a route.
fn without_route(path: &str) -> (&str, bool) {
    let path = path.trim_end_matches('/');
    let base = ROUTES
        .iter()
        .find_map(|route| path.strip_suffix(route))
        .or_else(|| {
            let named = METHODS
                .iter()
                .find_map(|method| path.strip_suffix(method))?;
            named.rfind("/models/").map(|at| &named[..at])
        });
    (base.unwrap_or(path).trim_end_matches('/'), base.is_some())
}

/// Whether a part of a URL is rather a key than a word: many letters and digits in a row, or the
/// beginning that a service gives to its keys.
fn looks_secret(part: &str) -> bool {
    let is_long = part.split(|c: char| !c.is_ascii_alphanumeric()).any(|run| {
        run.len() >= 20
            && run.bytes().any(|byte| byte.is_ascii_digit())
            && run.bytes().any(|byte| byte.is_ascii_alphabetic())
    });
    is_long
        || ["sk-", "AIza", "gsk_", "hf_", "xai-"]
            .iter()
            .any(|start| part.starts_with(start))
}

impl Endpoint {
    /// Checks a base URL.
    ///
    /// # Errors
    /// [`EndpointError`], which says what to write instead.
    pub fn new(base_url: &str, allow_plain_http: bool) -> Result<Self, EndpointError> {
        let url = Url::parse(base_url.trim()).map_err(|error| EndpointError::NotAUrl {
            found: described(base_url),
            reason: error.to_string(),
        });
        // Credentials first, so that they are named for what they are.
        if let Some((before, _)) = base_url.split_once('@')
            && before.contains("//")
            && !before.rsplit("//").next().unwrap_or_default().contains('/')
        {
            return Err(EndpointError::Credentials);
        }
        let mut url = url?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::Credentials);
        }
        if !matches!(url.scheme(), "https" | "http") {
            return Err(EndpointError::Scheme);
        }
        let words = [
            "key",
            "token",
            "secret",
            "password",
            "sig",
            "auth",
            "credential",
            "code",
        ];
        let is_secret = |name: &str| words.iter().any(|word| name.to_lowercase().contains(word));
        if url
            .query_pairs()
            .any(|(name, value)| is_secret(&name) || looks_secret(&name) || looks_secret(&value))
        {
            return Err(EndpointError::Credentials);
        }
        if url.fragment().is_some() {
            return Err(EndpointError::Fragment);
        }
        check_route(&url)?;
        let (path, has_route) = without_route(url.path());
        let path = path.to_owned();
        url.set_path(&path);
        let endpoint = Self { url, has_route };
        if endpoint.url.scheme() == "http" && !endpoint.is_loopback() && !allow_plain_http {
            return Err(EndpointError::PlainHttp);
        }
        Ok(endpoint)
    }

    /// Whether it is this machine. `localhost` counts: the client resolves it by itself.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default();
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }

    /// Whether the connection is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Host, and the port if it is not the usual one.
    #[must_use]
    pub fn host(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        match self.url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// The host's name without its port.
    pub(crate) fn host_name(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The base's path without slashes at its end; empty if there is none.
    pub(super) fn path(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }

    /// Whether the base URL held the whole route.
    pub(super) fn has_route(&self) -> bool {
        self.has_route
    }

    /// The base's own query.
    pub(super) fn query(&self) -> Vec<(String, String)> {
        self.url.query_pairs().into_owned().collect()
    }

    /// The URL of a path on this host, with a query.
    pub(super) fn at(&self, path: &str, query: &[(String, String)]) -> Url {
        let mut url = self.url.clone();
        url.set_path(path);
        url.set_query(None);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

impl fmt::Display for Endpoint {
    /// Without its query, and without parts of the path that look like keys: neither is anybody's
    /// business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.url.scheme(), self.host())?;
        let parts = self.path().split('/').skip(1);
        parts
            .map(|part| if looks_secret(part) { REDACTED } else { part })
            .try_for_each(|part| write!(f, "/{part}"))
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_unless_allowed() {
        for good in [
            "https://api.openai.com/v1",
            "http://127.0.0.1:8000/v1",
            "http://[::1]:8000/v1/",
            "http://localhost:11434/v1",
        ] {
            Endpoint::new(good, false).unwrap();
        }
        for bad in [
            "http://10.0.0.7/v1",
            "http://localhost.evil.example/v1",
            "http://127.0.0.1.evil.example",
        ] {
            let error = Endpoint::new(bad, false).unwrap_err();
            assert!(matches!(error, EndpointError::PlainHttp), "{bad}: {error}");
            Endpoint::new(bad, true).unwrap();
        }
    }

    #[test]
    fn unusable_urls_are_refused_by_name() {
        assert!(matches!(
            Endpoint::new("api.openai.com", false),
            Err(EndpointError::NotAUrl { .. })
        ));
        for bad in ["file:///etc/passwd", "sk-pass-word:x"] {
            let error = Endpoint::new(bad, false).unwrap_err();
            assert_eq!(error, EndpointError::Scheme);
            assert!(!error.to_string().contains("pass"));
        }
        let error = Endpoint::new("sk-pass-word", false)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("a text of 12 characters") && !error.contains("pass"),
            "{error}"
        );
        assert_eq!(
            Endpoint::new("https://h/v1#x", false),
            Err(EndpointError::Fragment)
        );
        for bad in [
            "https://user:pass-word@host/v1",
            "https://token@host/",
            "https://u:p@:bad",
            "https://host/v1?api_key=pass-word",
            "https:me:pass-word@host/v1",
            "https:/pass-word@host/v1",
        ] {
            let error = Endpoint::new(bad, true).unwrap_err();
            assert_eq!(error, EndpointError::Credentials);
            assert!(!error.to_string().contains("pass-word"));
        }
    }

    #[test]
    fn a_route_at_the_end_is_taken_off() {
        for (given, base) in [
            ("https://h/v1", "https://h/v1"),
            ("https://h/v1/", "https://h/v1"),
            ("https://h/v1/chat/completions", "https://h/v1"),
            ("https://h/v1/chat/completions//", "https://h/v1"),
            ("https://h/chat/completions", "https://h"),
            (
                "https://h/openai/v1/responses/?api-version=1",
                "https://h/openai/v1",
            ),
            ("https://h/v1/messages", "https://h/v1"),
            (
                "https://h/v1beta/models/gemini-2.5-flash:generateContent",
                "https://h/v1beta",
            ),
            (
                "https://h/v1/publishers/google/models/g:streamGenerateContent?alt=sse",
                "https://h/v1/publishers/google",
            ),
            ("https://h/my-messages", "https://h/my-messages"),
        ] {
            let endpoint = Endpoint::new(given, false).unwrap();
            assert_eq!(endpoint.to_string(), base, "{given}");
            assert_eq!(
                endpoint.has_route(),
                given.trim_end_matches('/').len() > base.len() && given != base,
                "{given}"
            );
        }
    }

    #[test]
    fn routes_of_other_formats_are_refused_with_what_to_give() {
        for (given, route, advice) in [
            (
                "http://localhost:11434/api/chat",
                "/api/chat",
                "http://localhost:11434/v1",
            ),
            ("http://127.0.0.1:11434/api/chat/", "/api/chat", "/v1"),
            (
                "https://gateway.example/ollama/api/generate",
                "/api/generate",
                "/v1",
            ),
            ("http://localhost:11434/api", "/api", "/v1"),
            ("https://ollama.com/api", "/api", "/v1"),
            (
                "http://127.0.0.1:8000/v1/completions",
                "/completions",
                "/v1",
            ),
            ("http://127.0.0.1:8080/completion", "/completion", "/v1"),
            ("http://127.0.0.1:3000/generate", "/generate", "/v1"),
            (
                "https://h/model/anthropic.claude/converse-stream",
                "/converse-stream",
                "/openai/v1",
            ),
            (
                "https://h/v1/publishers/anthropic/models/c:rawPredict",
                ":rawPredict",
                "openapi",
            ),
        ] {
            let error = Endpoint::new(given, false).unwrap_err();
            let is_it =
                matches!(error, EndpointError::OtherRoute { route: found, .. } if found == route);
            assert!(is_it, "{given}: {error}");
            let text = error.to_string();
            assert!(
                text.contains(advice) && text.contains(&format!("`{route}`")),
                "{text}"
            );
            assert!(!text.contains("gateway.example"), "{text}");
        }
        for good in [
            // Open WebUI, LM Studio, OpenRouter, Bedrock's and Vertex's own chat completions.
            "https://h/api/chat/completions",
            "https://h/api",
            "http://127.0.0.1:1234/api/v0",
            "https://openrouter.ai/api/v1",
            "https://h/openai/v1/chat/completions",
            "https://h/v1/projects/p/locations/l/endpoints/openapi",
            "https://h/my-completions",
            "http://localhost:11434/v1",
            "http://localhost:11434",
        ] {
            Endpoint::new(good, false).unwrap();
        }
    }

    #[test]
    fn what_looks_like_a_key_is_refused_in_the_query_and_hidden_in_the_path() {
        for good in [
            "api-version=2024-12-01-preview",
            "project=my-robots-and-arms",
            "alt=sse",
        ] {
            Endpoint::new(&format!("https://h/v1?{good}"), false).unwrap();
        }
        for bad in [
            "key=x",
            "Subscription-Key=x",
            "code=x",
            "sig=x",
            "q=sk-pass-word",
            "q=AIzaSyPassWord",
            "abcdefghij0123456789pass-word",
            "x=abcdefghij0123456789pass-word",
        ] {
            let error = Endpoint::new(&format!("https://h/v1?{bad}"), false).unwrap_err();
            assert_eq!(error, EndpointError::Credentials, "{bad}");
            let text = error.to_string();
            assert!(!text.contains("pass-") && !text.contains("PassW"), "{text}");
        }
        let endpoint = Endpoint::new("https://h:8443/sk-pass-word/v1?x=1", false).unwrap();
        assert_eq!(format!("{endpoint}"), "https://h:8443/[redacted]/v1");
        assert!(!format!("{endpoint:?}").contains("pass-word"));
        assert_eq!(endpoint.path(), "/sk-pass-word/v1");
    }
}
