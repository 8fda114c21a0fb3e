//! The node's loop: requests from socket and page, episodes, orders and decisions to the dataflow.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use eyre::Result;
use serde_json::json;
use tiller_core::EpisodeId;
use tiller_messages::{Episode, ExecutionState, Level, Order, SafetyEvent, TaskStatus};
use tiller_node_kit::{Inbox, Input, Next, Outbox, Stream};
use tiller_page::{Evaluation, Page};
use tokio::sync::watch;

use crate::orders::Orders;
use crate::pictures::{Album, Packer};
use crate::request::{Kind, Request};
use crate::rewards::Artist;
use crate::settings::Settings;
use crate::socket::{Asked, listen};
use crate::view::View;
use crate::web::Web;

mod asks;

/// The world's verdicts end with the run.
pub(crate) const ESSENTIAL: &[&str] = &["task_status"];

const INPUTS: &[&str] = &[
    "execution_state",
    "safety_event",
    "episode",
    "proposal",
    "program_contract",
    "stage",
    "progress",
    "candidates",
    "dry_plan",
    "keypoints",
    "image",
    "*_image",
    "*_status",
];

/// How often the page is told what is new.
const SHOW: Duration = Duration::from_millis(100);

/// The same while an order is on its way.
const SHOW_SOON: Duration = Duration::from_millis(20);

/// Why a recording is not told what to do.
const RECORDED: &str =
    "this is a recording: what the arm does has been done, and nobody hears a word about it";

/// Listens until the run ends.
pub(crate) fn run(settings: &Settings, inbox: &mut Inbox, outbox: &mut Outbox) -> Result<()> {
    outbox.check_inputs(INPUTS)?;
    let (_socket, requests) = listen(&settings.folder, &inbox.bell())?;
    let (packed, album) = watch::channel(Album::new());
    let web = Web::start(settings.place, &settings.folder, album, inbox.bell())?;
    let painters = match web {
        Some(_) => Some((
            Packer::start(settings.between_pictures, packed)?,
            Artist::start()?,
        )),
        None => None,
    };
    let recording = outbox
        .recording_of("execution_state")
        .or(outbox.recording_of("task_status"));
    let page = Page::new(settings.tasks.clone()).of_recording(recording);
    let view = View::new(page, painters);
    let mut console = Console::new(view, web);
    console.begin(settings, outbox)?;
    loop {
        // Who asks for something rings.
        match inbox.wait_at_most(console.between_shows()) {
            Next::Input(input) => console.take(&input, outbox)?,
            Next::Idle | Next::Ended(_) => {}
            Next::End(end) => {
                tracing::info!("{end}");
                console.finish(outbox);
                return Ok(());
            }
        }
        while let Ok(asked) = requests.try_recv() {
            console.answer(asked, outbox)?;
        }
        console.answer_page(outbox)?;
        console.show();
    }
}

struct Console {
    verdicts: Stream<TaskStatus>,
    states: Stream<ExecutionState>,
    events: Stream<SafetyEvent>,
    orders: Orders,
    /// The last number given to an episode or an order.
    last: u64,
    view: View,
    web: Option<Web>,
    evaluation: Option<Evaluation>,
    started: Instant,
    shown: Instant,
    /// Something has happened that the page is told at once.
    is_news: bool,
    /// The newest order of the page, until the actuator has it.
    awaited: Option<u64>,
}

impl Console {
    fn new(view: View, web: Option<Web>) -> Self {
        Self {
            verdicts: Stream::default(),
            states: Stream::default(),
            events: Stream::default(),
            orders: Orders::default(),
            last: 0,
            view,
            web,
            evaluation: None,
            started: Instant::now(),
            shown: Instant::now(),
            is_news: false,
            awaited: None,
        }
    }

    /// Says where the page is, and goes on with the verdicts that are there already.
    fn begin(&mut self, settings: &Settings, outbox: &mut Outbox) -> Result<()> {
        let Some(web) = &self.web else {
            return Ok(());
        };
        let text = match web.is_usual {
            true => format!("the operator's page is at {}", web.url),
            false => format!(
                "the operator's page is at {}, for its usual port is taken",
                web.url
            ),
        };
        outbox.tell(Level::Info, "page", text)?;
        let run = settings.folder.file_name().unwrap_or_default();
        match Evaluation::open(&settings.evaluation, &run.to_string_lossy()) {
            Ok(evaluation) => {
                if evaluation.unread() > 0 {
                    let (count, path) = (evaluation.unread(), evaluation.path().display());
                    let text = format!("{count} lines of `{path}` are no verdicts");
                    outbox.tell(Level::Warning, "evaluation", text)?;
                }
                self.evaluation = Some(evaluation);
            }
            Err(error) => {
                let path = settings.evaluation.display();
                let text = format!("verdicts cannot be kept in `{path}`: {error}");
                outbox.tell(Level::Warning, "evaluation", text)?;
            }
        }
        Ok(())
    }

