//! Where exactly a request goes: the base URL, as people write it, and the format's route.

use reqwest::Url;

use super::{Api, Endpoint, TokenLimit};

/// The version of Azure's older routes when none is given: the last one that is generally available.
const AZURE_VERSION: &str = "2024-10-21";
/// The same of the routes below `/models`.
const AZURE_MODELS_VERSION: &str = "2024-05-01-preview";
/// Domains of Azure's resources: they read the key from `api-key`.
const AZURE_DOMAINS: [&str; 3] = [
    "openai.azure",
    "cognitiveservices.azure",
    "services.ai.azure",
];

/// Whether a request follows Azure's rules for URLs and headers, by setting or by host.
pub(super) fn is_azure(api: Api, endpoint: &Endpoint) -> bool {
    let is_azure_host = || {
        let host = endpoint.host_name();
        let (name, top) = host.rsplit_once('.').unwrap_or_default();
        matches!(top, "com" | "us" | "cn")
            && AZURE_DOMAINS.iter().any(|domain| {
                name.strip_suffix(domain)
                    .is_some_and(|resource| resource.ends_with('.'))
            })
    };
    match api {
        Api::Azure => true,
        Api::OpenAi | Api::Responses => is_azure_host(),
        Api::Anthropic | Api::Gemini => false,
    }
}

/// The name of the token limit that a server most likely knows.
pub(super) fn token_limit(api: Api, endpoint: &Endpoint, chosen: TokenLimit) -> TokenLimit {
    // OpenAI renamed the limit and its newer models insist; most relatives know the old name only.
    let is_original = endpoint.host_name() == "api.openai.com" || is_azure(api, endpoint);
    match chosen {
        TokenLimit::Auto if api == Api::Responses => TokenLimit::MaxOutputTokens,
        TokenLimit::Auto if is_original => TokenLimit::MaxCompletionTokens,
        TokenLimit::Auto => TokenLimit::MaxTokens,
        chosen => chosen,
    }
}

/// Where the requests of a provider go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Route<'a> {
    pub(super) api: Api,
    pub(super) endpoint: &'a Endpoint,
    pub(super) model: &'a str,
    pub(super) api_version: Option<&'a str>,
}

impl Route<'_> {
    /// Whether the base URL leaves the path open, so that there is a second place to look at.
    pub(super) fn has_second(&self) -> bool {
        if self.endpoint.has_route() {
            return false;
        }
        match is_azure(self.api, self.endpoint) {
            true => self.azure_root().is_some(),
            false => self.endpoint.path().is_empty(),
        }
    }

    /// The URL of a request; `second` takes the other of two likely places.
    pub(super) fn url(&self, stream: bool, second: bool) -> Url {
        let mut query = self.endpoint.query();
        query.retain(|(name, _)| name != "alt");
        let given = query.iter().position(|(name, _)| name == "api-version");
        let given = given.map(|at| query.remove(at).1);
        let version = self.api_version.map(str::to_owned).or(given);
        let path = self.endpoint.path().to_owned();
        let (base, version) = match self.api {
            Api::OpenAi | Api::Responses | Api::Azure if is_azure(self.api, self.endpoint) => {
                self.azure(version, second)
            }
            _ if path.is_empty() && !self.endpoint.has_route() && !second => {
                let usual = match self.api {
                    Api::Gemini => "v1beta",
                    _ => "v1",
                };
                (format!("/{usual}"), version)
            }
            _ => (path, version),
        };
        let (base, version) = match (self.api, version) {
            (Api::Gemini, Some(version)) => (gemini_base(&base, &version), None),
            (Api::Anthropic, _) => (base, None),
            (_, version) => (base, version),
        };
        query.extend(version.map(|version| ("api-version".to_owned(), version)));
        if self.api == Api::Gemini && stream {
            query.push(("alt".to_owned(), "sse".to_owned()));
        }
        let route = self.api.route(self.model, stream);
        self.endpoint.at(&format!("{base}/{route}"), &query)
    }

    /// The path before `/openai`, if the base URL says no more.
    fn azure_root(&self) -> Option<&str> {
        let path = self.endpoint.path();
        let is_whole =
            path.contains("/deployments/") || path.ends_with("/models") || path.ends_with("/v1");
        (!is_whole).then(|| path.strip_suffix("/openai").unwrap_or(path))
    }

    /// Base path and version at Azure: the deployment's own path with a dated version, else `/openai/v1`.
    fn azure(&self, version: Option<String>, second: bool) -> (String, Option<String>) {
        let path = self.endpoint.path().to_owned();
        let or = |usual: &str| Some(version.clone().unwrap_or_else(|| usual.to_owned()));
        if path.contains("/deployments/") {
            return (path, or(AZURE_VERSION));
        }
        if path.ends_with("/models") {
            return (path, or(AZURE_MODELS_VERSION));
        }
        let Some(root) = self.azure_root().filter(|_| !self.endpoint.has_route()) else {
            return (path, version);
        };
        let is_dated = version
            .as_ref()
            .is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit()));
        // Of the older routes only chat has the deployment in its path.
        let older = match self.api.route(self.model, false).as_str() {
            "chat/completions" => format!("{root}/openai/deployments/{}", self.model),
            _ => format!("{root}/openai"),
        };
        match (is_dated, second) {
            (true, false) => (older, version),
            (false, true) => (older, Some(AZURE_VERSION.to_owned())),
            (false, false) => (format!("{root}/openai/v1"), version),
            (true, true) => (format!("{root}/openai/v1"), None),
        }
    }
}

