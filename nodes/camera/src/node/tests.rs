use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use image::{ImageBuffer, Luma, Rgb};
use tiller_messages::Status;
use tiller_node_kit::Environment;
use tiller_node_kit::testing::{Script, Sent, Trial, message_damages};

use super::*;

/// Writes a picture, and its depth beside it.
fn picture(folder: &Path, name: &str, red: u8) {
    let _ = fs::create_dir(folder.join("image"));
    let _ = fs::create_dir(folder.join("depth"));
    let colour = ImageBuffer::from_pixel(8, 4, Rgb([red, 90, 90]));
    colour
        .save(folder.join(format!("image/{name}.png")))
        .unwrap();
    let depth = ImageBuffer::from_pixel(8, 4, Luma([700_u16]));
    depth
        .save(folder.join(format!("depth/{name}.png")))
        .unwrap();
}

fn recording(reds: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (index, red) in reds.iter().enumerate() {
        picture(folder.path(), &format!("{index:04}"), *red);
    }
    folder
}

fn said(seq: u64, id: u64, instruction: &str) -> Episode {
    Episode {
        seq,
        id: EpisodeId(id),
        instruction: instruction.to_owned(),
        seed: 3,
        ..Default::default()
    }
}

/// Longer than a recording lasts.
fn long(script: Script) -> Script {
    script.wait(60.0).closed("arm_command")
}

fn script() -> Script {
    Script::new(ESSENTIAL).gap(0.05)
}

/// Recordings are played once, so that a busy machine makes the test slower and nothing else.
fn settings(pairs: &[(&str, &str)]) -> Settings {
    let base = [
        ("LATE_MS", "60000"),
        ("FROZEN_MS", "60000"),
        ("AT_END", "end"),
        ("RATE_HZ", "40"),
    ];
    let pairs = base.iter().chain(pairs).copied();
    Settings::read(Environment::from_pairs(pairs)).unwrap()
}

fn drive(pairs: &[(&str, &str)], script: Script) -> (Result<()>, Sent) {
    let settings = settings(pairs);
    script
        .run(|inbox, outbox| run(&settings, inbox, outbox))
        .expect("the harness works")
}

fn statuses(sent: &Sent) -> Vec<Status> {
    sent.messages("status").unwrap()
}

fn codes(sent: &Sent) -> Vec<String> {
    statuses(sent)
        .into_iter()
        .map(|status| status.code)
        .collect()
}

fn cameras(folders: &[(&str, &Path)]) -> String {
    let camera = |(name, path): &(&str, &Path)| format!("{name}=folder:{}", path.display());
    folders.iter().map(camera).collect::<Vec<_>>().join(", ")
}

#[test]
fn cameras_send_pictures_each_on_a_port_of_its_own() {
    let (table, wrist) = (
        recording(&[10, 20, 30].repeat(8)),
        recording(&[40, 50].repeat(12)),
    );
    let cameras = cameras(&[("static", table.path()), ("wrist", wrist.path())]);
    let (result, sent) = drive(&[("CAMERAS", &cameras)], long(script()));
    result.unwrap();
    let reds = |port| -> BTreeSet<u8> { sent.images(port).iter().map(|image| image[0]).collect() };
    // A busy node leaves older frames out.
    let (image, wrist) = (reds("image"), reds("wrist_image"));
    assert!(!image.is_empty() && image.is_subset(&[10, 20, 30].into()));
    assert!(!wrist.is_empty() && wrist.is_subset(&[40, 50].into()));
    assert_eq!(sent.images("image")[0].len(), 8 * 4 * 3);
    assert_eq!(sent.count("depth"), sent.count("image"));
    assert!(sent.count("image") <= 24);
    // What has ended ends the node, the last one last.
    assert_eq!(codes(&sent), ["ready", "camera_ended", "camera_ended"]);
}

#[test]
fn what_is_said_is_passed_on_as_an_episode_that_begins_now() {
    let table = recording(&[10, 20].repeat(60));
    let cameras = cameras(&[("static", table.path())]);
    let begin_ns = robot_clock_ns();
    let script = script()
        .message("episode", &said(1, 70, "tidy up"))
        .message("episode", &said(2, 70, "go on"));
    let (result, sent) = drive(&[("CAMERAS", &cameras)], long(script));
    result.unwrap();
    let mut episodes: Vec<Episode> = sent.messages("episode").unwrap();
    // Latched: whoever joins gets it too.
    assert!(episodes.len() > 2, "{}", episodes.len());
    episodes.dedup();
    let told: Vec<_> = episodes
        .iter()
        .map(|episode| (episode.id.0, episode.instruction.as_str()))
        .collect();
    assert_eq!(told, [(70, "tidy up"), (71, "go on")]);
    let is_right = |e: &Episode| e.stamp_ns > begin_ns && e.seed == 3 && !e.last;
    assert!(episodes.iter().all(is_right));
}

