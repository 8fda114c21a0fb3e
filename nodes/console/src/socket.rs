//! The socket in the run's folder, and one thread a client.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use eyre::{Result, WrapErr};
use tiller_node_kit::Bell;

use crate::request::{self, Request};

/// Longest line of a request, bytes.
pub(crate) const MAX_LINE: u64 = 64 * 1024;

/// Most of what comes after a refused line that is read, bytes.
const MAX_HEARD_OUT: u64 = 16 * MAX_LINE;

/// How long a client may take for its line, and the node for each line of its answer.
const CLIENT_LIMIT: Duration = Duration::from_secs(5);

/// A request and where the lines of its answer go; dropped after the last.
pub(crate) type Asked = (Request, Sender<String>);

/// The socket's file, removed at the end.
pub(crate) struct Socket(PathBuf);

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Opens the socket; requests that are understood come out of the channel, and the bell rings for each.
pub(crate) fn listen(folder: &Path, bell: &Bell) -> Result<(Socket, Receiver<Asked>)> {
    let path = folder.join("console.sock");
    let what = || format!("cannot listen on `{}`", path.display());
    fs::create_dir_all(folder).wrap_err_with(what)?;
    // What a killed run has left; another that runs has a folder of its own.
    let _ = fs::remove_file(&path);
    let listener = UnixListener::bind(&path).wrap_err_with(what)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).wrap_err_with(what)?;
    let (sender, receiver) = channel();
    let bell = bell.clone();
    thread::Builder::new()
        .name("console".to_owned())
        .spawn(move || {
            for client in listener.incoming().flatten() {
                let (sender, bell) = (sender.clone(), bell.clone());
                // One thread a client: a slow one keeps nobody waiting.
                let _ = thread::Builder::new().spawn(move || serve(&client, &sender, &bell));
            }
        })
        .wrap_err_with(what)?;
    Ok((Socket(path), receiver))
}

fn serve(client: &UnixStream, requests: &Sender<Asked>, bell: &Bell) {
    let mut stream = client;
    match read_line(client).and_then(|line| request::read(&line)) {
        Ok(request) => {
            let (sender, receiver) = channel();
            let mut said = 0;
            if requests.send((request, sender)).is_ok() {
                bell.ring();
                while let Ok(line) = receiver.recv_timeout(CLIENT_LIMIT) {
                    said += 1;
                    if writeln!(stream, "{line}").is_err() {
                        return;
                    }
                }
            }
            if said == 0 {
                let _ = writeln!(stream, "{}", refusal("the dataflow does not answer"));
            }
        }
        Err(reason) => {
            let _ = writeln!(stream, "{}", refusal(&reason));
            hear_out(client);
        }
    }
}

/// Reads what a client still has to say and throws it away: one that is hung up on while it speaks learns of
/// that, and not of the answer.
fn hear_out(client: &UnixStream) {
    let _ = client.shutdown(Shutdown::Write);
    let _ = io::copy(&mut client.take(MAX_HEARD_OUT), &mut io::sink());
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
