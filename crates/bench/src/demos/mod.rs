//! `tiller demos`: scripted experts at work, recorded as a LeRobot data set.

mod columns;
mod record;
mod slots;

use std::path::PathBuf;
use std::time::Instant;

use eyre::{Result, WrapErr, ensure};
use serde::Serialize;
use std::sync::Arc;
pub use tiller_world::FIRST_TRAINING_SEED;
use tiller_world::{TaskInfo, WorldInfo, WorldKind};

use crate::parallel::in_order;
use crate::progress::Progress;
use record::Recorder;
use tiller_lerobot::{CameraSpec, DatasetSpec, DatasetSummary, DatasetWriter, ImageStorage};

/// What to record.
#[derive(Clone, Debug)]
pub struct DemosConfig {
    /// The world, which must have experts.
    pub kind: Arc<dyn WorldKind>,
    /// Folder of the data set; must not exist.
    pub out: PathBuf,
    /// Rounds of demonstrations; each shows every task as often as the world wants it
    /// [shown](TaskInfo::shown).
    pub episodes_per_task: usize,
    /// The tasks.
    pub tasks: Vec<TaskInfo>,
    /// First scene seed, at least [`FIRST_TRAINING_SEED`].
    pub seed: u64,
    /// Worker threads, each with a world and a renderer of its own.
    pub jobs: usize,
    /// Shows no progress.
    pub quiet: bool,
}

/// What was recorded.
#[derive(Clone, Debug, Serialize)]
pub struct DemosSummary {
    /// The data set.
    #[serde(flatten)]
    pub dataset: DatasetSummary,
    /// Attempts in which the expert did not achieve its task; they are not in the data set.
    pub failed_attempts: u64,
    /// Names of the tasks of which fewer episodes than asked for were recorded.
    pub short_tasks: Vec<String>,
    /// Wall time, seconds.
    pub wall_s: f64,
    /// Recorded frames (of all cameras together: one a time step) for each second of wall time.
    pub frames_per_s: f64,
}

/// Records the demonstrations. The result depends on the configuration only, not on the number of
/// worker threads.
///
/// # Errors
/// When the world or the renderer cannot start, or the data set cannot be written.
pub fn run(config: &DemosConfig) -> Result<DemosSummary> {
    ensure!(
        config.seed >= FIRST_TRAINING_SEED,
        "--seed {}: expected {FIRST_TRAINING_SEED} or more (lower seeds are kept for benchmarks)",
        config.seed
    );
    ensure!(
        config.tasks.iter().any(|task| task.shown > 0),
        "no task to demonstrate"
    );
    ensure!(config.jobs > 0, "--jobs 0: expected 1 or more");
    let most = slots::most_episodes(&config.tasks);
    ensure!(
        config.episodes_per_task as u64 <= most,
        "--episodes-per-task {}: expected at most {most}",
        config.episodes_per_task,
    );
    let info = config.kind.info();
    ensure!(!info.cameras.is_empty(), "the world has no camera");
    let start = Instant::now();
    let slots = slots::plan(info, &config.tasks, config.episodes_per_task, config.seed);
    let mut writer = DatasetWriter::create(&config.out, spec(info))?;
    let mut progress = Progress::new(slots.len() as u64, config.quiet);
    let (mut failed_attempts, mut short_tasks, mut frames) = (0, Vec::new(), 0_u64);
    in_order(
        &slots,
        config.jobs,
        || Recorder::new(config.kind.as_ref()),
        slots::fill,
        |slot, outcome| {
            failed_attempts += outcome.failures;
            if let Some(episode) = outcome.episode {
                frames += episode.frames.len() as u64;
                writer
                    .push(&episode)
                    .wrap_err("cannot write the data set")?;
            } else if !short_tasks.contains(&slot.task.id) {
                short_tasks.push(slot.task.id.clone());
            }
            let rate = frames as f64 / start.elapsed().as_secs_f64();
            progress.step(&format!(
                "{rate:.0} frames/s, {failed_attempts} failed attempts"
            ));
            Ok(())
        },
    )?;
    progress.finish();
    let dataset = writer.finish().wrap_err("cannot write the data set")?;
    let wall_s = start.elapsed().as_secs_f64();
    let frames_per_s = dataset.frames as f64 / wall_s;
    Ok(DemosSummary {
        dataset,
        failed_attempts,
        short_tasks,
        wall_s,
        frames_per_s,
    })
}

fn spec(info: &WorldInfo) -> DatasetSpec {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let turns_hand = info.robot.turns_hand;
    DatasetSpec {
        images: ImageStorage::Png,
        fps: 10,
        robot_type: info.robot.name.to_owned(),
        state_names: names(columns::state_names(turns_hand)),
        action_names: names(columns::action_names(turns_hand)),
        cameras: info
            .cameras
            .iter()
            .map(|camera| CameraSpec {
                name: camera.name.to_owned(),
                size: camera.size.map(|edge| edge as u32),
            })
            .collect(),
    }
}
