//! The picture that a person or a vision-language model reads: numbered keypoints with names, a
//! legend with positions, and the directions of the base frame.

use ab_glyph::{FontRef, PxScale};
use image::imageops::{FilterType, resize};
use image::{Rgb, RgbImage};
use imageproc::drawing::{
    draw_antialiased_line_segment_mut, draw_filled_circle_mut, draw_filled_rect_mut,
    draw_hollow_circle_mut, draw_text_mut, text_size,
};
use imageproc::pixelops::interpolate;
use imageproc::rect::Rect;
use tiller_core::visible_line;

use crate::camera::Pinhole;
use crate::error::GroundingError;
use crate::frame::FrameView;
use crate::keypoint::Keypoint;
use crate::labels::{Area, place};

/// DejaVu Sans 2.37; its licence lies beside the file.
const FONT: &[u8] = include_bytes!("../assets/DejaVuSans.ttf");

/// Least width and height of the scene in the picture, pixels.
const LEAST_SIDE: u32 = 640;
const MARKER_RADIUS: i32 = 11;
const TEXT: PxScale = PxScale { x: 19.0, y: 19.0 };
const SMALL_TEXT: PxScale = PxScale { x: 15.0, y: 15.0 };
const PADDING: i32 = 4;
const AXES_SIDE: f64 = 150.0;
const AXIS_LENGTH: f64 = 46.0;
/// Length of the base frame's own axes, m.
const BASE_AXIS_M: f64 = 0.12;
/// Characters of a name beside its marker and in the legend; a name can come from anywhere.
const LABEL_CHARACTERS: usize = 24;
const TITLE_CHARACTERS: usize = 40;

const WHITE: Rgb<u8> = Rgb([255, 255, 255]);
const INK: Rgb<u8> = Rgb([20, 22, 26]);
const FAINT: Rgb<u8> = Rgb([110, 116, 124]);
const PANEL: Rgb<u8> = Rgb([246, 247, 249]);
const AXES: [(&str, Rgb<u8>, [f64; 3]); 3] = [
    ("x", Rgb([214, 40, 40]), [1.0, 0.0, 0.0]),
    ("y", Rgb([20, 140, 50]), [0.0, 1.0, 0.0]),
    ("z", Rgb([30, 90, 220]), [0.0, 0.0, 1.0]),
];
/// Colours that stay apart on wood, metal and plastic.
const PALETTE: [Rgb<u8>; 8] = [
    Rgb([213, 0, 109]),
    Rgb([0, 114, 178]),
    Rgb([190, 80, 0]),
    Rgb([0, 130, 100]),
    Rgb([120, 60, 190]),
    Rgb([150, 20, 20]),
    Rgb([70, 90, 0]),
    Rgb([60, 60, 60]),
];

/// Draws the keypoints onto the frame, enlarged to at least 640 pixels a side, with a legend on the
/// right. The base frame's axes stand where they project, if all of them are in view, and in a corner
/// in any case. A keypoint that is out of sight gets a hollow marker; one outside the image is in the
/// legend only.
///
/// # Errors
/// [`GroundingError`] when the frame's buffers or camera are not usable.
pub fn annotate(frame: &FrameView<'_>, keypoints: &[Keypoint]) -> Result<RgbImage, GroundingError> {
    let camera = frame.check()?;
    let font = FontRef::try_from_slice(FONT).map_err(|error| GroundingError::BadSetting {
        name: "the built-in font",
        expected: "that can be read".to_owned(),
        found: error.to_string(),
    })?;
    let shorter = frame.width.min(frame.height) as u32;
    let zoom = LEAST_SIDE.div_ceil(shorter).max(1);
    let scene = enlarge(frame, zoom);
    let legend = Legend::measure(&font, keypoints);
    let height = scene.height().max(legend.height as u32);
    let mut canvas = RgbImage::from_pixel(scene.width() + legend.width as u32, height, PANEL);
    image::imageops::replace(&mut canvas, &scene, 0, 0);
    let [width, scene_height] = [scene.width(), scene.height()].map(f64::from);
    let bounds = Area {
        left: 0.0,
        top: 0.0,
        width,
        height: scene_height,
    };
    let zoom = f64::from(zoom);
    draw_axes(&mut canvas, &font, &camera, [0.0, scene_height - AXES_SIDE]);
    draw_base_frame(&mut canvas, &font, &camera, zoom, bounds);
    draw_markers(&mut canvas, &font, &camera, keypoints, zoom, bounds);
    legend.draw(&mut canvas, &font, keypoints, scene.width() as i32);
    Ok(canvas)
}

fn enlarge(frame: &FrameView<'_>, zoom: u32) -> RgbImage {
    let (width, height) = (frame.width as u32, frame.height as u32);
    let source = RgbImage::from_fn(width, height, |column, row| {
        let at = 3 * (row as usize * frame.width + column as usize);
        Rgb([frame.rgb[at], frame.rgb[at + 1], frame.rgb[at + 2]])
    });
    resize(&source, width * zoom, height * zoom, FilterType::CatmullRom)
}

