//! A browser without a window, driven over its DevTools protocol.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Error, Message, WebSocket};

/// Where Debian puts it.
const CHROMIUM: &str = "/usr/bin/chromium";

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running browser.
pub(crate) struct Browser {
    child: Child,
    socket: WebSocket<TcpStream>,
    last: u64,
    _profile: tempfile::TempDir,
}

/// A page of it.
#[derive(Clone)]
pub(crate) struct Tab {
    session: String,
    target: String,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Browser {
    /// None where there is no browser.
    pub(crate) fn start() -> Option<Self> {
        Self::launch(Command::new(CHROMIUM))
    }

    /// One that gets the processor when nobody else wants it, as if it were on a machine of its own.
    pub(crate) fn start_behind_all() -> Option<Self> {
        let mut command = Command::new("chrt");
        command.args(["--idle", "0", CHROMIUM]);
        Self::launch(command)
    }

    fn launch(mut command: Command) -> Option<Self> {
        if !Path::new(CHROMIUM).exists() {
            eprintln!("skipped: there is no {CHROMIUM}");
            return None;
        }
        let profile = tempfile::tempdir().unwrap();
        let mut child = command
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--hide-scrollbars",
                "--remote-debugging-port=0",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut lines = stderr.lines().map_while(Result::ok);
        let url = lines
            .find_map(|line| {
                line.strip_prefix("DevTools listening on ")
                    .map(str::to_owned)
            })
            .expect("chromium says where it listens");
        // Whatever else it says must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let address = url["ws://".len()..].split('/').next().unwrap().to_owned();
        let stream = TcpStream::connect(address).unwrap();
        let config = WebSocketConfig::default()
            .max_message_size(Some(256 << 20))
            .max_frame_size(Some(256 << 20));
        let (socket, _) =
            tungstenite::client::client_with_config(url, stream, Some(config)).unwrap();
        Some(Self {
            child,
            socket,
            last: 0,
            _profile: profile,
        })
    }

    /// Calls a method of the protocol.
    pub(crate) fn call(&mut self, tab: Option<&Tab>, method: &str, params: Value) -> Value {
        self.last += 1;
        let id = self.last;
        let mut message = json!({ "id": id, "method": method, "params": params });
        if let Some(tab) = tab {
            message["sessionId"] = json!(tab.session);
        }
        self.socket
            .send(Message::text(message.to_string()))
            .unwrap();
        self.socket
            .get_ref()
            .set_read_timeout(Some(PATIENCE))
            .unwrap();
        loop {
            let text = match self.socket.read() {
                Ok(Message::Text(text)) => text,
                Ok(_) => continue,
                Err(Error::Io(error)) => panic!("{method}: {error}"),
                Err(error) => panic!("{method}: {error}"),
            };
            let answer: Value = serde_json::from_str(&text).unwrap();
            if answer["id"] == id {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    /// Opens a page.
    pub(crate) fn open(&mut self, url: &str, width: u32, height: u32) -> Tab {
        let target = self.call(None, "Target.createTarget", json!({ "url": "about:blank" }));
        let target = target["targetId"].as_str().unwrap().to_owned();
        let params = json!({ "targetId": target, "flatten": true });
        let session = self.call(None, "Target.attachToTarget", params);
        let session = session["sessionId"].as_str().unwrap().to_owned();
        let tab = Tab { session, target };
        self.resize(&tab, width, height);
        self.call(Some(&tab), "Page.enable", json!({}));
        self.call(Some(&tab), "Page.navigate", json!({ "url": url }));
        tab
    }

    pub(crate) fn close(&mut self, tab: &Tab) {
        let params = json!({ "targetId": tab.target });
        self.call(None, "Target.closeTarget", params);
    }

    pub(crate) fn resize(&mut self, tab: &Tab, width: u32, height: u32) {
        let params =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.call(Some(tab), "Emulation.setDeviceMetricsOverride", params);
    }

    pub(crate) fn theme(&mut self, tab: &Tab, theme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": theme }]);
        let params = json!({ "features": features });
        self.call(Some(tab), "Emulation.setEmulatedMedia", params);
    }

    /// The value of an expression.
    pub(crate) fn value(&mut self, tab: &Tab, expression: &str) -> Value {
        let params =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let result = self.call(Some(tab), "Runtime.evaluate", params);
        assert!(
            result["exceptionDetails"].is_null(),
            "{expression}: {result:#}"
        );
        result["result"]["value"].clone()
    }

    /// Waits until an expression is true; tells what the page says where it does not become so.
    pub(crate) fn wait(&mut self, tab: &Tab, expression: &str) {
        let begin = Instant::now();
        while self.value(tab, &format!("Boolean({expression})")) != true {
            if begin.elapsed() > PATIENCE {
                let text = self.value(tab, "document.body.innerText");
                panic!(
                    "never: {expression}\n{}",
                    text.as_str().unwrap_or("nothing")
                );
            }
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// The text of the first element that is shown and matches.
    pub(crate) fn text(&mut self, tab: &Tab, selector: &str) -> String {
        let expression = format!("document.querySelector({selector:?})?.textContent ?? ''");
        let value = self.value(tab, &expression);
        value.as_str().unwrap_or_default().to_owned()
    }

    /// Presses a key.
    pub(crate) fn key(&mut self, tab: &Tab, key: &str) {
        let is_letter = key.chars().count() == 1;
        let code = match key {
            "Escape" => 27,
            "Enter" => 13,
            _ => key.to_uppercase().bytes().next().unwrap_or(0),
        };
        let mut down = json!({ "type": "keyDown", "key": key, "windowsVirtualKeyCode": code });
        if is_letter {
            down["text"] = json!(key);
        } else if key == "Enter" {
            down["text"] = json!("\r");
        }
        self.call(Some(tab), "Input.dispatchKeyEvent", down);
        let up = json!({ "type": "keyUp", "key": key, "windowsVirtualKeyCode": code });
        self.call(Some(tab), "Input.dispatchKeyEvent", up);
    }

    /// Types a text where the cursor is.
    pub(crate) fn type_text(&mut self, tab: &Tab, text: &str) {
        let params = json!({ "text": text });
        self.call(Some(tab), "Input.insertText", params);
    }

    /// A picture of what is shown, as a PNG file.
    pub(crate) fn picture(&mut self, tab: &Tab, path: &Path) {
        let params = json!({ "format": "png" });
        let picture = self.call(Some(tab), "Page.captureScreenshot", params);
        let bytes = STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}
