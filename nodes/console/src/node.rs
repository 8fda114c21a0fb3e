//! The node's loop: requests from the socket, episodes and orders to the dataflow.

use std::path::Path;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use eyre::Result;
use tiller_core::EpisodeId;
use tiller_messages::{Episode, ExecutionState, Level, Order, SafetyEvent, TaskStatus};
use tiller_node_kit::{Inbox, Input, Next, Outbox, Stream};

use crate::orders::Orders;
use crate::request::{Kind, Request};
use crate::socket::{Asked, listen};

/// The world's verdicts end with the run.
pub(crate) const ESSENTIAL: &[&str] = &["task_status"];

const INPUTS: &[&str] = &["task_status", "execution_state", "safety_event"];

/// How often requests are looked for: a stop waits no longer than this.
const POLL: Duration = Duration::from_millis(5);

/// Listens until the run ends.
pub(crate) fn run(folder: &Path, inbox: &mut Inbox, outbox: &mut Outbox) -> Result<()> {
    outbox.check_inputs(INPUTS)?;
    let (_socket, requests) = listen(folder)?;
    let mut console = Console::default();
    loop {
        match inbox.wait_at_most(POLL) {
            Next::Input(input) => console.take(&input, outbox)?,
            Next::Idle | Next::Ended(_) => {}
            Next::End(end) => {
                tracing::info!("{end}");
                return Ok(());
            }
        }
        while let Ok(asked) = requests.try_recv() {
            console.answer(asked, outbox)?;
        }
    }
}

#[derive(Default)]
struct Console {
    verdicts: Stream<TaskStatus>,
    states: Stream<ExecutionState>,
    events: Stream<SafetyEvent>,
    orders: Orders,
    /// The last number given to an episode or an order.
    last: u64,
}

impl Console {
    fn take(&mut self, input: &Input, outbox: &mut Outbox) -> Result<()> {
        match input.id.as_str() {
            // It is the end of them that matters here; a damaged one is named all the same.
            "task_status" => drop(outbox.accept(self.verdicts.read(input))?),
            "execution_state" => {
                if let Some(state) = outbox.accept(self.states.read(input))? {
                    self.orders.see(&state, Instant::now());
                }
            }
            "safety_event" => {
                if let Some(event) = outbox.accept(self.events.read(input))? {
                    self.orders.hear(&event);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn answer(&mut self, (request, answer): Asked, outbox: &mut Outbox) -> Result<()> {
        match request {
            Request::Say { instruction, seed } => self.say(instruction, seed, &answer, outbox),
            Request::Order(kind) => self.order(kind, answer, outbox),
            Request::Look => {
                let _ = answer.send(self.orders.look(Instant::now()));
                Ok(())
            }
        }
    }

    fn say(
        &mut self,
        instruction: String,
        seed: u64,
        answer: &Sender<String>,
        outbox: &mut Outbox,
    ) -> Result<()> {
        let id = EpisodeId(self.next());
        let text = format!("`{instruction}` is passed on as {id}");
        let episode = Episode {
            id,
            instruction,
            seed,
            ..Default::default()
        };
        outbox.send("episode", episode)?;
        outbox.tell(Level::Info, "said", text)?;
        // A client that has gone has its instruction all the same.
        let _ = answer.send(format!("{{\"episode\": {}}}", id.0));
        Ok(())
    }

    /// Sent before anything else is done; that it was taken is seen in the execution state.
    fn order(&mut self, kind: Kind, answer: Sender<String>, outbox: &mut Outbox) -> Result<()> {
        let (id, now) = (self.next(), Instant::now());
        let word = kind.as_str();
        let order = Order {
            id,
            reason: format!("requested by an operator (`tiller {word}`)"),
            ..Default::default()
        };
        outbox.send(word, order)?;
        self.orders.sent(id, kind, now, answer);
        let text = format!("an operator wants the actuator to {word}");
        outbox.tell(Level::Info, "ordered", text)
    }

    /// Numbers that grow from run to run.
    fn next(&mut self) -> u64 {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        let microseconds = since_epoch.map_or(1, |time| time.as_micros() as u64);
        self.last = microseconds.max(self.last + 1);
        self.last
    }
}

#[cfg(test)]
mod tests;
