//! Sampling must not allocate: it runs inside a robot's control loop.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use support::{arm_space, reach, schedulers};
use tiller_core::{ActionMode, Frame};
use tiller_steering::scheduler::{Clip, DiffusionConfig, SchedulerConfig};
use tiller_steering::{
    Denoiser, DenoiserError, DiversityConfig, FeynmanKacConfig, Guide, Kernel, Reads, Reward,
    RewardError, Start, Steerer, SteeringConfig, TraceLevel, Trajectories, TrajectoriesMut,
};

/// The system's allocator, counting the calls of each thread.
struct Counting;

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is handed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.set(CALLS.get() + 1);
        // SAFETY: the caller's guarantees are passed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's guarantees are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        CALLS.set(CALLS.get() + 1);
        // SAFETY: the caller's guarantees are passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A network that hardly does anything, computed without allocating.
struct Idle;

impl Denoiser for Idle {
    fn horizon(&self) -> usize {
        16
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
        out.iter_mut()
            .zip(sample)
            .for_each(|(v, x)| *v = 0.1 * x + time);
        Ok(())
    }
}

/// All schedulers, and one with dynamic thresholding.
fn schedulers() -> Vec<(&'static str, SchedulerConfig)> {
    let mut all = schedulers::all(10);
    let clip = Clip::Dynamic {
        ratio: 0.9,
        max: 2.0,
    };
    let thresholded = DiffusionConfig {
        clip,
        ..DiffusionConfig::default()
    };
    all.push(("thresholded", SchedulerConfig::Diffusion(thresholded)));
    all
}

#[test]
fn sampling_allocates_nothing() {
    let repulsions = [
        (Kernel::InverseDistance, None),
        (Kernel::InverseDistance, Some(6)),
        (Kernel::Rbf, None),
        (Kernel::Rbf, Some(7)),
    ];
    for ((kernel, neighbours), (name, scheduler)) in repulsions
        .into_iter()
        .flat_map(|repulsion| schedulers().into_iter().map(move |all| (repulsion, all)))
    {
        let config = SteeringConfig {
            scheduler,
            mcmc_steps: 2,
            diversity: Some(DiversityConfig {
                kernel,
                neighbours,
                ..DiversityConfig::default()
            }),
            feynman_kac: Some(FeynmanKacConfig {
                lambda: 100.0,
                ..Default::default()
            }),
            trace: TraceLevel::Full,
            ..SteeringConfig::default()
        };
        let mut steerer = Steerer::new(config, arm_space(), 16).unwrap();
        let mut reward = reach([0.7, 0.3, 0.1]);
        for seed in 0..5 {
            let before = CALLS.get();
            let steered = steerer
                .sample(
                    &mut Idle,
                    Some(&mut reward),
                    &Start::at([0.4, 0.0, 0.2]),
                    0.0,
                    seed,
                    0,
                )
                .unwrap();
            let resampled = steered.trace.iter().any(|step| step.resampled);
            let plain = steerer.sample(&mut Idle, None, &Start::at([0.4, 0.0, 0.2]), 0.0, seed, 0);
            let samples = plain.unwrap().samples.len();
            assert_eq!(
                CALLS.get() - before,
                0,
                "run {seed} with {kernel:?}, {neighbours:?} neighbours and {name}"
            );
            assert!(
                resampled && samples == 64,
                "the run must have exercised everything: {name}"
            );
        }
    }
    whole_trajectories_allocate_once();
    let before = CALLS.get();
    drop(std::hint::black_box(vec![1u8; 100]));
    assert_eq!(CALLS.get() - before, 1, "the counter counts");
}

/// A reward that reads all there is.
struct Whole;

impl Reward for Whole {
    fn reads(&self) -> Reads {
        Reads {
            rotations: true,
            gripper: true,
        }
    }

    fn evaluate(&mut self, _: &[f32], _: &mut [f32], _: &mut [f32]) -> Result<(), RewardError> {
        Err(RewardError::new("a whole trajectory is needed"))
    }

    fn evaluate_whole(
        &mut self,
        trajectories: &Trajectories<'_>,
        values: &mut [f32],
        gradients: &mut TrajectoriesMut<'_>,
    ) -> Result<(), RewardError> {
        values.fill(0.0);
        gradients.positions.copy_from_slice(trajectories.positions);
        gradients.rotations.copy_from_slice(trajectories.rotations);
        gradients.gripper.copy_from_slice(trajectories.gripper);
        Ok(())
    }
}

/// Room for rotations is made when the first reward reads them.
fn whole_trajectories_allocate_once() {
    let config = SteeringConfig {
        guide: Guide {
            rotation: false,
            gripper: true,
        },
        ..SteeringConfig::default()
    };
    let mut space = arm_space();
    space.layout.mode = ActionMode::DeltaPose(Frame::Tool);
    let mut steerer = Steerer::new(config, space, 16).unwrap();
    let start = Start::at([0.4, 0.0, 0.2]);
    for run in 0..4 {
        let before = CALLS.get();
        let steered = steerer.sample(&mut Idle, Some(&mut Whole), &start, 0.0, run, 0);
        assert_eq!(steered.unwrap().lost, 0);
        let allocated = CALLS.get() - before;
        assert_eq!(
            allocated > 0,
            run == 0,
            "run {run} allocated {allocated} times"
        );
        let plain = steerer.sample(&mut Idle, None, &start, 0.0, run, 0);
        assert_eq!(plain.unwrap().lost, 0);
    }
}
