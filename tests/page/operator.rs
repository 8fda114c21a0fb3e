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

/// Looks at what a page is told until it is as wanted; gives everything as it is then.
pub(crate) fn until(host: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let begin = Instant::now();
    let mut live = live(host);
    let mut sections = json!({});
    loop {
        assert!(begin.elapsed() < PATIENCE, "never: {what}\n{sections:#}");
        let message = live.read().unwrap();
        let Ok(text) = message.to_text() else {
            continue;
        };
        // Pictures are no JSON; what has not changed is not told again.
        if let Ok(Value::Object(changed)) = serde_json::from_str(text) {
            for (name, value) in changed {
                sections[name] = value;
            }
        }
        if is_so(&sections) {
            return sections;
        }
    }
}

/// Waits for a program for these words in a run's folder, and approves it; gives the proposal as it was.
#[allow(dead_code, reason = "not every test approves so")]
pub(crate) fn approve(folder: &Path, instruction: &str) -> Value {
    let host = address(folder);
    let sections = until(&host, "a proposal", |sections| {
        let proposal = &sections["proposal"];
        proposal["state"] == "proposed" && proposal["instruction"] == instruction
    });
    let proposal = &sections["proposal"];
    let ask = json!({ "ask": "decide", "program": proposal["id"], "decision": "approve" });
    let answer = post(&host, &ask);
    assert!(answer.starts_with("HTTP/1.1 200"), "{ask}: {answer}");
    proposal.clone()
}

/// Asks for something as the page does; gives the whole answer.
#[allow(dead_code, reason = "not every test asks for something")]
pub(crate) fn post(host: &str, ask: &Value) -> String {
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
    answer
}
