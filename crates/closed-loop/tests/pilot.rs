//! A pilot with a real reward program and a policy that moves every way alike.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use tiller_core::ActionLayout;
use tiller_reward::{CompileOptions, compile};
use tiller_sampler::{CarryOn, GoalSource, Pilot, PilotConfig, PilotError, Plan, Request};
use tiller_steering::{
    ActionSpace, Denoiser, DenoiserError, FeynmanKacConfig, SteeringError, TraceLevel,
};

const HORIZON: usize = 16;
const HOME: [f64; 3] = [0.4, 0.0, 0.25];
const HANDLE: [f64; 3] = [0.55, 0.15, 0.15];

const PROGRAM: &str = "
num_stages = 3
# Stage 1: reach the handle
def stage1_guidance(keypoints, action_sequence):
    return -torch.norm(action_sequence[:, -1] - keypoints[0], dim=-1).mean()
def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.02 - torch.norm(end_effector - keypoints[0])
# Stage 2: let the policy grasp
def stage2_guidance(keypoints, action_sequence):
    return 0
def stage2_done(keypoints, start_keypoints, end_effector):
    return torch.norm(keypoints[0] - start_keypoints[0]) - 0.05
# Stage 3: pull along x
def stage3_guidance(keypoints, action_sequence):
    return (action_sequence[:, -1, 0] - action_sequence[:, 0, 0]).mean()
";

/// Independent normalised actions with mean 0 and deviation 0.4: the exact velocity.
struct Wanderer;

impl Denoiser for Wanderer {
    fn horizon(&self) -> usize {
        HORIZON
    }
    fn action_dim(&self) -> usize {
        4
    }
    fn predict(
        &mut self,
        sample: &[f32],
        _: usize,
        time: f32,
        out: &mut [f32],
    ) -> Result<(), DenoiserError> {
        let (rest, data) = (1.0 - time, 0.16);
        let factor = (time - rest * data) / (rest * rest * data + time * time);
        out.iter_mut()
            .zip(sample)
            .for_each(|(v, x)| *v = factor * x);
        Ok(())
    }
}

fn pilot() -> Pilot {
    pilot_with(PilotConfig::default())
}

fn pilot_with(config: PilotConfig) -> Pilot {
    let space = ActionSpace::from_min_max(
        ActionLayout::position_deltas(4, [0, 1, 2], Some(3), 10.0),
        &[-0.03, -0.03, -0.03, -1.0],
        &[0.03, 0.03, 0.03, 1.0],
    );
    let mut pilot = Pilot::new(config, space, HORIZON).unwrap();
    let program = compile(PROGRAM, &CompileOptions::new(2, pilot.points())).unwrap();
    pilot.set_program(program, 2);
    pilot
}

const KEYPOINTS: [[f64; 3]; 2] = [HANDLE, [0.5, -0.2, 0.02]];

fn request(chunk_index: u64) -> Request<'static> {
    Request {
        keypoints: &KEYPOINTS,
        anchor_m: HOME,
        end_effector_m: HOME,
        guidance: true,
        seed: 11,
        chunk_index,
        carry_on: None,
    }
}

#[test]
fn a_steered_plan_goes_where_the_program_says() {
    let mut pilot = pilot();
    let scale = pilot.enter_stage(1, 1, &KEYPOINTS, HOME).unwrap().unwrap();
    let distance = (0.15f64.powi(2) * 2.0 + 0.1f64.powi(2)).sqrt();
    assert!((scale.entry + distance).abs() < 1e-9);
    assert_eq!((scale.goal, scale.source), (0.0, GoalSource::Zero));
    let plan = pilot.plan(&mut Wanderer, &request(0)).unwrap();
    assert!(plan.steered);
    assert!(plan.reading.planned > 0.95, "{:?}", plan.reading);
    assert_eq!(
        (
            plan.reading.achieved,
            plan.reading.stage,
            plan.reading.visit
        ),
        (0.0, 1, 1)
    );
    assert!((plan.reading.done.unwrap() - (0.02 - distance)).abs() < 1e-9);
    assert_eq!((plan.points, plan.candidates.len()), (17, 20 * 17 * 3));
    assert_eq!(
        (plan.chunk.len(), plan.action_dim, plan.execute_steps),
        (64, 4, 8)
    );
    assert_eq!((plan.trace.len(), plan.timings.denoiser_calls), (10, 10));
    assert!(plan.timings.total >= plan.timings.denoiser + plan.timings.reward);
    // The chunk is the selected candidate.
    let width = plan.points * 3;
    let path = &plan.candidates[plan.selected * width..][..width];
    let end: f32 = HOME[0] as f32 + plan.chunk.iter().step_by(4).sum::<f32>();
    assert!((end - path[width - 3]).abs() < 1e-5);
    // A plan that reaches the goal fades the guidance of the next.
    let next = pilot.plan(&mut Wanderer, &request(1)).unwrap();
    assert!(
        next.strength < 0.7 && plan.strength > 0.99,
        "{} {}",
        next.strength,
        plan.strength
    );
}

