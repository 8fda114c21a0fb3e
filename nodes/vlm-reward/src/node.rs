//! The node's loop.

use std::time::{Duration, Instant};

use eyre::{Result, bail};
use image::RgbImage;
use tiller_authoring::{Commission, Desk, encode, scene};
use tiller_closed_loop::compile_options;
use tiller_closed_loop::journal::{AuthorHeader, Header, Machine, Pieces};
use tiller_core::{EpisodeId, MAX_INSTRUCTION, ProgramId, clip};
use tiller_messages::{
    Approval, Episode, Keypoints, Level, ProgramContract, RewardProgram, StageAdvice, StageCommand,
    StageQuery,
};
use tiller_node_kit::{ImageInput, ImageReader, Inbox, Input, Next, Outbox, Refused, Stream};
use tiller_reward::{CompileOptions, compile};

use crate::advising::{Advising, Scene};
use crate::config::{Settings, Setup};
use crate::kept::Kept;
use crate::picture::frame;
use crate::proposals::Proposals;
use crate::waiting::Waiting;
use crate::writing::{Event, TimeLimits, Writing};

mod written;

use written::number;

/// Without keypoints there is nothing to write about.
pub(crate) const ESSENTIAL: &[&str] = &["keypoints"];

/// Everything that is read.
const INPUTS: &[&str] = &[
    "annotated_image",
    "image",
    "keypoints",
    "stage",
    "stage_query",
    "episode",
    "program_contract",
    APPROVAL,
];

/// The output on which the journal goes out, where the dataflow declares it.
const JOURNAL: &str = "journal";

/// By which an operator says what may go to the robot.
const APPROVAL: &str = "approval";

/// How often it is told that a program is being waited for; that it is asked for is told at once.
const TELL_WAIT: Duration = Duration::from_secs(10);

/// How often answers are looked for while one is awaited.
const POLL: Duration = Duration::from_millis(20);

/// How long to wait for anything before looking at the clock again.
const PATIENCE: Duration = Duration::from_millis(100);

/// Has a program written for every episode and every grounding in it, until the keypoints end.
///
/// Where nothing can steer the robot, an instruction that the embedded author refuses or no program
/// and nothing to fall back on, it says so and waits for the next episode.
pub(crate) fn run(setup: &Setup, inbox: &mut Inbox, outbox: &mut Outbox) -> Result<()> {
    outbox.check_inputs(INPUTS)?;
    let is_wired = outbox.wired_inputs().iter().any(|input| input == APPROVAL);
    if setup.settings.approval && !is_wired {
        bail!("APPROVAL=required: expected an input `{APPROVAL}` by which it can come, found none");
    }
    let mut node = Node::new(setup, outbox)?;
    if let Some(origin) = &setup.key_origin {
        tracing::info!("the key is from {origin}");
    }
    if let Some(remark) = setup.key_remark {
        outbox.tell(Level::Warning, "key_file", remark.to_owned())?;
    }
    loop {
        let next = inbox.wait_at_most(if node.is_waiting() { POLL } else { PATIENCE });
        node.now_ns = inbox.now_ns();
        match next {
            Next::Input(input) => node.take(&input, outbox)?,
            Next::Idle | Next::Ended(_) => {}
            Next::End(end) => {
                tracing::info!("{end}");
                let rest = node.journal.as_mut().and_then(Pieces::rest);
                return rest.map_or(Ok(()), |piece| outbox.send(JOURNAL, piece));
            }
        }
        node.work(outbox)?;
        outbox.repeat_latched()?;
        let due = node
            .journal
            .as_mut()
            .and_then(|pieces| pieces.due(node.now_ns));
        due.map_or(Ok(()), |piece| outbox.send(JOURNAL, piece))?;
    }
}

/// The episode and the keypoint generation in it.
type Grounding = (EpisodeId, u32);

struct Node<'a> {
    settings: &'a Settings,
    kept: Option<&'a Kept>,
    /// Who is asked, such as `openai/gpt-5-mini`.
    author: String,
    is_embedded: bool,
    writing: Writing,
    /// The way out of what is told to the desk, where there is one.
    journal: Option<Pieces>,
    /// The clock, as it was when the loop last looked at it.
    now_ns: u64,
    advising: Option<Advising>,
    streams: Streams,
    reader: ImageReader,
    /// The episode under way.
    episode: Option<Episode>,
    /// What programs must be compiled for.
    contract: Option<ProgramContract>,
    /// What keeps a program from being begun.
    waiting: Waiting,
    /// The newest annotated image.
    annotated: Option<ImageInput>,
    /// What the camera saw last.
    seen: Option<RgbImage>,
    latest: Option<Keypoints>,
    /// What a program was last begun for: the grounding, and what it was to be compiled for.
    begun: Option<(Grounding, CompileOptions)>,
    program: Option<RewardProgram>,
    /// What one like this node had written when it ended.
    predecessor: Option<RewardProgram>,
    query: Option<StageQuery>,
    /// How often it was told that a program is still being waited for.
    waits_told: u32,
    /// Programs that were numbered, sound or not.
    programs_numbered: u64,
    proposals: Proposals,
}