    /// Those who follow the page's word are told that no more will come, if they still listen.
    fn finish(&self, outbox: &mut Outbox) {
        if self.web.is_some()
            && let Err(error) = outbox.send_text("arm_command", "quit")
        {
            tracing::debug!("nobody is told to quit: {error:#}");
        }
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn take(&mut self, input: &Input, outbox: &mut Outbox) -> Result<()> {
        let now = self.now();
        match input.id.as_str() {
            "task_status" => {
                if let Some(status) = outbox.accept(self.verdicts.read(input))? {
                    self.view.on_task(status, now);
                }
            }
            "execution_state" => {
                if let Some(state) = outbox.accept(self.states.read(input))? {
                    self.orders.see(&state, Instant::now());
                    if self.awaited.is_some_and(|id| id <= state.order) {
                        self.awaited = None;
                        self.is_news = true;
                    }
                    self.view.on_execution(state, now);
                }
            }
            "safety_event" => {
                if let Some(event) = outbox.accept(self.events.read(input))? {
                    self.orders.hear(&event);
                    self.view.on_safety(&event, now);
                }
            }
            _ => {
                let is_watched = self.web.as_ref().is_some_and(Web::is_watched);
                if let Err(refused) = self.view.take(input, is_watched, now) {
                    outbox.refuse(&refused)?;
                }
            }
        }
        Ok(())
    }

    /// How often the page is told what is new, as things are.
    fn between_shows(&self) -> Duration {
        match self.awaited {
            Some(_) => SHOW_SOON,
            None => SHOW,
        }
    }

    /// Shows what is new to who looks, now and then.
    fn show(&mut self) {
        let Some(web) = self.web.as_ref().filter(|web| web.is_watched()) else {
            return;
        };
        if self.is_news || self.shown.elapsed() >= self.between_shows() {
            self.is_news = false;
            self.shown = Instant::now();
            let now = self.started.elapsed();
            self.view.draw_rewards();
            web.show(self.view.page.sections(self.evaluation.as_ref(), now));
        }
    }

    fn answer(&mut self, (request, answer): Asked, outbox: &mut Outbox) -> Result<()> {
        match request {
            Request::Say { .. } | Request::Order(_) if self.view.page.is_recording() => {
                let _ = answer.send(json!({ "error": RECORDED }).to_string());
                Ok(())
            }
            Request::Say { instruction, seed } => {
                let id = self.say(instruction, seed, outbox)?;
                // A client that has gone has its instruction all the same.
                let _ = answer.send(format!("{{\"episode\": {}}}", id.0));
                Ok(())
            }
            Request::Order(kind) => {
                let word = kind.as_str();
                let reason = format!("requested by an operator (`tiller {word}`)");
                let (id, sent) = self.order(kind, reason, outbox)?;
                self.orders.sent(id, kind, sent, answer);
                Ok(())
            }
            Request::Look => {
                let _ = answer.send(self.orders.look(Instant::now()));
                Ok(())
            }
        }
    }

    fn say(&mut self, instruction: String, seed: u64, outbox: &mut Outbox) -> Result<EpisodeId> {
        let id = EpisodeId(self.next());
        let text = format!("`{instruction}` is passed on as {id}");
        let episode = Episode {
            id,
            instruction: instruction.clone(),
            seed,
            ..Default::default()
        };
        outbox.send("episode", episode)?;
        if self.web.is_some() {
            outbox.send_text("task_prompt", &instruction)?;
            outbox.send_text("arm_command", "start")?;
        }
        outbox.tell(Level::Info, "said", text)?;
        Ok(id)
    }

    /// Sent before anything else is done; that it was taken is seen in the execution state.
    fn order(&mut self, kind: Kind, reason: String, outbox: &mut Outbox) -> Result<(u64, Instant)> {
        let (id, now) = (self.next(), Instant::now());
        let word = kind.as_str();
        let order = Order {
            id,
            reason,
            ..Default::default()
        };
        outbox.send(word, order)?;
        self.view.page.on_order(id, kind, self.started.elapsed());
        let text = format!("an operator wants the actuator to {word}");
        outbox.tell(Level::Info, "ordered", text)?;
        Ok((id, now))
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
