//! `tiller demos`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use eyre::Result;

use super::{default_jobs, find_world, say, say_json};
use tiller_bench::demos::{self, DemosConfig, DemosSummary};
use tiller_bench::task_of;
use tiller_world::TaskInfo;

/// Record demonstrations of scripted experts as a LeRobot v3.0 data set.
///
/// Experts, which alone may read the simulator's state, solve each task through the same actuator
/// as the policies. At 10 Hz are recorded: all camera images, the robot's state
/// [x, y, z, gripper width] in metres, and the action [dx, dy, dz, gripper]. Attempts in which the
/// world sees no success are left out. The result depends on the arguments only, not on the
/// number of threads.
#[derive(Debug, Args)]
pub(super) struct DemosArgs {
    /// World to record in [default: the first that there is].
    #[arg(long, value_name = "NAME")]
    world: Option<String>,
    /// Folder of the data set; must not exist [default: the world's name in datasets].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Demonstrations of each task; of tasks whose scenes vary more (those on blocks) there are twice as
    /// many.
    #[arg(long, value_name = "N", default_value_t = 45)]
    episodes_per_task: usize,
    /// Only this task, such as drawer_open; may be given several times. Without it: all whose scenes are plain.
    #[arg(long = "task", value_name = "NAME")]
    tasks: Vec<String>,
    /// First scene seed, at least 1000000: lower seeds are kept for benchmarks.
    #[arg(long, value_name = "S", default_value_t = demos::FIRST_TRAINING_SEED)]
    seed: u64,
    /// Worker threads, each with a world and a renderer of its own [default: one a core].
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
}

impl DemosArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        let kind = find_world(self.world.as_deref())?.kind;
        let tasks = if self.tasks.is_empty() {
            let is_plain = |task: &TaskInfo| {
                let group = kind.info().group_of(task);
                group.is_none_or(|group| group.strengths.is_empty())
            };
            let tasks = kind.info().tasks.iter();
            tasks.filter(|task| is_plain(task)).cloned().collect()
        } else {
            let tasks = self.tasks.iter().map(|id| task_of(kind.as_ref(), id));
            tasks.collect::<Result<_>>()?
        };
        let out = self
            .out
            .unwrap_or_else(|| PathBuf::from("datasets").join(kind.info().name));
        let summary = demos::run(&DemosConfig {
            kind,
            out: out.clone(),
            episodes_per_task: self.episodes_per_task,
            tasks,
            seed: self.seed,
            jobs: self.jobs.unwrap_or_else(default_jobs),
            quiet: false,
        })?;
        if self.json {
            say_json(&serde_json::to_string(&summary)?)?;
        } else {
            say(&format!("{}\n{}", out.display(), text(&summary)))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn text(summary: &DemosSummary) -> String {
    let set = &summary.dataset;
    let mut text = format!(
        "{} episodes, {} frames of {} tasks, {:.0} MB in {:.0} s ({:.0} frames/s); \
         {} failed attempts left out",
        set.episodes,
        set.frames,
        set.tasks.len(),
        set.data_bytes as f64 / 1e6,
        summary.wall_s,
        summary.frames_per_s,
        summary.failed_attempts,
    );
    if !summary.short_tasks.is_empty() {
        text.push_str(&format!(
            "\nfewer episodes than asked for: {}",
            summary.short_tasks.join(", ")
        ));
    }
    text
}
