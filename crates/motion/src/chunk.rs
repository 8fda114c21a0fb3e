//! Action chunks as they come from a policy, and the checks that turn one into waypoints.

use nalgebra::Vector3;

use crate::config::{ActuatorConfig, OnViolation};
use crate::event::{Refusal, SafetyKind};
use crate::reference::BLEND_SPEED_M_S;

/// Most steps of a chunk that are executed.
pub const MAX_STEPS: usize = 256;

/// Slowest and fastest policy rate, Hz.
const RATES_HZ: (f64, f64) = (1.0, 100.0);

/// How far in the future a chunk's observation may seem to lie: clocks of two processes, ns.
const CLOCK_SLACK_NS: u64 = 50_000_000;

/// One action of a policy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ActionStep {
    /// Displacement of the TCP during this step in the base frame, m.
    pub delta_position_m: [f64; 3],
    /// From -1 (close) to +1 (open).
    pub gripper: f64,
}

/// A policy's plan: displacements that add up from an anchor.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunk {
    /// Increases with every chunk.
    pub seq: u64,
    /// When the observation was taken that the plan is made from, ns.
    pub stamp_ns: u64,
    /// TCP position the displacements start from, m.
    pub anchor_position_m: [f64; 3],
    /// Steps per second.
    pub rate_hz: f64,
    /// How many of `steps` are executed, from the first.
    pub execute_steps: usize,
    /// The plan; may reach beyond what is executed.
    pub steps: Vec<ActionStep>,
    /// The chunk under way that this one was planned to carry on, if it was: then it joins that
    /// chunk's path, and the anchor says only where its planner believed step 0 to begin.
    pub continues: Option<Continuation>,
}

/// Which part of the chunk under way a chunk begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Continuation {
    /// Sequence number of the chunk under way.
    pub seq: u64,
    /// The step of that chunk which step 0 of the new one repeats.
    pub step: usize,
    /// How many leading steps of the new chunk repeat the old one's.
    pub frozen: usize,
}

/// What a chunk's own steps start from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Start<'a> {
    /// Its anchor, which should be here.
    Anchor(Vector3<f64>),
    /// The path under way, up to and with its last waypoint.
    Path {
        /// What is left of it, from where step 0 of the chunk begins; never empty.
        waypoints: &'a [Vector3<f64>],
        /// One action for each step between them.
        gripper: &'a [f64],
    },
}

/// What the checks compare with and write to; the buffers are reused.
pub(crate) struct Admission<'a> {
    pub(crate) config: &'a ActuatorConfig,
    pub(crate) now_ns: u64,
    /// Sequence number of the last chunk accepted.
    pub(crate) last_seq: Option<u64>,
    /// What the chunk's own steps start from.
    pub(crate) start: Start<'a>,
    /// Receives anchor and one waypoint a step.
    pub(crate) waypoints: &'a mut Vec<Vector3<f64>>,
    /// Receives one gripper action a step.
    pub(crate) gripper: &'a mut Vec<f64>,
}

