//! An HTTP server that does what a test tells it, however rude.

use std::net::SocketAddr;
use std::sync::mpsc::{Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tiller_vlm::exchange::{Client, RetryPolicy};
use tiller_vlm::provider::{
    Api, Purpose, Query, RemoteConfig, RemoteProvider, Role, Secret, Timeouts, Turn,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The key of every test; no text may ever show it.
pub const KEY: &str = "sk-secret-4711-0815-abcdef";

/// Whether a text shows the middle of the key. Ports, durations and hashes may hold the same digits by
/// chance, with further ones around them.
pub fn shows_key(text: &str) -> bool {
    let is_number = |c: char| c.is_ascii_hexdigit() || c == '.';
    text.match_indices("4711").any(|(at, digits)| {
        !text[..at].ends_with(is_number) && !text[at + digits.len()..].starts_with(is_number)
    })
}

/// Every format.
pub const APIS: [Api; 5] = [
    Api::OpenAi,
    Api::Responses,
    Api::Azure,
    Api::Anthropic,
    Api::Gemini,
];

/// What the server does with one connection, in order.
#[derive(Debug, Clone)]
pub enum Act {
    /// These bytes.
    Send(Vec<u8>),
    /// Nothing for a while.
    Pause(Duration),
    /// The same bytes until the client has had enough.
    Repeat(Vec<u8>),
    /// Nothing more comes, and the connection stays.
    Hang,
    /// Ends the connection as a crash does.
    Reset,
}

/// What happens on one connection.
pub type Script = Vec<Act>;

/// Decides what happens on a connection from its number, counted from 0, and its request.
pub type Handler = dyn Fn(usize, &str) -> Script + Send + Sync;

/// A running server; it ends with the runtime of its test.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Plays one script a connection; the last one is repeated.
    pub async fn start(scripts: Vec<Script>) -> Self {
        let last = scripts.len() - 1;
        Self::start_with(Arc::new(move |number, _: &str| {
            scripts[number.min(last)].clone()
        }))
        .await
    }

    /// Asks the handler what to do about each connection.
    pub async fn start_with(handler: Arc<Handler>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        tokio::spawn(async move {
            let mut number = 0;
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(play(stream, number, handler.clone(), seen.clone()));
                number += 1;
            }
        });
        Self { address, requests }
    }

    /// Head and body of every request.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// Settings of a provider that asks this server.
    pub fn config(&self, api: Api) -> RemoteConfig {
        RemoteConfig {
            base_url: Some(format!("http://{}/v1", self.address)),
            key: Some(Secret::new(KEY, "a test").unwrap()),
            timeouts: Timeouts {
                connect: Duration::from_secs(5),
                first_byte: Duration::from_secs(5),
                total: Duration::from_secs(20),
            },
            ..RemoteConfig::new(api, "test-model")
        }
    }

    /// A client of this server.
    pub fn client(&self, api: Api) -> Client {
        client(self.config(api))
    }
}

/// A client that asks up to three times and hardly waits between.
pub fn client(config: RemoteConfig) -> Client {
    let retry = RetryPolicy {
        attempts: 3,
        first_wait: Duration::from_millis(2),
        longest_wait: Duration::from_millis(5),
    };
    Client::new(Arc::new(RemoteProvider::new(config).unwrap())).with_retry(retry)
}

/// Any question.
pub fn query() -> Query {
    Query {
        purpose: Purpose::Reward,
        system: "the rules".to_owned(),
        turns: vec![Turn {
            role: Role::User,
            text: "the question".to_owned(),
        }],
        picture: None,
        scene: None,
    }
}

async fn play(
    mut stream: TcpStream,
    number: usize,
    handler: Arc<Handler>,
    requests: Arc<Mutex<Vec<String>>>,
) {
    let Some(request) = read_request(&mut stream).await else {
        return;
    };
    let script = handler(number, &request);
    requests.lock().unwrap().push(request);
    for act in script {
        let sent = match act {
            Act::Send(bytes) => stream.write_all(&bytes).await,
            Act::Pause(time) => {
                tokio::time::sleep(time).await;
                Ok(())
            }
            Act::Repeat(bytes) => loop {
                if let Err(error) = stream.write_all(&bytes).await {
                    break Err(error);
                }
            },
            Act::Hang => std::future::pending().await,
            Act::Reset => stream.set_zero_linger(),
        };
        if sent.is_err() {
            return;
        }
    }
    // What is not read by now would make the operating system reset the connection.
    let _ = stream.shutdown().await;
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let count = stream
            .read(&mut piece)
            .await
            .ok()
            .filter(|&count| count > 0)?;
        bytes.extend_from_slice(&piece[..count]);
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                line.to_lowercase()
                    .strip_prefix("content-length: ")?
                    .parse()
                    .ok()
            });
            if body.len() >= length.unwrap_or(0) {
                return Some(text.into_owned());
            }
        }
    }
}

/// A whole response in one piece.
pub fn response(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Script {
    let body = body.as_ref();
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    vec![Act::Send([head.as_bytes(), body].concat())]
}

/// A whole response that is JSON.
pub fn json_response(body: impl AsRef<[u8]>) -> Script {
    response("200 OK", "content-type: application/json\r\n", body)
}

/// The head of a stream that ends with its connection.
pub fn stream_head() -> Act {
    Act::Send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nconnection: close\r\n\r\n".to_vec())
}

/// The head of a stream in chunks, so that an end without its last chunk shows.
pub fn chunked_head() -> Act {
    Act::Send(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
            .to_vec(),
    )
}

/// A chunk of a response in chunks.
pub fn chunk(text: &str) -> Act {
    Act::Send(format!("{:x}\r\n{text}\r\n", text.len()).into_bytes())
}

/// How an answer ends, in the words of each service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All is said.
    Complete,
    /// No tokens are left.
    Length,
    /// The service's filter stepped in.
    Filtered,
    /// The connection ends first.
    None,
}

