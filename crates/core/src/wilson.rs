//! Confidence intervals of success rates.

/// Two-sided 95 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// Wilson's 95 % score interval of `successes` out of `trials`: unlike the textbook formula it
/// stays inside `[0, 1]` and is honest for few trials and for rates near 0 and 1. Without trials
/// nothing is known: `(0, 1)`. Wilson, JASA 22 (1927), 209-212.
#[must_use]
pub fn interval(successes: usize, trials: usize) -> (f64, f64) {
    if trials == 0 {
        return (0.0, 1.0);
    }
    let n = trials as f64;
    let p = successes as f64 / n;
    let centre = p + Z * Z / (2.0 * n);
    let spread = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    // The rate itself lies inside; rounding must not put it outside at the ends.
    (
        ((centre - spread) / scale).clamp(0.0, p),
        ((centre + spread) / scale).clamp(p, 1.0),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_agree_with_the_literature() {
        // Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
        let golden = [
            ((81, 263), (0.2553, 0.3662)),
            ((15, 148), (0.0624, 0.1605)),
            ((0, 20), (0.0, 0.1611)),
            ((1, 29), (0.0061, 0.1718)),
        ];
        for ((successes, trials), (low, high)) in golden {
            let found = interval(successes, trials);
            assert!(
                (found.0 - low).abs() < 5e-5,
                "{successes}/{trials}: {found:?}"
            );
            assert!(
                (found.1 - high).abs() < 5e-5,
                "{successes}/{trials}: {found:?}"
            );
        }
    }

    #[test]
    fn the_interval_holds_the_rate_and_stays_inside() {
        for trials in 1..60 {
            for successes in 0..=trials {
                let rate = successes as f64 / trials as f64;
                let (low, high) = interval(successes, trials);
                assert!(0.0 <= low && low <= rate && rate <= high && high <= 1.0);
            }
        }
        assert_eq!(interval(0, 0), (0.0, 1.0));
    }
}
