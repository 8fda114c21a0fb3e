//! The node's loop.

use std::sync::Arc;
use std::time::Duration;

use eyre::{Result, WrapErr, bail};
use image::RgbImage;
use tiller_core::{MAX_INSTRUCTION, clip};
use tiller_messages::{Keypoints, Level, RewardProgram, StageAdvice, StageCommand, StageQuery};
use tiller_node_kit::{ImageInput, Inbox, Input, Next, Outbox, Stream};
use tiller_reward::CompileOptions;
use tiller_vlm::provider::{Outcome, Picture};
use tiller_vlm::repair::{AuthoringStatus, AuthoringTask};
use tiller_vlm::{Author, AuthorRequest};

use crate::advising::{Advising, Scene};
use crate::config::{Settings, Setup};
use crate::picture::{encode, frame};
use crate::program::{message, scene};
use crate::writing::{Event, Finished, TimeLimits, Writing};

/// Without keypoints there is nothing to write about.
pub(crate) const ESSENTIAL: &[&str] = &["keypoints"];

/// How often it is told that a program is being waited for; that it is asked for is told at once.
const TELL_WAIT: Duration = Duration::from_secs(10);

/// How often answers are looked for while one is awaited.
const POLL: Duration = Duration::from_millis(20);

/// Has a program written for every grounding, until the keypoints end.
///
/// Where nothing can steer the robot, the node ends with an error, and with it the dataflow: an
/// instruction that the embedded author refuses, or no program and nothing to fall back on.
pub(crate) fn run(setup: &Setup, inbox: &mut Inbox, outbox: &mut Outbox) -> Result<()> {
    let mut node = Node::new(setup)?;
    loop {
        let next = if node.is_waiting() {
            inbox.wait_at_most(POLL)
        } else {
            inbox.wait()
        };
        match next {
            Next::Input(input) => node.take(input)?,
            Next::Idle | Next::Ended(_) => {}
            Next::End(end) => {
                tracing::info!("{end}");
                return Ok(());
            }
        }
        node.work(outbox)?;
    }
}

struct Node<'a> {
    settings: &'a Settings,
    /// Who is asked, such as `openai/gpt-5-mini`.
    author: String,
    is_embedded: bool,
    embedded: Arc<dyn Author>,
    writing: Writing,
    advising: Option<Advising>,
    keypoints: Stream<Keypoints>,
    queries: Stream<StageQuery>,
    stages: Stream<StageCommand>,
    /// The newest annotated image.
    annotated: Option<ImageInput>,
    /// What the camera saw last.
    seen: Option<RgbImage>,
    latest: Option<Keypoints>,
    /// The keypoint generation that a program was last begun for.
    begun: u32,
    program: Option<RewardProgram>,
    query: Option<StageQuery>,
    /// How often it was told that a program is still being waited for.
    waits_told: u32,
    programs_sent: u64,
    advice_sent: u64,
}

impl<'a> Node<'a> {
    fn new(setup: &'a Setup) -> Result<Self> {
        let Setup {
            settings,
            client,
            prompts,
            embedded,
        } = setup;
        let identity = client.identity();
        let author = if client.is_remote() {
            format!("{}/{}", identity.provider, identity.model)
        } else {
            identity.provider.clone()
        };
        let limits = TimeLimits {
            question: settings.question_timeout,
            program: settings.program_timeout,
        };
        let writing = Writing::start(client.clone(), prompts.clone(), settings.policy, limits)?;
        let advising = settings
            .advice
            .then(|| Advising::start(client.clone(), prompts.clone(), limits.question));
        Ok(Self {
            settings,
            is_embedded: author == "embedded",
            author,
            embedded: embedded.clone(),
            writing,
            advising: advising.transpose()?,
            keypoints: Stream::new("keypoints"),
            queries: Stream::new("stage_query"),
            stages: Stream::new("stage"),
            annotated: None,
            seen: None,
            latest: None,
            begun: 0,
            program: None,
            query: None,
            waits_told: 0,
            programs_sent: 0,
            advice_sent: 0,
        })
    }

