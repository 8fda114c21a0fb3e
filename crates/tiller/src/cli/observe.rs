//! `tiller observe`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use eyre::{Result, WrapErr};
use image::RgbImage;
use serde_json::{Value, json};
use tiller_playtable::Task;
use tiller_playtable_author::EmbeddedAuthor;
use tiller_vlm::{Author, AuthorRequest, SceneKeypoint};

use super::{say, task};
use tiller_bench::episode::SeededObservation;

/// Write down what a policy sees of a play-table scene: the inputs of `tiller sample`.
///
/// The scene of a seed is rendered, keypoints are found as the static camera shows them, and the
/// embedded author turns the instruction into a reward program. Object poses are not written: nodes
/// do not know them either. Files of the same names in the folder are replaced.
///
///   observation.json   images, robot state, anchor and the static camera's geometry
///   static.png, wrist.png   what the policy sees (256 x 256)
///   scene.png          the static camera's view in more pixels, to draw on; no policy sees it
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
    /// Task that the scene is for: feasible in it and not yet done.
    #[arg(long, value_name = "NAME", default_value = "drawer_open", value_parser = task)]
    task: Task,
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
        let seen = SeededObservation::look(self.seed, Some(self.task))?;
        let instruction = match &self.instruction {
            Some(text) => text.as_str(),
            None => self.task.instruction(),
        };
        let keypoints = seen.scene.keypoints.iter().map(|point| SceneKeypoint {
            index: point.index,
            name: point.name.clone(),
            position_m: point.position_m,
        });
        let request = AuthorRequest {
            instruction: instruction.to_owned(),
            keypoints: keypoints.collect(),
        };
        let program = EmbeddedAuthor.author(&request).wrap_err("no program")?;
        let out = &self.out;
        fs::create_dir_all(out).wrap_err_with(|| format!("cannot make {}", out.display()))?;
        save(&seen.static_rgb, seen.image_size, &out.join("static.png"))?;
        save(&seen.wrist_rgb, seen.image_size, &out.join("wrist.png"))?;
        save(&seen.picture_rgb, seen.picture_size, &out.join("scene.png"))?;
        write_json(&observation(&seen), &out.join("observation.json"))?;
        write_json(&keypoints_json(&seen), &out.join("keypoints.json"))?;
        put(&program.text, &out.join("program.py"))?;
        let files = [
            "observation.json",
            "static.png",
            "wrist.png",
            "scene.png",
            "keypoints.json",
            "program.py",
        ];
        if self.json {
            let paths: Vec<PathBuf> = files.iter().map(|file| out.join(file)).collect();
            say(
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
    json!({
        "images": {"static": "static.png", "wrist": "wrist.png"},
        "state": [x, y, z, seen.gripper_width_m],
        "anchor": seen.anchor_m,
        "end_effector": seen.scene.end_effector_m,
        "cameras": {"static": {
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

fn save(rgb: &[u8], size: usize, path: &Path) -> Result<()> {
    let edge = u32::try_from(size)?;
    RgbImage::from_raw(edge, edge, rgb.to_vec())
        .ok_or_else(|| eyre::eyre!("a camera delivered an image of another size"))?
        .save(path)
        .wrap_err_with(|| format!("cannot write {}", path.display()))
}

fn write_json(value: &Value, path: &Path) -> Result<()> {
    put(&format!("{value:#}\n"), path)
}

fn put(text: &str, path: &Path) -> Result<()> {
    fs::write(path, text).wrap_err_with(|| format!("cannot write {}", path.display()))
}
