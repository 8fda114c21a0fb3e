//! How far the keypoints that a stage reads are to be trusted.
//!
//! Where grounding says so (`Keypoints::confidence`), guidance fades with the least trusted of them. A
//! point that something hides is trusted for a while; one that is lost, for a moment. While one is lost
//! there is no reading of progress, so that the switcher waits, and after a while the arm does.

use tiller_messages::Keypoints;

use super::Sampler;

/// Confidence from which guidance is full, and at which there is none: the point is lost.
const FULL: f64 = 0.25;
const NONE: f64 = 0.05;

impl Sampler {
    /// What guidance is multiplied by for the doubt about what the stage reads, 1 to 0.
    pub(super) fn trust(&self) -> f32 {
        let least = self
            .least_trusted()
            .map_or(1.0, |(_, confidence)| confidence);
        ((least - NONE) / (FULL - NONE)).clamp(0.0, 1.0) as f32
    }

    /// The point that the stage reads and that is lost: its name, and for how long it has not been seen,
    /// ns.
    pub(super) fn lost(&self) -> Option<(&str, u64)> {
        let keypoints = self.keypoints.as_ref()?;
        let (index, _) = self
            .least_trusted()
            .filter(|(_, confidence)| *confidence <= NONE)?;
        let age_ns = keypoints.age_ns.get(index).copied().unwrap_or(0);
        Some((keypoints.names.get(index)?.as_str(), age_ns))
    }

    fn least_trusted(&self) -> Option<(usize, f64)> {
        let Keypoints { confidence, .. } = self.keypoints.as_ref()?;
        let used = self.meter.used_keypoints().iter();
        let trusted = used.filter_map(|index| Some((*index, *confidence.get(*index)?)));
        trusted.min_by(|a, b| a.1.total_cmp(&b.1))
    }
}
