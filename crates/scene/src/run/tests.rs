use tiller_core::{EpisodeId, Pose};
use tiller_messages::ExecutionMode;

use super::*;

fn drained(run: &mut Run) -> Vec<Shown> {
    run.drain().collect()
}

fn at<'s>(shown: &'s [Shown], path: &str) -> &'s What {
    let found = shown.iter().find(|shown| shown.path == path);
    &found
        .unwrap_or_else(|| panic!("no `{path}` in {shown:?}"))
        .what
}

fn lines(shown: &[Shown]) -> Vec<String> {
    let line = |shown: &Shown| match &shown.what {
        What::Line { text, .. } => Some(text.clone()),
        _ => None,
    };
    shown.iter().filter_map(line).collect()
}

/// 1 m above the base, looking straight down.
fn header() -> ImageHeader {
    #[rustfmt::skip]
    let matrix = [
        0.0, -1.0, 0.0, 0.0,
        -1.0, 0.0, 0.0, 0.0,
        0.0, 0.0, -1.0, 1.0,
        0.0, 0.0, 0.0, 1.0,
    ];
    ImageHeader {
        stamp_ns: 40,
        width: 4,
        height: 4,
        focal: Some([2.0; 2]),
        world_from_camera: Some(matrix),
        ..Default::default()
    }
}

fn keypoints() -> Keypoints {
    Keypoints {
        stamp_ns: 40,
        names: vec!["handle".into(), "knob".into()],
        xyz_m: vec![0.0, 0.0, 0.0, 9.0, 9.0, 0.0],
        visible: vec![true, false],
        ..Default::default()
    }
}

#[test]
fn keypoints_are_seen_in_space_and_in_the_pictures_that_show_them() {
    let mut run = Run::default();
    run.on_picture("image", &header(), &[7; 48]);
    let shown = drained(&mut run);
    assert!(matches!(at(&shown, "world/cameras/image"), What::Camera(_)));
    assert_eq!(shown.len(), 2, "the camera and its picture");
    run.on_picture("image", &header(), &[8; 48]);
    assert_eq!(drained(&mut run).len(), 1, "it has not moved");
    run.on_keypoints(keypoints());
    let shown = drained(&mut run);
    let What::Points2 {
        at: pixels, names, ..
    } = at(&shown, "world/cameras/image/keypoints")
    else {
        panic!("points");
    };
    assert_eq!(
        (pixels.as_slice(), names.len()),
        ([[2.0, 2.0]].as_slice(), 1)
    );
    let What::Points3 { names, colours, .. } = at(&shown, "world/keypoints") else {
        panic!("points");
    };
    assert_eq!(names.as_slice(), ["0 handle", "1 knob"]);
    assert_eq!(colours.as_slice(), [SEEN, HIDDEN]);
    assert_eq!(shown[0].stamp_ns, Some(40));
}

#[test]
fn depth_is_a_cloud_in_the_colours_of_the_picture() {
    let mut run = Run::default();
    let mut rgb = vec![0; 48];
    rgb[15..18].copy_from_slice(&[10, 20, 30]);
    run.on_picture("image", &header(), &rgb);
    // A camera of the same size that looks from elsewhere has no part in it.
    let mut elsewhere = header();
    elsewhere.world_from_camera.as_mut().unwrap()[3] = 0.5;
    run.on_picture("wrist_image", &elsewhere, &[200; 48]);
    drained(&mut run);
    let mut depth = vec![0; 16];
    // The last is on the floor, 4 m below.
    (depth[5], depth[6], depth[9]) = (1_000, 500, 5_000);
    run.on_depth(&header(), &depth);
    let shown = drained(&mut run);
    let What::Points3 { at, colours, .. } = at(&shown, "world/scene") else {
        panic!("points");
    };
    assert_eq!(at.len(), 2, "what is unknown or far is left out");
    assert_eq!(colours[0], [10, 20, 30, 255]);
    // Its pixel is up and to the left: +y and +x of the base, on the ground.
    assert!((at[0][0] - 0.25).abs() < 1e-5 && (at[0][1] - 0.25).abs() < 1e-5);
    assert!(at[0][2].abs() < 1e-5 && (at[1][2] - 0.5).abs() < 1e-5);
}

#[test]
fn a_large_depth_picture_is_thinned_out() {
    let mut run = Run::default();
    let header = ImageHeader {
        width: 640,
        height: 480,
        ..header()
    };
    // So narrow a view that all of it is near.
    let header = ImageHeader {
        focal: Some([2_000.0; 2]),
        ..header
    };
    run.on_depth(&header, &vec![900; 640 * 480]);
    let shown = drained(&mut run);
    let What::Points3 { at, .. } = at(&shown, "world/scene") else {
        panic!("points");
    };
    assert!(
        at.len() > CLOUD / 2 && at.len() <= CLOUD + 640,
        "{}",
        at.len()
    );
}

