//! What the machines were told in a run of the real dataflow, told to them again in process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

mod common;

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use common::{root, run_dataflow};
use tiller_bench::Subjects;
use tiller_bench::episode::{EpisodeSpec, Runner, RunnerConfig, grounding};
use tiller_closed_loop::journal::{Entry, effect_bytes, read};
use tiller_closed_loop::{
    Actuator, ActuatorEvent, Ahead, GrowthConfig, Planner, PlannerConfig, PolicyFacts, Sampler,
    SamplerConfig, SamplerEvent, Switcher, SwitcherConfig, SwitcherEvent,
};
use tiller_motion::ActuatorConfig;
use tiller_playtable_author::EmbeddedAuthor;
use tiller_policy::{Bundle, Policy, Provider, RuntimeOptions};
use tiller_stages::StageConfig;
use tiller_steering::SteeringConfig;

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
    let config = RunnerConfig {
        guide: None,
        policy: root().join("models/policies/flow"),
        threads: 1,
        provider: Provider::Cpu,
        planner: PlannerConfig::default(),
        growth: GrowthConfig::default(),
        stages: StageConfig::default(),
        blind: None,
        last_stage_only: false,
        grounding: grounding(subject.kind.info()),
        ahead: Ahead::Measured,
        planning_ns: (planning_ms * 1e6) as u64,
    };
    let mut runner = Runner::new(&subject, config).unwrap();
    let spec = EpisodeSpec {
        tasks: vec!["button_press".to_owned()],
        variation: None,
        instruction: Some("press the button".to_owned()),
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

fn journal<E: serde::de::DeserializeOwned>(folder: &Path, name: &str) -> Vec<Entry<E>> {
    let path = folder.join(format!("{name}.journal"));
    read(BufReader::new(File::open(&path).unwrap())).unwrap()
}

/// The sampler's settings as the node derives them from the bundle.
fn sampler_config(session: u64) -> SamplerConfig {
    let bundle = Bundle::load(&root().join("models/policies/flow")).unwrap();
    let policy = Policy::open(&bundle, &RuntimeOptions::default()).unwrap();
    let mut steering = SteeringConfig::default();
    policy.configure(&mut steering);
    let manifest = policy.manifest();
    let config = PlannerConfig {
        steering,
        execute_steps: manifest.execute_steps,
        ..Default::default()
    };
    let planner = Planner::new(config, policy.action_space(), manifest.horizon).unwrap();
    let facts = PolicyFacts {
        guide: planner.config().steering.guide,
        name: "flow".to_owned(),
        points: planner.points(),
        execute_steps: manifest.execute_steps,
        observation_steps: manifest.observation_steps,
        max_step_m: planner.config().max_step_m,
        layout: policy.action_space().layout,
    };
    SamplerConfig {
        session,
        ..SamplerConfig::new(facts)
    }
}

#[test]
fn recorded_events_give_the_same_commands_bit_for_bit() {
    let journals = tempfile::tempdir().unwrap();
    let run = run_dataflow(
        &[
            ("TILLER_INSTRUCTION", "open the drawer"),
            ("TILLER_SEED", "1"),
            ("TILLER_JOURNAL_DIR", journals.path().to_str().unwrap()),
        ],
        400,
    );
    assert_eq!(run.summary()["outcome"], "success", "{}", run.log);

    let actuator: Vec<Entry<ActuatorEvent>> = journal(journals.path(), "franka-actuator");
    let sampler: Vec<Entry<SamplerEvent>> = journal(journals.path(), "steered-sampler");
    let switcher: Vec<Entry<SwitcherEvent>> = journal(journals.path(), "stage-switcher");
    let chunk_session = actuator.iter().find_map(|entry| match &entry.event {
        ActuatorEvent::Chunk(chunk) => Some(chunk.session),
        _ => None,
    });
    let stage_session = sampler.iter().find_map(|entry| match &entry.event {
        SamplerEvent::Stage(stage) => Some(stage.session),
        _ => None,
    });

    let mut machine = Actuator::new(ActuatorConfig {
        max_chunk_age_ns: 3_000_000_000,
        ..Default::default()
    });
    let mut commands = 0;
    for (index, entry) in actuator.into_iter().enumerate() {
        let mut effects = Vec::new();
        machine.on(entry.event, entry.now_ns, &mut effects);
        commands += effects.len();
        assert_eq!(
            effect_bytes(&effects).unwrap(),
            entry.effects,
            "actuator, event {index}"
        );
    }
    assert!(commands > 300, "{commands} effects of the actuator");

    let mut machine = Sampler::new(sampler_config(chunk_session.unwrap())).unwrap();
    let mut plans = 0;
    for (index, entry) in sampler.into_iter().enumerate() {
        plans += usize::from(matches!(entry.event, SamplerEvent::Planned(_)));
        let mut effects = Vec::new();
        machine.on(entry.event, entry.now_ns, &mut effects);
        assert_eq!(
            effect_bytes(&effects).unwrap(),
            entry.effects,
            "sampler, event {index}"
        );
    }
    assert!(plans > 3, "{plans} plans");

    let config = SwitcherConfig {
        session: stage_session.unwrap(),
        ..SwitcherConfig::default()
    };
    let mut machine = Switcher::new(config).unwrap();
    let mut stages = 0;
    for (index, entry) in switcher.into_iter().enumerate() {
        let mut effects = Vec::new();
        machine.on(entry.event, &mut effects);
        stages += effects.len();
        assert_eq!(
            effect_bytes(&effects).unwrap(),
            entry.effects,
            "switcher, event {index}"
        );
    }
    assert!(stages > 3, "{stages} effects of the switcher");
}
