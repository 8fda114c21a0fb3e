//! Lines over a connection, of bounded length and with bounded waits.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use crate::error::OscError;
use crate::wire::{FromController, FromDriver, Hello, MAX_LINE, State, VERSION, malformed};

/// How long a controller may take to be reached, and to say who it is.
const GREETING: Duration = Duration::from_secs(2);

/// How long a step may wait for room in the connection: a controller that reads always has some.
const SENDING: Duration = Duration::from_millis(20);

/// A connection to a controller.
#[derive(Debug)]
pub(crate) struct Link {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// What of the buffer is not read yet.
    begin: usize,
    end: usize,
    line: Vec<u8>,
}

impl Link {
    /// Connects and hears who the controller is.
    pub(crate) fn connect(address: &str) -> Result<(Self, Hello), OscError> {
        let unreachable = |text: String| OscError::Unreachable {
            address: address.to_owned(),
            text,
        };
        let found = address.to_socket_addrs();
        let found = found
            .map_err(|error| unreachable(error.to_string()))?
            .next();
        let found = found.ok_or_else(|| unreachable("no such address".to_owned()))?;
        let stream = TcpStream::connect_timeout(&found, GREETING)
            .and_then(|stream| {
                stream.set_nodelay(true)?;
                stream.set_write_timeout(Some(SENDING))?;
                Ok(stream)
            })
            .map_err(|error| unreachable(error.to_string()))?;
        let mut link = Self {
            stream,
            buffer: vec![0; 4 * MAX_LINE],
            begin: 0,
            end: 0,
            line: Vec::with_capacity(MAX_LINE),
        };
        let hello = match link.hear(Instant::now() + GREETING)? {
            Some(FromController::Hello(hello)) => hello,
            Some(FromController::State(_)) => {
                return Err(malformed("a hello first", "a state".to_owned()));
            }
            None => {
                let silent_ms = GREETING.as_millis() as u64;
                return Err(OscError::Silent { silent_ms });
            }
        };
        hello.check()?;
        link.say(&FromDriver::Hello { version: VERSION })?;
        Ok((link, hello))
    }

    /// The next state; none where there is none until then.
    pub(crate) fn state(&mut self, until: Instant) -> Result<Option<State>, OscError> {
        match self.hear(until)? {
            Some(FromController::State(state)) => Ok(Some(state)),
            Some(FromController::Hello(_)) => Err(malformed("a state", "another hello".to_owned())),
            None => Ok(None),
        }
    }

    /// Whether a whole line is here already.
    pub(crate) fn has_line(&self) -> bool {
        self.buffer[self.begin..self.end].contains(&b'\n')
    }

    fn hear(&mut self, until: Instant) -> Result<Option<FromController>, OscError> {
        loop {
            let unread = &self.buffer[self.begin..self.end];
            if let Some(length) = unread.iter().position(|byte| *byte == b'\n') {
                let said = match length < MAX_LINE {
                    true => FromController::read(&unread[..length])?,
                    false => return Err(too_long()),
                };
                self.begin += length + 1;
                return Ok(Some(said));
            }
            if unread.len() >= MAX_LINE {
                return Err(too_long());
            }
            self.buffer.copy_within(self.begin..self.end, 0);
            (self.begin, self.end) = (0, self.end - self.begin);
            if !self.fill(until)? {
                return Ok(None);
            }
        }
    }

    /// Waits for more bytes; false where none come until then.
    fn fill(&mut self, until: Instant) -> Result<bool, OscError> {
        let lost = |error: std::io::Error| OscError::ConnectionLost(error.to_string());
        // A wait of nothing would be one without an end.
        let left = until.saturating_duration_since(Instant::now());
        let left = left.max(Duration::from_micros(100));
        self.stream.set_read_timeout(Some(left)).map_err(lost)?;
        match self.stream.read(&mut self.buffer[self.end..]) {
            Ok(0) => Err(OscError::ConnectionLost(
                "the controller has closed it".to_owned(),
            )),
            Ok(count) => {
                self.end += count;
                Ok(true)
            }
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut => Ok(false),
                ErrorKind::Interrupted => Ok(Instant::now() < until),
                _ => Err(lost(error)),
            },
        }
    }

    /// Ends the connection, which stops the arm.
    pub(crate) fn close(&self) {
        let _is_closed_already = self.stream.shutdown(Shutdown::Both);
    }

    /// Says a line.
    pub(crate) fn say(&mut self, what: &FromDriver) -> Result<(), OscError> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, what)
            .map_err(std::io::Error::from)
            .and_then(|()| {
                self.line.push(b'\n');
                self.stream.write_all(&self.line)
            })
            .map_err(|error| OscError::ConnectionLost(error.to_string()))
    }
}

fn too_long() -> OscError {
    let expected = format!("lines below {MAX_LINE} bytes");
    malformed(&expected, "a longer one".to_owned())
}
