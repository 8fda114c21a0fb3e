//! Messages in, what the switcher's machine says out as messages.

use std::fs::File;
use std::io::BufWriter;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use tiller_closed_loop::journal::{self, Recorder};
use tiller_closed_loop::{Notice, Switcher, SwitcherEffect, SwitcherEvent};
use tiller_messages::{Arrival, Message, MessageError, SequenceCheck, Status};

use crate::settings::Settings;

/// Without programs there is nothing to decide, without states no clock.
pub(crate) const ESSENTIAL: &[&str] = &["arm_state", "progress"];

/// The node's name in statuses.
const NAME: &str = "stage-switcher";

/// How often refusals of one input are told: the first, and then one of so many.
const REFUSALS: u64 = 50;

/// An output's name and its data.
pub(crate) type Output = (&'static str, ArrayRef);

/// The machine with its inputs and outputs.
pub(crate) struct Ports {
    switcher: Switcher,
    session: u64,
    arrivals: Arrivals,
    statuses: u64,
    refused: u64,
    journal: Option<Recorder<BufWriter<File>>>,
    effects: Vec<SwitcherEffect>,
}

#[derive(Default)]
struct Arrivals {
    programs: SequenceCheck,
    progress: SequenceCheck,
    states: SequenceCheck,
    advice: SequenceCheck,
    episodes: SequenceCheck,
}

impl Ports {
    /// A machine that waits for a program.
    pub(crate) fn new(settings: Settings) -> Result<Self, String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let session = settings.switcher.session;
        let switcher = Switcher::new(settings.switcher).map_err(|error| text(&error))?;
        let journal = match &settings.journal {
            Some(folder) => Some(journal::create(folder, NAME).map_err(|error| text(&error))?),
            None => None,
        };
        Ok(Self {
            switcher,
            session,
            arrivals: Arrivals::default(),
            statuses: 0,
            refused: 0,
            journal,
            effects: Vec::new(),
        })
    }

    /// Takes an input; gives what is to be sent. What cannot be understood is told and forgotten.
    pub(crate) fn take(&mut self, id: &str, array: &dyn Array) -> Vec<Output> {
        match self.read(id, array) {
            Ok(Some(event)) => self.on(event),
            Ok(None) => Vec::new(),
            Err(reason) => self.refuse(&format!("input `{id}`: {reason}")),
        }
    }

    /// Tells that an input was refused.
    pub(crate) fn refuse(&mut self, text: &str) -> Vec<Output> {
        self.refused += 1;
        if self.refused % REFUSALS != 1 {
            return Vec::new();
        }
        let text = format!("{text} ({} refused so far)", self.refused);
        vec![self.status(Notice::warning("message_refused", text))]
    }

    fn read(&mut self, id: &str, array: &dyn Array) -> Result<Option<SwitcherEvent>, String> {
        let arrivals = &mut self.arrivals;
        Ok(match id {
            "reward_program" => fresh(array, &mut arrivals.programs)?.map(SwitcherEvent::Program),
            "progress" => fresh(array, &mut arrivals.progress)?.map(SwitcherEvent::Progress),
            "arm_state" => fresh(array, &mut arrivals.states)?.map(SwitcherEvent::Arm),
            "stage_advice" => fresh(array, &mut arrivals.advice)?.map(SwitcherEvent::Advice),
            "episode" => fresh(array, &mut arrivals.episodes)?.map(SwitcherEvent::Episode),
            _ => return Err("this input is unknown".to_owned()),
        })
    }

    fn on(&mut self, event: SwitcherEvent) -> Vec<Output> {
        let recorded = self.journal.as_ref().map(|_| event.clone());
        let mut effects = std::mem::take(&mut self.effects);
        self.switcher.on(event, &mut effects);
        let mut outputs: Vec<Output> = Vec::new();
        if let (Some(journal), Some(event)) = (&mut self.journal, recorded) {
            let written = journal
                .record(0, &event, &effects)
                .and_then(|()| journal.flush());
            if let Err(error) = written {
                self.journal = None;
                let notice = Notice::warning("journal", format!("no journal any more: {error}"));
                outputs.push(self.status(notice));
            }
        }
        for effect in effects.drain(..) {
            outputs.push(match effect {
                SwitcherEffect::Stage(stage) => ("stage", Arc::new(stage.to_arrow())),
                SwitcherEffect::Query(query) => ("stage_query", Arc::new(query.to_arrow())),
                SwitcherEffect::Tell(notice) => self.status(notice),
            });
        }
        self.effects = effects;
        outputs
    }

    fn status(&mut self, notice: Notice) -> Output {
        self.statuses += 1;
        let status = Status {
            session: self.session,
            seq: self.statuses,
            node: NAME.to_owned(),
            level: notice.level,
            code: notice.code,
            text: notice.text,
        };
        ("status", Arc::new(status.to_arrow()))
    }
}

/// The message, if it is newer than those before.
fn fresh<M: Message>(array: &dyn Array, check: &mut SequenceCheck) -> Result<Option<M>, String> {
    let message = M::from_arrow(array).map_err(|error| error.to_string())?;
    message.check_finite().map_err(|error| error.to_string())?;
    let found = (message.session(), message.seq());
    match check.observe(found.0, found.1) {
        Arrival::Repeated => Ok(None),
        Arrival::Late { last } => {
            let message = M::NAME;
            Err(MessageError::OutOfOrder {
                message,
                last,
                found,
            }
            .to_string())
        }
        _ => Ok(Some(message)),
    }
}

