//! Whether a camera is well: black, frozen and late frames, each told once, and once more when it is over.

use tiller_messages::Level;

/// So long a picture must be dark to be told, ns: one that is dark may be a hand's shadow.
const DARK_NS: u64 = 500_000_000;
/// So long a camera must be well again before that is told, ns.
const OVER_NS: u64 = 1_000_000_000;
/// What a camera may take longer for its first frame, ns: devices start slowly.
const START_NS: u64 = 3_000_000_000;
/// Of so many bytes one is looked at to tell how bright a picture is.
const SAMPLE: usize = 61;

/// From where on something is wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Limits {
    /// The same picture for longer than this is frozen, ns.
    pub(crate) frozen_ns: u64,
    /// A frame that comes later than this after the last one, or after it was taken, is late, ns.
    pub(crate) late_ns: u64,
    /// A picture with a lower mean is black, of 255.
    pub(crate) black_level: f64,
}

/// Something to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) level: Level,
    pub(crate) code: &'static str,
    pub(crate) text: String,
}

/// What is looked at of a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Look {
    /// When it was taken, ns.
    pub(crate) stamp_ns: u64,
    /// A number that changes with the pixels.
    pub(crate) fingerprint: u64,
    /// Mean of the colours, of 255.
    pub(crate) brightness: f64,
}

/// What can be wrong with a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Black,
    Frozen,
    Late,
}

/// Follows one camera.
#[derive(Debug)]
pub(crate) struct Health {
    name: String,
    limits: Limits,
    started_ns: u64,
    /// When the last frame was seen, ns.
    seen_ns: Option<u64>,
    fingerprint: u64,
    /// When the picture last changed, ns.
    changed_ns: u64,
    /// Since when it is dark, ns.
    dark_since_ns: Option<u64>,
    /// How long after it was taken the last frame came, ns.
    age_ns: u64,
    signs: [Sign; 3],
}

/// Of one fault.
#[derive(Debug, Clone, Copy)]
struct Sign {
    fault: Fault,
    /// When it was told, ns; none while nothing is told.
    told_ns: Option<u64>,
    /// Since when it has not been seen, ns.
    well_ns: Option<u64>,
}

impl Health {
    /// A camera that was started at `now_ns`.
    pub(crate) fn new(name: &str, limits: Limits, now_ns: u64) -> Self {
        let signs = [Fault::Black, Fault::Frozen, Fault::Late].map(|fault| Sign {
            fault,
            told_ns: None,
            well_ns: None,
        });
        Self {
            name: name.to_owned(),
            limits,
            started_ns: now_ns,
            seen_ns: None,
            fingerprint: 0,
            changed_ns: now_ns,
            dark_since_ns: None,
            age_ns: 0,
            signs,
        }
    }

    /// Whether a frame has come yet.
    pub(crate) fn has_seen(&self) -> bool {
        self.seen_ns.is_some()
    }

    /// Takes in a frame that came at `now_ns`.
    pub(crate) fn see(&mut self, look: Look, now_ns: u64) {
        if self.seen_ns.is_none() || look.fingerprint != self.fingerprint {
            (self.fingerprint, self.changed_ns) = (look.fingerprint, now_ns);
        }
        self.dark_since_ns = (look.brightness < self.limits.black_level)
            .then(|| self.dark_since_ns.unwrap_or(now_ns));
        self.age_ns = now_ns.saturating_sub(look.stamp_ns);
        self.seen_ns = Some(now_ns);
    }

