//! Image metadata survives, and what does not fit is refused by key.

use std::collections::BTreeMap;

use tiller_messages::{Encoding, HeaderValue, ImageHeader, Label};

fn header() -> ImageHeader {
    let mut world_from_camera = [0.0; 16];
    for i in 0..4 {
        world_from_camera[i * 5] = 1.0;
    }
    ImageHeader {
        seq: 7,
        stamp_ns: 1_000_000_007,
        frame_id: "static".into(),
        width: 256,
        height: 128,
        encoding: Encoding::Mono8,
        focal: [309.0, 309.5],
        principal_point: [127.5, 63.5],
        world_from_camera,
        labels: vec![
            Label {
                id: 1,
                name: "drawer handle".into(),
            },
            Label {
                id: 2,
                name: "a=b".into(),
            },
        ],
    }
}

fn map(header: &ImageHeader) -> BTreeMap<&'static str, HeaderValue> {
    header.to_pairs().into_iter().collect()
}

#[test]
fn headers_survive() {
    let header = header();
    let pairs = map(&header);
    assert_eq!(
        ImageHeader::from_lookup(|key| pairs.get(key).cloned()),
        Ok(header)
    );
}

#[test]
fn a_camera_that_does_not_count_or_label_is_accepted() {
    let mut pairs = map(&header());
    pairs.remove("seq");
    pairs.remove("labels");
    let read = ImageHeader::from_lookup(|key| pairs.get(key).cloned()).unwrap();
    assert_eq!((read.seq, read.labels.len()), (0, 0));
}

#[test]
fn each_required_key_is_missed_by_name() {
    let required = [
        "stamp_ns",
        "frame_id",
        "width",
        "height",
        "encoding",
        "focal",
        "resolution",
        "world_from_camera",
    ];
    for missing in required {
        let mut pairs = map(&header());
        pairs.remove(missing);
        let error = ImageHeader::from_lookup(|key| pairs.get(key).cloned()).unwrap_err();
        assert_eq!(error.key, missing);
    }
}

#[test]
fn values_out_of_range_are_refused() {
    let wrong = [
        ("width", HeaderValue::Integer(0)),
        ("height", HeaderValue::Integer(1 << 40)),
        ("stamp_ns", HeaderValue::Integer(-1)),
        ("encoding", HeaderValue::Text("bgr8".into())),
        ("focal", HeaderValue::Numbers(vec![0.0, 1.0])),
        ("resolution", HeaderValue::Numbers(vec![1.0])),
        (
            "world_from_camera",
            HeaderValue::Numbers(vec![f64::NAN; 16]),
        ),
        ("labels", HeaderValue::Texts(vec!["300=too large".into()])),
    ];
    for (key, value) in wrong {
        let mut pairs = map(&header());
        pairs.insert(key, value);
        let error = ImageHeader::from_lookup(|key| pairs.get(key).cloned()).unwrap_err();
        assert_eq!(error.key, key);
    }
}

#[test]
fn a_buffer_of_another_size_is_refused() {
    let header = ImageHeader {
        encoding: Encoding::Rgb8,
        ..header()
    };
    assert!(header.check_len(256 * 128 * 3).is_ok());
    let error = header.check_len(256 * 128).unwrap_err().to_string();
    assert!(
        error.contains("98304 bytes (256 x 128 rgb8), found 32768"),
        "{error}"
    );
}
