//! The scripted hands of the hard suites, judged by the world: success holds for a second.

use std::path::Path;

use tiller_core::ActionLayout;
use tiller_motion::{Actuator, ActuatorConfig, Chunk};
use tiller_world::{
    Channels, Command, EpisodeSpec, Frame, HARD, SETPOINT_NS, Variation, World, WorldKind,
};

/// Tuning seeds begin here.
const FIRST_SEED: u64 = 300;
const STEP_NS: u64 = 100_000_000;
/// Longest episode, steps of 100 ms.
const MAX_STEPS: usize = 400;
const SIDE: usize = 256;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Prints how often the hand of each task succeeds; with a folder it leaves a picture of each start and of each
/// failure's end there.
#[allow(clippy::print_stdout, reason = "the table is this program's output")]
pub(crate) fn run(suite: &str, seeds: u64, pictures: Option<&Path>) -> Outcome<bool> {
    let kind = tiller_playtable::kind();
    let suites = kind.info().suites();
    let suite = suites.iter().find(|known| known.name == suite);
    let suite = suite
        .filter(|suite| !suite.is_plain())
        .ok_or("no such hard suite")?;
    let mut world = kind.make()?;
    let mut good = true;
    println!("task                strength  success  steps  failed seeds, collateral");
    for task in &suite.tasks {
        for variation in &suite.variations {
            let (mut successes, mut steps) = (0, 0);
            let (mut failed, mut harmed) = (Vec::new(), Vec::new());
            for seed in FIRST_SEED..FIRST_SEED + seeds {
                let name = format!("{task}-{}-{seed}", variation.strength);
                let pictures = pictures.map(|folder| folder.join(name));
                let took = episode(world.as_mut(), task, variation, seed, pictures.as_deref())?;
                let verdict = world.verdict();
                steps += took;
                successes += u64::from(verdict.success);
                if !verdict.success {
                    failed.push(seed);
                }
                if let Some(first) = verdict.collateral.first() {
                    harmed.push(format!("{seed} {first}"));
                }
            }
            let mean = steps as f64 / seeds as f64;
            let strength = variation.strength;
            println!(
                "{task:20} {strength:7} {successes:5}/{seeds:<3} {mean:5.1}  {failed:?} {}",
                harmed.join("; ")
            );
            good &= successes * 100 >= 95 * seeds;
        }
    }
    Ok(good)
}

fn episode(
    world: &mut dyn World,
    task: &str,
    variation: &Variation,
    seed: u64,
    pictures: Option<&Path>,
) -> Outcome<usize> {
    debug_assert_eq!(variation.axis, HARD);
    world.reset(&EpisodeSpec {
        tasks: vec![task.to_owned()],
        seed,
        variation: Some(variation.clone()),
        instruction: None,
    })?;
    if let Some(path) = pictures {
        picture(world, &path.with_extension("start.png"))?;
    }
    world.call_expert(task, seed)?;
    let mut actuator = Actuator::new(ActuatorConfig::default(), &world.arm().reading, 0)?;
    let (mut steps, mut gripper) = (0, -1.0);
    while steps < MAX_STEPS && !world.verdict().success {
        let anchor = actuator.status().anchor;
        let hand = world.expert_step(anchor).map(|step| step.executed);
        steps += 1;
        let hand = hand.unwrap_or_default();
        if hand.gripper != 0.0 {
            gripper = hand.gripper;
        }
        let numbers = hand.delta_m.into_iter().chain(hand.rotation_rad);
        let now_ns = world.time_ns();
        let chunk = Chunk {
            seq: steps as u64,
            stamp_ns: now_ns,
            anchor,
            layout: ActionLayout::pose_deltas(7, [0, 1, 2], [3, 4, 5], Some(6), 10.0),
            execute_steps: 1,
            actions: numbers.chain([gripper]).collect(),
            continues: None,
        };
        actuator.accept(&chunk, now_ns)?;
        while world.time_ns() < now_ns + STEP_NS {
            let (reading, now_ns) = (world.arm().reading, world.time_ns());
            let ticks = 1..=world.info().robot.step_ns / SETPOINT_NS;
            let setpoints: Vec<_> = ticks
                .map(|tick| actuator.tick(&reading, now_ns + tick * SETPOINT_NS))
                .collect();
            world.run(&Command::Joints(&setpoints))?;
        }
        if let (Some(path), true) = (
            pictures,
            steps % 10 == 0 && std::env::var_os("FILM").is_some(),
        ) {
            picture(world, &path.with_extension(format!("{steps:03}.png")))?;
        }
    }
    if let (Some(path), false) = (pictures, world.verdict().success) {
        picture(world, &path.with_extension("end.png"))?;
    }
    Ok(steps)
}

fn picture(world: &mut dyn World, path: &Path) -> Outcome<()> {
    let mut frame = Frame::default();
    world.look("static", [SIDE; 2], Channels::COLOUR, &mut frame)?;
    image::save_buffer(
        path,
        &frame.rgb,
        SIDE as u32,
        SIDE as u32,
        image::ColorType::Rgb8,
    )?;
    Ok(())
}
