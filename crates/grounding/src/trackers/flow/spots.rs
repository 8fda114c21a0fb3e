//! Spots of an object that can be found again.

use super::lens::Spot;
use crate::frame::Scene;

/// Most spots of an object.
pub(super) const SPOTS: usize = 28;
/// Half width of the window whose corner counts, pixels.
const REACH: usize = 2;
/// Least distance between spots, pixels.
const APART: i64 = 2;

/// The pixels of a mask with the strongest corners (Shi and Tomasi 1994) that keep their distance, and
/// are not at the mask's edge if enough are within.
pub(super) fn choose(scene: &Scene<'_>, grey: &[u8], mask: &[u32]) -> Vec<u32> {
    let (width, height) = (scene.frame.width, scene.frame.height);
    let inside = |pixel: &&u32| {
        let (x, y) = (**pixel as usize % width, **pixel as usize / width);
        let within = (1..width - 1).contains(&x) && (1..height.saturating_sub(1)).contains(&y);
        within && neighbours(**pixel, width as u32).all(|p| mask.binary_search(&p).is_ok())
    };
    let deep: Vec<u32> = mask.iter().filter(inside).copied().collect();
    let candidates = if deep.len() >= SPOTS / 2 {
        &deep[..]
    } else {
        mask
    };
    let known = candidates
        .iter()
        .filter(|p| scene.depth_mm[**p as usize] > 0);
    let mut ranked: Vec<(f32, u32)> = known
        .map(|pixel| (corner(grey, [width, height], *pixel), *pixel))
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut chosen: Vec<u32> = Vec::with_capacity(SPOTS);
    for (_, pixel) in ranked {
        if chosen.len() == SPOTS {
            break;
        }
        let place = |p: u32| (i64::from(p) % width as i64, i64::from(p) / width as i64);
        let (x, y) = place(pixel);
        let is_near = |other: &u32| {
            let (u, v) = place(*other);
            (x - u).abs() < APART && (y - v).abs() < APART
        };
        if !chosen.iter().any(is_near) {
            chosen.push(pixel);
        }
    }
    chosen
}

/// The centre of a pixel.
pub(super) fn spot(pixel: u32, width: usize) -> Spot {
    (
        (pixel as usize % width) as f32,
        (pixel as usize / width) as f32,
    )
}

fn neighbours(pixel: u32, width: u32) -> impl Iterator<Item = u32> {
    [-1, 0, 1].into_iter().flat_map(move |row: i64| {
        [-1, 0, 1]
            .into_iter()
            .map(move |column: i64| (i64::from(pixel) + row * i64::from(width) + column) as u32)
    })
}

/// The smaller eigenvalue of the gradients' covariance around a pixel.
fn corner(grey: &[u8], [width, height]: [usize; 2], pixel: u32) -> f32 {
    let (x, y) = (pixel as usize % width, pixel as usize / width);
    let at = |column: usize, row: usize| f32::from(grey[row * width + column]);
    let (mut xx, mut xy, mut yy) = (0.0f32, 0.0f32, 0.0f32);
    for row in y.saturating_sub(REACH).max(1)..=(y + REACH).min(height.saturating_sub(2)) {
        for column in x.saturating_sub(REACH).max(1)..=(x + REACH).min(width.saturating_sub(2)) {
            let dx = at(column + 1, row) - at(column - 1, row);
            let dy = at(column, row + 1) - at(column, row - 1);
            xx += dx * dx;
            xy += dx * dy;
            yy += dy * dy;
        }
    }
    let spread = ((xx - yy) * (xx - yy) * 0.25 + xy * xy).sqrt();
    (xx + yy) * 0.5 - spread
}