    fn is_waiting(&self) -> bool {
        let advice = self.advising.as_ref().is_some_and(Advising::is_under_way);
        self.writing.is_under_way() || advice
    }

    fn take(&mut self, input: Input) -> Result<()> {
        match input.id.as_str() {
            "annotated_image" => self.annotated = Some(read_image(input)?),
            "image" if self.advising.is_some() => self.seen = Some(frame(&read_image(input)?)?),
            "image" => {}
            "keypoints" => {
                if let Some(keypoints) = self.keypoints.read(&input.data)? {
                    self.latest = Some(keypoints);
                }
            }
            "stage" => {
                if let Some(command) = self.stages.read(&input.data)?
                    && let Some(advising) = &mut self.advising
                {
                    advising.on_stage(&command);
                }
            }
            "stage_query" => {
                if let Some(query) = self.queries.read(&input.data)? {
                    self.query = Some(query);
                }
            }
            other => tracing::warn!("input `{other}` is unknown"),
        }
        Ok(())
    }

    /// Everything that can be done now.
    fn work(&mut self, outbox: &mut Outbox) -> Result<()> {
        let mut news = self.begin_if_due(outbox)?;
        loop {
            match news.or_else(|| self.writing.poll()) {
                None => break,
                Some(Event::Again { answers }) => {
                    let text = format!(
                        "answer {answers} of `{}` is not sound and goes back with its mistakes",
                        self.author
                    );
                    outbox.tell(Level::Info, "repair", text)?;
                }
                Some(Event::Done(finished)) => self.finish(*finished, outbox)?,
            }
            news = None;
        }
        self.tell_wait(outbox)?;
        self.advise(outbox)
    }

    /// Says every few seconds what is being waited for, so that nobody takes it for idleness.
    fn tell_wait(&mut self, outbox: &mut Outbox) -> Result<()> {
        let Some(since) = self.writing.since() else {
            return Ok(());
        };
        let waited = since.elapsed();
        if waited < TELL_WAIT * (self.waits_told + 1) {
            return Ok(());
        }
        self.waits_told += 1;
        let left = self.settings.program_timeout.saturating_sub(waited);
        let text = format!(
            "no program from `{}` after {:.0} s; in {:.0} s it is given up, then `{}`; the robot stands still meanwhile",
            self.author,
            waited.as_secs_f64(),
            left.as_secs_f64(),
            self.settings.policy.fallback.name()
        );
        outbox.tell(Level::Warning, "waiting", text)
    }

    /// Begins when the picture and the keypoints of a new grounding are both there.
    fn begin_if_due(&mut self, outbox: &mut Outbox) -> Result<Option<Event>> {
        let (Some(annotated), Some(keypoints)) = (&self.annotated, &self.latest) else {
            return Ok(None);
        };
        let picture_ns = annotated.header().stamp_ns;
        if keypoints.generation <= self.begun || keypoints.stamp_ns < picture_ns {
            return Ok(None);
        }
        let generation = keypoints.generation;
        let task = AuthoringTask {
            request: AuthorRequest {
                instruction: self.settings.instruction.clone(),
                keypoints: scene(keypoints),
            },
            // The embedded author has no eyes.
            picture: match self.is_embedded {
                true => None,
                false => picture(frame(annotated).and_then(|frame| encode(&frame))),
            },
            options: CompileOptions::new(keypoints.names.len(), self.settings.horizon + 1),
            source: self.author.clone(),
            embedded: Some(self.embedded.clone()),
        };
        self.begun = generation;
        self.waits_told = 0;
        if !self.is_embedded {
            let text = format!(
                "`{}` is asked for a program, for {:.0} s at most; the robot stands still meanwhile",
                self.author,
                self.settings.program_timeout.as_secs_f64()
            );
            outbox.tell(Level::Info, "asking", text)?;
        }
        Ok(self.writing.begin(task, generation))
    }

