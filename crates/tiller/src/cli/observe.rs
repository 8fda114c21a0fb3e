//! `tiller observe`.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use eyre::{OptionExt, Result, WrapErr};
use image::{ImageFormat, RgbImage};
use serde_json::{Value, json};
use tiller_core::file::write_whole;
use tiller_vlm::{AuthorRequest, SceneKeypoint};

use super::{find_world, say, say_json};
use tiller_bench::episode::{SeededObservation, SeenImage};
use tiller_bench::{Subject, task_of};

/// Write down what a policy sees of a scene: the inputs of `tiller sample`.
///
/// The scene of a seed is rendered, keypoints are found as the first camera shows them, and the
/// world's author turns the instruction into a reward program. Object poses are not written: nodes
/// do not know them either. Files of the same names in the folder are replaced.
///
///   observation.json   images, robot state, anchor and the first camera's geometry
///   static.png, wrist.png, ..   what the policy sees, one a camera
///   scene.png          the first camera's view in more pixels, to draw on; no policy sees it
///   keypoints.json     keypoints, their names and the end effector, m
///   program.py         the reward program
///
/// Example:
///   tiller observe --seed 1 --task drawer_open --out seen
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct ObserveArgs {
    /// Seed of the scene.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// World [default: the first that there is].
    #[arg(long, value_name = "NAME")]
    world: Option<String>,
    /// Task that the scene is for: feasible in it and not yet done [default: the world's first].
    #[arg(long, value_name = "NAME")]
    task: Option<String>,
    /// What the author is told [default: the task's own instruction].
    #[arg(long, value_name = "TEXT")]
    instruction: Option<String>,
    /// Folder for the files; made when missing.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Print the names of the files as JSON.
    #[arg(long)]
    json: bool,
}

impl ObserveArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        let Subject { kind, author, .. } = find_world(self.world.as_deref())?;
        let task = match &self.task {
            Some(id) => task_of(kind.as_ref(), id)?,
            None => kind
                .info()
                .tasks
                .first()
                .cloned()
                .ok_or_eyre("the world has no task")?,
        };
        let seen = SeededObservation::look(kind.as_ref(), self.seed, Some(&task.id))?;
        let instruction = self.instruction.as_deref().unwrap_or(&task.instruction);
        let keypoints = seen.scene.keypoints.iter().map(|point| SceneKeypoint {
            index: point.index,
            name: point.name.clone(),
            position_m: point.position_m,
        });
        let request = AuthorRequest {
            hand: tiller_vlm::HandAccess::POSITIONS,
            instruction: instruction.to_owned(),
            keypoints: keypoints.collect(),
        };
        let program = author.author(&request).wrap_err("no program")?;
        let out = &self.out;
        fs::create_dir_all(out).wrap_err_with(|| format!("cannot make {}", out.display()))?;
        let mut files = vec!["observation.json".to_owned()];
        for image in &seen.images {
            files.push(format!("{}.png", image.camera));
            save(image, &out.join(format!("{}.png", image.camera)))?;
        }
        save(&seen.picture, &out.join("scene.png"))?;
        write_json(&observation(&seen), &out.join("observation.json"))?;
        write_json(&keypoints_json(&seen), &out.join("keypoints.json"))?;
        put(&program.text, &out.join("program.py"))?;
        files.extend(["scene.png", "keypoints.json", "program.py"].map(str::to_owned));
        if self.json {
            let paths: Vec<PathBuf> = files.iter().map(|file| out.join(file)).collect();
            say_json(
                &json!({"instruction": instruction, "seed": self.seed, "files": paths}).to_string(),
            )?;
        } else {
            say(&format!(
                "\"{instruction}\" in the scene of seed {}, {} keypoints: {} in {}",
                self.seed,
                seen.scene.keypoints.len(),
                files.join(", "),
                out.display()
            ))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn observation(seen: &SeededObservation) -> Value {
    let [x, y, z] = seen.scene.end_effector_m;
    let file = |image: &SeenImage| (image.camera.clone(), json!(format!("{}.png", image.camera)));
    let images: serde_json::Map<String, Value> = seen.images.iter().map(file).collect();
    json!({
        "images": images,
        "state": [x, y, z, seen.gripper_width_m],
        "anchor": seen.anchor_m,
        "end_effector": seen.scene.end_effector_m,
        "cameras": {&seen.picture.camera: {
            "focal": seen.camera.focal,
            "resolution": seen.camera.principal_point,
            "world_from_camera": seen.camera.world_from_camera,
            "picture": "scene.png",
        }},
    })
}

fn keypoints_json(seen: &SeededObservation) -> Value {
    let points = &seen.scene.keypoints;
    json!({
        "keypoints": points.iter().map(|point| point.position_m).collect::<Vec<_>>(),
        "names": points.iter().map(|point| &point.name).collect::<Vec<_>>(),
        "end_effector": seen.scene.end_effector_m,
    })
}

fn save(image: &SeenImage, path: &Path) -> Result<()> {
    let [width, height] = image.size;
    let picture = RgbImage::from_raw(
        u32::try_from(width)?,
        u32::try_from(height)?,
        image.rgb.clone(),
    )
    .ok_or_else(|| eyre::eyre!("a camera delivered an image of another size"))?;
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png)?;
    Ok(write_whole(path, bytes.get_ref())?)
}

fn write_json(value: &Value, path: &Path) -> Result<()> {
    put(&format!("{value:#}\n"), path)
}

fn put(text: &str, path: &Path) -> Result<()> {
    Ok(write_whole(path, text.as_bytes())?)
}
