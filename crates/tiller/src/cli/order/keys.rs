//! Single keys from standard input, be it a terminal or not.

use std::io::{IsTerminal, stdin};
use std::os::fd::AsRawFd;
use std::time::Duration;

use eyre::{Result, bail};

/// What a terminal sends for Ctrl-C and Ctrl-D where it is told to pass them on.
const ENDS: [u8; 2] = [3, 4];

/// What came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pressed {
    /// Any key.
    Key,
    /// The end: Ctrl-C, Ctrl-D, or nothing more to read.
    End,
    /// Nothing within the time.
    Nothing,
}

/// Standard input, key by key; a terminal is put back as it was at the end.
pub(super) struct Keys {
    before: Option<libc::termios>,
}

impl Keys {
    /// A terminal passes on every key at once, without showing it.
    pub(super) fn open() -> Result<Self> {
        if !stdin().is_terminal() {
            return Ok(Self { before: None });
        }
        let file = stdin().as_raw_fd();
        // SAFETY: all zeros are a value of this struct of numbers, which the call fills in.
        let mut settings: libc::termios = unsafe { std::mem::zeroed() };
        // SAFETY: the file is open for as long as the process lives, the pointer is to a local.
        if unsafe { libc::tcgetattr(file, &raw mut settings) } != 0 {
            bail!(
                "the terminal cannot be asked: {}",
                std::io::Error::last_os_error()
            );
        }
        let before = settings;
        settings.c_lflag &= !(libc::ICANON | libc::ECHO | libc::ISIG);
        // SAFETY: as above.
        if unsafe { libc::tcsetattr(file, libc::TCSANOW, &raw const settings) } != 0 {
            bail!(
                "the terminal cannot be set: {}",
                std::io::Error::last_os_error()
            );
        }
        Ok(Self {
            before: Some(before),
        })
    }

    /// Waits for a key.
    pub(super) fn wait(&self, limit: Duration) -> Result<Pressed> {
        let file = stdin().as_raw_fd();
        let mut poll = libc::pollfd {
            fd: file,
            events: libc::POLLIN,
            revents: 0,
        };
        let limit_ms = limit.as_millis().try_into().unwrap_or(i32::MAX);
        // SAFETY: one struct, which is a local.
        match unsafe { libc::poll(&raw mut poll, 1, limit_ms) } {
            0 => return Ok(Pressed::Nothing),
            1 => {}
            _ => {
                let error = std::io::Error::last_os_error();
                if error.kind() == std::io::ErrorKind::Interrupted {
                    return Ok(Pressed::Nothing);
                }
                bail!("standard input cannot be read: {error}");
            }
        }
        // Whatever was typed in one go is one key.
        let mut keys = [0_u8; 64];
        // SAFETY: the buffer is a local of that length.
        let count = unsafe { libc::read(file, keys.as_mut_ptr().cast(), keys.len()) };
        Ok(match usize::try_from(count) {
            Ok(0) | Err(_) => Pressed::End,
            Ok(count) if keys[..count].iter().all(|key| ENDS.contains(key)) => Pressed::End,
            Ok(_) => Pressed::Key,
        })
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // SAFETY: as in `open`. Nothing can be done about a terminal that refuses.
            let _ = unsafe { libc::tcsetattr(stdin().as_raw_fd(), libc::TCSANOW, before) };
        }
    }
}
