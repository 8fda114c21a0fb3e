//! Drives a node's `run` without a daemon: a script of inputs in, typed messages out.
//!
//! ```
//! use tiller_messages::{Level, Status};
//! use tiller_node_kit::testing::Script;
//! use tiller_node_kit::{Inbox, Next, Outbox};
//!
//! fn run(inbox: &mut Inbox, outbox: &mut Outbox) -> eyre::Result<()> {
//!     while let Next::Input(input) = inbox.wait() {
//!         let status = Status { code: input.id, ..Default::default() };
//!         outbox.send("status", status)?;
//!     }
//!     Ok(())
//! }
//!
//! let (result, sent) = Script::new(&[]).message("ping", &Status::default()).run(run)?;
//! result?;
//! assert_eq!(sent.messages::<Status>("status")?[0].code, "ping");
//! # Ok::<(), eyre::Report>(())
//! ```

mod damage;
mod feed;

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StructArray, UInt8Array, UInt16Array};
use arrow::datatypes::{DataType, Schema};
use dora_node_api::integration_testing::integration_testing_format::IntegrationTestInput;
use dora_node_api::integration_testing::{
    OutputJson, TestingInput, TestingOptions, TestingOutput, output_channel,
};
use dora_node_api::{DoraNode, MetadataParameters};
use eyre::{Result, bail, eyre};
use tiller_messages::{ImageHeader, Message};

pub use damage::{Damage, Trial, image_damages, message_damages};
pub(crate) use feed::Feed;

use crate::image::parameters;
use crate::inbox::Source;
use crate::{Inbox, Outbox};

/// Seconds between two scripted inputs.
const DEFAULT_GAP_S: f64 = 0.01;

/// The session of every node that a script runs.
pub const SESSION: u64 = 1;

/// Inputs in the order in which the node will see them.
pub struct Script {
    essential: &'static [&'static str],
    steps: Vec<Step>,
    wired: Vec<&'static str>,
    gap_s: f64,
    /// What is to come again, and has not come before.
    nothing_by: Option<&'static str>,
}

/// An input as it arrives.
#[derive(Clone)]
struct Arrival {
    id: &'static str,
    parameters: MetadataParameters,
    array: ArrayRef,
}

enum Step {
    Input(Arrival),
    /// The same again and again until what the node has sent is enough.
    Until {
        again: Arrival,
        enough: Box<dyn FnMut(&Sent) -> bool>,
    },
    Closed {
        id: &'static str,
    },
    Stop,
    Wait {
        seconds: f64,
    },
}

/// Enough for [`Script::until`]: so many messages by one output since the node's start.
pub fn sent(output: &'static str, count: usize) -> impl Fn(&Sent) -> bool {
    move |sent| sent.count(output) >= count
}

/// What the node sent.
#[derive(Debug, Default)]
pub struct Sent {
    outputs: Vec<OutputJson>,
}

