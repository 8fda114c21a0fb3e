//! The reward field, on a thread of its own.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use eyre::{Result, WrapErr};
use tiller_scene::{FieldRequest, RewardField, ViewQueue};

/// The newest request; whoever is late draws that one alone.
#[derive(Default)]
struct Mailbox {
    state: Mutex<(Option<FieldRequest>, bool)>,
    something: Condvar,
}

impl Mailbox {
    fn put(&self, request: Option<FieldRequest>, is_over: bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = (request, is_over);
        self.something.notify_one();
    }

    /// Waits; none at the end.
    fn take(&self) -> Option<FieldRequest> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match std::mem::take(&mut state.0) {
                _ if state.1 => return None,
                Some(request) => return Some(request),
                None => {
                    let waited = self.something.wait(state);
                    state = waited.unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }
}

/// Draws fields into the queue.
pub(crate) struct FieldThread {
    mailbox: Arc<Mailbox>,
    thread: Option<JoinHandle<()>>,
}

impl FieldThread {
    /// Draws one every `between` at most.
    pub(crate) fn start(queue: Arc<ViewQueue>, between: Duration) -> Result<Self> {
        let mailbox = Arc::new(Mailbox::default());
        let requests = Arc::clone(&mailbox);
        let run = move || {
            let mut field = RewardField::default();
            let mut told = None;
            while let Some(request) = requests.take() {
                match field.draw(&request) {
                    Ok(Some(shown)) => queue.put(shown),
                    Ok(None) => {}
                    Err(error) if told != Some(request.program) => {
                        told = Some(request.program);
                        tracing::warn!("no reward field: {error}");
                    }
                    Err(_) => {}
                }
                thread::sleep(between);
            }
        };
        let thread = thread::Builder::new()
            .name("reward-field".to_owned())
            .spawn(run)
            .wrap_err("no thread for the reward field")?;
        Ok(Self {
            mailbox,
            thread: Some(thread),
        })
    }

    pub(crate) fn ask(&self, request: FieldRequest) {
        self.mailbox.put(Some(request), false);
    }
}

impl Drop for FieldThread {
    fn drop(&mut self) {
        self.mailbox.put(None, true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::warn!("the reward field's thread has failed");
        }
    }
}
