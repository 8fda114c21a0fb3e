//! From numbers to colours and to tick labels.

use image::Rgb;

/// Viridis, evenly spaced from low to high: equal steps look equal, and brightness alone orders
/// them. By Nathaniel Smith and Stéfan van der Walt, CC0.
const VIRIDIS: [[u8; 3]; 9] = [
    [68, 1, 84],
    [71, 44, 122],
    [59, 81, 139],
    [44, 113, 142],
    [33, 144, 141],
    [39, 173, 129],
    [92, 200, 99],
    [170, 220, 50],
    [253, 231, 37],
];

/// The values between which the colours run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// Whether values above `high` exist.
    pub(crate) cut_above: bool,
    /// Whether values below `low` exist.
    pub(crate) cut_below: bool,
}

impl Scale {
    /// All values, unless a few lie so far out that the others would share one colour: beyond the
    /// span of the inner 96 % on either side, colours saturate at its percentiles.
    pub(crate) fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.filter(|value| value.is_finite()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let (Some(&least), Some(&most)) = (sorted.first(), sorted.last()) else {
            return Self {
                low: 0.0,
                high: 1.0,
                cut_above: false,
                cut_below: false,
            };
        };
        let outer = sorted.len() / 50;
        let (inner_low, inner_high) = (sorted[outer], sorted[sorted.len() - 1 - outer]);
        let span = inner_high - inner_low;
        let is_spread = span > 0.0;
        let cut_below = is_spread && inner_low - least > span;
        let cut_above = is_spread && most - inner_high > span;
        let low = if cut_below { inner_low } else { least };
        let mut high = if cut_above { inner_high } else { most };
        let floor = f64::max(1e-9, 1e-9 * low.abs());
        if high - low < floor {
            high = low + floor;
        }
        Self {
            low,
            high,
            cut_above,
            cut_below,
        }
    }

    /// Where a value lies between low (0) and high (1).
    pub(crate) fn share(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }
}

/// The colour of a share between 0 and 1.
pub(crate) fn colour(share: f64) -> Rgb<u8> {
    let last = VIRIDIS.len() - 1;
    let place = share.clamp(0.0, 1.0) * last as f64;
    let below = (place as usize).min(last - 1);
    let part = place - below as f64;
    Rgb(std::array::from_fn(|channel| {
        let [a, b] = [below, below + 1].map(|stop| f64::from(VIRIDIS[stop][channel]));
        (a + part * (b - a)).round() as u8
    }))
}

/// About `count` round numbers between `low` and `high`, ascending.
pub(crate) fn ticks(low: f64, high: f64, count: usize) -> Vec<f64> {
    let (low, high) = (low.min(high), low.max(high));
    let wanted = (high - low) / count.max(1) as f64;
    if !wanted.is_finite() || wanted <= 0.0 {
        return Vec::new();
    }
    let unit = 10.0_f64.powf(wanted.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|factor| factor * unit)
        .into_iter()
        .find(|step| *step >= wanted * 0.999)
        .unwrap_or(wanted);
    let first = (low / step - 1e-6).ceil();
    (0..=2 * count)
        .map(|number| (first + number as f64) * step)
        .take_while(|value| *value <= high + 1e-6 * step)
        .collect()
}

/// A tick's text, with as many digits as tell it from its neighbours.
pub(crate) fn number(value: f64, ticks: &[f64]) -> String {
    let step = match ticks {
        [first, second, ..] => second - first,
        _ => value.abs().max(1e-3),
    };
    let largest = ticks
        .iter()
        .fold(0.0_f64, |most, tick| most.max(tick.abs()));
    if largest >= 1e5 || step < 1e-4 {
        return format!("{value:.2e}");
    }
    let digits = (-step.log10() - 1e-9).ceil().max(0.0) as usize;
    let text = format!("{value:.digits$}");
    if text.trim_start_matches(['-', '0', '.']).is_empty() {
        text.trim_start_matches('-').to_owned()
    } else {
        text
    }
}
