//! Where frames come from. A further kind of source is a module here and a line in [`Kind::parse`].

mod folder;
#[cfg(feature = "v4l2")]
mod v4l2;
mod video;

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, SyncSender, TryRecvError, channel, sync_channel};
use std::thread;
use std::time::Duration;

use eyre::{Result, WrapErr};
use tiller_node_kit::robot_clock_ns;

use crate::frame::Frame;

/// Time between two tries to open a source that has failed.
const AGAIN: Duration = Duration::from_secs(1);
/// Frames that wait for a node that is busy; what more there is, is the newest.
const WAITING: usize = 2;

/// What sources can be set to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Options {
    /// Frames a second, of a folder and a video.
    pub(crate) rate_hz: f64,
    /// Width and height that a video is brought to, and that a device is asked for; none for its own.
    pub(crate) size: Option<[usize; 2]>,
    /// Whether a folder or a video begins anew at its end.
    pub(crate) repeats: bool,
    /// The program `ffmpeg`.
    pub(crate) ffmpeg: PathBuf,
}

/// A kind of source and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Pictures in a folder.
    Folder(PathBuf),
    /// Whatever `ffmpeg` can read: a file, an URL, a device.
    Video(String),
    /// A device of Video4Linux.
    #[cfg(feature = "v4l2")]
    V4l2(PathBuf),
}

/// Why there is no frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// This one is bad; the next one may be good.
    Frame(String),
    /// The source has failed, and may work again when it is opened anew.
    Source(String),
    /// There are no more.
    End,
}

/// A camera, or what stands in for one.
pub(crate) trait Source: Send {
    /// Waits for the next frame and fills it in. After [`Fault::Source`] the next call opens the source
    /// anew.
    fn next(&mut self, frame: &mut Frame) -> Result<(), Fault>;
}

impl Kind {
    /// Reads `folder:PATH`, `video:PATH` or `v4l2:DEVICE`.
    ///
    /// # Errors
    /// What is expected instead.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let words = "`folder:PATH`, `video:PATH` or `v4l2:DEVICE`";
        let (kind, place) = text
            .split_once(':')
            .map(|(kind, place)| (kind.trim(), place.trim()))
            .filter(|(_, place)| !place.is_empty())
            .ok_or_else(|| words.to_owned())?;
        match kind {
            "folder" => Ok(Self::Folder(place.into())),
            "video" => Ok(Self::Video(place.to_owned())),
            #[cfg(feature = "v4l2")]
            "v4l2" => Ok(Self::V4l2(place.into())),
            #[cfg(not(feature = "v4l2"))]
            "v4l2" => Err(format!(
                "`video:{place}`, or this node built with V4L2 \
                 (`cargo build --release --workspace --features camera/v4l2`)"
            )),
            _ => Err(words.to_owned()),
        }
    }

    /// What is wrong with the source before it is opened: what will not mend itself.
    pub(crate) fn check(&self, options: &Options) -> Result<(), String> {
        match self {
            Self::Folder(path) => folder::check(path),
            Self::Video(place) => video::check(place, &options.ffmpeg),
            #[cfg(feature = "v4l2")]
            Self::V4l2(_) => Ok(()),
        }
    }

    fn source(&self, camera: &str, options: &Options) -> Box<dyn Source> {
        match self {
            Self::Folder(path) => Box::new(folder::Folder::new(camera, path, options)),
            Self::Video(place) => Box::new(video::Video::new(place, options)),
            #[cfg(feature = "v4l2")]
            Self::V4l2(device) => Box::new(v4l2::V4l2::new(device, options)),
        }
    }
}

/// What a source has to say.
#[derive(Debug)]
pub(crate) enum Word {
    /// A frame.
    Frame(Box<Frame>),
    /// One that is bad.
    Bad(String),
    /// It has failed, and is tried again.
    Failed(String),
    /// There are no more frames.
    Ended,
    /// Its thread has panicked.
    Died,
}

/// A source on a thread of its own: what waits for a camera keeps nobody else waiting.
#[derive(Debug)]
pub(crate) struct Stream {
    words: Receiver<Word>,
    spare: Sender<Box<Frame>>,
    /// No word will come.
    is_over: bool,
}

impl Stream {
    /// Starts to read a camera's source.
    ///
    /// # Errors
    /// When there is no thread for it.
    pub(crate) fn start(camera: &str, kind: &Kind, options: &Options) -> Result<Self> {
        Self::of(camera, kind.source(camera, options))
    }

    fn of(camera: &str, source: Box<dyn Source>) -> Result<Self> {
        let (tell, words) = sync_channel(WAITING);
        let (spare, used) = channel();
        thread::Builder::new()
            .name(camera.to_owned())
            .spawn(move || read(source, &tell, &used))
            .wrap_err_with(|| format!("cannot start a thread for camera `{camera}`"))?;
        Ok(Self {
            words,
            spare,
            is_over: false,
        })
    }

