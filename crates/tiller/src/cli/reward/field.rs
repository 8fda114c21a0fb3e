//! Slices through a stage's reward, with what stands in the scene.

use tiller_report::{Arrow, Axis, Mark, MarkKind, Slice};
use tiller_reward::{EvaluateError, Workspace};
use tiller_scene::{Best, PointField, Way, steps};

use crate::cli::scene::Scene;

/// Spacing of a slice, m.
const SLICE_M: f64 = 0.005;
/// Spacing of the arrows, m.
const ARROWS_M: f64 = 0.05;
/// Points along one direction at most, whatever the size of the scene.
const MOST: usize = 200;

/// The trajectory that leads to a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Path {
    /// The hand is at the point after one step and stays there.
    Stay,
    /// The hand moves straight and evenly and arrives with the last step.
    Line,
}

impl Path {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Stay => "stay",
            Self::Line => "line",
        }
    }

    pub(super) fn way(self) -> Way {
        match self {
            Self::Stay => Way::Stay,
            Self::Line => Way::Line,
        }
    }
}

/// A slice through `centre_m` along two axes, without marks.
pub(super) fn slice(
    field: &mut PointField<'_>,
    room: &Workspace,
    centre_m: [f64; 3],
    [across, up]: [Direction; 2],
) -> Result<Slice, EvaluateError> {
    let extent = |direction: Direction| room.max_m[direction.axis] - room.min_m[direction.axis];
    let axes = [across, up].map(|direction| direction.axis(room));
    let point = |shares: [f64; 2]| {
        let mut point = centre_m;
        for ((direction, axis), share) in [across, up].into_iter().zip(axes).zip(shares) {
            point[direction.axis] = axis.from_m + share * (axis.to_m - axis.from_m);
        }
        point
    };
    let [columns, rows] = [across, up].map(|direction| steps(extent(direction), SLICE_M, MOST));
    let grid: Vec<[f64; 3]> = (0..rows * columns)
        .map(|index| {
            let last = [columns - 1, rows - 1].map(|last| last as f64);
            point([
                (index % columns) as f64 / last[0],
                (index / columns) as f64 / last[1],
            ])
        })
        .collect();
    let [wide, high] = [across, up].map(|direction| steps(extent(direction), ARROWS_M, 20) - 1);
    let tails: Vec<[f64; 3]> = (0..wide * high)
        .map(|index| {
            point([
                ((index % wide) as f64 + 0.5) / wide as f64,
                ((index / wide) as f64 + 0.5) / high as f64,
            ])
        })
        .collect();
    let gradients = field.gradients(&tails)?;
    let arrow = |(at, rise): (&[f64; 3], [f64; 3])| Arrow {
        at_m: [at[across.axis], at[up.axis]],
        rise: [rise[across.axis], rise[up.axis]],
    };
    Ok(Slice {
        title: String::new(),
        across: axes[0],
        up: axes[1],
        columns,
        values: field.values(&grid)?,
        arrows: tails.iter().zip(gradients).map(arrow).collect(),
        marks: Vec::new(),
    })
}

/// A coordinate axis as a direction on a picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Direction {
    /// 0 x, 1 y, 2 z.
    pub(super) axis: usize,
    /// Whether it runs to the left or downward.
    pub(super) is_reversed: bool,
}

impl Direction {
    fn axis(self, room: &Workspace) -> Axis {
        let (low, high) = (room.min_m[self.axis], room.max_m[self.axis]);
        let (from_m, to_m) = if self.is_reversed {
            (high, low)
        } else {
            (low, high)
        };
        Axis {
            name: ["x", "y", "z"][self.axis],
            from_m,
            to_m,
        }
    }
}

/// The marks of a slice, the most important ones first.
pub(super) fn marks(
    scene: &Scene,
    used: &[usize],
    hand_m: [f64; 3],
    best: Option<Best>,
    [across, up]: [Direction; 2],
) -> Vec<Mark> {
    let mark = |at_m: [f64; 3], kind, label: &str| Mark {
        at_m: [at_m[across.axis], at_m[up.axis]],
        kind,
        label: label.to_owned(),
    };
    let keypoint = |index: usize, is_used: bool| {
        let name = scene.names.get(index).map_or("", String::as_str);
        let kind = if is_used {
            MarkKind::Used(index)
        } else {
            MarkKind::Other(index)
        };
        mark(scene.keypoints[index], kind, name)
    };
    let others = (0..scene.keypoints.len()).filter(|index| !used.contains(index));
    let best = best.map(|best| mark(best.at_m, MarkKind::Best, "best"));
    best.into_iter()
        .chain(used.iter().map(|&index| keypoint(index, true)))
        .chain([mark(hand_m, MarkKind::Hand, "hand")])
        .chain(others.map(|index| keypoint(index, false)))
        .collect()
}