    /// What there is to tell at `now_ns`.
    pub(crate) fn notices(&mut self, now_ns: u64) -> Vec<Notice> {
        let mut notices = Vec::new();
        for index in 0..self.signs.len() {
            let mut sign = self.signs[index];
            let found = self.judge(sign.fault, now_ns);
            let name = &self.name;
            match (found, sign.told_ns) {
                (Some(text), None) => {
                    (sign.told_ns, sign.well_ns) = (Some(now_ns), None);
                    notices.push(Notice {
                        level: Level::Warning,
                        code: sign.fault.code(),
                        text: format!("camera `{name}` {text}"),
                    });
                }
                (Some(_), Some(_)) => sign.well_ns = None,
                (None, Some(told_ns)) => {
                    let well_ns = *sign.well_ns.get_or_insert(now_ns);
                    if now_ns.saturating_sub(well_ns) >= OVER_NS {
                        let lasted = seconds(well_ns.saturating_sub(told_ns));
                        let over = sign.fault.over();
                        (sign.told_ns, sign.well_ns) = (None, None);
                        notices.push(Notice {
                            level: Level::Info,
                            code: "camera_recovered",
                            text: format!("camera `{name}` {over}; {lasted} after it was told"),
                        });
                    }
                }
                (None, None) => {}
            }
            self.signs[index] = sign;
        }
        notices
    }

    /// What is wrong now, and what to do.
    fn judge(&self, fault: Fault, now_ns: u64) -> Option<String> {
        let since = |then_ns: u64| now_ns.saturating_sub(then_ns);
        let silent_ns = match self.seen_ns {
            Some(seen_ns) => since(seen_ns),
            None => since(self.started_ns).saturating_sub(START_NS),
        };
        let late_ns = self.limits.late_ns;
        match fault {
            Fault::Black => {
                let dark_ns = since(self.dark_since_ns?);
                (dark_ns >= DARK_NS).then(|| {
                    "is black: take the cap off, switch the light on, or look at its exposure"
                        .to_owned()
                })
            }
            // One that sends nothing is late, and one that is black is told already.
            Fault::Frozen if silent_ns > late_ns || self.dark_since_ns.is_some() => None,
            Fault::Frozen => {
                let same_ns = self.seen_ns?.saturating_sub(self.changed_ns);
                (same_ns > self.limits.frozen_ns).then(|| {
                    format!(
                        "is frozen: the same picture to the last bit for {}; start the camera \
                         anew, or raise FROZEN_MS for a recording that stands still",
                        seconds(same_ns)
                    )
                })
            }
            Fault::Late if silent_ns > late_ns => Some(match self.seen_ns {
                None => format!(
                    "has sent nothing for {}: look at its cable and power, and whether another \
                     program holds it",
                    seconds(since(self.started_ns))
                ),
                Some(seen_ns) => format!(
                    "is late: no frame for {}, expected one at least every {}; look at its cable \
                     and power, at the load of this machine, and whether another program holds it",
                    seconds(since(seen_ns)),
                    seconds(late_ns)
                ),
            }),
            Fault::Late => (self.age_ns > late_ns).then(|| {
                format!(
                    "is late: its frames come {} after they were taken, expected at most {}; \
                     lower its rate or size, or look at the load of this machine",
                    seconds(self.age_ns),
                    seconds(late_ns)
                )
            }),
        }
    }
}

impl Fault {
    fn code(self) -> &'static str {
        match self {
            Fault::Black => "camera_black",
            Fault::Frozen => "camera_frozen",
            Fault::Late => "camera_late",
        }
    }

    fn over(self) -> &'static str {
        match self {
            Fault::Black => "is bright again",
            Fault::Frozen => "shows something new again",
            Fault::Late => "is in time again",
        }
    }
}

/// Mean of the colours of a picture, of 255; 0 for one without pixels.
pub(crate) fn brightness(rgb: &[u8]) -> f64 {
    let sampled = rgb.iter().step_by(SAMPLE);
    let count = sampled.len().max(1);
    sampled.map(|byte| f64::from(*byte)).sum::<f64>() / count as f64
}

