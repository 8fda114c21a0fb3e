//! Pictures and arm states of a recording.

use std::collections::BTreeSet;
use std::path::Path;

use image::{DynamicImage, GrayImage, RgbImage};
use tiller_core::Pose;
use tiller_messages::{ArmState, Encoding, ImageHeader};
use tiller_recording::{Clock, Entry, Recording, Sent, pixels};

use crate::board::Board;
use crate::find::find;
use crate::lens::Lens;
use crate::select::{Selector, Skipped, Verdict};
use crate::shot::{ReadError, Shot};
use crate::solve::LEAST_CORNERS;
use crate::view::View;

/// The output of every actuator, whatever arm it moves.
const ARM_STATE: &str = "arm_state";

/// Which outputs of a recording are read, `NODE/OUTPUT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topics {
    /// The camera's pictures.
    pub camera: String,
    /// The arm's states; the first output `arm_state` if nobody says.
    pub arm: Option<String>,
}

/// What a recording shows of the board.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Recorded {
    /// At most one picture for each pose at rest, at most 60.
    pub shots: Vec<Shot>,
    /// What the camera said of its lens, where it said all of it.
    pub lens: Option<Lens>,
    /// Pictures of the camera.
    pub pictures: usize,
    /// Those that were not taken, and why.
    pub skipped: Skipped,
    /// Messages of camera and arm that hold nothing that can be read.
    pub unreadable: usize,
    /// Why the recording ends before its end, if it does.
    pub broken: Option<String>,
}

/// Reads a recording: pictures that were taken while the arm was at rest, by their stamps, and the board in
/// them. `watch` hears how much of how much is read, bytes.
///
/// # Errors
/// [`ReadError`] when it cannot be read, or has no such camera or arm.
pub fn read_recording(
    path: &Path,
    topics: &Topics,
    board: &Board,
    mut watch: impl FnMut(u64, u64),
) -> Result<Recorded, ReadError> {
    let mut arm = Arm::read(path, topics, &mut watch)?;
    let mut selector = Selector::new(std::mem::take(&mut arm.states));
    let mut recorded = Recorded {
        unreadable: arm.unreadable,
        ..Recorded::default()
    };
    let mut clock = Clock::default();
    let mut recording = Recording::open(path)?;
    while let Some(entry) = recording.next_entry() {
        watch(
            recording.byte_len() + recording.position(),
            2 * recording.byte_len(),
        );
        let topic = entry.topic();
        if topic == arm.topic {
            if let Some((sent, state)) = arm_state(&entry) {
                clock.observe(state.stamp_ns, sent.sent_ns());
            }
        } else if topic == topics.camera {
            recorded.pictures += 1;
            if recorded.add(&entry, &clock, &mut selector, board).is_none() {
                recorded.unreadable += 1;
            }
        }
    }
    recorded.broken = recording.broken().map(ToString::to_string);
    recorded.skipped = selector.skipped();
    Ok(recorded)
}

impl Recorded {
    /// Takes a picture if it is worth it; none where it cannot be read.
    fn add(
        &mut self,
        entry: &Entry,
        clock: &Clock,
        selector: &mut Selector,
        board: &Board,
    ) -> Option<()> {
        let sent = entry.open().ok()?;
        let header = sent.image_header(clock).ok()??;
        if self.lens.is_none() {
            self.lens = lens(&header);
        }
        let Verdict::Take(base_from_tool) = selector.consider(header.stamp_ns) else {
            return Some(());
        };
        let picture = grey(&header, &sent)?;
        let corners = find(&picture, board);
        if corners.len() < LEAST_CORNERS {
            selector.miss(base_from_tool);
            return Some(());
        }
        selector.keep(base_from_tool);
        let view = View {
            name: format!("{:.2} s", header.stamp_ns as f64 / 1e9),
            base_from_tool,
            corners,
        };
        self.shots.push(Shot { view, picture });
        Some(())
    }
}

/// What the arm of a recording did.
struct Arm {
    topic: String,
    states: Vec<(u64, Pose)>,
    unreadable: usize,
}

impl Arm {
    fn read(
        path: &Path,
        topics: &Topics,
        watch: &mut impl FnMut(u64, u64),
    ) -> Result<Self, ReadError> {
        let mut recording = Recording::open(path)?;
        let mut outputs = BTreeSet::new();
        let (mut topic, mut states, mut unreadable) = (topics.arm.clone(), Vec::new(), 0);
        while let Some(entry) = recording.next_entry() {
            watch(recording.position(), 2 * recording.byte_len());
            let own = entry.topic();
            if topic.is_none() && entry.output == ARM_STATE {
                topic = Some(own.clone());
            }
            if topic.as_ref() == Some(&own) {
                match arm_state(&entry) {
                    Some((_, state)) => states.push((state.stamp_ns, state.tcp)),
                    None => unreadable += 1,
                }
            }
            outputs.insert(own);
        }
        let missing = |expected: String| ReadError::Output {
            expected,
            found: outputs.iter().cloned().collect(),
        };
        if !outputs.contains(&topics.camera) {
            return Err(missing(format!("the camera's output `{}`", topics.camera)));
        }
        match topic {
            Some(topic) if !states.is_empty() => Ok(Self {
                topic,
                states,
                unreadable,
            }),
            Some(topic) => Err(missing(format!("arm states on the output `{topic}`"))),
            None => Err(missing(format!("an output `{ARM_STATE}` with arm states"))),
        }
    }
}

fn arm_state(entry: &Entry) -> Option<(Sent, ArmState)> {
    let sent = entry.open().ok()?;
    let state = sent.message().ok()?;
    Some((sent, state))
}

/// The lens of a camera that says its focal lengths; the middle of the picture where it says no principal
/// point.
fn lens(header: &ImageHeader) -> Option<Lens> {
    let middle = [header.width, header.height].map(|side| side as f64 / 2.0);
    let lens = Lens {
        focal: header.focal?,
        principal_point: header.principal_point.unwrap_or(middle),
    };
    lens.check().is_ok().then_some(lens)
}

fn grey(header: &ImageHeader, sent: &Sent) -> Option<GrayImage> {
    let [width, height] = [header.width, header.height].map(u32::try_from);
    let (width, height) = (width.ok()?, height.ok()?);
    if header.encoding == Encoding::Mono8 {
        let bytes = pixels::bytes(header, &sent.data).ok()?;
        return GrayImage::from_raw(width, height, bytes.into_owned());
    }
    let rgb = RgbImage::from_raw(width, height, pixels::rgb(header, &sent.data).ok()?)?;
    Some(DynamicImage::ImageRgb8(rgb).into_luma8())
}
