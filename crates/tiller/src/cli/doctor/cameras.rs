//! Cameras, what decodes them, and their calibration.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tiller_grounding::Calibration;

use super::{Finding, Settings};

/// How long a camera is watched.
const TIME_S: u32 = 2;

/// How long it may take to begin with, and to be watched.
const LIMIT: Duration = Duration::from_secs(15);

/// Fewer frames a second than this share of what is set is too few.
const ENOUGH: f64 = 0.8;

/// Endings of pictures in a recording.
const PICTURES: [&str; 3] = ["png", "jpg", "jpeg"];

pub(super) fn examine(settings: &Settings) -> Vec<Finding> {
    let Some(cameras) = &settings.cameras else {
        let todo = "set TILLER_CAMERAS for real cameras";
        return vec![Finding::warning("cameras", "not looked at", todo)];
    };
    let ffmpeg = version(&settings.ffmpeg);
    let mut findings = Vec::new();
    let mut names = Vec::new();
    let items = cameras.split(',').map(str::trim);
    for item in items.filter(|item| !item.is_empty() && *item != "none") {
        let Some((name, source)) = item.split_once('=') else {
            let todo = "TILLER_CAMERAS=\"NAME=KIND:PLACE, ..\", see nodes/camera/README.md";
            findings.push(Finding::problem("camera", format!("`{item}`"), todo));
            continue;
        };
        let (name, source) = (name.trim(), source.trim());
        names.push(name.to_owned());
        findings.push(camera(name, source, settings, ffmpeg.is_some()));
    }
    if cameras.contains("video:") || cameras.contains("v4l2:") {
        let program = settings.ffmpeg.display();
        findings.push(match ffmpeg {
            Some(version) => Finding::ok("ffmpeg", version),
            None => Finding::problem(
                "ffmpeg",
                format!("`{program}` does not run"),
                "install ffmpeg, or name it in TILLER_FFMPEG",
            ),
        });
    }
    findings.push(calibration(settings, &names));
    findings
}

fn camera(name: &str, source: &str, settings: &Settings, can_measure: bool) -> Finding {
    let title = format!("camera {name}");
    let refuse = |found: String, todo: &str| Finding::problem(&title, found, todo);
    let Some((kind, place)) = source.split_once(':') else {
        let todo = "a source such as `v4l2:/dev/video0`, see nodes/camera/README.md";
        return refuse(format!("`{source}`"), todo);
    };
    let is_url = place.contains("://");
    if !is_url && !Path::new(place).exists() {
        let todo = "is it plugged in, or the path wrong? `v4l2-ctl --list-devices`";
        return refuse(format!("`{place}` is not there"), todo);
    }
    match kind {
        "folder" => match pictures(Path::new(place)) {
            0 => refuse(
                format!("no pictures in `{place}`"),
                "PNG or JPEG files in PATH/image or PATH",
            ),
            count => Finding::ok(
                &title,
                format!(
                    "{count} pictures of a recording, at {} a second",
                    settings.rate_hz
                ),
            ),
        },
        "video" | "v4l2" if !can_measure => Finding::warning(
            &title,
            format!("`{place}` is there; its rate is not known"),
            "it is measured with ffmpeg",
        ),
        "video" | "v4l2" => measured(&title, kind, place, is_url, settings),
        _ => refuse(
            format!("`{kind}` is no kind of source"),
            "`folder:`, `video:` or `v4l2:`, see nodes/camera/README.md",
        ),
    }
}

fn measured(title: &str, kind: &str, place: &str, is_url: bool, settings: &Settings) -> Finding {
    let is_live = kind == "v4l2" || is_url || place.starts_with("/dev/");
    let frames = match watch(&settings.ffmpeg, kind, place) {
        Ok(frames) => frames,
        Err(error) => {
            let todo = "does another program use it (a dataflow that runs)? may this user read it (group `video`)?";
            return Finding::problem(title, format!("`{place}`: {error}"), todo);
        }
    };
    let rate_hz = f64::from(frames) / f64::from(TIME_S);
    let found = format!("`{place}`: {frames} frames in {TIME_S} s");
    if frames == 0 {
        return Finding::problem(title, found, "look at it with another program");
    }
    if is_live && rate_hz < ENOUGH * settings.rate_hz {
        let todo = "more light, a smaller picture (TILLER_CAMERA_SIZE), a port of its own; or a lower \
                    TILLER_CAMERA_RATE_HZ";
        return Finding::warning(title, found, todo);
    }
    Finding::ok(title, found)
}

/// How many frames `ffmpeg` gets from a source in so many seconds of it.
fn watch(ffmpeg: &Path, kind: &str, place: &str) -> Result<u32, String> {
    let mut command = Command::new(ffmpeg);
    command.args(["-nostdin", "-hide_banner", "-loglevel", "error"]);
    if kind == "v4l2" || place.starts_with("/dev/video") {
        command.args(["-f", "v4l2"]);
    }
    command.args(["-i", place, "-t", &TIME_S.to_string()]);
    command.args(["-f", "null", "-progress", "pipe:1", "-"]);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let begin = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if begin.elapsed() < LIMIT => std::thread::sleep(Duration::from_millis(20)),
            Ok(None) => {
                // Gone already is as good.
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("no end after {} s", LIMIT.as_secs()));
            }
            Err(error) => return Err(error.to_string()),
        }
    };
    let (mut out, mut err) = (String::new(), String::new());
    if let Some(stream) = &mut child.stdout {
        let _ = stream.read_to_string(&mut out);
    }
    if let Some(stream) = &mut child.stderr {
        let _ = stream.read_to_string(&mut err);
    }
    if !status.success() {
        let last = err.trim().lines().last().unwrap_or("no reason given");
        return Err(last.to_owned());
    }
    let frames = out
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("frame="));
    let frames = frames.and_then(|count| count.trim().parse().ok());
    frames.ok_or_else(|| "ffmpeg does not say how many frames came".to_owned())
}

