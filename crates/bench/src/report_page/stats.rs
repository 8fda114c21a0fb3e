//! Rates, differences, distributions.

use super::input::Episode;
use crate::Cell;
use tiller_core::wilson::interval;

/// How the same scenes went with and without a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pairs {
    /// Both achieved the task.
    pub(super) both: usize,
    /// Only the changed method did.
    pub(super) gained: usize,
    /// Only the full method did.
    pub(super) lost: usize,
    /// Neither did.
    pub(super) neither: usize,
}

/// A difference of two rates with its 95 % interval, each in [-1, 1].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Difference {
    pub(super) value: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Pairs {
    pub(super) fn add(&mut self, changed: bool, full: bool) {
        match (changed, full) {
            (true, true) => self.both += 1,
            (true, false) => self.gained += 1,
            (false, true) => self.lost += 1,
            (false, false) => self.neither += 1,
        }
    }

    pub(super) fn trials(&self) -> usize {
        self.both + self.gained + self.lost + self.neither
    }

    /// Rate of the changed method less that of the full one. The interval makes use of the pairing:
    /// Newcombe, Statistics in Medicine 17 (1998), 2635-2650, method 10.
    pub(super) fn difference(&self) -> Option<Difference> {
        let trials = self.trials();
        if trials == 0 {
            return None;
        }
        let n = trials as f64;
        let (changed, full) = (self.both + self.gained, self.both + self.lost);
        let (p, q) = (changed as f64 / n, full as f64 / n);
        let (p_low, p_high) = interval(changed, trials);
        let (q_low, q_high) = interval(full, trials);
        let phi = self.correlation();
        let spread = |a: f64, b: f64| (a * a - 2.0 * phi * a * b + b * b).max(0.0).sqrt();
        let value = p - q;
        Some(Difference {
            value,
            low: (value - spread(p - p_low, q_high - q)).max(-1.0),
            high: (value + spread(p_high - p, q - q_low)).min(1.0),
        })
    }

    /// How likely at least so uneven a split of the pairs that differ is if neither method is better: the
    /// exact test of McNemar (Psychometrika 12 (1947), 153-157), two-sided, by the binomial distribution. 1
    /// where no pair differs.
    pub(super) fn exact_p(&self) -> f64 {
        let differing = self.gained + self.lost;
        let fewer = self.gained.min(self.lost);
        // C(n, k) / 2^n, from one k to the next, in logarithms: 2^-n may be no number above 0.
        let mut log_term = -(differing as f64) * std::f64::consts::LN_2;
        let mut tail = log_term.exp();
        for k in 1..=fewer {
            log_term += ((differing - k + 1) as f64 / k as f64).ln();
            tail += log_term.exp();
        }
        (2.0 * tail).min(1.0)
    }

    /// Correlation of the pairs with Newcombe's continuity correction.
    fn correlation(&self) -> f64 {
        let [a, b, c, d] =
            [self.both, self.gained, self.lost, self.neither].map(|count| count as f64);
        let product = (a + b) * (c + d) * (a + c) * (b + d);
        if product <= 0.0 {
            return 0.0;
        }
        let n = a + b + c + d;
        let raw = a * d - b * c;
        let corrected = if raw > 0.0 {
            (raw - n / 2.0).max(0.0)
        } else {
            raw
        };
        corrected / product.sqrt()
    }
}

/// A p value as one writes it: `0.034`, `3.1e-5`, `< 1e-99`.
pub(super) fn p_value(p: f64) -> String {
    match p {
        p if p < 1e-99 => "< 1e-99".to_owned(),
        p if p < 1e-3 => format!("{p:.1e}"),
        p => format!("{p:.3}"),
    }
}

/// Successes, and episodes with collateral, among the given.
pub(super) fn cell<'e>(episodes: impl Iterator<Item = &'e Episode>) -> Cell {
    episodes.fold(Cell::default(), |cell, episode| Cell {
        successes: cell.successes + usize::from(episode.success),
        trials: cell.trials + 1,
        harmed: cell.harmed + usize::from(episode.harmed),
    })
}

/// Share of successes; 0 without trials.
pub(super) fn rate(cell: Cell) -> f64 {
    cell.successes as f64 / cell.trials.max(1) as f64
}

/// Values counted in bins of the same width.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Histogram {
    /// Number of values in each bin, from 0 upward.
    pub(super) bins: Vec<usize>,
    /// Width of a bin, in the values' unit.
    pub(super) width: f64,
    /// Values at and above the last bin's upper end, which are in no bin.
    pub(super) beyond: usize,
    /// Half of the values are at most this.
    pub(super) median: f64,
    /// 95 % of the values are at most this.
    pub(super) p95: f64,
    /// Number of values.
    pub(super) count: usize,
}

/// Bins of a histogram.
const BINS: usize = 24;