fn seconds(ns: u64) -> String {
    format!("{:.1} s", ns as f64 * 1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;
    const LIMITS: Limits = Limits {
        frozen_ns: 1000 * MS,
        late_ns: 500 * MS,
        black_level: 6.0,
    };

    /// Frames, one each 100 ms from `from_ms` to `to_ms`: `look` of the time; what is told, and when.
    fn watch(
        health: &mut Health,
        range_ms: std::ops::Range<u64>,
        look: impl Fn(u64) -> Option<Look>,
    ) -> Vec<(u64, &'static str)> {
        let mut told = Vec::new();
        for ms in range_ms.step_by(100) {
            if let Some(look) = look(ms) {
                health.see(look, ms * MS);
            }
            told.extend(health.notices(ms * MS).iter().map(|n| (ms, n.code)));
        }
        told
    }

    fn good(ms: u64) -> Look {
        Look {
            stamp_ns: ms * MS,
            fingerprint: ms,
            brightness: 90.0,
        }
    }

    #[test]
    fn a_camera_that_is_well_is_not_spoken_of() {
        let mut health = Health::new("static", LIMITS, 0);
        assert_eq!(watch(&mut health, 0..20_000, |ms| Some(good(ms))), []);
        assert!(health.has_seen());
    }

    #[test]
    fn a_frozen_camera_is_told_once_and_once_more_when_it_is_over() {
        let mut health = Health::new("static", LIMITS, 0);
        let frozen = |ms| {
            Some(Look {
                fingerprint: if (2000..9000).contains(&ms) { 7 } else { ms },
                ..good(ms)
            })
        };
        let told = watch(&mut health, 0..20_000, frozen);
        assert_eq!(
            told,
            [(3100, "camera_frozen"), (10_000, "camera_recovered")]
        );
    }

    #[test]
    fn a_black_camera_is_not_told_as_frozen_too() {
        let mut health = Health::new("static", LIMITS, 0);
        let black = |ms| {
            let is_dark = (2000..9000).contains(&ms);
            Some(Look {
                brightness: if is_dark { 1.0 } else { 90.0 },
                fingerprint: if is_dark { 7 } else { ms },
                ..good(ms)
            })
        };
        let told = watch(&mut health, 0..20_000, black);
        assert_eq!(told, [(2500, "camera_black"), (10_000, "camera_recovered")]);
    }

    #[test]
    fn one_dark_frame_and_one_gap_within_the_limit_are_nothing() {
        let mut health = Health::new("static", LIMITS, 0);
        let told = watch(&mut health, 0..9000, |ms| match ms {
            3000..3400 => None,
            5000 => Some(Look {
                brightness: 0.0,
                ..good(ms)
            }),
            _ => Some(good(ms)),
        });
        assert_eq!(told, []);
    }

    #[test]
    fn a_camera_that_stops_is_late_and_not_frozen() {
        let mut health = Health::new("static", LIMITS, 0);
        let told = watch(&mut health, 0..9000, |ms| {
            (!(2000..6000).contains(&ms)).then(|| good(ms))
        });
        assert_eq!(told, [(2500, "camera_late"), (7000, "camera_recovered")]);
    }

    #[test]
    fn a_camera_that_comes_and_goes_is_told_once() {
        let mut health = Health::new("static", LIMITS, 0);
        // A frame each 800 ms: late each time, and never well for long.
        let told = watch(&mut health, 0..9000, |ms| {
            ms.is_multiple_of(800).then(|| good(ms))
        });
        assert_eq!(told, [(600, "camera_late")]);
    }

    #[test]
    fn a_first_frame_may_take_longer() {
        let mut health = Health::new("static", LIMITS, 0);
        let told = watch(&mut health, 0..9000, |_| None);
        assert_eq!(told, [(3600, "camera_late")]);
        assert!(!health.has_seen());
    }

    #[test]
    fn frames_that_come_long_after_they_were_taken_are_late() {
        let mut health = Health::new("static", LIMITS, 0);
        let told = watch(&mut health, 1000..2000, |ms| {
            Some(Look {
                stamp_ns: (ms - 700) * MS,
                ..good(ms)
            })
        });
        assert_eq!(told, [(1000, "camera_late")]);
    }

    #[test]
    fn brightness_is_the_mean_of_the_colours() {
        assert!(brightness(&[]).abs() < 1e-12);
        assert!((brightness(&vec![40; 32 * 32 * 3]) - 40.0).abs() < 1e-12);
        let half: Vec<u8> = (0..30_000)
            .map(|i| if i < 15_000 { 0 } else { 200 })
            .collect();
        assert!((brightness(&half) - 100.0).abs() < 2.0);
    }
}
