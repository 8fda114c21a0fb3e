//! The Franka hand: moves, grasps, homes, a millisecond at a time; and its bytes.

use franka::wire::gripper::{
    GRIPPER_VERSION, GraspRequest, GripperCommand, GripperCommandResponse, GripperConnectRequest,
    GripperConnectResponse, GripperConnectStatus, GripperMoveRequest, GripperState, GripperStatus,
};
use tiller_motion::PERIOD_S;
use zerocopy::little_endian::U16;
use zerocopy::{FromBytes, IntoBytes};

/// Widest opening, m.
pub(crate) const WIDEST_M: f64 = 0.08;

/// Highest speed of the opening, m/s.
const FASTEST_M_S: f64 = 0.2;

/// Speed while homing, m/s.
const HOMING_M_S: f64 = 0.1;

/// How near the opening must come to the one it was told, m.
const REACHED_M: f64 = 1e-3;

/// How long the fingers must stand still short of where they are driven before they count as held up
/// by something, ms.
const BLOCKED_MS: u32 = 50;

/// Fingers that moved less than this stand still, m.
const STILL_M: f64 = 2e-4;

/// Highest continuous force, N.
const STRONGEST_N: f64 = 70.0;

/// What a client asks of the hand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum HandRequest {
    Connect {
        version: u16,
        udp_port: u16,
    },
    Homing,
    Grasp {
        width_m: f64,
        inner_m: f64,
        outer_m: f64,
        speed_m_s: f64,
        force_n: f64,
    },
    Move {
        width_m: f64,
        speed_m_s: f64,
    },
    Stop,
}

/// The request that the bytes are, if they are one.
pub(crate) fn request(number: u32, payload: &[u8]) -> Option<HandRequest> {
    let number = u16::try_from(number).ok()?;
    Some(match GripperCommand::from_u16(number)? {
        GripperCommand::Connect => {
            let request = GripperConnectRequest::read_from_prefix(payload).ok()?.0;
            HandRequest::Connect {
                version: request.version.get(),
                udp_port: request.udp_port.get(),
            }
        }
        GripperCommand::Homing => HandRequest::Homing,
        GripperCommand::Grasp => {
            let request = GraspRequest::read_from_prefix(payload).ok()?.0;
            HandRequest::Grasp {
                width_m: request.width.get(),
                inner_m: request.epsilon_inner.get(),
                outer_m: request.epsilon_outer.get(),
                speed_m_s: request.speed.get(),
                force_n: request.force.get(),
            }
        }
        GripperCommand::Move => {
            let request = GripperMoveRequest::read_from_prefix(payload).ok()?.0;
            HandRequest::Move {
                width_m: request.width.get(),
                speed_m_s: request.speed.get(),
            }
        }
        GripperCommand::Stop => HandRequest::Stop,
    })
}

/// The bytes that answer a request to connect.
pub(crate) fn connected(is_accepted: bool) -> Vec<u8> {
    let status = if is_accepted {
        GripperConnectStatus::Success
    } else {
        GripperConnectStatus::IncompatibleLibraryVersion
    };
    let response = GripperConnectResponse {
        status: U16::new(status.to_u16()),
        version: U16::new(GRIPPER_VERSION),
    };
    response.as_bytes().to_vec()
}

/// The bytes that answer any other request.
pub(crate) fn status(status: GripperStatus) -> Vec<u8> {
    let response = GripperCommandResponse {
        status: U16::new(status.to_u16()),
    };
    response.as_bytes().to_vec()
}

/// The answer to a request: its command, its number, how it ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct HandDone {
    pub(crate) command: GripperCommand,
    pub(crate) request: u32,
    pub(crate) status: GripperStatus,
}

#[derive(Debug, Clone, Copy)]
struct Task {
    request: u32,
    kind: HandRequest,
    target_m: f64,
    speed_m_s: f64,
    /// Where the fingers were when they moved last, and since when, ms.
    still_m: f64,
    still_ms: u32,
}

/// The hand.
#[derive(Debug)]
pub(crate) struct Hand {
    /// Where the fingers are driven to, m.
    width_m: f64,
    task: Option<Task>,
    is_grasped: bool,
    is_homed: bool,
    number: u32,
}

impl Hand {
    pub(crate) fn new(width_m: f64) -> Self {
        Self {
            width_m,
            task: None,
            is_grasped: false,
            is_homed: false,
            number: 0,
        }
    }

    /// Where the fingers are driven to, m.
    pub(crate) fn width_m(&self) -> f64 {
        self.width_m
    }

