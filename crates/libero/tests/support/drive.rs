//! An expert drives a world through the limits that every arm is driven through.

use std::error::Error;

use tiller_core::ActionLayout;
use tiller_motion::{Actuator, ActuatorConfig, Chunk};
use tiller_world::{Command, EpisodeSpec, HandStep, SETPOINT_NS, World};

/// Length of an expert's step, ns.
const STEP_NS: u64 = 100_000_000;

/// What came of an attempt.
pub(crate) struct Attempt {
    pub(crate) success: bool,
    pub(crate) steps: u64,
    /// How far the hand was behind its set-points, m: on average and at most.
    pub(crate) behind_m: [f64; 2],
}

/// One episode.
pub(crate) fn attempt(
    world: &mut dyn World,
    task: &str,
    seed: u64,
) -> Result<Attempt, Box<dyn Error>> {
    world.reset(&EpisodeSpec {
        tasks: vec![task.to_owned()],
        seed,
        ..EpisodeSpec::default()
    })?;
    world.call_expert(task, seed)?;
    let (reading, time_ns) = (world.arm().reading, world.time_ns());
    let mut actuator = Actuator::new(ActuatorConfig::default(), &reading, time_ns)?;
    let (mut steps, mut sum_m, mut most_m) = (0, 0.0, 0.0_f64);
    loop {
        let anchor = actuator.status().anchor;
        let Some(step) = world.expert_step(anchor) else {
            break;
        };
        steps += 1;
        let chunk = Chunk {
            seq: steps,
            stamp_ns: world.time_ns(),
            anchor,
            layout: ActionLayout::pose_deltas(7, [0, 1, 2], [3, 4, 5], Some(6), 10.0),
            execute_steps: 1,
            actions: numbers(&step.executed),
            continues: None,
        };
        actuator.accept(&chunk, world.time_ns())?;
        let behind_m = advance(world, &mut actuator, STEP_NS)?;
        sum_m += behind_m;
        most_m = most_m.max(behind_m);
    }
    advance(world, &mut actuator, 3 * STEP_NS)?;
    Ok(Attempt {
        success: world.verdict().success,
        steps,
        behind_m: [sum_m / (steps as f64).max(1.0), most_m],
    })
}

fn numbers(step: &HandStep) -> Vec<f64> {
    [&step.delta_m[..], &step.rotation_rad, &[step.gripper]].concat()
}

/// Lets time pass; how far the hand is behind its set-point then, m.
fn advance(
    world: &mut dyn World,
    actuator: &mut Actuator,
    for_ns: u64,
) -> Result<f64, Box<dyn Error>> {
    let end_ns = world.time_ns() + for_ns;
    let ticks = world.info().robot.step_ns / SETPOINT_NS;
    let mut sent_q_rad = world.arm().reading.q_rad;
    while world.time_ns() < end_ns {
        let (reading, now_ns) = (world.arm().reading, world.time_ns());
        let mut setpoint = actuator.tick(&reading, now_ns + SETPOINT_NS);
        for tick in 2..=ticks {
            setpoint = actuator.tick(&reading, now_ns + tick * SETPOINT_NS);
        }
        sent_q_rad = setpoint.q_rad;
        world.command(&Command::Joints(&[setpoint]))?;
        world.step()?;
    }
    let sent = tiller_motion::kinematics::forward(&sent_q_rad);
    Ok(world.arm().base_from_tool.distance_to(&sent).0)
}
