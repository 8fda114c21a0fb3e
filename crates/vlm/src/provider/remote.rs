//! Models behind HTTP.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::time::{Instant, timeout_at};

use super::config::check;
use super::reader::AnswerReader;
use super::wire::estimated_tokens;
use super::{
    Api, Asking, ConfigError, Endpoint, Identity, Outcome, Provider, ProviderError, Query,
    RemoteConfig, Reply, Secret, SecretError, Timeouts, fault, one_line,
};

/// Bytes of an error's body that are read.
const ERROR_BYTES: usize = 64 * 1024;
/// Time that an error's body may take; the status alone says enough.
const ERROR_PATIENCE: Duration = Duration::from_secs(2);
/// Tokens that a picture of 640 to 1024 pixels costs at most services, rather more.
const PICTURE_TOKENS: u64 = 1600;

/// A model behind HTTP. Only the configured host is contacted: redirects are not followed.
#[derive(Debug)]
pub struct RemoteProvider {
    api: Api,
    endpoint: Endpoint,
    identity: Identity,
    key: Option<Secret>,
    headers: HeaderMap,
    client: Client,
    stream: bool,
    timeouts: Timeouts,
    max_answer_bytes: usize,
}

impl RemoteProvider {
    /// Checks the settings and prepares a client; nothing is contacted yet.
    ///
    /// # Errors
    /// [`ConfigError`]. The services themselves need a key; servers of one's own may not.
    pub fn new(config: RemoteConfig) -> Result<Self, ConfigError> {
        let api = config.api;
        let base_url = config.base_url.as_deref().unwrap_or(api.default_base_url());
        let endpoint = Endpoint::new(base_url, config.allow_plain_http)?;
        check(&config)?;
        if config.key.is_none() && config.base_url.is_none() {
            let variable = api.key_variable().to_owned();
            return Err(SecretError::Missing { variable }.into());
        }
        let identity = Identity {
            provider: api.name().to_owned(),
            model: config.model.clone(),
            host: Some(endpoint.host()),
            max_output_tokens: config.max_output_tokens,
            temperature: config.temperature,
        };
        Ok(Self {
            headers: headers(api, &endpoint, config.key.as_ref())?,
            client: client(&config, &endpoint)?,
            api,
            endpoint,
            identity,
            key: config.key,
            stream: config.stream,
            timeouts: config.timeouts,
            max_answer_bytes: config.max_answer_bytes,
        })
    }

    /// Where questions go.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    async fn exchange(&self, query: &Query, deadline: Instant) -> Result<Reply, ProviderError> {
        let result = self.attempt(query, deadline).await;
        // A server can echo the key anywhere, be it in an answer.
        match (result, &self.key) {
            (Ok(mut reply), Some(key)) => {
                reply.text = key.redact(&reply.text);
                reply.model = key.redact(&reply.model);
                Ok(reply)
            }
            (Err(mut error), Some(key)) => {
                error.detail = key.redact(&error.detail);
                Err(error)
            }
            (result, None) => result,
        }
    }

    async fn attempt(&self, query: &Query, deadline: Instant) -> Result<Reply, ProviderError> {
        let body = self
            .api
            .body(query, &self.identity, &self.endpoint, self.stream);
        let request = self
            .client
            .post(
                self.api
                    .url(&self.endpoint, &self.identity.model, self.stream),
            )
            .headers(self.headers.clone())
            .body(body.to_string());
        let first_byte = Instant::now() + self.timeouts.first_byte;
        let timed_out = || {
            if first_byte < deadline {
                let waited = self.timeouts.first_byte.as_millis();
                let detail = format!("no byte of an answer within {waited} ms");
                ProviderError::new(Outcome::TimeoutFirstByte, detail)
            } else {
                self.timed_out(0)
            }
        };
        let until = first_byte.min(deadline);
        let mut response = timeout_at(until, request.send())
            .await
            .map_err(|_| timed_out())?
            .map_err(|error| self.broken(&error, 0))?;
        if !response.status().is_success() {
            return Err(self.status_error(response, deadline).await);
        }
        let mut answer = AnswerReader::new(self.api, self.max_answer_bytes);
        answer.expect(response.content_length())?;
        let first = timeout_at(until, response.chunk())
            .await
            .map_err(|_| timed_out())?;
        let mut chunk = first.map_err(|error| self.broken(&error, 0))?;
        while let Some(bytes) = chunk {
            answer.take(&bytes)?;
            if answer.is_over() {
                break;
            }
            // A finished answer waits a moment for the tokens it cost, and for nothing else.
            let finished = answer.finished_until();
            let until = finished.map_or(deadline, |until| until.min(deadline));
            let next = timeout_at(until, response.chunk()).await;
            if finished.is_some() && !matches!(next, Ok(Ok(_))) {
                break;
            }
            chunk = next
                .map_err(|_| self.timed_out(answer.received))?
                .map_err(|error| self.broken(&error, answer.received))?;
        }
        answer.finish(&self.identity, expected_input_tokens(query))
    }

    fn timed_out(&self, received: usize) -> ProviderError {
        let detail = format!("the time was up after {received} bytes of the answer");
        ProviderError::new(Outcome::TimeoutTotal, detail)
    }

    /// Names what went wrong with a connection.
    fn broken(&self, error: &reqwest::Error, received: usize) -> ProviderError {
        let host = self.endpoint.host();
        let cause = cause(error);
        let (outcome, detail) = if error.is_connect() && error.is_timeout() {
            let waited = self.timeouts.connect.as_millis();
            (
                Outcome::TimeoutConnect,
                format!("no connection to {host} within {waited} ms"),
            )
        } else if error.is_connect() {
            (
                Outcome::Unreachable,
                format!("no connection to {host}: {cause}"),
            )
        } else {
            let detail = format!(
                "the connection to {host} broke after {received} bytes of the answer: {cause}"
            );
            (Outcome::ConnectionLost, detail)
        };
        ProviderError::new(outcome, detail)
    }

    /// Names what a status other than success means, with the server's own words.
    async fn status_error(&self, mut response: Response, deadline: Instant) -> ProviderError {
        let deadline = deadline.min(Instant::now() + ERROR_PATIENCE);
        let mut body = Vec::new();
        // The words are welcome, not needed: whatever stops them, the status stands.
        while let Ok(Ok(Some(bytes))) = timeout_at(deadline, response.chunk()).await {
            body.extend_from_slice(&bytes[..bytes.len().min(ERROR_BYTES - body.len())]);
            if body.len() >= ERROR_BYTES {
                break;
            }
        }
        fault::of_response(
            &self.endpoint.host(),
            response.status(),
            response.headers(),
            &String::from_utf8_lossy(&body),
        )
    }
}

