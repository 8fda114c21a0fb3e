//! How far scenes depart, and whether their tasks can still be done:
//! `cargo run --release -p tiller-playtable --example varied [SEEDS] [SHEET.png]` prints how often the
//! experts succeed on each axis at each strength, and draws one scene of each.

use std::error::Error;
use std::io::Cursor;
use std::path::Path;

use tiller_core::file::write_whole;
use tiller_playtable::{
    Axis, Camera, Channels, Driver, Expert, Frame, PlayTable, Renderer, Task, Variation,
};

/// Longest episode, steps of 100 ms.
const MAX_STEPS: usize = 300;
/// Axes that change the world.
const AXES: [Axis; 4] = [Axis::Position, Axis::Object, Axis::Scene, Axis::Dynamics];
/// Edge of a picture on the sheet, pixels, and its seed.
const EDGE: usize = 256;
const SHEET_SEED: u64 = 12;

#[allow(clippy::print_stdout, reason = "the table is this program's output")]
fn main() -> Result<(), Box<dyn Error>> {
    let seeds: u64 = std::env::args().nth(1).map_or(Ok(5), |text| text.parse())?;
    let mut table = PlayTable::new()?;
    if let Some(path) = std::env::args().nth(2) {
        let mut bytes = Cursor::new(Vec::new());
        sheet(&mut table)?.write_to(&mut bytes, image::ImageFormat::Png)?;
        write_whole(Path::new(&path), bytes.get_ref())?;
    }
    for axis in AXES {
        for variation in Variation::STRENGTHS.map(|strength| Variation::new(axis, strength)) {
            let mut failed = Vec::new();
            for task in Task::ALL {
                for seed in 0..seeds {
                    if !solved(&mut table, task, seed, variation)? {
                        failed.push(format!("{task}/{seed}"));
                    }
                }
            }
            let episodes = Task::ALL.len() as u64 * seeds;
            let good = episodes - failed.len() as u64;
            let name = variation.map_or(String::new(), |variation| variation.to_string());
            println!("{name:12} {good:4} of {episodes:4}  {}", failed.join(" "));
        }
    }
    Ok(())
}

fn solved(
    table: &mut PlayTable,
    task: Task,
    seed: u64,
    variation: Option<Variation>,
) -> Result<bool, Box<dyn Error>> {
    table.reset_varied(seed, &[task], variation);
    let mut driver = Driver::new(table)?;
    let mut expert = Expert::new(task, table, seed);
    for _ in 0..MAX_STEPS {
        let Some(action) = expert.act(table, driver.anchor_m()) else {
            break;
        };
        driver.execute(table, &[action], 1, 10.0)?;
    }
    Ok(table.succeeded(task))
}

/// A row for each axis, the plain scene and the three strengths side by side.
fn sheet(table: &mut PlayTable) -> Result<image::RgbImage, Box<dyn Error>> {
    let mut renderer = Renderer::new(table, EDGE, EDGE)?;
    let mut frame = Frame::default();
    let (columns, edge) = (4, EDGE as u32);
    let mut sheet = image::RgbImage::new(columns * edge, AXES.len() as u32 * edge);
    for (row, axis) in (0_u32..).zip(AXES) {
        for column in 0..columns {
            let variation = Variation::new(axis, u8::try_from(column)?);
            table.reset_varied(SHEET_SEED, &[], variation);
            let channels = Channels {
                colour: true,
                depth: false,
                segmentation: false,
            };
            renderer.render(table, Camera::Static, channels, &mut frame)?;
            for (index, pixel) in (0_u32..).zip(frame.rgb.chunks_exact(3)) {
                let (x, y) = (column * edge + index % edge, row * edge + index / edge);
                sheet.put_pixel(x, y, image::Rgb([pixel[0], pixel[1], pixel[2]]));
            }
        }
    }
    Ok(sheet)
}
