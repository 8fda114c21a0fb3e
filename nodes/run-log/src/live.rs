//! The run as it stands: `live.json`, for whoever looks.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tiller_core::ProgramId;
use tiller_messages::{
    ExecutionMode, ExecutionState, Progress, RewardProgram, SafetyEvent, StageCommand,
};
use tiller_report::live::{self, Live, Port, PortTally, Safety, SafetyLast, Stage};

use crate::cadence::Cadence;
use crate::motion::Motion;

/// What is kept of the run for it, beside what the summary keeps.
pub(crate) struct View {
    started: Instant,
    /// By input; the name is that of node and output.
    ports: BTreeMap<String, (String, PortTally)>,
    /// The program's stages, by name.
    program: Option<(ProgramId, Vec<String>)>,
    stage: Option<StageCommand>,
    progress: Option<Progress>,
    mode: Option<ExecutionMode>,
    safety: Option<(SafetyEvent, Instant)>,
}

/// Whether messages of an input come only when there is something to say.
fn is_irregular(input: &str) -> bool {
    input == "safety_event" || (input.ends_with("status") && input != "task_status")
}

impl View {
    /// Listens to these inputs, each with node and output that it comes from.
    pub(crate) fn new(inputs: impl IntoIterator<Item = (String, String)>) -> Self {
        let port = |(input, source): (String, String)| {
            let tally = match is_irregular(&input) {
                true => PortTally::irregular(),
                false => PortTally::default(),
            };
            // dora calls the operator of a node that has one so.
            (input, (source.replacen("/op/", "/", 1), tally))
        };
        Self {
            started: Instant::now(),
            ports: inputs.into_iter().map(port).collect(),
            program: None,
            stage: None,
            progress: None,
            mode: None,
            safety: None,
        }
    }

    /// A message came by this input, of which so many have never come.
    pub(crate) fn on_message(&mut self, input: &str, lost: u64, is_refused: bool) {
        let Some((_, tally)) = self.ports.get_mut(input) else {
            return;
        };
        tally.on_message(self.started.elapsed());
        tally.set_lost(lost);
        if is_refused {
            tally.on_refusal();
        }
    }

    pub(crate) fn on_program(&mut self, program: &RewardProgram) {
        self.program = Some((program.id, program.descriptions.clone()));
    }

    pub(crate) fn on_stage(&mut self, stage: StageCommand) {
        self.stage = Some(stage);
    }

    pub(crate) fn on_progress(&mut self, progress: Progress) {
        self.progress = Some(progress);
    }

    pub(crate) fn on_execution(&mut self, state: &ExecutionState) {
        self.mode = Some(state.mode);
    }

    pub(crate) fn on_event(&mut self, event: SafetyEvent) {
        self.safety = Some((event, Instant::now()));
    }

    /// Another episode: stage and progress of the one before say nothing of it.
    pub(crate) fn on_episode(&mut self) {
        self.stage = None;
        self.progress = None;
    }

    /// The part of a [`Live`] that is known here.
    pub(crate) fn live(&self) -> Live {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        let unix_ms = since_epoch.unwrap_or_default().as_millis();
        let running = self.started.elapsed();
        Live {
            schema: live::LIVE_SCHEMA,
            written_unix_ms: u64::try_from(unix_ms).unwrap_or(u64::MAX),
            running_s: running.as_secs_f64(),
            stage: self.stage.as_ref().map(|stage| self.stage(stage)),
            progress: self.progress.as_ref().map(|progress| live::Progress {
                achieved: progress.achieved,
                planned: progress.planned,
                reward: progress.reward,
                guidance_strength: progress.guidance_strength,
                ess: progress.ess,
            }),
            safety: Safety {
                counts: BTreeMap::new(),
                last: self.safety.as_ref().map(|(event, at)| SafetyLast {
                    kind: event.kind.clone(),
                    text: event.text.clone(),
                    age_s: at.elapsed().as_secs_f64(),
                }),
            },
            ports: self.ports(running),
            ..Default::default()
        }
    }

    fn stage(&self, command: &StageCommand) -> Stage {
        let program = self.program.as_ref();
        let names = program
            .filter(|(id, _)| *id == command.program)
            .map_or([].as_slice(), |(_, names)| names);
        let index = (command.stage as usize).checked_sub(1);
        let name = index.and_then(|index| names.get(index));
        Stage {
            stage: command.stage,
            of: names.len(),
            name: name.cloned().unwrap_or_default(),
            visit: command.visit,
            guidance: command.guidance,
            kind: command.kind.clone(),
            reason: command.reason.clone(),
        }
    }

    /// Every stream, by node and output.
    fn ports(&self, now: Duration) -> Vec<Port> {
        let ports = self.ports.values();
        let mut ports: Vec<_> = ports
            .map(|(source, tally)| tally.port(source, now))
            .collect();
        ports.sort_by(|a, b| a.name.cmp(&b.name));
        ports
    }

    /// What the arm is doing.
    pub(crate) fn arm(&self, motion: &Motion, cadence: &Cadence) -> live::Arm {
        live::Arm {
            mode: self.mode.map_or("", |mode| mode.as_str()).to_owned(),
            chunks: motion.chunks,
            holds: motion.rests,
            hold_s: motion.rest_s,
            states: cadence.states,
            missing: cadence.missing,
            longest_ms: cadence.period.longest_ms,
        }
    }
}

/// Frames that never came, by their numbers; a camera that does not count loses none here.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    last: u64,
    lost: u64,
}

impl Frames {
    /// Takes a frame's number, 0 from a camera that does not count.
    pub(crate) fn on_frame(&mut self, seq: u64) {
        // A smaller one is of a camera that was started anew.
        if self.last > 0 && seq > self.last {
            self.lost += seq - self.last - 1;
        }
        self.last = seq;
    }

    /// How many never came.
    pub(crate) fn lost(&self) -> u64 {
        self.lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_missed_by_their_numbers() {
        let lost = |numbers: &[u64]| {
            let mut frames = Frames::default();
            numbers.iter().for_each(|seq| frames.on_frame(*seq));
            frames.lost()
        };
        assert_eq!(lost(&[3, 4, 7, 8]), 2);
        assert_eq!(lost(&[900, 1, 2, 4]), 1, "started anew");
        assert_eq!(lost(&[0, 0, 0]), 0, "it does not count");
    }

    #[test]
    fn a_stage_has_its_name_from_its_own_program() {
        let mut view = View::new([]);
        let command = |program, stage| StageCommand {
            program: ProgramId(program),
            stage,
            ..Default::default()
        };
        view.on_program(&RewardProgram {
            id: ProgramId(3),
            descriptions: vec!["reach".to_owned(), "pull".to_owned()],
            ..Default::default()
        });
        view.on_stage(command(3, 2));
        let stage = view.live().stage.unwrap();
        assert_eq!((stage.name.as_str(), stage.of), ("pull", 2));
        view.on_stage(command(3, 0));
        assert_eq!(view.live().stage.unwrap().name, "");
        view.on_stage(command(4, 2));
        assert_eq!(view.live().stage.unwrap().of, 0);
        view.on_episode();
        assert_eq!(view.live().stage, None);
    }
}
