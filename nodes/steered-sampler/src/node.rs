//! The node's loop: messages to events of the sampler's machine, its effects to messages.

use std::time::Duration;

use eyre::Result;
use tiller_closed_loop::journal::{Header, Machine, Pending, Pieces, Recorder, SamplerHeader};
use tiller_closed_loop::{Planner, Sampler, SamplerEffect, SamplerEvent};
use tiller_messages::{
    ArmState, Episode, ExecutionState, Keypoints, Proposal, RewardProgram, StageCommand,
};
use tiller_node_kit::{Inbox, Input, Next, Outbox, Stream};
use tiller_policy::{Bundle, Fitter, Policy};

use crate::cameras::{Cameras, Moment, wanted};
use crate::config::Settings;
use crate::planning::{Planning, Report};

/// Without robot, reward or stage there is nothing to plan for.
pub(crate) const ESSENTIAL: &[&str] = &[
    "arm_state",
    "execution_state",
    // Who sends these is started anew; that one of them has ended means that it is gone for good.
    "keypoints",
    "reward_program",
    "stage",
];

/// What it reads beside its cameras.
const INPUTS: [&str; 7] = [
    "arm_state",
    "execution_state",
    "keypoints",
    "reward_program",
    "stage",
    "episode",
    "proposal",
];

/// The output on which the journal goes out, where the dataflow declares it.
const JOURNAL: &str = "journal";

/// The output of dry plans, where the dataflow declares it.
const DRY_PLAN: &str = "dry_plan";

/// How long to wait for anything before looking at the clock again.
const PATIENCE: Duration = Duration::from_millis(200);

/// The same while a plan is being made, whose end wakes nobody.
const BUSY_PATIENCE: Duration = Duration::from_millis(2);

/// Speed of a joint from which the scene counts as moving, rad/s.
const MOVING_RAD_S: f64 = 0.1;

/// Runs until one of the essential inputs ends.
pub(crate) fn run(
    settings: &Settings,
    bundle: &Bundle,
    mut policy: Policy,
    inbox: &mut Inbox,
    outbox: &mut Outbox,
) -> Result<()> {
    let planner = settings.planner(&mut policy)?;
    let sampler = settings.sampler(outbox.session(), &policy, &planner)?;
    let mut node = Node::new(settings, bundle, policy, planner, sampler, outbox)?;
    loop {
        let patience = if node.planning.is_busy() {
            BUSY_PATIENCE
        } else {
            PATIENCE
        };
        let next = inbox.wait_at_most(patience);
        let now_ns = inbox.now_ns();
        match next {
            Next::Input(input) => node.take(&input, now_ns, outbox)?,
            Next::Idle | Next::Ended(_) => {}
            Next::End(end) => {
                tracing::info!("{end}");
                return node.finish(outbox);
            }
        }
        while let Some(report) = node.planning.take_report()? {
            let event = match report {
                Report::Plan(report) => SamplerEvent::Planned(report),
                Report::Rehearsal(report) => SamplerEvent::Rehearsed(report),
            };
            node.on(event, now_ns, outbox)?;
        }
        if node.sampler.wake_at().is_some_and(|at| at <= now_ns) {
            node.on(SamplerEvent::Time, now_ns, outbox)?;
        }
        node.cameras.tell(now_ns, outbox)?;
        outbox.repeat_latched()?;
        node.keep_journal(now_ns, outbox)?;
    }
}

struct Node {
    sampler: Sampler,
    planning: Planning,
    cameras: Cameras,
    /// The newest moment that all cameras have seen.
    moment: Option<Moment>,
    arm: Option<ArmState>,
    streams: Streams,
    journal: Option<(Recorder<Pending>, Pieces)>,
    effects: Vec<SamplerEffect>,
}

#[derive(Default)]
struct Streams {
    arms: Stream<ArmState>,
    executions: Stream<ExecutionState>,
    keypoints: Stream<Keypoints>,
    programs: Stream<RewardProgram>,
    stages: Stream<StageCommand>,
    episodes: Stream<Episode>,
    proposals: Stream<Proposal>,
}

impl Node {
    fn new(
        settings: &Settings,
        bundle: &Bundle,
        policy: Policy,
        planner: Planner,
        sampler: Sampler,
        outbox: &mut Outbox,
    ) -> Result<Self> {
        let cameras = Cameras::new(
            wanted(bundle),
            &settings.cameras,
            outbox.wired_inputs(),
            settings.frame_tolerance_ns,
        )?;
        let shown = cameras.inputs().iter().map(String::as_str);
        let known: Vec<_> = INPUTS.into_iter().chain(shown).collect();
        outbox.check_inputs(&known)?;
        let header = (settings.journal && outbox.declares(JOURNAL)).then(|| Header {
            software: env!("CARGO_PKG_VERSION").to_owned(),
            machine: Machine::Sampler(Box::new(SamplerHeader {
                sampler: sampler.config().clone(),
                planner: planner.config().clone(),
                bundle: (
                    bundle.directory().display().to_string(),
                    bundle.fingerprint().to_owned(),
                ),
                runtime: (policy.provider().to_string(), settings.threads),
                cameras: cameras
                    .names()
                    .iter()
                    .zip(cameras.inputs())
                    .map(|(name, input)| (name.clone(), outbox.source_of(input).to_owned()))
                    .collect(),
                picture_fit: settings.picture_fit.name().to_owned(),
            })),
        });
        let fitter = Fitter::new(settings.picture_fit, bundle);
        let planning = Planning::start(policy, planner, cameras.names(), fitter)?;
        outbox.latch("program_contract", sampler.contract())?;
        let journal = match header {
            Some(header) => Some(Pieces::new(&header)?),
            None => None,
        };
        Ok(Self {
            sampler,
            planning,
            cameras,
            moment: None,
            arm: None,
            streams: Streams::default(),
            journal,
            effects: Vec::new(),
        })
    }

