//! A stage's reward as a function of a point in space.

use tiller_core::{Trajectories, TrajectoriesMut};
use tiller_reward::{EvaluateError, Evaluator, Scene, Stage, Workspace};

/// Trajectories evaluated at a time: bounds the memory.
const BATCH: usize = 960;
/// Spacing of the grid in which the best point is looked for first, m.
const SEARCH_M: f64 = 0.02;
/// The rotation of a hand that points straight down, row-major.
const DOWN: [f64; 9] = [1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, -1.0];
/// What lies outside the workspace is shown with this much around it, m.
const MARGIN_M: f64 = 0.05;

/// The trajectory that leads to a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The hand is at the point after one step and stays there.
    Stay,
    /// The hand moves straight and evenly and arrives with the last step.
    Line,
}

impl Way {
    /// How far point `index` of `points` is on its way.
    fn share(self, index: usize, points: usize) -> f64 {
        match self {
            _ if index == 0 => 0.0,
            Self::Stay => 1.0,
            Self::Line => index as f64 / (points - 1) as f64,
        }
    }
}

/// Evaluates the reward of one stage: at a point it is that of the trajectory which leads there from the hand.
pub struct PointField<'a> {
    evaluator: Evaluator<f64>,
    scene: Scene<'a>,
    /// Where all trajectories begin.
    hand_m: [f64; 3],
    /// Per point of a trajectory, how far it is on its way.
    shares: Vec<f64>,
    trajectories: Vec<f64>,
    /// The hand stays straight down and open; empty where the reward does not read it.
    rotations: Vec<f64>,
    gripper: Vec<f64>,
    gradients: Vec<f64>,
}

/// A point and the reward there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Best {
    /// Where, m in the base frame.
    pub at_m: [f64; 3],
    /// How high.
    pub reward: f64,
    /// Whether it lies on the border of the space that was searched.
    pub is_at_edge: bool,
}

impl<'a> PointField<'a> {
    /// The field of a stage for a hand that begins at `hand_m`.
    #[must_use]
    pub fn new(stage: &Stage, scene: Scene<'a>, hand_m: [f64; 3], way: Way) -> Self {
        let points = stage.guidance.points();
        let reads = stage.guidance.reads();
        let all = BATCH * points;
        Self {
            evaluator: Evaluator::new(&stage.guidance, BATCH),
            scene,
            hand_m,
            shares: (0..points).map(|index| way.share(index, points)).collect(),
            trajectories: Vec::new(),
            rotations: DOWN.repeat(if reads.rotations { all } else { 0 }),
            gripper: vec![1.0; if reads.gripper { all } else { 0 }],
            gradients: Vec::new(),
        }
    }

    /// The field at some points; what is not finite stays so.
    ///
    /// # Errors
    /// When the reward cannot be evaluated.
    pub fn values(&mut self, at_m: &[[f64; 3]]) -> Result<Vec<f64>, EvaluateError> {
        let mut values = vec![0.0; at_m.len()];
        for (at_m, values) in at_m.chunks(BATCH).zip(values.chunks_mut(BATCH)) {
            self.lay_out(at_m);
            shown(self.evaluate(values, None))?;
        }
        Ok(values)
    }

    /// How the field changes with the point: the trajectory's gradient, carried over to the point
    /// by the chain rule.
    ///
    /// # Errors
    /// When the reward cannot be evaluated.
    pub fn gradients(&mut self, at_m: &[[f64; 3]]) -> Result<Vec<[f64; 3]>, EvaluateError> {
        let mut result = Vec::with_capacity(at_m.len());
        for at_m in at_m.chunks(BATCH) {
            self.lay_out(at_m);
            let mut values = vec![0.0; at_m.len()];
            let mut gradients = std::mem::take(&mut self.gradients);
            gradients.resize(self.trajectories.len(), 0.0);
            let evaluated = self.evaluate(&mut values, Some(&mut gradients));
            self.gradients = gradients;
            shown(evaluated)?;
            let (points, _) = self.gradients.as_chunks::<3>();
            for trajectory in points.chunks_exact(self.shares.len()) {
                let mut sum = [0.0; 3];
                for (gradient, share) in trajectory.iter().zip(&self.shares) {
                    for (sum, part) in sum.iter_mut().zip(gradient) {
                        *sum += share * part;
                    }
                }
                result.push(sum);
            }
        }
        Ok(result)
    }

    fn evaluate(
        &mut self,
        values: &mut [f64],
        gradients: Option<&mut [f64]>,
    ) -> Result<(), EvaluateError> {
        let points = self.trajectories.len() / 3;
        let trajectories = Trajectories {
            positions: &self.trajectories,
            rotations: self.rotations.get(..9 * points).unwrap_or_default(),
            gripper: self.gripper.get(..points).unwrap_or_default(),
        };
        self.evaluator.evaluate_whole(
            &self.scene,
            &trajectories,
            values,
            gradients.map(TrajectoriesMut::of_positions),
        )
    }

