//! A synthetic run leaves the promised files.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

use std::fs;
use std::path::Path;

use image::AnimationDecoder;
use tiller_report::{Decision, Outcome, Picture, Recorder, RunInfo, Sample, Summary};

const EDGE: u32 = 256;

/// A ball that rolls over a shaded table.
fn scene(step: u32) -> Vec<u8> {
    let mut rgb = Vec::with_capacity((EDGE * EDGE * 3) as usize);
    let (cx, cy) = (
        30.0 + f64::from(step) * 0.9,
        128.0 + 60.0 * (f64::from(step) * 0.05).sin(),
    );
    for y in 0..EDGE {
        for x in 0..EDGE {
            let inside = (f64::from(x) - cx).hypot(f64::from(y) - cy) < 22.0;
            let shade = (90 + (x + y) / 6) as u8;
            rgb.extend(if inside {
                [200, 40, 30]
            } else {
                [shade, shade, shade / 2 + 40]
            });
        }
    }
    rgb
}

fn recorder(steps: u32) -> Recorder {
    let mut recorder = Recorder::new(RunInfo {
        instruction: "open the drawer".to_owned(),
        policy: "flow".to_owned(),
        seed: 3,
        steered: true,
    });
    let stages = [
        "reach the drawer handle",
        "grasp the handle",
        "pull the drawer open",
    ];
    recorder.set_program("num_stages = 3\n", "embedded", &stages.map(str::to_owned));
    recorder.set_annotated(Picture::new(&scene(0), EDGE, EDGE).unwrap());
    let mut stage = 0;
    for step in 0..steps {
        let stamp_ns = 500_000_000 + u64::from(step) * 100_000_000;
        let wanted = 1 + 3 * step / steps;
        if wanted != stage {
            stage = wanted;
            let reason = "done for 3 frames".to_owned();
            let kind = "advance".to_owned();
            recorder.add_decision(Decision {
                stamp_ns,
                stage,
                kind,
                reason,
            });
        }
        recorder.add_frame(stamp_ns, Picture::new(&scene(step), EDGE, EDGE).unwrap());
        let phase = f64::from(3 * step % steps) / f64::from(steps);
        recorder.add_sample(Sample {
            stamp_ns,
            stage,
            planned: (phase + 0.1).min(1.0),
            achieved: phase,
            done: (stage != 2).then_some(phase - 1.0),
            strength: 1.0 - phase,
            reward: -0.4 * (1.0 - phase),
        });
    }
    recorder
}

fn success() -> Outcome {
    Outcome {
        success: true,
        reason: "all stages complete".to_owned(),
        completed: vec!["drawer_open".to_owned()],
    }
}

fn size(path: &Path) -> (u32, u32) {
    let image = image::open(path).unwrap();
    (image.width(), image.height())
}

#[test]
fn every_file_is_there_and_readable() {
    let folder = tempfile::tempdir().unwrap();
    // For looking at the pictures: TILLER_REPORT_KEEP=/some/folder.
    let kept = std::env::var_os("TILLER_REPORT_KEEP");
    let folder = kept.as_ref().map_or(folder.path(), Path::new).join("run");
    let summary = recorder(200).write(&folder, &success()).unwrap();

    assert_eq!(size(&folder.join("annotated.png")), (EDGE, EDGE));
    let sheet = size(&folder.join("contact_sheet.png"));
    assert!(sheet.0 > 4 * EDGE && sheet.1 > 3 * EDGE, "{sheet:?}");
    assert_eq!(size(&folder.join("plot.png")), (1000, 960));
    assert_eq!(
        fs::read_to_string(folder.join("program.py")).unwrap(),
        "num_stages = 3\n"
    );

    let gif = fs::read(folder.join("episode.gif")).unwrap();
    assert!(gif.len() < 3_000_000, "{} bytes", gif.len());
    let frames = image::codecs::gif::GifDecoder::new(std::io::Cursor::new(gif))
        .unwrap()
        .into_frames()
        .collect_frames()
        .unwrap();
    assert!(frames.len() > 50, "{}", frames.len());
    // The decoder composes the differences: the last picture is whole, and the ball has moved.
    let last = frames.last().unwrap().buffer();
    assert!(last.pixels().all(|pixel| pixel.0[3] == 255));
    assert_ne!(frames[0].buffer(), last);

    let text = fs::read_to_string(folder.join("summary.json")).unwrap();
    let read: Summary = serde_json::from_str(&text).unwrap();
    assert_eq!(read, summary);
    assert_eq!(read.files.len(), 6);
    assert_eq!(
        read.stages
            .iter()
            .map(|span| span.stage)
            .collect::<Vec<_>>(),
        [1, 2, 3]
    );
    assert_eq!(read.stages[1].description, "grasp the handle");
    assert!((read.stages[0].end_s - read.stages[1].start_s).abs() < 1e-9);
    assert!((read.duration_s - 19.9).abs() < 1e-9);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["success"], true);
}