/// Gemini writes its version at the end of the base path.
fn gemini_base(base: &str, version: &str) -> String {
    match base.rsplit_once('/') {
        Some((before, "v1" | "v1beta" | "v1alpha")) => format!("{before}/{version}"),
        _ => base.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(api: Api, base: &str, version: Option<&str>, second: bool) -> String {
        let endpoint = Endpoint::new(base, true).unwrap();
        let route = Route {
            api,
            endpoint: &endpoint,
            model: "m-1",
            api_version: version,
        };
        let url = route.url(false, second).to_string();
        assert!(second || !route.has_second() || route.url(false, true).to_string() != url);
        url
    }

    #[test]
    fn base_urls_as_people_write_them() {
        for (api, base, expected) in [
            (
                Api::OpenAi,
                "https://api.openai.com",
                "https://api.openai.com/v1/chat/completions",
            ),
            (
                Api::OpenAi,
                "http://localhost:11434/",
                "http://localhost:11434/v1/chat/completions",
            ),
            (
                Api::OpenAi,
                "http://h:8000/v1/",
                "http://h:8000/v1/chat/completions",
            ),
            (
                Api::OpenAi,
                "http://h/v1/chat/completions/",
                "http://h/v1/chat/completions",
            ),
            (
                Api::OpenAi,
                "http://h/chat/completions",
                "http://h/chat/completions",
            ),
            (
                Api::OpenAi,
                "http://h/api/v1?x=1",
                "http://h/api/v1/chat/completions?x=1",
            ),
            (
                Api::Anthropic,
                "https://api.anthropic.com",
                "https://api.anthropic.com/v1/messages",
            ),
            (
                Api::Anthropic,
                "https://h/anthropic/v1/messages",
                "https://h/anthropic/v1/messages",
            ),
            (
                Api::Gemini,
                "https://h",
                "https://h/v1beta/models/m-1:generateContent",
            ),
            (
                Api::Gemini,
                "https://h/v1/models/other:streamGenerateContent?alt=sse",
                "https://h/v1/models/m-1:generateContent",
            ),
        ] {
            assert_eq!(url(api, base, None, false), expected, "{base}");
        }
        assert_eq!(
            url(Api::OpenAi, "https://h", None, true),
            "https://h/chat/completions"
        );
        assert_eq!(
            url(Api::OpenAi, "https://h/v1", Some("7"), false),
            "https://h/v1/chat/completions?api-version=7"
        );
        assert_eq!(
            url(Api::Gemini, "https://h/v1beta", Some("v1"), false),
            "https://h/v1/models/m-1:generateContent"
        );
        assert_eq!(
            url(Api::Anthropic, "https://h", Some("2023-06-01"), false),
            "https://h/v1/messages"
        );
    }

    #[test]
    fn azure_by_setting_and_by_host() {
        let dated = Some("2025-01-01-preview");
        let deployment = "/openai/deployments/m-1/chat/completions";
        for (base, version, path) in [
            ("", None, "/openai/v1/chat/completions".to_owned()),
            (
                "/",
                Some("preview"),
                "/openai/v1/chat/completions?api-version=preview".to_owned(),
            ),
            (
                "",
                dated,
                format!("{deployment}?api-version=2025-01-01-preview"),
            ),
            (
                "/openai",
                dated,
                format!("{deployment}?api-version=2025-01-01-preview"),
            ),
            (
                "?api-version=2024-06-01",
                None,
                format!("{deployment}?api-version=2024-06-01"),
            ),
            ("/openai/v1", None, "/openai/v1/chat/completions".to_owned()),
            (
                "/openai/v1/chat/completions",
                None,
                "/openai/v1/chat/completions".to_owned(),
            ),
            (
                "/openai/deployments/d",
                None,
                "/openai/deployments/d/chat/completions?api-version=2024-10-21".to_owned(),
            ),
            (
                "/openai/deployments/d/chat/completions?api-version=1",
                None,
                "/openai/deployments/d/chat/completions?api-version=1".to_owned(),
            ),
            (
                "/openai/deployments/d/chat/completions?api-version=1",
                dated,
                "/openai/deployments/d/chat/completions?api-version=2025-01-01-preview".to_owned(),
            ),
            (
                "/models",
                None,
                "/models/chat/completions?api-version=2024-05-01-preview".to_owned(),
            ),
            (
                "/api/projects/p",
                None,
                "/api/projects/p/openai/v1/chat/completions".to_owned(),
            ),
        ] {
            for (api, host) in [
                (Api::Azure, "https://gateway.example:8443"),
                (Api::Azure, "https://x.openai.azure.com"),
                (Api::OpenAi, "https://x.openai.azure.com"),
                (Api::OpenAi, "https://x.cognitiveservices.azure.com"),
                (Api::OpenAi, "https://x.services.ai.azure.com"),
                (Api::OpenAi, "https://x.openai.azure.us"),
            ] {
                assert_eq!(
                    url(api, &format!("{host}{base}"), version, false),
                    format!("{host}{path}"),
                    "{base}"
                );
            }
        }
        let host = "https://x.openai.azure.com";
        assert_eq!(
            url(Api::Azure, host, None, true),
            format!("{host}{deployment}?api-version=2024-10-21")
        );
        assert_eq!(
            url(Api::Azure, host, dated, true),
            format!("{host}/openai/v1/chat/completions")
        );
    }

    #[test]
    fn the_token_limit_has_the_name_that_the_server_knows() {
        for (api, base, name) in [
            (
                Api::OpenAi,
                "https://api.openai.com/v1",
                "max_completion_tokens",
            ),
            (
                Api::OpenAi,
                "https://x.openai.azure.com/openai/v1",
                "max_completion_tokens",
            ),
            (
                Api::Azure,
                "https://gateway.example",
                "max_completion_tokens",
            ),
            (Api::OpenAi, "http://127.0.0.1:8000/v1", "max_tokens"),
            (Api::OpenAi, "https://openrouter.ai/api/v1", "max_tokens"),
        ] {
            let endpoint = Endpoint::new(base, true).unwrap();
            assert_eq!(token_limit(api, &endpoint, TokenLimit::Auto).name(), name);
            assert_eq!(
                token_limit(api, &endpoint, TokenLimit::MaxOutputTokens),
                TokenLimit::MaxOutputTokens
            );
        }
    }
}
