//! What follows objects, in every frame.

use nalgebra::Isometry3;

use crate::detector::Mask;
use crate::error::GroundingError;
use crate::frame::Scene;

/// Follows the objects of a detection through the frames after it.
pub trait Tracker: Send {
    /// Begins with what was detected in a scene.
    fn start(&mut self, scene: &Scene<'_>, masks: &[Mask]);

    /// Writes the masks of a later scene, of the same objects in the same order; an object that is
    /// out of sight has an empty one. A tracker that gives [`Tracker::motions`] may leave them alone.
    ///
    /// # Errors
    /// [`GroundingError`] when the scene lacks what is needed.
    fn follow(&mut self, scene: &Scene<'_>, masks: &mut Vec<Mask>) -> Result<(), GroundingError>;

    /// How each object has moved since the start, in the order of the masks; none from a tracker that
    /// only says which pixels are an object's.
    fn motions(&self) -> Option<&[Motion]> {
        None
    }
}

/// How an object has moved since it was detected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Motion {
    /// Brings the object's points, in the world frame, m, from where they were to where they are.
    pub now_from_then: Isometry3<f64>,
    /// How that is known.
    pub sight: Sight,
    /// Share of the object's points in view that bear it out, 0 to 1; as of when it was last seen.
    pub agreement: f64,
}

/// How it is known where an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sight {
    /// It is seen.
    Seen,
    /// It is out of sight in the closed fingers, and moves as they do.
    Carried,
    /// Something nearer hides it: it is taken to stay.
    Hidden,
    /// It is not where it was, and nothing hides it.
    Lost,
}
