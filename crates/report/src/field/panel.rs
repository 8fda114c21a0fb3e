//! One slice: its colours, lines, arrows, marks and axes.

use image::{Rgb, RgbImage};
use imageproc::drawing::{draw_line_segment_mut, draw_polygon_mut};
use imageproc::point::Point;

use super::contour::contour;
use super::{Mark, MarkKind, Slice};
use crate::mark::{Labels, draw_disc, draw_hand, draw_star};
use crate::plane::Plane;
use crate::scale::{Scale, colour, ticks};
use crate::sheet::{INK, PAPER, ZOOM, put};

const LEVELS: usize = 10;
/// Length of the longest arrow, pixels.
const ARROW: f64 = 26.0;

/// A slice and where it lies on the picture.
pub(super) struct Panel<'a> {
    slice: &'a Slice,
    plane: Plane,
}

impl<'a> Panel<'a> {
    /// Fits the slice into a room.
    pub(super) fn new(slice: &'a Slice, room: [i32; 4]) -> Self {
        let plane = Plane::fit(slice.across, slice.up, room);
        Self { slice, plane }
    }

    pub(super) fn draw(&self, picture: &mut RgbImage, scale: &Scale) {
        let [left, top, ..] = self.plane.rect.map(|edge| edge / ZOOM);
        put(picture, [left, top - 30], 19.0, 620, INK, &self.slice.title);
        self.draw_heat(picture, scale);
        self.draw_levels(picture, scale);
        self.plane.draw_edges(picture);
        self.plane.draw_axes(picture);
        self.draw_arrows(picture);
        self.draw_marks(picture);
    }

    /// The field between the grid points, linear in both directions.
    fn value(&self, share: [f64; 2]) -> f64 {
        let columns = self.slice.columns;
        let rows = self.slice.values.len().checked_div(columns).unwrap_or(0);
        if columns < 2 || rows < 2 {
            return f64::NAN;
        }
        let cell = |share: f64, count: usize| {
            let place = share.clamp(0.0, 1.0) * (count - 1) as f64;
            let below = (place as usize).min(count - 2);
            (below, place - below as f64)
        };
        let ((column, right), (row, above)) = (cell(share[0], columns), cell(share[1], rows));
        let at = |row: usize| {
            let first = row * columns + column;
            let [a, b] = [self.slice.values[first], self.slice.values[first + 1]];
            // A neighbour that is not finite spoils only the cells beside it.
            a + right * (b - a)
        };
        let (low, high) = (at(row), at(row + 1));
        low + above * (high - low)
    }

    fn draw_heat(&self, picture: &mut RgbImage, scale: &Scale) {
        let [left, top, width, height] = self.plane.rect;
        for row in 0..height {
            for column in 0..width {
                let share = [
                    (f64::from(column) + 0.5) / f64::from(width),
                    1.0 - (f64::from(row) + 0.5) / f64::from(height),
                ];
                let value = self.value(share);
                let pixel = if value.is_finite() {
                    colour(scale.share(value))
                } else if (row + column) % (8 * ZOOM) < 2 * ZOOM {
                    Rgb([120; 3])
                } else {
                    Rgb([200; 3])
                };
                // Panels lie within the picture.
                if let Some(target) = picture
                    .get_pixel_mut_checked((left + column).max(0) as u32, (top + row).max(0) as u32)
                {
                    *target = pixel;
                }
            }
        }
    }

