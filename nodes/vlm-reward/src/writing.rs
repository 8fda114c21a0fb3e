//! A program on its way: asked for in the background, judged here.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tiller_vlm::exchange::{Background, BackgroundError, Client, Ticket};
use tiller_vlm::prompt::PromptSet;
use tiller_vlm::provider::{Outcome, ProviderError, Query};
use tiller_vlm::repair::{
    Authored, Authoring, AuthoringPolicy, AuthoringStatus, AuthoringTask, Step,
};

/// Time beyond a question's own limit after which the thread that asks counts as dead.
const GRACE: Duration = Duration::from_secs(10);

/// Asks for one program at a time and never waits for a network.
pub(crate) struct Writing {
    client: Arc<Client>,
    prompts: Arc<PromptSet>,
    background: Background,
    policy: AuthoringPolicy,
    patience: Duration,
    under_way: Option<UnderWay>,
}

struct UnderWay {
    authoring: Box<Authoring>,
    ticket: Ticket,
    /// Every question of this program.
    asked: Vec<Query>,
    generation: u32,
    begun: Instant,
    /// When the question under way should have ended, one way or the other.
    overdue: Instant,
}

/// What has become of a question.
pub(crate) enum News {
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
    pub(crate) authored: Authored,
    /// The generation of the keypoints that it is for.
    pub(crate) generation: u32,
    /// Why the embedded author declined the instruction, if it was asked and did.
    pub(crate) refusal: Option<String>,
    /// How long it took.
    pub(crate) duration: Duration,
}

impl Writing {
    /// Starts the thread that asks.
    pub(crate) fn start(
        client: Arc<Client>,
        prompts: Arc<PromptSet>,
        policy: AuthoringPolicy,
        patience: Duration,
    ) -> Result<Self, BackgroundError> {
        Ok(Self {
            background: Background::start(client.clone())?,
            client,
            prompts,
            policy,
            patience,
            under_way: None,
        })
    }

    /// Whether a question is under way.
    pub(crate) fn is_under_way(&self) -> bool {
        self.under_way.is_some()
    }

    /// Begins a program for a generation of keypoints; one under way is given up.
    pub(crate) fn begin(&mut self, task: AuthoringTask, generation: u32) -> Option<News> {
        if let Some(old) = self.under_way.take() {
            self.background.cancel(old.ticket);
        }
        let step = Authoring::begin(self.prompts.clone(), task, self.policy);
        self.go_on(step, Vec::new(), generation, Instant::now(), None)
    }

    /// News, if there are some. An author that needs no network is waited for, so that a replay
    /// does the same at the same moment every time.
    pub(crate) fn poll(&mut self) -> Option<News> {
        let overdue = self.under_way.as_ref()?.overdue;
        let result = loop {
            let answer = if self.client.is_remote() {
                self.background.poll()
            } else {
                self.background.wait(self.patience)
            };
            match answer {
                Some((ticket, exchange)) => {
                    let is_ours = |under_way: &UnderWay| under_way.ticket == ticket;
                    if self.under_way.as_ref().is_some_and(is_ours) {
                        break exchange.result;
                    }
                }
                None if Instant::now() < overdue => return None,
                None => {
                    let detail = "the thread that asks is silent";
                    break Err(ProviderError::new(Outcome::TimeoutTotal, detail));
                }
            }
        };
        let under_way = self.under_way.take()?;
        let declined = result.as_ref().err();
        let refusal = declined
            .filter(|error| error.outcome == Outcome::InstructionRefused)
            .map(|error| error.detail.clone());
        self.go_on(
            under_way.authoring.take(result),
            under_way.asked,
            under_way.generation,
            under_way.begun,
            refusal,
        )
    }

    fn go_on(
        &mut self,
        step: Step,
        mut asked: Vec<Query>,
        generation: u32,
        begun: Instant,
        refusal: Option<String>,
    ) -> Option<News> {
        match step {
            Step::Ask(authoring, query) => {
                let answers = asked.len();
                asked.push(query.clone());
                self.under_way = Some(UnderWay {
                    authoring,
                    ticket: self.background.ask(query),
                    asked,
                    generation,
                    begun,
                    overdue: Instant::now() + self.patience + GRACE,
                });
                (answers > 0).then_some(News::Again { answers })
            }
            Step::Done(authored) => {
                let is_sound = matches!(
                    authored.status,
                    AuthoringStatus::Ok | AuthoringStatus::Repaired
                );
                // Else the cache would lead to the same failure the next time.
                if !is_sound {
                    asked.iter().for_each(|query| self.client.forget(query));
                }
                Some(News::Done(Box::new(Finished {
                    authored,
                    generation,
                    refusal,
                    duration: begun.elapsed(),
                })))
            }
        }
    }
}

#[cfg(test)]
mod tests;