fn word(api: Api, ending: Ending) -> Value {
    let words = match api {
        Api::OpenAi | Api::Azure => ["stop", "length", "content_filter"],
        Api::Responses => ["completed", "max_output_tokens", "content_filter"],
        Api::Anthropic => ["end_turn", "max_tokens", "refusal"],
        Api::Gemini => ["STOP", "MAX_TOKENS", "SAFETY"],
    };
    match ending {
        Ending::Complete => json!(words[0]),
        Ending::Length => json!(words[1]),
        Ending::Filtered => json!(words[2]),
        Ending::None => Value::Null,
    }
}

/// A stream's events for an answer; 11 tokens in, 22 out.
pub fn events(api: Api, pieces: &[&str], ending: Ending) -> String {
    let mut all = Vec::new();
    match api {
        Api::OpenAi | Api::Azure => {
            for piece in pieces {
                all.push(json!({"model": "test-model-1", "choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": null}]}));
            }
            if ending != Ending::None {
                all.push(json!({"choices": [{"delta": {}, "finish_reason": word(api, ending)}]}));
                all.push(
                    json!({"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 22}}),
                );
                all.push(json!("[DONE]"));
            }
        }
        Api::Responses => {
            all.push(json!({"type": "response.created", "response": {"object": "response", "status": "in_progress", "error": null, "output": []}}));
            for piece in pieces {
                all.push(json!({"type": "response.output_text.delta", "item_id": "m", "output_index": 0, "delta": piece}));
            }
            if ending != Ending::None {
                let response = whole(api, &pieces.concat(), ending);
                let kind = format!("response.{}", response["status"].as_str().unwrap());
                all.push(json!({"type": kind, "response": response}));
            }
        }
        Api::Anthropic => {
            all.push(json!({"type": "message_start", "message": {"model": "test-model-1", "usage": {"input_tokens": 11, "output_tokens": 1}}}));
            all.push(json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}));
            for piece in pieces {
                all.push(json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}));
            }
            if ending != Ending::None {
                all.push(json!({"type": "message_delta", "delta": {"stop_reason": word(api, ending)}, "usage": {"output_tokens": 22}}));
                all.push(json!({"type": "message_stop"}));
            }
        }
        Api::Gemini => {
            for piece in pieces {
                all.push(json!({"modelVersion": "test-model-1", "candidates": [{"content": {"role": "model", "parts": [{"text": piece}]}}]}));
            }
            if ending != Ending::None {
                all.push(json!({"candidates": [{"content": {"parts": []}, "finishReason": word(api, ending)}], "usageMetadata": {"promptTokenCount": 11, "candidatesTokenCount": 22}}));
            }
        }
    }
    let event = |value: &Value| {
        let data = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        let name = value["type"]
            .as_str()
            .map(|name| format!("event: {name}\n"))
            .unwrap_or_default();
        format!("{name}data: {data}\n\n")
    };
    all.iter().map(event).collect()
}

/// A stream with an answer, all at once.
pub fn streamed(api: Api, text: &str, ending: Ending) -> Script {
    vec![
        stream_head(),
        Act::Send(events(api, &[text], ending).into_bytes()),
    ]
}

/// The same answer without a stream.
pub fn whole(api: Api, text: &str, ending: Ending) -> Value {
    match api {
        Api::OpenAi | Api::Azure => {
            json!({"model": "test-model-1", "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": word(api, ending)}], "usage": {"prompt_tokens": 11, "completion_tokens": 22}})
        }
        Api::Responses => {
            let (status, details) = match ending {
                Ending::Complete => ("completed", Value::Null),
                Ending::None => ("in_progress", Value::Null),
                _ => ("incomplete", json!({"reason": word(api, ending)})),
            };
            json!({"object": "response", "status": status, "error": null, "incomplete_details": details, "model": "test-model-1", "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}], "usage": {"input_tokens": 11, "output_tokens": 22}})
        }
        Api::Anthropic => {
            json!({"type": "message", "model": "test-model-1", "content": [{"type": "text", "text": text}], "stop_reason": word(api, ending), "usage": {"input_tokens": 11, "output_tokens": 22}})
        }
        Api::Gemini => {
            json!({"modelVersion": "test-model-1", "candidates": [{"content": {"parts": [{"text": text}]}, "finishReason": word(api, ending)}], "usageMetadata": {"promptTokenCount": 11, "candidatesTokenCount": 22}})
        }
    }
}

/// A server on a thread of its own, for owners who do not wait; it ends when the sender is dropped.
pub fn threaded(scripts: Vec<Script>) -> (Server, Sender<()>) {
    let last = scripts.len() - 1;
    threaded_with(Arc::new(move |number, _: &str| {
        scripts[number.min(last)].clone()
    }))
}

/// The same with a handler.
pub fn threaded_with(handler: Arc<Handler>) -> (Server, Sender<()>) {
    let (sender, receiver) = channel();
    let (stop, stopped) = channel::<()>();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            sender.send(Server::start_with(handler).await).unwrap();
            while let Err(TryRecvError::Empty) = stopped.try_recv() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        });
    });
    (receiver.recv().unwrap(), stop)
}
