//! A script's steps as events, in the thread of the node that asks for them.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use dora_node_api::integration_testing::{OutputReceiver, drain_outputs};
use dora_node_api::uhlc::HLC;
use dora_node_api::{DoraArray, Event, Metadata, StopCause};
use eyre::{Result, bail};

use super::{Arrival, Sent, Step};
use crate::inbox::Received;

/// How long a script waits for an output: no machine is slower than this.
const PATIENCE: Duration = Duration::from_secs(300);

/// Gives the steps one after the other, none before its time.
pub(crate) struct Feed {
    steps: std::iter::Peekable<std::vec::IntoIter<Step>>,
    gap: Duration,
    /// When the next step is due.
    due: Instant,
    /// Since when an output is waited for.
    waiting: Option<Instant>,
    outputs: Outputs,
    clock: HLC,
}

/// What the node has sent so far.
#[derive(Clone)]
pub(super) struct Outputs(Rc<RefCell<Record>>);

struct Record {
    receiver: OutputReceiver,
    sent: Sent,
    /// A step has waited in vain.
    missed: bool,
}

impl Feed {
    /// A feed that starts now.
    pub(super) fn new(steps: Vec<Step>, gap_s: f64, receiver: OutputReceiver) -> (Self, Outputs) {
        let outputs = Outputs(Rc::new(RefCell::new(Record {
            receiver,
            sent: Sent::default(),
            missed: false,
        })));
        let gap = Duration::from_secs_f64(gap_s);
        let feed = Self {
            steps: steps.into_iter().peekable(),
            gap,
            due: Instant::now() + gap,
            waiting: None,
            outputs: outputs.clone(),
            clock: HLC::default(),
        };
        (feed, outputs)
    }

    /// The next step's event once it is due.
    pub(crate) fn receive(&mut self, deadline: Option<Instant>) -> Received {
        self.skip();
        if self.steps.peek().is_none() {
            return Received::Closed;
        }
        let wake = deadline.map_or(self.due, |deadline| deadline.min(self.due));
        std::thread::sleep(wake.saturating_duration_since(Instant::now()));
        if wake < self.due {
            return Received::Nothing;
        }
        self.due += self.gap;
        if let Some(Step::Until { again, .. }) = self.steps.peek() {
            let again = again.clone();
            // A node that was busy finds one repetition, not all that it missed.
            self.due = self.due.max(Instant::now());
            return Received::Event(self.input(again));
        }
        let event = match self.steps.next() {
            Some(Step::Input(arrival)) => Some(self.input(arrival)),
            Some(Step::Closed { id }) => Some(Event::InputClosed { id: id.into() }),
            Some(Step::Stop) => Some(Event::Stop(StopCause::Manual)),
            _ => None,
        };
        event.map_or(Received::Closed, Received::Event)
    }

    /// Goes past the steps that are no events, and past waiting that has met its end.
    fn skip(&mut self) {
        loop {
            match self.steps.peek_mut() {
                Some(Step::Wait { seconds }) => self.due += Duration::from_secs_f64(*seconds),
                Some(Step::Until { enough, .. }) => {
                    let since = *self.waiting.get_or_insert_with(Instant::now);
                    if !self.outputs.are(enough) {
                        if since.elapsed() < PATIENCE {
                            return;
                        }
                        self.outputs.0.borrow_mut().missed = true;
                    }
                    self.waiting = None;
                }
                _ => return,
            }
            self.steps.next();
        }
    }

    fn input(&self, arrival: Arrival) -> Event {
        let mut metadata = Metadata::new(self.clock.new_timestamp());
        metadata.parameters = arrival.parameters;
        Event::Input {
            id: arrival.id.into(),
            metadata,
            data: DoraArray::from_array(arrival.array),
        }
    }
}

impl Outputs {
    fn are(&self, enough: &mut dyn FnMut(&Sent) -> bool) -> bool {
        let mut record = self.0.borrow_mut();
        record.drain();
        enough(&record.sent)
    }

    /// Everything that was sent, in order.
    ///
    /// # Errors
    /// When a step has waited in vain.
    pub(super) fn into_all(self) -> Result<Sent> {
        let mut record = self.0.borrow_mut();
        record.drain();
        let sent = std::mem::take(&mut record.sent);
        if record.missed {
            let order = sent.order();
            bail!("the script has waited {PATIENCE:?} in vain; sent: {order:?}");
        }
        Ok(sent)
    }
}

impl Record {
    fn drain(&mut self) {
        self.sent.extend(drain_outputs(&mut self.receiver));
    }
}
