//! Which pictures of a recording are worth looking at: those taken at rest, one for each pose.

use tiller_core::{Pose, SECOND_NS};

/// How long before and after a picture the tool must have been at rest, ns.
const REST_NS: u64 = SECOND_NS / 10;
/// How far it may be from its place meanwhile: 5 mm/s and 0.5 degrees/s for that long.
const REST_M: f64 = 5e-4;
const REST_RAD: f64 = 0.05 * std::f64::consts::PI / 180.0;
/// How far apart in time two states are that belong together, ns.
const GAP_NS: u64 = SECOND_NS / 5;
/// How far a pose is from another one at least: either is enough.
const APART_M: f64 = 0.01;
const APART_RAD: f64 = 3.0 * std::f64::consts::PI / 180.0;
/// Most pictures that are taken.
const MAX_KEPT: usize = 60;
/// Pictures of one pose that are looked at before it is given up.
const MAX_MISSES: u32 = 3;

/// What a picture is good for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// The tool (in the base frame) was at rest here, and no picture of that is taken yet.
    Take(Pose),
    /// The arm was moving.
    Moving,
    /// No states of the arm around it.
    NoState,
    /// There is one of this pose already, or the board was not seen from there.
    Known,
    /// There are as many as are wanted.
    Enough,
}

/// How many pictures were not taken, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Skipped {
    /// Taken while the arm moved.
    pub moving: usize,
    /// Without states of the arm around them.
    pub no_state: usize,
    /// Of a pose that there is one of already.
    pub known: usize,
    /// Beyond as many as are wanted.
    pub enough: usize,
    /// At rest at a new pose, without the board in them.
    pub no_board: usize,
}

/// Chooses pictures by what the arm did around them.
///
/// ```
/// use tiller_calibration::{Selector, Verdict};
/// use tiller_core::Pose;
///
/// // An arm that stands still, and tells so 100 times a second.
/// let states = (0..100).map(|n| (n * 10_000_000, Pose::IDENTITY));
/// let mut selector = Selector::new(states.collect());
/// let Verdict::Take(pose) = selector.consider(500_000_000) else { panic!() };
/// selector.keep(pose);
/// assert_eq!(selector.consider(600_000_000), Verdict::Known);
/// assert_eq!(selector.consider(2_000_000_000), Verdict::NoState);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Selector {
    states: Vec<(u64, Pose)>,
    kept: Vec<Pose>,
    missed: Vec<(Pose, u32)>,
    skipped: Skipped,
}

impl Selector {
    /// From what the arm measured: stamps, ns, and the tool in the base frame, in any order. States that are
    /// no poses are left out.
    #[must_use]
    pub fn new(mut states: Vec<(u64, Pose)>) -> Self {
        states.retain(|(_, pose)| pose.is_valid());
        states.sort_by_key(|(stamp_ns, _)| *stamp_ns);
        states.dedup_by_key(|(stamp_ns, _)| *stamp_ns);
        Self {
            states,
            ..Self::default()
        }
    }

    /// What a picture with this stamp (ns, of the arm's clock) is good for. Who takes it says by
    /// [`Self::keep`] or [`Self::miss`] what came of it.
    pub fn consider(&mut self, stamp_ns: u64) -> Verdict {
        let verdict = self.verdict(stamp_ns);
        match verdict {
            Verdict::Take(_) => {}
            Verdict::Moving => self.skipped.moving += 1,
            Verdict::NoState => self.skipped.no_state += 1,
            Verdict::Known => self.skipped.known += 1,
            Verdict::Enough => self.skipped.enough += 1,
        }
        verdict
    }

    /// The picture showed the board: no other one of this pose is wanted.
    pub fn keep(&mut self, pose: Pose) {
        self.kept.push(pose);
    }

    /// The picture did not show the board. After the third one nothing more is taken from there.
    pub fn miss(&mut self, pose: Pose) {
        self.skipped.no_board += 1;
        match self
            .missed
            .iter_mut()
            .find(|(other, _)| is_same(other, &pose))
        {
            Some((_, misses)) => *misses += 1,
            None => self.missed.push((pose, 1)),
        }
    }

    /// How many pictures were not taken so far.
    #[must_use]
    pub fn skipped(&self) -> Skipped {
        self.skipped
    }

    fn verdict(&self, stamp_ns: u64) -> Verdict {
        if self.kept.len() >= MAX_KEPT {
            return Verdict::Enough;
        }
        let Some(pose) = self.pose_at(stamp_ns) else {
            return Verdict::NoState;
        };
        match self.is_at_rest(stamp_ns, &pose) {
            None => return Verdict::NoState,
            Some(false) => return Verdict::Moving,
            Some(true) => {}
        }
        let is_missed =
            |(other, misses): &(Pose, u32)| *misses >= MAX_MISSES && is_same(other, &pose);
        let is_known = self.kept.iter().any(|other| is_same(other, &pose));
        if is_known || self.missed.iter().any(is_missed) {
            return Verdict::Known;
        }
        Verdict::Take(pose)
    }

    /// The tool at a time, between the states before and after it.
    fn pose_at(&self, stamp_ns: u64) -> Option<Pose> {
        let after = self
            .states
            .partition_point(|(state_ns, _)| *state_ns < stamp_ns);
        let (later_ns, later) = self.states.get(after)?;
        if *later_ns == stamp_ns {
            return Some(*later);
        }
        let (earlier_ns, earlier) = self.states.get(after.checked_sub(1)?)?;
        let gap_ns = later_ns - earlier_ns;
        if gap_ns > GAP_NS {
            return None;
        }
        let share = (stamp_ns - earlier_ns) as f64 / gap_ns as f64;
        let (from, to) = (earlier.rotation(), later.rotation());
        let turn = (from.inverse() * to).scaled_axis() * share;
        let rotation = from * nalgebra::UnitQuaternion::from_scaled_axis(turn);
        Some(Pose::from_parts(
            earlier.position().lerp(&later.position(), share),
            &rotation,
        ))
    }

    /// Whether the tool was near `pose` for the whole time around a stamp; none where states are missing.
    fn is_at_rest(&self, stamp_ns: u64, pose: &Pose) -> Option<bool> {
        let (first_ns, last_ns) = (
            stamp_ns.checked_sub(REST_NS)?,
            stamp_ns.checked_add(REST_NS)?,
        );
        let first = self
            .states
            .partition_point(|(ns, _)| *ns <= first_ns)
            .saturating_sub(1);
        let last = self.states.partition_point(|(ns, _)| *ns < last_ns);
        let around = self.states.get(first..=last)?;
        let has_gap = around.windows(2).any(|pair| pair[1].0 - pair[0].0 > GAP_NS);
        let begins_before = around.first().is_some_and(|(ns, _)| *ns <= first_ns);
        if has_gap || !begins_before {
            return None;
        }
        let is_near = |(_, other): &(u64, Pose)| {
            let (metres, turn) = pose.distance_to(other);
            metres <= REST_M && turn <= REST_RAD
        };
        Some(around.iter().all(is_near))
    }
}

fn is_same(a: &Pose, b: &Pose) -> bool {
    let (metres, turn) = a.distance_to(b);
    metres <= APART_M && turn <= APART_RAD
}
