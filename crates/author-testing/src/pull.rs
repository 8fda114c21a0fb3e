//! Where the gradient of a stage leads.

use nalgebra::{Matrix3, Rotation3, Vector3};
use tiller_core::{Pose, Trajectories, TrajectoriesMut};
use tiller_reward::{Evaluator, Program, Scene};

use crate::FollowError;

/// Points of a judged trajectory, 100 ms apart.
pub(crate) const POINTS: usize = 4;
/// Steps that are judged, of which the first is made.
const AHEAD: f64 = (POINTS - 1) as f64;
/// Moves that make them up.
const MOVES: usize = 5;
/// Shares of the longest move that are tried.
const SHARES: [f64; 6] = [1.0, 0.5, 0.25, 0.1, 0.03, 0.0];

/// The hand as rewards see it.
#[derive(Debug, Clone)]
pub(crate) struct Hand {
    pub(crate) position_m: Vector3<f64>,
    pub(crate) rotation: Matrix3<f64>,
    pub(crate) opening: f64,
}

impl Hand {
    pub(crate) fn at(pose: Pose, opening: f64) -> Self {
        Self {
            position_m: pose.position(),
            rotation: pose.matrix(),
            opening,
        }
    }

    pub(crate) fn rows(&self) -> [[f64; 3]; 3] {
        std::array::from_fn(|row| std::array::from_fn(|column| self.rotation[(row, column)]))
    }

    fn turned(&self, by_rad: Vector3<f64>) -> Matrix3<f64> {
        Rotation3::new(by_rad).into_inner() * self.rotation
    }
}

/// A step of 100 ms along a stage's gradient.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) delta_m: Vector3<f64>,
    /// The hand's orientation some steps on.
    pub(crate) rotation: Matrix3<f64>,
    /// Above 0 where the reward asks for open fingers, below for closed ones.
    pub(crate) opens: f64,
}

/// Longest step of 100 ms.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Longest {
    pub(crate) m: f64,
    pub(crate) rad: f64,
}

/// A slope of the value of going to a hand.
struct Slope {
    direction: Vector3<f64>,
    axis: Vector3<f64>,
    opens: f64,
}

struct Judge<'k> {
    evaluator: Evaluator<f64>,
    keypoints: &'k [[f64; 3]],
}

impl Judge<'_> {
    /// The value of going evenly to a hand, turned and with its fingers as there at once, with its slope there.
    fn judge(&mut self, from: &Hand, to: &Hand) -> Result<(f64, Slope), FollowError> {
        let row = |at: usize| if at == 0 { from } else { to };
        let share = |at: usize| at as f64 / AHEAD;
        let along = |at: usize| from.position_m.lerp(&to.position_m, share(at));
        let positions: Vec<f64> = (0..POINTS)
            .flat_map(|at| <[f64; 3]>::from(along(at)))
            .collect();
        let rotations: Vec<f64> = (0..POINTS).flat_map(|at| row(at).rows().concat()).collect();
        let gripper: Vec<f64> = (0..POINTS).map(|at| row(at).opening).collect();
        let mut slopes = [3, 9, 1].map(|size| vec![0.0; size * POINTS]);
        let [p, r, g] = &mut slopes;
        let mut value = [0.0];
        self.evaluator.evaluate_whole(
            &Scene::from(self.keypoints),
            &Trajectories {
                positions: &positions,
                rotations: &rotations,
                gripper: &gripper,
            },
            &mut value,
            Some(TrajectoriesMut {
                positions: p,
                rotations: r,
                gripper: g,
            }),
        )?;
        let mut slope = Slope {
            direction: Vector3::zeros(),
            axis: Vector3::zeros(),
            opens: g[1..].iter().sum(),
        };
        for at in 1..POINTS {
            slope.direction += share(at) * Vector3::from_column_slice(&p[3 * at..3 * at + 3]);
            let turn = Matrix3::from_row_slice(&r[9 * at..9 * at + 9]);
            let turn = turn * row(at).rotation.transpose();
            let turn = turn - turn.transpose();
            slope.axis += Vector3::new(turn[(2, 1)], turn[(0, 2)], turn[(1, 0)]);
        }
        Ok((value[0], slope))
    }

    fn best(&mut self, from: &Hand, candidates: [Hand; 6]) -> Result<Hand, FollowError> {
        let mut best = (f64::NEG_INFINITY, from.clone());
        for candidate in candidates {
            let (value, _) = self.judge(from, &candidate)?;
            if value > best.0 {
                best = (value, candidate);
            }
        }
        Ok(best.1)
    }
}

fn unit(vector: Vector3<f64>) -> Vector3<f64> {
    vector.try_normalize(1e-9).unwrap_or_default()
}

/// Some short moves along the gradient, each the best of some lengths, of which the first step is made.
pub(crate) fn step(
    program: &Program,
    stage: usize,
    keypoints: &[[f64; 3]],
    hand: &Hand,
    longest: Longest,
) -> Result<Step, FollowError> {
    let mut judge = Judge {
        evaluator: Evaluator::new(&program.stages[stage].guidance, 1),
        keypoints,
    };
    let mut best = hand.clone();
    let mut opens = 0.0;
    for _ in 0..MOVES {
        let (_, slope) = judge.judge(hand, &best)?;
        opens += slope.opens;
        let direction = AHEAD * longest.m / MOVES as f64 * unit(slope.direction);
        let axis = longest.rad / MOVES as f64 * unit(slope.axis);
        let from = best;
        let moved = |share: f64| Hand {
            position_m: from.position_m + share * direction,
            ..from.clone()
        };
        let from = judge.best(hand, SHARES.map(moved))?;
        let turned = |share: f64| Hand {
            rotation: from.turned(share * axis),
            ..from.clone()
        };
        best = judge.best(hand, SHARES.map(turned))?;
    }
    Ok(Step {
        delta_m: (best.position_m - hand.position_m) / AHEAD,
        rotation: best.rotation,
        opens,
    })
}
