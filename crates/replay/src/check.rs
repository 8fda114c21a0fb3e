//! Fresh machines are told the same, and must answer the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tiller_authoring::DeskEvent;
use tiller_closed_loop::journal::{Machine, SamplerHeader, effect_bytes};
use tiller_closed_loop::{
    Actuator, ActuatorEffect, Plan, PlanFailure, PlanRequest, Sampler, SamplerEffect, SamplerEvent,
    Switcher, SwitcherEffect, compile_options, program_message,
};
use tiller_messages::RewardProgram;

use crate::authors::{self, Means};
use crate::frames::Frames;
use crate::replan::{Changes, Replanner, Told};
use crate::report::{Difference, MachineReport, Report, Verdict};
use crate::{ReplayError, Stories, Story};

/// Decides everything again. `progress` hears how many bytes of the journals have been told.
///
/// # Errors
/// [`ReplayError`] when the recording or the exchanges cannot be read, or the policy cannot be run.
pub fn replay(
    stories: &Stories,
    means: &Means<'_>,
    mut progress: impl FnMut(u64),
) -> Result<Report, ReplayError> {
    let mut report = Report {
        missing: stories.missing.clone(),
        ..Report::default()
    };
    if let Some(software) = stories.other_software() {
        report.notes.push(format!(
            "recorded by version {software}, replayed by {}",
            env!("CARGO_PKG_VERSION")
        ));
    }
    let (frames, problems) = Frames::read(&stories.recording, &wanted(stories))?;
    report.missing.extend(problems);
    let mut told = 0;
    for story in &stories.stories {
        if let Some(what) = &story.missing {
            let (node, session) = (&story.node, story.session);
            report
                .missing
                .push(format!("journal of `{node}`, session {session}: {what}"));
        }
        match &story.header.machine {
            Machine::Sampler(header) => sampler(story, header, &frames, means.here, &mut report)?,
            // Below, with what was heard of it.
            Machine::Author(_) => {}
            Machine::Switcher(config) => match Switcher::new(config.clone()) {
                Ok(mut machine) => {
                    machines(story, &mut report, switcher_kind, |event, _, effects| {
                        machine.on(event, effects);
                    })
                }
                Err(error) => report
                    .missing
                    .push(format!("settings of `{}`: {error}", story.node)),
            },
            Machine::Actuator(config, guard, is_driven) => {
                let machine = if *is_driven {
                    Actuator::driven
                } else {
                    Actuator::new
                };
                let mut machine = machine(**config).guarded(guard);
                machines(
                    story,
                    &mut report,
                    actuator_kind,
                    |event, now_ns, effects| {
                        machine.on(event, now_ns, effects);
                    },
                );
            }
        }
        told += story.bytes.len() as u64;
        progress(told);
    }
    authors::check(stories, means, &frames, &mut report)?;
    report.conclude();
    Ok(report)
}

/// The pictures that plans were made from, and those that authors saw, by output and stamp.
pub(crate) fn wanted(stories: &Stories) -> BTreeMap<String, BTreeSet<u64>> {
    let mut wanted: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for story in &stories.stories {
        let header = match &story.header.machine {
            Machine::Sampler(header) => header,
            Machine::Author(header) => {
                for entry in story.entries::<DeskEvent>().unwrap_or_default() {
                    if let DeskEvent::Begin(commission) = entry.event
                        && let Some(stamp_ns) = commission.picture_ns
                    {
                        let stamps = wanted.entry(header.pictures.clone()).or_default();
                        stamps.insert(stamp_ns);
                    }
                }
                continue;
            }
            Machine::Switcher(_) | Machine::Actuator(..) => continue,
        };
        for entry in story.entries::<SamplerEvent>().unwrap_or_default() {
            let (SamplerEvent::Planned(planned) | SamplerEvent::Rehearsed(planned)) = entry.event
            else {
                continue;
            };
            for moment in planned.seen {
                for ((_, topic), stamp_ns) in header.cameras.iter().zip(moment.frames_ns) {
                    wanted.entry(topic.clone()).or_default().insert(stamp_ns);
                }
            }
        }
    }
    wanted
}

