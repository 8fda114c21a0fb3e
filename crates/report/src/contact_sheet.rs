//! Twelve moments of the episode on one page.

use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};

use crate::record::{Recorder, Shot};
use crate::summary::Outcome;
use crate::text::{fill, stage_colour, write};

const COLUMNS: u32 = 4;
const ROWS: u32 = 3;
const TILE: u32 = 256;
const CAPTION: u32 = 40;
const GAP: u32 = 6;
const HEADER: u32 = 44;
const PAPER: Rgb<u8> = Rgb([250, 250, 250]);
const INK: Rgb<u8> = Rgb([30, 30, 30]);

pub(crate) fn draw(recorder: &Recorder, outcome: &Outcome) -> RgbImage {
    let (width, height) = size();
    let mut sheet = RgbImage::from_pixel(width, height, PAPER);
    let colour = if outcome.success {
        Rgb([0, 110, 60])
    } else {
        Rgb([170, 40, 20])
    };
    let verdict = if outcome.success {
        "success"
    } else {
        "no success"
    };
    let header = format!(
        "“{}” – {verdict}: {}",
        recorder.info.instruction, outcome.reason
    );
    write(
        &mut sheet,
        [GAP as i32, 10],
        24.0,
        width - 2 * GAP,
        colour,
        &header,
    );
    for (index, shot) in moments(&recorder.frames).into_iter().enumerate() {
        let [x, y] = corner(index as u32).map(i64::from);
        let tile = imageops::resize(&shot.image, TILE, TILE, FilterType::Triangle);
        imageops::replace(&mut sheet, &tile, x, y);
        caption(
            &mut sheet,
            recorder,
            shot,
            [x as i32, y as i32 + TILE as i32],
        );
    }
    sheet
}

/// The moments on a contact sheet, in order and without captions; none when `sheet` is no such sheet.
#[must_use]
pub fn contact_sheet_tiles(sheet: &RgbImage) -> Vec<RgbImage> {
    if sheet.dimensions() != size() {
        return Vec::new();
    }
    let tile = |index: u32| {
        let [x, y] = corner(index);
        imageops::crop_imm(sheet, x, y, TILE, TILE).to_image()
    };
    // A short episode leaves the last places empty.
    let is_drawn = |tile: &RgbImage| tile.pixels().any(|pixel| *pixel != PAPER);
    (0..COLUMNS * ROWS).map(tile).take_while(is_drawn).collect()
}

fn size() -> (u32, u32) {
    (
        COLUMNS * (TILE + GAP) + GAP,
        HEADER + ROWS * (TILE + CAPTION + GAP) + GAP,
    )
}

/// Left and top of a moment's picture, pixels.
fn corner(index: u32) -> [u32; 2] {
    [
        GAP + index % COLUMNS * (TILE + GAP),
        HEADER + index / COLUMNS * (TILE + CAPTION + GAP),
    ]
}

/// Time and stage, and below them what the stage is called.
fn caption(sheet: &mut RgbImage, recorder: &Recorder, shot: &Shot, at: [i32; 2]) {
    let stage = recorder.stage_at(shot.stamp_ns);
    fill(sheet, at, [6, CAPTION], stage_colour(stage));
    let seconds = recorder.seconds(shot.stamp_ns);
    let first = match stage {
        0 => format!("{seconds:.1} s"),
        stage => format!("{seconds:.1} s   stage {stage}"),
    };
    let mut line = |y: i32, height: f32, text: &str| {
        write(sheet, [at[0] + 11, at[1] + y], height, TILE - 13, INK, text);
    };
    line(3, 15.0, &first);
    line(21, 13.5, recorder.stage_name(stage));
}

/// Time and stage of a moment in one line.
pub(crate) fn label(recorder: &Recorder, stamp_ns: u64) -> String {
    let seconds = recorder.seconds(stamp_ns);
    let stage = recorder.stage_at(stamp_ns);
    match (stage, recorder.stage_name(stage)) {
        (0, _) => format!("{seconds:.1} s"),
        (stage, "") => format!("{seconds:.1} s  stage {stage}"),
        (stage, name) => format!("{seconds:.1} s  {stage}: {name}"),
    }
}

/// Frames spread evenly over time, the first and the last among them.
fn moments(frames: &[Shot]) -> Vec<&Shot> {
    let tiles = (COLUMNS * ROWS) as usize;
    if frames.len() <= tiles {
        return frames.iter().collect();
    }
    (0..tiles)
        .map(|i| &frames[i * (frames.len() - 1) / (tiles - 1)])
        .collect()
}
