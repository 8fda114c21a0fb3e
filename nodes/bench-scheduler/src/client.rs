//! Whoever started the benchmark: it listens on a socket on this machine.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use eyre::{Result, WrapErr};
use tiller_bench::fleet::{FromScheduler, ToScheduler};

/// A connection; what comes is read on a thread of its own, whose channel closes with the connection.
pub(crate) struct Client {
    stream: UnixStream,
    pub(crate) said: Receiver<ToScheduler>,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens there.
    pub(crate) fn connect(path: &Path) -> Result<Self> {
        let stream = UnixStream::connect(path).wrap_err_with(|| {
            let place = path.display();
            format!(
                "nobody listens on {place}: the scheduler has to run where `tiller bench` does (`--here` says \
                 which daemon that is)"
            )
        })?;
        let lines = BufReader::new(stream.try_clone().wrap_err("the connection")?);
        let (sender, said) = channel();
        thread::Builder::new()
            .name("client".to_owned())
            .spawn(move || {
                for line in lines.lines().map_while(Result::ok) {
                    match serde_json::from_str(&line) {
                        Ok(word) => {
                            if sender.send(word).is_err() {
                                return;
                            }
                        }
                        Err(error) => return tracing::error!("no word for a scheduler: {error}"),
                    }
                }
            })
            .wrap_err("cannot start a thread for the connection")?;
        Ok(Self { stream, said })
    }

    /// Tells it something.
    ///
    /// # Errors
    /// When it has gone.
    pub(crate) fn tell(&mut self, word: &FromScheduler) -> Result<()> {
        let mut line = serde_json::to_string(word)?;
        line.push('\n');
        let sent = self.stream.write_all(line.as_bytes());
        sent.wrap_err("who wanted the results has gone")
    }
}