fn switcher_kind(effect: &SwitcherEffect) -> Option<&'static str> {
    match effect {
        SwitcherEffect::Stage(_) => Some("stage_decisions"),
        SwitcherEffect::Query(_) => Some("stage_questions"),
        SwitcherEffect::Tell(_) => None,
    }
}

fn actuator_kind(effect: &ActuatorEffect) -> Option<&'static str> {
    match effect {
        ActuatorEffect::Command(_) => Some("commands"),
        ActuatorEffect::Setpoint(..) => Some("setpoints"),
        ActuatorEffect::Execution(_) => Some("execution_states"),
        ActuatorEffect::Safety(_) => Some("safety_events"),
        ActuatorEffect::Arm(_) | ActuatorEffect::Tell(_) => None,
    }
}

fn sampler_kind(effect: &SamplerEffect) -> Option<&'static str> {
    match effect {
        SamplerEffect::Chunk(_) => Some("chunks"),
        SamplerEffect::Progress(_) => Some("progress_readings"),
        SamplerEffect::Plan(_) => Some("plan_requests"),
        SamplerEffect::Rehearse(_) => Some("dry_plan_requests"),
        _ => None,
    }
}

/// A machine's answers, compared one by one.
pub(crate) struct Comparison<'a> {
    pub(crate) report: &'a mut Report,
    machine: MachineReport,
}

impl<'a> Comparison<'a> {
    pub(crate) fn new(story: &Story, report: &'a mut Report) -> Self {
        Self {
            report,
            machine: MachineReport {
                node: story.node.clone(),
                session: story.session,
                machine: story.kind(),
                events: 0,
                differing: 0,
                first_difference: None,
            },
        }
    }

    fn differs(&mut self, now_ns: u64, what: String) {
        self.machine.differing += 1;
        let event = self.machine.events;
        let first = &mut self.machine.first_difference;
        first.get_or_insert(Difference {
            event,
            now_ns,
            what,
        });
    }

    /// The answer to one event.
    fn answer<F: Serialize>(
        &mut self,
        now_ns: u64,
        word: &str,
        effects: &[F],
        recorded: &[u8],
        kind: fn(&F) -> Option<&'static str>,
    ) {
        let is_same = effect_bytes(effects).is_ok_and(|bytes| bytes == recorded);
        for kind in effects.iter().filter_map(kind) {
            self.report.count(kind, is_same);
        }
        self.event(now_ns, is_same, || {
            format!("answers to `{word}` ({} now)", effects.len())
        });
    }

    /// One event more, and what differed if its answer was not the same.
    pub(crate) fn event(&mut self, now_ns: u64, is_same: bool, what: impl FnOnce() -> String) {
        if !is_same {
            self.differs(now_ns, what());
        }
        self.machine.events += 1;
    }

    pub(crate) fn finish(self) {
        self.report.machines.push(self.machine);
    }
}

/// The first word of a value's debug form: the event's name.
pub(crate) fn word(event: &impl std::fmt::Debug) -> String {
    let text = format!("{event:?}");
    let end = text
        .find(|c: char| !c.is_alphanumeric())
        .unwrap_or(text.len());
    text[..end].to_owned()
}

/// Tells a machine that needs nothing but its events.
fn machines<E, F>(
    story: &Story,
    report: &mut Report,
    kind: fn(&F) -> Option<&'static str>,
    mut on: impl FnMut(E, u64, &mut Vec<F>),
) where
    E: DeserializeOwned + std::fmt::Debug,
    F: Serialize,
{
    let entries = match story.entries::<E>() {
        Ok(entries) => entries,
        Err(error) => {
            return report
                .missing
                .push(format!("journal of `{}`: {error}", story.node));
        }
    };
    let mut comparison = Comparison::new(story, report);
    let mut effects = Vec::new();
    for entry in entries {
        let word = word(&entry.event);
        effects.clear();
        on(entry.event, entry.now_ns, &mut effects);
        comparison.answer(entry.now_ns, &word, &effects, &entry.effects, kind);
    }
    comparison.finish();
}