    fn take(&mut self, input: &Input, now_ns: u64, outbox: &mut Outbox) -> Result<()> {
        let streams = &mut self.streams;
        let event = match input.id.as_str() {
            "arm_state" => outbox.accept(streams.arms.read(input))?.map(|arm| {
                let moves = arm.dq_rad_s.iter().any(|speed| speed.abs() > MOVING_RAD_S);
                self.cameras.learn_clock(arm.stamp_ns, input);
                self.cameras.reference(arm.stamp_ns, moves, now_ns);
                self.arm = Some(arm.clone());
                SamplerEvent::Arm(arm)
            }),
            "execution_state" => outbox
                .accept(streams.executions.read(input))?
                .map(SamplerEvent::Execution),
            "keypoints" => outbox
                .accept(streams.keypoints.read(input))?
                .map(SamplerEvent::Keypoints),
            "reward_program" => outbox
                .accept(streams.programs.read(input))?
                .map(SamplerEvent::Program),
            "stage" => match streams.stages.read(input) {
                Ok(None) => Some(SamplerEvent::StageStands),
                read => outbox.accept(read)?.map(SamplerEvent::Stage),
            },
            "episode" => outbox
                .accept(streams.episodes.read(input))?
                .map(SamplerEvent::Episode),
            "proposal" => outbox
                .accept(streams.proposals.read(input))?
                .map(SamplerEvent::Proposal),
            camera if self.cameras.has(camera) => {
                let seen = outbox.accept(self.cameras.take(input, now_ns))?;
                seen.map(|moment| {
                    let stamp_ns = moment.stamp_ns;
                    self.moment = Some(moment);
                    SamplerEvent::Observation { stamp_ns }
                })
            }
            _ => None,
        };
        match event {
            Some(event) => self.on(event, now_ns, outbox),
            None => Ok(()),
        }
    }

    /// Feeds the machine and does what it says.
    fn on(&mut self, event: SamplerEvent, now_ns: u64, outbox: &mut Outbox) -> Result<()> {
        let recorded = self.journal.as_ref().map(|_| event.clone());
        let mut effects = std::mem::take(&mut self.effects);
        self.sampler.on(event, now_ns, &mut effects);
        if let (Some((journal, _)), Some(event)) = (&mut self.journal, recorded) {
            journal.record(now_ns, &event, &effects)?;
        }
        for effect in effects.drain(..) {
            self.perform(effect, outbox)?;
        }
        self.effects = effects;
        Ok(())
    }

    fn perform(&mut self, effect: SamplerEffect, outbox: &mut Outbox) -> Result<()> {
        match effect {
            SamplerEffect::Observe { stamp_ns } => {
                if let (Some(moment), Some(arm)) = (self.moment_of(stamp_ns), &self.arm) {
                    self.planning.observe(moment, arm.clone());
                }
                Ok(())
            }
            SamplerEffect::ForgetHistory => {
                self.planning.forget();
                self.cameras.clear();
                Ok(())
            }
            SamplerEffect::Plan(request) => {
                if let Some(moment) = self.moment_of(request.observation_ns) {
                    self.planning.plan(moment, request);
                }
                Ok(())
            }
            SamplerEffect::Rehearse(request) => {
                if let Some(moment) = self.moment_of(request.observation_ns) {
                    self.planning.rehearse(moment, request);
                }
                Ok(())
            }
            SamplerEffect::DryPlan(plan) if outbox.declares(DRY_PLAN) => {
                outbox.send(DRY_PLAN, plan)
            }
            SamplerEffect::DryPlan(_) => Ok(()),
            SamplerEffect::Chunk(chunk) => {
                tracing::info!(
                    "chunk {}: stage {}{}",
                    chunk.seq,
                    chunk.stage,
                    if chunk.continues.is_some() {
                        ", in motion"
                    } else {
                        ""
                    }
                );
                outbox.send("action_chunk", chunk)
            }
            SamplerEffect::Candidates(candidates) => outbox.send("candidates", candidates),
            SamplerEffect::Progress(progress) => outbox.send("progress", progress),
            SamplerEffect::Tell(notice) => {
                outbox.tell_seldom(notice.level, &notice.code, notice.text)
            }
        }
    }

    /// The machine names the newest observation only, which is the one that is kept.
    fn moment_of(&self, stamp_ns: u64) -> Option<Moment> {
        self.moment
            .clone()
            .filter(|moment| moment.stamp_ns == stamp_ns)
    }

    /// Sends what of the journal is due.
    fn keep_journal(&mut self, now_ns: u64, outbox: &mut Outbox) -> Result<()> {
        match self
            .journal
            .as_mut()
            .and_then(|(_, pieces)| pieces.due(now_ns))
        {
            Some(piece) => outbox.send(JOURNAL, piece),
            None => Ok(()),
        }
    }

    fn finish(&mut self, outbox: &mut Outbox) -> Result<()> {
        match self.journal.as_mut().and_then(|(_, pieces)| pieces.rest()) {
            Some(piece) => outbox.send(JOURNAL, piece),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
