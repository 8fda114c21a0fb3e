//! Whatever `ffmpeg` can read. It runs as a child and writes raw frames to its standard output, each as a
//! portable pixmap (PPM), whose head says how large it is.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use tiller_core::visible_line;
use tiller_node_kit::robot_clock_ns;

use super::{Fault, Options, Source};
use crate::frame::Frame;

/// Longest head of a frame, bytes.
const MAX_HEAD: u64 = 64;
/// Characters of what `ffmpeg` says that are told.
const MAX_SAID: usize = 200;

/// Runs `ffmpeg` and reads its frames.
pub(super) struct Video {
    place: String,
    options: Options,
    running: Option<Running>,
}

struct Running {
    child: Child,
    frames: BufReader<ChildStdout>,
    /// The last line that it wrote to its standard error.
    said: Arc<Mutex<String>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Video {
    pub(super) fn new(place: &str, options: &Options) -> Self {
        Self {
            place: place.to_owned(),
            options: options.clone(),
            running: None,
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.options.ffmpeg);
        command.args(["-nostdin", "-hide_banner", "-loglevel", "error"]);
        // A file is played as fast as it was filmed; what is live is so anyway.
        if Path::new(&self.place).is_file() {
            command.arg("-re");
        }
        let mut filters = format!("fps={}", self.options.rate_hz);
        if let Some([width, height]) = self.options.size {
            filters += &format!(",scale={width}:{height}");
        }
        command
            .args(["-i", &self.place, "-an", "-sn", "-vf", &filters])
            .args(["-f", "image2pipe", "-c:v", "ppm", "-"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn start(&self) -> Result<Running, Fault> {
        let failed = |reason: String| {
            let ffmpeg = self.options.ffmpeg.display();
            Fault::Source(format!("`{ffmpeg}` does not start: {reason}"))
        };
        let mut child = self.command().spawn().map_err(|e| failed(e.to_string()))?;
        let frames = child.stdout.take().map(BufReader::new);
        let said = Arc::new(Mutex::new(String::new()));
        if let Some(errors) = child.stderr.take() {
            let said = Arc::clone(&said);
            // Somebody has to read it: a full pipe would stop it.
            thread::Builder::new()
                .name("ffmpeg".to_owned())
                .spawn(move || listen(BufReader::new(errors), &said))
                .map_err(|error| failed(error.to_string()))?;
        }
        let frames = frames.ok_or_else(|| failed("it has no output".to_owned()))?;
        Ok(Running {
            child,
            frames,
            said,
        })
    }

    /// What it means that no more frames come.
    fn end(&mut self, mut running: Running) -> Result<(), Fault> {
        let status = running.child.wait();
        if status.is_ok_and(|status| status.success()) {
            // A video with frames may begin anew; the next call does.
            return if self.options.repeats {
                Ok(())
            } else {
                Err(Fault::End)
            };
        }
        let said = running.said.lock().map(|said| said.clone());
        let said = said.unwrap_or_default();
        let said = if said.is_empty() {
            "it says nothing".to_owned()
        } else {
            said
        };
        Err(Fault::Source(format!("`ffmpeg` has failed: {said}")))
    }
}

impl Source for Video {
    fn next(&mut self, frame: &mut Frame) -> Result<(), Fault> {
        let is_new = self.running.is_none();
        let mut running = match self.running.take() {
            Some(running) => running,
            None => self.start()?,
        };
        match read_frame(&mut running.frames, frame) {
            Ok(true) => {
                frame.stamp_ns = robot_clock_ns();
                self.running = Some(running);
                Ok(())
            }
            Ok(false) => {
                self.end(running)?;
                if is_new {
                    let place = &self.place;
                    return Err(Fault::Source(format!("`{place}` has no frame")));
                }
                self.next(frame)
            }
            // What comes after a bad head cannot be found.
            Err(reason) => Err(Fault::Source(format!("`ffmpeg`: {reason}"))),
        }
    }
}

fn listen(errors: impl BufRead, said: &Mutex<String>) {
    let lines = errors.split(b'\n').map_while(Result::ok);
    for line in lines.filter(|line| !line.is_empty()) {
        if let Ok(mut said) = said.lock() {
            *said = visible_line(&String::from_utf8_lossy(&line), MAX_SAID);
        }
    }
}

/// The next frame; false at the end.
fn read_frame(input: &mut impl BufRead, frame: &mut Frame) -> Result<bool, String> {
    let io = |error: std::io::Error| error.to_string();
    if input.fill_buf().map_err(io)?.is_empty() {
        return Ok(false);
    }
    // P6, width, height and the largest value, each with a line end or a blank after it.
    let mut words = [0_usize; 3];
    let magic = word(input)?;
    for number in &mut words {
        let text = word(input)?;
        let parsed = text
            .parse()
            .map_err(|_| format!("`{text}` in a frame's head"));
        *number = parsed?;
    }
    let [width, height, most] = words;
    if magic != "P6" || most != 255 {
        return Err(format!(
            "expected frames of 8 bits (P6, 255), found {magic}, {most}"
        ));
    }
    frame.set_size(width, height)?;
    frame.rgb.resize(width * height * 3, 0);
    frame.depth_mm.clear();
    match input.read_exact(&mut frame.rgb) {
        Ok(()) => Ok(true),
        // It was ended in the middle of a frame.
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(io(error)),
    }
}

/// A word of the head, less the blank or line end after it.
fn word(input: &mut impl BufRead) -> Result<String, String> {
    let mut text = String::new();
    for byte in input.take(MAX_HEAD).bytes() {
        match byte.map_err(|error| error.to_string())? {
            b' ' | b'\n' => return Ok(text),
            byte if byte.is_ascii_graphic() => text.push(char::from(byte)),
            _ => break,
        }
    }
    Err("expected the head of a frame, found something else".to_owned())
}

/// What is wrong with a video before `ffmpeg` looks at it.
pub(super) fn check(place: &str, ffmpeg: &Path) -> Result<(), String> {
    if program(ffmpeg).is_none() {
        let program = ffmpeg.display();
        return Err(format!(
            "a video, for which the program `{program}` is needed: install it \
             (`apt install ffmpeg`), or let FFMPEG name it"
        ));
    }
    // An URL is there or not from moment to moment, and so is a device.
    if place.contains("://") || Path::new(place).exists() || place.starts_with("/dev/") {
        return Ok(());
    }
    Err("a video that is there".to_owned())
}

/// Where a program is: as it is named if that holds a folder, else in `PATH`.
fn program(name: &Path) -> Option<PathBuf> {
    if name.components().count() > 1 {
        return name.is_file().then(|| name.to_owned());
    }
    let search = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&search)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::fs;

    use tiller_core::testing::write_program;

    fn ppm(width: usize, height: usize, value: u8) -> Vec<u8> {
        let mut bytes = format!("P6\n{width} {height}\n255\n").into_bytes();
        bytes.extend(vec![value; width * height * 3]);
        bytes
    }

    #[test]
    fn frames_are_parted_by_their_heads() {
        let bytes = [ppm(4, 2, 7), ppm(2, 2, 9)].concat();
        let mut input = bytes.as_slice();
        let mut frame = Frame::default();
        assert_eq!(read_frame(&mut input, &mut frame), Ok(true));
        assert_eq!((frame.size, frame.rgb.as_slice()), ([4, 2], &[7; 24][..]));
        assert_eq!(read_frame(&mut input, &mut frame), Ok(true));
        assert_eq!((frame.size, frame.rgb.as_slice()), ([2, 2], &[9; 12][..]));
        assert_eq!(read_frame(&mut input, &mut frame), Ok(false));
    }

    #[test]
    fn what_is_no_frame_is_refused_and_a_torn_one_is_the_end() {
        let mut frame = Frame::default();
        for bytes in [
            &b"P5\n4 2\n255\n"[..],
            b"P6\n4 2\n65535\n",
            b"P6\n4 -2\n255\n",
            b"P6\n0 2\n255\n",
            b"P6\n99999999 99999999\n255\n",
            b"no frame at all\n",
            &[0; 300],
            &[b'9'; 300],
        ] {
            assert!(read_frame(&mut &*bytes, &mut frame).is_err(), "{bytes:?}");
        }
        let torn = &ppm(4, 2, 7)[..20];
        assert_eq!(read_frame(&mut &*torn, &mut frame), Ok(false));
    }

    /// A program that stands in for `ffmpeg`.
    fn stand_in(folder: &Path, script: &str) -> Options {
        let path = folder.join("ffmpeg");
        write_program(&path, &format!("#!/bin/sh\n{script}\n")).unwrap();
        Options {
            rate_hz: 10.0,
            size: Some([4, 2]),
            repeats: false,
            ffmpeg: path,
        }
    }

    /// A script may still be open for writing in a child that another test has just forked.
    fn next(video: &mut Video, frame: &mut Frame) -> Result<(), Fault> {
        for _ in 0..50 {
            match video.next(frame) {
                Err(Fault::Source(reason)) if reason.contains("busy") => {
                    thread::sleep(std::time::Duration::from_millis(20));
                }
                other => return other,
            }
        }
        panic!("the script stays busy");
    }

    #[test]
    fn a_video_gives_its_frames_and_ends() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join("frames"),
            [ppm(4, 2, 7), ppm(4, 2, 9)].concat(),
        )
        .unwrap();
        let place = folder.path().join("clip.mp4");
        fs::write(&place, "").unwrap();
        let place = place.to_str().unwrap();
        let script = format!(
            "echo \"$@\" > {0}/said; cat {0}/frames",
            folder.path().display()
        );
        let options = stand_in(folder.path(), &script);
        check(place, &options.ffmpeg).unwrap();
        let mut video = Video::new(place, &options);
        let mut frame = Frame::default();
        for value in [7, 9] {
            next(&mut video, &mut frame).unwrap();
            assert_eq!(frame.rgb, [value; 24]);
            assert!(frame.stamp_ns > 0);
        }
        assert_eq!(next(&mut video, &mut frame), Err(Fault::End));
        let said = fs::read_to_string(folder.path().join("said")).unwrap();
        assert!(said.contains("-re -i"), "{said}");
        assert!(said.contains("fps=10,scale=4:2"), "{said}");

        let mut video = Video::new(
            place,
            &Options {
                repeats: true,
                ..options
            },
        );
        for value in [7, 9, 7, 9, 7] {
            next(&mut video, &mut frame).unwrap();
            assert_eq!(frame.rgb[0], value);
        }
    }

    #[test]
    fn a_whole_ffmpeg_gives_the_frames_of_a_video() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let ffmpeg = root.join(".venv/bin/ffmpeg");
        assert!(
            ffmpeg.exists(),
            "no .venv/bin/ffmpeg: run `cargo xtask test`"
        );
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("clip.mp4");
        // Half a second of red, then of blue.
        let colours = [
            "color=red:size=64x48:rate=10",
            "color=blue:size=64x48:rate=10",
        ];
        let inputs = colours.map(|colour| ["-f", "lavfi", "-t", "0.5", "-i", colour]);
        let made = Command::new(&ffmpeg)
            .args(["-loglevel", "error"])
            .args(inputs.concat())
            .args(["-filter_complex", "concat=n=2", "-pix_fmt", "yuv420p"])
            .arg(&place)
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let options = Options {
            rate_hz: 10.0,
            size: Some([32, 24]),
            repeats: false,
            ffmpeg,
        };
        let mut video = Video::new(place.to_str().unwrap(), &options);
        let mut frame = Frame::default();
        let mut seen = Vec::new();
        while video.next(&mut frame).is_ok() {
            assert_eq!(frame.size, [32, 24]);
            assert_eq!(frame.rgb.len(), 32 * 24 * 3);
            let [red, _, blue] = [0, 1, 2].map(|channel| frame.rgb[3 * 100 + channel]);
            seen.push(red > blue);
        }
        let expected = [[true; 5], [false; 5]].concat();
        assert_eq!(seen, expected);
    }

