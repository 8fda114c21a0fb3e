//! Image metadata survives, what hub cameras send is understood, and what does not fit is refused
//! by key.

use std::collections::BTreeMap;

use tiller_messages::{Encoding, HeaderError, HeaderValue, ImageHeader, Label, SentAt};

type Pairs = BTreeMap<&'static str, HeaderValue>;

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
        focal: Some([309.0, 309.5]),
        principal_point: Some([127.5, 63.5]),
        world_from_camera: Some(world_from_camera),
        labels: vec![
            Label {
                id: 1,
                name: "door handle".into(),
            },
            Label {
                id: 2,
                name: "a=b".into(),
            },
        ],
    }
}

fn map(header: &ImageHeader) -> Pairs {
    header.to_pairs().into_iter().collect()
}

/// Sent at a moment of which the robot's clock says 5 s.
const SENT: SentAt = SentAt {
    wall_ns: 1_700_000_000_000_000_000,
    robot_minus_wall_ns: 5_000_000_000 - 1_700_000_000_000_000_000,
};

fn read(pairs: &Pairs) -> Result<ImageHeader, HeaderError> {
    ImageHeader::from_lookup(|key| pairs.get(key).cloned(), SENT)
}

#[test]
fn headers_survive() {
    let full = header();
    assert_eq!(read(&map(&full)), Ok(full));
    let bare = ImageHeader {
        stamp_ns: 3,
        width: 4,
        height: 2,
        ..Default::default()
    };
    assert_eq!(read(&map(&bare)), Ok(bare));
}

/// What opencv-video-capture sends, and nothing else is needed.
fn opencv(encoding: &str) -> Pairs {
    BTreeMap::from([
        ("encoding", HeaderValue::Text(encoding.into())),
        ("width", HeaderValue::Integer(640)),
        ("height", HeaderValue::Integer(480)),
        ("primitive", HeaderValue::Text("image".into())),
    ])
}

#[test]
fn a_hub_camera_without_stamp_or_geometry_is_understood() {
    let found = read(&opencv("bgr8")).unwrap();
    let expected = ImageHeader {
        stamp_ns: 5_000_000_000,
        width: 640,
        height: 480,
        encoding: Encoding::Bgr8,
        ..Default::default()
    };
    assert_eq!(found, expected);
}

#[test]
fn the_words_of_realsense_cameras_are_understood() {
    let mut pairs = opencv("mono16");
    let wall_ns = 1_699_999_999_900_000_000;
    pairs.insert("timestamp", HeaderValue::Integer(wall_ns));
    pairs.insert("focal_length", HeaderValue::Numbers(vec![615.0, 614.0]));
    pairs.insert("resolution", HeaderValue::Numbers(vec![319.0, 241.0]));
    let found = read(&pairs).unwrap();
    assert_eq!(found.stamp_ns, 4_900_000_000, "100 ms before it was sent");
    assert_eq!(found.focal, Some([615.0, 614.0]));
    assert_eq!(found.principal_point, Some([319.0, 241.0]));
}

#[test]
fn the_stamp_is_the_best_that_there_is() {
    let integer = HeaderValue::Integer;
    let wall = SENT.wall_ns as i64;
    let table = [
        (vec![], 5_000_000_000),
        (vec![("timestamp", integer(wall - 7))], 4_999_999_993),
        // A clock that starts with the machine is the robot's own.
        (vec![("timestamp", integer(42))], 42),
        (
            vec![("timestamp", integer(wall)), ("stamp_ns", integer(9))],
            9,
        ),
        (vec![("stamp_ns", HeaderValue::Number(9.0))], 9),
        // Ours is never reckoned anew: a wrong clock is for the reader to name.
        (vec![("stamp_ns", integer(wall))], SENT.wall_ns),
    ];
    for (given, expected) in table {
        let mut pairs = opencv("rgb8");
        pairs.extend(given.clone());
        assert_eq!(read(&pairs).unwrap().stamp_ns, expected, "{given:?}");
    }
}

#[test]
fn encodings_go_by_their_names_in_any_case() {
    let table = [
        ("rgb8", Encoding::Rgb8),
        ("RGB8", Encoding::Rgb8),
        ("Bgr8", Encoding::Bgr8),
        ("jpeg", Encoding::Jpeg),
        ("JPG", Encoding::Jpeg),
        ("png", Encoding::Png),
        ("mono8", Encoding::Mono8),
        ("mono16", Encoding::Mono16),
        ("16uc1", Encoding::Mono16),
        ("32FC1", Encoding::Depth32F),
    ];
    for (word, encoding) in table {
        assert_eq!(read(&opencv(word)).unwrap().encoding, encoding, "{word}");
    }
    for word in ["yuv420", "webp", "rgba8", ""] {
        let error = read(&opencv(word)).unwrap_err().to_string();
        let found = format!("found `{word}`");
        assert!(
            error.contains("`encoding`") && error.contains(&found),
            "{error}"
        );
    }
}

#[test]
fn each_required_key_is_missed_by_name() {
    for missing in ["width", "height", "encoding"] {
        let mut pairs = map(&header());
        pairs.remove(missing);
        assert_eq!(read(&pairs).unwrap_err().key, missing);
    }
}

#[test]
fn values_out_of_range_are_refused() {
    use HeaderValue::{Flag, Integer, Number, Numbers, Text, Texts};
    let wrong = [
        ("width", Integer(0)),
        ("width", Number(640.5)),
        ("width", Number(f64::NAN)),
        ("width", Text("640".into())),
        ("height", Integer(1 << 40)),
        ("height", Flag(true)),
        ("stamp_ns", Integer(-1)),
        ("stamp_ns", Text("now".into())),
        ("seq", Numbers(vec![1.0])),
        ("encoding", Integer(3)),
        ("focal", Numbers(vec![0.0, 1.0])),
        ("focal", Integer(300)),
        ("resolution", Numbers(vec![1.0])),
        ("world_from_camera", Numbers(vec![f64::NAN; 16])),
        ("world_from_camera", Numbers(vec![1.0; 12])),
        ("labels", Texts(vec!["300=too large".into()])),
        ("labels", Texts(vec!["1".into()])),
        ("labels", Texts(vec!["1=".into()])),
        ("labels", Texts(vec![format!("1={}", "x".repeat(81))])),
        ("labels", Texts(vec!["1=a".into(); 257])),
        ("labels", Text("1=red mug".into())),
    ];
    for (key, value) in wrong {
        let mut pairs = map(&header());
        pairs.insert(key, value.clone());
        let error = read(&pairs).unwrap_err();
        assert_eq!(error.key, key, "{value:?}");
        assert!(error.to_string().len() < 400, "{error}");
    }
}

#[test]
fn an_image_larger_than_any_camera_gives_is_refused() {
    let mut pairs = opencv("rgb8");
    pairs.insert("width", HeaderValue::Integer(16384));
    pairs.insert("height", HeaderValue::Integer(16384));
    let error = read(&pairs).unwrap_err().to_string();
    assert!(
        error.contains("at most 33554432 pixels, found 16384 x 16384"),
        "{error}"
    );
}

#[test]
fn what_an_error_quotes_is_short_and_shows_control_characters() {
    let word = format!("\u{1b}[2J{}", "x".repeat(1_000_000));
    let error = read(&opencv(&word)).unwrap_err().to_string();
    assert!(
        error.len() < 300 && error.contains("\\u{1b}[2Jxxx"),
        "{error}"
    );
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
    let file = ImageHeader {
        encoding: Encoding::Jpeg,
        ..header
    };
    assert!(file.check_len(17).is_ok());
}
