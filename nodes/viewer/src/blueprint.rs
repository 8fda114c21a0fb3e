//! How the view is laid out.

use rerun::RecordingStream;
use rerun::blueprint::components::{PanelState, PlayState};
use rerun::blueprint::{
    Blueprint, BlueprintActivation, BlueprintPanel, ContainerLike, Horizontal, SelectionPanel,
    Spatial2DView, Spatial3DView, Tabs, TextDocumentView, TextLogView, TimePanel, TimeSeriesView,
    Vertical,
};
use rerun::{RecordingStreamResult, SeriesLines};

use crate::sink::ROBOT_TIME;

/// Plots, each with the names of its curves.
const PLOTS: [(&str, &str, &[&str]); 7] = [
    ("progress", "progress", &["achieved", "planned"]),
    ("reward", "reward", &["reward of the chunk"]),
    ("guidance", "guidance", &["guidance strength"]),
    ("ess", "particles", &["effective particles"]),
    (
        "candidates_mm",
        "width, mm",
        &["width of the candidates, mm"],
    ),
    ("gripper_mm", "gripper, mm", &["gripper, mm"]),
    ("stage", "stage", &["stage"]),
];

/// Sends the layout for pictures of these inputs.
pub(crate) fn send(recording: &RecordingStream, cameras: &[String]) -> RecordingStreamResult<()> {
    for (path, _, names) in PLOTS {
        let names = names.iter().copied();
        recording.log_static(
            format!("plots/{path}"),
            &SeriesLines::new().with_names(names),
        )?;
    }
    let activation = BlueprintActivation {
        make_active: true,
        make_default: true,
    };
    layout(cameras).send(recording, activation)
}

fn layout(cameras: &[String]) -> Blueprint {
    let scene = Spatial3DView::new("scene")
        .with_origin("/world")
        .with_contents(["/world/**"]);
    let pictures = cameras.iter().map(|input| {
        let origin = format!("/world/cameras/{input}");
        let contents = [
            format!("{origin}/**"),
            "/world/candidates".to_owned(),
            "/world/chunk".to_owned(),
        ];
        let view = Spatial2DView::new(input.as_str());
        ContainerLike::from(view.with_origin(origin).with_contents(contents))
    });
    let drawn = Spatial2DView::new("what the author saw").with_origin("/drawings/annotated_image");
    let pictures: Vec<_> = pictures.chain([drawn.into()]).collect();
    let plot = |paths: &[&str], name: &str| {
        let contents: Vec<_> = paths.iter().map(|path| format!("/plots/{path}")).collect();
        let view = TimeSeriesView::new(name);
        ContainerLike::from(view.with_origin("/plots").with_contents(contents))
    };
    let plots = Vertical::new([
        plot(&["progress", "stage"], "progress and stage"),
        plot(&["reward"], "reward"),
        plot(&["guidance", "ess"], "guidance and effective particles"),
        plot(&["candidates_mm", "gripper_mm"], "widths, mm"),
    ]);
    let texts = Tabs::new([
        ContainerLike::from(TextDocumentView::new("task").with_origin("/texts/task")),
        TextDocumentView::new("program")
            .with_origin("/texts/program")
            .into(),
    ]);
    let log = TextLogView::new("log").with_origin("/texts/log");
    let left = Vertical::new([
        ContainerLike::from(scene),
        Horizontal::new([ContainerLike::from(texts), log.into()]).into(),
    ])
    .with_row_shares([3.0, 1.0]);
    let right = Vertical::new([ContainerLike::from(Horizontal::new(pictures)), plots.into()])
        .with_row_shares([1.0, 3.0]);
    let root = Horizontal::new([ContainerLike::from(left), right.into()]);
    Blueprint::new(root.with_column_shares([3.0, 2.0]))
        .with_blueprint_panel(BlueprintPanel::from_state(PanelState::Collapsed))
        .with_selection_panel(SelectionPanel::from_state(PanelState::Collapsed))
        .with_time_panel(
            TimePanel::new()
                .with_state(PanelState::Collapsed)
                .with_timeline(ROBOT_TIME)
                .with_play_state(PlayState::Following),
        )
}
