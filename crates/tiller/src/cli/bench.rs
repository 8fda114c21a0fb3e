//! `tiller bench`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Args, Subcommand, ValueEnum};
use eyre::{Result, WrapErr, ensure};
use tiller_playtable::{Task, Variation};
use tiller_policy::Provider;

use super::bench_report::ReportArgs;
use super::{default_jobs, find_policy, say, task};
use tiller_bench::{self as bench, BenchConfig, FREE_RUN, Method, Suite, Tuned};

/// What a shell expects of a command that was interrupted.
const INTERRUPTED: u8 = 130;

/// Measure success over seeded episodes.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(super) struct BenchArgs {
    #[command(subcommand)]
    world: World,
}

#[derive(Debug, Subcommand)]
enum World {
    Playtable(Box<PlaytableArgs>),
    Report(ReportArgs),
}

/// Success rates on the play table, a column for each method, with Wilson 95 % intervals.
///
/// Each episode is a scene that the training data did not contain. Steered: the embedded author
/// turns the task's instruction into a reward program, which steers the policy. Unsteered: the same
/// policy left alone. An episode succeeds when the task oracle sees the task achieved in time.
/// The same seeds give the same results, whatever the number of jobs. Ctrl-C ends after the
/// episodes that are running; with --json the same command goes on where it ended.
///
/// Examples:
///   tiller bench playtable --task drawer_open --episodes 5
///   tiller bench playtable --suite all --episodes 20 --json results.jsonl
///   tiller bench playtable --methods baselines --seed 5000 --episodes 50 --json baselines.jsonl
///   tiller bench playtable --method full --method no_gradient --suite movable
///   tiller bench playtable --suite ood-scene --strength 2 --methods baselines --episodes 10
///   tiller bench playtable --task any --episodes 100     which tasks the policy does by itself
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, after_long_help = Method::help(), after_help = Method::help())]
struct PlaytableArgs {
    /// A group of tasks; the `ood-` ones are all tasks in scenes or words that training did not have.
    #[arg(long, value_enum, default_value = "all")]
    suite: Suite,
    /// How far an `ood-` suite departs, from 1 to 3; may be given several times [default: all three].
    #[arg(long = "strength", value_name = "N", value_parser = clap::value_parser!(u8).range(1..=3))]
    strengths: Vec<u8>,
    /// Only this task of the suite, such as drawer_open; may be given several times. `any`: unsteered
    /// free runs in which every completed task counts.
    #[arg(long = "task", value_name = "NAME", value_parser = task_or_any)]
    tasks: Vec<Goal>,
    /// How the episodes are run, see below; may be given several times [default: full, unsteered].
    #[arg(long = "method", value_name = "NAME")]
    method: Vec<Method>,
    /// A group of methods; adds to --method.
    #[arg(long, value_enum)]
    methods: Option<Group>,
    /// Short for --method full, --method unsteered, or both.
    #[arg(long, value_enum, conflicts_with_all = ["method", "methods"])]
    steer: Option<Steer>,
    /// Policy bundle: a folder, or a name below models/policies here or in a folder above.
    #[arg(long, value_name = "NAME|PATH", default_value = "flow")]
    policy: String,
    /// Processor that runs the policy. `cuda` needs a build with `--features cuda`, an ONNX Runtime for
    /// CUDA and a GPU, and is an error without them.
    #[arg(long, value_enum, default_value = "cpu")]
    provider: Processor,
    /// Episodes of each task with each method.
    #[arg(long, value_name = "N", default_value_t = 20)]
    episodes: usize,
    /// Seed of the first episode; below 1000000, where the training scenes begin.
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Policy steps of 100 ms after which an episode has failed.
    #[arg(long, value_name = "N", default_value_t = 400)]
    max_steps: usize,
    /// Parameters of the full method, in the form of benchmarks/tuned.toml [default: that file as it
    /// was when this program was built].
    #[arg(long, value_name = "FILE")]
    tuned: Option<PathBuf>,
    /// Strength of guidance [default: as tuned].
    #[arg(long, value_name = "S")]
    guide_scale: Option<f32>,
    /// Chunks sampled side by side when steered [default: as tuned].
    #[arg(long, value_name = "B")]
    particles: Option<usize>,
    /// Steps of a chunk that are left when the next one is planned, while the arm moves on, as in the
    /// dataflow; 0 plans while the arm rests [default: as tuned].
    #[arg(long, value_name = "N")]
    ahead_steps: Option<usize>,
    /// How much a chunk is drawn toward the one under way, 0 to 1 [default: as tuned].
    #[arg(long, value_name = "W")]
    softness: Option<f32>,
    /// Episodes at the same time, one core each [default: one a core].
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Write one JSON line an episode: task, seed, method, success, steps, chunks, stages, times. A
    /// file that exists is continued: episodes that it holds are not run again, and the table
    /// counts all of it.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Overwrite the JSON file instead of continuing it.
    #[arg(long, requires = "json")]
    restart: bool,
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
enum Group {
    /// full, unsteered, best_of_n, gradient, resampling.
    Baselines,
    /// full and everything that lacks or changes a part of it.
    Ablations,
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
            World::Report(args) => args.run(),
        }
    }
}

