//! What arrives at a node, and when it must end.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use dora_node_api::{DoraArray, Event, EventStream, Metadata};

use crate::bell::Bell;
use crate::drill::Drill;
use crate::testing::Feed;

/// An input that any node may be wired a timer to. Nobody reads it: it has a node that otherwise hears
/// nothing speak with dora, which ends one that does not for `health_check_timeout`.
pub const HEARTBEAT: &str = "heartbeat";

/// A node's inputs.
///
/// The node ends when it is told to, when its stream closes, or when one of its *essential*
/// inputs closes: without those it has nothing to do, and a dataflow whose nodes end one after
/// the other stops instead of hanging.
pub struct Inbox {
    events: Source,
    essential: &'static [&'static str],
    announced: Vec<String>,
    failures: Vec<Failure>,
    restarted: Vec<String>,
    ended: Option<End>,
    dropped: BTreeMap<String, u64>,
    started: Instant,
    drill: Option<Drill>,
    bell: Bell,
}

/// Where events come from.
pub(crate) enum Source {
    /// A running dataflow.
    Dora(Box<EventStream>),
    /// A test's script.
    Script(Box<Feed>),
}

/// What a source has to say.
pub(crate) enum Received {
    Event(Event),
    /// Nothing until the deadline.
    Nothing,
    /// Nothing ever again.
    Closed,
}

impl Source {
    fn receive(&mut self, deadline: Option<Instant>, bell: &Bell) -> Received {
        match self {
            Source::Dora(stream) => bell.receive(stream, deadline),
            Source::Script(feed) => feed.receive(deadline),
        }
    }
}

/// What to do next.
pub enum Next {
    /// A message came.
    Input(Input),
    /// Nothing came within the time given, or before somebody [rang](Inbox::bell).
    Idle,
    /// An input named to [`Inbox::announce_end_of`] has closed; the node goes on.
    Ended(End),
    /// The node must end; every later call says so again.
    End(End),
}

/// A message.
#[derive(Debug)]
pub struct Input {
    /// The input's name in the dataflow.
    pub id: String,
    /// What travels beside the data.
    pub metadata: Metadata,
    /// The data, shared with the sender's memory where it is large.
    pub data: DoraArray,
}

/// A node that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The input that it sent to.
    pub input: String,
    /// The node.
    pub node: String,
    /// What dora says of it.
    pub error: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node `{}` failed: {}", self.node, self.error)
    }
}

/// Why a node, or one of its inputs, ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The dataflow is being stopped, or all inputs are closed.
    Stopped,
    /// An input closed because its sender ended.
    Closed {
        /// The input.
        input: String,
    },
    /// An input closed because its sender failed.
    Failed {
        /// The input.
        input: String,
        /// What the sender's failure was.
        error: String,
    },
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Stopped => write!(f, "stopped"),
            End::Closed { input } => write!(f, "input `{input}` has ended"),
            End::Failed { input, error } => write!(f, "input `{input}` has ended: {error}"),
        }
    }
}

