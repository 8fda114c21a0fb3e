//! The simulated play table: a MuJoCo world with a Panda, its tasks, oracle, cameras and experts.
//!
//! The world frame is the Panda's `link0` frame: x away from the robot, y to the robot's left, z up,
//! table top at z = 0. "Left" and "right" are the robot's. Lengths are metres, angles radians, times
//! nanoseconds of simulation.
//!
//! * [`PlayTable`] is the physics: [`reset`](PlayTable::reset), [`command`](PlayTable::command),
//!   [`step`](PlayTable::step); the [oracle](PlayTable::completed) says which [`Task`]s are achieved.
//! * [`Renderer`] draws colour, depth and segmentation of either [`Camera`] without a display.
//! * [`Variation`] departs from the scenes that policies were trained on, along one [`Axis`] at a time.
//! * [`Expert`] solves any task from privileged state; it proves the oracle and makes demonstrations.

mod assets;
mod camera;
mod drive;
mod expert;
mod labels;
mod layout;
mod objects;
mod oracle;
mod random;
mod render;
mod task;
mod vary;
mod world;

pub use assets::AssetError;
pub use camera::{Camera, CameraGeometry};
pub use drive::Driver;
pub use expert::{Expert, ExpertConfig};
pub use labels::{KEYPOINT_COUNTS, WITHOUT_KEYPOINTS, labels};
pub use objects::{Block, BlockState, ObjectStates};
pub use oracle::thresholds;
pub use render::{Channels, Frame, RenderError, Renderer};
pub use task::Task;
pub use vary::{Axis, Variation};
pub use world::{PlayTable, PlayTableError, STEP_NS};
