//! The page's server: a thread of its own, which the node's loop never waits for.
//!
//! What the page shows goes out over a WebSocket, what it asks for comes in by `POST /ask`, so that a stop
//! never stands behind a picture.

mod assets;
mod guard;
mod live;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::Read;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use eyre::{Result, WrapErr};
use serde::Deserialize;
use serde_json::{Value, json};
use tiller_core::file::write_private;
use tiller_core::hexadecimal;
use tiller_node_kit::Bell;
use tiller_page::access::{Access, COOKIE, is_of_this_machine};
use tiller_page::{Ask, Section};
use tokio::sync::{oneshot, watch};

use crate::pictures::Album;
use crate::settings::Place;

/// Most bytes of a request: a program, as JSON.
const MOST: usize = 512 * 1024;

/// How long the node may take for an answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long who has a wrong token waits for the next try.
const WRONG_TOKEN: Duration = Duration::from_millis(500);

/// Where the page's address is written, in the run's folder.
pub(crate) const URL_FILE: &str = "page.url";

/// Where the token is, in the run's folder, for its user alone.
pub(crate) const TOKEN_FILE: &str = "page.token";

/// Something that a page asks for, and where the answer goes.
pub(crate) type Asked = (Ask, oneshot::Sender<Value>);

/// A section as it was last, packed once for all who watch.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) name: &'static str,
    /// The section as JSON.
    pub(crate) json: Arc<str>,
}

/// What the server's tasks share.
pub(crate) struct Hub {
    access: Mutex<Access>,
    asks: Sender<Asked>,
    bell: Bell,
    parts: watch::Receiver<Vec<Part>>,
    album: watch::Receiver<Album>,
    watchers: Arc<AtomicUsize>,
}

/// A page that is being served.
pub(crate) struct Web {
    pub(crate) url: String,
    pub(crate) asks: Receiver<Asked>,
    pub(crate) is_usual: bool,
    parts: watch::Sender<Vec<Part>>,
    watchers: Arc<AtomicUsize>,
    files: Vec<PathBuf>,
    /// The server ends with it.
    _end: oneshot::Sender<()>,
}

impl Drop for Web {
    fn drop(&mut self) {
        for file in &self.files {
            let _ = fs::remove_file(file);
        }
    }
}

impl Web {
    /// Serves the page, or nothing where it is off; the bell rings where something is asked.
    pub(crate) fn start(
        place: Place,
        folder: &Path,
        album: watch::Receiver<Album>,
        bell: Bell,
    ) -> Result<Option<Self>> {
        let (listener, is_usual) = match place {
            Place::Off => return Ok(None),
            Place::Exactly(address) if address.port() != 0 => {
                let what = || format!("CONSOLE_ADDRESS: cannot listen on {address}");
                (TcpListener::bind(address).wrap_err_with(what)?, true)
            }
            Place::Exactly(address) => (on_any_port(address.ip(), folder)?, true),
            Place::Usual(address) => match TcpListener::bind(address) {
                Ok(listener) => (listener, true),
                Err(_) => (on_any_port(address.ip(), folder)?, false),
            },
        };
        let address = listener.local_addr()?;
        let url = format!("http://{address}/");
        fs::create_dir_all(folder)?;
        let mut files = vec![folder.join(URL_FILE)];
        write_private(&files[0], url.as_bytes())?;
        let access = match is_of_this_machine(address.ip()) {
            true => Access::default(),
            false => {
                let token = random()?;
                files.push(folder.join(TOKEN_FILE));
                write_private(&files[1], token.as_bytes())?;
                Access::with_token(token)
            }
        };
        let (asks, asked) = channel();
        let (parts, seen) = watch::channel(Vec::new());
        let watchers = Arc::new(AtomicUsize::new(0));
        let hub = Hub {
            access: Mutex::new(access),
            asks,
            bell,
            parts: seen,
            album,
            watchers: Arc::clone(&watchers),
        };
        let (end, ended) = oneshot::channel::<()>();
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        thread::Builder::new()
            .name("page".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    let served = serve(listener, hub);
                    tokio::select! {
                        result = served => if let Err(error) = result {
                            tracing::error!("the page is served no longer: {error:#}");
                        },
                        _ = ended => {}
                    }
                });
            })
            .wrap_err("no thread for the page")?;
        Ok(Some(Self {
            url,
            asks: asked,
            is_usual,
            parts,
            watchers,
            files,
            _end: end,
        }))
    }

    /// Whether anybody looks.
    pub(crate) fn is_watched(&self) -> bool {
        self.watchers.load(Ordering::Relaxed) > 0
    }

    /// Shows these sections to all who watch; who is slow gets the newest only.
    pub(crate) fn show(&self, sections: Vec<Section>) {
        let before = self.parts.borrow().clone();
        let part = |section: Section| {
            let json = section.value.to_string();
            let same = before
                .iter()
                .find(|part| part.name == section.name && *part.json == *json);
            same.cloned().unwrap_or_else(|| Part {
                name: section.name,
                json: json.into(),
            })
        };
        self.parts
            .send_replace(sections.into_iter().map(part).collect());
    }
}

