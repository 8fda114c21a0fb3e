//! Labelled pictures of the table in random looks, to train and try detectors on:
//! `cargo run --release -p tiller-playtable --example scenes -- FOLDER SCENES [FIRST_SEED] [SIDE]`.
//!
//! Four pictures a scene. FOLDER gets `N.png` (colour), `N-labels.png` (label ids), `N-depth.png` (mm) and `N.json`
//! (the camera) for each, and `labels.json`, the names of the ids.

use std::error::Error;
use std::path::PathBuf;

use image::{GrayImage, ImageBuffer, Luma, RgbImage};
use tiller_playtable::{Frame, Scenery, labels};

#[allow(clippy::print_stderr, reason = "progress of a long run")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "expected FOLDER SCENES [FIRST_SEED] [SIDE]";
    let folder = PathBuf::from(arguments.next().ok_or(usage)?);
    let scenes: u64 = arguments.next().ok_or(usage)?.parse()?;
    let first: u64 = arguments
        .next()
        .map_or(Ok(2_000_000), |text| text.parse())?;
    let side: usize = arguments.next().map_or(Ok(256), |text| text.parse())?;
    std::fs::create_dir_all(&folder)?;
    let named = labels()
        .iter()
        .map(|(id, name)| format!("\"{id}\": \"{name}\""));
    let names = named.collect::<Vec<_>>().join(", ");
    std::fs::write(folder.join("labels.json"), format!("{{{names}}}\n"))?;
    let mut scenery = Scenery::new([side, side])?;
    let mut number = 0;
    for seed in first..first + scenes {
        scenery.scene(seed, |frame| {
            let saved = save(&folder, number, frame);
            number += 1;
            saved
        })?;
        if (seed - first) % 50 == 49 {
            eprintln!("{} of {scenes} scenes", seed - first + 1);
        }
    }
    Ok(())
}

fn save(folder: &std::path::Path, number: usize, frame: &Frame) -> Result<(), Box<dyn Error>> {
    let size = "a frame has as many pixels as it says";
    let (width, height) = (u32::try_from(frame.width)?, u32::try_from(frame.height)?);
    let colour = RgbImage::from_raw(width, height, frame.rgb.clone()).ok_or(size)?;
    colour.save(folder.join(format!("{number:06}.png")))?;
    let ids = GrayImage::from_raw(width, height, frame.segmentation.clone()).ok_or(size)?;
    ids.save(folder.join(format!("{number:06}-labels.png")))?;
    let depth: ImageBuffer<Luma<u16>, _> =
        ImageBuffer::from_raw(width, height, frame.depth_mm.clone()).ok_or(size)?;
    depth.save(folder.join(format!("{number:06}-depth.png")))?;
    let geometry = &frame.geometry;
    let camera = format!(
        "{{\"focal\": {:?}, \"principal_point\": {:?}, \"world_from_camera\": {:?}}}\n",
        geometry.focal, geometry.principal_point, geometry.world_from_camera
    );
    std::fs::write(folder.join(format!("{number:06}.json")), camera)?;
    Ok(())
}
