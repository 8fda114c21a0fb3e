//! A plane through the workspace on a sheet: where its points lie, its edges and its axes.

use image::RgbImage;

use crate::Axis;
use crate::scale::{number, ticks};
use crate::sheet::{FAINT_INK, INK, ZOOM, put};
use crate::text::{fill, width};

/// Two axes and where their plane lies, in enlarged pixels.
#[derive(Clone, Copy)]
pub(crate) struct Plane {
    pub(crate) across: Axis,
    pub(crate) up: Axis,
    /// Left, top, width and height.
    pub(crate) rect: [i32; 4],
}

impl Plane {
    /// Fits the plane into a room; a unit is as long across as up.
    pub(crate) fn fit(across: Axis, up: Axis, room: [i32; 4]) -> Self {
        let extents = [across, up].map(|axis| (axis.to_m - axis.from_m).abs());
        let [columns, rows] = [room[2], room[3]].map(f64::from);
        let pixels_per_unit = (columns / extents[0].max(1e-9)).min(rows / extents[1].max(1e-9));
        let [wide, high] = extents.map(|extent| ((extent * pixels_per_unit) as i32).max(8 * ZOOM));
        let rect = [room[0], room[1], wide, high];
        Self { across, up, rect }
    }

    /// The pixel of a point.
    pub(crate) fn pixel(&self, at_m: [f64; 2]) -> [f64; 2] {
        let share = |axis: &Axis, at: f64| (at - axis.from_m) / (axis.to_m - axis.from_m);
        let [left, top, wide, high] = self.rect.map(f64::from);
        [
            left + wide * share(&self.across, at_m[0]),
            top + high * (1.0 - share(&self.up, at_m[1])),
        ]
    }

    pub(crate) fn draw_edges(&self, picture: &mut RgbImage) {
        let [left, top, wide, high] = self.rect;
        let (w, h) = (wide as u32, high as u32);
        for (at, size) in [
            ([left, top], [w, 2]),
            ([left, top + high - 2], [w, 2]),
            ([left, top], [2, h]),
            ([left + wide - 2, top], [2, h]),
        ] {
            fill(picture, at, size, INK);
        }
    }

    /// Ticks and names of the axes, in metres, around the plane. Returns the pixels of the ticks
    /// along either axis.
    pub(crate) fn draw_axes(&self, picture: &mut RgbImage) -> [Vec<i32>; 2] {
        let [left, top, wide, high] = self.rect;
        let bottom = top + high;
        let (across, up) = (&self.across, &self.up);
        let mut places = [Vec::new(), Vec::new()];

        let count = (wide / ZOOM / 80).max(1) as usize;
        let at = ticks(across.from_m, across.to_m, count);
        for &value in &at {
            let x = self.pixel([value, up.from_m])[0] as i32;
            places[0].push(x);
            fill(picture, [x - 1, bottom], [2, 10], INK);
            let text = number(value, &at);
            let corner = [x / ZOOM - width(&text, 15.0) as i32 / 2, bottom / ZOOM + 7];
            put(picture, corner, 15.0, 80, INK, &text);
        }
        let count = (high / ZOOM / 50).max(1) as usize;
        let at = ticks(up.from_m, up.to_m, count);
        for &value in &at {
            let y = self.pixel([across.from_m, value])[1] as i32;
            places[1].push(y);
            fill(picture, [left - 10, y - 1], [10, 2], INK);
            let text = number(value, &at);
            let corner = [left / ZOOM - 9 - width(&text, 15.0) as i32, y / ZOOM - 9];
            put(picture, corner, 15.0, 80, INK, &text);
        }
        let text = format!("{}, m", across.name);
        let middle = (left + wide / 2) / ZOOM - width(&text, 16.0) as i32 / 2;
        let corner = [middle, bottom / ZOOM + 27];
        put(picture, corner, 16.0, 300, FAINT_INK, &text);
        let text = format!("{}, m", up.name);
        let corner = [(left / ZOOM - 64).max(4), (top + high / 2) / ZOOM - 29];
        put(picture, corner, 16.0, 80, FAINT_INK, &text);
        places
    }
}
