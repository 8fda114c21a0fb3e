//! Planning a chunk, and saying what came of it.

use eyre::{Result, WrapErr, bail};
use tiller_core::{ActionLayout, ActionMode, ArmColumns, Frame, GripperColumn};
use tiller_messages::{ActionChunk, Candidates, Progress, RobotState};
use tiller_policy::{Observation, Policy};
use tiller_sampler::{CarryOn, Pilot, PilotConfig, Plan, Reading, Request};

use crate::config::Settings;
use crate::schedule::Joint;
use crate::senses::Moment;

/// A policy with its pilot.
pub(crate) struct Planner {
    policy: Policy,
    pilot: Pilot,
    columns: [usize; 3],
    gripper: Option<GripperColumn>,
    seed: u64,
    chunks: u64,
    progress_sent: u64,
    last: LastPlan,
    /// Stamp of what the policy was shown last, ns.
    observed_ns: Option<u64>,
}

/// How soon after one observation the next may come, in action steps: stamps are never exact.
const EARLIEST: f64 = 0.75;

/// What of the last plan is repeated with every progress reading.
#[derive(Default)]
struct LastPlan {
    strength: f64,
    reward: f64,
    ess: f64,
}

impl Planner {
    /// Binds the policy to a pilot with its own horizon, steps and rate.
    pub(crate) fn new(settings: &Settings, mut policy: Policy) -> Result<Self> {
        let mut steering = settings.steering.clone();
        policy.configure(&mut steering);
        policy.warm_up(&[steering.unsteered_particles, steering.particles])?;
        let manifest = policy.manifest();
        let config = PilotConfig {
            steering,
            execute_steps: manifest.execute_steps,
            ..Default::default()
        };
        let pilot = Pilot::new(config, policy.action_space(), manifest.horizon)?;
        let layout = policy.action_space().layout;
        Ok(Self {
            columns: displacements(&layout)?,
            gripper: layout.gripper,
            policy,
            pilot,
            seed: settings.seed,
            chunks: 0,
            progress_sent: 0,
            last: LastPlan::default(),
            observed_ns: None,
        })
    }

    /// The pilot, to set program and stage.
    pub(crate) fn pilot(&mut self) -> &mut Pilot {
        &mut self.pilot
    }

    /// Forgets what is repeated of the last plan: it was for another goal.
    pub(crate) fn forget_plan(&mut self) {
        self.last = LastPlan::default();
    }

    /// Whether the policy sees more than the moment that it plans from.
    pub(crate) fn remembers(&self) -> bool {
        self.policy.manifest().observation_steps > 1
    }

    /// Takes a moment into the policy's history, at most one an action step.
    pub(crate) fn observe(&mut self, moment: &Moment<'_>) -> Result<()> {
        let period_ns = 1e9 / self.policy.manifest().rate_hz;
        let is_due = self
            .observed_ns
            .is_none_or(|last| moment.stamp_ns.saturating_sub(last) as f64 >= EARLIEST * period_ns);
        if is_due {
            self.policy
                .observe(&observation(moment, &state(moment)))
                .wrap_err("the policy cannot take the observation")?;
            self.observed_ns = Some(moment.stamp_ns);
        }
        Ok(())
    }

    /// Plans from a moment, at rest or to carry on the chunk under way.
    pub(crate) fn plan(
        &mut self,
        moment: &Moment<'_>,
        guidance: bool,
        joint: Option<Joint>,
    ) -> Result<(Plan, ActionChunk, Candidates)> {
        let encoded = if self.observed_ns == Some(moment.stamp_ns) {
            self.policy.encode_history()
        } else {
            self.policy.encode(&observation(moment, &state(moment)))
        };
        encoded.wrap_err("the policy cannot take the observation")?;
        self.observed_ns = Some(moment.stamp_ns);
        let request = Request {
            keypoints: &moment.points,
            anchor_m: moment.state.anchor_position_m,
            end_effector_m: moment.state.tcp_position_m,
            guidance,
            seed: self.seed,
            chunk_index: self.chunks,
            carry_on: joint.map(|joint| CarryOn {
                step: joint.step as usize,
                frozen: joint.frozen as usize,
                same_goal: joint.same_goal,
            }),
        };
        let plan = self
            .pilot
            .plan(&mut self.policy, &request)
            .wrap_err("planning failed")?;
        self.chunks += 1;
        self.last = LastPlan {
            strength: plan.strength,
            reward: plan
                .rewards
                .get(plan.selected)
                .map_or(0.0, |reward| f64::from(*reward)),
            ess: plan.ess,
        };
        let chunk = self.chunk(&plan, moment, joint);
        let candidates = self.candidates(&plan, moment.stamp_ns);
        Ok((plan, chunk, candidates))
    }

