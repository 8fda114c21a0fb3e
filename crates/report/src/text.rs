//! Letters on pictures.

use std::borrow::Cow;

use ab_glyph::{FontRef, PxScale};
use image::{Rgb, RgbImage};
use imageproc::drawing::{draw_filled_rect_mut, draw_text_mut, text_size};
use imageproc::rect::Rect;
use tiller_core::{clip, visible};

/// DejaVu Sans, shared with the annotated images; its licence lies beside it.
pub(crate) const FONT: &[u8] = include_bytes!("../../grounding/assets/DejaVuSans.ttf");

/// Writes `text` with everything in it visible; shortens it with an ellipsis to at most `max_width`
/// pixels.
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
    let text = clip(text, max_width as usize);
    let text = visible(&text);
    let shown = shortened(&text, max_width, |text| text_size(scale, &font, text).0);
    draw_text_mut(picture, colour, at[0], at[1], scale, &font, &shown);
}

/// The longest beginning of a text that, with an ellipsis, is at most `max_width` pixels wide; the whole
/// text if it is. Hardly any letter is narrower than a pixel, so that no more than `max_width` of them are looked at, and
/// a search by halves measures few beginnings.
fn shortened(text: &str, max_width: u32, width: impl Fn(&str) -> u32) -> Cow<'_, str> {
    let text = clip(text, max_width as usize);
    if width(&text) <= max_width {
        return text;
    }
    let text = text.trim_end_matches('…');
    let ends: Vec<usize> = text.char_indices().map(|(end, _)| end).collect();
    let beginning =
        |letters: usize| format!("{}…", &text[..ends.get(letters).copied().unwrap_or(0)]);
    let (mut fits, mut too_wide) = (0, ends.len());
    while fits + 1 < too_wide {
        let middle = usize::midpoint(fits, too_wide);
        match width(&beginning(middle)) <= max_width {
            true => fits = middle,
            false => too_wide = middle,
        }
    }
    Cow::Owned(beginning(fits))
}

/// How wide `text` is when [`write`] writes all of it, pixels.
pub(crate) fn width(text: &str, height: f32) -> u32 {
    let scale = PxScale::from(height);
    FontRef::try_from_slice(FONT).map_or(0, |font| text_size(scale, &font, &visible(text)).0)
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn long_texts_are_shortened_in_few_steps() {
        let letters = |text: &str| 7 * text.chars().count() as u32;
        for text in ["", "press", "press the button down", "übergröße"] {
            let shown = shortened(text, 70, letters);
            assert!(letters(&shown) <= 70, "{shown}");
            assert_eq!(shown.ends_with('…'), text.chars().count() > 10, "{shown}");
        }
        assert_eq!(shortened("press the button", 70, letters), "press the…");
        let measured = Cell::new(0);
        let long = "very ".repeat(100_000);
        let shown = shortened(&long, 250, |text| {
            measured.set(measured.get() + text.len());
            letters(text)
        });
        assert_eq!(shown.chars().count(), 35);
        assert!(measured.get() < 3000, "{} bytes measured", measured.get());
    }
}