impl Admission<'_> {
    /// Checks `chunk` and fills the buffers. `clamped` hears of every kind of value that was moved.
    pub(crate) fn admit(
        &mut self,
        chunk: &Chunk,
        clamped: &mut dyn FnMut(SafetyKind, String),
    ) -> Result<(), Refusal> {
        self.check_form(chunk)?;
        self.check_time(chunk)?;
        self.fill(chunk, clamped)
    }

    fn check_form(&self, chunk: &Chunk) -> Result<(), Refusal> {
        let refuse = |kind, text| {
            Err(Refusal {
                seq: chunk.seq,
                kind,
                text,
            })
        };
        let finite = chunk
            .anchor_position_m
            .iter()
            .all(|value| value.is_finite())
            && chunk.rate_hz.is_finite();
        if !finite {
            return refuse(
                SafetyKind::NotFinite,
                "expected a finite anchor and rate".into(),
            );
        }
        let sick = chunk.steps.iter().position(|step| {
            !(step.gripper.is_finite() && step.delta_position_m.iter().all(|v| v.is_finite()))
        });
        if let Some(step) = sick {
            return refuse(
                SafetyKind::NotFinite,
                format!(
                    "expected finite actions, found {:?} in step {step}",
                    chunk.steps[step]
                ),
            );
        }
        let (slowest, fastest) = RATES_HZ;
        if !(slowest..=fastest).contains(&chunk.rate_hz) {
            return refuse(
                SafetyKind::Malformed,
                format!(
                    "expected a rate of {slowest} to {fastest} Hz, found {}",
                    chunk.rate_hz
                ),
            );
        }
        let most = chunk.steps.len().min(MAX_STEPS);
        if chunk.execute_steps == 0 || chunk.execute_steps > most {
            return refuse(
                SafetyKind::Malformed,
                format!(
                    "expected 1 to {most} steps to execute, found {}",
                    chunk.execute_steps
                ),
            );
        }
        Ok(())
    }

    fn check_time(&self, chunk: &Chunk) -> Result<(), Refusal> {
        let refuse = |kind, text| {
            Err(Refusal {
                seq: chunk.seq,
                kind,
                text,
            })
        };
        if let Some(last) = self.last_seq
            && chunk.seq <= last
        {
            return refuse(
                SafetyKind::OutOfOrder,
                format!(
                    "expected a sequence number above {last}, found {}",
                    chunk.seq
                ),
            );
        }
        let age_ns = self.now_ns.saturating_sub(chunk.stamp_ns);
        if age_ns > self.config.max_chunk_age_ns {
            return refuse(
                SafetyKind::Stale,
                format!(
                    "expected an observation at most {} ms old, found {} ms",
                    self.config.max_chunk_age_ns / 1_000_000,
                    age_ns / 1_000_000
                ),
            );
        }
        if chunk.stamp_ns.saturating_sub(self.now_ns) > CLOCK_SLACK_NS {
            return refuse(
                SafetyKind::FromFuture,
                format!(
                    "expected a stamp up to now ({}), found {}",
                    self.now_ns, chunk.stamp_ns
                ),
            );
        }
        Ok(())
    }

    fn fill(
        &mut self,
        chunk: &Chunk,
        clamped: &mut dyn FnMut(SafetyKind, String),
    ) -> Result<(), Refusal> {
        let limits = &self.config.limits;
        let mut report = Report {
            seq: chunk.seq,
            worst: [None, None, None, None],
            clamped,
        };
        self.waypoints.clear();
        self.gripper.clear();

        let mut position = match self.start {
            Start::Anchor(expected) => {
                let position = anchor(chunk, expected, self.config, &mut report)?;
                self.waypoints
                    .push(limits.workspace.clamp(position.into()).into());
                position
            }
            Start::Path { waypoints, gripper } => {
                self.waypoints.extend_from_slice(waypoints);
                self.gripper.extend_from_slice(gripper);
                waypoints[waypoints.len() - 1]
            }
        };

        // Wearing off the distance to the anchor takes its share of the speed limit.
        let speed = limits.cartesian.speed_m_s * limits.operating.velocity - BLEND_SPEED_M_S;
        let longest = limits
            .max_step_m
            .min(speed.max(0.1 * BLEND_SPEED_M_S) / chunk.rate_hz);
        let own = self.gripper.len()..chunk.execute_steps;
        for (index, step) in chunk.steps[..own.end].iter().enumerate().skip(own.start) {
            let mut delta = Vector3::from(step.delta_position_m);
            let length = delta.norm();
            // A hair of slack for numbers that went through f32.
            if length > longest * (1.0 + 1e-5) {
                report.add(
                    self.config.on_step,
                    1,
                    SafetyKind::StepTooLarge,
                    length,
                    || {
                        format!(
                            "expected steps up to {longest} m, found {length:.4} in step {index}"
                        )
                    },
                )?;
                // Components may be so large that the norm overflows: scale in two stages.
                delta /= delta.amax();
                delta *= longest / delta.norm();
            }
            position += delta;
            let excess = limits.workspace.excess_m(position.into());
            if excess > 1e-5 {
                report.add(
                    self.config.on_workspace,
                    2,
                    SafetyKind::OutsideWorkspace,
                    excess,
                    || {
                        format!(
                            "step {index} leads {excess:.4} m outside the workspace, to {:.3?}",
                            position.as_slice()
                        )
                    },
                )?;
            }
            self.waypoints
                .push(limits.workspace.clamp(position.into()).into());
            if step.gripper.abs() > 1.0 + 1e-3 {
                let size = step.gripper.abs();
                report.add(
                    OnViolation::Clamp,
                    3,
                    SafetyKind::GripperRange,
                    size,
                    || format!("expected -1 to 1, found {} in step {index}", step.gripper),
                )?;
            }
            self.gripper.push(step.gripper.clamp(-1.0, 1.0));
        }
        report.finish();
        Ok(())
    }
}

/// Where the chunk says it starts, drawn toward where it should start if that is allowed.
fn anchor(
    chunk: &Chunk,
    expected: Vector3<f64>,
    config: &ActuatorConfig,
    report: &mut Report<'_>,
) -> Result<Vector3<f64>, Refusal> {
    let position = Vector3::from(chunk.anchor_position_m);
    let gap = position - expected;
    let most = config.limits.max_anchor_gap_m;
    if gap.norm() <= most {
        return Ok(position);
    }
    report.add(
        config.on_anchor,
        0,
        SafetyKind::AnchorGap,
        gap.norm(),
        || {
            format!(
                "expected the anchor within {most} m of {:.3?}, found {:.3?}",
                expected.as_slice(),
                chunk.anchor_position_m
            )
        },
    )?;
    Ok(expected + gap * (most / gap.norm()))
}

/// Collects the worst clamped value of each kind, so that one chunk gives one event a kind.
struct Report<'a> {
    seq: u64,
    worst: [Option<(f64, SafetyKind, String)>; 4],
    clamped: &'a mut dyn FnMut(SafetyKind, String),
}

impl Report<'_> {
    fn add(
        &mut self,
        policy: OnViolation,
        slot: usize,
        kind: SafetyKind,
        size: f64,
        text: impl FnOnce() -> String,
    ) -> Result<(), Refusal> {
        if policy == OnViolation::Refuse {
            return Err(Refusal {
                seq: self.seq,
                kind,
                text: text(),
            });
        }
        if self.worst[slot]
            .as_ref()
            .is_none_or(|(worst, ..)| size > *worst)
        {
            self.worst[slot] = Some((size, kind, text()));
        }
        Ok(())
    }

    fn finish(self) {
        for (_, kind, text) in self.worst.into_iter().flatten() {
            (self.clamped)(kind, format!("chunk {} clamped: {text}", self.seq));
        }
    }
}
