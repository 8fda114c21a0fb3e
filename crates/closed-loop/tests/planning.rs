//! Meter and planner with a real reward program and a policy that moves every way alike.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::sync::Arc;

use common::{HANDLE, KEYPOINTS, PROGRAM, Wanderer, space};
use tiller_closed_loop::{
    CarryOn, GoalSource, GrowthConfig, Hand, MeterError, Plan, PlanError, PlanRequest, Planner,
    PlannerConfig, Reading, Scale, StageMeter, UnderWay,
};
use tiller_core::{Continuation, Pose, ProgramId, Visit};
use tiller_reward::{CompileOptions, Scene, compile};
use tiller_steering::{
    Denoiser, DenoiserError, FeynmanKacConfig, Start, SteeringError, TraceLevel,
};

const HORIZON: usize = 16;
const HOME: [f64; 3] = [0.4, 0.0, 0.25];

/// The policy of all tests but one.
fn wanderer() -> Wanderer {
    Wanderer {
        horizon: HORIZON,
        action_dim: 4,
    }
}

/// A meter and a planner, together as the sampler has them.
struct Pilot {
    meter: StageMeter,
    planner: Planner,
}

/// One moment to plan from.
#[derive(Clone)]
struct Moment<'a> {
    keypoints: &'a [[f64; 3]],
    anchor_m: [f64; 3],
    /// Where the step that is under way begins.
    step_start_m: [f64; 3],
    guidance: bool,
    chunk_index: u64,
    carry_on: Option<CarryOn>,
}

fn moment(chunk_index: u64) -> Moment<'static> {
    Moment {
        keypoints: &KEYPOINTS,
        anchor_m: HOME,
        step_start_m: HOME,
        guidance: true,
        chunk_index,
        carry_on: None,
    }
}

impl Pilot {
    fn new(config: PlannerConfig) -> Self {
        let planner = Planner::new(config, space(10.0), HORIZON).unwrap();
        let step_m = planner.config().max_step_m;
        let mut meter = StageMeter::new(planner.points(), step_m, GrowthConfig::default());
        let program = compile(PROGRAM, &CompileOptions::new(2, planner.points())).unwrap();
        meter.set_program(Arc::new(program), 2);
        Self { meter, planner }
    }

    fn enter(
        &mut self,
        stage: u32,
        visit: u32,
        keypoints: &[[f64; 3]],
        anchor_m: [f64; 3],
    ) -> Result<Option<Scale>, MeterError> {
        let program = ProgramId(1);
        let visit = Visit {
            program,
            stage,
            visit,
        };
        self.meter
            .enter(visit, Scene::from(keypoints), Hand::down(anchor_m))
    }

    /// Plans a chunk; gives it with the progress that the robot has and that the chunk has.
    fn try_plan(
        &mut self,
        denoiser: &mut dyn Denoiser,
        moment: &Moment<'_>,
    ) -> Result<(Plan, Reading), PlanError> {
        let Moment { keypoints, .. } = *moment;
        let reading = self
            .meter
            .progress(Scene::from(keypoints), Hand::down(HOME))
            .unwrap();
        let gain = if moment.guidance {
            self.meter.gain(reading.achieved)
        } else {
            1.0
        };
        let stage = self.meter.visit().stage;
        let program = self.meter.program().filter(|_| moment.guidance).cloned();
        let mut request = PlanRequest {
            planned_progress: self.meter.planned(),
            gain,
            seed: 11,
            chunk_index: moment.chunk_index,
            carry_on: moment.carry_on.clone(),
            ..PlanRequest::outside_of_runs(program, stage, keypoints, moment.anchor_m, HOME)
        };
        request.execution.step_start = Pose::down(moment.step_start_m);
        let plan = self.planner.plan(denoiser, &request)?;
        let scene = Scene::from(keypoints);
        let way = (plan.selected_trajectory(), &plan.path);
        let planned = self.meter.take_plan(scene, way.0, way.1).unwrap();
        Ok((plan, Reading { planned, ..reading }))
    }

    fn plan(&mut self, moment: &Moment<'_>) -> (Plan, Reading) {
        self.try_plan(&mut wanderer(), moment).unwrap()
    }
}

fn pilot() -> Pilot {
    Pilot::new(PlannerConfig::default())
}

