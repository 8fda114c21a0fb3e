//! What is to be seen of a run, for any viewer.
//!
//! Messages become [`Shown`] things: pictures, points, lines, series and texts, each with a path and the robot's time.
//! No viewer is known here, so the conversions are tested without one; a viewer turns each [`What`] into
//! whatever it draws.
//!
//! | module | makes things of |
//! |---|---|
//! | [`Run`] | Tiller's own messages |
//! | [`hub`] | what dora's hub nodes send, with `primitive` in the metadata |
//! | [`RewardField`] | the reward of the stage under way, on a plane through the tool |
//! | [`PointField`] | any stage's reward at any points, and where it is highest |
//! | [`RewardPlane`] | the same, drawn over a camera's picture |
//!
//! Positions are in metres in the robot base frame, colours red, green, blue and opacity from 0 to 255.

mod arm;
mod camera;
mod colour;
mod field;
pub mod hub;
mod over;
mod point_field;
mod queue;
mod run;
mod shown;

pub use camera::Camera;
pub use colour::{Colour, by_share};
pub use field::{FieldError, FieldRequest, RewardField};
pub use over::RewardPlane;
pub use point_field::{Best, PointField, Way, room, steps};
pub use queue::{Kept, ViewQueue};
pub use run::Run;
pub use shown::{Gravity, Shown, What};