/// Tells a sampler, and makes its plans anew.
fn sampler(
    story: &Story,
    header: &SamplerHeader,
    frames: &Frames,
    here: &Path,
    report: &mut Report,
) -> Result<(), ReplayError> {
    let entries = match story.entries::<SamplerEvent>() {
        Ok(entries) => entries,
        Err(error) => {
            report
                .missing
                .push(format!("journal of `{}`: {error}", story.node));
            return Ok(());
        }
    };
    let mut machine = match Sampler::new(header.sampler.clone()) {
        Ok(machine) => machine,
        Err(error) => {
            report
                .missing
                .push(format!("settings of `{}`: {error}", story.node));
            return Ok(());
        }
    };
    let mut replanner = Replanner::open(header, &Changes::default(), here)?;
    let mut comparison = Comparison::new(story, report);
    let mut told = Told::default();
    let mut effects = Vec::new();
    for entry in entries {
        told.hear(&entry.event);
        match &entry.event {
            SamplerEvent::Program(program) => {
                if let Some(keypoints) = told.keypoints {
                    let options = compile_options(&machine.contract(), keypoints);
                    let is_same = says_the_same(program, &options);
                    comparison.report.count("programs_compiled", is_same);
                    if !is_same {
                        comparison.differs(entry.now_ns, "what the program says".to_owned());
                    }
                }
            }
            SamplerEvent::Planned(planned) | SamplerEvent::Rehearsed(planned) => {
                let is_dry = matches!(&entry.event, SamplerEvent::Rehearsed(_));
                let (kind, request) = match is_dry {
                    true => ("dry_plans", told.rehearsal(planned.id)),
                    false => ("plans", told.request(planned.id)),
                };
                match request {
                    Some(request) => {
                        let arms = &told.arms;
                        let planned = replanner
                            .plan(&request, &planned.seen, frames, arms)
                            .map(|outcome| is_same_plan(&outcome, &planned.outcome));
                        plan(&mut comparison, kind, &request, planned, entry.now_ns);
                    }
                    None => comparison
                        .differs(entry.now_ns, format!("request {} was not made", planned.id)),
                }
            }
            _ => {}
        }
        let word = word(&entry.event);
        effects.clear();
        machine.on(entry.event, entry.now_ns, &mut effects);
        comparison.answer(entry.now_ns, &word, &effects, &entry.effects, sampler_kind);
        told.keep(&mut effects);
    }
    comparison.finish();
    Ok(())
}

/// Whether a plan made anew is the recorded one, to the bit.
fn is_same_plan(
    outcome: &Result<Box<Plan>, PlanFailure>,
    recorded: &Result<Box<Plan>, PlanFailure>,
) -> bool {
    let bytes = |outcome| effect_bytes(std::slice::from_ref(outcome)).ok();
    bytes(outcome) == bytes(recorded)
}

/// Counts a plan that was made anew, or why it could not be.
fn plan(
    comparison: &mut Comparison<'_>,
    kind: &'static str,
    request: &PlanRequest,
    planned: Result<bool, String>,
    now_ns: u64,
) {
    let chunk = request.chunk_index;
    match planned {
        Ok(is_same) => {
            comparison.report.count(kind, is_same);
            if !is_same {
                let id = request.id;
                comparison.differs(now_ns, format!("{kind}: {id} of chunk {chunk}"));
            }
        }
        Err(missing) => {
            comparison.report.count(kind, Verdict::NotCompared);
            comparison
                .report
                .missing
                .push(format!("for chunk {chunk}: {missing}"));
        }
    }
}

