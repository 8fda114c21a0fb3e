//! The same run under other settings: what would have been planned otherwise, moment by moment. What the robot
//! had done until then stays as it was.

use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;
use tiller_closed_loop::journal::{Machine, SamplerHeader};
use tiller_closed_loop::{
    Plan, PlanFailure, PlanRequest, Sampler, SamplerEvent, compile_options, program_message,
};
use tiller_messages::RewardProgram;

use crate::authors::{self, Means};
use crate::check::wanted;
use crate::frames::Frames;
use crate::replan::{Changes, ReplanError, Replanner, Told};
use crate::report::{ProgramReport, Report};
use crate::{ReplayError, Stories, Story};

/// What is to be seen of a plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sketch {
    /// Where the hand was to go, `[P, 3]`, m.
    pub path_m: Vec<[f32; 3]>,
    /// Its reward under its own program; 0 when unsteered.
    pub reward: f64,
    /// What the strength of guidance was multiplied by.
    pub strength: f64,
    /// Effective sample size.
    pub ess: f64,
}

impl Sketch {
    fn of(outcome: &Result<Box<Plan>, PlanFailure>) -> Result<Self, String> {
        let plan = outcome.as_ref().map_err(|failure| failure.text.clone())?;
        let points = plan.selected_trajectory().chunks_exact(3);
        Ok(Self {
            path_m: points.map(|p| [p[0], p[1], p[2]]).collect(),
            reward: plan.selected_reward(),
            strength: plan.strength,
            ess: plan.ess,
        })
    }
}

/// One plan, as it was and as it would have been.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alternative {
    /// Index of the chunk in its episode.
    pub chunk: u64,
    /// The stage that it served; 0 where nothing steered.
    pub stage: u32,
    /// Stamp of the observation, ns.
    pub observation_ns: u64,
    /// As recorded, or why there was none.
    pub recorded: Result<Sketch, String>,
    /// Under the changes, or why there is none.
    pub changed: Result<Sketch, String>,
    /// The furthest that the paths are apart, m; none where one is missing.
    pub apart_m: Option<f64>,
}

/// All plans of a recording.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Plans {
    /// In the order in which they were made.
    pub plans: Vec<Alternative>,
    /// The recorded programs, written again by their authors.
    pub programs: Vec<ProgramReport>,
    /// What could not be planned anew, and why.
    pub missing: Vec<String>,
}

impl Plans {
    /// A line for each plan, for people.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = String::from("chunk stage  reward then   now         furthest apart\n");
        for plan in &self.plans {
            let reward = |sketch: &Result<Sketch, String>| match sketch {
                Ok(sketch) => format!("{:.4}", sketch.reward),
                Err(_) => "no plan".to_owned(),
            };
            let apart = plan
                .apart_m
                .map_or("-".to_owned(), |apart| format!("{:.1} mm", apart * 1e3));
            let (then, now) = (reward(&plan.recorded), reward(&plan.changed));
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{:>5} {:>5}  {then:<12}  {now:<10}  {apart}",
                plan.chunk, plan.stage
            );
        }
        for program in &self.programs {
            let _ = writeln!(text, "{program}");
        }
        for missing in &self.missing {
            let _ = writeln!(text, "missing: {missing}");
        }
        text.trim_end().to_owned()
    }
}

/// Plans everything again under the changes.
///
/// # Errors
/// [`ReplayError`] when the recording cannot be read, the policy cannot be run, or a change makes no sense.
pub fn what_if(
    stories: &Stories,
    changes: &Changes,
    means: &Means<'_>,
) -> Result<Plans, ReplayError> {
    let (frames, problems) = Frames::read(&stories.recording, &wanted(stories))?;
    let mut plans = Plans {
        missing: [stories.missing.clone(), problems].concat(),
        ..Plans::default()
    };
    for story in &stories.stories {
        if let Machine::Sampler(header) = &story.header.machine {
            sampler(story, header, changes, &frames, means.here, &mut plans)?;
        }
    }
    let mut report = Report::default();
    authors::check(stories, means, &frames, &mut report)?;
    plans.programs = report.programs;
    Ok(plans)
}

fn sampler(
    story: &Story,
    header: &SamplerHeader,
    changes: &Changes,
    frames: &Frames,
    here: &Path,
    plans: &mut Plans,
) -> Result<(), ReplayError> {
    let settings = |error: String| ReplanError::Unknown {
        what: "a sampler as it was recorded".to_owned(),
        found: error,
    };
    let mut machine =
        Sampler::new(header.sampler.clone()).map_err(|error| settings(error.to_string()))?;
    let mut replanner = Replanner::open(header, changes, here)?;
    let mut told = Told::default();
    let mut effects = Vec::new();
    let entries = story.entries::<SamplerEvent>().map_err(settings)?;
    for mut entry in entries {
        told.hear(&entry.event);
        match &mut entry.event {
            SamplerEvent::Program(program) => {
                if let Some(text) = &changes.program {
                    *program =
                        rewritten(program, text, told.keypoints.unwrap_or_default(), &machine)?;
                }
            }
            SamplerEvent::Planned(planned) => {
                if let Some(request) = told.request(planned.id) {
                    let recorded = Sketch::of(&planned.outcome);
                    match replanner.plan(&request, &planned.seen, frames, &told.arms) {
                        Ok(outcome) => {
                            plans
                                .plans
                                .push(alternative(&request, recorded, Sketch::of(&outcome)))
                        }
                        Err(missing) => {
                            let chunk = request.chunk_index;
                            plans.missing.push(format!("for chunk {chunk}: {missing}"));
                        }
                    }
                }
            }
            _ => {}
        }
        effects.clear();
        machine.on(entry.event, entry.now_ns, &mut effects);
        told.keep(&mut effects);
    }
    Ok(())
}

/// The message with another program in it.
fn rewritten(
    message: &RewardProgram,
    text: &str,
    keypoints: usize,
    machine: &Sampler,
) -> Result<RewardProgram, ReplanError> {
    let contract = machine.contract();
    let program = tiller_reward::compile(text, &compile_options(&contract, keypoints));
    let program = program.map_err(|errors| ReplanError::Unknown {
        what: format!("a program for {keypoints} keypoints and this policy"),
        found: errors.render(text),
    })?;
    let points = contract.points as usize;
    Ok(RewardProgram {
        session: message.session,
        seq: message.seq,
        id: message.id,
        episode: message.episode,
        generation: message.generation,
        instruction: message.instruction.clone(),
        ..program_message(&program, text, &message.source, points)
    })
}

fn alternative(
    request: &PlanRequest,
    recorded: Result<Sketch, String>,
    changed: Result<Sketch, String>,
) -> Alternative {
    let apart_m = recorded
        .as_ref()
        .ok()
        .zip(changed.as_ref().ok())
        .map(|(a, b)| {
            let distance = |(a, b): (&[f32; 3], &[f32; 3])| {
                let square = |i: usize| f64::from(a[i] - b[i]).powi(2);
                (0..3).map(square).sum::<f64>().sqrt()
            };
            a.path_m
                .iter()
                .zip(&b.path_m)
                .map(distance)
                .fold(0.0, f64::max)
        });
    Alternative {
        chunk: request.chunk_index,
        stage: request.visit.stage,
        observation_ns: request.observation_ns,
        recorded,
        changed,
        apart_m,
    }
}