#[test]
fn the_plot_shows_the_stages() {
    let folder = tempfile::tempdir().unwrap();
    recorder(60).write(folder.path(), &success()).unwrap();
    let plot = image::open(folder.path().join("plot.png"))
        .unwrap()
        .to_rgb8();
    // Just above the middle of the progress panel, in each third of the time axis: three tints.
    let tints: std::collections::BTreeSet<[u8; 3]> = [200, 500, 800]
        .map(|x| plot.get_pixel(x, 492).0)
        .into_iter()
        .collect();
    assert_eq!(tints.len(), 3, "{tints:?}");
}

#[test]
fn a_run_that_recorded_nothing_still_has_a_summary() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = Outcome {
        reason: "no program".to_owned(),
        ..Outcome::default()
    };
    let summary = Recorder::new(RunInfo::default())
        .write(folder.path(), &outcome)
        .unwrap();
    assert_eq!(summary.files, ["summary.json"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_run_of_one_frame_and_values_that_are_not_finite_are_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let mut recorder = Recorder::new(RunInfo::default());
    recorder.add_frame(7, Picture::new(&[9; 12], 2, 2).unwrap());
    recorder.add_sample(Sample {
        stamp_ns: 7,
        reward: f64::NAN,
        ..Sample::default()
    });
    let summary = recorder.write(folder.path(), &Outcome::default()).unwrap();
    assert!(summary.files.iter().any(|file| file == "plot.png"));
    assert!(summary.files.iter().any(|file| file == "episode.gif"));
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    let error = recorder(1).write(&file, &success()).unwrap_err();
    assert!(error.to_string().contains("file"), "{error}");
}

#[test]
fn nothing_is_written_through_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let victim = folder.path().join("victim");
    fs::write(&victim, "untouched").unwrap();
    let run = folder.path().join("run");
    fs::create_dir(&run).unwrap();
    let names = [
        "annotated.png",
        "contact_sheet.png",
        "episode.gif",
        "plot.png",
        "program.py",
        "summary.json",
    ];
    for name in names {
        std::os::unix::fs::symlink("../victim", run.join(name)).unwrap();
    }
    recorder(3).write(&run, &success()).unwrap();
    assert_eq!(fs::read(&victim).unwrap(), b"untouched");
    for name in names {
        let facts = fs::symlink_metadata(run.join(name)).unwrap();
        assert!(facts.is_file() && facts.len() > 10, "{name}");
    }
    assert_eq!(fs::read_dir(&run).unwrap().count(), names.len());
    // A device in the place of a picture stays one.
    fs::remove_file(run.join("plot.png")).unwrap();
    std::os::unix::fs::symlink("/dev/null", run.join("plot.png")).unwrap();
    let error = recorder(3).write(&run, &success()).unwrap_err();
    assert!(error.to_string().ends_with("run/plot.png"), "{error}");
}

#[test]
fn a_summary_keeps_texts_and_shows_what_they_hide() {
    let folder = tempfile::tempdir().unwrap();
    let hostile = "\u{1b}[2J\u{202e}evil\u{9b}31m\u{7}\r\n\u{e0041}";
    let mut recorder = recorder(20);
    recorder.set_instruction(hostile, 3);
    let stages = [hostile, "b", "c"].map(str::to_owned);
    recorder.set_program(hostile, hostile, &stages);
    recorder.add_decision(Decision {
        stamp_ns: 9_000_000_000,
        stage: 1,
        kind: hostile.to_owned(),
        reason: hostile.to_owned(),
    });
    let outcome = Outcome {
        reason: hostile.to_owned(),
        completed: vec![hostile.to_owned()],
        ..Outcome::default()
    };
    let summary = recorder.write(folder.path(), &outcome).unwrap();
    let text = fs::read_to_string(folder.path().join("summary.json")).unwrap();
    let hidden = text
        .chars()
        .find(|&c| c != '\n' && tiller_core::is_hidden(c));
    assert_eq!(hidden, None);
    let read: Summary = serde_json::from_str(&text).unwrap();
    assert_eq!(read, summary);
    assert_eq!(
        (read.instruction.as_str(), read.outcome.reason.as_str()),
        (hostile, hostile)
    );
    let program = fs::read_to_string(folder.path().join("program.py")).unwrap();
    assert_eq!(program, hostile);
}

#[test]
fn texts_of_any_length_are_cut_on_entry() {
    let long = "very ".repeat(100_000);
    let mut recorder = Recorder::new(RunInfo {
        instruction: long.clone(),
        ..RunInfo::default()
    });
    recorder.set_program("", &long, std::slice::from_ref(&long));
    let summary = recorder.summary(&Outcome::default());
    assert_eq!(
        summary.instruction.chars().count(),
        tiller_core::MAX_INSTRUCTION + 1
    );
    recorder.set_instruction(&long, 0);
    let again = recorder.summary(&Outcome::default());
    assert_eq!(again.instruction, summary.instruction);
    assert_eq!(
        again.program_source.chars().count(),
        tiller_core::MAX_DESCRIPTION + 1
    );
}
