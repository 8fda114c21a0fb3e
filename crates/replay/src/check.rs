//! Fresh machines are told the same, and must answer the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tiller_closed_loop::journal::{Machine, SamplerHeader, effect_bytes};
use tiller_closed_loop::{
    Actuator, ActuatorEffect, PlanReport, PlanRequest, Sampler, SamplerEffect, SamplerEvent,
    Switcher, SwitcherEffect, compile_options, program_message,
};
use tiller_messages::RewardProgram;

use crate::frames::Frames;
use crate::replan::{Arms, Changes, Replanner};
use crate::report::{Difference, MachineReport, Report};
use crate::{ReplayError, Stories, Story};

/// Most of the arm's states that are kept for plans that were made from earlier ones.
const MOST_ARMS: usize = 20_000;

/// Decides everything again. `here` is where policies are looked for whose folder is no more where it was;
/// `progress` hears how many bytes of the journals have been told.
///
/// # Errors
/// [`ReplayError`] when the recording cannot be read or the policy cannot be run.
pub fn replay(
    stories: &Stories,
    here: &Path,
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
            Machine::Sampler(header) => sampler(story, header, &frames, here, &mut report)?,
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
    report.conclude();
    Ok(report)
}

/// The pictures that plans were made from, by output and stamp.
pub(crate) fn wanted(stories: &Stories) -> BTreeMap<String, BTreeSet<u64>> {
    let mut wanted: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for story in &stories.stories {
        let Machine::Sampler(header) = &story.header.machine else {
            continue;
        };
        for entry in story.entries::<SamplerEvent>().unwrap_or_default() {
            let SamplerEvent::Planned(planned) = entry.event else {
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
        _ => None,
    }
}

/// A machine's answers, compared one by one.
struct Comparison<'a> {
    report: &'a mut Report,
    machine: MachineReport,
}

impl<'a> Comparison<'a> {
    fn new(story: &Story, report: &'a mut Report) -> Self {
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
        if !is_same {
            self.differs(
                now_ns,
                format!("answers to `{word}` ({} now)", effects.len()),
            );
        }
        self.machine.events += 1;
    }

    fn finish(self) {
        self.report.machines.push(self.machine);
    }
}

/// The first word of a value's debug form: the event's name.
fn word(event: &impl std::fmt::Debug) -> String {
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
    let mut arms = Arms::new();
    let mut requests: BTreeMap<u64, Box<PlanRequest>> = BTreeMap::new();
    let mut keypoints = None;
    let mut effects = Vec::new();
    for entry in entries {
        match &entry.event {
            SamplerEvent::Arm(arm) => {
                arms.insert(arm.stamp_ns, arm.clone());
                if arms.len() > MOST_ARMS {
                    arms.pop_first();
                }
            }
            SamplerEvent::Keypoints(found) => keypoints = Some(found.names.len()),
            SamplerEvent::Program(program) => {
                let options = compile_options(&machine.contract(), keypoints.unwrap_or_default());
                if keypoints.is_some() {
                    let is_same = says_the_same(program, &options);
                    comparison.report.count("programs", is_same);
                    if !is_same {
                        comparison.differs(entry.now_ns, "what the program says".to_owned());
                    }
                }
            }
            SamplerEvent::Planned(planned) => {
                // Requests that were overtaken have no plan.
                requests.retain(|id, _| *id >= planned.id);
                match requests.remove(&planned.id) {
                    Some(request) => {
                        plan(
                            &mut comparison,
                            &mut replanner,
                            &request,
                            planned,
                            frames,
                            &arms,
                            entry.now_ns,
                        );
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
        for effect in effects.drain(..) {
            if let SamplerEffect::Plan(request) = effect {
                requests.insert(request.id, request);
            }
        }
    }
    comparison.finish();
    Ok(())
}

/// Makes one plan anew.
fn plan(
    comparison: &mut Comparison<'_>,
    replanner: &mut Replanner,
    request: &PlanRequest,
    planned: &PlanReport,
    frames: &Frames,
    arms: &Arms,
    now_ns: u64,
) {
    match replanner.plan(request, &planned.seen, frames, arms) {
        Ok(outcome) => {
            let bytes = |outcome| effect_bytes(std::slice::from_ref(outcome)).ok();
            let is_same = bytes(&outcome) == bytes(&planned.outcome);
            comparison.report.count("plans", is_same);
            if !is_same {
                comparison.differs(
                    now_ns,
                    format!("plan {} of chunk {}", planned.id, request.chunk_index),
                );
            }
        }
        Err(missing) => {
            let chunk = request.chunk_index;
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
