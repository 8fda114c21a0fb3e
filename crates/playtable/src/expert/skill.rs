//! What each task asks of the hand: where to come down, where to go from there, when it is done.

use super::geometry::{add, dot, minus, scale};
use super::push::{PUSH_LENGTH_M, Push};
use crate::objects::{Block, ObjectStates};
use crate::task::Task;
use tiller_world::Random;

/// TCP heights while working, metres. The fingertips reach 9 mm below the TCP, the palm begins 37 mm above.
const DRAWER_Z_M: f64 = 0.045;
const DOOR_Z_M: f64 = 0.070;
const SWITCH_Z_M: f64 = 0.058;
const BUTTON_ABOVE_Z_M: f64 = 0.075;
const BUTTON_DOWN_Z_M: f64 = 0.026;
const PUSH_Z_M: f64 = 0.022;
const GRASP_Z_M: f64 = 0.022;
/// Height to which a block is lifted, metres.
const LIFTED_Z_M: f64 = 0.145;

/// Where the fixtures are, world frame, metres; see the scene.
const HANDLE_SHUT_X_M: f64 = 0.582;
const HANDLE_Y_M: f64 = -0.30;
const KNOB_X_M: f64 = 0.64;
const SWITCH_XY_M: [f64; 2] = [0.48, 0.42];
pub(super) const BUTTON_XY_M: [f64; 2] = [0.40, -0.12];

/// Longest action in contact and when a held block is raised, metres a step.
const CONTACT_SPEED_M: f64 = 0.016;
const LIFT_SPEED_M: f64 = 0.022;

/// A task with the choices that a seed makes about how to do it.
#[derive(Debug, Clone)]
pub(super) struct Skill {
    pub(super) task: Task,
    /// Offset of the contact point along the object's face, metres.
    offset_m: f64,
    push: Option<Push>,
}

impl Skill {
    pub(super) fn new(task: Task, objects: &ObjectStates, random: &mut Random) -> Self {
        let spread = match task {
            Task::DrawerOpen | Task::DrawerClose => 0.020,
            Task::DoorLeft | Task::DoorRight => 0.006,
            Task::SwitchOn | Task::SwitchOff => 0.010,
            Task::ButtonPress => 0.008,
            Task::Lift(_) => 0.006,
            Task::Push(_) => 0.0,
        };
        let offset_m = random.within(spread);
        let push = match task {
            Task::Push(block) => Some(Push::plan(block, objects, random)),
            _ => None,
        };
        Self {
            task,
            offset_m,
            push,
        }
    }

    /// Plans anew from the present state, for another attempt.
    pub(super) fn replan(&mut self, objects: &ObjectStates, random: &mut Random) {
        if let Task::Push(block) = self.task {
            self.push = Some(Push::plan(block, objects, random));
        }
    }

    /// The hand comes down with open fingers and closes them there.
    pub(super) fn grasps(&self) -> bool {
        matches!(self.task, Task::Lift(_))
    }

    /// The hand comes down upon or beside a block.
    pub(super) fn over_block(&self) -> bool {
        matches!(self.task, Task::Lift(_) | Task::Push(_))
    }

    /// TCP position from which the work starts; the hand comes straight down to it.
    pub(super) fn entry_m(&self, objects: &ObjectStates) -> [f64; 3] {
        let offset = self.offset_m;
        match self.task {
            Task::DrawerOpen => [
                // Midway between the handle's bar and the drawer's front.
                objects.drawer_handle_m[0] + 0.037,
                HANDLE_Y_M + offset,
                DRAWER_Z_M,
            ],
            Task::DrawerClose => [
                objects.drawer_handle_m[0] - 0.045,
                HANDLE_Y_M + offset,
                DRAWER_Z_M,
            ],
            Task::DoorLeft => [
                KNOB_X_M + offset,
                objects.door_handle_m[1] - 0.058,
                DOOR_Z_M,
            ],
            Task::DoorRight => [
                KNOB_X_M + offset,
                objects.door_handle_m[1] + 0.058,
                DOOR_Z_M,
            ],
            Task::SwitchOn => [SWITCH_XY_M[0] - 0.098, SWITCH_XY_M[1] + offset, SWITCH_Z_M],
            Task::SwitchOff => [SWITCH_XY_M[0] + 0.098, SWITCH_XY_M[1] + offset, SWITCH_Z_M],
            Task::ButtonPress => [
                BUTTON_XY_M[0] + 0.5 * offset,
                BUTTON_XY_M[1] + offset,
                BUTTON_ABOVE_Z_M,
            ],
            Task::Push(block) => {
                let [x, y] = self.push_entry(block, objects);
                [x, y, PUSH_Z_M]
            }
            Task::Lift(block) => {
                let [x, y] = center(block, objects);
                [x + offset, y, GRASP_Z_M]
            }
        }
    }

