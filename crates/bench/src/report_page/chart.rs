//! Plots as inline SVG. Places along x are percent of the width, so that a plot fills a phone as well
//! as a screen while letters and lines keep their size.

use super::model::{Curve, STRENGTHS};
use super::stats::{Difference, Histogram, rate};
use crate::Cell;
use tiller_core::wilson::interval;

/// Height of a row's plot, pixels.
const ROW: u32 = 18;
/// Plot area of a curve, pixels from the top.
const CURVE: (f64, f64) = (12.0, 152.0);
/// Where strengths stand, percent.
const CURVE_X: (f64, f64) = (16.0, 90.0);
/// Height of a histogram's bars, pixels.
const BARS: f64 = 72.0;

/// Class that gives a method its colour.
pub(super) fn colour(method: &str) -> &'static str {
    match method {
        "full" => "m-full",
        "unsteered" => "m-unsteered",
        "best_of_n" => "m-best",
        "gradient" => "m-gradient",
        "resampling" => "m-resampling",
        _ => "m-other",
    }
}

/// A bar from 0 to the rate, with a whisker over its interval.
pub(super) fn bar(cell: Cell, method: &str) -> String {
    let (low, high) = interval(cell.successes, cell.trials);
    let middle = f64::from(ROW) / 2.0;
    let mut svg = format!(
        r#"<svg class="row {}" width="100%" height="{ROW}" role="img" aria-label="{:.0} percent">"#,
        colour(method),
        100.0 * rate(cell)
    );
    svg.push_str(r#"<rect class="track" width="100%" height="100%" rx="3"/>"#);
    svg.push_str(&format!(
        r#"<rect class="fill" width="{}" height="100%" rx="3"/>"#,
        percent(rate(cell))
    ));
    if cell.trials > 0 {
        svg.push_str(&whisker(percent(low), percent(high), middle));
    }
    svg.push_str("</svg>");
    svg
}

fn whisker(low: String, high: String, y: f64) -> String {
    let line = |x1: &str, x2: &str, y1: f64, y2: f64| {
        format!(r#"<line class="whisker" x1="{x1}" x2="{x2}" y1="{y1}" y2="{y2}"/>"#)
    };
    [
        line(&low, &high, y, y),
        line(&low, &low, y - 3.0, y + 3.0),
        line(&high, &high, y - 3.0, y + 3.0),
    ]
    .concat()
}

/// A difference as a dot with its interval, on an axis from `-reach` to `reach`.
pub(super) fn difference(difference: Difference, reach: f64, method: &str) -> String {
    let x = |value: f64| percent(0.5 + 0.5 * value / reach);
    let middle = f64::from(ROW) / 2.0;
    format!(
        r#"<svg class="row {}" width="100%" height="{ROW}" role="img" aria-label="{:+.0} points"><rect class="track" width="100%" height="100%" rx="3"/><line class="zero" x1="50%" x2="50%" y1="0" y2="{ROW}"/>{}<circle class="dot" cx="{}" cy="{middle}" r="4.5"/></svg>"#,
        colour(method),
        100.0 * difference.value,
        whisker(x(difference.low), x(difference.high), middle),
        x(difference.value),
    )
}

/// Shares side by side in one bar.
pub(super) fn shares(shares: &[(&str, f64)]) -> String {
    let mut svg = format!(r#"<svg class="row" width="100%" height="{ROW}" role="img">"#);
    let mut at = 0.0;
    for (index, (name, share)) in shares.iter().enumerate() {
        svg.push_str(&format!(
            r#"<rect class="s{index}" x="{}" width="{}" height="100%"><title>{name} {:.0} %</title></rect>"#,
            percent(at),
            percent(*share),
            100.0 * share
        ));
        at += share;
    }
    svg.push_str("</svg>");
    svg
}

/// Success over strength, a line for each method.
pub(super) fn curves(curves: &[&Curve]) -> String {
    let (top, bottom) = CURVE;
    let mut svg = format!(
        r#"<svg class="curve" width="100%" height="{}" role="img" aria-label="success over strength">"#,
        bottom + 24.0
    );
    let y = |rate: f64| bottom - rate * (bottom - top);
    for share in [0.0, 0.5, 1.0] {
        svg.push_str(&format!(
            r#"<line class="grid" x1="13%" x2="97%" y1="{0}" y2="{0}"/><text class="tick end" x="11.5%" y="{1}">{2:.0} %</text>"#,
            y(share),
            y(share) + 4.0,
            100.0 * share
        ));
    }
    for strength in 0..STRENGTHS {
        let name = if strength == 0 {
            "0 (as trained)".to_owned()
        } else {
            strength.to_string()
        };
        svg.push_str(&format!(
            r#"<text class="tick mid" x="{}" y="{}">{name}</text>"#,
            place(strength),
            bottom + 17.0
        ));
    }
    for (index, curve) in curves.iter().enumerate() {
        // Side by side, so that the whiskers of equal rates do not hide each other.
        let shift = 5.0 * (index as f64 - (curves.len() as f64 - 1.0) / 2.0);
        svg.push_str(&format!(
            r#"<g class="{}" transform="translate({shift},0)">"#,
            colour(&curve.method)
        ));
        let points: Vec<(usize, Cell)> = curve
            .rates
            .iter()
            .copied()
            .enumerate()
            .filter(|(_, cell)| cell.trials > 0)
            .collect();
        for pair in points.windows(2) {
            if let [(a, from), (b, to)] = pair {
                svg.push_str(&format!(
                    r#"<line class="path" x1="{}" x2="{}" y1="{:.1}" y2="{:.1}"/>"#,
                    place(*a),
                    place(*b),
                    y(rate(*from)),
                    y(rate(*to))
                ));
            }
        }
        for (strength, cell) in points {
            let (low, high) = interval(cell.successes, cell.trials);
            svg.push_str(&format!(
                r#"<line class="spread" x1="{0}" x2="{0}" y1="{1:.1}" y2="{2:.1}"/><circle class="dot" cx="{0}" cy="{3:.1}" r="3.5"/>"#,
                place(strength),
                y(low),
                y(high),
                y(rate(cell))
            ));
        }
        svg.push_str("</g>");
    }
    svg.push_str("</svg>");
    svg
}

fn place(strength: usize) -> String {
    let (first, last) = CURVE_X;
    let share = strength as f64 / (STRENGTHS - 1) as f64;
    format!("{:.2}%", first + share * (last - first))
}

/// Bars with marks at the median and at the 95 % quantile.
pub(super) fn histogram(histogram: &Histogram, method: &str) -> String {
    let most = histogram.bins.iter().copied().max().unwrap_or(0).max(1) as f64;
    let step = 1.0 / histogram.bins.len().max(1) as f64;
    let mut svg = format!(
        r#"<svg class="histogram {}" width="100%" height="{}" role="img" aria-label="histogram">"#,
        colour(method),
        BARS + 18.0
    );
    for (index, count) in histogram
        .bins
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
    {
        let height = (BARS * *count as f64 / most).max(1.0);
        svg.push_str(&format!(
            r#"<rect class="fill" x="{}" width="{}" y="{:.1}" height="{height:.1}"/>"#,
            percent(index as f64 * step + 0.06 * step),
            percent(0.88 * step),
            BARS - height
        ));
    }
    for (class, value) in [("median", histogram.median), ("p95", histogram.p95)] {
        svg.push_str(&format!(
            r#"<line class="{class}" x1="{0}" x2="{0}" y1="0" y2="{BARS}"/>"#,
            percent(value / histogram.end())
        ));
    }
    svg.push_str(&format!(
        r#"<line class="axis" x1="0" x2="100%" y1="{BARS}" y2="{BARS}"/><text class="tick" x="0" y="{0}">0</text><text class="tick end" x="100%" y="{0}">{1} ms</text></svg>"#,
        BARS + 14.0,
        number(histogram.end())
    ));
    svg
}

/// As many digits as say something.
pub(super) fn number(value: f64) -> String {
    match value {
        v if v >= 99.5 => format!("{v:.0}"),
        v if v >= 9.95 => format!("{v:.1}"),
        v if v >= 0.0995 => format!("{v:.2}"),
        v => format!("{v:.3}"),
    }
}

fn percent(share: f64) -> String {
    format!("{:.2}%", 100.0 * share.clamp(0.0, 1.0))
}
