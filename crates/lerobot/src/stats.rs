//! Statistics of one feature, of an episode or of the whole set.

use serde::Serialize;

/// The quantiles that LeRobot stores, with their names.
const QUANTILES: [(&str, f64); 5] = [
    ("q01", 0.01),
    ("q10", 0.10),
    ("q50", 0.50),
    ("q90", 0.90),
    ("q99", 0.99),
];

/// Pixels are sampled on a grid of this stride, in both directions: statistics need no more.
const PIXEL_STRIDE: usize = 4;

/// Minimum, maximum, mean, standard deviation and quantiles of each dimension of a feature.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureStats {
    /// Named rows (`min`, `max`, `mean`, `std`, `q01` ..), one value a dimension.
    pub rows: Vec<(&'static str, Vec<f64>)>,
    /// Number of samples behind them: frames for vectors, frames for images.
    pub count: u64,
}

impl FeatureStats {
    /// The row of that name.
    #[must_use]
    pub fn row(&self, name: &str) -> Option<&[f64]> {
        self.rows
            .iter()
            .find(|(row, _)| *row == name)
            .map(|(_, values)| values.as_slice())
    }
}

/// Collects the values of a vector feature; quantiles are exact.
#[derive(Clone, Debug, Default)]
pub(crate) struct VectorStats {
    dims: Vec<Vec<f64>>,
}

impl VectorStats {
    pub(crate) fn new(dims: usize) -> Self {
        Self {
            dims: vec![Vec::new(); dims],
        }
    }

    /// Adds one sample; `values` has one entry a dimension.
    pub(crate) fn push(&mut self, values: impl IntoIterator<Item = f64>) {
        for (dim, value) in self.dims.iter_mut().zip(values) {
            dim.push(value);
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (dim, more) in self.dims.iter_mut().zip(&other.dims) {
            dim.extend_from_slice(more);
        }
    }

    pub(crate) fn finish(&self) -> FeatureStats {
        let sorted: Vec<Vec<f64>> = self
            .dims
            .iter()
            .map(|dim| {
                let mut dim = dim.clone();
                dim.sort_by(f64::total_cmp);
                dim
            })
            .collect();
        let row = |f: &dyn Fn(&[f64]) -> f64| sorted.iter().map(|dim| f(dim)).collect::<Vec<_>>();
        let mut rows = vec![
            ("min", row(&|dim| dim.first().copied().unwrap_or(0.0))),
            ("max", row(&|dim| dim.last().copied().unwrap_or(0.0))),
            ("mean", row(&mean)),
            ("std", row(&|dim| variance(dim).sqrt())),
        ];
        for (name, q) in QUANTILES {
            rows.push((name, row(&|dim| quantile(dim, q))));
        }
        FeatureStats {
            rows,
            count: self.dims.first().map_or(0, |dim| dim.len() as u64),
        }
    }
}

fn mean(values: &[f64]) -> f64 {
    if values.is_empty() {
        0.0
    } else {
        values.iter().sum::<f64>() / values.len() as f64
    }
}

/// Population variance, in two passes so that large offsets cancel nothing.
fn variance(values: &[f64]) -> f64 {
    let centre = mean(values);
    if values.is_empty() {
        return 0.0;
    }
    values
        .iter()
        .map(|value| (value - centre).powi(2))
        .sum::<f64>()
        / values.len() as f64
}

/// Linear interpolation between the neighbours of rank `q * (n - 1)`, as numpy does.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return 0.0;
    };
    let rank = q * last as f64;
    let below = rank.floor() as usize;
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * (rank - below as f64)
}

/// Histogram of the 8-bit values of each colour channel of a camera.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImageStats {
    bins: Vec<u64>,
    frames: u64,
}

impl Default for ImageStats {
    fn default() -> Self {
        Self {
            bins: vec![0; 3 * 256],
            frames: 0,
        }
    }
}

impl ImageStats {
    /// Adds a frame of `width` columns of interleaved 8-bit RGB, sampled on a 4-pixel grid.
    pub fn push(&mut self, rgb: &[u8], width: usize) {
        for row in rgb.chunks_exact(3 * width).step_by(PIXEL_STRIDE) {
            for pixel in row.chunks_exact(3).step_by(PIXEL_STRIDE) {
                for (channel, &value) in pixel.iter().enumerate() {
                    self.bins[256 * channel + usize::from(value)] += 1;
                }
            }
        }
        self.frames += 1;
    }