#[cfg(test)]
mod tests {
    use tiller_messages::{
        ArmState, Progress, RewardProgram, StageAdvice, StageCommand, StageQuery,
    };

    use super::*;
    use crate::settings;

    const FRAME_NS: u64 = 100_000_000;

    fn ports() -> Ports {
        Ports::new(settings::read(|_| None).unwrap()).unwrap()
    }

    fn program() -> RewardProgram {
        RewardProgram {
            seq: 1,
            generation: 3,
            num_stages: 2,
            descriptions: vec!["reach the handle".into(), "pull".into()],
            has_done: vec![true, true],
            unguided: vec![false, false],
            ..Default::default()
        }
    }

    fn progress(seq: u64, stage: u32, visit: u32, done: f64) -> Progress {
        Progress {
            seq,
            stamp_ns: seq * FRAME_NS,
            stage,
            visit,
            done: Some(done),
            ..Default::default()
        }
    }

    fn commands(ports: &mut Ports, id: &str, message: &impl Message) -> Vec<StageCommand> {
        let outputs = ports.take(id, &message.to_arrow()).unwrap();
        let stages = outputs.iter().filter(|(port, _)| *port == "stage");
        stages
            .map(|(_, array)| StageCommand::from_arrow(array).unwrap())
            .collect()
    }

    #[test]
    fn a_program_starts_at_its_first_stage_and_done_advances() {
        let mut ports = ports();
        let first = commands(&mut ports, "reward_program", &program());
        assert_eq!(
            (first[0].seq, first[0].stage, first[0].generation),
            (1, 1, 3)
        );
        assert!(first[0].guidance && first[0].kind == "advance");

        assert!(commands(&mut ports, "progress", &progress(1, 1, 1, -0.1)).is_empty());
        assert!(commands(&mut ports, "progress", &progress(2, 1, 1, 0.1)).is_empty());
        let second = commands(&mut ports, "progress", &progress(3, 1, 1, 0.1));
        assert_eq!((second[0].seq, second[0].stage, second[0].visit), (2, 2, 2));
        commands(&mut ports, "progress", &progress(4, 2, 2, 0.1));
        let last = commands(&mut ports, "progress", &progress(5, 2, 2, 0.1));
        assert!(last[0].finished && !last[0].guidance);
    }

    #[test]
    fn a_repeated_message_is_not_counted_twice() {
        let mut ports = ports();
        commands(&mut ports, "reward_program", &program());
        commands(&mut ports, "progress", &progress(2, 1, 1, 0.1));
        assert!(commands(&mut ports, "progress", &progress(2, 1, 1, 0.1)).is_empty());
    }

    #[test]
    fn without_progress_readings_guidance_pauses() {
        let mut ports = ports();
        let state = |seq: u64| ArmState {
            seq,
            stamp_ns: seq * FRAME_NS,
            ..Default::default()
        };
        commands(&mut ports, "reward_program", &program());
        assert!(commands(&mut ports, "arm_state", &state(1)).is_empty());
        let paused = commands(&mut ports, "arm_state", &state(60));
        assert_eq!(
            (paused[0].kind.as_str(), paused[0].guidance),
            ("guidance_off", false)
        );
        commands(&mut ports, "progress", &progress(60, 1, 1, -0.1));
        let resumed = commands(&mut ports, "arm_state", &state(61));
        assert_eq!(
            (resumed[0].kind.as_str(), resumed[0].visit),
            ("guidance_on", 1)
        );
    }

    #[test]
    fn a_stage_that_drags_on_is_asked_about_once_and_advice_is_taken() {
        let mut ports = ports();
        commands(&mut ports, "reward_program", &program());
        let mut queries = Vec::new();
        for seq in 1..70 {
            for (port, array) in ports
                .take("progress", &progress(seq, 1, 1, -0.1).to_arrow())
                .unwrap()
            {
                if port == "stage_query" {
                    queries.push(StageQuery::from_arrow(&array).unwrap());
                }
            }
        }
        assert_eq!(queries.len(), 1);
        let StageQuery { visit, .. } = queries[0];
        let advice = |visit| StageAdvice {
            seq: 1,
            visit,
            stage: 2,
            reason: "it is there".into(),
        };
        let old = StageAdvice {
            seq: 1,
            ..advice(visit + 5)
        };
        assert!(
            commands(&mut ports, "stage_advice", &old).is_empty(),
            "for another visit"
        );
        let taken = commands(
            &mut ports,
            "stage_advice",
            &StageAdvice {
                seq: 2,
                ..advice(visit)
            },
        );
        assert_eq!(taken[0].stage, 2);
    }

    #[test]
    fn a_foreign_message_is_an_error_that_names_the_input() {
        let error = ports().take("progress", &program().to_arrow()).unwrap_err();
        assert!(
            error.contains("`progress`") && error.contains("Progress"),
            "{error}"
        );
    }
}
