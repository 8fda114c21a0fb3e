//! The same episode by the real dataflow and by the benchmark.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

mod common;

use common::{root, run_dataflow};
use tiller_bench::episode::{EpisodeSpec, Runner, RunnerConfig, grounding};
use tiller_bench::{Handicap, Sight, Subjects};
use tiller_closed_loop::{Ahead, GrowthConfig, PlannerConfig};
use tiller_playtable_author::EmbeddedAuthor;
use tiller_policy::Provider;
use tiller_stages::StageConfig;

/// The benchmark runs the same machines in process, with planning as slow as it was measured.
#[test]
fn an_episode_of_the_benchmark_ends_as_the_dataflow_s() {
    let run = run_dataflow(
        &[
            ("TILLER_INSTRUCTION", "press the button"),
            ("TILLER_SEED", "3"),
        ],
        400,
    );
    let summary = run.summary();
    assert_eq!(summary["outcome"], "success", "{}", run.log);
    let planning = &summary["latencies"]["planning"];
    let planning_ms = planning["p50_ms"].as_f64().unwrap();
    assert!(planning_ms > 0.0, "{planning}");

    let subject = Subjects::new()
        .with(tiller_playtable::kind(), EmbeddedAuthor)
        .all()[0]
        .clone();
    let sight = Sight::of(subject.kind.info(), None, None, None, root()).unwrap();
    let config = RunnerConfig {
        guide: None,
        policy: root().join("models/policies/flow"),
        threads: 1,
        provider: Provider::Cpu,
        planner: PlannerConfig::default(),
        growth: GrowthConfig::default(),
        stages: StageConfig::default(),
        blind: None,
        handicap: Handicap::default(),
        last_stage_only: false,
        grounding: grounding(subject.kind.info(), &sight),
        ahead: Ahead::Measured,
        planning_ns: (planning_ms * 1e6) as u64,
    };
    let mut runner = Runner::new(&subject, config).unwrap();
    let spec = EpisodeSpec {
        tasks: vec!["button_press".to_owned()],
        variation: None,
        instruction: Some("press the button".to_owned()),
        told: "press the button".to_owned(),
        seed: 3,
        max_steps: 600,
    };
    let result = runner.run(&spec, None).unwrap();
    assert!(result.success, "{result:?}");
    let dataflow: Vec<u64> = summary["stages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|span| span["stage"].as_u64().unwrap())
        .collect();
    let mut bench: Vec<u64> = result.stages.iter().map(|s| u64::from(s.stage)).collect();
    bench.dedup();
    assert_eq!(dataflow, bench, "the same stages in the same order");
}
