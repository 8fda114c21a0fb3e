//! The node's loop.

use std::time::Duration;

use eyre::Result;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use tiller_core::{EpisodeId, SECOND_NS, StampFilter};
use tiller_grounding::{Grounder, GroundingError, Hand, Keypoint, annotate};
use tiller_messages::{ArmState, Encoding, Episode, ImageHeader, Keypoints, Level};
use tiller_node_kit::{Inbox, Input, Next, Outbox, Refused, Stream, robot_clock_ns};

use crate::config::Settings;
use crate::notices::Notices;
use crate::sight::{ARM, IMAGES, Moment, Sight};

/// Without colour there is nothing to see. Which other images are needed follows from the settings.
pub(crate) const ESSENTIAL: &[&str] = &["image"];

/// Everything that is read.
const INPUTS: &[&str] = &["image", "depth", "segmentation", "episode", ARM];

/// The output that shows the scene with its keypoints.
const ANNOTATED: &str = "annotated_image";

/// Speed of a joint from which the scene counts as moving, rad/s.
const MOVING_RAD_S: f64 = 0.1;
/// Time between two looks at whether the cameras are well.
const LOOK: Duration = Duration::from_millis(100);
/// Time without any keypoint in sight after which it is said, ns.
const LOST_NS: u64 = 500_000_000;
/// A stamp that lies back this far is of a camera, or a simulation, that has started anew, ns.
const RESTART_NS: u64 = 1_000_000_000;

/// Runs until the images end.
pub(crate) fn run(settings: &Settings, inbox: &mut Inbox, outbox: &mut Outbox) -> Result<()> {
    outbox.check_inputs(INPUTS)?;
    let mut node = Node::new(settings)?;
    loop {
        match inbox.wait_at_most(LOOK) {
            Next::Input(input) => node.take(&input, robot_clock_ns(), outbox)?,
            Next::Idle | Next::Ended(_) => {}
            Next::End(end) => {
                tracing::info!("{end}");
                tracing::debug!("images without counterparts: {}", node.sight.unmatched());
                return Ok(());
            }
        }
        node.look(robot_clock_ns(), outbox)?;
        outbox.repeat_latched()?;
    }
}

struct Node {
    sight: Sight,
    grounder: Grounder,
    notices: Notices,
    /// Whether the keypoints are of the scene that is seen now.
    grounded: bool,
    /// Stamp of the last moment, ns.
    last_ns: u64,
    /// When any keypoint was last in sight, ns of this machine's clock.
    seen_ns: Option<u64>,
    /// That none is has been said.
    lost: bool,
    looked_ns: u64,
    arms: Stream<ArmState>,
    /// The arm's clock, which cameras should share.
    clock: StampFilter,
    episodes: Stream<Episode>,
    /// The episode whose scene is seen.
    episode: EpisodeId,
}

impl Node {
    fn new(settings: &Settings) -> Result<Self, GroundingError> {
        let grounder = Grounder::new(settings.grounding.clone())?;
        Ok(Self {
            sight: Sight::new(settings, grounder.needs()),
            grounder,
            notices: Notices::default(),
            grounded: false,
            last_ns: 0,
            seen_ns: None,
            lost: false,
            looked_ns: 0,
            arms: Stream::default(),
            clock: StampFilter::default(),
            episodes: Stream::default(),
            episode: EpisodeId(0),
        })
    }

    /// Takes what arrived at `now_ns` of this machine's clock; nothing in it ends the node.
    fn take(&mut self, input: &Input, now_ns: u64, outbox: &mut Outbox) -> Result<()> {
        match input.id.as_str() {
            "episode" => {
                let read = self.episodes.read(input);
                return match outbox.accept(read)? {
                    Some(episode) => self.on_episode(&episode, outbox),
                    None => Ok(()),
                };
            }
            ARM => {
                let read = self.arms.read(input);
                return match outbox.accept(read)? {
                    Some(arm) => {
                        self.sight.learn_clock(arm.stamp_ns, input);
                        self.on_arm(&arm, now_ns, outbox)
                    }
                    None => Ok(()),
                };
            }
            _ => {}
        }
        let Some(name) = IMAGES.iter().find(|image| **image == input.id) else {
            let text = format!(
                "input `{}`: expected one of {}",
                input.id,
                INPUTS.join(", ")
            );
            return self
                .notices
                .warn(outbox, now_ns, ("input_unknown", ""), text);
        };
        match self.sight.take(input, now_ns, self.grounder.hands()) {
            Ok(None) => Ok(()),
            Err(reason) => {
                let text = format!("input `{name}`: {reason}");
                self.notices
                    .warn(outbox, now_ns, ("message_refused", name), text)
            }
            Ok(Some(moment)) => {
                if self.last_ns.saturating_sub(moment.stamp_ns()) > RESTART_NS {
                    self.begin_scene(0, outbox);
                }
                self.last_ns = moment.stamp_ns();
                self.see(&moment, now_ns, outbox)
            }
        }
    }

