//! `expert_rates PACKS [SEEDS [TASK]..]`: every expert on training scenes, without pictures: how many succeed, in how
//! many steps, and how far the hand is behind where it is sent.

#![allow(clippy::print_stdout, reason = "what was measured is its output")]

use std::error::Error;
use std::path::Path;

use tiller_core::ActionLayout;
use tiller_motion::{Actuator, ActuatorConfig, Chunk};
use tiller_world::{Command, EpisodeSpec, SETPOINT_NS, World, WorldKind};

fn advance(
    world: &mut dyn World,
    actuator: &mut Actuator,
    for_ns: u64,
) -> Result<[f64; 7], Box<dyn Error>> {
    let mut last = world.arm().reading.q_rad;
    let end_ns = world.time_ns() + for_ns;
    while world.time_ns() < end_ns {
        let (reading, now_ns) = (world.arm().reading, world.time_ns());
        let mut setpoint = actuator.tick(&reading, now_ns + SETPOINT_NS);
        for tick in 2..=world.info().robot.step_ns / SETPOINT_NS {
            setpoint = actuator.tick(&reading, now_ns + tick * SETPOINT_NS);
        }
        world.command(&Command::Joints(&[setpoint]))?;
        world.step()?;
        last = setpoint.q_rad;
    }
    Ok(last)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = arguments.first().ok_or("PACKS missing")?;
    let seeds: u64 = arguments.get(1).map_or(Ok(20), |text| text.parse())?;
    let wanted = arguments.get(2..).unwrap_or_default();
    let verbose = std::env::var("VERBOSE").is_ok();
    let kind = tiller_libero::kind(Path::new(folder))?;
    let mut world = kind.make()?;
    for task in &kind.info().tasks {
        if task.shown == 0 || !(wanted.is_empty() || wanted.contains(&task.id)) {
            continue;
        }
        let (mut good, mut steps, mut lag) = (0, 0, (0.0_f64, 0.0_f64, 0));
        let start = std::time::Instant::now();
        for seed in 1_000_000..1_000_000 + seeds {
            world.reset(&EpisodeSpec {
                tasks: vec![task.id.clone()],
                seed,
                ..EpisodeSpec::default()
            })?;
            world.call_expert(&task.id, seed)?;
            let mut actuator = Actuator::new(
                ActuatorConfig::default(),
                &world.arm().reading,
                world.time_ns(),
            )?;
            let (mut seq, mut why) = (0, String::new());
            let mut sent = world.arm().base_from_tool;
            loop {
                let anchor = actuator.status().anchor;
                let Some(step) = world.expert_step(anchor) else {
                    break;
                };
                seq += 1;
                let moves = step.executed;
                let tool = world.arm().base_from_tool;
                let (far_m, far_rad) = tool.distance_to(&sent);
                lag = (lag.0.max(far_m), lag.1 + far_m, lag.2 + 1);
                if verbose {
                    println!(
                        "{seq:3} {:.3} tool {:.3?} behind {far_m:.3} {far_rad:.3} learned {:.3?} {:.2?} {} executed {:.3?} {}",
                        world.arm().reading.gripper_width_m,
                        tool.position_m,
                        step.learned.delta_m,
                        step.learned.rotation_rad,
                        step.learned.gripper,
                        moves.delta_m,
                        moves.gripper
                    );
                }
                let chunk = Chunk {
                    seq,
                    stamp_ns: world.time_ns(),
                    anchor,
                    layout: ActionLayout::pose_deltas(7, [0, 1, 2], [3, 4, 5], Some(6), 10.0),
                    execute_steps: 1,
                    actions: [&moves.delta_m[..], &moves.rotation_rad, &[moves.gripper]].concat(),
                    continues: None,
                };
                if let Err(refusal) = actuator.accept(&chunk, world.time_ns()) {
                    why = refusal.to_string();
                    break;
                }
                let q = advance(world.as_mut(), &mut actuator, 100_000_000)?;
                sent = tiller_motion::kinematics::forward(&q);
                if verbose {
                    println!(
                        "      setpoint {:.3?} q {q:.2?} is {:.2?} mode {:?}",
                        sent.position_m,
                        world.arm().reading.q_rad,
                        actuator.status().mode
                    );
                }
            }
            advance(world.as_mut(), &mut actuator, 300_000_000)?;
            let success = world.verdict().success;
            good += u64::from(success);
            steps += seq;
            if !success {
                println!("  {} seed {seed}: failed after {seq} steps {why}", task.id);
            }
        }
        let (most, sum, count) = lag;
        println!(
            "{}: {good} of {seeds}, {} steps on average, hand behind its anchor {:.1} mm on average, {:.1} at most; {:.1} s",
            task.id,
            steps / seeds.max(1),
            1e3 * sum / f64::from(count),
            1e3 * most,
            start.elapsed().as_secs_f64()
        );
    }
    Ok(())
}
