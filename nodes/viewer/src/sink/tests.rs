use rerun::RecordingStreamBuilder;
use rerun::log::LogMsg;

use super::*;

/// One of each.
fn everything() -> Vec<What> {
    let camera = Camera {
        size: [4, 2],
        focal: [3.0; 2],
        principal: [2.0, 1.0],
        world_from_camera: Pose::IDENTITY,
    };
    vec![
        What::Picture {
            width: 4,
            height: 2,
            rgb: vec![9; 24],
        },
        What::Depth {
            width: 4,
            height: 2,
            metres: vec![0.5; 8],
        },
        What::Labels {
            width: 4,
            height: 2,
            ids: vec![1; 8],
            names: vec![(1, "a thing".to_owned())],
        },
        What::Camera(camera),
        What::Points2 {
            at: vec![[1.0, 1.0]],
            colours: vec![[1, 2, 3, 4]],
            names: vec!["a".to_owned()],
        },
        What::Boxes2 {
            at: vec![[0.0, 0.0, 2.0, 2.0]],
            names: Vec::new(),
        },
        What::Points3 {
            at: vec![[0.0; 3]],
            colours: vec![[1, 2, 3, 4]],
            radius_m: 0.1,
            names: Vec::new(),
        },
        What::Lines3 {
            strips: vec![vec![[0.0; 3], [1.0; 3]]],
            colours: vec![[1, 2, 3, 4]],
            radius_m: 0.1,
        },
        What::Axes(Pose::IDENTITY),
        What::Series(vec![1.0, f64::NAN]),
        What::Line {
            gravity: Gravity::Warning,
            text: "a line".to_owned(),
        },
        What::Page("a page".to_owned()),
        What::Gone,
    ]
}

#[test]
fn everything_that_can_be_seen_is_written_where_it_belongs() {
    for (number, what) in everything().into_iter().enumerate() {
        let (recording, storage) = RecordingStreamBuilder::new("test").memory().unwrap();
        let mut sink = Sink::new(recording);
        let kind = format!("{what:?}");
        for stamp_ns in [None, Some(number as u64)] {
            let shown = Shown {
                path: format!("a/b{number}"),
                stamp_ns,
                what: what.clone(),
            };
            sink.put(shown).unwrap();
        }
        sink.finish();
        let is_data = |message: &LogMsg| matches!(message, LogMsg::ArrowMsg(..));
        let written = storage
            .take()
            .iter()
            .filter(|message| is_data(message))
            .count();
        assert!(written > 0, "{kind}");
    }
}

#[test]
fn a_torn_picture_is_left_out() {
    let (recording, _storage) = RecordingStreamBuilder::new("test").memory().unwrap();
    let mut sink = Sink::new(recording);
    let torn = What::Picture {
        width: 900,
        height: 900,
        rgb: vec![0; 5],
    };
    let shown = Shown {
        path: "p".to_owned(),
        stamp_ns: None,
        what: torn,
    };
    sink.put(shown).unwrap();
}