fn colour(index: usize) -> Rgb<u8> {
    PALETTE[index % PALETTE.len()]
}

fn draw_markers(
    canvas: &mut RgbImage,
    font: &FontRef<'_>,
    camera: &Pinhole,
    keypoints: &[Keypoint],
    zoom: f64,
    bounds: Area,
) {
    let inside =
        |[x, y]: [f64; 2]| (0.0..bounds.width).contains(&x) && (0.0..bounds.height).contains(&y);
    let seen: Vec<(&Keypoint, [f64; 2])> = keypoints
        .iter()
        .filter_map(|keypoint| Some((keypoint, camera.project(keypoint.position_m)?.0)))
        .map(|(keypoint, pixel)| (keypoint, pixel.map(|value| value * zoom)))
        .filter(|(_, pixel)| inside(*pixel))
        .collect();
    let markers: Vec<[f64; 2]> = seen.iter().map(|(_, pixel)| *pixel).collect();
    let sizes: Vec<[f64; 2]> = seen
        .iter()
        .map(|(keypoint, _)| {
            let (width, height) = text_size(TEXT, font, &label(keypoint));
            [width as i32 + 2 * PADDING, height as i32 + 2 * PADDING].map(f64::from)
        })
        .collect();
    let axes = Area {
        left: 0.0,
        top: bounds.height - AXES_SIDE,
        width: AXES_SIDE,
        height: AXES_SIDE,
    };
    let radius = f64::from(MARKER_RADIUS) + 2.0;
    let areas = place(&markers, &sizes, bounds, &[axes], radius);
    // Leaders first, so that they run below labels and markers.
    for ((keypoint, marker), area) in seen.iter().zip(&areas) {
        if let Some(area) = area {
            draw_line(
                canvas,
                *marker,
                area.nearest_to(*marker),
                colour(keypoint.index),
            );
        }
    }
    for ((keypoint, _), area) in seen.iter().zip(&areas) {
        if let Some(area) = area {
            draw_label(
                canvas,
                font,
                *area,
                &label(keypoint),
                colour(keypoint.index),
            );
        }
    }
    for (keypoint, marker) in &seen {
        draw_marker(canvas, font, *marker, keypoint);
    }
}

fn label(keypoint: &Keypoint) -> String {
    visible_line(&keypoint.name, LABEL_CHARACTERS)
}

fn draw_marker(canvas: &mut RgbImage, font: &FontRef<'_>, at: [f64; 2], keypoint: &Keypoint) {
    let centre = (at[0].round() as i32, at[1].round() as i32);
    let colour = colour(keypoint.index);
    draw_filled_circle_mut(canvas, centre, MARKER_RADIUS + 2, WHITE);
    let ink = if keypoint.visible {
        draw_filled_circle_mut(canvas, centre, MARKER_RADIUS, colour);
        WHITE
    } else {
        draw_hollow_circle_mut(canvas, centre, MARKER_RADIUS, colour);
        draw_hollow_circle_mut(canvas, centre, MARKER_RADIUS - 1, colour);
        colour
    };
    let text = keypoint.index.to_string();
    let (width, _) = text_size(SMALL_TEXT, font, &text);
    // The font's own line box is taller than a digit: centred by the digit's height instead.
    let top = centre.1 - (SMALL_TEXT.y * 0.52) as i32;
    draw_text_mut(
        canvas,
        ink,
        centre.0 - width as i32 / 2,
        top,
        SMALL_TEXT,
        font,
        &text,
    );
}

fn draw_label(canvas: &mut RgbImage, font: &FontRef<'_>, area: Area, text: &str, colour: Rgb<u8>) {
    let (left, top) = (area.left as i32, area.top as i32);
    let (width, height) = (area.width as u32, area.height as u32);
    draw_filled_rect_mut(canvas, Rect::at(left, top).of_size(width, height), colour);
    draw_text_mut(
        canvas,
        WHITE,
        left + PADDING,
        top + PADDING - 2,
        TEXT,
        font,
        text,
    );
}

fn draw_line(canvas: &mut RgbImage, from: [f64; 2], to: [f64; 2], colour: Rgb<u8>) {
    let [a, b] = [from, to].map(|[x, y]| [x.round() as i32, y.round() as i32]);
    for (dx, dy) in [(0, 0), (1, 0), (0, 1)] {
        let (start, end) = ((a[0] + dx, a[1] + dy), (b[0] + dx, b[1] + dy));
        draw_antialiased_line_segment_mut(canvas, start, end, colour, interpolate);
    }
}

