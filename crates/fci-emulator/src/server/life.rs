//! The robot's milliseconds: command in, arm moved, state out.

use std::io;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use super::{Clock, Shared};
use crate::arm::Pace;
use crate::wire::{self, Command};

const PERIOD: Duration = Duration::from_millis(1);

/// What a client has at least for its answer.
const LEAST: Duration = Duration::from_micros(750);

/// How long a client in lockstep may take for an answer before it counts as missed; less than the
/// second after which clients give a silent robot up.
const PATIENCE: Duration = Duration::from_millis(800);

/// Milliseconds between two states of the hand.
const HAND_PERIOD: u64 = 16;

/// Longest datagram that is looked at, bytes: a command and more.
const LONGEST: usize = 512;

pub(super) struct Life {
    shared: Arc<Shared>,
    socket: UdpSocket,
    clock: Clock,
    pace: Option<Pace>,
    bytes: Vec<u8>,
}

/// What the cycle before left.
#[derive(Clone, Copy)]
struct Before {
    /// Number of its state.
    number: u64,
    /// Whether a motion is commanded.
    is_commanded: bool,
    /// Whether the state reached a client.
    was_sent: bool,
    /// Whether the answer will reach the robot.
    will_come: bool,
}

impl Life {
    pub(super) fn new(
        shared: Arc<Shared>,
        socket: UdpSocket,
        clock: Clock,
        pace: Option<Pace>,
    ) -> io::Result<Self> {
        // Short enough to see that the robot is to end, or that its motion has.
        socket.set_read_timeout(Some(Duration::from_millis(5)))?;
        Ok(Self {
            shared,
            socket,
            clock,
            pace,
            bytes: Vec::with_capacity(4096),
        })
    }

    pub(super) fn run(mut self) {
        let mut due = Instant::now();
        let mut before = Before {
            number: 0,
            is_commanded: false,
            was_sent: false,
            will_come: false,
        };
        while !self.shared.is_ending.load(Ordering::Acquire) {
            let is_stepped = self.clock == Clock::Lockstep && before.is_commanded;
            let command = if is_stepped {
                due = Instant::now();
                // What was lost on its way will not be answered.
                before
                    .was_sent
                    .then(|| self.wait_for(before.number))
                    .flatten()
            } else {
                // A robot that was late hurries no more than this, or its client would miss cycles.
                due = (due + PERIOD).max(Instant::now() + LEAST);
                thread::sleep(due.saturating_duration_since(Instant::now()));
                self.latest(before.number)
            };
            // Nobody is kept waiting by it: no lock is held.
            if let Some(pace) = &self.pace {
                pace();
            }
            before = self.cycle(command.filter(|_| before.will_come));
        }
    }

    /// The answer to the state of that number, if it has come.
    fn latest(&self, number: u64) -> Option<Command> {
        let mut found = None;
        // A socket that cannot be looked at has no command.
        if self.socket.set_nonblocking(true).is_err() {
            return None;
        }
        while let Some(read) = self.receive() {
            found = read.filter(|command| command.answers == number).or(found);
        }
        let _ = self.socket.set_nonblocking(false);
        found
    }

    /// Waits for the answer to the state of that number.
    fn wait_for(&self, number: u64) -> Option<Command> {
        let since = Instant::now();
        while since.elapsed() < PATIENCE && !self.shared.is_ending.load(Ordering::Acquire) {
            match self.receive() {
                Some(Some(command)) if command.answers == number => return Some(command),
                Some(_) => {}
                // The motion may have ended meanwhile, by another port than this.
                None if !self.shared.world().robot.awaits().1 => return None,
                None => {}
            }
        }
        None
    }

    /// A datagram, and the command that it is, if it is one; none where none came.
    fn receive(&self) -> Option<Option<Command>> {
        let mut buffer = [0; LONGEST];
        let (length, _) = self.socket.recv_from(&mut buffer).ok()?;
        Some(wire::command(self.shared.version, &buffer[..length]))
    }

    fn cycle(&mut self, command: Option<Command>) -> Before {
        let version = self.shared.version;
        let mut world = self.shared.world();
        let world = &mut *world;
        if let Some(now_ms) = world.robot.commanded_ms() {
            while let Some(next) = world
                .scheduled
                .iter()
                .position(|scheduled| scheduled.commanded_ms <= now_ms)
            {
                let fault = world.scheduled.remove(next).fault;
                world.suffer(fault, version);
            }
        }
        let late = world.robot.cycle(command.as_ref(), world.hand.width_m());
        world.tell(late, version);
        let measured_m = world.robot.arm().reading().gripper_width_m;
        if let Some(done) = world.hand.cycle(measured_m) {
            world.tell_hand(done);
        }
        let passage = world.line.next();
        let (number, is_commanded) = world.robot.awaits();
        let states_to = world.robot_peer.as_ref().and_then(|peer| peer.states_to);
        let mut was_sent = false;
        if let (Some(peer), true) = (states_to, passage.state) {
            wire::state(version, &world.robot.state(), &mut self.bytes);
            was_sent = self.socket.send_to(&self.bytes, peer).is_ok();
        }
        let hand_to = world.hand_peer.as_ref().and_then(|peer| peer.states_to);
        if let (Some(peer), true) = (hand_to, number.is_multiple_of(HAND_PERIOD)) {
            // One that does not arrive is followed by the next.
            let _ = self.socket.send_to(&world.hand.state(measured_m), peer);
        }
        Before {
            number,
            is_commanded,
            was_sent,
            will_come: passage.command,
        }
    }
}