    /// TCP position to move to next once the work has started.
    pub(super) fn target_m(&self, objects: &ObjectStates, anchor: [f64; 3]) -> [f64; 3] {
        let [x, y, _] = anchor;
        let entry = self.entry_m(objects);
        match self.task {
            Task::DrawerOpen => [HANDLE_SHUT_X_M - 0.16 + 0.01, entry[1], entry[2]],
            Task::DrawerClose => [HANDLE_SHUT_X_M, entry[1], entry[2]],
            Task::DoorLeft => [entry[0], 0.18, entry[2]],
            Task::DoorRight => [entry[0], 0.0, entry[2]],
            Task::SwitchOn => [SWITCH_XY_M[0] + 0.055, entry[1], entry[2]],
            Task::SwitchOff => [SWITCH_XY_M[0] - 0.055, entry[1], entry[2]],
            Task::ButtonPress => [entry[0], entry[1], BUTTON_DOWN_Z_M],
            Task::Push(block) => {
                let [x, y] = self.push_target(block, objects, [x, y]);
                [x, y, PUSH_Z_M]
            }
            Task::Lift(_) => [x, y, LIFTED_Z_M],
        }
    }

    /// The work is done, with a margin over the oracle's threshold.
    pub(super) fn finished(&self, objects: &ObjectStates, lamp_at_start: bool) -> bool {
        match self.task {
            Task::DrawerOpen => objects.drawer_m > 0.143,
            Task::DrawerClose => objects.drawer_m < 0.010,
            Task::DoorLeft => objects.door_m > 0.165,
            Task::DoorRight => objects.door_m < 0.015,
            Task::SwitchOn => objects.switch_rad > 0.50,
            Task::SwitchOff => objects.switch_rad < -0.50,
            Task::ButtonPress => objects.lamp_on != lamp_at_start,
            Task::Push(block) => self.push.is_some_and(|push| {
                let way = minus(center(block, objects), push.from);
                way[0].hypot(way[1]) > PUSH_LENGTH_M
            }),
            Task::Lift(block) => objects.blocks[block.index()].position_m[2] > LIFTED_Z_M - 0.02,
        }
    }

    pub(super) fn speed_m(&self) -> f64 {
        if self.grasps() {
            LIFT_SPEED_M
        } else {
            CONTACT_SPEED_M
        }
    }

    fn push_entry(&self, block: Block, objects: &ObjectStates) -> [f64; 2] {
        let center = center(block, objects);
        self.push.map_or(center, |push| push.entry(center))
    }

    /// Ahead along the push, and across it beyond the block's centre line: a block that slips to one side
    /// comes back when the fingers go further to that side than it did.
    fn push_target(&self, block: Block, objects: &ObjectStates, tcp: [f64; 2]) -> [f64; 2] {
        let Some(push) = self.push else { return tcp };
        let across = [-push.direction[1], push.direction[0]];
        let off = dot(minus(center(block, objects), tcp), across);
        let ahead = scale(push.direction, 0.05);
        add(
            add(tcp, ahead),
            scale(across, (4.0 * off).clamp(-0.03, 0.03)),
        )
    }
}

fn center(block: Block, objects: &ObjectStates) -> [f64; 2] {
    let [x, y, _] = objects.blocks[block.index()].position_m;
    [x, y]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::PlayTable;

    #[test]
    fn fixtures_are_where_the_scene_has_them() {
        let mut table = PlayTable::new().expect("scene");
        for seed in 0..4 {
            table.reset(seed, None);
            let objects = table.objects();
            let close = |found: f64, expected: f64| {
                assert!(
                    (found - expected).abs() < 2e-3,
                    "{found} is not {expected}, seed {seed}"
                );
            };
            close(
                objects.drawer_handle_m[0] + objects.drawer_m,
                HANDLE_SHUT_X_M,
            );
            close(objects.drawer_handle_m[1], HANDLE_Y_M);
            close(objects.door_handle_m[0], KNOB_X_M);
            close(objects.door_handle_m[1], objects.door_m);
            close(
                objects.switch_m[0],
                SWITCH_XY_M[0] + 0.034 * objects.switch_rad.sin(),
            );
            close(objects.switch_m[1], SWITCH_XY_M[1]);
            close(objects.button_cap_m[0], BUTTON_XY_M[0]);
            close(objects.button_cap_m[1], BUTTON_XY_M[1]);
        }
    }
}