/// The base frame's directions as this camera sees them.
fn draw_axes(canvas: &mut RgbImage, font: &FontRef<'_>, camera: &Pinhole, corner: [f64; 2]) {
    let centre = [corner[0] + AXES_SIDE / 2.0, corner[1] + AXES_SIDE / 2.0];
    let middle = (centre[0] as i32, centre[1] as i32);
    draw_filled_circle_mut(canvas, middle, (AXES_SIDE / 2.0) as i32 - 6, PANEL);
    let mut axes = AXES.map(|(name, colour, axis)| (name, colour, camera.to_camera(axis)));
    // Far ends first, so that what points at the viewer lies on top.
    axes.sort_by(|a, b| b.2[2].total_cmp(&a.2[2]));
    for (name, colour, direction) in axes {
        let along = |length: f64| {
            [
                centre[0] + direction[0] * length,
                centre[1] + direction[1] * length,
            ]
        };
        let tip = along(AXIS_LENGTH);
        draw_line(canvas, centre, tip, colour);
        draw_filled_circle_mut(canvas, (tip[0] as i32, tip[1] as i32), 4, colour);
        let at = along(AXIS_LENGTH + 13.0).map(|value| value as i32);
        draw_text_mut(canvas, colour, at[0] - 5, at[1] - 10, TEXT, font, name);
    }
}

/// The base frame's axes where they are, unless they reach out of the picture.
fn draw_base_frame(
    canvas: &mut RgbImage,
    font: &FontRef<'_>,
    camera: &Pinhole,
    zoom: f64,
    bounds: Area,
) {
    let seen = |point: [f64; 3]| {
        let (pixel, _) = camera.project(point)?;
        let pixel = pixel.map(|value| value * zoom);
        bounds.contains(&Area::around(pixel, 16.0)).then_some(pixel)
    };
    let tips = AXES.map(|(name, colour, axis)| {
        let tip = seen(axis.map(|value| value * BASE_AXIS_M))?;
        Some((name, colour, tip))
    });
    let (Some(origin), [Some(x), Some(y), Some(z)]) = (seen([0.0; 3]), tips) else {
        return;
    };
    for (name, colour, tip) in [x, y, z] {
        draw_line(canvas, origin, tip, colour);
        let at = tip.map(|value| value.round() as i32);
        draw_text_mut(canvas, colour, at[0] + 3, at[1] - 9, SMALL_TEXT, font, name);
    }
    let centre = origin.map(|value| value.round() as i32);
    draw_filled_circle_mut(canvas, (centre[0], centre[1]), 4, INK);
}

/// The panel beside the scene.
struct Legend {
    width: i32,
    height: i32,
}

const LINE: i32 = 44;
const MARGIN: i32 = 16;
const HEADER: i32 = 76;

impl Legend {
    fn measure(font: &FontRef<'_>, keypoints: &[Keypoint]) -> Self {
        let names = keypoints
            .iter()
            .map(|keypoint| text_size(TEXT, font, &title(keypoint)).0);
        let places = keypoints
            .iter()
            .map(|keypoint| text_size(SMALL_TEXT, font, &position(keypoint)).0);
        let widest = names
            .chain(places)
            .chain([text_size(SMALL_TEXT, font, NOTE).0])
            .max();
        let text = widest.unwrap_or(0) as i32;
        let rows = keypoints.len() as i32;
        Self {
            width: text + 3 * MARGIN + 2 * MARKER_RADIUS,
            height: HEADER + rows * LINE + MARGIN,
        }
    }

    fn draw(&self, canvas: &mut RgbImage, font: &FontRef<'_>, keypoints: &[Keypoint], left: i32) {
        let left = left + MARGIN;
        draw_text_mut(canvas, INK, left, MARGIN, TEXT, font, "Keypoints");
        draw_text_mut(canvas, FAINT, left, MARGIN + 26, SMALL_TEXT, font, NOTE);
        for (row, keypoint) in (0..).zip(keypoints) {
            let top = HEADER + row * LINE;
            let text_left = left + 2 * MARKER_RADIUS + MARGIN / 2;
            let marker = [
                f64::from(left + MARKER_RADIUS),
                f64::from(top + LINE / 2 - 4),
            ];
            draw_marker(canvas, font, marker, keypoint);
            draw_text_mut(canvas, INK, text_left, top, TEXT, font, &title(keypoint));
            draw_text_mut(
                canvas,
                FAINT,
                text_left,
                top + 21,
                SMALL_TEXT,
                font,
                &position(keypoint),
            );
        }
    }
}

const NOTE: &str = "x away from the robot, y to its left, z up; m";

fn title(keypoint: &Keypoint) -> String {
    let name = visible_line(&keypoint.name, TITLE_CHARACTERS);
    if keypoint.visible {
        name
    } else {
        format!("{name} (hidden)")
    }
}

fn position(keypoint: &Keypoint) -> String {
    let [x, y, z] = keypoint.position_m;
    format!("({x:.3}, {y:.3}, {z:.3})")
}
