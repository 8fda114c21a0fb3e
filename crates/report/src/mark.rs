//! Marks of points and their labels.

use image::{Rgb, RgbImage};
use imageproc::drawing::{draw_filled_circle_mut, draw_polygon_mut};
use imageproc::point::Point;

use crate::sheet::{INK, ZOOM};
use crate::text::{fill, width, write};

const PAPER: Rgb<u8> = Rgb([255; 3]);
/// Okabe and Ito's vermilion, which stands out from viridis everywhere.
const VERMILION: Rgb<u8> = Rgb([225, 70, 0]);
const PALE: Rgb<u8> = Rgb([190, 190, 196]);
const RADIUS: i32 = 11 * ZOOM;
const LABEL: f32 = 15.0;
/// Places right beside a mark, among those that labels may have.
const NEAR: usize = 8;

/// A disc with a number: large and white, or small and grey.
pub(crate) fn draw_disc(picture: &mut RgbImage, at: [i32; 2], number: &str, is_used: bool) {
    let centre = (at[0], at[1]);
    if !is_used {
        draw_filled_circle_mut(picture, centre, 4 * ZOOM, INK);
        draw_filled_circle_mut(picture, centre, 3 * ZOOM, PALE);
        return;
    }
    draw_filled_circle_mut(picture, centre, RADIUS, INK);
    draw_filled_circle_mut(picture, centre, RADIUS - 2 * ZOOM, PAPER);
    let height = 15.0;
    let half = width(number, height) as i32 * ZOOM / 2;
    let corner = [at[0] - half, at[1] - 9 * ZOOM];
    write(
        picture,
        corner,
        height * ZOOM as f32,
        60 * ZOOM as u32,
        INK,
        number,
    );
}

/// A diamond.
pub(crate) fn draw_hand(picture: &mut RgbImage, at: [i32; 2]) {
    for (radius, colour) in [(11, INK), (9, PAPER), (7, VERMILION)] {
        let corner =
            |[x, y]: [i32; 2]| Point::new(at[0] + x * radius * ZOOM, at[1] + y * radius * ZOOM);
        let corners = [[1, 0], [0, 1], [-1, 0], [0, -1]].map(corner);
        draw_polygon_mut(picture, &corners, colour);
    }
}

/// A star with five points.
pub(crate) fn draw_star(picture: &mut RgbImage, at: [i32; 2]) {
    for (radius, colour) in [(18.0, INK), (14.5, VERMILION)] {
        let corners: [Point<i32>; 10] = std::array::from_fn(|index| {
            let angle = std::f64::consts::PI * (index as f64 / 5.0 - 0.5);
            let reach = f64::from(ZOOM) * radius * if index % 2 == 0 { 1.0 } else { 0.45 };
            let offset = [reach * angle.cos(), reach * angle.sin()];
            Point::new(
                at[0] + offset[0].round() as i32,
                at[1] + offset[1].round() as i32,
            )
        });
        draw_polygon_mut(picture, &corners, colour);
    }
}

/// Left, top, width and height of what is taken, pixels.
type Rect = [i32; 4];

/// Places labels where they cover neither marks nor one another.
pub(crate) struct Labels {
    /// Where labels may lie.
    room: Rect,
    /// What no label may cover: marks that matter and earlier labels.
    taken: Vec<Rect>,
    /// What labels cover only where there is no other room: the other marks.
    minor: Vec<Rect>,
}

impl Labels {
    /// For marks at some places, each with whether it matters.
    pub(crate) fn new(room: Rect, marks: &[([i32; 2], bool)]) -> Self {
        let around = |matters: bool| {
            let marks = marks.iter().filter(move |mark| mark.1 == matters);
            marks
                .map(|([x, y], _)| [x - RADIUS, y - RADIUS, 2 * RADIUS, 2 * RADIUS])
                .collect()
        };
        Self {
            room,
            taken: around(true),
            minor: around(false),
        }
    }

    /// Writes a label beside its mark. One that finds no room is left out, unless it matters.
    pub(crate) fn write(
        &mut self,
        picture: &mut RgbImage,
        at: [i32; 2],
        text: &str,
        matters: bool,
    ) {
        if text.is_empty() {
            return;
        }
        let size = [width(text, LABEL) as i32 * ZOOM + 8 * ZOOM, 21 * ZOOM];
        let mut places = places(at, size);
        if !matters {
            // Far from a small mark nobody knows what a label belongs to.
            places.truncate(NEAR);
        }
        let inside = || places.iter().filter(|rect| is_inside(rect, &self.room));
        let is_free =
            |rect: &&Rect, others: &[Rect]| !others.iter().any(|other| overlap(rect, other));
        let mut found =
            inside().find(|rect| is_free(rect, &self.taken) && is_free(rect, &self.minor));
        if matters {
            found = found
                .or_else(|| inside().find(|rect| is_free(rect, &self.taken)))
                .or_else(|| inside().next());
        }
        let Some(&rect) = found else {
            return;
        };
        self.taken.push(rect);
        let (paper, ink) = if matters {
            (PAPER, INK)
        } else {
            (Rgb([225; 3]), Rgb([70; 3]))
        };
        let [columns, rows] = size.map(|edge| edge as u32);
        fill(picture, [rect[0], rect[1]], [columns, rows], paper);
        let corner = [rect[0] + 4 * ZOOM, rect[1] + 2 * ZOOM];
        write(picture, corner, LABEL * ZOOM as f32, columns, ink, text);
    }
}

/// Where a label may lie around its mark, the best places first.
fn places(at: [i32; 2], size: [i32; 2]) -> Vec<Rect> {
    let gap = RADIUS + 3 * ZOOM;
    let (right, left, centre) = (at[0] + gap, at[0] - gap - size[0], at[0] - size[0] / 2);
    let (above, below, middle) = (at[1] - gap - size[1], at[1] + gap, at[1] - size[1] / 2);
    let mut corners = vec![
        [right, middle],
        [left, middle],
        [centre, above],
        [centre, below],
        [right, above],
        [right, below],
        [left, above],
        [left, below],
    ];
    for further in [size[1], 2 * size[1]] {
        for x in [centre, right, left] {
            corners.extend([[x, above - further], [x, below + further]]);
        }
    }
    let rect = |[x, y]: [i32; 2]| [x, y, size[0], size[1]];
    corners.into_iter().map(rect).collect()
}

fn overlap(a: &Rect, b: &Rect) -> bool {
    (0..2).all(|axis| a[axis] < b[axis] + b[axis + 2] && b[axis] < a[axis] + a[axis + 2])
}

fn is_inside(rect: &Rect, room: &Rect) -> bool {
    (0..2).all(|axis| {
        rect[axis] >= room[axis] && rect[axis] + rect[axis + 2] <= room[axis] + room[axis + 2]
    })
}
