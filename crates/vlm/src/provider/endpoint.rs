//! The one place that questions go to.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;
use thiserror::Error;

/// Why a base URL is not used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// Not a URL.
    #[error(
        "the base URL `{text}` is none: {reason}; expected something like https://api.openai.com/v1"
    )]
    NotAUrl {
        /// What was given.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Neither https nor http.
    #[error("the base URL's scheme is `{scheme}`, expected https, or http for this machine")]
    Scheme {
        /// What was given.
        scheme: String,
    },
    /// Plain http to another machine.
    #[error(
        "plain http to `{host}` would send key and pictures readable through the network; use https, or allow plain http explicitly"
    )]
    PlainHttp {
        /// The machine.
        host: String,
    },
    /// User name, password or key in the URL; they would end up in logs.
    #[error(
        "the base URL holds a user name, a password or a key; keys come from the environment or a file only"
    )]
    Credentials,
    /// A fragment has no meaning for a server.
    #[error("the base URL ends in a fragment (`#...`); leave it out")]
    Fragment,
}

/// A checked base URL. https, or http to this machine unless more is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: Url,
}

impl Endpoint {
    /// Checks a base URL.
    ///
    /// # Errors
    /// [`EndpointError`], which says what to write instead.
    pub fn new(base_url: &str, allow_plain_http: bool) -> Result<Self, EndpointError> {
        let url = Url::parse(base_url.trim()).map_err(|error| EndpointError::NotAUrl {
            text: base_url.chars().take(100).collect(),
            reason: error.to_string(),
        });
        // Credentials first: no message may quote them.
        if let Some((before, _)) = base_url.split_once('@')
            && before.contains("//")
            && !before.rsplit("//").next().unwrap_or_default().contains('/')
        {
            return Err(EndpointError::Credentials);
        }
        let url = url?;
        if !matches!(url.scheme(), "https" | "http") {
            let scheme = url.scheme().to_owned();
            return Err(EndpointError::Scheme { scheme });
        }
        let secret = ["key", "token", "secret", "password"];
        let is_secret = |name: &str| secret.iter().any(|word| name.to_lowercase().contains(word));
        if url.query_pairs().any(|(name, _)| is_secret(&name)) {
            return Err(EndpointError::Credentials);
        }
        if url.fragment().is_some() {
            return Err(EndpointError::Fragment);
        }
        let endpoint = Self { url };
        if endpoint.url.scheme() == "http" && !endpoint.is_loopback() && !allow_plain_http {
            let host = endpoint.host();
            return Err(EndpointError::PlainHttp { host });
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

    /// The URL of a path below the base; the base's own query stays.
    pub(crate) fn join(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/{path}"));
        url
    }
}

impl fmt::Display for Endpoint {
    /// Without its query, which may hold what is nobody's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}://{}{}",
            self.url.scheme(),
            self.host(),
            self.url.path()
        )
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
            assert!(
                matches!(error, EndpointError::PlainHttp { .. }),
                "{bad}: {error}"
            );
            Endpoint::new(bad, true).unwrap();
        }
    }

    #[test]
    fn unusable_urls_are_refused_by_name() {
        assert!(matches!(
            Endpoint::new("api.openai.com", false),
            Err(EndpointError::NotAUrl { .. })
        ));
        assert!(matches!(
            Endpoint::new("file:///etc/passwd", false),
            Err(EndpointError::Scheme { .. })
        ));
        assert_eq!(
            Endpoint::new("https://h/v1#x", false),
            Err(EndpointError::Fragment)
        );
        for bad in [
            "https://user:pass-word@host/v1",
            "https://token@host/",
            "https://u:p@:bad",
            "https://host/v1?api_key=pass-word",
        ] {
            let error = Endpoint::new(bad, true).unwrap_err();
            assert_eq!(error, EndpointError::Credentials);
            assert!(!error.to_string().contains("pass-word"));
        }
    }

    #[test]
    fn paths_are_appended_and_queries_stay() {
        let plain = Endpoint::new("https://host:8443/v1/", false).unwrap();
        assert_eq!(
            plain.join("chat/completions").as_str(),
            "https://host:8443/v1/chat/completions"
        );
        assert_eq!(plain.host(), "host:8443");
        let azure = Endpoint::new(
            "https://x.openai.azure.com/openai/deployments/d?api-version=1",
            false,
        );
        let azure = azure.unwrap();
        assert_eq!(
            azure.join("chat/completions").as_str(),
            "https://x.openai.azure.com/openai/deployments/d/chat/completions?api-version=1"
        );
        assert_eq!(
            azure.to_string(),
            "https://x.openai.azure.com/openai/deployments/d"
        );
    }
}
