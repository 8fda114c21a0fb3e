//! The node's loop: reports of workers and words of the client into the scheduler, what it says out.

use std::path::Path;
use std::sync::mpsc::TryRecvError;
use std::time::{Duration, Instant};

use eyre::{Result, WrapErr, bail, eyre};
use tiller_bench::fleet::{Effect, FromScheduler, Report, Scheduler, ToScheduler};
use tiller_core::visible_block;
use tiller_messages::{BenchReport, BenchWork};
use tiller_node_kit::{End, Inbox, Input, Next, Outbox, Refused, Stream};

use crate::client::Client;

/// How often the client is looked for.
const POLL: Duration = Duration::from_millis(20);
/// How often time goes by.
const TICK: Duration = Duration::from_secs(1);
/// How long the client may take to say what is to be run.
const BEGIN: Duration = Duration::from_secs(30);

/// A worker's input.
const REPORT: &str = "report_";

/// Runs until every job has an answer, the client has gone or the dataflow is stopped.
pub(crate) fn run(socket: &Path, inbox: &mut Inbox, outbox: &mut Outbox) -> Result<()> {
    let workers = workers(outbox)?;
    for input in &workers {
        inbox.announce_end_of(input);
    }
    let mut client = Client::connect(socket)?;
    let Ok(ToScheduler::Begin { plan, jobs }) = client.said.recv_timeout(BEGIN) else {
        bail!("expected to be told what is to be run, found nothing");
    };
    let name = |input: &String| {
        let source = outbox.source_of(input);
        source.split('/').next().unwrap_or(source).to_owned()
    };
    let scheduler = Scheduler::new(*plan, jobs, workers.iter().map(name).collect());
    let streams = workers.iter().map(|_| Stream::default()).collect();
    let mut node = Node {
        start: Instant::now(),
        inputs: workers,
        streams,
        scheduler,
    };
    let mut ticked = Instant::now();
    loop {
        match inbox.wait_at_most(POLL) {
            Next::Input(input) => node.hear(&input, outbox)?,
            Next::Ended(end) => node.ended(&end),
            Next::Idle => {}
            Next::End(end) => {
                tracing::info!("{end}");
                return Ok(());
            }
        }
        match client.said.try_recv() {
            Ok(ToScheduler::Stop) => node.scheduler.stop(node.start.elapsed()),
            Ok(ToScheduler::Begin { .. }) => tracing::warn!("the jobs are known already"),
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => bail!("who wanted the results has gone"),
        }
        if ticked.elapsed() >= TICK {
            ticked = Instant::now();
            node.scheduler.tick(node.start.elapsed());
        }
        if node.act(&mut client, outbox)? {
            return Ok(());
        }
    }
}

/// The inputs of the workers in the order of their numbers, which are those of the outputs too.
fn workers(outbox: &Outbox) -> Result<Vec<String>> {
    let count = outbox.sources().len();
    let inputs: Vec<_> = (0..count).map(|it| format!("{REPORT}{it}")).collect();
    outbox.check_inputs(&inputs)?;
    let outputs: Vec<_> = (0..count).map(output).collect();
    outbox.check_outputs(&outputs)?;
    match count {
        0 => bail!("the dataflow wires no `{REPORT}0`: there is no worker"),
        _ => Ok(inputs),
    }
}

fn output(worker: usize) -> String {
    format!("work_{worker}")
}

struct Node {
    start: Instant,
    inputs: Vec<String>,
    streams: Vec<Stream<BenchReport>>,
    scheduler: Scheduler,
}

impl Node {
    fn hear(&mut self, input: &Input, outbox: &mut Outbox) -> Result<()> {
        let index = self.inputs.iter().position(|known| *known == input.id);
        let index = index.ok_or_else(|| eyre!("`{}` is no worker's", input.id))?;
        let Some(message) = outbox.accept(self.streams[index].read(input))? else {
            return Ok(());
        };
        match Report::read(&message.report) {
            Ok(report) => {
                let now = self.start.elapsed();
                self.scheduler.hear(index, message.session, report, now);
                Ok(())
            }
            Err(error) => {
                let reason = format!("expected a worker's report, found {error}");
                outbox.refuse(&Refused::new(&input.id, reason))
            }
        }
    }

    fn ended(&mut self, end: &End) {
        let (input, why) = match end {
            End::Closed { input } => (input, "it has ended".to_owned()),
            End::Failed { input, error } => (input, error.clone()),
            End::Stopped => return,
        };
        if let Some(index) = self.inputs.iter().position(|known| known == input) {
            self.scheduler.ended(index, &why, self.start.elapsed());
        }
    }

    /// Whether all is over.
    fn act(&mut self, client: &mut Client, outbox: &mut Outbox) -> Result<bool> {
        for effect in self.scheduler.effects() {
            match effect {
                Effect::Send { worker, work } => {
                    let work = serde_json::to_string(&work).wrap_err("what a worker is to do")?;
                    let message = BenchWork {
                        work,
                        ..Default::default()
                    };
                    outbox.send(&output(worker), message)?;
                }
                Effect::Answer(answer) => client.tell(&FromScheduler::Answer(answer))?,
                Effect::Note(text) => {
                    tracing::info!("{}", visible_block(&text));
                    client.tell(&FromScheduler::Note(text))?;
                }
                Effect::Over { error } => {
                    client.tell(&FromScheduler::Over { error })?;
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}