    fn on_episode(&mut self, episode: &Episode, outbox: &mut Outbox) -> Result<()> {
        let refuse = |reason: String| Refused::new("episode", reason);
        if episode.id < self.episode {
            let (expected, found) = (self.episode, episode.id);
            return outbox.refuse(&refuse(format!(
                "id: expected above {expected}, found {found}"
            )));
        }
        let now_ns = self.clock.last_ns();
        if let Some(arm_ns) = now_ns.filter(|now| episode.stamp_ns > now.saturating_add(SECOND_NS))
        {
            // Nothing that is seen would ever belong to it.
            let found = episode.stamp_ns;
            return outbox.refuse(&refuse(format!(
                "stamp_ns: expected at most 1 s after the arm's, {arm_ns} ns, found {found} ns"
            )));
        }
        if episode.id > self.episode {
            self.episode = episode.id;
            self.begin_scene(episode.stamp_ns, outbox);
        }
        Ok(())
    }

    fn on_arm(&mut self, arm: &ArmState, now_ns: u64, outbox: &mut Outbox) -> Result<()> {
        if !self.clock.accept(arm.stamp_ns) {
            let reason = self.clock.complaint("stamp_ns", arm.stamp_ns);
            return outbox.refuse(&Refused::new(ARM, reason));
        }
        let moves = arm.dq_rad_s.iter().any(|speed| speed.abs() > MOVING_RAD_S);
        self.sight.reference(arm.stamp_ns, moves, now_ns);
        self.grounder.hear(Hand {
            stamp_ns: arm.stamp_ns,
            world_from_tool: arm.tcp,
            gripper_width_m: arm.gripper_width_m,
        });
        Ok(())
    }

    /// Another scene: what was found before is void, and so is what was seen before
    /// `not_before_ns`.
    fn begin_scene(&mut self, not_before_ns: u64, outbox: &mut Outbox) {
        outbox.unlatch(ANNOTATED);
        self.grounded = false;
        self.seen_ns = None;
        self.sight.begin(not_before_ns);
    }

    fn see(&mut self, moment: &Moment, now_ns: u64, outbox: &mut Outbox) -> Result<()> {
        let found = moment.view().and_then(|view| {
            if self.grounded {
                self.grounder.track(&view).map(|_| None)
            } else {
                self.grounder.ground(&view)?;
                annotate(&view, self.grounder.keypoints()).map(Some)
            }
        });
        let picture = match found {
            Ok(picture) => picture,
            Err(error) => return self.cannot_see(&error, moment, now_ns, outbox),
        };
        if let Some(picture) = picture {
            self.grounded = true;
            tracing::info!("{} keypoints", self.grounder.keypoints().len());
            for skipped in self.grounder.skipped() {
                tracing::info!("no keypoint on the {}: {}", skipped.object, skipped.reason);
            }
            self.send_annotated(&picture, &moment.header(), outbox)?;
        }
        self.watch(moment, now_ns, outbox)?;
        self.send_keypoints(moment.stamp_ns(), outbox)
    }

    /// Names why a moment gives no keypoints; the next one may.
    fn cannot_see(
        &mut self,
        error: &GroundingError,
        moment: &Moment,
        now_ns: u64,
        outbox: &mut Outbox,
    ) -> Result<()> {
        let (code, text) = match error {
            GroundingError::NothingFound { .. } => {
                ("nothing_found", format!("{error}; {}", moment.blindness()))
            }
            GroundingError::UnknownCamera { .. } | GroundingError::BadCamera { .. } => (
                "camera_unknown",
                format!("{error}; {}", self.sight.where_to_say(&moment.header())),
            ),
            _ => ("grounding_failed", error.to_string()),
        };
        self.notices.warn(outbox, now_ns, (code, ""), text)
    }

