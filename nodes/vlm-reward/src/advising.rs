//! Stage advice: asked for in the background, passed on only while it is about the present visit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use eyre::Result;
use tiller_messages::{StageCommand, StageQuery};
use tiller_vlm::SceneKeypoint;
use tiller_vlm::advice::{Advice, AdviceCounts, AdviceQuestion, Adviser, Moment};
use tiller_vlm::exchange::Client;
use tiller_vlm::prompt::PromptSet;
use tiller_vlm::provider::Picture;

/// What a question shows beside the query itself.
pub(crate) struct Scene {
    /// Number of the program under way.
    pub(crate) program: u64,
    /// The task in words.
    pub(crate) instruction: String,
    /// Descriptions of the program's stages.
    pub(crate) stages: Vec<String>,
    /// Where the keypoints are.
    pub(crate) keypoints: Vec<SceneKeypoint>,
    /// What the camera sees.
    pub(crate) picture: Option<Picture>,
}

/// Advice that was dropped since the last look, by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dropped {
    /// A word for machines.
    pub(crate) code: &'static str,
    /// How many so far.
    pub(crate) total: u64,
    /// What it means.
    pub(crate) text: &'static str,
}

/// Puts stage queries to a model.
pub(crate) struct Advising {
    adviser: Adviser,
    /// Time for authors that need no network: they are waited for, so that a replay does the same
    /// at the same moment every time.
    wait: Option<Duration>,
    now: Moment,
    told: AdviceCounts,
}

impl Advising {
    /// Starts the thread that asks.
    pub(crate) fn start(
        client: Arc<Client>,
        prompts: Arc<PromptSet>,
        question_timeout: Duration,
    ) -> Result<Self> {
        let wait = (!client.is_remote()).then_some(question_timeout);
        Ok(Self {
            adviser: Adviser::start(client, prompts)?,
            wait,
            now: Moment {
                program: 0,
                visit: 0,
            },
            told: AdviceCounts::default(),
        })
    }

    /// Follows the switcher: advice on an earlier visit is void from now on.
    pub(crate) fn on_stage(&mut self, command: &StageCommand) {
        let is_over = command.finished || command.gave_up;
        self.advance(Moment {
            program: command.program.0,
            // No visit is asked about under that number.
            visit: if is_over { u32::MAX } else { command.visit },
        });
    }

    /// Asks; returns at once.
    pub(crate) fn ask(&mut self, query: StageQuery, scene: Scene) {
        let moment = Moment {
            program: scene.program,
            visit: query.visit,
        };
        self.advance(moment);
        let asked = self.adviser.ask(AdviceQuestion {
            moment,
            instruction: scene.instruction,
            stages: scene.stages,
            stage: query.stage,
            reason: query.reason,
            keypoints: scene.keypoints,
            picture: scene.picture,
        });
        tracing::info!("advice on visit {} asked for: {asked:?}", query.visit);
    }

    /// Query and command take different ways, so that the older one may come later.
    fn advance(&mut self, moment: Moment) {
        if (moment.program, moment.visit) > (self.now.program, self.now.visit) {
            self.now = moment;
        }
    }

    /// Whether a question is under way.
    pub(crate) fn is_under_way(&self) -> bool {
        self.adviser.counts().is_waiting()
    }

    /// Advice for the present visit, if some has come.
    pub(crate) fn poll(&mut self) -> Option<Advice> {
        let until = self.wait.map(|wait| Instant::now() + wait);
        loop {
            let advice = self.adviser.poll(self.now);
            let is_late = until.is_none_or(|until| Instant::now() >= until);
            if advice.is_some() || is_late || !self.is_under_way() {
                return advice;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// What was dropped since the last call.
    pub(crate) fn dropped(&mut self) -> Vec<Dropped> {
        let (old, new) = (self.told, self.adviser.counts());
        self.told = new;
        let all = [
            ("advice_late", old.late, new.late, "the robot had moved on"),
            (
                "advice_malformed",
                old.malformed,
                new.malformed,
                "it had another form",
            ),
            (
                "advice_impossible",
                old.impossible,
                new.impossible,
                "it named no real stage",
            ),
            (
                "advice_failed",
                old.failed,
                new.failed,
                "the question ended in an error",
            ),
        ];
        all.into_iter()
            .filter(|(_, before, after, _)| after > before)
            .map(|(code, _, total, text)| Dropped { code, total, text })
            .collect()
    }
}
