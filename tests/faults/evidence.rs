//! What a recording says of a run with faults: whether the arm stayed within its limits, and when each stream
//! came back.

use std::collections::BTreeMap;
use std::path::Path;

use tiller_messages::{ActionChunk, ArmCommand, Keypoints, Message, RewardProgram};
use tiller_recording::{Recording, Sent};

use crate::checker::{Cell, Checker, Extremes, PANDA};

/// Streams whose sender may be started anew.
const STREAMS: [&str; 3] = [
    "keypoint-grounding/keypoints",
    "vlm-reward/reward_program",
    "steered-sampler/action_chunk",
];

/// Wall time from one answer of the actuator to the next from which a tick of the simulation counts as
/// missed, ns: twice its period, and as much again for a machine with two cores.
const MISSED_NS: u64 = 80_000_000;

/// Setpoints from which the rates of an arm in motion are known.
const RATES: usize = 3;

/// What was found in a recording.
pub(crate) struct Evidence {
    /// Setpoints that were judged, one each millisecond.
    pub(crate) judged: u64,
    /// What was outside the limits.
    pub(crate) violations: Vec<String>,
    /// The largest share that was used of a joint's speed, acceleration or jerk.
    pub(crate) largest_share: f64,
    /// Answers of the actuator that came late, and the longest time without one, ns.
    pub(crate) missed: u64,
    pub(crate) longest_ns: u64,
    /// Pieces of time that the recording lacks.
    pub(crate) gaps: u64,
    /// By stream: each session, with when its first message was sent, ns since 1970.
    sessions: BTreeMap<String, Vec<(u64, u64)>>,
}

impl Evidence {
    /// Reads and judges a recording; what came late counts from `after_ns` on, ns since 1970.
    pub(crate) fn read(path: &Path, after_ns: u64) -> Self {
        let mut evidence = Self {
            judged: 0,
            violations: Vec::new(),
            largest_share: 0.0,
            missed: 0,
            longest_ns: 0,
            gaps: 0,
            sessions: BTreeMap::new(),
        };
        let mut arm = Arm {
            checker: None,
            extremes: Extremes::NONE,
            last: None,
        };
        let mut recording = Recording::open(path).unwrap();
        while let Some(entry) = recording.next_entry() {
            let topic = entry.topic();
            if topic == "franka-actuator/arm_command" {
                let sent = entry.open().unwrap();
                let command = sent.message().unwrap();
                evidence.on_command(&command, sent.sent_ns(), after_ns, &mut arm);
            } else if STREAMS.contains(&topic.as_str()) {
                let sent = entry.open().unwrap();
                let sessions = evidence.sessions.entry(topic.clone()).or_default();
                let session = session(&topic, &sent);
                if sessions.iter().all(|(known, _)| *known != session) {
                    sessions.push((session, sent.sent_ns()));
                }
            }
        }
        let joints = arm.extremes.joints.into_iter();
        evidence.largest_share = joints.fold(0.0, f64::max);
        evidence.judged = arm.extremes.samples;
        evidence
    }

    fn on_command(&mut self, command: &ArmCommand, sent_ns: u64, after_ns: u64, arm: &mut Arm) {
        let is_first = arm.last.is_none();
        if let Some((due_ns, last_ns)) = arm.last {
            if command.stamp_ns < due_ns {
                // Sent once more.
                return;
            }
            let waited_ns = sent_ns.saturating_sub(last_ns);
            if sent_ns > after_ns {
                self.longest_ns = self.longest_ns.max(waited_ns);
                self.missed += u64::from(waited_ns > MISSED_NS);
            }
            if command.stamp_ns > due_ns {
                self.gaps += 1;
                arm.checker = None;
            }
        }
        let next_ns = command.stamp_ns + command.setpoints().len() as u64 * 1_000_000;
        arm.last = Some((next_ns, sent_ns));
        for q_rad in command.setpoints() {
            match &mut arm.checker {
                None => {
                    let unjudged = if is_first { 0 } else { RATES };
                    arm.checker = Some((Checker::new(CELL, q_rad), unjudged));
                }
                Some((checker, unjudged)) if *unjudged > 0 => {
                    checker.follow(&q_rad);
                    *unjudged -= 1;
                }
                Some((checker, _)) => {
                    if let Err(violation) = checker.sample(&q_rad, &mut arm.extremes) {
                        self.violations.push(violation);
                        arm.checker = None;
                    }
                }
            }
        }
    }

    /// How long after `at_ns` (since 1970) a sender that was then started anew was heard of, s.
    pub(crate) fn back_after_s(&self, stream: &str, at_ns: u64) -> Option<f64> {
        let sessions = self.sessions.get(stream)?;
        let back = sessions.iter().find(|(_, first_ns)| *first_ns > at_ns);
        back.map(|(_, first_ns)| (first_ns - at_ns) as f64 * 1e-9)
    }
}

/// The robot's own limits, in a cell without walls.
const CELL: Cell = Cell {
    robot: PANDA,
    share: [1.0; 3],
    min_m: [-2.0; 3],
    max_m: [2.0; 3],
    table_m: None,
};

struct Arm {
    /// With how many setpoints are yet to be followed before one is judged.
    checker: Option<(Checker, usize)>,
    extremes: Extremes,
    /// When the next setpoint is due by the arm's clock, and when the last ones were sent, ns.
    last: Option<(u64, u64)>,
}

fn session(topic: &str, sent: &Sent) -> u64 {
    fn of<M: Message>(sent: &Sent) -> u64 {
        sent.message::<M>().unwrap().session()
    }
    match topic {
        "keypoint-grounding/keypoints" => of::<Keypoints>(sent),
        "vlm-reward/reward_program" => of::<RewardProgram>(sent),
        _ => of::<ActionChunk>(sent),
    }
}
