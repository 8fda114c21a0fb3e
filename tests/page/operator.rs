//! The page's server without a browser: somebody who looks, and an operator who approves.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::WebSocket;
use tungstenite::client::IntoClientRequest as _;

/// How long a program may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where the page of a run is, host and port, once it is served.
pub(crate) fn address(folder: &Path) -> String {
    let begin = Instant::now();
    loop {
        if let Ok(url) = fs::read_to_string(folder.join("page.url")) {
            return url["http://".len()..].trim_end_matches('/').to_owned();
        }
        assert!(begin.elapsed() < PATIENCE, "there is no page");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What a page is told while it is open.
pub(crate) fn live(host: &str) -> WebSocket<TcpStream> {
    let mut request = format!("ws://{host}/live").into_client_request().unwrap();
    let origin = format!("http://{host}").parse().unwrap();
    request.headers_mut().insert("Origin", origin);
    let stream = TcpStream::connect(host).unwrap();
    tungstenite::client(request, stream).unwrap().0
}

/// Waits for a program for these words in a run's folder, and approves it; gives the proposal as it was.
#[allow(dead_code, reason = "not every test approves so")]
pub(crate) fn approve(folder: &Path, instruction: &str) -> Value {
    let begin = Instant::now();
    let host = address(folder);
    let mut live = live(&host);
    loop {
        assert!(begin.elapsed() < PATIENCE, "nothing is proposed");
        let message = live.read().unwrap();
        let Ok(text) = message.to_text() else {
            continue;
        };
        let Ok(sections) = serde_json::from_str::<Value>(text) else {
            continue;
        };
        let proposal = &sections["proposal"];
        if proposal["state"] == "proposed" && proposal["instruction"] == instruction {
            let ask = json!({ "ask": "decide", "program": proposal["id"], "decision": "approve" });
            post(&host, &ask);
            return proposal.clone();
        }
    }
}

#[allow(dead_code, reason = "not every test asks for something")]
fn post(host: &str, ask: &Value) {
    let body = ask.to_string();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "POST /ask HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{ask}: {answer}");
}
