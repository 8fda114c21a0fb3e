//! From frames to keypoints.

use crate::cloud::Cloud;
use crate::config::GroundingConfig;
use crate::depth::PlaneDepth;
use crate::detector::{Detector, Mask, Needs, detector};
use crate::error::GroundingError;
use crate::features::{DenseFeatures, LocalFeatures};
use crate::frame::{FrameView, Scene};
use crate::hand::{Hand, Hands};
use crate::keypoint::{Keypoint, Skipped};
use crate::track::Track;
use crate::tracker::Tracker;
use crate::trackers::tracker;

/// Grounds keypoints in one frame and tracks them through the next ones.
pub struct Grounder {
    config: GroundingConfig,
    detector: Box<dyn Detector>,
    tracker: Box<dyn Tracker>,
    features: Box<dyn DenseFeatures>,
    tracks: Vec<Track>,
    keypoints: Vec<Keypoint>,
    skipped: Vec<Skipped>,
    generation: u32,
    masks: Vec<Mask>,
    plane: PlaneDepth,
    cloud: Cloud,
    hands: Hands,
}

impl Grounder {
    /// A grounder with the detector that the settings name.
    ///
    /// # Errors
    /// [`GroundingError::BadSetting`].
    pub fn new(config: GroundingConfig) -> Result<Self, GroundingError> {
        let detector = detector(&config)?;
        Self::with(config, detector, Box::new(LocalFeatures))
    }

    /// A grounder with its own detector and features.
    ///
    /// # Errors
    /// [`GroundingError::BadSetting`].
    pub fn with(
        config: GroundingConfig,
        detector: Box<dyn Detector>,
        features: Box<dyn DenseFeatures>,
    ) -> Result<Self, GroundingError> {
        config.validate()?;
        Ok(Self {
            tracker: tracker(&config, detector.as_ref())?,
            config,
            detector,
            features,
            tracks: Vec::new(),
            keypoints: Vec::new(),
            skipped: Vec::new(),
            generation: 0,
            masks: Vec::new(),
            plane: PlaneDepth::default(),
            cloud: Cloud::default(),
            hands: Hands::default(),
        })
    }

    /// Forgets what it has seen; the detector's model stays in memory.
    ///
    /// # Errors
    /// [`GroundingError::BadSetting`], never after [`Grounder::new`] has been content.
    pub fn forget(&mut self) -> Result<(), GroundingError> {
        self.tracker = tracker(&self.config, self.detector.as_ref())?;
        self.tracks.clear();
        self.keypoints.clear();
        self.skipped.clear();
        self.masks.clear();
        self.generation = 0;
        self.hands = Hands::default();
        Ok(())
    }

    /// What frames must carry: what the detector needs, and depth where no plane stands in.
    pub fn needs(&self) -> Needs {
        let needs = self.detector.needs();
        Needs {
            depth: needs.depth || self.config.plane_height_m.is_none(),
            ..needs
        }
    }

    /// Finds objects and keypoints anew: indices and names may change, so the generation rises.
    ///
    /// # Errors
    /// [`GroundingError`]; the keypoints of before then stay as they are.
    pub fn ground(&mut self, frame: &FrameView<'_>) -> Result<&[Keypoint], GroundingError> {
        let needs = self.needs();
        let hand = self.hands.at(frame.stamp_ns);
        let scene = scene(frame, needs, &self.config, &mut self.plane, hand)?;
        let mut masks = Vec::new();
        self.detector.detect(&scene, &mut masks)?;
        let (mut tracks, mut skipped) = (Vec::new(), Vec::new());
        for mask in &masks {
            if self.config.count_of(&mask.object) == 0 {
                continue;
            }
            self.cloud
                .read(&scene, &mask.pixels, self.features.as_mut());
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
            tracks.push(Track::new(
                &mask.object,
                &self.cloud,
                &self.config,
                frame.stamp_ns,
            ));
        }
        if tracks.is_empty() {
            let reasons = skipped.into_iter().map(|skipped| skipped.reason).collect();
            return Err(GroundingError::NothingFound { reasons });
        }
        masks.retain(|mask| tracks.iter().any(|track| track.object == mask.object));
        self.tracker.start(&scene, &masks);
        self.masks = masks;
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
                self.keypoints.push(Keypoint {
                    index,
                    name,
                    object,
                    position_m,
                    axes: track.axes(),
                    visible: true,
                    age_ns: 0,
                    confidence: 1.0,
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
        let needs = self.needs();
        let hand = self.hands.at(frame.stamp_ns);
        let scene = scene(frame, needs, &self.config, &mut self.plane, hand)?;
        self.tracker.follow(&scene, &mut self.masks)?;
        let now_ns = frame.stamp_ns;
        if let Some(motions) = self.tracker.motions() {
            for (track, motion) in self.tracks.iter_mut().zip(motions) {
                track.go(motion, now_ns);
            }
        } else {
            for (track, mask) in self.tracks.iter_mut().zip(&self.masks) {
                self.cloud
                    .read(&scene, &mask.pixels, self.features.as_mut());
                track.follow(&self.cloud, scene.depth_mm, now_ns, &self.config);
            }
        }
        let points = self.tracks.iter().flat_map(|track| {
            let positions = track.positions();
            positions.map(move |position_m| (track, position_m))
        });
        for (keypoint, (track, position_m)) in self.keypoints.iter_mut().zip(points) {
            keypoint.position_m = position_m;
            keypoint.axes = track.axes();
            keypoint.visible = track.is_visible();
            keypoint.age_ns = track.age_ns(now_ns);
            keypoint.confidence = track.confidence(now_ns);
        }
        Ok(&self.keypoints)
    }

    /// Notes where the hand is: a tracker may go by it where the hand hides what it carries.
    pub fn hear(&mut self, hand: Hand) {
        self.hands.hear(hand);
    }

    /// Where the hand has been lately.
    pub fn hands(&self) -> &Hands {
        &self.hands
    }

    /// The keypoints as of the last frame.
    pub fn keypoints(&self) -> &[Keypoint] {
        &self.keypoints
    }

    /// Its settings.
    pub fn config(&self) -> &GroundingConfig {
        &self.config
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

/// The frame with its camera and the depth to go by.
fn scene<'a>(
    frame: &FrameView<'a>,
    needs: Needs,
    config: &GroundingConfig,
    plane: &'a mut PlaneDepth,
    hand: Option<Hand>,
) -> Result<Scene<'a>, GroundingError> {
    let camera = frame.check()?;
    let height_m = config.plane_height_m.filter(|_| !needs.depth);
    let depth_mm = match (frame.depth_mm, height_m) {
        (Some(depth_mm), _) => depth_mm,
        (None, Some(height_m)) => plane.of(&camera, [frame.width, frame.height], height_m),
        (None, None) => {
            let hint = match config.plane_height_m {
                Some(_) => "",
                None => " or a plane to take its place",
            };
            return Err(GroundingError::NoDepth { hint });
        }
    };
    Ok(Scene {
        frame: *frame,
        camera,
        depth_mm,
        hand,
    })
}