    fn draw_levels(&self, picture: &mut RgbImage, scale: &Scale) {
        let columns = self.slice.columns;
        let rows = self.slice.values.len().checked_div(columns).unwrap_or(0);
        if columns < 2 || rows < 2 {
            return;
        }
        let [left, top, width, height] = self.plane.rect.map(f64::from);
        for level in ticks(scale.low, scale.high, LEVELS) {
            let [r, g, b] = colour(scale.share(level)).0.map(f32::from);
            let line = Rgb([r, g, b].map(|channel| (channel + 0.38 * (255.0 - channel)) as u8));
            for piece in contour(&self.slice.values, columns, level) {
                let [a, b] = piece.map(|[column, row]| {
                    let x = left + width * column / (columns - 1) as f64;
                    let y = top + height * (1.0 - row / (rows - 1) as f64);
                    (x as f32, y as f32)
                });
                for (right, down) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
                    let shift = |point: (f32, f32)| (point.0 + right, point.1 + down);
                    draw_line_segment_mut(picture, shift(a), shift(b), line);
                }
            }
        }
    }

    fn draw_arrows(&self, picture: &mut RgbImage) {
        let steepness = |rise: [f64; 2]| rise[0].hypot(rise[1]);
        let mut all: Vec<f64> = self
            .slice
            .arrows
            .iter()
            .map(|arrow| steepness(arrow.rise))
            .collect();
        all.retain(|steep| steep.is_finite());
        all.sort_unstable_by(f64::total_cmp);
        // Nine in ten are drawn to scale; the steepest ones are as long as the tenth steepest.
        let Some(&full) = all.get(all.len() * 9 / 10) else {
            return;
        };
        let [right, up] =
            [&self.slice.across, &self.slice.up].map(|axis| (axis.to_m - axis.from_m).signum());
        for arrow in &self.slice.arrows {
            let steep = steepness(arrow.rise);
            if !steep.is_finite() || steep <= 0.02 * full || full <= 0.0 {
                continue;
            }
            let length = ARROW * f64::from(ZOOM) * (steep / full).clamp(0.3, 1.0);
            let along = [right * arrow.rise[0] / steep, -up * arrow.rise[1] / steep];
            let middle = self.plane.pixel(arrow.at_m);
            let tail = [0, 1].map(|axis| middle[axis] - 0.5 * length * along[axis]);
            draw_arrow(picture, tail, along, length);
        }
    }

    fn draw_marks(&self, picture: &mut RgbImage) {
        let at: Vec<[i32; 2]> = self
            .slice
            .marks
            .iter()
            .map(|mark| {
                self.plane
                    .pixel(mark.at_m)
                    .map(|place| place.round() as i32)
            })
            .collect();
        let [left, top, width, height] = self.plane.rect;
        let is_seen = |[x, y]: [i32; 2]| {
            (left..=left + width).contains(&x) && (top..=top + height).contains(&y)
        };
        let marks = || {
            self.slice
                .marks
                .iter()
                .zip(&at)
                .filter(|(_, at)| is_seen(**at))
        };
        // Numbers lie on top; the star's points show from below them.
        for layer in 0..4 {
            for (mark, &at) in marks() {
                match (mark.kind, layer) {
                    (MarkKind::Other(_), 0) => draw_disc(picture, at, "", false),
                    (MarkKind::Best, 1) => draw_star(picture, at),
                    (MarkKind::Hand, 2) => draw_hand(picture, at),
                    (MarkKind::Used(index), 3) => {
                        draw_disc(picture, at, &index.to_string(), true);
                    }
                    _ => {}
                }
            }
        }
        let matters = |mark: &Mark| !matches!(mark.kind, MarkKind::Other(_));
        let seen: Vec<([i32; 2], bool)> = marks().map(|(mark, &at)| (at, matters(mark))).collect();
        let mut labels = Labels::new(self.plane.rect, &seen);
        for (mark, &at) in marks() {
            labels.write(picture, at, &mark.label, matters(mark));
        }
    }
}

/// An arrow for the legend.
pub(super) fn draw_sample_arrow(picture: &mut RgbImage, at: [i32; 2]) {
    let length = 24.0 * f64::from(ZOOM);
    let tail = [f64::from(at[0]) - 0.5 * length, f64::from(at[1])];
    draw_arrow(picture, tail, [1.0, 0.0], length);
}

/// White with a dark edge: seen on every colour.
fn draw_arrow(picture: &mut RgbImage, tail: [f64; 2], along: [f64; 2], length: f64) {
    let across = [-along[1], along[0]];
    let zoom = f64::from(ZOOM);
    for (edge, colour) in [(1.2, INK), (0.0, PAPER)] {
        let head = (7.0_f64.min(0.55 * length / zoom) + edge * 1.2) * zoom;
        let (shaft, wing) = ((0.7 + edge) * zoom, (3.6 + edge * 1.3) * zoom);
        let (start, end) = (-edge * zoom, length + 1.6 * edge * zoom);
        let outline = [
            [start, -shaft],
            [end - head, -shaft],
            [end - head, -wing],
            [end, 0.0],
            [end - head, wing],
            [end - head, shaft],
            [start, shaft],
        ];
        let points = outline.map(|[forth, aside]| {
            let place = |axis: usize| tail[axis] + forth * along[axis] + aside * across[axis];
            Point::new(place(0).round() as i32, place(1).round() as i32)
        });
        // A polygon whose ends meet is refused.
        if points.first() != points.last() {
            draw_polygon_mut(picture, &points, colour);
        }
    }
}
