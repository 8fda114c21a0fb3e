//! The closed loop with a policy that only wanders: what it achieves is the work of steering.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

use std::path::PathBuf;

use tiller_bench::episode::{
    EpisodeResult, EpisodeSpec, PhaseTimes, Runner, RunnerConfig, grounding,
};
use tiller_bench::{Handicap, Sight, Subject};
use tiller_closed_loop::{Ahead, GrowthConfig, PlannerConfig};
use tiller_playtable_author::EmbeddedAuthor;
use tiller_policy::Provider;
use tiller_stages::StageConfig;
use tiller_world::WorldKind;

fn data(policy: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../models/controls")
        .join(policy)
}

fn runner() -> Runner {
    runner_of(config())
}

fn runner_of(config: RunnerConfig) -> Runner {
    let subject = Subject::new(tiller_playtable::kind(), EmbeddedAuthor);
    Runner::new(&subject, config).unwrap()
}

fn config() -> RunnerConfig {
    RunnerConfig {
        guide: None,
        handicap: Handicap::default(),
        policy: data("wander"),
        threads: 1,
        provider: Provider::Cpu,
        planner: PlannerConfig::default(),
        growth: GrowthConfig::default(),
        stages: StageConfig::default(),
        blind: None,
        last_stage_only: false,
        grounding: grounding(tiller_playtable::kind().info(), &Sight::default()),
        ahead: Ahead::Measured,
        planning_ns: 60_000_000,
    }
}

fn spec(task: &str, steered: bool) -> EpisodeSpec {
    let task = tiller_playtable::kind().task(task).unwrap();
    EpisodeSpec {
        tasks: vec![task.id],
        variation: None,
        instruction: steered.then_some(task.instruction),
        told: String::new(),
        seed: 11,
        max_steps: 200,
    }
}

#[test]
fn steering_alone_presses_the_button() {
    let mut runner = runner();
    let steered = runner.run(&spec("button_press", true), None).unwrap();
    assert!(steered.success, "{steered:?}");
    assert_eq!(steered.completed, ["button_press"]);
    assert!(steered.stages.len() >= 2, "{:?}", steered.stages);
    assert_eq!(steered.stages[0].stage, 1);
    assert!(steered.chunks * 8 >= steered.steps, "{steered:?}");
    assert_eq!(steered.refused, 0);

    let alone = runner.run(&spec("button_press", false), None).unwrap();
    assert!(
        !alone.success,
        "the wandering policy must not press it by itself: {alone:?}"
    );
    assert!(alone.stages.is_empty());
    assert_eq!(alone.steps, 200);
}

/// Its fingers open and close at random: only a reward that reads them, and whose gradient reaches them,
/// gets a block between them and holds it there.
#[test]
fn a_reward_on_the_gripper_lifts_a_block_with_blind_fingers() {
    let lift = |guide: &str| {
        let mut runner = runner_of(RunnerConfig {
            policy: data("grasper"),
            guide: Some(guide.parse().unwrap()),
            ..config()
        });
        runner.run(&spec("lift_blue", true), None).unwrap()
    };
    let guided = lift("position,gripper");
    assert!(guided.success, "{guided:?}");
    assert_eq!(guided.completed, ["lift_blue"]);
    let left_alone = lift("position");
    assert!(!left_alone.success, "{left_alone:?}");
}

#[test]
fn the_same_seed_gives_the_same_episode() {
    let run = |before: EpisodeSpec| -> EpisodeResult {
        let mut runner = runner();
        let mut spec = spec("drawer_open", true);
        spec.max_steps = 40;
        // An episode before must leave no trace.
        runner
            .run(
                &EpisodeSpec {
                    seed: 5,
                    max_steps: 9,
                    ..before
                },
                None,
            )
            .unwrap();
        let result = runner.run(&spec, None).unwrap();
        EpisodeResult {
            time: PhaseTimes::default(),
            cpu_s: 0.0,
            ..result
        }
    };
    let same_task = run(spec("drawer_open", true));
    let other_task = run(spec("button_press", true));
    assert_eq!(same_task, other_task);
    assert_eq!(same_task, run(spec("drawer_open", false)));
}

#[test]
fn an_instruction_that_nobody_understands_fails_the_episode_with_the_reason() {
    let mut runner = runner();
    let mut spec = spec("drawer_open", true);
    spec.instruction = Some("make coffee".to_owned());
    let result = runner.run(&spec, None).unwrap();
    assert!(!result.success);
    assert_eq!(result.steps, 0);
    assert!(result.reason.contains("make coffee"), "{}", result.reason);
}

#[test]
fn a_single_stage_is_never_switched() {
    let mut runner = runner();
    let mut spec = spec("drawer_open", true);
    spec.max_steps = 60;
    let several = runner.run(&spec, None).unwrap();
    assert!(several.stages[0].reason.contains("3 stage"), "{several:?}");
    let one = RunnerConfig {
        last_stage_only: true,
        ..config()
    };
    runner.steer_as(&one).unwrap();
    let single = runner.run(&spec, None).unwrap();
    assert!(single.stages[0].reason.contains("1 stage"), "{single:?}");
    assert!(single.stages.iter().all(|entry| entry.stage <= 1));
    runner.steer_as(&config()).unwrap();
    let again = runner.run(&spec, None).unwrap();
    assert_eq!(again.stages, several.stages, "what was changed is undone");
}

/// Chunks that come from what was seen a second ago are as good as any, and none may carry on one that is over.
#[test]
fn a_slow_planner_does_it_too() {
    for (planning_ns, ahead) in [
        (300_000_000, Ahead::Steps(2)),
        (1_000_000_000, Ahead::Steps(2)),
        (3_500_000_000, Ahead::Steps(0)),
    ] {
        let mut runner = runner_of(RunnerConfig {
            planning_ns,
            ahead,
            ..config()
        });
        let spec = EpisodeSpec {
            max_steps: 400,
            ..spec("button_press", true)
        };
        let result = runner.run(&spec, None).unwrap();
        assert!(result.success, "{planning_ns} ns: {result:?}");
        assert_eq!(result.refused, 0, "{planning_ns} ns: {result:?}");
    }
}
