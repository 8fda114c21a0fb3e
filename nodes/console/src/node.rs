//! The node's loop: requests from the socket, episodes to the dataflow.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use eyre::{Result, WrapErr};
use tiller_core::EpisodeId;
use tiller_messages::{Episode, Level, TaskStatus};
use tiller_node_kit::{Inbox, Next, Outbox, Stream};

use crate::request::{self, Say};

/// The world's verdicts end with the run.
pub(crate) const ESSENTIAL: &[&str] = &["task_status"];

/// How often requests are looked for.
const POLL: Duration = Duration::from_millis(50);

/// Longest line of a request, bytes.
const MAX_LINE: u64 = 64 * 1024;

/// How long a client may take for its line.
const CLIENT_LIMIT: Duration = Duration::from_secs(5);

/// A request and where its answer goes.
type Asked = (Say, Sender<String>);

/// The socket's file, removed at the end.
struct Socket(PathBuf);

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Listens until the run ends.
pub(crate) fn run(folder: &Path, inbox: &mut Inbox, outbox: &mut Outbox) -> Result<()> {
    outbox.check_inputs(ESSENTIAL)?;
    let (_socket, requests) = listen(folder)?;
    let mut verdicts = Stream::<TaskStatus>::default();
    let mut last = EpisodeId(0);
    loop {
        match inbox.wait_at_most(POLL) {
            // It is the end of them that matters here; a damaged one is named all the same.
            Next::Input(input) => drop(outbox.accept(verdicts.read(&input))?),
            Next::Idle | Next::Ended(_) => {}
            Next::End(end) => {
                tracing::info!("{end}");
                return Ok(());
            }
        }
        while let Ok((say, answer)) = requests.try_recv() {
            last = EpisodeId(microseconds().max(last.0 + 1));
            let text = format!("`{}` is passed on as {last}", say.instruction);
            let episode = Episode {
                id: last,
                instruction: say.instruction,
                seed: say.seed,
                ..Default::default()
            };
            outbox.send("episode", episode)?;
            outbox.tell(Level::Info, "said", text)?;
            // A client that has gone has its instruction all the same.
            let _ = answer.send(format!("{{\"episode\": {}}}", last.0));
        }
    }
}

/// Numbers that grow from run to run.
fn microseconds() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    since_epoch.map_or(1, |time| time.as_micros() as u64)
}

/// Opens the socket; requests that are understood come out of the channel.
fn listen(folder: &Path) -> Result<(Socket, Receiver<Asked>)> {
    let path = folder.join("console.sock");
    let what = || format!("cannot listen on `{}`", path.display());
    fs::create_dir_all(folder).wrap_err_with(what)?;
    // What a killed run has left; another that runs has a folder of its own.
    let _ = fs::remove_file(&path);
    let listener = UnixListener::bind(&path).wrap_err_with(what)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).wrap_err_with(what)?;
    let (sender, receiver) = channel();
    thread::Builder::new()
        .name("console".to_owned())
        .spawn(move || {
            for client in listener.incoming().flatten() {
                let sender = sender.clone();
                // One thread a client: a slow one keeps nobody waiting.
                let _ = thread::Builder::new().spawn(move || serve(&client, &sender));
            }
        })
        .wrap_err_with(what)?;
    Ok((Socket(path), receiver))
}

fn serve(client: &UnixStream, requests: &Sender<Asked>) {
    let answer = match read_line(client).and_then(|line| request::read(&line)) {
        Ok(say) => {
            let (sender, receiver) = channel();
            let taken = requests.send((say, sender)).is_ok();
            taken
                .then(|| receiver.recv_timeout(CLIENT_LIMIT).ok())
                .flatten()
                .unwrap_or_else(|| refusal("the dataflow does not answer"))
        }
        Err(reason) => refusal(&reason),
    };
    let mut client = client;
    let _ = writeln!(client, "{answer}");
}

fn refusal(reason: &str) -> String {
    serde_json::json!({ "error": reason }).to_string()
}

fn read_line(client: &UnixStream) -> Result<String, String> {
    let failed = |error: std::io::Error| error.to_string();
    client
        .set_read_timeout(Some(CLIENT_LIMIT))
        .map_err(failed)?;
    let mut line = String::new();
    BufReader::new(client.take(MAX_LINE))
        .read_line(&mut line)
        .map_err(failed)?;
    Ok(line)
}

#[cfg(test)]
mod tests;
