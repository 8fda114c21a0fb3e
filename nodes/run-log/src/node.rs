//! The node's loop.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use eyre::{Result, WrapErr};
use tiller_core::file::{read_regular, write_whole};
use tiller_core::{EpisodeId, SECOND_NS, StampFilter, visible_json};
use tiller_messages::{
    ActionChunk, ArmState, Episode, ExecutionState, ImageHeader, Keypoints, Progress,
    RewardProgram, SafetyEvent, StageCommand, Status, TaskStatus,
};
use tiller_node_kit::{End, ImageInput, ImageReader, Inbox, Input, Next, Outbox, Refused, Stream};
use tiller_report::live::{Ended, LIVE_FILE, Live};
use tiller_report::{Decision, Outcome, Picture, Recorder, RunInfo, Sample};

use crate::cadence::CadenceTally;
use crate::config::Settings;
use crate::latency::LatencyTally;
use crate::live::{Frames, View};
use crate::motion::MotionTally;
use crate::outcome::{Ending, EpisodeEntry, Notices, RunSummary, Verdict};

/// The world's last word ends the run; whatever else ends before is a part of it.
pub(crate) const ESSENTIAL: &[&str] = &["task_status"];

const INPUTS: &[&str] = &[
    "image",
    "wrist_image",
    "annotated_image",
    "keypoints",
    "reward_program",
    "stage",
    "progress",
    "task_status",
    "episode",
    "arm_state",
    "execution_state",
    "action_chunk",
    "safety_event",
    // Each node that speaks has an input of its own.
    "*status",
];

/// How far a stamp may lie after the arm's clock, and before it, ns. What lies elsewhere would spoil
/// plots, pictures and latencies.
const AHEAD_NS: u64 = SECOND_NS;
const BEHIND_NS: u64 = 10 * SECOND_NS;

/// How long a failure may take to be heard of after the run has ended without an explanation.
const FAILURE_LIMIT: Duration = Duration::from_secs(3);

/// How often the summary is written while the run goes on: who kills this node finds it.
const SUMMARY_PERIOD: Duration = Duration::from_secs(1);

/// Name of the summary in the run's folder, and the longest that is read, bytes.
const SUMMARY_FILE: &str = "summary.json";
const MOST_SUMMARY: u64 = 16 << 20;

/// How often what is to be watched is written.
const LIVE_PERIOD: Duration = Duration::from_millis(500);

/// Records until the simulator ends, then writes the report.
///
/// A summary is written for every run, also for one that ended before anything happened, and again
/// and again while the run goes on.
pub(crate) fn run(settings: &Settings, inbox: &mut Inbox, outbox: &mut Outbox) -> Result<()> {
    outbox.check_inputs(INPUTS)?;
    let mut log = Log::new(settings, outbox.sources());
    if outbox.restarts() > 0 {
        log.take_over(settings, outbox);
    }
    let recorded = record(&mut log, settings, inbox, outbox);
    if let Err(error) = &recorded {
        log.ending.on_failure(format!("{error:#}"));
    }
    log.write(settings)?;
    log.write_live(settings, true);
    recorded
}

fn record(
    log: &mut Log,
    settings: &Settings,
    inbox: &mut Inbox,
    outbox: &mut Outbox,
) -> Result<()> {
    let mut written = Instant::now();
    let mut shown = Instant::now();
    log.write_live(settings, false);
    loop {
        let next = inbox.wait_at_most(LIVE_PERIOD);
        for failure in inbox.failures() {
            log.ending.on_failure(failure.to_string());
        }
        for node in inbox.take_restarted() {
            tracing::warn!("node `{node}` is started anew");
            log.notices.on_restart(&node, 1);
        }
        match next {
            Next::Input(input) => {
                let taken = log.take(&input);
                let lost = log.streams.lost(&input.id);
                log.view.on_message(&input.id, lost, taken.is_err());
                if let Err(refused) = taken {
                    log.notices.on_refusal(&refused.input);
                    outbox.refuse(&refused)?;
                }
            }
            Next::Idle | Next::Ended(_) => {}
            Next::End(end) => {
                if end == End::Stopped {
                    log.ending.on_stop();
                }
                break;
            }
        }
        if written.elapsed() >= SUMMARY_PERIOD {
            log.write_summary(settings)?;
            written = Instant::now();
        }
        if shown.elapsed() >= LIVE_PERIOD {
            log.write_live(settings, false);
            shown = Instant::now();
        }
    }
    if !log.ending.is_explained() {
        inbox.learn_of_failures(FAILURE_LIMIT);
        for failure in inbox.failures() {
            log.ending.on_failure(failure.to_string());
        }
    }
    Ok(())
}

