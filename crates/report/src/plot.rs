//! Reward, progress and guidance strength over time.

use std::sync::OnceLock;

use image::RgbImage;
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};

use crate::record::{Recorder, Sample};
use crate::summary::spans;
use crate::text::{FONT, stage_colour};

const SIZE: (u32, u32) = (1000, 960);
const TITLE: u32 = 36;
const FAMILY: &str = "report";

/// One curve: name, colour, pieces of points (seconds, value).
struct Curve {
    name: &'static str,
    colour: RGBColor,
    pieces: Vec<Vec<(f64, f64)>>,
}

impl Curve {
    /// The curve breaks where the stage changes or has no value: another stage measures something
    /// else, and a line between the two would say nothing.
    fn new(
        recorder: &Recorder,
        name: &'static str,
        colour: RGBColor,
        value: impl Fn(&Sample) -> Option<f64>,
    ) -> Self {
        let mut pieces = vec![Vec::new()];
        let mut stage = None;
        for sample in &recorder.samples {
            let value = value(sample).filter(|value| value.is_finite());
            if value.is_none() || stage != Some(sample.stage) {
                pieces.push(Vec::new());
            }
            stage = Some(sample.stage);
            if let (Some(value), Some(piece)) = (value, pieces.last_mut()) {
                piece.push((recorder.seconds(sample.stamp_ns), value));
            }
        }
        pieces.retain(|piece| !piece.is_empty());
        Self {
            name,
            colour,
            pieces,
        }
    }
}

/// Draws the three panels.
pub(crate) fn draw(recorder: &Recorder) -> Result<RgbImage, String> {
    font()?;
    let mut pixels = vec![255; (SIZE.0 * SIZE.1 * 3) as usize];
    draw_into(recorder, &mut pixels).map_err(|error| error.to_string())?;
    RgbImage::from_raw(SIZE.0, SIZE.1, pixels).ok_or_else(|| "wrong size".to_owned())
}

/// The plotting library keeps fonts in a global table.
fn font() -> Result<(), String> {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    let usable = *REGISTERED.get_or_init(|| register_font(FAMILY, FontStyle::Normal, FONT).is_ok());
    if usable {
        Ok(())
    } else {
        Err("the built-in font cannot be read".to_owned())
    }
}

fn draw_into(recorder: &Recorder, pixels: &mut [u8]) -> Result<(), Box<dyn std::error::Error>> {
    let root = BitMapBackend::with_buffer(pixels, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let title = format!("“{}”", recorder.info.instruction);
    root.draw_text(&title, &(FAMILY, 22).into_text_style(&root), (70, 10))?;
    let (_, panels) = root.split_vertically(TITLE);
    let blue = RGBColor(0, 90, 160);
    let (green, red) = (RGBColor(0, 128, 90), RGBColor(200, 70, 0));
    let rows = panels.split_evenly((3, 1));
    let reward = [Curve::new(
        recorder,
        "reward of the selected chunk",
        blue,
        |s| Some(s.reward),
    )];
    panel(recorder, &rows[0], "reward", &reward, None, true)?;
    let progress = [
        Curve::new(recorder, "planned", blue, |s| Some(s.planned)),
        Curve::new(recorder, "achieved", green, |s| Some(s.achieved)),
        Curve::new(recorder, "done (complete at 0)", red, |s| {
            s.done.map(|done| done.clamp(-0.3, 1.3))
        }),
    ];
    panel(
        recorder,
        &rows[1],
        "progress",
        &progress,
        Some(-0.3..1.3),
        false,
    )?;
    let strength = [Curve::new(recorder, "guidance strength", red, |s| {
        Some(s.strength)
    })];
    panel(recorder, &rows[2], "strength", &strength, None, false)?;
    root.present()?;
    Ok(())
}

fn panel<DB: DrawingBackend>(
    recorder: &Recorder,
    area: &DrawingArea<DB, plotters::coord::Shift>,
    label: &str,
    curves: &[Curve],
    range: Option<std::ops::Range<f64>>,
    name_stages: bool,
) -> Result<(), Box<dyn std::error::Error>>
where
    DB::ErrorType: 'static,
{
    let end = recorder.seconds(recorder.end_ns()).max(0.1);
    let values = range.unwrap_or_else(|| extent(curves));
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .margin_right(16)
        .x_label_area_size(38)
        .y_label_area_size(62)
        .build_cartesian_2d(0.0..end, values.clone())?;
    for span in spans(recorder) {
        let [r, g, b] = stage_colour(span.stage).0;
        let corners = [(span.start_s, values.start), (span.end_s, values.end)];
        chart.draw_series([Rectangle::new(
            corners,
            RGBColor(r, g, b).mix(0.22).filled(),
        )])?;
    }
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .y_label_formatter(&|value| tick(*value))
        .x_label_formatter(&|value| tick(*value))
        .x_desc("time, s")
        .y_desc(label)
        .label_style((FAMILY, 15))
        .axis_desc_style((FAMILY, 16))
        .draw()?;
    for curve in curves {
        let colour = curve.colour;
        for (index, piece) in curve.pieces.iter().enumerate() {
            let line = LineSeries::new(piece.iter().copied(), colour.stroke_width(2));
            let drawn = chart.draw_series(line)?;
            if index == 0 {
                drawn.label(curve.name).legend(move |(x, y)| {
                    PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(3))
                });
            }
        }
    }
    if name_stages {
        name(recorder, &mut chart, &values, end)?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .label_font((FAMILY, 15))
        .draw()?;
    Ok(())
}

type Chart<'a, DB> = ChartContext<
    'a,
    DB,
    Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
>;

/// Writes number and name of each stage at the top of its band; the name only where it fits.
fn name<DB: DrawingBackend>(
    recorder: &Recorder,
    chart: &mut Chart<'_, DB>,
    values: &std::ops::Range<f64>,
    end: f64,
) -> Result<(), Box<dyn std::error::Error>>
where
    DB::ErrorType: 'static,
{
    const LETTER: f64 = 8.0;
    let plot_width = f64::from(SIZE.0) - 86.0;
    let top = values.end - 0.03 * (values.end - values.start);
    for span in spans(recorder) {
        let room = ((span.end_s - span.start_s) / end * plot_width / LETTER) as usize;
        let full = format!("{}: {}", span.stage, span.description);
        let text = if full.chars().count() <= room {
            full
        } else if room > 12 {
            full.chars().take(room - 1).chain(['…']).collect()
        } else {
            span.stage.to_string()
        };
        let at = (span.start_s + 0.004 * end, top);
        chart.draw_series([Text::new(text, at, (FAMILY, 15).into_font())])?;
    }
    Ok(())
}

/// A tick's number, without the sign of a zero.
fn tick(value: f64) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

/// The range of the values with some air; never empty.
fn extent(curves: &[Curve]) -> std::ops::Range<f64> {
    let values = || {
        curves
            .iter()
            .flat_map(|curve| curve.pieces.iter().flatten().map(|point| point.1))
    };
    let (low, high) = values().fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)));
    if low > high {
        return 0.0..1.0;
    }
    let air = (0.12 * (high - low)).max(1e-3 * high.abs()).max(1e-6);
    low - air..high + air
}
