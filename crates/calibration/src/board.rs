//! The board that is printed.

use calib_targets_charuco::{
    CharucoBoardSpec, CharucoParams, Dictionary, MarkerLayout, builtins, resolve_dictionary,
};
use image::{GrayImage, Luma};
use tiller_core::Problems;

/// Fewest and most squares along a side.
const SQUARES: [u32; 2] = [3, 40];
/// Fewest and most pixels of a square in a picture for printing.
const PIXELS: [u32; 2] = [16, 400];
/// Black cells around a marker's bits.
const BORDER_CELLS: usize = 1;

const WHITE: Luma<u8> = Luma([255]);
const BLACK: Luma<u8> = Luma([0]);

/// A ChArUco board in OpenCV's layout since 4.6: the top left square is black, and each white square has a
/// marker in its middle, numbered row after row.
#[derive(Debug, Clone)]
pub struct Board {
    columns: u32,
    rows: u32,
    square_m: f64,
    marker_m: f64,
    dictionary: Dictionary,
}

impl Board {
    /// A board of `columns` times `rows` squares with sides of `square_m`, and markers with sides of
    /// `marker_m`, both m, of a dictionary such as `DICT_4X4_50`, see [`dictionary_names`].
    ///
    /// # Errors
    /// All values that are wrong: 3 to 40 squares a side, squares of 1 mm to 1 m, markers smaller than
    /// squares, a dictionary that is known and has a marker for each white square.
    pub fn new(
        columns: u32,
        rows: u32,
        square_m: f64,
        marker_m: f64,
        dictionary: &str,
    ) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let [least, most] = SQUARES;
        for (name, squares) in [("columns", columns), ("rows", rows)] {
            let holds = (least..=most).contains(&squares);
            problems.require(name, holds, format!("{least} to {most} squares"), squares);
        }
        problems.number("square_m", square_m, 1e-3..=1.0);
        let fits = marker_m > 0.1 * square_m && marker_m < 0.98 * square_m;
        problems.require(
            "marker_m",
            fits,
            format!("a side between 0.1 and 0.98 of the square's {square_m} m"),
            marker_m,
        );
        let known = resolve_dictionary(dictionary);
        match known {
            None => problems.push(
                "dictionary",
                format!("one of {}", dictionary_names().join(", ")),
                format!("`{dictionary}`"),
            ),
            Some(known) => {
                let needed = u64::from(columns) * u64::from(rows) / 2;
                let there = known.codes().len();
                problems.require(
                    "dictionary",
                    needed <= there as u64,
                    format!("at least {needed} markers for {columns} x {rows} squares"),
                    format!("{there} in `{dictionary}`"),
                );
            }
        }
        match known {
            Some(dictionary) if problems.is_empty() => Ok(Self {
                columns,
                rows,
                square_m,
                marker_m,
                dictionary,
            }),
            _ => Err(problems),
        }
    }

    /// Squares from left to right.
    #[must_use]
    pub fn columns(&self) -> u32 {
        self.columns
    }

    /// Squares from top to bottom.
    #[must_use]
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// Side of a square, m.
    #[must_use]
    pub fn square_m(&self) -> f64 {
        self.square_m
    }

    /// Corners between squares.
    #[must_use]
    pub fn corners(&self) -> u32 {
        (self.columns - 1) * (self.rows - 1)
    }

    /// Where a corner is on the board, m; none for an id that it has not.
    #[must_use]
    pub fn corner_m(&self, id: u32) -> Option<[f64; 3]> {
        let across = self.columns - 1;
        let place = |squares: u32| f64::from(squares + 1) * self.square_m;
        (id < self.corners()).then(|| [place(id % across), place(id / across), 0.0])
    }

    /// The board for printing, with a white margin of half a square all around: (columns + 1) times
    /// (rows + 1) squares of `pixels_per_square` pixels, of which 16 to 400 are possible.
    #[must_use]
    pub fn picture(&self, pixels_per_square: u32) -> GrayImage {
        let side = pixels_per_square.clamp(PIXELS[0], PIXELS[1]);
        let margin = side / 2;
        let (width, height) = ((self.columns + 1) * side, (self.rows + 1) * side);
        GrayImage::from_fn(width, height, |x, y| {
            let (Some(x), Some(y)) = (x.checked_sub(margin), y.checked_sub(margin)) else {
                return WHITE;
            };
            let (column, row) = (x / side, y / side);
            if column >= self.columns || row >= self.rows {
                return WHITE;
            }
            let within = |pixel: u32| (f64::from(pixel % side) + 0.5) / f64::from(side);
            self.shade([column, row], [within(x), within(y)])
        })
    }

    /// Black or white, in a square and at a place within it, shares of its side.
    fn shade(&self, [column, row]: [u32; 2], within: [f64; 2]) -> Luma<u8> {
        if (column + row).is_multiple_of(2) {
            return BLACK;
        }
        let cells = self.dictionary.marker_size() + 2 * BORDER_CELLS;
        let share = self.marker_m / self.square_m;
        let [x, y] = within.map(|place| ((place - 0.5) / share + 0.5) * cells as f64);
        let inside = |place: f64| (0.0..cells as f64).contains(&place);
        if !inside(x) || !inside(y) {
            return WHITE;
        }
        // Markers stand where column + row is odd: one in two squares, counted row after row.
        let marker = (row * self.columns + column) / 2;
        let code = self.dictionary.codes().get(marker as usize);
        let bits = self.dictionary.marker_size();
        let bit = |place: f64| {
            (place as usize)
                .checked_sub(BORDER_CELLS)
                .filter(|bit| *bit < bits)
        };
        let (Some(x), Some(y)) = (bit(x), bit(y)) else {
            return BLACK;
        };
        match code.map(|code| code >> (y * bits + x) & 1) {
            Some(1) => BLACK,
            _ => WHITE,
        }
    }

    /// The detector's settings for this board.
    pub(crate) fn detector(&self) -> CharucoParams {
        let share = (self.marker_m / self.square_m) as f32;
        let board = CharucoBoardSpec::new(
            self.rows,
            self.columns,
            self.square_m as f32,
            share,
            self.dictionary,
        );
        CharucoParams::for_board(board.with_marker_layout(MarkerLayout::OpenCvCharuco))
    }
}