#[test]
fn candidates_are_coloured_by_reward_and_the_chosen_one_stands_out() {
    let mut run = Run::default();
    let candidates = Candidates {
        particles: 2,
        points: 2,
        xyz_m: vec![0.0, 0.0, 0.0, 0.1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.3, 0.0, 0.0],
        rewards: vec![-5.0, -1.0],
        selected: 1,
        ..Default::default()
    };
    run.on_candidates(&candidates);
    let shown = drained(&mut run);
    let What::Lines3 {
        strips, colours, ..
    } = at(&shown, "world/candidates")
    else {
        panic!("lines");
    };
    assert_eq!(strips.len(), 2);
    assert_eq!(colours.as_slice(), [by_share(0.0, 170), by_share(1.0, 170)]);
    let What::Lines3 { strips, .. } = at(&shown, "world/chunk") else {
        panic!("lines");
    };
    assert_eq!(strips.as_slice(), [vec![[0.0; 3], [0.3, 0.0, 0.0]]]);
    let What::Series(width) = at(&shown, "plots/candidates_mm") else {
        panic!("a series");
    };
    assert!((width[0] - 100.0).abs() < 1e-3, "ends are 0.2 m apart");
    let unsteered = Candidates {
        rewards: Vec::new(),
        ..candidates
    };
    run.on_candidates(&unsteered);
    let shown = drained(&mut run);
    let What::Lines3 { colours, .. } = at(&shown, "world/candidates") else {
        panic!("lines");
    };
    assert_eq!(colours.as_slice(), [PLAIN]);
}

fn program() -> RewardProgram {
    RewardProgram {
        id: ProgramId(3),
        num_stages: 2,
        text: "num_stages = 2\n~~~~\u{202e}".into(),
        source: "embedded".into(),
        descriptions: vec!["reach".into(), "pull".into()],
        ..Default::default()
    }
}

fn stage(visit: u32) -> StageCommand {
    StageCommand {
        program: ProgramId(3),
        stage: 2,
        visit,
        kind: "advance".into(),
        reason: "progress 1.0".into(),
        ..Default::default()
    }
}

#[test]
fn decisions_are_told_once_and_the_page_says_where_the_task_stands() {
    let mut run = Run::default();
    run.on_episode(Episode {
        id: EpisodeId(1),
        instruction: "open it".into(),
        ..Default::default()
    });
    run.on_program(program());
    run.on_stage(stage(1));
    run.on_stage(stage(1));
    run.on_stage(stage(2));
    let over = TaskStatus {
        success: true,
        reason: "it is open".into(),
        ..Default::default()
    };
    run.on_task(&over);
    run.on_task(&over);
    let shown = drained(&mut run);
    assert_eq!(
        lines(&shown),
        [
            "episode: open it",
            "a program of 2 stages by embedded",
            "stage 2: advance: progress 1.0",
            "stage 2: advance: progress 1.0",
            "success: it is open",
        ]
    );
    let page = shown.iter().rfind(|shown| shown.path == "texts/task");
    let What::Page(page) = &page.unwrap().what else {
        panic!("a page");
    };
    assert!(
        page.starts_with("## open it\n\n1. reach\n2. **pull**\n"),
        "{page}"
    );
    assert!(page.ends_with("**success: it is open**\n"), "{page}");
    let What::Page(page) = at(&shown, "texts/program") else {
        panic!("a page");
    };
    assert!(
        !page.contains('\u{202e}') && page.matches("~~~~").count() == 2,
        "{page}"
    );
}

#[test]
fn there_is_a_field_only_for_a_stage_of_the_program_whose_keypoints_are_seen() {
    let mut run = Run::default();
    run.on_contract(ProgramContract {
        points: 9,
        ..Default::default()
    });
    run.on_program(program());
    run.on_keypoints(keypoints());
    run.on_arm(ArmState {
        stamp_ns: 99,
        tcp: Pose::down([0.5, 0.0, 0.2]),
        ..Default::default()
    });
    assert!(run.field_request().is_none(), "no stage");
    run.on_stage(stage(1));
    let request = run.field_request().unwrap();
    assert_eq!((request.stage, request.stamp_ns), (2, Some(99)));
    assert_eq!(request.keypoints.len(), 2);
    run.on_stage(StageCommand {
        finished: true,
        ..stage(1)
    });
    assert!(run.field_request().is_none(), "it is over");
    run.on_stage(StageCommand {
        program: ProgramId(2),
        ..stage(2)
    });
    assert!(run.field_request().is_none(), "of another program");
    run.on_stage(stage(3));
    run.on_keypoints(Keypoints {
        generation: 5,
        ..keypoints()
    });
    assert!(run.field_request().is_none(), "other keypoints");
}

#[test]
fn what_has_no_stamp_is_seen_when_the_arm_was_last_heard() {
    let mut run = Run::default();
    run.on_safety(&SafetyEvent::default());
    assert_eq!(drained(&mut run)[0].stamp_ns, None);
    run.on_arm(ArmState {
        stamp_ns: 77,
        ..Default::default()
    });
    drained(&mut run);
    run.on_status(&Status::default());
    let mode = ExecutionState {
        mode: ExecutionMode::Held,
        ..Default::default()
    };
    run.on_execution(&mode);
    run.on_execution(&mode);
    let shown = drained(&mut run);
    assert_eq!(shown.len(), 2, "a mode is told once");
    assert!(shown.iter().all(|shown| shown.stamp_ns == Some(77)));
}