impl Script {
    /// An empty script for a node with these essential inputs.
    pub fn new(essential: &'static [&'static str]) -> Self {
        Self {
            essential,
            steps: Vec::new(),
            wired: Vec::new(),
            gap_s: DEFAULT_GAP_S,
            nothing_by: None,
        }
    }

    /// Sets the time between inputs, s.
    pub fn gap(mut self, seconds: f64) -> Self {
        self.gap_s = seconds;
        self
    }

    /// The dataflow wires these inputs too; those that something arrives by are wired anyway.
    pub fn wired(mut self, inputs: &[&'static str]) -> Self {
        self.wired.extend(inputs);
        self
    }

    /// A message arrives.
    pub fn message<M: Message>(self, id: &'static str, message: &M) -> Self {
        self.array(id, Arc::new(message.to_arrow()))
    }

    /// Any other data arrives.
    pub fn array(mut self, id: &'static str, array: ArrayRef) -> Self {
        self.steps.push(Step::Input(Arrival {
            id,
            parameters: MetadataParameters::default(),
            array,
        }));
        self
    }

    /// Something arrives that is not as it should be.
    pub fn damaged(mut self, id: &'static str, damage: &Damage) -> Self {
        self.steps.push(Step::Input(Arrival {
            id,
            parameters: damage.parameters.clone(),
            array: Arc::clone(&damage.array),
        }));
        self
    }

    /// An image with 8 bits a channel arrives.
    pub fn image(mut self, id: &'static str, header: &ImageHeader, pixels: &[u8]) -> Self {
        let array: ArrayRef = Arc::new(UInt8Array::from_iter_values(pixels.iter().copied()));
        self.steps.push(Step::Input(Arrival {
            id,
            parameters: parameters(header),
            array,
        }));
        self
    }

    /// A depth image arrives.
    pub fn depth(mut self, id: &'static str, header: &ImageHeader, depth_mm: &[u16]) -> Self {
        let array: ArrayRef = Arc::new(UInt16Array::from_iter_values(depth_mm.iter().copied()));
        self.steps.push(Step::Input(Arrival {
            id,
            parameters: parameters(header),
            array,
        }));
        self
    }

    /// Another script's inputs follow.
    pub fn then(mut self, next: Self) -> Self {
        self.steps.extend(next.steps);
        self.wired.extend(next.wired);
        self.nothing_by = self.nothing_by.or(next.nothing_by);
        self
    }

    /// The input's sender ends.
    pub fn closed(mut self, id: &'static str) -> Self {
        self.steps.push(Step::Closed { id });
        self
    }

    /// The dataflow is stopped.
    pub fn stop(mut self) -> Self {
        self.steps.push(Step::Stop);
        self
    }

    /// Nothing arrives for a while.
    pub fn wait(mut self, seconds: f64) -> Self {
        self.steps.push(Step::Wait { seconds });
        self
    }

    /// Nothing new arrives for a while: what came last by this input comes again and again.
    pub fn pause(mut self, id: &'static str, seconds: f64) -> Self {
        if let Some(last) = self.last(id).cloned() {
            let times = (seconds / self.gap_s).ceil() as usize;
            let again = std::iter::repeat_n(last, times).map(Step::Input);
            self.steps.extend(again);
        }
        self
    }

    /// Nothing new arrives until what the node has sent is enough: what came last by this input
    /// comes again and again. However slow the machine is, the script waits, for minutes if it must.
    pub fn until(mut self, id: &'static str, enough: impl FnMut(&Sent) -> bool + 'static) -> Self {
        let enough = Box::new(enough);
        match self.last(id).cloned() {
            Some(again) => self.steps.push(Step::Until { again, enough }),
            None => self.nothing_by = Some(id),
        }
        self
    }

    fn last(&self, id: &str) -> Option<&Arrival> {
        self.steps.iter().rev().find_map(|step| match step {
            Step::Input(arrival) if arrival.id == id => Some(arrival),
            _ => None,
        })
    }

    /// Runs the node to its end; gives its result and what it sent.
    ///
    /// # Errors
    /// When the harness itself fails, not when the node does.
    pub fn run<T>(
        self,
        run: impl FnOnce(&mut Inbox, &mut Outbox) -> Result<T>,
    ) -> Result<(Result<T>, Sent)> {
        if let Some(input) = self.nothing_by {
            bail!("expected something by `{input}` that can come again, found nothing before");
        }
        let inputs = self.inputs();
        let id = "test-node".parse().map_err(|error| eyre!("{error}"))?;
        let nothing = TestingInput::Input(IntegrationTestInput::new(id, Vec::new()));
        let (sender, receiver) = output_channel();
        let options = TestingOptions {
            skip_output_time_offsets: true,
        };
        // dora's own events come at fixed times whatever the node does; the script's wait for it.
        let (node, _events) =
            DoraNode::init_testing(nothing, TestingOutput::ToChannel(sender), options)?;
        let (feed, outputs) = Feed::new(self.steps, self.gap_s, receiver);
        let mut inbox = Inbox::of(Source::Script(Box::new(feed)), self.essential);
        let mut outbox = Outbox::with_inputs(node, inputs, SESSION);
        let result = run(&mut inbox, &mut outbox);
        drop((inbox, outbox));
        Ok((result, outputs.into_all()?))
    }

    fn inputs(&self) -> Vec<String> {
        let used = self.steps.iter().filter_map(|step| match step {
            Step::Input(arrival) => Some(arrival.id),
            Step::Closed { id } => Some(*id),
            Step::Until { .. } | Step::Stop | Step::Wait { .. } => None,
        });
        let inputs: BTreeSet<_> = used.chain(self.wired.iter().copied()).collect();
        inputs.into_iter().map(str::to_owned).collect()
    }
}

impl Sent {
    /// The messages on one output, in order.
    ///
    /// # Errors
    /// When one of them is no such message.
    pub fn messages<M: Message>(&self, output: &str) -> Result<Vec<M>> {
        self.messages_after(output, 0)
    }

    /// The messages on one output, in order, but for the first ones.
    ///
    /// # Errors
    /// When one of them is no such message.
    pub fn messages_after<M: Message>(&self, output: &str, first: usize) -> Result<Vec<M>> {
        self.on(output).skip(first).map(decode).collect()
    }

    /// How many messages, images included, went out on one output.
    pub fn count(&self, output: &str) -> usize {
        self.on(output).count()
    }

    /// The bytes of the images on one output, in order.
    pub fn images(&self, output: &str) -> Vec<Vec<u8>> {
        let bytes = |sent: &OutputJson| {
            let values = sent["data"]
                .as_array()
                .map(Vec::as_slice)
                .unwrap_or_default();
            values
                .iter()
                .filter_map(|v| v.as_u64().and_then(|n| u8::try_from(n).ok()))
                .collect()
        };
        self.on(output).map(bytes).collect()
    }

    /// Names of the outputs in the order in which they were used.
    pub fn order(&self) -> Vec<&str> {
        self.outputs
            .iter()
            .filter_map(|sent| sent["id"].as_str())
            .collect()
    }

    fn extend(&mut self, outputs: Vec<OutputJson>) {
        self.outputs.extend(outputs);
    }

    fn on<'a>(&'a self, output: &'a str) -> impl Iterator<Item = &'a OutputJson> {
        self.outputs.iter().filter(move |sent| sent["id"] == output)
    }
}

fn decode<M: Message>(sent: &OutputJson) -> Result<M> {
    let schema = Arc::new(Schema::new(M::fields()));
    let mut decoder = arrow_json::ReaderBuilder::new(schema).build_decoder()?;
    let rows = sent["data"]
        .as_array()
        .ok_or_else(|| eyre!("no data in {sent:?}"))?;
    decoder.serialize(rows)?;
    let batch = decoder
        .flush()?
        .ok_or_else(|| eyre!("no row in {sent:?}"))?;
    let row = StructArray::from(batch);
    debug_assert!(matches!(row.data_type(), DataType::Struct(_)));
    Ok(M::from_arrow(&row)?)
}