    /// A chunk that brings the arm to rest where it is, with the gripper as it is.
    pub(crate) fn rest(&mut self, state: &RobotState) -> ActionChunk {
        self.chunks += 1;
        ActionChunk {
            seq: self.chunks,
            stamp_ns: state.stamp_ns,
            anchor_position_m: state.anchor_position_m,
            rate_hz: self.policy.manifest().rate_hz,
            execute_steps: 1,
            horizon: 1,
            action_dim: 3,
            actions: vec![0.0; 3],
            position_columns: [0, 1, 2],
            gripper_column: None,
            delta: true,
            stage: 0,
            continues_seq: 0,
            continues_step: 0,
            frozen_steps: 0,
        }
    }

    /// How far the stage is; none outside of stages.
    pub(crate) fn progress(
        &mut self,
        stamp_ns: u64,
        points: &[[f64; 3]],
        state: &RobotState,
    ) -> Result<Option<Progress>> {
        let reading = self.pilot.progress(points, state.tcp_position_m)?;
        Ok(self.message(stamp_ns, &reading))
    }

    /// The reading as a message, with what is known of the last plan.
    pub(crate) fn message(&mut self, stamp_ns: u64, reading: &Reading) -> Option<Progress> {
        if reading.stage == 0 {
            return None;
        }
        self.progress_sent += 1;
        Some(Progress {
            seq: self.progress_sent,
            stamp_ns,
            stage: reading.stage,
            visit: reading.visit,
            planned: reading.planned,
            achieved: reading.achieved,
            done: reading.done,
            guidance_strength: self.last.strength,
            reward: self.last.reward,
            ess: self.last.ess,
        })
    }

    fn chunk(&self, plan: &Plan, moment: &Moment<'_>, joint: Option<Joint>) -> ActionChunk {
        let manifest = self.policy.manifest();
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        ActionChunk {
            seq: self.chunks,
            stamp_ns: moment.stamp_ns,
            stage: plan.reading.stage,
            anchor_position_m: moment.state.anchor_position_m,
            rate_hz: manifest.rate_hz,
            execute_steps: number(plan.execute_steps),
            horizon: number(plan.horizon),
            action_dim: number(plan.action_dim),
            actions: self.actions(plan),
            position_columns: self.columns.map(number),
            gripper_column: self.gripper.map(|gripper| number(gripper.column)),
            delta: true,
            continues_seq: joint.map_or(0, |joint| joint.seq),
            continues_step: joint.map_or(0, |joint| joint.step),
            frozen_steps: joint.map_or(0, |joint| joint.frozen),
        }
    }

    /// The chunk's actions, with the gripper from -1 (closed) to +1 (open), as the message has it.
    fn actions(&self, plan: &Plan) -> Vec<f32> {
        let mut actions = plan.chunk.clone();
        if let Some(gripper) = self.gripper {
            for row in actions.chunks_exact_mut(plan.action_dim) {
                let value = &mut row[gripper.column];
                *value = (2.0 * gripper.opening(f64::from(*value)) - 1.0) as f32;
            }
        }
        actions
    }

    fn candidates(&self, plan: &Plan, stamp_ns: u64) -> Candidates {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Candidates {
            seq: self.chunks,
            stamp_ns,
            chunk_seq: self.chunks,
            particles: number(plan.candidates.len() / (3 * plan.points.max(1))),
            points: number(plan.points),
            xyz_m: plan.candidates.clone(),
            rewards: if plan.steered {
                plan.rewards.clone()
            } else {
                Vec::new()
            },
            selected: number(plan.selected),
        }
    }
}

/// The columns of displacements in metres in the base frame, all that the arm can be sent so far.
fn displacements(layout: &ActionLayout) -> Result<[usize; 3]> {
    match layout.arm {
        ArmColumns::Pose {
            position,
            rotation: None,
        } if layout.mode == ActionMode::DeltaPose(Frame::Base)
            && layout.position_m_per_unit == 1.0
            && layout.clip.is_none() =>
        {
            Ok(position)
        }
        _ => bail!(
            "the arm takes displacements of the position in metres in the base frame, found actions \
             in `{}`",
            layout.mode.as_str()
        ),
    }
}

/// Numbers in the state that policies are shown.
pub(crate) const STATE: usize = 4;

/// TCP x, y, z and gripper width, m.
fn state(moment: &Moment<'_>) -> [f32; STATE] {
    let RobotState {
        tcp_position_m: [x, y, z],
        gripper_width_m,
        ..
    } = *moment.state;
    [x, y, z, gripper_width_m].map(|value| value as f32)
}

fn observation<'a>(moment: &'a Moment<'_>, state: &'a [f32]) -> Observation<'a> {
    Observation {
        images: &moment.images,
        state,
        environment: &[],
    }
}
