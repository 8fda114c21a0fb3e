//! Writes where grounding sees every thing, to be compared with where it is, one JSON line a scene:
//! `keypoints PACKS SEEDS TASKS CAMERA [PICTURES]`. TASKS are ids with commas between; into the folder PICTURES go
//! the scenes in colour and by their labels.

use std::io::Write as _;
use std::path::Path;

use serde_json::json;
use tiller_author_testing::view;
use tiller_grounding::{Grounder, GroundingConfig};
use tiller_libero::{Channels, Frame, kind};
use tiller_world::{EpisodeSpec, World, WorldKind};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let packs = arguments.next().ok_or("PACKS")?;
    let seeds: u64 = arguments.next().ok_or("SEEDS")?.parse()?;
    let tasks = arguments.next().ok_or("TASKS")?;
    let camera = arguments.next().ok_or("CAMERA")?;
    let pictures = arguments.next();
    let kind = kind(Path::new(&packs))?;
    let mut world = kind.world();
    for id in tasks.split(',') {
        for seed in 0..seeds {
            world.reset(&EpisodeSpec {
                tasks: vec![id.to_owned()],
                seed,
                ..EpisodeSpec::default()
            })?;
            let mut frame = Frame::default();
            world.look(&camera, [256; 2], Channels::ALL, &mut frame)?;
            let labels = &kind.info().labels;
            if let Some(folder) = &pictures {
                let colour = |label: u8| {
                    let hash = u32::from(label).wrapping_mul(0x9E37_79B1);
                    [(hash >> 24) as u8, (hash >> 16) as u8, (hash >> 8) as u8]
                };
                let parts: Vec<u8> = frame
                    .segmentation
                    .iter()
                    .flat_map(|l| if *l == 0 { [0; 3] } else { colour(*l) })
                    .collect();
                for (name, pixels) in [("rgb", frame.rgb.clone()), ("labels", parts)] {
                    image::RgbImage::from_raw(256, 256, pixels)
                        .ok_or("size")?
                        .save(format!("{folder}/{id}_{seed}_{camera}_{name}.png"))?;
                }
            }
            let view = view(&frame, labels);
            let mut grounder = Grounder::new(GroundingConfig {
                ignored: vec!["robot".to_owned()],
                ..Default::default()
            })?;
            let found = grounder.ground(&view)?;
            let pixels = |name: &str| {
                let id = labels
                    .iter()
                    .find(|(_, known)| known == name)
                    .map_or(0, |l| l.0);
                frame.segmentation.iter().filter(|l| **l == id).count()
            };
            let found: serde_json::Map<_, _> = found
                .iter()
                .map(|k| (k.name.clone(), json!([pixels(&k.name), k.position_m])))
                .collect();
            let qpos = world.native().ok_or("native")?.qpos();
            let line = json!({ "task": id, "seed": seed, "qpos": qpos, "found": found });
            writeln!(std::io::stdout(), "{line}")?;
        }
    }
    Ok(())
}
