//! A program on its way: asked for in the background, judged here.

use std::sync::Arc;
use std::time::{Duration, Instant};

use eyre::Result;
use tiller_authoring::{Answered, Commission, Desk, DeskEvent, Finished as Written, Next};
use tiller_closed_loop::journal::{JournalError, Pending, Recorder};
use tiller_vlm::exchange::{Background, BackgroundError, Client, Ticket};
use tiller_vlm::provider::{Outcome, Picture, ProviderError, Query};
use tiller_vlm::repair::AuthoringStatus;

/// Time beyond a question's own limit after which the thread that asks counts as dead.
const GRACE: Duration = Duration::from_secs(10);

/// Asks for one program at a time and never waits for a network.
pub(crate) struct Writing {
    client: Arc<Client>,
    desk: Desk,
    /// What the desk is told and says, for recorders.
    journal: Option<Recorder<Pending>>,
    background: Background,
    limits: TimeLimits,
    under_way: Option<UnderWay>,
    /// The questions of the newest program, which the cache can answer.
    answered: Vec<Query>,
}

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeLimits {
    /// One question.
    pub(crate) question: Duration,
    /// A program, repairs included.
    pub(crate) program: Duration,
}

struct UnderWay {
    ticket: Ticket,
    /// Every question of this program.
    asked: Vec<Query>,
    begun: Instant,
    /// When the question under way should have ended, one way or the other.
    overdue: Instant,
}

/// What has become of a question.
pub(crate) enum Event {
    /// An answer was not sound and goes back to its author.
    Again {
        /// Answers so far.
        answers: usize,
    },
    /// It is over.
    Done(Box<Finished>),
}

/// The end of the matter.
pub(crate) struct Finished {
    /// Program or reasons.
    pub(crate) written: Written,
    /// Why the embedded author declined the instruction, if it was asked and did.
    pub(crate) refusal: Option<String>,
    /// How long it took.
    pub(crate) duration: Duration,
}

impl Writing {
    /// Starts the thread that asks.
    pub(crate) fn start(
        client: Arc<Client>,
        desk: Desk,
        journal: Option<Recorder<Pending>>,
        limits: TimeLimits,
    ) -> Result<Self, BackgroundError> {
        Ok(Self {
            background: Background::start(client.clone())?,
            client,
            desk,
            journal,
            limits,
            under_way: None,
            answered: Vec::new(),
        })
    }

    /// Whether a question is under way.
    pub(crate) fn is_under_way(&self) -> bool {
        self.under_way.is_some()
    }

    /// Since when a program is being waited for.
    pub(crate) fn since(&self) -> Option<Instant> {
        self.under_way.as_ref().map(|under_way| under_way.begun)
    }

    /// Gives up what is under way: nothing will come of it.
    pub(crate) fn give_up(&mut self, now_ns: u64) -> Result<()> {
        if let Some(old) = self.under_way.take() {
            self.background.cancel(old.ticket);
            self.desk.give_up();
            self.record(now_ns, &DeskEvent::GivenUp, None)?;
        }
        Ok(())
    }

    /// What was asked for the newest program is asked anew the next time, whatever a cache holds.
    pub(crate) fn ask_anew(&mut self) {
        for query in self.answered.drain(..) {
            self.client.forget(&query);
        }
    }

    /// Begins a program; one under way is given up.
    pub(crate) fn begin(
        &mut self,
        commission: Commission,
        picture: Option<Picture>,
        now_ns: u64,
    ) -> Result<Option<Event>> {
        self.give_up(now_ns)?;
        let event = DeskEvent::Begin(Box::new(commission.clone()));
        let next = self.desk.begin(commission, picture);
        self.record(now_ns, &event, Some(&next))?;
        Ok(self.go_on(next, Vec::new(), Instant::now(), None))
    }

    /// Event, if there are some. An author that needs no network is waited for, so that a replay
    /// does the same at the same moment every time.
    pub(crate) fn poll(&mut self, now_ns: u64) -> Result<Option<Event>> {
        let under_way = self.under_way.as_ref();
        let Some((overdue, begun)) = under_way.map(|one| (one.overdue, one.begun)) else {
            return Ok(None);
        };
        let given_up = begun + self.limits.program;
        let result = loop {
            let answer = if self.client.is_remote() {
                self.background.poll()
            } else {
                self.background.wait(self.limits.question)
            };
            match answer {
                Some((ticket, exchange)) => {
                    let is_ours = |under_way: &UnderWay| under_way.ticket == ticket;
                    if self.under_way.as_ref().is_some_and(is_ours) {
                        break exchange.result;
                    }
                }
                None if Instant::now() < overdue.min(given_up) => return Ok(None),
                None => {
                    let seconds = self.limits.program.as_secs_f64();
                    let detail = match Instant::now() < given_up {
                        true => "the thread that asks is silent".to_owned(),
                        false => format!("there is no sound program after {seconds} s"),
                    };
                    break Err(ProviderError::new(Outcome::TimeoutTotal, detail));
                }
            }
        };
        let Some(under_way) = self.under_way.take() else {
            return Ok(None);
        };
        self.background.cancel(under_way.ticket);
        let declined = result.as_ref().err();
        let refusal = declined
            .filter(|error| error.outcome == Outcome::InstructionRefused)
            .map(|error| error.detail.clone());
        let event = DeskEvent::Answer(Answered::of(&result));
        let Some(next) = self.desk.answer(result) else {
            return Ok(None);
        };
        self.record(now_ns, &event, Some(&next))?;
        Ok(self.go_on(next, under_way.asked, under_way.begun, refusal))
    }

    fn record(
        &mut self,
        now_ns: u64,
        event: &DeskEvent,
        next: Option<&Next>,
    ) -> Result<(), JournalError> {
        let Some(journal) = &mut self.journal else {
            return Ok(());
        };
        let effects: Vec<_> = next.map(Next::effect).into_iter().collect();
        journal.record(now_ns, event, &effects)
    }

    fn go_on(
        &mut self,
        next: Next,
        mut asked: Vec<Query>,
        begun: Instant,
        refusal: Option<String>,
    ) -> Option<Event> {
        match next {
            Next::Ask(query) => {
                let answers = asked.len();
                asked.push(query.clone());
                self.under_way = Some(UnderWay {
                    ticket: self.background.ask(query),
                    asked,
                    begun,
                    overdue: Instant::now() + self.limits.question + GRACE,
                });
                (answers > 0).then_some(Event::Again { answers })
            }
            Next::Done(written) => {
                let is_sound = matches!(
                    written.authored.status,
                    AuthoringStatus::Ok | AuthoringStatus::Repaired
                );
                self.answered = asked;
                if !is_sound {
                    // Else the cache would lead to the same failure the next time.
                    self.ask_anew();
                }
                Some(Event::Done(Box::new(Finished {
                    written: *written,
                    refusal,
                    duration: begun.elapsed(),
                })))
            }
        }
    }
}

#[cfg(test)]
mod tests;
