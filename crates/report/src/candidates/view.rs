//! Candidates over the scene.

use image::imageops::{FilterType, replace, resize};
use image::{Rgb, RgbImage};

use super::{CandidateView, CandidatesPicture};
use crate::field::mark::{Labels, draw_disc, draw_hand};
use crate::field::scale::{Scale, number, ticks};
use crate::field::{Axis, FAINT_INK, INK, MarkKind, ZOOM, put};
use crate::stroke::stroke;
use crate::text::{fill, width};

const PAPER: Rgb<u8> = Rgb([255; 3]);
const GRID: Rgb<u8> = Rgb([228, 228, 232]);

/// A view and where it lies, in enlarged pixels.
struct Place<'a> {
    across: &'a Axis,
    up: &'a Axis,
    rect: [i32; 4],
}

impl Place<'_> {
    fn pixel(&self, at: [f64; 2]) -> [f64; 2] {
        let share = |axis: &Axis, at: f64| (at - axis.from_m) / (axis.to_m - axis.from_m);
        let [left, top, wide, high] = self.rect.map(f64::from);
        [
            left + wide * share(self.across, at[0]),
            top + high * (1.0 - share(self.up, at[1])),
        ]
    }
}

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
    let room = room.map(|edge| edge * ZOOM);
    let [across, up] = [&view.across, &view.up].map(|axis| (axis.to_m - axis.from_m).abs());
    let per_unit = (f64::from(room[2]) / across.max(1e-9)).min(f64::from(room[3]) / up.max(1e-9));
    let [wide, high] = [across, up].map(|extent| ((extent * per_unit) as i32).max(8 * ZOOM));
    let place = Place {
        across: &view.across,
        up: &view.up,
        rect: [room[0], room[1], wide, high],
    };
    // Drawn apart, so that what leaves the view is cut off.
    let mut inner = RgbImage::from_pixel(wide as u32, high as u32, PAPER);
    match view.image {
        Some(image) => {
            inner = resize(
                &image.to_image(),
                wide as u32,
                high as u32,
                FilterType::CatmullRom,
            );
            mute(&mut inner);
        }
        None => draw_axes(picture, &mut inner, &place),
    }
    let local = Place {
        rect: [0, 0, wide, high],
        ..place
    };
    draw_paths(&mut inner, all, view, &local, scale);
    draw_marks(&mut inner, view, all.selected, &local);
    replace(picture, &inner, i64::from(room[0]), i64::from(room[1]));
    let (w, h) = (wide as u32, high as u32);
    for (at, size) in [
        ([room[0], room[1]], [w, 2]),
        ([room[0], room[1] + high - 2], [w, 2]),
        ([room[0], room[1]], [2, h]),
        ([room[0] + wide - 2, room[1]], [2, h]),
    ] {
        fill(picture, at, size, INK);
    }
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
    place: &Place<'_>,
    scale: &Scale,
) {
    let zoom = f64::from(ZOOM);
    for particle in all.order() {
        let Some(path) = view.paths.get(particle).filter(|path| path.len() > 1) else {
            continue;
        };
        let points: Vec<[f64; 2]> = path.iter().map(|at| place.pixel(*at)).collect();
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

fn draw_marks(
    picture: &mut RgbImage,
    view: &CandidateView<'_>,
    selected: usize,
    place: &Place<'_>,
) {
    let [_, _, wide, high] = place.rect;
    let seen: Vec<_> = view
        .marks
        .iter()
        .map(|mark| (mark, place.pixel(mark.at_m).map(|at| at.round() as i32)))
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
    taken.extend(end.map(|at| (place.pixel(*at).map(|at| at.round() as i32), true)));
    let mut labels = Labels::new(place.rect, &taken);
    for (mark, at) in seen {
        let text = match mark.kind {
            MarkKind::Other(index) => format!("{index} {}", mark.label),
            _ => mark.label.clone(),
        };
        labels.write(picture, at, text.trim_end(), matters(mark.kind));
    }
}

/// Ticks in metres around the view, and faint lines in it.
fn draw_axes(picture: &mut RgbImage, inner: &mut RgbImage, place: &Place<'_>) {
    let [left, top, wide, high] = place.rect;
    let (across, up) = (place.across, place.up);
    let at = ticks(
        across.from_m,
        across.to_m,
        (wide / ZOOM / 80).max(1) as usize,
    );
    for &value in &at {
        let x = place.pixel([value, up.from_m])[0] as i32;
        fill(inner, [x - left - 1, 0], [2, high as u32], GRID);
        fill(picture, [x - 1, top + high], [2, 10], INK);
        let text = number(value, &at);
        let half = width(&text, 15.0) as i32 / 2;
        let corner = [x / ZOOM - half, (top + high) / ZOOM + 6];
        put(picture, corner, 15.0, 80, INK, &text);
    }
    let at = ticks(up.from_m, up.to_m, (high / ZOOM / 50).max(1) as usize);
    for &value in &at {
        let y = place.pixel([across.from_m, value])[1] as i32;
        fill(inner, [0, y - top - 1], [wide as u32, 2], GRID);
        fill(picture, [left - 10, y - 1], [10, 2], INK);
        let text = number(value, &at);
        let corner = [left / ZOOM - 9 - width(&text, 15.0) as i32, y / ZOOM - 9];
        put(picture, corner, 15.0, 80, INK, &text);
    }
    let text = format!("{}, m", across.name);
    let corner = [
        (left + wide / 2) / ZOOM - width(&text, 16.0) as i32 / 2,
        (top + high) / ZOOM + 25,
    ];
    put(picture, corner, 16.0, 300, FAINT_INK, &text);
    let corner = [(left / ZOOM - 66).max(4), (top + high / 2) / ZOOM - 30];
    put(
        picture,
        corner,
        16.0,
        80,
        FAINT_INK,
        &format!("{}, m", up.name),
    );
}
