//! How the view is laid out.

use rerun::RecordingStream;
use rerun::blueprint::components::{PanelState, PlayState};
use rerun::blueprint::{
    Blueprint, BlueprintActivation, BlueprintPanel, ContainerLike, Horizontal, SelectionPanel,
    Spatial2DView, Spatial3DView, Tabs, TextDocumentView, TextLogView, TimePanel, TimeSeriesView,
    Vertical,
};
use rerun::components::InterpolationMode;
use rerun::{RecordingStreamResult, SeriesLines};

use crate::sink::ROBOT_TIME;

/// A curve's name and colour.
type Curve = (&'static str, [u8; 3]);

const BLUE: [u8; 3] = [90, 160, 255];
const ORANGE: [u8; 3] = [255, 160, 60];
const GREY: [u8; 3] = [150, 150, 150];

/// Plots, each with its curves.
const PLOTS: [(&str, &[Curve]); 7] = [
    ("progress", &[("achieved", BLUE), ("planned", ORANGE)]),
    ("reward", &[("reward of the chunk", BLUE)]),
    ("guidance", &[("guidance strength", ORANGE)]),
    ("ess", &[("effective particles", BLUE)]),
    ("candidates_mm", &[("width of the candidates", BLUE)]),
    ("gripper_mm", &[("gripper", ORANGE)]),
    ("stage", &[("stage", GREY)]),
];

/// Sends the layout for pictures of these inputs.
pub(crate) fn send(recording: &RecordingStream, cameras: &[String]) -> RecordingStreamResult<()> {
    for (path, curves) in PLOTS {
        let lines = SeriesLines::new()
            .with_names(curves.iter().map(|(name, _)| *name))
            .with_colors(curves.iter().map(|(_, rgb)| *rgb));
        // What is decided stays until the next decision.
        let lines = match path {
            "stage" => lines.with_interpolation_mode(InterpolationMode::StepAfter),
            _ => lines,
        };
        recording.log_static(format!("plots/{path}"), &lines)?;
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
    // What is small is looked at from near.
    let near = [
        "candidates",
        "chunk",
        "reward_field",
        "arm/hand",
        "arm/tool",
    ];
    let tool = Spatial3DView::new("around the tool")
        .with_origin("/world")
        .with_contents(near.map(|path| format!("/world/{path}")));
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
        tool.into(),
        Horizontal::new([ContainerLike::from(texts), log.into()]).into(),
    ])
    .with_row_shares([3.0, 2.5, 1.5]);
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
