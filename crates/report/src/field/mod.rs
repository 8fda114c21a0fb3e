//! A scalar field over slices through the workspace, such as the reward of every point: heat maps
//! with iso-lines, arrows that point to where it rises, and named points.

mod contour;
mod panel;

use std::path::Path;

use image::RgbImage;

use crate::mark::{draw_disc, draw_hand, draw_star};
use crate::scale::Scale;
use crate::sheet::{self, INK, ZOOM, put};
use crate::text::width;
use crate::{ReportError, save_small};
use panel::Panel;

/// Size of the picture, pixels.
const SIZE: [u32; 2] = [1500, 660];
/// Where the panels lie, pixels: left edge, upper edge, width, height.
const PANELS: [[i32; 4]; 2] = [[78, 156, 600, 400], [770, 156, 600, 400]];
/// The colour bar, likewise.
const BAR: [i32; 4] = [1396, 156, 22, 375];

/// What a picture of a field shows.
#[derive(Clone, Debug, Default)]
pub struct FieldPicture {
    /// One line above everything.
    pub title: String,
    /// Smaller lines below the title, at most two.
    pub caption: Vec<String>,
    /// What the colours measure; stands above the colour bar.
    pub quantity: String,
    /// Two slices, side by side, with the colours of one scale.
    pub slices: [Slice; 2],
}

/// An axis of a slice; runs to the right or upward, `from_m` may be larger than `to_m`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Axis {
    /// Its letter.
    pub name: &'static str,
    /// Coordinate at the left or lower edge, m.
    pub from_m: f64,
    /// Coordinate at the right or upper edge, m.
    pub to_m: f64,
}

/// A plane through the field.
#[derive(Clone, Debug, Default)]
pub struct Slice {
    /// Where the plane lies.
    pub title: String,
    /// To the right.
    pub across: Axis,
    /// Upward.
    pub up: Axis,
    /// Columns of `values`.
    pub columns: usize,
    /// The field at the grid points, row after row from the lower edge; the outermost points lie on
    /// the edges. What is not finite is drawn grey and hatched.
    pub values: Vec<f64>,
    /// Where the field rises, and how fast.
    pub arrows: Vec<Arrow>,
    /// Named points, the most important ones first: their labels find room first.
    pub marks: Vec<Mark>,
}

/// The gradient at a point of a slice.
#[derive(Clone, Copy, Debug)]
pub struct Arrow {
    /// Coordinates along [`Slice::across`] and [`Slice::up`], m.
    pub at_m: [f64; 2],
    /// Gradient along the same, in units of the field per metre.
    pub rise: [f64; 2],
}

/// A named point of a slice.
#[derive(Clone, Debug)]
pub struct Mark {
    /// Coordinates along [`Slice::across`] and [`Slice::up`], m.
    pub at_m: [f64; 2],
    /// What it is.
    pub kind: MarkKind,
    /// Name beside the mark; may be empty.
    pub label: String,
}

/// What a mark stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind {
    /// A keypoint that the field depends on, with its number.
    Used(usize),
    /// Another keypoint, with its number.
    Other(usize),
    /// The end effector where trajectories begin.
    Hand,
    /// Where the field is highest.
    Best,
}

impl FieldPicture {
    /// Draws the picture and writes it as a PNG file.
    ///
    /// # Errors
    /// [`ReportError`] with the file that could not be written.
    pub fn write(&self, path: &Path) -> Result<(), ReportError> {
        save_small(&self.draw(), path)
    }

    /// Draws the picture, 1500 x 660 pixels.
    #[must_use]
    pub fn draw(&self) -> RgbImage {
        let mut picture = sheet::begin(SIZE, &self.title, &self.caption);
        let all = self.slices.iter().flat_map(|slice| &slice.values);
        let scale = Scale::of(all.copied());
        for (slice, room) in self.slices.iter().zip(PANELS) {
            Panel::new(slice, room.map(|edge| edge * ZOOM)).draw(&mut picture, &scale);
        }
        sheet::draw_bar(&mut picture, BAR, &self.quantity, &scale);
        self.draw_legend(&mut picture);
        sheet::finish(&picture)
    }

    /// Explains the marks that occur, in one line at the bottom.
    fn draw_legend(&self, picture: &mut RgbImage) {
        let marks = || self.slices.iter().flat_map(|slice| &slice.marks);
        let y = SIZE[1] as i32 - 30;
        let mut x = 90;
        let mut entry = |picture: &mut RgbImage, kind: Option<MarkKind>, name: &str| {
            let at = [x * ZOOM, y * ZOOM];
            match kind {
                Some(MarkKind::Used(_)) => draw_disc(picture, at, "", true),
                Some(MarkKind::Other(_)) => draw_disc(picture, at, "", false),
                Some(MarkKind::Hand) => draw_hand(picture, at),
                Some(MarkKind::Best) => draw_star(picture, at),
                None => panel::draw_sample_arrow(picture, at),
            }
            put(picture, [x + 24, y - 10], 16.0, 400, INK, name);
            x += 24 + width(name, 16.0) as i32 + 34;
        };
        let names = [
            "best point",
            "hand at the start",
            "keypoint that the stage uses",
            "other keypoint",
        ];
        let place = |kind: MarkKind| match kind {
            MarkKind::Best => 0,
            MarkKind::Hand => 1,
            MarkKind::Used(_) => 2,
            MarkKind::Other(_) => 3,
        };
        for (index, name) in names.into_iter().enumerate() {
            if let Some(mark) = marks().find(|mark| place(mark.kind) == index) {
                entry(picture, Some(mark.kind), name);
            }
        }
        if self.slices.iter().any(|slice| !slice.arrows.is_empty()) {
            entry(
                picture,
                None,
                "the reward rises this way; longer is steeper",
            );
        }
        let holes = self.slices.iter().flat_map(|slice| &slice.values);
        let holes = holes.filter(|value| !value.is_finite()).count();
        if holes > 0 {
            let text = format!("hatched: not a number, at {holes} grid points");
            put(picture, [x, y - 10], 16.0, 420, INK, &text);
        }
    }
}

#[cfg(test)]
mod tests;
