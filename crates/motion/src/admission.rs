//! The checks that turn a chunk into waypoints.

mod steps;

use nalgebra::{UnitQuaternion, Vector3};
use tiller_core::{ActionLayout, ArmColumns, Pose};

use crate::action::Flaw;
use crate::chunk::{Chunk, MAX_STEPS};
use crate::clearance::{self, Nearest};
use crate::config::{ActuatorConfig, OnViolation, Orientation};
use crate::course::Course;
use crate::event::{Reason, Refusal, Report, SafetyKind};
use crate::kinematics::{Chain, DOWN_WXYZ, JOINTS, JointVector};
use crate::space::{self, Numbers, Space, joints, position, rotation, turn};
use crate::violation::{Quantity, Violation};

/// Slowest and fastest policy rate, Hz.
const RATES_HZ: (f64, f64) = (1.0, 100.0);

/// How far in the future a chunk's observation may seem to lie: clocks of two processes, ns.
const CLOCK_SLACK_NS: u64 = 50_000_000;

/// Largest turn to straight down that is made without asking, rad.
const MAX_STRAIGHTENED_RAD: f64 = 0.35;

/// A hair of slack for numbers that went through f32: a share, and metres or radians.
const HAIR: f64 = 1e-5;

/// How often the way to a wall is halved to find where a joint path meets it.
const HALVINGS: usize = 20;

/// What a chunk's own steps start from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Start<'a> {
    /// Its anchor, which should be here; joint chunks start from these joints.
    Anchor { pose: Pose, q_rad: JointVector },
    /// The path under way, up to and with its last waypoint.
    Path {
        /// What is left of it, from where step 0 of the chunk begins; never empty.
        waypoints: &'a [Numbers],
        /// One opening for each step between them.
        gripper: &'a [Option<f64>],
    },
}

/// What the checks compare with and write to; the buffers are reused.
pub(crate) struct Admission<'a> {
    pub(crate) config: &'a ActuatorConfig,
    pub(crate) now_ns: u64,
    /// Sequence number of the last chunk accepted.
    pub(crate) last_seq: Option<u64>,
    /// The layout of the last chunk accepted, known to be sound.
    pub(crate) sound: Option<&'a ActionLayout>,
    /// What the chunk's own steps start from.
    pub(crate) start: Start<'a>,
    /// Where the joints are told to be now, rad.
    pub(crate) q_rad: &'a JointVector,
    /// Receives the start and one waypoint a step.
    pub(crate) waypoints: &'a mut Vec<Numbers>,
    /// Receives one opening of the gripper a step.
    pub(crate) gripper: &'a mut Vec<Option<f64>>,
}

