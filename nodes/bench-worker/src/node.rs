//! The node's loop: what is to be done in, where the worker stands out.

use std::time::{Duration, Instant};

use eyre::{Result, WrapErr};
use tiller_bench::fleet::Worker;
use tiller_cli::worlds;
use tiller_messages::{BenchReport, BenchWork};
use tiller_node_kit::{Inbox, Input, Next, Outbox, Refused, Stream};

/// Without a scheduler there is nothing to do.
pub(crate) const ESSENTIAL: &[&str] = &["work"];

/// How soon it is seen that an episode has ended.
const POLL: Duration = Duration::from_millis(10);
/// How often the worker says where it stands, if nothing changes.
const REPEAT: Duration = Duration::from_secs(1);

/// Works until the scheduler ends; an episode that is under way then is dropped.
pub(crate) fn run(inbox: &mut Inbox, outbox: &mut Outbox) -> Result<()> {
    outbox.check_inputs(ESSENTIAL)?;
    let mut worker = Worker::new(worlds);
    let mut stream = Stream::default();
    let mut said = None;
    loop {
        let mut has_news = worker.look();
        match inbox.wait_at_most(POLL) {
            Next::Input(input) => has_news |= take(&input, &mut stream, &mut worker, outbox)?,
            Next::Idle | Next::Ended(_) => {}
            Next::End(_) => return Ok(()),
        }
        let is_due = said.is_none_or(|when: Instant| when.elapsed() >= REPEAT);
        if has_news || is_due {
            said = Some(Instant::now());
            let report = serde_json::to_string(&worker.report()).wrap_err("a report")?;
            let message = BenchReport {
                report,
                ..Default::default()
            };
            outbox.send("report", message)?;
        }
    }
}

/// Whether it was told something.
fn take(
    input: &Input,
    stream: &mut Stream<BenchWork>,
    worker: &mut Worker,
    outbox: &mut Outbox,
) -> Result<bool> {
    let Some(message) = outbox.accept(stream.read(input))? else {
        return Ok(false);
    };
    match serde_json::from_str(&message.work) {
        Ok(work) => {
            worker.take(work)?;
            Ok(true)
        }
        // Of another build, say: the scheduler will refuse this worker by its own.
        Err(error) => {
            let reason = format!("expected what to do, found {error}");
            outbox.refuse(&Refused::new(&input.id, reason))?;
            Ok(false)
        }
    }
}
