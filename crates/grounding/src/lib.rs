//! Segmentation, dense features, clustering and tracking of 3-D keypoints.
//!
//! [`Grounder::ground`] turns one frame into named 3-D points: masks from a [`Detector`], features
//! from [`DenseFeatures`], clusters within each mask, back-projection by depth. [`Grounder::track`]
//! follows the same points through later frames, with masks from a [`Tracker`]; an object that is
//! out of sight keeps its last position. [`annotate`] draws the points for a person or a
//! vision-language model. [`Calibration`] knows of cameras what they do not say themselves.
//!
//! Camera frames follow OpenCV (x right, y down, z forward); pixel (0, 0) is the top left one and
//! its centre lies at (0.5, 0.5). Positions are metres in the world frame of `world_from_camera`.

mod annotate;
mod calibration;
mod camera;
mod cloud;
mod cluster;
mod config;
mod depth;
mod detector;
mod detectors;
mod error;
mod features;
mod frame;
mod grounder;
mod hand;
mod keypoint;
mod labels;
mod merge;
mod orientation;
mod registration;
mod track;
mod tracker;
mod trackers;

pub use annotate::annotate;
pub use calibration::{Calibration, CalibrationError, CameraCalibration};
pub use camera::{Geometry, Pinhole};
pub use config::GroundingConfig;
pub use detector::{Detector, Mask, Needs, detector_names};
pub use detectors::{NETWORK_FILE, Prompt, find_network};
pub use error::GroundingError;
pub use features::{DenseFeatures, LocalFeatures};
pub use frame::{FrameView, Scene};
pub use grounder::Grounder;
pub use hand::{Hand, Hands};
pub use keypoint::{Keypoint, Skipped};
pub use tracker::{Motion, Sight, Tracker};
pub use trackers::tracker_names;

/// What scikit-learn makes of a cloud of points: see `models/export/points_truth.py`.
#[cfg(test)]
#[derive(serde::Deserialize)]
struct PointsTruth {
    points_m: Vec<[f64; 3]>,
    clusters: usize,
    centres_m: Vec<[f64; 3]>,
    deviations_m: [f64; 3],
    axes: [[f64; 3]; 3],
    bandwidth_m: f64,
    middles_m: Vec<[f64; 3]>,
}

#[cfg(test)]
fn points_truth() -> Vec<PointsTruth> {
    serde_json::from_str(include_str!("../tests/data/points.json")).unwrap()
}
