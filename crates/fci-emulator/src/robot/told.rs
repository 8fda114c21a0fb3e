//! What the robot tells of itself.

use franka::wire::robot::v10::{
    ControllerMode, MotionGeneratorMode, MoveControllerMode, MoveMotionGeneratorMode,
};
use tiller_core::JOINTS;

use super::{Motion, Robot, is_of_hand};
use crate::frames;
use crate::wire::State;

impl Robot {
    /// What the robot tells of this cycle.
    pub(crate) fn state(&self) -> State {
        let reading = self.arm.reading();
        let motion = self.motion.as_ref();
        let flange = frames::flange_to_fingertips();
        let pose_d = frames::columns(&self.hand_of(&self.joints.q_rad));
        let hand = motion.filter(|motion| is_of_hand(motion.generator));
        let pose_c = hand.map_or(pose_d, |_| frames::columns(&self.hand.pose));
        let elbow = |q_rad: &[f64; JOINTS]| [q_rad[2], if q_rad[3] < 0.0 { -1.0 } else { 1.0 }];
        State {
            number: self.number,
            q_rad: reading.q_rad,
            dq_rad_s: reading.dq_rad_s,
            q_d_rad: self.joints.q_rad,
            dq_d_rad_s: self.joints.dq_rad_s,
            ddq_d_rad_s2: self.joints.ddq_rad_s2,
            torque_nm: motion.map_or([0.0; JOINTS], |motion| motion.torque_nm),
            pose: frames::columns(&self.hand_of(&reading.q_rad)),
            pose_d,
            pose_c,
            twist_c: hand.map_or([0.0; 6], |_| self.hand.twist.into()),
            acceleration_c: hand.map_or([0.0; 6], |_| self.hand.acceleration.into()),
            flange_to_nominal: frames::columns(&flange),
            flange_to_tool: frames::columns(&(flange * self.tool)),
            nominal_to_tool: frames::columns(&self.tool),
            tool_to_stiffness: self.stiffness,
            load: self.load,
            elbow: elbow(&reading.q_rad),
            elbow_d: elbow(&self.joints.q_rad),
            generator_mode: motion
                .map_or(MotionGeneratorMode::Idle, told_generator)
                .to_u8(),
            controller_mode: motion
                .map_or(ControllerMode::Other, told_controller)
                .to_u8(),
            errors: self.errors,
            reflex_reason: self.reflex_reason,
            robot_mode: self.mode.to_u8(),
            success_rate: motion.map_or(0.0, |_| self.success.share()),
        }
    }
}

fn told_generator(motion: &Motion) -> MotionGeneratorMode {
    match motion.generator {
        MoveMotionGeneratorMode::JointPosition => MotionGeneratorMode::JointPosition,
        MoveMotionGeneratorMode::JointVelocity => MotionGeneratorMode::JointVelocity,
        MoveMotionGeneratorMode::CartesianPosition => MotionGeneratorMode::CartesianPosition,
        MoveMotionGeneratorMode::CartesianVelocity => MotionGeneratorMode::CartesianVelocity,
        MoveMotionGeneratorMode::None => MotionGeneratorMode::None,
    }
}

fn told_controller(motion: &Motion) -> ControllerMode {
    match motion.controller {
        MoveControllerMode::JointImpedance => ControllerMode::JointImpedance,
        MoveControllerMode::CartesianImpedance => ControllerMode::CartesianImpedance,
        MoveControllerMode::ExternalController => ControllerMode::ExternalController,
    }
}
