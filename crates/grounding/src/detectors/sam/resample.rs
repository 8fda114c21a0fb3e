//! Pictures to the encoder's size, and masks back to the picture's.

use image::RgbImage;
use image::imageops::{FilterType, resize};

use crate::frame::FrameView;

/// Columns and rows of a picture whose longer side becomes `side`.
pub(super) fn fitted([width, height]: [usize; 2], side: usize) -> [usize; 2] {
    let scale = side as f64 / width.max(height) as f64;
    [width, height].map(|size| (size as f64 * scale + 0.5) as usize)
}

/// The picture as the encoder wants it: `[3 x side x side]`, resized, normalised, in the upper left
/// corner; zeros beside and below it.
pub(super) fn encoded(
    frame: &FrameView<'_>,
    side: usize,
    mean: [f32; 3],
    deviation: [f32; 3],
) -> Option<Vec<f32>> {
    let source = RgbImage::from_raw(frame.width as u32, frame.height as u32, frame.rgb.to_vec())?;
    let [width, height] = fitted([frame.width, frame.height], side);
    let picture = resize(&source, width as u32, height as u32, FilterType::Triangle);
    let mut numbers = vec![0.0; 3 * side * side];
    for (column, row, pixel) in picture.enumerate_pixels() {
        let at = row as usize * side + column as usize;
        for channel in 0..3 {
            let value = f32::from(pixel.0[channel]);
            numbers[channel * side * side + at] = (value - mean[channel]) / deviation[channel];
        }
    }
    Some(numbers)
}

/// Logits of a decoder, `[low x low]`, at the size of the picture: enlarged to the encoder's square, cut to
/// the part that holds the picture, and brought to its size.
pub(super) fn restored(logits: &[f32], low: usize, side: usize, size: [usize; 2]) -> Vec<f32> {
    let square = bilinear(logits, [low, low], low, [side, side]);
    bilinear(&square, fitted(size, side), side, size)
}

/// Bilinear interpolation between pixels' centres of the upper left `from` columns and rows of a picture
/// with rows of `stride`; outside the centres the edge goes on.
fn bilinear(values: &[f32], from: [usize; 2], stride: usize, to: [usize; 2]) -> Vec<f32> {
    let places = |axis: usize| -> Vec<(usize, usize, f32)> {
        let scale = from[axis] as f32 / to[axis] as f32;
        let place = |n: usize| {
            let at = ((n as f32 + 0.5) * scale - 0.5).max(0.0);
            let low = (at as usize).min(from[axis] - 1);
            (low, (low + 1).min(from[axis] - 1), at - low as f32)
        };
        (0..to[axis]).map(place).collect()
    };
    let (columns, rows) = (places(0), places(1));
    let mut found = Vec::with_capacity(to[0] * to[1]);
    for (above, below, down) in &rows {
        for (left, right, across) in &columns {
            let at = |row: usize, column: usize| values[row * stride + column];
            let top = at(*above, *left) * (1.0 - across) + at(*above, *right) * across;
            let bottom = at(*below, *left) * (1.0 - across) + at(*below, *right) * across;
            found.push(top * (1.0 - down) + bottom * down);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn truth() -> Value {
        serde_json::from_str(include_str!("../../../tests/data/sam.json")).unwrap()
    }

    fn numbers(value: &Value) -> Vec<f64> {
        value
            .as_array()
            .unwrap()
            .iter()
            .map(|n| n.as_f64().unwrap())
            .collect()
    }

    #[test]
    fn masks_come_back_as_the_published_code_brings_them() {
        let truth = truth();
        let case = &truth["restored"];
        let logits: Vec<f32> = numbers(&case["logits"]).iter().map(|n| *n as f32).collect();
        let count = |key: &str| case[key].as_u64().unwrap() as usize;
        let size = [count("width"), count("height")];
        let found = restored(&logits, count("low"), count("side"), size);
        let expected = numbers(&case["found"]);
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                (f64::from(*found) - expected).abs() < 1e-4,
                "{found}, expected {expected}"
            );
        }
    }

    #[test]
    fn pictures_are_fitted_as_the_published_code_fits_them() {
        let truth = truth();
        for case in truth["fitted"].as_array().unwrap() {
            let [width, height, side, columns, rows] = numbers(case)[..] else {
                panic!("five numbers");
            };
            let found = fitted([width as usize, height as usize], side as usize);
            assert_eq!(found, [columns as usize, rows as usize]);
        }
    }

    /// The published code resizes with another library's antialiased bilinear filter: the same filter,
    /// rounded to whole grey levels elsewhere.
    #[test]
    fn pictures_are_encoded_as_the_published_code_encodes_them() {
        let truth = truth();
        for case in truth["encoded"].as_array().unwrap() {
            let rgb: Vec<u8> = numbers(&case["rgb"]).iter().map(|n| *n as u8).collect();
            let count = |key: &str| case[key].as_u64().unwrap() as usize;
            let frame = FrameView {
                width: count("width"),
                height: count("height"),
                rgb: &rgb,
                depth_mm: None,
                segmentation: None,
                labels: &[],
                focal: [1.0; 2],
                principal_point: [0.0; 2],
                world_from_camera: [0.0; 16],
                stamp_ns: 0,
            };
            let (mean, deviation) = ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375]);
            let found = encoded(&frame, count("side"), mean, deviation).unwrap();
            let expected = numbers(&case["found"]);
            assert_eq!(found.len(), expected.len());
            let off = found
                .iter()
                .zip(expected)
                .map(|(a, b)| (f64::from(*a) - b).abs());
            let most = off.fold(0.0, f64::max);
            assert!(most < 1.1 / 57.0, "{most}");
        }
    }
}