#[test]
fn progress_is_measured_where_the_robot_is() {
    let mut pilot = pilot();
    pilot.enter_stage(1, 1, &KEYPOINTS, HOME).unwrap();
    let halfway: [f64; 3] = std::array::from_fn(|axis| (HOME[axis] + HANDLE[axis]) / 2.0);
    let reading = pilot.progress(&KEYPOINTS, halfway).unwrap();
    assert!((reading.achieved - 0.5).abs() < 1e-9, "{reading:?}");
    assert_eq!(reading.planned, 0.0);
    let reading = pilot.progress(&KEYPOINTS, HANDLE).unwrap();
    assert!((reading.achieved - 1.0).abs() < 1e-9, "{reading:?}");
    assert!((reading.done.unwrap() - 0.02).abs() < 1e-9);
    // Another visit starts from where it starts.
    pilot.enter_stage(1, 2, &KEYPOINTS, halfway).unwrap();
    let reading = pilot.progress(&KEYPOINTS, halfway).unwrap();
    assert_eq!((reading.visit, reading.achieved), (2, 0.0));
}

#[test]
fn a_positive_reward_is_measured_against_what_is_reachable() {
    let mut pilot = pilot();
    let scale = pilot.enter_stage(3, 1, &KEYPOINTS, HOME).unwrap().unwrap();
    // 16 steps of at most 0.03 m.
    assert_eq!((scale.entry, scale.source), (0.0, GoalSource::Optimised));
    assert!((scale.goal - 0.48).abs() < 1e-9, "{scale:?}");
}

#[test]
fn a_stage_without_guidance_is_the_policys_own() {
    let mut pilot = pilot();
    assert!(pilot.enter_stage(2, 1, &KEYPOINTS, HOME).unwrap().is_none());
    let plan = pilot.plan(&mut Wanderer, &request(0)).unwrap();
    assert!(!plan.steered);
    assert_eq!(
        (plan.strength, plan.reading.achieved, plan.reading.planned),
        (0.0, 0.0, 0.0)
    );
    assert!((plan.reading.done.unwrap() + 0.05).abs() < 1e-9);
    let moved = [[0.61, 0.15, 0.15], KEYPOINTS[1]];
    assert!(pilot.progress(&moved, HOME).unwrap().done.unwrap() > 0.0);
    // Guidance switched off and no stage at all give the very same chunk.
    pilot.enter_stage(1, 1, &KEYPOINTS, HOME).unwrap();
    let off = pilot
        .plan(
            &mut Wanderer,
            &Request {
                guidance: false,
                ..request(0)
            },
        )
        .unwrap();
    assert_eq!(off.chunk, plan.chunk);
    assert!(
        off.reading.planned != 0.0,
        "what the policy plans is still measured"
    );
    pilot.clear();
    let none = pilot.plan(&mut Wanderer, &request(0)).unwrap();
    assert_eq!(
        (none.chunk, none.reading.stage, none.reading.done),
        (plan.chunk, 0, None)
    );
}

#[test]
fn same_seed_same_plan() {
    let plan = || {
        let mut pilot = pilot();
        pilot.enter_stage(1, 1, &KEYPOINTS, HOME).unwrap();
        pilot.plan(&mut Wanderer, &request(4)).unwrap()
    };
    let (first, second) = (plan(), plan());
    assert_eq!((first.chunk, first.rewards), (second.chunk, second.rewards));
}

#[test]
fn a_plan_tells_every_particles_way_when_asked() {
    let mut config = PilotConfig::default();
    config.steering.trace = TraceLevel::Full;
    config.steering.feynman_kac = Some(FeynmanKacConfig {
        ess_threshold: 1.0,
        ..FeynmanKacConfig::default()
    });
    let mut pilot = pilot_with(config);
    pilot.enter_stage(1, 1, &KEYPOINTS, HOME).unwrap();
    let plan = pilot.plan(&mut Wanderer, &request(0)).unwrap();
    let (steps, particles) = (plan.trace.len(), plan.rewards.len());
    let record = plan.particle_trace.unwrap();
    assert_eq!(record.rewards.len(), steps * particles);
    assert_eq!(record.gradient_norms.len(), steps * particles);
    assert_eq!(
        record.trajectories.len(),
        steps * particles * plan.points * 3
    );
    assert!(!plan.resamplings.is_empty());
    assert_eq!(plan.ancestors.len(), plan.resamplings.len() * particles);
    for step in plan.resamplings {
        assert!(plan.trace[step].resampled);
    }
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let mut pilot = pilot();
    let enter = |pilot: &mut Pilot, stage, keypoints: &[[f64; 3]], anchor| {
        pilot
            .enter_stage(stage, 1, keypoints, anchor)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        enter(&mut pilot, 4, &KEYPOINTS, HOME),
        "stage 4 does not exist, the program has stages 1 to 3"
    );
    assert_eq!(
        enter(&mut pilot, 1, &KEYPOINTS[..1], HOME),
        "the program was compiled for 2 keypoints, found 1"
    );
    assert_eq!(
        enter(&mut pilot, 1, &[[f64::NAN; 3], KEYPOINTS[1]], HOME),
        "keypoint 0 is not finite: [NaN, NaN, NaN]"
    );
    assert_eq!(
        enter(&mut pilot, 1, &KEYPOINTS, [f64::INFINITY, 0.0, 0.0]),
        "the anchor is not finite: [inf, 0, 0]"
    );
    // A keypoint that the stage does not read need not be known.
    let partly = [HANDLE, [f64::NAN; 3]];
    assert!(pilot.enter_stage(1, 1, &partly, HOME).is_ok());
    assert!(pilot.progress(&partly, HOME).is_ok());
    assert!(
        pilot
            .plan(
                &mut Wanderer,
                &Request {
                    keypoints: &partly,
                    ..request(0)
                }
            )
            .is_ok()
    );
    let lost = [[f64::NAN; 3], KEYPOINTS[1]];
    let error = pilot.progress(&lost, HOME).unwrap_err();
    assert!(matches!(error, PilotError::NotFinite { .. }), "{error}");
}

