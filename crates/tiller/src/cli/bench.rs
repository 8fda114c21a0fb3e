//! `tiller bench`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, Subcommand, ValueEnum};
use eyre::{Result, WrapErr, ensure, eyre};
use tiller_bench::{
    self as bench, BenchConfig, FREE_RUN, Handicap, Method, POLICY_STEP_NS, Sight, Subject, Tuned,
    task_of,
};
use tiller_steering::Guide;
use tiller_vlm::RecordedPrograms;
use tiller_world::{ALL_TASKS, Absent, HARD, Suite, Variation, WorldInfo, WorldKind};

use super::bench_report::ReportArgs;
use super::crew::{Asked, DoraCrew, Places};
use super::processor::Processor;
use super::{default_jobs, find_policy, say};
use crate::worlds::worlds;

/// What a shell expects of a command that was interrupted.
const INTERRUPTED: u8 = 130;

/// Measure success over seeded episodes.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(super) struct BenchArgs {
    #[command(subcommand)]
    what: What,
}

/// Episodes in one of the worlds, each a subcommand by its name, or a report of them.
#[derive(Debug)]
enum What {
    World(Subject, Box<WorldArgs>),
    Absent(Absent),
    Report(ReportArgs),
}

const REPORT: &str = "report";

impl Subcommand for What {
    fn augment_subcommands(command: Command) -> Command {
        let report = ReportArgs::augment_args(Command::new(REPORT));
        let subjects = worlds();
        let known = subjects.all().iter();
        known
            .map(|subject| world_command(subject.kind.info()))
            .chain(subjects.absent().iter().map(absent_command))
            .fold(command, Command::subcommand)
            .subcommand(report)
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        let subjects = worlds();
        let is_absent = subjects.absent().iter().any(|absent| absent.name == name);
        name == REPORT || is_absent || subjects.find(Some(name)).is_ok()
    }
}