impl Admission<'_> {
    /// Checks `chunk` and fills the buffers. `clamped` hears of every kind of value that was moved.
    pub(crate) fn admit(
        &mut self,
        chunk: &Chunk,
        clamped: &mut dyn FnMut(SafetyKind, Violation),
    ) -> Result<(), Refusal> {
        self.check_form(chunk)?;
        self.check_time(chunk)?;
        let mut report = Report::new(chunk.seq, clamped);
        self.fill(chunk, &mut report)?;
        report.finish();
        Ok(())
    }

    fn check_form(&self, chunk: &Chunk) -> Result<(), Refusal> {
        let refuse = |kind, reason: Reason| Err(Refusal::new(chunk.seq, kind, reason));
        let rate_hz = chunk.layout.rate_hz;
        let anchor = &chunk.anchor;
        let mut numbers = anchor.position_m.iter().chain(&anchor.quaternion_wxyz);
        if !numbers.all(|value| value.is_finite()) || !rate_hz.is_finite() {
            return refuse(
                SafetyKind::NotFinite,
                "expected a finite anchor and rate".into(),
            );
        }
        if !anchor.is_valid() {
            let norm = nalgebra::Vector4::from(anchor.quaternion_wxyz).norm();
            return refuse(
                SafetyKind::Malformed,
                Violation::new(Quantity::QuaternionNorm, 1.0, norm).into(),
            );
        }
        let (slowest, fastest) = RATES_HZ;
        if !(slowest..=fastest).contains(&rate_hz) {
            let limit = if rate_hz < slowest { slowest } else { fastest };
            return refuse(
                SafetyKind::Malformed,
                Violation::new(Quantity::Rate, limit, rate_hz).into(),
            );
        }
        if self.sound != Some(&chunk.layout) {
            let problems = chunk.layout.problems();
            if !problems.is_empty() {
                return refuse(
                    SafetyKind::Malformed,
                    format!("the action layout: {problems}").into(),
                );
            }
        }
        let dim = chunk.layout.dim;
        if !chunk.actions.len().is_multiple_of(dim) {
            return refuse(
                SafetyKind::Malformed,
                format!(
                    "expected whole steps of {dim} numbers, found {} numbers",
                    chunk.actions.len()
                )
                .into(),
            );
        }
        if let Some(at) = chunk.actions.iter().position(|value| !value.is_finite()) {
            return refuse(
                SafetyKind::NotFinite,
                format!(
                    "expected finite actions, found {} in column {} of step {}",
                    chunk.actions[at],
                    at % dim,
                    at / dim
                )
                .into(),
            );
        }
        let most = chunk.step_count().min(MAX_STEPS);
        if chunk.execute_steps == 0 || chunk.execute_steps > most {
            let limit = if chunk.execute_steps == 0 { 1 } else { most };
            let found = chunk.execute_steps as f64;
            return refuse(
                SafetyKind::Malformed,
                Violation::new(Quantity::Steps, limit as f64, found).into(),
            );
        }
        Ok(())
    }

    fn check_time(&self, chunk: &Chunk) -> Result<(), Refusal> {
        let refuse = |kind, quantity, limit, found| {
            let violation = Violation::new(quantity, limit, found);
            Err(Refusal::new(chunk.seq, kind, violation))
        };
        if let Some(last) = self.last_seq
            && chunk.seq <= last
        {
            let (above, found) = (last as f64, chunk.seq as f64);
            return refuse(SafetyKind::OutOfOrder, Quantity::Sequence, above, found);
        }
        let in_ms = |ns: u64| ns as f64 * 1e-6;
        let age_ns = self.now_ns.saturating_sub(chunk.stamp_ns);
        let most_ns = self.config.max_chunk_age_ns;
        if age_ns > most_ns {
            let (most, found) = (in_ms(most_ns), in_ms(age_ns));
            return refuse(SafetyKind::Stale, Quantity::Age, most, found);
        }
        let lead_ns = chunk.stamp_ns.saturating_sub(self.now_ns);
        if lead_ns > CLOCK_SLACK_NS {
            let (most, found) = (in_ms(CLOCK_SLACK_NS), in_ms(lead_ns));
            return refuse(SafetyKind::FromFuture, Quantity::Lead, most, found);
        }
        Ok(())
    }

    fn fill(&mut self, chunk: &Chunk, report: &mut Report<'_>) -> Result<(), Refusal> {
        self.waypoints.clear();
        self.gripper.clear();
        let space = Space::of(&chunk.layout);
        let mut last = match self.start {
            Start::Anchor { pose, q_rad } => {
                let start = self.anchor(chunk, &pose, &q_rad, report)?;
                let inside = match space {
                    Space::Pose => self.over_table(self.inside(&start)).0,
                    Space::Joints => start,
                };
                self.waypoints.push(inside);
                start
            }
            Start::Path { waypoints, gripper } => {
                self.waypoints.extend_from_slice(waypoints);
                self.gripper.extend_from_slice(gripper);
                waypoints[waypoints.len() - 1]
            }
        };
        let limits = &self.config.limits;
        let from = self.waypoints[self.waypoints.len() - 1];
        let mut course = Course::new(limits, space, self.q_rad, &from);
        let longest = self.longest(chunk.layout.rate_hz);
        for step in self.gripper.len()..chunk.execute_steps {
            let action = chunk.action(step);
            let mut way = action.way(&last).map_err(|flaw| match flaw {
                Flaw::NoRotation => Refusal::new(
                    chunk.seq,
                    SafetyKind::Malformed,
                    format!("expected numbers that spell a rotation, found none in step {step}"),
                ),
                Flaw::NotFinite => Refusal::new(
                    chunk.seq,
                    SafetyKind::NotFinite,
                    format!(
                        "expected numbers that stay finite when scaled, found others in step {step}"
                    ),
                ),
            })?;
            self.shorten(space, &mut way, &longest, step, report)?;
            last = space.moved(&last, &way);
            let waypoint = match space {
                Space::Pose => self.pose_waypoint(&last, step, report)?,
                Space::Joints => self.joint_waypoint(&last, step, report)?,
            };
            let waypoint = self.clear_waypoint(&mut course, &waypoint, step, report)?;
            self.waypoints.push(waypoint);
            let opening = action.opening();
            if let Some(opening) = opening {
                let beyond = (opening - 0.5).abs() - 0.5;
                if beyond > 5e-4 {
                    let limit = opening.clamp(0.0, 1.0);
                    let found = Violation::new(Quantity::Opening, limit, opening).in_step(step);
                    report.add(OnViolation::Clamp, SafetyKind::GripperRange, beyond, found)?;
                }
            }
            self.gripper
                .push(opening.map(|opening| opening.clamp(0.0, 1.0)));
        }
        Ok(())
    }

    /// Where the chunk's own steps begin, drawn toward where they should begin if that is allowed.
    fn anchor(
        &self,
        chunk: &Chunk,
        expected: &Pose,
        q_rad: &JointVector,
        report: &mut Report<'_>,
    ) -> Result<Numbers, Refusal> {
        let limits = &self.config.limits;
        let gap = Space::Pose.between(&place_of(expected), &place_of(&chunk.anchor));
        let (metres, radians) = (position(&gap).norm(), turn(&gap).norm());
        let (most_m, most_rad) = (limits.max_anchor_gap_m, limits.max_anchor_gap_rad);
        let (far, turned) = (metres / most_m, radians / most_rad);
        if far > 1.0 || turned > 1.0 {
            let gap = if far >= turned {
                Violation::new(Quantity::AnchorGap, most_m, metres)
            } else {
                Violation::new(Quantity::AnchorTurn, most_rad, radians)
            };
            let size = far.max(turned);
            report.add(self.config.on_anchor, SafetyKind::AnchorGap, size, gap)?;
        }
        let ArmColumns::Pose { rotation, .. } = &chunk.layout.arm else {
            return Ok(Numbers::from(*q_rad));
        };
        let allowed = space::way(
            &at_most(position(&gap), most_m),
            &at_most(turn(&gap), most_rad),
        );
        let mut start = Space::Pose.moved(&place_of(expected), &allowed);
        if rotation.is_none() {
            let held = self.held(chunk.seq, expected)?;
            start = space::place(&position(&start), &held);
        }
        Ok(start)
    }

    /// How a hand is held of which the policy says nothing.
    fn held(&self, seq: u64, expected: &Pose) -> Result<UnitQuaternion<f64>, Refusal> {
        if self.config.orientation == Orientation::Hold {
            return Ok(expected.rotation());
        }
        let [w, x, y, z] = DOWN_WXYZ;
        let down = UnitQuaternion::new_unchecked(nalgebra::Quaternion::new(w, x, y, z));
        let tilt = expected.rotation().angle_to(&down);
        // Once it was held straight down, whatever tilted it since is to be undone.
        if tilt > MAX_STRAIGHTENED_RAD && self.last_seq.is_none() {
            return Err(Refusal::new(
                seq,
                SafetyKind::Tilted,
                Violation::new(Quantity::Tilt, MAX_STRAIGHTENED_RAD, tilt),
            ));
        }
        Ok(down)
    }

    /// The place with its position moved into the workspace.
    fn inside(&self, place: &Numbers) -> Numbers {
        let workspace = &self.config.limits.workspace;
        let rotation = rotation(place);
        space::place(
            &workspace.clamp_turned(position(place), &rotation),
            &rotation,
        )
    }

    fn pose_waypoint(
        &self,
        wanted: &Numbers,
        step: usize,
        report: &mut Report<'_>,
    ) -> Result<Numbers, Refusal> {
        let inside = self.inside(wanted);
        let outside_m = (position(wanted) - position(&inside)).norm();
        self.report_outside(outside_m, step, report)?;
        let (over, too_low) = self.over_table(inside);
        if let Some(hand) = too_low {
            self.report_near(&hand, step, report)?;
        }
        Ok(over)
    }

    /// The place raised until the hand keeps its height over the table; what of it was too low.
    fn over_table(&self, mut place: Numbers) -> (Numbers, Option<Nearest>) {
        let z_of_axes = rotation(&place).inverse() * Vector3::z();
        let found = clearance::too_low(&self.config.limits, place[2], &z_of_axes);
        place[2] += found.map_or(0.0, |(raise_m, _)| raise_m);
        (place, found.map(|(_, hand)| hand))
    }

    /// The way to a waypoint ends where the arm would come too near to itself or to the table, and with
    /// it the path.
    fn clear_waypoint(
        &self,
        course: &mut Course,
        wanted: &Numbers,
        step: usize,
        report: &mut Report<'_>,
    ) -> Result<Numbers, Refusal> {
        let from = self.waypoints[self.waypoints.len() - 1];
        let (reached, obstacle) = course.go(&self.config.limits, &from, wanted);
        if let Some(obstacle) = obstacle {
            self.report_near(&obstacle, step, report)?;
        }
        Ok(reached)
    }

    fn report_near(
        &self,
        nearest: &Nearest,
        step: usize,
        report: &mut Report<'_>,
    ) -> Result<(), Refusal> {
        let (kind, violation) = nearest.violation();
        let size = nearest.limit_m - nearest.distance_m;
        if size <= HAIR {
            return Ok(());
        }
        let policy = self.config.on_workspace;
        report.add(policy, kind, size, violation.in_step(step))
    }

    /// Joints are moved into their own limits; where the tool would leave the box, the way there
    /// ends at the wall.
    fn joint_waypoint(
        &self,
        wanted: &Numbers,
        step: usize,
        report: &mut Report<'_>,
    ) -> Result<Numbers, Refusal> {
        let limits = &self.config.limits;
        let from = self.waypoints[self.waypoints.len() - 1];
        let mut to = *wanted;
        for joint in 0..JOINTS {
            // A joint that is beyond already may stay there.
            let margin = limits.position_margin_rad;
            let low = (limits.joint.position_min_rad[joint] + margin).min(from[joint]);
            let high = (limits.joint.position_max_rad[joint] - margin).max(from[joint]);
            to[joint] = wanted[joint].clamp(low, high);
            let excess = (wanted[joint] - to[joint]).abs();
            if excess > HAIR {
                let (policy, kind) = (self.config.on_workspace, SafetyKind::OutsideJointLimits);
                let quantity = Quantity::JointPosition(joint);
                let found = Violation::new(quantity, to[joint], wanted[joint]).in_step(step);
                report.add(policy, kind, excess, found)?;
            }
        }
        let outside = |q: &Numbers| {
            let tcp = Chain::new(&joints(q)).position;
            let inside = Vector3::from(limits.workspace.bounds.clamp(tcp.into()));
            (tcp - inside).norm()
        };
        let excess = outside(&to);
        let allowed = outside(&from).max(HAIR);
        if excess <= allowed {
            return Ok(to);
        }
        self.report_outside(excess, step, report)?;
        let (mut inner, mut outer) = (0.0, 1.0);
        for _ in 0..HALVINGS {
            let middle = 0.5 * (inner + outer);
            if outside(&(from + (to - from) * middle)) <= allowed {
                inner = middle;
            } else {
                outer = middle;
            }
        }
        Ok(from + (to - from) * inner)
    }

    fn report_outside(
        &self,
        excess: f64,
        step: usize,
        report: &mut Report<'_>,
    ) -> Result<(), Refusal> {
        if excess <= HAIR {
            return Ok(());
        }
        let (policy, kind) = (self.config.on_workspace, SafetyKind::OutsideWorkspace);
        let found = Violation::new(Quantity::Outside, 0.0, excess).in_step(step);
        report.add(policy, kind, excess, found)
    }
}

fn place_of(pose: &Pose) -> Numbers {
    space::place(&pose.position(), &pose.rotation())
}

/// A vector shortened to a length. Components may be so large that the norm overflows: in two steps.
fn at_most(vector: Vector3<f64>, length: f64) -> Vector3<f64> {
    if vector.norm() <= length {
        return vector;
    }
    let direction = vector / vector.amax();
    direction * (length / direction.norm())
}
