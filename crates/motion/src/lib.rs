//! Kinematics, limits, interpolation and safe execution of action chunks on a Franka arm.
//!
//! A policy's chunk goes into an [`Actuator`]; a joint setpoint comes out every millisecond, always
//! within the limits, whatever the chunk held. Hardware and simulation are moved by the same code:
//! an [`Arm`] driver is reached only through a [`LimitedArm`].
//!
//! ```
//! use tiller_motion::{ActionStep, Actuator, ActuatorConfig, ArmReading, Chunk, Mode};
//! use tiller_motion::kinematics::{HOME_Q, forward};
//!
//! let mut reading = ArmReading::at_rest(HOME_Q, 0.08);
//! let mut actuator = Actuator::new(ActuatorConfig::default(), &reading, 0)?;
//! let start = actuator.status().anchor_position_m;
//! actuator.accept(
//!     &Chunk {
//!         seq: 1,
//!         stamp_ns: 0,
//!         anchor_position_m: start,
//!         rate_hz: 10.0,
//!         execute_steps: 2,
//!         steps: vec![ActionStep { delta_position_m: [0.0, 0.02, 0.0], gripper: -1.0 }; 2],
//!         continues: None,
//!     },
//!     0,
//! )?;
//! for tick in 1..=400 {
//!     // A robot that goes exactly where it is told.
//!     reading.q_rad = actuator.tick(&reading, tick * 1_000_000).q_rad;
//! }
//! assert_eq!(actuator.status().mode, Mode::Holding);
//! let moved = forward(&reading.q_rad).position_m[1] - start[1];
//! assert!((moved - 0.04).abs() < 1e-3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod actuator;
mod arm;
mod chunk;
mod config;
mod event;
mod follower;
mod joint_limiter;
mod junction;
pub mod kinematics;
pub mod limits;
mod reference;

pub use actuator::{Actuator, ActuatorStatus, Mode, ResumeError};
pub use arm::{Arm, ArmReading, LimitedArm, LimitedArmError, Setpoint};
pub use chunk::{ActionStep, Chunk, Continuation, MAX_STEPS};
pub use config::{ActuatorConfig, ActuatorError, OnViolation};
pub use event::{Refusal, SafetyEvent, SafetyKind};
pub use limits::{Limits, Robot, Workspace};
pub use reference::{LAG_S, SETTLE_S};

/// Time between two setpoints, s.
pub const PERIOD_S: f64 = 0.001;
