//! Models behind HTTP.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response, StatusCode};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::time::{Instant, timeout_at};

use super::config::check;
use super::reader::AnswerReader;
use super::wire::error_message;
use super::{
    Api, Asking, ConfigError, Endpoint, Identity, Outcome, Provider, ProviderError, Query,
    RemoteConfig, Reply, Secret, SecretError, Timeouts, one_line,
};
use crate::budget::Charge;
use crate::http::retry::wait_asked;

/// Bytes of an error's body that are read.
const ERROR_BYTES: usize = 64 * 1024;
/// Time that an error's body may take; the status alone says enough.
const ERROR_PATIENCE: Duration = Duration::from_secs(2);

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
        let until = deadline.min(Instant::now() + self.timeouts.first_byte);
        let response = timeout_at(until, request.send())
            .await
            .map_err(|_| self.no_byte(until, deadline))?
            .map_err(|error| self.broken(&error, 0))?;
        if !response.status().is_success() {
            // Too many requests, a model that loads, an overloaded service: not now.
            let not_now = matches!(response.status().as_u16(), 429 | 503 | 529);
            let mut error = self.status_error(response, deadline).await;
            error.charge = Charge::Nothing;
            if not_now && error.outcome.is_transient() {
                error.retry_after.get_or_insert(Duration::ZERO);
            }
            return Err(error);
        }
        let is_stream = header(&response, CONTENT_TYPE)
            .is_some_and(|kind| kind.starts_with("text/event-stream"));
        let mut answer = AnswerReader::new(self.api, is_stream, self.max_answer_bytes);
        let read = self.read(response, &mut answer, until, deadline).await;
        // Whatever fails from here on is charged: the server has begun to work.
        let said = answer.said();
        read.and_then(|()| answer.finish(&self.identity, self.expected_input_tokens(query)))
            .map_err(|error| error.after_an_answer_began(said))
    }

    /// Reads an answer to its end; its first byte comes by `first_byte`.
    async fn read(
        &self,
        mut response: Response,
        answer: &mut AnswerReader,
        first_byte: Instant,
        deadline: Instant,
    ) -> Result<(), ProviderError> {
        answer.expect(response.content_length())?;
        let mut chunk = timeout_at(first_byte, response.chunk())
            .await
            .map_err(|_| self.no_byte(first_byte, deadline))?
            .map_err(|error| self.broken(&error, 0))?;
        while let Some(bytes) = chunk {
            answer.take(&bytes)?;
            if answer.is_over() {
                break;
            }
            chunk = timeout_at(deadline, response.chunk())
                .await
                .map_err(|_| self.timed_out(answer.received))?
                .map_err(|error| self.broken(&error, answer.received))?;
        }
        Ok(())
    }

    fn no_byte(&self, first_byte: Instant, deadline: Instant) -> ProviderError {
        if first_byte >= deadline {
            return self.timed_out(0);
        }
        let waited = self.timeouts.first_byte.as_millis();
        let detail = format!("no byte of an answer within {waited} ms");
        ProviderError::new(Outcome::TimeoutFirstByte, detail)
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
        let status = response.status();
        let headers = response.headers().clone();
        let location = header(&response, reqwest::header::LOCATION).map(|to| one_line(to, 100));
        let deadline = deadline.min(Instant::now() + ERROR_PATIENCE);
        let mut body = Vec::new();
        // The words are welcome, not needed: whatever stops them, the status stands.
        while let Ok(Ok(Some(bytes))) = timeout_at(deadline, response.chunk()).await {
            body.extend_from_slice(&bytes[..bytes.len().min(ERROR_BYTES - body.len())]);
            if body.len() >= ERROR_BYTES {
                break;
            }
        }
        let text = String::from_utf8_lossy(&body);
        let json = serde_json::from_str(&text).ok();
        let words = json
            .as_ref()
            .and_then(error_message)
            .unwrap_or_else(|| one_line(&text, 200));
        let outcome = outcome_of(status, &text);
        let mut detail = format!("{} answered {}", self.endpoint.host(), status.as_u16());
        if let Some(location) = location.filter(|_| outcome == Outcome::Redirected) {
            detail.push_str(&format!(" and points to `{location}`"));
        }
        if !words.is_empty() {
            detail.push_str(&format!(": {words}"));
        }
        ProviderError {
            outcome,
            detail,
            retry_after: wait_asked(&headers, &text),
            charge: Charge::Nothing,
        }
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

fn outcome_of(status: StatusCode, body: &str) -> Outcome {
    match status.as_u16() {
        300..=399 => Outcome::Redirected,
        401 | 403 => Outcome::Unauthorised,
        // Google's word for a wrong key.
        400 if body.contains("API_KEY_INVALID") => Outcome::Unauthorised,
        402 => Outcome::QuotaExhausted,
        404 | 405 | 410 => Outcome::NotFound,
        429 if body.contains("insufficient_quota") => Outcome::QuotaExhausted,
        429 => Outcome::RateLimited,
        // Timeouts and conflicts of the server's own making.
        408 | 409 | 425 => Outcome::ServerError,
        400..=499 => Outcome::RequestRejected,
        _ => Outcome::ServerError,
    }
}

fn header(response: &Response, name: HeaderName) -> Option<&str> {
    response.headers().get(name)?.to_str().ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_have_names() {
        let named = |status: u16, body: &str| {
            outcome_of(StatusCode::from_u16(status).unwrap(), body).name()
        };
        assert_eq!(named(308, ""), "redirected");
        assert_eq!(named(401, ""), "unauthorised");
        assert_eq!(
            named(400, "{\"reason\": \"API_KEY_INVALID\"}"),
            "unauthorised"
        );
        assert_eq!(named(404, ""), "not_found");
        assert_eq!(named(422, ""), "request_rejected");
        assert_eq!(named(429, ""), "rate_limited");
        assert_eq!(named(429, "insufficient_quota"), "quota_exhausted");
        assert_eq!(named(529, ""), "server_error");
    }
}
