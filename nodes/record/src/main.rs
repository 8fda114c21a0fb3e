//! The helper that `dora record` looks for: writes every message of a dataflow into a `.drec` file, and
//! says what is missing in it.

mod disk;
mod entry;
mod settings;
mod tally;

use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use eyre::{Result, bail};
use tiller_node_kit::{Environment, Inbox, Next, run_node};

use disk::Disk;
use settings::{OnLoss, Settings};
use tally::Tally;

fn main() -> ExitCode {
    run_node(&[], |inbox, _| {
        let settings = Settings::read(Environment::process())?;
        record(&settings, inbox)
    })
}

/// Records until nobody sends any more.
///
/// # Errors
/// When the file cannot be made; where that is set, when a message is missing in it.
fn record(settings: &Settings, inbox: &mut Inbox) -> Result<()> {
    let begin = Instant::now();
    let since_1970 = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let mut disk = Disk::create(&settings.file, &settings.descriptor, nanos(since_1970))?;
    let mut tally = Tally::new(settings.topics.values().map(|topic| topic.name.as_str()));
    tracing::info!(
        "recording {} outputs to {}",
        settings.topics.len(),
        settings.file.display()
    );
    loop {
        match inbox.wait() {
            Next::Input(input) => {
                let Some(topic) = settings.topics.get(&input.id) else {
                    continue;
                };
                tally.came(&topic.name, entry::number(&input));
                let entry = entry::of(topic, input, nanos(begin.elapsed()))?;
                if !disk.take(entry) {
                    tally.left_out(&topic.name);
                }
            }
            Next::Idle | Next::Ended(_) => {}
            Next::End(end) => {
                tracing::info!("{end}");
                break;
            }
        }
    }
    for (input, count) in inbox.dropped() {
        if let Some(topic) = settings.topics.get(input) {
            tally.superseded(&topic.name, *count);
        }
    }
    let report = tally.report(disk.finish());
    let text = report.to_string();
    report.write_beside(&settings.file)?;
    if report.complete {
        tracing::info!("{text}");
        return Ok(());
    }
    match settings.on_loss {
        OnLoss::Tell => {
            tracing::error!("{text}");
            Ok(())
        }
        OnLoss::Fail => bail!(text),
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