/// Where one like this served before, for pages that are still open; else on whatever port is free.
fn on_any_port(ip: IpAddr, folder: &Path) -> Result<TcpListener> {
    let before = fs::read_to_string(folder.join(URL_FILE)).ok();
    let before = before.and_then(|url| {
        let address = url.strip_prefix("http://")?.strip_suffix('/')?;
        address.parse::<SocketAddr>().ok()
    });
    let again = before.filter(|before| before.ip() == ip);
    let again = again.and_then(|before| TcpListener::bind(before).ok());
    match again {
        Some(listener) => Ok(listener),
        None => TcpListener::bind((ip, 0)).wrap_err("cannot serve the page"),
    }
}

/// 128 random bits.
fn random() -> Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .wrap_err("no random numbers for a token")?;
    Ok(hexadecimal(&bytes))
}

async fn serve(listener: TcpListener, hub: Hub) -> Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let hub = Arc::new(hub);
    let router = Router::new()
        .route("/live", get(live::upgrade))
        .route("/ask", post(ask))
        .route(
            "/session",
            get(|| async { StatusCode::NO_CONTENT }).post(open),
        )
        .fallback(get(assets::serve))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&hub),
            guard::check,
        ))
        .layer(DefaultBodyLimit::max(MOST))
        .with_state(hub);
    Ok(axum::serve(listener, router).await?)
}

/// JSON with a status.
fn answer(status: StatusCode, value: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (status, kind, value.to_string()).into_response()
}

fn refusal(status: StatusCode, reason: &str) -> Response {
    answer(status, &json!({ "error": reason }))
}

/// Whether a body is said to be JSON: a form of another page cannot say so.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes() == b"application/json")
}

async fn ask(State(hub): State<Arc<Hub>>, headers: HeaderMap, body: Bytes) -> Response {
    if !is_json(&headers) {
        return refusal(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "expected `application/json`",
        );
    }
    let ask = match Ask::read(&body) {
        Ok(ask) => ask,
        Err(error) => return refusal(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let (sender, answered) = oneshot::channel();
    let silent = "the dataflow does not answer";
    if hub.asks.send((ask, sender)).is_err() {
        return refusal(StatusCode::SERVICE_UNAVAILABLE, silent);
    }
    hub.bell.ring();
    match tokio::time::timeout(PATIENCE, answered).await {
        Ok(Ok(value)) if value.get("error").is_some() => answer(StatusCode::CONFLICT, &value),
        Ok(Ok(value)) => answer(StatusCode::OK, &value),
        _ => refusal(StatusCode::GATEWAY_TIMEOUT, silent),
    }
}

#[derive(Deserialize)]
struct Opening {
    token: String,
}

/// Opens a session for who has the token.
async fn open(State(hub): State<Arc<Hub>>, headers: HeaderMap, body: Bytes) -> Response {
    let opening = match serde_json::from_slice::<Opening>(&body) {
        Ok(opening) if is_json(&headers) => opening,
        _ => return refusal(StatusCode::BAD_REQUEST, "expected `{\"token\": ..}`"),
    };
    let Ok(session) = random() else {
        return refusal(StatusCode::INTERNAL_SERVER_ERROR, "no random numbers");
    };
    let is_open = hub
        .access
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .open(opening.token.trim(), session.clone());
    if !is_open {
        tokio::time::sleep(WRONG_TOKEN).await;
        return refusal(StatusCode::UNAUTHORIZED, "this is not the token");
    }
    let cookie = format!("{COOKIE}={session}; HttpOnly; SameSite=Strict; Path=/");
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response()
}
