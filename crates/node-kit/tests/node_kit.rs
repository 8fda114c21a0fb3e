//! The harness, the inbox and the declared types, against dora itself.

use std::path::Path;
use std::time::Duration;

use dora_core::types::TypeRegistry;
use tiller_messages::{ArmState, Encoding, ImageHeader, Keypoints, Label, Status, schemas};
use tiller_node_kit::testing::Script;
use tiller_node_kit::{End, ImageReader, Next, Stream};

fn header(encoding: Encoding) -> ImageHeader {
    ImageHeader {
        seq: 3,
        stamp_ns: 42,
        frame_id: "static".into(),
        width: 64,
        height: 48,
        encoding,
        focal: Some([300.0, 300.0]),
        principal_point: Some([31.5, 23.5]),
        world_from_camera: Some(std::array::from_fn(|i| f64::from(u8::from(i % 5 == 0)))),
        labels: vec![Label {
            id: 1,
            name: "button".into(),
        }],
    }
}

#[test]
fn messages_pass_through_a_node_unchanged() {
    let state = ArmState {
        seq: 9,
        gripper_width_m: 0.04,
        ..Default::default()
    };
    let points = Keypoints {
        seq: 1,
        names: vec!["button".into()],
        xyz_m: vec![0.1, -0.2, 1e-17],
        visible: vec![true],
        ..Default::default()
    };
    let (result, sent) = Script::new(&[])
        .message("arm_state", &state)
        .message("keypoints", &points)
        .run(|inbox, outbox| {
            let mut states = Stream::<ArmState>::default();
            let mut keypoints = Stream::<Keypoints>::default();
            while let Next::Input(input) = inbox.wait() {
                match input.id.as_str() {
                    "arm_state" => {
                        outbox.send("a", states.read(&input)?.unwrap())?;
                    }
                    _ => outbox.send("b", keypoints.read(&input)?.unwrap())?,
                }
            }
            Ok(())
        })
        .unwrap();
    result.unwrap();
    assert_eq!(sent.order(), ["a", "b"]);
    assert_eq!(sent.messages::<ArmState>("a").unwrap(), [state]);
    assert_eq!(sent.messages::<Keypoints>("b").unwrap(), [points]);
}

#[test]
fn images_pass_through_a_node_unchanged() {
    let pixels: Vec<u8> = (0..64 * 48 * 3).map(|i| (i % 251) as u8).collect();
    let depth: Vec<u16> = (0..64 * 48).map(|i| i * 7).collect();
    let (result, sent) = Script::new(&[])
        .image("image", &header(Encoding::Rgb8), &pixels)
        .depth("depth", &header(Encoding::Mono16), &depth)
        .run(|inbox, outbox| {
            let mut read = Vec::new();
            let mut reader = ImageReader::new();
            while let Next::Input(input) = inbox.wait() {
                let image = reader.read(&input.metadata, &input.data)?;
                match image.header().encoding {
                    Encoding::Rgb8 => {
                        outbox.send_image("copy", image.header(), image.rgb()?)?;
                        assert!(image.labels().is_err());
                    }
                    _ => {
                        outbox.send_depth("deep", image.header(), image.depth_mm()?)?;
                        assert_eq!(image.depth_mm()?, depth);
                    }
                }
                read.push(image.header().clone());
            }
            Ok(read)
        })
        .unwrap();
    assert_eq!(
        result.unwrap(),
        [header(Encoding::Rgb8), header(Encoding::Mono16)]
    );
    assert_eq!(sent.images("copy"), [pixels]);
    assert_eq!(sent.count("deep"), 1);
}

#[test]
fn a_node_ends_with_its_essential_input_and_not_with_another() {
    let status = Status {
        seq: 1,
        ..Default::default()
    };
    let script = Script::new(&["image"])
        .closed("segmentation")
        .message("image", &status)
        .closed("image")
        .message("image", &status);
    let (ends, _) = script
        .run(|inbox, _| {
            let mut inputs = 0;
            loop {
                match inbox.wait() {
                    Next::Input(_) => inputs += 1,
                    Next::Idle | Next::Ended(_) => {
                        unreachable!("`wait` waits, nothing is announced")
                    }
                    // Asked again, it says the same.
                    Next::End(first) => match inbox.wait() {
                        Next::End(second) => return Ok((inputs, first, second)),
                        _ => panic!("an ended inbox goes on"),
                    },
                }
            }
        })
        .unwrap();
    let end = End::Closed {
        input: "image".into(),
    };
    assert_eq!(ends.unwrap(), (1, end.clone(), end));
}

#[test]
fn the_end_of_an_input_is_announced_on_request() {
    let (result, _) = Script::new(&[])
        .closed("action_chunk")
        .message("arm_state", &ArmState::default())
        .run(|inbox, _| {
            inbox.announce_end_of("action_chunk");
            let end = End::Closed {
                input: "action_chunk".into(),
            };
            assert!(matches!(inbox.wait(), Next::Ended(found) if found == end));
            assert!(matches!(inbox.wait(), Next::Input(_)));
            Ok(())
        })
        .unwrap();
    result.unwrap();
}

#[test]
fn waiting_has_a_limit() {
    let (result, _) = Script::new(&[])
        .message("early", &Status::default())
        .wait(2.0)
        .message(
            "late",
            &Status {
                seq: 1,
                ..Default::default()
            },
        )
        .run(|inbox, _| {
            assert!(matches!(inbox.wait(), Next::Input(_)));
            assert!(matches!(
                inbox.wait_at_most(Duration::from_millis(50)),
                Next::Idle
            ));
            assert!(matches!(
                inbox.wait_at_most(Duration::from_secs(5)),
                Next::Input(_)
            ));
            Ok(())
        })
        .unwrap();
    result.unwrap();
}

#[test]
fn repeated_and_foreign_messages_are_not_taken() {
    let state = |seq| ArmState {
        seq,
        ..Default::default()
    };
    let (result, _) = Script::new(&[])
        .message("s", &state(1))
        .message("s", &state(1))
        .message("s", &state(4))
        .message("s", &Status::default())
        .run(|inbox, _| {
            let mut states = Stream::<ArmState>::default();
            let mut taken = Vec::new();
            while let Next::Input(input) = inbox.wait() {
                match states.read(&input) {
                    Ok(state) => taken.push(state.map(|s| s.seq)),
                    Err(error) => {
                        let text = format!("{error:#}");
                        assert!(text.contains("`s`") && text.contains("ArmState"), "{text}");
                    }
                }
            }
            Ok((taken, states.lost(), states.repeated()))
        })
        .unwrap();
    assert_eq!(result.unwrap(), (vec![Some(1), None, Some(4)], 2, 1));
}

#[test]
fn the_declared_types_are_those_of_the_messages() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../types");
    let mut registry = TypeRegistry::new();
    registry.load_from_dir(&folder).unwrap();
    for (name, fields) in schemas() {
        let declared = registry
            .resolve(&format!("tiller/v1/{name}"))
            .unwrap_or_else(|| panic!("types/tiller/v1.yml does not declare {name}"))
            .to_arrow_schema_with_registry(&registry)
            .unwrap_or_else(|| panic!("dora cannot build the schema of {name}"));
        assert_eq!(declared.fields(), &fields, "{name}");
    }
    let text = std::fs::read_to_string(folder.join("tiller/v1.yml")).unwrap();
    let declared = text.matches("arrow: Struct").count();
    assert_eq!(
        declared,
        schemas().len(),
        "a type is declared that no message has"
    );
}
