//! What was found and where it should be, to look at.

use ab_glyph::{FontRef, PxScale};
use image::imageops::{self, FilterType};
use image::{DynamicImage, GrayImage, Rgb, RgbImage};
use imageproc::drawing::{
    draw_filled_rect_mut, draw_hollow_circle_mut, draw_line_segment_mut, draw_text_mut,
};
use imageproc::rect::Rect;
use tiller_core::visible_line;

use crate::solution::{Solution, ViewReport};
use crate::view::View;

/// DejaVu Sans 2.37; its licence lies beside the file.
const FONT: &[u8] = include_bytes!("../../grounding/assets/DejaVuSans.ttf");
const TEXT: PxScale = PxScale { x: 15.0, y: 15.0 };
const CAPTION: u32 = 22;

/// Width of the large picture, pixels, and how many small ones stand below it in a row.
const WIDTH: u32 = 960;
const COLUMNS: u32 = 3;
const MAX_TILES: usize = 9;
/// Circles in a picture's width.
const CIRCLES: u32 = 140;

const PAPER: Rgb<u8> = Rgb([250, 250, 250]);
const INK: Rgb<u8> = Rgb([30, 30, 30]);
const FOUND: Rgb<u8> = Rgb([0, 160, 60]);
const COMPUTED: Rgb<u8> = Rgb([230, 0, 110]);

/// The view with the largest error, and up to nine views below it from the largest error on: green circles
/// where corners were found, red crosses where they should be by the solution. `picture` gives what a view
/// shows, by its place in the input of `solve`; views without one are left out.
#[must_use]
pub fn sheet<'a>(
    solution: &Solution,
    views: &[View],
    picture: impl Fn(usize) -> Option<&'a GrayImage>,
) -> RgbImage {
    let shown: Vec<(&ViewReport, &View, &GrayImage)> = solution
        .worst_first()
        .into_iter()
        .filter_map(|report| Some((report, views.get(report.index)?, picture(report.index)?)))
        .take(MAX_TILES)
        .collect();
    let height_of = |width: u32| {
        let [w, h] = solution.size.map(u64::from);
        (u64::from(width) * h / w.max(1)).clamp(1, 4 * u64::from(width)) as u32
    };
    let tile = WIDTH / COLUMNS;
    let (large, small) = (height_of(WIDTH) + CAPTION, height_of(tile) + CAPTION);
    let rows = (shown.len() as u32).div_ceil(COLUMNS);
    let mut sheet = RgbImage::from_pixel(WIDTH, large + rows * small, PAPER);
    let font = FontRef::try_from_slice(FONT).ok();
    let mut put = |at: [u32; 2],
                   size: [u32; 2],
                   (report, view, picture): (&ViewReport, &View, &GrayImage)| {
        let drawn = drawn(report, view, picture, size);
        imageops::replace(&mut sheet, &drawn, at[0].into(), at[1].into());
        if let Some(font) = &font {
            let top = at[1] + size[1] + 2;
            draw_text_mut(
                &mut sheet,
                INK,
                at[0] as i32 + 6,
                top as i32,
                TEXT,
                font,
                &caption(report),
            );
        }
    };
    if let Some(worst) = shown.first() {
        put([0, 0], [WIDTH, large - CAPTION], *worst);
    }
    for (at, one) in (0..).zip(&shown) {
        let corner = [at % COLUMNS * tile, large + at / COLUMNS * small];
        put(corner, [tile, small - CAPTION], *one);
    }
    sheet
}

fn drawn(
    report: &ViewReport,
    view: &View,
    picture: &GrayImage,
    [width, height]: [u32; 2],
) -> RgbImage {
    let rgb = DynamicImage::ImageLuma8(picture.clone()).into_rgb8();
    let mut canvas = imageops::resize(&rgb, width, height, FilterType::Triangle);
    let scale = [
        f64::from(width) / f64::from(picture.width().max(1)),
        f64::from(height) / f64::from(picture.height().max(1)),
    ];
    // Drawn pixels are whole numbers at their centres.
    let place = |pixel: [f64; 2]| {
        let [x, y]: [i32; 2] = std::array::from_fn(|i| (pixel[i] * scale[i] - 0.5).round() as i32);
        (x, y)
    };
    let radius = (width / CIRCLES) as i32;
    for corner in &view.corners {
        let (x, y) = place(corner.pixel);
        draw_hollow_circle_mut(&mut canvas, (x, y), radius, FOUND);
    }
    let inside = |[x, y]: [f64; 2]| {
        (0.0..picture.width().into()).contains(&x) && (0.0..picture.height().into()).contains(&y)
    };
    for pixel in report
        .computed
        .iter()
        .flatten()
        .filter(|pixel| inside(**pixel))
    {
        let (x, y) = place(*pixel);
        let [left, right, top, bottom] = [x - radius, x + radius, y - radius, y + radius];
        let ends = [([left, y], [right, y]), ([x, top], [x, bottom])];
        for (from, to) in ends.map(|(from, to)| (from.map(|n| n as f32), to.map(|n| n as f32))) {
            draw_line_segment_mut(&mut canvas, from.into(), to.into(), COMPUTED);
        }
    }
    if report.left_out {
        draw_filled_rect_mut(&mut canvas, Rect::at(0, 0).of_size(width, 4), COMPUTED);
    }
    canvas
}

fn caption(report: &ViewReport) -> String {
    let left_out = if report.left_out { ", left out" } else { "" };
    format!(
        "{}: {:.2} px rms{left_out}",
        visible_line(&report.name, 30),
        report.rms_px
    )
}
