//! Colours.

/// Red, green, blue, opacity.
pub type Colour = [u8; 4];

/// The tool's path that is being executed.
pub(crate) const CHOSEN: Colour = [255, 255, 255, 255];
/// The arm.
pub(crate) const ARM: Colour = [235, 140, 40, 255];
/// The arm's joints and fingers.
pub(crate) const JOINT: Colour = [90, 90, 100, 255];
/// A keypoint that is seen.
pub(crate) const SEEN: Colour = [80, 230, 120, 255];
/// A keypoint that is hidden, and stays where it was.
pub(crate) const HIDDEN: Colour = [230, 170, 60, 255];
/// Candidates without rewards.
pub(crate) const PLAIN: Colour = [130, 150, 190, 160];

/// Corners of the scale: dark violet, blue, green, yellow, as in the report's pictures of fields.
const SCALE: [[f32; 3]; 5] = [
    [68.0, 1.0, 84.0],
    [59.0, 82.0, 139.0],
    [33.0, 145.0, 140.0],
    [94.0, 201.0, 98.0],
    [253.0, 231.0, 37.0],
];

/// The colour of a value that lies this far between the lowest (0) and the highest (1). Whatever is not
/// finite is grey.
#[must_use]
pub fn by_share(share: f64, opacity: u8) -> Colour {
    if !share.is_finite() {
        return [128, 128, 128, opacity];
    }
    let along = share.clamp(0.0, 1.0) as f32 * (SCALE.len() - 1) as f32;
    let index = (along as usize).min(SCALE.len() - 2);
    let part = along - index as f32;
    let mix = |k: usize| {
        let (low, high) = (SCALE[index][k], SCALE[index + 1][k]);
        (low + part * (high - low)).round() as u8
    };
    [mix(0), mix(1), mix(2), opacity]
}

/// How far each value lies between the lowest and the highest of those that are finite; a half where
/// all are equal.
pub(crate) fn shares(values: impl Iterator<Item = f64> + Clone) -> impl Iterator<Item = f64> {
    let finite = values.clone().filter(|value| value.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let is_flat = high - low <= 1e-12;
    values.map(move |value| match (value.is_finite(), is_flat) {
        (false, _) => f64::NAN,
        (true, true) => 0.5,
        (true, false) => (value - low) / (high - low),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_begins_dark_and_ends_bright() {
        assert_eq!(by_share(0.0, 9), [68, 1, 84, 9]);
        assert_eq!(by_share(1.0, 9), [253, 231, 37, 9]);
        assert_eq!(by_share(7.0, 9), by_share(1.0, 9));
        assert_eq!(by_share(0.5, 9), [33, 145, 140, 9]);
        assert_eq!(by_share(f64::NAN, 9), [128, 128, 128, 9]);
    }

    #[test]
    fn shares_are_of_what_is_finite() {
        let of = |values: &[f64]| -> Vec<f64> { shares(values.iter().copied()).collect() };
        let found = of(&[1.0, f64::NAN, 3.0, 2.0]);
        assert_eq!((found[0], found[2], found[3]), (0.0, 1.0, 0.5));
        assert!(found[1].is_nan());
        assert_eq!(of(&[4.0, 4.0]), [0.5, 0.5]);
        assert!(of(&[]).is_empty());
    }
}
