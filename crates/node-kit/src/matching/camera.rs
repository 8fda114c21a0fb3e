//! The last frames of one camera.

use std::collections::VecDeque;

use super::complaint::PATIENCE_NS;
use super::{FrameStamp, Offered};

/// Frames kept a camera: pixels lie in shared memory of which there is not much, and a camera
/// that comes 100 ms late beside one of 60 Hz needs as many.
const KEPT: usize = 8;
/// A stamp that lies back this far is of a clock that has started anew, ns.
const RESTART_NS: u64 = 1_000_000_000;

#[derive(Debug, Clone)]
pub(super) struct Camera<F> {
    pub(super) name: String,
    /// By stamp, oldest first.
    frames: VecDeque<Waiting<F>>,
    /// Stamp of the newest frame ever, even if it was taken.
    pub(super) newest_ns: Option<u64>,
    /// Time between the last two frames, ns.
    pub(super) period_ns: Option<u64>,
    pub(super) unmatched: u64,
    pub(super) signs: Signs,
}

/// What tells whether a camera is well.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Signs {
    /// When the last frame arrived, ns.
    pub(super) arrival_ns: Option<u64>,
    /// When the first frame arrived, or the first one after a silence, ns.
    pub(super) since_ns: u64,
    /// Frames in a row with the same stamp as the one before.
    pub(super) same_stamp: u32,
    /// Frames in a row with the same pixels as the one before.
    pub(super) same_pixels: u32,
    /// When the pixels last changed, ns of arrival.
    pub(super) changed_ns: u64,
    fingerprint: u64,
}

#[derive(Debug, Clone)]
struct Waiting<F> {
    stamp_ns: u64,
    frame: F,
    used: bool,
}

impl<F: Clone> Camera<F> {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            frames: VecDeque::with_capacity(KEPT + 1),
            newest_ns: None,
            period_ns: None,
            unmatched: 0,
            signs: Signs::default(),
        }
    }

    /// Takes note of a frame; also tells whether the camera's clock has started anew.
    pub(super) fn offer(
        &mut self,
        stamp: FrameStamp,
        frame: F,
        taken_ns: Option<u64>,
    ) -> (Offered, bool) {
        let stamp_ns = stamp.stamp_ns;
        self.signs.see(stamp, self.newest_ns);
        let restarted = self
            .newest_ns
            .is_some_and(|n| n.saturating_sub(stamp_ns) > RESTART_NS);
        if restarted {
            self.clear();
        }
        if self.newest_ns == Some(stamp_ns) || self.frames.iter().any(|f| f.stamp_ns == stamp_ns) {
            return (Offered::Repeated, restarted);
        }
        if !restarted && taken_ns.is_some_and(|taken| stamp_ns <= taken) {
            return (Offered::Late, false);
        }
        if let Some(newest) = self.newest_ns.filter(|newest| *newest < stamp_ns) {
            self.period_ns = Some(stamp_ns - newest);
        }
        self.newest_ns = Some(
            self.newest_ns
                .map_or(stamp_ns, |newest| newest.max(stamp_ns)),
        );
        let place = self.frames.partition_point(|f| f.stamp_ns < stamp_ns);
        let used = false;
        self.frames.insert(
            place,
            Waiting {
                stamp_ns,
                frame,
                used,
            },
        );
        if self.frames.len() > KEPT {
            self.leave_first();
        }
        (Offered::Kept, restarted)
    }

    pub(super) fn clear(&mut self) {
        while !self.frames.is_empty() {
            self.leave_first();
        }
        (self.newest_ns, self.period_ns) = (None, None);
    }

    /// Places and stamps of the frames.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.frames
            .iter()
            .enumerate()
            .rev()
            .map(|(index, frame)| (index, frame.stamp_ns))
    }

    /// The place of the frame next to a stamp; none if it is too far off, or a nearer one is about
    /// to come. A camera whose rate is not known yet is taken to have the leader's.
    pub(super) fn nearest(
        &self,
        stamp_ns: u64,
        tolerance_ns: u64,
        leader_period_ns: Option<u64>,
    ) -> Option<usize> {
        let newest_ns = self.frames.back()?.stamp_ns;
        let behind_ns = stamp_ns.saturating_sub(newest_ns);
        let period_ns = self.period_ns.or(leader_period_ns);
        if period_ns.is_some_and(|period| behind_ns > period / 2) {
            return None;
        }
        let (index, frame) = self
            .frames
            .iter()
            .enumerate()
            .min_by_key(|(_, f)| f.stamp_ns.abs_diff(stamp_ns))?;
        (frame.stamp_ns.abs_diff(stamp_ns) <= tolerance_ns).then_some(index)
    }

    /// Takes a frame and leaves out those before it; it stays, for it may be the counterpart of
    /// another one.
    pub(super) fn take(&mut self, index: usize) -> F {
        for _ in 0..index {
            self.leave_first();
        }
        let frame = &mut self.frames[0];
        frame.used = true;
        frame.frame.clone()
    }

    /// Leaves out the frame that was taken last; gives its stamp.
    pub(super) fn leave_taken(&mut self) -> u64 {
        self.frames.pop_front().map_or(0, |frame| frame.stamp_ns)
    }

    /// The smallest distance of one of the frames from one of another camera's, and its sign.
    pub(super) fn offset_ns(&self, other: &Self) -> Option<i128> {
        let ours = self.frames.iter().map(|f| i128::from(f.stamp_ns));
        let differences = ours.flat_map(|ours| {
            other
                .frames
                .iter()
                .map(move |theirs| ours - i128::from(theirs.stamp_ns))
        });
        differences.min_by_key(|difference| difference.abs())
    }

    fn leave_first(&mut self) {
        if self.frames.pop_front().is_some_and(|frame| !frame.used) {
            self.unmatched += 1;
        }
    }
}

impl Signs {
    fn see(&mut self, stamp: FrameStamp, newest_ns: Option<u64>) {
        let count = |same: bool, before: u32| if same { before.saturating_add(1) } else { 0 };
        self.same_stamp = count(newest_ns == Some(stamp.stamp_ns), self.same_stamp);
        if stamp.fingerprint != 0 {
            let same = stamp.fingerprint == self.fingerprint;
            self.same_pixels = count(same, self.same_pixels);
            if !same {
                self.changed_ns = stamp.arrival_ns;
            }
        }
        let silent_ns = self
            .arrival_ns
            .map(|last| stamp.arrival_ns.saturating_sub(last));
        if silent_ns.is_none_or(|silent| silent > PATIENCE_NS) {
            self.since_ns = stamp.arrival_ns;
        }
        self.fingerprint = stamp.fingerprint;
        self.arrival_ns = Some(stamp.arrival_ns);
    }
}