impl Inbox {
    /// Wraps the stream of a node that cannot go on without its `essential` inputs.
    ///
    /// From now on SIGUSR2 has the node panic at its next event, as a drill.
    pub fn new(events: EventStream, essential: &'static [&'static str]) -> Self {
        Self {
            drill: Some(Drill::listen()),
            ..Self::of(Source::Dora(Box::new(events)), essential)
        }
    }

    pub(crate) fn of(events: Source, essential: &'static [&'static str]) -> Self {
        Self {
            events,
            essential,
            announced: Vec::new(),
            failures: Vec::new(),
            restarted: Vec::new(),
            ended: None,
            dropped: BTreeMap::new(),
            started: Instant::now(),
            drill: None,
            bell: Bell::default(),
        }
    }

    /// Asks for [`Next::Ended`] when this input closes; others that are not essential close
    /// silently.
    pub fn announce_end_of(&mut self, input: impl Into<String>) {
        self.announced.push(input.into());
    }

    /// Monotonic time since the node started, ns: for measuring how long something has not come.
    pub fn now_ns(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Senders that failed so far, the first one first: the cause of those that follow.
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// Senders that dora has started anew since this was asked last, each as often as it was.
    pub fn take_restarted(&mut self) -> Vec<String> {
        std::mem::take(&mut self.restarted)
    }

    /// Wakes this inbox from other threads.
    pub fn bell(&self) -> Bell {
        self.bell.clone()
    }

    /// Waits for the next message, however long it takes.
    pub fn wait(&mut self) -> Next {
        self.next(None)
    }

    /// Waits at most this long; returns [`Next::Idle`] when nothing came.
    pub fn wait_at_most(&mut self, limit: Duration) -> Next {
        self.next(Some(Instant::now() + limit))
    }

    fn next(&mut self, deadline: Option<Instant>) -> Next {
        loop {
            if let Some(end) = &self.ended {
                return Next::End(end.clone());
            }
            let sorted = match self.events.receive(deadline, &self.bell) {
                Received::Event(event) => self.sort(event),
                Received::Nothing => Some(Next::Idle),
                Received::Closed => Some(self.end(End::Stopped)),
            };
            if let Some(drill) = &self.drill {
                drill.panic_if_asked();
            }
            if let Some(next) = sorted {
                return next;
            }
        }
    }

    /// After the end: waits a while for word of failures. A node that fails closes its outputs
    /// before it exits, so why an input has closed may be known only after it has.
    pub fn learn_of_failures(&mut self, limit: Duration) {
        let deadline = Some(Instant::now() + limit);
        while self.failures.is_empty() {
            match self.events.receive(deadline, &self.bell) {
                Received::Event(event) => drop(self.sort(event)),
                Received::Nothing | Received::Closed => return,
            }
        }
    }

    /// Messages that dora dropped because this node was busy, by input, since the start.
    pub fn dropped(&mut self) -> &BTreeMap<String, u64> {
        if let Source::Dora(events) = &mut self.events {
            for (id, count) in events.drain_drop_counts() {
                *self.dropped.entry(id.to_string()).or_default() += count;
            }
        }
        &self.dropped
    }

    fn sort(&mut self, event: Event) -> Option<Next> {
        match event {
            Event::Input { id, .. } if id.as_str() == HEARTBEAT => None,
            Event::Input { id, metadata, data } => Some(Next::Input(Input {
                id: id.to_string(),
                metadata,
                data,
            })),
            Event::InputClosed { id } => self.closed(id.as_str()),
            Event::NodeFailed {
                affected_input_ids,
                error,
                source_node_id,
            } => {
                tracing::debug!("node {source_node_id} failed: {error}");
                // `InputClosed` follows; it says when what was still queued has been read.
                let node = source_node_id.to_string();
                let error = essence(&error);
                for input in affected_input_ids.iter().map(ToString::to_string) {
                    let (node, error) = (node.clone(), error.clone());
                    self.failures.push(Failure { input, node, error });
                }
                None
            }
            Event::NodeRestarted { id } => {
                tracing::debug!("node {id} is started anew");
                self.restarted.push(id.to_string());
                None
            }
            Event::Stop(_) => Some(self.end(End::Stopped)),
            Event::Error(error) => {
                tracing::warn!("dora: {error}");
                None
            }
            _ => None,
        }
    }

    fn closed(&mut self, id: &str) -> Option<Next> {
        let input = id.to_owned();
        let failure = self.failures.iter().find(|failure| failure.input == id);
        let end = match failure {
            Some(failure) => End::Failed {
                input,
                error: failure.to_string(),
            },
            None => End::Closed { input },
        };
        if self.essential.contains(&id) {
            return Some(self.end(end));
        }
        if self.announced.iter().any(|known| known == id) {
            return Some(Next::Ended(end));
        }
        tracing::debug!("{end}");
        None
    }

    fn end(&mut self, end: End) -> Next {
        self.ended = Some(end.clone());
        Next::End(end)
    }
}

/// What a failed node said for itself, without the frame that dora draws around its last lines.
fn essence(error: &str) -> String {
    let lines = error.lines().filter(|line| !line.starts_with("-----"));
    // Its last words, or why it panicked: one line, whatever the message.
    let panicked = lines.clone().find(|line| line.contains("' panicked at "));
    let mut said = lines
        .skip_while(|line| !line.trim_start().starts_with("ERROR "))
        .peekable();
    if said.peek().is_none() {
        if let Some(panicked) = panicked {
            return panicked.trim().to_owned();
        }
        let first = error.trim().lines().next().unwrap_or_default();
        return first.trim_end_matches(" with stderr output:").to_owned();
    }
    let said: Vec<_> = said
        .map(|line| line.trim().trim_start_matches("ERROR "))
        .collect();
    said.join(" ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::essence;

    #[test]
    fn a_failure_is_told_in_the_nodes_own_words() {
        let framed = "exited with code 1 with stderr output:\n-----\n INFO on my way\n\
            ERROR 2 settings are wrong:\n  A: no\n  B: no\n-----\n";
        assert_eq!(essence(framed), "2 settings are wrong: A: no B: no");
        let killed =
            "exited because of signal SIGKILL with stderr output:\n-----\n INFO on my way\n";
        assert_eq!(essence(killed), "exited because of signal SIGKILL");
        let panicked = "exited with code 101 with stderr output:\n-----\n INFO on my way\n\
            thread 'main' panicked at src/inbox.rs:7:1: a drill\nnote: RUST_BACKTRACE=1 shows\n-----\n";
        let told = "thread 'main' panicked at src/inbox.rs:7:1: a drill";
        assert_eq!(essence(panicked), told);
    }
}
