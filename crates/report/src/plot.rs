//! Reward, progress and guidance strength over time.

use std::ops::Range;
use std::sync::OnceLock;

use image::RgbImage;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};
use tiller_core::visible;

use crate::curve::{Curve, Run, extent};
use crate::record::{Recorder, Sample};
use crate::summary::spans;
use crate::text::{FONT, stage_colour};

const SIZE: (u32, u32) = (1000, 960);
const TITLE: u32 = 36;
const LEGEND: u32 = 22;
const FAMILY: &str = "report";
/// Progress is clamped to [-0.2, 1.2] where it is measured.
const PROGRESS: Range<f64> = -0.3..1.3;
const STRENGTH: Range<f64> = 0.0..1.08;

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
    let title = format!("“{}”", visible(&recorder.info.instruction));
    root.draw_text(&title, &(FAMILY, 22).into_text_style(&root), (70, 10))?;
    let (_, panels) = root.split_vertically(TITLE);
    let blue = RGBColor(0, 90, 160);
    let (green, red) = (RGBColor(0, 128, 90), RGBColor(200, 70, 0));
    let rows = panels.split_evenly((3, 1));
    let reward = [Curve::new(
        recorder,
        "reward of the selected chunk",
        blue,
        Run::Level,
        |s| Some(s.reward),
    )];
    panel(recorder, &rows[0], "reward", &reward, extent(&reward), true)?;
    let done = |s: &Sample| s.done.map(|done| done.clamp(PROGRESS.start, PROGRESS.end));
    let progress = [
        Curve::new(recorder, "planned", blue, Run::Level, |s| Some(s.planned)),
        Curve::new(recorder, "achieved", green, Run::Straight, |s| {
            Some(s.achieved)
        }),
        Curve::new(recorder, "done (complete at 0)", red, Run::Straight, done),
    ];
    panel(recorder, &rows[1], "progress", &progress, PROGRESS, false)?;
    let strength = [Curve::new(
        recorder,
        "guidance strength",
        red,
        Run::Level,
        |s| Some(s.strength),
    )];
    panel(recorder, &rows[2], "strength", &strength, STRENGTH, false)?;
    root.present()?;
    Ok(())
}

fn panel<DB: DrawingBackend>(
    recorder: &Recorder,
    area: &DrawingArea<DB, Shift>,
    label: &str,
    curves: &[Curve],
    values: Range<f64>,
    name_stages: bool,
) -> Result<(), Box<dyn std::error::Error>>
where
    DB::ErrorType: 'static,
{
    let end = recorder.seconds(recorder.end_ns()).max(0.1);
    let (header, body) = area.split_vertically(LEGEND);
    legend(&header, curves)?;
    let mut chart = ChartBuilder::on(&body)
        .margin_left(8)
        .margin_bottom(4)
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
        for piece in &curve.pieces {
            let line = piece.iter().copied();
            chart.draw_series(LineSeries::new(line, colour.stroke_width(2)))?;
        }
    }
    if name_stages {
        name(recorder, &mut chart, &values, end)?;
    }
    Ok(())
}

/// Names the curves above the panel, where they cover nothing.
fn legend<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    curves: &[Curve],
) -> Result<(), Box<dyn std::error::Error>>
where
    DB::ErrorType: 'static,
{
    let style = (FAMILY, 15).into_text_style(area);
    let mut x = 74;
    for curve in curves {
        let line = [(x, 11), (x + 22, 11)];
        area.draw(&PathElement::new(line, curve.colour.stroke_width(3)))?;
        area.draw_text(curve.name, &style, (x + 28, 3))?;
        let (width, _) = area.estimate_text_size(curve.name, &style)?;
        x += 28 + width as i32 + 24;
    }
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
    values: &Range<f64>,
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
        let full = format!("{}: {}", span.stage, visible(&span.description));
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
