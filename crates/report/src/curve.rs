//! Samples as lines that can be drawn.

use plotters::style::RGBColor;

use crate::record::{Recorder, Sample};

/// One curve of a panel.
pub(crate) struct Curve {
    pub(crate) name: &'static str,
    pub(crate) colour: RGBColor,
    /// Points (seconds, value); nothing is drawn between two pieces.
    pub(crate) pieces: Vec<Vec<(f64, f64)>>,
}

/// How a curve runs between two samples.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Run {
    /// Straight: the value was measured at each sample.
    Straight,
    /// Level, then a step: the value holds until the next chunk is planned.
    Level,
}

impl Curve {
    /// The curve breaks where a value is missing and where the stage machine decided: another visit
    /// measures something else, and a line between the two would say nothing.
    pub(crate) fn new(
        recorder: &Recorder,
        name: &'static str,
        colour: RGBColor,
        run: Run,
        value: impl Fn(&Sample) -> Option<f64>,
    ) -> Self {
        let mut pieces: Vec<Vec<(f64, f64)>> = vec![Vec::new()];
        let mut before: Option<&Sample> = None;
        for sample in &recorder.samples {
            let value = value(sample).filter(|value| value.is_finite());
            let joined = before.is_some_and(|before| is_same_visit(recorder, before, sample));
            if value.is_none() || !joined {
                pieces.push(Vec::new());
            }
            before = Some(sample);
            let (Some(value), Some(piece)) = (value, pieces.last_mut()) else {
                continue;
            };
            let time_s = recorder.seconds(sample.stamp_ns);
            if let (Run::Level, Some(&(_, last))) = (run, piece.last()) {
                piece.push((time_s, last));
            }
            piece.push((time_s, value));
        }
        pieces.retain(|piece| !piece.is_empty());
        Self {
            name,
            colour,
            pieces,
        }
    }
}

fn is_same_visit(recorder: &Recorder, before: &Sample, sample: &Sample) -> bool {
    let decided = recorder.decisions.iter().any(|decision| {
        before.stamp_ns < decision.stamp_ns && decision.stamp_ns <= sample.stamp_ns
    });
    before.stage == sample.stage && !decided
}

/// The range of the values with some air; never empty.
pub(crate) fn extent(curves: &[Curve]) -> std::ops::Range<f64> {
    let points = || {
        curves
            .iter()
            .flat_map(|curve| curve.pieces.iter().flatten())
    };
    let (low, high) = points().fold((f64::MAX, f64::MIN), |(low, high), (_, value)| {
        (low.min(*value), high.max(*value))
    });
    if low > high {
        return 0.0..1.0;
    }
    let air = (0.12 * (high - low)).max(1e-3 * high.abs()).max(1e-6);
    low - air..high + air
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Decision, RunInfo};

    fn curve(run: Run) -> Curve {
        let mut recorder = Recorder::new(RunInfo::default());
        for (i, reward) in [1.0, 2.0, f64::NAN, 3.0, 4.0].into_iter().enumerate() {
            let stamp_ns = i as u64 * 1_000_000_000;
            recorder.add_sample(Sample {
                stamp_ns,
                stage: 1,
                reward,
                ..Sample::default()
            });
        }
        // The same stage is entered afresh.
        recorder.add_decision(Decision {
            stamp_ns: 4_000_000_000,
            stage: 1,
            ..Decision::default()
        });
        Curve::new(&recorder, "reward", RGBColor(0, 0, 0), run, |sample| {
            Some(sample.reward)
        })
    }

    #[test]
    fn curves_break_at_gaps_and_decisions() {
        let straight = [
            vec![(0.0, 1.0), (1.0, 2.0)],
            vec![(3.0, 3.0)],
            vec![(4.0, 4.0)],
        ];
        assert_eq!(curve(Run::Straight).pieces, straight);
        assert_eq!(
            curve(Run::Level).pieces[0],
            [(0.0, 1.0), (1.0, 1.0), (1.0, 2.0)]
        );
    }

    #[test]
    fn the_range_holds_every_value_and_is_never_empty() {
        let range = extent(&[curve(Run::Straight)]);
        assert!(range.start < 1.0 && range.end > 4.0);
        assert_eq!(extent(&[]), 0.0..1.0);
    }
}
