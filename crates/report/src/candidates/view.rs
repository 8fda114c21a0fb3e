//! Candidates over the scene.

use image::imageops::{FilterType, replace, resize};
use image::{Rgb, RgbImage};

use super::{CandidateView, CandidatesPicture};
use crate::MarkKind;
use crate::mark::{Labels, draw_disc, draw_hand};
use crate::plane::Plane;
use crate::scale::Scale;
use crate::sheet::{INK, PAPER, ZOOM, put};
use crate::stroke::stroke;
use crate::text::fill;

const GRID: Rgb<u8> = Rgb([228, 228, 232]);

/// Draws one view into a room; both axes have the same scale.
pub(super) fn draw(
    picture: &mut RgbImage,
    all: &CandidatesPicture<'_>,
    view: &CandidateView<'_>,
    room: [i32; 4],
    scale: &Scale,
) {
    put(
        picture,
        [room[0], room[1] - 28],
        19.0,
        620,
        INK,
        &view.title,
    );
    let plane = Plane::fit(view.across, view.up, room.map(|edge| edge * ZOOM));
    let [left, top, wide, high] = plane.rect;
    let [columns, rows] = [wide, high].map(|edge| edge as u32);
    // Drawn apart, so that what leaves the view is cut off.
    let mut inner = match view.image {
        Some(image) => {
            let mut inner = resize(&image.to_image(), columns, rows, FilterType::CatmullRom);
            mute(&mut inner);
            inner
        }
        None => RgbImage::from_pixel(columns, rows, PAPER),
    };
    if view.image.is_none() {
        let [across, up] = plane.draw_axes(picture);
        for x in across {
            fill(&mut inner, [x - left - 1, 0], [2, rows], GRID);
        }
        for y in up {
            fill(&mut inner, [0, y - top - 1], [columns, 2], GRID);
        }
    }
    let local = Plane {
        rect: [0, 0, wide, high],
        ..plane
    };
    draw_paths(&mut inner, all, view, &local, scale);
    draw_marks(&mut inner, view, all.selected, &local);
    replace(picture, &inner, i64::from(left), i64::from(top));
    plane.draw_edges(picture);
}

/// Takes colour out of the scene, so that the candidates have it for themselves.
fn mute(image: &mut RgbImage) {
    for pixel in image.pixels_mut() {
        let [r, g, b] = pixel.0.map(f32::from);
        let grey = 0.3 * r + 0.59 * g + 0.11 * b;
        pixel.0 = [r, g, b].map(|channel| (0.6 * channel + 0.28 * grey + 0.12 * 255.0) as u8);
    }
}

fn draw_paths(
    picture: &mut RgbImage,
    all: &CandidatesPicture<'_>,
    view: &CandidateView<'_>,
    plane: &Plane,
    scale: &Scale,
) {
    let zoom = f64::from(ZOOM);
    for particle in all.order() {
        let Some(path) = view.paths.get(particle).filter(|path| path.len() > 1) else {
            continue;
        };
        let points: Vec<[f64; 2]> = path.iter().map(|at| plane.pixel(*at)).collect();
        let is_executed = particle == all.selected;
        let (wide, edge) = if is_executed { (5.0, 2.4) } else { (2.6, 1.4) };
        let casing = if is_executed { PAPER } else { INK };
        if is_executed {
            stroke(picture, &points, (wide + 2.0 * edge + 2.0) * zoom, INK, 1.0);
        }
        stroke(
            picture,
            &points,
            (wide + edge) * zoom,
            casing,
            if is_executed { 1.0 } else { 0.65 },
        );
        let colour = all.colour(particle, scale);
        stroke(picture, &points, wide * zoom, colour, 1.0);
        let Some(&end) = points.last() else { continue };
        let (ring, dot) = if is_executed { (15.0, 9.5) } else { (7.6, 5.6) };
        stroke(picture, &[end, end], ring * zoom, INK, 1.0);
        if is_executed {
            stroke(picture, &[end, end], (ring - 2.5) * zoom, PAPER, 1.0);
        }
        stroke(picture, &[end, end], dot * zoom, colour, 1.0);
    }
}

fn draw_marks(picture: &mut RgbImage, view: &CandidateView<'_>, selected: usize, plane: &Plane) {
    let [_, _, wide, high] = plane.rect;
    let seen: Vec<_> = view
        .marks
        .iter()
        .map(|mark| (mark, plane.pixel(mark.at_m).map(|at| at.round() as i32)))
        .filter(|(_, [x, y])| (0..wide).contains(x) && (0..high).contains(y))
        .collect();
    for layer in 0..3 {
        for &(mark, at) in &seen {
            match (mark.kind, layer) {
                (MarkKind::Other(_), 0) => draw_disc(picture, at, "", false),
                (MarkKind::Hand, 1) => draw_hand(picture, at),
                (MarkKind::Used(index), 2) => draw_disc(picture, at, &index.to_string(), true),
                _ => {}
            }
        }
    }
    let matters = |kind: MarkKind| !matches!(kind, MarkKind::Other(_));
    let mut taken: Vec<_> = seen
        .iter()
        .map(|(mark, at)| (*at, matters(mark.kind)))
        .collect();
    // Where the executed chunk leads must be seen.
    let end = view.paths.get(selected).and_then(|path| path.last());
    taken.extend(end.map(|at| (plane.pixel(*at).map(|at| at.round() as i32), true)));
    let mut labels = Labels::new(plane.rect, &taken);
    for (mark, at) in seen {
        let text = match mark.kind {
            MarkKind::Other(index) => format!("{index} {}", mark.label),
            _ => mark.label.clone(),
        };
        labels.write(picture, at, text.trim_end(), matters(mark.kind));
    }
}
