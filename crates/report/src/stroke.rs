//! Smooth lines of any width.

use image::{Rgb, RgbImage};

/// Draws a line through `points`, pixels, with round joints. Blended once: where it crosses itself it
/// is not darker. What lies outside the picture is cut off.
pub(crate) fn stroke(
    picture: &mut RgbImage,
    points: &[[f64; 2]],
    width: f64,
    colour: Rgb<u8>,
    opacity: f64,
) {
    let reach = 0.5 * width + 1.0;
    let limit = [picture.width(), picture.height()].map(f64::from);
    let clamp = |value: f64, axis: usize| value.clamp(0.0, limit[axis]) as usize;
    let finite = points.iter().filter(|at| at.iter().all(|v| v.is_finite()));
    let (mut low, mut high) = ([f64::MAX; 2], [f64::MIN; 2]);
    for point in finite {
        for axis in 0..2 {
            low[axis] = low[axis].min(point[axis] - reach);
            high[axis] = high[axis].max(point[axis] + reach);
        }
    }
    if low[0] > high[0] {
        return;
    }
    let [left, top] = [0, 1].map(|axis| clamp(low[axis].floor(), axis));
    let [right, bottom] = [0, 1].map(|axis| clamp(high[axis].ceil(), axis));
    let columns = right - left;
    let mut cover = vec![0.0f32; columns * (bottom - top)];
    for pair in points.windows(2) {
        let [a, b] = [pair[0], pair[1]];
        if ![a, b].iter().flatten().all(|value| value.is_finite()) {
            continue;
        }
        let range = |axis: usize| {
            let from = a[axis].min(b[axis]) - reach;
            let to = a[axis].max(b[axis]) + reach;
            clamp(from.floor(), axis)..clamp(to.ceil(), axis)
        };
        for y in range(1) {
            for x in range(0) {
                let gap = distance([x as f64 + 0.5, y as f64 + 0.5], a, b);
                let share = (0.5 * width + 0.5 - gap).clamp(0.0, 1.0) as f32;
                let cell = &mut cover[(y - top) * columns + x - left];
                *cell = cell.max(share);
            }
        }
    }
    for (index, share) in cover
        .into_iter()
        .enumerate()
        .filter(|(_, share)| *share > 0.0)
    {
        let (x, y) = (left + index % columns, top + index / columns);
        let share = share * opacity as f32;
        let pixel = picture.get_pixel_mut(x as u32, y as u32);
        for (target, source) in pixel.0.iter_mut().zip(colour.0) {
            let mixed = f32::from(*target) * (1.0 - share) + f32::from(source) * share;
            *target = mixed.round() as u8;
        }
    }
}

/// From a point to the piece between `a` and `b`.
fn distance(point: [f64; 2], a: [f64; 2], b: [f64; 2]) -> f64 {
    let along = [b[0] - a[0], b[1] - a[1]];
    let from = [point[0] - a[0], point[1] - a[1]];
    let length = along[0] * along[0] + along[1] * along[1];
    let share = if length > 0.0 {
        ((from[0] * along[0] + from[1] * along[1]) / length).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (from[0] - share * along[0]).hypot(from[1] - share * along[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_covers_its_width_and_nothing_else() {
        let mut picture = RgbImage::new(20, 20);
        let white = Rgb([255; 3]);
        stroke(&mut picture, &[[2.0, 10.0], [30.0, 10.0]], 4.0, white, 1.0);
        assert_eq!(picture.get_pixel(10, 8), &white);
        assert_eq!(picture.get_pixel(19, 11), &white);
        assert_eq!(picture.get_pixel(10, 6), &Rgb([0; 3]));
        let crossed = [[5.0, 0.0], [5.0, 6.0], [5.0, 0.0]];
        stroke(&mut picture, &crossed, 2.0, white, 0.5);
        assert_eq!(picture.get_pixel(5, 3), &Rgb([128; 3]));
        let before = picture.clone();
        stroke(
            &mut picture,
            &[[f64::NAN, 1.0], [3.0, 1.0]],
            2.0,
            white,
            1.0,
        );
        stroke(&mut picture, &[[50.0, 50.0], [90.0, 50.0]], 2.0, white, 1.0);
        assert_eq!(picture, before);
    }
}
