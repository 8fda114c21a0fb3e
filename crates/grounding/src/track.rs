//! One object through time.

use nalgebra::{Isometry3, Matrix3, Point3};

use crate::cloud::Cloud;
use crate::cluster::cluster;
use crate::config::GroundingConfig;
use crate::keypoint::confidence;
use crate::merge::merge;
use crate::orientation::Orientation;
use crate::registration::register;
use crate::tracker::{Motion, Sight};

/// An object with its keypoints. It is taken to move without turning, which holds for what slides
/// and, over a reach of a few centimetres, for what is pushed or lifted. An object with one keypoint
/// does not care: its keypoint is its visible centroid.
#[derive(Debug, Clone)]
pub(crate) struct Track {
    pub(crate) object: String,
    /// The fullest view so far.
    best: Cloud,
    /// Keypoints relative to the best view's centroid, m.
    offsets_m: Vec<[f64; 3]>,
    /// How far the object has moved since the best view, m.
    shift_m: [f64; 3],
    /// How it has moved since the best view, where a tracker says so: then nothing else does.
    motion: Isometry3<f64>,
    /// How it lay when it was seen well last, without that motion; none for what looks alike from every side.
    orientation: Option<Orientation>,
    sight: Sight,
    agreement: f64,
    seen_ns: u64,
}

impl Track {
    /// Grounds an object on what a frame shows of it.
    pub(crate) fn new(
        object: &str,
        cloud: &Cloud,
        config: &GroundingConfig,
        stamp_ns: u64,
    ) -> Self {
        let count = config.count_of(object);
        let offsets_m = if count == 1 {
            vec![[0.0; 3]]
        } else {
            let mut medoids = cluster(&cloud.samples_m, &cloud.features, count);
            merge(&cloud.samples_m, &mut medoids, config.merge_m);
            medoids
                .iter()
                .map(|at| minus(cloud.samples_m[*at], cloud.centroid_m))
                .collect()
        };
        Self {
            object: object.to_owned(),
            best: cloud.clone(),
            offsets_m,
            shift_m: [0.0; 3],
            motion: Isometry3::identity(),
            orientation: Orientation::of(&cloud.samples_m),
            sight: Sight::Seen,
            agreement: 1.0,
            seen_ns: stamp_ns,
        }
    }

    /// Positions of the keypoints, m.
    pub(crate) fn positions(&self) -> impl ExactSizeIterator<Item = [f64; 3]> + '_ {
        let centre = plus(self.best.centroid_m, self.shift_m);
        self.offsets_m.iter().map(move |offset| {
            let moved = self.motion * Point3::from(plus(centre, *offset));
            moved.coords.into()
        })
    }

    /// Its axes in the world, a rotation matrix by rows; the world's own where it has none.
    pub(crate) fn axes(&self) -> [[f64; 3]; 3] {
        let axes = self.orientation.as_ref().map(|seen| seen.axes);
        let axes = axes.map_or_else(Matrix3::identity, |axes| {
            self.motion.rotation.to_rotation_matrix() * axes
        });
        axes.transpose().into()
    }

    /// Whether it was seen in the last frame.
    pub(crate) fn is_visible(&self) -> bool {
        self.sight == Sight::Seen
    }

    /// Time since it was last seen, ns; 0 while it is.
    pub(crate) fn age_ns(&self, now_ns: u64) -> u64 {
        if self.is_visible() {
            0
        } else {
            now_ns.saturating_sub(self.seen_ns)
        }
    }

    /// How far its positions are to be trusted.
    pub(crate) fn confidence(&self, now_ns: u64) -> f64 {
        confidence(self.sight, self.agreement, self.age_ns(now_ns))
    }

    /// Goes where a tracker says.
    pub(crate) fn go(&mut self, motion: &Motion, stamp_ns: u64) {
        self.motion = motion.now_from_then;
        (self.sight, self.agreement) = (motion.sight, motion.agreement);
        if self.is_visible() {
            self.seen_ns = stamp_ns;
        }
    }

    /// Follows the object into the next frame.
    pub(crate) fn follow(
        &mut self,
        cloud: &Cloud,
        depth_mm: &[u16],
        stamp_ns: u64,
        config: &GroundingConfig,
    ) {
        let share = cloud.area / self.best.area;
        let visible = cloud.count > 0
            && cloud.count >= config.min_pixels.min(self.best.count)
            && share >= config.min_visible_share;
        self.sight = if visible { Sight::Seen } else { Sight::Hidden };
        if !visible {
            return;
        }
        let shift = self.estimate(cloud, depth_mm, share, config);
        let jump = norm(minus(shift, self.shift_m));
        if share < 0.5 && jump > config.max_hidden_jump_m {
            // A sliver of an object that seems to leap is more likely the sliver of another view.
            self.sight = Sight::Hidden;
            return;
        }
        self.shift_m = shift;
        self.seen_ns = stamp_ns;
        // Half a thing has other axes than the whole.
        if let Some(orientation) = &mut self.orientation
            && share >= config.full_view_share
        {
            orientation.follow(&cloud.samples_m);
        }
        if share > 1.0 {
            self.adopt(cloud);
        }
    }

    /// How far the object has moved since the best view.
    fn estimate(
        &self,
        cloud: &Cloud,
        depth_mm: &[u16],
        share: f64,
        config: &GroundingConfig,
    ) -> [f64; 3] {
        let by_centroid = minus(cloud.centroid_m, self.best.centroid_m);
        let trust = self.trust_in_centroid(share, config);
        if trust >= 1.0 {
            return by_centroid;
        }
        let by_outline = register(&self.best, cloud, depth_mm, self.shift_m);
        std::array::from_fn(|axis| trust * by_centroid[axis] + (1.0 - trust) * by_outline[axis])
    }

    /// From 1 in a full view to 0 in one that is clearly cut, so that the estimate never jumps from
    /// one method to the other.
    fn trust_in_centroid(&self, share: f64, config: &GroundingConfig) -> f64 {
        let full = config.full_view_share;
        let ramp = 0.12;
        let lower = ((share - (full - ramp)) / ramp).clamp(0.0, 1.0);
        // With several keypoints a view that grew has another centroid than the model's; with one
        // the centroid is what is wanted.
        let upper = if self.offsets_m.len() == 1 {
            1.0
        } else {
            (1.0 - (share - 1.03) / ramp).clamp(0.0, 1.0)
        };
        lower.min(upper)
    }

    /// Makes a fuller view the model.
    fn adopt(&mut self, cloud: &Cloud) {
        let several = self.offsets_m.len() > 1;
        if several {
            let positions: Vec<[f64; 3]> = self.positions().collect();
            for (offset, position) in self.offsets_m.iter_mut().zip(positions) {
                *offset = minus(position, cloud.centroid_m);
            }
        }
        self.best.clone_from(cloud);
        self.shift_m = [0.0; 3];
    }
}

fn plus(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|axis| a[axis] + b[axis])
}

fn minus(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|axis| a[axis] - b[axis])
}

fn norm(v: [f64; 3]) -> f64 {
    v.iter().map(|c| c * c).sum::<f64>().sqrt()
}
