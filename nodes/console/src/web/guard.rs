//! What every request must be, and what every answer says to the browser.

use std::sync::{Arc, PoisonError};

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use tiller_page::access::{is_host, is_same_origin};

use super::{Hub, assets, refusal};

/// Nothing but the page's own files, connections to its own server, and no text that becomes markup or script.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// Lets the page's own requests through.
pub(super) async fn check(State(hub): State<Arc<Hub>>, request: Request, next: Next) -> Response {
    let denied = denied(&hub, &request);
    let mut response = match denied {
        None => next.run(request).await,
        Some((status, reason)) => refusal(status, reason),
    };
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

fn denied(hub: &Hub, request: &Request) -> Option<(StatusCode, &'static str)> {
    let headers = request.headers();
    let host = text(headers, header::HOST).unwrap_or_default();
    if !is_host(host) {
        return Some((
            StatusCode::MISDIRECTED_REQUEST,
            "expected an address or `localhost` as the host",
        ));
    }
    let path = request.uri().path();
    let changes = request.method() != Method::GET && request.method() != Method::HEAD;
    if (changes || path == "/live") && !is_same_origin(text(headers, header::ORIGIN), host) {
        return Some((
            StatusCode::FORBIDDEN,
            "expected a request of the page itself",
        ));
    }
    let is_open_to_all = assets::is_one(path) || (path == "/session" && changes);
    let cookies = headers.get_all(header::COOKIE).iter();
    let cookies = cookies.filter_map(|cookie| cookie.to_str().ok());
    let access = hub.access.lock().unwrap_or_else(PoisonError::into_inner);
    if !is_open_to_all && !access.admits(cookies) {
        return Some((StatusCode::UNAUTHORIZED, "expected a session"));
    }
    None
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
