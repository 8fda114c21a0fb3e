//! Kinematics, limits, interpolation and safe execution of action chunks on a Franka arm.
//!
//! A policy's chunk goes into an [`Actuator`]; a joint setpoint comes out every millisecond, always
//! within the limits, whatever the chunk held. Hardware and simulation are moved by the same code:
//! an [`Arm`] driver is told only what an [`Actuator`] lets through.
//!
//! ```
//! use tiller_core::{ActionLayout, Frame, ActionMode, ArmColumns, RotationColumns, RotationKind};
//! use tiller_motion::kinematics::{HOME_Q, forward};
//! use tiller_motion::{Actuator, ActuatorConfig, ArmReading, Chunk, Mode};
//!
//! let mut reading = ArmReading::at_rest(HOME_Q, 0.08);
//! let mut actuator = Actuator::new(ActuatorConfig::default(), &reading, 0)?;
//! let anchor = actuator.status().anchor;
//! // Displacement, rotation vector, gripper: to the left by 20 mm and 0.1 rad about z a step.
//! let layout = ActionLayout {
//!     dim: 7,
//!     arm: ArmColumns::Pose {
//!         position: [0, 1, 2],
//!         rotation: Some(RotationColumns {
//!             columns: vec![3, 4, 5],
//!             kind: RotationKind::RotationVector,
//!         }),
//!     },
//!     mode: ActionMode::DeltaPose(Frame::Base),
//!     ..ActionLayout::position_deltas(4, [0, 1, 2], Some(6), 10.0)
//! };
//! actuator.accept(
//!     &Chunk {
//!         seq: 1,
//!         stamp_ns: 0,
//!         anchor,
//!         layout,
//!         execute_steps: 2,
//!         actions: [0.0, 0.02, 0.0, 0.0, 0.0, 0.1, -1.0].repeat(2),
//!         continues: None,
//!     },
//!     0,
//! )?;
//! for tick in 1..=400 {
//!     // A robot that goes exactly where it is told.
//!     reading.q_rad = actuator.tick(&reading, tick * 1_000_000).q_rad;
//! }
//! assert_eq!(actuator.status().mode, Mode::Holding);
//! let (moved_m, turned_rad) = forward(&reading.q_rad).distance_to(&anchor);
//! assert!((moved_m - 0.04).abs() < 1e-3 && (turned_rad - 0.2).abs() < 1e-3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod action;
mod actuator;
mod admission;
mod arm;
mod average;
pub mod body;
mod braking;
mod chunk;
mod clearance;
mod config;
mod course;
mod event;
mod follower;
mod joint_limiter;
mod junction;
pub mod kinematics;
mod lead;
pub mod limits;
mod reading;
mod reference;
mod space;
mod status;
mod tool;
mod violation;
mod workspace;

pub use actuator::Actuator;
pub use arm::{Arm, ArmFault, ArmReading, START_RAD, Setpoint, StartGap, connect_within};
pub use chunk::{ActionStep, Chunk, MAX_STEPS};
pub use config::{ActuatorConfig, ActuatorError, OnViolation, Orientation, Resume};
pub use event::{Refusal, SafetyEvent, SafetyKind};
pub use limits::{Clearance, Limits, Robot, Workspace};
pub use reference::{LAG_S, SETTLE_S};
pub use status::{ActuatorStatus, Mode, ResumeError};
pub use violation::{Quantity, Violation};

/// Time between two setpoints, s.
pub const PERIOD_S: f64 = 0.001;