    /// What has come, if anything has.
    pub(crate) fn next(&mut self) -> Option<Word> {
        if self.is_over {
            return None;
        }
        let word = match self.words.try_recv() {
            Ok(word) => word,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => Word::Died,
        };
        self.is_over = matches!(word, Word::Ended | Word::Died);
        Some(word)
    }

    /// Gives a frame back, to be filled again.
    pub(crate) fn give_back(&self, frame: Box<Frame>) {
        // The source may have ended.
        let _ = self.spare.send(frame);
    }
}

/// Reads until nobody listens, or there are no more frames.
fn read(mut source: Box<dyn Source>, tell: &SyncSender<Word>, used: &Receiver<Box<Frame>>) {
    loop {
        let mut frame: Box<Frame> = used.try_recv().unwrap_or_default();
        let (word, pause) = match source.next(&mut frame) {
            Ok(()) => (Word::Frame(frame), None),
            Err(Fault::Frame(reason)) => (Word::Bad(reason), None),
            Err(Fault::Source(reason)) => (Word::Failed(reason), Some(AGAIN)),
            Err(Fault::End) => (Word::Ended, None),
        };
        let is_over = matches!(word, Word::Ended);
        if tell.send(word).is_err() || is_over {
            return;
        }
        pause.into_iter().for_each(thread::sleep);
    }
}

/// When the next frame of a recording is due: at multiples of its period by the monotonic clock, so that
/// recordings of several cameras show one moment.
struct Pace {
    period_ns: u64,
    last_ns: u64,
}

impl Pace {
    fn new(rate_hz: f64) -> Self {
        Self {
            period_ns: (1e9 / rate_hz) as u64,
            last_ns: 0,
        }
    }

    /// Sleeps until a frame is due, and gives that time, ns. One that was late makes the next ones no faster.
    fn wait(&mut self) -> u64 {
        let now_ns = robot_clock_ns();
        let mut due_ns = (now_ns / self.period_ns + 1) * self.period_ns;
        if due_ns == self.last_ns {
            due_ns += self.period_ns;
        }
        thread::sleep(Duration::from_nanos(due_ns - now_ns));
        self.last_ns = due_ns;
        due_ns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_named_by_kind_and_place() {
        assert_eq!(
            Kind::parse(" folder : /a/b:c ").unwrap(),
            Kind::Folder("/a/b:c".into())
        );
        assert_eq!(
            Kind::parse("video:rtsp://host/1").unwrap(),
            Kind::Video("rtsp://host/1".to_owned())
        );
        for text in ["", "folder", "folder:", "usb:0", "/dev/video0"] {
            let expected = Kind::parse(text).unwrap_err();
            assert!(expected.contains("`folder:PATH`"), "{text}: {expected}");
        }
    }

    #[cfg(not(feature = "v4l2"))]
    #[test]
    fn a_source_that_is_not_built_in_says_how_to_get_it() {
        let expected = Kind::parse("v4l2:/dev/video0").unwrap_err();
        assert!(expected.contains("`video:/dev/video0`"), "{expected}");
        assert!(expected.contains("--features camera/v4l2"), "{expected}");
    }

    /// Gives one frame and panics.
    struct Broken(bool);

    impl Source for Broken {
        fn next(&mut self, _: &mut Frame) -> Result<(), Fault> {
            assert!(!std::mem::replace(&mut self.0, true), "as a driver may");
            Ok(())
        }
    }

    #[test]
    fn a_source_that_panics_is_told_once() {
        let mut stream = Stream::of("front", Box::new(Broken(false))).unwrap();
        let mut words = Vec::new();
        while !matches!(words.last(), Some(Word::Died)) {
            words.extend(stream.next());
            thread::yield_now();
        }
        assert!(
            matches!(words[..], [Word::Frame(_), Word::Died]),
            "{words:?}"
        );
        assert!(stream.next().is_none());
    }

    #[test]
    fn recordings_keep_their_pace() {
        let begin_ns = robot_clock_ns();
        let mut pace = Pace::new(100.0);
        let stamps: Vec<u64> = (0..6).map(|_| pace.wait()).collect();
        assert!(stamps[0] > begin_ns);
        assert!(stamps.iter().all(|stamp| stamp.is_multiple_of(10_000_000)));
        assert!(stamps.is_sorted_by(|a, b| a < b), "{stamps:?}");
        assert!(robot_clock_ns() >= stamps[5]);
        // After a long gap one frame comes, and the next one a period later.
        thread::sleep(Duration::from_millis(60));
        let (first, second) = (pace.wait(), pace.wait());
        assert!(first > stamps[5] && second > first);
    }
}
