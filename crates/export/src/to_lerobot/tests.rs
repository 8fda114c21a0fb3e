use std::fs;

use tiller_lerobot::VideoError;

use super::*;
use crate::testing;

fn options() -> LerobotOptions {
    LerobotOptions {
        fps: None,
        columns: Columns::Tool,
        ffmpeg: None,
        robot: "franka".to_owned(),
    }
}

fn survey() -> Survey {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.drec");
    testing::recording(&path);
    let mut survey = Survey::default();
    for entry in Recording::open(&path).unwrap() {
        survey.add(&entry);
    }
    survey
}

#[test]
fn episodes_are_those_of_the_world_and_cameras_those_that_look() {
    let survey = survey();
    assert_eq!(survey.unreadable, 0);
    let cameras = survey.cameras();
    assert_eq!(names(&cameras), ["world", "wrist"]);
    let spans = survey.spans();
    let told: Vec<_> = spans
        .iter()
        .map(|span| (span.instruction.as_str(), span.seed, span.success))
        .collect();
    let expected = [
        ("open it", 40, Some(true)),
        ("nothing", 41, Some(false)),
        ("close it", 42, Some(false)),
    ];
    assert_eq!(told, expected);
}

#[test]
fn actions_are_what_was_commanded_for_the_next_frame() {
    let survey = survey();
    let cameras = survey.cameras();
    assert_eq!(rate(&survey, &cameras, None).unwrap(), 10);
    let (plans, skipped) = plans(&survey, &cameras, 10);
    assert_eq!(skipped.len(), 1, "{skipped:?}");
    assert!(skipped[0].reason.contains("1 frames"), "{skipped:?}");
    let frames: Vec<usize> = plans.iter().map(|plan| plan.frames.len()).collect();
    assert_eq!(frames, [11, 11]);
    for (k, frame) in plans[1].frames.iter().enumerate() {
        assert_eq!(frame.pictures, [12 + k, 12 + k], "frame {k}");
        // 20 ms after the picture stands within a quarter of a period.
        let at_s = (1.2 + 0.1 * k as f64 + 0.02).min(2.2);
        assert!(
            (frame.measured.tool.position_m[0] - at_s).abs() < 1e-9,
            "frame {k}"
        );
        let next_s = (1.2 + 0.1 * (k + 1) as f64).min(2.2) + 0.01;
        assert!(
            (frame.commanded.tool.position_m[0] - next_s).abs() < 1e-9,
            "frame {k}"
        );
        assert_eq!((frame.opening_m, frame.commanded_opening_m), (0.04, 0.08));
    }
}

#[test]
fn another_rate_shows_pictures_again_and_none_of_the_future() {
    let survey = survey();
    let cameras = survey.cameras();
    let (plans, _) = plans(&survey, &cameras, 20);
    let pictures: Vec<usize> = plans[0].frames.iter().map(|f| f.pictures[0]).collect();
    assert_eq!(pictures, (0..=20).map(|k| k / 2).collect::<Vec<_>>());
}

#[test]
fn a_data_set_holds_what_was_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.drec");
    testing::recording(&path);
    let target = folder.path().join("set");
    let mut far = 0;
    let mut watch = |done: u64, len: u64| {
        assert!(done >= far && done <= len);
        far = done;
        Ok(())
    };
    let summary = to_lerobot(&path, &target, &options(), &mut watch).unwrap();
    assert_eq!((summary.episodes, summary.frames, summary.fps), (2, 22, 10));
    assert_eq!(summary.tasks, ["open it", "close it"]);
    assert_eq!((summary.images, summary.broken), ("png", None));
    let info = fs::read_to_string(target.join("meta/info.json")).unwrap();
    let info: serde_json::Value = serde_json::from_str(&info).unwrap();
    assert_eq!(info["features"]["action"]["names"][7], "opening_m");
    assert_eq!(
        info["features"]["observation.images.wrist"]["shape"],
        serde_json::json!([6, 8, 3])
    );
}

#[test]
fn what_lacks_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.drec");
    let found = |entries: &[tiller_recording::testing::RecordEntry]| {
        tiller_recording::testing::write(&path, entries);
        let target = folder.path().join("set");
        to_lerobot(&path, &target, &options(), &mut |_, _| Ok(()))
            .unwrap_err()
            .to_string()
    };
    assert!(found(&[]).contains("colour pictures"), "{}", found(&[]));
    let all = testing::entries();
    let without = |output: &str| -> Vec<_> {
        let kept = all.iter().filter(|entry| entry.output_id != output);
        kept.cloned().collect()
    };
    let text = found(&without("execution_state"));
    assert!(text.contains("no execution state in it"), "{text}");
    let text = found(&without("episode"));
    assert!(text.contains("found no episode"), "{text}");
    assert!(!folder.path().join("set").exists());
}

#[test]
fn an_export_that_is_ended_leaves_no_data_set() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.drec");
    testing::recording(&path);
    let target = folder.path().join("set");
    let mut watch = |done: u64, len: u64| match 4 * done > 3 * len {
        true => Err(ExportError::Interrupted),
        false => Ok(()),
    };
    let error = to_lerobot(&path, &target, &options(), &mut watch).unwrap_err();
    assert!(matches!(error, ExportError::Interrupted));
    assert!(!target.exists());
}

#[test]
fn a_program_that_makes_no_videos_is_named() {
    let missing = Ffmpeg::find("no/such/ffmpeg".as_ref()).unwrap_err();
    assert!(matches!(missing, VideoError::Start { .. }), "{missing}");
    let mute = Ffmpeg::find("true".as_ref()).unwrap_err();
    assert!(mute.to_string().contains("libx264"), "{mute}");
}
