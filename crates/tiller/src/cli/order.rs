//! `tiller stop`, `tiller pause`, `tiller resume`, `tiller arm`.

mod keys;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use eyre::{Result, WrapErr, bail};
use serde_json::{Value, json};

use self::keys::{Keys, Pressed};
use super::console::RunArgs;
use super::{put, say, say_json};

/// How long an acknowledgement may take before that is said aloud.
const PATIENCE: Duration = Duration::from_millis(100);

/// How long a stop is tried for where nobody watches, and other orders may take.
const LIMIT: Duration = Duration::from_secs(10);

/// How long the arm may take to come to rest.
const REST_LIMIT: Duration = Duration::from_secs(10);

/// How often it is looked whether a stop would be heard.
const LOOK: Duration = Duration::from_secs(1);

/// Stop the arm of a running dataflow at once.
///
/// It brakes to rest within its limits and refuses to move until `tiller resume`, and on a real arm `tiller
/// arm`. How long it took until the actuator had taken the order, and until the arm was at rest, is printed.
/// Without a word from it within 100 ms that is said, and the order sent again and again.
///
/// This goes through the computer and its dataflow: it is no substitute for the robot's own emergency stop.
/// `kill -USR1` to the process `franka-actuator` does the same without either socket or dataflow.
///
///   tiller stop
///   tiller stop --key       # from now on, any key stops the arm; Ctrl-C ends
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct StopArgs {
    #[command(flatten)]
    run: RunArgs,
    /// Stay here and stop the arm at any key.
    #[arg(long)]
    key: bool,
    /// Print what happens as JSON, one object a line.
    #[arg(long)]
    json: bool,
}

/// Allow motion again after a stop, a pause or a fault.
///
/// A robot that has stopped by itself (a reflex, a lost connection) is recovered first; make sure that nothing is
/// in its way. A real arm then waits for `tiller arm`.
#[derive(Debug, Args)]
pub(super) struct ResumeArgs {
    #[command(flatten)]
    order: OrderArgs,
}

/// Have the arm rest until `tiller resume`, in the midst of what it does.
///
/// It comes to rest within its limits and holds; the chunk under way is given up. Episode, program and stage stand, and no
/// time passes in the stage or in a simulated episode; a real arm stays armed. `tiller resume` goes on from there, planned
/// anew from what is seen then. In danger use `tiller stop`, which is tried until it is heard.
#[derive(Debug, Args)]
pub(super) struct PauseArgs {
    #[command(flatten)]
    order: OrderArgs,
}

/// Let chunks move a real arm, which is never done without.
///
/// Until then the dataflow plans and checks, and nothing moves. Whatever stops the arm (`tiller stop`, a user
/// stop, a reflex, a lost connection, a watchdog) takes it away again; a new instruction does not.
#[derive(Debug, Args)]
pub(super) struct ArmArgs {
    #[command(flatten)]
    order: OrderArgs,
}

#[derive(Debug, Args)]
struct OrderArgs {
    #[command(flatten)]
    run: RunArgs,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

impl ResumeArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        self.order.give("resume")
    }
}

impl PauseArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        self.order.give("pause")
    }
}

impl ArmArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        self.order.give("arm")
    }
}

impl OrderArgs {
    fn give(self, word: &str) -> Result<ExitCode> {
        let mut answers = self.run.ask(&json!({ "order": word }), LIMIT)?;
        let answer = answers.expect().wrap_err(UNHEARD)?;
        if self.json {
            say_json(&answer.to_string())?;
        }
        if let Value::String(why) = &answer["refused"] {
            bail!("the actuator does not {word}: {why}");
        }
        if !self.json {
            say(&format!(
                "taken after {}; the arm is {}",
                milliseconds(&answer["taken_ms"]),
                mode(&answer)
            ))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

const UNHEARD: &str =
    "the actuator has not taken the order: is it running, and can it read its arm?";

impl StopArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        if self.key {
            return self.watch();
        }
        self.stop(Instant::now() + LIMIT)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Stops at every key until the end of them.
    fn watch(&self) -> Result<ExitCode> {
        let keys = Keys::open()?;
        self.say("any key stops the arm; Ctrl-C ends")?;
        let mut was_heard = None;
        loop {
            let found = self.look();
            let is_heard = found.is_ok();
            if was_heard.replace(is_heard) != Some(is_heard) {
                match found {
                    Ok(answer) => self.say(&format!("connected: the arm is {}", mode(&answer)))?,
                    Err(error) => self.warn(&format!("a key would NOT stop the arm: {error:#}"))?,
                }
            }
            match keys.wait(LOOK)? {
                // Until it is heard: whoever pressed the key is looking at the arm.
                Pressed::Key => self.stop(Instant::now() + Duration::from_secs(3600))?,
                Pressed::End => return Ok(ExitCode::SUCCESS),
                Pressed::Nothing => {}
            }
        }
    }

    fn look(&self) -> Result<Value> {
        self.run.ask(&json!({ "order": "look" }), LOOK)?.expect()
    }

    /// Sends the order until it is acknowledged.
    fn stop(&self, until: Instant) -> Result<()> {
        let begin = Instant::now();
        let mut tries = 0_u32;
        loop {
            tries += 1;
            let error = match self.try_to_stop(begin, tries) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            if Instant::now() > until {
                return Err(error.wrap_err(UNHEARD));
            }
            let waited_ms = begin.elapsed().as_millis();
            self.warn(&format!(
                "NOT acknowledged after {waited_ms} ms, trying again: {error:#}"
            ))?;
            std::thread::sleep(PATIENCE.saturating_sub(begin.elapsed() / tries));
        }
    }

    fn try_to_stop(&self, begin: Instant, tries: u32) -> Result<()> {
        let mut answers = self.run.ask(&json!({ "order": "stop" }), PATIENCE)?;
        let taken = answers.expect()?;
        let taken_ms = begin.elapsed().as_secs_f64() * 1e3;
        if self.json {
            say_json(
                &json!({ "taken_ms": taken_ms, "tries": tries, "mode": taken["mode"] }).to_string(),
            )?;
        } else {
            say(&format!(
                "stop taken after {taken_ms:.0} ms; the arm is {}",
                mode(&taken)
            ))?;
        }
        answers.wait_for(REST_LIMIT)?;
        let rest = answers.expect();
        let rest_ms = begin.elapsed().as_secs_f64() * 1e3;
        match rest {
            Ok(rest) if self.json => {
                say_json(&json!({ "rest_ms": rest_ms, "mode": rest["mode"] }).to_string())
            }
            Ok(rest) => say(&format!(
                "at rest after {rest_ms:.0} ms; the arm is {}",
                mode(&rest)
            )),
            Err(error) => self.warn(&format!("NOT known to be at rest: {error:#}")),
        }
    }

    fn say(&self, text: &str) -> Result<()> {
        match self.json {
            true => say_json(&json!({ "text": text }).to_string()),
            false => say(text),
        }
    }

    /// In red, where there are colours.
    fn warn(&self, text: &str) -> Result<()> {
        use std::io::IsTerminal;
        if self.json {
            return say_json(&json!({ "warning": text }).to_string());
        }
        let text = tiller_core::visible_block(text);
        match std::io::stdout().is_terminal() {
            true => put(&format!("\x1b[1;31m{text}\x1b[0m")),
            false => put(&text),
        }
    }
}

fn mode(answer: &Value) -> &str {
    answer["mode"]
        .as_str()
        .unwrap_or("in a mode that it does not tell")
}

fn milliseconds(value: &Value) -> String {
    value
        .as_f64()
        .map_or("?".to_owned(), |ms| format!("{ms:.0} ms"))
}