#[test]
fn a_picture_that_is_none_is_named_and_ends_nothing() {
    let table = recording(&[10].repeat(24));
    for index in 1..24 {
        let damaged = match index % 2 {
            0 => format!("image/{index:04}.png"),
            _ => format!("depth/{index:04}.png"),
        };
        fs::write(table.path().join(damaged), b"no picture").unwrap();
    }
    let cameras = cameras(&[("static", table.path())]);
    let (result, sent) = drive(&[("CAMERAS", &cameras)], long(script()));
    result.unwrap();
    assert_eq!(sent.count("image"), 1);
    let told = statuses(&sent);
    let refused: Vec<_> = told.iter().filter(|s| s.code == "frame_refused").collect();
    // 23, told at most once a second.
    assert!((1..8).contains(&refused.len()), "{told:?}");
    assert!(refused[0].text.contains("depth/0001.png"), "{refused:?}");
}

#[test]
fn a_frozen_and_a_black_camera_are_told_once_each() {
    let (table, wrist) = (recording(&[10].repeat(80)), tempfile::tempdir().unwrap());
    for value in 0..80 {
        let dark = ImageBuffer::from_pixel(8, 4, Rgb([value % 2, 0, 0_u8]));
        let name = format!("{value:04}.png");
        dark.save(wrist.path().join(name)).unwrap();
    }
    let cameras = cameras(&[("static", table.path()), ("wrist", wrist.path())]);
    let pairs = [("CAMERAS", cameras.as_str()), ("FROZEN_MS", "300")];
    let (result, sent) = drive(&pairs, long(script()));
    result.unwrap();
    let mut told: Vec<_> = statuses(&sent)
        .into_iter()
        .filter(|status| status.level == Level::Warning)
        .map(|status| (status.code, status.text))
        .collect();
    told.sort();
    let codes: Vec<_> = told.iter().map(|(code, _)| code.as_str()).collect();
    assert_eq!(codes, ["camera_black", "camera_frozen"], "{told:?}");
    assert!(
        told[0].1.contains("camera `wrist` is black: take"),
        "{told:?}"
    );
    assert!(told[1].1.contains("camera `static` is frozen"), "{told:?}");
}

#[test]
fn a_source_that_fails_is_told_once_and_tried_again() {
    let table = recording(&[10, 20].repeat(6));
    let cameras = cameras(&[("static", table.path())]);
    let settings = settings(&[("CAMERAS", &cameras)]);
    let (image, away) = (table.path().join("image"), table.path().join("away"));
    fs::rename(&image, &away).unwrap();
    let (result, sent) = long(script())
        .run(|inbox, outbox| {
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    std::thread::sleep(Duration::from_millis(1300));
                    fs::rename(&away, &image).unwrap();
                });
                run(&settings, inbox, outbox)
            })
        })
        .unwrap();
    result.unwrap();
    assert_eq!(codes(&sent), ["camera_failed", "ready", "camera_ended"]);
    assert!(sent.count("image") > 0);
}

#[test]
fn damaged_episodes_are_named_and_end_nothing() {
    let table = recording(&[10, 20]);
    let cameras = cameras(&[("static", table.path())]);
    let pairs = [("CAMERAS", cameras.as_str()), ("AT_END", "repeat")];
    let texts = |sent: &Sent| -> Vec<String> {
        let told = statuses(sent).into_iter();
        let refused = told.filter(|status| status.code == "message_refused");
        refused.map(|status| status.text).collect()
    };
    let trial = Trial {
        input: "episode",
        before: &|| {
            script()
                .gap(0.005)
                .message("episode", &said(2, 70, "tidy up"))
        },
        after: &|script| {
            script
                .message("episode", &said(9, 90, "go on"))
                .closed("arm_command")
        },
        drive: &|script| drive(&pairs, script),
        texts: &texts,
        accepted: &|sent| {
            let last = sent.messages::<Episode>("episode").unwrap().pop();
            match last.map(|episode| episode.id.0) {
                Some(90) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        },
    };
    let faults = trial.faults(&message_damages(&said(2, 70, "x"), &said(3, 71, "y")));
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn an_input_that_nobody_reads_is_named_at_the_start() {
    let table = recording(&[10]);
    let cameras = cameras(&[("static", table.path())]);
    let script = script().wired(&["joystick"]).stop();
    let error = drive(&[("CAMERAS", &cameras)], script).0.unwrap_err();
    assert!(error.to_string().contains("found `joystick`"), "{error}");
}
