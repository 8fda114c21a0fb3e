//! Asks for advice in the background.

use std::sync::Arc;

use tiller_core::{MAX_DESCRIPTION, MAX_INSTRUCTION};

use super::pending::{Advice, AdviceCounts, Asked, Moment, PendingQuestion};
use crate::author::SceneKeypoint;
use crate::exchange::{Background, BackgroundError, Client, Ticket};
use crate::prompt::{AdvicePrompt, PromptSet, Quoted, keypoint_table, numbered};
use crate::provider::{Picture, Purpose, Query, Role, Turn};

/// Where the robot stands when it asks.
#[derive(Debug, Clone, PartialEq)]
pub struct AdviceQuestion {
    /// What the advice is for.
    pub moment: Moment,
    /// The task in words.
    pub instruction: String,
    /// Descriptions of the program's stages.
    pub stages: Vec<String>,
    /// The stage under way, counted from 1.
    pub stage: u32,
    /// What makes the robot ask.
    pub reason: String,
    /// Where the keypoints are.
    pub keypoints: Vec<SceneKeypoint>,
    /// What the camera sees.
    pub picture: Option<Picture>,
}

/// Asks one question at a time and never waits. Advice that comes late, has another form or names
/// a stage that does not exist is dropped and counted.
pub struct Adviser {
    background: Background,
    prompts: Arc<PromptSet>,
    pending: PendingQuestion,
    ticket: Option<Ticket>,
}

impl Adviser {
    /// Starts the thread that talks to the model.
    ///
    /// # Errors
    /// [`BackgroundError`] if there is none to be had.
    pub fn start(client: Arc<Client>, prompts: Arc<PromptSet>) -> Result<Self, BackgroundError> {
        Ok(Self {
            background: Background::start(client)?,
            prompts,
            pending: PendingQuestion::default(),
            ticket: None,
        })
    }

    /// Asks; returns at once.
    pub fn ask(&mut self, question: AdviceQuestion) -> Asked {
        let num_stages = u32::try_from(question.stages.len()).unwrap_or(u32::MAX);
        let asked = self.pending.open(question.moment, num_stages);
        if asked == Asked::Busy {
            return asked;
        }
        if let Some(old) = self.ticket.take() {
            self.background.cancel(old);
        }
        let query = query(&self.prompts, question);
        self.ticket = Some(self.background.ask(query));
        asked
    }

    /// Advice for the present moment, if some has come; returns at once.
    pub fn poll(&mut self, now: Moment) -> Option<Advice> {
        while let Some((ticket, exchange)) = self.background.poll() {
            // An answer can have been under way when its question was given up.
            if self.ticket != Some(ticket) {
                continue;
            }
            self.ticket = None;
            if let Err(error) = &exchange.result {
                tracing::warn!("no advice: {error}");
            }
            let text = exchange
                .result
                .as_ref()
                .ok()
                .map(|reply| reply.text.as_str());
            return self.pending.close(text, now);
        }
        None
    }

    /// What has become of questions and answers so far.
    #[must_use]
    pub fn counts(&self) -> AdviceCounts {
        self.pending.counts
    }
}

fn query(prompts: &PromptSet, question: AdviceQuestion) -> Query {
    let stages = question.stages.iter().map(String::as_str);
    let values = AdvicePrompt {
        instruction: Quoted::new(&question.instruction, MAX_INSTRUCTION),
        stages: numbered(stages, MAX_DESCRIPTION),
        keypoints: keypoint_table(&question.keypoints),
        stage: question.stage,
        reason: Quoted::new(&question.reason, MAX_DESCRIPTION),
    };
    let (system, text) = prompts.advice(question.stages.len(), &values);
    Query {
        purpose: Purpose::Advice,
        system,
        turns: vec![Turn {
            role: Role::User,
            text,
        }],
        picture: question.picture,
        scene: None,
    }
}
