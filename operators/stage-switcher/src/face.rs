//! Messages in, decisions of the machine out as messages.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use tiller_messages::{
    Arrival, Message, Progress, RewardProgram, RobotState, SequenceCheck, StageAdvice,
    StageCommand, StageQuery,
};
use tiller_stages::{Advice, Decision, DecisionKind, ProgressReading, StageInfo, StageMachine};

use crate::settings::Settings;

/// Without programs there is nothing to decide, without states no clock.
pub(crate) const ESSENTIAL: &[&str] = &["reward_program", "robot_state", "progress"];

/// An output's name and its data.
pub(crate) type Output = (&'static str, ArrayRef);

/// The machine and what it takes to speak for it.
pub(crate) struct Face {
    machine: StageMachine,
    keypoints_stale_ns: u64,
    generation: u32,
    now_ns: u64,
    last_progress_ns: u64,
    arrivals: Arrivals,
    commands_sent: u64,
    queries_sent: u64,
}

#[derive(Default)]
struct Arrivals {
    programs: SequenceCheck,
    progress: SequenceCheck,
    states: SequenceCheck,
    advice: SequenceCheck,
}

impl Face {
    /// A machine that waits for a program.
    pub(crate) fn new(settings: Settings) -> Result<Self, String> {
        let machine = StageMachine::new(settings.stages).map_err(|error| error.to_string())?;
        Ok(Self {
            machine,
            keypoints_stale_ns: settings.keypoints_stale_ns,
            generation: 0,
            now_ns: 0,
            last_progress_ns: 0,
            arrivals: Arrivals::default(),
            commands_sent: 0,
            queries_sent: 0,
        })
    }

    /// Takes an input; gives what is to be sent.
    pub(crate) fn take(&mut self, id: &str, array: &dyn Array) -> Result<Vec<Output>, String> {
        let decision = match id {
            "reward_program" => match read(id, array, &mut self.arrivals.programs)? {
                Some(program) => Some(self.on_program(&program)?),
                None => None,
            },
            "progress" => read(id, array, &mut self.arrivals.progress)?
                .and_then(|progress| self.on_progress(&progress)),
            "robot_state" => {
                read(id, array, &mut self.arrivals.states)?.and_then(|state| self.on_state(&state))
            }
            "stage_advice" => read(id, array, &mut self.arrivals.advice)?
                .and_then(|advice| self.on_advice(advice)),
            _ => None,
        };
        let mut outputs: Vec<Output> = Vec::new();
        if let Some(decision) = decision {
            outputs.push(("stage", Arc::new(self.command(&decision).to_arrow())));
        }
        if let Some(query) = self.machine.take_query() {
            self.queries_sent += 1;
            let query = StageQuery {
                seq: self.queries_sent,
                stage: query.stage,
                visit: query.visit,
                reason: query.trigger,
            };
            outputs.push(("stage_query", Arc::new(query.to_arrow())));
        }
        Ok(outputs)
    }

    fn on_program(&mut self, program: &RewardProgram) -> Result<Decision, String> {
        let stages: Vec<_> = program
            .descriptions
            .iter()
            .zip(program.has_done.iter().zip(&program.unguided))
            .map(|(description, (has_done, unguided))| StageInfo {
                has_done: *has_done,
                guided: !unguided,
                ..StageInfo::by_progress(description)
            })
            .collect();
        self.generation = program.generation;
        // Readings are due from now on.
        self.last_progress_ns = self.now_ns;
        self.machine
            .on_program(self.now_ns, &stages)
            .map_err(|error| error.to_string())
    }

    fn on_progress(&mut self, progress: &Progress) -> Option<Decision> {
        self.last_progress_ns = self.last_progress_ns.max(progress.stamp_ns);
        self.machine.on_progress(&ProgressReading {
            stamp_ns: progress.stamp_ns,
            stage: progress.stage,
            visit: progress.visit,
            planned: progress.planned,
            achieved: progress.achieved,
            done: progress.done,
        })
    }

    fn on_state(&mut self, state: &RobotState) -> Option<Decision> {
        self.now_ns = self.now_ns.max(state.stamp_ns);
        if let Some(decision) = self
            .machine
            .on_gripper(state.stamp_ns, state.gripper_width_m)
        {
            return Some(decision);
        }
        let age_ns = self.now_ns.saturating_sub(self.last_progress_ns);
        let stale = self.machine.stage() > 0 && age_ns > self.keypoints_stale_ns;
        self.machine.on_keypoints_stale(self.now_ns, stale)
    }

    fn on_advice(&mut self, advice: StageAdvice) -> Option<Decision> {
        let StageAdvice {
            visit,
            stage,
            reason,
            ..
        } = advice;
        // Advice that came too late or makes no sense changes nothing; it is not an error.
        self.machine
            .on_advice(&Advice {
                asked_visit: visit,
                stage,
                reason,
            })
            .ok()
    }

    fn command(&mut self, decision: &Decision) -> StageCommand {
        self.commands_sent += 1;
        StageCommand {
            seq: self.commands_sent,
            stamp_ns: self.now_ns,
            generation: self.generation,
            stage: decision.stage,
            visit: decision.visit,
            guidance: decision.guidance,
            finished: decision.kind == DecisionKind::Finished,
            gave_up: decision.kind == DecisionKind::GiveUp,
            kind: decision.kind.to_string(),
            reason: decision.reason.clone(),
        }
    }
}

fn read<M: Message>(
    id: &str,
    array: &dyn Array,
    check: &mut SequenceCheck,
) -> Result<Option<M>, String> {
    let message = M::from_arrow(array).map_err(|error| format!("input `{id}`: {error}"))?;
    Ok((check.observe(message.seq()) != Arrival::Repeated).then_some(message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings;

    const FRAME_NS: u64 = 100_000_000;

    fn face() -> Face {
        Face::new(settings::read(|_| None).unwrap()).unwrap()
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

    fn commands(face: &mut Face, id: &str, message: &impl Message) -> Vec<StageCommand> {
        let outputs = face.take(id, &message.to_arrow()).unwrap();
        let stages = outputs.iter().filter(|(port, _)| *port == "stage");
        stages
            .map(|(_, array)| StageCommand::from_arrow(array).unwrap())
            .collect()
    }

    #[test]
    fn a_program_starts_at_its_first_stage_and_done_advances() {
        let mut face = face();
        let first = commands(&mut face, "reward_program", &program());
        assert_eq!(
            (first[0].seq, first[0].stage, first[0].generation),
            (1, 1, 3)
        );
        assert!(first[0].guidance && first[0].kind == "advance");

        assert!(commands(&mut face, "progress", &progress(1, 1, 1, -0.1)).is_empty());
        assert!(commands(&mut face, "progress", &progress(2, 1, 1, 0.1)).is_empty());
        let second = commands(&mut face, "progress", &progress(3, 1, 1, 0.1));
        assert_eq!((second[0].seq, second[0].stage, second[0].visit), (2, 2, 2));
        commands(&mut face, "progress", &progress(4, 2, 2, 0.1));
        let last = commands(&mut face, "progress", &progress(5, 2, 2, 0.1));
        assert!(last[0].finished && !last[0].guidance);
    }

    #[test]
    fn a_repeated_message_is_not_counted_twice() {
        let mut face = face();
        commands(&mut face, "reward_program", &program());
        commands(&mut face, "progress", &progress(2, 1, 1, 0.1));
        assert!(commands(&mut face, "progress", &progress(2, 1, 1, 0.1)).is_empty());
    }

    #[test]
    fn without_progress_readings_guidance_pauses() {
        let mut face = face();
        let state = |seq: u64| RobotState {
            seq,
            stamp_ns: seq * FRAME_NS,
            ..Default::default()
        };
        commands(&mut face, "reward_program", &program());
        assert!(commands(&mut face, "robot_state", &state(1)).is_empty());
        let paused = commands(&mut face, "robot_state", &state(60));
        assert_eq!(
            (paused[0].kind.as_str(), paused[0].guidance),
            ("guidance_off", false)
        );
        commands(&mut face, "progress", &progress(60, 1, 1, -0.1));
        let resumed = commands(&mut face, "robot_state", &state(61));
        assert_eq!(
            (resumed[0].kind.as_str(), resumed[0].visit),
            ("guidance_on", 1)
        );
    }

    #[test]
    fn a_stage_that_drags_on_is_asked_about_once_and_advice_is_taken() {
        let mut face = face();
        commands(&mut face, "reward_program", &program());
        let mut queries = Vec::new();
        for seq in 1..70 {
            for (port, array) in face
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
            commands(&mut face, "stage_advice", &old).is_empty(),
            "for another visit"
        );
        let taken = commands(
            &mut face,
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
        let error = face().take("progress", &program().to_arrow()).unwrap_err();
        assert!(
            error.contains("`progress`") && error.contains("Progress"),
            "{error}"
        );
    }
}