    #[test]
    fn what_ffmpeg_says_of_a_failure_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let options = stand_in(
            folder.path(),
            "echo nonsense; echo clip: no such codec >&2; exit 1",
        );
        let mut video = Video::new("rtsp://host/1", &options);
        let Err(Fault::Source(_)) = next(&mut video, &mut Frame::default()) else {
            panic!("nonsense is taken");
        };
        let options = stand_in(
            folder.path(),
            "echo clip: no such codec >&2; sleep 0.2; exit 1",
        );
        let mut video = Video::new("rtsp://host/1", &options);
        let Err(Fault::Source(reason)) = next(&mut video, &mut Frame::default()) else {
            panic!("a failure is taken");
        };
        assert!(reason.contains("no such codec"), "{reason}");
        let options = Options {
            repeats: true,
            ..stand_in(folder.path(), "exit 0")
        };
        let mut video = Video::new("rtsp://host/1", &options);
        let Err(Fault::Source(reason)) = next(&mut video, &mut Frame::default()) else {
            panic!("an empty video is taken");
        };
        assert!(reason.contains("no frame"), "{reason}");
    }

    #[test]
    fn a_missing_program_is_named_with_how_to_get_it() {
        let error = check("clip.mp4", Path::new("no-such-ffmpeg")).unwrap_err();
        assert!(error.contains("`no-such-ffmpeg`"), "{error}");
        assert!(error.contains("apt install ffmpeg"), "{error}");
        let folder = tempfile::tempdir().unwrap();
        let options = stand_in(folder.path(), "exit 0");
        assert!(check("/nowhere/clip.mp4", &options.ffmpeg).is_err());
        check("rtsp://host/1", &options.ffmpeg).unwrap();
        check("/dev/video7", &options.ffmpeg).unwrap();
    }
}
