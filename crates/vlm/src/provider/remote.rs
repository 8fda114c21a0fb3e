//! Models behind HTTP.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Response, StatusCode};
use rustls_platform_verifier::BuilderVerifierExt;
use serde_json::{Map, Value};
use tiller_core::sha256;
use tokio::time::{Instant, timeout_at};

use super::adapt::{Adaptations, Refused};
use super::config::check;
use super::reader::AnswerReader;
use super::route::{Route, token_limit};
use super::wire::Request;
use super::{
    Adaptation, Api, Asking, ConfigError, ConfigErrors, Endpoint, Identity, Outcome, Provider,
    ProviderError, Query, REDACTED, RemoteConfig, Reply, Secret, Timeouts, TokenLimit, extra_body,
    fault, headers, visible_line,
};
use crate::budget::{Charge, most_text_tokens};

/// Bytes of an error's body that are read.
const ERROR_BYTES: usize = 64 * 1024;
/// Time that an error's body may take; the status alone says enough.
const ERROR_PATIENCE: Duration = Duration::from_secs(2);

/// Requests of one question that may change to what the server takes.
const MOST_CHANGES: usize = 6;

/// A model behind HTTP. Only the configured host is contacted: redirects are not followed.
pub struct RemoteProvider {
    api: Api,
    endpoint: Endpoint,
    identity: Identity,
    /// The key and what in the extra headers gives access.
    secrets: Vec<Secret>,
    /// The other extra headers.
    private: Vec<Secret>,
    headers: HeaderMap,
    client: Client,
    stream: bool,
    token_limit: TokenLimit,
    extra_body: Map<String, Value>,
    timeouts: Timeouts,
    picture_tokens: u64,
    max_answer_bytes: usize,
    adaptations: Adaptations,
}

/// An answer that is none: its status, its headers and what was read of its body.
struct Refusal {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

/// A request without an answer, and what the server said in its place with a status of success.
struct Failed {
    error: ProviderError,
    refusal: Option<String>,
}

impl From<ProviderError> for Failed {
    fn from(error: ProviderError) -> Self {
        Self {
            error,
            refusal: None,
        }
    }
}

/// Whether an error within an answer may be about what was asked for, and not about who asks or when.
fn may_be_of_request(outcome: Outcome) -> bool {
    !matches!(
        outcome,
        Outcome::RateLimited
            | Outcome::Overloaded
            | Outcome::ModelLoading
            | Outcome::QuotaExhausted
            | Outcome::Unauthorised
            | Outcome::UnknownModel
            | Outcome::RefusedByModel
            | Outcome::BlockedByProxy
            | Outcome::TooLarge
    )
}

impl RemoteProvider {
    /// Checks the settings and prepares a client; nothing is contacted yet.
    ///
    /// # Errors
    /// [`ConfigErrors`], every mistake at once. The services themselves need a key; servers of one's
    /// own may not.
    pub fn new(config: RemoteConfig) -> Result<Self, ConfigErrors> {
        let endpoint = check(&config)?;
        let trimmed = |text: &Option<String>| text.as_deref().map(|text| text.trim().to_owned());
        let api_version = trimmed(&config.api_version);
        let mut identity = Identity {
            model: config.model.clone(),
            host: Some(endpoint.host()),
            base_url: Some(endpoint.to_string()),
            api_version,
            max_output_tokens: config.max_output_tokens,
            temperature: config.temperature,
            reasoning_effort: trimmed(&config.reasoning_effort),
            picture_detail: config.picture_detail,
            ..Identity::local(config.api.name())
        };
        let route = route(config.api, &endpoint, &identity);
        let second_url = route.has_second().then(|| {
            let mut url = route.url(false, true);
            url.set_query(None);
            url.to_string()
        });
        identity.settings_sha256 = Some(settings_sha256(&route, &config));
        let headers_of = |secret: bool| {
            let all = config.extra_headers.iter();
            let chosen = all.filter(move |(name, _)| headers::is_secret(name) == secret);
            chosen.map(|(_, value)| value.clone())
        };
        Ok(Self {
            headers: headers::headers(&config, &endpoint)?,
            client: client(&config, &endpoint)?,
            secrets: config.key.iter().cloned().chain(headers_of(true)).collect(),
            private: headers_of(false).collect(),
            adaptations: Adaptations::new(identity.reasoning_effort.as_deref(), second_url),
            token_limit: token_limit(config.api, &endpoint, config.token_limit),
            api: config.api,
            endpoint,
            identity,
            stream: config.stream,
            extra_body: config.extra_body,
            timeouts: config.timeouts,
            picture_tokens: config.picture_tokens,
            max_answer_bytes: config.max_answer_bytes,
        })
    }

