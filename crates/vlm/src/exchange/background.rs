//! A thread that asks, so that its owner never waits.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use thiserror::Error;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::LocalSet;

use super::client::{Client, Exchange};
use crate::provider::Query;

/// Why nothing can be asked in the background.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BackgroundError {
    /// The operating system gives no thread or no event queue.
    #[error("cannot start the thread that talks to the model: {0}")]
    Start(#[from] std::io::Error),
}

/// A question under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket(u64);

enum Job {
    Ask(Ticket, Box<Query>),
    Cancel(Ticket),
}

/// Asks a [`Client`] on a thread of its own. Dropping it ends every question under way.
pub struct Background {
    jobs: Option<UnboundedSender<Job>>,
    answers: Receiver<(Ticket, Exchange)>,
    thread: Option<JoinHandle<()>>,
    next: u64,
}

impl Background {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`BackgroundError::Start`].
    pub fn start(client: Arc<Client>) -> Result<Self, BackgroundError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (jobs, incoming) = unbounded_channel();
        let (outgoing, answers) = channel();
        let thread = std::thread::Builder::new()
            .name("vlm".to_owned())
            .spawn(move || {
                LocalSet::new().block_on(&runtime, serve(client, incoming, outgoing));
                // A name look-up cannot be interrupted and must not delay the end.
                runtime.shutdown_background();
            })?;
        Ok(Self {
            jobs: Some(jobs),
            answers,
            thread: Some(thread),
            next: 0,
        })
    }

    /// Asks; returns at once.
    pub fn ask(&mut self, query: Query) -> Ticket {
        self.next += 1;
        let ticket = Ticket(self.next);
        self.send(Job::Ask(ticket, Box::new(query)));
        ticket
    }

    /// Gives up on a question; its answer never comes.
    pub fn cancel(&mut self, ticket: Ticket) {
        self.send(Job::Cancel(ticket));
    }

    fn send(&self, job: Job) {
        // Only a thread that died does not listen; then no answer comes, which the owner's own
        // deadline ends.
        if let Some(jobs) = &self.jobs
            && jobs.send(job).is_err()
        {
            tracing::error!("the thread that talks to the model has died");
        }
    }

    /// An answer, if one has come; returns at once.
    pub fn poll(&mut self) -> Option<(Ticket, Exchange)> {
        self.answers.try_recv().ok()
    }

    /// The next answer, waiting for it at most `timeout`. For the command line and tests: a node
    /// polls.
    pub fn wait(&mut self, timeout: Duration) -> Option<(Ticket, Exchange)> {
        let until = Instant::now() + timeout;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.answers.recv_timeout(left) {
                Ok(answer) => return Some(answer),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) if left.is_zero() => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that talks to the model has panicked");
        }
    }
}

async fn serve(
    client: Arc<Client>,
    mut jobs: UnboundedReceiver<Job>,
    answers: Sender<(Ticket, Exchange)>,
) {
    let mut running = HashMap::new();
    while let Some(job) = jobs.recv().await {
        match job {
            Job::Ask(ticket, query) => {
                let (client, answers) = (client.clone(), answers.clone());
                let task = tokio::task::spawn_local(async move {
                    let exchange = client.ask(&query).await;
                    // An owner who is gone needs no answer.
                    drop(answers.send((ticket, exchange)));
                });
                running.retain(|_, task: &mut tokio::task::JoinHandle<()>| !task.is_finished());
                running.insert(ticket, task);
            }
            Job::Cancel(ticket) => {
                if let Some(task) = running.remove(&ticket) {
                    task.abort();
                }
            }
        }
    }
    running.into_values().for_each(|task| task.abort());
}
