//! What clients ask on the two ports.

use std::sync::Arc;

use franka::wire::gripper::{GRIPPER_VERSION, GripperStatus};

use franka::MoveStatus;

use super::Shared;
use crate::FciVersion;
use crate::connection::{Message, Peer, Service};
use crate::flags::ErrorFlag;
use crate::gripper::{self, HandDone, HandRequest};
use crate::log::Event;
use crate::wire::{self, Answer, Request};

/// The robot's port.
pub(super) struct RobotPort(pub(super) Arc<Shared>);

impl Service for RobotPort {
    fn open(&mut self, peer: Peer) {
        self.0.world().robot_peer = Some(peer);
    }

    fn take(&mut self, message: &Message) {
        let version = self.0.version;
        let request = wire::request(version, message.command, &message.payload);
        let mut world = self.0.world();
        if request == Some(Request::StopMove) {
            let late = world.robot.end(MoveStatus::Preempted);
            world.tell(late, version);
        }
        let answer = match request {
            Some(Request::Connect {
                version: asked,
                udp_port,
            }) => {
                let is_accepted = asked == number(version);
                if is_accepted {
                    if let Some(peer) = &mut world.robot_peer {
                        peer.stream_to(udp_port);
                    }
                    world.robot.note(Event::Connected);
                } else {
                    world.robot.note(Event::TurnedAway { version: asked });
                }
                Some(Answer::Connected { is_accepted })
            }
            Some(request) => world.robot.answer(request, message.id),
            None => Some(Answer::NotPossible),
        };
        if let (Some(answer), Some(peer)) = (answer, &mut world.robot_peer) {
            let bytes = wire::answer(version, &answer);
            peer.answer(message.command, message.id, &bytes);
        }
    }

    fn close(&mut self) {
        let mut world = self.0.world();
        world.robot_peer = None;
        // A motion that nobody can command any more.
        if world.robot.commanded_ms().is_some() {
            world.robot.reflex(ErrorFlag::COMMUNICATION);
        }
        world.robot.note(Event::Disconnected);
    }
}

fn number(version: FciVersion) -> u16 {
    match version {
        FciVersion::V5 => franka::wire::robot::v5::ROBOT_VERSION,
        FciVersion::V10 => franka::wire::ROBOT_VERSION,
    }
}

/// The gripper's port.
pub(super) struct HandPort(pub(super) Arc<Shared>);

impl Service for HandPort {
    fn open(&mut self, peer: Peer) {
        self.0.world().hand_peer = Some(peer);
    }

    fn take(&mut self, message: &Message) {
        let mut world = self.0.world();
        let Some(request) = gripper::request(message.command, &message.payload) else {
            if let Some(peer) = &mut world.hand_peer {
                let fail = gripper::status(GripperStatus::Fail);
                peer.answer(message.command, message.id, &fail);
            }
            return;
        };
        if let HandRequest::Connect { version, udp_port } = request {
            let is_accepted = version == GRIPPER_VERSION;
            if let Some(peer) = &mut world.hand_peer {
                if is_accepted {
                    peer.stream_to(udp_port);
                }
                peer.answer(
                    message.command,
                    message.id,
                    &gripper::connected(is_accepted),
                );
            }
            return;
        }
        world.robot.note(Event::Gripper(format!("{request:?}")));
        let measured_m = world.robot.arm().reading().gripper_width_m;
        for done in world.hand.take(request, message.id, measured_m) {
            world.tell_hand(done);
        }
    }

    fn close(&mut self) {
        let mut world = self.0.world();
        world.hand_peer = None;
        world.hand.interrupt();
    }
}

impl super::World {
    pub(super) fn tell_hand(&mut self, done: HandDone) {
        self.robot.note(Event::GripperDone(format!(
            "{:?}: {:?}",
            done.command, done.status
        )));
        if let Some(peer) = &mut self.hand_peer {
            let command = u32::from(done.command.to_u16());
            peer.answer(command, done.request, &gripper::status(done.status));
        }
    }
}
