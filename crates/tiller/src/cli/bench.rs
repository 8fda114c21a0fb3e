//! `tiller bench`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use eyre::Result;
use tiller_grounding::GroundingConfig;
use tiller_playtable::Task;
use tiller_policy::Provider;
use tiller_sampler::PilotConfig;
use tiller_stages::StageConfig;

use super::{default_jobs, find_policy, say, task};
use crate::bench::{self, BenchConfig, FREE_RUN, Suite};
use crate::episode::RunnerConfig;

/// Measure success over seeded episodes.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(super) struct BenchArgs {
    #[command(subcommand)]
    world: World,
}

#[derive(Debug, Subcommand)]
enum World {
    Playtable(PlaytableArgs),
}

/// Success rates on the play table, steered and unsteered, with Wilson 95 % intervals.
///
/// Each episode is a scene that the training data did not contain. Steered: the embedded author
/// turns the task's instruction into a reward program, which steers the policy. Unsteered: the same
/// policy left alone. An episode succeeds when the task oracle sees the task achieved in time.
/// The same seeds give the same results, whatever the number of jobs.
///
/// Examples:
///   tiller bench playtable --task drawer_open --episodes 5
///   tiller bench playtable --suite all --episodes 20 --json results.jsonl
///   tiller bench playtable --task any --episodes 100     which tasks the policy does by itself
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
struct PlaytableArgs {
    /// A group of tasks.
    #[arg(long, value_enum, conflicts_with = "tasks", default_value = "all")]
    suite: Suite,
    /// One task, such as drawer_open; may be given several times. `any`: unsteered free runs in
    /// which every completed task counts.
    #[arg(long = "task", value_name = "NAME", value_parser = task_or_any)]
    tasks: Vec<Goal>,
    /// With steering, without, or both.
    #[arg(long, value_enum, default_value = "both")]
    steer: Steer,
    /// Policy bundle: a folder, or a name below models/policies here or in a folder above.
    #[arg(long, value_name = "NAME|PATH", default_value = "flow")]
    policy: String,
    /// Processor that runs the policy. `cuda` needs a build with `--features cuda`, an ONNX Runtime for
    /// CUDA and a GPU, and is an error without them.
    #[arg(long, value_enum, default_value = "cpu")]
    provider: Processor,
    /// Episodes of each task, each way.
    #[arg(long, value_name = "N", default_value_t = 20)]
    episodes: usize,
    /// Seed of the first episode; below 1000000, where the training scenes begin.
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Policy steps of 100 ms after which an episode has failed.
    #[arg(long, value_name = "N", default_value_t = 400)]
    max_steps: usize,
    /// Strength of guidance [default: the sampler's].
    #[arg(long, value_name = "S")]
    guide_scale: Option<f32>,
    /// Chunks sampled side by side when steered [default: the sampler's].
    #[arg(long, value_name = "B")]
    particles: Option<usize>,
    /// Steps of a chunk that are left when the next one is planned, while the arm moves on, as in the
    /// dataflow; 0 plans while the arm rests.
    #[arg(long, value_name = "N", default_value_t = 2)]
    ahead_steps: usize,
    /// How much a chunk is drawn toward the one under way, 0 to 1 [default: the sampler's].
    #[arg(long, value_name = "W")]
    softness: Option<f32>,
    /// Episodes at the same time, one core each [default: one a core].
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Write one JSON line an episode: task, seed, success, steps, chunks, stages, times.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Leave contact sheet, animation, plot and program of every episode in a folder.
    #[arg(long, value_name = "DIR")]
    pictures: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Steer {
    On,
    Off,
    Both,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Processor {
    Cpu,
    Cuda,
}

/// A task, or any.
#[derive(Clone, Copy, Debug)]
struct Goal(Option<Task>);

fn task_or_any(name: &str) -> Result<Goal, String> {
    if name == FREE_RUN {
        return Ok(Goal(None));
    }
    task(name)
        .map(|task| Goal(Some(task)))
        .map_err(|text| format!("{text}, or {FREE_RUN}"))
}

impl BenchArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        match self.world {
            World::Playtable(args) => args.run(),
        }
    }
}

impl PlaytableArgs {
    fn run(self) -> Result<ExitCode> {
        let tasks = if self.tasks.is_empty() {
            self.suite.tasks().into_iter().map(Some).collect()
        } else {
            self.tasks.iter().map(|goal| goal.0).collect()
        };
        let steered = match self.steer {
            Steer::On => vec![true],
            Steer::Off => vec![false],
            Steer::Both => vec![true, false],
        };
        let folder = find_policy(&self.policy)?;
        let mut pilot = PilotConfig::default();
        let steering = &mut pilot.steering;
        steering.guide_scale = self.guide_scale.unwrap_or(steering.guide_scale);
        steering.particles = self.particles.unwrap_or(steering.particles);
        steering.validate()?;
        pilot.softness = self.softness.unwrap_or(pilot.softness);
        let tally = bench::run(&BenchConfig {
            tasks,
            steered,
            episodes: self.episodes,
            seed: self.seed,
            max_steps: self.max_steps,
            jobs: self.jobs.unwrap_or_else(default_jobs),
            runner: RunnerConfig {
                policy: folder,
                threads: 1,
                provider: match self.provider {
                    Processor::Cpu => Provider::Cpu,
                    Processor::Cuda => Provider::Cuda,
                },
                pilot,
                stages: StageConfig::default(),
                grounding: GroundingConfig::default(),
                ahead_steps: self.ahead_steps,
            },
            policy: self.policy,
            json: self.json,
            pictures: self.pictures,
            quiet: false,
        })?;
        say(&tally.text())?;
        Ok(ExitCode::SUCCESS)
    }
}