    /// Takes a request; one that takes time is answered later, what it interrupts at once.
    pub(crate) fn take(
        &mut self,
        kind: HandRequest,
        request: u32,
        measured_m: f64,
    ) -> Vec<HandDone> {
        let mut done: Vec<HandDone> = Vec::new();
        let (target_m, speed_m_s) = match kind {
            HandRequest::Connect { .. } => return done,
            HandRequest::Homing => (0.0, HOMING_M_S),
            HandRequest::Grasp {
                width_m, speed_m_s, ..
            }
            | HandRequest::Move { width_m, speed_m_s } => (width_m, speed_m_s),
            HandRequest::Stop => (measured_m, 0.0),
        };
        done.extend(self.interrupt());
        if kind == HandRequest::Stop {
            self.width_m = measured_m;
            done.push(answer(kind, request, GripperStatus::Success));
            return done;
        }
        if !self.is_possible(kind) {
            done.push(answer(kind, request, GripperStatus::Fail));
            return done;
        }
        // The fingers start from where they are, not from where they would press to.
        self.width_m = measured_m;
        self.is_grasped = false;
        self.task = Some(Task {
            request,
            kind,
            target_m,
            speed_m_s: speed_m_s.min(FASTEST_M_S),
            still_m: measured_m,
            still_ms: 0,
        });
        done
    }

    fn is_possible(&self, kind: HandRequest) -> bool {
        let is_width = |width_m: f64| (0.0..=WIDEST_M + REACHED_M).contains(&width_m);
        let is_speed = |speed_m_s: f64| speed_m_s > 0.0 && speed_m_s.is_finite();
        match kind {
            HandRequest::Move { width_m, speed_m_s } => is_width(width_m) && is_speed(speed_m_s),
            HandRequest::Grasp {
                width_m,
                speed_m_s,
                force_n,
                inner_m,
                outer_m,
            } => {
                is_width(width_m)
                    && is_speed(speed_m_s)
                    && (0.0..=STRONGEST_N).contains(&force_n)
                    && inner_m >= 0.0
                    && outer_m >= 0.0
            }
            _ => true,
        }
    }

    /// Ends what is under way.
    pub(crate) fn interrupt(&mut self) -> Option<HandDone> {
        let task = self.task.take()?;
        Some(answer(task.kind, task.request, GripperStatus::Aborted))
    }

    /// One millisecond; the fingers were measured `measured_m` apart.
    pub(crate) fn cycle(&mut self, measured_m: f64) -> Option<HandDone> {
        self.number += 1;
        let mut task = self.task.take()?;
        let step_m = task.speed_m_s * PERIOD_S;
        self.width_m += (task.target_m - self.width_m).clamp(-step_m, step_m);
        let is_behind = (measured_m - self.width_m).abs() > REACHED_M;
        if (measured_m - task.still_m).abs() > STILL_M {
            (task.still_m, task.still_ms) = (measured_m, 0);
        } else {
            task.still_ms += 1;
        }
        let is_there = (self.width_m - task.target_m).abs() < 1e-9 && !is_behind;
        let is_held_up = is_behind && task.still_ms >= BLOCKED_MS;
        if !is_there && !is_held_up {
            self.task = Some(task);
            return None;
        }
        match task.kind {
            HandRequest::Homing if task.target_m < WIDEST_M => {
                // Closed, or as far as it goes: now open.
                self.is_homed = true;
                self.width_m = measured_m;
                self.task = Some(Task {
                    target_m: WIDEST_M,
                    still_ms: 0,
                    ..task
                });
                None
            }
            HandRequest::Grasp {
                width_m,
                inner_m,
                outer_m,
                ..
            } => {
                let is_grasped = measured_m > width_m - inner_m && measured_m < width_m + outer_m;
                self.is_grasped = is_grasped;
                // The fingers go on pressing on what is between them.
                self.width_m = task.target_m;
                Some(answer(task.kind, task.request, told(is_grasped)))
            }
            _ => Some(answer(task.kind, task.request, told(is_there))),
        }
    }

    /// What the hand tells.
    pub(crate) fn state(&self, measured_m: f64) -> [u8; size_of::<GripperState>()] {
        let mut state = GripperState::default();
        state.message_id.set(self.number);
        state.width.set(measured_m);
        state
            .max_width
            .set(if self.is_homed { WIDEST_M } else { 0.0 });
        state.is_grasped = u8::from(self.is_grasped);
        state.temperature.set(30);
        let mut bytes = [0; size_of::<GripperState>()];
        bytes.copy_from_slice(state.as_bytes());
        bytes
    }
}

fn told(is_success: bool) -> GripperStatus {
    if is_success {
        GripperStatus::Success
    } else {
        GripperStatus::Unsuccessful
    }
}

