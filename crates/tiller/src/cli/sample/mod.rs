//! `tiller sample`.

mod observation;
mod picture;
mod trace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use eyre::{Result, WrapErr, ensure};
use tiller_core::file::write_whole;
use tiller_reward::{CompileOptions, compile};
use tiller_steering::Guide;

use super::input::read_program;
use super::scene::Scene;
use super::{find_policy, say, say_json};
use crate::sample::{SampleSpec, Sampler, Situation};
use observation::ObservationFile;

/// Sample one action chunk and look at how it came about.
///
/// The chunk is planned by the very code of the steered-sampler node, from files instead of messages:
/// the same inputs, seed and chunk index give the same bits. Without --program the policy is sampled
/// as it is, with as many particles as when steered; the node would take the first one.
///
/// Examples, each of which works after the first:
///   tiller observe --seed 1 --task drawer_open --out seen
///   tiller sample --observation seen/observation.json --keypoints seen/keypoints.json \
///       --program seen/program.py --trace steered.json
///   tiller sample --observation seen/observation.json --keypoints seen/keypoints.json \
///       --program seen/program.py --steer off --trace unsteered.json
///
/// --observation: one object, or a list of them with the newest last for policies that see several:
///   images        {"static": "static.png", "wrist": "wrist.png"}, beside the file
///   state         the robot's state as the policy knows it: [x, y, z, gripper width], m
///   environment   the environment's state, for policies that want one [default: none]
///   anchor        where displacements start, m [default: end_effector]
///   end_effector  where it is measured to be, m [default: the first three of state]
///   cameras       {"static": {"focal": [fx,fy], "resolution": [cx,cy], "world_from_camera": [16 numbers],
///                 "picture": "scene.png"}}; without it the trajectories are drawn from above and from the
///                 front. `picture`, optional: the same view in more pixels
/// --keypoints: {"keypoints": [[x,y,z], ..], "names": [".."]}; the end effector is the observation's.
///
/// The picture shows the candidates and, for every sampling step, what the reward says of the chunk
/// that each particle is heading for, and how they were pushed and resampled. --trace holds the same as
/// numbers, those that are not finite as null. Exit code 1: the program has mistakes.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct SampleArgs {
    /// Policy bundle: a name below models/policies, or a folder.
    #[arg(long, value_name = "NAME|DIR", default_value = "flow")]
    policy: String,
    /// What the policy saw, as JSON.
    #[arg(long, value_name = "FILE")]
    observation: PathBuf,
    /// What the robot is told to do, of a policy that reads it.
    #[arg(long, value_name = "TEXT", default_value = "")]
    instruction: String,
    /// Keypoints in the order that the program counts them, as JSON.
    #[arg(long, value_name = "FILE")]
    keypoints: Option<PathBuf>,
    /// Reward program; without it nothing steers. `-` reads standard input.
    #[arg(long, value_name = "FILE", requires = "keypoints")]
    program: Option<PathBuf>,
    /// Stage of the program that the robot is in.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    stage: u32,
    /// off: the program only judges the policy's own chunks.
    #[arg(long, value_enum, default_value = "on")]
    steer: Steer,
    /// Source of all randomness.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Index of the chunk in the run that it is taken from.
    #[arg(long, value_name = "N", default_value_t = 0)]
    chunk_index: u64,
    /// Chunks sampled side by side [default: the sampler's].
    #[arg(long, value_name = "B", value_parser = clap::value_parser!(u64).range(1..=4096))]
    particles: Option<u64>,
    /// Strength of guidance [default: the sampler's].
    #[arg(long, value_name = "S")]
    guide_scale: Option<f32>,
    /// What guidance may move: `position`, and `,rotation` or `,gripper` or both after it [default: what
    /// the bundle says].
    #[arg(long, value_name = "BLOCKS")]
    guide: Option<Guide>,
    /// Threads of ONNX Runtime; the result does not depend on it.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=64))]
    threads: u64,
    /// Write everything about every step as JSON.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Where the picture goes [default: beside the trace, else sample.png].
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
    /// Print candidates and files as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Steer {
    On,
    Off,
}

impl SampleArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        let observation = ObservationFile::read(&self.observation)?;
        let scene = match &self.keypoints {
            Some(path) => Scene::read(path)?,
            None => Scene::grid(0),
        };
        let source = self.program.as_deref().map(read_program).transpose()?;
        let folder = find_policy(&self.policy)?;
        let particles = self.particles.map(|count| count as usize);
        let mut sampler = Sampler::open(
            &folder,
            self.threads as usize,
            particles,
            self.guide_scale,
            self.guide,
        )?;
        let program = match &source {
            None => None,
            Some(source) => {
                let options = CompileOptions {
                    hand: sampler.hand(),
                    ..CompileOptions::new(scene.keypoints.len(), sampler.points())
                };
                match compile(source, &options) {
                    Ok(program) => Some(program),
                    Err(diagnostics) => {
                        eprintln!("{}", diagnostics.render(source).trim_end());
                        return Ok(ExitCode::from(1));
                    }
                }
            }
        };
        let seen = sampler.policy().manifest().observation_steps;
        if observation.history.len() > seen {
            eprintln!(
                "note: the policy sees the last {seen} of {} observations",
                observation.history.len()
            );
        }
        let situation = Situation {
            history: &observation.history,
            instruction: &self.instruction,
            keypoints: &scene.keypoints,
            anchor_m: observation.anchor_m,
            end_effector_m: observation.end_effector_m,
        };
        let spec = SampleSpec {
            stage: self.stage,
            steer: self.steer == Steer::On && program.is_some(),
            seed: self.seed,
            chunk_index: self.chunk_index,
        };
        let sample = sampler.sample(&situation, program.as_ref(), spec)?;
        let stage = program
            .as_ref()
            .and_then(|program| program.stages.get(self.stage as usize - 1));
        let used = stage.map_or_else(Vec::new, |stage| stage.guidance.used_keypoints());
        let report = trace::Report {
            sample: &sample,
            spec,
            steering: sampler.steering(),
            policy: &self.policy,
            stage: stage.map(|stage| stage.description.as_str()),
        };
        let path = self.picture_path();
        ensure!(
            Some(&path) != self.trace.as_ref(),
            "--trace and --picture are the same file {}",
            path.display()
        );
        picture::of(&report, &observation, &scene, &used)
            .write(&path)
            .wrap_err("no picture")?;
        if let Some(trace) = &self.trace {
            let text = format!("{}\n", report.trace());
            write_whole(trace, text.as_bytes())?;
        }
        if self.json {
            let mut value = report.summary();
            value["picture"] = path.display().to_string().into();
            value["trace"] = self
                .trace
                .as_ref()
                .map(|path| path.display().to_string())
                .into();
            say_json(&value.to_string())?;
        } else {
            let trace = self.trace.as_ref();
            let trace = trace.map_or(String::new(), |path| {
                format!("\ntrace   {}", path.display())
            });
            say(&format!(
                "{}\n\npicture {}{trace}",
                report.table(),
                path.display()
            ))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn picture_path(&self) -> PathBuf {
        match (&self.picture, &self.trace) {
            (Some(path), _) => path.clone(),
            (None, Some(trace)) => trace.with_extension("png"),
            (None, None) => PathBuf::from("sample.png"),
        }
    }
}