struct Log {
    recorder: Recorder,
    info: RunInfo,
    /// The episode under way.
    episode: Option<EpisodeId>,
    /// Those before it.
    episodes: Vec<EpisodeEntry>,
    /// The world's word of an episode that has not been heard of.
    early: Option<TaskStatus>,
    ending: Ending,
    motion: MotionTally,
    cadence: CadenceTally,
    latency: LatencyTally,
    notices: Notices,
    view: View,
    /// The live file could not be written, which is told once.
    is_unwatched: bool,
    streams: Streams,
    reader: ImageReader,
    /// The arm's clock.
    clock: StampFilter,
    /// What one like this node had written of the run.
    before: Option<serde_json::Value>,
}

#[derive(Default)]
struct Streams {
    images: Frames,
    wrist_images: Frames,
    annotated_images: Frames,
    keypoints: Stream<Keypoints>,
    programs: Stream<RewardProgram>,
    stages: Stream<StageCommand>,
    progress: Stream<Progress>,
    tasks: Stream<TaskStatus>,
    episodes: Stream<Episode>,
    /// By input: each node that speaks has an input of its own.
    statuses: BTreeMap<String, Stream<Status>>,
    states: Stream<ArmState>,
    executions: Stream<ExecutionState>,
    chunks: Stream<ActionChunk>,
    safety: Stream<SafetyEvent>,
}

impl Streams {
    /// Messages of an input that never came.
    fn lost(&self, input: &str) -> u64 {
        match input {
            "image" => self.images.lost(),
            "wrist_image" => self.wrist_images.lost(),
            "annotated_image" => self.annotated_images.lost(),
            "keypoints" => self.keypoints.lost(),
            "reward_program" => self.programs.lost(),
            "stage" => self.stages.lost(),
            "progress" => self.progress.lost(),
            "task_status" => self.tasks.lost(),
            "episode" => self.episodes.lost(),
            "arm_state" => self.states.lost(),
            "execution_state" => self.executions.lost(),
            "action_chunk" => self.chunks.lost(),
            "safety_event" => self.safety.lost(),
            status => self.statuses.get(status).map_or(0, Stream::lost),
        }
    }
}

impl Log {
    fn new(settings: &Settings, sources: Vec<(String, String)>) -> Self {
        Self {
            recorder: Recorder::new(settings.info.clone()),
            info: settings.info.clone(),
            episode: None,
            episodes: Vec::new(),
            early: None,
            ending: Ending::default(),
            motion: MotionTally::default(),
            cadence: CadenceTally::default(),
            latency: LatencyTally::default(),
            notices: Notices::default(),
            view: View::new(sources),
            is_unwatched: false,
            streams: Streams::default(),
            reader: ImageReader::new(),
            clock: StampFilter::default(),
            before: None,
        }
    }

