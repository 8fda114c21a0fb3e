//! Images as OpenGL has them.

/// Turns rows that count from the bottom, as OpenGL's do, upside down.
pub fn flip_rows<T: Copy>(pixels: &mut [T], height: usize) {
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