#[test]
fn a_policy_that_yields_no_numbers_gives_no_plan() {
    struct Blind;
    impl Denoiser for Blind {
        fn horizon(&self) -> usize {
            HORIZON
        }
        fn action_dim(&self) -> usize {
            4
        }
        fn predict(
            &mut self,
            _: &[f32],
            _: usize,
            _: f32,
            out: &mut [f32],
        ) -> Result<(), DenoiserError> {
            out.fill(f32::NAN);
            Ok(())
        }
    }
    let mut pilot = pilot();
    pilot.enter_stage(1, 1, &KEYPOINTS, HOME).unwrap();
    let error = pilot.plan(&mut Blind, &request(0)).unwrap_err();
    assert!(
        matches!(error, PilotError::Steering(SteeringError::AllLost { .. })),
        "{error}"
    );
    assert!(pilot.plan(&mut Wanderer, &request(1)).is_ok());
}

#[test]
fn a_plan_carries_on_the_one_before() {
    let mut pilot = pilot();
    let carrying_on = Request {
        carry_on: Some(CarryOn {
            step: 6,
            frozen: 2,
            same_goal: true,
        }),
        ..request(1)
    };
    let refused = pilot.plan(&mut Wanderer, &carrying_on);
    assert!(matches!(refused, Err(PilotError::NothingUnderWay)));

    pilot.enter_stage(1, 1, &KEYPOINTS, HOME).unwrap();
    let first = pilot.plan(&mut Wanderer, &request(0)).unwrap();
    let path = |plan: &Plan| {
        let width = plan.points * 3;
        plan.candidates[plan.selected * width..][..width].to_vec()
    };
    let begun = &path(&first)[6 * 3..7 * 3];
    let second = Request {
        anchor_m: std::array::from_fn(|axis| f64::from(begun[axis]) + 0.01),
        ..carrying_on
    };
    let second = pilot.plan(&mut Wanderer, &second).unwrap();
    assert_eq!(second.chunk[..2 * 4], first.chunk[6 * 4..8 * 4]);
    // The path begins where step 6 does, wherever in it the arm is, and then is the same.
    for (new, old) in path(&second)[..9].iter().zip(&path(&first)[6 * 3..9 * 3]) {
        assert!((new - old).abs() < 1e-6);
    }
    // Where the actuator had to leave the path, the path begins where the arm is.
    let first = pilot.plan(&mut Wanderer, &request(0)).unwrap();
    let elsewhere = Request {
        anchor_m: [0.4, 0.3, 0.25],
        ..carrying_on
    };
    let third = pilot.plan(&mut Wanderer, &elsewhere).unwrap();
    assert_eq!(path(&third)[..3], [0.4, 0.3, 0.25]);
    assert_eq!(third.chunk[..2 * 4], first.chunk[6 * 4..8 * 4]);
}

#[test]
fn a_stage_that_gets_nowhere_is_pushed_harder_until_it_is_entered_anew() {
    let mut pilot = pilot();
    pilot.enter_stage(1, 1, &KEYPOINTS, HOME).unwrap();
    let mut strengths = |indices: std::ops::Range<u64>| -> Vec<f64> {
        let plans = indices.map(|index| pilot.plan(&mut Wanderer, &request(index)).unwrap());
        plans.map(|plan| plan.strength).collect()
    };
    // The arm stays where it is, whatever is planned.
    let stuck = strengths(0..12);
    assert!(stuck[..2].iter().all(|strength| *strength <= 1.0));
    // The plans themselves would arrive, for which guidance fades; still it grows.
    assert!(stuck[2] > stuck[1] && stuck[11] > 1.5, "{stuck:?}");
    assert!(stuck.iter().all(|strength| *strength <= 4.0), "{stuck:?}");
    pilot.enter_stage(1, 2, &KEYPOINTS, HOME).unwrap();
    let plan = pilot.plan(&mut Wanderer, &request(12)).unwrap();
    assert!(plan.strength <= 1.0, "{}", plan.strength);
}
