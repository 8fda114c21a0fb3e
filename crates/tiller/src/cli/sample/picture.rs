//! A sample as a picture.

use tiller_report::{
    Axis, CandidateStep, CandidateView, CandidatesPicture, Mark, MarkKind, Picture,
};
use tiller_steering::Phase;

use super::observation::{ObservationFile, View};
use super::trace::{Report, phase};
use crate::cli::scene::Scene;

/// Room left around everything that is drawn without a camera, m.
const AIR_M: f64 = 0.04;

/// The picture of a sample; `used` are the keypoints that the stage reads.
pub(super) fn of<'a>(
    report: &Report<'_>,
    observation: &'a ObservationFile,
    scene: &Scene,
    used: &[usize],
) -> CandidatesPicture<'a> {
    let plan = &report.sample.plan;
    let views = match &observation.view {
        Some(view) => vec![through(view, report, observation, scene, used)],
        None => [(1, 0, "From above"), (1, 2, "From the front")]
            .map(|(across, up, title)| flat(across, up, title, report, observation, scene, used))
            .into(),
    };
    let count = report.count();
    let traced = plan.particle_trace.as_ref();
    let row = |values: &[f32], step: usize| -> Vec<f64> {
        let row = values[step * count..][..count].iter();
        row.map(|value| f64::from(*value)).collect()
    };
    let steps = plan
        .trace
        .iter()
        .enumerate()
        .map(|(index, step)| CandidateStep {
            phase: phase(step.phase),
            rewards: traced.map_or_else(Vec::new, |trace| row(&trace.rewards, index)),
            // Repulsion has another scale than the reward's gradient.
            gradient_norms: traced
                .filter(|_| step.phase == Phase::Guided)
                .map_or_else(Vec::new, |trace| row(&trace.gradient_norms, index)),
            strength: f64::from(step.strength),
            ess: f64::from(step.ess),
            ancestors: report.ancestors(index).map(|ancestors| {
                ancestors
                    .iter()
                    .map(|&particle| particle as usize)
                    .collect()
            }),
        });
    let title = match (plan.steered, report.stage) {
        (true, Some(stage)) => format!("Steered: {stage}"),
        (false, Some(stage)) => format!("Unsteered, judged by: {stage}"),
        _ => "Unsteered".to_owned(),
    };
    let lost = match (0..count)
        .filter(|&particle| report.is_lost(particle))
        .count()
    {
        0 => String::new(),
        lost => format!(", {lost} of them lost"),
    };
    let strength = match plan.steered {
        true => format!(", guide scale {}", report.steering.guide_scale),
        false => String::new(),
    };
    let caption = format!(
        "{count} candidate chunks of policy `{}`{lost}, {} sampling steps, seed {}, chunk {}{strength}. \
         Thick: the one that is executed.",
        report.policy,
        plan.trace.len(),
        report.spec.seed,
        report.spec.chunk_index
    );
    let threshold = report.steering.feynman_kac.filter(|_| plan.steered);
    CandidatesPicture {
        title,
        caption,
        views,
        rewards: (0..count)
            .map(|particle| f64::from(report.reward(particle)))
            .collect(),
        selected: plan.selected,
        steps: steps.collect(),
        ess_threshold: threshold.map(|fk| f64::from(fk.ess_threshold) * count as f64),
    }
}

/// The candidates that are not lost, each point mapped.
fn paths(report: &Report<'_>, map: impl Fn([f64; 3]) -> Option<[f64; 2]>) -> Vec<Vec<[f64; 2]>> {
    let path = |particle: usize| {
        if report.is_lost(particle) {
            return Vec::new();
        }
        let points = report.path(particle).iter();
        points
            .map_while(|point| map(point.map(f64::from)))
            .collect()
    };
    (0..report.count()).map(path).collect()
}

fn marks(
    observation: &ObservationFile,
    scene: &Scene,
    used: &[usize],
    map: impl Fn([f64; 3]) -> Option<[f64; 2]>,
) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut mark = |at: [f64; 3], kind: MarkKind, label: &str| {
        let finite = at.iter().all(|value| value.is_finite());
        marks.extend(map(at).filter(|_| finite).map(|at_m| Mark {
            at_m,
            kind,
            label: label.to_owned(),
        }));
    };
    let points = || scene.keypoints.iter().zip(&scene.names).enumerate();
    for (index, (point, name)) in points().filter(|(index, _)| used.contains(index)) {
        mark(*point, MarkKind::Used(index), name);
    }
    mark(observation.anchor_m, MarkKind::Hand, "");
    for (index, (point, name)) in points().filter(|(index, _)| !used.contains(index)) {
        mark(*point, MarkKind::Other(index), name);
    }
    marks
}

/// On the camera's image.
fn through<'a>(
    view: &'a View,
    report: &Report<'_>,
    observation: &ObservationFile,
    scene: &Scene,
    used: &[usize],
) -> CandidateView<'a> {
    let map = |point: [f64; 3]| {
        let (pixel, _) = view.camera.project(point)?;
        Some(pixel.map(|place| place * view.scale))
    };
    let [width, height] = [view.image.width(), view.image.height()];
    let axis = |from_m: u32, to_m: u32| Axis {
        name: "",
        from_m: f64::from(from_m),
        to_m: f64::from(to_m),
    };
    CandidateView {
        title: String::new(),
        across: axis(0, width),
        up: axis(height, 0),
        // An image that was read has pixels.
        image: Picture::new(view.image.as_raw(), width, height).ok(),
        paths: paths(report, map),
        marks: marks(observation, scene, used, map),
    }
}

/// Along an axis of the world, in metres.
fn flat<'a>(
    across: usize,
    up: usize,
    title: &str,
    report: &Report<'_>,
    observation: &ObservationFile,
    scene: &Scene,
    used: &[usize],
) -> CandidateView<'a> {
    let map = |point: [f64; 3]| Some([point[across], point[up]]);
    let (paths, marks) = (paths(report, map), marks(observation, scene, used, map));
    let places = || {
        let marks = marks.iter().map(|mark| mark.at_m);
        marks.chain(paths.iter().flatten().copied())
    };
    let axis = |axis: usize, along: usize| {
        let of = || places().map(|at| at[along]);
        let (low, high) = of().fold((f64::MAX, f64::MIN), |(low, high), at| {
            (low.min(at), high.max(at))
        });
        let ends = [low - AIR_M, high + AIR_M];
        // Seen from above the robot stands beyond the upper edge, as in the camera's image.
        let [from_m, to_m] = if axis == 0 { [ends[1], ends[0]] } else { ends };
        Axis {
            name: ["x", "y", "z"][axis],
            from_m,
            to_m,
        }
    };
    CandidateView {
        title: title.to_owned(),
        across: axis(across, 0),
        up: axis(up, 1),
        image: None,
        paths,
        marks,
    }
}