    /// Says when no keypoint is in sight any more, and when one is again.
    fn watch(&mut self, moment: &Moment, now_ns: u64, outbox: &mut Outbox) -> Result<()> {
        if self
            .grounder
            .keypoints()
            .iter()
            .any(|keypoint| keypoint.visible)
        {
            self.seen_ns = Some(now_ns);
            if std::mem::take(&mut self.lost) {
                let text = "keypoints are in sight again".to_owned();
                outbox.tell(Level::Info, "keypoints_seen", text)?;
            }
            return Ok(());
        }
        let unseen_ns = now_ns.saturating_sub(*self.seen_ns.get_or_insert(now_ns));
        if !self.lost && unseen_ns >= LOST_NS {
            self.lost = true;
            let age_ns = self.grounder.keypoints().iter().map(|k| k.age_ns).min();
            let text = format!(
                "no keypoint is in sight: {}; the newest position is {} ms old",
                moment.blindness(),
                age_ns.unwrap_or(0) / 1_000_000
            );
            outbox.tell(Level::Warning, "keypoints_lost", text)?;
        }
        Ok(())
    }

    /// Says what has changed with the cameras, a few times a second.
    fn look(&mut self, now_ns: u64, outbox: &mut Outbox) -> Result<()> {
        if u128::from(now_ns.saturating_sub(self.looked_ns)) < LOOK.as_nanos() {
            return Ok(());
        }
        self.looked_ns = now_ns;
        for complaint in self.sight.complaints(now_ns) {
            let level = complaint.kind.level();
            outbox.tell(level, complaint.kind.code(), complaint.text)?;
        }
        Ok(())
    }

    /// Without this picture nobody writes a program, and it is sent once a grounding: so it is latched, and as small as
    /// it can be without loss.
    fn send_annotated(
        &self,
        picture: &image::RgbImage,
        source: &ImageHeader,
        outbox: &mut Outbox,
    ) -> Result<()> {
        // The scene is enlarged by a whole number and stands in the upper left corner.
        let zoom = (picture.height() as usize / source.height).max(1) as f64;
        let enlarged = |numbers: [f64; 2]| numbers.map(|n| n * zoom);
        let header = ImageHeader {
            seq: u64::from(generation(outbox.session(), self.grounder.generation())),
            width: picture.width() as usize,
            height: picture.height() as usize,
            encoding: Encoding::Png,
            focal: source.focal.map(enlarged),
            principal_point: source.principal_point.map(enlarged),
            labels: Vec::new(),
            ..source.clone()
        };
        outbox.latch_image(ANNOTATED, &header, png(picture)?)
    }

    fn send_keypoints(&mut self, stamp_ns: u64, outbox: &mut Outbox) -> Result<()> {
        let keypoints = self.grounder.keypoints();
        let message = Keypoints {
            stamp_ns,
            episode: self.episode,
            generation: generation(outbox.session(), self.grounder.generation()),
            ..Keypoint::columns(keypoints)
        };
        outbox.send("keypoints", message)
    }
}

/// The picture as a file, fast rather than small.
fn png(picture: &image::RgbImage) -> Result<Vec<u8>> {
    let mut file = Vec::new();
    let encoder =
        PngEncoder::new_with_quality(&mut file, CompressionType::Fast, FilterType::Adaptive);
    let (width, height) = picture.dimensions();
    encoder.write_image(picture.as_raw(), width, height, ExtendedColorType::Rgb8)?;
    Ok(file)
}

/// The generation of the keypoints that everybody sees: a node that was started anew within an
/// episode goes on above its predecessor, whose programs speak of other keypoints. A session is when
/// it began, ns; hence no two of them share a second.
fn generation(session: u64, count: u32) -> u32 {
    ((session / SECOND_NS) as u32).wrapping_add(count)
}

#[cfg(test)]
mod tests;
