//! The simulated play table: a MuJoCo world with a Panda, its tasks, oracle, cameras and experts.
//!
//! The world frame is the Panda's `link0` frame: x away from the robot, y to the robot's left, z up,
//! table top at z = 0. "Left" and "right" are the robot's. Lengths are metres, angles radians, times
//! nanoseconds of simulation.
//!
//! * [`PlayTable`] is the physics: [`reset`](PlayTable::reset), [`command`](PlayTable::command),
//!   [`step`](PlayTable::step); the [oracle](PlayTable::completed) says which [`Task`]s are achieved.
//! * [`interpret`] says which task ids an instruction means, [`Goals`] reads them; an episode of
//!   [goals](PlayTable::reset_goals) is followed by [`holds`](PlayTable::holds) and
//!   [`collateral`](PlayTable::collateral).
//! * [`Renderer`] draws colour, depth and segmentation of either [`Camera`] without a display.
//! * [`Variation`] departs from the scenes that policies were trained on, along one [`Axis`] at a time.
//! * [`Scenery`] makes labelled pictures of it in random looks, for detectors to be trained and tried on.
//! * [`kind`] registers it as a [`tiller_world::World`] among others.
//! * [`Expert`] solves any task from privileged state; it proves the oracle and makes demonstrations.

mod as_world;
mod assets;
mod camera;
mod collateral;
mod contacts;
mod drive;
mod expert;
mod goal;
mod hard;
mod kind;
mod labels;
mod layout;
mod objects;
mod oracle;
mod render;
mod said;
mod scenery;
mod sequence;
mod task;
mod touches;
mod unseen;
mod vary;
mod world;

pub use assets::AssetError;
pub use camera::Camera;
pub use collateral::Collateral;
pub use drive::Driver;
pub use expert::{Expert, ExpertConfig};
pub use goal::{Goal, GoalError, Goals, Towards, interpret};
pub use kind::{NAME, PlayTableKind, kind};
pub use labels::{WITHOUT_KEYPOINTS, keypoint_counts, labels};
pub use objects::{Block, BlockState, ObjectStates, Thing};
pub use oracle::thresholds;
pub use render::{RenderError, Renderer};
pub use scenery::Scenery;
pub use task::Task;
pub use tiller_playtable_author::Direction;
pub use tiller_world::{CameraGeometry, Channels, Frame};
pub use unseen::{Unseen, seen, unseen};
pub use vary::{Axis, Variation};
pub use world::{PlayTable, PlayTableError, STEP_NS};
