//! From frames to keypoints.

use crate::camera::Pinhole;
use crate::cloud::Cloud;
use crate::config::GroundingConfig;
use crate::error::GroundingError;
use crate::features::{DenseFeatures, LocalFeatures};
use crate::frame::FrameView;
use crate::keypoint::{Keypoint, Skipped};
use crate::segment::{LabelSegmenter, Mask, Segmenter};
use crate::track::Track;

/// Grounds keypoints in one frame and tracks them through the next ones.
pub struct Grounder {
    config: GroundingConfig,
    segmenter: Box<dyn Segmenter>,
    features: Box<dyn DenseFeatures>,
    tracks: Vec<Track>,
    keypoints: Vec<Keypoint>,
    skipped: Vec<Skipped>,
    generation: u32,
    masks: Vec<Mask>,
    cloud: Cloud,
}

impl Grounder {
    /// A grounder for frames that carry their own segmentation.
    ///
    /// # Errors
    /// [`GroundingError::BadSetting`].
    pub fn new(config: GroundingConfig) -> Result<Self, GroundingError> {
        Self::with(config, Box::new(LabelSegmenter), Box::new(LocalFeatures))
    }

    /// A grounder with its own segmenter and features.
    ///
    /// # Errors
    /// [`GroundingError::BadSetting`].
    pub fn with(
        config: GroundingConfig,
        segmenter: Box<dyn Segmenter>,
        features: Box<dyn DenseFeatures>,
    ) -> Result<Self, GroundingError> {
        config.validate()?;
        Ok(Self {
            config,
            segmenter,
            features,
            tracks: Vec::new(),
            keypoints: Vec::new(),
            skipped: Vec::new(),
            generation: 0,
            masks: Vec::new(),
            cloud: Cloud::default(),
        })
    }

    /// Finds objects and keypoints anew: indices and names may change, so the generation rises.
    ///
    /// # Errors
    /// [`GroundingError`]; the keypoints of before then stay as they are.
    pub fn ground(&mut self, frame: &FrameView<'_>) -> Result<&[Keypoint], GroundingError> {
        let camera = frame.check()?;
        self.segmenter.segment(frame, &mut self.masks)?;
        let (mut tracks, mut skipped) = (Vec::new(), Vec::new());
        for mask in &self.masks {
            let count = self.config.count_of(&mask.object);
            if count == 0 {
                continue;
            }
            self.cloud
                .read(frame, &camera, &mask.pixels, self.features.as_mut());
            if self.cloud.count < self.config.min_pixels {
                let reason = format!(
                    "{} shows {} pixels with depth, expected at least {}",
                    mask.object, self.cloud.count, self.config.min_pixels
                );
                skipped.push(Skipped {
                    object: mask.object.clone(),
                    reason,
                });
                continue;
            }
            tracks.push(Track::new(&mask.object, &self.cloud, count, frame.stamp_ns));
        }
        if tracks.is_empty() {
            let reasons = skipped.into_iter().map(|skipped| skipped.reason).collect();
            return Err(GroundingError::NothingFound { reasons });
        }
        self.tracks = tracks;
        self.skipped = skipped;
        self.generation += 1;
        self.keypoints.clear();
        for track in &self.tracks {
            let count = track.positions().len();
            for (number, position_m) in track.positions().enumerate() {
                let object = track.object.clone();
                let name = if count == 1 {
                    object.clone()
                } else {
                    format!("{object} {}", number + 1)
                };
                let index = self.keypoints.len();
                let (visible, age_ns) = (true, 0);
                self.keypoints.push(Keypoint {
                    index,
                    name,
                    object,
                    position_m,
                    visible,
                    age_ns,
                });
            }
        }
        Ok(&self.keypoints)
    }

    /// Follows the keypoints into a later frame.
    ///
    /// # Errors
    /// [`GroundingError::NotGrounded`] before [`Grounder::ground`], or what is wrong with the frame;
    /// the keypoints then stay as they are.
    pub fn track(&mut self, frame: &FrameView<'_>) -> Result<&[Keypoint], GroundingError> {
        if self.tracks.is_empty() {
            return Err(GroundingError::NotGrounded);
        }
        let camera = frame.check()?;
        self.segmenter.segment(frame, &mut self.masks)?;
        for index in 0..self.tracks.len() {
            self.follow(index, frame, &camera);
        }
        let points = self.tracks.iter().flat_map(|track| {
            let age_ns = if track.visible {
                0
            } else {
                frame.stamp_ns.saturating_sub(track.seen_ns)
            };
            track
                .positions()
                .map(move |position_m| (position_m, track.visible, age_ns))
        });
        for (keypoint, (position_m, visible, age_ns)) in self.keypoints.iter_mut().zip(points) {
            (keypoint.position_m, keypoint.visible) = (position_m, visible);
            keypoint.age_ns = age_ns;
        }
        Ok(&self.keypoints)
    }

    fn follow(&mut self, index: usize, frame: &FrameView<'_>, camera: &Pinhole) {
        let track = &mut self.tracks[index];
        let mask = self.masks.iter().find(|mask| mask.object == track.object);
        let pixels = mask.map_or(&[][..], |mask| mask.pixels.as_slice());
        self.cloud
            .read(frame, camera, pixels, self.features.as_mut());
        track.follow(&self.cloud, frame.depth_mm, frame.stamp_ns, &self.config);
    }

    /// The keypoints as of the last frame.
    pub fn keypoints(&self) -> &[Keypoint] {
        &self.keypoints
    }

    /// Objects that the last grounding passed over.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Counts groundings; indices keep their meaning within one generation. 0 before the first.
    pub fn generation(&self) -> u32 {
        self.generation
    }
}
