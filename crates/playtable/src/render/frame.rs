//! What a camera delivers.

/// Which images a render fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Channels {
    /// Colour.
    pub colour: bool,
    /// Depth.
    pub depth: bool,
    /// Segmentation.
    pub segmentation: bool,
}

impl Channels {
    /// Colour, depth and segmentation.
    pub const ALL: Channels = Channels {
        colour: true,
        depth: true,
        segmentation: true,
    };
    /// Colour alone.
    pub const COLOUR: Channels = Channels {
        colour: true,
        depth: false,
        segmentation: false,
    };
}

/// Images of one camera at one time, rows from the top; a channel that was not rendered is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frame {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Colour, `height * width * 3` bytes.
    pub rgb: Vec<u8>,
    /// Depth along the optical axis, millimetres, `height * width`; 0 where nothing is in range.
    pub depth_mm: Vec<u16>,
    /// Ids of [`labels`](crate::labels), `height * width`; 0 is the background.
    pub segmentation: Vec<u8>,
}

/// Turns rows that count from the bottom, as OpenGL's do, upside down.
pub(super) fn flip_rows<T: Copy>(pixels: &mut [T], height: usize) {
    if pixels.is_empty() || height == 0 {
        return;
    }
    let row = pixels.len() / height;
    let (mut top, mut bottom) = (0, height - 1);
    while top < bottom {
        let (upper, lower) = pixels.split_at_mut(bottom * row);
        upper[top * row..(top + 1) * row].swap_with_slice(&mut lower[..row]);
        top += 1;
        bottom -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::flip_rows;

    #[test]
    fn rows_change_places() {
        let mut pixels = [1, 2, 3, 4, 5, 6];
        flip_rows(&mut pixels, 3);
        assert_eq!(pixels, [5, 6, 3, 4, 1, 2]);
        flip_rows::<u8>(&mut [], 3);
    }
}
