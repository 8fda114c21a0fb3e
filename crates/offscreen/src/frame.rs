//! Images as OpenGL and MuJoCo have them.

/// Turns rows that count from the bottom, as OpenGL's do, upside down.
pub(crate) fn flip_rows<T: Copy>(pixels: &mut [T], height: usize) {
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

/// Depths of this and beyond are reported as 0, millimetres.
const FAR_MM: f64 = 5_000.0;

/// OpenGL's perspective depths, 0 to 1, as distances along the view in millimetres; the planes are in
/// metres, and 0 stands for what is 5 m away and more.
pub(crate) fn depths_in_mm(raw: &[f32], [near_m, far_m]: [f64; 2], out: &mut [u16]) {
    for (out, raw) in out.iter_mut().zip(raw) {
        let depth_m = near_m / (1.0 - f64::from(*raw) * (1.0 - near_m / far_m));
        let depth_mm = (depth_m * 1e3).round();
        let is_near = depth_mm < FAR_MM;
        *out = if is_near { depth_mm as u16 } else { 0 };
    }
}

/// Labels of pixels that are painted in the colours of numbers, three bytes each, the lowest first;
/// `label_of` is indexed by the number, and 0 stands for numbers beyond it.
pub(crate) fn labels_of_colours(colours: &[u8], label_of: &[u8], out: &mut [u8]) {
    for (out, id) in out.iter_mut().zip(colours.chunks_exact(3)) {
        let id = usize::from(id[0]) | usize::from(id[1]) << 8 | usize::from(id[2]) << 16;
        *out = label_of.get(id).copied().unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use super::{depths_in_mm, flip_rows, labels_of_colours};

    #[test]
    fn depths_lie_between_the_planes_and_far_ones_are_none() {
        let mut out = [7; 4];
        depths_in_mm(&[0.0, 0.5, 0.95, 1.0], [0.1, 100.0], &mut out);
        assert_eq!(out, [100, 200, 1963, 0]);
    }

    #[test]
    fn colours_are_numbers_of_three_bytes() {
        let mut label_of = vec![0; 300];
        (label_of[2], label_of[258]) = (5, 6);
        let mut out = [9; 4];
        labels_of_colours(&[2, 0, 0, 2, 1, 0, 1, 0, 0, 0, 0, 1], &label_of, &mut out);
        assert_eq!(out, [5, 6, 0, 0]);
    }

    #[test]
    fn rows_change_places() {
        let mut pixels = [1, 2, 3, 4, 5, 6];
        flip_rows(&mut pixels, 3);
        assert_eq!(pixels, [5, 6, 3, 4, 1, 2]);
        flip_rows::<u8>(&mut [], 3);
    }
}