impl Histogram {
    /// Counts what is finite; none when nothing is left. The last bin ends at a round number above
    /// 1.3 times the 95 % quantile, so that a straggler does not squeeze all others into one bin.
    pub(super) fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.filter(|v| v.is_finite() && *v >= 0.0).collect();
        values.sort_by(f64::total_cmp);
        let (median, p95) = (quantile(&values, 0.5)?, quantile(&values, 0.95)?);
        let end = round_up((1.3 * p95).max(1e-9));
        let width = end / BINS as f64;
        let mut bins = vec![0; BINS];
        let mut beyond = 0;
        for value in &values {
            match bins.get_mut((value / width) as usize) {
                Some(bin) => *bin += 1,
                None => beyond += 1,
            }
        }
        Some(Self {
            bins,
            width,
            beyond,
            median,
            p95,
            count: values.len(),
        })
    }

    /// Upper end of the last bin.
    pub(super) fn end(&self) -> f64 {
        self.width * self.bins.len() as f64
    }
}

/// The smallest of the sorted values that at least a share `p` of them does not exceed.
pub(super) fn quantile(sorted: &[f64], p: f64) -> Option<f64> {
    let rank = (p * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied()
}

/// 1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8 times a power of ten.
fn round_up(value: f64) -> f64 {
    let power = 10f64.powf(value.log10().floor());
    let steps = [1.0, 1.2, 1.6, 2.0, 2.4, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    let step = steps.into_iter().find(|step| step * power >= value);
    step.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paired_differences_agree_with_the_literature() {
        // Newcombe's tables: a, b, c, d of 50 pairs; the difference and its interval by method 10.
        let pairs = Pairs {
            both: 36,
            gained: 12,
            lost: 2,
            neither: 0,
        };
        let found = pairs.difference().unwrap();
        assert!((found.value - 0.2).abs() < 1e-12);
        assert!((found.low - 0.0569).abs() < 5e-5, "{found:?}");
        assert!((found.high - 0.3404).abs() < 5e-5, "{found:?}");
    }

    #[test]
    fn exact_tests_computed_by_hand() {
        let p = |gained, lost| {
            let pairs = Pairs {
                both: 7,
                gained,
                lost,
                neither: 3,
            };
            pairs.exact_p()
        };
        assert_eq!(p(0, 0), 1.0);
        assert_eq!(p(3, 3), 1.0);
        // 2 (1 + 6) / 2^6, and the same turned round.
        assert!((p(1, 5) - 14.0 / 64.0).abs() < 1e-12);
        assert!((p(5, 1) - 14.0 / 64.0).abs() < 1e-12);
        // 2 (1 + 20 + 190) / 2^20.
        assert!((p(18, 2) - 422.0 / 1_048_576.0).abs() < 1e-15);
        // 2 / 2^2000 is no number above 0 any more.
        assert_eq!(p(2000, 0), 0.0);
        assert!((p(1000, 1000) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn differences_computed_by_hand() {
        // All 20 pairs agree on success: both rates are 1, with the lower end 1 / (1 + z^2 / 20).
        let mut pairs = Pairs::default();
        for _ in 0..20 {
            pairs.add(true, true);
        }
        let found = pairs.difference().unwrap();
        let below = 1.0 - 1.0 / (1.0 + 3.841_458_820_694_124 / 20.0);
        assert_eq!(found.value, 0.0);
        assert!((found.low + below).abs() < 1e-9 && (found.high - below).abs() < 1e-9);
        assert_eq!(Pairs::default().difference(), None);
        // Turned round, the difference is mirrored.
        let one = Pairs {
            both: 5,
            gained: 1,
            lost: 7,
            neither: 3,
        };
        let other = Pairs {
            gained: 7,
            lost: 1,
            ..one
        };
        let (one, other) = (one.difference().unwrap(), other.difference().unwrap());
        assert!((one.low + other.high).abs() < 1e-12 && (one.high + other.low).abs() < 1e-12);
        assert!((one.value + 0.375).abs() < 1e-12);
    }

    #[test]
    fn quantiles_and_bins() {
        let values: Vec<f64> = (1..=20).map(f64::from).collect();
        assert_eq!(quantile(&values, 0.5), Some(10.0));
        assert_eq!(quantile(&values, 0.95), Some(19.0));
        assert_eq!(quantile(&[], 0.5), None);
        let with_straggler = values.iter().copied().chain([1000.0, f64::NAN]);
        let found = Histogram::of(with_straggler).unwrap();
        // 21 values: the 95 % quantile is the 20th; 1.3 * 20 = 26, rounded up 30: bins of 1.25.
        assert_eq!((found.count, found.beyond, found.end()), (21, 1, 30.0));
        assert_eq!(found.bins[..4], [1, 1, 1, 1]);
        assert_eq!(found.bins.iter().sum::<usize>(), 20);
        assert_eq!(Histogram::of([].into_iter()), None);
    }
}
