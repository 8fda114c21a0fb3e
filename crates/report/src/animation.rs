//! The episode as an animated GIF.

use gif::{DisposalMethod, Encoder, EncodingError, Frame, Repeat};
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};

use crate::contact_sheet::label;
use crate::record::Recorder;
use crate::text::{fill, stage_colour, write};

/// Mail programs and README pages still take it, bytes.
const MAX_BYTES: usize = 3_000_000;
/// Edge of the picture and number of frames: tried in turn until the file is small enough.
const SIZES: [(u32, usize); 5] = [(256, 120), (224, 100), (192, 80), (160, 60), (128, 40)];
const CAPTION: u32 = 22;
/// Total playing time, ms: longer episodes play faster.
const MAX_PLAY_MS: u32 = 12_000;
/// Difference of a channel that the eye does not see in a moving picture.
const UNSEEN: u8 = 8;
/// NeuQuant's speed: 1 is best and slow, 30 fast.
const QUANTISER_SPEED: i32 = 12;

/// Encodes the animation, at most 3 MB.
pub(crate) fn encode(recorder: &Recorder) -> Result<Vec<u8>, EncodingError> {
    let mut bytes = Vec::new();
    for (edge, frames) in SIZES {
        bytes = encode_at(recorder, edge, frames)?;
        if bytes.len() <= MAX_BYTES {
            break;
        }
    }
    Ok(bytes)
}

fn encode_at(recorder: &Recorder, edge: u32, max_frames: usize) -> Result<Vec<u8>, EncodingError> {
    let all = &recorder.frames;
    let shown = all.len().min(max_frames);
    let indices = (0..shown).map(|i| i * (all.len() - 1) / shown.saturating_sub(1).max(1));
    let real_ms = (recorder.seconds(recorder.end_ns()) * 1e3) as u32;
    let frame_ms = (real_ms.min(MAX_PLAY_MS) / shown.max(1) as u32).max(40);

    let mut bytes = Vec::new();
    let size = [edge as u16, (edge + CAPTION) as u16];
    let mut encoder = Encoder::new(&mut bytes, size[0], size[1], &[])?;
    encoder.set_repeat(Repeat::Infinite)?;
    let mut screen: Option<RgbImage> = None;
    for (position, index) in indices.enumerate() {
        let shot = &all[index];
        let mut picture = RgbImage::new(edge, edge + CAPTION);
        let image = imageops::resize(&shot.image, edge, edge, FilterType::Triangle);
        imageops::replace(&mut picture, &image, 0, 0);
        let stage = stage_colour(recorder.stage_at(shot.stamp_ns));
        fill(&mut picture, [0, edge as i32], [5, CAPTION], stage);
        let text = label(recorder, shot.stamp_ns);
        write(
            &mut picture,
            [9, edge as i32 + 4],
            14.0,
            edge - 12,
            Rgb([235; 3]),
            &text,
        );
        // The last picture stays for a while before the film starts again.
        let ms = if position + 1 == shown {
            frame_ms + 1500
        } else {
            frame_ms
        };
        let mut frame = changes(&picture, screen.as_mut());
        frame.delay = (ms / 10) as u16;
        frame.dispose = DisposalMethod::Keep;
        encoder.write_frame(&frame)?;
        screen.get_or_insert(picture);
    }
    drop(encoder);
    Ok(bytes)
}

/// The pixels that differ visibly from what the screen shows, which they update; the others are
/// transparent. A resting camera leaves most of the picture alone.
fn changes(picture: &RgbImage, screen: Option<&mut RgbImage>) -> Frame<'static> {
    let mut rgba = Vec::with_capacity(4 * (picture.width() * picture.height()) as usize);
    match screen {
        None => {
            for Rgb([r, g, b]) in picture.pixels() {
                rgba.extend([*r, *g, *b, 255]);
            }
        }
        Some(screen) => {
            for (new, shown) in picture.pixels().zip(screen.pixels_mut()) {
                let [r, g, b] = new.0;
                if new
                    .0
                    .iter()
                    .zip(shown.0)
                    .any(|(&a, b)| a.abs_diff(b) > UNSEEN)
                {
                    *shown = *new;
                    rgba.extend([r, g, b, 255]);
                } else {
                    rgba.extend([0; 4]);
                }
            }
        }
    }
    let size = [picture.width() as u16, picture.height() as u16];
    Frame::from_rgba_speed(size[0], size[1], &mut rgba, QUANTISER_SPEED)
}