impl Provider for RemoteProvider {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn total_timeout(&self) -> Duration {
        self.timeouts.total
    }

    fn ask<'a>(&'a self, query: &'a Query, deadline: Instant) -> Asking<'a> {
        Box::pin(self.exchange(query, deadline))
    }
}

/// Tokens that a question will cost, rather more than less.
pub(crate) fn expected_input_tokens(query: &Query) -> u64 {
    let turns = query
        .turns
        .iter()
        .map(|turn| turn.text.len())
        .sum::<usize>();
    let picture = query.picture.as_ref().map_or(0, |_| PICTURE_TOKENS);
    estimated_tokens(query.system.len() + turns) + picture
}

/// The innermost reason of an error; the outer ones repeat the URL and say less.
fn cause(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    one_line(&inner.to_string(), 200)
}

fn headers(api: Api, endpoint: &Endpoint, key: Option<&Secret>) -> Result<HeaderMap, ConfigError> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(
        ACCEPT,
        HeaderValue::from_static("text/event-stream, application/json"),
    );
    for (name, value) in api.headers(endpoint, key) {
        // Keys are checked to be visible ASCII, so that this does not fail in practice.
        let mut value = HeaderValue::from_str(&value).map_err(|_| {
            ConfigError::Client(format!("header `{name}` holds unusable characters"))
        })?;
        // The client's own logs then leave the value out.
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(headers)
}

fn client(config: &RemoteConfig, endpoint: &Endpoint) -> Result<Client, ConfigError> {
    let failed = |error: &dyn std::fmt::Display| ConfigError::Client(error.to_string());
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(
        rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .map_err(|error| failed(&error))?;
    // Plain http needs no certificates, and a bare machine may have none.
    let tls = if endpoint.is_encrypted() {
        tls.with_platform_verifier()
            .map_err(|error| failed(&error))?
    } else {
        tls.with_root_certificates(rustls::RootCertStore::empty())
    }
    .with_no_client_auth();
    let loopback = [
        SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        SocketAddr::from((Ipv6Addr::LOCALHOST, 0)),
    ];
    let mut builder = Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(config.timeouts.connect)
        // Questions are rare: a kept connection would mostly be a dead one.
        .pool_max_idle_per_host(0)
        .retry(reqwest::retry::never())
        .user_agent(concat!("tiller/", env!("CARGO_PKG_VERSION")))
        .resolve_to_addrs("localhost", &loopback);
    if !config.environment_proxy || endpoint.is_loopback() {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| failed(&error))
}
