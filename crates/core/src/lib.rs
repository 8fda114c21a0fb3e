//! The words of the domain: what poses, actions, identities and mistakes are everywhere else.
//!
//! Positions are in metres in the robot base frame unless a name says otherwise, angles in radians,
//! time in nanoseconds (`_ns`) of the clock of the machine that stamped it.

mod action;
mod clock;
mod continuation;
mod digest;
mod environment;
pub mod file;
mod identity;
mod keys;
pub mod kinematics;
mod nearest;
mod panics;
mod plateau;
mod pose;
mod problems;
mod robot_state;
pub mod rotation;
mod stamps;
pub mod testing;
mod text;
mod trajectories;
mod variables;
pub mod wilson;
mod workspace;

pub use action::{
    ActionLayout, ActionMode, ArmColumns, Frame, GripperColumn, RotationColumns, RotationKind,
};
pub use clock::RobotClock;
pub use continuation::Continuation;
pub use digest::{Digest, hexadecimal, sha256, sha256_of};
pub use environment::Environment;
pub use identity::{EpisodeId, ProgramId, Visit};
pub use keys::{REDACTED, looks_like_key, shown};
pub use nearest::nearest;
pub use panics::show_panics;
pub use plateau::Plateau;
pub use pose::Pose;
pub use problems::{Problem, Problems};
pub use robot_state::StateComponent;
pub use stamps::StampFilter;
pub use text::{
    MAX_DESCRIPTION, MAX_INSTRUCTION, MAX_NAME, MAX_STATUS, clip, is_hidden, visible,
    visible_block, visible_char, visible_json, visible_line, visible_under,
};
pub use trajectories::{Reads, Trajectories, TrajectoriesMut};
pub use variables::{known_variables, unknown_variables, unknown_variables_here, variables_of};
pub use workspace::WorkspaceBox;

/// Joints of a Franka arm.
pub const JOINTS: usize = 7;

/// Width between the fingers of an open Franka hand, m.
pub const GRIPPER_OPEN_M: f64 = 0.08;

/// Nanoseconds in a second.
pub const SECOND_NS: u64 = 1_000_000_000;