    /// Keeps what one like this node had written of the run before it was killed.
    fn take_over(&mut self, settings: &Settings, outbox: &Outbox) {
        let times = u64::from(outbox.restarts());
        self.notices.on_restart(outbox.node_id(), times);
        let text = read_regular(&settings.folder.join(SUMMARY_FILE), MOST_SUMMARY);
        self.before = text
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok());
    }

    /// Refuses a stamp that cannot be right by the arm's clock.
    fn check_stamp(&self, input: &str, stamp_ns: u64) -> Result<(), Refused> {
        let Some(arm_ns) = self.clock.last_ns() else {
            return Ok(());
        };
        let allowed = arm_ns.saturating_sub(BEHIND_NS)..=arm_ns.saturating_add(AHEAD_NS);
        if allowed.contains(&stamp_ns) {
            return Ok(());
        }
        let reason = format!(
            "stamp_ns: expected {} to {} by the arm's clock, found {stamp_ns}",
            allowed.start(),
            allowed.end()
        );
        Err(Refused::new(input, reason))
    }

    fn take(&mut self, input: &Input) -> Result<(), Refused> {
        let sent = || input.metadata.timestamp().get_time().to_duration();
        let streams = &mut self.streams;
        match input.id.as_str() {
            "image" => {
                let image = read_image(&mut self.reader, input)?;
                let ImageHeader { seq, stamp_ns, .. } = *image.header();
                streams.images.on_frame(seq);
                self.check_stamp(&input.id, stamp_ns)?;
                self.latency.on_picture(stamp_ns, sent());
                let picture = picture(&image).map_err(|error| Refused::new(&input.id, error))?;
                self.recorder.add_frame(stamp_ns, picture);
            }
            "wrist_image" => {
                let image = read_image(&mut self.reader, input)?;
                // Nothing but a colour picture counts.
                picture(&image).map_err(|error| Refused::new(&input.id, error))?;
                streams.wrist_images.on_frame(image.header().seq);
            }
            "keypoints" => {
                if let Some(keypoints) = streams.keypoints.read(input)? {
                    self.check_stamp(&input.id, keypoints.stamp_ns)?;
                    self.latency.on_keypoints(&keypoints, sent());
                }
            }
            "annotated_image" => {
                let image = read_image(&mut self.reader, input)?;
                streams.annotated_images.on_frame(image.header().seq);
                let picture = picture(&image).map_err(|error| Refused::new(&input.id, error))?;
                self.recorder.set_annotated(picture);
            }
            "reward_program" => {
                if let Some(program) = streams.programs.read(input)? {
                    self.view.on_program(&program);
                    self.recorder.set_program(
                        &program.text,
                        &program.source,
                        &program.descriptions,
                    );
                }
            }
            "stage" => {
                if let Some(command) = streams.stages.read(input)? {
                    self.check_stamp(&input.id, command.stamp_ns)?;
                    self.recorder.add_decision(Decision::from(&command));
                    self.view.on_stage(command);
                }
            }
            "progress" => {
                if let Some(progress) = streams.progress.read(input)? {
                    self.check_stamp(&input.id, progress.stamp_ns)?;
                    self.recorder.add_sample(Sample::from(&progress));
                    self.view.on_progress(progress);
                }
            }
            "task_status" => {
                if let Some(status) = streams.tasks.read(input)? {
                    self.on_task(status);
                }
            }
            "episode" => {
                if let Some(episode) = streams.episodes.read(input)? {
                    self.begin_episode(&episode);
                }
            }
            "arm_state" => {
                if let Some(state) = streams.states.read(input)? {
                    if !self.clock.accept(state.stamp_ns) {
                        let reason = self.clock.complaint("stamp_ns", state.stamp_ns);
                        return Err(Refused::new(&input.id, reason));
                    }
                    self.cadence.on_state(state.episode, state.stamp_ns, sent());
                }
            }
            "execution_state" => {
                if let Some(state) = streams.executions.read(input)? {
                    self.check_stamp(&input.id, state.stamp_ns)?;
                    self.motion.on_state(&state);
                    self.view.on_execution(&state);
                    self.latency.on_execution(&state, sent());
                }
            }
            "action_chunk" => {
                if let Some(chunk) = streams.chunks.read(input)? {
                    self.check_stamp(&input.id, chunk.stamp_ns)?;
                    self.latency.on_chunk(&chunk, sent());
                }
            }
            "safety_event" => {
                if let Some(event) = streams.safety.read(input)? {
                    tracing::debug!("{}: {}", event.kind, event.text);
                    self.notices.on_event(&event);
                    self.view.on_event(event);
                }
            }
            status if status.ends_with("status") => {
                let stream = streams.statuses.entry(status.to_owned()).or_default();
                if let Some(status) = stream.read(input)? {
                    tracing::debug!("{}: {}: {}", status.node, status.code, status.text);
                    self.ending.on_status(&status);
                    self.notices.on_status(&status);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The world's word belongs to its own episode: dora keeps the order within an input, not between
    /// two, so a verdict may come after the next episode, and a first word before it.
    fn on_task(&mut self, status: TaskStatus) {
        if self.episode.is_none_or(|episode| episode == status.episode) {
            return self.ending.on_task(status);
        }
        let mut ended = self.episodes.iter_mut().rev();
        match ended.find(|entry| entry.id == status.episode) {
            Some(entry) => entry.on_late_word(&status),
            None => self.early = Some(status),
        }
    }

    /// Pictures and numbers are of the newest episode; of those before, how they ended is kept.
    fn begin_episode(&mut self, episode: &Episode) {
        if self.episode == Some(episode.id) {
            return;
        }
        if let Some(id) = self.episode.replace(episode.id) {
            let (verdict, reason) = self.ending.verdict(&self.notices);
            self.episodes.push(EpisodeEntry {
                id,
                instruction: self.info.instruction.clone(),
                seed: self.info.seed,
                outcome: verdict,
                reason,
            });
            self.ending.on_episode();
            self.view.on_episode();
        }
        if let Some(early) = self.early.take_if(|early| early.episode == episode.id) {
            self.ending.on_task(early);
        }
        self.info.instruction.clone_from(&episode.instruction);
        self.info.seed = episode.seed;
        if self.episodes.is_empty() {
            self.recorder
                .set_instruction(&episode.instruction, episode.seed);
        } else {
            self.recorder = Recorder::new(self.info.clone());
        }
    }

    fn write(&self, settings: &Settings) -> Result<()> {
        let (verdict, reason) = self.ending.verdict(&self.notices);
        let folder = &settings.folder;
        let what = || format!("cannot write the report to `{}`", folder.display());
        let summary = self
            .recorder
            .write(folder, &self.outcome(verdict, &reason))
            .wrap_err_with(what)?;
        self.put_summary(settings, verdict, summary)?;
        tracing::info!("{verdict:?}: {reason}; report in {}", folder.display());
        Ok(())
    }

    /// The summary as it stands, without pictures.
    fn write_summary(&self, settings: &Settings) -> Result<()> {
        let (verdict, reason) = self.ending.verdict_so_far(&self.notices);
        let summary = self.recorder.summary(&self.outcome(verdict, &reason));
        self.put_summary(settings, verdict, summary)
    }

    /// The run as it stands, for whoever watches; that nobody can is no reason to end it.
    fn write_live(&mut self, settings: &Settings, has_ended: bool) {
        let path = settings.folder.join(LIVE_FILE);
        let written = serde_json::to_string(&self.live(has_ended))
            .map_err(eyre::Report::from)
            .and_then(|text| {
                fs::create_dir_all(&settings.folder)?;
                Ok(write_whole(&path, visible_json(&text).as_bytes())?)
            });
        if let Err(error) = written
            && !std::mem::replace(&mut self.is_unwatched, true)
        {
            let path = path.display();
            tracing::warn!("the run cannot be watched: cannot write `{path}`: {error:#}");
        }
    }

    fn live(&self, has_ended: bool) -> Live {
        let (verdict, reason) = self.ending.verdict(&self.notices);
        let (outcome, reason) = match has_ended || self.ending.is_explained() {
            true => (verdict.as_str().to_owned(), reason),
            false => ("running".to_owned(), String::new()),
        };
        let succeeded = |entry: &&EpisodeEntry| entry.outcome == Verdict::Success;
        let mut live = self.view.live();
        live.safety.counts = self.notices.safety();
        Live {
            ended: has_ended.then(|| Ended {
                outcome: outcome.clone(),
                reason: reason.clone(),
            }),
            instruction: self.info.instruction.clone(),
            policy: self.info.policy.clone(),
            steered: self.info.steered,
            seed: self.info.seed,
            episodes_over: self.episodes.len(),
            successes: self.episodes.iter().filter(succeeded).count(),
            outcome,
            reason,
            arm: self
                .view
                .arm(&self.motion.motion(), &self.cadence.cadence()),
            warnings: self.notices.warnings(),
            waiting_for: self.notices.waiting_for(),
            robot: self.notices.robot(),
            hops: self.latency.hops(),
            ..live
        }
    }

    fn outcome(&self, verdict: Verdict, reason: &str) -> Outcome {
        Outcome {
            success: verdict == Verdict::Success,
            reason: reason.to_owned(),
            completed: self.ending.completed(),
        }
    }

    fn put_summary(
        &self,
        settings: &Settings,
        verdict: Verdict,
        summary: tiller_report::Summary,
    ) -> Result<()> {
        let folder = &settings.folder;
        let what = || format!("cannot write the summary to `{}`", folder.display());
        let summary = RunSummary {
            outcome: verdict,
            task: self.ending.task(),
            collateral: self.ending.collateral(),
            waiting_for: self.notices.waiting_for(),
            waited: self.notices.waited(),
            robot: self.notices.robot(),
            motion: self.motion.motion(),
            control: self.cadence.cadence(),
            latencies: self.latency.latencies(),
            notices: self.notices.clone(),
            before_restart: self.before.clone(),
            episodes: self.episodes.clone(),
            summary,
        };
        let text = serde_json::to_string_pretty(&summary).wrap_err_with(what)?;
        fs::create_dir_all(folder).wrap_err_with(what)?;
        // Whoever reads it meanwhile finds the old one or the new one, whole.
        let path = folder.join(SUMMARY_FILE);
        let text = format!("{}\n", visible_json(&text));
        write_whole(&path, text.as_bytes()).wrap_err_with(what)
    }
}

fn read_image(reader: &mut ImageReader, input: &Input) -> Result<ImageInput, Refused> {
    reader
        .read(&input.metadata, &input.data)
        .map_err(|error| Refused::new(&input.id, error))
}

fn picture(image: &ImageInput) -> Result<Picture<'_>> {
    let ImageHeader { width, height, .. } = *image.header();
    let side = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(Picture::new(image.rgb()?, side(width), side(height))?)
}

#[cfg(test)]
mod tests;
