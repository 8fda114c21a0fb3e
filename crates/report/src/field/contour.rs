//! Lines of equal value.

/// The pieces of the line `level` through a grid, in grid coordinates (column, row).
///
/// Marching squares: each cell between four grid points is crossed between those corners of which
/// one lies above the level and one below. Cells with a corner that is not finite are left out.
pub(super) fn contour(values: &[f64], columns: usize, level: f64) -> Vec<[[f64; 2]; 2]> {
    let mut pieces = Vec::new();
    if columns < 2 {
        return pieces;
    }
    let rows = values.len() / columns;
    for row in 1..rows {
        for column in 1..columns {
            let corners = [(0, 0), (1, 0), (1, 1), (0, 1)].map(|(right, above)| {
                let (column, row) = (column - 1 + right, row - 1 + above);
                let value = values[row * columns + column] - level;
                ([column as f64, row as f64], value)
            });
            if corners.iter().any(|(_, value)| !value.is_finite()) {
                continue;
            }
            let mut crossings = Vec::with_capacity(4);
            for (index, &(from, a)) in corners.iter().enumerate() {
                let (to, b) = corners[(index + 1) % 4];
                if (a < 0.0) != (b < 0.0) {
                    let part = a / (a - b);
                    crossings.push([0, 1].map(|axis| from[axis] + part * (to[axis] - from[axis])));
                }
            }
            // Two crossings, or four at a saddle, where either pairing is right.
            pieces.extend(crossings.as_chunks::<2>().0);
        }
    }
    pieces
}
