//! `tiller reward eval`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use eyre::{Result, WrapErr, ensure};
use serde::Serialize;
use serde_json::{Value, json};
use tiller_core::{Trajectories, TrajectoriesMut};
use tiller_reward::{CompileOptions, EvaluateError, Evaluator, Program, Scene, compile};

use super::say_json;
use crate::cli::input::{list, object, points, read_json, read_program, tensor};

/// Print values and gradients of every stage for given keypoints and trajectories, as JSON.
///
/// Input, metres in the robot base frame:
///   {"keypoints": [[x,y,z], ..K], "trajectories": [[[x,y,z], ..T], ..B]}
/// and, where the program reads them,
///   "rotations": [[[[..3], ..3], ..T], ..B], the hand's axes as columns; "gripper": [[opening, ..T],
///   ..B], 0 closed, 1 open; "keypoint_axes": [[[..3], ..3], ..K], by default the base frame's
/// A trajectory is what the program sees: its first point is the current position, and all have
/// the same number of points. The program is compiled for exactly these K and T.
///
/// Output, in double precision:
///   {"stages": [{"stage": 1, "values": [..B], "gradients": [[[..3], ..T], ..B]}]}
/// and `rotation_gradients` and `gripper_gradients` in the shapes of what was given.
/// A stage without guidance has zeros. A number that is not finite is printed as null. Done
/// functions are checked but not evaluated.
///
/// Example:
///   echo '{"keypoints": [[0.5,0,0.1]], "trajectories": [[[0.4,0,0.3],[0.5,0,0.2]]]}' > inputs.json
///   tiller reward eval program.py --inputs inputs.json
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct EvalArgs {
    /// File with the program; `-` reads standard input.
    program: PathBuf,
    /// JSON file with keypoints and trajectories; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    inputs: PathBuf,
    /// Accepted for symmetry: the output is always JSON.
    #[arg(long)]
    json: bool,
}

struct Inputs {
    keypoints: Vec<[f64; 3]>,
    keypoint_axes: Vec<[[f64; 3]; 3]>,
    trajectories: Vec<Vec<[f64; 3]>>,
    /// `[B][T][3][3]` and `[B][T]`; empty where they are not given.
    rotations: Vec<f64>,
    gripper: Vec<f64>,
}

#[derive(Debug, Serialize)]
struct StageValues {
    stage: usize,
    values: Vec<f64>,
    gradients: Vec<Vec<[f64; 3]>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rotation_gradients: Vec<Vec<[[f64; 3]; 3]>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gripper_gradients: Vec<Vec<f64>>,
}

impl EvalArgs {
    pub(super) fn run(self) -> Result<ExitCode> {
        let is_stdin = |path: &PathBuf| path.as_os_str() == "-";
        ensure!(
            !(is_stdin(&self.program) && is_stdin(&self.inputs)),
            "program and inputs cannot both come from standard input"
        );
        let source = read_program(&self.program)?;
        let inputs = Inputs::read(&read_json(&self.inputs)?)
            .wrap_err_with(|| format!("{} does not hold the inputs", self.inputs.display()))?;
        let points = inputs.trajectories[0].len();
        let options = CompileOptions::new(inputs.keypoints.len(), points);
        let program = match compile(&source, &options) {
            Ok(program) => program,
            Err(diagnostics) => {
                eprint!("{}", diagnostics.render(&source));
                return Ok(ExitCode::from(1));
            }
        };
        let stages = evaluate(&program, &inputs, points)?;
        say_json(&json!({"stages": stages}).to_string())?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Inputs {
    /// At least one trajectory, all of one length, which is not 0.
    fn read(value: &Value) -> Result<Self> {
        let known = [
            "keypoints",
            "trajectories",
            "rotations",
            "gripper",
            "keypoint_axes",
        ];
        let members = object(value, &known)?;
        let keypoints = points(members.get("keypoints"), "keypoints")?;
        let mut trajectories: Vec<Vec<[f64; 3]>> = Vec::new();
        let all = list(members.get("trajectories"), "trajectories")?;
        for (index, value) in all.iter().enumerate() {
            let path = format!("trajectories[{index}]");
            let trajectory = points(Some(value), &path)?;
            ensure!(
                !trajectory.is_empty(),
                "`{path}` is empty: expected at least one point"
            );
            if let Some(first) = trajectories.first() {
                ensure!(
                    trajectory.len() == first.len(),
                    "`{path}`: expected {} points as in trajectories[0], found {}",
                    first.len(),
                    trajectory.len()
                );
            }
            trajectories.push(trajectory);
        }
        ensure!(
            !trajectories.is_empty(),
            "`trajectories` is empty: expected at least one"
        );
        let (particles, points) = (trajectories.len(), trajectories[0].len());
        let given = |name: &str, shape: &[usize]| match members.get(name) {
            Some(value) => tensor(value, name, shape),
            None => Ok(Vec::new()),
        };
        let axes = given("keypoint_axes", &[keypoints.len(), 3, 3])?;
        Ok(Self {
            keypoint_axes: axes.as_chunks::<3>().0.as_chunks::<3>().0.to_vec(),
            rotations: given("rotations", &[particles, points, 3, 3])?,
            gripper: given("gripper", &[particles, points])?,
            keypoints,
            trajectories,
        })
    }
}

fn evaluate(program: &Program, inputs: &Inputs, points: usize) -> Result<Vec<StageValues>> {
    let particles = inputs.trajectories.len();
    let positions = inputs.trajectories.concat().concat();
    let scene = Scene {
        keypoints: &inputs.keypoints,
        keypoint_axes: &inputs.keypoint_axes,
    };
    let trajectories = Trajectories {
        positions: &positions,
        rotations: &inputs.rotations,
        gripper: &inputs.gripper,
    };
    let stage = |(index, stage): (usize, &tiller_reward::Stage)| {
        let mut values = vec![0.0; particles];
        let mut gradients = vec![0.0; positions.len()];
        let mut of_rotations = vec![0.0; inputs.rotations.len()];
        let mut of_gripper = vec![0.0; inputs.gripper.len()];
        let result = Evaluator::<f64>::new(&stage.guidance, particles).evaluate_whole(
            &scene,
            &trajectories,
            &mut values,
            Some(TrajectoriesMut {
                positions: &mut gradients,
                rotations: &mut of_rotations,
                gripper: &mut of_gripper,
            }),
        );
        match result {
            // All numbers have been written all the same: the reader sees which are not finite.
            Ok(()) | Err(EvaluateError::NotFinite { .. }) => {}
            Err(error) => return Err(error).wrap_err_with(|| format!("stage {}", index + 1)),
        }
        let vectors = gradients.as_chunks::<3>().0;
        let matrices = of_rotations.as_chunks::<3>().0.as_chunks::<3>().0;
        Ok(StageValues {
            stage: index + 1,
            values,
            gradients: by_particle(vectors, points),
            rotation_gradients: by_particle(matrices, points),
            gripper_gradients: by_particle(&of_gripper, points),
        })
    };
    program.stages.iter().enumerate().map(stage).collect()
}

fn by_particle<T: Clone>(all: &[T], points: usize) -> Vec<Vec<T>> {
    all.chunks_exact(points).map(<[T]>::to_vec).collect()
}
