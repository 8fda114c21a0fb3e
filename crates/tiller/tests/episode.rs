//! The closed loop with a policy that only wanders: what it achieves is the work of steering.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

use std::path::PathBuf;

use tiller_cli::bench::{self, BenchConfig, EpisodeLine};
use tiller_cli::episode::{EpisodeResult, EpisodeSpec, PhaseTimes, Runner, RunnerConfig};
use tiller_grounding::GroundingConfig;
use tiller_playtable::Task;
use tiller_policy::Provider;
use tiller_sampler::PilotConfig;
use tiller_stages::StageConfig;

fn config() -> RunnerConfig {
    RunnerConfig {
        policy: PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/wander")),
        threads: 1,
        provider: Provider::Cpu,
        pilot: PilotConfig::default(),
        stages: StageConfig::default(),
        grounding: GroundingConfig::default(),
        ahead_steps: 2,
    }
}

fn spec(task: Task, steered: bool) -> EpisodeSpec {
    EpisodeSpec {
        task: Some(task),
        instruction: steered.then(|| task.instruction().to_owned()),
        seed: 11,
        max_steps: 200,
    }
}

#[test]
fn steering_alone_presses_the_button() {
    let mut runner = Runner::new(config()).unwrap();
    let steered = runner.run(&spec(Task::ButtonPress, true), None).unwrap();
    assert!(steered.success, "{steered:?}");
    assert_eq!(steered.completed, ["button_press"]);
    assert!(steered.stages.len() >= 2, "{:?}", steered.stages);
    assert_eq!(steered.stages[0].stage, 1);
    assert!(steered.chunks * 8 >= steered.steps, "{steered:?}");
    assert_eq!(steered.refused, 0);

    let alone = runner.run(&spec(Task::ButtonPress, false), None).unwrap();
    assert!(
        !alone.success,
        "the wandering policy must not press it by itself: {alone:?}"
    );
    assert!(alone.stages.is_empty());
    assert_eq!(alone.steps, 200);
}

#[test]
fn the_same_seed_gives_the_same_episode() {
    let run = || -> EpisodeResult {
        let mut runner = Runner::new(config()).unwrap();
        let mut spec = spec(Task::DrawerOpen, true);
        spec.max_steps = 40;
        // An episode before must leave no trace.
        runner
            .run(
                &EpisodeSpec {
                    seed: 5,
                    max_steps: 9,
                    ..spec.clone()
                },
                None,
            )
            .unwrap();
        let result = runner.run(&spec, None).unwrap();
        EpisodeResult {
            time: PhaseTimes::default(),
            ..result
        }
    };
    assert_eq!(run(), run());
}

#[test]
fn an_instruction_that_nobody_understands_fails_the_episode_with_the_reason() {
    let mut runner = Runner::new(config()).unwrap();
    let mut spec = spec(Task::DrawerOpen, true);
    spec.instruction = Some("make coffee".to_owned());
    let result = runner.run(&spec, None).unwrap();
    assert!(!result.success);
    assert_eq!(result.steps, 0);
    assert!(result.reason.contains("make coffee"), "{}", result.reason);
}

#[test]
fn a_bench_writes_lines_and_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("lines.jsonl");
    let pictures = folder.path().join("pictures");
    let tally = bench::run(&BenchConfig {
        tasks: vec![Some(Task::ButtonPress), None],
        steered: vec![true, false],
        episodes: 1,
        seed: 3,
        max_steps: 30,
        jobs: 2,
        runner: config(),
        policy: "wander".to_owned(),
        json: Some(json.clone()),
        pictures: Some(pictures.clone()),
        quiet: true,
    })
    .unwrap();
    let text = std::fs::read_to_string(json).unwrap();
    let lines: Vec<EpisodeLine> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let ways: Vec<(&str, bool)> = lines
        .iter()
        .map(|line| (line.task.as_str(), line.steered))
        .collect();
    assert_eq!(
        ways,
        [
            ("button_press", true),
            ("button_press", false),
            ("any", false)
        ]
    );
    assert!(
        lines
            .iter()
            .all(|line| line.seed == 3 && line.result.steps > 0)
    );
    assert_eq!(tally.cell("button_press", true).trials, 1);

    let steered = pictures.join("button_press-0003-steered");
    for file in [
        "annotated.png",
        "contact_sheet.png",
        "episode.gif",
        "plot.png",
        "program.py",
    ] {
        assert!(steered.join(file).is_file(), "{file}");
    }
    let unsteered = pictures.join("button_press-0003-unsteered");
    assert!(unsteered.join("contact_sheet.png").is_file());
    assert!(!unsteered.join("program.py").exists());
}
