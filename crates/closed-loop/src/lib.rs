//! The closed loop: what decides, written once, without dora, clock or thread.
//!
//! Three machines, each fed events in the order in which they arrive and answering with effects:
//!
//! - [`Sampler`]: observation, state, keypoints, program and stage to plan requests and chunks;
//! - [`Switcher`]: program, progress, gripper and advice to the stage;
//! - [`Actuator`]: chunks and measured states to setpoints and the execution state.
//!
//! Nothing in them asks a clock, draws an unseeded number or holds a channel. The nodes feed them what
//! arrives over dora; a benchmark feeds them in process ([`InProcess`]); a replay feeds what was
//! recorded ([`journal`]) and compares effects. Planning is an effect with all its inputs: a node
//! runs it on a thread of its own, a benchmark in place, and both feed the result back after as
//! long as it took.

mod actuator;
mod convert;
mod hand;
mod in_process;
pub mod journal;
mod limited_arm;
mod meter;
mod notice;
mod planning;
mod program;
mod recovery;
mod sampler;
mod scale;
mod stamps;
mod switcher;
mod watchdog;

pub use actuator::{Actuator, ActuatorEffect, ActuatorEvent, Guard, SETPOINTS};
pub use hand::Hand;
pub use in_process::{InProcess, LoopEffect, LoopEvent};
pub use limited_arm::{LimitedArm, LimitedArmError, driven_config};
pub use meter::{GrowthConfig, MeterError, StageMeter};
pub use notice::Notice;
pub use planning::{
    CarryOn, POLICY_STATE, Plan, PlanError, PlanRequest, Planner, PlannerConfig, Timings, UnderWay,
    policy_state,
};
pub use program::{compile_options, hand_access, keep_last_stage, program_message};
pub use recovery::RecoveryConfig;
pub use sampler::{
    Ahead, BlindnessConfig, PlanFailure, PlanReport, PolicyFacts, Sampler, SamplerConfig,
    SamplerEffect, SamplerEvent, Seen,
};
pub use scale::{GoalSource, Reading, Scale};
pub use switcher::{Movement, Switcher, SwitcherConfig, SwitcherEffect, SwitcherEvent};
pub use watchdog::{MAX_CAMERAS, Reaction, Source, Watch, Watchdog, WatchdogConfig};