    /// One trajectory for each point.
    fn lay_out(&mut self, at_m: &[[f64; 3]]) {
        let start = self.hand_m;
        self.trajectories.clear();
        for point in at_m {
            for share in &self.shares {
                let place = |axis: usize| start[axis] + share * (point[axis] - start[axis]);
                self.trajectories.extend([place(0), place(1), place(2)]);
            }
        }
    }

    /// The point with the highest reward; among equals the one nearest to the hand. Found on a grid
    /// and refined around its best point: a narrower peak than the grid's spacing is missed.
    ///
    /// # Errors
    /// When the reward cannot be evaluated.
    pub fn best(&mut self, room: &Workspace) -> Result<Option<Best>, EvaluateError> {
        let counts = [0, 1, 2].map(|axis| steps(room.max_m[axis] - room.min_m[axis], SEARCH_M, 50));
        let mut spacing =
            [0, 1, 2].map(|axis| (room.max_m[axis] - room.min_m[axis]) / (counts[axis] - 1) as f64);
        let mut best = None;
        let mut points = lattice(room.min_m, spacing, counts);
        points.push(self.hand_m);
        self.pick(&points, &mut best)?;
        for _ in 0..12 {
            let Some(Best { at_m, .. }) = best else {
                return Ok(None);
            };
            spacing = spacing.map(|spacing| spacing / 2.0);
            let corner = [0, 1, 2].map(|axis| at_m[axis] - 2.0 * spacing[axis]);
            let mut points = lattice(corner, spacing, [5; 3]);
            for point in &mut points {
                for (axis, place) in point.iter_mut().enumerate() {
                    *place = place.clamp(room.min_m[axis], room.max_m[axis]);
                }
            }
            self.pick(&points, &mut best)?;
        }
        Ok(best.map(|best| Best {
            is_at_edge: is_at_edge(best.at_m, room),
            ..best
        }))
    }

    fn pick(&mut self, points: &[[f64; 3]], best: &mut Option<Best>) -> Result<(), EvaluateError> {
        let values = self.values(points)?;
        let hand_m = self.hand_m;
        for (&at_m, reward) in points.iter().zip(values) {
            let is_better = best.is_none_or(|best| {
                let equal = 1e-9 * best.reward.abs().max(1e-3);
                reward > best.reward + equal
                    || (reward > best.reward - equal
                        && distance(at_m, hand_m) < distance(best.at_m, hand_m) - 1e-9)
            });
            if reward.is_finite() && is_better {
                *best = Some(Best {
                    at_m,
                    reward,
                    is_at_edge: false,
                });
            }
        }
        Ok(())
    }
}

/// Whether a point lies on the border of what is shown: what is sought may lie beyond.
fn is_at_edge(at_m: [f64; 3], room: &Workspace) -> bool {
    (0..3).any(|axis| (at_m[axis] - room.min_m[axis]).min(room.max_m[axis] - at_m[axis]) < 1e-4)
}

/// The workspace, and everything that matters outside it.
#[must_use]
pub fn room(matters_m: &[[f64; 3]]) -> Workspace {
    let mut room = Workspace::default();
    for point in matters_m {
        for (axis, &place) in point.iter().enumerate() {
            if place < room.min_m[axis] {
                room.min_m[axis] = place - MARGIN_M;
            }
            if place > room.max_m[axis] {
                room.max_m[axis] = place + MARGIN_M;
            }
        }
    }
    room
}

/// A result that is not finite is part of the picture.
fn shown(result: Result<(), EvaluateError>) -> Result<(), EvaluateError> {
    match result {
        Ok(()) | Err(EvaluateError::NotFinite { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Points that cover `extent_m` with about the spacing, 3 or more.
#[must_use]
pub fn steps(extent_m: f64, spacing_m: f64, most: usize) -> usize {
    ((extent_m / spacing_m).round() as usize + 1).clamp(3, most)
}

fn lattice(corner: [f64; 3], spacing: [f64; 3], counts: [usize; 3]) -> Vec<[f64; 3]> {
    let [nx, ny, nz] = counts;
    (0..nx * ny * nz)
        .map(|index| {
            let place = [index / (ny * nz), index / nz % ny, index % nz];
            [0, 1, 2].map(|axis| corner[axis] + place[axis] as f64 * spacing[axis])
        })
        .collect()
}

fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).powi(2))
        .sum::<f64>()
        .sqrt()
}