#[derive(Default)]
struct Streams {
    keypoints: Stream<Keypoints>,
    queries: Stream<StageQuery>,
    stages: Stream<StageCommand>,
    episodes: Stream<Episode>,
    contracts: Stream<ProgramContract>,
    approvals: Stream<Approval>,
}

impl<'a> Node<'a> {
    fn new(setup: &'a Setup, outbox: &Outbox) -> Result<Self> {
        let Setup {
            settings,
            client,
            prompts,
            embedded,
            ..
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
        let journal = match settings.journal && outbox.declares(JOURNAL) {
            true => Some(Pieces::new(&header(setup, &author, outbox))?),
            false => None,
        };
        let (recorder, journal) = journal.unzip();
        let desk = Desk::new(
            prompts.clone(),
            settings.policy,
            author.clone(),
            embedded.clone(),
        );
        let writing = Writing::start(client.clone(), desk, recorder, limits)?;
        let advising = settings
            .advice
            .then(|| Advising::start(client.clone(), prompts.clone(), limits.question));
        Ok(Self {
            settings,
            is_embedded: author == "embedded",
            author,
            writing,
            journal,
            now_ns: 0,
            advising: advising.transpose()?,
            streams: Streams::default(),
            reader: ImageReader::new(),
            episode: None,
            contract: None,
            waiting: Waiting::default(),
            annotated: None,
            seen: None,
            latest: None,
            begun: None,
            program: None,
            predecessor: setup.kept.as_ref().and_then(Kept::read),
            kept: setup.kept.as_ref(),
            query: None,
            waits_told: 0,
            programs_numbered: 0,
            proposals: Proposals::new(settings.approval),
        })
    }

    fn is_waiting(&self) -> bool {
        let advice = self.advising.as_ref().is_some_and(Advising::is_under_way);
        self.writing.is_under_way() || advice
    }

    fn take(&mut self, input: &Input, outbox: &mut Outbox) -> Result<()> {
        let streams = &mut self.streams;
        match input.id.as_str() {
            "annotated_image" => {
                let image = read_image(&mut self.reader, input);
                if let Some(image) = outbox.accept(image.map(Some))? {
                    self.annotated = Some(image);
                }
            }
            "image" if self.advising.is_some() => {
                let seen = read_image(&mut self.reader, input).and_then(|image| {
                    frame(&image).map_err(|error| Refused::new(&input.id, format!("{error:#}")))
                });
                if let Some(seen) = outbox.accept(seen.map(Some))? {
                    self.seen = Some(seen);
                }
            }
            "keypoints" => {
                if let Some(keypoints) = outbox.accept(streams.keypoints.read(input))? {
                    self.latest = Some(keypoints);
                }
            }
            "stage" => {
                if let Some(command) = outbox.accept(streams.stages.read(input))?
                    && let Some(advising) = &mut self.advising
                {
                    advising.on_stage(&command);
                }
            }
            "stage_query" => {
                if let Some(query) = outbox.accept(streams.queries.read(input))? {
                    self.query = Some(query);
                }
            }
            "episode" => {
                if let Some(episode) = outbox.accept(streams.episodes.read(input))? {
                    self.on_episode(episode, outbox)?;
                }
            }
            "program_contract" => {
                if let Some(contract) = outbox.accept(streams.contracts.read(input))? {
                    self.contract = Some(contract);
                }
            }
            APPROVAL => {
                if let Some(approval) = outbox.accept(streams.approvals.read(input))? {
                    self.on_approval(approval, outbox)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What was written, or is being written, for the episode before is void.
    fn on_episode(&mut self, mut episode: Episode, outbox: &mut Outbox) -> Result<()> {
        let under_way = self.episode.as_ref().map(|old| old.id).unwrap_or_default();
        if episode.id < under_way {
            let reason = format!("id: expected above {under_way}, found {}", episode.id);
            return outbox.refuse(&Refused::new("episode", reason));
        }
        if episode.id == under_way && self.episode.is_some() {
            return Ok(());
        }
        if self.writing.is_under_way() {
            self.writing.give_up(self.now_ns)?;
            let text = format!(
                "{} begins: what `{}` was asked for the one before is void",
                episode.id, self.author
            );
            outbox.tell(Level::Info, "given_up", text)?;
        }
        self.program = None;
        self.query = None;
        self.withdraw(outbox);
        episode.instruction = clip(&episode.instruction, MAX_INSTRUCTION).into_owned();
        self.episode = Some(episode);
        Ok(())
    }

    /// Everything that can be done now.
    fn work(&mut self, outbox: &mut Outbox) -> Result<()> {
        self.go_on(outbox)?;
        let mut news = self.begin_if_due(outbox)?;
        loop {
            let event = match news {
                None => self.writing.poll(self.now_ns)?,
                news => news,
            };
            match event {
                None => break,
                Some(Event::Again { answers }) => {
                    let text = format!(
                        "answer {answers} of `{}` goes back with its mistakes, or with what is doubtful",
                        self.author
                    );
                    outbox.tell(Level::Info, "repair", text)?;
                }
                Some(Event::Done(finished)) => self.finish(*finished, outbox)?,
            }
            news = None;
        }
        self.tell_wait(outbox)?;
        self.tell_missing(outbox)?;
        self.advise(outbox)
    }

    /// What keeps a program from being begun, by the names of the inputs.
    fn missing(&self) -> Vec<&'static str> {
        let (episode, keypoints) = (self.episode.as_ref(), self.latest.as_ref());
        let picture_ns = self.annotated.as_ref().map(|image| image.header().stamp_ns);
        let id = episode.map(|episode| episode.id).unwrap_or_default();
        let begins_ns = episode.map_or(0, |episode| episode.stamp_ns);
        let is_there = [
            // Keypoints of a later one have come before it.
            (
                "episode",
                episode.is_some() && keypoints.is_none_or(|k| k.episode <= id),
            ),
            ("program_contract", self.contract.is_some()),
            (
                "annotated_image",
                picture_ns.is_some_and(|at| at >= begins_ns),
            ),
            (
                "keypoints",
                keypoints.is_some_and(|k| k.episode >= id && picture_ns <= Some(k.stamp_ns)),
            ),
        ];
        let missing = is_there.iter().filter(|(_, is_there)| !is_there);
        missing.map(|(name, _)| *name).collect()
    }

    /// Says what keeps a program from being written, within a second.
    fn tell_missing(&mut self, outbox: &mut Outbox) -> Result<()> {
        let missing = self.missing();
        match self.waiting.update(&missing, Instant::now()) {
            None => Ok(()),
            Some(missing) => {
                let missing = missing.join(", ");
                let text = format!("no program can be written: waiting for {missing}");
                outbox.tell(Level::Warning, "waiting", text)
            }
        }
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

    /// Goes on with the program that one like this node has written for the very same grounding.
    fn go_on(&mut self, outbox: &mut Outbox) -> Result<()> {
        let (Some(program), Some(keypoints), Some(episode), Some(contract)) = (
            &self.predecessor,
            &self.latest,
            &self.episode,
            &self.contract,
        ) else {
            return Ok(());
        };
        if keypoints.episode < episode.id {
            return Ok(());
        }
        let grounding = (keypoints.episode, keypoints.generation);
        let options = compile_options(contract, keypoints.names.len());
        let is_of_this = (program.episode, program.generation) == grounding
            && program.instruction == episode.instruction
            && program.points as usize == options.points;
        let program = self.predecessor.take();
        let Some(mut program) = program.filter(|_| is_of_this && self.begun.is_none()) else {
            return Ok(());
        };
        if let Err(refused) = compile(&program.text, &options) {
            tracing::info!(
                "a program is written anew: {}",
                refused.render(&program.text)
            );
            return Ok(());
        }
        (program.session, program.seq) = (0, 0);
        self.begun = Some((grounding, options));
        outbox.latch("reward_program", program.clone())?;
        self.show_approved(&program, outbox)?;
        let text = format!(
            "`{}`: goes on with {} by author `{}`",
            program.instruction, program.id, program.source
        );
        self.program = Some(program);
        outbox.tell(Level::Info, "program", text)
    }

    /// Begins when all that a program needs is there, for a new grounding or another contract.
    fn begin_if_due(&mut self, outbox: &mut Outbox) -> Result<Option<Event>> {
        let (Some(annotated), Some(keypoints), Some(episode), Some(contract)) =
            (&self.annotated, &self.latest, &self.episode, &self.contract)
        else {
            return Ok(None);
        };
        let grounding = (keypoints.episode, keypoints.generation);
        let options = compile_options(contract, keypoints.names.len());
        let is_begun = self.begun.is_some_and(|(begun, compiled_for)| {
            let CompileOptions { points, hand, .. } = compiled_for;
            grounding <= begun && (points, hand) == (options.points, options.hand)
        });
        if is_begun || !self.missing().is_empty() {
            return Ok(None);
        }
        // The embedded author has no eyes.
        let picture = match self.is_embedded {
            true => None,
            false => frame(annotated)
                .and_then(|frame| Ok(encode(&frame)?))
                .inspect_err(no_picture)
                .ok(),
        };
        let commission = Commission {
            id: number(&mut self.programs_numbered, outbox),
            episode: episode.clone(),
            keypoints: keypoints.clone(),
            contract: contract.clone(),
            picture_ns: picture.as_ref().map(|_| annotated.header().stamp_ns),
        };
        self.begun = Some((grounding, options));
        self.waits_told = 0;
        self.withdraw(outbox);
        if !self.is_embedded {
            let text = format!(
                "`{}` is asked for a program, for {:.0} s at most; the robot stands still meanwhile",
                self.author,
                self.settings.program_timeout.as_secs_f64()
            );
            outbox.tell(Level::Info, "asking", text)?;
        }
        self.writing.begin(commission, picture, self.now_ns)
    }

    fn advise(&mut self, outbox: &mut Outbox) -> Result<()> {
        if let Some(query) = self.query.take() {
            self.ask_for_advice(query, outbox)?;
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
            let text = format!("stage {}: {}", advice.stage, advice.reason);
            let message = StageAdvice {
                program: ProgramId(advice.moment.program),
                visit: advice.moment.visit,
                stage: advice.stage,
                reason: advice.reason,
                ..Default::default()
            };
            outbox.send("stage_advice", message)?;
            outbox.tell(Level::Info, "advice", text)?;
        }
        Ok(())
    }

    fn ask_for_advice(&mut self, query: StageQuery, outbox: &mut Outbox) -> Result<()> {
        let (Some(advising), Some(program), Some(keypoints)) =
            (&mut self.advising, &self.program, &self.latest)
        else {
            // Without a model that sees, the switcher decides alone.
            tracing::debug!("no advice on stage {}: {}", query.stage, query.reason);
            return Ok(());
        };
        if query.program != program.id {
            let (expected, found) = (program.id, query.program);
            let text = format!("no advice: expected a query about {expected}, found {found}");
            return outbox.tell(Level::Info, "query_void", text);
        }
        if program.num_stages < 2 {
            tracing::debug!("there is no other stage to advise");
            return Ok(());
        }
        let scene = Scene {
            program: program.id.0,
            instruction: program.instruction.clone(),
            stages: program.descriptions.clone(),
            keypoints: scene(keypoints),
            picture: self.seen.as_ref().and_then(|seen| {
                let picture = encode(seen).map_err(Into::into);
                picture.inspect_err(no_picture).ok()
            }),
        };
        advising.ask(query, scene);
        Ok(())
    }
}

/// A picture in colour.
fn read_image(reader: &mut ImageReader, input: &Input) -> Result<ImageInput, Refused> {
    let image = reader.read(&input.metadata, &input.data);
    image
        .and_then(|image| image.rgb().map(|_| ()).map(|()| image))
        .map_err(|error| Refused::new(&input.id, error))
}

/// A picture that cannot be sent is done without: the words say where everything is.
fn no_picture(error: &eyre::Report) {
    tracing::warn!("the model gets no picture: {error:#}");
}

/// What the journal begins with.
fn header(setup: &Setup, author: &str, outbox: &Outbox) -> Header {
    let policy = setup.settings.policy;
    Header {
        software: env!("CARGO_PKG_VERSION").to_owned(),
        machine: Machine::Author(Box::new(AuthorHeader {
            world: setup.world.to_owned(),
            source: author.to_owned(),
            max_repairs: policy.max_repairs,
            fallback: policy.fallback.name().to_owned(),
            prompt_dir: setup.prompt_dir.clone(),
            prompts_sha256: setup.prompts.sha256(),
            scene_notes: setup.prompts.scene_notes().to_owned(),
            pictures: outbox.source_of("annotated_image").to_owned(),
        })),
    }
}

#[cfg(test)]
mod tests;
