//! Cameras that are not well, by name.

use tiller_messages::Level;

use super::camera::Camera;

/// Time after which something that should have come is missed, ns of arrival. Together with the
/// time between two looks it stays within a second.
pub(super) const PATIENCE_NS: u64 = 800_000_000;
/// A receiver that has not looked for so long was busy: what it missed may lie in its queue.
const BUSY_NS: u64 = 400_000_000;
/// Stamps that lie this far apart are not of one clock, or one camera is far too late, ns.
const CLOCK_NS: u64 = 1_000_000_000;
/// Looks in a row after which a clock is wrong, and not one stamp.
const CLOCK_LOOKS: u32 = 3;
/// Frames in a row without change that make a camera frozen.
const FROZEN_FRAMES: u32 = 6;
/// So long after its last change something else must have moved, ns of arrival: cameras see the
/// last movement before a rest a little after one another.
const STILL_NS: u64 = 400_000_000;

/// What is wrong with a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComplaintKind {
    /// No camera has sent a frame yet.
    Waiting,
    /// It has not sent a frame, though another has.
    Missing,
    /// It sends no more.
    Stopped,
    /// It sends the same frame again and again.
    Frozen,
    /// Its stamps are of another clock, or it is far too late.
    Clock,
    /// Its frames lie outside the tolerance.
    Unmatched,
    /// It is well again.
    Recovered,
}

impl ComplaintKind {
    /// A word that machines may test for.
    pub fn code(self) -> &'static str {
        match self {
            ComplaintKind::Waiting => "camera_awaited",
            ComplaintKind::Missing => "camera_missing",
            ComplaintKind::Stopped => "camera_stopped",
            ComplaintKind::Frozen => "camera_frozen",
            ComplaintKind::Clock => "camera_clock",
            ComplaintKind::Unmatched => "camera_unmatched",
            ComplaintKind::Recovered => "camera_recovered",
        }
    }

    /// How much it matters.
    pub fn level(self) -> Level {
        match self {
            ComplaintKind::Waiting | ComplaintKind::Recovered => Level::Info,
            _ => Level::Warning,
        }
    }
}

/// Something to say about a camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The camera.
    pub camera: String,
    /// What it is.
    pub kind: ComplaintKind,
    /// What was expected and what was found, for people.
    pub text: String,
}