    fn finish(&mut self, finished: Finished, outbox: &mut Outbox) -> Result<()> {
        let Finished {
            authored,
            generation,
            refusal,
            duration,
        } = finished;
        let Some(written) = &authored.written else {
            let (code, text) = match (refusal, authored.cause) {
                (Some(reason), _) => (
                    "refused",
                    format!(
                        "instruction `{}` is not understood: {reason}",
                        clip(&self.settings.instruction, MAX_INSTRUCTION)
                    ),
                ),
                (None, Some(Outcome::ProgramInvalid | Outcome::NoProgram)) => {
                    ("invalid_program", authored.message.clone())
                }
                (None, _) => ("hold", authored.message.clone()),
            };
            outbox.tell(Level::Error, code, text.clone())?;
            bail!(text)
        };
        if !matches!(
            authored.status,
            AuthoringStatus::Ok | AuthoringStatus::Repaired
        ) {
            let text = authored.message.clone();
            outbox.tell(Level::Warning, authored.status.name(), text)?;
        }
        let seq = self.programs_sent + 1;
        let program = message(written, &self.settings.instruction, generation, seq);
        outbox.send("reward_program", &program)?;
        self.programs_sent = seq;
        let mut text = format!(
            "`{}`: {} stages by author `{}`",
            program.instruction, program.num_stages, program.source
        );
        if !self.is_embedded {
            let how = authored.status.name();
            let seconds = duration.as_secs_f64();
            text += &format!(" ({how}, {} answers, {seconds:.1} s)", authored.answers);
        }
        self.program = Some(program);
        tracing::info!("{text}");
        outbox.tell(Level::Info, "program", text)
    }

    fn advise(&mut self, outbox: &mut Outbox) -> Result<()> {
        if let Some(query) = self.query.take() {
            self.ask_for_advice(query);
        }
        let Some(advising) = &mut self.advising else {
            return Ok(());
        };
        let advice = advising.poll();
        for dropped in advising.dropped() {
            let text = format!(
                "advice dropped because {}; {} such so far",
                dropped.text, dropped.total
            );
            outbox.tell(Level::Warning, dropped.code, text)?;
        }
        if let Some(advice) = advice {
            self.advice_sent += 1;
            let message = StageAdvice {
                seq: self.advice_sent,
                visit: advice.moment.visit,
                stage: advice.stage,
                reason: advice.reason,
            };
            outbox.send("stage_advice", &message)?;
            let text = format!("stage {}: {}", message.stage, message.reason);
            outbox.tell(Level::Info, "advice", text)?;
        }
        Ok(())
    }

    fn ask_for_advice(&mut self, query: StageQuery) {
        let (Some(advising), Some(program), Some(keypoints)) =
            (&mut self.advising, &self.program, &self.latest)
        else {
            // Without a model that sees, the switcher decides alone.
            tracing::debug!("no advice on stage {}: {}", query.stage, query.reason);
            return;
        };
        if program.num_stages < 2 {
            tracing::debug!("there is no other stage to advise");
            return;
        }
        let scene = Scene {
            generation: program.generation,
            instruction: program.instruction.clone(),
            stages: program.descriptions.clone(),
            keypoints: scene(keypoints),
            picture: self.seen.as_ref().and_then(|seen| picture(encode(seen))),
        };
        advising.ask(query, scene);
    }
}

fn read_image(input: Input) -> Result<ImageInput> {
    ImageInput::read(&input.metadata, input.data)
        .wrap_err_with(|| format!("cannot read input `{}`", input.id))
}

/// A picture that cannot be sent is done without: the words say where everything is.
fn picture(encoded: Result<Picture>) -> Option<Picture> {
    encoded
        .inspect_err(|error| tracing::warn!("the model gets no picture: {error:#}"))
        .ok()
}

#[cfg(test)]
mod tests;
