//! Numbers, lines and pictures of fields whose shape is known.

use super::contour::contour;
use super::*;
use crate::scale::{Scale, colour, number, ticks};
use image::Rgb;

const COLUMNS: usize = 81;
const ROWS: usize = 51;

/// The negative distance from a point, over 0.8 m x 0.5 m.
fn hill(peak: [f64; 2]) -> Slice {
    let values = (0..ROWS * COLUMNS).map(|index| {
        let x = 0.01 * (index % COLUMNS) as f64 - 0.4;
        let y = 0.01 * (index / COLUMNS) as f64;
        -(x - peak[0]).hypot(y - peak[1])
    });
    Slice {
        across: Axis {
            name: "y",
            from_m: -0.4,
            to_m: 0.4,
        },
        up: Axis {
            name: "z",
            from_m: 0.0,
            to_m: 0.5,
        },
        columns: COLUMNS,
        values: values.collect(),
        ..Slice::default()
    }
}

fn picture(slice: Slice) -> FieldPicture {
    FieldPicture {
        title: "a hill".to_owned(),
        quantity: "reward".to_owned(),
        slices: [slice.clone(), slice],
        ..FieldPicture::default()
    }
}

/// Pixel of a point in the first panel.
fn pixel(at_m: [f64; 2]) -> [u32; 2] {
    let [left, top, width, _] = PANELS[0].map(f64::from);
    let per_m = width / 0.8;
    [
        left + (at_m[0] + 0.4) * per_m,
        top + (0.5 - at_m[1]) * per_m,
    ]
    .map(|place| place as u32)
}

fn brightness(image: &RgbImage, [x, y]: [u32; 2]) -> u32 {
    image
        .get_pixel(x, y)
        .0
        .iter()
        .map(|&channel| u32::from(channel))
        .sum()
}

#[test]
fn the_peak_is_the_brightest_place() {
    let image = picture(hill([0.2, 0.1])).draw();
    assert_eq!([image.width(), image.height()], SIZE);
    let peak = brightness(&image, pixel([0.2, 0.1]));
    // Off the lines of equal value, which are paler than their surroundings.
    for other in [[-0.23, 0.1], [0.2, 0.36], [-0.38, 0.45], [0.13, 0.1]] {
        assert!(brightness(&image, pixel(other)) + 20 < peak, "{other:?}");
    }
}

#[test]
fn one_singular_point_does_not_flatten_the_picture() {
    let mut slice = hill([0.0, 0.2]);
    let plain = Scale::of(slice.values.iter().copied());
    assert!(!plain.cut_above && !plain.cut_below);
    slice.values[7] = 1e9;
    slice.values[900] = f64::NAN;
    slice.values[901] = f64::NEG_INFINITY;
    let scale = Scale::of(slice.values.iter().copied());
    assert!(scale.cut_above && !scale.cut_below);
    assert!(scale.high < 0.0 && scale.low >= plain.low, "{scale:?}");

    let image = picture(slice).draw();
    let hole = pixel([
        -0.4 + 0.01 * (900 % COLUMNS) as f64,
        0.01 * (900 / COLUMNS) as f64,
    ]);
    let [r, g, b] = image.get_pixel(hole[0], hole[1]).0;
    assert!(
        r.abs_diff(g) < 8 && g.abs_diff(b) < 8,
        "a hole is grey: {r} {g} {b}"
    );
}

#[test]
fn a_field_without_spread_or_values_is_drawn() {
    let mut slice = hill([0.0, 0.2]);
    slice.values.fill(3.0);
    assert_eq!(Scale::of(slice.values.iter().copied()).low, 3.0);
    assert_eq!(picture(slice.clone()).draw().height(), SIZE[1]);
    slice.values.fill(f64::NAN);
    assert_eq!(picture(slice).draw().height(), SIZE[1]);
    assert_eq!(FieldPicture::default().draw().height(), SIZE[1]);
}

#[test]
fn arrows_and_marks_leave_ink() {
    let blank = picture(hill([0.2, 0.1])).draw();
    let mut slice = hill([0.2, 0.1]);
    slice.arrows.push(Arrow {
        at_m: [-0.2, 0.3],
        rise: [1.0, -0.5],
    });
    slice.marks.push(Mark {
        at_m: [0.2, 0.1],
        kind: MarkKind::Used(3),
        label: "handle".to_owned(),
    });
    let image = picture(slice).draw();
    let changed = |at_m| pixel(at_m).map(|place| place - 4);
    for at_m in [[-0.2, 0.3], [0.2, 0.1]] {
        let [x, y] = changed(at_m);
        let differ = (0..81).any(|i| {
            image.get_pixel(x + i % 9, y + i / 9) != blank.get_pixel(x + i % 9, y + i / 9)
        });
        assert!(differ, "{at_m:?}");
    }
}

#[test]
fn lines_of_a_hill_are_circles() {
    let slice = hill([0.0, 0.25]);
    let pieces = contour(&slice.values, COLUMNS, -0.1);
    assert!(pieces.len() > 40, "{}", pieces.len());
    for [column, row] in pieces.into_iter().flatten() {
        let radius = (0.01 * column - 0.4).hypot(0.01 * row - 0.25);
        assert!((radius - 0.1).abs() < 1e-3, "{radius}");
    }
}

#[test]
fn ticks_are_round() {
    let at = ticks(-0.4, 0.4, 8);
    let text: Vec<String> = at.iter().map(|value| number(*value, &at)).collect();
    assert_eq!(
        text,
        [
            "-0.4", "-0.3", "-0.2", "-0.1", "0.0", "0.1", "0.2", "0.3", "0.4"
        ]
    );
    assert_eq!(ticks(0.75, 0.25, 5), ticks(0.25, 0.75, 5));
    assert!(ticks(1.0, 1.0, 5).is_empty() && ticks(0.0, f64::INFINITY, 5).is_empty());
    assert_eq!(number(1234.0, &[1000.0, 1234.0]), "1234");
    assert_eq!(colour(0.0), Rgb([68, 1, 84]));
    assert_eq!(colour(1.0), Rgb([253, 231, 37]));
}