/// What is watched besides the cameras themselves.
#[derive(Debug, Clone, Default)]
pub(super) struct Watch {
    started_ns: Option<u64>,
    /// When the last look was, ns of arrival.
    looked_ns: Option<u64>,
    /// When the receiver last came back from being busy, ns of arrival.
    back_ns: u64,
    /// When a match was last possible, ns of arrival.
    pub(super) matched_ns: Option<u64>,
    /// When the arm was last known to move, ns of arrival; none where nobody says.
    pub(super) moved_ns: Option<u64>,
    /// The clock that cameras should share: its owner and last stamp.
    pub(super) reference: Option<(&'static str, u64)>,
    /// Looks in a row at which each camera's clock was wrong.
    clock_looks: Vec<u32>,
    /// What was said of each camera and still holds.
    said: Vec<Option<ComplaintKind>>,
}

impl Watch {
    /// Notes the first moment that is known of.
    pub(super) fn start(&mut self, now_ns: u64) {
        self.started_ns.get_or_insert(now_ns);
    }
}

/// What has changed since the last look.
pub(super) fn look<F: Clone>(
    watch: &mut Watch,
    cameras: &mut [Camera<F>],
    tolerance_ns: u64,
    now_ns: u64,
) -> Vec<Complaint> {
    watch.said.resize(cameras.len(), None);
    watch.clock_looks.resize(cameras.len(), 0);
    let looked_ns = watch.looked_ns.replace(now_ns);
    if looked_ns.is_some_and(|looked| now_ns.saturating_sub(looked) > BUSY_NS) {
        watch.back_ns = now_ns;
    }
    let mut complaints = Vec::new();
    for index in 0..cameras.len() {
        let wrong_clock = other_clock(watch, cameras, index);
        let looks = &mut watch.clock_looks[index];
        *looks = if wrong_clock.is_some() { *looks + 1 } else { 0 };
        let wrong_clock = wrong_clock.filter(|_| *looks >= CLOCK_LOOKS);
        let found = judge(watch, cameras, index, tolerance_ns, now_ns, wrong_clock);
        let kind = found.as_ref().map(|(kind, _)| *kind);
        if kind == watch.said[index] {
            continue;
        }
        let before = std::mem::replace(&mut watch.said[index], kind);
        let camera = cameras[index].name.clone();
        let said = match found {
            Some((kind, text)) => Some((kind, text)),
            // That a first frame came needs no word.
            None => before
                .filter(|kind| *kind != ComplaintKind::Waiting)
                .map(|_| {
                    (
                        ComplaintKind::Recovered,
                        format!("camera `{camera}` is well again"),
                    )
                }),
        };
        complaints.extend(said.map(|(kind, text)| Complaint { camera, kind, text }));
    }
    complaints
}

fn judge<F: Clone>(
    watch: &Watch,
    cameras: &[Camera<F>],
    index: usize,
    tolerance_ns: u64,
    now_ns: u64,
    wrong_clock: Option<String>,
) -> Option<(ComplaintKind, String)> {
    let camera = &cameras[index];
    let name = &camera.name;
    // Silence counts only while somebody listens.
    let since = |then: u64| now_ns.saturating_sub(then.max(watch.back_ns));
    let Some(arrival_ns) = camera.signs.arrival_ns else {
        return missing(watch, cameras, name, now_ns);
    };
    if since(arrival_ns) > PATIENCE_NS {
        let text = format!(
            "camera `{name}` has stopped: no frame for {}",
            duration(now_ns.saturating_sub(arrival_ns))
        );
        return Some((ComplaintKind::Stopped, text));
    }
    if let Some(text) = frozen(watch, cameras, index) {
        return Some((ComplaintKind::Frozen, text));
    }
    if let Some(text) = wrong_clock {
        return Some((ComplaintKind::Clock, text));
    }
    let (leader, complete_ns) = (&cameras[0], complete_since(cameras, now_ns)?);
    let matchless_ns = since(complete_ns.max(watch.matched_ns.unwrap_or(0)));
    if index == 0 || matchless_ns <= PATIENCE_NS {
        return None;
    }
    let offset_ns = camera.offset_ns(leader)?;
    (offset_ns.unsigned_abs() > u128::from(tolerance_ns)).then(|| {
        let text = format!(
            "camera `{name}` is {} `{}`; tolerance {}",
            distance(offset_ns),
            leader.name,
            duration(tolerance_ns)
        );
        (ComplaintKind::Unmatched, text)
    })
}

/// Since when every camera sends frames, ns of arrival; none while one is silent.
fn complete_since<F: Clone>(cameras: &[Camera<F>], now_ns: u64) -> Option<u64> {
    let sends = |arrival_ns: u64| now_ns.saturating_sub(arrival_ns) <= PATIENCE_NS;
    let all = cameras
        .iter()
        .all(|camera| camera.signs.arrival_ns.is_some_and(sends));
    let since = cameras.iter().map(|camera| camera.signs.since_ns).max();
    since.filter(|_| all)
}

fn missing<F: Clone>(
    watch: &Watch,
    cameras: &[Camera<F>],
    name: &str,
    now_ns: u64,
) -> Option<(ComplaintKind, String)> {
    let others = cameras
        .iter()
        .filter(|other| other.signs.arrival_ns.is_some());
    let first = others.min_by_key(|other| other.signs.since_ns);
    let since_ns = first.map_or(watch.started_ns?, |other| other.signs.since_ns);
    if now_ns.saturating_sub(since_ns.max(watch.back_ns)) <= PATIENCE_NS {
        return None;
    }
    Some(match first {
        None => {
            let text = format!("waiting for the first frame of camera `{name}`");
            (ComplaintKind::Waiting, text)
        }
        Some(other) => {
            let text = format!(
                "camera `{name}` has sent no frame, though `{}` has",
                other.name
            );
            (ComplaintKind::Missing, text)
        }
    })
}

fn frozen<F: Clone>(watch: &Watch, cameras: &[Camera<F>], index: usize) -> Option<String> {
    let (name, signs) = (&cameras[index].name, &cameras[index].signs);
    if signs.same_stamp >= FROZEN_FRAMES {
        let count = signs.same_stamp;
        return Some(format!(
            "camera `{name}` is frozen: the same stamp {count} times"
        ));
    }
    if signs.same_pixels < FROZEN_FRAMES {
        return None;
    }
    // A rendered scene in which nothing moves gives the same pixels for good reason.
    let last_change = cameras.iter().map(|other| other.signs.changed_ns).max();
    let moved_ns = watch.moved_ns.or(last_change)?;
    let moved = moved_ns > signs.changed_ns + STILL_NS;
    let count = signs.same_pixels;
    moved.then(|| {
        format!("camera `{name}` is frozen: the same pixels {count} times, though something moves")
    })
}

fn other_clock<F: Clone>(watch: &Watch, cameras: &[Camera<F>], index: usize) -> Option<String> {
    let camera = &cameras[index];
    let stamp_ns = i128::from(camera.newest_ns?);
    let compare = |owner: &str, theirs_ns: u64| {
        let offset_ns = stamp_ns - i128::from(theirs_ns);
        (offset_ns.unsigned_abs() > u128::from(CLOCK_NS)).then(|| {
            let hint = if offset_ns > 1_000_000_000_000_000_000 {
                ": its stamps look like time since 1970"
            } else {
                ""
            };
            format!(
                "camera `{}` is {} `{owner}`{hint}",
                camera.name,
                distance(offset_ns)
            )
        })
    };
    if let Some((owner, reference_ns)) = watch.reference {
        return compare(owner, reference_ns);
    }
    let leader = &cameras[0];
    compare(&leader.name, leader.newest_ns.filter(|_| index > 0)?)
}

/// `40 ms behind`, `2.1 s ahead of`.
fn distance(offset_ns: i128) -> String {
    let size = duration(u64::try_from(offset_ns.unsigned_abs()).unwrap_or(u64::MAX));
    let side = if offset_ns < 0 { "behind" } else { "ahead of" };
    format!("{size} {side}")
}

fn duration(ns: u64) -> String {
    match ns {
        0..1_000_000 => format!("{:.2} ms", ns as f64 / 1e6),
        1_000_000..1_000_000_000 => format!("{} ms", ns / 1_000_000),
        _ => format!("{:.1} s", ns as f64 / 1e9),
    }
}
