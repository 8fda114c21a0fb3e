//! Things that are hidden for a while, and how soon they are found again.

use tiller_grounding::Keypoint;

/// Share of what a thing showed at first, below which it is hidden, and from which it can be found again.
const HIDDEN: f64 = 0.12;
const SHOWN: f64 = 0.5;
/// Near enough to be found, m; and in time, ns.
const FOUND_M: f64 = 0.02;
const IN_TIME_NS: u64 = 1_000_000_000;

/// Where a keypoint's thing is.
#[derive(Clone, Copy, Default)]
enum Away {
    #[default]
    Not,
    Hidden,
    /// It shows since then, ns.
    Back(u64),
}

/// Things that were hidden and showed again for long enough, and how many of those were found in time.
#[derive(Default)]
pub(crate) struct Returns {
    pub(crate) back: usize,
    pub(crate) found: usize,
}

/// One episode's keypoints.
pub(crate) struct Watch {
    first: [usize; 256],
    away: Vec<Away>,
}

impl Watch {
    pub(crate) fn new(segmentation: &[u8], keypoints: &[Keypoint]) -> Self {
        Self {
            first: counts(segmentation),
            away: vec![Away::Not; keypoints.len()],
        }
    }

    /// Takes in how far a keypoint is off in a later frame.
    pub(crate) fn observe(
        &mut self,
        segmentation: &[u8],
        label: u8,
        keypoint: &Keypoint,
        off_m: f64,
        now_ns: u64,
        returns: &mut Returns,
    ) {
        let label = usize::from(label);
        let share = counts(segmentation)[label] as f64 / self.first[label].max(1) as f64;
        let away = &mut self.away[keypoint.index];
        let is_found = keypoint.visible && off_m < FOUND_M;
        *away = match *away {
            _ if share < HIDDEN => Away::Hidden,
            Away::Hidden if share >= SHOWN => Away::Back(now_ns),
            Away::Back(since_ns) => {
                let is_late = now_ns > since_ns + IN_TIME_NS;
                if !is_found && !is_late {
                    return;
                }
                returns.back += 1;
                returns.found += usize::from(is_found);
                Away::Not
            }
            other => other,
        };
    }
}

fn counts(segmentation: &[u8]) -> [usize; 256] {
    let mut counts = [0; 256];
    for label in segmentation {
        counts[usize::from(*label)] += 1;
    }
    counts
}