impl PlaytableArgs {
    fn run(self) -> Result<ExitCode> {
        let stop = Arc::new(AtomicBool::new(false));
        let config = BenchConfig {
            tasks: self.goals()?,
            variations: self.variations()?,
            methods: self.methods(),
            episodes: self.episodes,
            seed: self.seed,
            max_steps: self.max_steps,
            jobs: self.jobs.unwrap_or_else(default_jobs),
            policy_folder: find_policy(&self.policy)?,
            provider: match self.provider {
                Processor::Cpu => Provider::Cpu,
                Processor::Cuda => Provider::Cuda,
            },
            tuned: self.tuned()?,
            policy: self.policy,
            json: self.json,
            restart: self.restart,
            pictures: self.pictures,
            quiet: false,
            stop: stop.clone(),
        };
        end_on_interrupt(stop)?;
        let tally = bench::run(&config)?;
        say(&tally.text())?;
        if tally.unfinished == 0 {
            return Ok(ExitCode::SUCCESS);
        }
        let hint = if config.json.is_some() {
            "; the same command goes on from here"
        } else {
            ""
        };
        eprintln!("interrupted with {} episodes to go{hint}", tally.unfinished);
        Ok(ExitCode::from(INTERRUPTED))
    }

    fn goals(&self) -> Result<Vec<Option<Task>>> {
        let tasks = self.suite.tasks();
        if self.tasks.is_empty() {
            return Ok(tasks.into_iter().map(Some).collect());
        }
        for task in self.tasks.iter().filter_map(|goal| goal.0) {
            ensure!(
                tasks.contains(&task),
                "--task {}: expected a task of the suite {}",
                task.name(),
                self.suite.name()
            );
        }
        Ok(self.tasks.iter().map(|goal| goal.0).collect())
    }

    fn variations(&self) -> Result<Vec<Option<Variation>>> {
        let Some(axis) = self.suite.axis() else {
            ensure!(
                self.strengths.is_empty(),
                "--strength: expected with one of the ood- suites, found --suite {}",
                self.suite.name()
            );
            return Ok(vec![None]);
        };
        let strengths = if self.strengths.is_empty() {
            &Variation::STRENGTHS[..]
        } else {
            &self.strengths
        };
        Ok(strengths
            .iter()
            .map(|strength| Variation::new(axis, *strength))
            .collect())
    }

    fn methods(&self) -> Vec<Method> {
        match self.steer {
            Some(Steer::On) => return vec![Method::Full],
            Some(Steer::Off) => return vec![Method::Unsteered],
            Some(Steer::Both) => return vec![Method::Full, Method::Unsteered],
            None => {}
        }
        let mut methods = self.method.clone();
        match self.methods {
            Some(Group::Baselines) => methods.extend(Method::BASELINES),
            Some(Group::Ablations) => methods.extend(Method::ablations()),
            None if methods.is_empty() => methods.extend([Method::Full, Method::Unsteered]),
            None => {}
        }
        methods
    }

    fn tuned(&self) -> Result<Tuned> {
        let mut tuned = match &self.tuned {
            Some(path) => Tuned::load(path)?,
            None => Tuned::shipped()?,
        };
        let sampling = &mut tuned.sampling;
        sampling.guide_scale = self.guide_scale.unwrap_or(sampling.guide_scale);
        sampling.particles = self.particles.unwrap_or(sampling.particles);
        let motion = &mut tuned.motion;
        motion.ahead_steps = self.ahead_steps.unwrap_or(motion.ahead_steps);
        motion.softness = self.softness.unwrap_or(motion.softness);
        Ok(tuned)
    }
}

/// The first Ctrl-C lets the running episodes end; the second does not wait for them.
fn end_on_interrupt(stop: Arc<AtomicBool>) -> Result<()> {
    ctrlc::set_handler(move || {
        if stop.swap(true, Ordering::SeqCst) {
            std::process::exit(i32::from(INTERRUPTED));
        }
        eprintln!("ending after the episodes that are running; Ctrl-C again ends at once");
    })
    .wrap_err("cannot watch for Ctrl-C")
}