#[test]
fn a_steered_plan_goes_where_the_program_says() {
    let mut pilot = pilot();
    let scale = pilot.enter(1, 1, &KEYPOINTS, HOME).unwrap().unwrap();
    let distance = (0.15f64.powi(2) * 2.0 + 0.1f64.powi(2)).sqrt();
    assert!((scale.entry + distance).abs() < 1e-9);
    assert_eq!((scale.goal, scale.source), (0.0, GoalSource::Zero));
    let (plan, reading) = pilot.plan(&moment(0));
    assert!(plan.steered);
    assert!(reading.planned > 0.95, "{reading:?}");
    assert_eq!(
        (reading.achieved, reading.visit.stage, reading.visit.visit),
        (0.0, 1, 1)
    );
    assert!((reading.done.unwrap() - (0.02 - distance)).abs() < 1e-9);
    assert_eq!((plan.points, plan.candidates.len()), (17, 20 * 17 * 3));
    assert_eq!(
        (plan.chunk.len(), plan.action_dim, plan.execute_steps),
        (64, 4, 8)
    );
    assert_eq!((plan.trace.len(), plan.timings.denoiser_calls), (10, 10));
    assert!(plan.timings.total >= plan.timings.denoiser + plan.timings.reward);
    // The chunk is the selected candidate.
    let path = plan.selected_trajectory();
    let end: f32 = HOME[0] as f32 + plan.chunk.iter().step_by(4).sum::<f32>();
    assert!((end - path[path.len() - 3]).abs() < 1e-5);
    // A plan that reaches the goal fades the guidance of the next.
    let (next, _) = pilot.plan(&moment(1));
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
    pilot.enter(1, 1, &KEYPOINTS, HOME).unwrap();
    let halfway: [f64; 3] = std::array::from_fn(|axis| (HOME[axis] + HANDLE[axis]) / 2.0);
    let reading = pilot
        .meter
        .progress(Scene::from(&KEYPOINTS[..]), Hand::down(halfway))
        .unwrap();
    assert!((reading.achieved - 0.5).abs() < 1e-9, "{reading:?}");
    assert_eq!(reading.planned, 0.0);
    let reading = pilot
        .meter
        .progress(Scene::from(&KEYPOINTS[..]), Hand::down(HANDLE))
        .unwrap();
    assert!((reading.achieved - 1.0).abs() < 1e-9, "{reading:?}");
    assert!((reading.done.unwrap() - 0.02).abs() < 1e-9);
    // Another visit starts from where it starts.
    pilot.enter(1, 2, &KEYPOINTS, halfway).unwrap();
    let reading = pilot
        .meter
        .progress(Scene::from(&KEYPOINTS[..]), Hand::down(halfway))
        .unwrap();
    assert_eq!((reading.visit.visit, reading.achieved), (2, 0.0));
}

#[test]
fn a_positive_reward_is_measured_against_what_is_reachable() {
    let mut pilot = pilot();
    let scale = pilot.enter(3, 1, &KEYPOINTS, HOME).unwrap().unwrap();
    // 16 steps of at most 0.03 m.
    assert_eq!((scale.entry, scale.source), (0.0, GoalSource::Optimised));
    assert!((scale.goal - 0.48).abs() < 1e-9, "{scale:?}");
}

#[test]
fn a_stage_without_guidance_is_the_policys_own() {
    let mut pilot = pilot();
    assert!(pilot.enter(2, 1, &KEYPOINTS, HOME).unwrap().is_none());
    let (plan, reading) = pilot.plan(&moment(0));
    assert!(!plan.steered);
    assert_eq!(
        (plan.strength, reading.achieved, reading.planned),
        (0.0, 0.0, 0.0)
    );
    assert!((reading.done.unwrap() + 0.05).abs() < 1e-9);
    let moved = [[0.61, 0.15, 0.15], KEYPOINTS[1]];
    let reading = pilot
        .meter
        .progress(Scene::from(&moved[..]), Hand::down(HOME))
        .unwrap();
    assert!(reading.done.unwrap() > 0.0);
    // Guidance switched off and no stage at all give the very same chunk.
    pilot.enter(1, 1, &KEYPOINTS, HOME).unwrap();
    let (off, reading) = pilot.plan(&Moment {
        guidance: false,
        ..moment(0)
    });
    assert_eq!(off.chunk, plan.chunk);
    assert!(
        reading.planned != 0.0,
        "what the policy plans is still measured"
    );
    pilot.meter.clear();
    let (none, reading) = pilot.plan(&moment(0));
    assert_eq!(
        (none.chunk, reading.visit.stage, reading.done),
        (plan.chunk, 0, None)
    );
}

