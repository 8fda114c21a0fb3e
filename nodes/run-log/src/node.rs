//! The node's loop.

use std::fs;
use std::time::Duration;

use eyre::{Result, WrapErr};
use tiller_messages::{
    ImageHeader, Progress, RewardProgram, RobotState, SafetyEvent, StageCommand, Status, TaskStatus,
};
use tiller_node_kit::{ImageInput, Inbox, Input, Next, Outbox, Stream};
use tiller_report::{Decision, Outcome, Picture, Recorder, Sample};

use crate::cadence::CadenceTally;
use crate::config::Settings;
use crate::motion::MotionTally;
use crate::outcome::{Ending, Notices, RunSummary, Verdict};

/// The simulator's last word ends the run; whatever else ends before is a part of it.
pub(crate) const ESSENTIAL: &[&str] = &["task_status"];

/// How long a failure may take to be heard of after the run has ended without an explanation.
const FAILURE_LIMIT: Duration = Duration::from_secs(3);

/// Records until the simulator ends, then writes the report.
///
/// A summary is written for every run, also for one that ended before anything happened.
pub(crate) fn run(settings: &Settings, inbox: &mut Inbox, _: &mut Outbox) -> Result<()> {
    let mut log = Log::new(settings);
    let recorded = record(&mut log, inbox);
    if let Err(error) = &recorded {
        log.ending.on_failure(format!("{error:#}"));
    }
    log.write(settings)?;
    recorded
}

fn record(log: &mut Log, inbox: &mut Inbox) -> Result<()> {
    loop {
        let next = inbox.wait();
        for failure in inbox.failures() {
            log.ending.on_failure(failure.to_string());
        }
        match next {
            Next::Input(input) => log.take(input)?,
            Next::Idle | Next::Ended(_) => {}
            Next::End(_) => break,
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
    ending: Ending,
    motion: MotionTally,
    cadence: CadenceTally,
    notices: Notices,
    programs: Stream<RewardProgram>,
    stages: Stream<StageCommand>,
    progress: Stream<Progress>,
    tasks: Stream<TaskStatus>,
    statuses: Stream<Status>,
    sampler_statuses: Stream<Status>,
    grounding_statuses: Stream<Status>,
    states: Stream<RobotState>,
    safety: Stream<SafetyEvent>,
}

impl Log {
    fn new(settings: &Settings) -> Self {
        Self {
            recorder: Recorder::new(settings.info.clone()),
            ending: Ending::default(),
            motion: MotionTally::default(),
            cadence: CadenceTally::default(),
            notices: Notices::default(),
            programs: Stream::new("reward_program"),
            stages: Stream::new("stage"),
            progress: Stream::new("progress"),
            tasks: Stream::new("task_status"),
            statuses: Stream::new("status"),
            sampler_statuses: Stream::new("sampler_status"),
            grounding_statuses: Stream::new("grounding_status"),
            states: Stream::new("robot_state"),
            safety: Stream::new("safety_event"),
        }
    }

    fn take(&mut self, input: Input) -> Result<()> {
        match input.id.as_str() {
            "image" => {
                let image = read_image(input)?;
                self.recorder
                    .add_frame(image.header().stamp_ns, picture(&image)?);
            }
            "annotated_image" => self.recorder.set_annotated(picture(&read_image(input)?)?),
            "reward_program" => {
                if let Some(program) = self.programs.read(&input.data)? {
                    self.recorder.set_program(
                        &program.text,
                        &program.source,
                        &program.descriptions,
                    );
                }
            }
            "stage" => {
                if let Some(command) = self.stages.read(&input.data)? {
                    self.recorder.add_decision(decision(command));
                }
            }
            "progress" => {
                if let Some(progress) = self.progress.read(&input.data)? {
                    self.recorder.add_sample(sample(&progress));
                }
            }
            "task_status" => {
                if let Some(status) = self.tasks.read(&input.data)? {
                    self.ending.on_task(status);
                }
            }
            "status" => {
                if let Some(status) = self.statuses.read(&input.data)? {
                    self.ending.on_status(&status);
                    self.notices.on_status(&status);
                }
            }
            "sampler_status" => {
                if let Some(status) = self.sampler_statuses.read(&input.data)? {
                    // A node that gives up says why once more as it fails.
                    self.notices.on_status(&status);
                }
            }
            "grounding_status" => {
                if let Some(status) = self.grounding_statuses.read(&input.data)? {
                    self.notices.on_status(&status);
                }
            }
            "robot_state" => {
                if let Some(state) = self.states.read(&input.data)? {
                    self.motion.on_state(&state);
                    let sent = input.metadata.timestamp().get_time().to_duration();
                    self.cadence.on_state(state.stamp_ns, sent);
                }
            }
            "safety_event" => {
                if let Some(event) = self.safety.read(&input.data)? {
                    tracing::info!("{}: {}", event.kind, event.text);
                    self.notices.on_event(&event);
                }
            }
            other => tracing::warn!("input `{other}` is unknown"),
        }
        Ok(())
    }

    fn write(&self, settings: &Settings) -> Result<()> {
        let folder = &settings.folder;
        let (verdict, reason) = self.ending.verdict();
        let outcome = Outcome {
            success: verdict == Verdict::Success,
            reason: reason.clone(),
            completed: self.ending.completed(),
        };
        let what = || format!("cannot write the report to `{}`", folder.display());
        let summary = self.recorder.write(folder, &outcome).wrap_err_with(what)?;
        let summary = RunSummary {
            outcome: verdict,
            task: self.ending.task(),
            motion: self.motion.motion(),
            control: self.cadence.cadence(),
            notices: self.notices.clone(),
            summary,
        };
        let text = serde_json::to_string_pretty(&summary).wrap_err_with(what)?;
        fs::write(folder.join("summary.json"), text + "\n").wrap_err_with(what)?;
        tracing::info!("{verdict:?}: {reason}; report in {}", folder.display());
        Ok(())
    }
}

fn read_image(input: Input) -> Result<ImageInput> {
    ImageInput::read(&input.metadata, input.data)
        .wrap_err_with(|| format!("cannot read input `{}`", input.id))
}

fn picture(image: &ImageInput) -> Result<Picture<'_>> {
    let ImageHeader { width, height, .. } = *image.header();
    let side = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(Picture::new(image.rgb()?, side(width), side(height))?)
}

fn decision(command: StageCommand) -> Decision {
    let StageCommand {
        stamp_ns,
        stage,
        kind,
        reason,
        ..
    } = command;
    Decision {
        stamp_ns,
        stage,
        kind,
        reason,
    }
}

fn sample(progress: &Progress) -> Sample {
    Sample {
        stamp_ns: progress.stamp_ns,
        stage: progress.stage,
        planned: progress.planned,
        achieved: progress.achieved,
        done: progress.done,
        strength: progress.guidance_strength,
        reward: progress.reward,
    }
}

#[cfg(test)]
mod tests;