/// Whether the program's text, compiled anew, says of itself what was sent with it.
fn says_the_same(sent: &RewardProgram, options: &tiller_reward::CompileOptions) -> bool {
    tiller_reward::compile(&sent.text, options).is_ok_and(|program| {
        let again = program_message(&program, &sent.text, &sent.source, sent.points as usize);
        again
            == RewardProgram {
                session: again.session,
                seq: again.seq,
                id: again.id,
                episode: again.episode,
                generation: again.generation,
                instruction: again.instruction.clone(),
                ..sent.clone()
            }
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use tiller_closed_loop::journal::{Header, Pieces};
    use tiller_closed_loop::{SwitcherConfig, SwitcherEvent};
    use tiller_core::ProgramId;
    use tiller_messages::{ArmState, Progress};

    use super::*;

    /// A switcher that heard a program, and then progress of its first stage.
    fn recorded(config: &SwitcherConfig) -> Story {
        let header = Header {
            software: env!("CARGO_PKG_VERSION").to_owned(),
            machine: Machine::Switcher(config.clone()),
        };
        let (mut recorder, mut pieces) = Pieces::new(&header).unwrap();
        let mut machine = Switcher::new(config.clone()).unwrap();
        let mut events = vec![
            SwitcherEvent::Arm(ArmState {
                seq: 1,
                stamp_ns: 1,
                ..Default::default()
            }),
            SwitcherEvent::Program(RewardProgram {
                seq: 1,
                id: ProgramId(4),
                generation: 3,
                num_stages: 2,
                descriptions: vec!["reach".into(), "pull".into()],
                has_done: vec![false, false],
                unguided: vec![false, false],
                ..Default::default()
            }),
        ];
        events.extend((2..20_u64).map(|seq| {
            SwitcherEvent::Progress(Progress {
                seq,
                stamp_ns: seq * 100_000_000,
                program: ProgramId(4),
                stage: 1,
                visit: 1,
                achieved: seq as f64 / 15.0,
                ..Default::default()
            })
        }));
        let mut effects = Vec::new();
        for event in events {
            effects.clear();
            machine.on(event.clone(), &mut effects);
            recorder.record(0, &event, &effects).unwrap();
        }
        let piece = pieces.rest().unwrap();
        Story {
            node: "stage-switcher".to_owned(),
            session: 1,
            header,
            bytes: piece.entries,
            missing: None,
        }
    }

    fn told(story: &Story) -> Report {
        let Machine::Switcher(config) = &story.header.machine else {
            panic!("a switcher");
        };
        let mut machine = Switcher::new(config.clone()).unwrap();
        let mut report = Report::default();
        machines(story, &mut report, switcher_kind, |event, _, effects| {
            machine.on(event, effects)
        });
        report
    }

    #[test]
    fn the_same_machine_answers_the_same_and_another_does_not() {
        let story = recorded(&SwitcherConfig::default());
        let report = told(&story);
        assert_eq!(
            (report.machines[0].differing, report.machines[0].events),
            (0, 20)
        );
        let decisions = report.compared["stage_decisions"];
        assert!(
            decisions.recorded >= 1 && decisions.recorded == decisions.same,
            "{decisions:?}"
        );

        let mut other = story.clone();
        let Machine::Switcher(config) = &mut other.header.machine else {
            panic!("a switcher");
        };
        config.session += 1;
        let report = told(&other);
        let machine = &report.machines[0];
        assert!(machine.differing > 0, "{report:?}");
        assert!(
            machine
                .first_difference
                .as_ref()
                .unwrap()
                .what
                .contains("Program"),
            "{machine:?}"
        );
        assert!(
            report.compared["stage_decisions"].same < report.compared["stage_decisions"].recorded
        );
    }

    #[test]
    fn one_bit_of_an_answer_is_enough() {
        let mut story = recorded(&SwitcherConfig::default());
        // The last entry ends with the bytes of its answer's count: none.
        let last = story.bytes.len() - 1;
        story.bytes[last] ^= 1;
        assert_eq!(told(&story).machines[0].differing, 1);
    }

    #[test]
    fn nothing_compared_is_not_the_same() {
        let stories = Stories {
            recording: PathBuf::from("/nowhere.drec"),
            stories: Vec::new(),
            missing: Vec::new(),
        };
        let means = Means {
            here: Path::new("."),
            authors: &[],
            exchanges: None,
        };
        assert!(
            replay(&stories, &means, |_| {}).is_err(),
            "there is no such recording"
        );
        let mut report = Report::default();
        report.conclude();
        assert!(!report.identical && report.missing.len() == 3, "{report:?}");
    }
}
