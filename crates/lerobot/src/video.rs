//! Videos, encoded by `ffmpeg` as a child process.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::{self, JoinHandle};

/// Characters of `ffmpeg`'s last words that an error quotes.
const QUOTED: usize = 300;

/// What makes videos: `ffmpeg`, and the encoder that it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ffmpeg {
    program: PathBuf,
    codecs: Vec<Codec>,
}

/// How a video is encoded. LeRobot's loader decodes both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// H.264 by `libx264`: fast.
    H264,
    /// AV1 by `libsvtav1`: what LeRobot itself writes.
    Av1,
}

impl Codec {
    /// All of them, those first that are taken first.
    const ALL: [Self; 2] = [Self::H264, Self::Av1];

    /// The name in a data set's `info.json`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::H264 => "h264",
            Self::Av1 => "av1",
        }
    }

    fn encoder(self) -> &'static str {
        match self {
            Self::H264 => "libx264",
            Self::Av1 => "libsvtav1",
        }
    }

    /// Constant quality, finer than LeRobot's own 30 in both cases.
    fn quality(self) -> &'static str {
        match self {
            Self::H264 => "20",
            Self::Av1 => "25",
        }
    }

    /// The pixel format of a size: colour at half the resolution needs even sides.
    pub(crate) fn pixel_format(self, [width, height]: [u32; 2]) -> &'static str {
        if width % 2 == 0 && height % 2 == 0 {
            "yuv420p"
        } else {
            "yuv444p"
        }
    }
}

/// Why there is no video.
#[derive(Debug, thiserror::Error)]
pub enum VideoError {
    /// `ffmpeg` is not there, or does not start.
    #[error("cannot start `{}`", program.display())]
    Start {
        /// What was started.
        program: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// It is there, and has no encoder that is known here.
    #[error("`{}`: expected an encoder `libx264` or `libsvtav1`, found neither", program.display())]
    NoEncoder {
        /// What was asked.
        program: PathBuf,
    },
    /// It gave up.
    #[error("cannot encode {}: ffmpeg ended with {status}: {said}", path.display())]
    Failed {
        /// The video.
        path: PathBuf,
        /// Its exit status, or why it could not be had.
        status: String,
        /// Its last words.
        said: String,
    },
    /// A frame is of another size.
    #[error("{}: expected frames of {expected} bytes, found {found}", path.display())]
    Size {
        /// The video.
        path: PathBuf,
        /// By the camera's size.
        expected: usize,
        /// What was pushed.
        found: usize,
    },
}

impl Ffmpeg {
    /// Asks a program which of the known encoders it has.
    ///
    /// # Errors
    /// [`VideoError::Start`] and [`VideoError::NoEncoder`].
    pub fn find(program: &Path) -> Result<Self, VideoError> {
        let output = Command::new(program)
            .args(["-hide_banner", "-loglevel", "error", "-encoders"])
            .stdin(Stdio::null())
            .output()
            .map_err(|source| VideoError::Start {
                program: program.to_owned(),
                source,
            })?;
        let text = String::from_utf8_lossy(&output.stdout);
        let has = |codec: &Codec| text.split_whitespace().any(|word| word == codec.encoder());
        let codecs: Vec<Codec> = Codec::ALL.into_iter().filter(has).collect();
        if codecs.is_empty() {
            return Err(VideoError::NoEncoder {
                program: program.to_owned(),
            });
        }
        Ok(Self {
            program: program.to_owned(),
            codecs,
        })
    }

    /// The codec that is taken.
    #[must_use]
    pub fn codec(&self) -> Codec {
        self.codecs.first().copied().unwrap_or(Codec::H264)
    }
}

/// A video that is being encoded.
#[derive(Debug)]
pub struct VideoWriter {
    path: PathBuf,
    frame_len: usize,
    frames: u64,
    child: Child,
    stdin: Option<ChildStdin>,
    said: Option<JoinHandle<String>>,
}

impl VideoWriter {
    /// Starts `ffmpeg` for frames of `size` (columns and rows) at `fps` frames a second.
    pub(crate) fn start(
        ffmpeg: &Ffmpeg,
        codec: Codec,
        path: &Path,
        size: [u32; 2],
        fps: u32,
    ) -> Result<Self, VideoError> {
        let [width, height] = size;
        let (rate, size_word) = (fps.to_string(), format!("{width}x{height}"));
        let mut child = Command::new(&ffmpeg.program)
            .args(["-hide_banner", "-loglevel", "error", "-y"])
            .args(["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", &size_word])
            .args(["-r", &rate, "-i", "pipe:0", "-c:v", codec.encoder()])
            .args([
                "-crf",
                codec.quality(),
                "-pix_fmt",
                codec.pixel_format(size),
            ])
            // A key frame every other frame, as LeRobot has it: readers jump about.
            .args(["-g", "2", "-bf", "0", "-an"])
            .arg(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| VideoError::Start {
                program: ffmpeg.program.clone(),
                source,
            })?;
        let stderr = child.stderr.take();
        // Read on a thread, so that a talkative child never waits for a reader.
        let said = thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(mut stderr) = stderr {
                let _ = stderr.read_to_end(&mut bytes);
            }
            String::from_utf8_lossy(&bytes).into_owned()
        });
        Ok(Self {
            path: path.to_owned(),
            frame_len: 3 * width as usize * height as usize,
            frames: 0,
            stdin: child.stdin.take(),
            child,
            said: Some(said),
        })
    }

    /// Appends a frame of interleaved 8-bit RGB.
    ///
    /// # Errors
    /// [`VideoError::Size`] for a frame of another size, [`VideoError::Failed`] when `ffmpeg` gave up.
    pub fn push(&mut self, rgb: &[u8]) -> Result<(), VideoError> {
        if rgb.len() != self.frame_len {
            return Err(VideoError::Size {
                path: self.path.clone(),
                expected: self.frame_len,
                found: rgb.len(),
            });
        }
        let written = match &mut self.stdin {
            Some(stdin) => stdin.write_all(rgb),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        };
        if let Err(error) = written {
            return Err(self.failed(&error.to_string()));
        }
        self.frames += 1;
        Ok(())
    }

    /// Ends the video; how many frames it has.
    ///
    /// # Errors
    /// [`VideoError::Failed`] when `ffmpeg` gave up.
    pub fn finish(mut self) -> Result<u64, VideoError> {
        self.stdin = None;
        match self.child.wait() {
            Ok(status) if status.success() => Ok(self.frames),
            Ok(status) => Err(self.failed(&status.to_string())),
            Err(error) => Err(self.failed(&error.to_string())),
        }
    }

    fn failed(&mut self, status: &str) -> VideoError {
        self.stdin = None;
        let _ = self.child.kill();
        let said = self.said.take().map(JoinHandle::join);
        let said = said.and_then(Result::ok).unwrap_or_default();
        let skipped = said.chars().count().saturating_sub(QUOTED);
        VideoError::Failed {
            path: self.path.clone(),
            status: status.to_owned(),
            said: said
                .chars()
                .skip(skipped)
                .collect::<String>()
                .trim()
                .to_owned(),
        }
    }
}

impl Drop for VideoWriter {
    fn drop(&mut self) {
        // Without an end it is of no use to anybody; one that has ended is not harmed.
        self.stdin = None;
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}
