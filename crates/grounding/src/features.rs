//! Dense features: what a pixel looks like, so that points can be told apart and found again.

use crate::frame::FrameView;

/// Computes a feature vector for chosen pixels of a frame.
pub trait DenseFeatures: Send {
    /// Length of a feature vector.
    fn dim(&self) -> usize;

    /// Appends [`DenseFeatures::dim`] numbers for each pixel (row-major numbers). Distances between
    /// feature vectors should be about 1 where two pixels look as different as objects do.
    fn extract(&mut self, frame: &FrameView<'_>, pixels: &[u32], features: &mut Vec<f32>);
}

/// Colour in CIE L*a*b* and the gradient of lightness: cheap, without a model.
#[derive(Debug, Clone, Default)]
pub struct LocalFeatures;

/// Lab differences of this size tell one object's colour from another's.
const LAB_SCALE: f32 = 1.0 / 50.0;
/// Edges matter less than colour: they move with the light and the view.
const GRADIENT_SCALE: f32 = 1.0 / 200.0;

impl DenseFeatures for LocalFeatures {
    fn dim(&self) -> usize {
        5
    }

    fn extract(&mut self, frame: &FrameView<'_>, pixels: &[u32], features: &mut Vec<f32>) {
        let (width, height) = (frame.width, frame.height);
        let colour = |column: usize, row: usize| {
            let at = 3 * (row * width + column);
            [frame.rgb[at], frame.rgb[at + 1], frame.rgb[at + 2]]
        };
        for pixel in pixels {
            let (column, row) = (*pixel as usize % width, *pixel as usize / width);
            let [l, a, b] = lab(colour(column, row));
            let right = luma(colour((column + 1).min(width - 1), row));
            let left = luma(colour(column.saturating_sub(1), row));
            let below = luma(colour(column, (row + 1).min(height - 1)));
            let above = luma(colour(column, row.saturating_sub(1)));
            features.extend([l * LAB_SCALE, a * LAB_SCALE, b * LAB_SCALE]);
            features.extend([
                (right - left) * GRADIENT_SCALE,
                (below - above) * GRADIENT_SCALE,
            ]);
        }
    }
}

/// Rec. 601 luma, 0 to 255.
fn luma([r, g, b]: [u8; 3]) -> f32 {
    0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b)
}

/// sRGB to CIE L*a*b* under D65.
fn lab(rgb: [u8; 3]) -> [f32; 3] {
    let linear = rgb.map(|byte| {
        let value = f32::from(byte) / 255.0;
        if value <= 0.04045 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    });
    let [r, g, b] = linear;
    let x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.950_47;
    let y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    let z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.088_83;
    let curve = |t: f32| {
        if t > 0.008_856 {
            t.cbrt()
        } else {
            7.787 * t + 16.0 / 116.0
        }
    };
    let (fx, fy, fz) = (curve(x), curve(y), curve(z));
    [116.0 * fy - 16.0, 500.0 * (fx - fy), 200.0 * (fy - fz)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reference values of the sRGB primaries under D65 (CIE 15).
    #[test]
    fn lab_of_the_primaries() {
        let table = [
            ([255, 255, 255], [100.0, 0.0, 0.0]),
            ([0, 0, 0], [0.0, 0.0, 0.0]),
            ([255, 0, 0], [53.24, 80.09, 67.20]),
            ([0, 255, 0], [87.73, -86.18, 83.18]),
            ([0, 0, 255], [32.30, 79.19, -107.86]),
        ];
        for (rgb, expected) in table {
            let found = lab(rgb);
            for (f, e) in found.iter().zip(expected) {
                assert!(
                    (f - e).abs() < 0.1,
                    "{rgb:?}: {found:?}, expected {expected:?}"
                );
            }
        }
    }
}