    /// Adds the counts of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (bin, more) in self.bins.iter_mut().zip(&other.bins) {
            *bin += more;
        }
        self.frames += other.frames;
    }

    /// The statistics, scaled to `[0, 1]` as LeRobot does for images.
    #[must_use]
    pub fn finish(&self) -> FeatureStats {
        let channels: Vec<&[u64]> = self.bins.chunks_exact(256).collect();
        let row = |f: &dyn Fn(&[u64]) -> f64| channels.iter().map(|bins| f(bins) / 255.0).collect();
        let mut rows = vec![
            (
                "min",
                row(&|bins| bins.iter().position(|&n| n > 0).unwrap_or(0) as f64),
            ),
            (
                "max",
                row(&|bins| bins.iter().rposition(|&n| n > 0).unwrap_or(0) as f64),
            ),
            ("mean", row(&histogram_mean)),
            ("std", row(&histogram_std)),
        ];
        for (name, q) in QUANTILES {
            rows.push((name, row(&|bins| histogram_quantile(bins, q))));
        }
        FeatureStats {
            rows,
            count: self.frames,
        }
    }
}

fn histogram_mean(bins: &[u64]) -> f64 {
    let total: u64 = bins.iter().sum();
    if total == 0 {
        return 0.0;
    }
    bins.iter()
        .enumerate()
        .map(|(value, &n)| value as f64 * n as f64)
        .sum::<f64>()
        / total as f64
}

fn histogram_std(bins: &[u64]) -> f64 {
    let total: u64 = bins.iter().sum();
    if total == 0 {
        return 0.0;
    }
    let centre = histogram_mean(bins);
    let sum: f64 = bins
        .iter()
        .enumerate()
        .map(|(value, &n)| (value as f64 - centre).powi(2) * n as f64)
        .sum();
    (sum / total as f64).sqrt()
}

/// Smallest value at or below which a share `q` of the samples lies.
fn histogram_quantile(bins: &[u64], q: f64) -> f64 {
    let total: u64 = bins.iter().sum();
    let wanted = (q * total as f64).ceil() as u64;
    let mut seen = 0;
    for (value, &n) in bins.iter().enumerate() {
        seen += n;
        if n > 0 && seen >= wanted {
            return value as f64;
        }
    }
    0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vector_statistics_match_numpy() {
        let mut stats = VectorStats::new(2);
        for value in [1.0, 4.0, 2.0, 3.0] {
            stats.push([value, -10.0 * value]);
        }
        let stats = stats.finish();
        assert_eq!(stats.count, 4);
        assert_eq!(stats.row("min"), Some(&[1.0, -40.0][..]));
        assert_eq!(stats.row("max"), Some(&[4.0, -10.0][..]));
        assert_eq!(stats.row("mean"), Some(&[2.5, -25.0][..]));
        // numpy.std([1, 2, 3, 4]) and numpy.quantile([1, 2, 3, 4], 0.9)
        assert!((stats.row("std").unwrap()[0] - 1.118_033_988_749_895).abs() < 1e-12);
        assert!((stats.row("q90").unwrap()[0] - 3.7).abs() < 1e-12);
        assert!((stats.row("q01").unwrap()[1] + 39.7).abs() < 1e-12);
    }

    #[test]
    fn merged_histograms_equal_one_histogram() {
        let frames: Vec<Vec<u8>> = (0..3_u8)
            .map(|i| {
                (0..8 * 8 * 3)
                    .map(|j| (j as u8).wrapping_mul(i + 3))
                    .collect()
            })
            .collect();
        let (mut whole, mut left, mut right) = (
            ImageStats::default(),
            ImageStats::default(),
            ImageStats::default(),
        );
        for (i, frame) in frames.iter().enumerate() {
            whole.push(frame, 8);
            if i == 0 {
                left.push(frame, 8)
            } else {
                right.push(frame, 8)
            }
        }
        left.merge(&right);
        assert_eq!(whole, left);
        assert_eq!(left.finish().count, 3);
    }

    #[test]
    fn image_statistics_are_scaled_to_one() {
        let mut stats = ImageStats::default();
        let frame: Vec<u8> = std::iter::repeat_n([255, 0, 51], 64).flatten().collect();
        stats.push(&frame, 8);
        let stats = stats.finish();
        assert_eq!(stats.row("mean"), Some(&[1.0, 0.0, 0.2][..]));
        assert_eq!(stats.row("std"), Some(&[0.0, 0.0, 0.0][..]));
        assert_eq!(stats.row("q50"), Some(&[1.0, 0.0, 0.2][..]));
    }
}