/// Names of the dictionaries that are known.
#[must_use]
pub fn dictionary_names() -> &'static [&'static str] {
    builtins::BUILTIN_DICTIONARY_NAMES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_is_what_opencv_draws() {
        let board = Board::new(5, 4, 0.06, 0.04, "DICT_4X4_50").unwrap();
        let picture = board.picture(60);
        assert_eq!(picture.dimensions(), (6 * 60, 5 * 60));
        // In the middle of cells of 10 pixels: squares have 6 of them, markers 4 + 2 without the margin.
        let is_white = |x: u32, y: u32| picture.get_pixel(30 + x, 30 + y).0 == [255];
        assert!(
            !is_white(5, 5) && is_white(65, 5),
            "the first square is black, the second white"
        );
        assert_eq!(picture.get_pixel(29, 29).0, [255]);
        // Marker 0, whose four rows of bits are 181 and 50 in OpenCV's table.
        let cell = 40.0 / 6.0;
        let at = |bit: u32| (10.0 + (f64::from(bit) + 1.5) * cell) as u32;
        let bits = (0..16).map(|n| u32::from(is_white(60 + at(n % 4), at(n / 4))));
        assert_eq!(bits.fold(0, |code, bit| code << 1 | bit), 181 << 8 | 50);
        assert!(!is_white(60 + 12, 30), "a marker's border is black");
    }

    #[test]
    fn corners_are_counted_row_after_row() {
        let board = Board::new(7, 5, 0.03, 0.022, "4X4_50").unwrap();
        assert_eq!(board.corners(), 24);
        assert_eq!(board.corner_m(0), Some([0.03, 0.03, 0.0]));
        assert_eq!(board.corner_m(7), Some([0.06, 0.06, 0.0]));
        assert_eq!(board.corner_m(24), None);
        assert_eq!(
            (board.columns(), board.rows(), board.square_m()),
            (7, 5, 0.03)
        );
    }
}