fn answer(kind: HandRequest, request: u32, status: GripperStatus) -> HandDone {
    let command = match kind {
        HandRequest::Connect { .. } => GripperCommand::Connect,
        HandRequest::Homing => GripperCommand::Homing,
        HandRequest::Grasp { .. } => GripperCommand::Grasp,
        HandRequest::Move { .. } => GripperCommand::Move,
        HandRequest::Stop => GripperCommand::Stop,
    };
    HandDone {
        command,
        request,
        status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs until something ends; a thing of width `object_m` is between the fingers.
    fn run(hand: &mut Hand, object_m: f64) -> (HandDone, f64) {
        for _ in 0..5000 {
            let measured_m = hand.width_m().max(object_m);
            if let Some(done) = hand.cycle(measured_m) {
                return (done, measured_m);
            }
        }
        panic!("nothing ended");
    }

    const GRASP: HandRequest = HandRequest::Grasp {
        width_m: 0.0,
        inner_m: 0.08,
        outer_m: 0.08,
        speed_m_s: 0.1,
        force_n: 20.0,
    };

    #[test]
    fn a_thing_is_grasped_and_held() {
        let mut hand = Hand::new(WIDEST_M);
        assert!(hand.take(GRASP, 4, WIDEST_M).is_empty());
        let (done, measured_m) = run(&mut hand, 0.03);
        assert_eq!((done.request, done.status), (4, GripperStatus::Success));
        assert_eq!(measured_m, 0.03);
        assert!(hand.is_grasped && hand.width_m() < 0.03);
    }

    #[test]
    fn a_thing_of_the_wrong_width_is_not_grasped() {
        let mut hand = Hand::new(WIDEST_M);
        let narrow = HandRequest::Grasp {
            width_m: 0.05,
            inner_m: 0.005,
            outer_m: 0.005,
            speed_m_s: 0.1,
            force_n: 20.0,
        };
        hand.take(narrow, 1, WIDEST_M);
        assert_eq!(run(&mut hand, 0.07).0.status, GripperStatus::Unsuccessful);
        assert!(!hand.is_grasped);
    }

    #[test]
    fn a_move_ends_where_it_was_told_or_says_that_it_did_not() {
        let mut hand = Hand::new(WIDEST_M);
        let half = HandRequest::Move {
            width_m: 0.04,
            speed_m_s: 0.1,
        };
        hand.take(half, 1, WIDEST_M);
        assert_eq!(run(&mut hand, 0.0).0.status, GripperStatus::Success);
        hand.take(HandRequest::Homing, 2, 0.04);
        let (done, measured_m) = run(&mut hand, 0.0);
        assert_eq!(done.status, GripperStatus::Success);
        assert!((measured_m - WIDEST_M).abs() < REACHED_M, "{measured_m}");
        hand.take(half, 3, WIDEST_M);
        assert_eq!(run(&mut hand, 0.06).0.status, GripperStatus::Unsuccessful);
    }

    #[test]
    fn fingers_that_trail_are_not_held_up() {
        let mut hand = Hand::new(WIDEST_M);
        hand.take(GRASP, 1, WIDEST_M);
        let mut measured_m = WIDEST_M;
        let done = loop {
            // Some millimetres behind all the way, and a thing in between.
            measured_m += (hand.width_m() - measured_m) / 40.0;
            measured_m = measured_m.max(0.02);
            if let Some(done) = hand.cycle(measured_m) {
                break done;
            }
        };
        assert_eq!(done.status, GripperStatus::Success);
        assert_eq!(measured_m, 0.02);
    }

    #[test]
    fn the_next_request_interrupts() {
        let mut hand = Hand::new(WIDEST_M);
        hand.take(GRASP, 1, WIDEST_M);
        hand.cycle(WIDEST_M);
        let done = hand.take(HandRequest::Stop, 2, 0.0799);
        let told: Vec<_> = done
            .iter()
            .map(|done| (done.request, done.status))
            .collect();
        assert_eq!(
            told,
            [(1, GripperStatus::Aborted), (2, GripperStatus::Success)]
        );
        assert_eq!(hand.cycle(0.0799), None);
    }

    #[test]
    fn the_impossible_fails_at_once() {
        let mut hand = Hand::new(WIDEST_M);
        for (width_m, speed_m_s) in [(0.2, 0.1), (f64::NAN, 0.1), (0.04, 0.0), (0.04, f64::NAN)] {
            let done = hand.take(HandRequest::Move { width_m, speed_m_s }, 1, WIDEST_M);
            assert_eq!(done[0].status, GripperStatus::Fail);
        }
    }
}
