//! Gripper events from measured widths.
//!
//! Events come from what the fingers did, not from what they were told: a commanded close that an
//! object or a fault stops early must not look like a grasp that happened.

/// What a stage wants from the gripper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GripperGoal {
    /// The fingers should close on something.
    Close,
    /// The fingers should let go.
    Open,
}

impl GripperGoal {
    /// Reads the goal from a stage's description; `None` when it is not about the gripper.
    pub fn from_description(description: &str) -> Option<Self> {
        let text = description.to_lowercase();
        let mut words = text
            .split(|c: char| !c.is_alphabetic())
            .filter(|word| !word.is_empty());
        let close = ["grasp", "grip", "grab", "grasping", "gripping", "grabbing"];
        let open = ["release", "releasing", "ungrasp", "place", "drop"];
        words.find_map(|word| {
            if close.contains(&word) {
                Some(Self::Close)
            } else if open.contains(&word) {
                Some(Self::Open)
            } else {
                None
            }
        })
    }
}

/// A completed motion of the fingers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GripperEvent {
    /// When the motion ended, ns.
    pub stamp_ns: u64,
    /// Which way it went.
    pub goal: GripperGoal,
    /// Opening width when the fingers came to rest, m.
    pub width_m: f64,
}

/// Turns a stream of measured widths into [`GripperEvent`]s.
#[derive(Debug, Clone)]
pub struct GripperWatch {
    speed_m_s: f64,
    travel_m: f64,
    last: Option<(u64, f64)>,
    /// The motion under way: its direction and the width where it began.
    moving: Option<(GripperGoal, f64)>,
}

/// Widths closer in time than this are merged, so that a rate is not taken from encoder noise.
const MIN_INTERVAL_NS: u64 = 20_000_000;

impl GripperWatch {
    /// A watch that calls a motion one of at least `speed_m_s` over at least `travel_m`.
    pub fn new(speed_m_s: f64, travel_m: f64) -> Self {
        Self {
            speed_m_s,
            travel_m,
            last: None,
            moving: None,
        }
    }

    /// Feeds a measured width; returns the event when a motion has come to rest. Samples that are
    /// not finite or not newer are ignored.
    pub fn update(&mut self, stamp_ns: u64, width_m: f64) -> Option<GripperEvent> {
        if !width_m.is_finite() {
            return None;
        }
        let Some((last_ns, last_m)) = self.last else {
            self.last = Some((stamp_ns, width_m));
            return None;
        };
        let elapsed_ns = stamp_ns.checked_sub(last_ns)?;
        if elapsed_ns < MIN_INTERVAL_NS {
            return None;
        }
        self.last = Some((stamp_ns, width_m));
        let rate = (width_m - last_m) / (elapsed_ns as f64 * 1e-9);
        let direction = if rate <= -self.speed_m_s {
            Some(GripperGoal::Close)
        } else if rate >= self.speed_m_s {
            Some(GripperGoal::Open)
        } else {
            None
        };
        let ended = match self.moving {
            Some((goal, start)) if direction != Some(goal) => Some((goal, start)),
            _ => None,
        };
        if direction != self.moving.map(|(goal, _)| goal) {
            self.moving = direction.map(|goal| (goal, last_m));
        }
        let (goal, start) = ended?;
        ((last_m - start).abs() >= self.travel_m).then_some(GripperEvent {
            stamp_ns,
            goal,
            width_m,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP_NS: u64 = 50_000_000;

    fn events(widths: &[f64]) -> Vec<(GripperGoal, f64)> {
        let mut watch = GripperWatch::new(0.01, 0.008);
        let feed = |(index, width): (usize, &f64)| watch.update(index as u64 * STEP_NS, *width);
        widths
            .iter()
            .enumerate()
            .filter_map(feed)
            .map(|e| (e.goal, e.width_m))
            .collect()
    }

    #[test]
    fn closing_on_an_object_is_one_event_at_its_width() {
        let widths = [0.08, 0.08, 0.07, 0.06, 0.05, 0.041, 0.041, 0.041];
        assert_eq!(events(&widths), [(GripperGoal::Close, 0.041)]);
    }

    #[test]
    fn opening_after_closing_gives_both() {
        let widths = [0.08, 0.05, 0.04, 0.04, 0.06, 0.08, 0.08];
        assert_eq!(
            events(&widths),
            [(GripperGoal::Close, 0.04), (GripperGoal::Open, 0.08)]
        );
    }

    #[test]
    fn noise_and_drift_are_no_events() {
        assert_eq!(events(&[0.04, 0.0402, 0.0399, 0.0401, 0.04]), []);
        let drift: Vec<f64> = (0..100).map(|i| 0.08 - f64::from(i) * 1e-4).collect();
        assert_eq!(events(&drift), []);
    }

    #[test]
    fn time_that_runs_backwards_is_ignored() {
        let mut watch = GripperWatch::new(0.01, 0.008);
        assert!(watch.update(1_000_000_000, 0.08).is_none());
        assert!(watch.update(900_000_000, 0.0).is_none());
        assert!(watch.update(1_050_000_000, f64::NAN).is_none());
        assert!(watch.update(1_050_000_000, 0.08).is_none());
    }

    #[test]
    fn goals_are_read_from_descriptions() {
        let read = GripperGoal::from_description;
        assert_eq!(read("Grasp the red block."), Some(GripperGoal::Close));
        assert_eq!(read("move away and release it"), Some(GripperGoal::Open));
        assert_eq!(read("close the drawer"), None);
        assert_eq!(read("integrate"), None);
    }
}
