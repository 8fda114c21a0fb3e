//! Large pictures with titles, drawn twice as large and then halved, which smooths all edges.

use image::imageops::{FilterType, resize};
use image::{Rgb, RgbImage};

use crate::scale::{Scale, colour, number, ticks};
use crate::text::{fill, write};

/// What is drawn is this much larger than what is kept.
pub(crate) const ZOOM: i32 = 2;
pub(crate) const INK: Rgb<u8> = Rgb([20, 20, 24]);
pub(crate) const FAINT_INK: Rgb<u8> = Rgb([96, 96, 104]);
pub(crate) const PAPER: Rgb<u8> = Rgb([255; 3]);

/// An enlarged sheet for a picture of that size, pixels, with a title and smaller lines below it.
pub(crate) fn begin(size: [u32; 2], title: &str, caption: &[String]) -> RgbImage {
    let [columns, rows] = size.map(|edge| edge * ZOOM as u32);
    let mut picture = RgbImage::from_pixel(columns, rows, PAPER);
    let room = size[0] - 50;
    put(&mut picture, [24, 14], 27.0, room, INK, title);
    for (line, y) in caption.iter().zip([54, 78]) {
        put(&mut picture, [24, y], 17.0, room, FAINT_INK, line);
    }
    picture
}

/// The picture of an enlarged sheet.
pub(crate) fn finish(picture: &RgbImage) -> RgbImage {
    let [columns, rows] = [picture.width(), picture.height()].map(|edge| edge / ZOOM as u32);
    resize(picture, columns, rows, FilterType::Triangle)
}

/// Writes text at a place of the finished picture.
pub(crate) fn put(
    picture: &mut RgbImage,
    at: [i32; 2],
    height: f32,
    max_width: u32,
    colour: Rgb<u8>,
    text: &str,
) {
    let at = at.map(|place| place * ZOOM);
    let (height, max_width) = (height * ZOOM as f32, max_width * ZOOM as u32);
    write(picture, at, height, max_width, colour, text);
}

/// Explains the colours of a scale. `place`: left, top, width and height in the finished picture.
pub(crate) fn draw_bar(picture: &mut RgbImage, place: [i32; 4], quantity: &str, scale: &Scale) {
    let [left, top, wide, high] = place;
    put(picture, [left - 6, top - 30], 17.0, 110, INK, quantity);
    for row in 0..high * ZOOM {
        let share = 1.0 - f64::from(row) / f64::from(high * ZOOM - 1);
        let at = [left * ZOOM, top * ZOOM + row];
        fill(picture, at, [(wide * ZOOM) as u32, 1], colour(share));
    }
    let at = ticks(scale.low, scale.high, 6);
    for &value in &at {
        let y = top + (f64::from(high) * (1.0 - scale.share(value))).round() as i32;
        fill(picture, [(left + wide) * ZOOM, y * ZOOM - 1], [10, 2], INK);
        let text = number(value, &at);
        put(picture, [left + wide + 8, y - 9], 15.0, 80, INK, &text);
    }
    let mut cut = |y, text| put(picture, [left, y], 12.0, 100, FAINT_INK, text);
    if scale.cut_above {
        cut(top - 12, "▲ more");
    }
    if scale.cut_below {
        cut(top + high + 2, "▼ less");
    }
}