impl FromArgMatches for What {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let Some((name, matches)) = matches.subcommand() else {
            let text = "expected the name of a world, or `report`\n";
            return Err(clap::Error::raw(ErrorKind::MissingSubcommand, text));
        };
        if name == REPORT {
            return Ok(Self::Report(ReportArgs::from_arg_matches(matches)?));
        }
        let subjects = worlds();
        if let Some(absent) = subjects.absent().iter().find(|it| it.name == name) {
            return Ok(Self::Absent(absent.clone()));
        }
        let subject = subjects.find(Some(name)).cloned();
        let subject = subject.map_err(|error| {
            clap::Error::raw(ErrorKind::InvalidSubcommand, format!("{error}\n"))
        })?;
        let args = WorldArgs::from_arg_matches(matches)?;
        Ok(Self::World(subject, Box::new(args)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The subcommand of a world that is not there: says so whatever follows.
fn absent_command(absent: &Absent) -> Command {
    let rest = Arg::new("rest").num_args(0..).trailing_var_arg(true);
    Command::new(absent.name)
        .about(format!("{} (not there: {})", absent.about, absent.reason))
        .disable_help_flag(true)
        .arg(rest.allow_hyphen_values(true).hide(true))
}

/// The subcommand of a world: its suites, and examples with its names.
fn world_command(info: &WorldInfo) -> Command {
    let about = format!(
        "Success rates in the world of {}, a column for each method, with Wilson 95 % intervals",
        info.about
    );
    let suites = info.suites();
    let lines = suites
        .iter()
        .map(|suite| format!("\n- {}: {}", suite.name, suite.about));
    let help = format!("A group of tasks:{}", lines.collect::<String>());
    let names: Vec<String> = suites.into_iter().map(|suite| suite.name).collect();
    let known = move |name: &str| match names.iter().any(|known| known == name) {
        true => Ok(name.to_owned()),
        false => Err(format!("expected one of {}", names.join(", "))),
    };
    WorldArgs::augment_args(Command::new(info.name))
        .long_about(format!("{about}.\n\n{ABOUT}\n\n{}", examples(info)))
        .about(about)
        .mut_arg("suite", |arg| arg.value_parser(known).long_help(help))
}

const ABOUT: &str = "Each episode is a scene that the training data did not contain. Steered: the \
author of the world turns the task's instruction into a reward program, which steers the policy. \
Unsteered: the same policy left alone. An episode succeeds when the world sees the task achieved in time. \
The same seeds give the same results, whatever the number of jobs. Ctrl-C ends after the episodes that \
are running; with --json the same command goes on where it ended.";

fn examples(info: &WorldInfo) -> String {
    let bench = format!("tiller bench {}", info.name);
    let mut lines = vec!["Examples:".to_owned()];
    if let Some(task) = info.tasks.first() {
        lines.push(format!("  {bench} --task {} --episodes 5", task.id));
    }
    lines.push(format!(
        "  {bench} --suite all --episodes 20 --json results.jsonl"
    ));
    let baselines = "--methods baselines --episodes 20 --json baselines.jsonl";
    lines.push(format!("  {bench} {baselines}"));
    let mut plain = info
        .groups
        .iter()
        .filter(|group| group.strengths.is_empty());
    if let Some(group) = plain.next_back() {
        let methods = "--method full --method no_gradient";
        lines.push(format!("  {bench} {methods} --suite {}", group.name));
    }
    if let Some(varied) = info.suites().iter().find(|suite| !suite.is_plain()) {
        let more = "--strength 1 --methods baselines --episodes 10";
        lines.push(format!("  {bench} --suite {} {more}", varied.name));
    }
    if info.suites().iter().any(|suite| suite.name == HARD) {
        let more = "--strength 2 --methods controls --episodes 10";
        lines.push(format!("  {bench} --suite {HARD} {more}"));
    }
    lines.join("\n")
}

#[derive(Debug, Args)]
#[command(after_long_help = Method::help(), after_help = Method::help())]
struct WorldArgs {
    /// A group of tasks; the `ood-` ones are all tasks in scenes or words that training did not have, `hard` and
    /// its parts come at strengths too.
    #[arg(long, default_value = ALL_TASKS)]
    suite: String,
    /// How far an `ood-` suite departs, or how hard one of `hard` is, from 1; may be given several times [default: as far as there is].
    #[arg(long = "strength", value_name = "N")]
    strengths: Vec<u8>,
    /// Only this task of the suite, by its id or, where ids end with a number, by that; may be given several
    /// times. `any`: unsteered free runs in which every completed task counts.
    #[arg(long = "task", value_name = "NAME")]
    tasks: Vec<String>,
    /// How the episodes are run, see below; may be given several times [default: full, unsteered].
    #[arg(long = "method", value_name = "NAME")]
    method: Vec<Method>,
    /// A group of methods; adds to --method.
    #[arg(long, value_enum)]
    methods: Option<Group>,
    /// Short for --method full, --method unsteered, or both.
    #[arg(long, value_enum, conflicts_with_all = ["method", "methods"])]
    steer: Option<Steer>,
    /// Policy bundle: a folder, or a name below models/policies here or in a folder above [default: the
    /// world's].
    #[arg(long, value_name = "NAME|PATH")]
    policy: Option<String>,
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
    /// Policy steps of 100 ms after which an episode has failed [default: by the world's protocol].
    #[arg(long, value_name = "N")]
    max_steps: Option<usize>,
    /// Parameters of the full method, in the form of benchmarks/tuned.toml [default: the world's, as they
    /// were when this program was built].
    #[arg(long, value_name = "FILE")]
    tuned: Option<PathBuf>,
    /// Strength of guidance [default: as tuned].
    #[arg(long, value_name = "S")]
    guide_scale: Option<f32>,
    /// What guidance may move: `position`, and `,rotation` or `,gripper` or both after it [default: what
    /// the bundle says].
    #[arg(long, value_name = "BLOCKS")]
    guide: Option<Guide>,
    /// Chunks sampled side by side when steered [default: as tuned].
    #[arg(long, value_name = "B")]
    particles: Option<usize>,
    /// Steps of a chunk that are left when the next one is planned, while the arm moves on, as in the
    /// dataflow; 0 plans while the arm rests [default: as tuned].
    #[arg(long, value_name = "N")]
    ahead_steps: Option<u32>,
    /// How long planning takes in simulated time, s; 0 stops time while planning. Where `--ahead-steps` is too few for
    /// it, the next chunk is planned as early as that takes, as in the dataflow.
    #[arg(long, value_name = "SECONDS")]
    planning_s: Option<f64>,
    /// What finds objects: `learned` is a network that sees colour alone, `labels` reads off what the simulator knows of every
    /// pixel [default: learned where the world has a network, else labels].
    #[arg(long, value_name = "NAME")]
    detector: Option<String>,
    /// Folder of the detector's network, or a name below models/detectors [default: the world's].
    #[arg(long, value_name = "NAME|PATH", requires = "detector")]
    detector_model: Option<String>,
    /// What follows objects: `detector` (what the detector brings), `looks` or `flow`.
    #[arg(long, value_name = "NAME")]
    tracker: Option<String>,
    /// How far each keypoint is off along each axis, as a standard deviation, for a whole episode, m.
    #[arg(long, value_name = "METRES", default_value_t = 0.0)]
    keypoint_noise_m: f64,
    /// Leave out of programs what says that a stage is done: progress and fingers decide then.
    #[arg(long)]
    without_done: bool,
    /// How much a chunk is drawn toward the one under way, 0 to 1 [default: as tuned].
    #[arg(long, value_name = "W")]
    softness: Option<f32>,
    /// Episodes at the same time, one core each [default: one a core].
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Have workers run the episodes, each in a process of its own, through dora: a number of them on this machine, or the
    /// machines of a dora coordinator, each by a label or its id, with a number of workers: `gpu=true:4,lab-2`. The lines
    /// are those that this process would write, in the same order.
    #[arg(long, value_name = "N|MACHINE[:N],..", conflicts_with = "jobs")]
    workers: Option<Places>,
    /// With machines: which of them this one is, by a label or its id [default: that of the daemon without an id].
    #[arg(long, value_name = "MACHINE", requires = "workers")]
    here: Option<Asked>,
    /// Where `bench-worker` lies on those machines [default: where it lies here].
    #[arg(long, value_name = "PATH", requires = "workers")]
    worker_program: Option<PathBuf>,
    /// Reward programs that were written before, in the place of the world's author: a folder of files NAME.py, each with a
    /// line `# Instruction: ..` that says what it is for and lines `# Keypoint 3 is the plate` that say what it takes
    /// keypoints for.
    #[arg(long, value_name = "FOLDER")]
    programs: Option<PathBuf>,
    /// Write one JSON line an episode: task, seed, method, success, steps, chunks, stages, times. A
    /// file that exists is continued: episodes that it holds are not run again, and the table
    /// counts all of it.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Overwrite the JSON file instead of continuing it.
    #[arg(long, requires = "json")]
    restart: bool,
    /// Have every episode done again in the simulator that the world stands for, with the actions that it got, and
    /// say where the outcomes differ. Records and rulings are kept beside the JSON file.
    #[arg(long, requires = "json")]
    referee: bool,
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
    /// full, unsteered, best_of_n, gradient, resampling, evolution.
    Baselines,
    /// full, unsteered, best_of_n, frozen_images, other_images, wander, reflex: has the policy a part in it?
    Controls,
    /// full and everything that lacks or changes a part of it.
    Ablations,
}

impl BenchArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        match self.what {
            What::World(subject, args) => args.run(subject),
            What::Absent(absent) => Err(absent.error().into()),
            What::Report(args) => args.run(),
        }
    }
}

impl WorldArgs {
    fn run(self, subject: Subject) -> Result<ExitCode> {
        let stop = Arc::new(AtomicBool::new(false));
        let subject = match &self.programs {
            Some(folder) => subject.with_programs(RecordedPrograms::load(folder)?),
            None => subject,
        };
        let suites = subject.kind.info().suites();
        let suite = suites.iter().find(|suite| suite.name == self.suite);
        let suite = suite.ok_or_else(|| eyre!("--suite {}: there is none", self.suite))?;
        let info = subject.kind.info();
        let policy = self.policy.clone();
        let policy = policy.unwrap_or_else(|| subject.policy.to_owned());
        let referee = match (self.referee, &subject.referee) {
            (true, None) => return Err(eyre!("--referee: {} has none", info.name)),
            (true, Some(command)) => Some(command.clone()),
            (false, _) => None,
        };
        let sight = Sight::of(
            info,
            self.detector.as_deref(),
            self.tracker.as_deref(),
            self.detector_model.as_deref(),
            &std::env::current_dir().wrap_err("there is no working directory")?,
        )?;
        let config = BenchConfig {
            max_steps: self
                .max_steps
                .unwrap_or((info.episode_ns / POLICY_STEP_NS) as usize),
            policy_folder: find_policy(&policy)?,
            tuned: self.tuned(&subject)?,
            records: self.referee,
            tasks: self.goals(subject.kind.as_ref(), suite)?,
            variations: self.variations(suite)?,
            subject,
            methods: self.methods(),
            episodes: self.episodes,
            seed: self.seed,
            jobs: self.jobs.unwrap_or_else(default_jobs),
            provider: self.provider.into(),
            guide: self.guide,
            sight,
            handicap: Handicap {
                keypoint_noise_m: self.keypoint_noise_m,
                without_done: self.without_done,
            },
            policy,
            programs: self.programs,
            json: self.json,
            restart: self.restart,
            pictures: self.pictures,
            quiet: false,
            stop: stop.clone(),
        };
        end_on_interrupt(stop)?;
        let tally = match self.workers {
            None => bench::run(&config)?,
            Some(places) => {
                let mut crew = DoraCrew::new(places, self.here, self.worker_program)?;
                bench::run_on(&config, &mut crew)?
            }
        };
        say(&tally.text())?;
        if let (Some(command), Some(results)) = (referee, &config.json) {
            let mut tell = |left| eprintln!("referee: {left} episodes to go");
            say(&bench::referee::rule(&command, results, &mut tell)?.text())?;
        }
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

    /// Ids of the tasks to run; `None` for free runs.
    fn goals(&self, kind: &dyn WorldKind, suite: &Suite) -> Result<Vec<Option<String>>> {
        if self.tasks.is_empty() {
            return Ok(suite.tasks.iter().cloned().map(Some).collect());
        }
        let mut goals = Vec::new();
        for id in &self.tasks {
            if id == FREE_RUN {
                goals.push(None);
                continue;
            }
            let numbered = suite.tasks.iter().find(|task| {
                let number = task
                    .strip_prefix(&suite.name)
                    .and_then(|it| it.strip_prefix('_'));
                number == Some(id)
            });
            let id = numbered.unwrap_or(id);
            let task = task_of(kind, id)?;
            let is_listed = kind.info().task(id).is_some();
            ensure!(
                suite.tasks.contains(id) || !is_listed && suite.name == ALL_TASKS,
                "--task {id}: expected a task of the suite {}",
                suite.name
            );
            goals.push(Some(task.id));
        }
        Ok(goals)
    }

    fn variations(&self, suite: &Suite) -> Result<Vec<Option<Variation>>> {
        if suite.is_plain() {
            ensure!(
                self.strengths.is_empty(),
                "--strength: expected with a suite that has strengths, found --suite {}",
                suite.name
            );
            return Ok(vec![None]);
        }
        if self.strengths.is_empty() {
            return Ok(suite.variations.iter().cloned().map(Some).collect());
        }
        let variation = |strength: &u8| {
            let known = &suite.variations;
            let found = known.iter().find(|known| known.strength == *strength);
            found.cloned().map(Some).ok_or_else(|| {
                let strengths: Vec<String> = known
                    .iter()
                    .map(|known| known.strength.to_string())
                    .collect();
                eyre!(
                    "--strength {strength}: expected one of {}",
                    strengths.join(", ")
                )
            })
        };
        self.strengths.iter().map(variation).collect()
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
            Some(Group::Controls) => methods.extend(Method::CONTROLS),
            Some(Group::Ablations) => methods.extend(Method::ablations()),
            None if methods.is_empty() => methods.extend([Method::Full, Method::Unsteered]),
            None => {}
        }
        methods
    }

    fn tuned(&self, subject: &Subject) -> Result<Tuned> {
        let mut tuned = match &self.tuned {
            Some(path) => Tuned::load(path)?,
            None => Tuned::of(subject)?,
        };
        let sampling = &mut tuned.sampling;
        sampling.guide_scale = self.guide_scale.unwrap_or(sampling.guide_scale);
        sampling.particles = self.particles.unwrap_or(sampling.particles);
        let motion = &mut tuned.motion;
        motion.ahead_steps = self.ahead_steps.unwrap_or(motion.ahead_steps);
        motion.planning_s = self.planning_s.unwrap_or(motion.planning_s);
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
