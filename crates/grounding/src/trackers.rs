//! The trackers.

use crate::config::GroundingConfig;
use crate::detector::Detector;
use crate::error::GroundingError;
use crate::tracker::Tracker;

mod flow;
mod looks;

pub(crate) use looks::LooksTracker;

/// What the settings may name, each with what it is.
const ALL: [&str; 3] = ["detector", "looks", "flow"];

/// Names of the trackers.
pub fn tracker_names() -> impl Iterator<Item = &'static str> {
    ALL.into_iter()
}

/// Makes the tracker that the settings name; `detector` takes the one that the detector brings.
///
/// # Errors
/// [`GroundingError::BadSetting`] with the names that there are.
pub(crate) fn tracker(
    config: &GroundingConfig,
    detector: &dyn Detector,
) -> Result<Box<dyn Tracker>, GroundingError> {
    match config.tracker.as_str() {
        "detector" => Ok(detector.tracker()),
        "looks" => Ok(Box::new(LooksTracker::default())),
        "flow" => Ok(Box::new(flow::FlowTracker::default())),
        unknown => Err(GroundingError::BadSetting {
            name: "tracker",
            expected: format!("to be one of {}", ALL.join(", ")),
            found: unknown.to_owned(),
        }),
    }
}
