//! Letters on pictures.

use ab_glyph::{FontRef, PxScale};
use image::{Rgb, RgbImage};
use imageproc::drawing::{draw_filled_rect_mut, draw_text_mut, text_size};
use imageproc::rect::Rect;

/// DejaVu Sans, shared with the annotated images; its licence lies beside it.
pub(crate) const FONT: &[u8] = include_bytes!("../../grounding/assets/DejaVuSans.ttf");

/// Writes `text`; shortens it with an ellipsis to at most `max_width` pixels.
pub(crate) fn write(
    picture: &mut RgbImage,
    at: [i32; 2],
    height: f32,
    max_width: u32,
    colour: Rgb<u8>,
    text: &str,
) {
    // The font is a constant of this crate: a failure to parse it would fail every test here.
    let Ok(font) = FontRef::try_from_slice(FONT) else {
        return;
    };
    let scale = PxScale::from(height);
    let mut shown = text.to_owned();
    while text_size(scale, &font, &shown).0 > max_width && !shown.is_empty() {
        shown = shown.trim_end_matches('…').to_owned();
        shown.pop();
        shown.push('…');
        if shown == "…" {
            break;
        }
    }
    draw_text_mut(picture, colour, at[0], at[1], scale, &font, &shown);
}

/// How wide `text` is, pixels.
pub(crate) fn width(text: &str, height: f32) -> u32 {
    FontRef::try_from_slice(FONT).map_or(0, |font| text_size(PxScale::from(height), &font, text).0)
}

/// Fills a rectangle; what lies outside the picture is cut off.
pub(crate) fn fill(picture: &mut RgbImage, at: [i32; 2], size: [u32; 2], colour: Rgb<u8>) {
    if size[0] > 0 && size[1] > 0 {
        draw_filled_rect_mut(
            picture,
            Rect::at(at[0], at[1]).of_size(size[0], size[1]),
            colour,
        );
    }
}

/// The colour of a stage: bands of the plot and bars of the pictures agree. Chosen from Okabe and
/// Ito's palette, which the colour-blind can tell apart.
pub(crate) fn stage_colour(stage: u32) -> Rgb<u8> {
    const COLOURS: [[u8; 3]; 6] = [
        [86, 180, 233],
        [230, 159, 0],
        [0, 158, 115],
        [204, 121, 167],
        [240, 228, 66],
        [213, 94, 0],
    ];
    match (stage as usize).checked_sub(1) {
        Some(index) => Rgb(COLOURS[index % COLOURS.len()]),
        None => Rgb([150, 150, 150]),
    }
}