#[test]
fn same_seed_same_plan() {
    let plan = || {
        let mut pilot = pilot();
        pilot.enter(1, 1, &KEYPOINTS, HOME).unwrap();
        pilot.plan(&moment(4)).0
    };
    let (first, second) = (plan(), plan());
    assert_eq!((first.chunk, first.rewards), (second.chunk, second.rewards));
}

#[test]
fn nothing_of_a_plan_is_left_for_the_next() {
    let mut pilot = pilot();
    pilot.enter(1, 1, &KEYPOINTS, HOME).unwrap();
    let program = pilot.meter.program().cloned();
    let other = [[0.5, -0.1, 0.1], KEYPOINTS[1]];
    let request = |stage, keypoints: &[[f64; 3]]| PlanRequest {
        visit: Visit {
            program: ProgramId(1),
            stage,
            visit: 1,
        },
        ..PlanRequest::outside_of_runs(program.clone(), stage, keypoints, HOME, HOME)
    };
    let mut plan = |request: &PlanRequest| pilot.planner.plan(&mut wanderer(), request).unwrap();
    let first = plan(&request(1, &KEYPOINTS));
    plan(&request(3, &other));
    plan(&PlanRequest {
        gain: 3.0,
        ..request(1, &other)
    });
    // Another program that goes by the same number, as in another episode.
    let away = PROGRAM.replace("return -torch", "return torch");
    let away = compile(&away, &CompileOptions::new(2, HORIZON + 1)).unwrap();
    let other_way = plan(&PlanRequest {
        program: Some(Arc::new(away)),
        ..request(1, &KEYPOINTS)
    });
    assert_ne!(first.chunk, other_way.chunk);
    let again = plan(&request(1, &KEYPOINTS));
    assert_eq!((first.chunk, first.rewards), (again.chunk, again.rewards));
}

#[test]
fn a_plan_tells_every_particles_way_when_asked() {
    let mut config = PlannerConfig::default();
    config.steering.trace = TraceLevel::Full;
    config.steering.feynman_kac = Some(FeynmanKacConfig {
        ess_threshold: 1.0,
        ..FeynmanKacConfig::default()
    });
    let mut pilot = Pilot::new(config);
    pilot.enter(1, 1, &KEYPOINTS, HOME).unwrap();
    let (plan, _) = pilot.plan(&moment(0));
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
            .enter(stage, 1, keypoints, anchor)
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
    assert!(pilot.enter(1, 1, &partly, HOME).is_ok());
    assert!(
        pilot
            .meter
            .progress(Scene::from(&partly[..]), Hand::down(HOME))
            .is_ok()
    );
    let unknown = Moment {
        keypoints: &partly,
        ..moment(0)
    };
    assert!(pilot.try_plan(&mut wanderer(), &unknown).is_ok());
    let lost = [[f64::NAN; 3], KEYPOINTS[1]];
    let error = pilot
        .meter
        .progress(Scene::from(&lost[..]), Hand::down(HOME))
        .unwrap_err();
    assert!(matches!(error, MeterError::NotFinite { .. }), "{error}");
    let nowhere = Moment {
        anchor_m: [f64::NAN, 0.0, 0.2],
        ..moment(0)
    };
    let error = pilot.try_plan(&mut wanderer(), &nowhere).unwrap_err();
    assert_eq!(error.to_string(), "the anchor is not finite: [NaN, 0, 0.2]");
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
    pilot.enter(1, 1, &KEYPOINTS, HOME).unwrap();
    let error = pilot.try_plan(&mut Blind, &moment(0)).unwrap_err();
    assert!(
        matches!(error, PlanError::Steering(SteeringError::AllLost { .. })),
        "{error}"
    );
    assert_eq!(error.code(), "all_particles_lost");
    assert!(pilot.try_plan(&mut wanderer(), &moment(1)).is_ok());
}

/// Carrying on `under_way` from step 6, of which two steps are frozen.
fn carrying_on(under_way: UnderWay) -> Moment<'static> {
    Moment {
        carry_on: Some(CarryOn {
            continuation: Continuation {
                seq: 1,
                step: 6,
                frozen_steps: 2,
            },
            same_goal: true,
            under_way: Arc::new(under_way),
        }),
        ..moment(1)
    }
}