    /// Where questions go.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    async fn exchange(&self, query: &Query, deadline: Instant) -> Result<Reply, ProviderError> {
        // A server can echo the key anywhere, be it in an answer.
        let redact = |text: &str| {
            let secrets = self.secrets.iter();
            secrets.fold(text.to_owned(), |text, secret| secret.redact(&text))
        };
        match self.attempt(query, deadline).await {
            Ok(mut reply) => {
                reply.text = redact(&reply.text);
                reply.model = redact(&reply.model);
                Ok(reply)
            }
            Err(mut error) => {
                error.detail = redact(&error.detail);
                for value in self.private.iter().map(Secret::expose) {
                    // What is shorter is a word like any other.
                    if value.len() >= 8 {
                        error.detail = error.detail.replace(value, REDACTED);
                    }
                }
                Err(error)
            }
        }
    }

    /// Asks, and again as often as the server says what else it takes.
    async fn attempt(&self, query: &Query, deadline: Instant) -> Result<Reply, ProviderError> {
        let mut changes = 0;
        loop {
            let known = self.adaptations.count();
            let stream = self.adaptations.stream(self.stream);
            let body = self.body(query, stream);
            let sent = self.send(query, &body, stream, deadline).await;
            let refusal = match sent.map_err(|failed| self.learn(failed, known, &body, stream))? {
                Ok(reply) => return Ok(reply),
                Err(refusal) => refusal,
            };
            changes += 1;
            let refused = Refused {
                status: refusal.status.as_u16(),
                body: &refusal.text,
                sent: &body,
                stream,
            };
            if changes > MOST_CHANGES || !self.adapts(known, refused) {
                return Err(self.status_error(&refusal));
            }
        }
    }

    /// The error of an answer that failed. What it said of the request is learnt, as from a status; but
    /// it may have cost something, so that asking again is another try.
    fn learn(&self, failed: Failed, known: usize, sent: &Value, stream: bool) -> ProviderError {
        let Failed { mut error, refusal } = failed;
        if let Some(words) = refusal.filter(|_| may_be_of_request(error.outcome)) {
            let refused = Refused {
                status: StatusCode::OK.as_u16(),
                body: &words,
                sent,
                stream,
            };
            error.is_learnt_from = self.adapts(known, refused);
        }
        error
    }

    /// Whether there is a different request to send by now.
    fn adapts(&self, known: usize, refused: Refused<'_>) -> bool {
        if let Some(adaptation) = self.adaptations.learn(refused) {
            let setting = adaptation.setting.unwrap_or_default();
            let (host, status) = (self.endpoint.host(), refused.status);
            let what = adaptation.what;
            tracing::info!(
                host,
                status,
                setting,
                "the server does not take the request: {what} from now on"
            );
            return true;
        }
        // Another question may have learnt it meanwhile.
        self.adaptations.count() > known
    }

    fn body(&self, query: &Query, stream: bool) -> Value {
        let mut body = self.api.body(&Request {
            query,
            identity: &self.identity,
            token_limit: self.token_limit,
            stream,
        });
        extra_body::merge(&mut body, &self.extra_body);
        self.adaptations.apply(&mut body);
        body
    }

