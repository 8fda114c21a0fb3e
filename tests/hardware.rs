//! `dataflows/hardware.yml` without hardware: recordings in the place of the cameras, and an arm that is where it was
//! told to be. What this cannot show is a device, its clock and its noise, and a robot.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed, as it should"
)]

mod common;
#[path = "page/operator.rs"]
mod operator;

use std::env;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use common::{Running, process, root, run_file, signal, start_file, summary};
use image::{ImageBuffer, Luma, Rgb};
use serde_json::Value;
use tempfile::TempDir;
use tiller_world::{Channels, EpisodeSpec, Frame, WorldKind as _};

const HARDWARE: &str = "dataflows/hardware.yml";
/// Longest run, s of wall time.
const LIMIT_S: u32 = 240;
/// Pictures of a recording.
const PICTURES: u64 = 12;

/// Recordings of the play table's two cameras, and the calibration of the first one: what a lab has.
struct Lab {
    folder: TempDir,
}

impl Lab {
    fn new() -> Self {
        Self::with_pictures_of([256, 256])
    }

    fn with_pictures_of(size: [usize; 2]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut world = tiller_playtable::kind().make().unwrap();
        let spec = EpisodeSpec {
            seed: 1,
            ..EpisodeSpec::default()
        };
        world.reset(&spec).unwrap();
        let mut frame = Frame::default();
        for (camera, channels) in [("static", Channels::ALL), ("wrist", Channels::COLOUR)] {
            world.look(camera, size, channels, &mut frame).unwrap();
            record(&folder.path().join(camera), &frame);
            if camera == "static" {
                let geometry = &frame.geometry;
                // The recording knows the lens, the lab where the camera stands.
                let lens = format!(
                    "[static]\nfocal = {:?}\nprincipal_point = {:?}\n",
                    geometry.focal, geometry.principal_point
                );
                fs::write(folder.path().join("static/calibration.toml"), lens).unwrap();
                let pose = format!(
                    "[static]\nworld_from_camera = {:?}\n",
                    geometry.world_from_camera
                );
                fs::write(folder.path().join("calibration.toml"), pose).unwrap();
            }
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn start(&self, more: &[(&str, &str)]) -> Running {
        let cameras = format!("static=folder:{}", self.path("static"));
        self.start_file(Path::new(HARDWARE), &cameras, more)
    }

    /// Any dataflow, with these cameras and the wrist's.
    fn start_file(&self, dataflow: &Path, cameras: &str, more: &[(&str, &str)]) -> Running {
        let cameras = format!("{cameras}, wrist=folder:{}", self.path("wrist"));
        let calibration = self.path("calibration.toml");
        let base = [
            ("TILLER_ARM", "dry-run"),
            ("TILLER_CAMERAS", cameras.as_str()),
            ("TILLER_CALIBRATION", calibration.as_str()),
            // A busy machine makes nothing late.
            ("TILLER_CAMERA_LATE_MS", "5000"),
        ];
        start_file(dataflow, &[&base[..], more].concat(), LIMIT_S)
    }
}

/// The same view again and again, with the noise of a sensor.
fn record(folder: &Path, frame: &Frame) {
    let (width, height) = (frame.width as u32, frame.height as u32);
    for below in ["image", "depth"] {
        fs::create_dir_all(folder.join(below)).unwrap();
    }
    for index in 0..PICTURES {
        // The generator of Knuth's MMIX.
        let mut state = index;
        let noisy = frame.rgb.iter().map(|value| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            value.saturating_add((state >> 62) as u8)
        });
        let colour = ImageBuffer::<Rgb<u8>, _>::from_raw(width, height, noisy.collect::<Vec<_>>());
        let name = format!("{index:04}.png");
        colour
            .unwrap()
            .save(folder.join("image").join(&name))
            .unwrap();
        if !frame.depth_mm.is_empty() {
            let depth = frame.depth_mm.clone();
            let depth = ImageBuffer::<Luma<u16>, _>::from_raw(width, height, depth).unwrap();
            depth.save(folder.join("depth").join(&name)).unwrap();
        }
    }
    if frame.depth_mm.is_empty() {
        fs::remove_dir(folder.join("depth")).unwrap();
    }
}

fn log(running: &Running) -> String {
    fs::read_to_string(running.folder.path().join("dora.log")).unwrap_or_default()
}

fn wait_for(running: &Running, what: &str, is_there: impl Fn(&Running) -> bool) {
    let begin = Instant::now();
    while !is_there(running) {
        let found = summary(running.folder.path()).unwrap_or_default();
        assert!(
            begin.elapsed() < Duration::from_secs(120),
            "no {what}: {found:#}\n{}",
            log(running)
        );
        thread::sleep(Duration::from_millis(200));
    }
}

fn is_ready(running: &Running) -> bool {
    log(running).contains("every camera has sent a picture")
}

fn say(running: &Running, instruction: &str) {
    let folder = running.folder.path().to_str().unwrap().to_owned();
    let said = Command::new(root().join("target/release/tiller"))
        .args(["say", "--run-dir", &folder, instruction])
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{error}\n{}", log(running));
}

/// The summary of the episode that began with these words.
fn summary_of(running: &Running, instruction: &str) -> Option<Value> {
    summary(running.folder.path()).filter(|found| found["instruction"] == instruction)
}

/// Chunks of the sampler's that the arm took up.
fn chunks(summary: &Value) -> u64 {
    let count = &summary["latencies"]["chunk_to_execution"]["count"];
    count.as_u64().unwrap_or(0)
}

/// Codes among the warnings that begin so.
fn warned(summary: &Value, begin: &str) -> Vec<String> {
    let warnings = summary["notices"]["warnings"].as_object().unwrap();
    let codes = warnings.keys().filter(|code| code.starts_with(begin));
    codes.cloned().collect()
}

/// A program that goes to a place, and the settings by which it is asked for.
fn program(lab: &Lab) -> String {
    let program = "num_stages = 1\n# Stage 1: go above the first object\n\
                   def stage1_guidance(keypoints, action_sequence):\n    \
                   above = keypoints[0] + torch.tensor([0.0, 0.0, 0.15])\n    \
                   return -torch.norm(action_sequence - above, dim=-1).mean()\n";
    let answer = lab.path("answer.txt");
    fs::write(&answer, program).unwrap();
    answer
}

/// What the operator's command says, one JSON object a line.
fn order(running: &Running, word: &str) -> Vec<Value> {
    let folder = running.folder.path().to_str().unwrap().to_owned();
    let output = Command::new(root().join("target/release/tiller"))
        .args([word, "--json", "--run-dir", &folder])
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{word}: {error}\n{}", log(running));
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Pictures become keypoints, these a program, this chunks, and those motion, from instruction to instruction.
#[test]
fn recordings_and_a_dry_run_make_the_whole_loop() {
    let lab = Lab::new();
    let answer = program(&lab);
    let running = lab.start(&[
        ("TILLER_VLM_PROVIDER", "files"),
        ("TILLER_VLM_ANSWERS", &answer),
        ("TILLER_VLM_ADVICE", "off"),
    ]);
    wait_for(&running, "picture of every camera", is_ready);
    // Nothing begins by itself.
    thread::sleep(Duration::from_secs(2));
    assert!(summary(running.folder.path()).is_none_or(|found| chunks(&found) == 0));
    for instruction in ["go above the first thing", "and once more"] {
        say(&running, instruction);
        // Nor does what was written before somebody has approved it.
        let proposal = operator::approve(running.folder.path(), instruction);
        assert_eq!(proposal["descriptions"][0], "go above the first object");
        assert!(summary_of(&running, instruction).is_none_or(|found| chunks(&found) == 0));
        let moves = |run: &Running| summary_of(run, instruction).is_some_and(|s| chunks(&s) >= 2);
        wait_for(&running, "chunks", moves);
    }
    let summary = summary(running.folder.path()).unwrap();
    let run = running.stop();
    assert_eq!(summary["program_source"], "files", "{summary:#}");
    assert_eq!(summary["stages"][0]["stage"], 1, "{summary:#}");
    assert_eq!(warned(&summary, "camera_"), [""; 0], "{summary:#}");
    // What was being planned for the first sentence as the second one came is refused: one chunk.
    let safety = &summary["notices"]["safety"];
    let refused = safety["other_episode"].as_u64().unwrap_or(0);
    assert!(refused <= 1, "{safety}\n{}", run.log);
}

/// An operator allows the first motion, stops it by message and by signal, and allows it again.
#[test]
fn nothing_moves_before_it_is_armed_and_every_stop_takes_that_away() {
    let lab = Lab::new();
    let answer = program(&lab);
    let running = lab.start(&[
        ("TILLER_VLM_PROVIDER", "files"),
        ("TILLER_VLM_ANSWERS", &answer),
        ("TILLER_VLM_ADVICE", "off"),
        ("TILLER_ARMING", "required"),
        ("TILLER_APPROVAL", "off"),
    ]);
    wait_for(&running, "picture of every camera", is_ready);
    let instruction = "go above the first thing";
    say(&running, instruction);
    let hears = |what: &'static str| move |run: &Running| log(run).contains(what);
    wait_for(
        &running,
        "word of the arming",
        hears("waiting for `tiller arm`"),
    );
    // Long enough for chunks to be planned and checked.
    thread::sleep(Duration::from_secs(3));
    assert!(summary(running.folder.path()).is_none_or(|found| chunks(&found) == 0));

    let moves_again = |before: u64| {
        move |run: &Running| {
            summary(run.folder.path()).is_some_and(|found| chunks(&found) > before + 1)
        }
    };
    let so_far = || summary(running.folder.path()).map_or(0, |found| chunks(&found));
    assert_eq!(order(&running, "arm")[0]["mode"], "ready");
    wait_for(&running, "motion once armed", moves_again(0));

    let stopped = order(&running, "stop");
    let [.., taken, rest] = &stopped[..] else {
        panic!("{stopped:?}\n{}", log(&running));
    };
    assert!(taken["taken_ms"].is_f64(), "{stopped:?}");
    assert_eq!(rest["mode"], "stopped", "{stopped:?}");
    println!("stop taken and at rest: {taken} {rest}");
    assert_eq!(order(&running, "resume")[0]["mode"], "idle");
    let before = so_far();
    assert_eq!(order(&running, "arm")[0]["mode"], "ready");
    wait_for(&running, "motion once armed again", moves_again(before));

    let pid = process(running.folder.path(), "release/franka-actuator").unwrap();
    signal("-USR1", &pid);
    let told = "stop_requested: requested by signal SIGUSR1";
    wait_for(&running, "word of the signal", hears(told));
    let run = running.stop();
    assert!(!run.log.contains("panicked"), "{}", run.log);
}

/// A camera sends no labels: who asks for them is told so, and who cannot do without waits.
#[test]
fn what_is_missing_is_named_and_ends_nothing() {
    let lab = Lab::new();
    let running = lab.start(&[("TILLER_DETECTOR", "labels")]);
    wait_for(&running, "picture of every camera", is_ready);
    say(&running, "open the drawer");
    // Of those that have sent some, which one is named depends on which came first.
    let missing = "camera `segmentation` has sent no frame, though `";
    wait_for(&running, "word of the labels", |run| {
        log(run).contains(missing)
    });
    thread::sleep(Duration::from_secs(3));
    say(&running, "close the drawer");
    let told = |run: &Running| summary_of(run, "close the drawer").is_some();
    wait_for(&running, "next episode", told);
    let summary = summary(running.folder.path()).unwrap();
    let run = running.stop();
    assert_eq!(chunks(&summary), 0, "{summary:#}\n{}", run.log);
    assert_eq!(
        warned(&summary, "camera_"),
        ["camera_missing"],
        "{summary:#}"
    );
}

/// The hub's node for RealSense cameras, as published, in the first camera's place, on a software device of librealsense
/// (`nodes/camera/hub`). Of its own account no machine has these packages.
#[test]
fn a_realsense_node_of_the_hub_takes_the_camera_s_place() {
    let Ok(python) = env::var("REALSENSE_PYTHON") else {
        println!("skipped: REALSENSE_PYTHON names no Python with dora-pyrealsense");
        return;
    };
    let lab = Lab::with_pictures_of([424, 240]);
    let text = fs::read_to_string(root().join(HARDWARE)).unwrap();
    let hub = format!(
        "\n  - id: realsense\n    path: {python}\n    args: {} {}\n    inputs:\n      tick: dora/timer/millis/100\n    \
         outputs: [image, depth]\n",
        root()
            .join("nodes/camera/hub/realsense_software.py")
            .display(),
        lab.path("static"),
    );
    let text = text
        .replace("strict_types: true", "strict_types: false")
        .replace("source: world/image", "source: realsense/image")
        .replace("source: world/depth", "source: realsense/depth")
        .replace("health_check_timeout: 10.0", "health_check_timeout: 60.0");
    let mut dataflow = tempfile::Builder::new()
        .suffix(".yml")
        .tempfile_in(root().join("dataflows"))
        .unwrap();
    write!(dataflow, "{text}{hub}").unwrap();

    // The hub's node names no frame, so that the calibration is asked for the input.
    let pose = fs::read_to_string(lab.path("calibration.toml")).unwrap();
    let pose = pose.replace("[static]", "[image]");
    fs::write(lab.path("calibration.toml"), pose).unwrap();
    let answer = program(&lab);
    let settings = [
        ("TILLER_VLM_PROVIDER", "files"),
        ("TILLER_VLM_ANSWERS", answer.as_str()),
        ("TILLER_VLM_ADVICE", "off"),
        ("TILLER_APPROVAL", "off"),
        // Cameras that run freely are up to half a period apart.
        ("TILLER_FRAME_TOLERANCE_MS", "60"),
        ("TILLER_PICTURE_FIT", "crop"),
        ("IMAGE_WIDTH", "424"),
        ("IMAGE_HEIGHT", "240"),
    ];
    let running = lab.start_file(dataflow.path(), "none", &settings);
    wait_for(&running, "picture of every camera", is_ready);
    let instruction = "go above the first thing";
    say(&running, instruction);
    let moves = |run: &Running| summary_of(run, instruction).is_some_and(|s| chunks(&s) >= 3);
    wait_for(&running, "chunks", moves);
    let summary = summary(running.folder.path()).unwrap();
    let run = running.stop();
    assert!(!run.log.contains("refused"), "{}", run.log);
    println!("{summary:#}");
}

#[test]
fn what_a_lab_must_fill_in_is_named_at_the_start() {
    let run = run_file(Path::new(HARDWARE), &[], 60);
    assert!(!run.status.success(), "{}", run.log);
    assert_eq!(run.summary()["outcome"], "failed", "{}", run.log);
    for what in ["CAMERAS: expected cameras", "CALIBRATION: expected a file"] {
        assert!(run.log.contains(what), "{what}:\n{}", run.log);
    }
}