#[test]
fn a_plan_carries_on_the_one_before() {
    let mut pilot = pilot();
    let nothing = carrying_on(UnderWay::default());
    let refused = pilot.try_plan(&mut wanderer(), &nothing).unwrap_err();
    assert!(
        matches!(
            refused,
            PlanError::Steering(SteeringError::Continuation { .. })
        ),
        "{refused}"
    );

    pilot.enter(1, 1, &KEYPOINTS, HOME).unwrap();
    let (first, _) = pilot.plan(&moment(0));
    let path = |plan: &Plan| plan.selected_trajectory().to_vec();
    let begun = &path(&first)[6 * 3..7 * 3];
    let step_start_m = std::array::from_fn(|axis| f64::from(begun[axis]));
    let (second, _) = pilot.plan(&Moment {
        anchor_m: step_start_m.map(|place| place + 0.01),
        step_start_m,
        ..carrying_on(first.under_way())
    });
    assert_eq!(second.chunk[..2 * 4], first.chunk[6 * 4..8 * 4]);
    // The path begins where step 6 does, wherever in it the arm is, and then is the same.
    for (new, old) in path(&second)[..9].iter().zip(&path(&first)[6 * 3..9 * 3]) {
        assert!((new - old).abs() < 1e-6);
    }
    // Where the actuator has left the path, however little, the plan begins where that led.
    for aside_m in [0.02, 0.2] {
        let (first, _) = pilot.plan(&moment(0));
        let begins_m = [step_start_m[0], step_start_m[1] + aside_m, step_start_m[2]];
        let (third, _) = pilot.plan(&Moment {
            anchor_m: begins_m,
            step_start_m: begins_m,
            ..carrying_on(first.under_way())
        });
        assert_eq!(path(&third)[..3], begins_m.map(|place| place as f32));
        assert_eq!(third.chunk[..2 * 4], first.chunk[6 * 4..8 * 4]);
    }
}

#[test]
fn a_stage_that_gets_nowhere_is_pushed_harder_until_it_is_entered_anew() {
    let mut pilot = pilot();
    pilot.enter(1, 1, &KEYPOINTS, HOME).unwrap();
    let mut strengths = |indices: std::ops::Range<u64>| -> Vec<f64> {
        let plans = indices.map(|index| pilot.plan(&moment(index)).0);
        plans.map(|plan| plan.strength).collect()
    };
    // The arm stays where it is, whatever is planned.
    let stuck = strengths(0..12);
    assert!(stuck[..2].iter().all(|strength| *strength <= 1.0));
    // The plans themselves would arrive, for which guidance fades; still it grows.
    assert!(stuck[2] > stuck[1] && stuck[11] > 1.5, "{stuck:?}");
    assert!(stuck.iter().all(|strength| *strength <= 4.0), "{stuck:?}");
    pilot.enter(1, 2, &KEYPOINTS, HOME).unwrap();
    let (plan, _) = pilot.plan(&moment(12));
    assert!(plan.strength <= 1.0, "{}", plan.strength);
}

/// The fingers count in all three readings: where the stage starts, what is achieved, what is planned.
#[test]
fn progress_of_a_reward_on_the_fingers_is_measured_by_the_fingers() {
    let text = "num_stages = 1\n# Stage 1: close the fingers\n\
        def stage1_guidance(keypoints, action_sequence, gripper, rotations):\n    \
            return -0.1 * gripper.mean() - (1.0 + rotations[..., 2, 2]).mean()\n\
        def stage1_done(keypoints, start_keypoints, end_effector, gripper_width_m):\n    \
            return 0.02 - gripper_width_m\n";
    let points = 5;
    let program = compile(text, &CompileOptions::new(2, points)).unwrap();
    let mut meter = StageMeter::new(points, 0.03, GrowthConfig::default());
    meter.set_program(Arc::new(program), 2);
    let visit = Visit {
        program: ProgramId(1),
        stage: 1,
        visit: 1,
    };
    let (scene, open) = (Scene::from(&KEYPOINTS[..]), Hand::down(HOME));
    let scale = meter.enter(visit, scene, open).unwrap().unwrap();
    assert!((scale.entry + 0.1).abs() < 1e-12 && scale.goal == 0.0);
    let closed = Hand {
        gripper_width_m: 0.0,
        ..open
    };
    let before = meter.progress(scene, open).unwrap();
    assert!(before.achieved.abs() < 1e-12 && before.done.unwrap() < 0.0);
    let after = meter.progress(scene, closed).unwrap();
    assert!((after.achieved - 1.0).abs() < 1e-12 && after.done.unwrap() > 0.0);
    let positions = HOME.map(|m| m as f32).repeat(points);
    let place = |opening| Start {
        opening,
        ..Start::from(open.pose)
    };
    let path = [1.0, 0.75, 0.5, 0.25, 0.0].map(place);
    let planned = meter.take_plan(scene, &positions, &path).unwrap();
    assert!((planned - 0.5).abs() < 1e-6, "{planned}");
}
