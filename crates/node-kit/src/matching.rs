//! Frames of several cameras that show the same moment.

mod camera;
mod complaint;

use camera::Camera;
pub use complaint::{Complaint, ComplaintKind};

/// When a frame was taken, and what tells it from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FrameStamp {
    /// When it was taken, ns of the clock that all cameras share.
    pub stamp_ns: u64,
    /// When it arrived, ns of the receiver's own clock.
    pub arrival_ns: u64,
    /// A number that changes with the pixels; 0 if nobody has looked at them, or they may stay the
    /// same for good reason.
    pub fingerprint: u64,
}

/// What becomes of a frame that is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offered {
    /// It waits for its counterparts, or has them.
    Kept,
    /// A frame of this stamp came before; this one is left out.
    Repeated,
    /// It is older than what was taken already; it is left out.
    Late,
}

/// One frame of each camera, taken within the tolerance of the first camera's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched<F> {
    /// When the first camera's frame was taken, ns.
    pub stamp_ns: u64,
    /// The frames, in the order of the cameras.
    pub frames: Vec<F>,
}

/// Brings together frames of several cameras by their stamps.
///
/// The first camera leads: each of its frames is matched at most once, with the nearest frame of
/// each other camera, if all lie within the tolerance. Where a nearer frame is about to come,
/// judged by the camera's own rate, it is waited for; nothing else is. Cameras of different rates
/// therefore give a match at the rate of the slower one at least.
///
/// Stamps are compared with stamps only, and arrival times with arrival times: simulated time may
/// run at any speed. Nothing here asks a clock, and a few frames of each camera are kept at most.
///
/// ```
/// use tiller_node_kit::{FrameMatcher, FrameStamp};
///
/// let at = |ms: u64| FrameStamp { stamp_ns: ms * 1_000_000, arrival_ns: ms * 1_000_000, fingerprint: 0 };
/// let mut matcher = FrameMatcher::new(["static", "wrist"], 20_000_000);
/// matcher.offer(0, at(100), "a");
/// assert!(matcher.take(0).is_none());
/// matcher.offer(1, at(104), "b");
/// assert_eq!(matcher.take(0).unwrap().frames, ["a", "b"]);
/// ```
#[derive(Debug, Clone)]
pub struct FrameMatcher<F> {
    cameras: Vec<Camera<F>>,
    tolerance_ns: u64,
    /// Stamp of the last match, ns.
    taken_ns: Option<u64>,
    watch: complaint::Watch,
}

impl<F: Clone> FrameMatcher<F> {
    /// A matcher of these cameras, of which there is at least one; frames of one moment may be
    /// `tolerance_ns` apart.
    pub fn new<N: Into<String>>(cameras: impl IntoIterator<Item = N>, tolerance_ns: u64) -> Self {
        let cameras = cameras.into_iter().map(|name| Camera::new(name.into()));
        Self {
            cameras: cameras.collect(),
            tolerance_ns,
            taken_ns: None,
            watch: complaint::Watch::default(),
        }
    }

    /// The cameras' names; a camera's index is its place here.
    pub fn cameras(&self) -> impl ExactSizeIterator<Item = &str> {
        self.cameras.iter().map(|camera| camera.name.as_str())
    }

    /// Takes note of a frame of the camera with this index; an index that no camera has is left
    /// out as a repetition would be.
    pub fn offer(&mut self, camera: usize, stamp: FrameStamp, frame: F) -> Offered {
        self.watch.start(stamp.arrival_ns);
        let taken_ns = self.taken_ns.filter(|_| camera == 0);
        let Some(found) = self.cameras.get_mut(camera) else {
            return Offered::Repeated;
        };
        let (offered, restarted) = found.offer(stamp, frame, taken_ns);
        if restarted && camera == 0 {
            self.taken_ns = None;
        }
        if self.find(0).is_some() {
            self.watch.matched_ns = Some(stamp.arrival_ns);
        }
        offered
    }

    /// The newest match that is newer than `since_ns` and than every match taken before.
    pub fn take(&mut self, since_ns: u64) -> Option<Matched<F>> {
        let (leader, others) = self.find(since_ns)?;
        let mut frames = Vec::with_capacity(self.cameras.len());
        for (camera, index) in self
            .cameras
            .iter_mut()
            .zip(std::iter::once(leader).chain(others))
        {
            frames.push(camera.take(index));
        }
        let stamp_ns = self.cameras[0].leave_taken();
        self.taken_ns = Some(stamp_ns);
        Some(Matched { stamp_ns, frames })
    }

    /// Notes a stamp of the clock that cameras should share, such as the measured arm's, ns.
    pub fn reference(&mut self, name: &'static str, stamp_ns: u64) {
        self.watch.reference = Some((name, stamp_ns));
    }

    /// Notes whether the arm moves, so that pictures that stay the same are suspicious. Where nobody
    /// says so, pictures of other cameras that change are taken for a sign.
    pub fn scene_moves(&mut self, moves: bool, arrival_ns: u64) {
        let moved_ns = self.watch.moved_ns.get_or_insert(0);
        if moves {
            *moved_ns = arrival_ns;
        }
    }

    /// Frames of all cameras that went without a match.
    pub fn unmatched(&self) -> u64 {
        self.cameras.iter().map(|camera| camera.unmatched).sum()
    }

    /// Forgets all frames: an episode ends, another begins.
    pub fn clear(&mut self) {
        self.taken_ns = None;
        self.cameras.iter_mut().for_each(Camera::clear);
    }

    /// What has gone wrong, or right again, since the last call; to be called a few times a
    /// second. `now_ns` is of the clock of arrivals.
    pub fn complaints(&mut self, now_ns: u64) -> Vec<Complaint> {
        self.watch.start(now_ns);
        complaint::look(
            &mut self.watch,
            &mut self.cameras,
            self.tolerance_ns,
            now_ns,
        )
    }

    /// Index of the leader's frame and of the others' counterparts.
    fn find(&self, since_ns: u64) -> Option<(usize, Vec<usize>)> {
        let (leader, others) = self.cameras.split_first()?;
        let after_ns = self.taken_ns.map_or(since_ns, |taken| taken.max(since_ns));
        let fresh =
            |stamp_ns: u64| stamp_ns > after_ns || (self.taken_ns.is_none() && since_ns == 0);
        leader
            .newest_first()
            .filter(|(_, stamp)| fresh(*stamp))
            .find_map(|(index, stamp_ns)| {
                let counterpart = |camera: &Camera<F>| {
                    camera.nearest(stamp_ns, self.tolerance_ns, leader.period_ns)
                };
                let found: Option<Vec<usize>> = others.iter().map(counterpart).collect();
                Some((index, found?))
            })
    }
}
