//! What the embedded author and vision-language models write is accepted and means what it says.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

use tiller_reward::{CompileOptions, EvaluateError, Evaluator, compile};

const AUTHOR: &str = "\
num_stages = 2
# Stage 1: move above the drawer handle
def stage1_guidance(keypoints, action_sequence):
    handle = keypoints[0]
    offset = torch.tensor([0.0, 0.0, 0.05])
    target = handle + offset
    distances = torch.norm(action_sequence - target, dim=-1)
    weights = torch.linspace(0.5, 1.5, distances.shape[1])
    return -(distances * weights).sum(dim=-1) / weights.sum() - 0.5 * distances[:, -1].min()
def stage1_done(keypoints, start_keypoints, end_effector):
    return 0.03 - torch.norm(end_effector - (keypoints[0] + torch.tensor([0.0, 0.0, 0.05])))
# Stage 2: rest
def stage2_guidance(keypoints, action_sequence):
    return torch.tensor(0.0)
";

#[test]
fn the_embedded_authors_style() {
    let program = compile(AUTHOR, &CompileOptions::new(2, 17)).unwrap();
    assert_eq!(program.stages.len(), 2);
    let stage = &program.stages[0];
    assert_eq!(stage.description, "move above the drawer handle");
    assert!(!stage.is_unguided);
    assert_eq!(stage.guidance.used_keypoints(), [0]);
    let done = stage.done.as_ref().unwrap();
    let handle = [[0.5, 0.1, 0.2], [0.0; 3]];
    let value = |hand| done.value(&handle, &handle, hand).unwrap();
    assert!((value([0.5, 0.1, 0.25]) - 0.03).abs() < 1e-12);
    assert!((value([0.5, 0.2, 0.25]) + 0.07).abs() < 1e-12);
    assert_eq!(
        done.value(&handle[..1], &handle, [0.0; 3]),
        Err(EvaluateError::KeypointCount {
            expected: 2,
            found: 1
        })
    );
    assert!(program.stages[1].is_unguided);
    assert!(program.stages[1].done.is_none());
}

#[test]
fn an_unguided_stage_evaluates_to_zero() {
    let program = compile(AUTHOR, &CompileOptions::new(2, 3)).unwrap();
    let mut evaluator = Evaluator::<f32>::new(&program.stages[1].guidance, 20);
    let (mut values, mut gradients) = ([1.0; 2], [1.0; 18]);
    evaluator
        .evaluate(
            &[[0.0; 3]; 2],
            &[0.5; 18],
            &mut values,
            Some(&mut gradients),
        )
        .unwrap();
    assert_eq!((values, gradients), ([0.0; 2], [0.0; 18]));
}

#[test]
fn keypoints_are_read_at_run_time() {
    let text =
        "num_stages = 1\ndef stage1_guidance(k, a):\n    return -torch.norm(a[:, -1] - k[1])";
    let program = compile(text, &CompileOptions::new(2, 2)).unwrap();
    let mut evaluator = Evaluator::<f64>::new(&program.stages[0].guidance, 1);
    let mut value = [0.0];
    for x in [0.0, 0.5, -2.0] {
        evaluator
            .evaluate(&[[9.0; 3], [x, 0.0, 0.0]], &[0.0; 6], &mut value, None)
            .unwrap();
        assert!((value[0] + f64::abs(x)).abs() < 1e-12);
    }
}

#[test]
fn any_number_of_particles_gives_the_same_numbers() {
    let program = compile(AUTHOR, &CompileOptions::new(2, 15)).unwrap();
    let reward = &program.stages[0].guidance;
    let keypoints = [[0.4, 0.1, 0.1]; 2];
    let count = 61;
    let trajectories: Vec<f64> = (0..count * 45).map(|i| (i as f64 * 0.73).sin()).collect();
    let run = |particles: usize| {
        let mut evaluator = Evaluator::<f64>::new(reward, particles);
        let (mut values, mut gradients) = (vec![0.0; count], vec![0.0; count * 45]);
        for first in (0..count).step_by(particles) {
            let last = (first + particles).min(count);
            evaluator
                .evaluate(
                    &keypoints,
                    &trajectories[first * 45..last * 45],
                    &mut values[first..last],
                    Some(&mut gradients[first * 45..last * 45]),
                )
                .unwrap();
        }
        (values, gradients)
    };
    let all = run(count);
    for particles in [1, 7, 8, 20, 24, 25] {
        assert_eq!(run(particles), all, "{particles} at a time");
    }
}

#[test]
fn wrong_buffers_are_refused() {
    let program = compile(AUTHOR, &CompileOptions::new(2, 3)).unwrap();
    let mut evaluator = Evaluator::<f32>::new(&program.stages[0].guidance, 2);
    let mut values = [0.0; 2];
    assert_eq!(
        evaluator.evaluate(&[[0.0; 3]; 2], &[0.0; 17], &mut values, None),
        Err(EvaluateError::BufferLength {
            buffer: "trajectories",
            expected: 18,
            found: 17
        })
    );
    assert_eq!(
        evaluator.evaluate(&[[0.0; 3]; 3], &[0.0; 18], &mut values, None),
        Err(EvaluateError::KeypointCount {
            expected: 2,
            found: 3
        })
    );
}

#[test]
fn a_number_that_is_not_finite_names_its_particle() {
    let program = compile(AUTHOR, &CompileOptions::new(2, 3)).unwrap();
    let mut evaluator = Evaluator::<f32>::new(&program.stages[0].guidance, 40);
    let mut trajectories = vec![0.25_f32; 40 * 9];
    trajectories[31 * 9 + 4] = f32::NAN;
    let (mut values, mut gradients) = (vec![0.0; 40], vec![0.0; 360]);
    let result = evaluator.evaluate(
        &[[0.5; 3]; 2],
        &trajectories,
        &mut values,
        Some(&mut gradients),
    );
    assert_eq!(result, Err(EvaluateError::NotFinite { particle: 31 }));
    assert!(
        values
            .iter()
            .enumerate()
            .all(|(i, v)| v.is_finite() == (i != 31))
    );
}

#[test]
fn chat_answers_with_windows_line_ends_and_tabs() {
    let text = "Sure, here it is:\r\n\r\n```python\r\nimport torch\r\nimport numpy as np\r\n\
        num_stages = 1  # one is enough\r\n\r\n# Stage 1 - reach\r\n\
        def stage1_guidance(keypoints: torch.Tensor, action_sequence) -> torch.Tensor:\r\n\
        \t\"\"\"Reach.\"\"\"\r\n\tx: float = 0.5\r\n\treturn -x * action_sequence.abs().sum()\r\n```\r\nDone!";
    let program = compile(text, &CompileOptions::new(1, 4)).unwrap();
    assert_eq!(program.stages[0].description, "reach");
}

#[test]
fn views_alias_as_in_pytorch() {
    let text = "
num_stages = 1
def stage1_guidance(k, a):
    x = a.clone()
    y = x[0]
    x += 1.0
    y[0] *= 0.0
    z = x.clone()
    z[:] = 100.0
    return x[0, 0].sum() + x[0, 1, 0]
";
    let program = compile(text, &CompileOptions::new(0, 2)).unwrap();
    let (mut value, mut gradient) = ([0.0], [0.0; 6]);
    Evaluator::<f64>::new(&program.stages[0].guidance, 1)
        .evaluate(&[], &[0.5; 6], &mut value, Some(&mut gradient))
        .unwrap();
    assert_eq!(value, [1.5]);
    assert_eq!(gradient, [0.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
}
