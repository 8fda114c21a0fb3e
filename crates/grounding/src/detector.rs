//! What finds objects, rarely.

use crate::config::GroundingConfig;
use crate::error::GroundingError;
use crate::frame::Scene;
use crate::tracker::Tracker;
use crate::trackers::LooksTracker;

/// The pixels of one object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mask {
    /// The object's name.
    pub object: String,
    /// Row-major pixel numbers, ascending.
    pub pixels: Vec<u32>,
}

/// What a frame must carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// Measured depth; a plane of known height does not stand in.
    pub depth: bool,
    /// A label image.
    pub segmentation: bool,
}

/// Finds the objects of a scene. It may take its time: it is asked at grounding only.
pub trait Detector: Send {
    /// What it needs at grounding; its tracker needs no more.
    fn needs(&self) -> Needs;

    /// Writes the masks of the scene, one an object; an object that shows no pixel has an empty
    /// one. Names are unique.
    ///
    /// # Errors
    /// [`GroundingError`] when the scene lacks what is needed or a model fails.
    fn detect(&mut self, scene: &Scene<'_>, masks: &mut Vec<Mask>) -> Result<(), GroundingError>;

    /// What follows the objects that it finds; by their looks, unless it knows better.
    fn tracker(&self) -> Box<dyn Tracker> {
        Box::new(LooksTracker::default())
    }
}

/// Makes the detector of a name.
///
/// # Errors
/// [`GroundingError::BadSetting`] with the names that there are.
pub(crate) fn detector(config: &GroundingConfig) -> Result<Box<dyn Detector>, GroundingError> {
    let known = crate::detectors::ALL.iter();
    let found = known.clone().find(|(name, _)| *name == config.detector);
    let (_, make) = found.ok_or_else(|| GroundingError::BadSetting {
        name: "detector",
        expected: format!(
            "to be one of {}",
            detector_names().collect::<Vec<_>>().join(", ")
        ),
        found: config.detector.clone(),
    })?;
    make(config)
}

/// Names of the detectors.
pub fn detector_names() -> impl Iterator<Item = &'static str> {
    crate::detectors::ALL.iter().map(|(name, _)| *name)
}