/// The first line of `ffmpeg -version`.
fn version(ffmpeg: &Path) -> Option<String> {
    let output = Command::new(ffmpeg).arg("-version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next()?.trim();
    let line = line.split(" Copyright").next().unwrap_or(line);
    (output.status.success() && !line.is_empty()).then(|| line.to_owned())
}

fn pictures(folder: &Path) -> usize {
    let below = folder.join("image");
    let folder = if below.is_dir() { &below } else { folder };
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    let is_picture = |path: &Path| {
        let ending = path.extension().and_then(|ending| ending.to_str());
        ending.is_some_and(|ending| PICTURES.contains(&ending.to_ascii_lowercase().as_str()))
    };
    entries
        .flatten()
        .filter(|entry| is_picture(&entry.path()))
        .count()
}

fn calibration(settings: &Settings, cameras: &[String]) -> Finding {
    let name = "calibration";
    let default = Path::new("calibration.toml");
    let path = settings.calibration.as_deref().unwrap_or(default);
    let shown = path.display();
    let todo =
        "fill it in as docs/hardware.md says, chapter 3, or name another by TILLER_CALIBRATION";
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return Finding::problem(name, format!("`{shown}`: {error}"), todo),
    };
    let found = match Calibration::parse(&text) {
        Ok(found) => found,
        Err(error) => return Finding::problem(name, format!("`{shown}`: {error}"), todo),
    };
    let known: Vec<_> = found.names().collect();
    let main = cameras.first().map(String::as_str);
    let text = format!("`{shown}` knows {}", known.join(", "));
    match main {
        Some(main) if found.camera(&[main, "image"]).is_none() => {
            Finding::problem(name, format!("{text}, not `{main}`"), todo)
        }
        _ => Finding::ok(name, text),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use tempfile::TempDir;
    use tiller_core::testing::write_program;

    use super::*;
    use crate::cli::doctor::State;

    /// A stand-in for ffmpeg that says this many frames came, or fails.
    fn ffmpeg(folder: &TempDir, frames: Option<u32>) -> PathBuf {
        let path = folder.path().join("ffmpeg");
        let body = match frames {
            Some(frames) => format!("printf 'frame=1\\nframe= {frames}\\nprogress=end\\n'"),
            None => "echo 'Device or resource busy' >&2; exit 1".to_owned(),
        };
        let script = format!(
            "#!/bin/sh\n[ \"$1\" = -version ] && echo 'ffmpeg version 7.1 Copyright' && exit\n{body}\n"
        );
        write_program(&path, &script).unwrap();
        path
    }

    fn settings(folder: &TempDir, cameras: &str, frames: Option<u32>) -> Settings {
        Settings {
            robot: None,
            hand: None,
            needs_real_time: false,
            cameras: Some(cameras.to_owned()),
            rate_hz: 10.0,
            ffmpeg: ffmpeg(folder, frames),
            calibration: Some(folder.path().join("calibration.toml")),
            runs: folder.path().to_owned(),
        }
    }

    fn states(findings: &[Finding]) -> Vec<(&str, State)> {
        let pairs = findings.iter().map(|one| (one.name.as_str(), one.state));
        pairs.collect()
    }

    #[test]
    fn recordings_devices_and_calibration_are_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("image")).unwrap();
        fs::write(folder.path().join("image/0.png"), "").unwrap();
        let place = folder.path().display();
        fs::write(
            folder.path().join("calibration.toml"),
            "[static]\nfocal = [600, 600]\nprincipal_point = [320, 240]\n",
        )
        .unwrap();
        let cameras = format!("static=folder:{place}, wrist=video:/dev/null");
        let found = examine(&settings(&folder, &cameras, Some(24)));
        let expected = [
            ("camera static", State::Ok),
            ("camera wrist", State::Ok),
            ("ffmpeg", State::Ok),
            ("calibration", State::Ok),
        ];
        assert_eq!(states(&found), expected, "{found:#?}");
        assert!(found[1].found.contains("24 frames in 2 s"));
        assert_eq!(found[2].found, "ffmpeg version 7.1");
    }

    #[test]
    fn what_is_wrong_is_told_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().display();
        let cameras = format!(
            "a=v4l2:/dev/no-such-device, b=folder:{place}, c=video:/dev/null, nonsense, d=usb:/dev/null"
        );
        let found = examine(&settings(&folder, &cameras, None));
        assert!(
            found
                .iter()
                .all(|one| one.state == State::Problem || one.name == "ffmpeg")
        );
        assert!(
            found
                .iter()
                .all(|one| one.state == State::Ok || !one.todo.is_empty())
        );
        assert!(
            found[2].found.contains("Device or resource busy"),
            "{found:#?}"
        );
        let slow = examine(&settings(&folder, "c=video:/dev/null", Some(6)));
        assert_eq!(slow[0].state, State::Warning);
    }
}