    /// Asks once.
    async fn send(
        &self,
        query: &Query,
        body: &Value,
        stream: bool,
        deadline: Instant,
    ) -> Result<Result<Reply, Refusal>, Failed> {
        let route = route(self.api, &self.endpoint, &self.identity);
        let request = self
            .client
            .post(route.url(stream, self.adaptations.second()))
            .headers(self.headers.clone())
            .body(body.to_string());
        let until = deadline.min(Instant::now() + self.timeouts.first_byte);
        let response = timeout_at(until, request.send())
            .await
            .map_err(|_| self.no_byte(until, deadline))?
            .map_err(|error| self.broken(&error, 0))?;
        if !response.status().is_success() {
            return Ok(Err(refusal(response, deadline).await));
        }
        let mut answer = AnswerReader::new(self.api, self.max_answer_bytes);
        let read = self.read(response, &mut answer, until, deadline).await;
        // Whatever fails from here on is charged: the server has begun to work.
        let said = answer.said();
        read.and_then(|()| answer.finish(&self.identity, self.expected_input_tokens(query)))
            .map(Ok)
            .map_err(|error| Failed {
                error: error.after_an_answer_began(said),
                refusal: answer.refusal().map(str::to_owned),
            })
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
    fn status_error(&self, refusal: &Refusal) -> ProviderError {
        let Refusal {
            status,
            headers,
            text,
        } = refusal;
        let mut error = fault::of_response(&self.endpoint.host(), *status, headers, text);
        error.charge = Charge::Nothing;
        // Too many requests, a model that loads, an overloaded service: not now.
        if matches!(status.as_u16(), 429 | 503 | 529) && error.outcome.is_transient() {
            error.retry_after.get_or_insert(Duration::ZERO);
        }
        error
    }
}

impl Provider for RemoteProvider {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn expected_input_tokens(&self, query: &Query) -> u64 {
        most_text_tokens(query) + query.picture.as_ref().map_or(0, |_| self.picture_tokens)
    }

    fn adaptations(&self) -> Vec<Adaptation> {
        self.adaptations.list()
    }

    fn total_timeout(&self) -> Duration {
        self.timeouts.total
    }

    fn ask<'a>(&'a self, query: &'a Query, deadline: Instant) -> Asking<'a> {
        Box::pin(self.exchange(query, deadline))
    }
}

impl fmt::Debug for RemoteProvider {
    /// Without headers and extra body, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteProvider")
            .field("endpoint", &self.endpoint)
            .field("identity", &self.identity)
            .field("adaptations", &self.adaptations.list())
            .finish_non_exhaustive()
    }
}

fn route<'a>(api: Api, endpoint: &'a Endpoint, identity: &'a Identity) -> Route<'a> {
    Route {
        api,
        endpoint,
        model: &identity.model,
        api_version: identity.api_version.as_deref(),
    }
}

/// The hash of what decides an answer and may hold a secret.
fn settings_sha256(route: &Route<'_>, config: &RemoteConfig) -> String {
    let mut headers: Vec<_> = config
        .extra_headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.expose()))
        .collect();
    headers.sort_unstable();
    let url = route.url(false, false);
    // Lists and texts in JSON run into each other nowhere.
    let all = serde_json::json!([url.as_str(), headers, config.extra_body]);
    sha256(all.to_string().as_bytes())
}

/// Reads what a server says instead of an answer. The words are welcome, not needed: whatever stops
/// them, the status stands.
async fn refusal(mut response: Response, deadline: Instant) -> Refusal {
    let deadline = deadline.min(Instant::now() + ERROR_PATIENCE);
    let mut body = Vec::new();
    while let Ok(Ok(Some(bytes))) = timeout_at(deadline, response.chunk()).await {
        body.extend_from_slice(&bytes[..bytes.len().min(ERROR_BYTES - body.len())]);
        if body.len() >= ERROR_BYTES {
            break;
        }
    }
    Refusal {
        status: response.status(),
        headers: response.headers().clone(),
        text: String::from_utf8_lossy(&body).into_owned(),
    }
}

/// The innermost reason of an error; the outer ones repeat the URL and say less.
fn cause(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    visible_line(&inner.to_string(), 200)
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
